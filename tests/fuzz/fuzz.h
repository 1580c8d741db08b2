/* SPDX-License-Identifier: MIT
 *
 * For the fuzzers of readers, which take files: what a fuzzer made, under a name. */
#ifndef DOWNHILL_TESTS_FUZZ_H
#define DOWNHILL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* A path of this name in a directory of this process alone, in memory; one at a time. */
const char *fuzz_path(const char *name);

/* The bytes in a file of this name, and its path. */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t count);

/* A reader returned that: 0, or that the input is bad (EXIT_DATA). Anything else ends the process, as a fault would. */
void fuzz_expect(int code);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#endif
