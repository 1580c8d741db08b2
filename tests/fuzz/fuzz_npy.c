/* SPDX-License-Identifier: MIT
 *
 * NPY files, as features and as labels; one that can be read and mapped is the same either way. */
#include "fuzz.h"

#include "base/error.h"
#include "data/npy_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    array read, mapped;
    labels l;
    const char *path = fuzz_file("x.npy", bytes, count);
    const npy_place place = {.path = path};
    dataset notes = {0};
    const int code = npy_features(place, false, &notes, &read),
              map_code = npy_features(place, true, &notes, &mapped);
    dataset_close(&notes);
    fuzz_expect(code);
    fuzz_expect(map_code);
    if (code == EXIT_OK && map_code == EXIT_OK &&
        (read.rows != mapped.rows || read.columns != mapped.columns || read.type != mapped.type ||
         memcmp(read.elements, mapped.elements,
                read.rows * read.columns * array_element_bytes(read.type)) != 0))
        abort();
    array_free(&read);
    array_free(&mapped);
    fuzz_expect(npy_labels(place, &l));
    labels_free(&l);
    return 0;
}
