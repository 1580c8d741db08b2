# SPDX-License-Identifier: MIT
"""How a script ends by SIGINT or SIGTERM: at once, without a traceback, and not while files are put in place."""

import contextlib
import os
import signal
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def at_once() -> None:
    """From now on a signal ends the process, as it ends a program in C; one that is ignored stays so. What `downhill`
    blocked while Python started is let through."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextlib.contextmanager
def afterwards() -> Iterator[None]:
    """A signal that comes inside ends the process after it."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            os.kill(os.getpid(), number)
