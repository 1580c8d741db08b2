/* SPDX-License-Identifier: MIT
 *
 * downhill: SIMD kernels for linear classifiers. This is the only public header.
 *
 * A linear classifier computes scores of n samples of d features for c classes,
 *
 *     S = X Wᵀ + b,    X n×d,  W c×d,  b c,  S n×c,
 *
 * and is trained by steps against the gradient of a loss of the scores. The functions compute the parts of such a step,
 * or a whole step at once (downhill_step_f32).
 *
 * Rules for every function
 *   Arguments    come in this order: kernels, batch, weights, packed weights, scores or gradient that is read, labels,
 *                settings (loss, sgd, margin, n), outputs, loss_sum, workspace, profile. Weights and packed weights that are updated keep their
 *                place. Exceptions: axpby has the order of its formula; predict_u8 and bf16_from_f32 take no kernels,
 *                because they are the same plain C at every level.
 *   Layout       Matrices are row-major. A leading dimension (ld…) is the distance between the starts of two rows in
 *                elements, and at least the width of a row.
 *   Alignment    Elements must be aligned as their type. Rows that start on a multiple of 64 bytes are a little faster.
 *   Sizes        n, d, c >= 1 and c < 2³¹. Zero is an error.
 *   Accesses     Only the rows described are read or written, not the padding between them. A prefetch may touch
 *                addresses a little past the end; it cannot fault or change anything.
 *   Structs      are passed as pointers to const, also for outputs: a function changes the memory that a struct
 *                points to, never the struct.
 *   Aliasing     Outputs must not overlap inputs or each other, unless a function says so.
 *   Allocation   The library allocates nothing. A function that needs memory for intermediate results takes a workspace.
 *   Threads      Any number of threads may call any function at the same time, if each has its own outputs, workspace and
 *                profile. Inputs and packed weights that nobody changes may be shared. The library starts no threads. Its
 *                only state is what the first use finds out: CPU features, cache sizes, the environment variables and
 *                the default level. The first use calls getenv(), so no thread may call setenv() meanwhile.
 *   CPU state    MXCSR and the x87 state are left unchanged. On return the upper halves of vector registers 0 to 15 are
 *                zero (if GCC compiles with -O2 or -O3), and the amx level has released the tile registers: do not keep
 *                tiles across a call. The stated bounds need the default modes: round to nearest even, subnormal numbers
 *                neither flushed nor read as 0. Floating-point exceptions must be masked (the default): lanes whose
 *                result is discarded may raise any flag, INVALID included. A call uses less than 64 KiB of stack
 *                (compiled with -O2 or -O3).
 *   Determinism  The same kernel table and the same arguments give the same bits on every CPU. Exceptions: if one has an L2
 *                below 512 KiB, the last bits of the loss of a step in f32 or bf16, and of scores and gradients of the
 *                levels scalar, auto_…, avx512bf16 and amx. Across tables, for weights after any number of steps:
 *
 *                  features  same bits on                                        for the samples of a batch   cost
 *                  bytes     every table                                         in any order, and divided    none
 *                                                                                in any way
 *                  f32       every table but scalar and auto_…                   in the same order            none
 *                  bf16      fma, avx2, avxvnni, avx512 and avx512vnni           in the same order            none
 *
 *                Below, "tables with a fixed order of sums" are those of the row f32 for functions of f32 features, and
 *                those of the row bf16 for functions of bf16. docs/LIBRARY.md describes the order, which depends on d and c
 *                alone. Each function says what holds for its results. The sign of a sum of zeros and the bit pattern of
 *                a NaN may differ.
 *   Errors       If a function returns another status than DOWNHILL_OK, it has written nothing, unless it says
 *                otherwise. No function prints or aborts. Section "Kernels" lists the errors.
 *
 * Below, u is 2⁻²⁴, the unit roundoff of f32, and γ_m = m·u / (1 - m·u). Bounds of sums are those of Higham, Accuracy and
 * Stability of Numerical Algorithms, section 4.2, and hold for any order of the terms.
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
    DOWNHILL_ERR_NULL,  /* a required pointer is NULL */
    DOWNHILL_ERR_SIZE,  /* a size is 0, too large to address, or differs between arguments */
    DOWNHILL_ERR_LD,    /* a leading dimension is smaller than the row, or differs if in place */
    DOWNHILL_ERR_LABEL, /* a label is outside [0, c) */
    DOWNHILL_ERR_ROW,   /* a row number is outside [0, x_rows) */
    DOWNHILL_ERR_PARAMETER, /* a number is not finite or out of range, or an enum value is unknown */
    DOWNHILL_ERR_WORKSPACE, /* the workspace, or the memory for packed weights, is too small */
    DOWNHILL_ERR_RANGE,     /* a sum of integers might leave its range */
    DOWNHILL_ERR_PACKED, /* packed weights of other sizes or another level, moved, or never packed */
    DOWNHILL_ERR_ISA_UNKNOWN, /* a word that names no ISA level or no CPU feature */
    DOWNHILL_ERR_ISA_UNUSABLE, /* the ISA level is not in this build, or not usable on this machine */
} downhill_status;

/* Returns one line of English for a status, without a full stop; never NULL. */
DOWNHILL_API const char *downhill_status_text(downhill_status status);

/* Version of this header. */
#define DOWNHILL_VERSION_MAJOR 0
#define DOWNHILL_VERSION_MINOR 1
#define DOWNHILL_VERSION_PATCH 0

/* Returns "MAJOR.MINOR.PATCH" of the linked library, which may be newer than this header. */
DOWNHILL_API const char *downhill_version(void);

