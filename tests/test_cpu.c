/* SPDX-License-Identifier: MIT
 *
 * Feature detection and dispatch on recorded CPUs; test_cpu_bits.c has synthetic ones. */
#include "cmocka_all.h"

#include "isa/cpu.h"
#include "isa/kernels.h"
#include "isa/select.h"
#include "recorded_cpus.h"

#include <stdio.h>
#include <string.h>

/* A CPUID source that answers from a record and notes which questions it was asked. */
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

static cpu_source make_source(struct fake *f)
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

static void test_cpu__recorded_cpus__features_and_level(void **state)
{
    (void)state;
    assert_true(N_RECORDED_CPUS >= 12);
    for (size_t i = 0; i < N_RECORDED_CPUS; i++) {
        struct fake fake = {.cpu = &recorded_cpus[i]};
        const cpu_source source = make_source(&fake);
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
        const cpu_source source = make_source(&fake);
        downhill_cpu_detect(&source);
        assert_int_equal(fake.xgetbv_called, osxsave);
        seen += !osxsave;
    }
    assert_true(seen > 0);
}

static void test_cpu__amx__permission_asked_only_if_usable(void **state)
{
    (void)state;
    size_t asked = 0;
    for (size_t i = 0; i < N_RECORDED_CPUS; i++) {
        struct fake fake = {.cpu = &recorded_cpus[i]};
        const cpu_source source = make_source(&fake);
        const cpu_features f = downhill_cpu_detect(&source);
        const uint32_t level = FEATURES_OF_LEVEL(amx);
        assert_int_equal(fake.permission_asked, (f.cpu & f.os & level) == level);
        asked += fake.permission_asked;
        cpu_source silent = source;
        silent.permit_amx = NULL;
        const cpu_features g = downhill_cpu_detect(&silent);
        assert_int_equal(g.unasked, FEATURES_AMX);
        assert_int_equal(g.permitted & FEATURES_AMX, 0);
    }
    assert_true(asked > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu__recorded_cpus__features_and_level),
        cmocka_unit_test(test_cpu__osxsave_off__xgetbv_never_called),
        cmocka_unit_test(test_cpu__amx__permission_asked_only_if_usable),
    };
    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
