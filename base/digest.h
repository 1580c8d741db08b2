/* SPDX-License-Identifier: MIT
 *
 * SHA-256, by libcrypto. */
#ifndef DOWNHILL_BASE_DIGEST_H
#define DOWNHILL_BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_TEXT = 2 * 32 + 1 };

typedef struct digest {
    void *context;
    bool good; /* nothing has failed so far */
} digest;

digest digest_begin(void);
void digest_add(digest *d, const void *bytes, size_t count);

/* In hexadecimal, and the end of *d. false: something failed. */
bool digest_end(digest *d, char text[DIGEST_TEXT]);

#endif
