/* SPDX-License-Identifier: MIT
 *
 * NPY headers; NPZ files, which are written reproducibly, and completely or not at all. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "data/dataset.h"
#include "data/npz.h"
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes a header of this version with a dictionary. Returns its size in bytes. */
static size_t header_of(unsigned version, const char *dictionary, unsigned char bytes[512])
{
    const size_t length = strlen(dictionary), prefix = version == 1 ? 10 : 12;
    memset(bytes, 0, 512);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = (unsigned char)version;
    bytes[8] = (unsigned char)(length & 0xff);
    bytes[9] = (unsigned char)(length >> 8);
    memcpy(bytes + prefix, dictionary, length);
    return prefix + length;
}

static void test_npy__good_headers__are_read(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        const char *dictionary;
        npy_header want;
    } good[] = {
        {1,
         "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n",
         {.kind = 'f', .element_bytes = 4, .dimensions = 2, .shape = {3, 2}, .elements = 6}},
        {1,
         "{'descr':'<f4','fortran_order':False,'shape':(3,2)}",
         {.kind = 'f', .element_bytes = 4, .dimensions = 2, .shape = {3, 2}, .elements = 6}},
        {2,
         "{\"shape\": (7,), \"fortran_order\": False, \"descr\": \"|u1\"}",
         {.kind = 'u', .element_bytes = 1, .dimensions = 1, .shape = {7}, .elements = 7}},
        {3,
         "{ 'fortran_order' : False , 'shape' : ( ) , 'descr' : '<i8' , }",
         {.kind = 'i', .element_bytes = 8, .dimensions = 0, .shape = {0}, .elements = 1}},
        {1,
         "{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2, 3, 4)}",
         {.kind = 'b', .element_bytes = 1, .dimensions = 4, .shape = {1, 2, 3, 4}, .elements = 24}},
        {1,
         "{'descr': '<f2', 'fortran_order': False, 'shape': (0, 5)}",
         {.kind = 'f', .element_bytes = 2, .dimensions = 2, .shape = {0, 5}, .elements = 0}},
        {1,
         "{'descr': '<f16', 'fortran_order': False, 'shape': (576460752303423487,)}",
         {.kind = 'f',
          .element_bytes = 16,
          .dimensions = 1,
          .shape = {576460752303423487},
          .elements = 576460752303423487}},
        {1,
         "{'descr': '>f8', 'fortran_order': True, 'shape': (3, 2)}",
         {.kind = 'f',
          .element_bytes = 8,
          .big_endian = true,
          .fortran_order = true,
          .dimensions = 2,
          .shape = {3, 2},
          .elements = 6}},
        {1,
         "{'descr': '<U5', 'fortran_order': False, 'shape': (2,)}",
         {.kind = 'U', .element_bytes = 20, .dimensions = 1, .shape = {2}, .elements = 2}},
        {1,
         "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (2,)}",
         {.kind = 'M', .element_bytes = 8, .dimensions = 1, .shape = {2}, .elements = 2}},
        {1,
         "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}",
         {.kind = 'O', .element_bytes = 8, .dimensions = 1, .shape = {2}, .elements = 2}},
        {1,
         "{'descr': [('a)', '<f4'), ('b', [('c', '|u1', (2,))])], 'fortran_order': False, 'shape': "
         "(2,)}",
         {.kind = 'V', .element_bytes = 1, .dimensions = 1, .shape = {2}, .elements = 2}},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        unsigned char bytes[512];
        npy_header h, want = good[i].want;
        want.size = header_of(good[i].version, good[i].dictionary, bytes);
        const char *wrong = npy_parse(bytes, sizeof bytes, &h);
        if (wrong != NULL)
            fail_msg("%s: %s", good[i].dictionary, wrong);
        assert_int_equal(h.kind, want.kind);
        assert_int_equal(h.element_bytes, want.element_bytes);
        assert_int_equal(h.big_endian, want.big_endian);
        assert_int_equal(h.fortran_order, want.fortran_order);
        assert_int_equal(h.dimensions, want.dimensions);
        assert_memory_equal(h.shape, want.shape, h.dimensions * sizeof h.shape[0]);
        assert_int_equal(h.elements, want.elements);
        assert_int_equal(h.size, want.size);
    }
}

