/* SPDX-License-Identifier: MIT
 *
 * Results of an interrupted benchmark, which another run resumes. */
#include "fuzz.h"

#include "base/error.h"
#include "bench/resume.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static machine m;
    static int known;
    if (!known)
        machine_read(&m);
    known = 1;
    int code = EXIT_OK;
    json_t *results = resume_read(fuzz_file("x.json", bytes, count), &m, &code);
    if (results == NULL && code != EXIT_DATA && code != EXIT_USAGE)
        abort();
    json_decref(results);
    return 0;
}
