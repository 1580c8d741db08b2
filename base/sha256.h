/* SPDX-License-Identifier: MIT
 *
 * SHA-256 from libcrypto. */
#ifndef DOWNHILL_BASE_SHA256_H
#define DOWNHILL_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>

enum { DIGEST_TEXT = 2 * 32 + 1 };

typedef struct sha256 {
    void *context;
    bool good; /* nothing has failed so far */
} sha256;

sha256 sha256_begin(void);
void sha256_add(sha256 *d, const void *bytes, size_t count);

/* Writes the digest in hexadecimal and frees *d. Returns false if any call failed. */
bool sha256_end(sha256 *d, char text[DIGEST_TEXT]);

#endif
