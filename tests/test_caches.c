/* SPDX-License-Identifier: MIT
 *
 * Cache sizes of recorded CPUs, of synthetic ones with invalid CPUID, and of this machine. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "isa/select.h"
#include "recorded_cpus.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KIB = 1024, MIB = 1024 * 1024 };

enum { LEAF_CACHES = 4, SUBLEAVES_MAX = 16 };
#define EXTENDED_MAX    UINT32_C(0x80000000)
#define EXTENDED_CACHES UINT32_C(0x8000001D)

/* A CPUID source that answers from a table and counts the queries. */
struct fake {
    const struct recorded_leaf *leaves;
    size_t n_leaves;
    int endless; /* subleaves after the last one of a leaf repeat it */
    size_t calls, above_max;
};

static cpu_regs look_up(const struct fake *f, uint32_t leaf, uint32_t subleaf)
{
    const struct recorded_leaf *found = NULL;
    for (size_t i = 0; i < f->n_leaves; i++) {
        const struct recorded_leaf *l = &f->leaves[i];
        if (l->leaf == leaf && (l->subleaf == subleaf || (f->endless && l->subleaf < subleaf)))
            found = l;
    }
    return found == NULL ? (cpu_regs){{0, 0, 0, 0}}
                         : (cpu_regs){{found->eax, found->ebx, found->ecx, found->edx}};
}

static cpu_regs fake_cpuid(void *context, uint32_t leaf, uint32_t subleaf)
{
    struct fake *f = context;
    f->calls++;
    if (leaf != 0 && leaf != EXTENDED_MAX)
        f->above_max += leaf > look_up(f, leaf & EXTENDED_MAX, 0).r[0];
    return look_up(f, leaf, subleaf);
}

static uint64_t no_xgetbv(void *context)
{
    (void)context;
    fail_msg("XGETBV was called to detect caches");
    return 0;
}

struct cache_case {
    const char *name;
    const struct recorded_leaf *leaves;
    size_t n_leaves;
    struct cache_sizes sizes;
    int endless;
};

static void check_case(const struct cache_case *c)
{
    struct fake fake = {.leaves = c->leaves, .n_leaves = c->n_leaves, .endless = c->endless};
    const cpu_source source = {fake_cpuid, no_xgetbv, NULL, &fake};
    const struct cache_sizes sizes = downhill_caches_detect(&source);
    print_message("%s: L1d %zu KiB, L2 %zu KiB, L3 %zu KiB\n", c->name, sizes.l1d / KIB,
                  sizes.l2 / KIB, sizes.l3 / KIB);
    assert_int_equal(sizes.l1d, c->sizes.l1d);
    assert_int_equal(sizes.l2, c->sizes.l2);
    assert_int_equal(sizes.l3, c->sizes.l3);
    assert_int_equal(fake.above_max, 0);
    assert_true(fake.calls <= 3 + 2 * SUBLEAVES_MAX);
}

/* clang-format off */

/* An E-core of the i7-12800HX in `alder_lake`: logical CPU 16 of the dump
 * GenuineIntel0090672_AlderLake_03. */
static const struct recorded_leaf alder_lake_e_core[] = {
    {0x0, 0, 0x00000020, 0x756E6547, 0x6C65746E, 0x49656E69},
    {0x4, 0, 0xFC004121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x4, 1, 0xFC004122, 0x01C0003F, 0x0000007F, 0x00000000},
    {0x4, 2, 0xFC01C143, 0x03C0003F, 0x000007FF, 0x00000000},
    {0x4, 3, 0xFC1FC163, 0x0240003F, 0x00009FFF, 0x00000004},
    {0x80000000, 0, 0x80000008, 0x00000000, 0x00000000, 0x00000000},
    {0x80000001, 0, 0x00000000, 0x00000000, 0x00000121, 0x2C100000},
};

/* Athlon 64 3200+, dump AuthenticAMD0020FF0_K8_Venice: neither leaf 4 nor 0x8000001D. */
static const struct recorded_leaf venice[] = {
    {0x0, 0, 0x00000001, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000000, 0, 0x80000018, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0, 0x00020FF0, 0x0000010A, 0x00000001, 0xE3D3FBFF},
};

