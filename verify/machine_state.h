/* SPDX-License-Identifier: MIT
 *
 * Processor state that a function must preserve: the control bits of MXCSR and the x87, an empty
 * x87 stack, and clean upper halves of vector registers 0 to 15, which otherwise slow down SSE
 * code. */
#ifndef DOWNHILL_VERIFY_MACHINE_STATE_H
#define DOWNHILL_VERIFY_MACHINE_STATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct machine_state {
    uint32_t mxcsr;       /* without the exception flags, which arithmetic may set */
    uint16_t x87_control; /* rounding, precision, masks */
    uint16_t x87_tags;    /* 0xFFFF: the stack is empty */
    bool upper;           /* some upper half of a vector register is not 0 */
    bool tiles;           /* AMX tiles are configured */
} machine_state;

/* Reads the state. Call it right after the function under test, because functions of the C
 * library may clear the upper halves (glibc's memcpy() for AVX2 ends in VZEROUPPER). All 0 on
 * CPUs other than x86-64. Not thread-safe. */
machine_state machine_state_now(void);

/* Returns a description of what the function failed to preserve, or NULL. */
const char *machine_state_difference(machine_state before, machine_state after);

#endif
