/* SPDX-License-Identifier: MIT
 *
 * The IDX reader and data sets: valid files are read to the last byte; each kind of invalid file
 * gets exit code 3 and one line that names the file and the reason. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "data/dataset.h"
#include "data/idx.h"
#include "data/stream.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 12, SIDE = 3, D = SIDE * SIDE, IMAGES_HEADER = 16, LABELS_HEADER = 8 };

static uint8_t images[IMAGES_HEADER + N * D], labels[LABELS_HEADER + N];

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Writes valid files, which each test then spoils. */
static int setup(void **state)
{
    (void)state;
    put32(images, 0x00000803);
    put32(images + 4, N);
    put32(images + 8, SIDE);
    put32(images + 12, SIDE);
    for (int i = 0; i < N * D; i++)
        images[IMAGES_HEADER + i] = (uint8_t)(i * 7);
    put32(labels, 0x00000801);
    put32(labels + 4, N);
    for (int i = 0; i < N; i++)
        labels[LABELS_HEADER + i] = (uint8_t)(i % 3);
    write_raw(scratch_path("images"), images, sizeof images);
    write_gzip(scratch_path("labels.gz"), labels, sizeof labels);
    return 0;
}

static int open_named(const char *images_name, const char *labels_name, dataset *data)
{
    char *spec;
    assert_true(asprintf(&spec, "idx:%s,%s", scratch_path(images_name), scratch_path(labels_name)) >
                0);
    const int code = dataset_open(spec, data);
    free(spec);
    return code;
}

/* Asserts that opening fails with exit code `want` and one line that contains both texts. */
static void assert_refused(const char *images_name, const char *labels_name, int want,
                           const char *file_name, const char *reason)
{
    dataset data;
    capture_stderr();
    const int code = open_named(images_name, labels_name, &data);
    const char *text = captured();
    if (code != want || count_of(text, '\n') != 1 || strstr(text, file_name) == NULL ||
        strstr(text, reason) == NULL)
        fail_msg("exit code %d, stderr: %s", code, text);
    assert_null(data.train.x);
    assert_null(data.test.x);
}

static void assert_images_refused(const char *reason)
{
    assert_refused("bad", "labels.gz", EXIT_DATA, scratch_path("bad"), reason);
}

static void test_idx__valid_files__every_byte(void **state)
{
    (void)state;
    write_gzip(scratch_path("images.gz"), images, sizeof images);
    write_raw(scratch_path("labels"), labels, sizeof labels);
    static const char *const pairs[2][2] = {{"images", "labels.gz"}, {"images.gz", "labels"}};
    for (int p = 0; p < 2; p++) {
        dataset data;
        assert_int_equal(open_named(pairs[p][0], pairs[p][1], &data), EXIT_OK);
        assert_int_equal(data.train.n, N - N / 6);
        assert_int_equal(data.test.n, N / 6);
        assert_int_equal(data.d, D);
        assert_int_equal(data.c, 3);
        unsigned seen = 0;
        for (size_t i = 0; i < N; i++) {
            const samples *s = i < data.train.n ? &data.train : &data.test;
            const size_t at = i < data.train.n ? i : i - data.train.n, row = s->rows[at];
            seen |= 1U << row;
            assert_int_equal(samples_label(s, at), row % 3);
            for (size_t k = 0; k < D; k++)
                assert_int_equal(samples_u8(s, at)[k], (uint8_t)((row * D + k) * 7));
        }
        assert_int_equal(seen, (1U << N) - 1); /* each sample is in one of the two sets */
        dataset_close(&data);
    }
}

static void test_idx__four_files__test_set_from_the_last_two(void **state)
{
    (void)state;
    char *spec;
    const char *i = scratch_path("images"), *l = scratch_path("labels.gz");
    assert_true(asprintf(&spec, "idx:%s,%s,%s,%s", i, l, i, l) > 0);
    dataset data;
    assert_int_equal(dataset_open(spec, &data), EXIT_OK);
    assert_int_equal(data.train.n, N);
    assert_int_equal(data.test.n, N);
    for (size_t row = 0; row < N; row++)
        assert_memory_equal(samples_u8(&data.train, row), samples_u8(&data.test, row), D);
    dataset_close(&data);
    free(spec);
}

