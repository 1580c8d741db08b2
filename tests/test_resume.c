/* SPDX-License-Identifier: MIT
 *
 * Training that is interrupted every few steps and resumed from a checkpoint gives the same bits as
 * an uninterrupted run. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "isa/kernels.h"
#include "support.h"
#include "train/checkpoint.h"
#include "trainer_support.h"

#include <string.h>

enum { N_TRAIN = 123, N_TEST = 40, D = 7, C = 3, BATCH = 16, EPOCHS = 4 };

static dataset unsplit, held_out; /* the same data; held_out has a validation set */

static int open_all(void **state)
{
    const trainer_size size = {N_TRAIN, N_TEST, D, C};
    trainer_data(&size, true, 11, &unsplit);
    trainer_data(&size, true, 11, &held_out);
    assert_int_equal(dataset_hold_out_validation(&held_out, 0.25, 1), EXIT_OK);
    return scratch_open(state);
}

static int close_all(void **state)
{
    dataset_close(&unsplit);
    dataset_close(&held_out);
    return scratch_close(state);
}

/* One leg of a run, which ends at checkpoint number stop_at. The file has the state of checkpoint
 * number save_at, as after a kill, or the last state if save_at = 0. */
struct leg {
    size_t stop_at, save_at, seen;
    sig_atomic_t stop;
    const char *path;
    problem p;
    size_t saved;
};

/* The current leg, which stops in evaluation number stop_in_evaluation (0: never). An evaluation is
 * one call of the kernel with more rows than a minibatch. */
static struct leg *running;
static size_t stop_in_evaluation, evaluations;
static downhill_kernels stopping;
static double (*softmax)(size_t n, size_t c, const float *scores, size_t lds, const int32_t *y,
                         float *dscores, size_t ldds);

static double softmax_that_stops(size_t n, size_t c, const float *scores, size_t lds,
                                 const int32_t *y, float *dscores, size_t ldds)
{
    if (n > BATCH && ++evaluations == stop_in_evaluation)
        running->stop = 1;
    return softmax(n, c, scores, lds, y, dscores, ldds);
}

static int save(const sgd_state *state, void *context)
{
    struct leg *leg = context;
    leg->seen++;
    /* An interrupted run saves its state once more, unless it already did at that step. */
    if (leg->seen == leg->save_at || (leg->save_at == 0 && leg->stop)) {
        json_t *record = json_object();
        assert_int_equal(checkpoint_write(leg->path, &leg->p, state, record), EXIT_OK);
        json_decref(record);
        leg->saved++;
    }
    if (leg->seen == leg->stop_at)
        leg->stop = 1;
    return EXIT_OK;
}

static void ignore(const sgd_epoch *epoch, size_t number, void *context)
{
    (void)epoch, (void)number, (void)context;
}

/* Runs one leg, resumed from the checkpoint if from_file. */
static void run_leg(trainer_job job, struct leg *leg, bool from_file, sgd_result *result)
{
    model_file m;
    sgd_state from;
    features f;
    if (from_file) {
        assert_int_equal(model_file_read(leg->path, &m), EXIT_OK);
        assert_int_equal(checkpoint_take(leg->path, &m, &from), EXIT_OK);
        model_file_close(&m);
    }
    assert_true(features_open(job.type, job.data, job.normalise, 1, &f));
    job.p.data = job.data;
    job.p.features = &f;
    job.p.stop = &leg->stop;
    leg->p = job.p;
    running = leg;
    evaluations = 0;
    const sgd_events events = {ignore, save, leg};
    assert_int_equal(sgd_train(&job.p, &job.sgd, from_file ? &from : NULL, &events, result),
                     EXIT_OK);
    if (from_file)
        sgd_state_free(&from);
    features_close(&f);
}

