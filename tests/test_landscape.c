/* SPDX-License-Identifier: MIT
 *
 * Random directions and the loss along them, which must be the loss of the moved weights. Also the
 * commands: step-sweep follows the negative gradient, and --three-points matches a calculation by
 * hand. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "base/rng.h"
#include "parallel/team.h"
#include "shell.h"
#include "support.h"
#include "train/draw.h"
#include "train/landscape.h"
#include "train/model_file.h"
#include "trainer_reference.h"
#include "trainer_support.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* The samples fill several blocks of the evaluation, the last one in part. */
enum { N_TRAIN = 2500, N_TEST = 60, D = 9, C = 4, WIDE = D + 1 };

static dataset data;

static int open_all(void **state)
{
    const trainer_size size = {N_TRAIN, N_TEST, D, C};
    char *spec;
    if (shell_open(state) != 0)
        return -1;
    trainer_data(&size, true, 15, &data);
    trainer_write_idx(&data.train, "x", "y");
    trainer_write_idx(&data.test, "tx", "ty");
    assert_true(asprintf(&spec, "idx:%s,%s,%s,%s", scratch_path("x"), scratch_path("y"),
                         scratch_path("tx"), scratch_path("ty")) > 0);
    setenv("data", spec, 1);
    free(spec);
    return 0;
}

static int close_all(void **state)
{
    dataset_close(&data);
    return shell_close(state);
}

/* Returns small multiples of a power of two, so that neither 16 bits nor adding them up rounds. */
static downhill_weights_f32 exact_weights(uint64_t seed, float quantum)
{
    rng r = rng_seeded(seed);
    downhill_weights_f32 w;
    assert_true(weights_new(D, C, &w));
    for (size_t i = 0; i < C * D; i++)
        w.w[i] = (float)rng_between(&r, -50, 50) * quantum;
    for (size_t j = 0; j < C; j++)
        w.b[j] = (float)rng_between(&r, -50, 50) * quantum;
    return w;
}

static void add_scaled(const downhill_weights_f32 *to, const downhill_weights_f32 *direction,
                       double factor)
{
    for (size_t i = 0; i < C * D; i++)
        to->w[i] = (float)((double)to->w[i] + factor * (double)direction->w[i]);
    for (size_t j = 0; j < C; j++)
        to->b[j] = (float)((double)to->b[j] + factor * (double)direction->b[j]);
}

enum { POINTS = 5 };

static const double steps[POINTS] = {-2.0, -0.5, 0.0, 1.0, 2.5};

/* For normalised features, drawn weights agree between feature types, have the requested
 * distribution, and differ between draw numbers. */
static void test_draw__normalised_features__same_weights_for_each_type(void **state)
{
    (void)state;
    features f[2];
    downhill_weights_f32 w[2], other;
    double mean = 0.0, squares = 0.0;
    assert_true(weights_new(D, C, &other));
    for (int way = 0; way < 2; way++) {
        const problem p = trainer_open_way(&data, way, &f[way]);
        assert_true(weights_new(D, C, &w[way]));
        draw_weights(&p, 5, 3, 0.25f, NULL, &w[way]);
        draw_weights(&p, 5, 4, 0.25f, NULL, &other);
        assert_false(trainer_same_weights(&w[way], &other));
        draw_weights(&p, 5, 3, 0.0f, &w[way], &other);
        assert_true(trainer_same_weights(&w[way], &other));
    }
    for (size_t i = 0; i < C * D; i++) {
        const float as_bytes = w[1].w[i] * f[0].norm.scale[i % D];
        assert_true(fabsf(w[0].w[i] - as_bytes) <= 0x1p-22f * fabsf(as_bytes));
    }
    assert_memory_equal(w[0].b, w[1].b, C * sizeof *w[0].b);
    rng r = rng_seeded(1);
    enum { DRAWS = 20000 };
    for (int i = 0; i < DRAWS / 2; i++) {
        double pair[2];
        draw_normal_pair(&r, pair);
        mean += (pair[0] + pair[1]) / DRAWS;
        squares += (pair[0] * pair[0] + pair[1] * pair[1]) / DRAWS;
    }
    assert_true(fabs(mean) < 4.0 / sqrt(DRAWS)); /* four standard deviations of the mean */
    assert_true(fabs(squares - 1.0) < 4.0 * sqrt(2.0 / DRAWS));
    for (int i = 0; i < 2; i++) {
        weights_free(&w[i]);
        features_close(&f[i]);
    }
    weights_free(&other);
}

