# SPDX-License-Identifier: MIT
"""Runs `downhill lockstep` in several processes and collects what they measured."""

import json
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy
from downhill_report.errors import ReportError

from . import progress
from .builds import Build


# Processes of different --seed have different layouts.
SEEDS = 1 << 16


class Failed(ReportError):
    code = 70


@dataclass
class Row:
    name: str
    # Per process, per round: logarithm of new over old, and of the time of old in ns.
    ratios: dict[int, list[float]] = field(default_factory=dict)
    levels: dict[int, list[float]] = field(default_factory=dict)
    difference: float = 0.0  # of the results, relative to the largest
    call_ns: float = 0.0
    skipped: str = ""

    @property
    def is_timed(self) -> bool:
        """Returns whether the row was timed in every round."""
        return bool(self.ratios) and not self.skipped

    def process_ratios(self) -> list[float]:
        return [float(numpy.mean(rounds)) for rounds in self.ratios.values()]


# A quadruple is left out if the two slices of one build differ by more than this: another program
# took the CPU during one of them, for some milliseconds.
DISTURBED = 0.1
KEPT_MIN = 3


def ratio_of(old: list[float], new: list[float]) -> float:
    """Returns the median over undisturbed quadruples of the logarithm of new over old. Within a
    quadruple, ABBA or BAAB, a linear drift cancels."""
    a, b = (numpy.log(numpy.asarray(times).reshape(-1, 2)) for times in (old, new))
    ratios = b.mean(axis=1) - a.mean(axis=1)
    kept = ratios[numpy.maximum(*(numpy.abs(x[:, 0] - x[:, 1]) for x in (a, b))) < DISTURBED]
    return float(numpy.median(kept if len(kept) >= KEPT_MIN else ratios))


def add(row: Row, process: int, line: dict[str, object]) -> None:
    if "skipped" in line:
        row.skipped = str(line["skipped"])
        return
    row.ratios.setdefault(process, []).append(ratio_of(line["old_ns"], line["new_ns"]))
    row.levels.setdefault(process, []).append(float(numpy.median(numpy.log(line["old_ns"]))))
    row.difference = max(row.difference, line["difference"])


def program() -> str:
    found = os.environ.get("DOWNHILL_PROGRAM")
    if not found:
        raise Failed("run it as `downhill ab`, which knows the program to time with")
    return found


def lines_of(command: list[str]) -> Iterator[dict[str, object]]:
    """Yields the lines of one process. Raises Failed if it fails."""
    last = ""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as p,
    ):
        try:
            for text in p.stdout:
                line = json.loads(text)
                last = line["row"]
                yield line
            p.wait()
            errors.seek(0)
            said = errors.read().strip()
        except BaseException:
            p.kill()
            raise
    if p.returncode == 0:
        return
    if p.returncode < 0:
        name = signal.Signals(-p.returncode).name
        where = f"in the row after {last}" if last else "in the first row"
        if p.returncode == -signal.SIGKILL:
            raise Failed(f"a process was killed (SIGKILL) {where}, perhaps for lack of memory")
        raise Failed(
            f"a build crashed ({name}) {where}; `downhill verify` of each build shows whether it "
            "is correct, and both need the same downhill.h"
        )
    raise failed(said.splitlines()[-1] if said else "failed", p.returncode)


def failed(said: str, code: int) -> Failed:
    """Returns the error of a process without the names of the program and command."""
    error = Failed(re.sub(r"^downhill: ((lockstep|bench): )?", "", said))
    error.code = code
    return error


def rows_of(options: list[str]) -> list[str]:
    """Returns the names of the rows, by which a mistake in the options shows before any build."""
    done = subprocess.run(
        [program(), "lockstep", "--list", *options], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise failed(done.stderr.strip(), done.returncode)
    return done.stdout.split()


def measure(
    builds: tuple[Build, Build], names: list[str], processes: int, seed: int, options: list[str]
) -> list[Row]:
    rows = {name: Row(name) for name in names}
    start = time.monotonic()
    for i in range(processes):
        command = [program(), "lockstep", *options, "--seed", str(seed * SEEDS + i)]
        for line in lines_of([*command, *(str(build.path) for build in builds)]):
            add(rows[str(line["row"])], i, line)
        left = (time.monotonic() - start) / (i + 1) * (processes - i - 1)
        progress.show(f"ab: process {i + 1} of {processes}, {left:.0f} s left")
    progress.show("")
    for row in rows.values():
        if row.levels:
            row.call_ns = float(numpy.exp(numpy.median(numpy.concatenate([*row.levels.values()]))))
    return list(rows.values())
