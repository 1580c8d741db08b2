/* SPDX-License-Identifier: MIT
 *
 * `downhill data gen` and `data check`: data sets in every format hold the same samples, NumPy gets
 * the same labels from the classifier written with them, and training finds that classifier. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "data/dataset.h"
#include "data/synthetic.h"
#include "shell.h"
#include "support.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void assert_success(const char *command)
{
    const int code = shell(command);
    if (code != EXIT_OK || shell_err[0] != '\0')
        fail_msg("%s: exit code %d\nerr: %s", command, code, shell_err);
}

/* Generates a data set and opens it as the value of --data that was printed. */
static void generate(const char *format, const char *options, dataset *data)
{
    char command[512];
    snprintf(command, sizeof command,
             "rm -rf $scratch/set*; $downhill data gen --format %s %s -o $scratch/set", format,
             options);
    assert_success(command);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    assert_int_equal(strncmp(shell_out, format, strlen(format)), 0);
    assert_int_equal(dataset_open(shell_out, data), EXIT_OK);
}

static float feature(const samples *s, size_t i, size_t f)
{
    return s->x->u8 != NULL ? (float)samples_u8(s, i)[f] : samples_f32(s, i)[f];
}

static void assert_same_samples(const samples *a, const samples *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->x->d, b->x->d);
    for (size_t i = 0; i < a->n; i++) {
        assert_int_equal(samples_label(a, i), samples_label(b, i));
        for (size_t f = 0; f < a->x->d; f++)
            if (feature(a, i, f) != feature(b, i, f))
                fail_msg("sample %zu, feature %zu: %a, not %a", i, f, (double)feature(b, i, f),
                         (double)feature(a, i, f));
    }
}

/* Asserts that a data set has the samples that synthetic_sample() defines. */
static void assert_as_defined(const dataset *data, double noise, uint64_t seed)
{
    const bool bytes = data->stored[0].u8 != NULL;
    const size_t d = data->d;
    synthetic g;
    uint8_t *u8 = calloc(d, 1);
    float *f32 = calloc(d, sizeof *f32);
    assert_true(synthetic_open(d, data->c, bytes, noise, seed, &g));
    for (int set = 0; set < 2; set++) {
        const samples *s = set == 0 ? &data->train : &data->test;
        for (size_t i = s->n; i-- > 0;) { /* in another order */
            bool noisy;
            const uint64_t stream = set == 0 ? i : SYNTHETIC_TEST + i;
            assert_int_equal(synthetic_sample(&g, stream, u8, f32, &noisy), samples_label(s, i));
            if (bytes)
                assert_memory_equal(samples_u8(s, i), u8, d);
            else
                assert_memory_equal(samples_f32(s, i), f32, d * sizeof *f32);
        }
    }
    synthetic_close(&g);
    free(u8);
    free(f32);
}

/* ---- formats ---- */

static void test_data_gen__every_format__same_samples(void **state)
{
    (void)state;
    static const char options[] =
        "--samples 101 --test-samples 40 --features 3072 --classes 10 --noise 0.1 --seed 7";
    dataset npy, other;
    generate("npy", options, &npy);
    assert_int_equal(npy.train.n, 101);
    assert_int_equal(npy.test.n, 40);
    assert_as_defined(&npy, 0.1, 7);
    static const char *const formats[] = {"idx", "libsvm", "cifar10"};
    for (size_t i = 0; i < 3; i++) {
        generate(formats[i], options, &other);
        assert_int_equal(other.c, 10);
        assert_same_samples(&npy.train, &other.train);
        assert_same_samples(&npy.test, &other.test);
        dataset_close(&other);
    }
    dataset_close(&npy);
}

static void test_data_gen__f32__same_samples(void **state)
{
    (void)state;
    static const char options[] = "--samples 200 --test-samples 60 --features 37 --classes 5 "
                                  "--noise 30% --seed 9 --dtype f32";
    dataset npy, libsvm;
    generate("npy", options, &npy);
    assert_as_defined(&npy, 0.3, 9);
    generate("libsvm", options, &libsvm);
    assert_same_samples(&npy.train, &libsvm.train);
    assert_same_samples(&npy.test, &libsvm.test);
    dataset_close(&npy);
    dataset_close(&libsvm);
}

static void test_data_gen__cifar100__as_defined(void **state)
{
    (void)state;
    dataset data;
    generate("cifar100", "--samples 1500 --test-samples 20 --seed 3", &data);
    assert_int_equal(data.c, 100);
    assert_int_equal(data.d, 3072);
    assert_as_defined(&data, 0.0, 3);
    dataset_close(&data);
}