static void assert_same_run(const sgd_result *a, const sgd_result *b)
{
    const sgd_state *x = &a->state, *y = &b->state;
    assert_int_equal(x->epoch, y->epoch);
    assert_int_equal(x->step, y->step);
    assert_true(x->first_loss == y->first_loss);
    assert_int_equal(x->best_epoch, y->best_epoch);
    assert_true(x->best_accuracy == y->best_accuracy);
    assert_int_equal(a->stopped_early, b->stopped_early);
    for (size_t e = 0; e < x->epoch; e++) {
        assert_true(x->epochs[e].train_loss == y->epochs[e].train_loss);
        assert_true(x->epochs[e].test_accuracy == y->epochs[e].test_accuracy);
        assert_memory_equal(&x->epochs[e].validation_accuracy, &y->epochs[e].validation_accuracy,
                            sizeof(double));
    }
    assert_string_equal(a->digest, b->digest);
    assert_true(trainer_same_weights(&x->weights, &y->weights));
    if (x->velocity.w != NULL)
        assert_true(trainer_same_weights(&x->velocity, &y->velocity));
}

static sgd_result uninterrupted(trainer_job job)
{
    sgd_result result;
    const sgd_events events = {.epoch = ignore};
    assert_int_equal(trainer_run(job, NULL, &events, &result), EXIT_OK);
    assert_int_equal(strlen(result.digest), MODEL_DIGEST_TEXT - 1);
    return result;
}

/* Trains in legs of stop_at checkpoints and compares the result. Returns the number of legs. */
static size_t in_legs(trainer_job job, size_t stop_at, size_t save_at, const sgd_result *want)
{
    sgd_result result;
    const char *path = scratch_path("c.npz");
    bool from_file = false;
    for (size_t legs = 1;; legs++) {
        struct leg leg = {.stop_at = stop_at, .save_at = save_at, .path = path};
        run_leg(job, &leg, from_file, &result);
        if (!result.interrupted) {
            assert_same_run(want, &result);
            sgd_free(&result);
            return legs;
        }
        assert_string_equal(result.digest, ""); /* not reproducible */
        assert_int_equal(leg.saved, 1);
        from_file = true;
        sgd_free(&result);
        assert_true(legs < 200);
    }
}

struct config {
    feature_type type;
    bool softmax; /* instead of the hinge loss */
    normalise_kind normalise;
    optimiser_rule rule;
    schedule_kind schedule;
    sgd_shuffle shuffle;
    bool validation;
    size_t patience;
};

static const struct config configs[] = {
    {.type = FEATURES_U8},
    {.type = FEATURES_F32, .softmax = true},
    {.type = FEATURES_U8,
     .rule = OPTIMISER_MOMENTUM,
     .validation = true,
     .schedule = SCHEDULE_STEP,
     .normalise = NORMALISE_STANDARDISE},
    {.type = FEATURES_F32,
     .rule = OPTIMISER_MOMENTUM,
     .softmax = true,
     .schedule = SCHEDULE_COSINE,
     .shuffle = SGD_SHUFFLE_BATCH,
     .validation = true},
    {.type = FEATURES_U8,
     .rule = OPTIMISER_NESTEROV,
     .schedule = SCHEDULE_COSINE,
     .shuffle = SGD_SHUFFLE_BATCH,
     .normalise = NORMALISE_CENTER},
    {.type = FEATURES_F32,
     .rule = OPTIMISER_NESTEROV,
     .shuffle = SGD_SHUFFLE_NONE,
     .validation = true,
     .schedule = SCHEDULE_INVERSE},
    {.type = FEATURES_U8, .shuffle = SGD_SHUFFLE_NONE, .validation = true},
    {.type = FEATURES_U8, .validation = true, .patience = 1, .rule = OPTIMISER_MOMENTUM},
};

enum { N_CONFIGS = sizeof configs / sizeof configs[0] };

