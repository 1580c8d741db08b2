/* SPDX-License-Identifier: MIT
 *
 * Data sets in LIBSVM text format: valid files are read exactly; each kind of error gives exit code
 * 3 and one line with file, line, column and reason. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "base/rng.h"
#include "data/dataset.h"
#include "data/lines.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_text(const char *name, const char *text)
{
    write_raw(scratch_path(name), text, strlen(text));
}

static const char good[] = "+1 1:0.5 3:-2\n"
                           "-1 2:1e2 5:.25 # a comment: 9:9\n"
                           "\n"
                           "# a line of its own\n"
                           "  10\t1:+7\t4:0\t\r\n"
                           "\t \r\n"
                           "1.0 5:3.\n"
                           "-1e0\n"
                           "1e1 1:1e-45 2:0x#";

enum { GOOD_ROWS = 6, GOOD_D = 5 };

static int setup(void **state)
{
    (void)state;
    char text[sizeof good];
    memcpy(text, good, sizeof good);
    text[sizeof good - 3] = '\0'; /* without "x#": no newline at the end */
    write_text("train", text);
    write_gzip(scratch_path("train.gz"), text, strlen(text));
    write_text("test", "10 5:1\n-1 1:1\n");
    return 0;
}

static int open_files(const char *train, const char *test, dataset *data)
{
    char spec[512];
    snprintf(spec, sizeof spec, "libsvm:%s%s%s", scratch_path(train), test != NULL ? "," : "",
             test != NULL ? scratch_path(test) : "");
    return dataset_open(spec, data);
}

/* Checks that opening fails with EXIT_DATA and one line: the path of `bad_file`, then `reason`. */
static void refused(const char *train, const char *test, const char *bad_file, const char *reason)
{
    dataset data;
    char start[256];
    capture_stderr();
    const int code = open_files(train, test, &data);
    const char *text = captured();
    snprintf(start, sizeof start, "downhill: %s:%s", scratch_path(bad_file), reason);
    if (code != EXIT_DATA || count_of(text, '\n') != 1 ||
        strncmp(text, start, strlen(start)) != 0 || strchr(text, ';') == NULL)
        fail_msg("expected '%s'; exit code %d, stderr: %s", start, code, text);
    assert_null(data.train.x);
    assert_null(data.test.x);
}

/* ---- good files ---- */

static void test_libsvm__valid_file__every_value_read(void **state)
{
    (void)state;
    static const float features[GOOD_ROWS][GOOD_D] = {
        {0.5f, 0, -2, 0, 0},    {0, 100, 0, 0, 0.25f}, {7, 0, 0, 0, 0}, {0, 0, 0, 0, 3}, {0},
        {0x1p-149f, 0, 0, 0, 0}};
    static const int32_t labels[GOOD_ROWS] = {1, 0, 2, 1, 0, 2};
    for (int compressed = 0; compressed < 2; compressed++) {
        dataset data;
        assert_int_equal(open_files(compressed ? "train.gz" : "train", "test", &data), EXIT_OK);
        assert_int_equal(data.train.n, GOOD_ROWS);
        assert_int_equal(data.test.n, 2);
        assert_int_equal(data.d, GOOD_D);
        assert_int_equal(data.c, 3);
        assert_string_equal(data.class_names[0], "-1");
        assert_string_equal(data.class_names[1], "1");
        assert_string_equal(data.class_names[2], "10");
        for (size_t i = 0; i < GOOD_ROWS; i++) {
            assert_memory_equal(samples_f32(&data.train, i), features[i], sizeof features[i]);
            assert_int_equal(samples_label(&data.train, i), labels[i]);
        }
        assert_int_equal(samples_label(&data.test, 0), 2);
        assert_int_equal(samples_label(&data.test, 1), 0);
        assert_true(samples_f32(&data.test, 0)[4] == 1.0f);
        assert_true(samples_f32(&data.test, 1)[0] == 1.0f);
        dataset_close(&data);
    }
}

