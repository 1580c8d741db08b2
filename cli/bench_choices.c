/* SPDX-License-Identifier: MIT */
#include "bench_choices.h"

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

#define AT(member) .offset = offsetof(bench_row_choice, member)

static const cli_option options[] = {
    {.name = "filter",
     .kind = OPTION_TEXT,
     .metavar = "REGEX",
     AT(filter),
     .help = "only rows whose name matches, as in score_f32/.*/n:256"},
    {.name = "shape",
     .kind = OPTION_EACH,
     .metavar = "NxDxC",
     AT(shapes),
     .help = "time this shape instead of the standard list; may be repeated"},
    {.name = "cache",
     .kind = OPTION_TEXT,
     .metavar = "hot,cold",
     AT(cache),
     .help = "hot: the same buffers in every call; cold: other buffers in every call, best "
             "level only (default: hot)"},
};

const cli_group bench_row_options = {options, sizeof options / sizeof options[0]};

/* Parses "256x3072x10" or "256,3072,10". */
static bool parse_shape(const char *text, bench_shape *shape)
{
    size_t sizes[3];
    for (int i = 0; i < 3; i++) {
        /* strtoull() would accept a sign and blanks, so the digits are counted here. */
        const size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 9)
            return false;
        sizes[i] = (size_t)strtoull(text, NULL, 10);
        text += digits;
        if (sizes[i] == 0 || (i < 2 && *text != 'x' && *text != ',') || (i == 2 && *text != '\0'))
            return false;
        text++;
    }
    *shape = (bench_shape){sizes[0], sizes[1], sizes[2], true, false};
    return true;
}

int bench_choose_shapes(const char *command, const option_list *given, bool quick,
                        bench_shape shapes[OPTION_LIST_MAX], size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < given->count; i++)
        if (!parse_shape(given->values[i], &shapes[(*count)++])) {
            error_line("%s: --shape: '%s' is not SAMPLESxFEATURESxCLASSES, as in 256x3072x10, "
                       "each from 1 to 999999999",
                       command, given->values[i]);
            return EXIT_USAGE;
        }
    if (*count == 0)
        for (size_t i = 0; i < bench_standard_shape_count; i++)
            if (!quick || bench_standard_shapes[i].quick)
                shapes[(*count)++] = bench_standard_shapes[i];
    return EXIT_OK;
}

int bench_choose_caches(const char *command, const char *cache, bench_options *bench)
{
    const char *text = cache != NULL ? cache : "hot";
    const bool both = strcmp(text, "hot,cold") == 0 || strcmp(text, "cold,hot") == 0;
    bench->cold = both || strcmp(text, "cold") == 0;
    bench->no_hot = !both && bench->cold;
    if (bench->cold || strcmp(text, "hot") == 0)
        return EXIT_OK;
    error_line("%s: --cache: '%s' is not hot, cold or hot,cold", command, text);
    return EXIT_USAGE;
}
