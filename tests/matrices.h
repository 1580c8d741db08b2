/* SPDX-License-Identifier: MIT
 *
 * Compound literals for arguments of downhill.h. */
#ifndef DOWNHILL_TESTS_MATRICES_H
#define DOWNHILL_TESTS_MATRICES_H

#include "downhill.h"

#define F32(data, ld, rows, columns) (&(const downhill_matrix_f32){data, ld, rows, columns})
#define F64(data, ld, rows, columns) (&(const downhill_matrix_f64){data, ld, rows, columns})
#define I16(data, ld, rows, columns) (&(const downhill_matrix_i16){data, ld, rows, columns})

/* Options of a step with the hinge loss. */
#define HINGE(margin, learning_rate, weight_decay)                                                 \
    (&(const downhill_sgd){{DOWNHILL_HINGE, margin}, learning_rate, weight_decay})

#endif
