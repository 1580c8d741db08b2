/* SPDX-License-Identifier: MIT
 *
 * From CPU features to a table of kernels. A table is a complete literal in read-only memory, so
 * that every kernel and every fallback of a level is visible here; the only state is which of them
 * is the default. */
#include "cpu.h"
#include "kernels.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A kernel that goes back to dW within a block. */
#define NEVER SIZE_MAX

static const downhill_kernels table_scalar = {
    .name = "scalar",
    .score_f32 = downhill_score_f32_scalar,
    .score_bf16 = downhill_score_bf16_scalar,
    .hinge_f32 = downhill_hinge_f32_scalar,
    .softmax_f32 = downhill_softmax_f32_scalar,
    .grad_f32 = downhill_grad_f32_scalar,
    .grad_bf16 = downhill_grad_bf16_scalar,
    .grad_direct_min = NEVER,
    .update_f32 = downhill_update_f32_scalar,
};

/* Packing takes as long as the scores of ten samples. */
enum { PACKED_SAMPLES_MIN = 64 };

#if DOWNHILL_HAVE_AVX2
static const struct downhill_packed_score packed_f32_avx2 = {
    .pack = downhill_pack_f32x8,
    .score = downhill_score_packed_f32_avx2,
    .classes = 5,
    .n_min = PACKED_SAMPLES_MIN,
    .where = PACKS_COLLIDING,
};

static const struct downhill_packed_score packed_bf16_avx2 = {
    .pack = downhill_pack_f32x8,
    .score = downhill_score_packed_bf16_avx2,
    .classes = 5,
    .n_min = PACKED_SAMPLES_MIN,
    .where = PACKS_COLLIDING,
};

static const downhill_kernels table_auto_avx2 = {
    .name = "auto_avx2",
    .score_f32 = downhill_score_f32_auto_avx2,
    .score_bf16 = downhill_score_bf16_auto_avx2,
    .hinge_f32 = downhill_hinge_f32_auto_avx2,
    .softmax_f32 = downhill_softmax_f32_auto_avx2,
    .grad_f32 = downhill_grad_f32_auto_avx2,
    .grad_bf16 = downhill_grad_bf16_auto_avx2,
    .grad_direct_min = NEVER,
    .update_f32 = downhill_update_f32_auto_avx2,
};

static const downhill_kernels table_avx2 = {
    .name = "avx2",
    .score_f32 = downhill_score_f32_avx2,
    .score_bf16 = downhill_score_bf16_avx2,
    .packed_f32 = &packed_f32_avx2,
    .packed_bf16 = &packed_bf16_avx2,
    .hinge_f32 = downhill_hinge_f32_avx2,
    .softmax_f32 = downhill_softmax_f32_avx2,
    .grad_f32 = downhill_grad_f32_avx2,
    .grad_bf16 = downhill_grad_bf16_avx2,
    .grad_direct_min = NEVER,
    .update_f32 = downhill_update_f32_avx2,
};
#define TABLE_auto_avx2 &table_auto_avx2
#define TABLE_avx2      &table_avx2
#else
#define TABLE_auto_avx2 NULL
#define TABLE_avx2      NULL
#endif

#if DOWNHILL_HAVE_AVX512
static const struct downhill_packed_score packed_f32_avx512 = {
    .pack = downhill_pack_f32x16,
    .score = downhill_score_packed_f32_avx512,
    .classes = PANEL_CLASSES,
    .n_min = PACKED_SAMPLES_MIN,
    .where = PACKS_FAR,
};

static const struct downhill_packed_score packed_bf16_avx512 = {
    .pack = downhill_pack_f32x16,
    .score = downhill_score_packed_bf16_avx512,
    .classes = PANEL_CLASSES,
    .n_min = PACKED_SAMPLES_MIN,
    .where = PACKS_FAR,
};

static const downhill_kernels table_auto_avx512 = {
    .name = "auto_avx512",
    .score_f32 = downhill_score_f32_auto_avx512,
    .score_bf16 = downhill_score_bf16_auto_avx512,
    .hinge_f32 = downhill_hinge_f32_auto_avx512,
    .softmax_f32 = downhill_softmax_f32_auto_avx512,
    .grad_f32 = downhill_grad_f32_auto_avx512,
    .grad_bf16 = downhill_grad_bf16_auto_avx512,
    .grad_direct_min = NEVER,
    .update_f32 = downhill_update_f32_auto_avx512,
};

