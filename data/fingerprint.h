/* SPDX-License-Identifier: MIT
 *
 * Is this the data set that it was? */
#ifndef DOWNHILL_DATA_FINGERPRINT_H
#define DOWNHILL_DATA_FINGERPRINT_H

#include "base/sha256.h"
#include "samples.h"

enum { FINGERPRINT_ROWS_MAX = 4096 };

/* The digest of the number of samples and features, of all labels, and of the features of samples spread evenly, at most
 * FINGERPRINT_ROWS_MAX, so that a set larger than memory is not read for it. false: the library for it failed. */
bool samples_fingerprint(const samples *s, char text[DIGEST_TEXT]);

#endif
