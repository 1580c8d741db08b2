# SPDX-License-Identifier: MIT
"""downhill compare: statistics on known numbers and on simulated pairs, every refusal, every output
format."""

import contextlib
import csv
import gzip
import io
import itertools
import json
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

import numpy
from scipy import stats

ROOT = pathlib.Path(__file__).resolve().parents[1]
COMPARE = ROOT / "scripts" / "compare"
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
from downhill_compare import statistics, verdicts  # noqa: E402
from test_report import bench  # noqa: E402


# ---- statistics ----


class Statistics(unittest.TestCase):
    def test_ratio__by_hand(self):
        # The ratios of all pairs are 1, 2, 2, 4, 4, 8: the median is the geometric mean of 2 and 4.
        found = statistics.ratio([1.0, 2.0], [2.0, 4.0, 8.0])
        self.assertAlmostEqual(found.estimate, 8**0.5)
        self.assertAlmostEqual(found.p, stats.mannwhitneyu([1, 2], [2, 4, 8]).pvalue)
        self.assertEqual(
            (found.low, found.high), (0.0, float("inf"))
        )  # too few samples for an interval

    def test_ratio__is_of_the_second_over_the_first(self):
        first, second = [1.0, 1.01, 1.02, 0.99, 0.98, 1.005], [3.0, 3.03, 3.06, 2.97, 2.94, 3.015]
        found = statistics.ratio(first, second)
        self.assertAlmostEqual(found.estimate, 3.0, places=2)
        self.assertLess(found.low, 3.0)
        self.assertGreater(found.high, 3.0)
        self.assertLess(found.p, 0.01)
        other = statistics.ratio(second, first)
        for a, b in ((found.estimate, other.estimate), (found.low, other.high)):
            self.assertAlmostEqual(a, 1 / b)

    def test_interval_rank__close_to_the_exact_distribution(self):
        def exact(n, m):
            # Number of arrangements per value of U, by the recurrence of Mann and Whitney.
            counts = numpy.array([1.0])
            for i in range(1, m + 1):
                up = numpy.zeros(len(counts) + n + i)
                up[: len(counts)] += counts
                up[n + i : n + i + len(counts)] -= counts
                counts = numpy.array([up[k::1][0] for k in range(len(up))])
                for k in range(i, len(counts)):
                    counts[k] += counts[k - i]
                counts = counts[: n * i + 1]
            below = numpy.cumsum(counts) / counts.sum()
            return int(numpy.searchsorted(below, 0.025, side="right"))

        self.assertEqual(exact(10, 10), 24)  # table of Hollander and Wolfe
        for n, m in ((6, 6), (8, 8), (10, 10), (10, 20), (15, 12), (30, 30)):
            self.assertLessEqual(abs(statistics.interval_rank(n, m) - exact(n, m)), 1, (n, m))
        self.assertEqual(statistics.interval_rank(2, 2), 0)

    def test_ratio__interval_covers(self):
        random = numpy.random.default_rng(1)
        inside = 0
        for _ in range(1000):
            a, b = random.lognormal(0, 0.02, 10), random.lognormal(0.05, 0.02, 10)
            found = statistics.ratio(list(a), list(b))
            inside += found.low <= numpy.exp(0.05) <= found.high
        self.assertGreaterEqual(inside, 935)

    def test_adjusted__matches_the_published_example(self):
        # Benjamini and Hochberg (1995), 15 p-values, of which 4 are significant at 5 %.
        ps = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0000,
        ]  # fmt: skip
        found = statistics.adjusted(ps[::-1])[::-1]
        self.assertEqual(sum(p < 0.05 for p in found), 4)
        self.assertAlmostEqual(found[3], 0.0095 * 15 / 4)
        self.assertEqual(found, sorted(found))
        self.assertEqual(statistics.adjusted([]), [])
        self.assertEqual(statistics.adjusted([0.03]), [0.03])
        self.assertAlmostEqual(statistics.adjusted([0.04, 0.03])[1], 0.04)  # not 0.06


# ---- verdicts ----


def simulated(random, slowdown: float) -> list[float]:
    """Returns ten samples of a noisy machine. All share an error of about 0.5 %."""
    times = (1 + slowdown) * (1 + random.normal(0, 0.005)) * random.lognormal(0, 0.015, 10)
    outliers = random.random(10) < 0.05
    return list(numpy.where(outliers, times * random.uniform(1.1, 1.5, 10), times))


def simulated_floor(random) -> float:
    """Returns the noise floor as the benchmark measures it, with 40 rows and four passes."""
    differences = []
    for _ in range(40):
        medians = [numpy.median(simulated(random, 0.0)) for _ in range(4)]
        differences += [max(a, b) / min(a, b) - 1 for a, b in itertools.combinations(medians, 2)]
    return float(numpy.percentile(differences, 95))


