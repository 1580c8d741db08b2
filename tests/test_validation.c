/* SPDX-License-Identifier: MIT
 *
 * Samples held out for validation, the best model on them, and early stopping. */
#include "cmocka_all.h"

#include "base/error.h"
#include "support.h"
#include "trainer_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const trainer_size size = {1200, 300, 37, 5};

static void split(double share, uint64_t seed, dataset *data)
{
    trainer_data(&size, true, 4, data);
    assert_int_equal(dataset_hold_out_validation(data, share, seed), EXIT_OK);
}

static void test_validation__any_share__every_sample_once(void **state)
{
    (void)state;
    static const struct {
        double share;
        size_t n;
    } cases[] = {{0.1, 100}, {0.5, 500}, {0.001, 1}, {0.999, 999}, {0.0004, 0}};
    for (size_t i = 0; cases[i].n > 0; i++) {
        dataset data;
        bool seen[1200] = {false};
        trainer_data(&size, true, 4, &data);
        samples_free(&data.train); /* so that sample i is not row i */
        assert_true(samples_range(&data.stored[0], 200, 1000, &data.train));
        assert_int_equal(dataset_hold_out_validation(&data, cases[i].share, 3), EXIT_OK);
        assert_int_equal(data.validation.n, cases[i].n);
        assert_int_equal(data.train.n, 1000 - cases[i].n);
        const samples *const parts[] = {&data.train, &data.validation};
        for (int p = 0; p < 2; p++)
            for (size_t r = 0; r < parts[p]->n; r++) {
                assert_true(parts[p]->rows[r] >= 200 && !seen[parts[p]->rows[r]]);
                assert_true(r == 0 || parts[p]->rows[r] > parts[p]->rows[r - 1]);
                seen[parts[p]->rows[r]] = true;
            }
        dataset_close(&data);
    }
}

static void test_validation__other_seed__other_samples(void **state)
{
    (void)state;
    dataset a, b, c;
    split(0.25, 3, &a);
    split(0.25, 3, &b);
    split(0.25, 4, &c);
    const size_t bytes = a.validation.n * sizeof *a.validation.rows;
    assert_memory_equal(a.validation.rows, b.validation.rows, bytes);
    assert_memory_not_equal(a.validation.rows, c.validation.rows, bytes);
    dataset_close(&a);
    dataset_close(&b);
    dataset_close(&c);
}

static void test_validation__empty_set__refused(void **state)
{
    (void)state;
    static const double shares[] = {0.0004, 0.9997};
    for (size_t i = 0; i < 2; i++) {
        dataset data;
        trainer_data(&size, true, 4, &data);
        capture_stderr();
        const int code = dataset_hold_out_validation(&data, shares[i], 1);
        const char *text = captured();
        assert_int_equal(code, EXIT_USAGE);
        assert_int_equal(count_of(text, '\n'), 1);
        dataset_close(&data);
    }
}

static void ignore(const sgd_epoch *epoch, size_t number, void *context)
{
    (void)epoch, (void)number, (void)context;
}

static const sgd_events quiet = {.epoch = ignore};

/* Returns a job with a learning rate so high that the accuracy fluctuates. */
static trainer_job fluctuating_job(const dataset *data)
{
    trainer_job job = trainer_defaults(data, DOWNHILL_HINGE);
    job.sgd.lr = 2.0f;
    job.sgd.epochs = 20;
    return job;
}

static void test_best__several_epochs__model_after_the_best_epoch(void **state)
{
    (void)state;
    dataset data;
    sgd_result r, shorter;
    split(0.01, 3, &data); /* twelve, so that some epochs tie */
    trainer_job job = fluctuating_job(&data);
    assert_int_equal(trainer_run(job, NULL, &quiet, &r), EXIT_OK);
    const size_t best = r.state.best_epoch;
    assert_true(best >= 1 && best < 20); /* else the test proves nothing */
    for (size_t e = 0; e < 20; e++) {
        const double accuracy = r.state.epochs[e].validation_accuracy;
        assert_true(e + 1 < best ? accuracy < r.state.best_accuracy
                                 : accuracy <= r.state.best_accuracy);
    }
    job.sgd.epochs = best;
    assert_int_equal(trainer_run(job, NULL, &quiet, &shorter), EXIT_OK);
    assert_true(trainer_same_weights(r.weights, &shorter.state.weights));
    assert_string_equal(r.digest, shorter.digest);
    assert_false(trainer_same_weights(&r.state.weights, &shorter.state.weights));
    sgd_free(&r);
    sgd_free(&shorter);
    dataset_close(&data);
}

static void test_patience__no_improvement__stops_that_many_epochs_after_the_best(void **state)
{
    (void)state;
    dataset data;
    sgd_result all, r;
    split(0.25, 3, &data);
    trainer_job job = fluctuating_job(&data);
    assert_int_equal(trainer_run(job, NULL, &quiet, &all), EXIT_OK);
    for (size_t patience = 1; patience <= 5; patience++) {
        size_t best = 0, end = 20;
        for (size_t e = 0; e < end; e++) {
            if (e == 0 || all.state.epochs[e].validation_accuracy >
                              all.state.epochs[best].validation_accuracy)
                best = e;
            else if (e - best >= patience)
                end = e + 1;
        }
        job.sgd.patience = patience;
        assert_int_equal(trainer_run(job, NULL, &quiet, &r), EXIT_OK);
        assert_int_equal(r.state.epoch, end);
        assert_int_equal(r.stopped_early, end < 20);
        assert_int_equal(r.state.best_epoch, best + 1);
        sgd_free(&r);
    }
    sgd_free(&all);
    dataset_close(&data);
}

static void test_no_validation__several_epochs__last_model(void **state)
{
    (void)state;
    dataset data;
    sgd_result r;
    trainer_data(&size, true, 4, &data);
    assert_int_equal(trainer_run(fluctuating_job(&data), NULL, &quiet, &r), EXIT_OK);
    assert_int_equal(r.state.best_epoch, 0);
    assert_true(isnan(r.state.epochs[0].validation_accuracy));
    assert_ptr_equal(r.weights, &r.state.weights);
    sgd_free(&r);
    dataset_close(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validation__any_share__every_sample_once),
        cmocka_unit_test(test_validation__other_seed__other_samples),
        cmocka_unit_test(test_validation__empty_set__refused),
        cmocka_unit_test(test_best__several_epochs__model_after_the_best_epoch),
        cmocka_unit_test(test_patience__no_improvement__stops_that_many_epochs_after_the_best),
        cmocka_unit_test(test_no_validation__several_epochs__last_model),
    };
    return cmocka_run_group_tests_name("validation", tests, scratch_open, scratch_close);
}
