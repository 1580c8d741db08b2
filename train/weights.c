/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/memory.h"
#include "model.h"

#include <endian.h>
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

bool weights_are_finite(const downhill_weights_f32 *weights)
{
    /* 0 times an infinity or a NaN is NaN. */
    float sum = 0.0f;
    for (size_t j = 0; j < weights->c; j++) {
        for (size_t k = 0; k < weights->d; k++)
            sum += 0.0f * weights->w[j * weights->ldw + k];
        sum += 0.0f * weights->b[j];
    }
    return sum == 0.0f;
}

static void add_floats(sha256 *of, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        bits = htole32(bits);
        sha256_add(of, &bits, sizeof bits);
    }
}

bool weights_digest(const downhill_weights_f32 *weights, char text[MODEL_DIGEST_TEXT])
{
    const size_t d = weights->d, c = weights->c;
    const uint64_t sizes[2] = {htole64(d), htole64(c)};
    sha256 of = sha256_begin();
    sha256_add(&of, sizes, sizeof sizes);
    for (size_t j = 0; j < c; j++)
        add_floats(&of, weights->w + j * weights->ldw, d);
    add_floats(&of, weights->b, c);
    return sha256_end(&of, text);
}