/* A test file with fewer features is padded to the width of the training file. */
static void test_libsvm__narrow_test_file__padded(void **state)
{
    (void)state;
    write_text("narrow", "1 1:2");
    dataset data;
    assert_int_equal(open_files("train", "narrow", &data), EXIT_OK);
    assert_int_equal(data.stored[1].d, GOOD_D);
    assert_true(samples_f32(&data.test, 0)[0] == 2.0f && samples_f32(&data.test, 0)[4] == 0.0f);
    dataset_close(&data);
}

/* Six classes of one sample each: the class of the held-out sample has no training sample left. */
static void test_libsvm__whole_class_held_out__warning(void **state)
{
    (void)state;
    write_text("few", "1 1:1\n2 1:1\n3 1:1\n4 1:1\n5 1:1\n6 1:1\n");
    dataset data;
    char want[96];
    capture_stderr();
    assert_int_equal(open_files("few", NULL, &data), EXIT_OK);
    const char *text = captured();
    assert_int_equal(data.train.n, 5);
    assert_int_equal(data.test.n, 1);
    snprintf(want, sizeof want,
             "all samples of 1 of the 6 classes ('%d' is the first) were held out",
             (int)samples_label(&data.test, 0) + 1);
    if (strstr(text, want) == NULL)
        fail_msg("expected '%s': %s", want, text);
    dataset_close(&data);
}

/* Files are often sorted by class, so the held-out samples must not be the last ones. */
static void test_libsvm__sorted_by_class__held_out_at_random(void **state)
{
    (void)state;
    enum { CLASSES = 4, PER_CLASS = 300, ALL = CLASSES * PER_CLASS };
    FILE *file = fopen(scratch_path("sorted"), "w");
    assert_non_null(file);
    for (int i = 0; i < ALL; i++)
        fprintf(file, "%d 1:%d\n", i / PER_CLASS, i);
    assert_int_equal(fclose(file), 0);
    size_t seen[CLASSES] = {0};
    bool taken[ALL] = {false};
    dataset data, again;
    assert_int_equal(open_files("sorted", NULL, &data), EXIT_OK);
    assert_int_equal(open_files("sorted", NULL, &again), EXIT_OK);
    assert_int_equal(data.test.n, ALL / 6);
    for (size_t i = 0; i < data.test.n; i++) {
        seen[samples_label(&data.test, i)]++;
        assert_int_equal(data.test.rows[i], again.test.rows[i]);
    }
    for (size_t j = 0; j < CLASSES; j++)
        assert_in_range(seen[j], 30, 70); /* expected 50, standard deviation 6.1 */
    for (size_t i = 0; i < ALL; i++) {
        const samples *s = i < data.train.n ? &data.train : &data.test;
        const size_t row = s->rows[i < data.train.n ? i : i - data.train.n];
        assert_false(taken[row]); /* each sample is in one set only */
        taken[row] = true;
    }
    dataset_close(&data);
    dataset_close(&again);
}

/* Lines longer than the initial buffer, and a sample of the maximum width. */
static void test_libsvm__long_lines__every_value_read(void **state)
{
    (void)state;
    enum { WIDE = 100000 };
    FILE *file = fopen(scratch_path("long"), "w");
    assert_non_null(file);
    for (int i = 0; i < 6; i++) {
        fprintf(file, "%d", i % 2);
        for (int f = 1; f <= WIDE; f++)
            fprintf(file, " %d:%d", f, f + i);
        fprintf(file, "\n");
    }
    assert_int_equal(fclose(file), 0);
    dataset data;
    assert_int_equal(open_files("long", NULL, &data), EXIT_OK);
    assert_int_equal(data.d, WIDE);
    for (size_t i = 0; i < data.train.n; i++)
        for (size_t f = 0; f < WIDE; f++)
            assert_true(samples_f32(&data.train, i)[f] == (float)(f + 1 + data.train.rows[i]));
    dataset_close(&data);
    write_text("widest", "1 1048576:1\n2 1:1\n1 1:1\n2 1:1\n1 1:1\n2 1:1\n");
    assert_int_equal(open_files("widest", NULL, &data), EXIT_OK);
    assert_int_equal(data.d, DATASET_FEATURES_MAX);
    dataset_close(&data);
}

