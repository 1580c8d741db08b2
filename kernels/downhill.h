/* SPDX-License-Identifier: MIT
 *
 * downhill: SIMD kernels for linear classifiers. This is the only public header.
 *
 * A linear classifier scores n samples of d features for c classes,
 *
 *     S = X Wᵀ + b,    X n×d,  W c×d,  b c,  S n×c,
 *
 * and is trained by stepping against the gradient of a loss of the scores. Everything here is a
 * piece of that step, or the whole of it (downhill_step_f32).
 *
 * Conventions that hold for every function
 *   Layout       row-major; a leading dimension (ld…) is the distance between the starts of two
 *                rows, counted in elements, and at least the width of a row.
 *   Alignment    none beyond that of an element. 64-byte aligned rows are a little faster.
 *   Sizes        n, d, c >= 1. Zero is an error, not a no-op. c < 2³¹.
 *   Reads/writes not one byte outside the rows described is read or written, padding between rows
 *                included. Prefetches, which can neither fault nor change anything, may go a little
 *                beyond.
 *   Aliasing     outputs must not overlap inputs, except where a function says so.
 *   Allocation   none. A function that needs scratch memory takes a workspace.
 *   Threads      every function may be called from many threads at once on disjoint outputs; the
 *                library starts none and keeps no state but the once-made choice of ISA.
 *   Machine      The modes of MXCSR and the x87 state are left as found, and the upper halves of vector
 *                registers 0 to 15 are 0 (GCC sees to that at -O2 and -O3). The amx level releases the
 *                tiles, which no function has to preserve. Rounding mode must be round-to-nearest-even, and subnormal numbers neither
 *                flushed nor read as 0 (the defaults), for the stated bounds to hold. Floating-point
 *                exceptions must be masked (the default): any flag of them may be raised, INVALID too,
 *                by lanes that are thrown away. A call takes less than 64 KiB of stack,
 *                compiled at -O2 or -O3.
 *   Determinism  same table, same arguments: same bits. Across tables: see each function.
 *   Errors       a status other than DOWNHILL_OK means that nothing was written, unless the
 *                function says otherwise. Nothing is printed, nothing aborts. Which functions
 *                return what: section "Kernels".
 *
 * u below is 2⁻²⁴, the unit roundoff of f32, and γ_m = m·u / (1 - m·u); bounds of sums are those of Higham,
 * Accuracy and Stability of Numerical Algorithms, section 4.2, for any order of the terms.
 */
#ifndef DOWNHILL_H
#define DOWNHILL_H

#include <stddef.h>
#include <stdint.h>

#if defined DOWNHILL_SHARED && defined __GNUC__
#define DOWNHILL_API __attribute__((visibility("default")))
#else
#define DOWNHILL_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum downhill_status {
    DOWNHILL_OK = 0,
    DOWNHILL_ERR_NULL,      /* a pointer that must not be NULL is NULL */
    DOWNHILL_ERR_SIZE,      /* a size is 0, too large to address, or differs from its partner */
    DOWNHILL_ERR_LD,        /* a leading dimension is smaller than the row */
    DOWNHILL_ERR_LABEL,     /* a label is not in [0, c) */
    DOWNHILL_ERR_ROW,       /* a row number is not in [0, x_rows) */
    DOWNHILL_ERR_PARAMETER, /* a number is not finite, or an enum value is unknown */
    DOWNHILL_ERR_WORKSPACE, /* the workspace is smaller than its function says */
    DOWNHILL_ERR_RANGE,     /* a sum of integers might leave its range */
    DOWNHILL_ERR_PACKED,    /* packed weights of another size, place or level, or not packed yet */
    DOWNHILL_ERR_ISA_UNKNOWN,  /* a word that names no ISA level or no feature */
    DOWNHILL_ERR_ISA_UNUSABLE, /* not part of this build, or not usable on this machine */
} downhill_status;

/* One line of English for a status, without a full stop. Never NULL. */
DOWNHILL_API const char *downhill_status_text(downhill_status status);

/* Of this header. */
#define DOWNHILL_VERSION_MAJOR 0
#define DOWNHILL_VERSION_MINOR 1
#define DOWNHILL_VERSION_PATCH 0

/* "MAJOR.MINOR.PATCH" of the library that is linked, which may be newer than this header. */
DOWNHILL_API const char *downhill_version(void);

