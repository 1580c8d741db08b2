/* SPDX-License-Identifier: MIT
 *
 * The library's request for AMX and its reaction to each answer of Linux. CPUID is that of a
 * recorded Sapphire Rapids. The request is the library's own; a seccomp filter answers in place of
 * the kernel, in one process per answer. On a machine with AMX the kernel's own refusal is tested
 * too: a small signal stack has no room for the tiles. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "isa/cpu.h"
#include "isa/kernels.h"
#include "recorded_cpus.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { GET_PERMISSION = 0x1022, REQUEST_PERMISSION = 0x1023, TILEDATA = 18 };

/* From a second copy of cpu.c, compiled with downhill_cpu_native renamed to this. Dispatch uses the
 * one defined below. */
extern const cpu_source downhill_cpu_of_host;

static cpu_regs recorded_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    (void)context;
    for (size_t i = 0; i < sizeof sapphire_rapids / sizeof sapphire_rapids[0]; i++) {
        const struct recorded_leaf *l = &sapphire_rapids[i];
        if (l->leaf == leaf && l->subleaf == subleaf)
            return (cpu_regs){{l->eax, l->ebx, l->ecx, l->edx}};
    }
    return (cpu_regs){{0, 0, 0, 0}};
}

static uint64_t recorded_xgetbv(void *context)
{
    (void)context;
    return 0x602E7;
}

static bool ask_linux(void *context)
{
    (void)context;
    return downhill_cpu_of_host.permit_amx(downhill_cpu_of_host.context);
}

const cpu_source downhill_cpu_native = {recorded_cpuid, recorded_xgetbv, ask_linux, NULL};

/* ---- simulated answers of the kernel ---- */

/* seccomp actions for arch_prctl(): SECCOMP_RET_ERRNO | error, in which error 0 is success, or
 * SECCOMP_RET_TRAP to call answer_trap(). */
struct answers {
    uint32_t to_request, to_get;
};

static bool filter_calls(struct answers answers)
{
    const uint32_t number = offsetof(struct seccomp_data, nr);
    const uint32_t code = offsetof(struct seccomp_data, args); /* lower half: little-endian */
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_arch_prctl, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, code),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, REQUEST_PERMISSION, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answers.to_request),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GET_PERMISSION, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answers.to_get),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static volatile sig_atomic_t requests;
static uint64_t granted;

/* Acts as a kernel with AMX: counts requests, and returns the granted permissions. */
static void answer_trap(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (registers[REG_RDI] == GET_PERMISSION)
        memcpy((void *)registers[REG_RSI], &granted, sizeof granted);
    else
        requests += registers[REG_RSI] == TILEDATA;
    registers[REG_RAX] = 0;
}

/* ---- run in child processes, because dispatch decides once per process ---- */

enum { FINE, NO_FILTER = 99 }; /* exit codes; others number the check that failed */

static bool is_chosen(const char *name)
{
    const downhill_kernels *kernels;
    return downhill_select(NULL, &kernels, NULL, 0) == DOWNHILL_OK &&
           strcmp(downhill_kernels_name(kernels), name) == 0;
}

static bool amx_is_refused(const char *reason)
{
    const downhill_kernels *kernels;
    char why[512];
    return downhill_select("amx", &kernels, why, sizeof why) == DOWNHILL_ERR_ISA_UNUSABLE &&
           kernels == NULL && strstr(why, reason) != NULL;
}

static downhill_level amx_level(void)
{
    downhill_level level = {0};
    for (size_t i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)
        if (strcmp(level.name, "amx") == 0)
            break;
    return level;
}

static int refused(struct answers answers)
{
    if (!filter_calls(answers))
        return NO_FILTER;
    const downhill_level before = amx_level();
    return ask_linux(NULL)                                      ? 1
           : !is_chosen("avx512bf16")                           ? 2
           : !amx_is_refused("amx-tile (permission refused)")   ? 3
           : !before.cpu || !before.os || before.permitted != 0 ? 4
                                                                : FINE;
}

static int granted_once(struct answers answers)
{
    granted = UINT64_C(1) << TILEDATA | 0x2E7;
    if (!filter_calls(answers))
        return NO_FILTER;
    return !is_chosen("amx") ? 1 : !amx_level().usable ? 2 : !is_chosen("amx") ? 3 : requests != 1;
}

static int granted_something_else(struct answers answers)
{
    granted = ~(UINT64_C(1) << TILEDATA);
    const int code = refused(answers);
    return code != FINE ? code : requests == 0;
}

