/* SPDX-License-Identifier: MIT
 *
 * Is this the data set that it was? */
#ifndef DOWNHILL_DATA_DIGEST_H
#define DOWNHILL_DATA_DIGEST_H

#include "samples.h"

enum { DIGEST_TEXT = 2 * 32 + 1, DIGEST_ROWS_MAX = 4096 };

/* SHA-256, in hexadecimal, of the number of samples and features, of all labels, and of the features of samples spread
 * evenly, at most DIGEST_ROWS_MAX, so that a set larger than memory is not read for it. false: the library
 * for it failed. */
bool samples_digest(const samples *s, char text[DIGEST_TEXT]);

#endif