/* Places points on a line, or on a grid of all pairs of steps. Returns their number. */
static size_t place_points(size_t directions, landscape_point points[POINTS * POINTS])
{
    const size_t count = directions == 1 ? POINTS : POINTS * POINTS;
    for (size_t i = 0; i < count; i++)
        points[i] = (landscape_point){.a = {steps[i % POINTS], 7.0}}; /* 7 is ignored */
    for (size_t i = 0; i < count && directions == 2; i++)
        points[i].a[1] = steps[i / POINTS];
    return count;
}

static void compute_losses(const problem *p, const downhill_weights_f32 *sets, size_t directions,
                           landscape_point points[POINTS * POINTS])
{
    bool done = false;
    const size_t count = place_points(directions, points);
    assert_int_equal(landscape_losses(p, &data.train, sets, directions, points, count, &done),
                     EXIT_OK);
    assert_true(done);
}

static volatile sig_atomic_t stop_requested;

static void request_stop(int number)
{
    stop_requested = number;
}

/* An interrupted command prints one line and writes no file, whether it polls for the signal or
 * leaves it to the handler. */
static void test_interrupted__any_command__reports_that_nothing_was_written(void **state)
{
    (void)state;
    static const struct {
        const char *command, *message;
    } cases[] = {
        {"landscape --data $data --directions 2 --points 3000 --quiet --json $scratch/cut.json",
         "downhill: landscape: interrupted; nothing was written\n"},
        {"verify", "downhill: verify: interrupted; nothing was written\n"},
        {"gradcheck --data npy:$scratch/w-train-x.npy,$scratch/w-train-y.npy --json "
         "$scratch/cut.json",
         "downhill: gradcheck: interrupted; nothing was written\n"},
    };
    assert_int_equal(shell("$downhill data gen -o $scratch/w --samples 1000 --features 2000 "
                           "--classes 10"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[1024];
        snprintf(line, sizeof line,
                 "$downhill %s & p=$!\n"
                 "until grep -q '^SigCgt:.*[4-7c-f][0-9a-f]\\{3\\}$' /proc/$p/status; do\n"
                 " kill -0 $p || exit 99; sleep 0.01; done\n"
                 "kill -TERM $p; wait $p",
                 cases[i].command);
        assert_int_equal(shell(line), 128 + SIGTERM);
        /* A slow build warns about its timings first; the shell may add "Terminated". */
        const char *found = strstr(shell_err, cases[i].message);
        assert_non_null(found);
        assert_int_equal(count_of(found, ':'), 2);
        assert_int_not_equal(access(scratch_path("cut.json"), F_OK), 0);
    }
    shell("rm $scratch/w-*");
}

/* All samples form one block, which takes seconds for so many points. */
static void test_landscape_losses__stopped_within_a_block__not_done(void **state)
{
    (void)state;
    enum { MANY = 400000 };
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}}; /* of CPU time */
    downhill_weights_f32 sets[] = {exact_weights(1, 0x1p-9f), exact_weights(2, 0x1p-9f)};
    landscape_point *points = calloc(MANY, sizeof *points);
    features f;
    problem p = trainer_open_way(&data, 0, &f);
    bool done = true;
    assert_non_null(points);
    p.stop = &stop_requested;
    void (*before)(int) = signal(SIGPROF, request_stop);
    assert_int_equal(setitimer(ITIMER_PROF, &soon, NULL), 0);
    assert_int_equal(landscape_losses(&p, &data.train, sets, 1, points, MANY, &done), EXIT_OK);
    const struct itimerval never = {0};
    setitimer(ITIMER_PROF, &never, NULL);
    signal(SIGPROF, before);
    assert_int_equal(stop_requested, SIGPROF);
    assert_false(done);
    free(points);
    features_close(&f);
    weights_free(&sets[0]);
    weights_free(&sets[1]);
}

static void check_points(const problem *p, const downhill_weights_f32 *sets, size_t directions)
{
    landscape_point points[POINTS * POINTS];
    compute_losses(p, sets, directions, points);
    for (size_t i = 0; i < (directions == 1 ? POINTS : POINTS * POINTS); i++) {
        downhill_weights_f32 moved;
        assert_true(weights_new(D, C, &moved));
        weights_copy(&sets[0], &moved);
        for (size_t v = 0; v < directions; v++)
            add_scaled(&moved, &sets[v + 1], points[i].a[v]);
        const reference want = reference_at(p, &data.train, &moved);
        /* In f32 each of the added scores is rounded separately. */
        const double bound = 4.0 * want.bound + 1e-12;
        if (!(fabs(points[i].loss - want.loss) <= bound))
            fail_msg("point %zu: loss %.12g, f64 reference %.12g, bound %g", i, points[i].loss,
                     want.loss, bound);
        weights_free(&moved);
    }
}

