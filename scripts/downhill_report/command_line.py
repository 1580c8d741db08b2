# SPDX-License-Identifier: MIT
"""The command line of a script, as those of the commands in C are."""

import argparse
from typing import Any, NoReturn

from . import errors


class Parser(argparse.ArgumentParser):
    """Begins its help with "Usage:" in one line, of which help2man makes the SYNOPSIS; a mistake gets one
    line, and not the usage with it."""

    def __init__(self, command: str, operands: str = "", prog: str = "", **more: Any) -> None:
        usage = f"%(prog)s [OPTION]... {operands}".rstrip()
        super().__init__(prog=prog or f"downhill {command}", usage=usage, **more)
        self.command = command

    def format_help(self) -> str:
        return super().format_help().replace("usage:", "Usage:", 1)

    def error(self, message: str) -> NoReturn:
        errors.leave(2, f"{message}; `{self.prog} --help` shows more", self.command)
