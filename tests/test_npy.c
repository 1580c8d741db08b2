/* SPDX-License-Identifier: MIT
 *
 * Data sets in NPY files: valid files give every byte, read or mapped; each kind of error gives
 * exit code 3 and one line with the file and the reason. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 12, SIDE = 3, D = SIDE * SIDE, FILE_MAX = 4096, HEADER = 128 };

#define MAGIC_1 "\x93NUMPY\x01\x00"
#define U8      "{'descr': '|u1', 'fortran_order': False, 'shape': (12, 3, 3), }"
#define F32     "{'descr': '<f4', 'fortran_order': False, 'shape': (12, 9), }"
#define I64     "{'descr': '<i8', 'fortran_order': False, 'shape': (12,), }"

static uint8_t bytes[N * D];
static float floats[N * D];
static int64_t classes[N];

/* Writes a version 1 file whose header has `header` bytes. */
static void write_npy(const char *name, size_t header, const char *dictionary, const void *elements,
                      size_t count)
{
    static uint8_t file[FILE_MAX];
    assert_true(header + count <= FILE_MAX && 10 + strlen(dictionary) < header);
    memset(file, ' ', header);
    memcpy(file, MAGIC_1, 8);
    file[8] = (uint8_t)(header - 10);
    file[9] = (uint8_t)((header - 10) >> 8);
    memcpy(file + 10, dictionary, strlen(dictionary));
    file[header - 1] = '\n';
    memcpy(file + header, elements, count);
    write_raw(scratch_path(name), file, header + count);
}

static size_t read_file(const char *name, uint8_t file[FILE_MAX])
{
    FILE *f = fopen(scratch_path(name), "rb");
    assert_non_null(f);
    const size_t count = fread(file, 1, FILE_MAX, f);
    fclose(f);
    return count;
}

/* Writes valid files for each test to damage. */
static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < N * D; i++) {
        bytes[i] = (uint8_t)(i * 7);
        floats[i] = (float)i * 0.37f - 11.0f;
    }
    floats[5] = 0x1p-149f; /* a subnormal is a number */
    for (size_t i = 0; i < N; i++)
        classes[i] = (int64_t)(i % 3);
    write_npy("u8", HEADER, U8, bytes, sizeof bytes);
    write_npy("f32", HEADER, F32, floats, sizeof floats);
    write_npy("y", HEADER, I64, classes, sizeof classes);
    return 0;
}

static int open_files(bool mapped, const char *const *names, size_t count, dataset *data)
{
    char spec[1024] = "npy:";
    for (size_t i = 0; i < count; i++)
        snprintf(spec + strlen(spec), sizeof spec - strlen(spec), "%s%s", i > 0 ? "," : "",
                 scratch_path(names[i]));
    return mapped ? dataset_map(spec, data) : dataset_open(spec, data);
}

static int open_pair(bool mapped, const char *x, const char *y, dataset *data)
{
    return open_files(mapped, (const char *const[]){x, y}, 2, data);
}

/* Checks that opening fails with EXIT_DATA and one line with the path of `bad_file` and the
 * reason. */
static void refused(bool mapped, const char *x, const char *y, const char *bad_file,
                    const char *reason)
{
    dataset data;
    capture_stderr();
    const int code = open_pair(mapped, x, y, &data);
    const char *text = captured();
    if (code != EXIT_DATA || count_of(text, '\n') != 1 ||
        strstr(text, scratch_path(bad_file)) == NULL || strstr(text, reason) == NULL)
        fail_msg("expected '%s'; exit code %d, stderr: %s", reason, code, text);
    assert_null(data.train.x);
    assert_null(data.test.x);
}

/* ---- good files ---- */

static void check_samples(const dataset *data, bool in_bytes)
{
    assert_int_equal(data->train.n, N - N / 6);
    assert_int_equal(data->test.n, N / 6);
    assert_int_equal(data->d, D);
    assert_int_equal(data->c, 3);
    bool seen[N] = {false};
    for (size_t i = 0; i < N; i++) {
        const samples *s = i < data->train.n ? &data->train : &data->test;
        const size_t at = i < data->train.n ? i : i - data->train.n, row = s->rows[at];
        assert_true(row < N && !seen[row]);
        seen[row] = true;
        assert_int_equal(samples_label(s, at), row % 3);
        if (in_bytes)
            assert_memory_equal(samples_u8(s, at), bytes + row * D, D);
        else
            assert_memory_equal(samples_f32(s, at), floats + row * D, D * sizeof(float));
    }
}

