/* SPDX-License-Identifier: MIT */
#include "cases.h"

/* Numbers of features: 1 to SMALL_D, which covers every tail of every vector and tile, and the
 * neighbours of powers of two and of common sizes. */
static const size_t some_d[] = {127, 128, 129, 783, 784, 785, 1023, 1024, 1025, 3071, 3072, 3073};

enum {
    SMALL_D = 67,
    N_D = SMALL_D + sizeof some_d / sizeof some_d[0],
    SMALL = 17, /* maximum of n and c in the grids */
    NEXT_MAX = 3,
    PAD = 20,        /* leading dimensions exceed the width by less than this, … */
    COLLIDING = 256, /* … or are the next multiple of this: all rows then fall on one set of L1 */
};

/* Random shapes. Small sizes are drawn more often than large ones. */
static const struct {
    size_t count;    /* number of shapes */
    size_t n, d, c;  /* maximum of each size */
    size_t products; /* maximum of n·d·c */
} random_shapes[] = {
    {5000, 40, 160, 24, SIZE_MAX},
    {500, 300, 1100, 70, 1u << 21},
    {50, 700, 5000, 1000, 1u << 23},
};

/* Shapes outside the grids: many rows (more than one block), many classes, one sample, gradients that are summed panel by
 * panel or column by column (more than 128 rows, more than 256 classes, a dW within and beyond L2), a block whose product
 * of sums of exponentials overflows a double, batches whose gradient with softmax on bytes just fits 32 bits or needs f64,
 * and more classes than it keeps exponentials of. */
static const struct {
    size_t n, d, c;
} some_shapes[] = {
    {255, 33, 10},   {256, 17, 10},   {257, 40, 3},  {300, 784, 10}, {1, 3072, 10},
    {1, 784, 100},   {33, 3072, 10},  {64, 31, 33},  {5, 50, 100},   {3, 70, 1000},
    {600, 5, 2},     {130, 3072, 10}, {65, 129, 65}, {31, 64, 64},   {32, 3073, 11},
    {2, 20000, 3},   {4, 1, 1},       {1, 1, 1},     {256, 5, 1000}, {17, 1025, 70},
    {300, 530, 130}, {64, 159, 10},   {64, 160, 10}, {65, 191, 7},   {140, 50, 270},
    {140, 250, 300}, {514, 30, 5},    {515, 17, 11}, {1100, 33, 4},  {3, 17, 1100},
};

enum {
    GRID_DC = N_D * SMALL,       /* every d with every c */
    GRID_NC = 3 * SMALL * SMALL, /* every n with every c, three times */
    MANY = 64,
    PACKED_COLLIDING = 24,     /* samples from which on colliding rows of W are packed */
    MANY_N = 9,                /* numbers of samples from MANY on … */
    GRID_FAR = MANY_N * SMALL, /* … with every c, samples in memory */
    GRID_PACK = 4 * 4 * SMALL, /* every c, for shapes whose weights are packed for bf16 */
    N_SHAPES = sizeof some_shapes / sizeof some_shapes[0],
    SHAPE_REPEATS = 4, /* each shape, with other random choices */
};

static size_t d_at(size_t i)
{
    return i < SMALL_D ? i + 1 : some_d[i - SMALL_D];
}

size_t verify_chosen_count(void)
{
    return GRID_DC + GRID_NC + GRID_FAR + GRID_PACK + N_SHAPES * SHAPE_REPEATS;
}

size_t verify_case_count(void)
{
    size_t count = verify_chosen_count();
    for (size_t i = 0; i < sizeof random_shapes / sizeof random_shapes[0]; i++)
        count += random_shapes[i].count;
    return count;
}

size_t verify_case_arena_bytes(uint64_t seed)
{
    size_t max = 0;
    for (size_t i = 0; i < verify_case_count(); i++) {
        const verify_case v = verify_case_at(seed, i);
        const size_t ld = (v.d > v.c ? v.d : v.c) + COLLIDING;
        const size_t rows = v.x_rows > v.c ? v.x_rows : v.c;
        const size_t bytes = arena_bytes_needed(rows, ld);
        max = bytes > max ? bytes : max;
    }
    return max;
}

/* Draws a size from 1 to max, small ones more often than large ones. */
static size_t draw_size(rng *r, size_t max)
{
    return 1 + (size_t)rng_below(r, 1 + rng_below(r, max));
}

/* Draws random shape `number`. */
static void draw_shape(rng *r, size_t number, verify_case *v)
{
    size_t kind = 0;
    while (number >= random_shapes[kind].count)
        number -= random_shapes[kind++].count;
    do {
        v->n = draw_size(r, random_shapes[kind].n);
        v->d = draw_size(r, random_shapes[kind].d);
        v->c = draw_size(r, random_shapes[kind].c);
    } while (v->n * v->d * v->c > random_shapes[kind].products);
}