/* ---- Instruction sets -----------------------------------------------------------------------
 *
 * An ISA level is a named set of CPU features with a complete table of kernels for it. Levels are
 * tried from the last to the first; the choice rests on feature bits and operating-system state
 * only, never on family, model or brand. Levels whose kind is DOWNHILL_KIND_AUTO hold the scalar
 * source vectorised by the compiler; they are there to be measured and never chosen unasked.
 *
 * On a CPU with AMX the first use of the library asks Linux for leave to use it, which enlarges the
 * signal frames of the process; where that is refused the level is not usable, and
 * downhill_feature_at() says so. DOWNHILL_DISABLE=amx-tile keeps it from asking.
 *
 * Environment, read once, at the first use of the library:
 *   DOWNHILL_ISA=avx2         use this level; it is an error if it is unknown or unusable
 *   DOWNHILL_DISABLE=fma,...  behave as on a CPU without these features
 */
typedef struct downhill_kernels downhill_kernels;

typedef enum downhill_kind {
    DOWNHILL_KIND_BASELINE, /* portable C; by CMake with vectorisation off */
    DOWNHILL_KIND_AUTO,     /* the same source, vectorised by the compiler at an ISA's flags */
    DOWNHILL_KIND_HAND,     /* intrinsics */
} downhill_kind;

typedef struct downhill_level {
    const char *name; /* "avx512" */
    downhill_kind kind;
    const char *auto_name; /* of a HAND level: the AUTO one at the same flags; NULL: none */
    int compiled;          /* it is part of this build */
    int cpu;               /* CPUID has every feature */
    int os;                /* the operating system saves the registers (XCR0) */
    int permitted; /* permission, where one is needed, was asked for and granted; not masked by the user */
    int usable;        /* all of the above */
    int chosen;        /* it is what downhill_select(NULL, …) returns */
    char missing[768]; /* what is missing, by name: "avx512vl (CPU)"; "" if usable */
} downhill_level;

typedef struct downhill_feature {
    const char *name; /* as the vendor spells it, lower case: "avx512bw" */
    int cpu;          /* CPUID bit */
    int os;           /* the state it needs is enabled in XCR0 */
    int permitted; /* 1 granted or none needed, 0 refused, -1 not asked: no level is left that could use it */
    int disabled; /* masked by DOWNHILL_DISABLE */
} downhill_feature;

/* Fills *out with level i. Returns DOWNHILL_ERR_SIZE past the last one, so that
 * `for (i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)` walks them all, lowest first. */
DOWNHILL_API downhill_status downhill_level_at(size_t i, downhill_level *out);

/* The same for the CPU features that the library looks at. */
DOWNHILL_API downhill_status downhill_feature_at(size_t i, downhill_feature *out);

/* Sets *out to the table of the level named `isa`, or, where isa is NULL, to the default: what
 * DOWNHILL_ISA asks for, else the highest usable level. Thread-safe; cheap after the first call.
 * On an error *out is NULL and, if `why` is not NULL, one line that names the level and the
 * missing feature is written to it, cut to why_size bytes with the terminator. */
DOWNHILL_API downhill_status downhill_select(const char *isa, const downhill_kernels **out,
                                             char *why, size_t why_size);

/* The level that a table belongs to: "avx512". NULL stands for the default table; "" where that cannot be
 * chosen. */
DOWNHILL_API const char *downhill_kernels_name(const downhill_kernels *kernels);

/* ---- Data ------------------------------------------------------------------------------------ */

/* n samples, taken from the rows of a larger matrix without copying. */
typedef struct downhill_batch_f32 {
    const float *x;     /* x_rows × d */
    size_t ldx;         /* >= d */
    size_t x_rows;      /* >= 1 */
    const int32_t *y;   /* x_rows labels in [0, c), indexed as x is; NULL where none are needed */
    const size_t *rows; /* n row numbers, each < x_rows, repeats allowed; NULL: rows 0 … n-1 */
    size_t n;           /* >= 1; <= x_rows where rows is NULL */
    size_t n_next;      /* samples that the next call will take: those that follow the n in rows, or
                           in x where rows is NULL. A hint: it changes no result, but from memory
                           the next call starts faster. 0: none, or not known */
} downhill_batch_f32;

/* The same with features in bf16: the upper 16 bits of an f32, that is 8 bits of significand and the
 * range of an f32. Half the bytes; sums and weights are f32, and the results are those of the f32
 * functions on the f32 that each bf16 stands for, up to what downhill_score_bf16 says. */