static trainer_job job_for(const struct config *config)
{
    trainer_job job = trainer_defaults(config->validation ? &held_out : &unsplit,
                                       config->softmax ? DOWNHILL_SOFTMAX : DOWNHILL_HINGE);
    job.type = config->type;
    job.normalise = config->normalise;
    job.p.reg = 1e-3f;
    job.sgd = (sgd_options){.shuffle = config->shuffle,
                            .batch = BATCH,
                            .lr = 0.05f,
                            .schedule = {config->schedule, 0.5, 2},
                            .rule = config->rule,
                            .momentum = config->rule == OPTIMISER_PLAIN ? 0.0f : 0.9f,
                            .epochs = EPOCHS,
                            .patience = config->patience,
                            .seed = 5,
                            .checkpoint_every = 1};
    return job;
}

/* After every step, every second step and so on, up to more than an epoch. */
static void test_resume__interrupted_every_few_steps__same_bits(void **state)
{
    (void)state;
    static const size_t every[] = {1, 2, 3, 5, 8, 11};
    for (size_t w = 0; w < N_CONFIGS; w++) {
        const trainer_job job = job_for(&configs[w]);
        sgd_result want = uninterrupted(job);
        for (size_t k = 0; k < sizeof every / sizeof every[0]; k++)
            assert_true(in_legs(job, every[k], 0, &want) > 1);
        sgd_free(&want);
    }
}

/* Killed some steps after the last checkpoint; there is one every third step. */
static void test_resume__killed_after_a_checkpoint__same_bits(void **state)
{
    (void)state;
    for (size_t w = 0; w < N_CONFIGS; w++) {
        trainer_job job = job_for(&configs[w]);
        job.sgd.checkpoint_every = 3;
        sgd_result want = uninterrupted(job);
        const size_t few = want.stopped_early ? 1 : 2;
        assert_true(in_legs(job, 3, 1, &want) > few);
        assert_true(in_legs(job, 4, 2, &want) > few);
        sgd_free(&want);
    }
}

/* Stopped in the evaluation of the second, third and last epoch: on the test set, then also on the
 * validation set. */
static void test_resume__stopped_in_an_evaluation__same_bits(void **state)
{
    (void)state;
    static const struct {
        size_t config, evaluation;
    } cases[] = {{1, 2}, {3, 3}, {3, 4}};
    const downhill_kernels *table;
    assert_int_equal(downhill_select("scalar", &table, NULL, 0), DOWNHILL_OK);
    stopping = *table;
    softmax = table->softmax_f32;
    stopping.softmax_f32 = softmax_that_stops;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        trainer_job job = job_for(&configs[cases[i].config]);
        job.p.kernels = &stopping;
        job.sgd.checkpoint_every = 0;
        stop_in_evaluation = 0;
        sgd_result want = uninterrupted(job);
        stop_in_evaluation = cases[i].evaluation;
        assert_int_equal(in_legs(job, 0, 0, &want), EPOCHS);
        sgd_free(&want);
    }
    stop_in_evaluation = 0;
}

/* The comparisons above can fail: with validation the best epoch is not always the last, and no two
 * configurations give the same model. */
static void test_resume__configurations__all_differ(void **state)
{
    (void)state;
    char digests[N_CONFIGS][MODEL_DIGEST_TEXT];
    size_t earlier = 0, stopped = 0;
    for (size_t w = 0; w < N_CONFIGS; w++) {
        sgd_result r = uninterrupted(job_for(&configs[w]));
        memcpy(digests[w], r.digest, sizeof digests[w]);
        earlier += r.state.best_epoch > 0 && r.state.best_epoch < r.state.epoch;
        stopped += r.stopped_early;
        for (size_t before = 0; before < w; before++)
            assert_string_not_equal(digests[w], digests[before]);
        sgd_free(&r);
    }
    assert_true(earlier > 0 && stopped > 0);
}

static void test_resume__steps_between_checkpoints__as_requested(void **state)
{
    (void)state;
    static const size_t every[] = {0, 1, 3, 4, 8, 1000};
    const size_t steps = (N_TRAIN + BATCH - 1) / BATCH;
    for (size_t i = 0; i < sizeof every / sizeof every[0]; i++) {
        trainer_job job = job_for(&configs[0]);
        job.sgd.checkpoint_every = every[i];
        struct leg leg = {.save_at = 1000, .path = scratch_path("c.npz")};
        sgd_result r;
        run_leg(job, &leg, false, &r);
        const size_t within = every[i] == 0 ? 0 : (steps - 1) / every[i];
        assert_int_equal(leg.seen, EPOCHS * (within + 1));
        sgd_free(&r);
    }
}

