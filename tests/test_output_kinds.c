/* SPDX-License-Identifier: MIT
 *
 * Runs every command that writes files over existing files of every kind: each replaces only its
 * own kind. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRAIN   "train --data $data --epochs 1 --quiet "
#define LOOK    "--data $data --samples 20 --points 2 --quiet "
#define PREDICT "predict --data $data --model $scratch/model --set all --quiet "

/* A command line up to the name of its output, and the sample files that it may replace. */
static const struct {
    const char *command, *own[3];
} outputs[] = {
    {TRAIN "--json", {"training"}},
    {TRAIN "--model", {"model"}},
    {TRAIN "--checkpoint", {"checkpoint"}},
    {PREDICT "--json", {"prediction"}},
    {PREDICT "--csv", {"prediction.csv", "scores.csv", "wide.csv"}},
    {"gradcheck --data $data --samples 5 --coordinates 4 --isa scalar --quiet --json",
     {"gradcheck"}},
    {"landscape " LOOK "--json", {"landscape"}},
    {"landscape " LOOK "--csv", {"landscape.csv", "surface.csv", "points.csv"}},
    {"landscape --three-points --quiet --csv", {"landscape.csv", "surface.csv", "points.csv"}},
    {"step-sweep " LOOK "--json", {"sweep"}},
    {"step-sweep " LOOK "--csv", {"sweep.csv"}},
    {"data check --data $data --quiet --json", {"checked"}},
    {"data gen --samples 4 --test-samples 0 --quiet -o $scratch/new --json", {"generated"}},
    {"bench --ceilings --quick --json", {"ceilings"}},
    {"bench --quick --filter '^update_f32/scalar/' --shape 8x16x4 --repetitions 2 --precision 0 "
     "--min-time 1ms --no-ceilings --threads 1 --json",
     {"bench"}},
    /* The program chooses these names, so it cannot know that it wrote an existing file. */
    {"data gen --samples 4 --test-samples 0 --quiet -o $scratch/new", {NULL}},
};

/* Makes a file of each kind in $scratch/kinds, those of other programs first. */
static const char make_kinds[] =
    "mkdir $scratch/kinds && cd $scratch/kinds && "
    "printf 'mine' >text; printf '%%PDF-1.4' >pdf; printf '\\211PNG\\r\\n' >png; "
    "printf '<svg></svg>' >svg; printf '{\"a\": 1}' >json; printf '1 1:0.5\\n' >libsvm; "
    "printf 'a,b\\n1,2\\n' >csv; printf 'step,loss\\n1,2.3\\n' >log; printf 'PK\\003\\004' >zip; "
    "gzip <text >gz; "
    "p=sample,test,label,prediction,label_name,prediction_name; "
    "printf 'sample,test,mine\\n1,2,3\\n' >csv-p1; printf \"$p,mine\\n\" >csv-p2; "
    "printf \"$p,score_0,score_1,mine\\n\" >csv-p3; printf \"$p\" >csv-p4; "
    "printf '%s%s\\n' $p \"$(seq -s '' -f ,score_%.0f 0 999)\" >wide.csv; "
    "cp $scratch/d-train-x.npy npy; cp $scratch/i-train-images.idx idx; "
    "printf '{\"schema_version\": 1, \"report\": true, \"benchmarks\": []}' >report; "
    "printf '{\"schema_version\": 1, \"peers_training\": []}' >peers; "
    "printf '{\"schema_version\": 1, \"ceilings\": {}}' >ceilings; "
    "printf '{\"schema_version\": 1, \"benchmarks\": [], \"ceilings\": {}}' >bench; "
    "printf '{\"schema_version\": 1, \"findings\": []}' >findings; "
    "printf '{\"schema_version\": 1, \"gallery_entry\": {}}' >entry; "
    "printf '<!DOCTYPE html><meta name=\"generator\" content=\"downhill gallery\">' >gallery; "
    "$downhill " TRAIN "--json training --model model --checkpoint checkpoint && "
    "cp model $scratch/model && $downhill " PREDICT "--json prediction --csv prediction.csv && "
    "$downhill " PREDICT "--scores --csv scores.csv && "
    "$downhill gradcheck --data $data --samples 5 --coordinates 4 --isa scalar --quiet "
    "--json gradcheck && "
    "$downhill landscape " LOOK "--json landscape --csv landscape.csv && "
    "$downhill landscape " LOOK "--directions 2 --csv surface.csv && "
    "$downhill landscape --three-points --quiet --csv points.csv && "
    "$downhill step-sweep " LOOK "--json sweep --csv sweep.csv && "
    "$downhill data check --data $data --quiet --json checked && "
    "$downhill data gen --samples 4 --test-samples 0 --quiet -o g --json generated && rm g-*";

