/* SPDX-License-Identifier: MIT
 *
 * Ranges of a mapped file announced to the kernel: every page of every row, no other page, and as
 * few ranges as the order of the rows allows. Also how much memory is available to hold the
 * file. */
#include "cmocka_all.h"

#include "base/memory.h"
#include "base/rng.h"
#include "data/readahead.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAGE = 4096, PAGES = 512 };

/* Marks the pages of all ranges. Returns the number of ranges. */
static size_t mark(const size_t *rows, size_t n, size_t row_bytes, size_t ld_bytes, bool *seen)
{
    size_t ranges = 0;
    for (size_t at = 0; at < n; ranges++) {
        const size_t before = at;
        const readahead_stretch s = readahead_next(rows, &at, n, row_bytes, ld_bytes, PAGE);
        assert_true(at > before);
        assert_int_equal(s.start % PAGE, 0);
        assert_int_equal(s.end % PAGE, 0);
        for (size_t p = s.start / PAGE; p < s.end / PAGE; p++) {
            assert_true(p < PAGES);
            seen[p] = true;
        }
    }
    return ranges;
}

static void check(const size_t *rows, size_t n, size_t row_bytes, size_t ld_bytes)
{
    bool seen[PAGES] = {false}, wanted[PAGES] = {false};
    mark(rows, n, row_bytes, ld_bytes, seen);
    for (size_t i = 0; i < n; i++)
        for (size_t byte = rows[i] * ld_bytes; byte < rows[i] * ld_bytes + row_bytes; byte++)
            wanted[byte / PAGE] = true;
    for (size_t p = 0; p < PAGES; p++)
        if (wanted[p] != seen[p])
            fail_msg("rows of %zu bytes, %zu apart: page %zu %s", row_bytes, ld_bytes, p,
                     wanted[p] ? "is missing" : "is not needed");
}

static void test_readahead__random_rows__exactly_their_pages(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1},       {784, 784},   {3072, 3073}, {4096, 4096},
                                      {4097, 4097}, {8192, 8200}, {100, 9000},  {20000, 20000}};
    rng r = rng_seeded(5);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const size_t row_bytes = sizes[s][0], ld_bytes = sizes[s][1];
        const size_t fit = (size_t)PAGES * PAGE / ld_bytes - 1;
        size_t rows[64];
        for (int trial = 0; trial < 200; trial++) {
            const size_t n = 1 + (size_t)rng_below(&r, 64);
            for (size_t i = 0; i < n; i++)
                rows[i] = i > 0 && rng_below(&r, 2) == 0 && rows[i - 1] + 1 < fit
                              ? rows[i - 1] + 1
                              : (size_t)rng_below(&r, fit);
            check(rows, n, row_bytes, ld_bytes);
        }
    }
}

static void test_readahead__adjacent_rows__one_range(void **state)
{
    (void)state;
    bool seen[PAGES] = {false};
    size_t rows[100];
    for (size_t i = 0; i < 100; i++)
        rows[i] = 7 + i;
    assert_int_equal(mark(rows, 100, 3072, 3073, seen), 1);
    rows[50] = 400; /* jumps away and back */
    assert_int_equal(mark(rows, 100, 3072, 3073, seen), 3);
}

static void test_readahead__end_of_row_numbers__not_read_past(void **state)
{
    (void)state;
    const size_t rows[3] = {1, 2, 300};
    size_t at = 0;
    const readahead_stretch s = readahead_next(rows, &at, 2, 4096, 4096, PAGE);
    assert_int_equal(at, 2);
    assert_int_equal(s.start, PAGE);
    assert_int_equal(s.end, 3 * PAGE);
}

/* ---- available memory ---- */

static void put(const char *name, const char *text)
{
    write_raw(scratch_path(name), text, strlen(text));
}

static void test_memory_available__with_cgroup_limit__minimum_of_both(void **state)
{
    (void)state;
    const char *root = scratch_path("");
    assert_int_equal(memory_available(root), SIZE_MAX); /* there is no /proc */
    mkdir(scratch_path("proc"), 0700);
    mkdir(scratch_path("proc/self"), 0700);
    put("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n");
    assert_int_equal(memory_available(root), 5000 * 1024);
    mkdir(scratch_path("cgroup"), 0700);
    put("proc/self/cgroup", "0::/\n");
    put("proc/self/mountinfo", "30 23 0:26 / /cgroup rw shared:4 - cgroup2 cgroup2 rw\n");
    put("cgroup/memory.max", "1048576\n");
    assert_int_equal(memory_available(root), 1048576);
    put("cgroup/memory.max", "max\n");
    assert_int_equal(memory_available(root), 5000 * 1024);
    /* scratch_close() removes files, not directory trees. */
    const char *const paths[] = {
        "cgroup/memory.max", "cgroup", "proc/self/mountinfo", "proc/self/cgroup", "proc/self",
        "proc/meminfo",      "proc"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        remove(scratch_path(paths[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readahead__random_rows__exactly_their_pages),
        cmocka_unit_test(test_readahead__adjacent_rows__one_range),
        cmocka_unit_test(test_readahead__end_of_row_numbers__not_read_past),
        cmocka_unit_test(test_memory_available__with_cgroup_limit__minimum_of_both),
    };
    return cmocka_run_group_tests_name("readahead", tests, scratch_open, scratch_close);
}
