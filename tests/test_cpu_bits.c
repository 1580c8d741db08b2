/* SPDX-License-Identifier: MIT
 *
 * The bits of CPUID and XCR0 that decide which ISA levels are usable: those in the Intel SDM, and
 * no others. They are written out here by the numbers of the manual, independently of the tables
 * under test. */
#include "cmocka_all.h"

#include "base/rng.h"
#include "isa/select.h"
#include "isa/tables.h"
#include "recorded_cpus.h"

enum { EAX, EBX, ECX, EDX };

enum { LEAF_0, LEAF_1, LEAF_7, LEAF_7_1, LEAVES };

struct synthetic_cpu {
    cpu_regs leaf[LEAVES];
    uint64_t xcr0;
    bool permitted;
};

/* Sets of ISA levels. */
enum {
#define DOWNHILL_LEVEL(name, ...) IS_##name = 1 << LEVEL_INDEX_##name,
#include "isa/levels.def"
    AMX = IS_amx,
    BF16 = IS_avx512bf16 | AMX,
    VNNI = IS_avx512vnni | BF16,
    AVX512 = IS_auto_avx512 | IS_avx512 | VNNI,
    AVXVNNI = IS_avxvnni,
    SIMD = IS_auto_avx2 | IS_avx2 | AVXVNNI | AVX512,
    EVERY = IS_scalar | SIMD,
};

static const struct {
    unsigned leaf, reg, bit, levels;
} needed[] =
    {
        {LEAF_1, ECX, 12, SIMD},     /* FMA */
        {LEAF_1, ECX, 23, SIMD},     /* POPCNT */
        {LEAF_1, ECX, 27, SIMD},     /* OSXSAVE: XCR0 can be read */
        {LEAF_1, ECX, 28, SIMD},     /* AVX */
        {LEAF_1, ECX, 29, SIMD},     /* F16C */
        {LEAF_7, EBX, 5, SIMD},      /* AVX2 */
        {LEAF_7, EBX, 16, AVX512},   /* AVX512F */
        {LEAF_7, EBX, 17, AVX512},   /* AVX512DQ */
        {LEAF_7, EBX, 30, AVX512},   /* AVX512BW */
        {LEAF_7, EBX, 31, AVX512},   /* AVX512VL */
        {LEAF_7, ECX, 11, VNNI},     /* AVX512_VNNI */
        {LEAF_7, EDX, 22, AMX},      /* AMX-BF16 */
        {LEAF_7, EDX, 24, AMX},      /* AMX-TILE */
        {LEAF_7, EDX, 25, AMX},      /* AMX-INT8 */
        {LEAF_7_1, EAX, 4, AVXVNNI}, /* AVX-VNNI */
        {LEAF_7_1, EAX, 5, BF16},    /* AVX512_BF16 */
},
  needed_of_xcr0[] = {
      {0, 0, 1, SIMD},   /* XMM */
      {0, 0, 2, SIMD},   /* YMM */
      {0, 0, 5, AVX512}, /* opmask */
      {0, 0, 6, AVX512}, /* upper halves of ZMM 0 to 15 */
      {0, 0, 7, AVX512}, /* ZMM 16 to 31 */
      {0, 0, 17, AMX},   /* TILECFG */
      {0, 0, 18, AMX},   /* TILEDATA */
};

enum {
    NEEDED = sizeof needed / sizeof needed[0] + sizeof needed_of_xcr0 / sizeof needed_of_xcr0[0]
};

static unsigned expected_levels(const struct synthetic_cpu *cpu)
{
    unsigned unusable = cpu->permitted ? 0 : AMX;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if ((cpu->leaf[needed[i].leaf].r[needed[i].reg] >> needed[i].bit & 1) == 0)
            unusable |= needed[i].levels;
    for (size_t i = 0; i < sizeof needed_of_xcr0 / sizeof needed_of_xcr0[0]; i++)
        if ((cpu->xcr0 >> needed_of_xcr0[i].bit & 1) == 0)
            unusable |= needed_of_xcr0[i].levels;
    if (cpu->leaf[LEAF_0].r[EAX] < 7) /* the maximum leaf; those above it are invalid */
        unusable |= SIMD;
    if (cpu->leaf[LEAF_7].r[EAX] < 1) /* the maximum subleaf, likewise */
        unusable |= AVXVNNI | BF16;
    return EVERY & ~unusable;
}

