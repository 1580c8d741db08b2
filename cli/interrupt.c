/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "interrupt.h"

#include "base/error.h"
#include "base/output.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOTHING "%s: interrupted; nothing was written"

volatile sig_atomic_t interrupt_signal;

/* Messages of end_at_once(), by whether output has begun, and the sequence that clears the progress
 * line. */
static char ended[128], ended_before_output[160];
static const char *clear_line = "";

static void on_signal(int number)
{
    interrupt_signal = number;
}

/* Writes to stderr. Returns false on failure, which cannot be reported. */
static bool say(const char *text)
{
    return write(STDERR_FILENO, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Handles signals while no loop polls interrupt_signal. Makes only async-signal-safe calls. */
static void end_at_once(int number)
{
    if (say(clear_line))
        (void)say(output_has_begun ? ended : ended_before_output);
    raise(number); /* SA_RESETHAND: the default action follows when this handler returns */
}

/* Sets a handler, unless the signal was ignored when the program started, as SIGINT is in
 * background jobs of scripts. */
static void handle(int number, void (*handler)(int))
{
    struct sigaction before;
    if (sigaction(number, NULL, &before) != 0 || before.sa_handler == SIG_IGN)
        return;
    struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void interrupt_announce(const char *command)
{
    error_compose(ended, sizeof ended, "%s: interrupted", command);
    error_compose(ended_before_output, sizeof ended_before_output, NOTHING, command);
    if (isatty(STDERR_FILENO) == 1)
        clear_line = "\r\033[K";
    handle(SIGINT, end_at_once);
    handle(SIGTERM, end_at_once);
}

void interrupt_catch(void)
{
    handle(SIGINT, on_signal);
    handle(SIGTERM, on_signal);
}

int interrupt_end(const char *command)
{
    error_line(NOTHING, command);
    return 128 + interrupt_signal;
}
