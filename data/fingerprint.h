/* SPDX-License-Identifier: MIT
 *
 * Fingerprint of a data set, to recognise it in a later run. */
#ifndef DOWNHILL_DATA_FINGERPRINT_H
#define DOWNHILL_DATA_FINGERPRINT_H

#include "base/sha256.h"
#include "samples.h"

enum { FINGERPRINT_ROWS_MAX = 4096 };

/* Computes a digest of the number of samples and features, of all labels, and of the features of at
 * most FINGERPRINT_ROWS_MAX evenly spread samples, so that a set larger than memory need not be
 * read. Returns false if libcrypto failed. */
bool samples_fingerprint(const samples *s, char text[DIGEST_TEXT]);

#endif
