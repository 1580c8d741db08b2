/* SPDX-License-Identifier: MIT
 *
 * The trainer, on a small set that a linear classifier can separate. */
#include "cmocka_all.h"

#include "base/error.h"
#include "base/levels.h"
#include "base/memory.h"
#include "parallel/team.h"
#include "support.h"
#include "trainer_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_TRAIN = 1200, N_TEST = 300, D = 37, C = 5 };

static dataset data;

static int open_all(void **state)
{
    const trainer_size size = {N_TRAIN, N_TEST, D, C};
    trainer_data(&size, true, 4, &data);
    return scratch_open(state);
}

static int close_all(void **state)
{
    dataset_close(&data);
    return scratch_close(state);
}

static trainer_job defaults(downhill_loss_kind kind)
{
    return trainer_defaults(&data, kind);
}

static size_t reports;

static void count_reports(const sgd_epoch *epoch, size_t number, void *context)
{
    (void)context;
    reports++;
    assert_int_equal(number, reports);
    assert_true(epoch->seconds > 0.0 && epoch->samples_per_s > 0.0);
}

static int train(trainer_job run, const sgd_state *from, const sgd_events *events,
                 sgd_result *result)
{
    reports = from != NULL ? from->epoch : 0;
    return trainer_run(run, from, events, result);
}

static const sgd_events counting = {.epoch = count_reports};

static sgd_result trained(trainer_job run)
{
    sgd_result result;
    assert_int_equal(train(run, NULL, &counting, &result), EXIT_OK);
    assert_int_equal(result.state.epoch, run.sgd.epochs);
    assert_int_equal(reports, run.sgd.epochs);
    return result;
}

static void test_train__separable_set__loss_falls_and_accuracy_rises(void **state)
{
    (void)state;
    for (int kind = DOWNHILL_HINGE; kind <= DOWNHILL_SOFTMAX; kind++) {
        const trainer_job run = defaults((downhill_loss_kind)kind);
        sgd_result r = trained(run);
        const double want = kind == DOWNHILL_HINGE ? C - 1.0 : log(C);
        assert_true(fabs(r.state.first_loss - want) < 1e-5 * want);
        const sgd_epoch *last = &r.state.epochs[r.state.epoch - 1];
        assert_true(last->train_loss < 0.5 * r.state.epochs[0].train_loss);
        assert_true(last->test_accuracy > 0.8); /* guessing: 0.2 */
        sgd_free(&r);
    }
}

static double phases_seconds(const downhill_profile *p)
{
    return (double)(p->gather_ns + p->score_ns + p->loss_ns + p->grad_ns + p->update_ns) * 1e-9;
}

static void test_train__phases__add_up_to_the_time(void **state)
{
    (void)state;
    const trainer_job run = defaults(DOWNHILL_SOFTMAX);
    /* The promised 2 % hold for real sizes. Steps here take a few microseconds, and a busy machine
     * may interrupt any of them, so one good run of many is enough. */
    double best = 0.0;
    for (int tries = 0; tries < 20 && best <= 0.5; tries++) {
        sgd_result r = trained(run);
        const double share = phases_seconds(&r.state.phases) / r.seconds;
        assert_true(share <= 1.001);
        best = share > best ? share : best;
        sgd_free(&r);
    }
    assert_true(best > 0.5);
}

static void test_train__several_threads__same_losses(void **state)
{
    (void)state;
    trainer_job run = defaults(DOWNHILL_SOFTMAX);
    sgd_result one = trained(run);
    run.p.threads = 3;
    sgd_result three = trained(run), again = trained(run);
    for (size_t e = 0; e < run.sgd.epochs; e++) {
        const double loss = one.state.epochs[e].train_loss;
        assert_true(fabs(three.state.epochs[e].train_loss - loss) <= 1e-4 * loss);
        assert_true(three.state.epochs[e].train_loss == again.state.epochs[e].train_loss);
    }
    sgd_free(&one);
    sgd_free(&three);
    sgd_free(&again);
}

static void test_train__same_seed__same_bits(void **state)
{
    (void)state;
    trainer_job run = defaults(DOWNHILL_HINGE);
    sgd_result a = trained(run), b = trained(run);
    run.sgd.seed++;
    sgd_result c = trained(run);
    bool seed_matters = false;
    for (size_t e = 0; e < run.sgd.epochs; e++) {
        assert_true(a.state.epochs[e].train_loss == b.state.epochs[e].train_loss);
        assert_true(a.state.epochs[e].test_accuracy == b.state.epochs[e].test_accuracy);
        seed_matters = seed_matters || a.state.epochs[e].train_loss != c.state.epochs[e].train_loss;
    }
    assert_true(seed_matters);
    sgd_free(&a);
    sgd_free(&b);
    sgd_free(&c);
}

