/* SPDX-License-Identifier: MIT
 *
 * Per case and operation, draws the inputs and computes the reference once, then runs each level on
 * fresh guarded buffers and compares every number. */
#define _GNU_SOURCE
#include "verify.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/levels.h"
#include "cases.h"
#include "isa/tables.h"
#include "order.h"
#include "workbench.h"
#include "workbench_u8.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A kernel that touches a guard page, or an instruction the CPU lacks, fails its check instead of
 * ending the run. */
static sigjmp_buf crash_point;
static volatile sig_atomic_t armed; /* crash_point is valid */

static void on_crash(int signal_number)
{
    if (armed)
        siglongjmp(crash_point, signal_number);
    /* Not caused by a kernel: the instruction runs again and ends the program by default. */
    signal(signal_number, SIG_DFL);
}

static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

enum { N_SIGNALS = sizeof crash_signals / sizeof crash_signals[0] };

static void catch_crashes(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_NODEFER};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(crash_signals[i], &action, &before[i]);
}

static void restore_handlers(const struct sigaction *before)
{
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(crash_signals[i], &before[i], NULL);
}

/* f32 also has the operations on bf16. */
struct workbenches {
    workbench f32;
    workbench_u8 u8;
    order_bits order;
    char failure[160]; /* what the last failed check found */
};

