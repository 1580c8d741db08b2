/* SPDX-License-Identifier: MIT
 *
 * Writes the models of the fixed training of verify/reproduce.h, on every usable level whose bits
 * are promised, to files in the directory DIR, and prints their digests in the form that
 * `sha256sum --check` reads. For machines without the libraries of the program.
 *   reproduce_models DIR */
#include "verify/reproduce.h"

#include "base/levels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    const char *directory, *level;
    const reproduce_kind *kind;
};

static void write_little_endian(FILE *file, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        putc((int)(value >> (8 * i) & 0xFF), file);
}

static void write_floats(FILE *file, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        write_little_endian(file, bits, 4);
    }
}

static bool write_model(void *context, size_t step, const downhill_weights_f32 *w)
{
    const struct run *run = context;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%s-%d-%zu", run->directory, run->level, run->kind->dtype,
             (int)run->kind->loss.kind, step + 1);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    write_little_endian(file, w->d, 8);
    write_little_endian(file, w->c, 8);
    for (size_t j = 0; j < w->c; j++)
        write_floats(file, w->w + j * w->ldw, w->d);
    write_floats(file, w->b, w->c);
    printf("%s  %s\n", run->kind->digests[step], path);
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    const downhill_kernels *tables[LEVELS_MAX];
    const size_t levels = argc == 2 ? levels_to_run(NULL, tables) : 0;
    for (size_t t = 0; t < levels; t++)
        for (size_t k = 0; k < REPRODUCE_KINDS; k++) {
            struct run run = {argv[1], downhill_kernels_name(tables[t]), &reproduce_kinds[k]};
            if (reproduce_is_promised(tables[t], run.kind->element) &&
                reproduce_train(run.kind, tables[t], reproduce_alone, write_model, &run) !=
                    DOWNHILL_OK)
                return EXIT_FAILURE;
        }
    return levels > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
