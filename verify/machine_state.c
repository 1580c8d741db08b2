/* SPDX-License-Identifier: MIT */
#include "machine_state.h"

#include <stddef.h>

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

/* State components, by their bits in XCR0, and layout of an XSAVE area in standard form.
 * Registers 16 to 31 are left out: VZEROUPPER does not change them, and they do not slow down
 * SSE code. */
enum {
    YMM = 1u << 2,
    ZMM_UPPER = 1u << 6,
    TILE_CONFIG = 1u << 17,
    XSAVE_LEAF = 0xD,
    AREA_BYTES = 16384, /* an area with the tiles takes 11 KiB */
    HEADER_OFFSET = 512,
    HEADER_WORDS = 8,
};

static const struct {
    uint32_t bit;
    bool upper;
} components[] = {{YMM, true}, {ZMM_UPPER, true}, {TILE_CONFIG, false}};

enum { N_COMPONENTS = sizeof components / sizeof components[0] };

/* Read once, because CPUID takes microseconds in a virtual machine. */
static struct {
    bool known;
    uint32_t mask; /* enabled components; 0: no XSAVE */
    struct {
        unsigned offset, size;
    } areas[N_COMPONENTS];
} layout;

__attribute__((target("xsave"))) static void save(void *area, uint32_t mask)
{
    _xsave64(area, mask);
}

__attribute__((target("xsave"))) static uint32_t enabled(void)
{
    return (uint32_t)_xgetbv(0);
}

static void find_layout(void)
{
    unsigned a, b, c, d;
    layout.known = true;
    __cpuid(1, a, b, c, d);
    if ((c >> 27 & 1) == 0) /* OSXSAVE */
        return;
    const uint32_t on = enabled();
    for (size_t i = 0; i < N_COMPONENTS; i++) {
        if ((on & components[i].bit) == 0)
            continue;
        __cpuid_count(XSAVE_LEAF, __builtin_ctz(components[i].bit), a, b, c, d);
        if (a == 0 || b + a > AREA_BYTES)
            continue;
        layout.mask |= components[i].bit;
        layout.areas[i].size = a;
        layout.areas[i].offset = b;
    }
}

static void read_registers(machine_state *s)
{
    _Alignas(64) static unsigned char area[AREA_BYTES];
    uint64_t *const header = (uint64_t *)(void *)(area + HEADER_OFFSET);
    for (size_t i = 0; i < HEADER_WORDS; i++)
        header[i] = 0;
    save(area, layout.mask);
    for (size_t i = 0; i < N_COMPONENTS; i++) {
        /* If the bit is clear, the component is all 0 and was not written. */
        if ((header[0] & layout.mask & components[i].bit) == 0)
            continue;
        unsigned char any = 0;
        for (unsigned k = 0; k < layout.areas[i].size; k++)
            any |= area[layout.areas[i].offset + k];
        s->upper = s->upper || (any != 0 && components[i].upper);
        s->tiles = s->tiles || (any != 0 && !components[i].upper);
    }
}

machine_state machine_state_now(void)
{
    machine_state s = {0};
    if (!layout.known)
        find_layout();
    if (layout.mask != 0)
        read_registers(&s);
    enum { FLAGS = 0x3F };
    s.mxcsr = _mm_getcsr() & ~(uint32_t)FLAGS;
    struct {
        uint32_t control, status, tags, rest[4];
    } x87 = {0};
    /* FNSTENV masks all exceptions, so the environment is loaded again. */
    __asm__ volatile("fnstenv %0\n\tfldenv %0" : "=m"(x87) : : "memory");
    s.x87_control = (uint16_t)x87.control;
    s.x87_tags = (uint16_t)x87.tags;
    return s;
}

#else

machine_state machine_state_now(void)
{
    return (machine_state){0};
}

#endif

const char *machine_state_difference(machine_state before, machine_state after)
{
    if (after.mxcsr != before.mxcsr)
        return "changed the control bits of MXCSR";
    if (after.x87_control != before.x87_control)
        return "changed the x87 control word";
    if (after.x87_tags != before.x87_tags)
        return "left the x87 stack in use (MMX without EMMS)";
    if (after.upper && !before.upper)
        return "left upper halves of vector registers in use (missing VZEROUPPER)";
    if (after.tiles && !before.tiles)
        return "left AMX tiles configured (missing TILERELEASE)";
    return NULL;
}