typedef struct downhill_batch_bf16 {
    const uint16_t *x;
    size_t ldx;
    size_t x_rows;
    const int32_t *y;
    const size_t *rows;
    size_t n;
    size_t n_next;
} downhill_batch_bf16;

/* Rounds count f32 to bf16, to nearest, ties to even; a NaN stays one. Too large becomes infinity.
 * The two may not overlap; a count of 0 does nothing.
 * Exactness: the same bits everywhere, within 2⁻⁸ of the number unless that is below 2⁻¹²⁶.
 * Cost:   6 bytes for each, with no kernel of any level. */
DOWNHILL_API void downhill_bf16_from_f32(size_t count, const float *from, uint16_t *to);

/* The weights of a linear classifier, or the gradient with respect to them. Functions that score write nothing
 * through these pointers: weights that are const may be cast for them. */
typedef struct downhill_weights_f32 {
    float *w;   /* c × d */
    size_t ldw; /* >= d */
    float *b;   /* c; NULL: no bias (for a gradient: not wanted) */
    size_t d;
    size_t c;
} downhill_weights_f32;

typedef enum downhill_loss_kind { DOWNHILL_HINGE = 0, DOWNHILL_SOFTMAX = 1 } downhill_loss_kind;

typedef struct downhill_loss {
    downhill_loss_kind kind;
    float delta; /* margin of the hinge loss, finite and >= 0, usually 1; ignored by softmax */
} downhill_loss;

/* ---- Kernels ---------------------------------------------------------------------------------
 *
 * `kernels` is a table from downhill_select(), or NULL for the default.
 *
 * Errors that every function looks for, before it writes anything; where several hold, any of them:
 *   DOWNHILL_ERR_NULL       a pointer is NULL that is not said to be optional
 *   DOWNHILL_ERR_SIZE       a size is 0, or c >= 2³¹; a matrix, padding included, has more than PTRDIFF_MAX bytes;
 *                           d or c of two arguments differ; without row numbers, n + n_next > x_rows
 *   DOWNHILL_ERR_LD         a leading dimension is smaller than its row
 *   DOWNHILL_ERR_ROW        a row number is not below x_rows, of the n or of the first 256 of the n_next, which
 *                           are all that is looked at
 *   DOWNHILL_ERR_LABEL      a label is not in [0, c), in functions that read labels
 *   DOWNHILL_ERR_PARAMETER  delta is negative or not finite, the loss unknown, decay or step not finite
 *   DOWNHILL_ERR_WORKSPACE  the workspace has fewer bytes than its function says
 *   DOWNHILL_ERR_ISA_…      `kernels` is NULL and the default cannot be chosen, as downhill_select(NULL, …)
 *                           would say
 */

/* Scores: S = X Wᵀ + b.
 *
 *   batch    n × d; batch->y is not read
 *   weights  c × d; weights->b NULL: no bias
 *   scores   n × c, leading dimension lds >= c; overwritten
 * Error:  |S_ij - exact| <= γ_{d+2} (Σ_k |x_ik w_jk| + |b_j|), whatever the order of the sum, plus
 *         d·2⁻¹⁴⁹ for underflow; for d < 2²³ and without overflow. Exact where every partial sum
 *         is representable. Across tables the order of the sum differs, and with it the last bits.
 * Special: NaN and infinities propagate as in IEEE 754 arithmetic.
 * Cost:   2·n·d·c + n·c operations; X, W and S cross the memory bus once if W fits a cache. */
DOWNHILL_API downhill_status downhill_score_f32(const downhill_kernels *kernels,
                                                const downhill_batch_f32 *batch,
                                                const downhill_weights_f32 *weights, float *scores,
                                                size_t lds);

/* The same for bf16 features, with 2 bytes for each. The bound is the same, but the levels from
 * avx512bf16 on split each weight into two bf16, and then
 *   - it is exact only where two bf16 hold each weight too: 16 bits of significand always fit;
 *   - subnormal numbers count as 0, which replaces d·2⁻¹⁴⁹ by 2⁻¹²⁵ Σ_k (1 + |x_ik| + |w_jk|);
 *   - it may overflow from Σ_k |x_ik w_jk| = 2¹²⁸ (1 - 2⁻⁷) on;
 *   - an infinite feature may give a NaN. */
DOWNHILL_API downhill_status downhill_score_bf16(const downhill_kernels *kernels,
                                                 const downhill_batch_bf16 *batch,
                                                 const downhill_weights_f32 *weights, float *scores,
                                                 size_t lds);

