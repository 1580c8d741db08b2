/* SPDX-License-Identifier: MIT */
#include "kernel_list.h"

#include "calls.h"

#define TRAIT(name) BENCH_TRAIT_##name
#define PROOF(name) UINT32_C(1) << VERIFY_##name
#define POLYNOMIAL(...)                                                                            \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

const bench_kernel_info bench_kernels[BENCH_KERNEL_COUNT] = {
#define TIMED(name, group, proofs, element, products, traits, operations, bytes, working_set,      \
              note)                                                                                \
    [BENCH_##name] = {#name,                                                                       \
                      #group,                                                                      \
                      ELEMENT_##element,                                                           \
                      products,                                                                    \
                      traits,                                                                      \
                      proofs,                                                                      \
                      POLYNOMIAL operations,                                                       \
                      POLYNOMIAL bytes,                                                            \
                      POLYNOMIAL working_set,                                                      \
                      note,                                                                        \
                      call_##name},
#define KERNEL(name, group, kind, element, products, traits, operations, bytes, working_set, note) \
    TIMED(name, group, PROOF(name), element, products, traits, operations, bytes, working_set, note)
#include "verify/kernels.def"
};