static const downhill_kernels table_avx512 = {
    .name = "avx512",
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .packed_f32 = &packed_f32_avx512,
    .packed_bf16 = &packed_bf16_avx512,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_avx512,
    .grad_direct_min = 128,
    .update_f32 = downhill_update_f32_avx512,
};
#define TABLE_auto_avx512 &table_auto_avx512
#define TABLE_avx512      &table_avx512
#else
#define TABLE_auto_avx512 NULL
#define TABLE_avx512      NULL
#endif

#if DOWNHILL_HAVE_AVX512BF16
/* d_min: score_packed_avx512bf16.c. Always, although near it gains or loses a few per cent only: the
 * step gains a third by the gradient, and this is what the feature does for the scores. */
static const struct downhill_packed_score packed_bf16_avx512bf16 = {
    .pack = downhill_pack_bf16_avx512bf16,
    .score = downhill_score_packed_bf16_avx512bf16,
    .classes = PANEL_CLASSES,
    .n_min = PACKED_SAMPLES_MIN,
    .d_min = 160,
    .where = PACKS_ALWAYS,
};

static const downhill_kernels table_avx512bf16 = {
    .name = "avx512bf16",
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .packed_f32 = &packed_f32_avx512,
    .packed_bf16 = &packed_bf16_avx512bf16,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_avx512bf16,
    .grad_direct_min = 128,
    .update_f32 = downhill_update_f32_avx512,
};
#define TABLE_avx512bf16 &table_avx512bf16
#else
#define TABLE_avx512bf16 NULL
#endif

#if DOWNHILL_HAVE_AMX
const struct downhill_packed_score downhill_packed_bf16_amx = {
    .pack = downhill_pack_bf16_amx,
    .score = downhill_score_packed_bf16_amx,
    .classes = PANEL_CLASSES,
    .n_min = 32,
    .d_min = 160,
    .where = PACKS_ALWAYS,
};

static const downhill_kernels table_amx = {
    .name = "amx",
    .score_f32 = downhill_score_f32_avx512,
    .score_bf16 = downhill_score_bf16_avx512,
    .packed_f32 = &packed_f32_avx512,
    .packed_bf16 = &downhill_packed_bf16_amx,
    .hinge_f32 = downhill_hinge_f32_avx512,
    .softmax_f32 = downhill_softmax_f32_avx512,
    .grad_f32 = downhill_grad_f32_avx512,
    .grad_bf16 = downhill_grad_bf16_amx,
    .grad_direct_min = 128,
    .update_f32 = downhill_update_f32_avx512,
};
#define TABLE_amx &table_amx
#else
#define TABLE_amx NULL
#endif

#define TABLE_scalar &table_scalar

static const struct level {
    const char *name;
    downhill_kind kind;
    const char *auto_name;
    uint32_t features;
    const downhill_kernels *table; /* NULL: not compiled in */
} levels[] = {
#define DOWNHILL_LEVEL(name, kind, auto_name, features)                                            \
    {#name, DOWNHILL_KIND_##kind, auto_name, features, TABLE_##name},
#include "levels.def"
};

enum { LEVEL_COUNT = sizeof levels / sizeof levels[0] };

enum { WORD_MAX = 64 };

/* What the machine and the environment allow. */
struct facts {
    cpu_features cpu;
    uint32_t disabled;           /* features named by DOWNHILL_DISABLE */
    char unknown_word[WORD_MAX]; /* the first word of that list that names none; "" */
    char isa[WORD_MAX];          /* DOWNHILL_ISA; "" */
};

/* Copies the first `length` bytes, cut to fit. */
static void copy_word(char to[WORD_MAX], const char *from, size_t length)
{
    length = length < WORD_MAX ? length : WORD_MAX - 1;
    memcpy(to, from, length);
    to[length] = '\0';
}

/* The features named in a list separated by commas or spaces. */
static void read_disabled(const char *list, struct facts *facts)
{
    static const char separators[] = ", ";
    for (const char *word = list + strspn(list, separators); *word != '\0';) {
        const size_t length = strcspn(word, separators);
        unsigned i = 0;
        while (i < FEATURE_COUNT && (strlen(downhill_cpu_feature_name(i)) != length ||
                                     memcmp(downhill_cpu_feature_name(i), word, length) != 0))
            i++;
        if (i < FEATURE_COUNT)
            facts->disabled |= UINT32_C(1) << i;
        else if (facts->unknown_word[0] == '\0')
            copy_word(facts->unknown_word, word, length);
        word += length;
        word += strspn(word, separators);
    }
}

static const struct level *find_level(const char *name)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++)
        if (strcmp(levels[i].name, name) == 0)
            return &levels[i];
    return NULL;
}

