/* SPDX-License-Identifier: MIT
 *
 * Model files read with NumPy: the formula in train/model_file.h gives the scores of downhill
 * predict. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"
#include "trainer_support.h"

#include <stdio.h>
#include <stdlib.h>

static int open_all(void **state)
{
    const trainer_size size = {300, 60, 37, 5};
    dataset data;
    if (shell_open(state) != 0)
        return -1;
    trainer_data(&size, true, 9, &data);
    trainer_write_idx(&data.train, "x", "y");
    trainer_write_idx(&data.test, "tx", "ty");
    dataset_close(&data);
    setenv("data", "idx:$scratch/x,$scratch/y,$scratch/tx,$scratch/ty", 1);
    return 0;
}

static void test_numpy__scores_by_the_formula__same_as_predict(void **state)
{
    (void)state;
    static const char *const kinds[] = {"none", "center", "standardize", "raw", "raw-center"};
    for (int type = FEATURES_U8; type <= FEATURES_F32; type++)
        for (int kind = NORMALISE_NONE; kind <= NORMALISE_RAW_CENTER; kind++) {
            char *line;
            assert_true(asprintf(&line,
                                 "D=$(eval echo $data); $downhill train --data $D --epochs 3 "
                                 "--dtype %s --normalize %s --lr %s --model $scratch/m.npz --quiet "
                                 "&& $downhill predict --data $D --model $scratch/m.npz --scores "
                                 "--csv $scratch/s.csv --quiet && " CHECK_SCORES
                                 " $scratch/m.npz $scratch/tx $scratch/s.csv",
                                 type == FEATURES_U8 ? "u8" : "f32", kinds[kind],
                                 kind >= NORMALISE_RAW ? "1e-6" : "0.02") > 0);
            if (shell(line) != EXIT_OK)
                fail_msg("%s: %s", line, shell_err);
            free(line);
            const double share = strtod(shell_out, NULL);
            print_message("%s, %s: error %g of its bound\n", type == FEATURES_U8 ? "u8" : "f32",
                          kinds[kind], share);
            assert_true(share > 0.0 && share <= 1.0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy__scores_by_the_formula__same_as_predict),
    };
    return cmocka_run_group_tests_name("numpy", tests, open_all, shell_close);
}
