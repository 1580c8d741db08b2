/* SPDX-License-Identifier: MIT */
#include "isa/caches.h"

/* Leaf 4 (Intel SDM vol. 2, CPUID) and leaf 0x8000001D (AMD APM vol. 3, appendix E) describe one cache per subleaf, in
 * the same format. Which of the two is valid depends on the CPU vendor and the hypervisor. */
enum { LEAF_CACHES = 4 };
#define LEAF_EXTENDED_MAX      UINT32_C(0x80000000)
#define LEAF_EXTENDED_FEATURES UINT32_C(0x80000001)
#define LEAF_EXTENDED_CACHES   UINT32_C(0x8000001D)

/* A CPU without extended leaves answers LEAF_EXTENDED_MAX with the data of another leaf. */
#define EXTENDED_MAX_PLAUSIBLE UINT32_C(0x8000FFFF)

/* Bit of LEAF_EXTENDED_FEATURES, ecx, that says LEAF_EXTENDED_CACHES is valid. */
enum { TOPOLOGY_EXTENSIONS = 22 };

/* Subleaves read of one leaf. A CPU has five caches at most; a hypervisor may forget to end the list. */
enum { SUBLEAVES_MAX = 16 };

enum { EAX, EBX, ECX };

/* Plausible sizes in bytes, from smallest to largest. */
static const struct range {
    uint64_t min, max;
} l1d_range = {UINT64_C(8) << 10, UINT64_C(1) << 20},
  l2_range = {UINT64_C(64) << 10, UINT64_C(64) << 20},
  l3_range = {UINT64_C(256) << 10, UINT64_C(2) << 30};

/* Returns bits first to last of a register. */
static uint32_t bits(uint32_t value, unsigned first, unsigned last)
{
    return value >> first & ((UINT32_C(1) << (last - first + 1)) - 1);
}

/* Returns the bytes of the cache that a subleaf describes. The largest values of all fields wrap to 0. */
static uint64_t bytes_of(const cpu_regs *cache)
{
    const uint64_t line = bits(cache->r[EBX], 0, 11) + 1,
                   partitions = bits(cache->r[EBX], 12, 21) + 1,
                   ways = bits(cache->r[EBX], 22, 31) + 1, sets = (uint64_t)cache->r[ECX] + 1;
    return line * partitions * ways * sets;
}

/* Sets a size that was not known yet, unless the new one is implausible. */
static void set_size(size_t *size, uint64_t bytes, struct range plausible)
{
    if (*size == 0 && bytes >= plausible.min && bytes <= plausible.max)
        *size = (size_t)bytes;
}

/* Returns the sizes that a leaf describes; the others are 0. */
static struct cache_sizes read_leaf(const cpu_source *source, uint32_t leaf)
{
    enum { END, DATA, INSTRUCTIONS, UNIFIED };
    struct cache_sizes sizes = {0, 0, 0};
    for (uint32_t i = 0; i < SUBLEAVES_MAX; i++) {
        const cpu_regs cache = source->cpuid(source->context, leaf, i);
        const uint32_t type = bits(cache.r[EAX], 0, 4), level = bits(cache.r[EAX], 5, 7);
        if (type == END)
            break;
        if (type != DATA && type != UNIFIED)
            continue;
        if (level == 1)
            set_size(&sizes.l1d, bytes_of(&cache), l1d_range);
        else if (level == 2)
            set_size(&sizes.l2, bytes_of(&cache), l2_range);
        else if (level == 3)
            set_size(&sizes.l3, bytes_of(&cache), l3_range);
    }
    return sizes;
}

static int has_extended_caches(const cpu_source *source)
{
    const uint32_t max_leaf = source->cpuid(source->context, LEAF_EXTENDED_MAX, 0).r[EAX];
    if (max_leaf < LEAF_EXTENDED_CACHES || max_leaf > EXTENDED_MAX_PLAUSIBLE)
        return 0;
    const cpu_regs features = source->cpuid(source->context, LEAF_EXTENDED_FEATURES, 0);
    return features.r[ECX] >> TOPOLOGY_EXTENSIONS & 1;
}

struct cache_sizes downhill_caches_detect(const cpu_source *source)
{
    struct cache_sizes sizes = {0, 0, 0};
    if (source->cpuid(source->context, 0, 0).r[EAX] >= LEAF_CACHES)
        sizes = read_leaf(source, LEAF_CACHES);
    if (sizes.l1d == 0 && sizes.l2 == 0 && sizes.l3 == 0 && has_extended_caches(source))
        sizes = read_leaf(source, LEAF_EXTENDED_CACHES);
    if (sizes.l1d == 0)
        sizes.l1d = L1D_DEFAULT;
    if (sizes.l2 < sizes.l1d)
        sizes.l2 = sizes.l1d > L2_DEFAULT ? sizes.l1d : L2_DEFAULT;
    return sizes;
}
