/* SPDX-License-Identifier: MIT
 *
 * CPUID values of real CPUs, so that detection can be tested without these machines.
 *
 * The register values are those of the first logical CPU in the public dump that `source` names
 * (InstLatx64: github.com/InstLatx64/InstLatx64, file <source>_CPUID.txt, or <source>.txt if the
 * name already has _CPUID; libcpuid: github.com/anrieff/libcpuid). Entries whose name says
 * "changed" are recorded CPUs under an operating system or firmware that was not recorded. The
 * comment of their table says what was changed; without one it is xcr0 only.
 *
 * No dump contains XCR0, but ebx of leaf 0xD is the size of the states that the operating system
 * had enabled. xcr0 is the usual value (0x3 SSE, 0x7 AVX, 0xE7 AVX-512, 0x602E7 AMX and PKRU) that
 * matches this size, or 0 if OSXSAVE is clear and XGETBV would fault. */
#ifndef DOWNHILL_TESTS_RECORDED_CPUS_H
#define DOWNHILL_TESTS_RECORDED_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recorded_leaf {
    uint32_t leaf, subleaf, eax, ebx, ecx, edx;
};

struct recorded_cpu {
    const char *name, *source;
    const struct recorded_leaf *leaves;
    size_t n_leaves;
    uint64_t xcr0;
    bool amx_permitted;   /* whether the OS grants AMX */
    const char *features; /* usable features, in the order of DOWNHILL_FEATURES */
    const char *level;    /* level that dispatch must choose */
};

/* clang-format off */

/* Core i7-965 Extreme (engineering sample). No AVX, no XSAVE. */
static const struct recorded_leaf nehalem[] = {
    {0x0, 0, 0x0000000B, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000106A4, 0x00100800, 0x0098E3BD, 0xBFEBFBFF},
    {0x4, 0, 0x1C004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x1C004122, 0x00C0003F, 0x0000007F, 0x00000000},
    {0x4, 2, 0x1C004143, 0x01C0003F, 0x000001FF, 0x00000000},
    {0x4, 3, 0x1C03C163, 0x03C0003F, 0x00001FFF, 0x00000002},
    {0x7, 0, 0x00000000, 0x00000000, 0x00000000, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000001, 0x28100000},
};

/* Core i5-2400. AVX only. */
static const struct recorded_leaf sandy_bridge[] = {
    {0x0, 0, 0x0000000D, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000206A7, 0x00100800, 0x1FBAE3FF, 0xBFEBFBFF},
    {0x7, 0, 0x00000000, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x00000007, 0x00000340, 0x00000340, 0x00000000},
};

/* Core i7-2600, recorded under an OS that saves no YMM state: size 0x240 is x87 and SSE only. */
static const struct recorded_leaf sandy_bridge_old_os[] = {
    {0x0, 0, 0x0000000D, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000206A7, 0x00100800, 0x1FBAE3FF, 0xBFEBFBFF},
    {0x7, 0, 0x00000000, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x00000007, 0x00000240, 0x00000340, 0x00000000},
};

/* Core i7-4770. The first generation with AVX2. */
static const struct recorded_leaf haswell[] = {
    {0x0, 0, 0x0000000D, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000306C3, 0x00100800, 0x7FFAFBFF, 0xBFEBFBFF},
    {0x4, 0, 0x1C004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x1C004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0x1C004143, 0x01C0003F, 0x000001FF, 0x00000000},
    {0x4, 3, 0x1C03C163, 0x03C0003F, 0x00001FFF, 0x00000006},
    {0x7, 0, 0x00000000, 0x000027AB, 0x00000000, 0x00000000},
    {0xD, 0, 0x00000007, 0x00000340, 0x00000340, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000021, 0x2C100000},
};

