/* SPDX-License-Identifier: MIT
 *
 * Random numbers that are identical on every machine: xoshiro256** (Blackman and Vigna, 2018),
 * seeded by splitmix64. */
#ifndef DOWNHILL_BASE_RNG_H
#define DOWNHILL_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct rng {
    uint64_t s[4];
} rng;

static inline rng rng_seeded(uint64_t seed)
{
    rng r;
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
        r.s[i] = z ^ z >> 31;
    }
    return r;
}

static inline uint64_t rng_rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

static inline uint64_t rng_u64(rng *r)
{
    const uint64_t result = rng_rotate(r->s[1] * 5, 7) * 9, t = r->s[1] << 17;
    r->s[2] ^= r->s[0];
    r->s[3] ^= r->s[1];
    r->s[1] ^= r->s[2];
    r->s[0] ^= r->s[3];
    r->s[2] ^= t;
    r->s[3] = rng_rotate(r->s[3], 45);
    return result;
}

/* Returns one of many independent sequences of a seed, for example that of an epoch. Each can be
 * started without generating the earlier ones. */
static inline rng rng_stream(uint64_t seed, uint64_t stream)
{
    rng of_seed = rng_seeded(seed);
    return rng_seeded(rng_u64(&of_seed) + stream);
}

/* Returns a uniform integer in [0, limit), limit >= 1, without bias: the lowest 2⁶⁴ mod limit
 * values are rejected. */
static inline uint64_t rng_below(rng *r, uint64_t limit)
{
    const uint64_t excess = (0 - limit) % limit; /* 2⁶⁴ mod limit */
    uint64_t v;
    do
        v = rng_u64(r);
    while (v < excess);
    return v % limit;
}

/* Returns a uniform integer in [low, high]. */
static inline int64_t rng_between(rng *r, int64_t low, int64_t high)
{
    return low + (int64_t)rng_below(r, (uint64_t)(high - low) + 1);
}

/* Returns a uniform number in [-1, 1), a multiple of 2⁻²⁴. */
static inline float rng_unit(rng *r)
{
    return (float)((int64_t)(rng_u64(r) >> 39) - (1 << 24)) * 0x1p-24f;
}

/* Shuffles by the method of Fisher and Yates. */
static inline void rng_shuffle(rng *r, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        const size_t j = (size_t)rng_below(r, i), item = items[j];
        items[j] = items[i - 1];
        items[i - 1] = item;
    }
}

#endif
