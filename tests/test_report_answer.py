# SPDX-License-Identifier: MIT
"""downhill report: the answer at the top of the page, its doubts, and the order of the sections."""

import math
import re
import unittest
from dataclasses import replace

from report_data import ReportTest, bench, full, in_passes, samples, train  # isort: skip
from downhill_report import answer, noise
from downhill_report.answer import Claim
from downhill_report.rows import Ratio, ratio, row_of

MAIN = (256, 3072, 10)
PEERS = [
    {"name": name, "library": "x.so", "version": version, "missing": ""}
    for name, version in (
        ("openblas", "OpenBLAS 0.3.21, kernels Zen"),
        ("blis", "BLIS 0.9.0, kernels zen3"),
        ("onednn", "oneDNN 2.6.3"),
    )
]


def against(*medians, kernel="step_hinge_f32"):
    """Returns results in which avx2 takes 100 ns and the libraries the given times."""
    document = bench() | {"peers": PEERS}
    for library, median in zip(PEERS, medians):
        document["benchmarks"] += samples(kernel, library["name"], MAIN, median)
    return steady(document)


def steady(document, spread=0.004):
    """Makes all samples lie within `spread` of the median."""
    medians = {
        entry["run_name"]: entry["real_time"]
        for entry in document["benchmarks"]
        if entry.get("aggregate_name") == "median"
    }
    for entry in document["benchmarks"]:
        if entry["run_type"] == "iteration":
            offset = spread * (entry["repetition_index"] - 2) / 2
            entry["real_time"] = medians[entry["run_name"]] * (1 + offset)
    return document


def repeated(document, **spreads):
    """Adds passes in which the medians of the step differ by these shares, as older results have
    them."""
    document["noise_floor"] = {
        "passes": 4, "p95": max(spreads.values()),
        "rows": [
            {
                "run_name": f"step_hinge_f32/{isa}/n:256/d:3072/c:10",
                "medians_ns": [100.0, 100.0, None, 100.0 * (1 + spread)],
            }
            for isa, spread in spreads.items()
        ],
    }  # fmt: skip
    return document


