/* SPDX-License-Identifier: MIT
 *
 * Fault injection, linked into the program with ld --wrap: makes one of its calls for memory, input
 * or output fail, or ends the program at that call.
 *   DOWNHILL_FAULT=memory:N      the N-th allocation fails
 *   DOWNHILL_FAULT=io:N          the N-th call that a disk error can affect fails
 *   DOWNHILL_FAULT=kill:N        raises SIGKILL at the N-th of these calls
 *   DOWNHILL_FAULT=int:N, term:N raises SIGINT or SIGTERM there
 *   DOWNHILL_FAULT_REPORT=FILE   gets a line when that happens: the function and its file
 * Calls inside of libraries are not affected. Messages on stderr do not count. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

/* Declares the wrapper of a call and the original. */
#define WRAPPED(name) extern __typeof__(name) __real_##name, __wrap_##name

WRAPPED(malloc);
WRAPPED(open);
WRAPPED(readlink);
WRAPPED(fputc);
WRAPPED(fflush);

enum kind { NOTHING, MEMORY, IO };

static enum kind wanted;
static int signal_wanted; /* sent instead of a failure; 0: none */
static unsigned long due_at;
static bool every;
static atomic_ulong calls;

__attribute__((constructor)) static void prepare(void)
{
    static const struct {
        const char *word;
        enum kind kind;
        int signal;
    } words[] = {{"memory:", MEMORY, 0},
                 {"io:", IO, 0},
                 {"kill:", IO, SIGKILL},
                 {"int:", IO, SIGINT},
                 {"term:", IO, SIGTERM}};
    const char *fault = getenv("DOWNHILL_FAULT");
    every = getenv("DOWNHILL_EVERY_FAULT") != NULL;
    for (size_t i = 0; fault != NULL && i < sizeof words / sizeof words[0]; i++)
        if (strncmp(fault, words[i].word, strlen(words[i].word)) == 0) {
            wanted = words[i].kind;
            signal_wanted = words[i].signal;
            due_at = strtoul(fault + strlen(words[i].word), NULL, 10);
        }
}

static void report(const char *function, const char *path)
{
    const char *to = getenv("DOWNHILL_FAULT_REPORT");
    char line[4096];
    const int length = snprintf(line, sizeof line, "%s %s\n", function, path);
    const int descriptor =
        to != NULL ? __real_open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (descriptor < 0 || write(descriptor, line, (size_t)length) != length)
        abort(); /* an unreported fault proves nothing */
    close(descriptor);
}

/* Returns whether a call from this site counts. Calls from the same site fail in the same way, so
 * only the 1st, 4th, 16th and so on count, and some dozens of runs cover every site. With
 * DOWNHILL_EVERY_FAULT all calls count. */
static bool counts(const void *site)
{
    enum { SITES_MAX = 1024 };
    static struct {
        const void *site;
        unsigned long calls, next;
    } sites[SITES_MAX];
    static atomic_flag busy = ATOMIC_FLAG_INIT;
    while (atomic_flag_test_and_set(&busy)) {
    }
    size_t i = 0;
    while (i + 1 < SITES_MAX && sites[i].site != NULL && sites[i].site != site)
        i++;
    sites[i].site = site;
    const bool turn = sites[i].calls++ == sites[i].next;
    if (turn)
        sites[i].next = 4 * sites[i].calls - 1;
    atomic_flag_clear(&busy);
    return every || turn;
}

/* Returns whether this call must fail. Reports the fault, and raises the signal if one is
 * wanted. */
static bool due(enum kind kind, const void *site, const char *function, const char *path)
{
    if (kind != wanted || !counts(site) || atomic_fetch_add(&calls, 1) + 1 != due_at)
        return false;
    report(function, path);
    if (signal_wanted != 0)
        raise(signal_wanted);
    errno = kind == MEMORY ? ENOMEM : EIO;
    return signal_wanted == 0;
}

static bool no_memory(const void *site, const char *function)
{
    return due(MEMORY, site, function, "");
}

static bool bad_path(const void *site, const char *function, const char *path)
{
    return due(IO, site, function, path);
}

static bool bad_descriptor(const void *site, const char *function, int descriptor)
{
    char link[64], path[4096] = "";
    if (wanted != IO)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = __real_readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    return due(IO, site, function, path);
}

