/* SPDX-License-Identifier: MIT
 *
 * `downhill bench` from the command line. Nothing here asserts a speed. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "base/error.h"
#include "shell.h"
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool warned(const json_t *root, const char *text)
{
    const json_t *warnings = json_object_get(root, "warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++)
        if (strstr(json_string_value(json_array_get(warnings, i)), text) != NULL)
            return true;
    return false;
}

static void test_cli_bench__json_to_stdout__rows_and_context(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --no-ceilings --isa scalar --peers --shape 4x33x3 "
                           "--filter '^(score|hinge|grad)_f32' --min-time 50us --precision 0 "
                           "--repetitions 5 --json -"),
                     EXIT_OK);
    json_t *root = parsed(shell_out);
    assert_int_equal((int)number(root, "schema_version"), 1);
    assert_int_equal(json_array_size(json_object_get(root, "peers")), 3);
    assert_int_equal((int)number(json_object_get(root, "verify"), "failures"), 0);
    assert_true(number(json_object_get(root, "verify"), "checks") > 1000);
    string(json_object_get(root, "context"), "date");
    size_t samples = 0, medians = 0, with_kernel = 0, i;
    json_t *row;
    json_array_foreach(json_object_get(root, "benchmarks"), i, row)
    {
        assert_true(number(row, "real_time") >= 0.0);
        assert_string_equal(string(row, "time_unit"), "ns");
        if (json_object_get(row, "kernel") != NULL) {
            assert_int_equal((int)number(row, "d"), 33);
            with_kernel++;
        }
        if (strcmp(string(row, "run_type"), "iteration") == 0)
            samples++;
        else if (strcmp(string(row, "aggregate_name"), "median") == 0)
            medians++;
    }
    assert_true(medians > 0);
    assert_int_equal(samples, 5 * medians);
    assert_int_equal(with_kernel, 4 * medians); /* median, min, mad, p95 */
    json_decref(root);
}

static void test_cli_bench__report__has_the_rows(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill bench --no-ceilings --isa scalar --shape 4x33x3 --min-time 50us "
              "--filter '^(score|step_hinge)_f32' --precision 0 --repetitions 3"
              " --json $scratch/a.json >/dev/null 2>&1"
              " && $downhill report --output $scratch/report $scratch/a.json"
              " && grep -c 'step_hinge_f32/scalar/n:4' $scratch/report/index.html;"
              " code=$?; rm -r $scratch/a.json $scratch/report; exit $code"),
        EXIT_OK);
    assert_string_equal(shell_err, "");
}

/* compare.py of Google Benchmark can read the results. */
static void test_cli_bench__json__read_by_compare_py(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill bench --no-ceilings --shape 4x33x3 --min-time 50us "
              "--precision 0 --repetitions 10"
              " --isa scalar --filter ^hinge_f32 --json $scratch/a.json >/dev/null 2>&1"
              " && /usr/bin/python3 /usr/share/benchmark/compare.py --no-color"
              " benchmarks $scratch/a.json $scratch/a.json; code=$?;"
              " rm $scratch/a.json; exit $code"),
        EXIT_OK);
    assert_non_null(strstr(shell_out, "hinge_f32/scalar/n:4/d:33/c:3_median"));
    assert_non_null(strstr(shell_out, "U Test, Repetitions: 10 vs 10"));
}

