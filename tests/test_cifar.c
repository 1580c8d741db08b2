/* SPDX-License-Identifier: MIT
 *
 * Small CIFAR-10 and CIFAR-100 files: valid ones byte for byte, and each kind of invalid one. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "data/dataset.h"
#include "support.h"
#include "train/sgd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PICTURE = 3072, RECORDS = 3, FILES = 6, LABEL_BYTES_MAX = 2 };

static uint8_t files[FILES][RECORDS * (PICTURE + LABEL_BYTES_MAX)];

static uint8_t pixel(size_t file, size_t record, size_t k)
{
    return (uint8_t)(file * 31 + record * 7 + k * 3);
}

static size_t write_file(size_t f, const char *name, size_t label_bytes, size_t classes)
{
    uint8_t *to = files[f];
    for (size_t r = 0; r < RECORDS; r++) {
        for (size_t l = 0; l < label_bytes; l++)
            *to++ = (uint8_t)((f * RECORDS + r + (label_bytes - 1 - l) * 50) % classes);
        for (size_t k = 0; k < PICTURE; k++)
            *to++ = pixel(f, r, k);
    }
    const size_t bytes = (size_t)(to - files[f]);
    write_raw(scratch_path(name), files[f], bytes);
    return bytes;
}

static const char *const cifar10_names[FILES] = {"data_batch_1.bin", "data_batch_2.bin",
                                                 "data_batch_3.bin", "data_batch_4.bin",
                                                 "data_batch_5.bin", "test_batch.bin"};
static const char *const cifar100_names[2] = {"train.bin", "test.bin"};

static int setup(void **state)
{
    if (scratch_open(state) != 0)
        return -1;
    for (size_t f = 0; f < FILES; f++)
        write_file(f, cifar10_names[f], 1, 10);
    for (size_t f = 0; f < 2; f++)
        write_file(f, cifar100_names[f], 2, 100);
    return 0;
}

/* Replaces stat() (ld --wrap): the third file seems larger by `extra_bytes`. */
static off_t extra_bytes;
int __real_stat(const char *path, struct stat *status);
int __wrap_stat(const char *path, struct stat *status);

int __wrap_stat(const char *path, struct stat *status)
{
    const int code = __real_stat(path, status);
    if (strstr(path, cifar10_names[2]) != NULL)
        status->st_size += extra_bytes;
    return code;
}

static int open_kind(const char *kind, dataset *data)
{
    char *spec;
    assert_true(asprintf(&spec, "%s:%s", kind, scratch_path(".")) > 0);
    const int code = dataset_open(spec, data);
    free(spec);
    return code;
}

static void assert_pictures(const samples *s, size_t first_file)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < PICTURE; k++)
            assert_int_equal(samples_u8(s, i)[k], pixel(first_file + i / RECORDS, i % RECORDS, k));
}

static void test_cifar10__valid_files__every_byte(void **state)
{
    (void)state;
    dataset data;
    assert_int_equal(open_kind("cifar10", &data), EXIT_OK);
    assert_string_equal(data.name, "cifar10");
    assert_int_equal(data.c, 10);
    assert_int_equal(data.train.n, 5 * RECORDS);
    assert_int_equal(data.test.n, RECORDS);
    assert_int_equal(data.d, PICTURE);
    for (size_t i = 0; i < data.train.n; i++)
        assert_int_equal(samples_label(&data.train, i), i % 10);
    for (size_t i = 0; i < data.test.n; i++)
        assert_int_equal(samples_label(&data.test, i), (5 * RECORDS + i) % 10);
    assert_pictures(&data.train, 0);
    assert_pictures(&data.test, 5);
    dataset_close(&data);
}

static void test_cifar100__valid_files__fine_labels(void **state)
{
    (void)state;
    dataset data;
    assert_int_equal(open_kind("cifar100", &data), EXIT_OK);
    assert_int_equal(data.c, 100);
    assert_int_equal(data.train.n, RECORDS);
    assert_int_equal(data.test.n, RECORDS);
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(samples_label(&data.train, i), i);
        assert_int_equal(samples_label(&data.test, i), RECORDS + i);
    }
    assert_pictures(&data.train, 0);
    assert_pictures(&data.test, 1);
    dataset_close(&data);
}

static void ignore_report(const sgd_epoch *epoch, size_t number, void *context)
{
    (void)epoch, (void)number, (void)context;
}

static void train(const dataset *data, sgd_result *result)
{
    static const volatile sig_atomic_t never;
    const sgd_options options = {
        .shuffle = SGD_SHUFFLE_BATCH, .batch = 4, .lr = 0.01f, .epochs = 3, .seed = 2};
    const sgd_events events = {.epoch = ignore_report};
    features f;
    assert_true(features_open(FEATURES_U8, data, NORMALISE_STANDARDISE, 1, &f));
    const problem p = {
        .data = data, .features = &f, .loss = {DOWNHILL_HINGE, 1.0f}, .threads = 1, .stop = &never};
    assert_int_equal(sgd_train(&p, &options, NULL, &events, result), EXIT_OK);
    features_close(&f);
}