/* A CPUID source that fails the test if a leaf is read that the manual forbids to read. */
static cpu_regs synthetic_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    const struct synthetic_cpu *cpu = context;
    if (leaf == 0 && subleaf == 0)
        return cpu->leaf[LEAF_0];
    assert_true(leaf <= cpu->leaf[LEAF_0].r[EAX]);
    if (leaf == 1 && subleaf == 0)
        return cpu->leaf[LEAF_1];
    assert_int_equal(leaf, 7);
    assert_true(subleaf <= 1 && subleaf <= cpu->leaf[LEAF_7].r[EAX]);
    return cpu->leaf[subleaf == 0 ? LEAF_7 : LEAF_7_1];
}

static uint64_t synthetic_xgetbv(void *context)
{
    const struct synthetic_cpu *cpu = context;
    assert_true(cpu->leaf[LEAF_1].r[ECX] >> 27 & 1);
    return cpu->xcr0;
}

static bool synthetic_permission(void *context)
{
    return ((const struct synthetic_cpu *)context)->permitted;
}

/* Asserts that the usable levels and the chosen one are those that the manual implies. Returns the
 * usable ones. */
static unsigned check(struct synthetic_cpu *cpu)
{
    const cpu_source source = {synthetic_cpuid, synthetic_xgetbv, synthetic_permission, cpu};
    const uint32_t features = cpu_usable(downhill_cpu_detect(&source));
    const unsigned expected = expected_levels(cpu);
    unsigned usable = 0;
    size_t best = 0;
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if ((downhill_levels[i].features & ~features) == 0)
            usable |= 1u << i;
        if ((expected >> i & 1) != 0 && downhill_levels[i].kind != DOWNHILL_KIND_AUTO)
            best = i;
    }
    assert_int_equal(usable, expected);
    assert_string_equal(downhill_levels[downhill_level_choose(features)].name,
                        downhill_levels[best].name);
    return expected;
}

static struct synthetic_cpu cpu_with(uint32_t bits)
{
    struct synthetic_cpu cpu = {.xcr0 = bits == 0 ? 0 : UINT64_MAX, .permitted = true};
    for (int leaf = 0; leaf < LEAVES; leaf++)
        cpu.leaf[leaf] = (cpu_regs){{bits, bits, bits, bits}};
    return cpu;
}

static struct synthetic_cpu sapphire_rapids_recorded(void)
{
    struct synthetic_cpu cpu = {.xcr0 = 0x602E7, .permitted = true};
    for (size_t i = 0; i < sizeof sapphire_rapids / sizeof sapphire_rapids[0]; i++) {
        const struct recorded_leaf *l = &sapphire_rapids[i];
        if (l->leaf <= 1 || l->leaf == 7)
            cpu.leaf[l->leaf < 7       ? l->leaf
                     : l->subleaf == 0 ? LEAF_7
                                       : LEAF_7_1] = (cpu_regs){{l->eax, l->ebx, l->ecx, l->edx}};
    }
    return cpu;
}

static void test_bits__each_cleared__levels_that_need_it_unusable(void **state)
{
    (void)state;
    const struct synthetic_cpu full[] = {cpu_with(UINT32_MAX), sapphire_rapids_recorded()};
    for (size_t f = 0; f < sizeof full / sizeof full[0]; f++) {
        struct synthetic_cpu cpu = full[f];
        assert_int_equal(check(&cpu), EVERY);
        int decisive = 0;
        for (int leaf = LEAF_1; leaf < LEAVES; leaf++)
            for (int bit = 0; bit < 4 * 32; bit++) {
                /* The maximum subleaf is a number, not a set of bits. */
                if (leaf == LEAF_7 && bit / 32 == EAX)
                    continue;
                cpu = full[f];
                cpu.leaf[leaf].r[bit / 32] &= ~(UINT32_C(1) << bit % 32);
                decisive += check(&cpu) != EVERY;
            }
        for (int bit = 0; bit < 64; bit++) {
            cpu = full[f];
            cpu.xcr0 &= ~(UINT64_C(1) << bit);
            decisive += check(&cpu) != EVERY;
        }
        assert_int_equal(decisive, NEEDED);
        cpu = full[f];
        cpu.permitted = false;
        assert_int_equal(check(&cpu), EVERY & ~AMX);
    }
}