/* ---- invalid checkpoints ---- */

static void write_checkpoint(void)
{
    sgd_result result;
    struct leg leg = {.stop_at = 11, .path = scratch_path("c.npz")};
    run_leg(job_for(&configs[2]), &leg, false, &result);
    sgd_free(&result);
}

static void test_resume__damaged_state__refused(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
    } wrong[] = {
        {"epoch", "-1"},
        {"epoch", "2"},
        {"epoch", "1.5"},
        {"epoch", "null"},
        {"step", "-3"},
        {"step", "\"3\""},
        {"loss_sum", "null"},
        {"loss_sum", "\"\""},
        {"best_epoch", "7"},
        {"best_epoch", "0"},
        {"phases_ns", "[1, 2]"},
        {"phases_ns", "[1, 2, 3, 4, -5]"},
        {"epochs", "[]"},
        {"epochs", "[3]"},
        {"epochs", "[{}]"},
        {"first_loss", "true"},
        {"best_accuracy", "null"},
    };
    write_checkpoint();
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        model_file m;
        sgd_state from;
        assert_int_equal(model_file_read(scratch_path("c.npz"), &m), EXIT_OK);
        json_object_set_new(json_object_get(m.record, "state"), wrong[i].key,
                            json_loads(wrong[i].value, JSON_DECODE_ANY, NULL));
        capture_stderr();
        const int code = checkpoint_take("c.npz", &m, &from);
        const char *text = captured();
        if (code != EXIT_DATA || count_of(text, '\n') != 1)
            fail_msg("%s: %s: exit code %d, stderr: %s", wrong[i].key, wrong[i].value, code, text);
        assert_null(from.epochs);
        model_file_close(&m);
    }
}

/* Diverged weights are not saved: the file has the state of an earlier step. */
static void test_resume__diverged__last_good_checkpoint(void **state)
{
    (void)state;
    struct leg leg = {.path = scratch_path("d.npz"), .save_at = 2};
    trainer_job job = job_for(&configs[1]);
    features f;
    sgd_result result;
    job.sgd.lr = 1e6f;
    job.p.reg = 1e6f;
    assert_true(features_open(job.type, job.data, job.normalise, 1, &f));
    job.p.data = job.data;
    job.p.features = &f;
    leg.p = job.p;
    const sgd_events events = {ignore, save, &leg};
    capture_stderr();
    assert_int_equal(sgd_train(&job.p, &job.sgd, NULL, &events, &result), EXIT_CHECK);
    captured();
    sgd_free(&result);
    features_close(&f);
    model_file m;
    sgd_state from;
    assert_int_equal(leg.saved, 1);
    assert_true(leg.seen < N_TRAIN / BATCH * EPOCHS);
    assert_int_equal(model_file_read(leg.path, &m), EXIT_OK);
    assert_int_equal(checkpoint_take(leg.path, &m, &from), EXIT_OK);
    assert_int_equal(from.step, 2);
    model_file_close(&m);
    sgd_state_free(&from);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resume__interrupted_every_few_steps__same_bits),
        cmocka_unit_test(test_resume__killed_after_a_checkpoint__same_bits),
        cmocka_unit_test(test_resume__stopped_in_an_evaluation__same_bits),
        cmocka_unit_test(test_resume__configurations__all_differ),
        cmocka_unit_test(test_resume__steps_between_checkpoints__as_requested),
        cmocka_unit_test(test_resume__damaged_state__refused),
        cmocka_unit_test(test_resume__diverged__last_good_checkpoint),
    };
    return cmocka_run_group_tests_name("resume", tests, open_all, close_all);
}