/* ---- Instruction sets -----------------------------------------------------------------------
 *
 * An ISA level is a named set of CPU features with a complete table of kernels for it. The default is the last usable
 * level. The choice depends on feature bits and operating-system state only, never on vendor, family or model. Levels of
 * kind DOWNHILL_KIND_AUTO hold the scalar source vectorised by the compiler. They are there for comparison and are never
 * chosen by default.
 *
 * On a CPU with AMX the first use of the library asks Linux for permission to use it, even if another level is then
 * selected. It cannot be returned, enlarges the signal frames of the process by 8 KiB, and makes sigaltstack() refuse
 * stacks too small for them. If permission is refused, the level is not usable and downhill_feature_at() says so.
 * DOWNHILL_DISABLE=amx-tile prevents the request.
 *
 * Environment variables, read once, at the first use of the library:
 *   DOWNHILL_ISA=avx2         use this level; an unknown or unusable one is an error
 *   DOWNHILL_DISABLE=fma,...  behave as on a CPU without these features; an unknown word is an error
 * An empty DOWNHILL_ISA counts as unset.
 */
typedef struct downhill_kernels downhill_kernels;

typedef enum downhill_level_kind {
    DOWNHILL_KIND_BASELINE, /* portable C, built by CMake without vectorisation */
    DOWNHILL_KIND_AUTO, /* the same source, vectorised by the compiler with the flags of a level */
    DOWNHILL_KIND_HAND, /* intrinsics */
} downhill_level_kind;

typedef struct downhill_level {
    const char *name; /* "avx512" */
    downhill_level_kind kind;
    const char *auto_name; /* of a HAND level: the AUTO level with the same flags; NULL: none */
    int compiled;          /* it is part of this build */
    int cpu;               /* CPUID reports every feature */
    int os;                /* the operating system saves the registers (XCR0) */
    int permitted;     /* permission was granted where one is needed, and no feature is disabled */
    int usable;        /* all of the above */
    int chosen;        /* it is the default: what downhill_select(NULL, …) returns */
    char missing[768]; /* what is missing, by name: "avx512vl (CPU)"; "" if usable */
} downhill_level;

typedef struct downhill_feature {
    const char *name; /* as the vendor spells it, in lower case: "avx512bw" */
    int cpu;          /* CPUID reports it */
    int os;           /* the state it needs is enabled in XCR0 */
    int permitted; /* 1 granted or none needed, 0 refused, -1 not requested: no level could use it */
    int disabled;  /* by DOWNHILL_DISABLE */
} downhill_feature;

/* Fills *out with level i, least preferred first. Returns DOWNHILL_ERR_SIZE past the last one, which ends the loop
 * `for (i = 0; downhill_level_at(i, &level) == DOWNHILL_OK; i++)`. */
DOWNHILL_API downhill_status downhill_level_at(size_t i, downhill_level *out);

/* Fills *out with CPU feature i in the same way. */
DOWNHILL_API downhill_status downhill_feature_at(size_t i, downhill_feature *out);

/* Sets *out to the kernel table of the level named `isa`. If isa is NULL, it is the default: the level that
 * DOWNHILL_ISA names, else the last usable one. Cheap after the first call. On an error *out is NULL. If `why` is not
 * NULL, one line that names the level and the missing feature is then written to it, cut to why_size bytes including
 * the terminator. */
DOWNHILL_API downhill_status downhill_select(const char *isa, const downhill_kernels **out,
                                             char *why, size_t why_size);

/* Returns the name of a table's level, such as "avx512". NULL stands for the default table; "" is returned if that
 * cannot be chosen. */
DOWNHILL_API const char *downhill_kernels_name(const downhill_kernels *kernels);

/* ---- Data ------------------------------------------------------------------------------------
 *
 * There is one batch type per type of feature, so that the compiler refuses bytes where floats are read. */

/* n samples: rows of a larger matrix, which are not copied. */
typedef struct downhill_batch_f32 {
    const float *x; /* x_rows × d */
    size_t ldx;     /* >= d */
    size_t x_rows;  /* >= 1 */
    /* x_rows labels in [0, c), indexed as the rows of x are; NULL if the function reads none */
    const int32_t *y;
    /* n row numbers, each < x_rows, in any order, repeats allowed; NULL: rows 0 … n-1 */
    const size_t *rows;
    size_t n; /* >= 1; <= x_rows if rows is NULL */
    /* A hint: number of samples of the next call, whose row numbers follow the n in `rows`, or whose rows follow the n in
     * x if rows is NULL. They may be prefetched; no result changes. 0: none or unknown */
    size_t n_next;
} downhill_batch_f32;

/* n samples of features in bf16: the upper 16 bits of an f32, with 8 bits of significand and the range of an f32. They
 * take half the memory. Weights and sums are f32. */
typedef struct downhill_batch_bf16 {
    const uint16_t *x;
    size_t ldx;
    size_t x_rows;
    const int32_t *y;
    const size_t *rows;
    size_t n;
    size_t n_next;
} downhill_batch_bf16;

/* Weights of a linear classifier. Functions that only read weights write nothing through these pointers, so const weights
 * may be cast. */
typedef struct downhill_weights_f32 {
    float *w;   /* c × d */
    size_t ldw; /* >= d */
    float *b;   /* c; NULL: no bias */
    size_t d;
    size_t c;
} downhill_weights_f32;

/* The gradient with respect to the weights. It has a type of its own so that the compiler refuses to swap the two. */
typedef struct downhill_gradient_f32 {
    float *dw;   /* c × d */
    size_t lddw; /* >= d */
    float *db;   /* c; NULL: not wanted */
    size_t d;
    size_t c;
} downhill_gradient_f32;

/* A matrix: scores, derivatives of the loss with respect to the scores (dscores), or probabilities. */
typedef struct downhill_matrix_f32 {
    float *data;
    size_t ld; /* >= columns */
    size_t rows;
    size_t columns;
} downhill_matrix_f32;

/* Memory for intermediate results, of any alignment, one for each thread. It needs no initial value and keeps none
 * between calls. */
typedef struct downhill_workspace {
    void *memory;
    size_t bytes;
} downhill_workspace;

/* 0 is no kind, so that a loss that was never set is DOWNHILL_ERR_PARAMETER. */
typedef enum downhill_loss_kind { DOWNHILL_HINGE = 1, DOWNHILL_SOFTMAX = 2 } downhill_loss_kind;