/* Mapping gives the same samples as reading, also those held out for the test set. */
static void test_idx__mapped__same_samples_as_read(void **state)
{
    (void)state;
    char *spec;
    dataset read, mapped;
    assert_true(asprintf(&spec, "idx:%s,%s", scratch_path("images"), scratch_path("labels.gz")) >
                0);
    assert_int_equal(dataset_open(spec, &read), EXIT_OK);
    assert_int_equal(dataset_map(spec, &mapped), EXIT_OK);
    for (int set = 0; set < 2; set++) {
        const samples *a = set == 0 ? &read.train : &read.test;
        const samples *b = set == 0 ? &mapped.train : &mapped.test;
        assert_int_equal(a->n, b->n);
        assert_int_equal(b->x->ld, D);
        assert_null(b->x->memory);
        for (size_t row = 0; row < a->n; row++) {
            assert_memory_equal(samples_u8(a, row), samples_u8(b, row), D);
            assert_int_equal(samples_label(a, row), samples_label(b, row));
        }
    }
    dataset_close(&read);
    dataset_close(&mapped);
    free(spec);
}

static void assert_not_mapped(const char *images_name, const char *reason)
{
    char *spec;
    dataset data;
    assert_true(asprintf(&spec, "idx:%s,%s", scratch_path(images_name), scratch_path("labels.gz")) >
                0);
    capture_stderr();
    const int code = dataset_map(spec, &data);
    const char *text = captured();
    if (code != EXIT_DATA || count_of(text, '\n') != 1 || strstr(text, reason) == NULL)
        fail_msg("exit code %d, stderr: %s", code, text);
    assert_null(data.train.x);
    free(spec);
}

static void test_idx__mapped_bad_files__refused(void **state)
{
    (void)state;
    write_gzip(scratch_path("images.gz"), images, sizeof images);
    assert_not_mapped("images.gz", "compressed data cannot be mapped");
    assert_not_mapped("nonesuch", "cannot open");
    write_raw(scratch_path("bad"), images, sizeof images - 1);
    assert_not_mapped("bad", "but its header describes");
    write_raw(scratch_path("bad"), images, 7);
    assert_not_mapped("bad", "truncated");
}

static void test_idx__truncated__refused(void **state)
{
    (void)state;
    /* Truncated everywhere: in the magic number, in the sizes, in the data. */
    for (size_t length = 1; length < sizeof images; length++) {
        write_raw(scratch_path("bad"), images, length);
        assert_images_refused("truncated at byte");
    }
}

static void test_idx__truncated_gzip__refused(void **state)
{
    (void)state;
    write_gzip(scratch_path("whole.gz"), images, sizeof images);
    FILE *file = fopen(scratch_path("whole.gz"), "rb");
    assert_non_null(file);
    uint8_t compressed[1024];
    const size_t count = fread(compressed, 1, sizeof compressed, file);
    fclose(file);
    assert_true(count > 40);
    for (size_t length = 1; length < count; length++) {
        write_raw(scratch_path("bad.gz"), compressed, length);
        assert_refused("bad.gz", "labels.gz", EXIT_DATA, scratch_path("bad.gz"), "bad.gz: ");
    }
}

static void test_idx__damaged_gzip__refused(void **state)
{
    (void)state;
    write_gzip(scratch_path("whole.gz"), images, sizeof images);
    FILE *file = fopen(scratch_path("whole.gz"), "rb");
    assert_non_null(file);
    uint8_t compressed[1024];
    const size_t count = fread(compressed, 1, sizeof compressed, file);
    fclose(file);
    compressed[count / 2] ^= 0x55;
    write_raw(scratch_path("bad.gz"), compressed, count);
    assert_refused("bad.gz", "labels.gz", EXIT_DATA, scratch_path("bad.gz"), "byte");
}

static void test_idx__not_gzip__refused(void **state)
{
    (void)state;
    write_raw(scratch_path("bad.gz"), images, sizeof images);
    assert_refused("bad.gz", "labels.gz", EXIT_DATA, scratch_path("bad.gz"), "not gzip data");
}

static void test_idx__empty__refused(void **state)
{
    (void)state;
    write_raw(scratch_path("bad"), "", 0);
    assert_images_refused("bad: is empty; name another file\n");
    assert_not_mapped("bad", "bad: is empty; name another file\n");
    write_gzip(scratch_path("bad"), "", 0);
    assert_images_refused("bad: is empty; name another file\n");
    write_raw(scratch_path("bad.gz"), "", 0);
    assert_refused("bad.gz", "labels.gz", EXIT_DATA, scratch_path("bad.gz"), "bad.gz: is empty;");
}