#define REST         ", 'fortran_order': False, 'shape': (2,)}"
#define SHAPE(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape "}"

static void test_npy__bad_headers__are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *dictionary, *message;
    } bad[] = {
        {"['descr']", "no dictionary"},
        {"", "no dictionary"},
        {"{'descr': '?f4'" REST, "cannot be read"},
        {"{'descr': '<x8'" REST, "cannot be read"},
        {"{'descr': '|O8'" REST, "cannot be read"},
        {"{'descr': '<'" REST, "cannot be read"},
        {"{'descr': '<f0'" REST, "cannot be read"},
        {"{'descr': '<V1048577'" REST, "cannot be read"},
        {"{'descr': '<f4[ns]'" REST, "cannot be read"},
        {"{'descr': '<f4x'" REST, "cannot be read"},
        {"{'descr': '<f4" REST, "cannot be read"},
        {"{'descr': [('a', '<f4')" REST, "cannot be read"},
        {"{'descr': [('a', '<f4" REST, "cannot be read"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", "cannot be read"},
        {"{'descr': '<f4', 'descr': '<f4'" REST, "not known"},
        {"{'descr': '<f4', 'extra': 1" REST, "not known"},
        {"{'descr': '<f4', 'shape': (2,)}", "not complete"},
        {"{'fortran_order': False, 'shape': (2,)}", "not complete"},
        {"{'descr': '<f4', 'fortran_order': False}", "not complete"},
        {SHAPE("(2,)") " x", "not complete"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (2,)}", "cannot be read"},
        {SHAPE("[2]"), "cannot be read"},
        {SHAPE("(2"), "cannot be read"},
        {SHAPE("(-2,)"), "cannot be read"},
        {SHAPE("(2 3)"), "cannot be read"},
        {SHAPE("(2L,)"), "cannot be read"},
        {SHAPE("(1, 2, 3, 4, 5, 6, 7, 8, 9)"), "eight dimensions"},
        {SHAPE("(99999999999999999999,)"), "cannot be read"},
        {SHAPE("(18446744073709551616,)"), "cannot be read"},
        {SHAPE("(18446744073709551615,)"), "overflows"},
        {SHAPE("(4294967296, 4294967296)"), "overflows"},
        {SHAPE("(3037000500, 3037000500)"), "overflows"},
        {SHAPE("(2305843009213693952,)"), "overflows"}, /* 2⁶¹ elements of 4 bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        unsigned char bytes[512];
        npy_header h;
        header_of(1, bad[i].dictionary, bytes);
        const char *wrong = npy_parse(bytes, sizeof bytes, &h);
        if (wrong == NULL || strstr(wrong, bad[i].message) == NULL)
            fail_msg("%s: %s", bad[i].dictionary, wrong != NULL ? wrong : "accepted");
    }
}

static void test_npy__bad_prefix__refused(void **state)
{
    (void)state;
    unsigned char bytes[512];
    npy_header h;
    const size_t size = header_of(1, SHAPE("(2,)"), bytes);
    for (size_t i = 0; i < 6; i++) {
        bytes[i] ^= 1;
        assert_non_null(npy_parse(bytes, sizeof bytes, &h));
        bytes[i] ^= 1;
    }
    for (unsigned version = 0; version < 256; version += version == 4 ? 251 : 1) {
        bytes[6] = (unsigned char)version;
        if (version < 1 || version > 3)
            assert_string_equal(npy_parse(bytes, sizeof bytes, &h), "its version is not known");
    }
    header_of(1, SHAPE("(2,)"), bytes);
    for (size_t count = 0; count < NPY_PREFIX; count++)
        assert_non_null(npy_parse(bytes, count, &h));
    /* An incomplete header gives its size and nothing else. */
    assert_null(npy_parse(bytes, size - 1, &h));
    assert_int_equal(h.size, size);
    assert_int_equal(h.dimensions, 0);
    assert_int_equal(h.element_bytes, 0);
    header_of(2, SHAPE("(2,)"), bytes);
    bytes[10] = 2; /* 128 KiB */
    assert_string_equal(npy_parse(bytes, sizeof bytes, &h), "its header is too long");
}

static void test_npy__written_headers__are_read_back(void **state)
{
    (void)state;
    static const npy_header headers[] = {
        {.kind = 'f', .element_bytes = 4, .dimensions = 1, .shape = {3}, .elements = 3},
        {.kind = 'f', .element_bytes = 4, .dimensions = 2, .shape = {10, 784}, .elements = 7840},
        {.kind = 'u', .element_bytes = 1, .dimensions = 3, .shape = {1, 2, 3}, .elements = 6},
        {.kind = 'i',
         .element_bytes = 8,
         .dimensions = 4,
         .shape = {1000000000, 1000000, 1000, 1},
         .elements = 1000000000000000000},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        unsigned char bytes[NPY_HEADER_MAX];
        npy_header h;
        const size_t size = npy_format(&headers[i], bytes);
        assert_int_equal(size % 64, 0);
        assert_int_equal(bytes[size - 1], '\n');
        assert_null(npy_parse(bytes, size, &h));
        assert_int_equal(h.size, size);
        assert_int_equal(h.kind, headers[i].kind);
        assert_int_equal(h.element_bytes, headers[i].element_bytes);
        assert_int_equal(h.elements, headers[i].elements);
        assert_int_equal(h.dimensions, headers[i].dimensions);
        assert_memory_equal(h.shape, headers[i].shape, sizeof h.shape);
    }
}

/* ---- files ---- */

enum { N_VALUES = 3000 };

static float values[N_VALUES];

/* The record by which output_may_replace() recognises a model. */
#define RECORD "{\"format\": \"downhill-model\"}"

static int write_values(const char *path, float first)
{
    values[0] = first;
    const npz_entry entries[] = {
        {"x",
         {.kind = 'f', .element_bytes = 4, .dimensions = 1, .shape = {N_VALUES}},
         values,
         sizeof values},
        {.name = "record.json", .elements = RECORD, .bytes = strlen(RECORD)},
    };
    return npz_write(path, OUTPUT_MODEL, entries, 2);
}

static void assert_values(const char *path, float first)
{
    npz *file;
    npy_header h;
    void *x;
    char *record;
    assert_int_equal(npz_open(path, NULL, &file), EXIT_OK);
    assert_int_equal(npz_array(file, "x", true, &h, &x), EXIT_OK);
    assert_int_equal(h.elements, N_VALUES);
    assert_true(((const float *)x)[0] == first && ((const float *)x)[N_VALUES - 1] == 0.0f);
    assert_int_equal(npz_text(file, "record.json", &record), EXIT_OK);
    assert_string_equal(record, RECORD);
    free(x);
    free(record);
    npz_close(file);
}

static size_t size_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

/* The bytes depend on the entries alone, not on the time of writing. */
static void test_npz__same_entries__same_bytes(void **state)
{
    (void)state;
    const char *paths[2] = {scratch_path("a.npz"), scratch_path("b.npz")};
    assert_int_equal(write_values(paths[0], 1.0f), EXIT_OK);
    assert_int_equal(write_values(paths[1], 1.0f), EXIT_OK);
    char *a = read_text(paths[0]), *b = read_text(paths[1]);
    const size_t size = size_of(paths[0]);
    assert_int_equal(size, size_of(paths[1]));
    assert_memory_equal(a, b, size);
    assert_values(paths[0], 1.0f);
    /* ZIP times have a resolution of two seconds, so equal files do not prove that times are
     * constant: every header must say 1 January 1980 and no compression. */
    size_t headers = 0;
    for (size_t at = 0; at + 46 < size; at++) {
        const bool local = memcmp(a + at, "PK\x03\x04", 4) == 0,
                   central = memcmp(a + at, "PK\x01\x02", 4) == 0;
        if (local || central) {
            assert_memory_equal(a + at + (local ? 8 : 10), "\0\0\0\0\x21\0", 6);
            headers++;
        }
    }
    assert_int_equal(headers, 4);
    free(a);
    free(b);
}

static void assert_write_fails(const char *path)
{
    capture_stderr();
    const int code = write_values(path, 3.0f);
    const char *text = captured();
    assert_int_equal(code, EXIT_INTERNAL);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, path));
}

