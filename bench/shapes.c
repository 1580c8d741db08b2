/* SPDX-License-Identifier: MIT */
#include "shapes.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const bench_shape bench_standard_shapes[] = {
    /* CIFAR-10 has 3072 features, Fashion-MNIST 784. A batch of 256 is usual, 32 rows of 3072
     * features fit into L2, one row is a prediction, and 20000 rows are read from memory. */
    {256, 3072, 10, true, false},
    {256, 784, 10, true, false},
    {1, 3072, 10, true, false},
    {1, 784, 10, false, false},
    {32, 3072, 10, false, false},
    {20000, 3072, 10, false, false},
    {256, 2048, 1000, false, false}, /* last layer of ResNet-50 on ImageNet: W exceeds any L2 */
    /* Further uses. They do not compare levels, so that all of them take about a minute. */
    {256, 4, 3, false, true},      /* Iris: four measurements, three species */
    {8, 13, 3, false, true},       /* Wine: a table of 13 measurements, a few predictions */
    {256, 64, 10, false, true},    /* digits of 8×8 pixels */
    {4096, 100, 2, false, true},   /* table of 100 columns, yes or no, in large batches */
    {256, 784, 26, false, true},   /* letters of EMNIST */
    {256, 3072, 100, false, true}, /* CIFAR-100 */
    {1, 2048, 1000, false, true},  /* one prediction by the last layer of ResNet-50 */
    {256, 1024, 1, false, true},   /* one score per embedding, as for ranking */
    {32, 1024, 16, false, true},   /* embeddings of sentences, 16 topics */
    {8, 4096, 33, false, true},    /* embeddings of a large model; one class more than 32 */
    {256, 5003, 16, false, true},  /* words of a vocabulary whose size is prime */
    {256, 16384, 2, false, true},  /* hashed words of a text, as in spam or not */
};
const size_t bench_standard_shape_count = COUNT(bench_standard_shapes);

const char *const bench_sweep_names[] = {
    [SWEEP_NONE] = NULL, [SWEEP_BATCH] = "batch", [SWEEP_SIZE] = "size", [SWEEP_MAP] = "map"};

/* Powers of two with sizes just below and above, and sizes between them, which show whether powers
 * of two are special. */
static const size_t batch_samples[] = {1,   2,   3,   4,   5,   7,   8,   9,   12,  15,  16,
                                       17,  24,  31,  32,  33,  48,  63,  64,  65,  100, 127,
                                       128, 129, 200, 255, 256, 257, 384, 511, 512, 513};
/* From samples that fit into L1 to samples that fit into no L2. */
static const size_t size_features[] = {64,   128,  256,  512,   784,   1024,  2048,  3072,
                                       4096, 6000, 8192, 12288, 16384, 24000, 32768, 65536};
/* From a table with a binary label to the last layer of a large network. Rows of 1024, 2048,
 * 4096 and 16384 features alias in L1, the others do not. */
static const size_t map_classes[] = {1, 2, 3, 10, 16, 26, 33, 100, 1000};
static const size_t map_features[] = {4, 16, 100, 784, 1024, 2048, 3000, 4096, 16384};
static const size_t quick_map_classes[] = {2, 10, 100}, quick_map_features[] = {16, 784, 4096};

static size_t map_shapes(const size_t *classes, size_t n_classes, const size_t *features,
                         size_t n_features, bench_shape *shapes)
{
    for (size_t j = 0; j < n_classes; j++)
        for (size_t k = 0; k < n_features; k++)
            shapes[j * n_features + k] =
                (bench_shape){.n = 256, .d = features[k], .c = classes[j], .brief = true};
    return n_classes * n_features;
}

size_t bench_sweep_shapes(bench_sweep sweep, bool quick, bench_shape shapes[BENCH_SWEEP_SHAPES_MAX])
{
    switch (sweep) {
    case SWEEP_BATCH:
        for (size_t i = 0; i < COUNT(batch_samples); i++)
            shapes[i] = (bench_shape){.n = batch_samples[i], .d = 3072, .c = 10};
        return COUNT(batch_samples);
    case SWEEP_SIZE:
        for (size_t i = 0; i < COUNT(size_features); i++)
            shapes[i] = (bench_shape){.n = 64, .d = size_features[i], .c = 10};
        return COUNT(size_features);
    case SWEEP_MAP:
        return quick ? map_shapes(quick_map_classes, COUNT(quick_map_classes), quick_map_features,
                                  COUNT(quick_map_features), shapes)
                     : map_shapes(map_classes, COUNT(map_classes), map_features,
                                  COUNT(map_features), shapes);
    case SWEEP_NONE:
        break;
    }
    return 0;
}