typedef struct downhill_loss {
    downhill_loss_kind kind;
    /* Δ of the hinge loss, finite and >= 0; set it to 1: with 0 (the perceptron) weights that are all 0 stay so. Not read
     * for softmax */
    float margin;
} downhill_loss;

/* Settings of a step of stochastic gradient descent on the mean loss. */
typedef struct downhill_sgd {
    downhill_loss loss;
    float learning_rate; /* η, finite */
    float weight_decay; /* λ of the penalty (λ/2)‖W‖², finite; 0: none. Biases are not decayed */
} downhill_sgd;

/* Rounds `count` numbers from f32 to bf16, to nearest even. A NaN stays a NaN; a number that is too large becomes
 * infinity. The arrays must not overlap. A count of 0 does nothing.
 * Exactness: the same bits everywhere; a relative error of at most 2⁻⁸ for numbers of magnitude 2⁻¹²⁶ or more.
 * Cost:   6 bytes per number; plain C at every level. */
DOWNHILL_API void downhill_bf16_from_f32(size_t count, const float *from, uint16_t *to);

/* ---- Kernels ---------------------------------------------------------------------------------
 *
 * `kernels` is a table from downhill_select(), or NULL for the default.
 *
 * Every function checks the following before it writes anything. If several hold, it returns any of them:
 *   DOWNHILL_ERR_NULL       a pointer is NULL that is not described as optional
 *   DOWNHILL_ERR_SIZE       a size is 0, or c >= 2³¹; a matrix including its padding exceeds PTRDIFF_MAX bytes; n, d or c
 *                           differs between arguments; without row numbers, n + n_next > x_rows
 *   DOWNHILL_ERR_LD         a leading dimension is smaller than its row
 *   DOWNHILL_ERR_ROW        a row number is not below x_rows, among the n or the first 256 of the n_next; no others of
 *                           the n_next are read
 *   DOWNHILL_ERR_LABEL      a label is outside [0, c), in functions that read labels
 *   DOWNHILL_ERR_PARAMETER  the margin is negative or not finite, the loss unknown, or the learning rate or weight decay
 *                           not finite
 *   DOWNHILL_ERR_WORKSPACE  the workspace is smaller than required
 *   DOWNHILL_ERR_ISA_…      `kernels` is NULL and no default can be chosen: what downhill_select(NULL, …) returns
 */

/* Computes scores, S = X Wᵀ + b.
 *
 *   batch    n × d; batch->y is not read
 *   weights  c × d; weights->b NULL: no bias
 *   scores   n × c, overwritten
 * Error:  |S_ij - exact| <= γ_{d+2} (Σ_k |x_ik w_jk| + |b_j|) + d·2⁻¹⁴⁹ (for underflow), if d < 2²³ and nothing overflows.
 *         Exact where every partial sum is representable. Tables with a fixed order of sums (above) give the same bits,
 *         for a sample in any batch; with the others the last bits also depend on n, x_rows, ldx and ldw.
 * Special: NaN and infinities propagate as in IEEE 754 arithmetic.
 * Cost:   2·n·d·c + n·c operations; X, W and S cross the memory bus once if W fits a cache. */
DOWNHILL_API downhill_status downhill_score_f32(const downhill_kernels *kernels,
                                                const downhill_batch_f32 *batch,
                                                const downhill_weights_f32 *weights,
                                                const downhill_matrix_f32 *scores);

/* Computes scores of bf16 features, with the arguments and errors of downhill_score_f32(), for half the bytes of X. The
 * bound is the same, but levels avx512bf16 and amx split each weight into two bf16, so that
 *   - the result is exact only if, in addition, two bf16 hold each weight; 16 bits of significand always fit;
 *   - subnormal numbers count as 0, which replaces d·2⁻¹⁴⁹ by 2⁻¹²⁵ Σ_k (1 + |x_ik| + |w_jk|);
 *   - the result may overflow if Σ_k |x_ik w_jk| >= 2¹²⁸ (1 - 2⁻⁷);
 *   - an infinite feature may give a NaN. */
DOWNHILL_API downhill_status downhill_score_bf16(const downhill_kernels *kernels,
                                                 const downhill_batch_bf16 *batch,
                                                 const downhill_weights_f32 *weights,
                                                 const downhill_matrix_f32 *scores);

/* Computes the multiclass hinge loss of Weston and Watkins (1999) and its subgradient:
 *
 *   m_ij = (s_ij - s_i,y_i) + Δ           for j ≠ y_i, two roundings in this order
 *   loss = Σ_i Σ_{j ≠ y_i} max(0, m_ij)
 *   dscores_ij = 1 if m_ij > 0, else 0;   dscores_i,y_i = -Σ_{j ≠ y_i} dscores_ij
 *
 *   scores    n × c
 *   labels    n labels in [0, c), one per row of the scores
 *   margin    Δ, finite and >= 0
 *   dscores   n × c, overwritten; may be the scores themselves, with the same leading dimension (another is
 *             DOWNHILL_ERR_LD)
 *   loss_sum  overwritten with the sum over the samples, not the mean
 * Where m_ij is exactly 0 the subgradient is 0. An m_ij that is NaN counts as violated and makes the loss NaN, so that
 * divergence is visible.
 * Exactness: dscores are small integers with positive zeros, and the same bits on every table, for c <= 2²⁴.
 * Error:  the loss is within (γ_c + n·2⁻⁵²) Σ_i Σ_j max(0, m_ij) of the exact sum of the rounded m_ij, if c < 2²³ and the sum of
 *         each sample stays below 3.4·10³⁸ (beyond, it may be infinite). It is equal on every table with a fixed order of sums,
 *         and on every table if all partial sums are representable.
 * Cost:   4·n·c operations, 8·n·c + 4·n bytes. */