/* ---- bad files ---- */

static void test_libsvm__bad_lines__refused_with_position(void **state)
{
    (void)state;
    static const struct {
        const char *line, *reason; /* as the third line of the file */
    } bad[] = {
        {"1 0:1", "3:3: index 0: indices start at 1; add 1 to all of them (dump_svmlight_file: "
                  "zero_based=False)"},
        {"1 1:1 00:1", "3:7: index 0: indices start at 1"},
        {"1 1048577:1", "3:3: index 1048577: at most 1048576 features"},
        {"1 4294967297:1", "3:3: index 4294967297: at most 1048576 features"},
        {"1 9223372036854775808:1", "3:3: index 9223372036854775808: at most"},
        {"1 18446744073709551617:1", "3:3: index 18446744073709551617: at most"},
        {"1 99999999999999999999999999999999:1", "3:3: index 999999999999999999999999: at most"},
        {"1 3:1 2:1", "3:7: index 2 after 3; sort"},
        {"1 2:1 2:1", "3:7: index 2 is repeated"},
        {"1 2:1 3", "3:7: '3' has no ':'"},
        {"1 2", "3:3: '2' has no ':'"},
        {"1 2:", "3:5: the value is missing"},
        {"1 2: 5", "3:5: the value is missing"},
        {"1 2:\t3:4", "3:5: the value is missing"},
        {"1 :5", "3:3: ':5' does not begin with an index"},
        {"1 -1:5", "3:3: '-1:5' does not begin with an index"},
        {"1 +1:5", "3:3: '+1:5' does not begin with an index"},
        {"1 1.5:5", "3:3: '1.5:5' does not begin with an index"},
        {"1 x:5", "3:3: 'x:5' does not begin with an index"},
        {"1 1:x", "3:5: value 'x' is not a number"},
        {"1 1:0x10", "3:5: value '0x10' is not a number"},
        {"1 1:1e", "3:5: value '1e' is not a number"},
        {"1 1:.", "3:5: value '.' is not a number"},
        {"1 1:-", "3:5: value '-' is not a number"},
        {"1 1:1,5", "3:5: value '1,5' is not a number"},
        {"1 1:2:3", "3:5: value '2:3' is not a number"},
        {"1 1:1e999", "3:5: value '1e999' is not finite"},
        {"1 1:-1e999", "3:5: value '-1e999' is not finite"},
        {"1 1:3.5e38", "3:5: value '3.5e38' is not finite"},
        {"1 1:nan", "3:5: value 'nan' is not finite"},
        {"1 1:-NaN", "3:5: value '-NaN' is not finite"},
        {"1 1:inf", "3:5: value 'inf' is not finite"},
        {"1 1:-Infinity", "3:5: value '-Infinity' is not finite"},
        {"nan 1:1", "3:1: label 'nan' is not finite"},
        {"-inf 1:1", "3:1: label '-inf' is not finite"},
        {"1.5 1:1", "3:1: label '1.5' is not a whole number"},
        {"1e-1 1:1", "3:1: label '1e-1' is not a whole number"},
        {"1e99 1:1", "3:1: label '1e99' is not a whole number"},
        {"9007199254740993 1:1", "3:1: label '9007199254740993' is not a whole"},
        {"1,2 1:1", "3:1: label '1,2' is not a whole number"},
        {"cat 1:1", "3:1: label 'cat' is not a whole number"},
        {"  1:1 2:2", "3:3: '1:1' where a label is expected"},
        {"1 qid:3 1:1", "3:3: qid is for ranking"},
        {"1 1:1 \x1b[31m", "3:7: '?[31m' does not begin with an index"},
        {"1 1:\xc3\xa9", "3:5: value '?\?' is not a number"},
        {"1 1:abcdefghijklmnopqrstuvwxyz",
         "3:5: value 'abcdefghijklmnopqrstuvwx...' is not a number"},
        {"1 1:1\r2 1:1", "3:5: value '1?2' is not a number"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "1 1:1\n# second\n%s\n2 1:1\n", bad[i].line);
        write_text("bad", text);
        refused("bad", NULL, "bad", bad[i].reason);
        snprintf(text, sizeof text, "1 1:1\r\n\r\n%s", bad[i].line);
        write_text("bad", text);
        refused("bad", NULL, "bad", bad[i].reason);
    }
}

