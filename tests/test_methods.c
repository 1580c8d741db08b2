/* SPDX-License-Identifier: MIT
 *
 * The evaluator, and the training methods other than stochastic gradient descent, against an f64
 * reference. */
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "parallel/team.h"
#include "support.h"
#include "train/draw.h"
#include "train/lbfgs_method.h"
#include "train/numerical.h"
#include "train/search.h"
#include "trainer_reference.h"
#include "trainer_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* More training samples than the evaluator processes at a time. */
enum { N_TRAIN = 1500, N_TEST = 100, D = 9, C = 4, WIDE = D + 1 };

static dataset data;

static int open_all(void **state)
{
    const trainer_size size = {N_TRAIN, N_TEST, D, C};
    trainer_data(&size, true, 15, &data);
    return scratch_open(state);
}

static int close_all(void **state)
{
    dataset_close(&data);
    return scratch_close(state);
}

static const method_events no_events;

static void assert_near_reference(const problem *p, const samples *s, const downhill_weights_f32 *w,
                                  double loss)
{
    const reference want = reference_at(p, s, w);
    if (!(fabs(loss - want.loss) <= want.bound))
        fail_msg("loss %.12g, f64 reference %.12g, difference %g, bound %g", loss, want.loss,
                 fabs(loss - want.loss), want.bound);
}

/* ---- the evaluator ---- */

static void test_evaluator__many_sets__same_as_one_by_one_and_near_f64(void **state)
{
    (void)state;
    enum { SETS = 5 };
    for (int way = 0; way < TRAINER_WAYS; way++) {
        features f;
        problem p = trainer_open_way(&data, way, &f);
        p.reg = 0.0f;
        downhill_weights_f32 all = trainer_weights(D, SETS * C, 4);
        evaluator *many = evaluator_open(&f, NULL, p.loss, C, SETS, 1),
                  *threads = evaluator_open(&f, NULL, p.loss, C, SETS, 3),
                  *one = evaluator_open(&f, NULL, p.loss, C, 1, 1);
        assert_true(many != NULL && threads != NULL && one != NULL);
        const samples *parts[] = {&data.train, &data.test};
        for (int s = 0; s < 2; s++) {
            evaluation results[SETS], by_threads[SETS], alone;
            assert_int_equal(evaluator_run(many, &all, SETS, parts[s], results), DOWNHILL_OK);
            assert_int_equal(evaluator_run(threads, &all, SETS, parts[s], by_threads), DOWNHILL_OK);
            for (size_t i = 0; i < SETS; i++) {
                const downhill_weights_f32 set = {all.w + i * C * D, D, all.b + i * C, D, C};
                assert_int_equal(evaluator_run(one, &set, 1, parts[s], &alone), DOWNHILL_OK);
                assert_true(results[i].accuracy == alone.accuracy);
                assert_true(results[i].accuracy == reference_at(&p, parts[s], &set).accuracy);
                assert_near_reference(&p, parts[s], &set, alone.loss);
                assert_near_reference(&p, parts[s], &set, results[i].loss);
                assert_memory_equal(&results[i], &by_threads[i], sizeof results[i]);
                /* In f32 the order of summation may depend on the number of classes, and block
                 * sizes differ. */
                if (f.type == FEATURES_U8)
                    assert_true(fabs(results[i].loss - alone.loss) <= 1e-14 * alone.loss);
            }
        }
        evaluator_close(many);
        evaluator_close(threads);
        evaluator_close(one);
        weights_free(&all);
        features_close(&f);
    }
}

static void test_evaluator__scores_of_a_part__same_as_in_the_whole(void **state)
{
    (void)state;
    features f;
    const problem p = trainer_open_way(&data, 0, &f);
    downhill_weights_f32 w = trainer_weights(D, C, 8);
    evaluator *e = evaluator_open(&f, NULL, p.loss, C, 1, 1);
    double *all = malloc(N_TRAIN * C * sizeof *all), part[7 * C];
    assert_true(e != NULL && all != NULL);
    assert_int_equal(evaluator_scores(e, &w, &data.train, 0, N_TRAIN, all), DOWNHILL_OK);
    static const size_t firsts[] = {0, 1, 1020, N_TRAIN - 7};
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        assert_int_equal(evaluator_scores(e, &w, &data.train, firsts[i], 7, part), DOWNHILL_OK);
        assert_memory_equal(part, all + firsts[i] * C, sizeof part);
    }
    evaluator_close(e);
    weights_free(&w);
    free(all);
    features_close(&f);
}

