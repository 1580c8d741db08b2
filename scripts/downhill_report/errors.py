# SPDX-License-Identifier: MIT
"""Errors that the user can fix, each with its exit code."""

import errno
import sys
from typing import NoReturn


class ReportError(Exception):
    """Its text is one line that names the thing, the place and the remedy."""

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
    """Exits because standard output cannot be written."""
    sys.stdout = None  # otherwise Python would flush it again at exit
    leave(70, f"standard output: cannot write: {error.strerror}; {write_remedy(error)}", command)


def write_remedy(error: OSError, elsewhere: str = "write to another place") -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return f"free some space or {elsewhere}" if full else elsewhere


def leave(code: int, message: str, command: str = "report") -> NoReturn:
    line = " ".join(message.split())
    print(f"downhill: {command}: {line}", file=sys.stderr)
    sys.exit(code)
