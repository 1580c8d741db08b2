# SPDX-License-Identifier: MIT
"""downhill report: every refusal of bad results and of bad output paths."""

import hashlib
import json
import resource
import subprocess
import unittest

from report_data import (
    MACHINE,
    REPORT,
    ReportTest,
    bench,
    errors,
    full,
    kinds,
    load,
    render,
    samples,
    train,
)


class BadResults(ReportTest):
    def test_wrong_usage__exits_2(self):
        for options in ((), ("--nonsense", "x.json")):
            done = subprocess.run([REPORT, *options], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        done = subprocess.run([REPORT, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(
            done.stdout.startswith("Usage: downhill report [OPTION]... RESULTS.json...\n\n"),
            done.stdout,
        )

    def test_not_results__refused(self):
        self.refused("not JSON", "{")
        self.refused("not JSON", "")
        self.refused("schema_version is None", "[]")
        self.refused("schema_version is None", "{}")
        for number in ("NaN", "-Infinity", "1e999", "9" * 400):
            self.refused("not JSON", json.dumps(bench()).replace("2000.0", number, 1))
        self.refused("not JSON", "[" * 100000)
        self.refused(
            "not JSON: not UTF-8 text;", json.dumps(bench()).replace('"Test CPU"', '"\\ud800"')
        )

    def test_missing_file__exits_3(self):
        done = self.run_report(self.directory / "nowhere.json")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"^downhill: report: \S*nowhere.json: No such file[^\n]*\n$")
        self.assertFalse(self.output.exists(), "something was written")

    def test_other_schema_version__refused(self):
        self.refused("schema_version is 2", bench() | {"schema_version": 2})

    def test_damaged_documents__refused(self):
        def damaged(change):
            document = bench()
            change(document)
            return document

        for says, change in (
            ("'build' is a required property", lambda d: d.pop("build")),
            ("'context' is a dependency", lambda d: d.pop("context")),
            ("[] is too short", lambda d: d.update(benchmarks=[])),
            ("'isa' is a dependency of 'kernel'", lambda d: d["benchmarks"][3].pop("isa")),
            ("no entry names its kernel", lambda d: [e.pop("kernel") for e in d["benchmarks"][:9]]),
            ("'real_time' is a required", lambda d: d["benchmarks"][3].pop("real_time")),
            ("not of type 'integer'", lambda d: d["benchmarks"][3].update(n="1")),
            ("less than the minimum", lambda d: d["benchmarks"][3].update(real_time=-1)),
            ("no level 'avx9'", lambda d: d["benchmarks"][3].update(isa="avx9")),
            ("is there twice", lambda d: d["benchmarks"].append(d["benchmarks"][5])),
        ):
            self.refused(says, damaged(change))
        remedy = "the file is damaged or not written by downhill: copy it again from where it was"
        self.refused(remedy, damaged(lambda d: d.pop("build")))
        document = bench()
        for row in document["benchmarks"][:8]:
            row["kernel"] = "$\\frac{$"
        self.refused("cannot be the name of a kernel", document)
        document = bench()
        sample = dict(document["benchmarks"][0])
        document["benchmarks"].append(sample)
        self.refused("is there twice", document)
        sample["run_name"] = "another"  # the same kernel, level and shape
        self.refused("is there twice", document)
        for xml in ("<topology>", "", "<t><object cache_size='x'/></t>", "<t>&a;</t>"):
            document = full()
            document["machine"]["topology_xml"] = xml
            self.refused("machine.topology_xml", document)
        document = full()
        document["machine"]["id"] = "another"
        self.refused("does not match", document)
        document = train()
        document["training"][0]["isa"] = "avx9"
        self.refused("no level 'avx9'", document)
        document = train()
        document["training"][0]["loss"] = "log"
        self.refused("'log' is not one of", document)
        document = {k: v for k, v in train().items() if k != "training"}
        self.refused("neither benchmarks nor training", document)

    def test_row_of_an_unlisted_peer__refused(self):
        document = bench()
        document["peers"] = []
        document["benchmarks"] += samples("step_hinge_f32", "blis", (256, 3072, 10), 200.0)
        self.refused("no level 'blis'", document)

    def test_files_of_different_runs__refused(self):
        other = train()
        other["machine"]["cpu_name"] = "Another"
        self.refused("machine.cpu_name differs", bench(), other)
        other = train()
        other["build"]["commit"] = "fedcba"
        self.refused("build.commit differs", bench(), other)
        other = train()
        other["build"]["dirty"] = True
        self.refused("build.dirty differs", bench(), other)
        for key, value in (("host_name", "elsewhere"), ("levels", MACHINE["levels"][:2])):
            other = bench()
            other["machine"][key] = value
            self.refused(f"machine.{key} differs", train(), other)
        self.refused("a second run of benchmarks", bench(), bench())
        self.refused("is there twice", train(), train())

    def test_one_bad_file_of_several__earlier_report_is_kept(self):
        out = self.report(bench())
        state = lambda: {
            p.name: (p.stat().st_mtime_ns, hashlib.sha1(p.read_bytes()).digest())
            for p in out.rglob("*.*")
        }
        before = state()
        done = self.run_report(self.write("good.json", bench()), self.write("bad.json", "{"))
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"^downhill: report: \S*bad\.json: .+; .+\n$")
        self.assertEqual(state(), before)

    def test_full_disk__earlier_report_is_kept(self):
        out = self.report(bench())
        state = lambda: {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in out.rglob("*.*")}
        before = state()
        path = self.write("r.json", train())
        # The figures fit below the limit, the page does not.
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (18000, 18000))
        done = subprocess.run(
            [REPORT, "-o", out, path], capture_output=True, text=True, preexec_fn=limit
        )
        self.assertEqual(done.returncode, 70)
        self.assertRegex(done.stderr, r"^downhill: report: .+: cannot write: .+; .+\n$")
        self.assertEqual(state(), before)
        empty = self.directory / "empty"
        empty.mkdir()
        for place in (self.directory / "new", empty):
            done = subprocess.run(
                [REPORT, "-o", place, path], capture_output=True, text=True, preexec_fn=limit
            )
            self.assertEqual(done.returncode, 70, done.stderr)
        self.assertFalse((self.directory / "new").exists(), "a new directory was left behind")
        self.assertEqual(list(empty.iterdir()), [])

    def test_figures_of_an_earlier_report__removed(self):
        out = self.report(bench())
        self.assertTrue((out / "figures" / "speedup.svg").exists())
        (out / "figures" / "mine.svg").write_text("<svg/>")
        self.assertEqual(self.run_report(self.write("t.json", train())).returncode, 0)
        self.assertFalse((out / "figures" / "speedup.svg").exists())
        self.assertTrue((out / "figures" / "curves.svg").exists())
        self.assertTrue((out / "figures" / "mine.svg").exists())

    def test_bad_output_path__exits_2_before_drawing(self):
        path = self.write("r.json", bench())
        self.output.write_text("a file, not a directory")
        (self.directory / "earlier").mkdir()
        (self.directory / "earlier" / "figures").write_text("a file, not a directory")
        before = sorted(self.directory.rglob("*"))
        for place in (
            self.output,
            self.output / "below",
            self.directory / "earlier",
            self.directory / "nowhere" / "new",
            "/proc/x",
        ):
            done = self.run_report(path, options=("-o", place))
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertRegex(
                done.stderr,
                rf"\Adownhill: report: {place}\S*: cannot write there: [^\n;]+; "
                r"name a directory that exists and is writable\n\Z",
            )
        self.assertEqual(sorted(self.directory.rglob("*")), before)

    def test_file_of_another_kind__refused_before_drawing(self):
        path = self.write("r.json", train())
        figures = self.output / "figures"
        figures.mkdir(parents=True)
        results = json.dumps(bench())
        for name, holds, contents in (
            ("index.html", "another HTML page", "<!DOCTYPE html><title>mine</title>"),
            (
                "index.html",
                "another HTML page",
                "<!DOCTYPE html><body>"
                f'<!-- <meta name="generator" content="{kinds.PAGE_MARK}"> -->',
            ),
            ("index.html", "results of downhill report", '{"schema_version": 1, "report": true}'),
            ("report.md", "other text", "# Mine"),
            ("report.md", "other text", f"{kinds.TEXT_MARK} is what I look for"),
            ("results.json", "other JSON", results),
            (
                "results.json",
                "results of scripts/peers.py",
                '{"schema_version": 1, "peers_training": []}',
            ),
            ("results.json", "other JSON", '{"report": true}'),
            ("figures/curves.svg", "another picture", "<svg></svg>"),
            (
                "figures/curves.svg",
                "another picture",
                f"<svg ><!-- -->{kinds.FIGURE_MARK}<svg ></svg></svg>",
            ),
            ("figures/speedup-1x2x3.svg", "other text", "removed if it were of an earlier report"),
        ):
            with self.subTest(name=name, holds=holds):
                (self.output / name).write_text(contents)
                before = {p: p.read_bytes() for p in self.output.rglob("*.*")}
                with self.assertRaises(errors.BadOutput) as refusal:
                    render.write(load.load([path]), self.output)
                self.assertRegex(
                    str(refusal.exception),
                    rf"\A\S*{name}: holds {holds}, not [a-z ]+ of downhill report; "
                    r"choose another name or delete it\Z",
                )
                self.assertEqual({p: p.read_bytes() for p in self.output.rglob("*.*")}, before)
                (self.output / name).write_text("")
        render.write(load.load([path]), self.output)  # replaces empty files
        render.write(load.load([path]), self.output)  # replaces a report

    def test_results_json_that_is_an_input__refused(self):
        path = self.write("results.json", bench())
        (self.directory / "linked").mkdir()
        (self.directory / "linked" / "results.json").hardlink_to(path)
        for place in (self.directory, self.directory / "linked", self.directory / "linked" / ".."):
            done = self.run_report(path, options=("-o", place))
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(
                "results.json: is one of the input files; choose another --output", done.stderr
            )
        self.assertEqual(json.loads(path.read_text()), bench())

    def test_missing_output_directory__created(self):
        self.output = self.directory / "new"
        self.assertTrue((self.report(train()) / "index.html").is_file())


if __name__ == "__main__":
    unittest.main()
