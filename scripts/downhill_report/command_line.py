# SPDX-License-Identifier: MIT
"""The command line of a script, in the style of the commands written in C."""

import argparse
import difflib
import pathlib
import re
from collections.abc import Callable
from typing import Any, NoReturn

from . import errors


def whole(minimum: int) -> Callable[[str], int]:
    """Returns an argparse type: a decimal integer from `minimum` to 2³¹ - 1."""

    def parse(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= 10
        if not digits or not minimum <= int(text) < 1 << 31:
            raise argparse.ArgumentTypeError(
                f"'{text}' is not a whole number of at least {minimum}"
            )
        return int(text)

    return parse


def path(kind: str = "file") -> Callable[[str], pathlib.Path]:
    """Returns an argparse type: a path. Refuses the empty string, which pathlib would turn into the
    current directory."""

    def parse(text: str) -> pathlib.Path:
        if not text:
            raise argparse.ArgumentTypeError(f"the name is empty; name a {kind}")
        return pathlib.Path(text)

    return parse


class Parser(argparse.ArgumentParser):
    """Starts the help with one "Usage:" line, from which help2man makes the SYNOPSIS. Reports a
    usage error in one line, without repeating the usage."""

    def __init__(self, command: str, operands: str = "", prog: str = "", **more: Any) -> None:
        usage = f"%(prog)s [OPTION]... {operands}".rstrip()
        super().__init__(prog=prog or f"downhill {command}", usage=usage, **more)
        self.command = command

    def add_argument(self, *names: Any, **more: Any) -> argparse.Action:
        """Adds an option; shows the values of a choice as the commands in C do."""
        if "choices" in more:
            more.setdefault("metavar", "|".join(more["choices"]))
        return super().add_argument(*names, **more)

    def format_help(self) -> str:
        return super().format_help().replace("usage:", "Usage:", 1)

    def error(self, message: str) -> NoReturn:
        near = self.nearest(message)
        meant = f" (did you mean {near}?)" if near else ""
        errors.leave(2, f"{message}{meant}; `{self.prog} --help` shows more", self.command)

    def nearest(self, message: str) -> str:
        """Returns the option closest to the one that the message calls unknown, or "" if none
        is."""
        unknown = re.match(r"unrecognized arguments: (--[^ =]+)", message)
        known = [name for action in self._actions for name in action.option_strings]
        return next(iter(difflib.get_close_matches(unknown[1], known, 1)), "") if unknown else ""