/* Gathered by the first thread that asks; the others wait the few microseconds that it takes. From
 * then on neither CPUID nor the environment is looked at again. */
static const struct facts *known_facts(void)
{
    enum { UNKNOWN, GATHERING, KNOWN };
    static atomic_int state = UNKNOWN;
    static struct facts facts;

    int expected = UNKNOWN;
    if (atomic_load_explicit(&state, memory_order_acquire) == KNOWN)
        return &facts;
    if (atomic_compare_exchange_strong(&state, &expected, GATHERING)) {
        const char *list = getenv("DOWNHILL_DISABLE"), *isa = getenv("DOWNHILL_ISA");
        if (list != NULL)
            read_disabled(list, &facts);
        /* A permission that no level would use is not asked for: it cannot be given back. */
        cpu_source source = downhill_cpu_native;
        const struct level *amx = find_level("amx");
        if (amx->table == NULL || (facts.disabled & amx->features) != 0)
            source.permit_amx = NULL;
        facts.cpu = downhill_cpu_detect(&source);
        if (isa != NULL)
            copy_word(facts.isa, isa, strlen(isa));
        atomic_store_explicit(&state, KNOWN, memory_order_release);
    }
    while (atomic_load_explicit(&state, memory_order_acquire) != KNOWN)
        continue;
    return &facts;
}

static uint32_t usable_features(const struct facts *facts)
{
    return cpu_usable(facts->cpu) & ~facts->disabled;
}

static bool level_usable(const struct level *level, uint32_t usable)
{
    return level->table != NULL && (level->features & ~usable) == 0;
}

size_t downhill_level_choose(uint32_t usable)
{
    size_t i = LEVEL_COUNT - 1;
    /* The scalar level needs nothing, so the search ends. */
    while (levels[i].kind == DOWNHILL_KIND_AUTO || !level_usable(&levels[i], usable))
        i--;
    return i;
}

int downhill_same_kernels(const downhill_kernels *a, const downhill_kernels *b,
                          enum element element)
{
    if (a->hinge_f32 != b->hinge_f32 || a->softmax_f32 != b->softmax_f32 ||
        a->update_f32 != b->update_f32)
        return 0;
    if (element == ELEMENT_F32)
        return a->score_f32 == b->score_f32 && a->packed_f32 == b->packed_f32 &&
               a->grad_f32 == b->grad_f32;
    return a->score_bf16 == b->score_bf16 && a->packed_bf16 == b->packed_bf16 &&
           a->grad_bf16 == b->grad_bf16;
}

/* Appends to a string that may fill its buffer already; what does not fit is cut. */
__attribute__((format(printf, 3, 4))) static void append(char *buffer, size_t size,
                                                         const char *format, ...)
{
    const size_t used = strlen(buffer);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(buffer + used, size - used, format, arguments);
    va_end(arguments);
}

/* What keeps a level from being used, as "avx512vl (CPU), amx-tile (OS)"; "" if nothing does. */
static void describe_missing(const struct level *level, const struct facts *facts, char *buffer,
                             size_t size)
{
    buffer[0] = '\0';
    if (level->table == NULL)
        append(buffer, size, "not compiled in");
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const uint32_t flag = UINT32_C(1) << i;
        const char *reason = (level->features & flag) == 0        ? NULL
                             : (facts->cpu.cpu & flag) == 0       ? "CPU"
                             : (facts->cpu.os & flag) == 0        ? "OS does not save its registers"
                             : (facts->disabled & flag) != 0      ? "DOWNHILL_DISABLE"
                             : (facts->cpu.unasked & flag) != 0   ? "permission not asked"
                             : (facts->cpu.permitted & flag) == 0 ? "permission refused"
                                                                  : NULL;
        if (reason != NULL)
            append(buffer, size, "%s%s (%s)", buffer[0] == '\0' ? "" : ", ",
                   downhill_cpu_feature_name(i), reason);
    }
}

/* The level called `name`; `asker` ("DOWNHILL_ISA=") comes before it in the message. `why` is an
 * empty string with room for why_size bytes. */
static downhill_status select_named(const char *name, const char *asker, const struct facts *facts,
                                    const downhill_kernels **out, char *why, size_t why_size)
{
    const struct level *level = find_level(name);
    if (level == NULL) {
        append(why, why_size, "%s%s: no such ISA level; known:", asker, name);
        for (size_t i = 0; i < LEVEL_COUNT; i++)
            append(why, why_size, " %s", levels[i].name);
        return DOWNHILL_ERR_ISA_UNKNOWN;
    }
    const uint32_t usable = usable_features(facts);
    if (!level_usable(level, usable)) {
        char missing[sizeof((downhill_level *)0)->missing];
        describe_missing(level, facts, missing, sizeof missing);
        append(why, why_size, "%s%s: not usable here: %s; largest usable: %s", asker, name, missing,
               levels[downhill_level_choose(usable)].name);
        return DOWNHILL_ERR_ISA_UNUSABLE;
    }
    *out = level->table;
    return DOWNHILL_OK;
}