static void test_bits__only_those_of_a_level__level_usable(void **state)
{
    (void)state;
    for (unsigned level = 0; level < LEVEL_COUNT; level++) {
        struct synthetic_cpu cpu = cpu_with(0);
        cpu.leaf[LEAF_0].r[EAX] = 7;
        cpu.leaf[LEAF_7].r[EAX] = 1;
        for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
            cpu.leaf[needed[i].leaf].r[needed[i].reg] |= (needed[i].levels >> level & 1)
                                                         << needed[i].bit;
        for (size_t i = 0; i < sizeof needed_of_xcr0 / sizeof needed_of_xcr0[0]; i++)
            cpu.xcr0 |= (uint64_t)(needed_of_xcr0[i].levels >> level & 1) << needed_of_xcr0[i].bit;
        assert_int_equal(check(&cpu) >> level & 1, 1);
    }
}

static void test_bits__above_the_maximum_leaf__ignored(void **state)
{
    (void)state;
    for (uint32_t max_leaf = 0; max_leaf <= 8; max_leaf++)
        for (uint32_t subleaf = 0; subleaf <= 2; subleaf++) {
            struct synthetic_cpu cpu = cpu_with(UINT32_MAX);
            cpu.leaf[LEAF_0].r[EAX] = max_leaf;
            cpu.leaf[LEAF_7].r[EAX] = subleaf;
            assert_int_equal(check(&cpu), max_leaf < 7   ? IS_scalar
                                          : subleaf == 0 ? EVERY & ~(AVXVNNI | BF16)
                                                         : EVERY);
        }
}

static uint32_t random_bits(rng *r)
{
    /* 7/8 of the bits are set, so that every level is reached. */
    return (uint32_t)(rng_u64(r) | rng_u64(r) | rng_u64(r));
}

static void test_bits__random__levels_as_in_the_manual(void **state)
{
    (void)state;
    rng r = rng_seeded(20240817);
    size_t reached[LEVEL_COUNT] = {0};
    for (int i = 0; i < 100000; i++) {
        struct synthetic_cpu cpu = {.permitted = rng_below(&r, 4) != 0};
        for (int leaf = 0; leaf < LEAVES; leaf++)
            for (int reg = EAX; reg <= EDX; reg++)
                cpu.leaf[leaf].r[reg] = random_bits(&r);
        cpu.xcr0 = (uint64_t)random_bits(&r) << 32 | random_bits(&r);
        if (rng_below(&r, 8) == 0)
            cpu.leaf[LEAF_0].r[EAX] = (uint32_t)rng_below(&r, 10);
        if (rng_below(&r, 8) == 0)
            cpu.leaf[LEAF_7].r[EAX] = (uint32_t)rng_below(&r, 3);
        const unsigned levels = check(&cpu);
        for (size_t level = 0; level < LEVEL_COUNT; level++)
            reached[level] += levels >> level & 1;
    }
    for (size_t level = 0; level < LEVEL_COUNT; level++) {
        print_message("%s: usable %zu times\n", downhill_levels[level].name, reached[level]);
        assert_true(reached[level] > 1000);
    }
    assert_true(reached[LEVEL_INDEX_scalar] > reached[LEVEL_INDEX_avx2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits__each_cleared__levels_that_need_it_unusable),
        cmocka_unit_test(test_bits__only_those_of_a_level__level_usable),
        cmocka_unit_test(test_bits__above_the_maximum_leaf__ignored),
        cmocka_unit_test(test_bits__random__levels_as_in_the_manual),
    };
    return cmocka_run_group_tests_name("cpu_bits", tests, NULL, NULL);
}