/* Simulates a full or unreadable disk for the duration of this call: the stream loses its buffer
 * and gets its error indicator set. */
static bool bad_stream(const void *site, const char *function, FILE *file)
{
    if (file == NULL || file == stderr || !bad_descriptor(site, function, fileno(file)))
        return false;
    const bool reads = __freading(file) != 0;
    const int descriptor = fileno(file), saved = dup(descriptor),
              bad = __real_open(reads ? "/" : "/dev/full", reads ? O_RDONLY : O_WRONLY, 0);
    __fpurge(file);
    clearerr(file); /* at the end of a file nothing would be read */
    dup2(bad, descriptor);
    if (reads)
        (void)getc_unlocked(file);
    else if (__real_fputc('!', file) != EOF)
        (void)__real_fflush(file);
    __fpurge(file);
    dup2(saved, descriptor);
    close(saved);
    close(bad);
    if (!ferror(file))
        abort();
    errno = reads ? EIO : ENOSPC;
    return true;
}

/* ---- memory ---- */

/* The address that the program calls from. */
#define SITE __builtin_return_address(0)

/* Defines a wrapper that returns `failure` if is_due, and else calls the original. */
#define FAILS(type, name, parameters, is_due, failure, ...)                                        \
    WRAPPED(name);                                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_due ? failure : __real_##name(__VA_ARGS__);                                      \
    }

FAILS(void *, malloc, (size_t size), no_memory(SITE, "malloc"), NULL, size)
FAILS(void *, calloc, (size_t count, size_t size), no_memory(SITE, "calloc"), NULL, count, size)
FAILS(void *, realloc, (void *old, size_t size), no_memory(SITE, "realloc"), NULL, old, size)
FAILS(void *, aligned_alloc, (size_t unit, size_t size), no_memory(SITE, "aligned_alloc"), NULL,
      unit, size)
FAILS(int, posix_memalign, (void **to, size_t unit, size_t size), no_memory(SITE, "posix_memalign"),
      ENOMEM, to, unit, size)
FAILS(char *, strdup, (const char *text), no_memory(SITE, "strdup"), NULL, text)
FAILS(void *, mmap, (void *at, size_t size, int access, int flags, int file, off_t from),
      no_memory(SITE, "mmap"), MAP_FAILED, at, size, access, flags, file, from)
FAILS(EVP_MD_CTX *, EVP_MD_CTX_new, (void), no_memory(SITE, "EVP_MD_CTX_new"), NULL, )
FAILS(zip_source_t *, zip_source_buffer,
      (zip_t * archive, const void *bytes, zip_uint64_t size, int freed),
      no_memory(SITE, "zip_source_buffer"), NULL, archive, bytes, size, freed)

FAILS(int, vasprintf, (char **text, const char *format, va_list arguments),
      no_memory(SITE, "vasprintf"), -1, text, format, arguments)
WRAPPED(asprintf);
int __wrap_asprintf(char **to, const char *format, ...)
{
    if (no_memory(SITE, "asprintf"))
        return -1; /* *to is undefined */
    va_list arguments;
    va_start(arguments, format);
    const int length = __real_vasprintf(to, format, arguments);
    va_end(arguments);
    return length;
}

/* ---- files by name ---- */

FAILS(FILE *, fopen, (const char *path, const char *mode), bad_path(SITE, "fopen", path), NULL,
      path, mode)
FAILS(int, rename, (const char *from, const char *to), bad_path(SITE, "rename", to), -1, from, to)
FAILS(int, linkat, (int from, const char *path, int to, const char *name, int flags),
      bad_path(SITE, "linkat", name), -1, from, path, to, name, flags)
FAILS(int, mkstemp, (char *name), bad_path(SITE, "mkstemp", name), -1, name)
FAILS(int, mkdir, (const char *path, mode_t mode), bad_path(SITE, "mkdir", path), -1, path, mode)
FAILS(int, stat, (const char *path, struct stat *info), bad_path(SITE, "stat", path), -1, path,
      info)
FAILS(int, access, (const char *path, int flags), bad_path(SITE, "access", path), -1, path, flags)
FAILS(char *, realpath, (const char *path, char *to), bad_path(SITE, "realpath", path), NULL, path,
      to)
