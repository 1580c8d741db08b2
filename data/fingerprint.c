/* SPDX-License-Identifier: MIT */
#include "fingerprint.h"

bool samples_fingerprint(const samples *s, char text[DIGEST_TEXT])
{
    const uint64_t sizes[2] = {s->n, s->x->d};
    const size_t rows = s->n < FINGERPRINT_ROWS_MAX ? s->n : FINGERPRINT_ROWS_MAX;
    digest d = digest_begin();
    digest_add(&d, sizes, sizeof sizes);
    for (size_t i = 0; i < s->n; i++) {
        const int32_t label = samples_label(s, i);
        digest_add(&d, &label, sizeof label);
    }
    for (size_t r = 0; r < rows; r++) {
        const size_t i = s->n / rows * r;
        if (s->x->u8 != NULL)
            digest_add(&d, samples_u8(s, i), s->x->d);
        else
            digest_add(&d, samples_f32(s, i), s->x->d * sizeof(float));
    }
    return digest_end(&d, text);
}
