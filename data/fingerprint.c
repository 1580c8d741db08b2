/* SPDX-License-Identifier: MIT */
#include "fingerprint.h"

bool samples_fingerprint(const samples *s, char text[DIGEST_TEXT])
{
    const uint64_t sizes[2] = {s->n, s->x->d};
    const size_t rows = s->n < FINGERPRINT_ROWS_MAX ? s->n : FINGERPRINT_ROWS_MAX;
    sha256 d = sha256_begin();
    sha256_add(&d, sizes, sizeof sizes);
    for (size_t i = 0; i < s->n; i++) {
        const int32_t label = samples_label(s, i);
        sha256_add(&d, &label, sizeof label);
    }
    for (size_t r = 0; r < rows; r++) {
        /* first to last, evenly spread */
        const size_t i = rows > 1 ? r * (s->n - 1) / (rows - 1) : 0;
        if (s->x->u8 != NULL)
            sha256_add(&d, samples_u8(s, i), s->x->d);
        else
            sha256_add(&d, samples_f32(s, i), s->x->d * sizeof(float));
    }
    return sha256_end(&d, text);
}