/* Devices and pipes are written to, not replaced, and a link is followed. */
static void test_cli_bench__json_to_devices_pipes_and_links__not_replaced(void **state)
{
    (void)state;
    assert_int_equal(
        shell("b='--no-ceilings --precision 0 --shape 4x33x3 --min-time 50us --repetitions 2 --isa "
              "scalar --filter ^hinge_f32'\n"
              "mkfifo $scratch/pipe; cat $scratch/pipe >$scratch/piped & \n"
              "$downhill bench $b --json $scratch/pipe >/dev/null 2>&1 || exit 11\n"
              "wait; test -p $scratch/pipe || exit 12\n"
              "grep -q '\"benchmarks\"' $scratch/piped || exit 13\n"
              "echo old >$scratch/target; ln -s target $scratch/link\n"
              "$downhill bench $b --json $scratch/link 2>/dev/null; test $? = 2 || exit 19\n"
              "test -h $scratch/link && grep -qx old $scratch/target || exit 20\n"
              ": >$scratch/target\n"
              "$downhill bench $b --json $scratch/link >/dev/null 2>&1 || exit 14\n"
              "test -h $scratch/link || exit 15\n"
              "grep -q '\"benchmarks\"' $scratch/target || exit 16\n"
              "$downhill bench $b --json /dev/fd/9 9>$scratch/nine >/dev/null 2>&1 || exit 17\n"
              "grep -q '\"benchmarks\"' $scratch/nine || exit 18\n"
              "rm $scratch/pipe $scratch/piped $scratch/link $scratch/target $scratch/nine\n"),
        EXIT_OK);
}

/* Environment variables of Google Benchmark have no effect. */
static void test_cli_bench__benchmark_variables__ignored(void **state)
{
    (void)state;
    assert_int_equal(shell("BENCHMARK_LIST_TESTS=true BENCHMARK_OUT=$scratch/stray"
                           " BENCHMARK_REPETITIONS=7 BENCHMARK_FILTER=nothing"
                           " BENCHMARK_ENABLE_RANDOM_INTERLEAVING=true"
                           " $downhill bench --no-ceilings --shape 4x33x3 --min-time 50us "
                           "--precision 0 --repetitions 2"
                           " --isa scalar --filter ^hinge_f32 2>/dev/null;"
                           " code=$?; test ! -e $scratch/stray && exit $code"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "hinge_f32/scalar/n:4/d:33/c:3"));
    assert_null(strstr(shell_out, "skipped"));
}

/* A shape too large for memory (96 TB), but below the limit of a day, gives a skipped row; a run
 * that timed no row fails. */
static void test_cli_bench__no_row_timed__fails(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --no-ceilings --isa scalar --filter ^score_f32"
                           " --passes 1 --repetitions 1 --precision 0 --shape 999999999x24000x1"),
                     EXIT_INTERNAL);
    assert_non_null(strstr(shell_out, "skipped: out of memory"));
    assert_non_null(strstr(shell_err, "downhill: bench: no row could be timed"));
}

static void test_cli_bench__json_to_file__table_on_stdout(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --no-ceilings --shape 4x33x3 --min-time 50us "
                           "--precision 0 --repetitions 3"
                           " --isa scalar --filter ^hinge_f32 --json $scratch/bench.json"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "hinge_f32/scalar/n:4/d:33/c:3"));
    assert_non_null(strstr(shell_out, "median us"));
    assert_null(strstr(shell_out, "\n+: "));
    json_decref(parsed_file("bench.json"));
    remove(scratch_path("bench.json"));
}

static void test_cli_bench__precision_not_reached__footnote(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill bench --no-ceilings --shape 4x33x3 --min-time 50us "
              "--max-time 50us --precision 0.0000001 --isa scalar --filter ^hinge_f32"),
        EXIT_OK);
    assert_non_null(strstr(shell_err, "bench: 1 row in "));
    assert_non_null(strstr(shell_err, " s with verification), seed 1, "));
    const char *row = strstr(shell_out, "hinge_f32/scalar/n:4/d:33/c:3"),
               *note = strstr(shell_out, "\n\n+: the time was up before the samples within ");
    assert_true(row != NULL && note != NULL && row < note);
    const char *plus = strchr(row, '+');
    assert_true(plus < note && plus < strchr(row, '\n'));
}

