/* SPDX-License-Identifier: MIT
 *
 * Helpers of the fuzzers of file readers: they write the input of the fuzzer to a file. */
#ifndef DOWNHILL_TESTS_FUZZ_H
#define DOWNHILL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Returns the path of a file in a directory of this process, in memory. Valid until the next
 * call. */
const char *fuzz_path(const char *name);

/* Writes the bytes to a file of this name and returns its path, valid until the next call. */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t count);

/* Aborts unless a reader returned EXIT_OK, or EXIT_DATA for bad input. */
void fuzz_expect(int code);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