/* Core i5-6400T, a client Skylake without AVX-512. */
static const struct recorded_leaf skylake[] = {
    {0x0, 0, 0x00000016, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000506E3, 0x00100800, 0x7FFAFBFF, 0xBFEBFBFF},
    {0x7, 0, 0x00000000, 0x029C67AF, 0x00000000, 0x00000000},
    {0xD, 0, 0x0000001F, 0x00000340, 0x00000440, 0x00000000},
};

/* Xeon Phi 7210. AVX512F without BW, DQ and VL. */
static const struct recorded_leaf knights_landing[] = {
    {0x0, 0, 0x0000000D, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x00050671, 0x08FF0800, 0x7FF8F39F, 0xBFEBFBFF},
    {0x4, 0, 0xFC00C121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0xFC00C122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0xFC01C143, 0x03C0003F, 0x000003FF, 0x00000013},
    {0x7, 0, 0x00000000, 0x1C0D23AB, 0x00000001, 0x04000000},
    {0xD, 0, 0x000000E7, 0x00000A80, 0x00000A80, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100000},
};

/* Core i9-7900X. AVX-512 F, BW, DQ and VL. */
static const struct recorded_leaf skylake_x[] = {
    {0x0, 0, 0x00000016, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x00050654, 0x00200800, 0x7FFEFBBF, 0xBFEBFBFF},
    {0x4, 0, 0x3C004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x3C004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0x3C004143, 0x03C0003F, 0x000003FF, 0x00000000},
    {0x4, 3, 0x3C07C163, 0x0280003F, 0x00004FFF, 0x00000004},
    {0x7, 0, 0x00000000, 0xD39FFFFB, 0x00000000, 0x00000000},
    {0xD, 0, 0x000000FF, 0x00000A80, 0x00000A80, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100000},
};

/* Xeon Gold 6154, recorded under an OS that saves no ZMM state: size 0x340 ends after YMM. */
static const struct recorded_leaf skylake_sp_old_os[] = {
    {0x0, 0, 0x00000016, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x00050654, 0x00400800, 0x7FFEFBFF, 0xBFEBFBFF},
    {0x4, 0, 0x7C004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x7C004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0x7C004143, 0x03C0003F, 0x000003FF, 0x00000000},
    {0x4, 3, 0x7C0FC163, 0x0280003F, 0x00008FFF, 0x00000004},
    {0x7, 0, 0x00000000, 0xD39FFFFB, 0x00000008, 0x00000000},
    {0xD, 0, 0x000002FF, 0x00000340, 0x00000A88, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100800},
};

/* Xeon Gold 5215. AVX512-VNNI; leaf 7 has no subleaf 1. */
static const struct recorded_leaf cascade_lake[] = {
    {0x0, 0, 0x00000016, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x00050657, 0x00200800, 0x7FFEFBFF, 0xBFEBFBFF},
    {0x7, 0, 0x00000000, 0xD39FFFFB, 0x00000808, 0xBC000400},
    {0xD, 0, 0x000002FF, 0x00000A80, 0x00000A88, 0x00000000},
};

/* Core i7-1065G7. Leaf 7 has no subleaf 1. */
static const struct recorded_leaf ice_lake[] = {
    {0x0, 0, 0x0000001B, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000706E5, 0x00100800, 0x7FFAFBBF, 0xBFEBFBFF},
    {0x4, 0, 0x1C004121, 0x02C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x1C004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0x1C004143, 0x01C0003F, 0x000003FF, 0x00000000},
    {0x4, 3, 0x1C03C163, 0x03C0003F, 0x00001FFF, 0x00000006},
    {0x7, 0, 0x00000000, 0xF2BF27EF, 0x40405F4E, 0xBC000410},
    {0xD, 0, 0x000002E7, 0x00000A80, 0x00000A88, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100000},
};