/* The CPU is shared with a busy loop: the run warns that its times are too long. */
static void test_cli_bench__shared_cpu__warning(void **state)
{
    (void)state;
    assert_int_equal(shell("cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')\n"
                           "taskset -c $cpu sh -c 'while :; do :; done' & spin=$!\n"
                           "taskset -c $cpu $downhill bench --no-ceilings --shape 64x784x10 --isa "
                           "scalar --precision 0 --repetitions 5 --min-time 30ms"
                           " --filter ^score_f32 --json $scratch/shared.json; bench=$?\n"
                           "kill $spin; test $bench = 0"),
                     EXIT_OK);
    assert_non_null(strstr(shell_err, "downhill: warning: 1 of 1 rows waited for the CPU"));
    json_t *root = parsed_file("shared.json");
    assert_true(warned(root, "waited for the CPU"));
    assert_true(warned(root, "other threads took its CPU"));
    json_decref(root);
    remove(scratch_path("shared.json"));
}

/* Two threads, with busy loops on the CPU of one of them: the warning names no cause that was not
 * measured. */
static void test_cli_bench__shared_cpu_of_a_team__warning(void **state)
{
    (void)state;
    if (shell("taskset -cp $$ | grep -q '[-,]'") != EXIT_OK) {
        assert_int_equal(shell("$downhill bench --list"), EXIT_OK);
        assert_null(strstr(shell_out, "/threads:"));
        return;
    }
    assert_int_equal(
        shell("cpus=$(taskset -cp $$ | sed 's/.*: //; s/-.*//; s/,.*//')\n"
              "cpus=$cpus-$((cpus + 1))\n"
              "for i in 1 2; do taskset -c ${cpus#*-} sh -c 'while :; do :; done' & "
              "spins=\"$spins $!\"; done\n"
              "OMP_WAIT_POLICY=passive taskset -c $cpus $downhill bench --no-ceilings --shape "
              "64x128x4 --isa "
              "scalar --threads 2 --precision 0 --repetitions 5"
              " --filter ^step_hinge_f32.*threads:2 --json $scratch/team.json; bench=$?\n"
              "kill $spins; test $bench = 0"),
        EXIT_OK);
    json_t *root = parsed_file("team.json");
    assert_true(warned(root, "a thread waited for a CPU or shared its core"));
    assert_false(warned(root, "another hardware thread"));
    assert_false(warned(root, "rows waited for the CPU"));
    json_decref(root);
    remove(scratch_path("team.json"));
}

/* Edits the results of a run so that its counters show throttling by a quota. When resumed, it
 * warns about the quota. */
static void test_cli_bench__throttled__warning(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill bench --no-ceilings --shape 4x33x3 --min-time 50us --precision 0"
              " --passes 1 --filter ^hinge_f32/scalar --json $scratch/whole.json &&"
              " sed 's/\"schema_version\"/\"partial\": true,\\n&/;"
              " s/\"cpu_time\": [^,]*/\"cpu_time\": 1/;"
              " s/\"start_s\": [^,]*/\"start_s\": 0/;"
              /* 10 samples of one call, as a busy machine takes, must exceed 1 % of the time. */
              " s/\"end_s\": [^,]*/\"end_s\": 0.000001/;"
              " s/\"involuntary_switches\": [^,]*/\"involuntary_switches\": 500/;"
              " s/\"throttled_periods\": [^,]*/\"throttled_periods\": 500/;"
              " s/\"throttled_s\": [-0-9.enul]*/\"throttled_s\": 25/'"
              " $scratch/whole.json >$scratch/part.json &&"
              " $downhill bench --resume $scratch/part.json"),
        EXIT_OK);
    json_t *root = parsed_file("part.json");
    assert_true(warned(root, "1 of 1 rows waited for the CPU, so their times are too long: the "
                             "CPU quota of its control group stopped it for 25 s in 500 periods"));
    assert_false(warned(root, "other threads"));
    assert_false(warned(root, "other program"));
    json_decref(root);
    shell("rm $scratch/whole.json $scratch/part.json");
}

/* Asserts that an entry has every member that Google Benchmark writes, also after
 * SkipWithError(). */
