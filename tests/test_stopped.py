# SPDX-License-Identifier: MIT
"""Every command ends on SIGINT and SIGTERM: soon, with the exit code of the signal, without a
traceback, and with its files complete or absent. "Soon" is measured in CPU time, which does not
depend on the load of the machine.

Usage: test_stopped.py PROGRAM"""

import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = sys.argv.pop(1)
# A command that is still running after this time ignores the signal.
LIMIT_S = 60
# Maximum CPU time per thread after the signal.
LIMIT_CPU_S = 2.0
# After this time a command has started and reports that it was interrupted.
STARTED_S = 0.4
DATA = "libsvm:{d}/data-train.libsvm"
# One pass over these data takes seconds with one scalar thread.
WIDE = "npy:{d}/wide-train-x.npy,{d}/wide-train-y.npy"
LANDSCAPE = f"landscape --isa scalar --directions 2 --points 1001 --data {DATA}"
NOT_KEPT = "no results are kept; give --json"
BENCH = "bench --isa scalar --min-time 30s --max-time 30000s --shape 64x784x10 --json {d}/o.json"
# (command, text to wait for in its output, seconds to wait after that). These commands run for
# hours or read WIDE. {d} is the directory of the test.
LONG = (
    ("verify --stride 1", "", 0.3),
    (f"{BENCH} --no-ceilings --filter ^hinge_f32", "", 0.3),
    (f"{BENCH} --no-ceilings --filter ^hinge_f32", "checks passed", 0.5),
    (f"{BENCH} --no-ceilings --passes 20 --filter ^hinge_f32", "checks passed", 0.5),
    (f"{BENCH} --filter ^hinge_f32", "checks passed", 0.6),  # ceilings
    ("bench --ceilings --json {d}/o.json", "", 0.6),
    (f"gradcheck --isa scalar --samples 4000 --data {WIDE} --json {{d}}/o.json", "", 1.0),
    (f"gradcheck --isa scalar --samples 4000 --data {WIDE}", NOT_KEPT, 0.0),
    (f"{LANDSCAPE} --json {{d}}/o.json", "", 1.0),
    (LANDSCAPE, NOT_KEPT, 0.0),
    (f"step-sweep --isa scalar --points 10000 --data {WIDE} --json {{d}}/o.json", "", 1.0),
    *(
        (f"train --isa scalar --method {method} --data {DATA} --json {{d}}/o.json", "", 1.0)
        for method in (
            "sgd --epochs 1000000 --model {d}/o.npz", "random-search --tries 1000000",
            "local-search --tries 1000000", "numerical --iterations 1000000",
        )
    ),
    (
        f"train --isa scalar --method lbfgs --loss softmax --data {WIDE} --tolerance 0"
        " --json {d}/o.json", "", 1.0,
    ),
    # The evaluations after the last step.
    (
        f"train --isa scalar --data {WIDE} --epochs 1 --model {{d}}/o.npz --json {{d}}/o.json",
        "epoch ", 0.0,
    ),
    (
        "data gen --format npy --samples 2000000 --features 2000 --test-samples 0 --output {d}/g",
        "", 0.5,
    ),
)  # fmt: skip
# (command, seconds to wait). These commands may end before the signal arrives.
SHORT = (
    ("info --json", 0.0),
    ("info", 0.02),
    ("doctor --json {d}/o.json", 0.3),
    (f"data check --data {DATA} --json {{d}}/o.json", 0.01),
    (
        f"predict --data {DATA} --set all --model {{d}}/model.npz --csv {{d}}/o.csv --json "
        "{d}/o.json",
        0.02,
    ),
    (
        f"predict --isa scalar --data {WIDE} --set all --model {{d}}/wide.npz --json {{d}}/o.json",
        0.8,
    ),
    *(
        (command, after)
        for after in (0.0, 0.03, 0.1, 0.4, 1.0, 2.0)
        for command in (
            "compare {d}/bench.json {d}/bench.json -o {d}/o.txt",
            "gallery --add {d}/bench.json --name a {d}/gallery",
            "report {d}/bench.json -o {d}/report",
            "plot {d}/train.json -o {d}/o.svg",
        )
    ),
)


def name_of(command):
    return "data [a-z]+" if command.startswith("data") else command.split()[0]


def cpu_time_and_threads(pid):
    """Returns the CPU time of a process and its ended children, and its number of threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"), max(int(fields[17]), 1)


def wait_for_end(process):
    """Waits until a process has ended. Returns its exit code and CPU time."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, used.ru_utime + used.ru_stime
        time.sleep(0.01)
    raise subprocess.TimeoutExpired(process.args, LIMIT_S)