/* Multiclass hinge loss of Weston and Watkins (1999) and its subgradient:
 *
 *   m_ij = (s_ij - s_i,y_i) + Δ           for j ≠ y_i, two roundings in this order
 *   loss = Σ_i Σ_{j ≠ y_i} max(0, m_ij)
 *   dscores_ij = 1 if m_ij > 0 else 0;    dscores_i,y_i = -Σ_{j ≠ y_i} dscores_ij
 *
 *   scores   n × c, leading dimension lds >= c
 *   y        n labels in [0, c)
 *   delta    Δ, finite and >= 0
 *   dscores  n × c, leading dimension ldds >= c; overwritten. May be scores itself, with the same
 *            leading dimension (another is DOWNHILL_ERR_LD)
 *   loss     overwritten with the sum over the n samples, not the mean
 * At a kink (margin exactly 0) the subgradient is 0. A margin that is NaN counts as violated and
 * makes the loss NaN, so that a diverged run is seen.
 * Exactness: dscores are small integers, their zeros positive, and the same bits on every table.
 * Error:  the loss is within γ_{256·c} Σ_i Σ_j m⁺_ij of the exact sum of the rounded margins, for
 *         c < 2¹⁵ and while the margins of 256 samples add up to less than 3.4·10³⁸ (it may be
 *         infinite beyond); equal on every table where the partial sums are representable.
 * Cost:   4·n·c operations, 8·n·c + 4·n bytes. */
DOWNHILL_API downhill_status downhill_hinge_f32(const downhill_kernels *kernels, size_t n, size_t c,
                                                const float *scores, size_t lds, const int32_t *y,
                                                float delta, float *dscores, size_t ldds,
                                                double *loss);

/* Softmax cross-entropy, with the maximum of the row subtracted, and its gradient:
 *
 *   p_ij = e^(s_ij - M_i) / Σ_k e^(s_ik - M_i),   M_i = max_j s_ij
 *   loss = Σ_i -ln p_i,y_i;   dscores_ij = p_ij - [j = y_i]
 *
 * Arguments as for downhill_hinge_f32. Right for any finite scores, ±1e38 included.
 * Error:  the exponential has a relative error below 0.83·2⁻²³ of e^t for the rounded argument
 *         t = fl(s - M); values below 2⁻¹²⁶ are flushed to 0. With E_j = |t_j|·u + 1.7·u this gives
 *
 *           |dscores_ij - exact| <= p_j (E_j + F + (c+4)·u) + [j = y_i]·|p_j - 1|·u + 2⁻¹²⁵,
 *           |loss - exact| <= Σ_i (F + (c+1)·u) + 10⁻¹⁵ (n+1) (|loss| + n + Σ_i (M_i - s_i,y_i)),
 *           F = Σ_k p_k E_k + c·2⁻¹²⁶,
 *
 *         to first order in u.
 * Special: a row with a NaN or a +infinity, or with nothing but -infinity, gives a NaN loss and dscores that
 *         are NaN; -infinity beside something finite is a probability of 0.
 * Cost:   about 20·n·c operations, 8·n·c + 4·n bytes. */
DOWNHILL_API downhill_status downhill_softmax_f32(const downhill_kernels *kernels, size_t n,
                                                  size_t c, const float *scores, size_t lds,
                                                  const int32_t *y, float *dscores, size_t ldds,
                                                  double *loss);

/* Gradient: dW = dscoresᵀ X and db = Σ_i dscores_i, or added to what is there.
 *
 *   batch       n × d; batch->y is not read
 *   dscores     n × c, leading dimension ldds >= c
 *   accumulate  0: grad is overwritten; otherwise it is added to
 *   grad        c × d; grad->b NULL: db is not wanted
 * Error:  |dw_jk - exact| <= γ_{n+2} (Σ_i |g_ij x_ik| + |dw_jk before|), plus n·2⁻¹⁴⁹; the same for
 *         db with x = 1. Exact where every partial sum is representable.
 * Special: NaN and infinities propagate as in IEEE 754 arithmetic.
 * Cost:   2·n·d·c + n·c operations; X, dW and dscores cross the bus once if dW fits a cache. */
DOWNHILL_API downhill_status downhill_grad_f32(const downhill_kernels *kernels,
                                               const downhill_batch_f32 *batch,
                                               const float *dscores, size_t ldds, int accumulate,
                                               const downhill_weights_f32 *grad);