static void assert_entry(const json_t *row)
{
    static const char *const numbers[] = {"family_index", "per_family_instance_index",
                                          "repetitions",  "threads",
                                          "iterations",   "real_time",
                                          "cpu_time"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_true(number(row, numbers[i]) >= 0.0);
    assert_true(number(row, "repetitions") >= 1.0);
    assert_non_null(strstr(string(row, "name"), string(row, "run_name")));
    assert_string_equal(string(row, "time_unit"), "ns");
    if (strcmp(string(row, "run_type"), "aggregate") == 0) {
        string(row, "aggregate_name");
        string(row, "aggregate_unit");
    } else {
        assert_true(number(row, "repetition_index") >= 0.0);
    }
}

static size_t count_of_text(const char *text, const char *part)
{
    size_t count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

/* After a signal, the samples so far are written in a form that Google Benchmark's tools can read,
 * and the exit code is 128 plus the signal. */
static void test_cli_bench__interrupted__partial_results(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill bench --no-ceilings --isa scalar --shape 64x784x10 --min-time 20ms "
              "--filter '^(hinge|softmax|update)_f32' --repetitions 200 --precision 0"
              " --json $scratch/cut.json & p=$!;"
              /* The file appears when the first row is sampled in the first pass. */
              " for i in $(seq 1200); do sleep 0.05; test -e $scratch/cut.json && break; done;"
              " kill -TERM $p; wait $p"),
        128 + 15);
    json_t *root = parsed_file("cut.json"), *row;
    assert_true(warned(root, "interrupted"));
    assert_true(json_is_true(json_object_get(root, "partial")));
    size_t skipped = 0, i;
    json_array_foreach(json_object_get(root, "benchmarks"), i, row)
    {
        assert_entry(row);
        skipped += json_is_true(json_object_get(row, "error_occurred"));
    }
    assert_true(skipped >= 1); /* the update was not reached */
    json_decref(root);
    assert_int_equal(shell("/usr/bin/python3 /usr/share/benchmark/compare.py --no-color benchmarks"
                           " $scratch/cut.json $scratch/cut.json"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "update_f32/scalar/n:64/d:784/c:10"));
    /* Rows without samples are comparable with rows that have some, on either side. */
    assert_int_equal(
        shell("$downhill bench --no-ceilings --isa scalar --shape 64x784x10 --min-time 50us"
              " --filter '^(hinge|softmax|update)_f32' --precision 0 --json $scratch/whole.json"
              " >/dev/null 2>&1 || exit 9\n"
              "for pair in 'cut whole' 'whole cut'; do set -- $pair\n"
              "/usr/bin/python3 /usr/share/benchmark/compare.py --no-color benchmarks"
              " $scratch/$1.json $scratch/$2.json || exit 10; done; rm $scratch/whole.json"),
        EXIT_OK);
    assert_int_equal(count_of_text(shell_out, "hinge_f32/scalar/n:64/d:784/c:10_median "), 2);
    assert_int_equal(shell("$downhill report --output $scratch/report $scratch/cut.json;"
                           " code=$?; rm -r $scratch/report; exit $code"),
                     EXIT_OK);
    /* --resume takes no options of the run. */
    assert_int_equal(shell("$downhill bench --resume $scratch/cut.json --seed 2"), EXIT_USAGE);
    assert_non_null(strstr(shell_err, "no other option than --json"));
    remove(scratch_path("cut.json"));
}

