/* SPDX-License-Identifier: MIT */
#include "sha256.h"

#include <openssl/evp.h>
#include <stdio.h>

sha256 sha256_begin(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    return (sha256){context,
                    context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1};
}

void sha256_add(sha256 *d, const void *bytes, size_t count)
{
    d->good = d->good && EVP_DigestUpdate(d->context, bytes, count) == 1;
}

bool sha256_end(sha256 *d, char text[DIGEST_TEXT])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    const bool good = d->good && EVP_DigestFinal_ex(d->context, bytes, NULL) == 1;
    EVP_MD_CTX_free(d->context);
    *d = (sha256){0};
    for (size_t i = 0; good && i < (DIGEST_TEXT - 1) / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return good;
}