static void test_landscape__losses__those_of_the_moved_weights(void **state)
{
    (void)state;
    for (int way = 0; way < TRAINER_WAYS; way++) {
        features f;
        problem p = trainer_open_way(&data, way, &f);
        const float quantum =
            f.type == FEATURES_U8 ? 0x1p-13f : 0x1p-6f; /* bytes: smaller weights */
        downhill_weights_f32 sets[3];
        for (uint64_t i = 0; i < 3; i++)
            sets[i] = exact_weights(i + 1, quantum);
        for (size_t directions = 1; directions <= 2; directions++) {
            check_points(&p, sets, directions);
            landscape_point one[POINTS * POINTS], other[POINTS * POINTS];
            compute_losses(&p, sets, directions, one);
            p.threads = team_supported() ? 3 : 1;
            compute_losses(&p, sets, directions, other);
            for (size_t i = 0; i < (directions == 1 ? POINTS : POINTS * POINTS); i++)
                assert_true(one[i].loss == other[i].loss);
            p.threads = 1;
        }
        for (int i = 0; i < 3; i++)
            weights_free(&sets[i]);
        features_close(&f);
    }
}

static void test_landscape__stopped__not_done(void **state)
{
    (void)state;
    static const volatile sig_atomic_t now = 1;
    features f;
    problem p = trainer_open_way(&data, 0, &f);
    downhill_weights_f32 sets[2] = {exact_weights(1, 0x1p-13f), exact_weights(2, 0x1p-13f)};
    landscape_point points[POINTS * POINTS];
    bool done = true;
    p.stop = &now;
    assert_int_equal(
        landscape_losses(&p, &data.train, sets, 1, points, place_points(1, points), &done),
        EXIT_OK);
    assert_false(done);
    weights_free(&sets[0]);
    weights_free(&sets[1]);
    features_close(&f);
}

/* ---- the commands ---- */

static json_t *points_of(const char *command, const char *name)
{
    if (shell(command) != EXIT_OK)
        fail_msg("%s: %s", command, shell_err);
    json_t *root = parsed(shell_out);
    json_t *points = json_incref(json_object_get(json_object_get(root, name), "points"));
    assert_true(json_is_array(points));
    json_decref(root);
    return points;
}

