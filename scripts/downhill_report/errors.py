# SPDX-License-Identifier: MIT
"""Failures that the user can mend, each with its exit code."""

import sys
from typing import NoReturn


class ReportError(Exception):
    """A line that names the thing, the place and the remedy."""

    code = 70


class Mismatch(ReportError):
    code = 2


class BadOutput(ReportError):
    code = 2


class BadResults(ReportError):
    code = 3


class Incomplete(ReportError):
    code = 5


def cannot_print(error: OSError, command: str) -> NoReturn:
    """Standard output takes no more."""
    sys.stdout = None  # or Python would try once more at its end
    leave(70, f"standard output: cannot write: {error.strerror}", command)


def leave(code: int, message: str, command: str = "report") -> NoReturn:
    line = " ".join(message.split())
    print(f"downhill: {command}: {line}", file=sys.stderr)
    sys.exit(code)