/* A run killed by SIGKILL leaves partial results; resuming it completes them with its options. */
static void test_cli_bench__killed_and_resumed__complete(void **state)
{
    (void)state;
    assert_int_equal(
        shell("b='--no-ceilings --isa scalar --shape 64x784x10 --min-time 5ms --repetitions 30 "
              "--precision 0'\n"
              "$downhill bench $b --filter '^(hinge|softmax|update)_f32' --seed 7"
              " --json $scratch/cut.json >/dev/null & p=$!\n"
              "for i in $(seq 6000); do sleep 0.05; test -e $scratch/cut.json && break; done\n"
              "kill -KILL $p; wait $p; test $? = 137"),
        EXIT_OK);
    json_t *partial = parsed_file("cut.json");
    assert_true(json_is_true(json_object_get(partial, "partial")));
    const size_t groups = json_array_size(json_object_get(partial, "groups"));
    assert_true(groups >= 1);
    assert_int_equal(shell("$downhill bench --resume $scratch/cut.json"), EXIT_OK);
    assert_non_null(strstr(shell_err, "rows were timed already"));
    json_t *complete = parsed_file("cut.json");
    assert_null(json_object_get(complete, "partial"));
    assert_true(json_array_size(json_object_get(complete, "groups")) > groups);
    const json_t *context = json_object_get(complete, "context");
    assert_int_equal((int)number(context, "seed"), 7);
    assert_true(json_equal(json_object_get(context, "arguments"),
                           json_object_get(json_object_get(partial, "context"), "arguments")));
    /* The first sample in the file is the one from before the kill. */
    const json_t *before = json_array_get(json_object_get(partial, "benchmarks"), 0),
                 *after = json_array_get(json_object_get(complete, "benchmarks"), 0);
    assert_true(number(before, "real_time") == number(after, "real_time"));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(complete, "benchmarks"), i, row)
        assert_null(json_object_get(row, "error_occurred"));
    json_decref(partial);
    json_decref(complete);
    assert_int_equal(shell("$downhill bench --resume $scratch/cut.json"), EXIT_USAGE);
    assert_non_null(strstr(shell_err, "the run is complete"));
    remove(scratch_path("cut.json"));
}

static void test_cli_bench__resume_of_unsuitable_results__refused(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *edit, *message;
    } cases[] = {
        {EXIT_DATA, "s/{/[/", "line "},
        {EXIT_DATA, "s/\"schema_version\": 1/\"schema_version\": 9/",
         "not results of this version"},
        {EXIT_USAGE, "s/\"commit\": \"/&0/", "from another build"},
        {EXIT_USAGE, "s/\"usable\": true/\"usable\": false/", "from another machine"},
        {EXIT_USAGE, "s/\"--no-ceilings\"/\"--no-such\"/", "--no-such is not an option"},
        {EXIT_DATA, "s/\"--no-ceilings\"/7/", "the file is damaged"},
    };
    assert_int_equal(shell("$downhill bench --no-ceilings --shape 4x33x3 --min-time 50us"
                           " --precision 0 --filter ^hinge_f32/scalar --json $scratch/whole.json"),
                     EXIT_OK);
    assert_int_equal(shell("sed 's/\"schema_version\"/\"partial\": true,\\n&/' $scratch/whole.json"
                           " >$scratch/part.json"),
                     EXIT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char command[512];
        snprintf(command, sizeof command,
                 "sed '%s' $scratch/part.json >$scratch/bad.json;"
                 " $downhill bench --resume $scratch/bad.json",
                 cases[i].edit);
        const int code = shell(command);
        if (code != cases[i].code || strstr(shell_err, cases[i].message) == NULL)
            fail_msg("%s: exit code %d: %s", cases[i].edit, code, shell_err);
    }
    /* A partial run with no rows left to time completes at once. */
    assert_int_equal(shell("$downhill bench --resume $scratch/part.json --json $scratch/new.json"),
                     EXIT_OK);
    json_t *root = parsed_file("new.json");
    assert_null(json_object_get(root, "partial"));
    json_decref(root);
    assert_int_equal(shell("$downhill bench --resume $scratch/nowhere.json"), EXIT_DATA);
    shell("rm $scratch/whole.json $scratch/part.json $scratch/bad.json $scratch/new.json");
}

