# SPDX-License-Identifier: MIT
"""Writes files that appear whole or not at all, and checks in advance that they can be written."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator

from . import ending, kinds
from .errors import BadOutput, ReportError, write_remedy


def check(path: pathlib.Path, kind: kinds.Kind) -> None:
    """Called before the work. Refuses a path where no file can be made or a file of another kind
    would be lost."""
    if os.path.isdir(path):
        raise BadOutput(f"{path}: is a directory; name a file")
    refuse_stream(path, kind)
    if not is_special(path):
        probe(path.parent, path)
        kinds.check(path, kind)
    elif not os.access(path, os.W_OK):
        raise BadOutput(f"{path}: cannot write to it; name a file that is writable")


def refuse_stream(path: pathlib.Path, kind: kinds.Kind) -> None:
    """Refuses a regular file that is a standard stream of this process, under any name: replacing
    it would lose what is written to the stream."""
    otherwise = {
        kinds.Kind.COMPARISON: ", or leave --output out for standard output",
        kinds.Kind.PEERS: ", or '-' for standard output",
    }
    for descriptor, stream in enumerate(("input", "output", "error")):
        try:
            same = os.path.isfile(path) and os.path.samestat(os.stat(path), os.fstat(descriptor))
        except OSError:  # closed, or the file is gone
            continue
        if same:
            raise BadOutput(
                f"{path}: is the file of standard {stream}, and replacing it would lose what is "
                f"written there; name another file{otherwise.get(kind, '')}"
            )


def check_directory(path: pathlib.Path) -> None:
    """Called before the work. Checks that files can be made in the directory, or the directory in
    its parent. Leaves nothing there."""
    probe(path if os.path.lexists(path) else path.parent, path)


@contextlib.contextmanager
def directories(*paths: pathlib.Path) -> Iterator[None]:
    """Makes the missing directories, and removes them again if the body fails."""
    new: list[pathlib.Path] = []
    try:
        for path in paths:
            if not path.is_dir():
                path.mkdir()
                new.append(path)
        yield
    except BaseException:
        for path in reversed(new):
            with contextlib.suppress(OSError):  # another program already put files there
                path.rmdir()
        raise


def probe(directory: pathlib.Path, path: pathlib.Path) -> None:
    """Checks by making an unnamed file: the permissions of a directory do not show whether files
    can be made in it."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise BadOutput(
            f"{path}: cannot write there: {error.strerror}; name a directory that exists and is "
            "writable"
        ) from error


def is_special(path: pathlib.Path) -> bool:
    """Returns whether the path is a device or a pipe, which is written to directly and never
    replaced."""
    return os.path.exists(path) and not os.path.isfile(path)


def is_one_of(path: pathlib.Path, others: Iterable[pathlib.Path]) -> bool:
    """Returns whether the path leads to one of these files; paths that do not exist never match."""
    return any(
        os.path.exists(path) and os.path.exists(o) and os.path.samefile(path, o) for o in others
    )


def write(path: pathlib.Path, contents: bytes, kind: kinds.Kind) -> None:
    """Writes the file. If another program put a file of another kind there after check(), keeps
    that file and writes the contents beside it."""
    try:
        if is_special(path):
            ending.has_written = True
            path.write_bytes(contents)
            return
        try:
            kinds.check(path, kind)
        except BadOutput as error:
            aside = pathlib.Path(f"{path}.{os.getpid()}")
            with aside.open("xb") as file:
                file.write(contents)
            raise ReportError(f"{error}; the new contents are in {aside}") from error
        replace({pathlib.Path(os.path.realpath(path)): contents})
    except OSError as error:
        raise ReportError(
            f"{path}: cannot write: {error.strerror}; {write_remedy(error)}"
        ) from error


@ending.afterwards()
def replace(made: dict[pathlib.Path, bytes]) -> None:
    """Moves the files into place after all are written. Sets the permissions of an ordinary new
    file, because mkstemp() makes private ones."""
    mask = os.umask(0)
    os.umask(mask)
    temporaries: dict[pathlib.Path, str] = {}
    try:
        for path, contents in made.items():
            descriptor, temporaries[path] = tempfile.mkstemp(
                prefix=f".{path.name[:100]}-", dir=path.parent
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(contents)
            os.chmod(temporaries[path], 0o666 & ~mask)
        for path in made:
            os.replace(temporaries[path], path)
            del temporaries[path]
    finally:
        for temporary in temporaries.values():
            os.unlink(temporary)