class Verdicts(unittest.TestCase):
    def verdicts(self, slowdown: float, count: int, alone: bool = False) -> list[verdicts.Verdict]:
        """Returns the verdicts of count rows of one comparison. With alone, every row is a
        comparison of its own, without a correction for many rows."""
        random = numpy.random.default_rng(7)
        floor = simulated_floor(random)
        ratios = [
            statistics.ratio(simulated(random, 0.0), simulated(random, slowdown))
            for _ in range(count)
        ]
        ps = [r.p for r in ratios]
        adjusted = ps if alone else statistics.adjusted(ps)
        return [verdicts.judge(r, p, floor) for r, p in zip(ratios, adjusted)]

    def test_no_difference__at_most_five_percent_false_alarms(self):
        for alone in (True, False):
            found = self.verdicts(0.0, 1000, alone)
            alarms = sum(v in (verdicts.Verdict.FASTER, verdicts.Verdict.SLOWER) for v in found)
            print(
                f"false alarms: {alarms} of 1000{' pairs' if alone else ' rows'}", file=sys.stderr
            )
            self.assertLessEqual(alarms, 50)
            self.assertGreater(sum(v is verdicts.Verdict.SAME for v in found), 200)

    def test_five_percent_slower__found(self):
        found = self.verdicts(0.05, 1000)
        slower = sum(v is verdicts.Verdict.SLOWER for v in found)
        print(f"slow-downs of 5 % found: {slower} of 1000", file=sys.stderr)
        self.assertGreaterEqual(slower, 950)

    def test_five_percent_faster__found(self):
        found = self.verdicts(1 / 1.05 - 1, 1000)
        self.assertGreaterEqual(sum(v is verdicts.Verdict.FASTER for v in found), 950)

    def test_judge__by_the_position_of_the_interval(self):
        def judge(low, high, p=0.001, floor=0.02):
            return verdicts.judge(
                statistics.Ratio((low * high) ** 0.5, low, high, p), p, floor
            ).value

        self.assertEqual(judge(1.03, 1.07), "SLOWER")
        self.assertEqual(
            judge(1.03, 1.07, p=0.06), "UNSURE"
        )  # not significant after the correction
        self.assertEqual(judge(0.90, 0.97), "FASTER")
        self.assertEqual(judge(0.99, 1.01), "SAME")
        self.assertEqual(judge(1.005, 1.03), "UNSURE")
        self.assertEqual(judge(1.004, 1.06), "UNSURE")  # within a quarter of the floor of 1
        self.assertEqual(judge(1.006, 1.06), "SLOWER")
        self.assertEqual(judge(1.005, 1.03, floor=0.005), "SLOWER")
        self.assertEqual(judge(0.5, 2.0, p=0.9), "UNSURE")

    def test_many_rows_without_a_difference__rarely_a_false_alarm(self):
        random = numpy.random.default_rng(3)
        false_alarms = 0
        for _ in range(50):
            ratios = [
                statistics.ratio(
                    list(random.lognormal(0, 0.01, 10)), list(random.lognormal(0, 0.01, 10))
                )
                for _ in range(50)
            ]
            adjusted = statistics.adjusted([r.p for r in ratios])
            # Without the help of a noise floor.
            found = [verdicts.judge(r, p, 1e-9) for r, p in zip(ratios, adjusted)]
            false_alarms += any(v.value in ("FASTER", "SLOWER") for v in found)
        self.assertLessEqual(false_alarms, 6)


# ---- the command ----


