/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>

digest digest_begin(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    return (digest){context,
                    context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1};
}

void digest_add(digest *d, const void *bytes, size_t count)
{
    d->good = d->good && EVP_DigestUpdate(d->context, bytes, count) == 1;
}

bool digest_end(digest *d, char text[DIGEST_TEXT])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    const bool good = d->good && EVP_DigestFinal_ex(d->context, bytes, NULL) == 1;
    EVP_MD_CTX_free(d->context);
    *d = (digest){0};
    for (size_t i = 0; good && i < (DIGEST_TEXT - 1) / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return good;
}