/* The disk is full after part of the file was written. */
static void test_npz__disk_full__old_file_kept(void **state)
{
    (void)state;
    const char *path = scratch_path("a.npz");
    assert_int_equal(write_values(path, 2.0f), EXIT_OK);
    const size_t files = scratch_count();
    assert_write_fails("/dev/full");
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    const struct rlimit small = {size_of(path) / 2, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_write_fails(path);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_values(path, 2.0f);
    assert_int_equal(scratch_count(), files);
}

/* A directory without write permission. It does not stop root, so root changes its user first. */
static void test_npz__no_permission__old_file_kept(void **state)
{
    (void)state;
    const char *path = scratch_path("a.npz");
    const bool root = geteuid() == 0;
    assert_int_equal(write_values(path, 2.0f), EXIT_OK);
    const size_t files = scratch_count();
    capture_stderr();
    if (root && seteuid(65534) != 0) {
        captured();
        skip();
    }
    if (!root)
        assert_int_equal(chmod(scratch_path("."), 0500), 0);
    const int code = write_values(path, 3.0f);
    assert_int_equal(root ? seteuid(0) : chmod(scratch_path("."), 0700), 0);
    const char *text = captured();
    assert_int_equal(code, EXIT_INTERNAL);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_values(path, 2.0f);
    assert_int_equal(scratch_count(), files);
    assert_write_fails(scratch_path("nowhere/a.npz"));
}

/* ---- data sets ---- */

enum { ROWS = 4, COLUMNS = 3 };

static void test_npz__features_alone__read_if_labels_are_optional(void **state)
{
    (void)state;
    static const char *const classes[] = {"a", "b"};
    static const float x[ROWS * COLUMNS] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const char *const operands[] = {"", ",X"};
    const npz_entry entry = {
        "X",
        {.kind = 'f', .element_bytes = 4, .dimensions = 2, .shape = {ROWS, COLUMNS}},
        x,
        sizeof x};
    assert_int_equal(npz_write(scratch_path("d.npz"), OUTPUT_NEW, &entry, 1), EXIT_OK);
    dataset_use use = {.whole = true, .labels_optional = true, .classes = classes, .n_classes = 2};
    for (size_t k = 0; k < 2; k++) {
        char spec[256];
        dataset data;
        snprintf(spec, sizeof spec, "npz:%s%s", scratch_path("d.npz"), operands[k]);
        assert_int_equal(dataset_open_for(spec, false, use, &data), EXIT_OK);
        assert_true(data.stored[0].unlabelled);
        assert_int_equal(data.train.n, ROWS);
        assert_memory_equal(data.stored[0].f32, x, sizeof x);
        dataset_close(&data);
        capture_stderr();
        assert_int_equal(dataset_open(spec, &data), k == 0 ? EXIT_DATA : EXIT_USAGE);
        assert_int_equal(count_of(captured(), '\n'), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_npy__good_headers__are_read),
        cmocka_unit_test(test_npy__bad_headers__are_refused),
        cmocka_unit_test(test_npy__bad_prefix__refused),
        cmocka_unit_test(test_npy__written_headers__are_read_back),
        cmocka_unit_test(test_npz__same_entries__same_bytes),
        cmocka_unit_test(test_npz__disk_full__old_file_kept),
        cmocka_unit_test(test_npz__no_permission__old_file_kept),
        cmocka_unit_test(test_npz__features_alone__read_if_labels_are_optional),
    };
    return cmocka_run_group_tests_name("npz", tests, scratch_open, scratch_close);
}
