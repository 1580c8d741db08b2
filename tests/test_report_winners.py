# SPDX-License-Identifier: MIT
"""downhill report: which level wins where, rows above their roof, and measurements that only some
results have."""

import copy
import re
import unittest

from matplotlib.colors import to_rgba

from report_data import ReportTest, bench, full, in_passes, samples  # isort: skip
from downhill_report.figures import winners as figure
from downhill_report.figures.style import Look
from downhill_report.model import Model
from downhill_report.notices import notices
from test_report_answer import PEERS, steady

MAIN, OTHER = (256, 3072, 10), (1, 3072, 10)


def drawn(text):
    return re.findall(r"<text [^>]*>([^<]*)</text>", text)


class Winners(ReportTest):
    def document(self):
        document = bench() | {"peers": PEERS}
        document["benchmarks"] += samples("step_hinge_f32", "onednn", MAIN, 80.0)
        return steady(document)

    def section(self, document, **more):
        return self.markdown(document, **more).split("\n## Which level wins")[1].split("\n## ")[0]

    def test_shapes__winner_and_how_much_it_is_ahead(self):
        (grid,) = Model(self.document()).winners
        self.assertEqual(grid.lines, ["1×3072×10", "256×3072×10"])
        self.assertEqual(grid.columns, ["step_hinge_f32", "update_f32"])
        found = grid.cells["256×3072×10", "step_hinge_f32"]
        self.assertEqual((found.best.isa, found.second.isa), ("onednn", "avx2"))
        self.assertAlmostEqual(found.over.value, 1.25)
        self.assertEqual(grid.cells["1×3072×10", "step_hinge_f32"].best.isa, "avx2")

    def test_section__sentence_figure_and_table(self):
        section = self.section(self.document(), drawn=("winners",))
        # avx2 takes 19.8 ns for an update, the compiler's code 20: equal within the noise.
        self.assertIn(
            "Of 4 combinations of kernel and shape (50 % with a clear winner), fastest are avx2 in "
            "1 and oneDNN 2.6.3 in 1; in 2 the two fastest are equal",
            section,
        )
        self.assertIn("| step_hinge_f32 | 256×3072×10 | oneDNN 2.6.3 | 0.0800 | avx2 | 0.100 | "
                      "1.25× (1.24 to 1.26) | yes |", section)  # fmt: skip
        texts = drawn((self.output / "figures" / "winners.svg").read_text())
        for text in ("onednn 1.25", "avx2 2.50", "≈ avx2", "step_hinge", "256×3072×10"):
            self.assertIn(text, texts)

    def test_noise_of_the_rows__no_clear_winner(self):
        document = in_passes(self.document(), floor=0.3)
        (grid,) = Model(document).winners
        self.assertFalse(grid.cells["256×3072×10", "step_hinge_f32"].is_clear)
        self.assertTrue(grid.cells["1×3072×10", "step_hinge_f32"].is_clear)

    def test_noisy_rows__named_as_a_reason(self):
        text = "the two fastest are equal within 1 % or the noise"
        section = self.section(self.document())
        self.assertIn(f"in 2 {text}.", section)
        self.assertIn("or the noise, or a row is marked †.", section)  # the caption
        document = self.document()
        for entry in document["benchmarks"]:
            if entry["run_name"] == "update_f32/avx2/n:1/d:3072/c:10":
                entry |= {"shared_core": True}
        self.assertIn(f"in 2 {text}, or a row is marked †.", self.section(document))

    def test_colours__every_level_has_its_own(self):
        document = self.document()
        _, auto, hand = document["machine"]["levels"]
        document["machine"]["levels"].append(auto | {"name": "auto_avx512", "auto_of": "avx512"})
        names = ("avxvnni", "avx512", "avx512vnni", "avx512bf16", "amx")
        document["machine"]["levels"] += [hand | {"name": name} for name in names]
        for i, name in enumerate(("avx2", *names)):
            document["benchmarks"] += samples("step_hinge_f32", name, (2 + i, 9, 9), 50.0)
            document["benchmarks"] += samples("step_hinge_f32", "scalar", (2 + i, 9, 9), 500.0)
        model = Model(steady(document))
        look = Look(model)
        found = [figure.of_level(look, name) for name in figure.hand_levels(model)]
        self.assertEqual(figure.hand_levels(model), ["avx2", *names])
        self.assertEqual(len(set(found)), 6)
        others = (figure.PEER, figure.OURS_NOT_HAND, figure.NO_WINNER)
        self.assertTrue({o[:3] for o in found}.isdisjoint(to_rgba(o)[:3] for o in others))

    def test_map_of_several_levels__drawn_by_classes_and_features(self):
        document = self.document()
        for isa, medians in (("avx2", (1.0, 3.0)), ("scalar", (2.0, 2.0)), ("blis", (4.0, 1.0))):
            for classes, median in zip((3, 100), medians):
                document["benchmarks"] += samples(
                    "score_f32", isa, (256, 16, classes), median, suffix="/sweep:map", sweep="map"
                )
        _, grid = Model(steady(document)).winners
        self.assertEqual((grid.down, grid.lines), ("classes", ["3", "100"]))
        self.assertEqual((grid.across, grid.columns), ("features", ["16"]))
        self.assertEqual([o.best.isa for o in grid.cells.values()], ["avx2", "blis"])
        self.section(document, drawn=("winners",))
        self.assertIn("blis 2.00", drawn((self.output / "figures" / "winners.svg").read_text()))

    def test_one_level__no_section(self):
        document = bench()
        document["benchmarks"] = [o for o in document["benchmarks"] if o["isa"] == "avx2"]
        self.assertNotIn("Which level wins", self.markdown(document))


