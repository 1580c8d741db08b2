# SPDX-License-Identifier: MIT
"""Turns an operand into a shared library: a file as it is, a source tree or a git revision by
building it."""

import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass

from downhill_report.errors import ReportError

from . import progress

# Only the library is built, as for users.
OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DDOWNHILL_BUILD_PROGRAM=OFF",
    "-DDOWNHILL_BUILD_TESTS=OFF",
    "-DDOWNHILL_INSTALL=OFF",
)
LIBRARY = pathlib.Path("kernels/libdownhill.so")


class BadBuild(ReportError):
    code = 2


class FailedBuild(ReportError):
    code = 5


@dataclass(frozen=True)
class Build:
    given: str
    path: pathlib.Path
    what: str  # for people: "commit 0123456789ab", or the path


def find(given: str) -> Build:
    path = pathlib.Path(given)
    if path.is_file():
        return Build(given, path.resolve(), str(path))
    if (path / "CMakeLists.txt").is_file():
        tree = path.resolve()
        name = f"tree-{hashlib.sha256(str(tree).encode()).hexdigest()[:12]}"
        return Build(given, build(given, tree, cache() / name), f"source tree {path}")
    if path.exists() or "/" in given and given.endswith(".so"):
        raise BadBuild(f"{given}: not a libdownhill.so, source tree or git revision")
    return of_revision(given)


def cache() -> pathlib.Path:
    """Returns the directory of builds that were made with this compiler."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    compiler = os.environ.get("CC", "cc")
    version = run([*compiler.split(), "--version"], "the compiler").stdout + os.environ.get(
        "CFLAGS", ""
    )
    key = hashlib.sha256((compiler + version).encode()).hexdigest()[:8]
    return pathlib.Path(base) / "downhill" / "ab" / key


def run(command: list[str], what: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise FailedBuild(f"{what}: {command[0]} is not installed; run scripts/setup") from error


def of_revision(given: str) -> Build:
    found = run(["git", "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}"], "git")
    if found.returncode != 0:
        raise BadBuild(
            f"{given}: not a libdownhill.so, source tree or git revision; in a git clone of "
            "downhill name a revision such as HEAD~1, elsewhere a file or a directory"
        )
    commit = found.stdout.strip()
    what = f"commit {commit[:12]}"
    home = cache() / commit
    if (home / "build" / LIBRARY).is_file():
        return Build(given, home / "build" / LIBRARY, what)
    home.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(home.parent)
    # Built beside its final place, so that an interrupted build is never taken for a whole one.
    partial = pathlib.Path(tempfile.mkdtemp(prefix=f"{commit}.", dir=home.parent))
    try:
        archive = partial / "source.tar"
        top = run(["git", "rev-parse", "--show-toplevel"], "git").stdout.strip()
        made = run(["git", "-C", top, "archive", "-o", str(archive), commit], "git")
        if made.returncode != 0:
            raise FailedBuild(f"{given}: git archive failed: {last_line(made)}")
        (partial / "source").mkdir()
        run(["tar", "-xf", str(archive), "-C", str(partial / "source")], "tar")
        archive.unlink()
        build(given, partial / "source", partial / "build")
        shutil.rmtree(home, ignore_errors=True)
        partial.rename(home)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Build(given, home / "build" / LIBRARY, what)


def remove_abandoned(directory: pathlib.Path) -> None:
    """Removes partial builds of processes that were killed: no build takes a day."""
    for partial in directory.glob("*.*"):
        with contextlib.suppress(FileNotFoundError):  # another process has just finished it
            if time.time() - partial.stat().st_mtime > 86400:
                shutil.rmtree(partial, ignore_errors=True)


def build(given: str, source: pathlib.Path, directory: pathlib.Path) -> pathlib.Path:
    directory.mkdir(parents=True, exist_ok=True)
    commands = (
        ["cmake", "-S", str(source), "-B", str(directory), *OPTIONS],
        ["cmake", "--build", str(directory), "--target", "downhill", "--parallel"],
    )
    for command in commands:
        progress.show(f"ab: building {given}")
        done = run(command, given)
        progress.show("")
        if done.returncode != 0:
            raise FailedBuild(f"{given}: does not build: {last_line(done)} ({' '.join(command)})")
    library = directory / LIBRARY
    if not library.is_file():
        raise FailedBuild(f"{given}: the build produced no {LIBRARY}; name a revision of downhill")
    return library


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Returns the line that names the error, or the last one."""
    lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower()]
    return (errors or lines or ["no message"])[-1 if not errors else 0].strip()
