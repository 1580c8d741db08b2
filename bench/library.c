/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

const library library_linked = {
#define LINKED(name) .name = downhill_##name,
    LIBRARY_FUNCTIONS(LINKED)
#undef LINKED
};

/* Copies the file into memory. Returns a file descriptor, or -1 after setting errno. */
static int copy(const char *path)
{
    struct stat status;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return -1;
    int to = memfd_create("libdownhill", MFD_CLOEXEC);
    bool good = to >= 0 && fstat(from, &status) == 0;
    for (off_t at = 0; good && at < status.st_size;) {
        errno = EIO; /* if the file becomes shorter meanwhile */
        good = sendfile(to, from, &at, (size_t)(status.st_size - at)) > 0;
    }
    const int error = errno;
    if (!good && to >= 0) {
        close(to);
        to = -1;
    }
    close(from);
    errno = error;
    return to;
}

/* Sets *function, the address of a pointer to a function, to the function of that name. */
static bool find(void *handle, const char *name, void *function, char *why, size_t why_size)
{
    void *const symbol = dlsym(handle, name);
    if (symbol == NULL) {
        snprintf(why, why_size, "has no function %s", name);
        return false;
    }
    /* ISO C has no conversion from an object pointer to a function pointer; POSIX has. */
    memcpy(function, &symbol, sizeof symbol);
    return true;
}

bool library_load(const char *path, library *out, char *why, size_t why_size)
{
    /* dlopen() returns a library that is already loaded if the file is the same, so a copy is
     * loaded. The copy is also unaffected if the file is rebuilt. */
    const int file = copy(path);
    if (file < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return false;
    }
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    /* The descriptor stays open: the loader would take a new file with the same number for it. */
    void *const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *error = dlerror();
        const char *text = strncmp(error, name, strlen(name)) == 0 ? error + strlen(name) : error;
        snprintf(why, why_size, "%s", text + strspn(text, ": "));
        close(file);
        return false;
    }
#define FIND(name)                                                                                 \
    if (!find(handle, "downhill_" #name, &out->name, why, why_size))                               \
        return false;
    LIBRARY_FUNCTIONS(FIND)
#undef FIND
    return true;
}
