/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/memory.h"
#include "model.h"

#include <endian.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool weights_new(size_t d, size_t c, downhill_weights_f32 *weights)
{
    *weights = (downhill_weights_f32){memory_new(c * d, sizeof(float)), d,
                                      memory_new(c, sizeof(float)), d, c};
    return weights->w != NULL && weights->b != NULL;
}

void weights_free(downhill_weights_f32 *weights)
{
    free(weights->w);
    free(weights->b);
    *weights = (downhill_weights_f32){0};
}

void weights_copy(const downhill_weights_f32 *from, const downhill_weights_f32 *to)
{
    for (size_t j = 0; j < from->c; j++)
        memcpy(to->w + j * to->ldw, from->w + j * from->ldw, from->d * sizeof *to->w);
    memcpy(to->b, from->b, from->c * sizeof *to->b);
}

double weights_squared(const downhill_weights_f32 *weights)
{
    double sum = 0.0;
    for (size_t j = 0; j < weights->c; j++)
        for (size_t k = 0; k < weights->d; k++) {
            const double w = (double)weights->w[j * weights->ldw + k];
            sum += w * w;
        }
    return sum;
}

static bool digest_floats(EVP_MD_CTX *context, const float *values, size_t count)
{
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = htole32(bits);
        good = EVP_DigestUpdate(context, &bits, sizeof bits) == 1;
    }
    return good;
}

bool weights_digest(const downhill_weights_f32 *weights, char text[MODEL_DIGEST_TEXT])
{
    const size_t d = weights->d, c = weights->c;
    const uint64_t sizes[2] = {htole64(d), htole64(c)};
    unsigned char digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(context, sizes, sizeof sizes) == 1;
    for (size_t j = 0; good && j < c; j++)
        good = digest_floats(context, weights->w + j * weights->ldw, d);
    good = good && digest_floats(context, weights->b, c) &&
           EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    for (size_t i = 0; good && i < (MODEL_DIGEST_TEXT - 1) / 2; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return good;
}
