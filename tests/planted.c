/* SPDX-License-Identifier: MIT */
#include "planted.h"

#include "cmocka_all.h"

#include "base/error.h"
#include "verify/verify.h"

#include <string.h>

enum { WIDE = 8 };

size_t without_tail(size_t count)
{
    return count > WIDE ? count / WIDE * WIDE : count;
}

void shift_rows(size_t n, const void *const *x, const void **shifted)
{
    for (size_t i = 0; i < SHIFTED_MAX; i++)
        shifted[i] = x[i + 1 < n ? i + 1 : n - 1];
}

void swap_first_two(void *a, size_t ld, size_t size)
{
    unsigned char *first = a, *second = first + ld * size;
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = first[i];
        first[i] = second[i];
        second[i] = byte;
    }
}

struct scores scores_from_zeros(size_t n, size_t c, const struct scores *scores)
{
    const struct scores s = *scores;
    for (size_t i = 0; i < n; i++)
        memset(s.to + i * s.ld, 0, c * sizeof *s.to);
    return (struct scores){s.to, s.ld, s.to, s.ld};
}

float to_bf16(float value)
{
    uint16_t bf16;
    downhill_bf16_from_f32(1, &value, &bf16);
    const uint32_t bits = (uint32_t)bf16 << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void assert_caught(const downhill_kernels *table, const char *kernel, const char *bug)
{
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = table;
    options.kernel = kernel;
    options.max_reports = 0;
    options.first_only = true;
    verify_result result;
    if (verify_run(&options, &result) != EXIT_CHECK)
        fail_msg("verify missed a bug in %s, level %s: %s", kernel, table->name, bug);
}

void assert_passes(const downhill_kernels *table)
{
    verify_options options = VERIFY_DEFAULTS;
    options.kernels = table;
    options.chosen_only = true;
    options.stride = 31;
    verify_result result;
    assert_int_equal(verify_run(&options, &result), EXIT_OK);
}