static void test_npy__valid_file__every_byte_read(void **state)
{
    (void)state;
    for (int mapped = 0; mapped < 2; mapped++)
        for (int in_bytes = 0; in_bytes < 2; in_bytes++) {
            dataset data;
            assert_int_equal(open_pair(mapped, in_bytes ? "u8" : "f32", "y", &data), EXIT_OK);
            assert_true((data.stored[0].map.bytes != NULL) == mapped);
            check_samples(&data, in_bytes);
            dataset_close(&data);
        }
}

static void test_npy__gzip_and_version_2__read_but_not_mapped(void **state)
{
    (void)state;
    static const char dictionary[] = "{'shape': (12, 9), 'fortran_order': False, 'descr': '<f4'}\n";
    uint8_t file[FILE_MAX] = "\x93NUMPY\x02\x00";
    const size_t text = sizeof dictionary - 1;
    file[8] = (uint8_t)text;
    memcpy(file + 12, dictionary, text);
    memcpy(file + 12 + text, floats, sizeof floats);
    write_gzip(scratch_path("x.gz"), file, 12 + text + sizeof floats);
    dataset data;
    assert_int_equal(open_pair(false, "x.gz", "y", &data), EXIT_OK);
    check_samples(&data, false);
    dataset_close(&data);
    refused(true, "x.gz", "y", "x.gz", "compressed data cannot be mapped");
}

static void test_npy__labels_of_every_width__read(void **state)
{
    (void)state;
    static const char types[][4] = {"|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8"};
    for (size_t t = 0; t < 8; t++) {
        const size_t width = (size_t)1 << (t / 2);
        char dictionary[100];
        uint8_t elements[N * 8] = {0};
        for (size_t i = 0; i < N; i++)
            elements[i * width] = (uint8_t)classes[i];
        snprintf(dictionary, sizeof dictionary,
                 "{'descr': '%s', 'fortran_order': False, 'shape': (12,)}", types[t]);
        write_npy("y", HEADER, dictionary, elements, N * width);
        dataset data;
        assert_int_equal(open_pair(false, "u8", "y", &data), EXIT_OK);
        check_samples(&data, true);
        dataset_close(&data);
    }
}

static void test_npy__four_files__test_set_from_the_last_two(void **state)
{
    (void)state;
    dataset data;
    assert_int_equal(open_files(false, (const char *const[]){"f32", "y", "f32", "y"}, 4, &data),
                     EXIT_OK);
    assert_int_equal(data.train.n, N);
    assert_int_equal(data.test.n, N);
    for (size_t i = 0; i < N; i++)
        assert_memory_equal(samples_f32(&data.test, i), floats + i * D, D * sizeof(float));
    dataset_close(&data);
    capture_stderr();
    assert_int_equal(open_files(false, (const char *const[]){"f32", "y", "u8", "y"}, 4, &data),
                     EXIT_DATA);
    assert_non_null(strstr(captured(), "9 features of bytes, but"));
}

static void test_npy__features_alone_for_a_model__read(void **state)
{
    (void)state;
    static const char *const names[] = {"0", "1"};
    char spec[256];
    dataset data;
    snprintf(spec, sizeof spec, "npy:%s", scratch_path("f32"));
    for (int mapped = 0; mapped < 2; mapped++) {
        const dataset_use use = {.d = D, .labels_optional = true, .classes = names, .n_classes = 2};
        assert_int_equal(dataset_open_for(spec, mapped, use, &data), EXIT_OK);
        assert_true(data.stored[0].unlabelled);
        assert_int_equal(data.c, 2);
        assert_int_equal(data.train.n + data.test.n, N);
        for (size_t i = 0; i < data.train.n; i++) {
            assert_int_equal(samples_label(&data.train, i), DATASET_NO_CLASS);
            assert_memory_equal(samples_f32(&data.train, i), floats + data.train.rows[i] * D,
                                D * sizeof(float));
        }
        dataset_close(&data);
    }
}

