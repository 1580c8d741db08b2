/* SPDX-License-Identifier: MIT
 *
 * Builds the list of rows. */
#define _GNU_SOURCE
#include "suite.h"

#include "base/error.h"
#include "base/levels.h"
#include "calls.h"
#include "peer_calls.h"
#include "workload.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART_MIN = 32,  /* samples per thread; with fewer, a thread waits longer than it computes */
    SHARE_MIN = 20, /* samples, of which 95 % is a whole number */
};

/* Time of the samples of a brief row, relative to that of other rows. There are as many samples, so
 * that the intervals of the medians are about as narrow. */
static const double brief_part = 0.25;

/* Shapes whose rows share buffers or belong to one sweep. */
struct family {
    const bench_shape *shapes;
    size_t n_shapes;
    bench_sweep sweep;
    bool cold;
};

/* State of bench_suite_build(). */
struct builder {
    const bench_options *options;
    bench_suite *suite;
    regex_t filter;
    const downhill_kernels *levels[LEVELS_MAX];
    size_t n_levels, n_peers, size;
    const peer *peers;
    size_t families;
};

/* Returns whether a family has rows of this kernel at this shape. */
static bool has_rows(const struct builder *b, const struct family *f, bench_kernel kernel,
                     const bench_shape *shape)
{
    const bench_kernel_info *info = &bench_kernels[kernel];
    /* With one class no margin is violated, so a step would leave out the gradient. */
    if (shape->brief && shape->c == 1 && bench_has_traits(kernel, BENCH_TRAIT_LOSS))
        return false;
    if (f->sweep != SWEEP_NONE)
        return bench_has_traits(kernel,
                                f->sweep == SWEEP_MAP ? BENCH_TRAIT_MAP : BENCH_TRAIT_SWEPT);
    if (shape->brief && (f->cold))
        return false;
    /* During training only the samples can be cold. */
    if (f->cold && (info->bytes.nd == 0.0 || bench_has_traits(kernel, BENCH_TRAIT_EPOCH)))
        return false;
    /* A working set larger than any cache is cold already. */
    if (f->cold && polynomial_value(&info->working_set, shape->n, shape->d, shape->c) >
                       2.0 * (double)machine_last_level(b->options->machine))
        return false;
    if (bench_has_traits(kernel, BENCH_TRAIT_SHARE) && shape->n < SHARE_MIN)
        return false;
    /* An epoch of a single step would time the step again. */
    return !bench_has_traits(kernel, BENCH_TRAIT_EPOCH) || shape->n > WORKLOAD_STEP_ROWS;
}

static bench_row make_row(const struct family *f, bench_kernel kernel, const char *isa,
                          const bench_shape *s, size_t threads)
{
    bench_row row = {.kernel = kernel,
                     .isa = isa,
                     .n = s->n,
                     .d = s->d,
                     .c = s->c,
                     .threads = threads,
                     .sweep = f->sweep,
                     .cold = f->cold,
                     .brief = s->brief};
    const bench_kernel_info *info = &bench_kernels[kernel];
    const char *const sweep = bench_sweep_names[f->sweep];
    char suffix[32] = "";
    if (threads > 1)
        snprintf(suffix, sizeof suffix, "/threads:%zu", threads);
    snprintf(row.name, sizeof row.name, "%s/%s/n:%zu/d:%zu/c:%zu%s%s%s%s", info->name, isa, s->n,
             s->d, s->c, suffix, f->cold ? "/cold" : "", sweep != NULL ? "/sweep:" : "",
             sweep != NULL ? sweep : "");
    row.flops = polynomial_value(&info->operations, s->n, s->d, s->c);
    row.bytes = polynomial_value(&info->bytes, s->n, s->d, s->c);
    row.working_set = polynomial_value(&info->working_set, s->n, s->d, s->c);
    return row;
}