static bool is_own(size_t output, const char *kind)
{
    for (size_t i = 0; i < 3 && outputs[output].own[i] != NULL; i++)
        if (strcmp(outputs[output].own[i], kind) == 0)
            return true;
    return false;
}

/* Runs the command with a copy of the sample file in place of its output. Returns the exit code. */
static int run_over(size_t output, const char *kind)
{
    char *command;
    const bool chosen = outputs[output].own[0] == NULL;
    const char *name = chosen ? "new-b.npy" : "there";
    setenv("kind", kind, 1);
    setenv("there", scratch_path(name), 1);
    assert_true(asprintf(&command,
                         "rm -f $scratch/new-*; cp $scratch/kinds/$kind $there && "
                         "$downhill %s %s; code=$?; "
                         "cmp -s $scratch/kinds/$kind $there && echo same >&2; exit $code",
                         outputs[output].command, chosen ? "" : "$there") > 0);
    const int code = shell(command);
    free(command);
    return code;
}

static void test_output__another_kind__refused_and_kept(void **state)
{
    (void)state;
    size_t refused = 0, replaced = 0;
    assert_int_equal(shell("ls $scratch/kinds"), EXIT_OK);
    char *names = strdup(shell_out), *rest = names;
    for (const char *kind; (kind = strsep(&rest, "\n")) != NULL && kind[0] != '\0';)
        for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
            const size_t before = scratch_count();
            const bool own = is_own(i, kind);
            if (own && strstr(outputs[i].command, "bench") != NULL)
                continue; /* slow; test_cli_bench tests it */
            const int code = run_over(i, kind);
            const bool kept = strstr(shell_err, "same\n") != NULL;
            if (own ? code != EXIT_OK
                    : code != EXIT_USAGE || !kept || count_of(shell_err, '\n') != 2 ||
                          strstr(shell_err, "; choose another name or delete it") == NULL ||
                          shell_out[0] != '\0')
                fail_msg("%s over %s: exit code %d\n%s", outputs[i].command, kind, code, shell_err);
            refused += !own;
            replaced += own;
            shell("rm -f $scratch/new-* $there");
            assert_true(scratch_count() <= before);
        }
    free(names);
    assert_true(refused > 300 && replaced > 12);
}

/* The output is an input under another name: a symbolic link, a hard link, another path. */
static void test_output__is_an_input__refused_and_kept(void **state)
{
    (void)state;
    static const char *const commands[] = {
        TRAIN "--model",
        TRAIN "--json",
        TRAIN "--checkpoint",
        "predict --data $data --model $scratch/model --csv",
        "landscape --data $data --model $scratch/model --json",
        "step-sweep --data $data --csv",
        "gradcheck --data $data --json",
        "data check --data $data --json",
    };
    assert_int_equal(shell("cd $scratch && ln -s d-train-x.npy soft && ln d-train-x.npy hard"),
                     EXIT_OK);
    static const char *const names[] = {"soft", "hard", "./kinds/../d-train-x.npy"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            char *command;
            assert_true(asprintf(&command,
                                 "cd $scratch; $downhill %s %s; code=$?; cmp "
                                 "d-train-x.npy kinds/npy && exit $code",
                                 commands[i], names[n]) > 0);
            if (shell(command) != EXIT_USAGE || count_of(shell_err, '\n') != 1 ||
                strstr(shell_err, "of --data; name another") == NULL)
                fail_msg("%s: %s", command, shell_err);
            free(command);
        }
    assert_int_equal(shell("$downhill predict --data $data --model $scratch/model --json "
                           "$scratch/kinds/../model"),
                     EXIT_USAGE);
    assert_int_equal(shell("$downhill bench --ceilings-from $scratch/kinds/bench --json "
                           "$scratch/kinds/bench"),
                     EXIT_USAGE);
    shell("rm $scratch/soft $scratch/hard");
}

static int open_kinds(void **state)
{
    if (shell_open(state) != 0)
        return -1;
    assert_int_equal(shell("$downhill data gen --samples 60 --test-samples 20 --features 12 "
                           "--classes 3 -o $scratch/d && "
                           "$downhill data gen --samples 20 --features 12 --classes 3 --format idx "
                           "--quiet -o $scratch/i"),
                     EXIT_OK);
    shell_out[strcspn(shell_out, "\n")] = '\0';
    setenv("data", shell_out, 1);
    const int code = shell(make_kinds);
    if (code != EXIT_OK)
        fail_msg("%d: %s", code, shell_err);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output__another_kind__refused_and_kept),
        cmocka_unit_test(test_output__is_an_input__refused_and_kept),
    };
    return cmocka_run_group_tests_name("output_kinds", tests, open_kinds, shell_close);
}
