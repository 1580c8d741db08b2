# SPDX-License-Identifier: MIT
"""downhill report: the map of classes × features."""

import math
import re
import unittest

import report_data  # isort: skip: makes the next imports work
from downhill_report import shape_map
from downhill_report.content.marks import MARK
from downhill_report.figures.shape_map import colour
from downhill_report.figures.style import COLOURS, MAP_COLOURS
from downhill_report.model import Model
from downhill_report.rows import Ratio

PEERS = [
    {"name": "blis", "library": "libblis.so.4", "version": "BLIS 0.9", "missing": ""},
    {"name": "onednn", "library": "libdnnl.so.2", "version": "oneDNN 2", "missing": ""},
]
# (classes, features) -> medians in ns of downhill, blis and onednn.
TIMES = {
    (2, 16): (100.0, 200.0, 400.0),
    (2, 784): (100.0, 400.0, 300.0),
    (10, 16): (100.0, 100.0, 300.0),
    (10, 784): (100.0, 500.0, 50.0),
}


def rows_of(kernel, times):
    out = []
    for (classes, features), medians in times.items():
        for isa, median in zip(("avx2", "blis", "onednn"), medians):
            if median:
                shape = (256, features, classes)
                out += report_data.samples(
                    kernel, isa, shape, median, suffix="/sweep:map", sweep="map"
                )
    return out


def skipped(kernel, isa, classes, features):
    (row, *_) = report_data.samples(
        kernel, isa, (256, features, classes), 1.0, suffix="/sweep:map", sweep="map"
    )
    more = {"error_occurred": True, "error_message": "skipped: not there", "iterations": 0}
    return [row | more | {"real_time": 0.0, "cpu_time": 0.0, "repetition_index": 0}]


def document(times=None, kernels=("score_f32",), peers=PEERS):
    found = report_data.bench(shapes=((256, 3072, 10),)) | ({"peers": peers} if peers else {})
    for kernel in kernels:
        found["benchmarks"] += rows_of(kernel, TIMES if times is None else times)
    return found


def texts(svg):
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg)