/* The same for bf16 features, where n·2⁻¹⁴⁹ becomes 2⁻¹²⁵ Σ_i (1 + |g_ij| + |x_ik|) on those levels. */
DOWNHILL_API downhill_status downhill_grad_bf16(const downhill_kernels *kernels,
                                                const downhill_batch_bf16 *batch,
                                                const float *dscores, size_t ldds, int accumulate,
                                                const downhill_weights_f32 *grad);

/* Update with weight decay folded in:  w ← decay·w - step·dw,   b ← b - step·db.
 *
 * For a mean loss over n samples with the penalty λ‖W‖² and learning rate η, decay = 1 - 2ηλ and
 * step = η/n. Biases are not decayed. Three roundings in the order written, never fused. grad->b may be
 * NULL only where weights->b is.
 * Exactness: the same bits on every table.
 * Cost:   3·c·d operations, 12·c·d bytes. */
DOWNHILL_API downhill_status downhill_update_f32(const downhill_kernels *kernels,
                                                 const downhill_weights_f32 *weights,
                                                 const downhill_weights_f32 *grad, float decay,
                                                 float step);

/* ---- Bytes, exactly ---------------------------------------------------------------------------
 *
 * With features that are bytes and the hinge loss, every sum can be a sum of integers, whose order does not matter. The
 * functions below therefore return the same bits on every level, for any order of the samples of a batch, and for any
 * division of a batch among threads or machines whose sums are added. Two exceptions: a NaN may be another NaN, and a
 * loss of 2³³ or more depends on the order in its last bits (downhill_hinge_u8).
 *
 *   Weights    The update works on weights w in f32. For the scores, each is rounded to nearest even, once per step, to
 *              a multiple of a unit of its class: w_jk ≈ q_jk·u_j. u_j is the smallest power of two that satisfies
 *              |w_jk| <= 32639·u_j for all k, |b_j| < 2⁴⁰·u_j and u_j >= 2⁻¹²⁶. The rounding error is at most u_j/2.
 *              That is less than 2⁻¹⁴ of the largest weight of the class, unless |b_j| is more than 2²⁴ times that
 *              weight, or that weight is below 2⁻¹¹⁰.
 *   Normalised features x̂_k = (x_k - mean_k)·r_k are never computed. If ŵ are the weights of x̂, the functions work on
 *              w_jk = r_k·ŵ_jk, for which
 *
 *                s_ij = Σ_k ŵ_jk x̂_ik + b_j = Σ_k w_jk x_ik - Σ_k w_jk mean_k + b_j.
 *
 *              The second sum is computed once per step. A step of gradient descent on ŵ with rate η, on the mean loss of
 *              n samples, changes w_jk by -(η/n)·r_k²·(dw_jk - mean_k db_j), where dw and db are the sums that
 *              downhill_loss_grad_u8() returns; hence the gain r_k² of struct downhill_norm_u8. The penalty is λ‖Ŵ‖².
 *              None of this costs time per sample.
 *   To begin   with weights ŵ, set w_jk = r_k·ŵ_jk and keep b. Then call downhill_pack_u8().
 *   To train   call downhill_step_u8() for each minibatch; it packs the new weights. Where parts of a batch are
 *              processed apart, call downhill_loss_grad_u8() for each part, add the sums, and call downhill_update_u8()
 *              once.
 *   To score   call downhill_score_u8() with the packed weights. Elsewhere, compute Σ_k w_jk (x_ik - mean_k) + b_j, or
 *              use ŵ_jk = w_jk / r_k on normalised features. Where r_k is 0, so are x̂_k and w_jk: take ŵ_jk = 0.
 *   To save    a model, write w, b, mean and r. Packed weights are valid in one process only.
 *   Examples   examples/normalised.c checks these formulas by their results. examples/bytes.c trains as if on x/255,
 *              with a learning rate for that: mean 0 and gain 1/255² for every feature.
 *   Changes    of w or b by anything but these functions go unnoticed until downhill_pack_u8() is called again. Give a
 *              bias to all of these calls or to none.
 *   Bounds     d <= DOWNHILL_U8_D_MAX and c <= DOWNHILL_U8_C_MAX, else DOWNHILL_ERR_SIZE. The gradient needs
 *              255·Σ_i |g_ij| < 2³¹, which the dscores of the hinge loss satisfy for n·(c-1) <= DOWNHILL_U8_NC_MAX.
 *              Where sums of parts are added, n is that of the whole batch, which the caller has to check: a larger
 *              one may leave the range of int32_t although each part is within it.
 *   Errors     those of section "Kernels", and DOWNHILL_ERR_PACKED if the packed weights belong to a level with other
 *              kernels, were copied, or differ in d or c from the weights beside them. Memory that
 *              downhill_pack_u8() never filled is recognised by its content: it must be readable, and packed weights
 *              that were freed and allocated again may pass. */