/* ---- the searches ---- */

typedef int search_method(const problem *p, const search_options *options,
                          const method_events *events, method_result *result);

/* Repeats the search with the reference and checks that the method kept the same tries. Returns
 * their number. */
static size_t search_in_f64(const problem *p, const search_options *options, bool local,
                            const method_result *got)
{
    downhill_weights_f32 kept, tried;
    size_t n_kept = 0;
    double best = INFINITY;
    assert_true(weights_new(D, C, &kept) && weights_new(D, C, &tried));
    for (size_t number = local ? 0 : 1; number <= options->tries; number++) {
        const bool from = local && number > 0;
        draw_weights(p, options->seed, number, from ? options->step : options->scale,
                     from ? &kept : NULL, &tried);
        const reference want = reference_at(p, &data.train, &tried);
        if (!(want.loss < best))
            continue;
        best = want.loss;
        weights_copy(&tried, &kept);
        assert_true(n_kept < got->n_points);
        assert_int_equal(got->points[n_kept].number, number);
        assert_true(fabs(got->points[n_kept].loss - want.loss) <= want.bound);
        n_kept++;
    }
    assert_int_equal(n_kept, got->n_points);
    assert_true(trainer_same_weights(&kept, &got->weights));
    weights_free(&kept);
    weights_free(&tried);
    return n_kept;
}

static void assert_same_result(const method_result *a, const method_result *b)
{
    assert_int_equal(a->n_points, b->n_points);
    for (size_t i = 0; i < a->n_points; i++) {
        assert_int_equal(a->points[i].number, b->points[i].number);
        assert_true(a->points[i].loss == b->points[i].loss);
    }
    assert_string_equal(a->digest, b->digest);
    assert_true(a->test_accuracy == b->test_accuracy);
}

static void check_search(search_method *method, bool local, const search_options *options)
{
    for (int way = 0; way < TRAINER_WAYS; way++) {
        features f;
        problem p = trainer_open_way(&data, way, &f);
        method_result r, other;
        assert_int_equal(method(&p, options, &no_events, &r), EXIT_OK);
        assert_int_equal(r.tried, options->tries);
        assert_int_equal(r.evaluations, options->tries + (local ? 1 : 0));
        for (size_t i = 1; i < r.n_points; i++)
            assert_true(r.points[i].loss < r.points[i - 1].loss &&
                        r.points[i].number > r.points[i - 1].number);
        assert_true(search_in_f64(&p, options, local, &r) > 3);
        assert_true(r.test_accuracy == reference_at(&p, &data.test, &r.weights).accuracy);
        p.threads = team_supported() ? 2 : 1;
        assert_int_equal(method(&p, options, &no_events, &other), EXIT_OK);
        assert_same_result(&r, &other);
        method_free(&other);
        p.threads = 1;
        const downhill_kernels *tables[LEVELS_MAX];
        const size_t n_tables = f.type == FEATURES_U8 ? levels_to_run(NULL, tables) : 0;
        for (size_t t = 0; t < n_tables; t++) {
            p.kernels = tables[t];
            assert_int_equal(method(&p, options, &no_events, &other), EXIT_OK);
            assert_same_result(&r, &other);
            method_free(&other);
        }
        method_free(&r);
        features_close(&f);
    }
}

/* More tries than one pass evaluates. */
static void test_random_search__many_tries__each_improvement_kept(void **state)
{
    (void)state;
    const search_options options = {.tries = 150, .scale = 0.3f, .seed = 3};
    check_search(random_search, false, &options);
}

static void test_local_search__many_tries__each_improvement_kept(void **state)
{
    (void)state;
    const search_options options = {.tries = 60, .scale = 0.1f, .step = 0.05f, .seed = 3};
    check_search(local_search, true, &options);
}