class Command(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.directory = pathlib.Path(self.temporary.name)

    def write(self, name, document):
        path = self.directory / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def run_compare(self, *arguments, code=0):
        """Runs compare in this process: importing scipy takes longer than a comparison."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.directory),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            unittest.mock.patch.object(sys, "argv", [str(COMPARE), *map(str, arguments)]),
            self.assertRaises(SystemExit) as end,
        ):
            runpy.run_path(str(COMPARE))
        done = subprocess.CompletedProcess(
            arguments, end.exception.code or 0, out.getvalue(), err.getvalue()
        )
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        if code not in (0, 1):
            self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1), done.stderr)
            self.assertTrue(done.stderr.startswith("downhill: compare: "), done.stderr)
        return done

    def document(self, change=lambda row: 1.0, **keys):
        """Returns results in which every row takes change(row) times as long."""
        document = bench()
        random = numpy.random.default_rng(len(keys) + 5)
        medians = {"scalar": 1000.0, "auto_avx2": 250.0, "avx2": 100.0}
        for entry in document["benchmarks"]:
            if entry["run_type"] == "iteration":
                time = medians[entry["isa"]] * change(entry) * random.lognormal(0, 0.002)
                entry["real_time"] = entry["cpu_time"] = time
        # Ten samples per row.
        for entry in [e for e in document["benchmarks"] if e["run_type"] == "iteration"]:
            more = entry | {"repetition_index": entry["repetition_index"] + 5}
            more["real_time"] = entry["real_time"] * random.lognormal(0, 0.002)
            document["benchmarks"].append(more)
        return document | keys

    def pair(self, change=lambda row: 1.0, **keys):
        return self.write("a.json", self.document()), self.write(
            "b.json", self.document(change, **keys)
        )

    def rows(self, done):
        return {row["row"]: row for row in csv.DictReader(io.StringIO(done.stdout))}

    def test_each_verdict(self):
        floor = {"noise_floor": {"passes": 4, "p95": 0.02, "rows": []}}
        a = self.write("a.json", self.document() | floor)
        change = {"scalar": 1.10, "auto_avx2": 0.90, "avx2": 1.00}
        b = self.write("b.json", self.document(lambda row: change[row["isa"]]))
        rows = self.rows(self.run_compare(a, b, "--format", "csv"))
        self.assertEqual(len(rows), 18)
        for name, row in rows.items():
            isa = name.split("/")[1]
            want = {"scalar": "SLOWER", "auto_avx2": "FASTER", "avx2": "SAME"}[isa]
            self.assertEqual(row["verdict"], want, name)
            self.assertAlmostEqual(float(row["time_ratio"]), change[isa], delta=0.01)
            self.assertLess(float(row["ci95_low"]), float(row["ci95_high"]))
        text = self.run_compare(a, b).stdout
        self.assertIn("Floor: noise floor of the row (larger of both runs, and at least 1%)", text)
        self.assertIn("6 SAME, 6 FASTER, 6 SLOWER, 0 UNSURE of 18 rows", text)
        self.assertRegex(
            text, r"step_hinge_f32/scalar/n:256/d:3072/c:10 .* \+(9|10)\.\d % +2\.00  SLOWER"
        )
        self.assertNotIn("Benjamini", text)  # too few rows to mention it
        self.assertRegex(text, r"\nstep_hinge_f32 +0\.99\d+ .*6: scalar/n:256/d:3072/c:10, ")

    def test_noise_floor__maximum_of_both_runs_or_assumed(self):
        a, b = self.pair(lambda row: 1.05)
        self.assertIn(
            "(not measured, with one pass per row; assumed to be 1%)", self.run_compare(a, b).stdout
        )
        floors = [{"noise_floor": {"passes": 4, "p95": p, "rows": []}} for p in (0.02, 0.08)]
        a = self.write("a.json", self.document() | floors[0])
        b = self.write("b.json", self.document(lambda row: 1.05) | floors[1])
        rows = self.rows(self.run_compare(a, b, "--format", "csv"))
        self.assertEqual({row["verdict"] for row in rows.values()}, {"SAME"})
        b.write_text(
            json.dumps(
                self.document(lambda row: 1.05)
                | {"noise_floor": floors[0]["noise_floor"] | {"p95": 0.7}}
            )
        )
        done = self.run_compare(a, b, "--format", "csv")
        self.assertEqual({row["verdict"] for row in self.rows(done).values()}, {"UNSURE"})
        self.assertIn(
            "18 rows of 18 have a noise floor above 10%: smaller differences cannot be detected",
            self.run_compare(a, b).stdout,
        )

    def with_passes(self, document, spread=0.002, floors=lambda name: 0.01, change=None):
        """Adds passes to results: each row takes change(entry, pass) times its median in a pass."""
        random = numpy.random.default_rng(11)
        names = {}
        for entry in document["benchmarks"]:
            if entry.get("aggregate_name") != "median":
                continue
            shared = names.setdefault(entry["run_name"].split("/")[2], random.normal(0, spread, 5))
            factors = [change(entry, p) if change else 1.0 for p in range(5)]
            passes = [entry["real_time"] * f * numpy.exp(s) for f, s in zip(factors, shared)]
            centre, half = numpy.median(passes), 0.4 * floors(entry["run_name"])
            entry |= {
                "real_time": centre, "pass_medians_ns": passes, "passes": 5,
                "ci95_low_ns": centre * numpy.exp(-half), "ci95_high_ns": centre * numpy.exp(half),
                "noise_floor": floors(entry["run_name"]),
            }  # fmt: skip
        return document

    def test_floors__of_each_row(self):
        noisy = "step_hinge_f32/avx2/n:256/d:3072/c:10"
        floors = lambda name: 0.08 if name == noisy else 0.015  # noqa: E731
        a = self.write("a.json", self.with_passes(self.document(), floors=floors))
        b = self.write(
            "b.json", self.with_passes(self.document(), change=lambda entry, p: 1.03, floors=floors)
        )
        rows = self.rows(self.run_compare(a, b, "--format", "csv"))
        for name, row in rows.items():
            self.assertEqual(float(row["noise_floor"]), 0.08 if name == noisy else 0.015)
            self.assertEqual(row["verdict"], "UNSURE", name)
            self.assertAlmostEqual(float(row["time_ratio"]), 1.03, places=6)
            # A run contributes its interval, divided by t for 8 degrees of freedom, and 1 %.
            of_passes = 2 * (0.4 * float(row["noise_floor"]) / 2.3060) ** 2
            total = of_passes + 2 * 0.01**2
            degrees = total**2 / (of_passes**2 / 16)
            half = stats.t.ppf(0.975, degrees) * total**0.5
            self.assertAlmostEqual(float(row["ci95_low"]), 1.03 * numpy.exp(-half), places=4)
        b = self.write("b.json", self.with_passes(self.document(), floors=floors))
        rows = self.rows(self.run_compare(a, b, "--format", "csv"))
        # SAME within 5 %, although the floors are smaller; the noisy row within its floor.
        self.assertEqual({row["verdict"] for row in rows.values()}, {"SAME"})
        b = self.write(
            "b.json", self.with_passes(self.document(), change=lambda entry, p: 1.08, floors=floors)
        )
        rows = self.rows(self.run_compare(a, b, "--format", "csv"))
        self.assertEqual(
            {row["verdict"] for name, row in rows.items() if name != noisy}, {"SLOWER"}
        )

    def test_floors__of_older_results__by_kernel_and_shape(self):
        from downhill_compare import runs

        rows = [
            {"run_name": "score_f32/avx2/n:1/d:2/c:3", "medians_ns": [100, 102, None]},
            {"run_name": "score_f32/avx2/n:9/d:2/c:3", "medians_ns": [100, 110]},
            {"run_name": "grad_f32/avx2/n:9/d:2/c:3", "medians_ns": [100, 130]},
            {"run_name": "grad_f32/avx2/n:7/d:2/c:3", "medians_ns": [100]},
        ]
        find = runs.floors_of({"noise_floor": {"passes": 3, "p95": 0.5, "rows": rows}})
        for name, floor in (
            ("score_f32/avx2/n:1/d:2/c:3", 0.02),
            ("score_f32/scalar/n:1/d:2/c:3/cold", 0.02),
            ("step_f32/scalar/n:9/d:2/c:3", 0.20),  # the mean of the two rows of this shape
            ("score_f32/avx2/n:8/d:8/c:8", 0.06),
            ("update_f32/avx2/n:8/d:8/c:8", 0.10),
        ):
            self.assertAlmostEqual(find(name), floor, msg=name)
        self.assertEqual(runs.floors_of({"noise_floor": {"p95": 0.5}})("x/y/n:1/d:1/c:1"), 0.5)
        self.assertIsNone(runs.floors_of({})("x/y/n:1/d:1/c:1"))

    def test_levels__of_one_run(self):
        # Passes differ by 5 %, for both levels alike: the ratio does not.
        document = self.with_passes(self.document(), spread=0.05)
        a = self.write("a.json", document)
        done = self.run_compare(a, "--levels", "avx2,scalar,auto_avx2", "--format", "csv")
        found = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(len(found), 12)
        for row in found:
            kernel, n = row["row"].split("/")[:2]
            self.assertNotIn("avx2", row["row"])
            if kernel == "step_hinge_f32":
                self.assertEqual(row["verdict"], "SLOWER")
                self.assertIn(round(float(row["time_ratio"]), 6), (10.0, 2.5))
                self.assertLess(float(row["ci95_high"]) - float(row["ci95_low"]), 1e-9)
        # 19.8 against 20 ns: 1.01 is just above what counts.
        update = [row for row in found if row["row"].startswith("update")]
        self.assertEqual([row["verdict"] for row in update], ["SLOWER"] * 4)
        text = self.run_compare(a, "--levels", "avx2,scalar").stdout
        self.assertIn(f"A: avx2, B: scalar, both of {a}, commit 0123456789ab", text)
        self.assertNotIn("Fastest level", text)  # one number of classes is no map

    def test_levels__older_results__by_samples(self):
        a = self.write("a.json", self.document())
        done = self.run_compare(a, "--levels", "avx2,scalar", "--format", "csv")
        for row in csv.DictReader(io.StringIO(done.stdout)):
            self.assertEqual(row["verdict"], "SLOWER")
            self.assertAlmostEqual(float(row["time_ratio"]), 10.0, delta=0.1)

    def test_levels__map_of_classes_and_features(self):
        from test_report import bench

        document = self.with_passes(bench(((8, 4, 2), (8, 4, 30), (8, 50, 2), (8, 50, 30))))
        factor = {(4, 2): 0.05, (4, 30): 0.5, (50, 2): 0.1, (50, 30): 0.1}
        for entry in document["benchmarks"]:
            if "pass_medians_ns" in entry and entry["isa"] == "scalar":
                scale = factor[(entry["d"], entry["c"])]
                entry["pass_medians_ns"] = [scale * t for t in entry["pass_medians_ns"]]
        a = self.write("a.json", document)
        text = self.run_compare(a, "--levels", "avx2,scalar", "--filter", "^step").stdout
        self.assertIn("Fastest level: A avx2, B scalar; with the factor", text)
        self.assertRegex(
            text,
            r"step_hinge_f32, 8 samples\nfeatures \\ classes +2 +30\n"
            r" +4 +B 2.00 +A 5.00\n +50 +\S+ +\S+\n",
        )
        cells = text[text.index(" 50 ") :].split()[1:3]
        self.assertEqual(cells, ["=", "="])
        markdown = self.run_compare(
            a, "--levels", "avx2,scalar", "--filter", "^step", "--format", "markdown"
        ).stdout
        self.assertIn("| 4 | B 2.00 | A 5.00 |", markdown)

    def test_levels__refusals(self):
        a, b = self.pair()
        for arguments, message in (
            ((a, "--levels", "avx2,avx9"), "has no rows of it; it has scalar, auto_avx2, avx2"),
            ((a, "--levels", "avx2"), "is not a list of different levels"),
            ((a, "--levels", "avx2,avx2"), "is not a list of different levels"),
            ((a, b, "--levels", "avx2,scalar"), "give one file of results"),
            ((a, "--levels", "avx2,scalar", "--cross-machine"), "leave out --cross-machine"),
            ((a,), "give at least two files of results, or --levels"),
        ):
            self.assertIn(message, self.run_compare(*arguments, code=2).stderr)

    def test_clock__times_follow_it__compared_in_cycles(self):
        def run(name, factor, ghz):
            document = self.with_passes(
                self.document(), floors=lambda name: 0.08, change=lambda entry, p: factor
            )
            for entry in document["benchmarks"]:
                if entry.get("aggregate_name") == "median":
                    entry |= {"scaled_to_clock": True, "clock_ghz": ghz}
            return self.write(name, document)

        a = run("a.json", 1.0, 4.0)
        for factor, ghz, ratio, verdict, note in (
            (1.25, 3.2, 1.0, "SAME", "the clock ran at 4.00 and 3.20 GHz"),
            (1.25, 3.99, 1.25 * 3.99 / 4.0, "SLOWER", ""),
            (1.05, 3.2, 0.84, "UNSURE", "only in clock cycles: the clock ran at 4.00 and 3.20 GHz"),
            (0.95, 3.2, 0.76, "FASTER", "the clock ran at 4.00 and 3.20 GHz"),
            (0.95, 5.0, 1.1875, "UNSURE",
             "only in clock cycles: the clock ran at 4.00 and 5.00 GHz"),
        ):  # fmt: skip
            b = run("b.json", factor, ghz)
            for row in self.rows(self.run_compare(a, b, "--format", "csv")).values():
                self.assertEqual((row["verdict"], row["note"]), (verdict, note))
                self.assertAlmostEqual(float(row["time_ratio"]), ratio, places=3)
        sentence = "Where the times of both runs followed a wandering clock"
        self.assertIn(sentence, self.run_compare(a, b).stdout)
        # A file that lacks the clock of a scaled row is compared in time.
        document = json.loads(b.read_text())
        for entry in document["benchmarks"]:
            entry.pop("clock_ghz", None)
        unknown = self.write("unknown.json", document)
        for row in self.rows(self.run_compare(a, unknown, "--format", "csv")).values():
            self.assertAlmostEqual(float(row["time_ratio"]), 0.95)
            self.assertEqual(row["verdict"], "UNSURE")
        # If only one run scaled the row, times and cycles must both show the difference.
        b = self.write("b.json", self.with_passes(self.document()))
        text = self.run_compare(a, b).stdout
        self.assertNotIn(sentence, text)

    def test_clock__differs__unsure(self):
        def with_clock(document, ghz):
            names = list(dict.fromkeys(e["run_name"] for e in document["benchmarks"]))
            group = {
                "shape": [1, 1, 1], "group": "x", "cache": "hot", "start_s": 0, "end_s": 1,
                "first_row": names[0], "rows": len(names), "clock_before_ghz": ghz,
                "clock_after_ghz": ghz,
            }  # fmt: skip
            return document | {"groups": [group]}

        a = self.write("a.json", with_clock(self.document(), 3.0))
        b = self.write("b.json", with_clock(self.document(lambda row: 1.25), 2.4))
        rows = self.rows(self.run_compare(a, b, "--format", "csv"))
        for row in rows.values():
            self.assertEqual(row["verdict"], "UNSURE")
            self.assertEqual(row["note"], "not in clock cycles: the clock ran at 3.00 and 2.40 GHz")
        c = self.write("c.json", with_clock(self.document(lambda row: 1.25), 3.0))
        rows = self.rows(self.run_compare(a, c, "--format", "csv"))
        self.assertEqual({row["verdict"] for row in rows.values()}, {"SLOWER"})
        # Equal times at different clocks are not SAME.
        same = self.write("c.json", with_clock(self.document(), 3.6))
        for row in self.rows(self.run_compare(a, same, "--format", "csv")).values():
            self.assertEqual((row["verdict"], row["note"][:19]), ("UNSURE", "not in clock cycles"))
        # The speed of rows bound by DRAM does not depend on the clock of the core.
        for path, document in ((a, self.document()), (b, self.document(lambda row: 1.25))):
            for entry in document["benchmarks"]:
                entry["bound"] = "DRAM"
            path.write_text(json.dumps(with_clock(document, 3.0 if path == a else 2.4)))
        for row in self.rows(self.run_compare(a, b, "--format", "csv")).values():
            self.assertEqual(row["verdict"], "SLOWER")

    def shared(self, core_share: float, run_share: float, **counters: float):
        """Returns results in which no sample had a core to itself: core_share is its share of the
        core, run_share the share of the time that its thread ran, and counters are increments per
        second of waiting."""
        document = self.document(lambda row: 1.4)
        for entry in document["benchmarks"]:
            if entry.get("aggregate_name") == "median":
                entry["shared_core"] = True
            if entry["run_type"] == "iteration":
                cpu_time = run_share * entry["real_time"]
                entry |= {"core_share": core_share, "alone": False, "cpu_time": cpu_time}
        first = document["benchmarks"][0]
        waited = sum(
            (e["real_time"] - e["cpu_time"]) * e["iterations"] * 1e-9
            for e in document["benchmarks"] if e["run_type"] == "iteration"
        )  # fmt: skip
        document["groups"] = [
            {
                "shape": [first["n"], first["d"], first["c"]], "group": "all", "cache": "hot",
                "first_row": first["run_name"], "rows": 1000, "start_s": 0.0, "end_s": 1.0,
                "clock_before_ghz": 3.0, "clock_after_ghz": 3.0,
            }
            | {key: value * waited for key, value in counters.items()}
        ]  # fmt: skip
        return document

    def test_shared_core__unsure_with_the_recorded_cause(self):
        a = self.write("a.json", self.document())
        for document, note in (
            (self.shared(0.6, 1.0), "B: another hardware thread shared the core"),
            (self.shared(1.0, 0.35, involuntary_switches=200),
             "B: its thread was stopped by other threads on the CPU"),
            (self.shared(0.6, 0.35, throttled_s=1, throttled_periods=10, involuntary_switches=10),
             "B: its thread was stopped by the CPU quota of a control group"),
            (self.shared(1.0, 0.35, steal_s=0.9), "B: its thread was stopped by the hypervisor"),
            (self.shared(1.0, 0.35), "B: its thread was stopped by a cause that no counter tells"),
        ):  # fmt: skip
            done = self.run_compare(
                a, self.write("b.json", document), "--format", "csv", "--fail-on", "slower:5%"
            )
            for row in self.rows(done).values():
                self.assertEqual((row["verdict"], row["note"]), ("UNSURE", note))

    def test_most_samples_disturbed__unsure(self):
        def run(name, factor, alone):
            document = self.with_passes(self.document(), change=lambda entry, p: factor)
            for entry in document["benchmarks"]:
                if entry["run_type"] == "iteration":
                    entry["alone"] = entry["repetition_index"] < alone
            return self.write(name, document)

        a = run("a.json", 1.0, 100)
        taken = sum("avx2/n:1/" in e["name"] and e["run_type"] == "iteration"
                    for e in json.loads(a.read_text())["benchmarks"]
                    if e["kernel"] == "step_hinge_f32" and e["isa"] == "avx2")  # fmt: skip
        for alone, verdict in ((taken // 2 - 1, "UNSURE"), (taken // 2, "SLOWER")):
            rows = self.rows(self.run_compare(a, run("b.json", 1.5, alone), "--format", "csv"))
            note = f"B: only {alone} of {taken} samples had a whole core"
            for row in rows.values():
                expected = (verdict, note if verdict == "UNSURE" else "")
                self.assertEqual((row["verdict"], row["note"]), expected)

    def test_shared_core_of_several_threads__note_blames_no_thread(self):
        document = self.shared(0.6, 0.35)
        for entry in document["benchmarks"]:
            entry["threads"] = 2
        a = self.write("a.json", self.document())
        done = self.run_compare(a, self.write("b.json", document), "--format", "csv")
        for row in self.rows(done).values():
            self.assertEqual(
                row["note"], "B: one of its threads waited for a CPU or shared its core"
            )

    def test_fail_on(self):
        a, b = self.pair(lambda row: 1.10 if row["isa"] == "scalar" else 1.0)
        self.run_compare(a, b)
        done = self.run_compare(a, b, "--fail-on", "slower:5%", code=1)
        self.assertIn("6 rows are slower by 5 % or more: step_hinge_f32/scalar", done.stderr)
        self.assertIn("SLOWER", done.stdout)
        self.run_compare(a, b, "--fail-on", "slower:0.05", code=1)
        self.run_compare(a, b, "--fail-on", "slower:20%")
        self.run_compare(b, a, "--fail-on", "slower:5%")  # FASTER does not fail
        self.assertIn(
            "write slower:5%", self.run_compare(a, b, "--fail-on", "slower:5", code=2).stderr
        )
        for bad in ("slower", "faster:5%", "slower:-1%", "slower:5%%"):
            done = self.run_compare(a, b, "--fail-on", bad, code=2)
            self.assertIn(f"'{bad}' is not slower:SHARE", done.stderr)

    def test_program__exit_code_and_one_line_on_stderr(self):
        for paths, code in ((self.pair(lambda row: 1.5), 1), (("nowhere.json", "here.json"), 3)):
            command = [COMPARE, *paths, "--fail-on", "slower:5%"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (code, 1), done.stderr)

    def test_usage(self):
        a, b = self.pair()
        for says, arguments in (
            ("give at least two files of results", [a]),
            ("unrecognized arguments", [a, b, "--nonsense"]),
            ("is one of the input files", [a, b, "--output", b]),
            ("no row matches 'no_such'", [a, b, "--filter", "no_such"]),
            ("is not a regular expression", [a, b, "--filter", "("]),
            ("--view needs --cross-machine", [a, b, "--view", "peak"]),
            (
                "--fail-on compares runs on one machine",
                [a, b, "--cross-machine", "--fail-on", "slower:1%"],
            ),
        ):
            self.assertIn(says, self.run_compare(*arguments, code=2).stderr)
        text = self.run_compare("--help").stdout
        self.assertTrue(
            text.startswith("Usage: downhill compare [OPTION]... RESULTS.json...\n\n"),
            text,
        )
        self.assertIn("--fail-on", text)

    def test_other_machine_or_build__refused_unless_cross_machine(self):
        def edit(change):
            document = self.document()
            change(document)
            return document

        for says, change in (
            (
                "from another machine (m-000000000001)",
                lambda d: d["machine"].update(id="m-000000000001"),
            ),
            ("from another machine (Other, host)", lambda d: d["machine"].update(cpu_name="Other")),
            (
                "build.compiler differs from that of",
                lambda d: d["build"].update(compiler="Clang 14"),
            ),
            ("('Clang 14' and 'GNU 12')", lambda d: d["build"].update(compiler="Clang 14")),
            ("(scalar: '-O1' and '", lambda d: d["build"].update(flags={"scalar": "-O1"})),
        ):
            a, b = self.write("a.json", self.document()), self.write("b.json", edit(change))
            self.assertIn(says, self.run_compare(a, b, code=2).stderr)
            self.assertIn("--cross-machine", self.run_compare(a, b, code=2).stderr)
            self.assertIn("M2 ", self.run_compare(a, b, "--cross-machine").stdout)
        level_more = edit(lambda d: d["build"].update(flags={"scalar": "-O3", "avx2": "-O3"}))
        self.run_compare(self.write("a.json", self.document()), self.write("b.json", level_more))
        commit = self.write("b.json", edit(lambda d: d["build"].update(commit="fedcba")))
        self.assertIn(
            "commit fedcba", self.run_compare(self.write("a.json", self.document()), commit).stdout
        )

    def test_rows_of_one_run_only__are_listed_and_not_refused(self):
        slower = {"scalar": 1.2, "auto_avx2": 1.0, "avx2": 1.0}
        old, new = self.document(), self.document(lambda row: slower[row["isa"]])
        only_in_b = [e for e in bench(((7, 9, 2),))["benchmarks"] if e["kernel"] == "update_f32"]
        new["benchmarks"] += only_in_b
        new["benchmarks"] = [e for e in new["benchmarks"] if (e["n"], e["isa"]) != (1, "avx2")]
        a, b = self.write("a.json", old), self.write("b.json", new)
        for arguments, in_a, in_b in (
            ((), 3, 3),
            (("--filter", "/d:3072/"), 3, 0),
            (("--filter", "n:256/"), 0, 0),
        ):
            found = json.loads(self.run_compare(a, b, *arguments, "--format", "json").stdout)[
                "comparisons"
            ][0]
            for row in found["rows"]:
                self.assertEqual(row["verdict"], "SLOWER" if "/scalar/" in row["row"] else "SAME")
            reasons = [row["why"] for row in found["not_compared"]]
            self.assertEqual(
                (reasons.count("only in A"), reasons.count("only in B"), len(reasons)),
                (in_a, in_b, in_a + in_b),
            )
        text = self.run_compare(a, b).stdout
        self.assertIn("Rows only in A: 3, only in B: 3; they are listed below", text)
        self.assertIn("\n  update_f32/scalar/n:7/d:9/c:2: only in B\n", text)
        # With the files swapped, SLOWER becomes FASTER. No message asks for another order.
        swapped = self.rows(self.run_compare(b, a, "--format", "csv"))
        self.assertEqual(
            {row["verdict"] for name, row in swapped.items() if "/scalar/" in name}, {"FASTER"}
        )
        self.assertNotIn("first", text)
        self.run_compare(a, b, "--fail-on", "slower:5%", code=1)

    def test_no_row_in_common__refused(self):
        a, b = self.write("a.json", self.document()), self.write("b.json", bench(((7, 9, 2),)))
        for files, only in (((a, b), "only in A"), ((b, a), "only in A")):
            message = self.run_compare(*files, code=2).stderr
            self.assertIn("no row has times in both (step_hinge_f32/scalar/", message)
            self.assertIn(f"{only}); measure the same rows for both", message)
        message = self.run_compare(
            a, self.write("c.json", self.document()), "--filter", "no_such", code=2
        ).stderr
        self.assertIn("no row matches", message)

    def test_other_credited_operations__row_left_out(self):
        document = self.document()
        for entry in document["benchmarks"]:
            if entry["run_name"].startswith("update_f32/scalar/"):
                entry["flops"] = 1.0
        a, b = self.write("a.json", self.document()), self.write("b.json", document)
        done = self.run_compare(a, b)
        self.assertIn("of 16 rows", done.stdout)
        self.assertIn(
            "update_f32/scalar/n:1/d:3072/c:10: the credited operations or bytes differ",
            done.stdout,
        )

    def test_geometric_means__leave_unsure_rows_out(self):
        def change(entry):
            # Every second sample of scalar rows takes twice as long, which makes them UNSURE.
            if entry["isa"] == "scalar":
                return 2.0 if entry["repetition_index"] % 2 else 0.9
            return 1.1

        a, b = self.write("a.json", self.document()), self.write("b.json", self.document(change))
        found = json.loads(self.run_compare(a, b, "--format", "json").stdout)["comparisons"][0]
        self.assertEqual(
            {r["verdict"] for r in found["rows"] if "/scalar/" in r["row"]}, {"UNSURE"}
        )
        for mean in found["geometric_means"]:
            self.assertAlmostEqual(mean["time_ratio"], 1.1, delta=0.01)
            self.assertEqual((len(mean["rows"]), mean["unsure_left_out"]), (4, 2))
        self.assertRegex(
            self.run_compare(a, b).stdout,
            r"\nupdate_f32 +1\.1\d+ .* 4: auto_avx2/.*; 2 UNSURE left out",
        )
        done = self.run_compare(a, b, "--filter", "/scalar/")
        self.assertRegex(done.stdout, r"\nupdate_f32 +- +- +0; 2 UNSURE left out")
        found = json.loads(
            self.run_compare(a, b, "--filter", "/scalar/", "--format", "json").stdout
        )
        self.assertEqual(
            [m["time_ratio"] for m in found["comparisons"][0]["geometric_means"]], [None] * 3
        )
        self.assertIn(
            "| - | - |",
            self.run_compare(a, b, "--filter", "/scalar/", "--format", "markdown").stdout,
        )

    def test_bad_files(self):
        a, b = self.pair()
        for says, text in (("not JSON", "{"), ("schema_version is None", "{}")):
            b.write_text(text, encoding="utf-8")
            self.assertIn(says, self.run_compare(a, b, code=3).stderr)
        self.assertIn("No such file", self.run_compare(a, "nowhere.json", code=3).stderr)
        train = self.document() | {"training": []}
        del train["benchmarks"], train["training"]
        self.assertIn(
            "neither benchmarks", self.run_compare(a, self.write("b.json", train), code=3).stderr
        )

    def test_gzip__read_like_plain_json(self):
        a, b = self.pair()
        compressed = self.directory / "b.json.gz"
        compressed.write_bytes(gzip.compress(b.read_bytes()))
        self.assertEqual(
            self.rows(self.run_compare(a, compressed, "--format", "csv")).keys(),
            self.rows(self.run_compare(a, b, "--format", "csv")).keys(),
        )
        compressed.write_bytes(gzip.compress(b.read_bytes())[:-20])
        message = self.run_compare(a, compressed, code=3).stderr
        self.assertIn("damaged or truncated gzip data", message)

    def test_skipped_and_short_rows(self):
        def skip(document):
            rows = document["benchmarks"]
            name = rows[0]["run_name"]
            head = {k: v for k, v in rows[0].items() if k not in ("real_time", "cpu_time")}
            error = head | {"error_occurred": True, "error_message": "skipped: out of memory"}
            return document | {"benchmarks": [error, *(r for r in rows if r["run_name"] != name)]}

        a, b = self.write("a.json", self.document()), self.write("b.json", skip(self.document()))
        done = self.run_compare(a, b)
        self.assertIn("skipped: out of memory", done.stdout)
        self.assertIn("of 17 rows", done.stdout)

    def test_partial_run_and_dirty_build__reported(self):
        document = self.document(partial=True)
        document["build"]["dirty"] = True
        done = self.run_compare(
            self.write("a.json", self.document()), self.write("b.json", document)
        )
        self.assertIn("b.json: the run was interrupted", done.stdout)
        self.assertIn("b.json: built with uncommitted changes", done.stdout)

    def test_formats(self):
        a, b = self.pair(lambda row: 1.2)
        markdown = self.run_compare(a, b, "--format", "markdown").stdout
        self.assertIn(
            "| row | A us | B us | B/A time | 95 % CI | B takes | floor % | verdict |", markdown
        )
        self.assertEqual(markdown.count("SLOWER |"), 18)
        found = json.loads(self.run_compare(a, b, "--format", "json").stdout)
        rows = found["comparisons"][0]["rows"]
        self.assertEqual({row["verdict"] for row in rows}, {"SLOWER"})
        self.assertEqual(found["comparisons"][0]["rows"][0]["noise_floor"], 0.01)
        self.assertEqual(len(found["comparisons"][0]["geometric_means"]), 3)
        out = self.directory / "out.csv"
        self.assertEqual(self.run_compare(a, b, "--format", "csv", "-o", out).stdout, "")
        self.assertEqual(len(out.read_text(encoding="utf-8").splitlines()), 19)

    def test_output__replaces_only_an_earlier_comparison(self):
        a, b = self.write("a.json", self.document()), self.write("b.json", self.document())
        out = self.directory / "out"
        formats = ("text", "markdown", "csv", "json")
        for options in itertools.product(formats, ((), ("--cross-machine",))):
            # Replaces the output of the previous iteration, then its own.
            self.run_compare(a, b, "--format", options[0], *options[1], "-o", out)
            self.run_compare(a, b, "-o", out)
        csv = self.run_compare(a, b, "--format", "csv").stdout
        for holds, contents in (
            ("other text", "a,b\n1,2\n"),
            ("other text", "A: hello\nB: hi\n"),
            (
                "other text",
                "- A: x.json, commit 0123, yesterday, a CPU\n- B: y.json, commit 0123, today, a "
                "CPU\n",
            ),
            ("other text", "M1 is a motorway, commit nothing\n"),
            ("other text", "M1 a: b, commit c (d)\nand more\n"),
            ("other text", "a,b,row,x\n1,2,3,4\n"),
            ("other text", f"{csv.splitlines()[0]},mine\n"),
            ("other text", "row,M1,mine\n1,2,3\n"),
            ("other text", "row,M1,M2\n1,2,3\n"),
            ("other JSON", json.dumps(self.document())),
            ("NumPy data", "\x93NUMPY"),
        ):
            out.write_text(contents, encoding="latin-1")
            message = self.run_compare(a, b, "-o", out, code=2).stderr
            self.assertIn(
                f"holds {holds}, not a comparison of downhill compare; choose another name", message
            )
            self.assertEqual(out.read_text(encoding="latin-1"), contents)

    def test_output__bad_path_exits_2_and_failed_write_exits_70(self):
        a, b = self.pair(lambda row: 1.2)
        message = self.run_compare(a, b, "-o", self.directory / "no" / "x", code=2).stderr
        self.assertIn(
            "no/x: cannot write there: No such file or directory; name a directory that exists",
            message,
        )
        message = self.run_compare(a, b, "-o", self.directory, code=2).stderr
        self.assertIn("is a directory; name a file", message)
        self.assertIn(
            "/dev/full: cannot write: No space left on device; free some space or write to",
            self.run_compare(a, b, "-o", "/dev/full", code=70).stderr,
        )
        self.run_compare(a, b, "-o", "/dev/null")
        self.assertTrue(pathlib.Path("/dev/null").is_char_device())

    def test_output__is_standard_output__refused(self):
        a, b = self.pair(lambda row: 1.2)
        redirected = self.directory / "redirected"
        for name in ("/dev/stdout", "/proc/self/fd/1", redirected):
            with self.subTest(name=name), redirected.open("w") as out:
                done = subprocess.run(
                    [COMPARE, a, b, "-o", name],
                    stdout=out,
                    stderr=subprocess.PIPE,
                    text=True,
                    check=False,
                )
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(f"{name}: is the file of standard output", done.stderr)
                self.assertIn("leave --output out", done.stderr)
                self.assertEqual(redirected.stat().st_ino, os.fstat(out.fileno()).st_ino)
        done = subprocess.run(
            [COMPARE, a, b, "-o", "/dev/stdout"], capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout, self.run_compare(a, b).stdout)

    def test_three_files__each_compared_with_the_first(self):
        a, b = self.pair(lambda row: 1.2)
        c = self.write("c.json", self.document(lambda row: 0.8))
        text = self.run_compare(a, b, c).stdout
        self.assertIn("18 SLOWER, 0 UNSURE of 18 rows", text)
        self.assertIn("18 FASTER, 0 SLOWER", text)

    def test_many_rows__correction_is_reported(self):
        shapes = tuple((n, 3072, 10) for n in (1, 2, 3))
        a = self.write("a.json", bench(shapes))
        self.assertIn(
            "over all 27 rows is limited to 5% (Benjamini and Hochberg)",
            self.run_compare(a, a).stdout,
        )

    def test_cross_machine__views_and_reasons_for_gaps(self):
        def other(document):
            document["machine"]["id"] = "m-0123456789ff"
            document["ceilings"] = {
                "clock_ghz": 2.0, "fma_f32_gflop_per_s": {"avx2": 100.0, "avx512": None}, "read": [
                    {"level": "L1", "holds_bytes": 1, "tested_bytes": 1, "read_gb_per_s": 1.0}],
            }  # fmt: skip
            for level in document["machine"]["levels"]:
                if level["name"] == "avx2":
                    level.update(usable=False, missing="fma")
            document["benchmarks"] = [r for r in document["benchmarks"] if r["isa"] != "avx2"]
            for row in document["benchmarks"]:
                row["attainable_gflop_per_s"] = 40.0
            return document

        a, b = self.write("a.json", bench()), self.write("b.json", other(bench()))
        name = "step_hinge_f32/auto_avx2/n:256/d:3072/c:10"

        def cell(view, machine, row=name):
            done = self.run_compare(a, b, "--cross-machine", "--view", view, "--format", "json")
            found = json.loads(done.stdout)
            return next(r for r in found["rows"] if r["row"] == row)[machine], found["missing"]

        self.assertEqual(cell("absolute", "M1")[0], 16.0)  # 4000 operations in 250 ns
        self.assertEqual(cell("per-ghz", "M2")[0], 8.0)
        self.assertEqual(cell("peak", "M2")[0], 40.0)
        self.assertEqual(cell("ladder", "M1")[0], 4.0)
        self.assertIsNone(cell("per-ghz", "M1")[0])
        avx2 = "step_hinge_f32/avx2/n:256/d:3072/c:10"
        value, missing = cell("absolute", "M2", avx2)
        self.assertIsNone(value)
        self.assertIn({"row": f"{avx2} on M2", "why": "not usable: fma"}, missing)
        text = self.run_compare(a, b, "--cross-machine").stdout
        self.assertIn("M2 m-0123456789ff: Test CPU", text)
        self.assertRegex(text, rf"{name} +16 +16\n")
        self.assertIn(
            "| row | M1 | M2 |",
            self.run_compare(a, b, "--cross-machine", "--format", "markdown").stdout,
        )
        lines = self.run_compare(a, b, "--cross-machine", "--format", "csv").stdout.splitlines()
        self.assertEqual(lines[0], "row,M1,M2")
        c = self.write("c.json", bench(((7, 9, 2),)))
        self.assertIn(
            "have a kernel and shape in common",
            self.run_compare(a, c, "--cross-machine", code=2).stderr,
        )


if __name__ == "__main__":
    unittest.main()