/* Features and correct labels of a sample do not depend on the number of samples or the noise. */
static void test_data_gen__other_size_and_noise__same_samples(void **state)
{
    (void)state;
    dataset few, many;
    generate("npy", "--samples 300 --test-samples 100 --features 16 --classes 3 --seed 5", &few);
    generate("npy",
             "--samples 2000 --test-samples 700 --features 16 --classes 3 --seed 5 --noise 0.25",
             &many);
    size_t other = 0;
    for (size_t i = 0; i < few.train.n; i++) {
        assert_memory_equal(samples_u8(&few.train, i), samples_u8(&many.train, i), 16);
        other += samples_label(&few.train, i) != samples_label(&many.train, i);
    }
    assert_memory_equal(samples_u8(&few.test, 99), samples_u8(&many.test, 99), 16);
    assert_in_range(other, 50, 100); /* 75 of 300, give or take three standard deviations */
    dataset_close(&few);
    dataset_close(&many);
    generate("npy", "--samples 300 --test-samples 100 --features 16 --classes 3 --seed 6", &few);
    generate("npy", "--samples 300 --test-samples 100 --features 16 --classes 3 --seed 5", &many);
    assert_memory_not_equal(samples_u8(&few.train, 0), samples_u8(&many.train, 0), 16);
    dataset_close(&few);
    dataset_close(&many);
}

static void test_data_gen__shapes__read_back(void **state)
{
    (void)state;
    static const struct {
        const char *format, *options;
        size_t n, d;
    } shapes[] = {
        {"libsvm", "--samples 60 --test-samples 0 --features 1 --classes 2", 60, 1},
        {"idx", "--samples 600 --test-samples 0 --features 1 --classes 2", 600, 1},
        {"idx", "--samples 600 --test-samples 9 --features 7 --classes 3", 609, 7},
        {"idx", "--samples 600 --test-samples 9 --features 49 --classes 3", 609, 49},
        {"npy", "--samples 90 --test-samples 9 --features 1000 --classes 2 --dtype f32", 99, 1000},
        {"npy", "--samples 9 --test-samples 1 --features 1048576 --classes 2", 10, 1048576},
        {"idx", "--samples 9000 --test-samples 1 --features 2 --classes 256 --noise 1", 9001, 2},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        dataset data;
        generate(shapes[i].format, shapes[i].options, &data);
        assert_int_equal(data.train.n + data.test.n, shapes[i].n);
        assert_int_equal(data.d, shapes[i].d);
        dataset_close(&data);
    }
}

/* ---- other programs, training ---- */

static void test_data_gen__numpy__labels_are_those_of_w_and_b(void **state)
{
    (void)state;
    static const char *const dtypes[] = {"u8", "f32"};
    for (int t = 0; t < 2; t++) {
        char command[1024];
        snprintf(command, sizeof command,
                 "rm -f $scratch/set*; $downhill data gen --samples 3000 --test-samples 500 "
                 "--features 50 --classes 7 "
                 "--dtype %s --quiet -o $scratch/set && /usr/bin/python3 -c \"\n"
                 "import numpy, sys\n"
                 "load = lambda name: numpy.load('$scratch/set-' + name + '.npy')\n"
                 "w, b = load('w'), load('b')\n"
                 "assert w.shape == (7, 50) and b.shape == (7,) and w.dtype == b.dtype == 'f4'\n"
                 "for part, n in (('train', 3000), ('test', 500)):\n"
                 "    x, y = load(part + '-x'), load(part + '-y')\n"
                 "    assert x.shape == (n, 50) and y.shape == (n,) and y.dtype == 'i4'\n"
                 "    assert x.dtype == '%s'\n"
                 "    s = x.astype('f8') @ w.T.astype('f8') + b.astype('f8')\n"
                 "    assert (s.argmax(axis=1) == y).all()\n"
                 "    counts = numpy.bincount(y, minlength=7)\n"
                 "    assert counts.min() > n / 14 and counts.max() < n * 2 / 7, counts\n"
                 "\"",
                 dtypes[t], t == 0 ? "u1" : "f4");
        assert_success(command);
        assert_string_equal(shell_out, "");
    }
}

/* A second implementation of data/synthetic.h gives the same bits. */
static void test_data_gen__reference__same_bits(void **state)
{
    (void)state;
    static const char *const shapes[] = {"--features 37 --classes 5 --dtype u8 --seed 3",
                                         "--features 37 --classes 5 --dtype f32 --seed 3",
                                         "--features 1 --classes 3 --dtype u8 --seed 3",
                                         "--features 2 --classes 40 --dtype f32 --seed 3"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "rm -f $scratch/set*; $downhill data gen --samples 400 --test-samples 30 %s "
                 "--quiet -o $scratch/set && "
                 "/usr/bin/python3 -B " DOWNHILL_TESTS "/synthetic_reference.py $scratch/set 3",
                 shapes[i]);
        assert_success(command);
    }
    assert_success("rm $scratch/set*");
}

static double trained_accuracy(const char *format, const char *options, const char *train)
{
    char command[512];
    snprintf(command, sizeof command,
             "$downhill train --quiet --json $scratch/result.json %s --data "
             "\"$($downhill data gen --format %s --samples 6000 --test-samples 2000 %s "
             "-o $scratch/set)\" 2>&-; code=$?; rm -rf $scratch/set*; exit $code",
             train, format, options);
    assert_int_equal(shell(command), EXIT_OK);
    json_t *root = parsed_file("result.json");
    const json_t *run = json_array_get(json_object_get(root, "training"), 0);
    const double reached = number(run, "test_accuracy");
    json_decref(root);
    return reached;
}

