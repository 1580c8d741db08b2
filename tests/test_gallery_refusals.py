# SPDX-License-Identifier: MIT
"""downhill gallery: every refusal of bad results, entries and output paths, and that hostile names
stay text."""

import gzip
import html
import json
import re
import resource
import unittest
import unittest.mock

from gallery_data import (
    GalleryTest,
    entry,
    errors,
    features,
    machine,
    page,
    results,
    row,
)

HOSTILE = '</script><script>alert(1)</script> "\'&<img src=x onerror=alert(1)>'


class Refusals(GalleryTest):
    def setUp(self):
        super().setUp()
        self.results = self.write("results.json", results())

    def add(self, name="one", source=None, options=()):
        source = source or self.results
        return self.run_gallery("--add", source, "--name", name, *options, self.gallery)

    def refused(self, code, says, *arguments, run=None, **more):
        """Checks the message, and that no file changed."""
        before = self.state()
        done = run() if run else self.run_gallery(*arguments, **more)
        self.assertEqual((done.returncode, done.stdout), (code, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Adownhill: gallery: [^\n]+; [^\n]+\n\Z")
        self.assertIn(says, done.stderr)
        self.assertEqual(self.state(), before)

    def test_add__writes_entry_and_page__gz_too(self):
        done = self.add()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(
            done.stdout,
            f"{self.gallery}/one.json and {self.gallery}/index.html, with 1 machine\n",
        )
        first = self.state()
        self.assertEqual(self.add().returncode, 0)  # replaces both
        self.assertEqual(self.state(), first)
        packed = self.directory / "packed.json.gz"
        packed.write_bytes(gzip.compress(self.results.read_bytes()))
        self.assertEqual(self.add("two", packed).returncode, 0)
        one, two = (json.loads((self.gallery / f"{n}.json").read_text()) for n in ("one", "two"))
        two["gallery_entry"]["name"] = "one"
        self.assertEqual(one, two)
        # A label is kept until another is given.
        for options, label in (
            (("--label", "Zen 4"), "Zen 4"),
            ((), "Zen 4"),
            (("--label=5",), "5"),
        ):
            self.assertEqual(self.add(options=options).returncode, 0)
            known = json.loads((self.gallery / "one.json").read_text())["gallery_entry"]
            self.assertEqual(known["microarchitecture"], {"name": label, "from": "user"})
        # An entry of another schema version can be replaced.
        self.write("gallery/one.json", {"schema_version": 9, "gallery_entry": {}})
        self.assertEqual(self.add().returncode, 0)
        done = self.run_gallery(self.gallery, "-o", self.directory / "page.html")
        self.assertEqual(done.stdout, f"{self.directory}/page.html, with 2 machines\n")
        self.assertEqual(
            (self.directory / "page.html").read_bytes(), (self.gallery / "index.html").read_bytes()
        )

    def test_wrong_usage__exits_2(self):
        for says, arguments in (
            ("the following arguments are required: DIR", ()),
            ("unrecognized arguments: --nmae", (self.gallery, "--nmae=x")),
            ("--add and --name need each other", (self.gallery, "--name", "x")),
            ("--add and --name need each other", (self.gallery, "--add", self.results)),
            ("--label needs --add", (self.gallery, "--label", "x")),
            ("--label takes 1 to 60", (self.gallery, "--add", "x", "--name", "x", "--label", " ")),
            ("--output - is not possible", (self.gallery, "--output", "-")),
            ("the name is empty; name a directory", ("",)),
        ):
            with self.subTest(says):
                self.refused(2, says, *arguments)
        for name in ("", "A", ".a", "a/b", "..", "a b", "x" * 41, "é"):
            with self.subTest(name):
                self.refused(2, f"--name '{name}'", run=lambda name=name: self.add(name))
        done = self.run_gallery("--help")
        self.assertTrue(done.stdout.startswith("Usage: downhill gallery [OPTION]... DIR\n\n"))

    def test_bad_results__refused(self):
        for says, document in (
            ("not JSON", "{"),
            ("schema_version is 2", results() | {"schema_version": 2}),
            ("neither benchmarks nor training", {"schema_version": 1, "warnings": []}),
            (
                "has no times of the suite",
                results(row("score_f32", "avx2", 9.0, suffix="/sweep:batch", sweep="batch")),
            ),
        ):
            path = self.write("bad.json", document)
            with self.subTest(says):
                self.refused(3, says, run=lambda: self.add(source=path))
        self.assertFalse(self.gallery.exists())
        path = self.write("partial.json", results() | {"partial": True})
        self.refused(3, "the run was interrupted", run=lambda: self.add(source=path))
        self.refused(3, "No such file", run=lambda: self.add(source=self.directory / "nowhere"))
        many = [
            o
            for n in range(1, 2400)
            for o in row("step_hinge_f32", "avx2", 100.0 + n, shape=(n, 3072, 10))
        ]
        path = self.write("many.json", results(many))
        self.refused(3, "do not fit into an entry of 100 KB", run=lambda: self.add(source=path))

    def test_not_a_gallery__refused(self):
        self.refused(3, "is not a directory", self.gallery)
        self.gallery.mkdir()
        self.refused(3, "has no entries", self.gallery)

    def test_bad_entries__refused(self):
        self.assertEqual(self.add().returncode, 0)
        good = json.loads((self.gallery / "one.json").read_text())

        def damaged(change):
            document = json.loads(json.dumps(good))
            document["gallery_entry"]["name"] = "two"
            change(document)
            return document

        def rows(document):
            return group(document)["rows"]

        def group(document):
            return document["groups"]["step_hinge_f32"]["256x3072x10"]

        def rename(document, key):
            of = document["groups"]["step_hinge_f32"]
            of[key] = of.pop("256x3072x10")

        for says, document in (
            ("not JSON", "{"),
            ("not JSON: not UTF-8 text", json.dumps(good).replace('"Release"', '"\\ud800"')),
            ("is not an entry", []),
            ("is not an entry", results()),
            ("schema_version is 2", damaged(lambda d: d.update(schema_version=2))),
            ("schema_version is None", damaged(lambda d: d.pop("schema_version"))),
            ("'groups' is a required", damaged(lambda d: d.pop("groups"))),
            ("rows[0]: [] is too short", damaged(lambda d: rows(d)[0].clear())),
            ("'256x3072' does not match", damaged(lambda d: rename(d, "256x3072"))),
            ("does not match", damaged(lambda d: rename(d, "256x3072x10 warm"))),
            ("less than or equal to", damaged(lambda d: rows(d)[0].__setitem__(1, -5))),
            ("no level or library 'avx9'", damaged(lambda d: rows(d)[0].__setitem__(0, "avx9"))),
            ("a row is there twice", damaged(lambda d: rows(d).append(rows(d)[0]))),
            ("a reason is missing", damaged(lambda d: group(d).update(skipped={"amx": 7}))),
            (
                "no level or library 'avx9'",
                damaged(lambda d: rows(d)[2][7].update(avx9=[1, 0, 0])),
            ),
            (
                "-1000 is less than or equal to",
                damaged(lambda d: rows(d)[2][7].update(scalar=[2, -1000, -1000])),
            ),
            ("-1000 is less than or equal to", damaged(lambda d: rows(d)[0].extend([0, -1000]))),
            (
                "the file is damaged; add the results again with `downhill gallery --add`",
                damaged(lambda d: rows(d).append(rows(d)[0])),
            ),
            ("row_columns", damaged(lambda d: d["row_columns"].reverse())),
            ("the name 'one', as", good),
        ):
            path = self.write("gallery/two.json", document)
            with self.subTest(says):
                with self.assertRaises(errors.BadResults) as refusal:
                    entry.read_all(self.gallery)
                self.assertRegex(str(refusal.exception), rf"^{path}: [^\n]+; [^\n]+$")
                self.assertIn(says, str(refusal.exception))
        self.refused(3, "the name 'one', as", self.gallery)
        # Also if another entry is added.
        self.refused(3, "the name 'one', as", run=lambda: self.add("three"))

    def test_other_files__never_replaced(self):
        self.gallery.mkdir()
        report = '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name='
        report += '"generator" content="downhill report">'
        for says, contents in (
            ("another HTML page", "<!DOCTYPE html><title>mine</title>"),
            ("a page of downhill report", report),
            ("other text", "mine"),
        ):
            path = self.write("gallery/index.html", contents)
            self.refused(2, f"{path}: holds {says}, not a page of downhill gallery", run=self.add)
            path.unlink()
        for says, contents in (
            ("other JSON", '{"mine": 1}'),
            ("results of downhill report", '{"schema_version": 1, "report": true}'),
        ):
            path = self.write("gallery/one.json", contents)
            self.refused(2, f"{path}: holds {says}, not an entry of downhill gallery", run=self.add)
            path.unlink()
        (self.gallery / "one.json").mkdir()
        self.refused(2, "is a directory", run=self.add)
        (self.gallery / "one.json").rmdir()
        self.refused(
            2, "cannot write there", run=lambda: self.add(options=("-o", "/nowhere/x.html"))
        )
        self.refused(2, "is not a regular file", run=lambda: self.add(options=("-o", "/dev/full")))
        self.assertEqual(self.add().returncode, 0)
        entry_file = self.gallery / "one.json"
        self.refused(2, "is the file of results", run=lambda: self.add(source=entry_file))

    def test_full_disk__both_files_kept(self):
        self.assertEqual(self.add().returncode, 0)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
        self.write("results.json", results(row("score_f32", "avx2", 7.0)))
        arguments = ("--add", self.results, "--name", "one")
        both = f"{self.gallery}/one.json or {self.gallery}/index.html: cannot write"
        self.refused(70, both, *arguments, self.gallery, preexec_fn=limit)
        new = self.directory / "new"
        self.refused(70, "cannot write", *arguments, new, preexec_fn=limit)
        self.assertFalse(new.exists(), "a new directory was left behind")

    def test_schema_missing__exits_5(self):
        with unittest.mock.patch.object(entry, "SCHEMA", self.directory / "nowhere.json"):
            self.gallery.mkdir()
            self.write("gallery/one.json", "{}")
            with self.assertRaises(errors.Incomplete) as refusal:
                entry.read_all(self.gallery)
        self.assertEqual(refusal.exception.code, 5)


class Hostile(GalleryTest):
    def test_names__stay_text(self):
        document = results(machine=machine(cpu_name=HOSTILE))
        document["build"] |= {"compiler": HOSTILE, "commit": HOSTILE, "version": HOSTILE}
        document["context"] |= {"date": HOSTILE, "arguments": [HOSTILE]}
        (head, *_) = row("step_hinge_f32", "amx", 0.0)
        document["benchmarks"].append(
            head | {"error_occurred": True, "error_message": HOSTILE}
        )  # fmt: skip
        found = [self.entry(document), self.entry(document, "two", HOSTILE[:60])]
        text = page.make(found)
        self.assertNotIn("<script>alert", text)
        self.assertNotIn("<img", text)
        self.assertEqual(len(re.findall("<script", text)), 2)
        # The data of the explorer has the names unchanged.
        data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
        self.assertEqual(data["reasons"], [HOSTILE])
        self.assertEqual(data["machines"][0]["title"].removesuffix(" [one]"), HOSTILE)
        shown = html.unescape(re.sub("<[^>]*>", "", text.partition("<tbody>")[0]))
        self.assertIn(HOSTILE, shown)

    def test_same_titles__told_apart_by_their_names(self):
        self.write("results.json", results())
        for name in ("one", "two"):
            added = self.run_gallery(
                "--add", self.directory / "results.json", "--name", name, self.gallery
            )
            self.assertEqual(added.returncode, 0, added.stderr)
        titles = [found.title for found in entry.read_all(self.gallery)]
        self.assertEqual(titles, ["Test CPU [one]", "Test CPU [two]"])

    def test_results_without_any_ratio__have_a_page(self):
        text = page.make([self.entry(results(row("hinge_f32", "scalar", 9.0)))])
        self.assertNotIn('id="figure"', text)
        self.assertIn("No machine here was measured with it.", text)

    def test_every_feature__has_one_line(self):
        text = page.make([self.entry(results())])
        for feature in features.FEATURES:
            self.assertEqual(text.count(f'<tr id="{feature.id}">'), 1)


if __name__ == "__main__":
    unittest.main()