/* Measures ceilings alone, then runs with those of the file. */
static void test_cli_bench__ceilings_from_file__reused(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --ceilings --quick --json $scratch/ceilings.json"),
                     EXIT_OK);
    assert_non_null(strstr(shell_out, "1 thread\n"));
    assert_non_null(strstr(shell_out, "DRAM"));
    json_t *root = parsed_file("ceilings.json"), *found = json_object_get(root, "ceilings");
    assert_true(number(found, "age_s") == 0.0);
    assert_true(number(found, "call_ns") > 0.0);
    assert_int_equal(
        shell("$downhill bench --ceilings-from $scratch/ceilings.json --shape 64x784x10"
              " --min-time 50us --precision 0 --filter ^score_f32"
              " --json $scratch/a.json"),
        EXIT_OK);
    json_t *a = parsed_file("a.json"), *reused = json_object_get(a, "ceilings");
    assert_string_equal(string(reused, "measured"), string(found, "measured"));
    assert_true(number(reused, "clock_ghz") == number(found, "clock_ghz"));
    assert_true(json_equal(json_object_get(reused, "read"), json_object_get(found, "read")));
    json_decref(a);
    json_decref(root);
    assert_int_equal(shell("echo '{}' >$scratch/a.json;"
                           " $downhill bench --ceilings-from $scratch/a.json --filter ^hinge_f32"
                           " --shape 4x33x3 --isa scalar"),
                     EXIT_DATA);
    assert_non_null(strstr(shell_err, "of another machine"));
    assert_int_equal(shell("sed 's/\"measured\"/\"m\"/' $scratch/ceilings.json >$scratch/a.json;"
                           " $downhill bench --ceilings-from $scratch/a.json --filter ^hinge_f32"
                           " --shape 4x33x3 --isa scalar"),
                     EXIT_DATA);
    assert_non_null(strstr(shell_err, "it has no ceilings with a valid date"));
    shell("rm $scratch/ceilings.json $scratch/a.json");
}

/* The results record the arguments of the run as they would be typed. */
static void test_cli_bench__arguments__recorded(void **state)
{
    (void)state;
    assert_int_equal(shell("DOWNHILL_ISA=scalar $downhill bench --no-ceilings --shape 4x33x3"
                           " --shape 2x5x3 --min-time 50us --precision 2% --repetitions 3"
                           " --filter '^hinge_f32' --seed 9 --cache hot,cold --json -"),
                     EXIT_OK);
    json_t *root = parsed(shell_out);
    const json_t *arguments = json_object_get(json_object_get(root, "context"), "arguments");
    static const char *const want[] = {
        "--filter",    "^hinge_f32", "--shape",    "4x33x3", "--shape",       "2x5x3",
        "--cache",     "hot,cold",   "--isa",      "scalar", "--repetitions", "3",
        "--precision", "0.02",       "--min-time", "50us",   "--no-ceilings", "--seed",
        "9",
    };
    assert_int_equal(json_array_size(arguments), sizeof want / sizeof want[0]);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_string_equal(json_string_value(json_array_get(arguments, i)), want[i]);
    json_decref(root);
}

/* The expected duration is printed before the run. A time without a unit that is implausible in
 * seconds is refused. */