/* A word that is not understood must not silently leave a feature on. */
static downhill_status check_disabled(const struct facts *facts, char *why, size_t why_size)
{
    if (facts->unknown_word[0] != '\0') {
        append(why, why_size, "DOWNHILL_DISABLE=%s: no such feature; known:", facts->unknown_word);
        for (unsigned i = 0; i < FEATURE_COUNT; i++)
            append(why, why_size, " %s", downhill_cpu_feature_name(i));
        return DOWNHILL_ERR_ISA_UNKNOWN;
    }
    return DOWNHILL_OK;
}

/* The default. Decided once where it can be; a race repeats work on constant facts and stores the
 * same value. */
static downhill_status select_default(const downhill_kernels **out, char *why, size_t why_size)
{
    static const downhill_kernels *_Atomic chosen;

    *out = atomic_load_explicit(&chosen, memory_order_acquire);
    if (*out != NULL)
        return DOWNHILL_OK;
    const struct facts *facts = known_facts();
    downhill_status status = check_disabled(facts, why, why_size);
    if (status != DOWNHILL_OK)
        return status;
    if (facts->isa[0] == '\0')
        *out = levels[downhill_level_choose(usable_features(facts))].table;
    else if ((status = select_named(facts->isa, "DOWNHILL_ISA=", facts, out, why, why_size)) !=
             DOWNHILL_OK)
        return status;
    atomic_store_explicit(&chosen, *out, memory_order_release);
    return DOWNHILL_OK;
}

downhill_status downhill_select(const char *isa, const downhill_kernels **out, char *why,
                                size_t why_size)
{
    char nowhere[1];
    if (why == NULL || why_size == 0) {
        why = nowhere;
        why_size = sizeof nowhere;
    }
    why[0] = '\0';
    if (out == NULL)
        return DOWNHILL_ERR_NULL;
    *out = NULL;
    if (isa == NULL)
        return select_default(out, why, why_size);
    const downhill_status understood = check_disabled(known_facts(), why, why_size);
    if (understood != DOWNHILL_OK)
        return understood;
    return select_named(isa, "", known_facts(), out, why, why_size);
}

const char *downhill_kernels_name(const downhill_kernels *kernels)
{
    if (kernels == NULL && downhill_select(NULL, &kernels, NULL, 0) != DOWNHILL_OK)
        return "";
    return kernels->name;
}

downhill_status downhill_level_at(size_t i, downhill_level *out)
{
    if (out == NULL)
        return DOWNHILL_ERR_NULL;
    if (i >= LEVEL_COUNT)
        return DOWNHILL_ERR_SIZE;
    const struct level *level = &levels[i];
    const struct facts *facts = known_facts();
    const downhill_kernels *chosen = NULL;
    downhill_select(NULL, &chosen, NULL, 0);

    *out = (downhill_level){
        .name = level->name,
        .kind = level->kind,
        .auto_name = level->auto_name,
        .compiled = level->table != NULL,
        .cpu = (level->features & ~facts->cpu.cpu) == 0,
        .os = (level->features & ~facts->cpu.os) == 0,
        .permitted = (level->features & ~(facts->cpu.permitted & ~facts->disabled)) == 0,
        .usable = level_usable(level, usable_features(facts)),
        .chosen = chosen != NULL && chosen == level->table,
    };
    describe_missing(level, facts, out->missing, sizeof out->missing);
    return DOWNHILL_OK;
}

downhill_status downhill_feature_at(size_t i, downhill_feature *out)
{
    if (out == NULL)
        return DOWNHILL_ERR_NULL;
    if (i >= FEATURE_COUNT)
        return DOWNHILL_ERR_SIZE;
    const struct facts *facts = known_facts();
    const uint32_t flag = UINT32_C(1) << i;
    *out = (downhill_feature){
        .name = downhill_cpu_feature_name((unsigned)i),
        .cpu = (facts->cpu.cpu & flag) != 0,
        .os = (facts->cpu.os & flag) != 0,
        .permitted = (facts->cpu.unasked & flag) != 0 ? -1 : (facts->cpu.permitted & flag) != 0,
        .disabled = (facts->disabled & flag) != 0,
    };
    return DOWNHILL_OK;
}
