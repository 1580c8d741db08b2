/* SPDX-License-Identifier: MIT
 *
 * Runs every STRIDE-th case of `downhill verify`, without the program and the libraries that it
 * needs. For emulated CPUs.
 *   prove_cases STRIDE [no-end-guard]
 *   no-end-guard  skip the cases whose buffers end at a guard page: an emulator may read the lanes
 *                 that a masked load masks out
 * Exit codes are those of downhill. */
#include "base/error.h"
#include "base/levels.h"
#include "verify/verify.h"
#include "verify/workbench.h"
#include "verify/workbench_u8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool check(workbench *f32, workbench_u8 *u8, const verify_case *v, verify_kernel kernel,
                  const downhill_kernels *kernels)
{
    char failure[160];
    if (verify_kernels[kernel].element != ELEMENT_U8
            ? workbench_check(f32, v, kernel, kernels)
            : workbench_u8_check(u8, v, kernel, kernels, failure, sizeof failure))
        return true;
    error_line("case %ld: %s/%s: %s", v->number, verify_kernels[kernel].name,
               downhill_kernels_name(kernels),
               verify_kernels[kernel].element != ELEMENT_U8 ? f32->failure : failure);
    return false;
}

static int prove_without_end_guard(verify_options *options, verify_result *result)
{
    static workbench f32;
    static workbench_u8 u8;
    const downhill_kernels *tables[LEVELS_MAX];
    *result = (verify_result){.levels = levels_to_run(NULL, tables)};
    if (result->levels == 0)
        return EXIT_ISA;
    if (!workbench_open(&f32, options->seed) || !workbench_u8_open(&u8, options->seed))
        return EXIT_INTERNAL;
    for (size_t i = 0; i < verify_chosen_count(); i += options->stride) {
        const verify_case v = verify_case_at(options->seed, i);
        if (v.placement == PLACE_AT_END)
            continue;
        for (verify_kernel kernel = 0; kernel < VERIFY_KERNEL_COUNT; kernel++) {
            if (verify_kernels[kernel].element != ELEMENT_U8)
                workbench_prepare(&f32, &v, kernel);
            else
                workbench_u8_prepare(&u8, &v, kernel);
            for (size_t t = 0; t < result->levels; t++, result->checks++)
                result->failures += !check(&f32, &u8, &v, kernel, tables[t]);
        }
    }
    workbench_close(&f32);
    workbench_u8_close(&u8);
    return result->failures == 0 ? EXIT_OK : EXIT_CHECK;
}

int main(int argc, char **argv)
{
    verify_options options = VERIFY_DEFAULTS;
    options.chosen_only = true;
    options.stride = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    const bool with_end_guard = argc != 3;
    if (options.stride == 0 || argc > 3 ||
        (!with_end_guard && strcmp(argv[2], "no-end-guard") != 0)) {
        error_line("usage: prove_cases STRIDE [no-end-guard]");
        return EXIT_USAGE;
    }
    verify_result result;
    const int code =
        with_end_guard ? verify_run(&options, &result) : prove_without_end_guard(&options, &result);
    if (code == EXIT_OK || code == EXIT_CHECK)
        printf("%llu checks on %zu levels, %llu failed\n", (unsigned long long)result.checks,
               result.levels, (unsigned long long)result.failures);
    return code;
}
