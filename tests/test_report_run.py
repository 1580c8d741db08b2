# SPDX-License-Identifier: MIT
"""downhill report: the machine, ceilings, sweeps, noise and conditions of a benchmark run."""

import dataclasses
import math
import unittest

import numpy

from report_data import (
    ReportTest,
    full,
    group,
    in_passes,
    render,
)  # isort: skip: makes the next imports work
from downhill_report import sweeps
from downhill_report.conditions import conditions_of
from downhill_report.content.sweeps import answer
from downhill_report.figures import topology
from downhill_report.content.marks import MARK, NOTE
from downhill_report.rows import Ratio, Row, Shape


def batch_row(n, time, spread=0.001):
    times = tuple(n * time * (1 + spread * (i - 4) / 4) for i in range(9))
    return Row(f"k/avx2/n:{n}", "k", "avx2", Shape(n, 3072, 10), 1.0, 1.0, times[4], sweep="batch",
               times=times)  # fmt: skip


SWEEP = sweeps.Sweep("k", "avx2", [])


def verdict_of(time_of):
    ns = (4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129)
    (sweep,) = sweeps.batch_sweeps([batch_row(n, time_of(n)) for n in ns])
    return sweeps.verdict(sweep)


def rows_in(section):
    """Returns row name -> column title -> cell of the table of all rows."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    titles, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
    return {row[0]: dict(zip(titles, row)) for row in rows}


class Run(ReportTest):
    @classmethod
    def setUpClass(cls):
        """Makes one report with every figure for all tests, as that takes seconds."""
        cls.made = render.make(full(), None)

    def section(self, title, document=None):
        text = self.markdown(document) if document else self.made["report.md"]
        return text.split(f"\n## {title}")[1].split("\n## ")[0]

    def test_machine__record_and_topology(self):
        section = self.section("Machine and build")
        self.assertIn("| Id | m-0123456789ab |", section)
        self.assertIn("| CPU: name | Test CPU | yes |", section)
        self.assertIn("| Clock: governor | unknown: no cpufreq | no |", section)
        drawn = self.made["figures/topology.svg"]
        for label in ("Machine", "Package #0", "NUMA #0 16.0 GiB", "8 × L2 512 KiB", "L1d 32.0 KiB",
                      "Core #0", "PU #0"):  # fmt: skip
            self.assertIn(f">{label}</text>", drawn)

    def test_topology__few_cores__drawn_one_by_one(self):
        cores = "".join(f'<object type="Core" os_index="{i}"/>' for i in range(4))
        drawn = topology.topology(f'<topology><object type="Machine">{cores}</object></topology>')
        for i in range(4):
            self.assertIn(f">Core #{i}<", drawn)

    def test_ceilings__of_one_and_two_threads(self):
        section = self.section("Roofline")
        for line in ("| clock | 3.00 GHz |", "| reading the time | 20.0 ns |",
                     "| calling the smallest score | 90.0 ns |",
                     "| f32 FMA, avx2 | 100 GFLOP/s | 190 GFLOP/s |",
                     "| byte x 16 bits, avx2 | 150 GFLOP/s | 285 GFLOP/s |",
                     "| copying, L2 | 90.0 GB/s | 171 GB/s |",
                     "| rows of 3 KiB in random order, DRAM | 8.00 GB/s | 8.00 GB/s "
                     "|"):  # fmt: skip
            self.assertIn(line, section)
        self.assertIn("measured in this run", section)
        document = full()
        del document["ceilings"]["threads"][0]["read"][1]  # not measured for all threads together
        section = self.section("Roofline", document)
        self.assertIn("| copying, L2 | 90.0 GB/s | – |", section)
        self.assertIn("| reading, DRAM | 20.0 GB/s | 20.0 GB/s |", section)
        document = full()
        document["ceilings"]["age_s"] = 7200.0
        self.assertIn(
            "measured 2.00 h before this run (2026-01-02", self.section("Roofline", document)
        )

    def test_ceilings__units_and_doubtful_ones(self):
        document = full()
        peak = {
            "what": "f32 FMA", "isa": "avx2", "g_per_s": 100.0, "clock_ghz": 3.0, "doubt": None,
            "instructions_per_cycle": 2.083, "abnormal_operands": False,
        }  # fmt: skip
        document["ceilings"]["peaks"] = [peak]
        document["ceilings"]["threads"][0]["peaks"] = [
            {**peak, "instructions_per_cycle": 1.31, "doubt": "1.31 instructions per cycle"}
        ]
        document["ceilings"]["repeated"] = [
            {
                "ceiling": "f32 FMA, avx2", "threads": 1, "before": 62.0, "after": 100.0,
                "rows_before": 79, "rows_after": 0, "finding": "the first figure was too low",
            }
        ]  # fmt: skip
        section = self.section("Roofline", document)
        self.assertIn(
            "| f32 FMA, avx2 | 100 GFLOP/s (2.08 per cycle) | 190 GFLOP/s (1.31 per cycle, in "
            "doubt) |",
            section,
        )
        document["ceilings"]["threads"][0]["read"][1][
            "doubt"
        ] = "2 threads reach 171 GB/s, less than one"
        self.assertIn(
            "| copying, L2 | 90.0 GB/s | 171 GB/s (in doubt) |", self.section("Roofline", document)
        )
        self.assertIn(
            "| f32 FMA, avx2 | 1 | 62.0 | 100 | 79 | 0 | the first figure was too low |", section
        )

    def test_cold__compared_with_hot(self):
        line = "| step_hinge_f32 | 256×3072×10 | avx2 | 0.100 | 0.300 | 3.00× ("
        self.assertIn(line, self.section("Hot and cold"))

    def test_threads__with_their_efficiency(self):
        section = self.section("Threads")
        self.assertRegex(section, r"\| avx2 \| 2 \| 0.0600 \| 0.100 \| 1.67× \([^|]*\| 83 % \|")

    def test_powers_of_two__only_full_blocks_matter(self):
        # A sample takes 10 % longer if the last block of four samples is not full.
        found = verdict_of(lambda n: 1.0 if n % 4 == 0 else 1.1)
        self.assertAlmostEqual(found.beside.value, 1.1, places=3)
        self.assertAlmostEqual(found.between.value, 1.0, places=3)
        self.assertGreater(found.beside.low, 1.09)
        self.assertLessEqual(found.between.low, 1.0)
        self.assertGreaterEqual(found.between.high, 1.0)

    def test_powers_of_two__faster_or_slower(self):
        faster = verdict_of(lambda n: 1.0 if math.log2(n).is_integer() else 1.2)
        self.assertAlmostEqual(faster.between.value, 1.2, places=3)
        slower = verdict_of(lambda n: 1.3 if math.log2(n).is_integer() else 1.0)
        self.assertAlmostEqual(slower.beside.value, 1 / 1.3, places=3)
        words = answer(SWEEP, slower)
        self.assertEqual(words.count("23.1 % slower than"), 2)
        self.assertNotIn("any difference", words)

    def test_powers_of_two__fixed_cost_per_call__no_effect(self):
        # A fixed cost, such as packing, of eight samples.
        found = verdict_of(lambda n: 1.0 + 8.0 / n)
        for r in (found.beside, found.between):
            self.assertAlmostEqual(r.value, 1.0, places=6)

    def test_powers_of_two__random_error_per_size__no_effect(self):
        # An error of 1 % per size, as from the addresses of buffers. More samples do not reduce it.
        random = numpy.random.default_rng(7)
        false_alarms = 0
        for _ in range(100):
            found = verdict_of(lambda n: 1.0 + 0.01 * random.standard_normal())
            false_alarms += found.beside.low > 1 or found.beside.high < 1
        self.assertLessEqual(false_alarms, 10)

    def test_powers_of_two__sizes_that_share_a_time__wider_interval(self):
        # Times that are linear in the size, with errors of these logarithms. The batches between,
        # of 12, 24, 48 and 100, use each power in between twice.
        errors = {12: 0.01, 24: -0.02, 48: 0.015, 100: 0.0}
        found = verdict_of(lambda n: math.exp(errors.get(n, 0.0))).between
        terms = numpy.array(list(errors.values()))
        self.assertAlmostEqual(math.log(found.value), terms.mean())
        # Weights of 8, 16, 32, 64 and 128 samples, then of the sizes between.
        weights = numpy.zeros((4, 9))
        for i, (low, m) in enumerate(((8, 12), (16, 24), (32, 48), (64, 100))):
            part = (m - low) / low
            weights[i, i], weights[i, i + 1] = -(1 - part) * low / m, -part * 2 * low / m
            weights[i, 5 + i] = 1.0
        random = numpy.random.default_rng(1)
        simulated = random.standard_normal((200_000, 9)) @ weights.T
        wider = math.sqrt(simulated.mean(axis=1).var() / simulated.var(axis=1, ddof=1).mean())
        half = 3.1824 * terms.std(ddof=1) * wider  # Student's factor for 3 degrees of freedom
        self.assertAlmostEqual(math.log(found.high / found.value), half, delta=0.01 * half)
        self.assertGreater(wider, 1.1 / math.sqrt(4))

    def test_powers_of_two__answered_in_words(self):
        section = self.section("Batch and size")
        self.assertIn("| step_hinge_f32 | avx2 | 1.20× (", section)
        self.assertIn(
            "step_hinge_u8 with avx2: power-of-two batches are 20.0 % faster than batches of one "
            "sample",
            section,
        )
        self.assertIn("whether the last block of samples is full", section)

    def test_powers_of_two__wide_interval_or_noisy_rows__no_conclusion(self):
        alike = Ratio(1.0, 0.99, 1.01)
        words = answer(SWEEP, sweeps.Verdict(Ratio(1.243, 1.03, 1.54), alike))
        self.assertIn("24.3 % faster than", words)
        self.assertIn("what matters is not the power of two", words)
        for beside in (
            Ratio(1.243, 1.003, 1.54),
            Ratio(1.243, 1.03, 1.54, True),
            Ratio(1.0, 0.7, 1.4),
        ):
            words = answer(SWEEP, sweeps.Verdict(beside, alike))
            self.assertIn("not shown to be faster or slower than batches of one sample", words)
            for conclusion in ("% faster", "what matters", "any difference"):
                self.assertNotIn(conclusion, words)
        words = answer(SWEEP, sweeps.Verdict(alike, Ratio(0.99, 0.8, 1.2)))
        self.assertNotIn("any difference", words)
        # The second interval excludes 1: there is a difference, but a small one.
        for close in (alike, Ratio(1.025, 1.01, 1.04)):
            words = answer(SWEEP, sweeps.Verdict(alike, close))
            self.assertIn("within 5 % of batches well between two powers of two: any difference is "
                          "below 5 %.", words)  # fmt: skip
        # Both gains may have the same cause.
        words = answer(SWEEP, sweeps.Verdict(Ratio(1.04, 1.03, 1.05), Ratio(1.03, 1.02, 1.04)))
        self.assertNotIn("what matters", words)

    def test_powers_of_two__noisy_row__its_ratios_are_doubtful(self):
        ns = (4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 64)
        for noisy, doubtful in (
            (4, (False, False)),
            (33, (True, False)),
            (48, (False, True)),
            (16, (True, True)),
        ):
            rows = [batch_row(n, 1.0, spread=0.5 if n == noisy else 0.001) for n in ns]
            rows = [
                dataclasses.replace(row, mad=0.06 * row.median * (row.shape.n == noisy))
                for row in rows
            ]
            found = sweeps.verdict(*sweeps.batch_sweeps(rows))
            self.assertEqual((found.beside.is_doubtful, found.between.is_doubtful), doubtful, noisy)

    def noisy(self, name, **aggregate):
        """Returns results with one noisy row, by its aggregates or by the spread of its samples."""
        document = full()
        for entry in document["benchmarks"]:
            if entry["run_name"] == name and entry["run_type"] == "aggregate":
                entry |= aggregate
            elif entry["run_name"] == name and not aggregate:
                entry["real_time"] *= 1 + 0.2 * (entry["repetition_index"] % 2)
        return document

    def test_noisy_rows__marked_with_an_explanation(self):
        # Captions may explain the mark.
        self.assertNotIn(MARK, self.made["report.md"].replace(f"a row is marked {MARK}.", ""))
        name = "step_hinge_f32/avx2/n:256/d:3072/c:10"
        for document in (self.noisy(name), self.noisy(name, shared_core=True)):
            text = self.markdown(document)
            summary = text.split("results:begin")[1].split("results:end")[0]
            (line,) = (o for o in summary.splitlines() if "step_hinge_f32 | 256×3072×10" in o)
            cells = [cell.strip() for cell in line.split("|")[3:-1]]
            self.assertEqual([cell.endswith(f") {MARK}") for cell in cells], [False, False, True])
            self.assertEqual(summary.count(NOTE), 1)
            for title in (
                "ISA ladder",
                "Hot and cold",
                "Threads",
                "Against other libraries",
                "bf16",
                "Fused step",
            ):
                section = text.split(f"\n## {title}")[1].split("\n## ")[0]
                self.assertIn(f" {MARK} |", section, title)
                self.assertEqual(section.count(NOTE), 1, title)
            # Over the library, the compiler's code and scalar code.
            self.assertEqual(text.split("\n## ")[0].count("; noisy rows)"), 3)
        self.assertIn(f"  - {name}\n", self.markdown(self.noisy(name)).split("## Warnings")[1])

    def test_many_noisy_rows__first_three_and_a_count(self):
        document = full()
        for row in document["benchmarks"]:
            if row["run_type"] == "iteration":
                row["real_time"] *= 1 + 0.2 * (row["repetition_index"] % 2)
        noisy = self.section("Warnings", document).split("The spread (MAD) of ")[1]
        count = int(noisy.split()[0])
        lines = noisy.split("\n- ")[0].strip().splitlines()[1:]
        self.assertEqual([line[:4] for line in lines], ["  - "] * 4)
        self.assertEqual(lines[3], f"  - … and {count - 3} more, marked {MARK}")
        page = (self.output / "index.html").read_text()
        listed = page.split("Affected rows</summary>")[1].split("</details>")[0]
        self.assertEqual(listed.count("<li>"), count)

    def test_noisy_baseline__its_ratios_are_marked(self):
        summary = self.section("Speed-up", self.noisy("step_hinge_f32/scalar/n:256/d:3072/c:10"))
        (line,) = (o for o in summary.splitlines() if "step_hinge_f32 | 256×3072×10" in o)
        self.assertEqual(line.count(MARK), 3)

    def test_no_faster__no_row__uncertain_ones_are_counted(self):
        document = self.noisy("step_hinge_f32/avx2/n:256/d:3072/c:10")
        document["benchmarks"] = [o for o in document["benchmarks"] if o["kernel"] != "update_f32"]
        section = self.section("No faster", document)
        self.assertIn("in this run all 4 hand-written rows are at least 3 % faster", section)
        self.assertIn("This is uncertain for 1, whose interval", section)

    def test_conditions__disturbed_groups_are_named(self):
        section = self.section("Samples and conditions")
        self.assertIn("2 of 3 groups were disturbed.", section)
        disturbed = section.split("Disturbed groups")[1].split("Conditions of every")[0]
        self.assertIn("| step_hinge_f32, sweep of batch | 14 |", disturbed)
        self.assertIn("| clock -10.0% |", disturbed)
        self.assertIn("| update_f32 256×3072×10 | 3 |", disturbed)
        self.assertIn("| 10.0% stolen |", disturbed)
        self.assertEqual(disturbed.count("×3072×10 |"), 1)
        warnings = self.section("Warnings")
        self.assertIn("1 of 3 groups of rows lost more than 1 % of their time", warnings)

    def test_conditions__at_the_limits(self):
        row = "k/avx2/n:1/d:2/c:3"
        quiet, slower, moved, throttled, unknown = conditions_of(
            [
                group(row, 1, 0.0, clock_after_ghz=3.05, steal_s=0.009),
                group(row, 1, 0.0, clock_after_ghz=2.93),
                group(row, 1, 0.0, migrations=2.0),
                group(row, 1, 0.0, throttled_periods=3.0, cache="cold"),
                group(row, 1, 0.0, steal_s=None, migrations=None, throttled_periods=None),
            ]
        )
        self.assertEqual(quiet.faults, [])
        self.assertEqual(slower.faults, ["clock -2.3%"])
        self.assertEqual(moved.faults, ["moved 2 times"])
        self.assertEqual(throttled.faults, ["throttled in 3 periods"])
        self.assertEqual(throttled.name, "k 1×2×3 cold")
        self.assertEqual((unknown.faults, unknown.stolen), ([], None))

    def test_precision_and_noise_floor__reported(self):
        document = full()
        for entry in document["benchmarks"]:
            if entry["run_name"].startswith("update_f32/scalar") and "stopped" in entry:
                entry |= {"stopped": "time", "ci95_high_ns": 1.2 * entry["real_time"]}
        section = self.section("Samples and conditions", document)
        rows = len({entry["run_name"] for entry in document["benchmarks"]})
        self.assertIn(
            f"{rows - 2} of {rows} rows reached the requested precision of 1.0 %; 2 used up their "
            "time (see the table of all rows). The widest interval is ± 10.5 % (update_f32/scalar/",
            section,
        )
        self.assertIn(
            "Noise floor: 1 row timed 2 times with the same code; half of them differ by less "
            "than 1.0 % between two passes, 95 % of all pairs of passes by less than 1.5 %.",
            section,
        )
        line = "| step_hinge_f32/avx2/n:256/d:3072/c:10 | 1.0 % | largest difference |"
        self.assertIn(line, section)
        section = self.section("Samples and conditions", in_passes(document, floor=0.02))
        self.assertIn("half of the floors are below 2.0 %, 95 % below 2.0 %.", section)
        self.assertNotIn("differ by less", section)
        self.assertEqual(section.count("| 2.0 % | 95 % of pairs |"), 5)

    def test_precision_in_passes__other_reasons_and_intervals_over_them(self):
        document = in_passes(full())
        for entry in document["benchmarks"]:
            if entry["kernel"] == "update_f32" and "stopped" in entry:
                reasons = {"scalar": "interrupted", "auto_avx2": "repetitions", "avx2": "time"}
                entry |= {
                    "stopped": reasons[entry["isa"]],
                    "ci95_high_ns": 1.1 * entry["real_time"],
                }
        section = self.section("Samples and conditions", document)
        self.assertIn(
            "60 of 66 rows reached the requested precision of 1.0 % within their passes; 2 used up "
            "their time, 2 reached the maximum number of samples and 2 were interrupted (see the "
            "table of all rows). The intervals over the passes may be wider: at most ± 5.5 % "
            "(update_f32/",
            section,
        )
        text = self.section("Method", document)
        self.assertIn("In each of 5 passes, a row was sampled until the 95 % interval (by ranks) "
                      "of the median of its samples, each divided by the median of its pass, was "
                      "within 1.0 % of it, or until 0.100 s was up, with a minimum of 5 samples of "
                      "at least 10.0 ms in all, after", text)  # fmt: skip

    def test_strips__largest_deviation_of_all_samples(self):
        document = full()
        template = next(o for o in document["benchmarks"] if "repetition_index" in o)
        name = template["run_name"]
        document["benchmarks"] = [o for o in document["benchmarks"] if o["run_name"] != name]
        median = template["real_time"]
        document["benchmarks"] += [
            template | {"repetition_index": i, "real_time": median * (1.4 if i == 1 else 1.0),
                        "time_s": float(i)}
            for i in range(501)
        ]  # fmt: skip
        self.markdown(document, drawn=("strips",))
        drawn = (self.output / "figures" / "strips.svg").read_text()
        self.assertIn(">± 40.0 %<", drawn)  # of the second sample, which is not drawn
        for entry in document["benchmarks"]:
            if entry["run_name"] == name:
                entry["real_time"] = median
        self.markdown(document, drawn=("strips",))
        drawn = (self.output / "figures" / "strips.svg").read_text()
        self.assertIn(">± 0.0 %<", drawn)

    def test_rows__stop_reason_interval_and_counters(self):
        section = self.section("All rows")
        self.assertIn("| ended by |", section)
        self.assertRegex(section, r"\| cycles \| instructions \|\n")
        found = rows_in(section)
        row = found["step_hinge_f32/avx2/n:256/d:3072/c:10"]
        self.assertEqual((row["vs scalar"], row["vs compiler"]), ("10.0×", "2.50×"))
        for other in ("/cold", "/threads:2"):  # no other row of its kind to compare with
            other = found[f"step_hinge_f32/avx2/n:256/d:3072/c:10{other}"]
            self.assertEqual((other["vs scalar"], other["vs compiler"]), ("–", "–"))
        self.assertEqual((row["± %"], row["ended by"]), ("1.00", "precision"))
        self.assertEqual((row["cycles"], row["instructions"]), ("300.0", "700.0"))
        document = full()
        document["counters"] = {"available": False, "reason": "no counters here"}
        for entry in document["benchmarks"]:
            entry.pop("counters", None)
        section = self.section("All rows", document)
        self.assertIn("Hardware counters: n/a: no counters here.", section)
        self.assertNotIn("| cycles |", section)

    def test_samples_with_less_than_a_core__left_out_but_drawn(self):
        document = full()
        slow = "step_hinge_f32/avx2/n:256/d:3072/c:10"
        for entry in document["benchmarks"]:
            if entry["run_type"] == "iteration":
                entry |= {"core_share": 1.0, "alone": True}
                if entry["run_name"] == slow and entry["repetition_index"] < 2:
                    entry |= {"core_share": 0.5, "alone": False, "real_time": 1000.0}
        every = sum(entry["run_type"] == "iteration" for entry in document["benchmarks"])
        section = self.section("Samples and conditions", document)
        self.assertIn(f"2 of {every} samples (1 %) are left out", section)
        text = self.markdown(document, drawn=("samples",))
        summary = text.split("results:begin")[1].split("results:end")[0]
        few = (
            "of at least 3 samples each out of at least 5 taken "
            "(the others had less than a whole core). "
        )
        self.assertIn(f"medians of one run, {few}`auto_", summary)
        self.assertIn(f"Medians are {few}The variants", text.split("## Method")[1])
        self.assertIn(f"| {slow} | 0.1010 |", text)  # the median of 100, 101 and 150
        drawn = (self.output / "figures" / "samples.svg").read_text()
        self.assertIn("less than a whole core, left out", drawn)
        for entry in document["benchmarks"]:
            if entry["run_name"] == slow and entry.get("aggregate_name") == "median":
                entry["shared_core"] = True
        section = self.section("Samples and conditions", document)
        self.assertIn(f"0 of {every} samples (0 %) are left out", section)
        self.assertIn("In 1 row too few samples had a whole core", section)
        self.assertIn(f"| {slow} | 0.1500 |", self.markdown(document))

    def test_samples__minimum_number_over_the_rows_shown(self):
        document = full()  # has 5 samples per row
        document["context"]["repetitions"] = 9
        shortened = "step_hinge_f32/avx2/n:1/d:3072/c:10/sweep:batch"
        document["benchmarks"] = [
            o
            for o in document["benchmarks"]
            if o["run_name"] != shortened or o.get("repetition_index", 0) < 4
        ]
        text = self.markdown(document)
        self.assertIn("medians of one run, of at least 5 samples each. `auto_", text)
        self.assertIn("Medians are of at least 4 samples each. The variants", text)

    def test_row_above_its_roof__ringed_and_shown(self):
        section = self.section("All rows")
        self.assertIn("| 252.5 % ‡ | FMA |", section)
        self.assertIn(">above its roof (suspect the ceiling)<", self.made["figures/roofline.svg"])


if __name__ == "__main__":
    unittest.main()