static void test_cli_bench__duration__printed_or_refused(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --list --isa scalar --filter ^hinge_f32 --min-time 20"),
                     EXIT_OK);
    assert_non_null(strstr(shell_err, "18 rows will take "));
    assert_non_null(strstr(shell_out, "hinge_f32/scalar/n:256/d:784/c:10\n"));
    static const char *const implausible[] = {"--min-time 20", "--max-time 20000",
                                              "--min-time=20.5", "--quick --min-time 500",
                                              "--min-time 1"};
    for (size_t i = 0; i < sizeof implausible / sizeof implausible[0]; i++) {
        char command[256];
        snprintf(command, sizeof command,
                 "timeout 60 $downhill bench %s --isa scalar --json $scratch/no.json",
                 implausible[i]);
        assert_int_equal(shell(command), EXIT_USAGE);
        assert_non_null(strstr(shell_err, ": is in seconds, and "));
        assert_non_null(strstr(shell_err, "; write "));
        assert_string_equal(shell_out, "");
    }
    static const char *const too_long[] = {"--min-time 1s --repetitions 1000 --precision 0",
                                           "--min-time 3600s", "--min-time 0.9 --repetitions 1000"};
    for (size_t i = 0; i < sizeof too_long / sizeof too_long[0]; i++) {
        char command[256];
        snprintf(command, sizeof command,
                 "timeout 60 $downhill bench %s --isa scalar --json $scratch/no.json", too_long[i]);
        assert_int_equal(shell(command), EXIT_USAGE);
        assert_non_null(strstr(shell_err, " h, more than a day; give a lower --repetitions or "));
        assert_int_equal(count_of(shell_err, '\n'), 1);
    }
    assert_int_equal(shell("test -e $scratch/no.json"), 1);
    static const char *const bad[] = {"x", "0", "-1s", "5us", "2h", "4000s", "nan", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char command[256];
        snprintf(command, sizeof command, "$downhill bench --isa scalar --min-time '%s'", bad[i]);
        assert_int_equal(shell(command), EXIT_USAGE);
        assert_non_null(strstr(shell_err, "is not a time from 10us to 3600s"));
    }
    assert_int_equal(shell("$downhill bench --list --min-time 10us --max-time 10us"), 0);
    /* With a unit, a long time is accepted. The warning that samples will not be kept comes before
     * verification. */
    for (int json = 0; json < 2; json++) {
        char command[512];
        snprintf(command, sizeof command,
                 "$downhill bench --isa scalar --shape 4x33x3 --no-ceilings --min-time 20s"
                 " --filter ^hinge_f32 %s & p=$!;"
                 " for i in $(seq 600); do sleep 0.1;"
                 " grep -q 'checks passed' $scratch/cli-err && break; done;"
                 " kill -TERM $p; wait $p",
                 json ? "--json $scratch/o.json" : "");
        assert_int_equal(shell(command), 128 + 15);
        const char *passed = strstr(shell_err, "checks passed"),
                   *warning = strstr(shell_err, "warning: bench: without --json only the table"),
                   *estimate = strstr(shell_err,
                                      "bench: 1 row will take 6 min to 18 min on an idle machine");
        assert_non_null(estimate);
        assert_true(estimate < passed);
        assert_int_equal(warning != NULL, json == 0);
        assert_int_equal(strstr(shell_err, "bench: interrupted; nothing") != NULL, json == 0);
        assert_true(warning == NULL || warning < passed);
    }
    shell("rm -f $scratch/o.json");
}

/* Edits the results of a run so that one row of a group had a lower clock, as with AVX-512 on some
 * CPUs. */
static void test_cli_bench__lower_clock_of_a_row__warning(void **state)
{
    (void)state;
    assert_int_equal(
        shell("$downhill bench --no-ceilings --shape 4x33x3 --min-time 50us --precision 0"
              " --isa scalar --filter ^hinge_ --json $scratch/whole.json &&"
              " sed 's/\"schema_version\"/\"partial\": true,\\n&/;"
              " s/\"clock_ghz\": [^,]*/\"clock_ghz\": 4.0/;"
              " /\"run_name\": \"hinge_u8/,/}/s/\"clock_ghz\": 4.0/\"clock_ghz\": 3.4/'"
              " $scratch/whole.json >$scratch/part.json &&"
              " $downhill bench --resume $scratch/part.json"),
        EXIT_OK);
    json_t *root = parsed_file("part.json");
    assert_true(warned(root, "1 of 2 rows ran at a lower clock than other rows of their kernel and "
                             "shape, by up to 15 %"));
    assert_true(warned(root, "(hinge_u8/scalar/n:4/d:33/c:3)"));
    json_decref(root);
    shell("rm $scratch/whole.json $scratch/part.json");
}

