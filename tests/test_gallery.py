# SPDX-License-Identifier: MIT
"""downhill gallery: entries and ratios against numbers computed by hand; the committed gallery."""

import json
import math
import pathlib
import random
import re
import unittest
import unittest.mock

from gallery_data import (
    COMMITTED,
    LEVELS,
    ROOT,
    FirstTable,
    GalleryTest,
    bought,
    content,
    distil,
    entry,
    errors,
    explorer,
    features,
    figure,
    groups_of,
    machine,
    machines,
    page,
    ratios,
    results,
    row,
    rows_of,
    words,
)

from downhill_gallery import microarchitecture
from downhill_report import passes  # noqa: E402


def feature(name):
    return next(o for o in features.FEATURES if o.id == name)


class Ratios(GalleryTest):
    def test_few_samples__extremes_of_the_quotients(self):
        # Samples of 98, 99, 100, 101 and 150 % of the median: fewer than an interval needs.
        document = self.distil(results())
        (group, *_) = [o for kernel, _, o in groups_of(document) if kernel.endswith("_f32")]
        rows = {cells[0]: cells for cells in group["rows"]}
        value, low, high = rows["avx2"][7]["scalar"]
        self.assertEqual(value, 10)
        self.assertEqual(low, math.floor(1000 * (980 / 150 / 10 - 1)))
        self.assertEqual(high, math.ceil(1000 * (1500 / 98 / 10 - 1)))
        self.assertEqual(rows["avx2"][7]["auto_avx2"][0], 2.5)
        self.assertEqual(rows["avx512"][7]["avx2"][0], 2)
        self.assertNotIn("scalar", rows["avx512"][7])

    def test_drift_that_both_rows_share__cancels(self):
        drift = [1.0, 1.3, 0.9, 1.7, 1.1, 2.0, 1.4, 0.8, 1.6, 1.2]
        document = self.distil(
            results(
                [
                    *row("step_hinge_u8", "avx512", 240.0, times=[200 * o for o in drift]),
                    *row("step_hinge_u8", "avx512vnni", 120.0, times=[100 * o for o in drift]),
                ]
            )
        )
        cells = rows_of(document)["avx512vnni"]
        self.assertEqual(cells[7], {"avx512": [2, 0, 0]})
        # The intervals of the medians alone would not show that.
        self.assertLess(cells[2], -200)

    def test_samples_out_of_step__interval_is_wide(self):
        drift = [1.0, 1.3, 0.9, 1.7, 1.1, 2.0, 1.4, 0.8, 1.6, 1.2]
        document = self.distil(
            results(
                [
                    *row("step_hinge_u8", "avx512", 240.0, times=[200 * o for o in drift]),
                    *row(
                        "step_hinge_u8", "avx512vnni", 120.0, times=[100 * o for o in drift[::-1]]
                    ),
                ]
            )
        )
        value, low, high = rows_of(document)["avx512vnni"][7]["avx512"]
        self.assertAlmostEqual(value, 2)
        self.assertLess(low, -100)
        self.assertGreater(high, 100)

    def test_passes__students_t_by_hand(self):
        # Quotients 1.9, 2.0 and 2.1. Their logarithms have the mean 0.692314 and the standard
        # deviation 0.050046; t of two degrees of freedom is 4.302653.
        pairs = passes.pairs_of((100.0, None, 100.0, 100.0, 9.0), (190.0, 5.0, 200.0, 210.0, None))
        found = passes.ratio_of(pairs)
        half = 4.302653 * 0.050046 / math.sqrt(3)
        for value, expected in zip(found, (0.692314, 0.692314 - half, 0.692314 + half)):
            self.assertAlmostEqual(math.log(value), expected, 5)
        document = self.distil(
            results(
                [
                    *row("step_hinge_u8", "avx512", 200.0, passes=(190.0, 200.0, 210.0)),
                    *row("step_hinge_u8", "avx512vnni", 100.0, passes=(100.0, 100.0, 100.0)),
                ]
            )
        )
        value, low, high = rows_of(document)["avx512vnni"][7]["avx512"]
        self.assertEqual(value, 1.998)
        self.assertEqual(low, math.floor(1000 * (math.exp(-half) - 1)))
        self.assertEqual(high, math.ceil(1000 * (math.exp(half) - 1)))

    def test_interval_covers(self):
        # Independent samples: percentile bootstrap of the ratio of two medians of 20.
        generator, inside = random.Random(1), 0
        for trial in range(200):
            rows = {
                isa: {i: mean * generator.lognormvariate(0, 0.03) for i in range(20)}
                for isa, mean in (("a", 100.0), ("b", 150.0))
            }
            resampled = ratios.resample(f"trial {trial}", rows)
            timed = {
                isa: ratios.Timed(sorted(o.values())[10], o, (), resampled[isa])
                for isa, o in rows.items()
            }
            _, low, high = ratios.ratio(timed["a"], timed["b"])
            inside += low <= 1.5 <= high
        self.assertGreaterEqual(inside, 180)

    def test_median_interval__ranks_of_the_tables(self):
        # Number of samples -> rank of the lower end, in tables of the sign test at 5 %.
        for count, rank in ((6, 1), (8, 1), (9, 2), (10, 2), (12, 3), (15, 4), (20, 6), (30, 10)):
            times = [float(i) for i in range(1, count + 1)]
            self.assertEqual(ratios.median_interval(times), (rank, count + 1 - rank), count)
        self.assertIsNone(ratios.median_interval([1.0] * 5))

    def test_mean__geometric_with_errors_added_as_squares(self):
        found = bought.mean_of([entry.Ratio(2, 1.8, 2.2), entry.Ratio(8, 7, 9, True)])
        self.assertAlmostEqual(found.value, 4)
        low = math.hypot(math.log(2 / 1.8), math.log(8 / 7)) / 2
        high = math.hypot(math.log(2.2 / 2), math.log(9 / 8)) / 2
        self.assertAlmostEqual(found.low, 4 * math.exp(-low))
        self.assertAlmostEqual(found.high, 4 * math.exp(high))
        self.assertTrue(found.doubtful)