static void test_idx__wrong_magic__refused(void **state)
{
    (void)state;
    images[0] = 'P';
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused(
        "not an IDX file, which begins with two bytes that are 0; name an IDX file");
    memcpy(images, "\x93NUM", 4);
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("a NumPy array; give npy:X.npy,Y.npy");
    memcpy(images, "PK\3\4", 4);
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("a ZIP archive; if it is of NumPy, give npz:FILE");
}

static void test_idx__wrong_type__refused(void **state)
{
    (void)state;
    images[2] = 0x0D;
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("element type 0x0d");
}

static void test_idx__swapped__refused(void **state)
{
    (void)state;
    assert_refused("labels.gz", "images", EXIT_DATA, scratch_path("labels.gz"), "swapped?");
}

static void test_idx__no_samples__refused(void **state)
{
    (void)state;
    put32(images + 4, 0);
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("dimension 0 is 0");
}

static void test_idx__sizes_overflow__refused(void **state)
{
    (void)state;
    for (int i = 4; i < IMAGES_HEADER; i += 4)
        put32(images + i, 0xFFFFFFFF);
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("overflow");
    uint8_t four[4 + 4 * 4] = {0, 0, 8, 4};
    memset(four + 4, 0xFF, sizeof four - 4);
    write_raw(scratch_path("bad"), four, sizeof four);
    assert_images_refused("overflow");
}

static void test_stream__element_count_overflows__refused(void **state)
{
    (void)state;
    static const size_t too_many[][3] = {
        {1, 0, 1}, {SIZE_MAX, 2, 1}, {2, SIZE_MAX, 1}, {SIZE_MAX / 8, 1, 8}};
    write_raw(scratch_path("bad"), images, sizeof images);
    for (size_t i = 0; i < sizeof too_many / sizeof too_many[0]; i++) {
        stream s;
        void *elements;
        assert_int_equal(stream_open(scratch_path("bad"), &s), EXIT_OK);
        capture_stderr();
        const int code =
            stream_elements(&s, too_many[i][0], too_many[i][1], too_many[i][2], &elements);
        const char *text = captured();
        assert_int_equal(code, EXIT_DATA);
        assert_non_null(strstr(text, "elements overflow"));
        assert_null(elements);
        stream_close(&s);
    }
}

/* A header that announces 2⁶² bytes must not make the reader allocate more than the file holds. */
static void test_idx__header_larger_than_the_file__refused(void **state)
{
    (void)state;
    put32(images + 4, 0x7FFFFFFF);
    put32(images + 8, 0x7FFFFFFF);
    put32(images + 12, 1);
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("truncated at byte");
}

static void test_idx__data_after_the_end__refused(void **state)
{
    (void)state;
    put32(images + 4, N - 1);
    write_raw(scratch_path("bad"), images, sizeof images);
    assert_images_refused("data after the");
}

static void test_data__counts_differ__refused(void **state)
{
    (void)state;
    put32(labels + 4, N - 1);
    write_raw(scratch_path("short"), labels, sizeof labels - 1);
    assert_refused("images", "short", EXIT_DATA, scratch_path("short"), "11 labels");
}

static void test_data__label_out_of_range__refused(void **state)
{
    (void)state;
    /* Test labels must be among the classes of the training labels. */
    labels[LABELS_HEADER + 5] = 3;
    write_raw(scratch_path("high"), labels, sizeof labels);
    char *spec;
    const char *i = scratch_path("images"), *l = scratch_path("labels.gz");
    assert_true(asprintf(&spec, "idx:%s,%s,%s,%s", i, l, i, scratch_path("high")) > 0);
    dataset data;
    capture_stderr();
    const int code = dataset_open(spec, &data);
    const char *text = captured();
    free(spec);
    assert_int_equal(code, EXIT_DATA);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, scratch_path("high")));
    assert_non_null(strstr(text, "label '3' of sample 5 is not a class of the training"));
}