/* Asserts that training on both data sets gives bit-identical models. */
static void assert_same_model(const dataset *a, const dataset *b)
{
    sgd_result result_a, result_b;
    train(a, &result_a);
    train(b, &result_b);
    assert_string_equal(result_a.digest, result_b.digest);
    assert_true(result_a.state.epochs[2].test_accuracy == result_b.state.epochs[2].test_accuracy);
    sgd_free(&result_a);
    sgd_free(&result_b);
}

/* Mapping gives the same samples as reading, from several files of more than a page, with labels
 * between the samples. */
static void test_cifar__mapped__same_samples_as_read(void **state)
{
    (void)state;
    static const char *const kinds[] = {"cifar10", "cifar100"};
    for (int k = 0; k < 2; k++) {
        char *spec;
        dataset read, mapped;
        assert_true(asprintf(&spec, "%s:%s", kinds[k], scratch_path(".")) > 0);
        assert_int_equal(dataset_open(spec, &read), EXIT_OK);
        assert_int_equal(dataset_map(spec, &mapped), EXIT_OK);
        assert_int_equal(mapped.c, read.c);
        for (int set = 0; set < 2; set++) {
            const samples *a = set == 0 ? &read.train : &read.test;
            const samples *b = set == 0 ? &mapped.train : &mapped.test;
            assert_int_equal(a->n, b->n);
            assert_int_equal(a->x->d, b->x->d);
            for (size_t i = 0; i < a->n; i++) {
                assert_true(b->rows[i] < b->x->rows);
                assert_int_equal(samples_label(a, i), samples_label(b, i));
                assert_memory_equal(samples_u8(a, i), samples_u8(b, i), a->x->d);
            }
        }
        assert_same_model(&read, &mapped);
        dataset_close(&read);
        dataset_close(&mapped);
        free(spec);
    }
}

static void test_cifar__mapped_bad_label__refused(void **state)
{
    (void)state;
    const size_t bytes = RECORDS * (PICTURE + 1);
    files[2][PICTURE + 1] = 10;
    write_raw(scratch_path(cifar10_names[2]), files[2], bytes);
    char *spec;
    dataset data;
    assert_true(asprintf(&spec, "cifar10:%s", scratch_path(".")) > 0);
    capture_stderr();
    const int code = dataset_map(spec, &data);
    const char *text = captured();
    assert_int_equal(code, EXIT_DATA);
    assert_non_null(strstr(text, "byte 3073: label 10 of record 1"));
    assert_null(data.train.x);
    write_file(2, cifar10_names[2], 1, 10);
    free(spec);
}

/* Asserts that opening fails with EXIT_DATA and one line that contains both texts. */
static void assert_refused(const char *kind, const char *file_name, const char *reason)
{
    dataset data;
    capture_stderr();
    const int code = open_kind(kind, &data);
    const char *text = captured();
    if (code != EXIT_DATA || count_of(text, '\n') != 1 || strstr(text, file_name) == NULL ||
        strstr(text, reason) == NULL)
        fail_msg("exit code %d, stderr: %s", code, text);
    assert_null(data.train.x);
    assert_null(data.test.x);
}

static void test_cifar__wrong_sizes__refused(void **state)
{
    (void)state;
    const size_t bytes = RECORDS * (PICTURE + 1);
    const size_t bad[] = {1, PICTURE, bytes - 1, RECORDS * (PICTURE + 2)};
    for (size_t f = 0; f < FILES; f++) {
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            write_raw(scratch_path(cifar10_names[f]), files[f], bad[i]);
            assert_refused("cifar10", cifar10_names[f], "is not a multiple of 3073");
        }
        write_raw(scratch_path(cifar10_names[f]), "", 0);
        assert_refused("cifar10", cifar10_names[f], ".bin: is empty; download the file again\n");
        remove(scratch_path(cifar10_names[f]));
        assert_refused("cifar10", cifar10_names[f], "No such file");
        write_file(f, cifar10_names[f], 1, 10);
    }
    write_raw(scratch_path("test.bin"), files[1], bytes);
    assert_refused("cifar100", "test.bin", "is not a multiple of 3074");
    write_file(1, "test.bin", 2, 100);
}