/* An interrupted result has neither accuracy nor digest. */
static void test_methods__stopped__no_accuracy_no_digest(void **state)
{
    (void)state;
    static const volatile sig_atomic_t now = 1;
    const numerical_options numerical = {
        .batch = 50, .steps = 3, .coordinates = SIZE_MAX, .h = 1e-3f, .lr = 0.1f, .seed = 3};
    const lbfgs_options lbfgs = {.iterations = 3, .tolerance = 1e-9};
    const search_options search = {.tries = 3, .scale = 0.1f, .step = 0.1f, .seed = 3};
    for (int m = 0; m < 4; m++) {
        features f;
        method_result r;
        numerical_cost cost;
        problem p = trainer_open_way(&data, 1, &f);
        p.stop = &now;
        assert_int_equal(m == 0   ? random_search(&p, &search, &no_events, &r)
                         : m == 1 ? local_search(&p, &search, &no_events, &r)
                         : m == 2 ? numerical_train(&p, &numerical, &no_events, &r, &cost)
                                  : lbfgs_train(&p, &lbfgs, &no_events, &r),
                         EXIT_OK);
        assert_true(r.interrupted && r.n_points == 0 && isnan(r.test_accuracy));
        assert_string_equal(r.digest, "");
        method_free(&r);
        features_close(&f);
    }
}

/* ---- finite differences ---- */

static numerical_options numerical_of(bool centred, size_t coordinates)
{
    return (numerical_options){.centred = centred,
                               .h = 1e-2f,
                               .coordinates = coordinates,
                               .batch = 300,
                               .steps = 4,
                               .lr = 0.1f,
                               .seed = 2};
}

/* Forward differences are off by h/2 times the second derivative, which is below x²/4 for softmax;
 * centred ones by the rounding errors of f32. Features have variance 1, and the gradient is about
 * 0.5. */
static void test_numerical__forward_and_centred__agree_and_count_evaluations(void **state)
{
    (void)state;
    features f;
    const problem p = trainer_open_way(&data, 2, &f);
    for (int centred = 0; centred < 2; centred++)
        for (int all = 0; all < 2; all++) {
            const numerical_options options = numerical_of(centred, all ? SIZE_MAX : 10);
            const size_t coordinates = all ? C * WIDE : 10,
                         evaluations = centred ? 2 * coordinates : coordinates + 1;
            method_result r;
            numerical_cost cost;
            assert_int_equal(numerical_train(&p, &options, &no_events, &r, &cost), EXIT_OK);
            assert_int_equal(r.tried, 4);
            assert_int_equal(r.n_points, 4);
            assert_int_equal(cost.coordinates, coordinates);
            assert_int_equal(cost.evaluations, evaluations);
            assert_int_equal(r.evaluations, 4 * evaluations);
            for (size_t i = 0; i < 4; i++)
                assert_int_equal(r.points[i].evaluations, (i + 1) * evaluations);
            assert_true(r.points[3].loss < r.points[0].loss);
            assert_true(fabs(r.points[0].loss - log(C)) < 1e-6);
            print_message("%s, %zu coordinates: difference %g\n", centred ? "centred" : "forward",
                          coordinates, cost.difference);
            assert_true(cost.difference > 0.0 && cost.difference < (centred ? 2e-4 : 2e-2));
            method_free(&r);
        }
    features_close(&f);
}

/* One step on all samples follows the negative f64 gradient in the drawn coordinates and changes no
 * others. */
static void test_numerical__one_step__follows_the_gradient(void **state)
{
    (void)state;
    features f;
    const problem p = trainer_open_way(&data, 2, &f);
    double gradient[C * WIDE];
    downhill_weights_f32 zero;
    assert_true(weights_new(D, C, &zero));
    reference_gradient(&p, &data.train, &zero, gradient);
    for (int all = 0; all < 2; all++) {
        numerical_options options = numerical_of(true, all ? SIZE_MAX : 10);
        method_result r;
        numerical_cost cost;
        size_t moved = 0;
        options.batch = N_TRAIN + 100;
        options.steps = 1;
        assert_int_equal(numerical_train(&p, &options, &no_events, &r, &cost), EXIT_OK);
        for (size_t j = 0; j < C; j++)
            for (size_t k = 0; k <= D; k++) {
                const double value = (double)(k < D ? r.weights.w[j * D + k] : r.weights.b[j]);
                if (value == 0.0)
                    continue;
                moved++;
                assert_true(fabs(value + 0.1 * gradient[j * WIDE + k]) < 1e-5);
            }
        assert_int_equal(moved, all ? C * WIDE : 10);
        options.steps = 2; /* the second step draws other coordinates */
        method_result two;
        assert_int_equal(numerical_train(&p, &options, &no_events, &two, &cost), EXIT_OK);
        size_t moved_by_two = 0;
        for (size_t i = 0; i < C * D; i++)
            moved_by_two += two.weights.w[i] != 0.0f;
        for (size_t j = 0; j < C; j++)
            moved_by_two += two.weights.b[j] != 0.0f;
        assert_true(all ? moved_by_two == C * WIDE : moved_by_two > 10 && moved_by_two <= 20);
        method_free(&two);
        method_free(&r);
    }
    weights_free(&zero);
    features_close(&f);
}