/* A damaged label becomes a class of its own, which leaves gaps between the labels. */
static void test_data__gap_in_the_labels__warning(void **state)
{
    (void)state;
    static const struct {
        uint8_t damaged[2];
        const char *text;
    } gaps[] = {{{4, 4}, "label 3 has no sample; the 4 labels that occur are the classes"},
                {{5, 5}, "labels 3 and 4 have no sample; the 4 labels that"},
                {{6, 4}, "labels 3 and 5 have no sample; the 5 labels that"},
                {{6, 6}, "3 labels between 0 and 6 have no sample, the first is 3; the 4 labels"},
                {{3, 200}, "196 labels between 0 and 200 have no sample, the first is 4; the 5"}};
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        labels[LABELS_HEADER + 5] = gaps[i].damaged[0];
        labels[LABELS_HEADER + 6] = gaps[i].damaged[1];
        write_raw(scratch_path("damaged"), labels, sizeof labels);
        dataset data;
        capture_stderr();
        assert_int_equal(open_named("images", "damaged", &data), EXIT_OK);
        const char *text = captured();
        if (count_of(text, '\n') != 1 || strstr(text, gaps[i].text) == NULL)
            fail_msg("'%s' expected; stderr: %s", gaps[i].text, text);
        assert_int_equal(data.c, gaps[i].damaged[0] == gaps[i].damaged[1] ? 4 : 5);
        assert_null(data.notes);
        dataset_close(&data);
    }
}

static void test_data__labels_from_1__note(void **state)
{
    (void)state;
    uint8_t from_1[sizeof labels];
    memcpy(from_1, labels, sizeof labels);
    for (size_t i = 0; i < N; i++)
        from_1[LABELS_HEADER + i]++;
    write_raw(scratch_path("from_1"), from_1, sizeof from_1);
    dataset data;
    capture_stderr();
    assert_int_equal(open_named("images", "from_1", &data), EXIT_OK);
    assert_string_equal(captured(), "");
    assert_int_equal(data.c, 3);
    assert_string_equal(data.class_names[0], "1");
    assert_non_null(data.notes);
    assert_non_null(strstr(data.notes[0], "the 3 labels, 1 to 3, are classes 0 to 2"));
    assert_null(data.notes[1]);
    for (size_t i = 0; i < data.train.n; i++)
        assert_int_equal(samples_label(&data.train, i), data.train.rows[i] % 3);
    dataset_close(&data);
}

/* ---- data sets opened for a model ---- */

static int open_for_model(const char *labels_name, bool labels_optional,
                          const char *const classes[4], dataset *data)
{
    char spec[512];
    snprintf(spec, sizeof spec, "idx:%s%s%s", scratch_path("images"), labels_name ? "," : "",
             labels_name ? scratch_path(labels_name) : "");
    const dataset_use use = {
        .labels_optional = labels_optional, .classes = classes, .n_classes = 4};
    capture_stderr();
    return dataset_open_for(spec, false, use, data);
}

static void check_unlabelled(const dataset *data, const char *const classes[4])
{
    assert_true(data->stored[0].unlabelled);
    assert_int_equal(data->c, 4);
    assert_ptr_equal(data->class_names, classes);
    assert_int_equal(data->train.n + data->test.n, N);
    for (size_t i = 0; i < data->train.n; i++)
        assert_int_equal(samples_label(&data->train, i), DATASET_NO_CLASS);
    for (size_t i = 0; i < data->test.n; i++)
        assert_int_equal(samples_label(&data->test, i), DATASET_NO_CLASS);
}

static void test_data__classes_of_a_model__by_name(void **state)
{
    (void)state;
    static const char *const numbers[4] = {"-1", "2", "0", "1"}, *const mixed[4] = {"1", "b", "c",
                                                                                    "d"};
    static const int32_t by_name[3] = {2, 3, 1};
    for (int optional = 0; optional < 2; optional++) {
        dataset data;
        assert_int_equal(open_for_model("labels.gz", optional, numbers, &data), EXIT_OK);
        assert_string_equal(captured(), "");
        assert_false(data.stored[0].unlabelled);
        assert_int_equal(data.c, 4);
        for (size_t i = 0; i < data.train.n; i++)
            assert_int_equal(samples_label(&data.train, i), by_name[data.train.rows[i] % 3]);
        dataset_close(&data);
        assert_int_equal(open_for_model("labels.gz", optional, mixed, &data), EXIT_DATA);
        assert_non_null(strstr(captured(), "label '0' of sample 0 is not a class of the model"));
    }
}

/* Asserts that labels `first` … first + n - 1 are taken as the numbers of the model's classes, with
 * this note, or that they are not if `note` is NULL. */
