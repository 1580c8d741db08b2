/* SPDX-License-Identifier: MIT
 *
 * Compares the bits of a kernel table with a fixed order of sums with those of the level fma, whose
 * plain C defines the order. */
#ifndef DOWNHILL_VERIFY_ORDER_H
#define DOWNHILL_VERIFY_ORDER_H

#include "workbench.h"

enum { ORDER_OUTPUTS_MAX = 4 };

/* The outputs of the level fma in the current case. */
typedef struct order_bits {
    float *outputs[ORDER_OUTPUTS_MAX];
    double loss;
} order_bits;

/* Allocates room for the outputs of all cases of a seed. Returns false if out of memory. */
bool order_bits_open(order_bits *bits, uint64_t seed);
void order_bits_close(order_bits *bits);

/* Returns whether the table sums features of this type in the fixed order. */
bool order_is_fixed(const downhill_kernels *kernels, enum element element);

/* Keeps the outputs that the last check of the workbench left in its buffers. */
void order_bits_take(order_bits *bits, const workbench *bench, const verify_case *v,
                     verify_kernel kernel);

/* Compares the outputs of the last check with those that were kept. Two NaNs are equal, and so are
 * two zeros. Returns false, and describes the difference in bench->failure, if any bit differs. */
bool order_bits_same(const order_bits *bits, workbench *bench, const verify_case *v,
                     verify_kernel kernel);

#endif