class Map(report_data.ReportTest):
    def section(self, found, **more):
        return self.markdown(found, **more).split("\n## Classes × features")[1].split("\n## ")[0]

    def test_cells__best_library_over_ours(self):
        (of,) = Model(document()).maps()
        self.assertEqual((of.kernel, of.samples), ("score_f32", 256))
        self.assertEqual((of.classes, of.features), ([2, 10], [16, 784]))
        expected = {(2, 16): 2.0, (2, 784): 3.0, (10, 16): 1.0, (10, 784): 0.5}
        for at, value in expected.items():
            self.assertAlmostEqual(of.cells[at].ratio.value, value)
        best = {at: cell.best_peer.isa for at, cell in of.cells.items()}
        self.assertEqual(best, dict(zip(TIMES, ("blis", "onednn", "blis", "onednn"))))

    def test_score__known_cells(self):
        (of,) = Model(document()).maps()
        score = shape_map.score_of(of.compared())
        # At (10, 16) the interval of the ratio contains 1.
        self.assertEqual((score.cells, score.ahead, score.behind, score.left_out), (4, 2, 1, 0))
        self.assertAlmostEqual(score.mean, math.pow(2.0 * 3.0 * 1.0 * 0.5, 1 / 4))
        self.assertEqual(score.worst.ours.shape.d, 784)
        self.assertEqual(score.worst.ours.shape.c, 10)
        self.assertIsNone(shape_map.score_of([]))

    def test_interval__decides_who_is_ahead(self):
        for low, high, ahead, behind in (
            (1.02, 1.2, True, False),
            (0.8, 0.98, False, True),
            (0.98, 1.02, False, False),
            (1.005, 1.2, False, False),
            (0.8, 0.995, False, False),
        ):
            over = Ratio(1.0, low, high)
            self.assertEqual((shape_map.is_ahead(over), shape_map.is_behind(over)), (ahead, behind))

    def test_section__sentence_figure_and_table(self):
        section = self.section(document(kernels=("score_f32", "grad_f32")), drawn=("map",))
        first = section.strip().splitlines()[0]
        self.assertEqual(
            first,
            "downhill is ahead of the best library in 4 of 8 cells, behind in 2, equal within "
            "1 % or the 95 % interval in 2; the geometric mean is 1.32×, and the worst cell is "
            "score_f32 at 256×784×10 (samples × features × classes) with 0.50×, where onednn wins.",
        )
        self.assertIn("| score_f32 | 2 | 16 | avx2 | 0.100 | 0.200 | 0.400 | 2.00× (", section)
        self.assertIn("| grad_f32 | 10 | 784 | avx2 | 0.100 | 0.500 | 0.0500 | 0.50× (", section)
        lines = [line for line in section.splitlines() if line.startswith("| score_f32 ")]
        winners = [line.split("|")[-3].strip() for line in lines]
        self.assertEqual(winners, ["downhill", "downhill", "equal", "onednn"])
        self.assertNotIn(MARK, section.replace(f"{MARK}: doubtful", ""))
        self.assertIn("our highest ISA level and every library", section)
        self.assertIn(
            "Equal: the interval is not entirely more than 1 % above or below 1:", section
        )
        self.assertIn("Orange: the library is; the cell names it if the difference is", section)
        self.assertIn("figures/map.svg", section)
        drawn = texts((self.output / "figures" / "map.svg").read_text())
        for text in ("2.00", "3.00", "1.00", "0.50 onednn", "classes", "features", "784"):
            self.assertIn(text, drawn)
        self.assertIn("score, 256 samples: ahead in 2 of 4 cells, geometric mean 1.32×", drawn)
        self.assertNotIn("–", drawn)

    def test_figure__classes_downwards_and_features_to_the_right(self):
        self.section(document(), drawn=("map",))
        svg = (self.output / "figures" / "map.svg").read_text()
        at = {
            text: (float(x), float(y))
            for x, y, text in re.findall(r'<text [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)<', svg)
        }
        self.assertEqual(at["2.00"][1], at["3.00"][1])
        self.assertEqual(at["2.00"][0], at["1.00"][0])
        self.assertLess(at["2.00"][0], at["3.00"][0])
        self.assertLess(at["2.00"][1], at["1.00"][1])
        self.assertEqual(at["0.50 onednn"], (at["3.00"][0], at["1.00"][1]))

    def test_section__ahead_everywhere__worst_cell_names_no_winner(self):
        section = self.section(document({(2, 16): (100.0, 200.0, 400.0)}))
        self.assertIn("downhill is ahead of the best library in 1 of 1 cell;", section)
        self.assertIn("with 2.00×, over blis.", section)

    def test_missing_cells__dash_and_count(self):
        times = TIMES | {(2, 16): (0.0, 200.0, 400.0), (10, 16): (100.0, 0.0, 0.0)}
        found = document(times)
        found["benchmarks"] += skipped("score_f32", "blis", 10, 16)
        found["benchmarks"] += skipped("score_f32", "avx2", 100, 784)
        section = self.section(found, drawn=("map",))
        # Two of the 3 × 2 cells, (2, 784) and (10, 784), can be compared.
        self.assertIn("in 1 of 2 cells, behind in 1;", section)
        self.assertIn("4 cells could not be compared.", section)
        self.assertIn("| score_f32 | 2 | 16 | – | – | 0.200 | 0.400 | – | – | – |", section)
        self.assertIn("| score_f32 | 10 | 16 | avx2 | 0.100 | – | – | – | – | – |", section)
        self.assertIn("| score_f32 | 100 | 16 | – | – | – | – | – | – | – |", section)
        self.assertIn("| score_f32 | 100 | 784 | – | – | – | – | – | – | – |", section)
        drawn = texts((self.output / "figures" / "map.svg").read_text())
        self.assertEqual(drawn.count("–"), 4)
        self.assertIn("100", drawn)

    def noisy(self, *names, times=None):
        found = document(times)
        for entry in found["benchmarks"]:
            if entry["run_name"] in names and entry["run_type"] == "iteration":
                entry["real_time"] *= 1 + 0.2 * (entry["repetition_index"] % 2)
        return found

    def test_doubtful_rows__marked_and_not_counted(self):
        for isa in ("avx2", "onednn"):
            found = self.noisy(f"score_f32/{isa}/n:256/d:784/c:10/sweep:map")
            section = self.section(found, drawn=("map",))
            self.assertIn("in 2 of 3 cells, equal within 1 % or the 95 % interval in 1; ", section)
            self.assertIn("is 1.82×, and the worst cell is score_f32 at 256×16×10 ", section)
            self.assertIn(f"1 cell marked {MARK} is not counted, because", section)
            self.assertNotIn("could not be compared", section)
            (line,) = (o for o in section.splitlines() if o.startswith("| score_f32 | 10 | 784"))
            self.assertRegex(line, rf"\) {MARK} \| onednn \|")
            self.assertEqual(section.count(f"{MARK} | downhill"), 0)
            drawn = texts((self.output / "figures" / "map.svg").read_text())
            self.assertEqual(
                [t for t in drawn if t.endswith(MARK)], [f"{drawn_ratio(line)} onednn {MARK}"]
            )
            self.assertIn(f"geometric mean 1.82× (without 1 marked {MARK})", " ".join(drawn))

    def test_doubtful_rows_only__counted_and_called_noise(self):
        found = self.noisy(
            "score_f32/avx2/n:256/d:16/c:2/sweep:map", times={(2, 16): (100.0, 200.0, 0.0)}
        )
        section = self.section(found)
        self.assertRegex(section, rf"in 1 of 1 cell; .* with 1\.\d\d× {MARK}, over blis")
        self.assertIn(f"Every cell is marked {MARK}", section)
        self.assertNotIn("not counted", section)

    def test_no_library__reason_and_share(self):
        times = {at: (medians[0], 0.0, 0.0) for at, medians in TIMES.items()}
        for peers in (None, PEERS):
            found = document(times, peers=peers)
            for entry in found["benchmarks"]:
                entry |= {"attainable_gflop_per_s": 80.0, "bound": "FMA"}
            section = self.section(found)
            self.assertIn("No library was timed at these shapes", section)
            self.assertNotIn("map.svg", section)
            self.assertNotIn("map", report_data.figures.plan(Model(found)))
            columns = " | ".join(["–"] * (2 + (2 if peers else 0)))
            # 4000 operations in 100 ns, of 80 per ns.
            self.assertIn(f"| score_f32 | 2 | 16 | avx2 | 0.100 | {columns} | 50 % |", section)

    def test_no_map__no_section(self):
        text = self.markdown(document(times={}))
        self.assertNotIn("Classes × features", text)
        self.assertNotIn("sweep:map", text)

    def test_map_rows__not_among_the_shapes_or_sweeps(self):
        model = Model(document())
        self.assertEqual(model.shapes, [model.main_shape])
        self.assertEqual(model.batch_sweeps() + model.size_sweeps(), [])
        self.assertEqual(model.against_peers(), [])
        self.assertEqual(Model(report_data.full()).maps(), [])
        self.assertNotIn("## Batch and size", self.markdown(document()))

    def test_all_rows__without_those_of_the_map(self):
        rows = self.markdown(document()).split("\n## All rows")[1]
        self.assertIn("12 rows of the map: see the map, and results.json.", rows)
        self.assertIn("| step_hinge_f32/avx2/n:256/d:3072/c:10 |", rows)
        self.assertNotIn("sweep:map", rows)

    def test_brief_rows__shorter_times_stated(self):
        self.assertNotIn("brief row", self.markdown(document()))
        found = document()
        for entry in found["benchmarks"]:
            if "/sweep:map" in entry["run_name"]:
                entry["brief"] = True
        self.assertIn("In 12 brief rows these times are a quarter", self.markdown(found))

    def test_conditions__named_by_shape(self):
        found = document()
        found["groups"] = [
            report_data.group(
                "score_f32/avx2/n:256/d:784/c:2/sweep:map", 3, 0.0, clock_after_ghz=2.0
            )
        ]
        self.assertEqual(Model(found).conditions[0].name, "score_f32 256×784×2, map")

    def test_shapes_of_one_level__not_drawn(self):
        found = report_data.bench(shapes=((256, 3072, 10),))
        found["benchmarks"] += report_data.samples("step_hinge_f32", "avx2", (256, 4, 3), 50.0)
        model = Model(found)
        self.assertEqual([str(shape) for shape in model.drawn_shapes()], ["256×3072×10"])
        self.assertEqual([str(shape) for shape in model.left_out()], ["256×4×3"])
        found["benchmarks"] = report_data.samples("step_hinge_f32", "avx2", (256, 4, 3), 50.0)
        self.assertEqual([str(shape) for shape in Model(found).drawn_shapes()], ["256×4×3"])

    def test_colours__symmetric_around_1_and_in_the_style(self):
        self.assertEqual(colour(1.0), MAP_COLOURS[3])
        for ratio, step in ((1.06, 1), (1.21, 2), (1.51, 3), (100.0, 3)):
            self.assertEqual(colour(ratio), MAP_COLOURS[3 + step])
            self.assertEqual(colour(1 / ratio), MAP_COLOURS[3 - step])
        for placeholder in MAP_COLOURS:
            self.assertIn(placeholder, COLOURS)


def drawn_ratio(line):
    """Returns the ratio in a line of the table."""
    return re.search(r"([\d.]+)× \(", line)[1]


if __name__ == "__main__":
    unittest.main()