static void test_cifar__labels_out_of_range__refused(void **state)
{
    (void)state;
    for (size_t f = 0; f < FILES; f++) {
        const size_t bytes = write_file(f, cifar10_names[f], 1, 10);
        files[f][2 * (PICTURE + 1)] = 10;
        write_raw(scratch_path(cifar10_names[f]), files[f], bytes);
        assert_refused("cifar10", cifar10_names[f],
                       "byte 6146: label 10 of record 2 is outside 0 ... 9");
        write_file(f, cifar10_names[f], 1, 10);
    }
    const size_t bytes = write_file(0, "train.bin", 2, 100);
    files[0][PICTURE + 2] = 255; /* a coarse label, which is ignored */
    files[0][PICTURE + 3] = 100;
    write_raw(scratch_path("train.bin"), files[0], bytes);
    assert_refused("cifar100", "train.bin", "byte 3075: label 100 of record 1 is outside 0 ... 99");
    write_file(0, "train.bin", 2, 100);
}

static void test_cifar__no_directory__refused(void **state)
{
    (void)state;
    dataset data;
    capture_stderr();
    assert_int_equal(dataset_open("cifar10:/no/such/place", &data), EXIT_DATA);
    const char *text = captured();
    assert_non_null(strstr(text, "/no/such/place/data_batch_1.bin: No such file"));
    assert_non_null(strstr(text, "name the directory that holds"));
    capture_stderr();
    assert_int_equal(dataset_open("cifar10:", &data), EXIT_USAGE); /* not the root directory */
    assert_non_null(strstr(captured(), "no directory; give the one"));
}

static void test_cifar__unreadable_files__refused(void **state)
{
    (void)state;
    remove(scratch_path(cifar10_names[1]));
    assert_int_equal(mkdir(scratch_path(cifar10_names[1]), 0700), 0);
    assert_refused("cifar10", cifar10_names[1], "not a file; name the directory");
    assert_int_equal(rmdir(scratch_path(cifar10_names[1])), 0);
    assert_int_equal(symlink(cifar10_names[1], scratch_path(cifar10_names[1])), 0);
    assert_refused("cifar10", cifar10_names[1], "check the file");
    remove(scratch_path(cifar10_names[1]));
    write_file(1, cifar10_names[1], 1, 10);

    enum { LONG = 5000 };
    static char spec[LONG] = "cifar10:";
    memset(spec + strlen(spec), 'x', LONG - 1 - strlen(spec));
    dataset data;
    capture_stderr();
    assert_int_equal(dataset_open(spec, &data), EXIT_DATA);
    assert_non_null(strstr(captured(), "...: the path is too long"));

    /* Leaves no free file descriptor after those of the test itself and of capture_stderr(). */
    struct rlimit before, few;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    char *files_spec;
    assert_true(asprintf(&files_spec, "cifar10:%s", scratch_path(".")) > 0);
    capture_stderr();
    const int next = dup(STDERR_FILENO);
    close(next);
    few = (struct rlimit){(rlim_t)next, before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    const int code = dataset_open(files_spec, &data);
    setrlimit(RLIMIT_NOFILE, &before);
    const char *text = captured();
    free(files_spec);
    assert_int_equal(code, EXIT_DATA);
    assert_non_null(
        strstr(text, "data_batch_1.bin: cannot open: Too many open files; check the path"));
}

/* Files whose size changes between stat() and reading or mapping. */
static void test_cifar__size_changed_while_reading__refused(void **state)
{
    (void)state;
    dataset data;
    char *spec;
    assert_true(asprintf(&spec, "cifar10:%s", scratch_path(".")) > 0);
    extra_bytes = PICTURE + 1;
    assert_refused("cifar10", cifar10_names[0],
                   "15 of 16 records are still there; the files changed while they were read");
    capture_stderr();
    const int code = dataset_map(spec, &data);
    const char *text = captured();
    assert_int_equal(code, EXIT_DATA);
    assert_non_null(
        strstr(text, "15 of 16 records are still there; the files changed while they were mapped"));
    assert_null(data.train.x);
    extra_bytes = -(PICTURE + 1);
    assert_refused("cifar10", cifar10_names[4],
                   "byte 9219: the file changed while it was read; try again");
    extra_bytes = 0;
    free(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cifar10__valid_files__every_byte),
        cmocka_unit_test(test_cifar100__valid_files__fine_labels),
        cmocka_unit_test(test_cifar__mapped__same_samples_as_read),
        cmocka_unit_test(test_cifar__mapped_bad_label__refused),
        cmocka_unit_test(test_cifar__wrong_sizes__refused),
        cmocka_unit_test(test_cifar__labels_out_of_range__refused),
        cmocka_unit_test(test_cifar__no_directory__refused),
        cmocka_unit_test(test_cifar__unreadable_files__refused),
        cmocka_unit_test(test_cifar__size_changed_while_reading__refused),
    };
    return cmocka_run_group_tests_name("cifar", tests, setup, scratch_close);
}