/* ---- L-BFGS ---- */

static double norm_of(const double *v, size_t count)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

static void ignore(const sgd_epoch *epoch, size_t number, void *context)
{
    (void)epoch, (void)number, (void)context;
}

static void test_lbfgs__softmax__converges_to_the_minimum(void **state)
{
    (void)state;
    features f;
    problem p = trainer_open_way(&data, 2, &f);
    const lbfgs_options options = {.iterations = 500, .tolerance = 1e-4};
    method_result r;
    double gradient[C * WIDE];
    assert_int_equal(lbfgs_train(&p, &options, &no_events, &r), EXIT_OK);
    assert_string_equal(r.why_ended, "converged");
    assert_true(r.n_points > 3 && r.tried == r.n_points && r.tried < 500);
    for (size_t i = 1; i < r.n_points; i++)
        assert_true(r.points[i].loss < r.points[i - 1].loss);
    assert_near_reference(&p, &data.train, &r.weights, r.points[r.n_points - 1].loss);
    reference_gradient(&p, &data.train, &r.weights, gradient);
    double squares = 0.0;
    for (size_t i = 0; i < C * D; i++)
        squares += (double)r.weights.w[i] * (double)r.weights.w[i];
    for (size_t j = 0; j < C; j++)
        squares += (double)r.weights.b[j] * (double)r.weights.b[j];
    const double norm = norm_of(gradient, C * WIDE);
    print_message("%zu iterations, gradient %g\n", r.tried, norm);
    assert_true(norm < 1.1e-4 * fmax(1.0, sqrt(squares)));
    /* Gradient descent ends at a higher loss after as many passes over the samples. */
    trainer_job job = trainer_defaults(&data, DOWNHILL_SOFTMAX);
    job.normalise = NORMALISE_STANDARDISE;
    job.p.reg = p.reg;
    job.sgd.epochs = r.evaluations;
    sgd_result sgd;
    const sgd_events events = {.epoch = ignore};
    assert_int_equal(trainer_run(job, NULL, &events, &sgd), EXIT_OK);
    assert_true(reference_at(&p, &data.train, sgd.weights).loss > r.points[r.n_points - 1].loss);
    sgd_free(&sgd);
    method_result few;
    const lbfgs_options three = {.iterations = 3, .tolerance = 1e-9};
    assert_int_equal(lbfgs_train(&p, &three, &no_events, &few), EXIT_OK);
    assert_null(few.why_ended);
    assert_int_equal(few.tried, 3);
    assert_true(few.points[2].loss == r.points[2].loss);
    method_free(&few);
    method_free(&r);
    features_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluator__many_sets__same_as_one_by_one_and_near_f64),
        cmocka_unit_test(test_evaluator__scores_of_a_part__same_as_in_the_whole),
        cmocka_unit_test(test_random_search__many_tries__each_improvement_kept),
        cmocka_unit_test(test_local_search__many_tries__each_improvement_kept),
        cmocka_unit_test(test_methods__stopped__no_accuracy_no_digest),
        cmocka_unit_test(test_numerical__forward_and_centred__agree_and_count_evaluations),
        cmocka_unit_test(test_numerical__one_step__follows_the_gradient),
        cmocka_unit_test(test_lbfgs__softmax__converges_to_the_minimum),
    };
    return cmocka_run_group_tests_name("methods", tests, open_all, close_all);
}
