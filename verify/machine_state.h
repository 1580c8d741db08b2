/* SPDX-License-Identifier: MIT
 *
 * What a function must leave as it found it beside memory: the control bits of MXCSR and of the x87, whose stack
 * stays empty, and the upper halves of the vector registers 0 to 15, which slow down SSE code where they are not 0. */
#ifndef DOWNHILL_VERIFY_MACHINE_STATE_H
#define DOWNHILL_VERIFY_MACHINE_STATE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct machine_state {
    uint32_t mxcsr;       /* without the flags, which arithmetic may raise */
    uint16_t x87_control; /* rounding, precision, masks */
    uint16_t x87_tags;    /* 0xFFFF: the stack is empty */
    bool upper,
        tiles; /* the upper halves of vector registers are not all 0; tiles are configured */
} machine_state;

/* Reads the state. Call it right after the function in question: functions of the C library may clean the upper halves
 * (glibc's memcpy() for AVX2 ends in VZEROUPPER). All 0 on CPUs that are not x86-64. For one thread. */
machine_state machine_state_now(void);

/* What the state of after has that the one of before had not; NULL: nothing. */
const char *machine_state_spoilt(machine_state before, machine_state after);

#endif