#define DOWNHILL_U8_D_MAX  1048576
#define DOWNHILL_U8_C_MAX  32768
#define DOWNHILL_U8_NC_MAX 8421504 /* ⌊(2³¹ - 1) / 255⌋ */

/* Like downhill_batch_f32, with features that are bytes. */
typedef struct downhill_batch_u8 {
    const uint8_t *x;
    size_t ldx;
    size_t x_rows;
    const int32_t *y;
    const size_t *rows;
    size_t n;
    size_t n_next;
} downhill_batch_u8;

/* The normalisation x̂_k = (x_k - mean_k)·r_k of the features. */
typedef struct downhill_norm_u8 {
    const uint16_t *mean; /* d: mean_k in 256ths, <= 255·256; NULL: all 0 */
    const float *gain;    /* d: r_k², finite and >= 0; NULL: all 1 */
} downhill_norm_u8;

/* The gradient for bytes as sums of integers, where g_ij are the dscores. */
typedef struct downhill_sums_u8 {
    int32_t *w; /* c × d: Σ_i g_ij x_ik */
    size_t ldw; /* >= d; fastest if rows are an odd number of cache lines apart */
    int32_t *b; /* c: Σ_i g_ij */
    size_t d;
    size_t c;
} downhill_sums_u8;

/* Bytes that packed weights take: the q_jk in the order of the level, the u_j and the normalisation. The memory may
 * have any alignment. Packed weights must not be moved or copied, and belong to the table they were packed with. Returns
 * 0 if d or c is 0 or too large. */
DOWNHILL_API size_t downhill_packed_u8_bytes(size_t d, size_t c);

/* Rounds and packs the weights as described above.
 *
 *   weights  c × d; the pointers are not kept; weights->b NULL: no bias
 *   norm     copied; NULL: mean 0 and gain 1, features from 0 to 255 as they are, which need a learning rate 255² times
 *            smaller than x/255 does. A mean above 255·256, or a gain that is negative or not finite, is
 *            DOWNHILL_ERR_PARAMETER
 *   packed   packed_bytes >= downhill_packed_u8_bytes(d, c), else DOWNHILL_ERR_WORKSPACE; overwritten
 * The scores of a class are NaN if one of its weights or its bias is not finite.
 * Exactness: scores of the packed weights are the same bits on every table; the packed bytes differ.
 * Cost:   2·c·d bytes written; each class of W is read twice, the second time from L1 if it fits. downhill_update_u8()
 *         packs what it has just computed. */
DOWNHILL_API downhill_status downhill_pack_u8(const downhill_kernels *kernels,
                                              const downhill_weights_f32 *weights,
                                              const downhill_norm_u8 *norm, void *packed,
                                              size_t packed_bytes);

/* Scores: s_ij = u_j (Σ_k q_jk x_ik - Σ_k q_jk mean_k + β_j), where β_j is b_j / u_j rounded to a multiple of 1/256.
 *
 *   batch   n × d, with the d of the packed weights; batch->y is not read
 *   packed  from downhill_pack_u8()
 *   scores  n × c, leading dimension lds >= c; overwritten
 * Exactness: each score is that real number without further rounding, on every table.
 * Cost:   2·n·d·c operations on integers; X crosses the memory bus once. */
DOWNHILL_API downhill_status downhill_score_u8(const downhill_kernels *kernels,
                                               const downhill_batch_u8 *batch, const void *packed,
                                               double *scores, size_t lds);

/* Multiclass hinge loss and its subgradient, as downhill_hinge_f32() has them, kink and NaN included:
 *
 *   m_ij = (s_ij - s_i,y_i) + Δ, two roundings to f64;   loss = Σ_i Σ_{j ≠ y_i} max(0, [m_ij])
 *
 * where [m] = ((m·2²⁰ + 1.5·2⁵²) - 1.5·2⁵²)·2⁻²⁰ in f64, that is m rounded to nearest even to a
 * multiple of DOWNHILL_LOSS_UNIT while it is below 2³¹, and to a coarser one beyond.
 *
 *   scores   n × c, leading dimension lds >= c
 *   y        n labels in [0, c)
 *   delta    Δ, finite and >= 0
 *   dscores  n × c, leading dimension ldds >= c; overwritten; |dscores_ij| < c
 *   loss     overwritten with the sum over the n samples
 * Exactness: the same dscores on every table, and the same loss while it is below 2³³. Beyond that its last bits depend
 *         on the order of the sum.
 * Cost:   7·n·c operations, 10·n·c + 4·n bytes. */
