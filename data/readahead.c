/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "readahead.h"

#include "base/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Distance of the advice: a disk of 1 GB/s reads this in the 16 ms that a slow one may take to
 * start. */
enum { AHEAD_BYTES = 16 << 20 };

static size_t element_bytes(const matrix *x)
{
    return x->u8 != NULL ? sizeof(uint8_t) : sizeof(float);
}

/* Returns the number of page faults of this process that waited for a disk. */
static long major_faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_majflt : 0;
}

readahead readahead_open(const matrix *x)
{
    const size_t row_bytes = x->d * element_bytes(x);
    const size_t ahead = AHEAD_BYTES / row_bytes;
    return (readahead){.x = x,
                       .wanted =
                           x->map.bytes != NULL && x->map.size > memory_available("") / 10 * 9,
                       .ahead = ahead > 0 ? ahead : 1,
                       .faults = major_faults()};
}

/* madvise() is only advice: its errors do not matter. */
void readahead_begin(readahead *r, bool random)
{
    r->advised = 0;
    if (r->wanted && random)
        (void)madvise(r->x->map.bytes, r->x->map.size, MADV_RANDOM);
}

void readahead_end(readahead *r)
{
    if (r->wanted)
        (void)madvise(r->x->map.bytes, r->x->map.size, MADV_NORMAL);
}

readahead_stretch readahead_next(const size_t *rows, size_t *at, size_t end, size_t row_bytes,
                                 size_t ld_bytes, size_t page)
{
    const size_t first = rows[*at] * ld_bytes;
    readahead_stretch s = {first / page * page, (first + row_bytes + page - 1) / page * page};
    for ((*at)++; *at < end; (*at)++) {
        const size_t start = rows[*at] * ld_bytes, stop = start + row_bytes;
        if (start < s.start || start > s.end)
            break;
        const size_t page_end = (stop + page - 1) / page * page;
        s.end = page_end > s.end ? page_end : s.end;
    }
    return s;
}

static void advise(const readahead *r, const size_t *rows, size_t from, size_t end)
{
    const matrix *x = r->x;
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = element_bytes(x);
    const uint8_t *features = x->u8 != NULL ? x->u8 : (const uint8_t *)x->f32;
    /* Features may begin inside a page: count from the start of the mapping, which is
     * page-aligned. */
    const size_t before = (size_t)(features - x->map.bytes) % page;
    const uint8_t *base = features - before;
    while (from < end) {
        const readahead_stretch s =
            readahead_next(rows, &from, end, x->d * bytes + before, x->ld * bytes, page);
        (void)madvise((void *)(uintptr_t)(base + s.start), s.end - s.start, MADV_WILLNEED);
    }
}

void readahead_step(readahead *r, const size_t *rows, size_t first, size_t n, size_t all)
{
    if (!r->wanted)
        return;
    const long faults = major_faults();
    if (faults != r->faults)
        r->steps = READAHEAD_STEPS;
    r->faults = faults;
    if (r->steps == 0)
        return;
    r->steps--;
    /* Rows of this step that have not been announced are needed at once, so advice on them is too
     * late. */
    const size_t from = r->advised > first + n ? r->advised : first + n;
    const size_t end = all - first - n > r->ahead ? first + n + r->ahead : all;
    if (from < end)
        advise(r, rows, from, end);
    r->advised = end;
}
