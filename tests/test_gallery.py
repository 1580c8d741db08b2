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
    distil,
    entry,
    errors,
    features,
    groups_of,
    machine,
    page,
    ratios,
    results,
    row,
    rows_of,
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

    def test_bytes__compared_with_f32_at_the_best_level_of_each(self):
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


class Missing(GalleryTest):
    """Every reason why a combination has no figure."""

    def reasons(self, document):
        found = self.entry(document)
        return {o.id: bought.why_missing(found, o) for o in features.FEATURES}

    def test_cpu_lacks_it(self):
        self.assertEqual(self.reasons(results())["amx"], "the CPU has no AMX")
        virtual = results(machine=machine(hypervisor="KVM"))
        self.assertEqual(self.reasons(virtual)["amx"], "no AMX in this virtual machine")

    def test_version_lacks_the_level(self):
        old = results(machine=machine([o for o in LEVELS if o[0] != "avx512vnni"]))
        old["benchmarks"] = [o for o in old["benchmarks"] if o["isa"] != "avx512vnni"]
        self.assertEqual(
            self.reasons(old)["avx512vnni"],
            "the CPU has AVX512-VNNI, but version 0123456 has no kernels for it",
        )

    def test_version_lacks_the_data_type(self):
        document = results(row("step_hinge_f32", "avx2", 100.0))
        self.assertEqual(self.reasons(document)["bytes"], "version 0123456 has no kernels on bytes")

    def test_not_measured(self):
        document = results([*row("step_hinge_u8", "avx2", 9.0), *row("score_f32", "avx2", 9.0)])
        self.assertEqual(self.reasons(document)["avx512vnni"], "not measured")
        self.assertEqual(self.reasons(document)["bytes"], "not measured")

    def test_not_usable__says_why(self):
        levels = [o if o[0] != "avx512" else (*o[:3], "avx512f (OS)") for o in LEVELS]
        document = results(row("step_hinge_u8", "avx2", 9.0), machine=machine(levels))
        self.assertEqual(self.reasons(document)["avx512"], "not usable: avx512f (OS)")

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
        head, (words, *found) = cells[None], cells["avx512vnni"]
        self.assertEqual(list(cells)[1], "avx512vnni")  # the first line
        columns = dict(zip((title.split(" virtual")[0] for title in head[1:]), found))
        self.assertRegex(
            columns["Intel Emerald Rapids"], r"^1\.29× 1\.2\d to 1\.\d\d scores 1\.44×"
        )
        self.assertEqual(
            columns["AMD Zen 4"],
            "the CPU has AVX512-VNNI, but version 7dd3820 has no kernels for it",
        )
        self.assertRegex(columns["AMD Zen 5"], r"^1\.16× 1\.\d\d to 1\.\d\d scores 1\.24×")
        self.assertIn("1.29 times as fast on Emerald Rapids", words)
        self.assertIn("Not measured on Zen 4, although that CPU has AVX512-VNNI.", words)

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