static void test_cli_bench__passes__floor_clock_and_energy_of_each_row(void **state)
{
    (void)state;
    assert_int_equal(shell("$downhill bench --no-ceilings --isa scalar --passes 4 --filter "
                           "'^(hinge|softmax|update)_f32' --shape 4x33x3 --min-time 50us "
                           "--precision 0 --repetitions 8 --json $scratch/passes.json"),
                     EXIT_OK);
    json_t *root = parsed_file("passes.json"), *found = json_object_get(root, "noise_floor");
    assert_int_equal((int)number(found, "passes"), 4);
    assert_true(number(found, "p95") >= number(found, "median"));
    const json_t *energy = json_object_get(root, "energy"), *entry;
    const bool joules = json_is_true(json_object_get(energy, "available"));
    assert_true(joules || json_string_length(json_object_get(energy, "reason")) > 0);
    assert_int_equal((int)number(json_object_get(root, "context"), "passes"), 4);
    size_t i, medians = 0, samples[4] = {0};
    json_array_foreach(json_object_get(root, "benchmarks"), i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "aggregate_name"));
        if (name == NULL) {
            samples[json_integer_value(json_object_get(entry, "pass"))]++;
            assert_true(number(entry, "clock_ghz") > 0.1);
        } else if (strcmp(name, "median") == 0) {
            medians++;
            assert_int_equal(json_array_size(json_object_get(entry, "pass_medians_ns")), 4);
            const double ns = number(entry, "real_time"), ghz = number(entry, "clock_ghz");
            assert_true(number(entry, "noise_floor") >= 0.0);
            assert_true(number(entry, "ci95_low_ns") <= ns && ns <= number(entry, "ci95_high_ns"));
            assert_true(fabs(number(entry, "cycles_per_sample") / (ns * ghz / 4.0) - 1.0) < 1e-6);
            assert_true(
                fabs(number(entry, "operations_per_cycle") / (number(entry, "flops") / ns / ghz) -
                     1.0) < 1e-6);
            assert_int_equal(json_object_get(entry, "energy_j") != NULL, joules);
        }
    }
    assert_int_equal(medians, 3);
    for (size_t p = 0; p < 4; p++)
        assert_int_equal(samples[p], 6); /* two of each row */
    json_decref(root);
    remove(scratch_path("passes.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_bench__json_to_stdout__rows_and_context),
        cmocka_unit_test(test_cli_bench__report__has_the_rows),
        cmocka_unit_test(test_cli_bench__json__read_by_compare_py),
        cmocka_unit_test(test_cli_bench__json_to_devices_pipes_and_links__not_replaced),
        cmocka_unit_test(test_cli_bench__benchmark_variables__ignored),
        cmocka_unit_test(test_cli_bench__no_row_timed__fails),
        cmocka_unit_test(test_cli_bench__json_to_file__table_on_stdout),
        cmocka_unit_test(test_cli_bench__precision_not_reached__footnote),
        cmocka_unit_test(test_cli_bench__shared_cpu__warning),
        cmocka_unit_test(test_cli_bench__shared_cpu_of_a_team__warning),
        cmocka_unit_test(test_cli_bench__throttled__warning),
        cmocka_unit_test(test_cli_bench__interrupted__partial_results),
        cmocka_unit_test(test_cli_bench__killed_and_resumed__complete),
        cmocka_unit_test(test_cli_bench__resume_of_unsuitable_results__refused),
        cmocka_unit_test(test_cli_bench__ceilings_from_file__reused),
        cmocka_unit_test(test_cli_bench__arguments__recorded),
        cmocka_unit_test(test_cli_bench__duration__printed_or_refused),
        cmocka_unit_test(test_cli_bench__lower_clock_of_a_row__warning),
        cmocka_unit_test(test_cli_bench__passes__floor_clock_and_energy_of_each_row),
    };
    return cmocka_run_group_tests_name("cli_bench", tests, shell_open, shell_close);
}