static void test_train__every_level__losses_agree(void **state)
{
    (void)state;
    for (int kind = DOWNHILL_HINGE; kind <= DOWNHILL_SOFTMAX; kind++) {
        trainer_job run = defaults((downhill_loss_kind)kind);
        double scalar = NAN;
        downhill_level level;
        for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++) {
            const downhill_kernels *kernels;
            if (!level.usable)
                continue;
            assert_int_equal(downhill_select(level.name, &kernels, NULL, 0), DOWNHILL_OK);
            run.p.kernels = kernels;
            sgd_result r = trained(run);
            const double loss = r.state.epochs[r.state.epoch - 1].train_loss;
            if (strcmp(level.name, "scalar") == 0)
                scalar = loss;
            /* Rounding differs and the hinge has kinks, so the trajectories differ a little. */
            if (!(fabs(loss - scalar) <= 0.01 * scalar))
                fail_msg("%s: final loss %.9g, scalar %.9g", level.name, loss, scalar);
            sgd_free(&r);
        }
    }
}

/* W grows by a factor each step until it overflows. */
static void test_train__divergence__reported(void **state)
{
    (void)state;
    trainer_job run = defaults(DOWNHILL_HINGE);
    run.sgd.lr = 1e6f;
    run.p.reg = 1e6f;
    sgd_result r;
    capture_stderr();
    const int code = train(run, NULL, &counting, &r);
    const char *text = captured();
    assert_int_equal(code, EXIT_CHECK);
    assert_int_equal(count_of(text, '\n'), 1);
    assert_non_null(strstr(text, "--lr"));
    sgd_free(&r);
}

static void test_train__batch_larger_than_the_set__one_step_per_epoch(void **state)
{
    (void)state;
    trainer_job run = defaults(DOWNHILL_HINGE);
    run.sgd.batch = 10 * N_TRAIN;
    run.sgd.epochs = 2;
    sgd_result r = trained(run);
    /* The first step sees every sample at W = 0. */
    assert_true(fabs(r.state.epochs[0].train_loss - (C - 1.0)) < 1e-5);
    assert_true(r.state.epochs[1].train_loss < r.state.epochs[0].train_loss);
    sgd_free(&r);
}

/* With one sample and batch 1 the weights after each step are known in closed form, and so are the
 * losses. This checks the factors of learning rate, penalty and 1/n. */
static void test_train__two_steps__by_hand(void **state)
{
    (void)state;
    uint8_t x[2] = {102, 51};
    int32_t y[1] = {1};
    size_t row = 0;
    dataset one = {.c = 2, .d = 2, .stored = {{.rows = 1, .d = 2, .ld = 2, .u8 = x, .y = y}}};
    one.train = one.test = (samples){&one.stored[0], &row, 1};
    const double lr = 0.125, reg = 0.5;
    const double xx = 0.4 * 0.4 + 0.2 * 0.2;
    /* Each step: w1 += lr·x, w0 -= lr·x, biases likewise, then the decay of W but not of b. */
    const double margin_2 = 1.0 - 2.0 * lr * (xx + 1.0);
    const double decay = 1.0 - 2.0 * lr * reg;
    const double margin_3 = 1.0 - 2.0 * lr * (xx * decay + 1.0) - 2.0 * lr * (xx + 1.0);
    for (int type = FEATURES_U8; type <= FEATURES_F32; type++) {
        trainer_job run = trainer_defaults(&one, DOWNHILL_HINGE);
        run.sgd = (sgd_options){.batch = 1, .lr = (float)lr, .epochs = 3, .seed = 1};
        run.type = (feature_type)type;
        run.p.reg = (float)reg;
        /* Weights are rounded to 2⁻¹⁴ of the largest, which is below lr. */
        const double tolerance = type == FEATURES_U8 ? 2.0 * 2.0 * lr * 0x1p-14 : 1e-6;
        sgd_result r = trained(run);
        assert_true(fabs(r.state.epochs[0].train_loss - 1.0) < 1e-6);
        assert_true(fabs(r.state.epochs[1].train_loss - margin_2) < tolerance);
        assert_true(fabs(r.state.epochs[2].train_loss - margin_3) < tolerance);
        sgd_free(&r);
    }
}

