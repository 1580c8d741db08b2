/* SPDX-License-Identifier: MIT
 *
 * NPZ files: arrays and texts by name in a ZIP archive, which numpy.load() opens. */
#ifndef DOWNHILL_DATA_NPZ_H
#define DOWNHILL_DATA_NPZ_H

#include "base/output_kind.h"
#include "npy.h"

#include <stddef.h>

/* An entry of an archive: an array is stored as NAME.npy, a text (header.dimensions = 0) as
 * NAME. */
typedef struct npz_entry {
    const char *name;
    npy_header header; /* kind, element_bytes, dimensions, shape */
    const void *elements;
    size_t bytes;
} npz_entry;

enum { NPZ_ENTRIES_MAX = 16 };

/* Writes a file through a temporary one, uncompressed because weights hardly compress. The bytes
 * depend on the entries only. Returns EXIT_OK, or prints a line and returns EXIT_INTERNAL with an
 * existing file unchanged. */
int npz_write(const char *path, output_kind kind, const npz_entry *entries, size_t count);

struct zip;

/* Opens any ZIP archive for reading. no_archive: what to say of a file of another kind; NULL: how to give it as data.
 * Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int npz_open_archive(const char *path, const char *no_archive, struct zip **archive);

typedef struct npz npz;

/* Opens an NPZ file for reading, as npz_open_archive() does. */
int npz_open(const char *path, const char *no_archive, npz **file);
void npz_close(npz *file);

/* Returns whether the file has an array NAME.npy. */
bool npz_has(const npz *file, const char *name);

/* Writes the names of the arrays for a message: "'a', 'b', ...", or "no array". */
void npz_list(const npz *file, char *text, size_t room);

/* Reads the array NAME.npy, which must be little-endian and in C order, and verifies its checksum.
 * The caller frees *elements, which is NULL if there is no such array; with `needed` that is an
 * error. Returns EXIT_OK, or prints a line and returns EXIT_DATA or EXIT_INTERNAL. */
int npz_array(npz *file, const char *name, bool needed, npy_header *header, void **elements);

/* Reads the text NAME, which must be there, with a NUL after it. The caller frees it. Returns as
 * npz_array(). */
int npz_text(npz *file, const char *name, char **text);

#endif
