/* SPDX-License-Identifier: MIT
 *
 * LIBSVM text. Checks the result against the promises of the format. */
#include "fuzz.h"

#include "base/error.h"
#include "data/dataset.h"
#include "data/libsvm_text.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    libsvm_text t;
    const int code = libsvm_read(fuzz_file("x", bytes, count), count % 2 != 0, &t);
    fuzz_expect(code);
    size_t e = 0;
    for (size_t i = 0; code == EXIT_OK && i < t.n_rows; i++) {
        if (t.rows[i].end < e)
            abort();
        for (size_t first = e; e < t.rows[i].end; e++)
            if (t.entries[e].feature >= t.d || !isfinite(t.entries[e].value) ||
                (e > first && t.entries[e].feature <= t.entries[e - 1].feature))
                abort();
    }
    if (code == EXIT_OK && (t.n_rows == 0 || t.d > DATASET_FEATURES_MAX))
        abort();
    libsvm_free(&t);
    return 0;
}
