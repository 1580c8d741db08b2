/* SPDX-License-Identifier: MIT
 *
 * IDX files. Reading and mapping a file must give the same. */
#include "fuzz.h"

#include "base/error.h"
#include "data/idx.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    array read, mapped;
    const char *path = fuzz_file("x", bytes, count);
    const int code = idx_read(path, 1, 3, &read), map_code = idx_map(path, 1, 3, &mapped);
    fuzz_expect(code);
    fuzz_expect(map_code);
    if (code == EXIT_OK && map_code == EXIT_OK &&
        (read.rows != mapped.rows || read.columns != mapped.columns ||
         memcmp(read.elements, mapped.elements, read.rows * read.columns) != 0))
        abort();
    if (map_code == EXIT_OK && code != EXIT_OK)
        abort();
    array_free(&read);
    array_free(&mapped);
    return 0;
}