static void check_class_numbers(uint8_t first, uint8_t n, const char *const classes[4],
                                const char *note)
{
    for (int i = 0; i < N; i++)
        labels[LABELS_HEADER + i] = (uint8_t)(first + i % n);
    write_raw(scratch_path("places"), labels, sizeof labels);
    for (int optional = 0; optional < 2; optional++) {
        dataset data;
        const int code = open_for_model("places", optional, classes, &data);
        const char *text = captured();
        assert_int_equal(code, note != NULL || optional ? EXIT_OK : EXIT_DATA);
        if (note == NULL) {
            assert_non_null(strstr(text, "' of sample "));
            assert_non_null(strstr(text, " is not a class of the model"));
            if (optional) {
                check_unlabelled(&data, classes);
                assert_null(data.notes);
                dataset_close(&data);
            }
            continue;
        }
        char expected_note[256];
        snprintf(expected_note, sizeof expected_note, "%s: %s", scratch_path("places"), note);
        assert_string_equal(text, "");
        assert_non_null(data.notes);
        assert_string_equal(data.notes[0], expected_note);
        assert_null(data.notes[1]);
        for (size_t i = 0; i < data.train.n; i++)
            assert_int_equal(samples_label(&data.train, i), data.train.rows[i] % n);
        dataset_close(&data);
    }
}

static void test_data__class_numbers_as_labels__only_with_0_and_a_note(void **state)
{
    (void)state;
    static const char *const words[4] = {"cat", "dog", "emu", "fox"};
    check_class_numbers(
        0, 3, words, "labels 0, 1, 2 are taken as the numbers of the classes 'cat', 'dog', 'emu'");
    check_class_numbers(0, 1, words, "label 0 is taken as the number of the class 'cat'");
    check_class_numbers(1, 3, words, NULL);
    check_class_numbers(2, 1, words, NULL);
    /* 0 to 3 are numbers of classes, but 4 is not. */
    for (int i = 0; i < N; i++)
        labels[LABELS_HEADER + i] = (uint8_t)(i % 5);
    write_raw(scratch_path("places"), labels, sizeof labels);
    for (int optional = 0; optional < 2; optional++) {
        dataset data;
        assert_int_equal(open_for_model("places", optional, words, &data), EXIT_DATA);
        assert_non_null(strstr(captured(), "label '4' of sample 4 is not a class of the model"));
    }
}

static void test_data__labels_optional__unlabelled(void **state)
{
    (void)state;
    static const char *const classes[4] = {"-1", "10", "20", "30"}, *const some[4] = {"0", "5", "6",
                                                                                      "1"};
    dataset data;
    assert_int_equal(open_for_model(NULL, true, classes, &data), EXIT_OK);
    assert_string_equal(captured(), "");
    check_unlabelled(&data, classes);
    dataset_close(&data);
    assert_int_equal(open_for_model(NULL, false, classes, &data), EXIT_USAGE);
    captured();

    assert_int_equal(open_for_model("labels.gz", true, classes, &data), EXIT_OK);
    const char *text = captured();
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, "warning: "));
    assert_non_null(strstr(text, "label '0' of sample 0 is not a class of the model; the labels"));
    check_unlabelled(&data, classes);
    dataset_close(&data);
    assert_int_equal(open_for_model("labels.gz", false, classes, &data), EXIT_DATA);
    assert_non_null(strstr(captured(), "label '0' of sample 0 is not a class of the model"));

    /* If only some labels are unknown, ignoring all would lose the evaluation. */
    assert_int_equal(open_for_model("labels.gz", true, some, &data), EXIT_DATA);
    text = captured();
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, "label '2' of sample 2 is not a class of the model, although"));
}

static void test_data__widths_differ__refused(void **state)
{
    (void)state;
    put32(images + 12, 1);
    write_raw(scratch_path("narrow"), images, IMAGES_HEADER + N * SIDE);
    char *spec;
    const char *i = scratch_path("images"), *l = scratch_path("labels.gz");
    assert_true(asprintf(&spec, "idx:%s,%s,%s,%s", i, l, scratch_path("narrow"), l) > 0);
    dataset data;
    capture_stderr();
    const int code = dataset_open(spec, &data);
    const char *text = captured();
    free(spec);
    assert_int_equal(code, EXIT_DATA);
    assert_non_null(strstr(text, "3 features"));
}