class Entries(GalleryTest):
    def test_row__cells_by_hand(self):
        rows = row(
            "step_hinge_f32", "avx2", 100.0, attainable_gflop_per_s=80.04, bound="FMA",
        )  # fmt: skip
        for o in rows:
            if o.get("aggregate_name") == "median":
                o |= {"ci95_low_ns": 99.0, "ci95_high_ns": 101.25, "shared_core": True}
                o |= {"above_roof": True, "clock_ghz": 3.14159, "noise_floor": 0.0123}
        document = self.distil(results(rows))
        self.assertEqual(document["row_columns"], list(entry.COLUMNS))
        cells = ["avx2", 100, -10, 13, 80.04, "FMA", 13, {}, "sr"]
        self.assertEqual(
            document["groups"],
            {
                "step_hinge_f32": {
                    "256x3072x10": {"flops": 4000, "clock_ghz": 3.142, "rows": [cells]}
                }
            },
        )
        (found,) = self.entry(results(rows)).rows.values()
        self.assertAlmostEqual(found["avx2"].high_ns, 101.3)

    def test_cold_rows_and_threads_kept__sweeps_left_out(self):
        rows = [
            *row("step_hinge_f32", "avx2", 100.0),
            *row("step_hinge_f32", "avx2", 200.0, suffix="/cold", cache="cold"),
            *row("step_hinge_f32", "avx2", 60.0, suffix="/threads:2", threads=2),
            *row("step_hinge_f32", "avx2", 9.0, suffix="/sweep:batch", sweep="batch"),
        ]
        found = self.distil(results(rows))
        self.assertEqual(
            [(key, group["rows"][0][1]) for _, key, group in groups_of(found)],
            [("256x3072x10", 100), ("256x3072x10 cold", 200), ("256x3072x10 threads 2", 60)],
        )
        works = self.entry(results(rows)).rows
        self.assertEqual(
            [(o.cache, o.threads) for o in works], [("hot", 1), ("cold", 1), ("hot", 2)]
        )

    def test_libraries__compared_with_our_fastest_level(self):
        rows = [
            *row("score_f32", "avx2", 100.0), *row("score_f32", "avx512", 120.0),
            *row("score_f32", "auto_avx2", 50.0), *row("score_f32", "blis", 150.0),
        ]  # fmt: skip
        found = rows_of(self.distil(results(rows, peers=["blis"])))
        over = {isa: cells[7] if len(cells) > 7 else {} for isa, cells in found.items()}
        self.assertEqual(over["avx2"]["blis"][0], 1.5)
        self.assertNotIn("blis", over["avx512"])

    def test_bytes__compared_with_f32_at_the_highest_hand_written_level_of_each(self):
        found = self.entry(results())
        bytes_over = bought.ratios_of(found, feature("bytes"))
        ((work, ratio),) = bytes_over.items()
        self.assertEqual((work.kernel, ratio.value), ("step_hinge_u8", 2.5))  # 50 / 20

    def test_no_host_name_and_no_path(self):
        document = results()
        document["machine"]["host_name"] = "secret-host"
        document["context"] |= {
            "host_name": "secret-host", "executable": "/home/secret/downhill",
            "arguments": ["--peers", "--json", "/home/secret/a", "--ceilings-from=/home/secret/b",
                          "--filter", "^score/"],
        }  # fmt: skip
        text = json.dumps(self.distil(document))
        self.assertNotIn("secret", text)
        self.assertEqual(json.loads(text)["run"]["arguments"], ["--peers", "--filter", "^score/"])

    def test_older_results__not_recorded(self):
        document = results()
        for key in ("arguments", "max_time_s", "precision"):
            document["context"].pop(key, None)
        found = self.distil(document)
        self.assertEqual([found["run"][k] for k in ("arguments", "passes")], [None, None])
        self.assertEqual([found["machine"][k] for k in ("vendor", "family")], [None, None])
        self.assertIsNone(found["gallery_entry"]["microarchitecture"])
        self.assertIn("not recorded", page.make([self.entry(document)]))

    def test_microarchitecture__a_guess_is_marked_and_a_label_is_not(self):
        document = results()
        document["machine"]["record"] = [
            {"group": "CPU", "key": key, "value": value, "reason": "", "stable": True}
            for key, value in (("vendor", "AuthenticAMD"), ("family", "25"), ("model", "17"))
        ]
        self.assertEqual(self.entry(document).title, "AMD Zen 4 (guess)")
        self.assertEqual(self.entry(document, label="Zen 4c").title, "AMD Zen 4c")
        guess = microarchitecture.guess
        self.assertEqual(guess("GenuineIntel", 6, 207), "Emerald Rapids")
        self.assertEqual(guess("AuthenticAMD", 25, 1), "Zen 3")
        self.assertEqual(guess("AuthenticAMD", 26, 2), "Zen 5")
        self.assertIsNone(guess("GenuineIntel", 6, 1))
        self.assertIsNone(guess(None, 6, 207))

    def test_too_many_rows__left_out_in_order_and_counted(self):
        cold = {"suffix": "/cold", "cache": "cold"}
        rows = []
        for n in range(1, 9):
            brief = {"shape": (n, 13, 3), "brief": True}
            shape = {"shape": (n, 3072, 10)}
            rows += [
                *row("score_f32", "avx2", 1.0, **shape),
                *row("score_f32", "scalar", 2.0, **shape, **cold),
                *row("update_f32", "avx2", 3.0, **shape, **cold),
                *row("score_f32", "avx2", 4.0, **shape, **cold),
                *row("update_f32", "avx2", 5.0, **brief), *row("score_f32", "avx2", 6.0, **brief),
            ]  # fmt: skip
        path = self.write("results.json", results(rows))
        left = []
        limit = 100_000
        while True:
            with unittest.mock.patch.object(entry, "MAX_BYTES", limit):
                try:
                    text = distil.distil(path, "many", None)
                except errors.BadResults:
                    break
            document = json.loads(text)
            kept = [cells[1] for *_, o in groups_of(document) for cells in o["rows"]]
            self.assertEqual(sum(o["rows"] for o in document["left_out"]), 48 - len(kept))
            left.append(sorted(set(kept)))
            limit = min(limit, len(text.encode())) - 1
        self.assertEqual(
            left,
            [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 6], [1, 3, 4, 6], [1, 4, 6], [1, 4], [1]],
        )
        document["left_out"] = [{"rows": 5, "what": "cold rows"}]
        text = page.make([entry.of_document(path, document)])
        self.assertIn("left out: 5 (cold rows)", text)

    def test_noise_floor__rows_of_older_results_that_were_timed_once_or_not_at_all(self):
        document = results()
        names = [f"step_hinge_f32/{o}/n:256/d:3072/c:10" for o in ("scalar", "avx2", "avx512")]
        medians = ([1000.0, None, 1100.0], [100.0], [None])
        document["noise_floor"] = {
            "passes": 3, "p95": 0.1,
            "rows": [{"run_name": k, "medians_ns": v} for k, v in zip(names, medians)],
        }  # fmt: skip
        found = {o.isa: o for o in next(iter(self.entry(document).rows.values())).values()}
        self.assertAlmostEqual(found["scalar"].noise_floor, 0.101)  # 0.1 rounded up
        self.assertIsNone(found["avx2"].noise_floor)
        self.assertIsNone(found["avx512"].noise_floor)

    def test_title__the_vendor_once(self):
        for cpu, label, title in (
            ("Intel(R) Xeon(R) Processor", None, "Intel(R) Xeon(R) Processor"),
            ("Intel(R) Xeon(R) Processor", "Emerald Rapids", "Intel Emerald Rapids"),
            ("AMD EPYC", "AMD Zen 4", "AMD Zen 4"),
            ("Test CPU", None, "Test CPU"),
        ):
            document = results(machine=machine(cpu_name=cpu))
            self.assertEqual(self.entry(document, label=label).title, title)