/* ---- bad files ---- */

static void test_npy__bad_headers__refused(void **state)
{
    (void)state;
    static const struct {
        const char *dictionary, *reason;
    } bad[] = {
        {"{'descr': '<x8', 'fortran_order': False, 'shape': (12, 9), }", "type cannot be read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 10), }", "truncated at byte"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 8), }", "data after the 12 x 8"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9), }",
         "dimension 0 of its shape is 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 0), }",
         "dimension 1 of its shape is 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }", "a single number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
         "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2305843009213693952, 1), }",
         "overflows"},
        {"{'descr': '<u2', 'fortran_order': False, 'shape': (633333333333333333, 4), }",
         "overflows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 1), }",
         "shape cannot be read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 9), }",
         "truncated at byte"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12, -9), }", "shape cannot be read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 9, 1, 1, 1, 1, 1, 1, 1), }",
         "more than eight dimensions"},
        {"{'descr': '<f4', 'shape': (12, 9), }", "not complete"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 9), 'x': 1}", "not known"},
        {"['descr']", "no dictionary"},
        {"", "no dictionary"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_npy("bad", HEADER, bad[i].dictionary, floats, sizeof floats);
        refused(false, "bad", "y", "bad", bad[i].reason);
        const bool size_error = strstr(bad[i].reason, "byte") || strstr(bad[i].reason, "after");
        refused(true, "bad", "y", "bad", size_error ? "but its header describes" : bad[i].reason);
    }
}

static void test_npy__not_npy__refused(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        size_t count;
        const char *reason;
    } bad[] = {
        {"", 0, "bad: is empty; name another file\n"},
        {"\x93NUMPX\x01\x00\x76\x00{'descr'", 18, "not an NPY file"},
        {"PK\x03\x04 a ZIP archive, as NPZ is", 30,
         "a ZIP archive, as NPZ files are; give npz:FILE\n"},
        {"\x93NUMPY\x09\x00\x76\x00{'descr'", 18, "version is not known"},
        {"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr'", 20, "header is too long"},
        {"\x93NUMPY\x01\x00\x00\x00{'descr'", 18, "header is no dictionary"},
        {"\x93NUMPY\x01\x00\xff\xff{'descr'", 18, "truncated at byte 18"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_raw(scratch_path("bad"), bad[i].content, bad[i].count);
        refused(false, "bad", "y", "bad", bad[i].reason);
        refused(true, "bad", "y", "bad", bad[i].reason);
        refused(false, "u8", "bad", "bad", bad[i].reason);
    }
}

static void test_npy__truncated__refused(void **state)
{
    (void)state;
    uint8_t file[FILE_MAX];
    const size_t count = read_file("u8", file);
    for (size_t length = 1; length < count; length++) {
        write_raw(scratch_path("bad"), file, length);
        refused(false, "bad", "y", "bad", "truncated at byte");
        refused(true, "bad", "y", "bad",
                length < HEADER ? "truncated at byte" : "but its header describes");
    }
}

static void test_npy__not_finite__refused_with_row_and_column(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *reason;
    } bad[] = {{NAN, "row 7, column 4: the feature is NaN"},
               {-NAN, "row 7, column 4: the feature is NaN"},
               {INFINITY, "row 7, column 4: the feature is infinite"},
               {-INFINITY, "row 7, column 4: the feature is infinite"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        floats[7 * D + 4] = bad[i].value;
        write_npy("bad", HEADER, F32, floats, sizeof floats);
        refused(false, "bad", "y", "bad", bad[i].reason);
        refused(true, "bad", "y", "bad", bad[i].reason);
    }
    floats[7 * D + 4] = 0.0f;
    floats[N * D - 1] = NAN;
    write_npy("bad", HEADER, F32, floats, sizeof floats);
    refused(false, "bad", "y", "bad", "row 11, column 8");
}

/* Old versions of NumPy pad headers to 16 bytes, other programs not at all. */
static void test_npy__misaligned__read_but_not_mapped(void **state)
{
    (void)state;
    for (size_t header = HEADER; header < HEADER + 4; header++) {
        write_npy("odd", header, F32, floats, sizeof floats);
        dataset data;
        assert_int_equal(open_pair(false, "odd", "y", &data), EXIT_OK);
        check_samples(&data, false);
        dataset_close(&data);
        if (header % sizeof(float) != 0)
            refused(true, "odd", "y", "odd", "cannot be mapped; save the file again");
    }
}