def passes_of(isa, medians):
    """Returns the entries of a row with three samples in each pass; the third is an outlier."""
    entries = samples("k", isa, MAIN, 1.0)
    first, aggregates = entries[0], entries[-3:]
    more = [
        first | {"repetition_index": i, "pass": i // 3, "real_time": medians[i // 3] * factor}
        for i, factor in enumerate((1.0, 0.99, 2.0) * len(medians))
    ]
    return [*more, *aggregates]


class Answer(ReportTest):
    def head(self, document):
        return self.markdown(document).split("\n## ")[0]

    def strong(self, document):
        return re.search(r"\*\*(For .*?)\*\*", self.head(document))[1]

    def test_ahead__names_the_winner_the_libraries_and_the_interval(self):
        head = self.head(against(400.0, 200.0, 150.0))
        self.assertIn(
            "**For the minibatch step, downhill (avx2) is fastest: 1.50× as fast as oneDNN 2.6.3 "
            "(95 % interval 1.49 to 1.51).** A step (`step_hinge_f32`, 256 samples × 3072 features "
            "× 10 classes, one thread) takes 0.100 µs with `avx2` and 0.150 µs with the matrix "
            "products of oneDNN 2.6.3, the fastest of OpenBLAS 0.3.21, BLIS 0.9.0 and oneDNN "
            "2.6.3.\n",
            head,
        )
        self.assertIn("- **1.50×** minibatch step 256×3072×10, avx2: over the fastest library, "
                      "oneDNN 2.6.3 (1.49 to 1.51)\n", head)  # fmt: skip
        self.assertIn("over the compiler's best, auto_avx2", head)
        self.assertIn("over scalar code", head)
        page = (self.output / "index.html").read_text()
        self.assertLess(page.index("downhill (avx2) is fastest"), page.index("<nav"))

    def test_behind__the_library_is_named_first(self):
        self.assertEqual(
            self.strong(against(90.0, 80.0, 150.0)),
            "For the minibatch step, BLIS 0.9.0 is fastest: downhill (avx2) is 0.80× as fast (95 % "
            "interval 0.79 to 0.81).",
        )

    def test_alike__no_clear_winner(self):
        document = against(100.5, 200.0, 150.0)
        self.assertIn("there is no clear winner: downhill (avx2) is 1.00×", self.strong(document))
        self.assertIn(
            "**Doubtful:** 1.00× against OpenBLAS 0.3.21 may be chance: the 95 % interval includes "
            "1 or comes within 1 % of it.",
            self.head(document),
        )

    def test_compiler_or_scalar_code_ahead__not_called_fastest(self):
        for isa, median, takes, says in (
            (
                "auto_avx2",
                80.0,
                "0.0800",
                "auto_avx2 code is fastest: downhill (avx2) is 0.80× as fast",
            ),
            ("scalar", 50.0, "0.0500", "scalar code is fastest: downhill (avx2) is 0.50× as fast"),
            ("auto_avx2", 100.0, "0.100", "no clear winner: downhill (avx2) is 1.00× as fast as"),
        ):
            document = against(400.0, 200.0, 150.0)
            name = f"step_hinge_f32/{isa}/n:256/d:3072/c:10"
            for entry in document["benchmarks"]:
                if entry["run_name"] == name and entry.get("aggregate_name") == "median":
                    entry["real_time"] = median
            head = self.head(steady(document))
            self.assertIn(says, head)
            self.assertNotIn("(avx2) is fastest", head)
            self.assertIn(
                f"{takes} µs with {isa} code. It takes 0.150 µs with the matrix products of oneDNN "
                "2.6.3, the fastest of OpenBLAS",
                head,
            )

    def test_deciding_claim__smallest_ratio_or_a_doubtful_one(self):
        row = row_of(samples("k", "avx2", MAIN, 100.0))
        clear, wide = (lambda v: Ratio(v, 0.99 * v, 1.01 * v)), (lambda v: Ratio(v, 0.5, 2.0 * v))
        for ratios, expected in (
            ((1.5, 1.2, 3.0), 1),
            ((0.9, 0.8, 3.0), 1),
            ((wide(1.5), 1.2, 3.0), 0),
            ((wide(1.5), 0.8, 3.0), 1),
        ):
            overs = [o if isinstance(o, Ratio) else clear(o) for o in ratios]
            claims = [Claim(row, row, over, (None, None)) for over in overs]
            found = answer.Answer("k", row.shape, row, *claims)
            self.assertIs(found.deciding, claims[expected])
        self.assertIsNone(answer.Answer("k", row.shape, row, None, None, None).deciding)

    def test_noise_of_the_named_rows__decides(self):
        document = against(400.0, 200.0, 110.0)
        quiet = repeated(document, avx2=0.012, onednn=0.02)
        self.assertIn("is fastest: 1.10×", self.strong(quiet))
        head = self.head(quiet)
        self.assertIn(
            "**How sure:** Timed 3 times, the medians of these rows differ by up to 1.2 % "
            "(`avx2`) and 2.0 % (`onednn`); `auto_avx2` and `scalar` were timed once.",
            head,
        )
        self.assertNotIn("Doubtful", head)
        noisy = repeated(document, avx2=0.012, onednn=0.2)
        self.assertIn("there is no clear winner", self.strong(noisy))
        self.assertIn("repeated measurements of these rows differ by as much", self.head(noisy))

    def test_noise_of_other_rows__no_verdict_on_the_machine(self):
        document = repeated(against(400.0, 200.0, 150.0), avx2=0.01, onednn=0.01, scalar=0.01)
        rows = document["noise_floor"]["rows"]
        rows += [
            {"run_name": f"update_f32/{isa}/n:256/d:3072/c:10", "medians_ns": [100.0, median]}
            for isa, median in (("scalar", 101.0), ("avx2", 143.0), ("auto_avx2", 102.0))
        ]
        document["noise_floor"]["p95"] = 0.43
        head = self.head(document)
        self.assertIn("is fastest: 1.50×", head)
        self.assertIn(
            "Of 6 rows timed repeatedly, half repeat within 1.0 %; the worst are "
            "`update_f32/avx2` 256×3072×10 (43 %), ",
            head,
        )
        for verdict in ("noisy", "Doubtful"):
            self.assertNotIn(verdict, head)

    def test_most_rows_noisy__stated_before_any_figure(self):
        head = self.head(repeated(against(400.0, 200.0, 150.0), avx2=0.4, onednn=0.5, scalar=0.3))
        self.assertIn("**This run was noisy:** half of the 3 rows timed repeatedly differ by more "
                      "than 40 % between two measurements.", head)  # fmt: skip
        self.assertLess(head.index("This run was noisy"), head.index("For the minibatch step"))
        self.assertIn("This run was noisy", (self.output / "index.html").read_text())
        head = self.head(in_passes(against(400.0, 200.0, 150.0), floor=0.4))
        self.assertIn(
            "**This run was noisy:** for half of the 21 rows the noise floor is above 40 %: two "
            "single passes of such a row may differ by that much.",
            head,
        )

    def test_scattered_samples__no_clear_winner(self):
        ours, theirs = (row_of(samples("k", isa, MAIN, 100.0)) for isa in ("avx2", "blis"))
        for mad, doubt in ((3.0, ""), (6.0, "the samples of these rows scatter as much")):
            claim = Claim(replace(ours, mad=mad), theirs, Ratio(1.1, 1.08, 1.12), (None, None))
            self.assertEqual(claim.doubt, doubt)

    def test_rows_timed_once__stated(self):
        self.assertIn("These rows were timed once", self.head(against(400.0, 200.0, 150.0)))

    def test_passes__floors_of_the_rows_themselves(self):
        document = in_passes(against(400.0, 200.0, 150.0), floor=0.008)
        head = self.head(document)
        self.assertIn(
            "Two single passes of these rows differ by less than the following in 95 % of cases: "
            "0.8 % (`avx2`), 0.8 % (`onednn`), 0.8 % (`auto_avx2`) and 0.8 % (`scalar`). For half "
            "of the 21 rows the noise floor is below 0.8 %; the highest are ",
            head,
        )
        for entry in document["benchmarks"]:
            if entry["run_name"].startswith("step_hinge_f32/onednn") and "noise_floor" in entry:
                entry["noise_floor"] = 0.8
        self.assertIn("there is no clear winner", self.strong(document))

    def test_one_pass__noise_unknown(self):
        document = full()
        document["noise_floor"] = {"passes": 1, "median": None, "p95": None, "rows": []}
        text = self.markdown(document)
        self.assertIn("These rows were timed once", text)
        self.assertIn("timed in one pass, so their noise floor is unknown", text)

    def test_passes__median_and_interval_over_them(self):
        ours, theirs = (
            row_of(passes_of(isa, medians))
            for isa, medians in (
                ("avx2", [100.0, 101.0, 102.0, 103.0, 104.0]),
                ("blis", [200.0, 202.0, 204.0, 206.0, 208.0]),
            )
        )
        self.assertEqual((ours.median, theirs.median), (102.0, 204.0))
        alike = ratio(ours, theirs)  # the machine drifts, the ratio does not
        for value in (alike.value, alike.low, alike.high):
            self.assertAlmostEqual(value, 2.0)
        over = ratio(row_of(passes_of("avx2", [100.0, 100.0, 100.0])),
                     row_of(passes_of("blis", [100.0, 110.0, 121.0])))  # fmt: skip
        # Student's interval of three logarithms: 4.303 standard errors of ln 1.1 / √3.
        half = 4.3027 * math.log(1.1) / math.sqrt(3)
        self.assertAlmostEqual(over.low, 1.1 * math.exp(-half), places=4)
        self.assertAlmostEqual(over.high, 1.1 * math.exp(half), places=4)
        over = ratio(row_of(passes_of("avx2", [100.0, 100.0, 100.0])),
                     row_of(passes_of("blis", [100.0, 110.0, 150.0])))  # fmt: skip
        self.assertAlmostEqual(over.value, (1.1 * 1.5) ** (1 / 3))  # the medians have 1.1

    def test_one_pass__rounds_are_resampled_together(self):
        # The machine slows down by a half during the run, for both rows alike.
        def drifting(isa, median, kernel="k"):
            entries = samples(kernel, isa, MAIN, median)
            first, aggregates = entries[0], entries[-3:]
            times = [median * (1 + 0.025 * i) * (1 + 1e-3 * (-1) ** i) for i in range(20)]
            more = [
                first | {"repetition_index": i, "real_time": time} for i, time in enumerate(times)
            ]
            return row_of([*more[: 18 if isa == "blis" else 20], *aggregates])

        ours, theirs = drifting("avx2", 100.0), drifting("openblas", 200.0)
        over = ratio(ours, theirs)
        self.assertAlmostEqual(over.value, 2.0)
        self.assertLess(over.high / over.low, 1.01)
        fewer = ratio(ours, drifting("blis", 200.0))  # without the last two rounds
        self.assertLess(fewer.high / fewer.low, 1.2)
        for other in (drifting("avx2", 200.0, "other"), replace(theirs, rounds=())):
            over = ratio(ours, other)  # not sampled in turn, or in unknown rounds
            self.assertGreater(over.high / over.low, 1.2)

    def test_passes__scaled_to_the_clock(self):
        entries = passes_of("avx2", [100.0, 125.0, 80.0, 101.0, 99.0])
        for entry in entries:
            if entry["run_type"] == "iteration":
                entry["clock_ghz"] = [4.0, 3.2, 5.0, 4.0, 4.0][entry["pass"]]
            elif entry["aggregate_name"] == "median":
                entry["scaled_to_clock"] = True
        row = row_of(entries)
        self.assertEqual(row.pass_medians, (100.0, 125.0, 80.0, 101.0, 99.0))
        self.assertEqual(row.median, 100.0)  # 100, 100, 100, 101 and 99 at 4 GHz
        self.assertTrue(row.at_clock)
        del entries[4]["clock_ghz"]  # it could not be measured
        row = row_of(entries)
        self.assertEqual((row.median, row.at_clock), (100.0, False))

    def test_rows_at_one_clock__number_stated(self):
        document = in_passes(full())
        self.assertNotIn("the clock wandered", self.markdown(document))
        for entry in document["benchmarks"]:
            if entry.get("aggregate_name") == "median" and entry["kernel"] == "update_f32":
                entry["scaled_to_clock"] = True
        self.assertIn(
            "Figure, interval and noise floor of 6 of 66 rows are at the clock in the line of the "
            "row, because the clock wandered between the passes and the times followed it.",
            self.markdown(document),
        )

    def test_quadratic_mean_of_the_floors(self):
        floor = lambda share: noise.Floor(share, 4, False)
        self.assertAlmostEqual(noise.of_ratio([floor(0.03), floor(0.04)]), (0.00125) ** 0.5)
        self.assertEqual(noise.of_ratio([floor(0.03), None]), 0.03)
        self.assertIsNone(noise.of_ratio([None, None]))
        self.assertTrue(noise.exceeds(Ratio(0.9, 0.89, 0.91), [floor(0.1), None]))
        self.assertFalse(noise.exceeds(Ratio(0.92, 0.91, 0.93), [floor(0.1), None]))

    def test_slower_elsewhere__counted_by_kernel_with_the_worst(self):
        document = against(400.0, 200.0, 150.0)
        document["benchmarks"] += samples("update_f32", "blis", MAIN, 9.9)
        head = self.head(steady(document))
        self.assertIn(
            "**Not everywhere:** in 2 combinations of kernel and shape that a library computes "
            "too, downhill is faster than the fastest library in 1 and slower in 1 "
            "(`update_f32`: 1); the geometric mean is 0.87×. Worst: `update_f32` at 256×3072×10, "
            "0.50×, where BLIS 0.9.0 is faster.",
            head,
        )

    def test_faster_everywhere__overall(self):
        document = against(400.0, 200.0, 150.0)
        document["benchmarks"] += samples("update_f32", "blis", MAIN, 39.6)
        self.assertIn("**Overall:** in 2 combinations of", self.head(steady(document)))

    def test_figure__of_the_kernel_of_the_answer(self):
        document = bench()
        hand_of_update_only = lambda o: o["kernel"] == "update_f32" or (
            o["kernel"] == "chain_hinge_f32" and o["isa"] != "avx2"
        )
        document["benchmarks"] = [o for o in document["benchmarks"] if hand_of_update_only(o)]
        text = self.markdown(document)
        self.assertIn("**For update_f32, ", text)
        self.assertIn("update_f32 at 256×3072×10: calls per second", text)

    def test_one_row__no_empty_section(self):
        document = bench()
        document["benchmarks"] = samples("step_hinge_f32", "avx2", MAIN, 100.0)
        self.assertNotIn("What is fastest", self.markdown(document))
        self.assertNotIn("What is fastest", (self.output / "index.html").read_text())

    def test_no_library__compared_with_the_compiler(self):
        self.assertIn("downhill (avx2) is fastest: 2.50× as fast as auto_avx2 code",
                      self.strong(steady(bench())))  # fmt: skip
        text = "No library was timed on this kernel and shape."
        self.assertIn(text, self.head(bench()))
        elsewhere = bench() | {"peers": PEERS}
        elsewhere["benchmarks"] += samples("update_f32", "blis", MAIN, 30.0)
        self.assertIn(text, self.head(elsewhere))
        self.assertNotIn(text, self.head(against(400.0, 200.0, 150.0)))

    def test_training_only__no_answer_about_kernels(self):
        head = self.head(train())
        self.assertNotIn("For the", head)
        self.assertIn("- **50.0 ms** an epoch of fashion-mnist", head)

    def test_partial_run__reported_first(self):
        text = self.markdown(full() | {"partial": True})
        self.assertLess(text.index("This run is incomplete"), text.index("is fastest"))
        self.assertIn("This run is incomplete", (self.output / "index.html").read_text())
        self.assertNotIn("incomplete", self.markdown(full()))

    def test_no_hand_written_row__stated(self):
        document = bench()
        document["benchmarks"] = [o for o in document["benchmarks"] if o["isa"] == "scalar"]
        self.assertIn("**No hand-written level was timed,** so", self.head(document))

    def test_wrong_variants__stated_before_any_figure(self):
        document = bench()
        document["verify"]["failures"] = 3
        head = self.head(document)
        self.assertLess(head.index("Some results are wrong"), head.index("For the minibatch"))


class Order(ReportTest):
    def test_sections__answer_first_machine_and_rows_last(self):
        self.markdown(full(), train())
        page = (self.output / "index.html").read_text()
        self.assertNotIn("times faster", page)  # 0.95 times faster would be slower
        self.assertEqual(
            re.findall('<section id="([^"]*)">', page),
            [
                "fastest", "ladder", "speedup", "peers", "roofline", "winners", "sweeps", "threads",
                "training", "cold", "bf16", "nofaster", "fused", "samples", "proof", "method",
                "warnings", "reproduce", "machine", "rows",
            ],
        )  # fmt: skip


if __name__ == "__main__":
    unittest.main()