static double at(const json_t *points, size_t i, size_t k)
{
    const json_t *value = json_array_get(json_array_get(points, i), k);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

/* Trains a model and checks step-sweep around it against the f64 loss and gradient, for the
 * features that the model was trained on. */
static void check_sweep(const char *train, int way)
{
    features f;
    model_file m;
    double gradient[C * WIDE], squares = 0.0;
    assert_int_equal(shell(train), EXIT_OK);
    assert_int_equal(model_file_read(scratch_path("m.npz"), &m), EXIT_OK);
    problem p = trainer_open_way(&data, way, &f);
    p.reg = 0.5f; /* large enough to be a good part of the gradient */
    const reference here = reference_at(&p, &data.train, &m.weights);
    reference_gradient(&p, &data.train, &m.weights, gradient);
    for (size_t i = 0; i < C * WIDE; i++)
        squares += gradient[i] * gradient[i];
    char *line;
    assert_true(asprintf(&line,
                         "$downhill step-sweep --data $data --model $scratch/m.npz --reg 0.5 "
                         "--loss %s --from 1e-4 --to 2e-4 --points 2 --json -",
                         p.loss.kind == DOWNHILL_SOFTMAX ? "softmax" : "hinge") > 0);
    json_t *points = points_of(line, "step_sweep");
    assert_int_equal(json_array_size(points), 3);
    assert_true(at(points, 0, 0) == 0.0);
    assert_true(fabs(at(points, 1, 0) - 1e-4) < 1e-12 && fabs(at(points, 2, 0) - 2e-4) < 1e-12);
    assert_true(fabs(at(points, 0, 1) - here.loss) <= here.bound + 1e-8 * here.loss);
    /* Per unit of step size the loss falls by the squared norm of the gradient; the steps are so
     * small that the gradient stays almost constant. */
    for (size_t i = 1; i < 3; i++) {
        const double slope = (at(points, 0, 1) - at(points, i, 1)) / at(points, i, 0);
        if (!(fabs(slope - squares) <= 0.02 * squares))
            fail_msg("%s: the loss falls by %g per unit step, the squared gradient is %g", train,
                     slope, squares);
    }
    json_decref(points);
    free(line);
    model_file_close(&m);
    features_close(&f);
}

#define TRAIN                                                                                      \
    "$downhill train --data $data --quiet --epochs 2 --lr 0.002 --reg 0.01 --normalize "           \
    "standardize --model $scratch/m.npz "

static void test_step_sweep__small_steps__loss_falls_by_the_squared_gradient(void **state)
{
    (void)state;
    check_sweep(TRAIN "--loss hinge --dtype u8", 0);
    check_sweep(TRAIN "--loss hinge --dtype f32", 1);
    check_sweep(TRAIN "--loss softmax --dtype f32", 2);
    check_sweep(TRAIN "--loss softmax --dtype u8", 3);
}

/* The middle of the curve is the model. Directions have length 1 in units of normalised features,
 * for either feature type. */
static void test_landscape__around_a_model__same_for_bytes_and_f32(void **state)
{
    (void)state;
    double losses[2][3];
    for (int type = 0; type < 2; type++) {
        features f;
        model_file m;
        const problem p = trainer_open_way(&data, type, &f);
        assert_int_equal(shell(type == 0 ? TRAIN "--dtype u8" : TRAIN "--dtype f32"), EXIT_OK);
        assert_int_equal(model_file_read(scratch_path("m.npz"), &m), EXIT_OK);
        json_t *points = points_of("$downhill landscape --data $data --model $scratch/m.npz --reg "
                                   "0.01 --points 3 --range 5 --json -",
                                   "landscape");
        const reference here = reference_at(&p, &data.train, &m.weights);
        assert_true(at(points, 1, 0) == 0.0);
        assert_true(fabs(at(points, 1, 1) - here.loss) <= 2.0 * here.bound + 1e-8 * here.loss);
        for (size_t i = 0; i < 3; i++)
            losses[type][i] = at(points, i, 1);
        json_decref(points);
        model_file_close(&m);
        features_close(&f);
    }
    for (size_t i = 0; i < 3; i++)
        assert_true(fabs(losses[0][i] - losses[1][i]) <= 1e-2 * losses[1][i]);
    assert_true(losses[0][0] > 1.5 * losses[0][1] && losses[0][2] > 1.5 * losses[0][1]);
}

/* Samples x = 1, -1.5, 0.5 have labels 0, 1, 2; w1 = -0.5, w2 = 1. */
static void test_three_points__losses__match_calculation_by_hand(void **state)
{
    (void)state;
    static const double want[][4] = {
        {-2.0, 6.5, 3.25, 0.25}, /* (0.5 + 2) + (2 + 2);  3 - 0.75 + 1;  0.25 */
        {-1.0, 4.5, 1.75, 0.25}, /* 1.5 + 3;  1.5 + 0.25;  0.25 */
        {0.0, 2.5, 0.25, 0.75},  /* 0.5 + 2;  0.25;  0.5 + 0.25 */
        {1.0, 1.0, 0.0, 1.25},   /* 1;  none;  1 + 0.25 */
        {2.0, 0.0, 0.0, 1.75},   /* none;  none;  1.5 + 0.25 */
    };
    json_t *points =
        points_of("$downhill landscape --three-points --points 5 --range 2 --json -", "landscape");
    assert_int_equal(json_array_size(points), 5);
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 4; k++)
            if (fabs(at(points, i, k) - want[i][k]) > 1e-6)
                fail_msg("w0 = %g, column %zu: %g, not %g", want[i][0], k, at(points, i, k),
                         want[i][k]);
        const double mean = (want[i][1] + want[i][2] + want[i][3]) / 3.0;
        assert_true(fabs(at(points, i, 4) - mean) < 1e-6);
    }
    json_decref(points);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupted__any_command__reports_that_nothing_was_written),
        cmocka_unit_test(test_landscape_losses__stopped_within_a_block__not_done),
        cmocka_unit_test(test_draw__normalised_features__same_weights_for_each_type),
        cmocka_unit_test(test_landscape__losses__those_of_the_moved_weights),
        cmocka_unit_test(test_landscape__stopped__not_done),
        cmocka_unit_test(test_step_sweep__small_steps__loss_falls_by_the_squared_gradient),
        cmocka_unit_test(test_landscape__around_a_model__same_for_bytes_and_f32),
        cmocka_unit_test(test_three_points__losses__match_calculation_by_hand),
    };
    return cmocka_run_group_tests_name("landscape", tests, open_all, close_all);
}