# A script that runs this test in the background has made it ignore SIGINT, and the commands would
# inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Stopped(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.directory = pathlib.Path(cls.temporary.name)
        cls.run_command(
            "data gen --quiet --format libsvm --samples 4000 --test-samples 0 --features 400 "
            "--output {d}/data"
        )
        cls.run_command(
            f"train --quiet --data {DATA} --normalize standardize --epochs 2 --model "
            "{d}/model.npz --json {d}/train.json"
        )
        cls.run_command(
            "data gen --quiet --samples 20000 --test-samples 0 --features 128 --classes 1000 "
            "--output {d}/wide"
        )
        cls.run_command(
            f"train --quiet --data {WIDE} --method random-search --tries 1 --model {{d}}/wide.npz"
        )
        cls.run_command(
            "bench --isa scalar --no-ceilings --shape 4x33x3 --min-time 50us --precision 0 "
            "--repetitions 6 --filter ^hinge_f32 --json {d}/bench.json"
        )
        cls.inputs = {path.name for path in cls.directory.iterdir()}

    @classmethod
    def words(cls, command):
        return [PROGRAM, *command.format(d=cls.directory).split()]

    @classmethod
    def run_command(cls, command):
        subprocess.run(cls.words(command), check=True, capture_output=True)

    def test_signals_ignored_at_the_start__stay_ignored(self):
        """A script ignores SIGINT for `downhill bench &`."""
        for command in (
            f"train --isa scalar --data {DATA} --epochs 1000000", "verify --stride 1",
            f"{BENCH} --no-ceilings --filter ^hinge_f32", "compare {d}/bench.json {d}/bench.json",
        ):  # fmt: skip
            with self.subTest(command=command):
                process = subprocess.Popen(
                    self.words(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN), text=True,
                )  # fmt: skip
                for _ in range(3):
                    time.sleep(0.3)
                    os.kill(process.pid, signal.SIGINT)
                if command.startswith("compare"):
                    self.assertEqual(process.wait(LIMIT_S), 0)
                else:
                    self.assertIsNone(process.poll(), command)
                    process.terminate()
                    self.assertIn(process.wait(LIMIT_S), (-signal.SIGTERM, 128 + signal.SIGTERM))
                process.stderr.close()
        self.check_files("commands that ignore SIGINT")

    def stop(self, command, number, wait_for, after_s):
        """Sends a signal to the command. Returns its exit code and its output. Fails if the command
        keeps working after the signal."""
        output = self.directory / "output"
        with output.open("wb") as file:
            process = subprocess.Popen(
                self.words(command), stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )
        try:
            end = time.monotonic() + LIMIT_S
            while wait_for and wait_for not in output.read_text() and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(after_s)
            before_s, threads = cpu_time_and_threads(process.pid)
            os.kill(process.pid, number)  # send_signal() would reap an ended process
            code, cpu_s = wait_for_end(process)
        finally:
            process.kill()
            process.wait()
        text = output.read_text()
        output.unlink()
        self.assertLessEqual(
            cpu_s - before_s,
            LIMIT_CPU_S * threads,
            f"{command}: seconds of CPU time after the signal",
        )
        return code, text

    def check_files(self, command):
        """Checks that the command left only complete files, and removes them."""
        for path in sorted(self.directory.rglob("*"), reverse=True):
            if path.relative_to(self.directory).parts[0] in self.inputs:
                continue
            if path.is_dir():
                path.rmdir()
                continue
            self.assertFalse(path.name.startswith("."), f"{command}: {path}")
            if path.suffix == ".json":
                json.loads(path.read_text())
            path.unlink()

    def check(self, command, number, wait_for, after_s, may_end):
        code, output = self.stop(command, number, wait_for, after_s)
        self.check_files(command)
        codes = {-number, 128 + number} | ({0} if may_end else set())
        self.assertIn(code, codes, f"{command}: {output}")
        self.assertIn(wait_for, output, command)
        self.assertNotIn("Traceback", output, command)
        if code != 0 and (wait_for or after_s >= STARTED_S):
            self.assertRegex(
                output, rf"(?m)^downhill: ({name_of(command)}|warning): interrupted(;|:|$)", command
            )

    def test_long_commands(self):
        for command, wait_for, after_s in LONG:
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(command=command, signal=number):
                    self.check(command, number, wait_for, after_s, may_end=False)

    def test_short_commands(self):
        for command, after_s in SHORT:
            for number in (signal.SIGTERM, signal.SIGINT):
                with self.subTest(command=command, signal=number, after=after_s):
                    self.check(command, number, "", after_s, may_end=True)

    def test_partial_results__can_be_read_by_report_and_compare(self):
        command = f"{BENCH} --no-ceilings --filter ^hinge_f32"
        code, output = self.stop(command, signal.SIGINT, "checks passed", 0.5)
        self.assertEqual(code, 128 + signal.SIGINT, output)
        partial = self.directory / "o.json"
        self.assertTrue(json.loads(partial.read_text())["partial"])
        compressed = self.directory / "o.json.gz"
        compressed.write_bytes(gzip.compress(partial.read_bytes()))
        done = subprocess.run(
            self.words("report {d}/o.json -o {d}/report"), capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        done = subprocess.run(
            self.words("compare {d}/o.json.gz {d}/bench.json"), capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("no row has times in both", done.stderr)
        self.check_files(command)


if __name__ == "__main__":
    unittest.main()
