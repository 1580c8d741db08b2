/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "output.h"

#include "error.h"
#include "json_memory.h"
#include "real.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

volatile sig_atomic_t output_has_begun;

/* Set if a jansson call returned -1, for lack of memory: the document is then incomplete. */
static bool incomplete;

void output_set(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        incomplete = true;
}

json_t *output_real(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *output_f32(float value)
{
    return output_real(real_of_f32(value));
}

static bool write_document(FILE *file, const void *root)
{
    return json_dumpf(root, file, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) == 0 &&
           fputc('\n', file) != EOF && fflush(file) == 0;
}

/* Returns whether the path is a device, a pipe or a socket, which is written to directly. */
static bool is_special(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

static int write_special(const char *path, output_writer *write, const void *context)
{
    output_has_begun = 1;
    FILE *file = fopen(path, "w");
    bool good = file != NULL && write(file, context) && fflush(file) == 0;
    int reason = errno;
    if (file != NULL && fclose(file) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (!good)
        error_line("%s: cannot write: %s; %s", path, strerror(reason), write_remedy(reason));
    return good ? EXIT_OK : EXIT_INTERNAL;
}

/* Returns the name of the standard stream whose regular file `path` is, or NULL. Replacing the file
 * would lose the output of the stream. */
static const char *find_stream(const char *path)
{
    static const char *const names[] = {"input", "output", "error"};
    struct stat of_path, of_stream;
    if (stat(path, &of_path) != 0 || !S_ISREG(of_path.st_mode))
        return NULL;
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (fstat(i, &of_stream) == 0 && of_path.st_dev == of_stream.st_dev &&
            of_path.st_ino == of_stream.st_ino)
            return names[i];
    return NULL;
}

static bool ends_in_slash(const char *path)
{
    const size_t length = strlen(path);
    return length > 0 && path[length - 1] == '/';
}

/* Follows dangling symbolic links to the name of a file that does not exist yet. Returns the name,
 * to be freed, or NULL and sets errno. */
static char *follow_links(const char *path)
{
    enum { LINKS_MAX = 40 }; /* the kernel's limit */
    char text[PATH_MAX];
    char *at = strdup(path);
    int reason = ELOOP;
    for (int i = 0; at != NULL && i < LINKS_MAX; i++) {
        const ssize_t length = readlink(at, text, sizeof text - 1);
        if (length < 0 && (errno == EINVAL || errno == ENOENT)) /* not a link, or no such file */
            return at;
        if (length < 0) {
            reason = errno;
            break;
        }
        text[length] = '\0';
        const char *slash = strrchr(at, '/');
        const int folder = text[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - at);
        char *next;
        if (asprintf(&next, "%.*s%s", folder, at, text) < 0)
            next = NULL;
        free(at);
        at = next;
    }
    if (at != NULL)
        errno = reason;
    free(at);
    return NULL;
}

/* Resolves symbolic links in `path` to *target, and sets *temporary to a template for mkstemp()
 * in the same directory. Both are to be freed. On failure returns false and sets errno; both are
 * NULL. */
static bool find_target(const char *path, char **target, char **temporary)
{
    *target = realpath(path, NULL);
    if (*target == NULL && errno == ENOENT)
        *target = follow_links(path);
    if (*target != NULL &&
        ends_in_slash(*target)) { /* a link may name a directory that does not exist */
        free(*target);
        *target = NULL;
        errno = EISDIR;
    }
    if (*target != NULL && asprintf(temporary, "%s.XXXXXX", *target) >= 0)
        return true;
    free(*target);
    *target = *temporary = NULL;
    return false;
}

/* Opens the directory of a file, with `flags`. */
static int open_directory(const char *target, int flags)
{
    char directory[PATH_MAX];
    if (strlen(target) >= sizeof directory) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(directory, target);
    return open(dirname(directory), flags | O_CLOEXEC, 0666);
}

/* Sets the permissions that fopen() would have set: mkstemp() creates a private file. */
static int share(int descriptor)
{
    const mode_t mask = umask(0);
    umask(mask);
    return fchmod(descriptor, 0666 & ~mask);
}

static int open_named(char *temporary)
{
    const int descriptor = mkstemp(temporary);
    if (descriptor < 0 || share(descriptor) == 0)
        return descriptor;
    const int reason = errno;
    close(descriptor);
    unlink(temporary);
    errno = reason;
    return -1;
}

/* Creates an empty file in the directory of the target. It has no name (O_TMPFILE) until it is
 * complete, so that nothing remains however the program ends. If the file system does not support
 * that, or /proc is missing, which is needed to name it later, it has the name `temporary` from the
 * start, and *named is true. */
static int open_new(const char *target, char *temporary, bool *named)
{
    const int nameless =
        access("/proc/self/fd", X_OK) == 0 ? open_directory(target, O_TMPFILE | O_WRONLY) : -1;
    *named = false;
    if (nameless >= 0)
        return nameless;
    const int descriptor = open_named(temporary);
    *named = descriptor >= 0;
    return descriptor;
}

/* Gives an unnamed file its temporary name. */
static bool name_beside(output_pending *p, const char *of_descriptor)
{
    enum { TRIES = 64 };
    char *const suffix = strrchr(p->temporary, '.') + 1;
    for (unsigned i = 0; i < TRIES && !p->named; i++) {
        /* The PID is unique on this machine; names left by killed processes are skipped. */
        snprintf(suffix, 7, "%06x", ((unsigned)getpid() + i) & 0xFFFFFF);
        p->named = linkat(AT_FDCWD, of_descriptor, AT_FDCWD, p->temporary, AT_SYMLINK_FOLLOW) == 0;
        if (!p->named && errno != EEXIST)
            break;
    }
    return p->named;
}

static int failed(output_pending *p, int reason)
{
    error_line("%s: cannot write: %s; nothing was written; %s", p->path, strerror(reason),
               write_remedy(reason));
    output_abandon(p);
    return EXIT_INTERNAL;
}

/* Keeps the new file under its temporary name, because another program created a file of another
 * kind at the target during the run. */
static int set_aside(output_pending *p, const char *why)
{
    error_line("%s: %s; the new contents are in %s", p->path, why, p->temporary);
    p->named = false;
    output_abandon(p);
    return EXIT_INTERNAL;
}

/* Puts the complete file in place. linkat() cannot replace a file, so if the target exists, the
 * file is linked to a temporary name and renamed. The temporary name remains only if the program
 * is killed between these two calls. */
static int place(output_pending *p)
{
    char why[OUTPUT_WHY_MAX];
    char of_descriptor[64];
    snprintf(of_descriptor, sizeof of_descriptor, "/proc/self/fd/%d", fileno(p->file));
    if (!p->named && linkat(AT_FDCWD, of_descriptor, AT_FDCWD, p->target, AT_SYMLINK_FOLLOW) == 0)
        return EXIT_OK;
    if (!p->named && errno != EEXIST)
        return failed(p, errno);
    const int code = output_may_replace(p->target, p->kind, why);
    if (code == EXIT_INTERNAL || (code != EXIT_OK && p->kind == OUTPUT_NEW)) {
        error_line("%s: %s; nothing was written", p->path, why);
        output_abandon(p);
        return EXIT_INTERNAL;
    }
    if (!p->named && !name_beside(p, of_descriptor))
        return failed(p, errno);
    if (code != EXIT_OK)
        return set_aside(p, why);
    if (rename(p->temporary, p->target) != 0)
        return failed(p, errno);
    p->named = false;
    return EXIT_OK;
}

/* Flushes the directory, which holds the name of the new file. Failure is ignored: not every file
 * system supports it. */
static void sync_directory(const char *target)
{
    const int descriptor = open_directory(target, O_RDONLY | O_DIRECTORY);
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        close(descriptor);
    }
}

int output_begin(const char *path, output_kind kind, output_pending *p)
{
    *p = (output_pending){.path = path, .kind = kind};
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return failed(p, S_ISDIR(info.st_mode) ? EISDIR : EEXIST);
    if (!find_target(path, &p->target, &p->temporary))
        return failed(p, errno);
    const int descriptor = open_new(p->target, p->temporary, &p->named);
    if (descriptor < 0)
        return failed(p, errno);
    p->file = fdopen(descriptor, "w");
    if (p->file != NULL)
        return EXIT_OK;
    const int reason = errno;
    close(descriptor);
    return failed(p, reason);
}

int output_settle(output_pending *p, bool good)
{
    good = good && fflush(p->file) == 0 && fsync(fileno(p->file)) == 0;
    return good ? EXIT_OK : failed(p, errno);
}

int output_commit(output_pending *p)
{
    output_has_begun = 1;
    const int code = place(p);
    if (code != EXIT_OK)
        return code;
    sync_directory(p->target);
    output_abandon(p);
    return EXIT_OK;
}

/* Ignores errors of fclose(): a settled file is on the disk already, and any other is deleted. */
void output_abandon(output_pending *p)
{
    if (p->file != NULL)
        (void)fclose(p->file);
    if (p->named)
        unlink(p->temporary);
    free(p->temporary);
    free(p->target);
    *p = (output_pending){0};
}

static int write_regular(const char *path, output_kind kind, output_writer *write,
                         const void *context)
{
    output_pending p;
    int code = output_begin(path, kind, &p);
    if (code == EXIT_OK)
        code = output_settle(&p, write(p.file, context));
    return code == EXIT_OK ? output_commit(&p) : code;
}

int output_file(const char *path, output_kind kind, output_writer *write, const void *context)
{
    return is_special(path) ? write_special(path, write, context)
                            : write_regular(path, kind, write, context);
}

int output_json(const char *path, json_t *root)
{
    int code;
    if (root == NULL || incomplete || json_memory_failed()) {
        error_line("%s: out of memory", path);
        code = EXIT_INTERNAL;
    } else if (output_is_stdout(path)) {
        code = EXIT_OK;
        if (!write_document(stdout, root)) {
            const int reason = errno;
            error_line("standard output: cannot write: %s; %s", strerror(reason),
                       write_remedy(reason));
            code = EXIT_INTERNAL;
        }
    } else {
        code = output_file(path, output_kind_of_json(root), write_document, root);
    }
    json_decref(root);
    return code;
}

bool output_is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

bool output_replaces(const char *path)
{
    /* Names in these directories stand for open files, which a rename would not replace. */
    const bool of_descriptor = strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0;
    return !output_is_stdout(path) && !of_descriptor && !is_special(path);
}

/* Identifies the file at a path or, if it does not exist yet, its directory and name. */
struct place {
    struct stat info; /* of the file or of the directory */
    char *name;       /* NULL: the file exists; otherwise to be freed */
};

/* Returns false if the directory does not exist either. */
static bool find_place(const char *path, struct place *p)
{
    char directory[PATH_MAX];
    *p = (struct place){.name = NULL};
    if (stat(path, &p->info) == 0)
        return true;
    char *target = errno == ENOENT ? follow_links(path) : NULL;
    if (target != NULL && strlen(target) < sizeof directory) {
        strcpy(directory, target);
        if (stat(dirname(directory), &p->info) == 0)
            p->name = strdup(basename(target));
    }
    free(target);
    return p->name != NULL;
}

static bool is_same_place(const struct place *a, const struct place *b)
{
    return a->info.st_dev == b->info.st_dev && a->info.st_ino == b->info.st_ino &&
           (a->name == NULL) == (b->name == NULL) &&
           (a->name == NULL || strcmp(a->name, b->name) == 0);
}

bool output_is_same(const char *a, const char *b)
{
    if (a == NULL || b == NULL || output_is_stdout(a) || is_special(a))
        return false;
    if (strcmp(a, b) == 0)
        return true;
    struct place of_a, of_b = {.name = NULL};
    const bool same = find_place(a, &of_a) && find_place(b, &of_b) && is_same_place(&of_a, &of_b);
    free(of_a.name);
    free(of_b.name);
    return same;
}

static int check_kind(const char *path, output_kind kind)
{
    char why[OUTPUT_WHY_MAX];
    const int code = output_may_replace(path, kind, why);
    if (code != EXIT_OK)
        error_line("%s: %s%s", path, why,
                   code == EXIT_USAGE ? "; choose another name or delete it" : "");
    return code;
}

int output_check(const char *path, output_kind kind)
{
    if (output_is_stdout(path))
        return EXIT_OK;
    struct stat info;
    if (ends_in_slash(path) || (stat(path, &info) == 0 && S_ISDIR(info.st_mode))) {
        error_line("%s: is a directory; name a file", path);
        return EXIT_USAGE;
    }
    const char *stream = find_stream(path);
    if (stream != NULL) {
        error_line("%s: is the file of standard %s, and replacing it would lose what is written "
                   "there; name another file%s",
                   path, stream,
                   kind >= OUTPUT_REPORT && kind <= OUTPUT_PEERS ? ", or '-' for standard output"
                                                                 : "");
        return EXIT_USAGE;
    }
    if (is_special(path)) {
        if (access(path, W_OK) == 0)
            return EXIT_OK;
        error_line("%s: cannot write to it: %s; name a file", path, strerror(errno));
        return EXIT_USAGE;
    }
    char *target, *probe;
    bool named = false;
    const int descriptor =
        find_target(path, &target, &probe) ? open_new(target, probe, &named) : -1;
    const int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (named)
        unlink(probe);
    free(probe);
    free(target);
    if (descriptor >= 0)
        return check_kind(path, kind);
    if (reason == ENOMEM) {
        error_line("%s: out of memory", path);
        return EXIT_INTERNAL;
    }
    error_line("%s: cannot write there: %s; name a directory that exists and is writable", path,
               strerror(reason));
    return EXIT_USAGE;
}
