/* SPDX-License-Identifier: MIT
 *
 * Files that change while they are mapped. Each fault happens in its own process. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "data/mapping.h"
#include "data/mapping_fault.h"
#include "support.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGES = 3 };

static size_t page;
static volatile uint8_t sink;

static void write_pages(const char *name)
{
    char *bytes = calloc(PAGES, page);
    assert_non_null(bytes);
    write_raw(scratch_path(name), bytes, PAGES * page);
    free(bytes);
}

static int setup(void **state)
{
    (void)state;
    page = (size_t)sysconf(_SC_PAGESIZE);
    write_pages("a");
    write_pages("b");
    return 0;
}

static void open_both(mapping *map, mapped_records files[2])
{
    const char *const paths[2] = {scratch_path("a"), scratch_path("b")};
    if (mapping_open(paths, 2, 16, map, files) != EXIT_OK)
        _exit(99);
}

/* Runs `body` in a child process, whose stderr is then captured(). Returns its wait status. */
static int run_in_child(void (*body)(void))
{
    fflush(NULL);
    capture_stderr();
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        body();
        _exit(98);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void expect_line(int status, const char *file, const char *reason)
{
    char want[512];
    const char *text = captured();
    snprintf(want, sizeof want, "downhill: %s: %s", scratch_path(file), reason);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_DATA || count_of(text, '\n') != 1 ||
        strncmp(text, want, strlen(want)) != 0)
        fail_msg("status %d, stderr: %s", status, text);
}

static void cut_and_touch(void)
{
    mapping map;
    mapped_records files[2];
    open_both(&map, files);
    if (truncate(scratch_path("b"), (off_t)page) != 0)
        _exit(97);
    sink = map.bytes[files[1].first * 16];
    sink = map.bytes[files[1].first * 16 + PAGES * page - 1];
}

static void test_mapping__file_cut__line_and_exit_code(void **state)
{
    (void)state;
    expect_line(run_in_child(cut_and_touch), "b",
                "cut short while it was mapped; restore the file");
}

static void *touch(void *bytes)
{
    sink = *(const uint8_t *)bytes;
    return NULL;
}

static void cut_and_touch_in_threads(void)
{
    mapping map;
    mapped_records files[2];
    pthread_t threads[4];
    open_both(&map, files);
    if (truncate(scratch_path("a"), 0) != 0)
        _exit(97);
    for (int t = 0; t < 4; t++)
        pthread_create(&threads[t], NULL, touch, map.bytes + (t % PAGES) * (int)page);
    for (int t = 0; t < 4; t++)
        pthread_join(threads[t], NULL);
}

static void test_mapping__fault_in_several_threads__one_line(void **state)
{
    (void)state;
    expect_line(run_in_child(cut_and_touch_in_threads), "a", "cut short while it was mapped");
}

/* Simulates a disk error: the page cannot be read, although the file at this path has its old
 * size. */
static void replace_and_fault(void)
{
    mapping map;
    mapped_records files[2];
    open_both(&map, files);
    if (truncate(scratch_path("b"), 0) != 0)
        _exit(97);
    char other[512];
    snprintf(other, sizeof other, "%s.cut", scratch_path("b"));
    if (rename(scratch_path("b"), other) != 0 || link(scratch_path("a"), scratch_path("b")) != 0)
        _exit(97);
    sink = map.bytes[files[1].first * 16];
}

static void test_mapping__unreadable_page__own_message(void **state)
{
    (void)state;
    expect_line(run_in_child(replace_and_fault), "b", "cannot be read any more where it is mapped");
}

/* ---- faults outside of our mappings ---- */

static void fault_elsewhere(void)
{
    mapping map;
    mapped_records files[2];
    open_both(&map, files);
    const int file = open(scratch_path("a"), O_RDONLY);
    const uint8_t *other = mmap(NULL, PAGES * page, PROT_READ, MAP_PRIVATE, file, 0);
    if (file < 0 || other == MAP_FAILED || truncate(scratch_path("a"), 0) != 0)
        _exit(97);
    sink = other[page];
}

static void fault_after_close(void)
{
    mapping map;
    mapped_records files[2];
    open_both(&map, files);
    const uint8_t *at = map.bytes;
    const size_t size = map.size;
    mapping_close(&map);
    const int file = open(scratch_path("a"), O_RDONLY);
    if (mmap((void *)(uintptr_t)at, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) != at ||
        truncate(scratch_path("a"), 0) != 0)
        _exit(97);
    sink = *at;
}

static void signal_from_outside(void)
{
    mapping map;
    mapped_records files[2];
    open_both(&map, files);
    kill(getpid(), SIGBUS);
}

static void own_handler(int number)
{
    _exit(number == SIGBUS ? 42 : 43);
}

static void fault_with_an_earlier_handler(void)
{
    signal(SIGBUS, own_handler);
    fault_elsewhere();
}

static void test_mapping__faults_elsewhere__earlier_action_kept(void **state)
{
    (void)state;
    void (*const bodies[])(void) = {fault_elsewhere, fault_after_close, signal_from_outside};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        signal(SIGBUS, SIG_DFL); /* removes a sanitizer's handler, which the child would inherit */
        setup(state);
        const int status = run_in_child(bodies[i]);
        const char *text = captured();
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGBUS || text[0] != '\0')
            fail_msg("%zu: status %d, stderr: %s", i, status, text);
    }
    setup(state);
    const int status = run_in_child(fault_with_an_earlier_handler);
    captured();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_mapping__opened_many_times__slots_reused(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        mapping map;
        mapped_records files[2];
        const char *const paths[2] = {scratch_path("a"), scratch_path("b")};
        assert_int_equal(mapping_open(paths, 2, 16, &map, files), EXIT_OK);
        mapping_close(&map);
    }
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_mapping__file_cut__line_and_exit_code),
        TEST(test_mapping__fault_in_several_threads__one_line),
        TEST(test_mapping__unreadable_page__own_message),
        TEST(test_mapping__faults_elsewhere__earlier_action_kept),
        TEST(test_mapping__opened_many_times__slots_reused),
    };
    return cmocka_run_group_tests_name("mapping", tests, scratch_open, scratch_close);
}