static void test_libsvm__bad_files__refused(void **state)
{
    (void)state;
    write_text("bad", "");
    refused("bad", NULL, "bad", " no sample in it");
    write_text("bad", "\n# only this\n\n");
    refused("bad", NULL, "bad", " no sample in it");
    write_text("bad", "1\n2\n1\n2\n1\n2\n");
    refused("bad", NULL, "bad", " no feature in any line");
    write_text("bad", "1 1:1\n2 1:1\n");
    refused("bad", NULL, "bad", " 2 samples are too few to hold out a sixth");
    write_raw(scratch_path("bad"), "1 1:1\n2 \0:1\n", 12);
    refused("bad", NULL, "bad", "2:3: a NUL byte");
    write_text("bad", "1 1:1\n");
    assert_int_equal(truncate(scratch_path("bad"), LINE_MAX_BYTES + 100), 0);
    refused("bad", NULL, "bad", "2:1: a line of more than 67108864 bytes");
    write_text("bad.gz", "1 1:1\n");
    refused("bad.gz", NULL, "bad.gz", " not gzip data");
    refused("nowhere", NULL, "nowhere", " cannot open");
    refused("", NULL, "", " Is a directory");
}

static void test_libsvm__truncated_gzip__refused(void **state)
{
    (void)state;
    char *compressed = NULL;
    FILE *file = fopen(scratch_path("train.gz"), "rb");
    assert_non_null(file);
    compressed = malloc(1024);
    assert_non_null(compressed);
    const size_t count = fread(compressed, 1, 1024, file);
    fclose(file);
    for (size_t length = 20; length < count; length++) {
        write_raw(scratch_path("bad.gz"), compressed, length);
        refused("bad.gz", NULL, "bad.gz", " byte ");
    }
    free(compressed);
}

static void test_libsvm__test_file_of_another_set__refused(void **state)
{
    (void)state;
    write_text("other", "1 1:1\n# comment\n 3 1:1\n");
    refused("train", "other", "other", "3: label '3' is not a class of the training samples;");
    write_text("other", "");
    refused("train", "other", "other", " no sample in it");
}

/* Test features that the training file lacks are dropped with a warning; with a model, the model
 * gives the number of features. */
static void test_libsvm__number_of_features__from_training_file_or_model(void **state)
{
    (void)state;
    char spec[512], warning[512];
    dataset data;
    write_text("other", "1 1:2 6:3\n1 5:4 7:1\n");
    capture_stderr();
    assert_int_equal(open_files("train", "other", &data), EXIT_OK);
    snprintf(warning, sizeof warning, "%s: 2 of 4 values are of features above number 5",
             scratch_path("other"));
    const char *text = captured();
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, warning));
    assert_int_equal(data.d, GOOD_D);
    assert_int_equal(data.stored[1].d, GOOD_D);
    static const float kept[2][GOOD_D] = {{2}, {0, 0, 0, 0, 4}};
    for (size_t i = 0; i < 2; i++)
        assert_memory_equal(samples_f32(&data.test, i), kept[i], sizeof kept[i]);
    dataset_close(&data);

    snprintf(spec, sizeof spec, "libsvm:%s", scratch_path("other"));
    for (size_t d = 3; d <= 9; d += 6) { /* of the model: fewer and more than in the file */
        capture_stderr();
        assert_int_equal(dataset_open_for(spec, false, (dataset_use){.d = d, .whole = true}, &data),
                         EXIT_OK);
        assert_int_equal(count_of(captured(), '\n'), d == 3);
        assert_int_equal(data.d, d);
        assert_int_equal(data.train.n, 2); /* whole: none is held out */
        assert_int_equal(data.test.n, 0);
        assert_true(samples_f32(&data.train, 0)[0] == 2.0f);
        for (size_t k = 1; k < d; k++)
            assert_true(samples_f32(&data.train, 0)[k] == (k == 5 ? 3.0f : 0.0f));
        dataset_close(&data);
    }
}