static void test_data_gen__training__finds_the_classes(void **state)
{
    (void)state;
    static const char wide[] = "--features 196 --classes 10";
    assert_true(trained_accuracy("npy", wide, "--normalize standardize") > 0.95);
    assert_true(trained_accuracy("idx", wide, "--normalize standardize") > 0.95);
    assert_true(trained_accuracy("npy", "--features 196 --dtype f32", "") > 0.95);
    assert_true(trained_accuracy("libsvm", "--features 20 --classes 4 --dtype f32", "") > 0.95);
    assert_true(trained_accuracy("npy", "--features 196 --dtype f32", "--mmap --loss softmax") >
                0.95);
}

static void test_data_gen__training__noise_is_not_learnt(void **state)
{
    (void)state;
    const double f32 =
        trained_accuracy("npy", "--features 30 --dtype f32 --noise 20%", "--loss softmax");
    const double u8 = trained_accuracy("npy", "--features 30 --noise 20%",
                                       "--loss softmax --normalize standardize");
    if (fabs(f32 - 0.8) > 0.03 || fabs(u8 - 0.8) > 0.03)
        fail_msg("accuracy %g (f32) and %g (u8), not about 0.8", f32, u8);
}

/* ---- output ---- */

static void test_data_gen__json__describes_the_set(void **state)
{
    (void)state;
    assert_success(
        "cd $scratch && $downhill data gen --format idx --samples 5000 --test-samples 1000 "
        "--features 9 --classes 4 --noise 0.2 --seed 11 -o a --json -");
    json_t *root = parsed(shell_out);
    const json_t *set = json_object_get(root, "generated");
    assert_string_equal(string(set, "format"), "idx");
    assert_string_equal(string(set, "dtype"), "u8");
    assert_string_equal(string(set, "data"),
                        "idx:a-train-images.idx,a-train-labels.idx,a-test-images.idx,"
                        "a-test-labels.idx");
    assert_true(number(set, "samples") == 5000.0 && number(set, "test_samples") == 1000.0);
    assert_true(number(set, "features") == 9.0 && number(set, "classes") == 4.0);
    assert_true(number(set, "seed") == 11.0 && number(set, "noise") == 0.2);
    assert_true(fabs(number(set, "noisy_share") - 0.2) < 0.02);
    assert_true(fabs(number(set, "test_noisy_share") - 0.2) < 0.05);
    assert_int_equal(json_array_size(json_object_get(set, "files")), 6);
    json_decref(root);
    assert_success("rm $scratch/a-*");
}

static void test_data_check__libsvm__shape_classes_and_range(void **state)
{
    (void)state;
    assert_success(
        "printf '1 1:-3\\n2 2:5\\n1\\n' >$scratch/train; printf '2 1:9\\n' >$scratch/test; "
        "$downhill data check --data libsvm:$scratch/train,$scratch/test --json "
        "$scratch/check.json");
    static const char *const lines[] = {
        "libsvm: 3 training and 1 test samples (test file), 2 features of f32, 2 classes\n",
        "train: the 2 labels, 1 to 2, are classes 0 to 1 in ascending order\n",
        "\nfeatures  training -3 ... 5, test 0 ... 9\n"
        "class 1                         2          0\n"
        "class 2                         1          1\n"};
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(shell_out, lines[i]));
    assert_int_equal(count_of(shell_out, '\n'), 5);
    json_t *root = parsed_file("check.json");
    const json_t *train = json_object_get(json_object_get(root, "checked"), "train");
    assert_true(number(train, "samples") == 3.0 && number(train, "lowest") == -3.0);
    json_decref(root);
    assert_int_equal(shell("$downhill data check --data libsvm:$scratch/none"), EXIT_DATA);
    assert_int_equal(count_of(shell_err, '\n'), 1);
    assert_success("$downhill data check --quiet");
    assert_string_equal(shell_out, "");
}

static void test_data_gen__classes_without_samples__warning(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill data gen --samples 3 --test-samples 0 -o $scratch/few"),
                     EXIT_OK);
    assert_int_equal(count_of(shell_err, '\n'), 1);
    assert_non_null(strstr(shell_err, "of 10 classes have no training sample"));
    assert_success("rm $scratch/few-*");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_gen__every_format__same_samples),
        cmocka_unit_test(test_data_gen__f32__same_samples),
        cmocka_unit_test(test_data_gen__cifar100__as_defined),
        cmocka_unit_test(test_data_gen__other_size_and_noise__same_samples),
        cmocka_unit_test(test_data_gen__shapes__read_back),
        cmocka_unit_test(test_data_gen__numpy__labels_are_those_of_w_and_b),
        cmocka_unit_test(test_data_gen__reference__same_bits),
        cmocka_unit_test(test_data_gen__training__finds_the_classes),
        cmocka_unit_test(test_data_gen__training__noise_is_not_learnt),
        cmocka_unit_test(test_data_gen__json__describes_the_set),
        cmocka_unit_test(test_data_check__libsvm__shape_classes_and_range),
        cmocka_unit_test(test_data_gen__classes_without_samples__warning),
    };
    return cmocka_run_group_tests_name("data_gen", tests, shell_open, shell_close);
}