DOWNHILL_API downhill_status downhill_hinge_f32(const downhill_kernels *kernels,
                                                const downhill_matrix_f32 *scores,
                                                const int32_t *labels, float margin,
                                                const downhill_matrix_f32 *dscores,
                                                double *loss_sum);

/* Computes softmax cross-entropy (Bishop, Pattern Recognition and Machine Learning, section 4.3.4) and its gradient. The
 * maximum of each row is subtracted first:
 *
 *   p_ij = e^(s_ij - M_i) / Σ_k e^(s_ik - M_i),   M_i = max_j s_ij
 *   loss = Σ_i -ln p_i,y_i;   dscores_ij = p_ij - [j = y_i]
 *
 * Arguments are those of downhill_hinge_f32() without the margin. Correct for any finite scores, ±1e38 included.
 * Error:  the exponential has a relative error below 0.83·2⁻²³ of e^t for the rounded argument t = fl(s - M); values
 *         below 2⁻¹²⁶ are flushed to 0. With E_j = |t_j|·u + 1.7·u this gives, to first order in u,
 *
 *           |dscores_ij - exact| <= p_j (E_j + F + (c+4)·u) + [j = y_i]·|p_j - 1|·u + 2⁻¹²⁵,
 *           |loss - exact| <= Σ_i (F + (c+1)·u) + 10⁻¹⁵ (n+1) (|loss| + n + Σ_i (M_i - s_i,y_i)),
 *           F = Σ_k p_k E_k + c·2⁻¹²⁶.
 *
 * Special: a row with a NaN or +infinity, or with nothing but -infinity, gives a NaN loss and NaN dscores; -infinity
 *         beside a finite score is a probability of 0.
 * Exactness: the same bits on every table with a fixed order of sums (above).
 * Cost:   about 20·n·c operations, 8·n·c + 4·n bytes. */
DOWNHILL_API downhill_status downhill_softmax_f32(const downhill_kernels *kernels,
                                                  const downhill_matrix_f32 *scores,
                                                  const int32_t *labels,
                                                  const downhill_matrix_f32 *dscores,
                                                  double *loss_sum);

/* Predicts from scores, without labels: the class with the largest score of each sample, and the probabilities that
 * softmax gives.
 *
 *   scores         n × c
 *   classes        n, overwritten; of equal scores the lowest class wins; a NaN score never wins, except that a row whose
 *                  first score is NaN gives class 0
 *   probabilities  n × c, overwritten; NULL: not wanted; may be the scores themselves, with the same leading dimension
 * Error:  that of dscores of downhill_softmax_f32(), plus u.
 * Exactness: the same classes on every table, and the same bits of probabilities where downhill_softmax_f32() has them.
 * Cost:   n·c comparisons; with probabilities that of downhill_softmax_f32() in addition. */
DOWNHILL_API downhill_status downhill_predict_f32(const downhill_kernels *kernels,
                                                  const downhill_matrix_f32 *scores,
                                                  int32_t *classes,
                                                  const downhill_matrix_f32 *probabilities);

/* Computes the gradient with respect to the weights, dW = dscoresᵀ X and db = Σ_i dscores_i.
 *
 *   batch       n × d; batch->y is not read
 *   dscores     n × c
 *   accumulate  0: grad is overwritten; otherwise it is added to
 *   grad        c × d; grad->db NULL: db is not wanted
 * Error:  |dw_jk - exact| <= γ_{n+2} (Σ_i |g_ij x_ik| + |dw_jk before|) + n·2⁻¹⁴⁹; for db the same with x = 1. Exact where
 *         every partial sum is representable. Tables with a fixed order of sums (above) give the same bits; with the
 *         others the last bits also depend on x_rows, ldx and lddw.
 * Special: NaN and infinities propagate as in IEEE 754 arithmetic.
 * Cost:   2·n·d·c + n·c operations; X, dW and dscores cross the bus once if dW fits a cache. */
DOWNHILL_API downhill_status downhill_grad_f32(const downhill_kernels *kernels,
                                               const downhill_batch_f32 *batch,
                                               const downhill_matrix_f32 *dscores, int accumulate,
                                               const downhill_gradient_f32 *grad);

/* Computes the gradient for bf16 features, with the arguments and errors of downhill_grad_f32(). On levels avx512bf16 and
 * amx 2⁻¹²⁵ Σ_i (1 + |g_ij| + |x_ik|) replaces n·2⁻¹⁴⁹ in the bound.
 * Cost:   half the bytes of X. These two levels use their bf16 instructions if each dscore of the block is a bf16, as those
 *         of the hinge loss are; those of softmax take the kernel of avx512. */
DOWNHILL_API downhill_status downhill_grad_bf16(const downhill_kernels *kernels,
                                                const downhill_batch_bf16 *batch,
                                                const downhill_matrix_f32 *dscores, int accumulate,
                                                const downhill_gradient_f32 *grad);

/* Updates the weights by a gradient that is the sum over n samples:
 *
 *   w ← (1 - η·λ)·w - (η/n)·dw,    b ← b - (η/n)·db
 *
 *   weights  updated
 *   grad     grad->db may be NULL only if weights->b is
 *   n        number of samples, >= 1
 *   sgd      learning rate η and weight decay λ; the loss is not read
 * Each operation rounds once, in the order written, and none is fused: first the two factors, then per weight two
 * products and their difference. A factor that is not finite is DOWNHILL_ERR_PARAMETER.
 * Exactness: the same bits on every table.
 * Cost:   3·c·d operations, 12·c·d bytes. */
DOWNHILL_API downhill_status downhill_update_f32(const downhill_kernels *kernels,
                                                 const downhill_weights_f32 *weights,
                                                 const downhill_gradient_f32 *grad, size_t n,
                                                 const downhill_sgd *sgd);