#define DOWNHILL_LOSS_UNIT (1.0 / 1048576)
DOWNHILL_API downhill_status downhill_hinge_u8(const downhill_kernels *kernels, size_t n, size_t c,
                                               const double *scores, size_t lds, const int32_t *y,
                                               float delta, int16_t *dscores, size_t ldds,
                                               double *loss);

/* Gradient: sums = dscoresᵀ X and Σ_i dscores_i, or added to what is there.
 *
 *   batch    n × d; batch->y is not read
 *   dscores  n × c, leading dimension ldds >= c. Each beyond ±64 (avx2, avx512) or ±127 (avxvnni,
 *            avx512vnni, amx) costs as much as a class of its own.
 *   sums     c × d and c, both wanted; overwritten, or where accumulate is not 0 added to
 * DOWNHILL_ERR_RANGE: 255·Σ_i |g_ij| >= 2³¹ for some class. What `sums` held before is not checked: a total that
 * leaves the range of int32_t is taken modulo 2³².
 * Exactness: the same bits on every table.
 * Cost:   2·n·d·c operations on integers. */
DOWNHILL_API downhill_status downhill_grad_u8(const downhill_kernels *kernels,
                                              const downhill_batch_u8 *batch,
                                              const int16_t *dscores, size_t ldds, int accumulate,
                                              const downhill_sums_u8 *sums);

/* Updates the weights and packs them again:
 *
 *   w ← decay·w - (step·gain_k)·(dw_jk - mean_k·db_j),    b ← b - step·db_j
 *
 * with mean and gain from downhill_pack_u8(). Each operation, and each conversion of dw_jk and db_j to f32, rounds once,
 * in the order written. decay and step as for downhill_update_f32().
 *
 *   packed  those of these weights; overwritten
 * Exactness: the same bits on every table.
 * Cost:   6·c·d operations, 14·c·d bytes. */
DOWNHILL_API downhill_status downhill_update_u8(const downhill_kernels *kernels,
                                                const downhill_weights_f32 *weights,
                                                const downhill_sums_u8 *sums, float decay,
                                                float step, void *packed);

/* ---- The fused step -------------------------------------------------------------------------- */

/* Time spent in each phase of a step, added to what is there. */
typedef struct downhill_profile {
    uint64_t gather_ns; /* row numbers and labels looked up and checked */
    uint64_t score_ns;
    uint64_t loss_ns;
    uint64_t grad_ns;
    uint64_t update_ns;
} downhill_profile;

/* Bytes of workspace that the two functions below need, any alignment: for scores of a block and, while they
 * fit L2, for copies of W and dW. It needs no initial value and keeps none between calls; one for each thread.
 * 0 if d or c is 0, c >= 2³¹ or the size overflows. */
DOWNHILL_API size_t downhill_workspace_f32(size_t d, size_t c);

/* Loss and gradient of a batch in one pass over X: sub-blocks of rows that fit the L2 cache are
 * scored, turned into dscores and added to the gradient before the next sub-block is touched, so
 * that X crosses the memory bus once. The scores of the whole batch are never stored.
 *
 *   batch      n × d, with labels
 *   weights    c × d; weights->b NULL: no bias
 *   grad       c × d, overwritten with the gradient of the sum of the losses (divide by n yourself);
 *              grad->b NULL: not wanted
 *   loss_sum   the sum over the samples; NULL if not wanted
 *   profile    NULL, or where to add the times of the phases (costs four clock reads a sub-block)
 * Row numbers and labels are checked before anything is written. Samples whose dscores are all 0,
 * which the hinge loss has where every margin is met, are left out of the gradient: it is the same,
 * and 2·d·c operations less for each, save that an infinity in such a sample does not become a NaN, nor does,
 * where there is one class, a NaN.
 * Error and exactness: those of the parts, put together.
 * Cost:   4·n·d·c operations; X crosses the memory bus once, W and dW once for each sub-block that finds them
 *         gone from L2. */
