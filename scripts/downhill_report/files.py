# SPDX-License-Identifier: MIT
"""Files that appear whole or not at all, and whether they can be made where they are asked for."""

import contextlib
import os
import pathlib
import tempfile
from collections.abc import Iterable, Iterator

from . import ending, kinds
from .errors import BadOutput, ReportError


def check(path: pathlib.Path, kind: kinds.Kind) -> None:
    """Refuses, before the work, a place where no file of this kind can be made or another kind would be lost."""
    if os.path.isdir(path):
        raise BadOutput(f"{path}: is a directory; name a file")
    refuse_stream(path, kind)
    if not is_special(path):
        probe(path.parent, path)
        kinds.check(path, kind)
    elif not os.access(path, os.W_OK):
        raise BadOutput(f"{path}: cannot write to it; name a file that is writable")


def refuse_stream(path: pathlib.Path, kind: kinds.Kind) -> None:
    """Refuses a regular file that is a standard stream of this process, under whatever name: a file in its place would
    lose what the stream has written."""
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
                f"{path}: is the file of standard {stream}, and replacing it would lose what is written there; "
                f"name another file{otherwise.get(kind, '')}"
            )


def check_directory(path: pathlib.Path) -> None:
    """Before the work: can files be made in it, or it itself in its parent? Leaves nothing there."""
    probe(path if os.path.lexists(path) else path.parent, path)


@contextlib.contextmanager
def directories(*paths: pathlib.Path) -> Iterator[None]:
    """Makes those that are missing, and removes them again if the work inside fails."""
    new: list[pathlib.Path] = []
    try:
        for path in paths:
            if not path.is_dir():
                path.mkdir()
                new.append(path)
        yield
    except BaseException:
        for path in reversed(new):
            with contextlib.suppress(OSError):  # another program uses it already
                path.rmdir()
        raise


def probe(directory: pathlib.Path, path: pathlib.Path) -> None:
    """By a file without a name: its permissions alone do not tell what a directory lets be made in it."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise BadOutput(
            f"{path}: cannot write there: {error.strerror}; name a directory that exists and is writable"
        ) from error


def is_special(path: pathlib.Path) -> bool:
    """A device or a pipe: nothing can be half-written there, and it must stay what it is."""
    return os.path.exists(path) and not os.path.isfile(path)


def is_one_of(path: pathlib.Path, others: Iterable[pathlib.Path]) -> bool:
    """Does it lead to one of these files? Not where one of the two is not there."""
    return any(os.path.exists(path) and os.path.exists(o) and os.path.samefile(path, o) for o in others)


def write(path: pathlib.Path, contents: bytes, kind: kinds.Kind) -> None:
    """Keeps a file that another program put there after check(); the contents then get a name beside it."""
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
            raise ReportError(f"{error}; what was to be written there is in {aside}") from error
        replace({pathlib.Path(os.path.realpath(path)): contents})
    except OSError as error:
        raise ReportError(f"{path}: cannot write: {error.strerror}; choose another place") from error


@ending.afterwards()
def replace(made: dict[pathlib.Path, bytes]) -> None:
    """Puts them in place when all are written, with the permissions that a plain file would have; mkstemp()
    makes private ones."""
    mask = os.umask(0)
    os.umask(mask)
    temporaries: dict[pathlib.Path, str] = {}
    try:
        for path, contents in made.items():
            descriptor, temporaries[path] = tempfile.mkstemp(prefix=f".{path.name[:100]}-", dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                file.write(contents)
            os.chmod(temporaries[path], 0o666 & ~mask)
        for path in made:
            os.replace(temporaries[path], path)
            del temporaries[path]
    finally:
        for temporary in temporaries.values():
            os.unlink(temporary)
