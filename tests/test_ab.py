# SPDX-License-Identifier: MIT
"""downhill ab: how often its verdicts are wrong on simulated machines, and the command on builds
with a planted delay. Nothing here asserts a speed.

Usage: test_ab.py DOWNHILL DIRECTORY_OF_DELAYED_BUILDS"""

import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import dataclass

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from downhill_ab import builds, measure, verdicts  # noqa: E402
from downhill_compare.verdicts import Verdict  # noqa: E402

RESOLUTION = 0.005


# ---- simulated machines ----


@dataclass(frozen=True)
class Machine:
    """Standard deviations of relative effects; `busy` is the share of slices that another program
    makes 2 to 10 times as long, `wild` that of processes that are disturbed throughout."""

    name: str
    slice: float
    drift: float  # of the machine, from slice to slice: a random walk
    layout: float  # of a round, for both builds
    code: float  # of a round, for one build: the addresses of its code
    busy: float = 0.0
    wild: float = 0.0


MACHINES = [
    Machine("quiet", 0.003, 0.0, 0.01, 0.004),
    Machine("code", 0.005, 0.0005, 0.02, 0.01),
    Machine("load", 0.01, 0.001, 0.02, 0.006, busy=0.15),
    Machine("drift", 0.005, 0.003, 0.01, 0.006, busy=0.02),
    Machine("wild", 0.005, 0.0005, 0.01, 0.006, busy=0.05, wild=0.03),
]
PROCESSES, ROUNDS, QUADRUPLES = 16, 4, 60


def slices(random, machine: Machine, slowdown: float) -> tuple[list[float], list[float]]:
    """Returns the times of one round as `downhill lockstep` prints them."""
    walk = numpy.cumsum(random.normal(0, machine.drift, 4 * QUADRUPLES)).reshape(-1, 4)
    noise = random.normal(0, machine.slice, (QUADRUPLES, 4)) + walk
    noise += random.normal(0, machine.layout)
    slow = random.random(noise.shape) < machine.busy
    noise += numpy.where(slow, numpy.log(random.uniform(2, 10, noise.shape)), 0.0)
    outer_old = random.random(QUADRUPLES) < 0.5
    outer, inner = noise[:, (0, 3)], noise[:, (1, 2)]
    old = numpy.where(outer_old[:, None], outer, inner)
    new = numpy.where(outer_old[:, None], inner, outer)
    new = new + math.log1p(slowdown) + random.normal(0, machine.code * 2**0.5)
    return [list(1e4 * numpy.exp(times).ravel()) for times in (old, new)]


def simulated(random, machine: Machine, slowdown: float) -> measure.Row:
    row = measure.Row("k/avx2/n:1/d:1/c:1")
    for process in range(PROCESSES):
        wild = random.normal(0, 0.2) if random.random() < machine.wild else 0.0
        for _ in range(ROUNDS):
            old, new = slices(random, machine, (1 + slowdown) * math.exp(wild) - 1)
            measure.add(row, process, {"old_ns": old, "new_ns": new, "difference": 0.0})
    return row


class Simulated(unittest.TestCase):
    def test_one_percent__found__and_few_false_alarms(self):
        repeats = 150
        for machine in MACHINES:
            random = numpy.random.default_rng(3)
            for slowdown in (0.0, 0.01, -0.01):
                found, inside = [], 0
                for _ in range(repeats):
                    # Each row by itself: the correction for many rows would hide false alarms.
                    (row,) = verdicts.judged([simulated(random, machine, slowdown)], RESOLUTION)
                    found.append(row.verdict)
                    inside += row.low <= 1 + slowdown <= row.high
                counts = {v.value: found.count(v) / repeats for v in set(found)}
                print(
                    f"{machine.name}, {slowdown:+.0%}: {counts}, interval {inside / repeats:.1%}",
                    file=sys.stderr,
                )
                self.assertGreaterEqual(inside / repeats, 0.91)
                wanted = {0.01: Verdict.SLOWER, -0.01: Verdict.FASTER}.get(slowdown)
                if wanted:
                    self.assertGreaterEqual(found.count(wanted) / repeats, 0.95, machine.name)
                else:
                    alarms = found.count(Verdict.SLOWER) + found.count(Verdict.FASTER)
                    self.assertLessEqual(alarms / repeats, 0.05, machine.name)

    def test_layout__estimated(self):
        random = numpy.random.default_rng(4)
        machine = Machine("m", 0.002, 0.0, 0.02, 0.004)
        found = [
            verdicts.judged([simulated(random, machine, 0.0)], RESOLUTION)[0] for _ in range(40)
        ]
        self.assertAlmostEqual(numpy.mean([row.layout for row in found]), 0.02, delta=0.002)
        # Two builds, and the mean of four rounds.
        of_ratio = numpy.mean([row.layout_ratio for row in found])
        self.assertAlmostEqual(of_ratio, 0.004 * 2**0.5 / 2, delta=0.0005)

    def test_many_rows__rarely_a_false_alarm(self):
        random = numpy.random.default_rng(6)
        wrong = 0
        for _ in range(10):
            rows = [simulated(random, MACHINES[1], 0.0) for _ in range(20)]
            found = verdicts.judged(rows, 0.001)
            wrong += any(r.verdict in (Verdict.SLOWER, Verdict.FASTER) for r in found)
        self.assertLessEqual(wrong, 2)


