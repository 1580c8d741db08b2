/* SPDX-License-Identifier: MIT
 *
 * Suggestions for unknown words, and the form of --help. */
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <stdio.h>
#include <string.h>

static void test_unknown_word__similar_to_one__suggested(void **state)
{
    (void)state;
    static const struct {
        const char *command, *message;
    } wrong[] = {
        {"trian", "no command 'trian' (did you mean train?)"},
        {"help benchmark", "no command 'benchmark' (did you mean bench?)"},
        {"fit", "did you mean train?"},
        {"data generate", "'generate' is not known (did you mean gen?)"},
        {"train --learning-rate 0.1", "--learning-rate is not an option (did you mean --lr?)"},
        {"train --learning-rate=0.1", "--learning-rate is not an option (did you mean --lr?)"},
        {"train --normalise none", "did you mean --normalize?"},
        {"train --dtpye u8", "did you mean --dtype?"},
        {"train --weight-decay 1", "did you mean --reg?"},
        {"train --output x", "did you mean --model?"},
        {"train --out x", "did you mean --model?"},
        {"predict --output x", "did you mean --csv?"},
        {"predict --out x", "did you mean --csv?"},
        {"bench --output x", "did you mean --json?"},
        {"train --alpha 1", "did you mean --reg?"},
        {"train --eta0 1", "did you mean --lr?"},
        {"train --n_jobs 1", "did you mean --threads?"},
        {"train --max_iter 1", "did you mean --epochs?"},
        {"train --max-iter 1", "did you mean --epochs?"},
        {"train -lr 0.1", "-lr is not an option (did you mean --lr?)"},
        {"bench --shpae 1x1x2", "did you mean --shape?"},
        {"data gen --ouptut x", "did you mean --output?"},
        {"train --loss hing", "is not one of hinge|softmax (did you mean hinge?)"},
        {"train --loss svm", "did you mean hinge?"},
        {"train --normalize standardise", "did you mean standardize?"},
        {"train --dtype float32", "did you mean f32?"},
        {"train --schedule cos", "did you mean cosine?"},
        {"train --loss HINGE", "did you mean hinge?"},
        {"TRAIN", "no command 'TRAIN' (did you mean train?)"},
        {"--verison", "no command '--verison' (did you mean --version?)"},
        {"-version", "no command '-version' (did you mean --version?)"},
        {"version", "no command 'version' (did you mean --version?)"},
        {"--hlep", "no command '--hlep' (did you mean --help?)"},
        {"train --data fashion_mnist",
         "'fashion_mnist' is not known (did you mean fashion-mnist?);"},
        {"train --data mnist", "'mnist' is not known (did you mean fashion-mnist?); give"},
        {"train --data fashion-mnist:", "is not known (did you mean fashion-mnist?); give"},
        {"train --data npyy:a,b", "'npyy:a,b' is not known (did you mean npy:a,b?); give"},
        {"train --data npyy:a.npy,b.npy", "is not known (did you mean npy:a.npy,b.npy?); give"},
        {"train --data NPY:a,b", "(did you mean npy:a,b?)"},
        {"train --data cifar-10:d", "(did you mean cifar10:d?)"},
        {"data check --data svmlight:d", "(did you mean libsvm:d?)"},
        {"train --s 1", "--s may be any of --shuffle, --schedule, --scale, --step, --seed; write"},
        {"bench --no-c=1 --no", "--no-c=1: the option takes no value"},
        {"bench --p", "--p may be any of --passes, --precision, --peers; write the full name"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char command[256];
        snprintf(command, sizeof command, "$downhill %s", wrong[i].command);
        const int code = shell(command);
        if (code != EXIT_USAGE || count_of(shell_err, '\n') != 1 || shell_out[0] != '\0' ||
            strstr(shell_err, wrong[i].message) == NULL)
            fail_msg("%s: exit code %d: %s", command, code, shell_err);
    }
}

static void test_unknown_word__similar_to_none__no_suggestion(void **state)
{
    (void)state;
    static const char *const commands[] = {"frobnicate",
                                           "x",
                                           "train --zzz",
                                           "train --=3",
                                           "train -x",
                                           "train --loss log",
                                           "data make x",
                                           "train --data nosuch",
                                           "train --data nosuch:x",
                                           "train --data npy",
                                           "--frobnicate"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char command[256];
        snprintf(command, sizeof command, "$downhill %s", commands[i]);
        if (shell(command) != EXIT_USAGE || strstr(shell_err, "did you mean") != NULL)
            fail_msg("%s: %s", command, shell_err);
    }
}

static void test_help__option_values__words_and_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *command, *lines[4];
    } help[] = {
        {"train --help",
         {"--method sgd|random-search|local-search|numerical|lbfgs\n",
          "--schedule constant|step|inverse|cosine\n", "--loss hinge|softmax ",
          "learning rate (default: 0.02) [0..1000000]\n"}},
        {"train --help",
         {"is added to the next\n                           (default: 0) [0..1)\n",
          "best accuracy on\n                           them (default: 0) [0..1)\n"}},
        {"bench --help", {"[10us..3600s]\n", "[10us..36000s]\n"}},
        {"predict --help", {"--set test|train|all ", "--isa LEVEL  ", "use this ISA level, as"}},
        {"landscape --help", {"--isa LEVEL  ", "use this ISA level, as"}},
        {"gradcheck --help", {"--isa LEVEL,... ", "run once with each of these ISA levels"}},
        {"data gen --help", {"--format idx|npy|libsvm|cifar10|cifar100\n", "[1..1048576]\n"}},
        {"verify --help", {"[1..1000000]\n"}},
    };
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++) {
        char command[64];
        snprintf(command, sizeof command, "$downhill %s", help[i].command);
        assert_int_equal(shell(command), EXIT_OK);
        for (size_t s = 0; s < 4 && help[i].lines[s] != NULL; s++)
            if (strstr(shell_out, help[i].lines[s]) == NULL)
                fail_msg("%s does not show %s: %s", command, help[i].lines[s], shell_out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_word__similar_to_one__suggested),
        cmocka_unit_test(test_unknown_word__similar_to_none__no_suggestion),
        cmocka_unit_test(test_help__option_values__words_and_ranges),
    };
    return cmocka_run_group_tests_name("cli_help", tests, shell_open, shell_close);
}
