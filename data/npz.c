/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "npz.h"

#include "base/error.h"
#include "base/output.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

/* Larger than any model; limits the allocation for a damaged size. */
#define ENTRY_BYTES_MAX ((uint64_t)1 << 36)

static int out_of_memory(const char *path)
{
    error_line("%s: out of memory", path);
    return EXIT_INTERNAL;
}

/* ---- writing ---- */

struct bytes {
    void *data;
    size_t size;
};

/* Joins header and elements. */
static struct bytes entry_contents(const npz_entry *entry)
{
    unsigned char header[NPY_HEADER_MAX];
    const size_t size = entry->header.dimensions > 0 ? npy_format(&entry->header, header) : 0;
    struct bytes contents = {malloc(size + entry->bytes + 1), size + entry->bytes};
    if (contents.data != NULL) {
        memcpy(contents.data, header, size);
        memcpy((char *)contents.data + size, entry->elements, entry->bytes);
    }
    return contents;
}

static bool add_entry(zip_t *archive, const npz_entry *entry)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", entry->name, entry->header.dimensions > 0 ? ".npy" : "");
    struct bytes contents = entry_contents(entry);
    if (contents.data == NULL)
        return false;
    if (contents.size == 0) { /* libzip does not take ownership of 0 bytes */
        free(contents.data);
        contents.data = NULL;
    }
    zip_source_t *source = zip_source_buffer(archive, contents.data, contents.size, 1);
    if (source == NULL) {
        free(contents.data);
        return false;
    }
    const zip_int64_t index = zip_file_add(archive, name, source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
        zip_source_free(source);
        return false;
    }
    /* Use the earliest time of ZIP, so that equal entries give equal files. */
    return zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) == 0 &&
           zip_file_set_dostime(archive, (zip_uint64_t)index, 0, 1 << 5 | 1, 0) == 0;
}

/* Creates the archive in memory; output_file() then writes it safely. */
static bool make_archive(const npz_entry *entries, size_t count, zip_source_t **archive_source)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *source = zip_source_buffer_create(NULL, 0, 1, &error);
    zip_t *archive =
        source != NULL ? zip_open_from_source(source, ZIP_CREATE | ZIP_TRUNCATE, &error) : NULL;
    bool good = archive != NULL;
    if (good)
        zip_source_keep(source);
    for (size_t i = 0; good && i < count; i++)
        good = add_entry(archive, &entries[i]);
    if (archive != NULL && (!good || zip_close(archive) != 0)) {
        zip_discard(archive);
        good = false;
    }
    zip_error_fini(&error);
    if (!good && source != NULL)
        zip_source_free(source);
    *archive_source = good ? source : NULL;
    return good;
}

static bool write_bytes(FILE *file, const void *context)
{
    const struct bytes *all = context;
    return fwrite(all->data, 1, all->size, file) == all->size;
}

int npz_write(const char *path, output_kind kind, const npz_entry *entries, size_t count)
{
    zip_source_t *source;
    zip_stat_t info;
    if (!make_archive(entries, count, &source))
        return out_of_memory(path);
    struct bytes all = {0};
    if (zip_source_stat(source, &info) == 0 && (all.data = malloc(info.size)) != NULL &&
        zip_source_open(source) == 0) {
        const zip_int64_t got = zip_source_read(source, all.data, info.size);
        all.size = got > 0 && (zip_uint64_t)got == info.size ? info.size : 0;
        zip_source_close(source);
    }
    zip_source_free(source);
    const int code =
        all.size > 0 ? output_file(path, kind, write_bytes, &all) : out_of_memory(path);
    free(all.data);
    return code;
}

/* ---- reading ---- */

struct npz {
    char *path;
    zip_t *archive;
};

static bool is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Returns whether a regular file begins with these bytes, at most 8. */
static bool starts_with(const char *path, const char *bytes)
{
    char start[8];
    const size_t count = strlen(bytes);
    FILE *file = is_regular(path) ? fopen(path, "rb") : NULL;
    const bool same =
        file != NULL && fread(start, 1, count, file) == count && memcmp(start, bytes, count) == 0;
    if (file != NULL)
        fclose(file);
    return same;
}

static bool is_empty(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 0;
}

int npz_open_archive(const char *path, const char *no_archive, zip_t **archive)
{
    int reason;
    *archive = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &reason);
    if (*archive != NULL)
        return EXIT_OK;
    zip_error_t error;
    zip_error_init_with_code(&error, reason);
    if (reason == ZIP_ER_OPEN || reason == ZIP_ER_NOENT || reason == ZIP_ER_READ)
        error_line("%s: cannot open: %s; check the path", path, strerror(errno));
    else if (is_empty(path))
        error_line("%s: is empty; name another file", path);
    else if (no_archive != NULL && is_regular(path) && !starts_with(path, "PK"))
        error_line("%s: %s", path, no_archive);
    else if (starts_with(path, "\x93NUMPY"))
        error_line("%s: a NumPy array, not an archive of them; as data give npy:X.npy,Y.npy", path);
    else
        error_line("%s: not a complete NPZ file: %s; write or download it again", path,
                   zip_error_strerror(&error));
    zip_error_fini(&error);
    return EXIT_DATA;
}

