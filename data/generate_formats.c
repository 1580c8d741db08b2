/* SPDX-License-Identifier: MIT */
#include "generate_formats.h"

#include "dataset.h"
#include "npy.h"

#include <inttypes.h>

enum { PICTURE = 3072, BYTES_CLASSES = 256, FINE_PER_COARSE = 5 };

static bool put_bytes(FILE *file, const void *bytes, size_t count)
{
    return fwrite(bytes, 1, count, file) == count;
}

static bool put_features(FILE *x, generate_shape shape, generate_sample sample)
{
    return shape.bytes ? put_bytes(x, sample.u8, shape.d)
                       : put_bytes(x, sample.f32, shape.d * sizeof *sample.f32);
}

/* ---- IDX ---- */

static bool put_big_endian(FILE *file, size_t value)
{
    const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};
    return put_bytes(file, bytes, sizeof bytes);
}

/* Returns the square root of d, or 0 if d is not a square. */
static size_t side_of_square(size_t d)
{
    size_t side = 1;
    while (side * side < d)
        side++;
    return side * side == d ? side : 0;
}

/* A square number of features is written as pictures, any other number as vectors. */
static bool idx_head(FILE *x, FILE *y, generate_shape shape)
{
    const size_t side = side_of_square(shape.d);
    const bool sizes = side == 0 ? put_big_endian(x, 0x802) && put_big_endian(x, shape.n) &&
                                       put_big_endian(x, shape.d)
                                 : put_big_endian(x, 0x803) && put_big_endian(x, shape.n) &&
                                       put_big_endian(x, side) && put_big_endian(x, side);
    return sizes && put_big_endian(y, 0x801) && put_big_endian(y, shape.n);
}

static bool idx_put(FILE *x, FILE *y, generate_shape shape, generate_sample sample)
{
    return put_features(x, shape, sample) && putc(sample.label, y) != EOF;
}

/* ---- NPY ---- */

bool generate_npy_head(FILE *file, char kind, size_t element_bytes, size_t rows, size_t columns)
{
    unsigned char header[NPY_HEADER_MAX];
    const npy_header h = {.kind = kind,
                          .element_bytes = element_bytes,
                          .dimensions = columns > 0 ? 2 : 1,
                          .shape = {rows, columns}};
    return put_bytes(file, header, npy_format(&h, header));
}

static bool npy_head(FILE *x, FILE *y, generate_shape shape)
{
    return generate_npy_head(x, shape.bytes ? 'u' : 'f', shape.bytes ? 1 : 4, shape.n, shape.d) &&
           generate_npy_head(y, 'i', sizeof(int32_t), shape.n, 0);
}

static bool npy_put(FILE *x, FILE *y, generate_shape shape, generate_sample sample)
{
    return put_features(x, shape, sample) && put_bytes(y, &sample.label, sizeof sample.label);
}

/* ---- LIBSVM ---- */

static bool libsvm_put(FILE *x, FILE *y, generate_shape shape, generate_sample sample)
{
    (void)y;
    bool good = fprintf(x, "%" PRId32, sample.label) > 0;
    for (size_t f = 0; f < shape.d && good; f++)
        good = (shape.bytes ? fprintf(x, " %zu:%d", f + 1, sample.u8[f])
                            : fprintf(x, " %zu:%.9g", f + 1, (double)sample.f32[f])) > 0;
    return good && putc('\n', x) != EOF;
}

/* ---- CIFAR ---- */

static bool cifar10_put(FILE *x, FILE *y, generate_shape shape, generate_sample sample)
{
    (void)y;
    return putc(sample.label, x) != EOF && put_features(x, shape, sample);
}

static bool cifar100_put(FILE *x, FILE *y, generate_shape shape, generate_sample sample)
{
    (void)y;
    return putc(sample.label / FINE_PER_COARSE, x) != EOF && putc(sample.label, x) != EOF &&
           put_features(x, shape, sample);
}

const generate_format generate_formats[] = {
    {.word = "idx",
     .bytes_only = true,
     .classes_max = BYTES_CLASSES,
     .n_train_parts = 1,
     .parts = {{"-train-images.idx", "-train-labels.idx"},
               {"-test-images.idx", "-test-labels.idx"}},
     .head = idx_head,
     .put = idx_put},
    {.word = "npy",
     .classes_max = DATASET_CLASSES_MAX,
     .n_train_parts = 1,
     .parts = {{"-train-x.npy", "-train-y.npy"}, {"-test-x.npy", "-test-y.npy"}},
     .head = npy_head,
     .put = npy_put},
    {.word = "libsvm",
     .classes_max = DATASET_CLASSES_MAX,
     .n_train_parts = 1,
     .parts = {{"-train.libsvm"}, {"-test.libsvm"}},
     .put = libsvm_put},
    {.word = "cifar10",
     .bytes_only = true,
     .features = PICTURE,
     .classes = 10,
     .classes_max = 10,
     .directory = true,
     .n_train_parts = 5,
     .parts = {{"/data_batch_1.bin"},
               {"/data_batch_2.bin"},
               {"/data_batch_3.bin"},
               {"/data_batch_4.bin"},
               {"/data_batch_5.bin"},
               {"/test_batch.bin"}},
     .put = cifar10_put},
    {.word = "cifar100",
     .bytes_only = true,
     .features = PICTURE,
     .classes = 100,
     .classes_max = 100,
     .directory = true,
     .n_train_parts = 1,
     .parts = {{"/train.bin"}, {"/test.bin"}},
     .put = cifar100_put},
};