/* Xeon w7-2475X. AMX, AVX512-BF16, AVX-VNNI; size 0x2B00 includes the tiles. */
static const struct recorded_leaf sapphire_rapids[] = {
    {0x0, 0, 0x00000020, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000806F8, 0x00800800, 0x7FFEFBFF, 0xBFEBFBFF},
    {0x4, 0, 0xFC004121, 0x02C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0xFC004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0xFC004143, 0x03C0003F, 0x000007FF, 0x00000000},
    {0x4, 3, 0xFC1FC163, 0x0380003F, 0x00009FFF, 0x00000004},
    {0x7, 0, 0x00000002, 0xF3BFBFFB, 0xBB417FEE, 0xFFDD4430},
    {0x7, 1, 0x00001C30, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x000602E7, 0x00002B00, 0x00002B00, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100000},
};

/* Core i7-12800HX, with E-cores: AVX-VNNI without AVX-512. */
static const struct recorded_leaf alder_lake[] = {
    {0x0, 0, 0x00000020, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x00090672, 0x00800800, 0x7FFAFBBF, 0xBFEBFBFF},
    {0x4, 0, 0xFC004121, 0x02C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0xFC004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0xFC01C143, 0x0240003F, 0x000007FF, 0x00000000},
    {0x4, 3, 0xFC1FC163, 0x0240003F, 0x00009FFF, 0x00000004},
    {0x7, 0, 0x00000002, 0x239C27EB, 0x98C007AC, 0xFC18C410},
    {0x7, 1, 0x00400810, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x00000207, 0x00000340, 0x00000A88, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100000},
};

/* Core i5-12400, without E-cores and recorded with AVX-512 enabled, unlike in other dumps. */
static const struct recorded_leaf alder_lake_avx512[] = {
    {0x0, 0, 0x00000020, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x00090672, 0x00200800, 0x7FFAFBBF, 0xBFEBFBFF},
    {0x7, 0, 0x00000001, 0xF3BFA7EB, 0x98C05FEE, 0xFC984510},
    {0x7, 1, 0x00401C30, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x000002E7, 0x00000A80, 0x00000A88, 0x00000000},
};

/* FX-8350. FMA and F16C without AVX2. */
static const struct recorded_leaf piledriver[] = {
    {0x0, 0, 0x0000000D, 0x68747541, 0x444D4163, 0x69746E65},
    {0x1, 0, 0x00600F20, 0x00080800, 0x3E98320B, 0x178BFBFF},
    {0x7, 0, 0x00000000, 0x00000008, 0x00000000, 0x00000000},
    {0xD, 0, 0x00000007, 0x00000340, 0x000003C0, 0x40000000},
    {0x80000000, 0, 0x8000001E, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0, 0x00600F20, 0x10000000, 0x01EBBFFF, 0x2FD3FBFF},
    {0x8000001D, 0, 0x00000121, 0x00C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 1, 0x00004122, 0x0040003F, 0x000001FF, 0x00000000},
    {0x8000001D, 2, 0x00004143, 0x03C0003F, 0x000007FF, 0x00000001},
    {0x8000001D, 3, 0x0001C163, 0x0FC0003F, 0x000007FF, 0x00000001},
};