/* Computes y ← beta·y + alpha·x for x and y of the same d and c, biases included; x->b may be NULL only if y->b is. For
 * momentum, and for sums of the gradients of parts of a batch. The two are weights, or whatever has their shape: a
 * gradient g is given as {.w = g.dw, .ldw = g.lddw, .b = g.db, .d = g.d, .c = g.c}.
 * Two products and their sum, each rounded once. alpha and beta must be finite. y is read even if beta is 0, so it must be
 * initialised.
 * Exactness: the same bits on every table.
 * Cost:   3·c·d operations, 12·c·d bytes. */
DOWNHILL_API downhill_status downhill_axpby_f32(const downhill_kernels *kernels, float alpha,
                                                const downhill_weights_f32 *x, float beta,
                                                const downhill_weights_f32 *y);

/* ---- Fused steps ----------------------------------------------------------------------------- */

/* Nanoseconds spent in each phase of a step. Functions add to the members: set them to 0 before the first call. */
typedef struct downhill_profile {
    uint64_t gather_ns; /* row numbers and labels looked up and checked */
    uint64_t score_ns;  /* packing of the weights included */
    uint64_t loss_ns;
    uint64_t grad_ns;
    uint64_t update_ns;
} downhill_profile;

/* Returns the bytes of workspace for the functions below: for the scores of a block of rows and, while they fit L2,
 * for copies of W and dW. Returns 0 if d or c is 0, c >= 2³¹ or the size overflows. */
DOWNHILL_API size_t downhill_workspace_f32_bytes(size_t d, size_t c);

/* Computes loss and gradient of a batch in one pass over X. A block of rows is scored, turned into dscores and added to
 * the gradient before the next block is read. Blocks fit the L2 cache, so that X crosses the memory bus once, unless dW is
 * larger than 256 KiB: blocks then have up to 256 rows, so that dW is read and written less often, and cross the bus
 * twice if L3 does not hold them. The scores of the whole batch are never stored.
 *
 *   batch      n × d, with labels
 *   weights    c × d; weights->b NULL: no bias
 *   loss       kind and margin
 *   grad       c × d, overwritten with the gradient of the sum of the losses; grad->db NULL: not wanted
 *   loss_sum   overwritten with the sum over the samples; NULL: not wanted
 *   workspace  >= downhill_workspace_f32_bytes(d, c) bytes
 *   profile    times of the phases are added to it; costs four clock reads per block and a few per call; NULL:
 *              not wanted
 * Row numbers and labels are checked before anything is written. With the hinge loss, samples whose dscores are all 0
 * (every margin is met) are left out of the gradient. That saves 2·d·c operations per sample. The result is the same,
 * except that an infinity in such a sample does not become a NaN, nor, with one class, does a NaN.
 * Error and exactness: those of the parts together.
 * Cost:   4·n·d·c operations; X crosses the memory bus once or twice (above), W and dW once per block that finds them
 *         evicted from L2. */
DOWNHILL_API downhill_status downhill_loss_grad_f32(
    const downhill_kernels *kernels, const downhill_batch_f32 *batch,
    const downhill_weights_f32 *weights, downhill_loss loss, const downhill_gradient_f32 *grad,
    double *loss_sum, const downhill_workspace *workspace, downhill_profile *profile);

/* Performs one minibatch step: downhill_loss_grad_f32(), then downhill_update_f32() with n of the batch. The loss is that
 * of the weights before the update.
 *
 *   sgd   loss, learning rate and weight decay
 *   grad  c × d, overwritten with the gradient; grad->db may be NULL only if weights->b is
 * Cost:   that of the two. */
DOWNHILL_API downhill_status downhill_step_f32(
    const downhill_kernels *kernels, const downhill_batch_f32 *batch,
    const downhill_weights_f32 *weights, const downhill_sgd *sgd, const downhill_gradient_f32 *grad,
    double *loss_sum, const downhill_workspace *workspace, downhill_profile *profile);

/* Computes loss and gradient for bf16 features: the arguments, errors and workspace of downhill_loss_grad_f32(), the bounds
 * of downhill_score_bf16() and downhill_grad_bf16(). */
DOWNHILL_API downhill_status downhill_loss_grad_bf16(
    const downhill_kernels *kernels, const downhill_batch_bf16 *batch,
    const downhill_weights_f32 *weights, downhill_loss loss, const downhill_gradient_f32 *grad,
    double *loss_sum, const downhill_workspace *workspace, downhill_profile *profile);

/* Performs one minibatch step on bf16 features, as downhill_step_f32() does. */
DOWNHILL_API downhill_status downhill_step_bf16(
    const downhill_kernels *kernels, const downhill_batch_bf16 *batch,
    const downhill_weights_f32 *weights, const downhill_sgd *sgd, const downhill_gradient_f32 *grad,
    double *loss_sum, const downhill_workspace *workspace, downhill_profile *profile);

