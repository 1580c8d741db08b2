# SPDX-License-Identifier: MIT
"""How a script ends by SIGINT or SIGTERM: at once, without a traceback, and not while files are put in place."""

import atexit
import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Whether files are being put in place, or were.
has_written = False


def at_once(command: str) -> None:
    """From now on a signal ends the process after a line that names the command, as it ends a program in C; one that is
    ignored stays so. What `downhill` blocked while Python started is let through."""

    def end(number: int, _: Any) -> None:
        with contextlib.suppress(OSError):  # nobody to tell
            os.write(2, f"downhill: {command}: interrupted{'' if has_written else '; nothing was written'}\n".encode())
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def ignore() -> None:
        """At the end the work is done, and Python would let a signal end it without a line while it cleans up."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    atexit.register(ignore)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextlib.contextmanager
def afterwards() -> Iterator[None]:
    """Around what puts files in place: a signal that comes inside ends the process after it."""
    global has_written
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    has_written = True
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            os.kill(os.getpid(), number)