/* Zen 3 EPYC, recorded on a virtual machine. Its hypervisor zeroes leaf 4, not 0x8000001D. */
static const struct recorded_leaf zen3_virtual[] = {
    {0x0, 0, 0x00000010, 0x68747541, 0x444D4163, 0x69746E65},
    {0x4, 0, 0x00000000, 0x00000000, 0x00000000, 0x00000000},
    {0x80000000, 0, 0x80000022, 0x68747541, 0x444D4163, 0x69746E65},
    {0x80000001, 0, 0x00A00F11, 0x40000000, 0x004003F3, 0x2FD3FBFF},
    {0x8000001D, 0, 0x00000121, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 1, 0x00000122, 0x01C0003F, 0x0000003F, 0x00000000},
    {0x8000001D, 2, 0x00000143, 0x01C0003F, 0x000003FF, 0x00000002},
    {0x8000001D, 3, 0x00004163, 0x03C0003F, 0x00007FFF, 0x00000001},
};

/* clang-format on */

#define TABLE(table) (table), sizeof(table) / sizeof((table)[0])

static void test_caches__recorded_cpus__sizes_of_the_dump(void **state)
{
    (void)state;
    static const struct cache_case cases[] = {
        {"Nehalem", TABLE(nehalem), {32 * KIB, 256 * KIB, 8 * MIB}, 0},
        {"Haswell", TABLE(haswell), {32 * KIB, 256 * KIB, 8 * MIB}, 0},
        {"Skylake-X", TABLE(skylake_x), {32 * KIB, 1 * MIB, 14080 * KIB}, 0},
        {"Skylake-SP", TABLE(skylake_sp_old_os), {32 * KIB, 1 * MIB, 25344 * KIB}, 0},
        {"Ice Lake", TABLE(ice_lake), {48 * KIB, 512 * KIB, 8 * MIB}, 0},
        {"Sapphire Rapids", TABLE(sapphire_rapids), {48 * KIB, 2 * MIB, 38400 * KIB}, 0},
        {"Alder Lake, P-core", TABLE(alder_lake), {48 * KIB, 1280 * KIB, 25 * MIB}, 0},
        {"Alder Lake, E-core", TABLE(alder_lake_e_core), {32 * KIB, 2 * MIB, 25 * MIB}, 0},
        {"Knights Landing, without L3", TABLE(knights_landing), {32 * KIB, 1 * MIB, 0}, 0},
        {"Piledriver", TABLE(piledriver), {16 * KIB, 2 * MIB, 8 * MIB}, 0},
        {"Zen 2", TABLE(zen2), {32 * KIB, 512 * KIB, 16 * MIB}, 0},
        {"Zen 3, virtual, leaf 4 zero", TABLE(zen3_virtual), {32 * KIB, 512 * KIB, 32 * MIB}, 0},
        {"Zen 4", TABLE(zen4), {32 * KIB, 1 * MIB, 32 * MIB}, 0},
        {"Zen 5", TABLE(zen5), {48 * KIB, 1 * MIB, 32 * MIB}, 0},
        {"VIA Eden X4, without L3", TABLE(via_eden), {32 * KIB, 2 * MIB, 0}, 0},
        {"Centaur CNS", TABLE(centaur_cns), {32 * KIB, 256 * KIB, 16 * MIB}, 0},
        {"Zhaoxin KX-7000", TABLE(zhaoxin_kx7000), {32 * KIB, 512 * KIB, 32 * MIB}, 0},
        {"Athlon 64, without either leaf", TABLE(venice), {L1D_DEFAULT, L2_DEFAULT, 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i]);
}

/* clang-format off */

enum { DATA = 1, INSTRUCTIONS, UNIFIED };

/* A cache with 8 ways and lines of 64 bytes. */
#define CACHE(leaf, subleaf, type, level, kib) \
    {leaf, subleaf, (type) | (level) << 5, 0x01C0003F, (kib) * 2 - 1, 0}
#define MAX_LEAF(leaf) {0x0, 0, leaf, 0, 0, 0}
#define TOPOLOGY       {0x80000001, 0, 0, 0, 1 << 22, 0}
#define ONES(leaf, subleaf) \
    {leaf, subleaf, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}
#define EXTENDED_ZEN                                                                   \
    CACHE(0x8000001D, 0, DATA, 1, 16), CACHE(0x8000001D, 1, INSTRUCTIONS, 1, 64),      \
        CACHE(0x8000001D, 2, UNIFIED, 2, 256), CACHE(0x8000001D, 3, UNIFIED, 3, 4096)

static const struct recorded_leaf
    ones_everywhere[] = {MAX_LEAF(0x20), ONES(0x4, 0), ONES(0x80000000, 0), ONES(0x80000001, 0),
                         ONES(0x8000001D, 0)},
    endless_l1d[] = {MAX_LEAF(0x20), CACHE(0x4, 0, DATA, 1, 48)},
    ends_at_type_0[] = {MAX_LEAF(0x20), CACHE(0x4, 0, DATA, 1, 48),
                        CACHE(0x4, 2, UNIFIED, 2, 1024)},
    leaf_4_above_max[] = {MAX_LEAF(0x3), CACHE(0x4, 0, DATA, 1, 48),
                          CACHE(0x4, 1, UNIFIED, 2, 1024)},
    extended_above_max[] = {MAX_LEAF(0x10), {0x80000000, 0, 0x8000001C, 0, 0, 0}, TOPOLOGY,
                            EXTENDED_ZEN},
    extended_max_invalid[] = {MAX_LEAF(0x10), {0x80000000, 0, 0x9000001D, 0, 0, 0}, TOPOLOGY,
                              EXTENDED_ZEN},
    no_topology[] = {MAX_LEAF(0x10), {0x80000000, 0, 0x8000001D, 0, 0, 0},
                     {0x80000001, 0, 0xFFFFFFFF, 0xFFFFFFFF, ~(UINT32_C(1) << 22), 0xFFFFFFFF},
                     EXTENDED_ZEN},
    extended_only[] = {MAX_LEAF(0x1), {0x80000000, 0, 0x8000001D, 0, 0, 0}, TOPOLOGY, EXTENDED_ZEN},
    both[] = {MAX_LEAF(0x10), CACHE(0x4, 0, DATA, 1, 48), CACHE(0x4, 1, UNIFIED, 2, 2048),
              {0x80000000, 0, 0x8000001D, 0, 0, 0}, TOPOLOGY, EXTENDED_ZEN},
    leaf_4_invalid[] = {MAX_LEAF(0x10), CACHE(0x4, 0, DATA, 1, 1 << 20), ONES(0x4, 1),
                        CACHE(0x4, 2, UNIFIED, 4, 65536),
                         {0x80000000, 0, 0x8000001D, 0, 0, 0}, TOPOLOGY, EXTENDED_ZEN},
    instructions_only[] = {MAX_LEAF(0x4), CACHE(0x4, 0, INSTRUCTIONS, 1, 64),
                           CACHE(0x4, 1, INSTRUCTIONS, 2, 1024)},
    unified_l1[] = {MAX_LEAF(0x4), CACHE(0x4, 0, UNIFIED, 1, 16), CACHE(0x4, 1, UNIFIED, 2, 128)},
    two_of_a_level[] = {MAX_LEAF(0x4), CACHE(0x4, 0, UNIFIED, 2, 1024),
                        CACHE(0x4, 1, UNIFIED, 2, 2048)},
    wraps_to_0[] = {MAX_LEAF(0x4), {0x4, 0, DATA | 1 << 5, 0xFFFFFFFF, 0xFFFFFFFF, 0},
                    {0x4, 1, UNIFIED | 2 << 5, 0xFFFFFFFF, 0xFFFFFFFF, 0},
                    {0x4, 2, UNIFIED | 3 << 5, 0xFFFFFFFF, 0xFFFFFFFF, 0}},
    one_line[] = {MAX_LEAF(0x4), {0x4, 0, DATA | 1 << 5, 0x3F, 0, 0},
                  {0x4, 1, UNIFIED | 2 << 5, 0x3F, 0, 0},
                  {0x4, 2, UNIFIED | 3 << 5, 0x3F, 0, 0}},
    /* L1d: 32 · 4 · 2 · 256 bytes; L2: 4096 · 1024 · 1 · 4 bytes. */
    all_parts[] = {MAX_LEAF(0x4), {0x4, 0, DATA | 1 << 5, 1 << 22 | 3 << 12 | 31, 255, 0},
                   {0x4, 1, UNIFIED | 2 << 5, 1023 << 12 | 4095, 3, 0}},
    unknown_types[] = {MAX_LEAF(0x4), CACHE(0x4, 0, 5, 1, 64), CACHE(0x4, 1, 4, 2, 1024),
                       CACHE(0x4, 2, DATA, 5, 64)},
    implausible[] = {MAX_LEAF(0x4), CACHE(0x4, 0, DATA, 1, 1025), CACHE(0x4, 1, UNIFIED, 2, 65537),
                CACHE(0x4, 2, UNIFIED, 3, 2097153)},
    largest[] = {MAX_LEAF(0x4), CACHE(0x4, 0, DATA, 1, 1024), CACHE(0x4, 1, UNIFIED, 2, 65536),
                 CACHE(0x4, 2, UNIFIED, 3, 2097152)},
    small_l2[] = {MAX_LEAF(0x4), CACHE(0x4, 0, DATA, 1, 128), CACHE(0x4, 1, UNIFIED, 2, 64)},
    large_l1d_only[] = {MAX_LEAF(0x4), CACHE(0x4, 0, DATA, 1, 1024)};

/* clang-format on */

static void test_caches__invalid_or_absent__defaults(void **state)
{
    (void)state;
    static const struct cache_case cases[] = {
        {"no CPUID leaves, as on other architectures", NULL, 0, {32 * KIB, 512 * KIB, 0}, 0},
        {"all ones everywhere", TABLE(ones_everywhere), {32 * KIB, 512 * KIB, 0}, 1},
        {"a list that never ends", TABLE(endless_l1d), {48 * KIB, 512 * KIB, 0}, 1},
        {"the list ends at type 0", TABLE(ends_at_type_0), {48 * KIB, 512 * KIB, 0}, 0},
        {"leaf 4 above the maximum", TABLE(leaf_4_above_max), {32 * KIB, 512 * KIB, 0}, 0},
        {"leaf 4 all ones, above the maximum", TABLE(haswell_limited), {32 * KIB, 512 * KIB, 0}, 0},
        {"0x8000001D above the maximum", TABLE(extended_above_max), {32 * KIB, 512 * KIB, 0}, 0},
        {"invalid maximum extended leaf", TABLE(extended_max_invalid), {32 * KIB, 512 * KIB, 0}, 0},
        {"no TopologyExtensions", TABLE(no_topology), {32 * KIB, 512 * KIB, 0}, 0},
        {"0x8000001D only", TABLE(extended_only), {16 * KIB, 256 * KIB, 4 * MIB}, 0},
        {"leaf 4 before 0x8000001D", TABLE(both), {48 * KIB, 2 * MIB, 0}, 0},
        {"leaf 4 invalid, 0x8000001D valid",
         TABLE(leaf_4_invalid),
         {16 * KIB, 256 * KIB, 4 * MIB},
         0},
        {"instruction caches only", TABLE(instructions_only), {32 * KIB, 512 * KIB, 0}, 0},
        {"unified L1", TABLE(unified_l1), {16 * KIB, 128 * KIB, 0}, 0},
        {"two caches of a level", TABLE(two_of_a_level), {32 * KIB, 1 * MIB, 0}, 0},
        {"sizes that wrap to 0", TABLE(wraps_to_0), {32 * KIB, 512 * KIB, 0}, 0},
        {"caches of one line", TABLE(one_line), {32 * KIB, 512 * KIB, 0}, 0},
        {"lines, partitions, ways, sets", TABLE(all_parts), {64 * KIB, 16 * MIB, 0}, 0},
        {"unknown types and levels", TABLE(unknown_types), {32 * KIB, 512 * KIB, 0}, 0},
        {"implausibly large", TABLE(implausible), {32 * KIB, 512 * KIB, 0}, 0},
        {"largest plausible sizes", TABLE(largest), {1 * MIB, 64 * MIB, (size_t)2048 * MIB}, 0},
        {"L2 smaller than L1d", TABLE(small_l2), {128 * KIB, 512 * KIB, 0}, 0},
        {"no L2, L1d larger than its default", TABLE(large_l1d_only), {1 * MIB, 1 * MIB, 0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i]);
}

/* ---- This machine ---- */

/* Reads a word from a file in /sys that describes cache `index` of a CPU. Returns 0 if there is
 * none. */
static int read_word(int cpu, int index, const char *name, char word[32])
{
    char path[128];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cache/index%d/%s", cpu, index, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    const int found = fscanf(file, "%31s", word) == 1;
    fclose(file);
    return found;
}

/* Returns the bytes that a word like "32K" stands for, or 0 if it is not a size. */
static size_t parse_size(const char *word)
{
    char *end;
    const size_t number = strtoul(word, &end, 10);
    return *end == 'K' ? number * KIB : *end == 'M' ? number * MIB : number;
}

/* Returns the cache sizes in /sys for a CPU; a size is 0 if it is not listed. */
static struct cache_sizes kernel_sizes(int cpu)
{
    struct cache_sizes sizes = {0, 0, 0};
    char level[32], type[32], size[32];
    for (int i = 0; read_word(cpu, i, "level", level) && read_word(cpu, i, "type", type); i++) {
        if (strcmp(type, "Instruction") == 0 || !read_word(cpu, i, "size", size))
            continue;
        size_t *to = strcmp(level, "1") == 0   ? &sizes.l1d
                     : strcmp(level, "2") == 0 ? &sizes.l2
                     : strcmp(level, "3") == 0 ? &sizes.l3
                                               : NULL;
        if (to != NULL)
            *to = parse_size(size);
    }
    return sizes;
}

/* Returns whether CPUID of this machine describes any cache. */
static int cpuid_describes_caches(void)
{
    const cpu_source *s = &downhill_cpu_native;
    const uint32_t extended_max = s->cpuid(s->context, EXTENDED_MAX, 0).r[0];
    return (s->cpuid(s->context, 0, 0).r[0] >= LEAF_CACHES &&
            (s->cpuid(s->context, LEAF_CACHES, 0).r[0] & 31) != 0) ||
           (extended_max >= EXTENDED_CACHES && extended_max <= 0x8000FFFF &&
            (s->cpuid(s->context, EXTENDED_CACHES, 0).r[0] & 31) != 0);
}

static void test_caches__this_machine__same_as_sysfs(void **state)
{
    (void)state;
    /* The library caches the sizes of the core that asked first, so that the sizes in /sys must be
     * those of the same core. */
    const int cpu = sched_getcpu();
    cpu_set_t one;
    CPU_ZERO(&one);
    if (cpu >= 0 && cpu < CPU_SETSIZE)
        CPU_SET((size_t)cpu, &one);
    const int pinned = cpu >= 0 && sched_setaffinity(0, sizeof one, &one) == 0;
    const struct cache_sizes kernel = kernel_sizes(pinned ? cpu : 0),
                             sizes = downhill_cache_sizes();
    assert_in_range(sizes.l1d, 8 * KIB, 1 * MIB);
    assert_in_range(sizes.l2, sizes.l1d, 64 * MIB);
    const char *reason = !pinned                     ? "this thread cannot be bound to a CPU"
                         : !cpuid_describes_caches() ? "CPUID of this machine describes no cache"
                         : kernel.l1d == 0           ? "the kernel describes no cache in /sys"
                                                     : NULL;
    if (reason != NULL) {
        print_message("skipped: %s\n", reason);
        skip();
    }
    print_message("CPU %d: L1d %zu KiB, L2 %zu KiB, L3 %zu KiB\n", cpu, sizes.l1d / KIB,
                  sizes.l2 / KIB, sizes.l3 / KIB);
    assert_int_equal(sizes.l1d, kernel.l1d);
    if (kernel.l2 != 0)
        assert_int_equal(sizes.l2, kernel.l2);
    assert_int_equal(sizes.l3, kernel.l3);
}

/* The first call detects, later ones return the cached sizes. The thread is still bound to one
 * CPU. */
static void test_caches__asked_again__same_sizes(void **state)
{
    (void)state;
    const struct cache_sizes detected = downhill_caches_detect(&downhill_cpu_native);
    for (int i = 0; i < 3; i++) {
        const struct cache_sizes sizes = downhill_cache_sizes();
        assert_int_equal(sizes.l1d, detected.l1d);
        assert_int_equal(sizes.l2, detected.l2);
        assert_int_equal(sizes.l3, detected.l3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caches__recorded_cpus__sizes_of_the_dump),
        cmocka_unit_test(test_caches__invalid_or_absent__defaults),
        cmocka_unit_test(test_caches__this_machine__same_as_sysfs),
        cmocka_unit_test(test_caches__asked_again__same_sizes),
    };
    return cmocka_run_group_tests_name("caches", tests, NULL, NULL);
}
