/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include <openssl/evp.h>
#include <stdio.h>

bool samples_digest(const samples *s, char text[DIGEST_TEXT])
{
    const uint64_t sizes[2] = {s->n, s->x->d};
    const size_t rows = s->n < DIGEST_ROWS_MAX ? s->n : DIGEST_ROWS_MAX;
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(context, sizes, sizeof sizes) == 1;
    for (size_t i = 0; good && i < s->n; i++) {
        const int32_t label = samples_label(s, i);
        good = EVP_DigestUpdate(context, &label, sizeof label) == 1;
    }
    for (size_t r = 0; good && r < rows; r++) {
        const size_t i = s->n / rows * r;
        good = s->x->u8 != NULL
                   ? EVP_DigestUpdate(context, samples_u8(s, i), s->x->d) == 1
                   : EVP_DigestUpdate(context, samples_f32(s, i), s->x->d * sizeof(float)) == 1;
    }
    good = good && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    for (size_t i = 0; good && i < (DIGEST_TEXT - 1) / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return good;
}