/* Appends the row if it passes the filter. Returns false if out of memory. */
static bool append_row(struct builder *b, bench_row row, const peer *p)
{
    bench_suite *suite = b->suite;
    if (regexec(&b->filter, row.name, 0, NULL, 0) != 0)
        return true;
    for (size_t i = 0; i < suite->n_rows; i++)
        if (strcmp(suite->rows[i].name, row.name) == 0)
            return true; /* a shape was given twice */
    if (suite->n_rows == b->size) {
        b->size = b->size == 0 ? 256 : 2 * b->size;
        bench_row *rows = realloc(suite->rows, b->size * sizeof *rows);
        if (rows == NULL)
            return false;
        suite->rows = rows;
    }
    row.peer = p;
    row.family = b->families;
    suite->rows[suite->n_rows++] = row;
    return true;
}

/* Appends rows for each level, peer and number of threads. Returns false if out of memory. */
static bool add_rows(struct builder *b, const struct family *f, bench_kernel kernel,
                     const bench_shape *shape)
{
    /* Most of these do not compare levels, so they time the best level only; the map also times the
     * other hand-written ones, to show which wins where. */
    const bool last_only = f->sweep != SWEEP_NONE || f->cold || shape->brief;
    const bool with_peers =
        peer_call_of(kernel) != NULL && (f->sweep == SWEEP_NONE || f->sweep == SWEEP_MAP);
    const bool with_threads = bench_has_traits(kernel, BENCH_TRAIT_THREADS) && !last_only;
    size_t last = 0; /* best level that has the kernel */
    bool good = true;
    for (size_t l = 0; l < b->n_levels; l++)
        if (!levels_repeat(b->levels, l, bench_kernels[kernel].element) &&
            call_exists(b->levels[l], kernel))
            last = l;
    const bool alone = !bench_has_traits(kernel, BENCH_TRAIT_TEAM);
    for (size_t l = 0; l <= last && good && alone; l++)
        if ((l == last || !last_only ||
             (f->sweep == SWEEP_MAP &&
              levels_is_hand_written(downhill_kernels_name(b->levels[l])))) &&
            !levels_repeat(b->levels, l, bench_kernels[kernel].element) &&
            call_exists(b->levels[l], kernel))
            good = append_row(b, make_row(f, kernel, downhill_kernels_name(b->levels[l]), shape, 1),
                              NULL);
    for (size_t p = 0; with_peers && p < b->n_peers && good; p++)
        good = append_row(b, make_row(f, kernel, b->peers[p].name, shape, 1), &b->peers[p]);
    for (size_t t = 1; with_threads && good &&
                       (t = ceilings_next_threads(t, b->options->threads)) != 0 &&
                       shape->n >= t * PART_MIN;)
        good = append_row(b, make_row(f, kernel, downhill_kernels_name(b->levels[last]), shape, t),
                          NULL);
    return good;
}

static bool add_family(struct builder *b, const struct family *f)
{
    const size_t before = b->suite->n_rows;
    for (bench_kernel k = 0; k < BENCH_KERNEL_COUNT; k++)
        for (size_t s = 0; s < f->n_shapes; s++)
            if (has_rows(b, f, k, &f->shapes[s]) && !add_rows(b, f, k, &f->shapes[s]))
                return false;
    b->families += b->suite->n_rows > before;
    return true;
}

/* The sizes of a sweep are compared with each other, so they are one family. In the map only the
 * rows of one shape are, and the buffers of all its shapes would not fit into memory. */
static bool add_sweep(struct builder *b, bench_sweep sweep)
{
    bench_shape shapes[BENCH_SWEEP_SHAPES_MAX];
    const size_t count = bench_sweep_shapes(sweep, b->options->quick, shapes),
                 n_shapes = sweep == SWEEP_MAP ? 1 : count;
    bool good = true;
    for (size_t s = 0; s < count && good; s += n_shapes) {
        const struct family family = {&shapes[s], n_shapes, sweep, false};
        good = add_family(b, &family);
    }
    return good;
}

static bool add_all(struct builder *b)
{
    const bench_options *o = b->options;
    bool good = true;
    for (size_t s = 0; s < o->n_shapes; s++) {
        const struct family hot = {&o->shapes[s], 1, SWEEP_NONE, false},
                            cold = {&o->shapes[s], 1, SWEEP_NONE, true};
        good = good && (o->no_hot || add_family(b, &hot)) && (!o->cold || add_family(b, &cold));
    }
    for (bench_sweep sweep = SWEEP_BATCH; o->sweeps && good && sweep <= SWEEP_MAP; sweep++)
        good = add_sweep(b, sweep);
    return good;
}