class Verdicts(unittest.TestCase):
    def test_judge__by_the_interval(self):
        def judge(centre, half, p=0.001):
            return verdicts.judge(math.log1p(centre), half, p, RESOLUTION).value

        self.assertEqual(judge(0.01, 0.004), "SLOWER")
        self.assertEqual(judge(-0.01, 0.004), "FASTER")
        self.assertEqual(judge(0.01, 0.004, p=0.2), "UNSURE")  # not after the correction
        self.assertEqual(judge(0.003, 0.001), "SAME")  # sure, but it does not matter
        self.assertEqual(judge(0.004, 0.002), "UNSURE")
        self.assertEqual(judge(0.0, 0.004, p=1.0), "SAME")
        self.assertEqual(judge(0.006, 0.007), "UNSURE")

    def test_interval__one_wild_process__counts_little(self):
        logs = list(numpy.random.default_rng(1).normal(0.0, 0.001, 15))
        centre, half, _ = verdicts.interval([*logs, 2.0])
        self.assertLess(abs(centre), 0.001)
        self.assertLess(half, 0.0015)

    def test_interval__equal_values(self):
        self.assertEqual(verdicts.interval([0.0] * 8), (0.0, 0.0, 1.0))
        centre, half, p = verdicts.interval([0.01] * 8)
        self.assertAlmostEqual(centre, 0.01)
        self.assertLess(half, 1e-9)
        self.assertLess(p, 1e-6)

    def test_ratio__disturbed_quadruples__left_out(self):
        old, new = [100.0, 100.0] * 5, [102.0, 102.0] * 5
        for at in (0, 3, 5, 7):  # four of five quadruples, but three must remain
            new[at] = 1000.0
        self.assertGreater(measure.ratio_of(old, new), 0.5)
        new[5] = new[7] = 102.0
        self.assertAlmostEqual(measure.ratio_of(old, new), math.log(1.02))


# ---- the command ----


