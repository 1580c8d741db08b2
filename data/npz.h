/* SPDX-License-Identifier: MIT
 *
 * NPZ files: arrays and texts by name in a ZIP archive, which numpy.load() opens. */
#ifndef DOWNHILL_DATA_NPZ_H
#define DOWNHILL_DATA_NPZ_H

#include "base/output_kind.h"
#include "npy.h"

#include <stddef.h>

/* An array goes in as NAME.npy; a text (header.dimensions == 0) as NAME. */
typedef struct npz_entry {
    const char *name;
    npy_header header; /* kind, element_bytes, dimensions, shape */
    const void *elements;
    size_t bytes;
} npz_entry;

enum { NPZ_ENTRIES_MAX = 16 };

/* Writes a file, by way of a temporary one. Not compressed: weights hardly shrink. The same entries are the same
 * bytes, whenever they are written. Returns EXIT_OK, or prints a line and returns EXIT_INTERNAL, and then what was there
 * before still is. */
int npz_write(const char *path, output_kind kind, const npz_entry *entries, size_t count);

struct zip;

/* Opens any ZIP archive for reading. Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int npz_open_archive(const char *path, struct zip **archive);

typedef struct npz npz;

/* Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int npz_open(const char *path, npz **file);
void npz_close(npz *file);

/* Has it an array NAME.npy? */
bool npz_has(const npz *file, const char *name);

/* The names of its arrays for a message: "'a', 'b', ...", or "no array". */
void npz_list(const npz *file, char *text, size_t room);

/* The array NAME.npy, to be freed; its checksum is checked. NULL in *elements: there is none of that name, which
 * is an error only if it is `needed`. Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int npz_array(npz *file, const char *name, bool needed, npy_header *header, void **elements);

/* The text NAME, with a zero behind it; the same otherwise, and needed. */
int npz_text(npz *file, const char *name, char **text);

#endif