static void test_libsvm__labels_optional__all_or_none(void **state)
{
    (void)state;
    static const char *const classes[] = {"-1", "1"};
    static const struct {
        const char *lines;
        int code;
        const char *message; /* NULL: no output */
    } cases[] = {
        {"1:1 2:2\n2:3\n", EXIT_OK, NULL},
        {"0 1:1 2:2\n0 2:3\n", EXIT_OK,
         ":1: label '0' is not a class of the model; the labels are ignored"},
        {"1 1:1\n2:3\n", EXIT_DATA, ":2:1: begins without a label, unlike the lines before"},
        {"1:1\n-1 2:3\n", EXIT_DATA, ":2:1: begins with a label, unlike the lines before"},
        {"1 1:1\n0 2:3\n", EXIT_DATA, ":2: label '0' is not a class of the model, although"},
        {"1 1:1\n7 2:3\n0 2:3\n", EXIT_DATA, ":2: label '7' is not a class of the model, although"},
    };
    const dataset_use use = {
        .d = GOOD_D, .whole = true, .labels_optional = true, .classes = classes, .n_classes = 2};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        char spec[512], want[512];
        dataset data;
        write_text("new", cases[k].lines);
        snprintf(spec, sizeof spec, "libsvm:%s", scratch_path("new"));
        capture_stderr();
        const int code = dataset_open_for(spec, false, use, &data);
        const char *text = captured();
        snprintf(want, sizeof want, "%s%s", scratch_path("new"),
                 cases[k].message != NULL ? cases[k].message : "");
        if (code != cases[k].code || count_of(text, '\n') != (cases[k].message != NULL) ||
            (cases[k].message != NULL && strstr(text, want) == NULL))
            fail_msg("'%s': exit code %d, stderr: %s", cases[k].lines, code, text);
        if (code != EXIT_OK)
            continue;
        assert_true(data.stored[0].unlabelled);
        assert_int_equal(data.c, 2);
        assert_int_equal(data.train.n, 2);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(samples_label(&data.train, i), DATASET_NO_CLASS);
        assert_true(samples_f32(&data.train, 0)[0] == 1.0f);
        assert_true(samples_f32(&data.train, 1)[1] == 3.0f);
        dataset_close(&data);
    }
}

static void test_libsvm__too_many_classes__refused(void **state)
{
    (void)state;
    FILE *file = fopen(scratch_path("many"), "w");
    assert_non_null(file);
    for (int i = 0; i < DATASET_CLASSES_MAX; i++)
        fprintf(file, "%d 1:1\n", -i);
    fflush(file);
    dataset data;
    capture_stderr();
    assert_int_equal(open_files("many", NULL, &data), EXIT_OK);
    captured(); /* a warning: whole classes are held out */
    assert_int_equal(data.c, DATASET_CLASSES_MAX);
    assert_string_equal(data.class_names[0], "-32767");
    dataset_close(&data);
    fprintf(file, "1 1:1\n");
    assert_int_equal(fclose(file), 0);
    refused("many", NULL, "many", " more than 32768 different labels;");
}

/* A file of 6 MB that describes a matrix of 4 TB. */
static void test_libsvm__more_than_memory__one_line(void **state)
{
    (void)state;
    FILE *file = fopen(scratch_path("huge"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000000; i++)
        fputs(i == 0 ? "1 1048576:1\n" : "2 1:1\n", file);
    assert_int_equal(fclose(file), 0);
    dataset data;
    capture_stderr();
    assert_int_equal(open_files("huge", NULL, &data), EXIT_INTERNAL);
    const char *text = captured();
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, "out of memory for 1000000 x 1048576 features"));
    unlink(scratch_path("huge"));
}