verify_case verify_case_at(uint64_t seed, size_t number)
{
    verify_case v = {.number = (long)number,
                     .random = rng_seeded(seed * UINT64_C(0x100000001B3) + number)};
    rng *r = &v.random;
    if (number < GRID_DC) {
        v.d = d_at(number / SMALL);
        v.c = number % SMALL + 1;
        v.n = 1 + (size_t)rng_below(r, SMALL);
    } else if (number < GRID_DC + GRID_NC) {
        const size_t i = number - GRID_DC;
        v.n = i % SMALL + 1;
        v.c = i / SMALL % SMALL + 1;
        v.d = 1 + (size_t)rng_below(r, SMALL_D);
    } else if (number < GRID_DC + GRID_NC + GRID_FAR) {
        const size_t i = number - GRID_DC - GRID_NC;
        v.n = MANY + i % MANY_N;
        v.c = i / MANY_N + 1;
        v.d = d_at((size_t)rng_below(r, rng_below(r, 4) == 0 ? N_D : SMALL_D));
    } else if (number < GRID_DC + GRID_NC + GRID_FAR + GRID_PACK) {
        /* Weights are packed from 32 or 64 samples and 160 features on, in groups of 32
         * features. */
        static const size_t ns[] = {32, 33, 64, 65}, ds[] = {160, 161, 191, 192};
        const size_t i = number - GRID_DC - GRID_NC - GRID_FAR;
        v.n = ns[i % 4];
        v.d = ds[i / 4 % 4];
        v.c = i / 16 + 1;
    } else if (number >= verify_chosen_count()) {
        draw_shape(r, number - verify_chosen_count(), &v);
    } else {
        const size_t i = (number - GRID_DC - GRID_NC - GRID_FAR - GRID_PACK) / SHAPE_REPEATS;
        v.n = some_shapes[i].n;
        v.d = some_shapes[i].d;
        v.c = some_shapes[i].c;
    }
    v.x_rows = v.n + NEXT_MAX;
    v.n_next = (size_t)rng_below(r, NEXT_MAX + 1);
    v.ldx = v.d + (size_t)rng_below(r, PAD);
    v.ldw = v.d + (size_t)rng_below(r, PAD);
    v.lddw = v.d + (size_t)rng_below(r, PAD);
    v.lds = v.c + (size_t)rng_below(r, PAD);
    v.in_place = rng_below(r, 2) != 0;
    v.ldds = v.in_place ? v.lds : v.c + (size_t)rng_below(r, PAD);
    v.placement = (enum placement)rng_below(r, 3);
    v.offset = (size_t)rng_below(r, 16);
    /* Only one case in eight has NaN and infinities, because they hide other errors. */
    v.numbers =
        rng_below(r, 8) == 0 ? NUMBERS_SPECIAL : (enum numbers)rng_below(r, NUMBERS_SPECIAL);
    v.scattered = rng_below(r, 2) != 0;
    v.far = rng_below(r, 2) != 0;
    if (number >= GRID_DC + GRID_NC && number < GRID_DC + GRID_NC + GRID_FAR)
        v.scattered = v.far = true;
    if (v.n >= PACKED_COLLIDING && rng_below(r, 2) != 0)
        v.ldw = (v.d + COLLIDING - 1) / COLLIDING * COLLIDING;
    v.bias = rng_below(r, 4) != 0;
    v.accumulate = rng_below(r, 2) != 0;
    enum { INTEGER_MARGINS = 4, MARGINS = 8 };
    static const float margins[MARGINS] = {1.0f, 1.0f, 0.0f, 2.0f, 0.3f, 1e-6f, 7.5f, 0.1f};
    v.sgd.loss.kind = DOWNHILL_HINGE; /* the softmax kernels are called with a copy */
    v.sgd.loss.margin =
        margins[rng_below(r, v.numbers == NUMBERS_EXACT ? INTEGER_MARGINS : MARGINS)];
    /* Few powers of two, so that most products are rounded. `decays` are learning rate times weight
     * decay. */
    static const float decays[] = {0.01f, 0.01f, 0.0f, 1.0f, 1.7f, -0.3f};
    static const float rates[] = {0.3f, 0.3f, 0.7f, -0.01f, 0.0f, 1e4f};
    v.sgd.learning_rate = rates[rng_below(r, sizeof rates / sizeof rates[0])];
    v.sgd.weight_decay = decays[rng_below(r, sizeof decays / sizeof decays[0])];
    if (v.sgd.learning_rate != 0.0f)
        v.sgd.weight_decay /= v.sgd.learning_rate;
    v.decay = 1.0f - v.sgd.learning_rate * v.sgd.weight_decay;
    v.step = v.sgd.learning_rate / (float)v.n;
    return v;
}