def step(shapes, factor=2.0, kernel="step_hinge_f32"):
    """Returns rows of a kernel at avx2 and avx512, one shape per number of samples."""
    return [
        o
        for n in shapes
        for isa, median in (("avx2", 100.0 * factor), ("avx512", 100.0))
        for o in row(kernel, isa, median, shape=(n, 3072, 10))
    ]


class Table(GalleryTest):
    def lines(self, *entries):
        """Returns id of the feature -> its line in the first table, and the means of the figure."""
        lines, drawn = page.first_table(entries)
        return {line.feature.id: line for line in lines}, drawn

    def test_cell__mean_interval_and_extreme_shapes(self):
        rows = [*step([1], 1.0), *step([2], 4.0)]
        lines, _ = self.lines(self.entry(results(rows)))
        (cell,) = lines["avx512"].cells
        self.assertEqual((cell.value, cell.shapes), ("2.00×", "1.00× to 4.00×"))
        self.assertRegex(cell.interval, r"^1\.\d\d to 2\.\d\d ‡$")
        text = FirstTable(page.make([self.entry(results(rows))])).cells["avx512"][1]
        self.assertIn(f"{cell.value} {cell.interval} {cell.shapes}", text)

    def test_passes__only_intervals_of_one_pass_are_marked(self):
        document = results()
        document["context"]["passes"] = 5
        lines, _ = self.lines(self.entry(document), self.entry(results(), "two"))
        several, one = lines["avx512"].cells
        self.assertNotIn("‡", several.interval)
        self.assertIn("‡", one.interval)
        self.assertIn("‡: measured in one pass.", page.make([self.entry(results())]))
        self.assertNotIn(
            "‡: measured in one pass.", "".join(page.notes([self.entry(document)], []))
        )

    def test_line__of_one_family(self):
        of_bytes = self.entry(results(step([1], kernel="step_hinge_u8")))
        of_f32 = self.entry(results(step([1])), "two", "Other")
        lines, drawn = self.lines(of_bytes, of_f32)
        line = lines["avx512"]
        self.assertEqual([cell.why for cell in line.cells], ["not measured", ""])
        self.assertTrue(
            line.words.startswith("A training step on f32 is 2.00 times as fast on Other."),
            line.words,
        )
        self.assertEqual([len(found) for _, found in drawn], [1])

    def test_means__over_the_shapes_that_all_measured_cpus_have(self):
        many = self.entry(results([*step([1], 8.0), *step([2, 3])]))
        few = self.entry(results(step([2, 3, 4])), "two")
        lacking = self.entry(results(row("hinge_f32", "scalar", 1.0)), "three")
        lines, drawn = self.lines(many, few, lacking)
        self.assertEqual([o.value for o in lines["avx512"].cells], ["2.00×", "2.00×", ""])
        self.assertEqual(page.shapes_of(drawn), "2 shapes")
        # Nothing in common: each over its own.
        lines, drawn = self.lines(self.entry(results(step([1], 8.0))), few)
        self.assertEqual([o.value for o in lines["avx512"].cells], ["8.00×", "2.00×"])
        self.assertEqual(page.shapes_of(drawn), "1 to 3 shapes (not the same in all cells)")
        # A small run does not reduce the shapes of the others.
        small = self.entry(results(step([2])), "small")
        lines, drawn = self.lines(many, few, small)
        self.assertEqual([o.value for o in lines["avx512"].cells], ["2.00×"] * 3)
        self.assertEqual(page.shapes_of(drawn), "1 to 2 shapes (not the same in all cells)")
        _, drawn = self.lines(self.entry(results(step([1]))), self.entry(results(step([2])), "two"))
        self.assertEqual(page.shapes_of(drawn), "1 shape (not the same in all cells)")

    def test_words__sentences(self):
        def answer(*ratios, operation="step", needed=0):
            family = features.Family(operation, "f32")
            work = entry.Work("step_hinge_f32", (1, 2, 3), "hot", 1)
            found = []
            for i, value in enumerate(ratios):
                ratio = entry.Ratio(value, 0.99 * value, 1.01 * value)
                named = self.entry(results(), f"e{i}", f"CPU {i}")
                found.append((named, bought.Mean(family, ratio, {work: ratio})))
            found += [(self.entry(results(), f"n{i}", f"New {i}"), None) for i in range(needed)]
            return words.answer(feature("avx512"), family, found)

        self.assertEqual(
            answer(1.0, 0.92, 0.95),
            "A training step on f32 is 0.92 (CPU 1) to 1.00 times as fast (CPU 0).",
        )
        self.assertEqual(
            answer(1.5, 1.0, operation="scores", needed=1),
            "Computing scores on f32 is 1.50 times as fast on CPU 0 and as fast on CPU 1. "
            "Not measured on New 0, although the CPU has AVX-512.",
        )
        self.assertTrue(
            answer(2.0, needed=2).endswith("on New 0 and New 1, although the CPUs have AVX-512.")
        )
        self.assertEqual(
            answer(1.0, 1.0, 1.0), "A training step on f32 is as fast on 3 CPUs."
        )  # fmt: skip

    def test_intervals__as_many_digits_as_the_ratio(self):
        ratio = entry.Ratio(22.7, 20.13, 26.62)
        self.assertEqual(content.with_interval(ratio), "22.7× (20.1 to 26.6)")
        self.assertEqual(words.ends(ratio), "20.1 to 26.6")

    def test_figure__wide_intervals_stay_inside(self):
        work = entry.Work("step_hinge_f32", (1, 2, 3), "hot", 1)
        ratio = entry.Ratio(2.0, 1e-9, 1e9)
        mean = bought.Mean(features.Family("step", "f32"), ratio, {work: ratio})
        text = figure.draw([(feature("avx512"), [(self.entry(results()), mean)])])
        for x in re.findall(r'x[12]="([-\d.]+)"', text):
            self.assertTrue(figure.LEFT <= float(x) <= figure.WIDTH - figure.RIGHT, x)
        (label,) = re.findall(r'<text x="([\d.]+)"[^>]*>2\.00×</text></g>', text)
        self.assertGreater(float(label), figure.WIDTH - figure.RIGHT)

    def test_machines__settings_and_noise_floor(self):
        document = results()
        document["context"] |= {"precision": 0.005, "passes": 1}
        one = self.entry(document)
        self.assertTrue(machines.run(one).endswith(", until within 0.5 %"), machines.run(one))
        self.assertEqual(machines.passes(one), machines.passes(self.entry(results())))
        self.assertEqual(machines.floor(one), "not measured")
        floor = {"passes": 4, "p95": 0.298, "rows": []}
        document["noise_floor"] = floor
        self.assertEqual(
            machines.floor(self.entry(document)),
            "two measurements of a row differ by less than 29.8 % in 95 % of cases",
        )
        document["context"]["passes"] = 5
        document["noise_floor"] = floor | {"median": 0.0755}
        self.assertEqual(
            machines.floor(self.entry(document)), "median 7.5 %; below 29.8 % for 95 % of rows"
        )

    def test_explorer__only_missing_values_are_dropped(self):
        isas, bounds = explorer.Names(), explorer.Names()
        ratio = entry.Ratio(2.0, 1.9, 2.0)
        head = ("avx2", 100.0, 99.0, 100.0)
        for tail, cells in (
            ((None, "FMA", None, {}, "", None), [0, 100.0, -10, 0, None, 0]),
            ((None, None, None, {}, "", None), [0, 100.0, -10, 0]),
            ((9.0, "FMA", None, {"avx2": ratio}, "", None),
             [0, 100.0, -10, 0, 9.0, 0, None, [0, 2.0, -50, 0]]),
        ):  # fmt: skip
            packed = explorer.packed(entry.Row(*head, *tail), None, isas, bounds)
            self.assertEqual(packed, cells)

    def test_left_out_library__has_a_page(self):
        rows = [*row("score_f32", "avx2", 100.0), *row("score_f32", "blis", 150.0)]
        document = self.distil(results(rows, peers=["blis"]))
        for _, _, group in groups_of(document):
            group["rows"] = [cells for cells in group["rows"] if cells[0] != "blis"]
        found = entry.of_document(pathlib.Path("x.json"), document)
        self.assertIn("1.50× ", page.make([found]).partition('id="peers"')[2])


