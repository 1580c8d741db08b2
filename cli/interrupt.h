/* SPDX-License-Identifier: MIT
 *
 * Ctrl-C: a long command stops after the current sample or step and keeps its results; other
 * commands end at once. */
#ifndef DOWNHILL_CLI_INTERRUPT_H
#define DOWNHILL_CLI_INTERRUPT_H

#include <signal.h>

/* Number of the signal that asked the program to stop, or 0. */
extern volatile sig_atomic_t interrupt_signal;

/* Installs handlers by which SIGINT and SIGTERM print a line that names the command and end the
 * program. A signal that was ignored when the program started stays ignored, here and by
 * interrupt_catch(). */
void interrupt_announce(const char *command);

/* Installs handlers by which the first SIGINT or SIGTERM sets interrupt_signal and the second ends
 * the program. A command that was stopped this way exits with 128 + interrupt_signal. */
void interrupt_catch(void);

/* Prints that the interrupted command wrote nothing. Returns its exit code. */
int interrupt_end(const char *command);

#endif