static void test_libsvm__bad_spec__usage_error(void **state)
{
    (void)state;
    static const char *const specs[] = {"libsvm", "libsvm:", "libsvm:a,", "libsvm:,a",
                                        "libsvm:a,b,c"};
    dataset data;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        capture_stderr();
        const int code = dataset_open(specs[i], &data);
        const char *text = captured();
        if (code != EXIT_USAGE || count_of(text, '\n') != 1 || strstr(text, "--data") == NULL)
            fail_msg("'%s': exit code %d, stderr: %s", specs[i], code, text);
    }
    capture_stderr();
    assert_int_equal(dataset_map("libsvm:a", &data), EXIT_USAGE);
    const char *text = captured();
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, "--mmap: libsvm:a is text, which cannot be mapped"));
}

/* A file with one changed byte is read, or rejected with one line. */
static void test_libsvm__damaged__read_or_one_line(void **state)
{
    (void)state;
    char *text = read_text(scratch_path("train"));
    const size_t count = strlen(text);
    rng r = rng_seeded(4);
    for (int i = 0; i < 2000; i++) {
        const size_t at = (size_t)rng_below(&r, count);
        const char before = text[at];
        static const char likely[] = "0123456789:+-.e# \n\r\t";
        text[at] = i % 2 == 0 ? (char)rng_below(&r, 256) : likely[rng_below(&r, sizeof likely - 1)];
        write_raw(scratch_path("bad"), text, count);
        text[at] = before;
        dataset data;
        capture_stderr();
        const int code = open_files("bad", "test", &data);
        const char *message = captured();
        if (code != EXIT_OK && (code != EXIT_DATA || count_of(message, '\n') != 1))
            fail_msg("exit code %d, stderr: %s", code, message);
        dataset_close(&data);
    }
    free(text);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

/* Nonzero values that become 0 in f32 are an error if all do, and a warning if some do. */
static void test_libsvm__values_below_f32__refused_or_warning(void **state)
{
    (void)state;
    dataset data;
    char warning[512];
    write_text("tiny", "0 1:1e-300 2:0\n1 1:-.5e-299 2:0e-9\n0 1:1e-300\n1 1:2e-300\n0 1:1e-300\n"
                       "1 2:1e-300\n0 1:1e-300\n");
    refused("tiny", NULL, "tiny",
            " all 7 features other than 0 are below the range of float32 and would be 0; multiply");
    write_text("some", "0 1:1e-300 2:0\n1 1:1e-40\n0 1:1e-300\n1 1:3\n0 1:1\n1 2:1\n0 1:2\n");
    capture_stderr();
    assert_int_equal(open_files("some", NULL, &data), EXIT_OK);
    snprintf(warning, sizeof warning,
             "warning: %s: 2 of 7 features other than 0 are below the range of float32",
             scratch_path("some"));
    const char *text = captured();
    if (strstr(text, warning) == NULL)
        fail_msg("%s", text);
    dataset_close(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_libsvm__values_below_f32__refused_or_warning),
        TEST(test_libsvm__valid_file__every_value_read),
        TEST(test_libsvm__narrow_test_file__padded),
        TEST(test_libsvm__whole_class_held_out__warning),
        TEST(test_libsvm__sorted_by_class__held_out_at_random),
        TEST(test_libsvm__long_lines__every_value_read),
        TEST(test_libsvm__bad_lines__refused_with_position),
        TEST(test_libsvm__bad_files__refused),
        TEST(test_libsvm__truncated_gzip__refused),
        TEST(test_libsvm__test_file_of_another_set__refused),
        TEST(test_libsvm__number_of_features__from_training_file_or_model),
        TEST(test_libsvm__labels_optional__all_or_none),
        TEST(test_libsvm__too_many_classes__refused),
        TEST(test_libsvm__more_than_memory__one_line),
        TEST(test_libsvm__bad_spec__usage_error),
        TEST(test_libsvm__damaged__read_or_one_line),
    };
    return cmocka_run_group_tests_name("libsvm", tests, scratch_open, scratch_close);
}