/* ---- Bytes, exactly ---------------------------------------------------------------------------
 *
 * With features that are bytes, every sum can be a sum of integers, whose order does not matter: the dscores of the hinge
 * loss are integers, and those of softmax are rounded to multiples of 2⁻¹⁴. The functions below therefore return the same
 * bits on every level, for any order of the samples of a batch, and for any division of a batch among threads or machines
 * whose sums are added. Two exceptions: a NaN may be another NaN, and a loss of 2³³ or more depends on the order in its
 * last bits (downhill_hinge_u8).
 *
 *   Weights    The update works on weights w in f32. For the scores, each is rounded to nearest even, once per step, to
 *              a multiple of a quantum of its class: w_jk ≈ q_jk·u_j. The quantum u_j is the smallest power of two that
 *              satisfies |w_jk| <= 32639·u_j for all k, |b_j| < 2⁴⁰·u_j and u_j >= 2⁻¹²⁶. The rounding error is at most
 *              u_j/2. That is less than 2⁻¹⁴ of the largest weight of the class, unless |b_j| is more than 2²⁴ times
 *              that weight, or that weight is below 2⁻¹¹⁰.
 *   Normalised features x̂_k = (x_k - mean_k)·scale_k are never computed. If ŵ are the weights of x̂, the functions work
 *              on w_jk = scale_k·ŵ_jk, for which
 *
 *                s_ij = Σ_k ŵ_jk x̂_ik + b_j = Σ_k w_jk x_ik - Σ_k w_jk mean_k + b_j.
 *
 *              The second sum is computed once per step. A step of gradient descent on ŵ with learning rate η, on the
 *              mean loss of n samples, changes w_jk by -(η/n)·scale_k²·(dw_jk - mean_k db_j), where dw and db are the
 *              gradient that downhill_loss_grad_u8() returns. The penalty is (λ/2)‖Ŵ‖². None of this costs time per
 *              sample.
 *   To begin   with weights ŵ, set w_jk = scale_k·ŵ_jk and keep b. Then call downhill_pack_u8().
 *   To train   call downhill_step_u8() for each minibatch; it packs the new weights. If parts of a batch are processed
 *              apart, call downhill_loss_grad_u8() for each part, add the gradients, and call downhill_update_u8()
 *              once. If the whole batch exceeds "Bounds", do so with downhill_loss_grad_u8_f64() and
 *              downhill_update_u8_f64(), whose sums have no such bound.
 *   To score   call downhill_score_u8() with the packed weights. Elsewhere, compute Σ_k w_jk (x_ik - mean_k) + b_j, or
 *              use ŵ_jk = w_jk / scale_k on normalised features. Where scale_k is 0, so are x̂_k and w_jk: take ŵ_jk = 0.
 *   To save    a model, write w, b, mean and scale. Packed weights are valid in one process only.
 *   Examples   examples/normalised.c checks these formulas by their results. examples/bytes.c trains as if on x/255:
 *              mean 0 and scale 1/255 for every feature.
 *   Changes    of w or b by anything but these functions go unnoticed until downhill_pack_u8() is called again. Give a
 *              bias to all of these calls or to none.
 *   Bounds     d <= DOWNHILL_U8_D_MAX and c <= DOWNHILL_U8_C_MAX, else DOWNHILL_ERR_SIZE. A gradient in 32 bits needs
 *              255·Σ_i |g_ij| < 2³¹, where g are the dscores. Those of the hinge loss satisfy this for
 *              n·(c-1) <= DOWNHILL_U8_NC_MAX, those of softmax for n <= DOWNHILL_U8_SOFTMAX_N_MAX. If sums of parts are
 *              added, n is that of the whole batch, which the caller has to check: a larger one may leave the range of
 *              int32_t although each part is within it. downhill_step_u8() has no such bound.
 *   Errors     those of section "Kernels", and DOWNHILL_ERR_PACKED if the packed weights belong to a level with other
 *              kernels, were moved, or differ in d or c from the weights beside them. Memory that downhill_pack_u8()
 *              never filled is recognised by its content: it must be readable, and packed weights that were freed and
 *              allocated again may pass. */
#define DOWNHILL_U8_D_MAX  1048576
#define DOWNHILL_U8_C_MAX  32768
#define DOWNHILL_U8_NC_MAX 8421504 /* ⌊(2³¹ - 1) / 255⌋ */

/* A dscore of 1 of softmax on bytes, and the most samples whose gradient fits 32 bits: ⌊DOWNHILL_U8_NC_MAX / 2¹⁴⌋. */
#define DOWNHILL_SOFTMAX_ONE      16384
#define DOWNHILL_U8_SOFTMAX_N_MAX 514

/* n samples of bytes; see downhill_batch_f32. */
typedef struct downhill_batch_u8 {
    const uint8_t *x;
    size_t ldx;
    size_t x_rows;
    const int32_t *y;
    const size_t *rows;
    size_t n;
    size_t n_next;
} downhill_batch_u8;

/* The normalisation x̂_k = (x_k - mean_k)·scale_k of the features. */
typedef struct downhill_norm_u8 {
    const uint16_t *mean; /* d: mean_k in 256ths, <= 255·256; NULL: all 0 */
    const float *scale;   /* d: >= 0, with a finite square; NULL: all 1 */
} downhill_norm_u8;

/* The gradient for bytes, exact sums of integers; g are the dscores, those of softmax in units of
 * 1 / DOWNHILL_SOFTMAX_ONE. */
typedef struct downhill_gradient_u8 {
    int32_t *dw; /* c × d: Σ_i g_ij x_ik */
    size_t lddw; /* >= d; fastest if rows are an odd number of cache lines apart */
    int32_t *db; /* c: Σ_i g_ij */
    size_t d;
    size_t c;
} downhill_gradient_u8;

/* Sums of the gradient for bytes in f64, for more samples. Exact while 255·Σ_i |g_ij| < 2⁵³: with softmax for 2³¹ samples,
 * with the hinge loss for 2⁴⁵ / (c-1). */
typedef struct downhill_gradient_f64 {
    double *dw;  /* c × d */
    size_t lddw; /* >= d */
    double *db;  /* c */
    size_t d;
    size_t c;
} downhill_gradient_f64;

/* Scores of bytes, which are exact. */
typedef struct downhill_matrix_f64 {
    double *data;
    size_t ld; /* >= columns */
    size_t rows;
    size_t columns;
} downhill_matrix_f64;

/* Dscores of bytes. */
typedef struct downhill_matrix_i16 {
    int16_t *data;
    size_t ld; /* >= columns */
    size_t rows;
    size_t columns;
} downhill_matrix_i16;

/* Packed weights: the q_jk in the order of the level, the u_j and the normalisation, in memory of the caller. */
typedef struct downhill_packed_u8 downhill_packed_u8;

/* Returns the bytes of memory for packed weights, of any alignment, or 0 if d or c is 0 or too large. */
DOWNHILL_API size_t downhill_packed_u8_bytes(size_t d, size_t c);