class Missing(GalleryTest):
    """Every reason why a combination has no figure."""

    def reasons(self, document):
        found = self.entry(document)
        return {o.id: bought.why_missing(found, o) for o in features.FEATURES}

    def test_cpu_lacks_it(self):
        self.assertEqual(self.reasons(results())["amx"], "the CPU has no AMX")
        virtual = results(machine=machine(hypervisor="KVM"))
        self.assertEqual(self.reasons(virtual)["amx"], "no AMX here")

    def test_version_lacks_the_level(self):
        old = results(machine=machine([o for o in LEVELS if o[0] != "avx512vnni"]))
        old["benchmarks"] = [o for o in old["benchmarks"] if o["isa"] != "avx512vnni"]
        self.assertEqual(
            self.reasons(old)["avx512vnni"],
            "no data yet: the entry is of version 0123456, which has no kernels for AVX512-VNNI; "
            "run scripts/bench --gallery one there",
        )

    def test_version_lacks_the_data_type(self):
        document = results(row("step_hinge_f32", "avx2", 100.0))
        self.assertEqual(
            self.reasons(document)["bytes"],
            "no data yet: the entry is of version 0123456, which has no kernels for bytes; "
            "run scripts/bench --gallery one there",
        )
        text = page.make([self.entry(document)])
        self.assertIn("No data yet on Test CPU: the entry is of version 0123456,", text)
        self.assertEqual(FirstTable(text).cells["bytes"][1], "no data yet")

    def test_not_measured(self):
        document = results([*row("step_hinge_u8", "avx2", 9.0), *row("score_f32", "avx2", 9.0)])
        self.assertEqual(self.reasons(document)["avx512vnni"], "not measured")
        self.assertEqual(self.reasons(document)["bytes"], "not measured")

    def test_library__run_without_peers(self):
        rows = row("score_f32", "avx2", 9.0)
        without = self.entry(results(rows))
        with_blis = self.entry(results(rows, peers=["blis"]))
        self.assertEqual(bought.lacks(without, "blis", False), "not timed; run with --peers")
        self.assertEqual(bought.lacks(with_blis, "onednn", False), "version 0123456 has no onednn")
        self.assertEqual(bought.lacks(without, "avx9", True), "version 0123456 has no avx9")
        both = [without, self.entry(results([*rows, *row("score_f32", "blis", 9.0)],
                                            peers=["blis"]), "two")]  # fmt: skip
        data = explorer.data(both)
        blis = data["isas"].index("blis")
        self.assertEqual(data["machines"][0]["lacks"][blis], "not timed; run with --peers")

    def test_not_usable__says_why(self):
        levels = [o if o[0] != "avx512" else (*o[:3], "avx512f (OS)") for o in LEVELS]
        document = results(row("step_hinge_u8", "avx2", 9.0), machine=machine(levels))
        self.assertEqual(self.reasons(document)["avx512"], "not usable: avx512f (OS)")

    def test_version_lacks_the_base(self):
        levels = [o for o in LEVELS if o[0] != "auto_avx2"]
        document = results(row("step_hinge_u8", "avx2", 9.0), machine=machine(levels))
        self.assertIn("has no kernels for auto_avx2;", self.reasons(document)["hand-avx2"])

    def test_skipped_row__keeps_its_reason(self):
        (head, *_) = row("step_hinge_f32", "avx512", 0.0)
        skipped = head | {"error_occurred": True, "error_message": "skipped: too large"}
        document = results([*row("step_hinge_f32", "avx2", 9.0), skipped])
        found = self.distil(document)
        self.assertEqual(found["reasons"], ["skipped: too large"])
        ((_, _, group),) = groups_of(found)
        self.assertEqual(group["skipped"], {"avx512": 0})