static void test_npy__bad_labels__refused(void **state)
{
    (void)state;
    static const struct {
        const char *dictionary;
        int64_t third; /* the label of sample 2 */
        size_t count;  /* labels in the file */
        const char *reason;
    } bad[] = {
        {"{'descr': '<u8', 'fortran_order': False, 'shape': (12,)}", -1, N,
         "label of sample 2: 1.84467e+19 is too large"},
        {"{'descr': '<i2', 'fortran_order': False, 'shape': (12, 4)}", 0, N,
         "shape (12, 4), but labels are one per sample; if these are one-hot"},
        {"{'descr': '|i1', 'fortran_order': False, 'shape': (12, 4, 2)}", 0, N,
         "3 dimensions, but labels are one per sample; are features and labels swapped?"},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (11,)}", 0, N - 1, "11 labels, but"},
        {I64, 0, N - 1, "truncated at byte"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        classes[2] = bad[i].third;
        write_npy("bad", HEADER, bad[i].dictionary, classes, bad[i].count * sizeof classes[0]);
        refused(false, "f32", "bad", "bad", bad[i].reason);
    }
    classes[2] = 3;
    write_npy("bad", HEADER, I64, classes, sizeof classes);
    dataset data;
    capture_stderr();
    assert_int_equal(open_files(false, (const char *const[]){"f32", "y", "f32", "bad"}, 4, &data),
                     EXIT_DATA);
    assert_non_null(
        strstr(captured(), "bad: label '3' of sample 2 is not a class of the training"));
}

/* A file with one changed header byte is read, or rejected with one line. */
static void test_npy__damaged__read_or_one_line(void **state)
{
    (void)state;
    uint8_t file[FILE_MAX];
    const size_t count = read_file("f32", file);
    rng r = rng_seeded(3);
    for (int i = 0; i < 1000; i++) {
        const size_t at = (size_t)rng_below(&r, HEADER);
        const uint8_t before = file[at];
        file[at] = (uint8_t)rng_below(&r, 256);
        write_raw(scratch_path("bad"), file, count);
        file[at] = before;
        dataset data;
        capture_stderr();
        const int code = open_pair(i % 2, "bad", "y", &data);
        const char *text = captured();
        if (code != EXIT_OK && (code != EXIT_DATA || count_of(text, '\n') != 1))
            fail_msg("exit code %d, stderr: %s", code, text);
        dataset_close(&data);
    }
}

static void test_npy__bad_spec__usage_error(void **state)
{
    (void)state;
    static const char *const specs[] = {"npy", "npy:", "npy:a", "npy:a,b,c", "npy:a,b,c,d,e"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        dataset data;
        capture_stderr();
        const int code = dataset_open(specs[i], &data);
        const char *text = captured();
        if (code != EXIT_USAGE || count_of(text, '\n') != 1 || strstr(text, "X.npy,Y.npy") == NULL)
            fail_msg("'%s': exit code %d, stderr: %s", specs[i], code, text);
    }
    refused(false, "nowhere", "y", "nowhere", "cannot open");
    refused(false, "", "y", "", "name a file");
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_npy__valid_file__every_byte_read),
        TEST(test_npy__gzip_and_version_2__read_but_not_mapped),
        TEST(test_npy__labels_of_every_width__read),
        TEST(test_npy__four_files__test_set_from_the_last_two),
        TEST(test_npy__features_alone_for_a_model__read),
        TEST(test_npy__bad_headers__refused),
        TEST(test_npy__not_npy__refused),
        TEST(test_npy__truncated__refused),
        TEST(test_npy__not_finite__refused_with_row_and_column),
        TEST(test_npy__misaligned__read_but_not_mapped),
        TEST(test_npy__bad_labels__refused),
        TEST(test_npy__damaged__read_or_one_line),
        TEST(test_npy__bad_spec__usage_error),
    };
    return cmocka_run_group_tests_name("npy", tests, scratch_open, scratch_close);
}
