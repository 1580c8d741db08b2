# SPDX-License-Identifier: MIT
"""Ends a script on SIGINT or SIGTERM: at once, without a traceback, but never while files are being
moved into place."""

import atexit
import contextlib
import os
import signal
from collections.abc import Iterator
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Set to True when the first file is moved into place.
has_written = False


def at_once(command: str) -> None:
    """Makes the signals print a line that names the command and then end the process, as the
    commands in C do. Ignored signals stay ignored. Unblocks the signals that `downhill` blocked
    while Python started."""

    def end(number: int, _: Any) -> None:
        with contextlib.suppress(OSError):  # nobody to tell
            os.write(
                2,
                f"downhill: {command}: "
                f"interrupted{'' if has_written else '; nothing was written'}\n".encode(),
            )
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def ignore() -> None:
        """Ignores the signals at exit: the work is done, and a signal during Python's cleanup would
        end the process without a message."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    atexit.register(ignore)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextlib.contextmanager
def afterwards() -> Iterator[None]:
    """Delays signals while the body moves files into place; they are delivered after it."""
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