class Committed(GalleryTest):
    @classmethod
    def setUpClass(cls):
        cls.entries = entry.read_all(COMMITTED)
        cls.page = (COMMITTED / "index.html").read_text()

    def test_entries__at_most_100_kb_without_host_names(self):
        # Users add their own.
        self.assertLessEqual(
            {"intel-emr", "zen1", "zen3", "zen4", "zen5"}, {o.name for o in self.entries}
        )
        for found in self.entries:
            self.assertEqual(found.path.stem, found.name)
            self.assertLessEqual(found.path.stat().st_size, 100_000)
            self.assertNotIn("host", found.path.read_text())
            self.assertRegex(found.build["commit"], r"^[0-9a-f]{12}$")

    def test_entries__same_bytes_from_the_results(self):
        for name, source in (("zen1", "example-zen1"), ("zen4", "example-zen4")):
            path = ROOT / "reports" / source / "results.json.gz"
            text = distil.distil(path, name, name.replace("zen", "Zen "))
            self.assertEqual(text, (COMMITTED / f"{name}.json").read_text(), name)

    def test_page__same_bytes_from_the_entries(self):
        self.assertEqual(page.make(self.entries), self.page)

    def test_page__one_file_below_1_mb(self):
        self.assertLess(len(self.page.encode()), 1_000_000)
        self.assertEqual(re.findall(r"https?://|//[a-z]+\.[a-z]", self.page), [])
        for reference in re.findall(r"(?:src|href)=\"([^\"]*)\"|url\(([^)]*)\)", self.page):
            self.assertRegex("".join(reference), r"^(#|data:,)")

    def test_page__ten_machines_below_1_mb(self):
        text = max((o.path.read_text() for o in self.entries), key=len)
        many = []
        for i in range(10):
            document = json.loads(text)
            document["gallery_entry"]["name"] = f"machine-{i}"
            many.append(entry.of_document(pathlib.Path("x.json"), document))
        self.assertLess(len(page.make(many).encode()), 1_000_000)

    def test_first_table__answers_what_vnni_buys_on_intel_and_on_zen_4(self):
        cells = FirstTable(self.page).cells
        head, (answer, *found) = cells[None], cells["avx512vnni"]
        self.assertEqual(list(cells)[1], "avx512vnni")  # the first line
        columns = dict(zip((title.split(" virtual")[0] for title in head[1:]), found))
        self.assertRegex(
            columns["Intel Emerald Rapids"],
            r"^1\.29× 1\.2\d to 1\.\d\d ‡ 1\.00× to 1\.50× scores 1\.44×",
        )
        self.assertEqual(columns["AMD Zen 4"], "no data yet")
        self.assertRegex(
            columns["AMD Zen 5"],
            r"^1\.1\d× 1\.\d\d to 1\.\d\d 0\.9\d× to 1\.\d\d× scores 1\.2\d×",
        )
        self.assertIn("1.29 times as fast on Emerald Rapids", answer)
        self.assertIn("Not measured on Zen 4, although the CPU has AVX512-VNNI.", answer)
        self.assertIn("run scripts/bench --gallery zen4 there.", self.page)

    def test_one_pass__the_noise_floor_or_that_it_was_not_measured(self):
        for text in (
            "differ by less than 23 % on Emerald Rapids and 67 % on Zen 3 in 95 % of cases.",
            "The noise floor was not measured on Zen 4 and Zen 1.",
        ):
            self.assertIn(text, self.page)

    def test_first_table__means_by_another_way(self):
        for found in self.entries:
            if found.name == "intel-emr":
                rows = found.rows
        logs = []
        for work, group in rows.items():
            if work.kernel == "step_hinge_u8" and (work.cache, work.threads) == ("hot", 1):
                logs.append(math.log(group["avx512"].median_ns / group["avx512vnni"].median_ns))
        self.assertEqual(len(logs), 7)
        self.assertEqual(f"{math.exp(sum(logs) / 7):.2f}", "1.29")

    def test_versions__the_page_says_that_they_differ(self):
        self.assertIn("Different versions of the code.", self.page)
        for found in self.entries:
            self.assertIn(found.build["commit"], self.page)
        one = [o for o in self.entries if o.name == "zen4"]
        self.assertNotIn("Different versions of the code.", page.make(one))


if __name__ == "__main__":
    unittest.main()