/* Rounds and packs the weights as described above. Packed weights must not be moved, and are valid with the table they
 * were packed with.
 *
 *   weights  c × d; the pointers are not kept; weights->b NULL: no bias
 *   norm     copied; NULL: mean 0 and scale 1, features from 0 to 255 as they are, which need a learning rate 255² times
 *            smaller than x/255 does. A mean above 255·256, or a scale that is negative or whose square is not finite,
 *            is DOWNHILL_ERR_PARAMETER
 *   packed   overwritten; packed_bytes >= downhill_packed_u8_bytes(d, c), else DOWNHILL_ERR_WORKSPACE
 * The scores of a class are NaN if one of its weights or its bias is not finite.
 * Exactness: scores of the packed weights are the same bits on every table; the packed bytes differ.
 * Cost:   2·c·d bytes written; the weights of each class are read twice, the second time from L1 if they fit. */
DOWNHILL_API downhill_status downhill_pack_u8(const downhill_kernels *kernels,
                                              const downhill_weights_f32 *weights,
                                              const downhill_norm_u8 *norm,
                                              downhill_packed_u8 *packed, size_t packed_bytes);

/* Computes scores, s_ij = u_j (Σ_k q_jk x_ik - Σ_k q_jk mean_k + β_j), where β_j is b_j / u_j rounded to a multiple of
 * 1/256.
 *
 *   batch   n × d, with the d of the packed weights; batch->y is not read
 *   packed  from downhill_pack_u8()
 *   scores  n × c, overwritten
 * Exactness: each score is that real number without further rounding, on every table.
 * Cost:   2·n·d·c operations on integers; X crosses the memory bus once. */
DOWNHILL_API downhill_status downhill_score_u8(const downhill_kernels *kernels,
                                               const downhill_batch_u8 *batch,
                                               const downhill_packed_u8 *packed,
                                               const downhill_matrix_f64 *scores);

/* Computes the multiclass hinge loss and its subgradient as downhill_hinge_f32() does, in f64:
 *
 *   m_ij = (s_ij - s_i,y_i) + Δ, two roundings;   loss = Σ_i Σ_{j ≠ y_i} max(0, [m_ij])
 *
 * where [m] = ((m·2²⁰ + 1.5·2⁵²) - 1.5·2⁵²)·2⁻²⁰ in f64. That is m rounded to nearest even to a multiple of
 * DOWNHILL_LOSS_UNIT while it is below 2³¹, and to a coarser one beyond.
 *
 *   scores    n × c
 *   labels    n labels in [0, c), one per row of the scores
 *   margin    Δ, finite and >= 0
 *   dscores   n × c, overwritten; |dscores_ij| < c
 *   loss_sum  overwritten with the sum over the samples
 * Exactness: the same dscores on every table, and the same loss while it is below 2³³. Beyond that its last bits depend
 *         on the order of the sum.
 * Cost:   4·n·c operations and the rounding of the loss, 10·n·c + 4·n bytes. */
#define DOWNHILL_LOSS_UNIT (1.0 / 1048576)
DOWNHILL_API downhill_status downhill_hinge_u8(const downhill_kernels *kernels,
                                               const downhill_matrix_f64 *scores,
                                               const int32_t *labels, float margin,
                                               const downhill_matrix_i16 *dscores,
                                               double *loss_sum);

/* Computes softmax cross-entropy and its gradient in fixed point:
 *
 *   t_ij = fl32(fl64(s_ij - M_i)),   M_i = max_j s_ij;   e_ij = exp(t_ij) in f32, a fixed sequence of operations
 *   z_i  = Σ_j [e_ij],   [e] = e rounded to a multiple of 2⁻³⁷, so that the sum is exact
 *   dscores_ij = round(fl32(e_ij·r_i)) - 2¹⁴·[j = y_i],   r_i = fl32(fl64(2¹⁴/z_i))
 *   loss = Σ_i [ln z_i + (M_i - s_i,y_i)],   [l] as for the hinge loss: a multiple of DOWNHILL_LOSS_UNIT
 *
 *   scores    n × c, c <= DOWNHILL_U8_C_MAX
 *   labels    n labels in [0, c), one per row of the scores
 *   dscores   n × c, overwritten, in units of 1 / DOWNHILL_SOFTMAX_ONE; |dscores_ij| <= DOWNHILL_SOFTMAX_ONE
 *   loss_sum  overwritten with the sum over the samples
 * Error:  |2⁻¹⁴·dscores_ij - exact| <= 2⁻¹⁵ + p_j (E_j + F + 2u) to first order in u, with E and F of
 *         downhill_softmax_f32() where F is now Σ_k p_k E_k + c·2⁻³⁸; |loss - exact| <= n·2⁻²¹ + Σ_i (F + 2⁻⁴¹) +
 *         2⁻⁵¹ |loss| while the loss is below 2³³. A probability below 2⁻¹⁵ counts as 0 in the dscores.
 * Special: as for downhill_softmax_f32(), but a row whose loss is NaN has dscores of 0.
 * Exactness: the same dscores on every table, and the same loss while it is below 2³³. Beyond that its last bits depend
 *         on the order of the sum.
 *         A probability of 1/c is rounded by up to c/32768 of itself, in the same direction for all such classes: with
 *         thousands of classes train in f32.
 * Cost:   about 20·n·c operations; 10·n·c + 4·n bytes. Exponentials past the 1024th class of a sample, and all at the
 *         levels scalar and auto_…, are computed twice. */
DOWNHILL_API downhill_status downhill_softmax_u8(const downhill_kernels *kernels,
                                                 const downhill_matrix_f64 *scores,
                                                 const int32_t *labels,
                                                 const downhill_matrix_i16 *dscores,
                                                 double *loss_sum);

/* Predicts the class with the largest score of each sample, as downhill_predict_f32() does. For the probabilities of
 * softmax convert the scores to f32 and call that function.
 *
 *   scores   n × c
 *   classes  n, overwritten
 * Exactness: the same on every machine. */
DOWNHILL_API downhill_status downhill_predict_u8(const downhill_matrix_f64 *scores,
                                                 int32_t *classes);

