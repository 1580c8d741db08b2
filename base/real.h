/* SPDX-License-Identifier: MIT
 *
 * Real numbers as text: the shortest decimal that reads back as the same number, so that 0.3 stays
 * 0.3 although it is 0.300000012 in f32; and words for values that are not finite. */
#ifndef DOWNHILL_BASE_REAL_H
#define DOWNHILL_BASE_REAL_H

#include <jansson.h>

/* The longest f64 with decimals has 309 digits before the point. */
enum { REAL_TEXT = 32, REAL_FIXED_TEXT = 340 };

/* Write the shortest decimal to `text` and return it. */
const char *real_f32(float value, char text[REAL_TEXT]);
const char *real_f64(double value, char text[REAL_TEXT]);

/* Returns the f64 nearest to the shortest decimal of an f32: 0.3, and not 0.30000001192092896. */
double real_of_f32(float value);

/* Returns `value` with `decimals` decimals as by "%.*f", from 1e6 as by "%g", or in words if it is
 * infinite or not a number. The result is `text` or a string literal. */
const char *real_fixed(double value, int decimals, char text[REAL_FIXED_TEXT]);

/* Returns the JSON text of `root`, to be freed, with sorted keys and the shortest decimal of every
 * real number. NULL: out of memory. */
char *real_json(const json_t *root);

#endif
