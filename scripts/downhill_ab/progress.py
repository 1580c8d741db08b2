# SPDX-License-Identifier: MIT
"""Shows on a terminal what takes time."""

import sys


def show(text: str) -> None:
    """Replaces the line of progress; "" removes it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