class Command(unittest.TestCase):
    program, directory = "", pathlib.Path()

    def run_ab(self, *arguments, code=0, cwd=None, **variables):
        done = subprocess.run(
            [self.program, "ab", *map(str, arguments)], capture_output=True, text=True,
            cwd=cwd, env=os.environ | variables, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        if code not in (0, 1):
            self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1), done.stderr)
            self.assertTrue(done.stderr.startswith("downhill: ab: "), done.stderr)
        return done

    def delayed(self, percent):
        return self.directory / f"libab_delayed_{percent}.so"

    short = ("--shape", "64x256x10", "--processes", "6", "--time", "20ms")

    def test_planted_delay__slower__and_the_gate_fails(self):
        done = self.run_ab(
            self.delayed(0), self.delayed(20), *self.short, "--filter", "^(score|hinge)_f32/",
            "--isa", "scalar", "--format", "json", "--fail-on", "slower:5%", code=1,
        )  # fmt: skip
        document = json.loads(done.stdout)
        score, hinge = document["rows"]
        self.assertEqual(score["verdict"], "SLOWER")
        self.assertGreater(score["ci95_low"], 1.05)
        self.assertNotEqual(hinge["verdict"], "SLOWER")  # it has no delay
        self.assertEqual(score["results_differ"], 0.0)
        self.assertEqual(len(score["process_ratios"]), 6)
        self.assertEqual(
            done.stderr.split(" (")[0],
            "downhill: ab: 1 row is slower: score_f32/scalar/n:64/d:256/c:10",
        )

    def test_the_other_way_round__faster__and_the_gate_passes(self):
        done = self.run_ab(
            self.delayed(20), self.delayed(0), *self.short, "--filter", "^score_u8/", "--isa",
            "scalar", "--fail-on", "slower",
        )  # fmt: skip
        self.assertRegex(done.stdout, r"score_u8/scalar/n:64/d:256/c:10 .* FASTER\n")
        self.assertIn(f"old: {self.delayed(20)}\nnew: {self.delayed(0)}\n", done.stdout)

    def test_build_that_writes_nothing__not_timed__and_the_gate_fails(self):
        for kernel in ("score_f32", "score_u8"):
            done = self.run_ab(
                self.delayed(0), self.delayed("idle"), *self.short, "--isa", "scalar",
                "--filter", f"^({kernel}|hinge_f32)/", "--fail-on", "slower", code=1,
            )  # fmt: skip
            name = f"{kernel}/scalar/n:64/d:256/c:10"
            self.assertRegex(
                done.stdout, rf"Not timed:\n  {name}: the results of old and new differ by inf "
            )
            self.assertIn("hinge_f32/scalar/n:64", done.stdout)
            self.assertIn(f"downhill: ab: 1 row not compared: {name}: the results", done.stderr)

    def test_git_revisions_and_a_tree__built_once(self):
        with tempfile.TemporaryDirectory() as home:
            tree = pathlib.Path(home) / "tree"
            (tree / "kernels").mkdir(parents=True)
            # A project that copies a library instead of compiling one.
            (tree / "CMakeLists.txt").write_text(
                "cmake_minimum_required(VERSION 3.22)\nproject(x NONE)\n"
                "add_custom_target(downhill COMMAND ${CMAKE_COMMAND} -E copy "
                f"{self.delayed(0)} ${{CMAKE_BINARY_DIR}}/kernels/libdownhill.so\n"
                f"COMMAND ${{CMAKE_COMMAND}} -E touch {home}/built)\n"
            )
            git = ["git", "-c", "user.name=n", "-c", "user.email=e@x"]
            for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
                subprocess.run([*git, *words], cwd=tree, check=True)
            common = (*self.short, "--filter", "^hinge_f32/", "--isa", "scalar")
            done = self.run_ab("HEAD", ".", *common, cwd=tree, XDG_CACHE_HOME=home)
            self.assertRegex(done.stdout, r"^old: commit [0-9a-f]{12}\nnew: source tree \.\n")
            (pathlib.Path(home) / "built").unlink()
            self.run_ab("HEAD", "HEAD", *common, cwd=tree, XDG_CACHE_HOME=home)
            self.assertFalse((pathlib.Path(home) / "built").exists())
            (tree / "CMakeLists.txt").write_text("message(FATAL_ERROR \"error: on purpose\")\n")
            failed = self.run_ab("HEAD", ".", *common, cwd=tree, XDG_CACHE_HOME=home, code=5)
            self.assertIn(".: does not build: ", failed.stderr)

    def test_killed_builds__removed_after_a_day(self):
        with tempfile.TemporaryDirectory() as home:
            for name in ("old.partial", "new.partial", "whole"):
                (pathlib.Path(home) / name / "source").mkdir(parents=True)
            two_days_ago = time.time() - 2 * 86400
            for name in ("old.partial", "whole"):
                os.utime(pathlib.Path(home) / name, (two_days_ago, two_days_ago))
            builds.remove_abandoned(pathlib.Path(home))
            self.assertEqual(sorted(os.listdir(home)), ["new.partial", "whole"])

    def test_refusals(self):
        good = self.delayed(0)
        with tempfile.TemporaryDirectory() as home:
            text = pathlib.Path(home) / "text.so"
            text.write_text("no library")
            libm = next(
                path
                for path in pathlib.Path("/lib").glob("**/libm.so.6")
                if path.stat().st_size > 0
            )
            for arguments, code, message in (
                ((good, text), 3, "text.so: "),
                ((good, libm), 3, "has no function downhill_version"),
                ((good, home), 2, "not a libdownhill.so, source tree or git revision"),
                ((good, "no-such-revision"), 2, "not a libdownhill.so, source tree or git"),
                ((good, good, "--shape", "3x"), 2, "is not SAMPLESxFEATURESxCLASSES"),
                ((good, good, "--filter", "^nothing"), 2, "downhill: ab: no row matches"),
                ((good, good, "--filter", "("), 2, "downhill: ab: --filter: '(' is not a regular"),
                ((good, good, "--filter", "^pack_f32"), 2, "can be timed in two builds"),
                ((good, good, "--isa", "sse9"), 4, "sse9"),
                ((good, good, "--fail-on", "faster"), 2, "is not slower"),
                ((good, good, "--resolution", "2"), 2, "is not a share below 1"),
                ((good, good, "--processes", "3"), 2, "at least 6"),
                ((good,), 2, "NEW"),
            ):
                done = self.run_ab(*arguments, code=code)
                self.assertIn(message, done.stderr)


class Crash(unittest.TestCase):
    def test_crash__named(self):
        with tempfile.TemporaryDirectory() as home:
            program = pathlib.Path(home) / "crash"
            program.write_text("#!/bin/sh\necho '{\"row\": \"a\"}'\nkill -SEGV $$\n")
            program.chmod(0o700)
            with self.assertRaises(measure.Failed) as failed:
                list(measure.lines_of([str(program)]))
            self.assertIn("a build crashed (SIGSEGV) in the row after a", str(failed.exception))


if __name__ == "__main__":
    Command.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    Command.directory = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