static int not_requested_without_amx_tile(struct answers answers)
{
    setenv("DOWNHILL_DISABLE", "amx-tile", 1);
    return !filter_calls(answers)                           ? NO_FILTER
           : !is_chosen("avx512bf16")                       ? 1
           : !amx_is_refused("amx-tile (DOWNHILL_DISABLE)") ? 2
                                                            : FINE;
}

/* Without AVX-512 no level could use AMX. */
static int not_requested_without_avx512(struct answers answers)
{
    setenv("DOWNHILL_DISABLE", "avx512vl", 1);
    return !filter_calls(answers)                                   ? NO_FILTER
           : !is_chosen("avxvnni")                                  ? 1
           : !amx_is_refused("amx-tile (permission not requested)") ? 2
                                                                    : FINE;
}

static int requested_by_first_use(struct answers answers)
{
    return filter_calls(answers) ? is_chosen("amx") : NO_FILTER;
}

/* Runs `act` in a child process. Returns its wait status. */
static int run_in_child(int (*act)(struct answers), struct answers answers)
{
    const pid_t child = fork();
    if (child == 0) {
        const struct sigaction action = {.sa_sigaction = answer_trap, .sa_flags = SA_SIGINFO};
        sigaction(SIGSYS, &action, NULL);
        unsetenv("DOWNHILL_ISA");
        unsetenv("DOWNHILL_DISABLE");
        _exit(act(answers));
    }
    int status;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER) {
        print_message("skipped: seccomp filters cannot be set here\n");
        skip();
    }
    return status;
}

static void expect_fine(int (*act)(struct answers), uint32_t to_request, uint32_t to_get)
{
    const int status = run_in_child(act, (struct answers){to_request, to_get});
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FINE);
}

static void test_permission__granted__amx_chosen_and_requested_once(void **state)
{
    (void)state;
    expect_fine(granted_once, SECCOMP_RET_TRAP, SECCOMP_RET_TRAP);
}

static void test_permission__refused__falls_back(void **state)
{
    (void)state;
    static const uint32_t errors[] = {EPERM, ENOSYS, EINVAL, ENOSPC, EOPNOTSUPP};
    granted = UINT64_MAX; /* would be read back if a refusal went unnoticed */
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        expect_fine(refused, SECCOMP_RET_ERRNO | errors[i], SECCOMP_RET_TRAP);
}

static void test_permission__granted_but_not_confirmed__falls_back(void **state)
{
    (void)state;
    expect_fine(granted_something_else, SECCOMP_RET_TRAP, SECCOMP_RET_TRAP);
    expect_fine(refused, SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO); /* success, nothing written */
    expect_fine(refused, SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO | ENOSYS);
}

static void test_permission__no_level_would_use_it__not_requested(void **state)
{
    (void)state;
    const uint32_t deadly = SECCOMP_RET_KILL_PROCESS;
    const int status = run_in_child(requested_by_first_use, (struct answers){deadly, deadly});
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    expect_fine(not_requested_without_amx_tile, deadly, deadly);
    expect_fine(not_requested_without_avx512, deadly, deadly);
}

/* ---- the kernel of this machine, if it has AMX ---- */

static int granted_by_kernel(struct answers answers)
{
    (void)answers;
    return !ask_linux(NULL);
}

static int refused_for_a_small_stack(struct answers answers)
{
    (void)answers;
    static char
        stack[2048]; /* MINSIGSTKSZ of the kernel; that of the C library may depend on the CPU */
    const stack_t small = {.ss_sp = stack, .ss_size = sizeof stack};
    return sigaltstack(&small, NULL) != 0                                ? 1
           : syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILEDATA) != -1 ? 2
           : errno != ENOSPC                                             ? 3
           : ask_linux(NULL)                                             ? 4
           : !is_chosen("avx512bf16")                                    ? 5
                                                                         : FINE;
}

static void test_permission__small_signal_stack__refused_by_the_kernel(void **state)
{
    (void)state;
    cpu_source host = downhill_cpu_of_host;
    host.permit_amx = NULL;
    const cpu_features f = downhill_cpu_detect(&host);
    if ((f.cpu & f.os & FEATURES_AMX) != FEATURES_AMX ||
        run_in_child(granted_by_kernel, (struct answers){0, 0}) != 0) {
        print_message("skipped: AMX is not available here\n");
        skip();
    }
    expect_fine(refused_for_a_small_stack, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permission__granted__amx_chosen_and_requested_once),
        cmocka_unit_test(test_permission__refused__falls_back),
        cmocka_unit_test(test_permission__granted_but_not_confirmed__falls_back),
        cmocka_unit_test(test_permission__no_level_would_use_it__not_requested),
        cmocka_unit_test(test_permission__small_signal_stack__refused_by_the_kernel),
    };
    return cmocka_run_group_tests_name("permission", tests, NULL, NULL);
}
