/* SPDX-License-Identifier: MIT
 *
 * CIFAR-10 and CIFAR-100. Every file of the data set has the bytes of the fuzzer. */
#define _GNU_SOURCE
#include "fuzz.h"

#include "base/error.h"
#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                    "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin",
                                    "train.bin",        "test.bin"};

static void link_all(void)
{
    char first[512];
    snprintf(first, sizeof first, "%s", fuzz_path("x"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (access(fuzz_path(names[i]), F_OK) != 0 && symlink(first, fuzz_path(names[i])) != 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static const char *const words[] = {"cifar10", "cifar100"};
    char spec[600];
    fuzz_file("x", bytes, count);
    link_all();
    for (int w = 0; w < 2; w++)
        for (int mapped = 0; mapped < 2; mapped++) {
            dataset data;
            snprintf(spec, sizeof spec, "%s:%s", words[w], fuzz_path(""));
            const int code = dataset_open_for(spec, mapped != 0, (dataset_use){0}, &data);
            fuzz_expect(code);
            for (size_t i = 0; code == EXIT_OK && i < data.train.n; i++)
                if (samples_label(&data.train, i) < 0 ||
                    (size_t)samples_label(&data.train, i) >= data.c)
                    abort();
            if (code == EXIT_OK)
                dataset_close(&data);
        }
    return 0;
}