class Roofs(ReportTest):
    def document(self, **repeated):
        document = full()
        for entry in document["benchmarks"]:
            entry["attainable_gflop_per_s"] = 100.0  # the peak of FMA on avx2
        if repeated:
            document["ceilings"]["repeated"] = [
                {"ceiling": "f32 FMA, avx2", "threads": 1, "rows_before": 6, "rows_after": 4}
                | repeated
            ]  # fmt: skip
        return document

    def section(self, document):
        return self.markdown(document).split("\n## Roofline")[1].split("\n## ")[0]

    def test_ceiling__suspected_before_the_row(self):
        section = self.section(self.document())
        self.assertIn("the measured ceiling is the first suspect", section)
        self.assertIn(
            "- Suspect ceiling: f32 FMA, avx2. 6 rows reached more, "
            "`update_f32/avx2/n:256/d:3072/c:10` 102 % more. This run did not measure the ceiling "
            "again.",
            section,
        )
        self.assertIn("Only if it repeats, doubt the operations, bytes or cache level", section)
        self.assertLess(section.index("Suspect ceiling"), section.index("Only if it repeats"))

    def test_ceiling_measured_again__what_was_found(self):
        document = self.document(before=62.0, after=100.0, finding="the machine was busy")
        section = self.section(document)
        self.assertIn("Measured again: 100 10⁹ operations/s (before: 62.0). Finding: the machine "
                      "was busy.", section)  # fmt: skip
        self.assertNotIn("did not measure", section)
        self.assertFalse(any("Suspect" in o.what for o in notices(Model(document))))

    def test_older_warning_that_blames_the_model__replaced(self):
        document = self.document()
        document["warnings"] = [
            "6 of 99 rows are more than 3 % above what the model calls attainable, which is an "
            "error of the model: do not read their share (update_f32/...)"
        ]
        warnings = self.markdown(document).split("## Warnings")[1]
        self.assertNotIn("error of the model", warnings)
        self.assertIn("Suspect ceiling: f32 FMA, avx2.", warnings)

    def test_memory__its_ceiling_is_named(self):
        document = self.document()
        for entry in document["benchmarks"]:
            entry["bound"] = "L2"
        self.assertIn("Suspect ceiling: reading L2.", self.section(document))

    def test_share_above_the_roof__marked_with_an_explanation(self):
        text = self.markdown(self.document())
        rows = text.split("## All rows")[1]
        self.assertIn("| 202.0 % ‡ | FMA |", rows)
        self.assertIn("‡: above the roof. Suspect the ceiling that is named as the bound", rows)
        self.assertNotIn("‡", self.markdown(bench()))


class Measurements(ReportTest):
    NAMES = ("noise %", "GHz", "cycles per sample", "operations per cycle", "mJ per call")

    def rows(self, document):
        section = self.markdown(document).split("\n## All rows")[1].split("\n## ")[0]
        lines = [line for line in section.splitlines() if line.startswith("| ")]
        titles, *rows = ([cell.strip() for cell in line.split("|")[1:-1]] for line in lines)
        return section, {row[0]: dict(zip(titles, row)) for row in rows}

    def test_present__columns_with_values(self):
        section, found = self.rows(in_passes(full()))
        row = found["step_hinge_f32/avx2/n:256/d:3072/c:10"]
        self.assertEqual(
            [row[name] for name in self.NAMES], ["0.800", "3.00", "1.17", "13.5", "0.00250"]
        )
        self.assertIn("Noise: 95 % of pairs of single passes differ by less.", section)
        self.assertNotIn("n/a", section)

    def test_absent__no_columns_and_the_reason_once(self):
        section, found = self.rows(full())
        for name in self.NAMES:
            self.assertNotIn(name, found["step_hinge_f32/avx2/n:256/d:3072/c:10"])
        self.assertEqual(section.count("Energy: n/a: not in these results."), 1)
        self.assertEqual(
            section.count("Clock, cycles and operations per cycle of each row: n/a"), 1
        )

    def test_no_energy__reason_of_the_program(self):
        document = in_passes(full())
        for entry in document["benchmarks"]:
            entry.pop("energy_j", None)
        document["energy"] = {"available": False, "reason": "no counter of the package"}
        section, found = self.rows(document)
        self.assertEqual(section.count("Energy: n/a: no counter of the package."), 1)
        row = found["step_hinge_f32/avx2/n:256/d:3072/c:10"]
        self.assertNotIn("mJ per call", row)
        self.assertEqual(row["GHz"], "3.00")

    def test_one_row_without_them__dash(self):
        document = in_passes(full())
        name = "update_f32/avx2/n:1/d:3072/c:10"
        for entry in document["benchmarks"]:
            if entry["run_name"] == name:
                for key in ("clock_ghz", "energy_j", "noise_floor"):
                    entry.pop(key, None)
        _, found = self.rows(document)
        self.assertEqual([found[name][o] for o in self.NAMES], ["–", "–", "59.4", "13.5", "–"])

    def test_merged_again__the_same_report(self):
        document = in_passes(full())
        first = self.markdown(document)
        merged = self.output / "results.json"
        self.assertIn('"energy"', merged.read_text())
        self.assertEqual(first, self.markdown(copy.deepcopy(document)))


if __name__ == "__main__":
    unittest.main()