const verify_kernel_info verify_kernels[VERIFY_KERNEL_COUNT] = {
#define KERNEL(name, group, kind, element, ...)                                                    \
    [VERIFY_##name] = {#name, KIND_##kind, ELEMENT_##element},
#include "kernels.def"
};

static bool is_u8(verify_kernel kernel)
{
    return verify_kernels[kernel].element == ELEMENT_U8;
}

static bool check(struct workbenches *workbenches, const verify_case *v, verify_kernel kernel,
                  const downhill_kernels *kernels)
{
    if (is_u8(kernel))
        return workbench_u8_check(&workbenches->u8, v, kernel, kernels, workbenches->failure,
                                  sizeof workbenches->failure);
    if (workbench_check(&workbenches->f32, v, kernel, kernels))
        return true;
    snprintf(workbenches->failure, sizeof workbenches->failure, "%s", workbenches->f32.failure);
    return false;
}

static bool run_guarded(struct workbenches *workbenches, const verify_case *v, verify_kernel kernel,
                        const downhill_kernels *kernels)
{
    const int crash = sigsetjmp(crash_point, 1);
    if (crash == 0) {
        armed = 1;
        const bool good = check(workbenches, v, kernel, kernels);
        armed = 0;
        return good;
    }
    armed = 0;
    snprintf(workbenches->failure, sizeof workbenches->failure, "crashed: %s%s", strsignal(crash),
             crash == SIGSEGV ? " (access outside its arguments)" : "");
    return false;
}

static void report(const verify_options *options, const char *failure, const verify_case *v,
                   verify_kernel kernel, const char *level)
{
    static const char *const numbers[] = {"exact integers", "reals", "wide reals",
                                          "reals with NaN and infinities"};
    static const char *const places[] = {"up to a guard page", "after a guard page",
                                         "away from guard pages"};
    error_line("verify: %s/%s: %s (n %zu, d %zu, c %zu, ldx %zu, ldw %zu, lds %zu, %s, %s%s)",
               verify_kernels[kernel].name, level, failure, v->n, v->d, v->c, v->ldx, v->ldw,
               v->lds, numbers[v->numbers], places[v->placement],
               v->scattered ? ", scattered rows" : "");
    fprintf(stderr, "  rerun: downhill verify --isa %s --kernel %s --seed %llu --case %ld\n", level,
            verify_kernels[kernel].name, (unsigned long long)options->seed, v->number);
}

static bool is_wanted(const verify_options *options, verify_kernel kernel)
{
    const bool set = options->kernel_set == 0 || (options->kernel_set >> kernel & 1) != 0;
    return set &&
           (options->kernel == NULL || strcmp(options->kernel, verify_kernels[kernel].name) == 0);
}

static void show_progress(size_t done, size_t total)
{
    static const char bar[] = "########################################";
    const int filled = (int)(done * (sizeof bar - 1) / total);
    fprintf(stderr, "\rverify [%-*.*s] %3zu %%", (int)sizeof bar - 1, filled, bar,
            done * 100 / total);
    if (done == total)
        fputc('\n', stderr);
    fflush(stderr);
}

/* Runs the level fma, if some table is to be compared with it. Returns whether its outputs were
 * right and have been kept. */
static bool take_order(struct workbenches *workbenches, const verify_case *v, verify_kernel kernel,
                       const downhill_kernels *const *tables, size_t n_tables)
{
    bool wanted = false;
    for (size_t t = 0; t < n_tables; t++)
        wanted = wanted || order_is_fixed(tables[t], verify_kernels[kernel].element);
    if (!wanted || !run_guarded(workbenches, v, kernel, &downhill_table_fma))
        return false;
    order_bits_take(&workbenches->order, &workbenches->f32, v, kernel);
    return true;
}

/* Checks a table, and compares its bits with the order of sums if it promises them. */
static bool check_table(struct workbenches *workbenches, const verify_case *v, verify_kernel kernel,
                        const downhill_kernels *kernels, bool has_order)
{
    if (!run_guarded(workbenches, v, kernel, kernels))
        return false;
    if (!order_is_fixed(kernels, verify_kernels[kernel].element))
        return true;
    if (has_order && order_bits_same(&workbenches->order, &workbenches->f32, v, kernel))
        return true;
    snprintf(workbenches->failure, sizeof workbenches->failure, "%s",
             has_order ? workbenches->f32.failure : "the level fma, the order of sums, is wrong");
    return false;
}

static void run_case(const verify_options *options, struct workbenches *workbenches,
                     const verify_case *v, const downhill_kernels *const *tables, size_t n_tables,
                     verify_result *result)
{
    for (verify_kernel kernel = 0; kernel < VERIFY_KERNEL_COUNT; kernel++) {
        if (!is_wanted(options, kernel))
            continue;
        if (is_u8(kernel))
            workbench_u8_prepare(&workbenches->u8, v, kernel);
        else
            workbench_prepare(&workbenches->f32, v, kernel);
        const bool has_order = take_order(workbenches, v, kernel, tables, n_tables);
        for (size_t t = 0; t < n_tables; t++) {
            result->checks++;
            if (check_table(workbenches, v, kernel, tables[t], has_order))
                continue;
            if (result->failures++ < options->max_reports)
                report(options, workbenches->failure, v, kernel, downhill_kernels_name(tables[t]));
            if (options->first_only)
                return;
        }
    }
}

int verify_run(const verify_options *options, verify_result *result)
{
    *result = (verify_result){0};
    bool known = false;
    char names[256] = "";
    for (verify_kernel kernel = 0; kernel < VERIFY_KERNEL_COUNT; kernel++) {
        known = known || is_wanted(options, kernel);
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s",
                 verify_kernels[kernel].name);
    }
    if (!known) {
        error_line("verify: no kernel '%s'; known:%s", options->kernel, names);
        return EXIT_USAGE;
    }
    const size_t total = verify_case_count();
    if (options->only_case >= 0 && (size_t)options->only_case >= total) {
        error_line("verify: no case %ld; cases are numbered from 0 to %zu", options->only_case,
                   total - 1);
        return EXIT_USAGE;
    }
    const downhill_kernels *tables[LEVELS_MAX] = {options->kernels};
    result->levels = options->kernels != NULL ? 1 : levels_to_run(options->isa, tables);
    if (result->levels == 0)
        return EXIT_ISA;

    struct workbenches workbenches;
    const bool f32 = workbench_open(&workbenches.f32, options->seed),
               u8 = workbench_u8_open(&workbenches.u8, options->seed),
               order = order_bits_open(&workbenches.order, options->seed);
    if (!f32 || !u8 || !order) {
        if (f32)
            workbench_close(&workbenches.f32);
        if (u8)
            workbench_u8_close(&workbenches.u8);
        if (order)
            order_bits_close(&workbenches.order);
        error_line("verify: out of memory");
        return EXIT_INTERNAL;
    }
    struct sigaction before[N_SIGNALS];
    catch_crashes(before);
    const double start = clock_seconds();
    const size_t count = options->chosen_only ? verify_chosen_count() : total;
    for (size_t i = 0; i < count; i += options->stride) {
        const size_t number = options->only_case >= 0 ? (size_t)options->only_case : i;
        const verify_case v = verify_case_at(options->seed, number);
        run_case(options, &workbenches, &v, tables, result->levels, result);
        if (options->only_case >= 0 || (options->first_only && result->failures > 0))
            break;
        if (options->progress && i % 64 == 0)
            show_progress(i, count);
    }
    if (options->progress && options->only_case < 0)
        show_progress(count, count);
    result->seconds = clock_seconds() - start;
    restore_handlers(before);
    workbench_close(&workbenches.f32);
    workbench_u8_close(&workbenches.u8);
    order_bits_close(&workbenches.order);
    if (options->max_reports > 0 && result->failures > options->max_reports)
        error_line("verify: %llu more failures not shown",
                   (unsigned long long)(result->failures - options->max_reports));
    return result->failures == 0 ? EXIT_OK : EXIT_CHECK;
}
