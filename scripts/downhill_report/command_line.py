# SPDX-License-Identifier: MIT
"""The command line of a script, as those of the commands in C are."""

import argparse
import difflib
import re
from collections.abc import Callable
from typing import Any, NoReturn

from . import errors


def whole(least: int) -> Callable[[str], int]:
    """The type of an option whose value is a whole number."""

    def parse(text: str) -> int:
        digits = text.isascii() and text.isdigit() and len(text) <= 10
        if not digits or not least <= int(text) < 1 << 31:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least {least}")
        return int(text)

    return parse


class Parser(argparse.ArgumentParser):
    """Begins its help with "Usage:" in one line, of which help2man makes the SYNOPSIS; a mistake gets one
    line, and not the usage with it."""

    def __init__(self, command: str, operands: str = "", prog: str = "", **more: Any) -> None:
        usage = f"%(prog)s [OPTION]... {operands}".rstrip()
        super().__init__(prog=prog or f"downhill {command}", usage=usage, **more)
        self.command = command

    def add_argument(self, *names: Any, **more: Any) -> argparse.Action:
        """Shows the words of a choice as the commands in C do."""
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
        """The option that was meant by one that the message calls unknown, or nothing."""
        unknown = re.match(r"unrecognized arguments: (--[^ =]+)", message)
        known = [name for action in self._actions for name in action.option_strings]
        return next(iter(difflib.get_close_matches(unknown[1], known, 1)), "") if unknown else ""