/* ---- bytes, exactly ---- */

static void test_train__u8__same_digest_for_all_levels_and_threads(void **state)
{
    (void)state;
    char first[MODEL_DIGEST_TEXT] = "";
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t n_tables = levels_to_run(NULL, tables);
    assert_true(n_tables > 0);
    for (size_t t = 0; t < n_tables; t++)
        for (size_t threads = 1; threads <= (team_supported() ? 4 : 1); threads++) {
            trainer_job run = defaults(DOWNHILL_HINGE);
            run.p.kernels = tables[t];
            run.normalise = NORMALISE_STANDARDISE;
            run.p.threads = threads;
            run.sgd.epochs = 2;
            sgd_result r = trained(run);
            assert_int_equal(strlen(r.digest), MODEL_DIGEST_TEXT - 1);
            if (first[0] == '\0')
                memcpy(first, r.digest, sizeof first);
            assert_string_equal(r.digest, first);
            sgd_free(&r);
        }
}

/* Each option gives another model, and the last minibatch of each epoch is partial. */
static void test_train__shuffle_and_normalisation__change_the_model(void **state)
{
    (void)state;
    char digests[5][MODEL_DIGEST_TEXT];
    for (int i = 0; i < 5; i++) {
        trainer_job run = defaults(DOWNHILL_HINGE);
        run.sgd.batch = 70;
        run.sgd.shuffle = i == 1 ? SGD_SHUFFLE_BATCH : i == 2 ? SGD_SHUFFLE_NONE : SGD_SHUFFLE_ROWS;
        run.normalise = i == 3 ? NORMALISE_CENTER : i == 4 ? NORMALISE_STANDARDISE : NORMALISE_NONE;
        sgd_result r = trained(run);
        memcpy(digests[i], r.digest, sizeof digests[i]);
        assert_true(r.state.epochs[r.state.epoch - 1].test_accuracy > 0.6); /* guessing: 0.2 */
        for (int before = 0; before < i; before++)
            assert_string_not_equal(digests[i], digests[before]);
        sgd_free(&r);
    }
}

/* The digest is as its header defines it: the expected one was computed by another program. */
static void test_train__digest_of_zero_weights__known(void **state)
{
    (void)state;
    downhill_weights_f32 zero;
    char digest[MODEL_DIGEST_TEXT];
    assert_true(weights_new(2, 2, &zero));
    assert_true(weights_digest(&zero, digest));
    assert_string_equal(digest, "d9fa67f3f8029ac3b764c3fbf0c4ca2b32f25051cb064c745b98f26424c287a6");
    weights_free(&zero);
}

/* Returns the mean hinge loss of weights for bytes, in f64. */
static double loss_in_f64(const downhill_weights_f32 *weights, const samples *s)
{
    double loss = 0.0;
    double *scores = memory_new(weights->c, sizeof *scores);
    assert_non_null(scores);
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < weights->c; j++) {
            scores[j] = (double)weights->b[j];
            for (size_t k = 0; k < weights->d; k++)
                scores[j] += (double)weights->w[j * weights->ldw + k] * (double)samples_u8(s, i)[k];
        }
        for (size_t j = 0; j < weights->c; j++)
            if (j != (size_t)samples_label(s, i))
                loss += fmax(0.0, scores[j] - scores[samples_label(s, i)] + 1.0);
    }
    free(scores);
    return loss / (double)s->n;
}

static double loss_in_steps(model *m, const samples *s)
{
    enum { ROWS = 1000 };
    const downhill_sgd hinge = {.loss = {DOWNHILL_HINGE, 1.0f}};
    double sum = 0.0;
    size_t rows[ROWS];
    for (size_t first = 0, n; first < s->n; first += n) {
        n = s->n - first < ROWS ? s->n - first : ROWS;
        for (size_t i = 0; i < n; i++)
            rows[i] = first + i;
        double loss;
        assert_int_equal(model_step(m, rows, n, 0, &hinge, &loss, NULL), DOWNHILL_OK);
        sum += loss;
    }
    return sum / (double)s->n;
}