static void test_data__too_few_to_hold_out__refused(void **state)
{
    (void)state;
    put32(images + 4, 5);
    put32(labels + 4, 5);
    write_raw(scratch_path("bad"), images, IMAGES_HEADER + 5 * D);
    write_raw(scratch_path("five"), labels, LABELS_HEADER + 5);
    assert_refused("bad", "five", EXIT_DATA, scratch_path("bad"), "too few");
}

static void test_data__missing_file__refused(void **state)
{
    (void)state;
    assert_refused("nowhere", "labels.gz", EXIT_DATA, scratch_path("nowhere"), "cannot open");
    assert_refused("images", "nowhere", EXIT_DATA, scratch_path("nowhere"), "cannot open");
}

static void test_data__directory_for_a_file__refused(void **state)
{
    (void)state;
    assert_refused("", "labels.gz", EXIT_DATA, scratch_path(""), "directory");
}

static void test_data__bad_spec__refused(void **state)
{
    (void)state;
    static const char *const specs[] = {"mnist", "", "idx:", "idx:a", "idx:a,b,c", "idx:a,b,c,d,e"};
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        dataset data;
        capture_stderr();
        const int code = dataset_open(specs[i], &data);
        const char *text = captured();
        if (code != EXIT_USAGE || count_of(text, '\n') != 1 || strstr(text, "--data") == NULL)
            fail_msg("'%s': exit code %d, stderr: %s", specs[i], code, text);
    }
}

static void test_data__fashion_mnist_missing__message_names_the_variable(void **state)
{
    (void)state;
    setenv("DOWNHILL_FASHION_MNIST", scratch_path("nowhere"), 1);
    dataset data;
    capture_stderr();
    const int code = dataset_open("fashion-mnist", &data);
    const char *text = captured();
    unsetenv("DOWNHILL_FASHION_MNIST");
    assert_int_equal(code, EXIT_DATA);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, "DOWNHILL_FASHION_MNIST"));
    assert_null(strstr(text, "install"));
}

static void test_data__fashion_mnist__sizes_and_classes(void **state)
{
    (void)state;
    dataset data;
    assert_int_equal(dataset_open("fashion-mnist", &data), EXIT_OK);
    assert_int_equal(data.train.n, 60000);
    assert_int_equal(data.test.n, 10000);
    assert_int_equal(data.d, 784);
    assert_int_equal(data.c, 10);
    size_t per_class[10] = {0};
    for (size_t i = 0; i < data.train.n; i++)
        per_class[samples_label(&data.train, i)]++;
    for (size_t j = 0; j < 10; j++)
        assert_int_equal(per_class[j], 6000);
    dataset_close(&data);
}

#define TEST(function) cmocka_unit_test_setup(function, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_idx__valid_files__every_byte),
        TEST(test_idx__four_files__test_set_from_the_last_two),
        TEST(test_idx__mapped__same_samples_as_read),
        TEST(test_idx__mapped_bad_files__refused),
        TEST(test_idx__truncated__refused),
        TEST(test_idx__truncated_gzip__refused),
        TEST(test_idx__damaged_gzip__refused),
        TEST(test_idx__not_gzip__refused),
        TEST(test_idx__empty__refused),
        TEST(test_idx__wrong_magic__refused),
        TEST(test_idx__wrong_type__refused),
        TEST(test_idx__swapped__refused),
        TEST(test_idx__no_samples__refused),
        TEST(test_idx__sizes_overflow__refused),
        TEST(test_stream__element_count_overflows__refused),
        TEST(test_idx__header_larger_than_the_file__refused),
        TEST(test_idx__data_after_the_end__refused),
        TEST(test_data__counts_differ__refused),
        TEST(test_data__label_out_of_range__refused),
        TEST(test_data__gap_in_the_labels__warning),
        TEST(test_data__labels_from_1__note),
        TEST(test_data__classes_of_a_model__by_name),
        TEST(test_data__class_numbers_as_labels__only_with_0_and_a_note),
        TEST(test_data__labels_optional__unlabelled),
        TEST(test_data__widths_differ__refused),
        TEST(test_data__too_few_to_hold_out__refused),
        TEST(test_data__missing_file__refused),
        TEST(test_data__directory_for_a_file__refused),
        TEST(test_data__bad_spec__refused),
        TEST(test_data__fashion_mnist_missing__message_names_the_variable),
        TEST(test_data__fashion_mnist__sizes_and_classes),
    };
    return cmocka_run_group_tests_name("data", tests, scratch_open, scratch_close);
}