DOWNHILL_API downhill_status downhill_loss_grad_f32(
    const downhill_kernels *kernels, const downhill_batch_f32 *batch,
    const downhill_weights_f32 *weights, downhill_loss loss, const downhill_weights_f32 *grad,
    double *loss_sum, void *workspace, size_t workspace_bytes, downhill_profile *profile);

/* One minibatch step: downhill_loss_grad_f32 followed by downhill_update_f32, whose arguments, errors and
 * bounds are its own. The loss is that of the weights before the update.
 * Cost:   that of the two. */
DOWNHILL_API downhill_status downhill_step_f32(const downhill_kernels *kernels,
                                               const downhill_batch_f32 *batch,
                                               const downhill_weights_f32 *weights,
                                               downhill_loss loss, float decay, float step,
                                               const downhill_weights_f32 *grad, double *loss_sum,
                                               void *workspace, size_t workspace_bytes,
                                               downhill_profile *profile);

/* Both for bf16 features, with the same workspace; half the bytes of X. */
DOWNHILL_API downhill_status downhill_loss_grad_bf16(
    const downhill_kernels *kernels, const downhill_batch_bf16 *batch,
    const downhill_weights_f32 *weights, downhill_loss loss, const downhill_weights_f32 *grad,
    double *loss_sum, void *workspace, size_t workspace_bytes, downhill_profile *profile);
DOWNHILL_API downhill_status downhill_step_bf16(const downhill_kernels *kernels,
                                                const downhill_batch_bf16 *batch,
                                                const downhill_weights_f32 *weights,
                                                downhill_loss loss, float decay, float step,
                                                const downhill_weights_f32 *grad, double *loss_sum,
                                                void *workspace, size_t workspace_bytes,
                                                downhill_profile *profile);

/* Loss and gradient for bytes and the hinge loss. downhill_workspace_u8() returns the bytes of workspace that this
 * function and downhill_step_u8() need, or 0 if d or c is 0 or beyond the bounds.
 *
 *   packed  the packed weights
 *   delta   the margin
 *   sums    c × d and c, overwritten. Sums of sub-batches may be added in any order, then applied once by
 *           downhill_update_u8(); n of the whole batch is then within "Bounds"
 * DOWNHILL_ERR_RANGE if n·(c-1) is above DOWNHILL_U8_NC_MAX.
 * Exactness: the same bits on every table.
 * Cost:   4·n·d·c operations on integers; X crosses the memory bus once. */
DOWNHILL_API size_t downhill_workspace_u8(size_t d, size_t c);
DOWNHILL_API downhill_status downhill_loss_grad_u8(const downhill_kernels *kernels,
                                                   const downhill_batch_u8 *batch,
                                                   const void *packed, float delta,
                                                   const downhill_sums_u8 *sums, double *loss_sum,
                                                   void *workspace, size_t workspace_bytes,
                                                   downhill_profile *profile);

/* One minibatch step: downhill_loss_grad_u8 followed by downhill_update_u8, with the sums in the workspace.
 *
 *   batch      n × d, with labels
 *   weights    c × d, the weights that were packed; updated
 *   delta      the margin, usually 1
 *   decay      1 - 2ηλ, for learning rate η and the penalty λ‖Ŵ‖²; 1: no penalty
 *   step       η/n
 *   loss_sum   the sum of the losses before the update; NULL if not wanted
 *   packed     from downhill_pack_u8(); overwritten
 *   workspace  downhill_workspace_u8(d, c) bytes
 *   profile    as for downhill_loss_grad_f32()
 * Exactness: the same bits on every table, and as the two functions return.
 * Cost:   that of the two functions; a single sample saves writing and reading dW, because its sums are not stored. */
DOWNHILL_API downhill_status downhill_step_u8(const downhill_kernels *kernels,
                                              const downhill_batch_u8 *batch,
                                              const downhill_weights_f32 *weights, float delta,
                                              float decay, float step, double *loss_sum,
                                              void *packed, void *workspace, size_t workspace_bytes,
                                              downhill_profile *profile);

#ifdef __cplusplus
}
#endif

/* Flags that change the layout of types, so that a caller and the library would not understand each other. */
typedef char downhill_build_without_fshort_enums[sizeof(downhill_status) == sizeof(int) ? 1 : -1];
typedef char downhill_build_without_fpack_struct
    [offsetof(downhill_level, auto_name) == 2 * sizeof(const char *) ? 1 : -1];

#endif