/* On real data, rounding the weights hardly changes loss and accuracy. */
static void test_train__u8__as_accurate_as_f32(void **state)
{
    (void)state;
    dataset fashion;
    assert_int_equal(dataset_open("fashion-mnist", &fashion), EXIT_OK);
    sgd_result r[2];
    for (int type = FEATURES_U8; type <= FEATURES_F32; type++) {
        trainer_job run = defaults(DOWNHILL_HINGE);
        run.data = &fashion;
        run.type = (feature_type)type;
        run.sgd.batch = 256;
        run.sgd.lr = 0.02f;
        run.sgd.epochs = 10;
        r[type] = trained(run);
    }
    const sgd_epoch *u8 = &r[FEATURES_U8].state.epochs[9], *f32 = &r[FEATURES_F32].state.epochs[9];
    print_message("loss %.5f, with f32 %.5f; accuracy %.4f, with f32 %.4f\n", u8->train_loss,
                  f32->train_loss, u8->test_accuracy, f32->test_accuracy);
    assert_true(fabs(u8->train_loss - f32->train_loss) < 1e-3 * f32->train_loss);
    assert_true(fabs(u8->test_accuracy - f32->test_accuracy) < 0.002);
    sgd_free(&r[0]);
    sgd_free(&r[1]);

    /* Compares the loss of the rounded weights with that of the exact ones. */
    char why[128];
    features f;
    assert_true(features_open(FEATURES_U8, &fashion, NORMALISE_NONE, 1, &f));
    model *m = model_open(&f, &(workforce){.threads = 1}, NULL, why, sizeof why);
    assert_non_null(m);
    const downhill_sgd hinge = {{DOWNHILL_HINGE, 1.0f}, 0.02f, 0.0f};
    size_t rows[256];
    for (size_t step = 0; step < 200; step++) {
        for (size_t i = 0; i < 256; i++)
            rows[i] = (step * 256 + i) % fashion.train.n;
        double loss;
        assert_int_equal(model_step(m, rows, 256, 0, &hinge, &loss, NULL), DOWNHILL_OK);
    }
    fashion.train.n = 10000;
    const double exact = loss_in_f64(model_weights(m), &fashion.train);
    const double fixed = loss_in_steps(m, &fashion.train);
    print_message("loss of the rounded weights %.8f, of the exact weights %.8f\n", fixed, exact);
    assert_true(fabs(fixed - exact) < 1e-3 * exact);
    model_close(m);
    features_close(&f);
    dataset_close(&fashion);
}

static void test_train__stop__keeps_complete_epochs(void **state)
{
    (void)state;
    const volatile sig_atomic_t now = 1;
    trainer_job run = defaults(DOWNHILL_HINGE);
    run.p.stop = &now;
    sgd_result r;
    assert_int_equal(train(run, NULL, &counting, &r), EXIT_OK);
    assert_true(r.interrupted);
    assert_int_equal(r.state.epoch, 0);
    assert_int_equal(reports, 0);
    sgd_free(&r);
}

static void test_train__beyond_the_bounds_of_bytes__refused(void **state)
{
    (void)state;
    dataset set = {.c = DOWNHILL_U8_C_MAX, .d = DOWNHILL_U8_D_MAX, .train = {.n = 697932}};
    assert_true(features_fit_u8(&set));
    set.d = DOWNHILL_U8_D_MAX + 1;
    assert_false(features_fit_u8(&set));
    set.d = 1;
    set.c = DOWNHILL_U8_C_MAX + 1;
    assert_false(features_fit_u8(&set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_train__separable_set__loss_falls_and_accuracy_rises),
        cmocka_unit_test(test_train__phases__add_up_to_the_time),
        cmocka_unit_test(test_train__several_threads__same_losses),
        cmocka_unit_test(test_train__same_seed__same_bits),
        cmocka_unit_test(test_train__every_level__losses_agree),
        cmocka_unit_test(test_train__divergence__reported),
        cmocka_unit_test(test_train__batch_larger_than_the_set__one_step_per_epoch),
        cmocka_unit_test(test_train__two_steps__by_hand),
        cmocka_unit_test(test_train__stop__keeps_complete_epochs),
        cmocka_unit_test(test_train__u8__same_digest_for_all_levels_and_threads),
        cmocka_unit_test(test_train__shuffle_and_normalisation__change_the_model),
        cmocka_unit_test(test_train__digest_of_zero_weights__known),
        cmocka_unit_test(test_train__u8__as_accurate_as_f32),
        cmocka_unit_test(test_train__beyond_the_bounds_of_bytes__refused),
    };
    return cmocka_run_group_tests_name("train", tests, open_all, close_all);
}
