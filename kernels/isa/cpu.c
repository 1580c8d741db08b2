/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "isa/cpu.h"

#include <stddef.h>

/* XCR0 bits (Intel SDM vol. 1, 13.3): SSE 1, AVX 2, opmask 5, ZMM_Hi256 6, Hi16_ZMM 7, TILECFG 17,
 * TILEDATA 18. A wider state is useless without the narrower ones. */
#define STATE_NONE UINT64_C(0)
#define STATE_YMM  UINT64_C(0x6)
#define STATE_ZMM  UINT64_C(0xE6)
#define STATE_TILE UINT64_C(0x60000)

static const struct {
    const char *name;
    uint32_t leaf, subleaf;
    unsigned reg, bit;
    uint64_t state;
} features[FEATURE_COUNT] = {
#define ROW(id, name, leaf, subleaf, reg, bit, state) {name, leaf, subleaf, reg, bit, state},
    DOWNHILL_FEATURES(ROW)
#undef ROW
};

/* downhill_cpu_detect() reads these leaves only. */
#define ROW(id, name, leaf, subleaf, ...)                                                          \
    _Static_assert((leaf) == 1 ? (subleaf) == 0 : (leaf) == 7 && (subleaf) <= 1,                   \
                   name ": read its CPUID leaf in downhill_cpu_detect()");
DOWNHILL_FEATURES(ROW)
#undef ROW
_Static_assert(FEATURE_COUNT < 32, "a mask of features is a uint32_t");

const char *downhill_cpu_feature_name(unsigned i)
{
    return i < FEATURE_COUNT ? features[i].name : NULL;
}

cpu_features downhill_cpu_detect(const cpu_source *source)
{
    enum { ECX = 2, OSXSAVE = 27 };
    const cpu_regs none = {{0, 0, 0, 0}};
    const uint32_t max_leaf = source->cpuid(source->context, 0, 0).r[0];
    const cpu_regs leaf1 = max_leaf >= 1 ? source->cpuid(source->context, 1, 0) : none;
    /* Old and limited CPUs answer a leaf above the maximum with the highest leaf's data. */
    const cpu_regs leaf7 = max_leaf >= 7 ? source->cpuid(source->context, 7, 0) : none;
    const cpu_regs leaf7_1 = leaf7.r[0] >= 1 ? source->cpuid(source->context, 7, 1) : none;
    /* XGETBV faults if the OS has not set CR4.OSXSAVE. */
    const bool osxsave = leaf1.r[ECX] >> OSXSAVE & 1;
    const uint64_t xcr0 = osxsave ? source->xgetbv(source->context) : 0;

    cpu_features f = {0, 0, 0, 0};
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const cpu_regs *leaf = features[i].leaf == 1      ? &leaf1
                               : features[i].subleaf == 0 ? &leaf7
                                                          : &leaf7_1;
        const uint32_t flag = UINT32_C(1) << i;
        if (leaf->r[features[i].reg] >> features[i].bit & 1)
            f.cpu |= flag;
        if ((xcr0 & features[i].state) == features[i].state)
            f.os |= flag;
        if (features[i].state != STATE_TILE)
            f.permitted |= flag;
    }
    const uint32_t available = f.cpu & f.os;
    const uint32_t amx = FEATURES_OF_LEVEL(amx);
    if (source->permit_amx == NULL || (available & amx) != amx)
        f.unasked = FEATURES_AMX;
    else if (source->permit_amx(source->context))
        f.permitted |= FEATURES_AMX;
    return f;
}

#if defined __x86_64__

#include <cpuid.h>
#if defined __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

static cpu_regs native_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    (void)context;
    cpu_regs regs;
    __cpuid_count(leaf, subleaf, regs.r[0], regs.r[1], regs.r[2], regs.r[3]);
    return regs;
}

static uint64_t native_xgetbv(void *context)
{
    (void)context;
    uint32_t low, high;
    /* The intrinsic would need -mxsave, and this file is built for the baseline. */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* Asks Linux for permission to use the tile registers, 8 KiB per thread. From then on every
 * signal frame has room for them. Linux refuses if an alternate signal stack is too small for
 * that. A seccomp filter may block the request, so the granted mask is read back. */
static bool native_permit_amx(void *context)
{
    (void)context;
#if defined __linux__
    enum { GET_PERMISSION = 0x1022, REQUEST_PERMISSION = 0x1023, TILEDATA = 18 };
    uint64_t granted = 0;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILEDATA) == 0 &&
           syscall(SYS_arch_prctl, GET_PERMISSION, &granted) == 0 && (granted >> TILEDATA & 1) != 0;
#else
    return false;
#endif
}

#else

static cpu_regs native_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    (void)context, (void)leaf, (void)subleaf;
    return (cpu_regs){{0, 0, 0, 0}};
}

static uint64_t native_xgetbv(void *context)
{
    (void)context;
    return 0;
}

static bool native_permit_amx(void *context)
{
    (void)context;
    return false;
}

#endif

const cpu_source downhill_cpu_native = {native_cpuid, native_xgetbv, native_permit_amx, NULL};
