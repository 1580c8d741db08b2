/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "peers.h"

#include "base/levels.h"
#include "base/output.h"

#include <dlfcn.h>
#ifdef _OPENMP
#include <omp.h>
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Declares the functions used, so that no header of the libraries is needed. */
typedef void (*cblas_sgemm_function)(int order, int transpose_a, int transpose_b, int m, int n,
                                     int k, float alpha, const float *a, int lda, const float *b,
                                     int ldb, float beta, float *c, int ldc);
enum { CBLAS_ROW_MAJOR = 101, CBLAS_NO_TRANSPOSE = 111, CBLAS_TRANSPOSE = 112 };

typedef int (*dnnl_sgemm_function)(char transpose_a, char transpose_b, int64_t m, int64_t n,
                                   int64_t k, float alpha, const float *a, int64_t lda,
                                   const float *b, int64_t ldb, float beta, float *c, int64_t ldc);

static void sgemm_cblas(const peer *p, bool transpose_a, bool transpose_b, size_t m, size_t n,
                        size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                        bool accumulate, float *c, size_t ldc)
{
    ((cblas_sgemm_function)p->function)(
        CBLAS_ROW_MAJOR, transpose_a ? CBLAS_TRANSPOSE : CBLAS_NO_TRANSPOSE,
        transpose_b ? CBLAS_TRANSPOSE : CBLAS_NO_TRANSPOSE, (int)m, (int)n, (int)k, 1.0f, a,
        (int)lda, b, (int)ldb, accumulate ? 1.0f : 0.0f, c, (int)ldc);
}

static void sgemm_onednn(const peer *p, bool transpose_a, bool transpose_b, size_t m, size_t n,
                         size_t k, const float *a, size_t lda, const float *b, size_t ldb,
                         bool accumulate, float *c, size_t ldc)
{
    ((dnnl_sgemm_function)p->function)(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', (int64_t)m,
                                       (int64_t)n, (int64_t)k, 1.0f, a, (int64_t)lda, b,
                                       (int64_t)ldb, accumulate ? 1.0f : 0.0f, c, (int64_t)ldc);
}

/* ---- loading ---- */

typedef void (*function)(void);

/* Returns a function of a library, or NULL. dlsym() returns functions as void *, a conversion that
 * ISO C lacks. */
static function find(void *library, const char *name)
{
    void *object = dlsym(library, name);
    function symbol = NULL;
    memcpy(&symbol, &object, sizeof symbol);
    return symbol;
}

/* Loads a library and its matrix product. Returns NULL and sets p->missing on failure. */
static void *load(peer *p, const char *soname, const char *symbol)
{
    p->library = soname;
    void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(p->missing, sizeof p->missing, "%s", dlerror());
        return NULL;
    }
    p->function = find(library, symbol);
    if (p->function == NULL) {
        snprintf(p->missing, sizeof p->missing, "%s has no function %s", soname, symbol);
        dlclose(library);
        return NULL;
    }
    return library;
}

static const char *openblas_kernels(void *library)
{
    char *(*name)(void) = (char *(*)(void))find(library, "openblas_get_corename");
    return name != NULL ? name() : "unknown";
}

static void open_openblas(peer *p)
{
    /* Version 0.3.21 uses its Haswell kernels on AMD CPUs that are newer than it, and cannot be
     * loaded twice. On the Intel CPUs that it knows it selects SkylakeX itself. */
    const bool is_set = getenv("OPENBLAS_CORETYPE") != NULL;
    if (levels_cpu_has(FEATURE_AVX512F | FEATURE_AVX512BW | FEATURE_AVX512DQ | FEATURE_AVX512VL))
        setenv("OPENBLAS_CORETYPE", "SkylakeX", 0);
    void *library = load(p, "libopenblas.so.0", "cblas_sgemm");
    if (library == NULL)
        return;
    void (*threads)(int) = (void (*)(int))find(library, "openblas_set_num_threads");
    if (threads != NULL)
        threads(1);
    char *(*config)(void) = (char *(*)(void))find(library, "openblas_get_config");
    char version[24] = "unknown"; /* the second word of "OpenBLAS 0.3.21 DYNAMIC_ARCH ..." */
    if (config != NULL)
        sscanf(config(), "%*s %23s", version);
    snprintf(p->version, sizeof p->version, "OpenBLAS %s, kernels %s%s", version,
             openblas_kernels(library), is_set ? " (set by OPENBLAS_CORETYPE)" : "");
}