int bench_suite_build(const bench_options *options, bench_suite *suite)
{
    *suite =
        (bench_suite){.core = options->core, .n_passes = options->passes > 0 ? options->passes : 1};
    struct builder b = {.options = options, .suite = suite};
    const int error = regcomp(&b.filter, options->filter != NULL ? options->filter : ".",
                              REG_EXTENDED | REG_NOSUB);
    if (error != 0) {
        char why[128];
        regerror(error, &b.filter, why, sizeof why);
        error_line("bench: --filter: '%s' is not a regular expression: %s; `downhill bench --list` "
                   "shows the names that it is matched with",
                   options->filter, why);
        return EXIT_USAGE;
    }
    b.n_levels = levels_to_run(options->isa, b.levels);
    b.peers = options->peers ? peers_open() : NULL;
    b.n_peers = options->peers ? PEERS_COUNT : 0;
    int code = b.n_levels > 0 ? EXIT_OK : EXIT_ISA;
    if (code == EXIT_OK && !add_all(&b)) {
        error_line("bench: out of memory");
        code = EXIT_INTERNAL;
    }
    regfree(&b.filter);
    if (code == EXIT_OK && suite->n_rows == 0) {
        error_line("bench: no row matches '%s'; `downhill bench --list` shows the names",
                   options->filter != NULL ? options->filter : "");
        code = EXIT_USAGE;
    }
    if (code != EXIT_OK)
        bench_suite_free(suite);
    return code;
}

bench_options bench_options_of(const bench_options *options, const bench_row *row)
{
    bench_options o = *options;
    if (row->brief) {
        o.min_time_s *= brief_part;
        o.max_time_s *= brief_part;
    }
    return o;
}

size_t bench_group_end(const bench_suite *suite, size_t first)
{
    const bench_row *row = &suite->rows[first];
    const char *group = bench_kernels[row->kernel].group;
    size_t end = first;
    while (end < suite->n_rows && suite->rows[end].family == row->family &&
           strcmp(bench_kernels[suite->rows[end].kernel].group, group) == 0)
        end++;
    return end;
}

void bench_suite_free(bench_suite *suite)
{
    for (size_t i = 0; i < suite->n_rows; i++)
        free(suite->rows[i].samples);
    free(suite->rows);
    free(suite->groups);
    *suite = (bench_suite){0};
}

bool bench_row_is_complete(const bench_row *row, size_t passes)
{
    return row->skipped[0] != '\0' || row->n_passes >= passes;
}

/* ---- attainable rates ---- */

void bench_set_attainable(bench_suite *suite, const ceilings *roofline)
{
    for (size_t i = 0; i < suite->n_rows; i++) {
        bench_row *row = &suite->rows[i];
        const ceiling_set *set = ceilings_set(roofline, row->threads);
        row->attainable = 0.0;
        row->roof_mask = 0;
        if (set == NULL)
            continue;
        /* A peer may use any instruction of the CPU. */
        const struct ceiling_peak peak =
            row->peer != NULL ? ceilings_peak_of_cpu(set)
                              : ceilings_peak(set, row->isa, bench_kernels[row->kernel].products);
        const size_t level = row->cold ? roofline->n_levels - 1
                                       : ceilings_level(roofline, row->working_set, row->threads);
        /* Each byte of the working set is read once from that level. Bytes that are read again, or
         * written, may come from a nearer level. */
        const double memory = row->flops / row->working_set * set->gb_per_s[level][ACCESS_READ];
        if (peak.gflop_per_s == 0.0 || memory == 0.0)
            continue;
        row->attainable = peak.gflop_per_s < memory ? peak.gflop_per_s : memory;
        row->bound = peak.gflop_per_s < memory ? peak.name : roofline->level[level].name;
        row->roof_mask =
            peak.gflop_per_s < memory ? peak.mask : UINT32_C(1) << (PEAK_COUNT + level);
    }
}

bool bench_above_roof(const bench_row *row)
{
    return row->attainable > 0.0 && row->n_samples > 0 &&
           row->flops / row->real_ns.median > BENCH_ABOVE_ROOF * row->attainable;
}
