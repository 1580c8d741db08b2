/* SPDX-License-Identifier: MIT
 *
 * Detection and choice on recorded CPUs, and on CPUs that cannot be. */
#include "cmocka_all.h"

#include "base/rng.h"
#include "cpu.h"
#include "kernels.h"
#include "recorded_cpus.h"

#include <stdio.h>
#include <string.h>

/* A source that answers from a record, and notes what it was asked. */
struct fake {
    const struct recorded_cpu *cpu;
    bool xgetbv_called, permission_asked;
};

static cpu_regs fake_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    const struct recorded_cpu *cpu = ((struct fake *)context)->cpu;
    for (size_t i = 0; i < cpu->n_leaves; i++) {
        const struct recorded_leaf *l = &cpu->leaves[i];
        if (l->leaf == leaf && l->subleaf == subleaf)
            return (cpu_regs){{l->eax, l->ebx, l->ecx, l->edx}};
    }
    return (cpu_regs){{0, 0, 0, 0}};
}

static uint64_t fake_xgetbv(void *context)
{
    struct fake *f = context;
    f->xgetbv_called = true;
    return f->cpu->xcr0;
}

static bool fake_permit_amx(void *context)
{
    struct fake *f = context;
    f->permission_asked = true;
    return f->cpu->amx_permitted;
}

static cpu_source source_of(struct fake *f)
{
    return (cpu_source){fake_cpuid, fake_xgetbv, fake_permit_amx, f};
}

static const char *chosen_name(uint32_t usable)
{
    downhill_level level;
    assert_int_equal(downhill_level_at(downhill_level_choose(usable), &level), DOWNHILL_OK);
    return level.name;
}

static void usable_names(uint32_t usable, char *text, size_t size)
{
    text[0] = '\0';
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        if (usable >> i & 1) {
            const size_t used = strlen(text);
            snprintf(text + used, size - used, "%s%s", used > 0 ? " " : "",
                     downhill_cpu_feature_name(i));
        }
}

static void test_cpu__recorded__features_and_level(void **state)
{
    (void)state;
    assert_true(N_RECORDED_CPUS >= 12);
    for (size_t i = 0; i < N_RECORDED_CPUS; i++) {
        struct fake fake = {.cpu = &recorded_cpus[i]};
        const cpu_source source = source_of(&fake);
        const uint32_t usable = cpu_usable(downhill_cpu_detect(&source));
        char names[256];
        usable_names(usable, names, sizeof names);
        print_message("%s: %s -> %s\n", fake.cpu->name, names, chosen_name(usable));
        assert_string_equal(names, fake.cpu->features);
        assert_string_equal(chosen_name(usable), fake.cpu->level);
    }
}

static void test_cpu__osxsave_off__xgetbv_never_called(void **state)
{
    (void)state;
    size_t seen = 0;
    for (size_t i = 0; i < N_RECORDED_CPUS; i++) {
        struct fake fake = {.cpu = &recorded_cpus[i]};
        const bool osxsave = fake_cpuid(&fake, 1, 0).r[2] >> 27 & 1;
        const cpu_source source = source_of(&fake);
        downhill_cpu_detect(&source);
        assert_int_equal(fake.xgetbv_called, osxsave);
        seen += !osxsave;
    }
    assert_true(seen > 0);
}

static void test_cpu__amx__permission_asked_only_where_it_could_be_used(void **state)
{
    (void)state;
    size_t asked = 0;
    for (size_t i = 0; i < N_RECORDED_CPUS; i++) {
        struct fake fake = {.cpu = &recorded_cpus[i]};
        const cpu_source source = source_of(&fake);
        const cpu_features f = downhill_cpu_detect(&source);
        const uint32_t level = FEATURES_AVX512BF16 | FEATURES_AMX;
        assert_int_equal(fake.permission_asked, (f.cpu & f.os & level) == level);
        asked += fake.permission_asked;
        cpu_source silent = source;
        silent.permit_amx = NULL;
        const cpu_features g = downhill_cpu_detect(&silent);
        assert_int_equal(g.unasked, f.cpu & f.os & FEATURES_AMX);
        assert_int_equal(g.permitted & FEATURES_AMX, 0);
    }
    assert_true(asked > 0);
}

