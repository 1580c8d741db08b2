# SPDX-License-Identifier: MIT
"""Writes a file whole or not at all."""

import os
import pathlib
import tempfile

from downhill_report.errors import ReportError


def write(path: pathlib.Path, contents: bytes) -> None:
    try:
        replace(path, contents)
    except OSError as error:
        raise ReportError(f"{path}: cannot write: {error.strerror}; choose another -o") from error


def replace(path: pathlib.Path, contents: bytes) -> None:
    """With the permissions that a plain file would have; mkstemp() makes a private one."""
    mask = os.umask(0)
    os.umask(mask)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