static const char *blis_kernels(void *library)
{
    void (*init)(void) = find(library, "bli_init");
    int (*id)(void) = (int (*)(void))find(library, "bli_arch_query_id");
    char *(*name)(int) = (char *(*)(int))find(library, "bli_arch_string");
    if (init == NULL || id == NULL || name == NULL)
        return "unknown";
    init(); /* required by the query */
    return name(id());
}

static void open_blis(peer *p)
{
    void *library = load(p, "libblis.so.4", "cblas_sgemm");
    if (library == NULL)
        return;
    /* Version 0.9 falls back to plain C on a CPU that it does not know. Its AVX2 kernels, number 3,
     * are its fastest for few classes, where it is strongest. */
    const bool is_set = getenv("BLIS_ARCH_TYPE") != NULL;
    if (!is_set && strcmp(blis_kernels(library), "generic") == 0 && levels_cpu_has(FEATURE_FMA) &&
        setenv("BLIS_ARCH_TYPE", "3", 0) == 0) {
        const function finalize = find(library, "bli_finalize");
        if (finalize != NULL)
            finalize();
        dlclose(library);
        library = load(p, p->library, "cblas_sgemm");
    }
    if (library == NULL)
        return;
    char *(*version)(void) = (char *(*)(void))find(library, "bli_info_get_version_str");
    snprintf(p->version, sizeof p->version, "BLIS %s, kernels %s%s",
             version != NULL ? version() : "unknown", blis_kernels(library),
             is_set ? " (set by BLIS_ARCH_TYPE)" : "");
}

static void open_onednn(peer *p)
{
    void *library = load(p, "libdnnl.so.2", "dnnl_sgemm");
    if (library == NULL)
        return;
    struct version {
        int major, minor, patch;
    };
    const struct version *(*version)(void) =
        (const struct version *(*)(void))find(library, "dnnl_version");
    if (version != NULL)
        snprintf(p->version, sizeof p->version, "oneDNN %d.%d.%d", version()->major,
                 version()->minor, version()->patch);
}

const peer *peers_open(void)
{
    static peer peers[PEERS_COUNT] = {{.name = "openblas", .sgemm = sgemm_cblas},
                                      {.name = "blis", .sgemm = sgemm_cblas},
                                      {.name = "onednn", .sgemm = sgemm_onednn}};
    static bool opened;
    if (!opened) {
        opened = true;
        /* An OpenMP runtime reads the environment when it is loaded. Ours is loaded already, and
         * the libraries may use it or another one, so both are set. */
        setenv("OMP_NUM_THREADS", "1", 1);
#ifdef _OPENMP
        omp_set_num_threads(1);
#endif
        setenv("BLIS_NUM_THREADS", "1", 1);
        open_openblas(&peers[0]);
        open_blis(&peers[1]);
        open_onednn(&peers[2]);
    }
    return peers;
}

json_t *peers_to_json(void)
{
    const peer *peers = peers_open();
    json_t *list = json_array();
    for (size_t i = 0; i < PEERS_COUNT; i++) {
        json_t *o = json_object();
        output_set(o, "name", json_string(peers[i].name));
        output_set(o, "library", json_string(peers[i].library));
        output_set(o, "version", json_string(peers[i].version));
        output_set(o, "missing", json_string(peers[i].missing));
        json_array_append_new(list, o);
    }
    return list;
}