static void test_cpu__every_bit_counts(void **state)
{
    (void)state;
    /* Take each feature away from a CPU that has all: a level that needs it must not be chosen. */
    const uint32_t all = ((uint32_t)1 << FEATURE_COUNT) - 1;
    assert_string_equal(chosen_name(all), "amx");
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const uint32_t flag = (uint32_t)1 << i;
        const char *name = chosen_name(all & ~flag);
        if (flag & FEATURES_AVX2)
            assert_string_equal(name, "scalar");
        else if (flag & FEATURES_AVX512)
            assert_string_equal(name, "avxvnni");
        else if (flag & FEATURE_AVX512VNNI)
            assert_string_equal(name, "avx512");
        else if (flag & FEATURE_AVX512BF16)
            assert_string_equal(name, "avx512vnni");
        else if (flag & FEATURES_AMX)
            assert_string_equal(name, "avx512bf16");
        else
            assert_string_equal(name, "amx");
    }
}

/* CPUID and XCR0 at random: whatever is chosen must have its every CPUID bit and register state,
 * computed here from the manual's bit numbers and not from the table under test. */
struct random_cpu {
    cpu_regs leaf0, leaf1, leaf7, leaf7_1;
    uint64_t xcr0;
    bool permitted;
};

static cpu_regs random_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    const struct random_cpu *r = context;
    return leaf == 0 ? r->leaf0 : leaf == 1 ? r->leaf1 : subleaf == 0 ? r->leaf7 : r->leaf7_1;
}

static uint64_t random_xgetbv(void *context)
{
    return ((const struct random_cpu *)context)->xcr0;
}

static bool random_permission(void *context)
{
    return ((const struct random_cpu *)context)->permitted;
}

static cpu_regs random_regs(rng *r)
{
    cpu_regs regs;
    for (int i = 0; i < 4; i++) /* three quarters of the bits set, so that levels are reached */
        regs.r[i] = (uint32_t)(rng_u64(r) | rng_u64(r));
    return regs;
}

static bool bit(uint32_t word, int number)
{
    return word >> number & 1;
}

static void test_cpu__random_settings__never_lack_a_bit(void **state)
{
    (void)state;
    rng r = rng_seeded(20240817);
    static const char *const names[] = {"scalar",     "avx2",       "avxvnni", "avx512",
                                        "avx512vnni", "avx512bf16", "amx"};
    enum { LEVELS = sizeof names / sizeof names[0] };
    size_t reached[LEVELS] = {0};
    for (int i = 0; i < 100000; i++) {
        struct random_cpu cpu = {random_regs(&r),
                                 random_regs(&r),
                                 random_regs(&r),
                                 random_regs(&r),
                                 rng_u64(&r) | rng_u64(&r) | rng_u64(&r),
                                 rng_below(&r, 4) != 0};
        if (rng_below(&r, 8) == 0)
            cpu.leaf0.r[0] = (uint32_t)rng_below(&r, 10);
        const cpu_source source = {random_cpuid, random_xgetbv, random_permission, &cpu};
        const char *name = chosen_name(cpu_usable(downhill_cpu_detect(&source)));
        const uint32_t c1 = cpu.leaf1.r[2], b7 = cpu.leaf7.r[1];
        const bool avx2 = cpu.leaf0.r[0] >= 7 && bit(c1, 27) && (cpu.xcr0 & 6) == 6 && bit(b7, 5) &&
                          bit(c1, 12) && bit(c1, 28) && bit(c1, 29);
        const bool avx512 = avx2 && (cpu.xcr0 & 0xE6) == 0xE6 && bit(b7, 16) && bit(b7, 17) &&
                            bit(b7, 30) && bit(b7, 31);
        /* Leaf 7 names the highest subleaf in eax. */
        const uint32_t a7_1 = cpu.leaf7.r[0] >= 1 ? cpu.leaf7_1.r[0] : 0;
        const bool avxvnni = avx2 && bit(a7_1, 4);
        const bool vnni = avx512 && bit(cpu.leaf7.r[2], 11);
        const bool bf16 = vnni && bit(a7_1, 5);
        const uint32_t d7 = cpu.leaf7.r[3];
        const bool amx = bf16 && (cpu.xcr0 & 0x60000) == 0x60000 && bit(d7, 22) && bit(d7, 24) &&
                         bit(d7, 25) && cpu.permitted;
        const size_t level = amx       ? 6
                             : bf16    ? 5
                             : vnni    ? 4
                             : avx512  ? 3
                             : avxvnni ? 2
                             : avx2    ? 1
                                       : 0;
        assert_string_equal(name, names[level]);
        reached[level]++;
    }
    for (int i = 0; i < LEVELS; i++)
        assert_true(reached[i] > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu__recorded__features_and_level),
        cmocka_unit_test(test_cpu__osxsave_off__xgetbv_never_called),
        cmocka_unit_test(test_cpu__amx__permission_asked_only_where_it_could_be_used),
        cmocka_unit_test(test_cpu__every_bit_counts),
        cmocka_unit_test(test_cpu__random_settings__never_lack_a_bit),
    };
    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