FAILS(ssize_t, readlink, (const char *path, char *to, size_t capacity),
      bad_path(SITE, "readlink", path), -1, path, to, capacity)
FAILS(gzFile, gzopen, (const char *path, const char *mode), bad_path(SITE, "gzopen", path), NULL,
      path, mode)

int __wrap_open(const char *path, int flags, ...)
{
    const bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    const char *kind = nameless                     ? "open(O_TMPFILE)"
                       : (flags & O_DIRECTORY) != 0 ? "open(O_DIRECTORY)"
                                                    : "open";
    if (bad_path(SITE, kind, path))
        return -1;
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 || nameless ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return __real_open(path, flags, mode);
}

WRAPPED(zip_open);
zip_t *__wrap_zip_open(const char *path, int flags, int *reason)
{
    if (!bad_path(SITE, "zip_open", path))
        return __real_zip_open(path, flags, reason);
    *reason = ZIP_ER_OPEN;
    return NULL;
}

WRAPPED(json_load_file);
json_t *__wrap_json_load_file(const char *path, size_t flags, json_error_t *error)
{
    if (!bad_path(SITE, "json_load_file", path))
        return __real_json_load_file(path, flags, error);
    *error = (json_error_t){.line = -1, .column = -1};
    snprintf(error->text, sizeof error->text, "unable to open %s: %s", path, strerror(EIO));
    return NULL;
}

/* ---- descriptors and streams ---- */

FAILS(FILE *, fdopen, (int file, const char *mode), bad_descriptor(SITE, "fdopen", file), NULL,
      file, mode)
FAILS(ssize_t, read, (int file, void *to, size_t size), bad_descriptor(SITE, "read", file), -1,
      file, to, size)
FAILS(int, fsync, (int file), bad_descriptor(SITE, "fsync", file), -1, file)
FAILS(int, fstat, (int file, struct stat *info), bad_descriptor(SITE, "fstat", file), -1, file,
      info)
FAILS(int, fchmod, (int file, mode_t mode), bad_descriptor(SITE, "fchmod", file), -1, file, mode)
FAILS(int, fflush, (FILE * file), bad_stream(SITE, "fflush", file), EOF, file)
FAILS(size_t, fread, (void *to, size_t size, size_t count, FILE *file),
      bad_stream(SITE, "fread", file), 0, to, size, count, file)
FAILS(char *, fgets, (char *to, int capacity, FILE *file), bad_stream(SITE, "fgets", file), NULL,
      to, capacity, file)
FAILS(size_t, fwrite, (const void *from, size_t size, size_t count, FILE *file),
      bad_stream(SITE, "fwrite", file), 0, from, size, count, file)
FAILS(int, fputs, (const char *text, FILE *file), bad_stream(SITE, "fputs", file), EOF, text, file)
FAILS(int, fputc, (int c, FILE *file), bad_stream(SITE, "fputc", file), EOF, c, file)
FAILS(int, putc, (int c, FILE *file), bad_stream(SITE, "putc", file), EOF, c, file)
FAILS(int, putchar, (int c), bad_stream(SITE, "putchar", stdout), EOF, c)
FAILS(int, puts, (const char *text), bad_stream(SITE, "puts", stdout), EOF, text)
FAILS(int, json_dumpf, (const json_t *value, FILE *file, size_t flags),
      bad_stream(SITE, "json_dumpf", file), -1, value, file, flags)

WRAPPED(fclose);
int __wrap_fclose(FILE *file)
{
    const bool bad = bad_stream(SITE, "fclose", file);
    const int code = __real_fclose(file);
    if (bad)
        errno = ENOSPC;
    return bad ? EOF : code;
}

WRAPPED(printf);
int __wrap_printf(const char *format, ...)
{
    if (bad_stream(SITE, "printf", stdout))
        return -1;
    va_list arguments;
    va_start(arguments, format);
    const int length = vprintf(format, arguments);
    va_end(arguments);
    return length;
}

WRAPPED(fprintf);
int __wrap_fprintf(FILE *file, const char *format, ...)
{
    if (bad_stream(SITE, "fprintf", file))
        return -1;
    va_list arguments;
    va_start(arguments, format);
    const int length = vfprintf(file, format, arguments);
    va_end(arguments);
    return length;
}