/* Computes the gradient with respect to the weights, dW = dscoresᵀ X and db = Σ_i dscores_i.
 *
 *   batch       n × d; batch->y is not read
 *   dscores     n × c. If at most one per sample is beyond ±64, as with the hinge loss, they are multiplied as bytes;
 *               such a one costs as much as a class of its own with avx2 and avx512, and with the others beyond ±127.
 *               Else all are multiplied as 16-bit integers, which takes about twice as long.
 *   accumulate  0: grad is overwritten; otherwise it is added to
 *   grad        c × d; grad->db is required
 * Returns DOWNHILL_ERR_RANGE if 255·Σ_i |g_ij| >= 2³¹ for some class. The previous content of `grad` is not checked: a
 * total that leaves the range of int32_t is taken modulo 2³².
 * Exactness: the same bits on every table.
 * Cost:   2·n·d·c operations on integers. */
DOWNHILL_API downhill_status downhill_grad_u8(const downhill_kernels *kernels,
                                              const downhill_batch_u8 *batch,
                                              const downhill_matrix_i16 *dscores, int accumulate,
                                              const downhill_gradient_u8 *grad);

/* Updates the weights by a gradient that is the sum over n samples, and packs them again:
 *
 *   w ← (1 - η·λ)·w - ((η/n)·scale_k²)·(dw_jk - mean_k·db_j),    b ← b - (η/n)·db_j
 *
 * with mean and scale from downhill_pack_u8(). Each operation, and each conversion of dw_jk and db_j to f32, rounds once,
 * in the order written.
 *
 *   weights  updated
 *   packed   packed weights of the same d and c, overwritten
 *   grad     from downhill_grad_u8() or downhill_loss_grad_u8(), possibly summed over parts of a batch
 *   n, sgd   as for downhill_update_f32(), but sgd->loss must be valid: for DOWNHILL_SOFTMAX, η/n is divided by
 *            DOWNHILL_SOFTMAX_ONE, because that is a dscore of 1
 * Exactness: the same bits on every table.
 * Cost:   3·c·d operations and 14·c·d bytes; 6·c·d and 22·c·d with a mean and a scale. */
DOWNHILL_API downhill_status downhill_update_u8(const downhill_kernels *kernels,
                                                const downhill_weights_f32 *weights,
                                                downhill_packed_u8 *packed,
                                                const downhill_gradient_u8 *grad, size_t n,
                                                const downhill_sgd *sgd);

/* Does the same from sums in f64. Where the two gradients hold the same sums, the results are the same bits. */
DOWNHILL_API downhill_status downhill_update_u8_f64(const downhill_kernels *kernels,
                                                    const downhill_weights_f32 *weights,
                                                    downhill_packed_u8 *packed,
                                                    const downhill_gradient_f64 *grad, size_t n,
                                                    const downhill_sgd *sgd);

/* Returns the bytes of workspace for the functions below, or 0 if d or c is 0 or beyond the bounds. */
DOWNHILL_API size_t downhill_workspace_u8_bytes(size_t d, size_t c);

/* Computes loss and gradient of a batch in one pass over X.
 *
 *   batch      n × d, with labels
 *   packed     the packed weights
 *   loss       kind and margin
 *   grad       c × d, overwritten; grad->db is required. Gradients of parts of a batch may be added in any order,
 *              then applied once by downhill_update_u8(); n of the whole batch is then within "Bounds"
 *   loss_sum   overwritten with the sum over the samples; NULL: not wanted
 *   workspace  >= downhill_workspace_u8_bytes(d, c) bytes
 *   profile    as for downhill_loss_grad_f32()
 * Returns DOWNHILL_ERR_RANGE if n·(c-1) > DOWNHILL_U8_NC_MAX with the hinge loss, or n > DOWNHILL_U8_SOFTMAX_N_MAX with
 * softmax.
 * Exactness: the same bits on every table.
 * Cost:   4·n·d·c operations on integers; X crosses the memory bus once. */
DOWNHILL_API downhill_status downhill_loss_grad_u8(
    const downhill_kernels *kernels, const downhill_batch_u8 *batch,
    const downhill_packed_u8 *packed, downhill_loss loss, const downhill_gradient_u8 *grad,
    double *loss_sum, const downhill_workspace *workspace, downhill_profile *profile);

/* Does the same for any number of samples: grad is overwritten with sums in f64, which the function adds up from 32-bit
 * sums of as many samples as "Bounds" allows. Each such sum costs 20·c·d bytes more. Gradients of parts of a batch are
 * added element by element. */
DOWNHILL_API downhill_status downhill_loss_grad_u8_f64(
    const downhill_kernels *kernels, const downhill_batch_u8 *batch,
    const downhill_packed_u8 *packed, downhill_loss loss, const downhill_gradient_f64 *grad,
    double *loss_sum, const downhill_workspace *workspace, downhill_profile *profile);

/* Performs one minibatch step: loss and gradient, then the update, with n of the batch. The gradient stays in the
 * workspace, in f64 if the batch exceeds "Bounds".
 *
 *   weights  the weights that were packed; updated
 *   packed   from downhill_pack_u8(); overwritten
 * Exactness: the same bits on every table, and as the functions above return.
 * Cost:   that of the two functions; a single sample saves writing and reading dW, because its sums are not stored. */
DOWNHILL_API downhill_status downhill_step_u8(const downhill_kernels *kernels,
                                              const downhill_batch_u8 *batch,
                                              const downhill_weights_f32 *weights,
                                              downhill_packed_u8 *packed, const downhill_sgd *sgd,
                                              double *loss_sum, const downhill_workspace *workspace,
                                              downhill_profile *profile);

#ifdef __cplusplus
}
#endif

/* These fail to compile if flags change the layout of types, so that caller and library would disagree. */
typedef char downhill_build_without_fshort_enums[sizeof(downhill_status) == sizeof(int) ? 1 : -1];
typedef char downhill_build_without_fpack_struct
    [offsetof(downhill_level, auto_name) == 2 * sizeof(const char *) ? 1 : -1];

#endif
