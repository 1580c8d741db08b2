#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Developer scripts refuse wrong usage before they change anything."""

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

    def test_bench__latest_is_a_directory__refused(self):
        self.write(self.reports / "latest" / "mine", "")
        self.refused(
            "reports/latest: is not a symbolic link",
            [self.root / "scripts" / "bench", "--no-setup"],
        )

    def test_bench__bad_gallery__refused_before_measuring(self):
        bench = [self.root / "scripts" / "bench", "--no-setup", "--gallery"]
        for name in ("", "Zen 4", "../x"):
            self.refused(f"--gallery '{name}': cannot be the name of an entry", [*bench, name])
        self.write(self.reports / "gallery" / "zen4.json", '{"mine": 1}')
        self.refused("zen4.json: is not an entry of a gallery", [*bench, "zen4"])

    def test_example__directory_is_not_a_report__refused(self):
        self.write(self.reports / "latest" / "report.md", "<!-- results:begin -->")
        self.write(self.reports / "example-x" / "mine", "")
        self.refused("reports/example-x: is not a report", [self.root / "scripts" / "example", "x"])

    def example(self, directory, figure):
        (directory / "figures").mkdir(parents=True)
        self.write(
            directory / "report.md",
            f"<!-- results:begin -->\n<!-- results:end -->\n![It](figures/{figure}.svg)\n",
        )
        for name in ("index.html", "results.json", f"figures/{figure}.svg"):
            self.write(directory / name, name)

    def test_example__directory_has_other_files__refused(self):
        self.example(self.reports / "latest", "new")
        self.example(self.reports / "example-x", "old")
        for name in ("notes.txt", "figures/mine.svg", ".hidden", "more/a"):
            with self.subTest(name):
                path = self.reports / "example-x" / name
                self.write(path, "mine")
                self.refused(
                    f"reports/example-x/{name.partition('/a')[0]}: does not belong to the report",
                    [self.root / "scripts" / "example", "x"],
                )
                path.unlink()
                if path.parent.name == "more":
                    path.parent.rmdir()

    def test_example__replaces_the_old_one_and_copies_only_the_report(self):
        self.example(self.reports / "latest", "new")
        self.example(self.reports / "example-x", "old")
        self.write(self.reports / "latest" / "notes.txt", "mine")
        subprocess.run(
            [self.root / "scripts" / "example", "x"], check=True, capture_output=True, timeout=60
        )
        files = {
            str(path.relative_to(self.reports))
            for path in self.reports.rglob("*")
            if path.is_file()
        }
        self.assertEqual(
            files
            - {
                f"latest/{name}"
                for name in (
                    "index.html",
                    "results.json",
                    "report.md",
                    "notes.txt",
                    "figures/new.svg",
                )
            },
            {
                f"example-x/{name}"
                for name in ("index.html", "results.json.gz", "report.md", "figures/new.svg")
            },
        )

    def test_mutants__bad_options__refused(self):
        for message, arguments in (
            ("'-1' is not a whole number of at least 1", ["--sample", "-1"]),
            ("'0' is not a whole number of at least 1", ["--jobs", "0"]),
            ("'x' is not a whole number of at least 0", ["--seed", "x"]),
            ("did you mean --sample?", ["--smaple", "3"]),
            ("no such source", ["kernels/none.c"]),
        ):
            with self.subTest(message):
                self.refused(message, [ROOT / "scripts" / "mutants", *arguments])

    def test_empty_path__names_the_option(self):
        for option, kind, (script, *arguments) in (
            ("-o/--output", "directory", ("report", "-o", "", "a.json")),
            ("RESULTS.json", "file", ("report", "")),
            ("-o/--output", "file", ("compare", "--output=", "a.json", "b.json")),
            ("RESULTS.json", "file", ("compare", "a.json", "")),
            ("DIR", "directory", ("gallery", "")),
            ("-o/--output", "file", ("gallery", "-o", "", "a")),
            ("-o/--output", "file", ("plot", "-o", "", "a.json")),
            ("INPUT", "file", ("plot", "", "-o", "a.svg")),
            ("--json", "file", ("peers.py", "--json", "")),
            ("--data-dir", "directory", ("peers.py", "--data-dir", "")),
        ):
            with self.subTest(script=script, option=option):
                says = f"argument {option}: the name is empty; name a {kind};"
                self.refused(says, [ROOT / "scripts" / script, *arguments])


if __name__ == "__main__":
    unittest.main()
