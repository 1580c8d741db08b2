/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C stops a long command after the sample or step at hand, with its results so far; any other at once. */
#ifndef DOWNHILL_CLI_INTERRUPT_H
#define DOWNHILL_CLI_INTERRUPT_H

#include <signal.h>

/* The number of the signal that asked to stop, or 0. */
extern volatile sig_atomic_t interrupt_signal;

/* From now on SIGINT and SIGTERM end the program by themselves, after a line that names the command. A signal that
 * was ignored when the program started stays ignored, here and by interrupt_catch(). */
void interrupt_announce(const char *command);

/* From now on the first SIGINT or SIGTERM sets interrupt_signal; the second ends the program. The
 * exit code of a command so stopped is 128 + interrupt_signal. */
void interrupt_catch(void);

/* Says that an interrupted command wrote nothing. Returns its exit code. */
int interrupt_end(const char *command);

#endif
