#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The scripts of a developer: what they refuse before any work."""

import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent


class Refusals(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.reports = self.root / "reports"
        self.reports.mkdir()
        (self.root / "scripts").mkdir()
        for name in ("bench", "example"):
            shutil.copy(ROOT / "scripts" / name, self.root / "scripts")

    def refused(self, says, command):
        before = sorted(self.root.rglob("*"))
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn(says, done.stderr)
        self.assertEqual(sorted(self.root.rglob("*")), before)

    def write(self, path, text):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def test_bench__latest_is_not_its_link(self):
        self.write(self.reports / "latest" / "mine", "")
        self.refused("reports/latest: is no symbolic link", [self.root / "scripts" / "bench", "--no-setup"])

    def test_example__directory_is_no_report(self):
        self.write(self.reports / "latest" / "report.md", "<!-- results:begin -->")
        self.write(self.reports / "example-x" / "mine", "")
        self.refused("reports/example-x: is no report", [self.root / "scripts" / "example", "x"])

    def test_numbers_and_names__out_of_range(self):
        for says, arguments in (
            ("'-1' is not a whole number of at least 1", ["--sample", "-1"]),
            ("'0' is not a whole number of at least 1", ["--jobs", "0"]),
            ("'x' is not a whole number of at least 0", ["--seed", "x"]),
            ("did you mean --sample?", ["--smaple", "3"]),
            ("no such source", ["kernels/none.c"]),
        ):
            with self.subTest(says):
                self.refused(says, [ROOT / "scripts" / "mutants", *arguments])


if __name__ == "__main__":
    unittest.main()