int npz_open(const char *path, const char *no_archive, npz **file)
{
    npz *f = calloc(1, sizeof *f);
    *file = NULL;
    if (f == NULL || (f->path = strdup(path)) == NULL) {
        free(f);
        return out_of_memory(path);
    }
    const int code = npz_open_archive(path, no_archive, &f->archive);
    if (code != EXIT_OK)
        npz_close(f);
    else
        *file = f;
    return code;
}

void npz_close(npz *file)
{
    if (file == NULL)
        return;
    if (file->archive != NULL)
        zip_discard(file->archive);
    free(file->path);
    free(file);
}

bool npz_has(const npz *file, const char *name)
{
    char entry[256];
    return snprintf(entry, sizeof entry, "%s.npy", name) < (int)sizeof entry &&
           zip_name_locate(file->archive, entry, 0) >= 0;
}

void npz_list(const npz *file, char *text, size_t room)
{
    enum { SUFFIX = 4, SHOWN_MAX = 40 };
    const zip_int64_t count = zip_get_num_entries(file->archive, 0);
    size_t used = 0;
    snprintf(text, room, "no array");
    for (zip_int64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(file->archive, (zip_uint64_t)i, 0);
        const size_t length = name != NULL ? strlen(name) : 0;
        if (length <= SUFFIX || strcmp(name + length - SUFFIX, ".npy") != 0)
            continue;
        if (used + SHOWN_MAX + sizeof ", ''..." > room) {
            snprintf(text + used, room - used, ", ...");
            return;
        }
        const int shown = (int)(length - SUFFIX < SHOWN_MAX ? length - SUFFIX : SHOWN_MAX);
        used += (size_t)snprintf(text + used, room - used, "%s'%.*s'", used > 0 ? ", " : "", shown,
                                 name);
    }
}

static int damaged(const npz *file, const char *name, const char *why)
{
    error_line("%s: %s: %s; the file is damaged or of another kind", file->path, name, why);
    return EXIT_DATA;
}

/* Reads an entry and adds a NUL; all->data is NULL if there is no such entry. */
static int read_entry(npz *file, const char *name, struct bytes *all)
{
    zip_stat_t info;
    *all = (struct bytes){0};
    if (zip_stat(file->archive, name, 0, &info) != 0)
        return EXIT_OK;
    if ((info.valid & ZIP_STAT_SIZE) == 0 || info.size > ENTRY_BYTES_MAX)
        return damaged(file, name, "its size is not credible");
    zip_file_t *entry = zip_fopen_index(file->archive, info.index, 0);
    if (entry == NULL)
        return damaged(file, name, zip_strerror(file->archive));
    all->size = info.size;
    all->data = malloc(info.size + 1);
    int code = all->data != NULL ? EXIT_OK : out_of_memory(file->path);
    char extra; /* libzip compares the checksum at the end */
    if (code == EXIT_OK && (zip_fread(entry, all->data, info.size) != (zip_int64_t)info.size ||
                            zip_fread(entry, &extra, 1) != 0))
        code = damaged(file, name, zip_file_strerror(entry));
    zip_fclose(entry);
    if (code == EXIT_OK)
        ((char *)all->data)[all->size] = '\0';
    else
        free(all->data);
    return code;
}

int npz_array(npz *file, const char *name, bool needed, npy_header *header, void **elements)
{
    char entry[64];
    struct bytes all;
    snprintf(entry, sizeof entry, "%s.npy", name);
    *elements = NULL;
    int code = read_entry(file, entry, &all);
    if (code != EXIT_OK)
        return code;
    if (all.data == NULL)
        return needed ? damaged(file, entry, "it is missing") : EXIT_OK;
    const char *wrong = npy_parse(all.data, all.size, header);
    if (wrong == NULL && header->size <= all.size && (header->big_endian || header->fortran_order))
        wrong = "its elements are not little-endian in C order";
    if (wrong == NULL && (header->size > all.size ||
                          header->elements > (all.size - header->size) / header->element_bytes ||
                          header->elements * header->element_bytes != all.size - header->size))
        wrong = "its size is not that of its header";
    if (wrong != NULL) {
        code = damaged(file, entry, wrong);
        free(all.data);
        return code;
    }
    memmove(all.data, (char *)all.data + header->size, all.size - header->size);
    *elements = all.data;
    return EXIT_OK;
}

int npz_text(npz *file, const char *name, char **text)
{
    struct bytes all;
    *text = NULL;
    const int code = read_entry(file, name, &all);
    if (code != EXIT_OK)
        return code;
    if (all.data == NULL)
        return damaged(file, name, "it is missing");
    *text = all.data;
    return EXIT_OK;
}