/* Ryzen 9 PRO 3900. No AVX-512. */
static const struct recorded_leaf zen2[] = {
    {0x0, 0, 0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    {0x1, 0, 0x00870F10, 0x00180800, 0x7ED8320B, 0x178BFBFF},
    {0x7, 0, 0x00000000, 0x219C91A9, 0x00400004, 0x00000000},
    {0xD, 0, 0x00000207, 0x00000340, 0x00000380, 0x00000000},
    {0x80000000, 0, 0x80000020, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0, 0x00870F10, 0x20000000, 0x75C237FF, 0x2FD3FBFF},
    {0x8000001D, 0, 0x00004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 1, 0x00004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 2, 0x00004143, 0x01C0003F, 0x000003FF, 0x00000002},
    {0x8000001D, 3, 0x00014163, 0x03C0003F, 0x00003FFF, 0x00000001},
};

/* Ryzen 5 7600X. AVX512-BF16 without AVX-VNNI. */
static const struct recorded_leaf zen4[] = {
    {0x0, 0, 0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    {0x1, 0, 0x00A60F12, 0x000C0800, 0x7EF8320B, 0x178BFBFF},
    {0x7, 0, 0x00000001, 0xF1BF97A9, 0x00405FCE, 0x10000010},
    {0x7, 1, 0x00000020, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x000002E7, 0x00000980, 0x00000988, 0x00000000},
    {0x80000000, 0, 0x80000028, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0, 0x00A60F12, 0x00000000, 0x75C237FF, 0x2FD3FBFF},
    {0x8000001D, 0, 0x00004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 1, 0x00004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 2, 0x00004143, 0x01C0003F, 0x000007FF, 0x00000002},
    {0x8000001D, 3, 0x0002C163, 0x03C0003F, 0x00007FFF, 0x00000001},
};

/* Ryzen 9 9950X. AVX512-BF16 and AVX-VNNI. */
static const struct recorded_leaf zen5[] = {
    {0x0, 0, 0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    {0x1, 0, 0x00B40F40, 0x00200800, 0x7ED8320B, 0x178BFBFF},
    {0x7, 0, 0x00000001, 0xF1BF97AB, 0x19405FCE, 0x10000110},
    {0x7, 1, 0x00000030, 0x00000000, 0x00000000, 0x00000000},
    {0xD, 0, 0x000002E7, 0x00000980, 0x00000988, 0x00000000},
    {0x80000000, 0, 0x80000028, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0, 0x00B40F40, 0x00000000, 0x75C237FF, 0x2FD3FBFF},
    {0x8000001D, 0, 0x00004121, 0x02C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 1, 0x00004122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 2, 0x00004143, 0x03C0003F, 0x000003FF, 0x00000002},
    {0x8000001D, 3, 0x0003C163, 0x03C0003F, 0x00007FFF, 0x00000001},
};

/* VIA Eden X4 C4250, recorded with OSXSAVE clear. AVX2 and F16C without FMA. */
static const struct recorded_leaf via_eden[] = {
    {0x0, 0, 0x0000000D, 0x746E6543, 0x736C7561, 0x48727561},
    {0x1, 0, 0x000006FE, 0x00040800, 0x76FA63AB, 0xBFCBFBFF},
    {0x4, 0, 0x0C000121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x0C000122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0x0C00C143, 0x03C0003F, 0x000007FF, 0x00000000},
    {0x7, 0, 0x00000000, 0x000C25AB, 0x00000000, 0x00000000},
    {0xD, 0, 0x00000007, 0x00000240, 0x00000340, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2E100800},
};

/* Centaur CNS, a prototype. AVX-512 with 0xD as the maximum leaf. */
static const struct recorded_leaf centaur_cns[] = {
    {0x0, 0, 0x0000000D, 0x746E6543, 0x736C7561, 0x48727561},
    {0x1, 0, 0x00040672, 0x00080800, 0x7FDA73AB, 0xBFCBFBFF},
    {0x4, 0, 0x1C000121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0x1C000122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0x1C000143, 0x03C0003F, 0x000000FF, 0x00000000},
    {0x4, 3, 0x1C01C163, 0x03C0003F, 0x00003FFF, 0x00000004},
    {0x7, 0, 0x00000000, 0xF1BF67AB, 0x0040000F, 0xB4000000},
    {0xD, 0, 0x000002FF, 0x00000A80, 0x00000A88, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100800},
};

/* Zhaoxin KaiXian KX-7000. AVX2 and FMA. */
static const struct recorded_leaf zhaoxin_kx7000[] = {
    {0x0, 0, 0x0000001F, 0x746E6543, 0x736C7561, 0x48727561},
    {0x1, 0, 0x000607B1, 0x00400800, 0x7FFA73EB, 0xBFCBFBFF},
    {0x4, 0, 0xFC000121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0xFC000122, 0x03C0003F, 0x0000003F, 0x00000000},
    {0x4, 2, 0xFC000143, 0x01C0003F, 0x000003FF, 0x00000002},
    {0x4, 3, 0xFC01C163, 0x03C0003F, 0x00007FFF, 0x00000002},
    {0x7, 0, 0x00000000, 0x200C25AB, 0x0040000D, 0x24000000},
    {0xD, 0, 0x00000207, 0x00000340, 0x00000A88, 0x00000000},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100800},
};

/* cpu64-rhel6 of an old QEMU. The maximum leaf is 4. Higher leaves return the data of leaf 4, which
 * would report AVX2 if it were read as leaf 7. */
static const struct recorded_leaf qemu[] = {
    {0x0, 0, 0x00000004, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000006D3, 0x00000800, 0x80002001, 0x078BFBFD},
    {0x7, 0, 0x00000121, 0x01C0003F, 0x0000003F, 0x00000001},
    {0xD, 0, 0x00000121, 0x01C0003F, 0x0000003F, 0x00000001},
};

/* haswell with OSXSAVE (leaf 1, ecx bit 27) clear, as under an OS that does not use XSAVE. */
static const struct recorded_leaf haswell_no_xsave_os[] = {
    {0x0, 0, 0x0000000D, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000306C3, 0x00100800, 0x77FAFBFF, 0xBFEBFBFF},
    {0x7, 0, 0x00000000, 0x000027AB, 0x00000000, 0x00000000},
};

/* haswell with the BIOS option "limit CPUID maximum value": leaf 0 reports 3 as the maximum, and
 * higher leaves return garbage, all bits set. */
static const struct recorded_leaf haswell_limited[] = {
    {0x0, 0, 0x00000003, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000306C3, 0x00100800, 0x7FFAFBFF, 0xBFEBFBFF},
    {0x4, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
    {0x7, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
    {0x7, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
    {0xD, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
};

/* ice_lake, whose leaf 7 reports 0 as the maximum subleaf, with garbage, all bits set, in 7.1. */
static const struct recorded_leaf ice_lake_garbage[] = {
    {0x0, 0, 0x0000001B, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x1, 0, 0x000706E5, 0x00100800, 0x7FFAFBBF, 0xBFEBFBFF},
    {0x7, 0, 0x00000000, 0xF2BF27EF, 0x40405F4E, 0xBC000410},
    {0x7, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF},
    {0xD, 0, 0x000002E7, 0x00000A80, 0x00000A88, 0x00000000},
};

/* via_eden with OSXSAVE (leaf 1, ecx bit 27) set, as under an OS that uses XSAVE. */
static const struct recorded_leaf via_eden_xsave_os[] = {
    {0x0, 0, 0x0000000D, 0x746E6543, 0x736C7561, 0x48727561},
    {0x1, 0, 0x000006FE, 0x00040800, 0x7EFA63AB, 0xBFCBFBFF},
    {0x7, 0, 0x00000000, 0x000C25AB, 0x00000000, 0x00000000},
};

/* clang-format on */

#define LEAVES(table) .leaves = (table), .n_leaves = sizeof(table) / sizeof((table)[0])

static const struct recorded_cpu recorded_cpus[] = {
    /* As recorded. */
    {
        .name = "Nehalem",
        .source = "InstLatx64 GenuineIntel00106A4_Bloomfield",
        LEAVES(nehalem),
        .xcr0 = 0x0,
        .features = "popcnt",
        .level = "scalar",
    },
    {
        .name = "Sandy Bridge",
        .source = "InstLatx64 GenuineIntel00206A7_SandyBridge",
        LEAVES(sandy_bridge),
        .xcr0 = 0x7,
        .features = "popcnt avx",
        .level = "scalar",
    },
    {
        .name = "Sandy Bridge, recorded under an OS that saves no YMM",
        .source = "InstLatx64 GenuineIntel00206A7_SandyBridge2",
        LEAVES(sandy_bridge_old_os),
        .xcr0 = 0x3,
        .features = "popcnt",
        .level = "scalar",
    },
    {
        .name = "Haswell",
        .source = "InstLatx64 GenuineIntel00306C3_Haswell",
        LEAVES(haswell),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c",
        .level = "avx2",
    },
    {
        .name = "Skylake client",
        .source = "InstLatx64 GenuineIntel00506E3_Skylake",
        LEAVES(skylake),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c",
        .level = "avx2",
    },
    {
        .name = "Knights Landing",
        .source = "InstLatx64 GenuineIntel0050671_KnightsLanding",
        LEAVES(knights_landing),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avx512f",
        .level = "avx2",
    },
    {
        .name = "Skylake-X",
        .source = "InstLatx64 GenuineIntel0050654_SkylakeX",
        LEAVES(skylake_x),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl",
        .level = "avx512",
    },
    {
        .name = "Skylake-SP, recorded under an OS that saves no ZMM",
        .source = "InstLatx64 GenuineIntel0050654_SkylakeXeon",
        LEAVES(skylake_sp_old_os),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c",
        .level = "avx2",
    },
    {
        .name = "Cascade Lake",
        .source = "InstLatx64 GenuineIntel0050657_CascadeLakeSP_CPUID1",
        LEAVES(cascade_lake),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512vnni",
        .level = "avx512vnni",
    },
    {
        .name = "Ice Lake",
        .source = "InstLatx64 GenuineIntel00706E5_IceLakeY",
        LEAVES(ice_lake),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512vnni",
        .level = "avx512vnni",
    },
    {
        .name = "Sapphire Rapids, AMX permitted",
        .source = "InstLatx64 GenuineIntel00806F8_SapphireRapids_05",
        LEAVES(sapphire_rapids),
        .xcr0 = 0x602E7,
        .amx_permitted = true,
        .features =
            "popcnt avx avx2 fma f16c avxvnni avx512f avx512bw avx512dq avx512vl avx512vnni "
            "avx512bf16 amx-tile amx-int8 amx-bf16",
        .level = "amx",
    },
    {
        .name = "Sapphire Rapids, AMX refused",
        .source = "InstLatx64 GenuineIntel00806F8_SapphireRapids_05",
        LEAVES(sapphire_rapids),
        .xcr0 = 0x602E7,
        .amx_permitted = false,
        .features = "popcnt avx avx2 fma f16c avxvnni avx512f avx512bw avx512dq avx512vl "
                    "avx512vnni avx512bf16",
        .level = "avx512bf16",
    },
    {
        .name = "Alder Lake",
        .source = "InstLatx64 GenuineIntel0090672_AlderLake_03",
        LEAVES(alder_lake),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c avxvnni",
        .level = "avxvnni",
    },
    {
        .name = "Alder Lake, recorded with AVX-512 on",
        .source = "InstLatx64 GenuineIntel0090672_AlderLake_02",
        LEAVES(alder_lake_avx512),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avxvnni avx512f avx512bw avx512dq avx512vl "
                    "avx512vnni avx512bf16",
        .level = "avx512bf16",
    },
    {
        .name = "Piledriver",
        .source = "InstLatx64 AuthenticAMD0600F20_K15_Vishera",
        LEAVES(piledriver),
        .xcr0 = 0x7,
        .features = "popcnt avx fma f16c",
        .level = "scalar",
    },
    {
        .name = "Zen 2",
        .source = "InstLatx64 AuthenticAMD0870F10_K17_Matisse",
        LEAVES(zen2),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c",
        .level = "avx2",
    },
    {
        .name = "Zen 4",
        .source = "InstLatx64 AuthenticAMD0A60F12_K19_Raphael_01",
        LEAVES(zen4),
        .xcr0 = 0xE7,
        .features =
            "popcnt avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512vnni avx512bf16",
        .level = "avx512bf16",
    },
    {
        .name = "Zen 5",
        .source = "InstLatx64 AuthenticAMD0B40F40_K20_GraniteRidge_02",
        LEAVES(zen5),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avxvnni avx512f avx512bw avx512dq avx512vl "
                    "avx512vnni avx512bf16",
        .level = "avx512bf16",
    },
    {
        .name = "VIA Eden X4, recorded under an OS without XSAVE",
        .source = "InstLatx64 CentaurHauls00006FE_CNR_Isaiah",
        LEAVES(via_eden),
        .xcr0 = 0x0,
        .features = "popcnt",
        .level = "scalar",
    },
    {
        .name = "Centaur CNS",
        .source = "InstLatx64 CentaurHauls0040672_CNS_04",
        LEAVES(centaur_cns),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl",
        .level = "avx512",
    },
    {
        .name = "Zhaoxin KX-7000",
        .source = "InstLatx64 CentaurHauls00607B1_KX7000_05",
        LEAVES(zhaoxin_kx7000),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c",
        .level = "avx2",
    },
    {
        .name = "QEMU virtual CPU",
        .source = "libcpuid tests/intel/qemu/qemu-virtual-cpu-version.test",
        LEAVES(qemu),
        .xcr0 = 0x0,
        .features = "",
        .level = "scalar",
    },
    /* Recorded, then changed. */
    {
        .name = "Haswell, changed: OS without XSAVE",
        .source = "InstLatx64 GenuineIntel00306C3_Haswell",
        LEAVES(haswell_no_xsave_os),
        .xcr0 = 0x0,
        .features = "popcnt",
        .level = "scalar",
    },
    {
        .name = "Haswell, changed: OS saves no YMM",
        .source = "InstLatx64 GenuineIntel00306C3_Haswell",
        LEAVES(haswell),
        .xcr0 = 0x3,
        .features = "popcnt",
        .level = "scalar",
    },
    {
        .name = "Haswell, changed: maximum leaf limited to 3",
        .source = "InstLatx64 GenuineIntel00306C3_Haswell",
        LEAVES(haswell_limited),
        .xcr0 = 0x7,
        .features = "popcnt avx fma f16c",
        .level = "scalar",
    },
    {
        .name = "Skylake-X, changed: OS saves no ZMM",
        .source = "InstLatx64 GenuineIntel0050654_SkylakeX",
        LEAVES(skylake_x),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 fma f16c",
        .level = "avx2",
    },
    {
        .name = "Sapphire Rapids, changed: OS saves no tiles",
        .source = "InstLatx64 GenuineIntel00806F8_SapphireRapids_05",
        LEAVES(sapphire_rapids),
        .xcr0 = 0x2E7,
        .amx_permitted = true,
        .features = "popcnt avx avx2 fma f16c avxvnni avx512f avx512bw avx512dq avx512vl "
                    "avx512vnni avx512bf16",
        .level = "avx512bf16",
    },
    {
        .name = "Ice Lake, changed: garbage in leaf 7 subleaf 1",
        .source = "InstLatx64 GenuineIntel00706E5_IceLakeY",
        LEAVES(ice_lake_garbage),
        .xcr0 = 0xE7,
        .features = "popcnt avx avx2 fma f16c avx512f avx512bw avx512dq avx512vl avx512vnni",
        .level = "avx512vnni",
    },
    {
        .name = "VIA Eden X4, changed: OS with XSAVE",
        .source = "InstLatx64 CentaurHauls00006FE_CNR_Isaiah",
        LEAVES(via_eden_xsave_os),
        .xcr0 = 0x7,
        .features = "popcnt avx avx2 f16c",
        .level = "scalar",
    },
};

#undef LEAVES

#define N_RECORDED_CPUS (sizeof recorded_cpus / sizeof recorded_cpus[0])

#endif
