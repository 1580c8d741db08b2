# SPDX-License-Identifier: MIT
"""downhill plot: the contents of its pictures of results and models, and every refusal."""

import json
import random
import resource
import struct
import subprocess
import unittest

import numpy

from plot_data import (
    PLOT, PlotTest, curve, document, epochs, model, npy, prediction, search, sgd, step_sweep,
    surface, three_points, training,
)  # fmt: skip
from downhill_report.kinds import PICTURE_MARK

GREY = [[0, 1, 2, -0.5], [3, 0, 0, -3]]


def lowest_vertex(line):
    return max(line, key=lambda point: point[1])


class Landscapes(PlotTest):
    def test_curve__one_vertex_per_point_and_minimum_marked(self):
        svg = self.svg(curve())
        line = svg.line("curve")
        self.assertEqual(len(line), 5)
        self.assertEqual(svg.marks("mark"), [lowest_vertex(line)])
        self.assertIn("lowest: 1.25 at 1", svg.texts)
        self.assertIn("mean hinge loss, with the penalty", svg.texts)
        self.assertIn("Loss along one direction of 50 samples of test data, around random weights",
                      svg.texts)  # fmt: skip

    def test_curve__infinite_loss__left_out_and_counted(self):
        svg = self.svg(curve([(-1, 2), (0, None), (1, 1), (2, 3)]))
        self.assertEqual(len(svg.line("curve")), 3)
        self.assertIn("Left out: 1 points where the loss is not finite.", svg.texts)

    def test_surface__minimum_at_its_position(self):
        svg = self.svg(surface())
        self.assertGreaterEqual(len(svg.ids("PathCollection_")), 10)
        self.assertIn("lowest: 1 at (2, −2)", svg.texts)
        ((x, y),) = svg.marks("mark")
        ((left, up),) = self.svg(surface((-2, 2))).marks("mark")
        self.assertGreater(x, left)
        self.assertGreater(y, up)
        self.assertAlmostEqual(x - left, y - up, delta=0.1)  # both axes have the same scale

    def test_surface__in_any_order(self):
        shuffled = surface()
        random.Random(1).shuffle(shuffled["landscape"]["points"])
        self.assertEqual(self.draw(shuffled), self.draw(surface()))

    def test_surface__constant_and_with_gaps(self):
        flat = surface()
        for point in flat["landscape"]["points"]:
            point[2] = 7.0
        flat["landscape"]["points"][3][2] = None
        svg = self.svg(flat)
        self.assertIn("Left out: 1 points where the loss is not finite.", svg.texts)

    def test_three_points__bends_at_their_positions(self):
        for reach in (3.0, 20.0):  # at 20, points are further apart than bends
            svg = self.svg(three_points(reach))
            self.assertEqual(len(svg.ids("loss")), 4)
            counts = [len(svg.marks(f"bends-{i}")) for i in range(4)]
            self.assertEqual(counts, [2, 1, 1, 4])
            for name in ("sample 0", "sample 1", "sample 2", "mean"):
                self.assertIn(name, svg.texts)
            x = [[x for x, _ in svg.marks(f"bends-{i}")] for i in range(3)]
            unit = (x[0][1] - x[0][0]) / 1.5  # bends of sample 0 are at 0.5 and 2
            self.assertAlmostEqual((x[1][0] - x[0][0]) / unit, 1 / 6 - 0.5, places=2)
            self.assertAlmostEqual((x[2][0] - x[0][0]) / unit, -1.5, places=2)


class StepSweeps(PlotTest):
    def test_step_sweep__minimum_marked_and_reference_drawn(self):
        svg = self.svg(step_sweep())
        line = svg.line("curve")
        self.assertEqual(len(line), 4)
        self.assertEqual(svg.marks("mark"), [lowest_vertex(line)])
        self.assertIn("lowest: 2.5 after a step of 0.01", svg.texts)
        self.assertIn("without a step: 9", svg.texts)
        (start, _), (end, _) = reference = svg.line("no-step")
        self.assertLess(start, line[0][0])
        self.assertGreater(end, line[-1][0])
        self.assertLess(reference[0][1], line[0][1])  # above the loss after the smallest step
        self.assertIn("10⁻⁶", svg.texts)
        steps = [b[0] - a[0] for a, b in zip(line, line[1:])]
        for step in steps:  # the axis is logarithmic
            self.assertAlmostEqual(step, steps[0], delta=0.1)

    def test_step_sweep__losses_over_decades__logarithmic_axis(self):
        svg = self.svg(step_sweep([(0, 9), (1e-2, 10), (1, 1000), (100, 1e5), (1e4, None)]))
        heights = [y for _, y in svg.line("curve")]
        self.assertEqual(len(heights), 3)
        self.assertAlmostEqual(heights[0] - heights[1], heights[1] - heights[2], delta=0.1)
        self.assertIn("no step lowers the loss: 10 at 0.01", svg.texts)
        self.assertIn("Left out: 1 steps after which the loss is not finite.", svg.texts)

    def test_step_sweep__extreme_values__drawn(self):
        self.draw(step_sweep([(0, 1e100), (1e-100, 1e-100), (1e100, 1e100)]))
        self.draw(step_sweep([(1e-3, 1)]))


class Training(PlotTest):
    def test_sgd__one_run(self):
        svg = self.svg(training(sgd()))
        self.assertEqual(svg.ids("loss"), ["loss-0"])
        self.assertEqual(len(svg.line("loss-0")), 3)
        self.assertEqual(svg.ids("validation"), [])
        self.assertEqual(svg.ids("kept"), [])
        self.assertNotIn("avx2", svg.texts)  # one run needs no legend
        self.assertIn("Training: test data, sgd, hinge, u8, batch 256, lr 0.02, avx2", svg.texts)
        (_, a), (_, b), (_, c) = svg.line("test-0")
        self.assertTrue(b < c < a)

    def test_sgd__several_levels__overlaid_with_a_legend(self):
        names = ("scalar", "auto_avx2", "avx2")
        svg = self.svg(
            training(*(sgd(name, validation=(0.5, 0.6, 0.6), best_epoch=2) for name in names))
        )
        for kind in ("loss", "test", "validation"):
            self.assertEqual(svg.ids(kind), [f"{kind}-{i}" for i in range(3)])
        for name in (*names, "test", "validation"):
            self.assertIn(name, svg.texts)
        self.assertEqual(svg.marks("kept-0"), [svg.line("test-0")[1]])
        self.assertEqual(svg.ids("kept"), [f"kept-{i}" for i in range(3)])

    def test_sgd__legend_shows_the_settings_that_differ(self):
        svg = self.svg(training(sgd(lr=0.5), sgd(lr=0.25, losses=(3e4, 1, None))))
        self.assertIn("avx2, lr 0.5", svg.texts)
        self.assertIn("avx2, lr 0.25", svg.texts)
        self.assertEqual(len(svg.line("loss-1")), 2)
        self.assertIn("10⁴", svg.texts)

    def test_search__best_loss_by_tries_and_by_time(self):
        svg = self.svg(training(search()))
        self.assertEqual(svg.ids("best-0-.*"), ["best-0-number", "best-0-seconds"])
        for label in ("tries", "time (s)"):
            self.assertIn(label, svg.texts)
        self.assertNotIn("evaluations of the loss", svg.texts)

    def test_search__best_loss_never_rises_and_extends_to_the_last_try(self):
        svg = self.svg(training(search()))
        line, points = svg.line("best-0-number"), svg.marks("points-0-number")
        heights = [y for _, y in line]
        self.assertEqual(heights, sorted(heights))  # y points down
        self.assertEqual(len(points), 4)
        self.assertGreater(points[1][1], points[2][1])  # the third point is worse than the second
        unit = points[1][0] - points[0][0]
        self.assertAlmostEqual((line[-1][0] - points[0][0]) / unit, 7, places=1)  # of 8 tries

    def test_lbfgs__by_iterations_evaluations_and_time(self):
        svg = self.svg(
            training(search("lbfgs", per_point=2), search("lbfgs", per_point=2, isa="scalar"))
        )
        for label in ("iterations", "evaluations of the loss", "time (s)", "scalar"):
            self.assertIn(label, svg.texts)


class Predictions(PlotTest):
    def test_confusion__counts_are_in_their_cells(self):
        svg = self.svg(prediction())
        self.assertEqual(len(svg.inside("cells", "path")), 9)
        for text in ("cat", "dog", "bird"):
            self.assertEqual(svg.texts.count(text), 2)
        self.assertIn("Confusion, 150 test samples of test data: accuracy 0.8000", svg.texts)
        (x40, y40), (x7, y7), (x5, y5) = (svg.place(text) for text in ("40", "7", "5"))
        self.assertAlmostEqual(y40, y7, delta=0.1)  # a row per label
        self.assertGreater(x7, x40 + 10)
        self.assertAlmostEqual(x40, x5, delta=0.1)
        self.assertGreater(y5, y40 + 20)

    def test_confusion__many_classes__no_text(self):
        n = 101
        counts = [[3 if i == j else 0 for j in range(n)] for i in range(n)]
        svg = self.svg(prediction(counts, [f"name {i}" for i in range(n)]))
        self.assertNotIn("name 0", svg.texts)
        self.assertNotIn("3", svg.texts)
        self.assertGreaterEqual(len(svg.images()), 1)


class Models(PlotTest):
    def test_grey__zero_is_white_and_the_scale_symmetric(self):
        svg = self.svg(model(GREY, ["shirt", "bag"]))
        first, second = svg.images()[:2]
        self.assertEqual(first.shape[:2], (2, 2))
        self.assertGreater(min(first[0, 0, :3]), 0.95)  # 0
        self.assertGreater(min(second[0, 1, :3]), 0.95)
        red, blue = second[0, 0], second[1, 1]  # 3 and -3
        self.assertTrue(red[0] > red[2] + 0.2 and blue[2] > blue[0] + 0.2, (red, blue))
        self.assertLess(first[1, 0, 1], 0.1)  # 2, the maximum of this picture
        self.assertGreater(first[0, 1, 0], 0.8)  # 1, half the maximum
        self.assertGreater(first[0, 1, 1], 0.5)
        for text in ("shirt", "bag", "±2", "±3", "Weights of each class, test data"):
            self.assertIn(text, svg.texts)
        self.assertIn("symmetric about 0", " ".join(svg.texts))

    def test_colour__planes_of_red_green_and_blue(self):
        w = numpy.zeros((1, 12))
        w[0, :4] = [4, 0, 0, 0]  # red plane, from the top left
        w[0, 4:8] = [0, 2, 0, 0]
        w[0, 8:] = [0, 0, 4, 0]
        (image,) = self.svg(model(w)).images()
        numpy.testing.assert_allclose(image[0, 0, :3], (1, 0, 0), atol=0.01)
        numpy.testing.assert_allclose(image[0, 1, :3], (0, 0.5, 0), atol=0.01)
        numpy.testing.assert_allclose(image[1, 0, :3], (0, 0, 1), atol=0.01)
        self.assertIn("from its smallest weight", " ".join(self.svg(model(w)).texts))

    def test_shape__from_the_option(self):
        w = numpy.arange(12.0).reshape(1, 12)
        for text, shape in (("2x6", (2, 6)), ("4x1x3", (4, 1)), ("2x2x3", (2, 2))):
            image = self.svg(model(w), "--shape", text).images()[0]
            self.assertEqual(image.shape[:2], shape)

    def test_zero_weights_and_many_classes__first_100_drawn(self):
        svg = self.svg(model(numpy.zeros((102, 3))))
        self.assertEqual(len(svg.images()), 100)
        self.assertIn("The first 100 of 102 classes.", " ".join(svg.texts))


class Files(PlotTest):
    def test_same_input__same_bytes(self):
        for contents in (curve(), surface(), training(sgd()), prediction(), model(GREY)):
            for suffix in (".svg", ".png"):
                one = self.draw(contents, suffix=suffix)
                self.assertEqual(one, self.draw(contents, suffix=suffix))
        done = subprocess.run(
            [PLOT, self.write(model(GREY)), "-o", self.directory / "other.png"],
            capture_output=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0)
        self.assertEqual((self.directory / "other.png").read_bytes(), one)

    def test_png__signature_and_size(self):
        png = self.draw(curve(), suffix=".png")
        self.assertEqual(png[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", png[16:24]), (1380, 690))

    def test_title__special_characters_of_tex_and_xml__shown_as_they_are(self):
        svg = self.svg(curve(), "--title", "Loss $\\frac{$ <b> & \x01\udcff 山")
        self.assertIn("Loss $\\frac{$ <b> & \ufffd\ufffd 山", svg.texts)
        self.svg(prediction(names=("$a_{$", "<&>", "\x00")))
        self.svg(curve(), "--title", "word " * 100)
        for contents in (
            curve(),
            training(sgd()),
            prediction(),
            model(GREY),
            step_sweep(),
            surface(),
        ):
            self.assertIn("mine", self.svg(contents, "--title", "mine").texts)

    def test_help_and_write_error_on_standard_output(self):
        done = subprocess.run([PLOT, "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertTrue(
            done.stdout.startswith("Usage: downhill plot [OPTION]... INPUT -o FILE\n\n"),
            done.stdout,
        )
        for arguments in (["--help"], [self.write(curve()), "-o", self.directory / "x.svg"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run(
                    [PLOT, *arguments],
                    stdout=full,
                    stderr=subprocess.PIPE,
                    text=True,
                    check=False,
                )
            self.assertEqual(done.returncode, 70)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


class Refusals(PlotTest):
    def test_wrong_usage__exits_2(self):
        self.refused(2, "does not end in .svg or .png", curve(), output="picture.pdf")
        self.refused(2, "does not end in", curve(), output="picture")
        for text in ("28", "0x3", "2x2x2", "x", "-1x4"):
            self.refused(2, "is not HxW", model(GREY), f"--shape={text}")
        self.refused(2, "--shape is only for models", curve(), "--shape", "2x2")
        self.refused(2, "has 4", model(GREY), "--shape", "2x3")
        self.refused(2, "5 features do not form a square picture", model(numpy.ones((2, 5))))
        self.refused(2, "unrecognized", curve(), "--nonsense")
        self.assertEqual(self.run_plot()[0], 2)

    def test_not_results__exits_3(self):
        self.refused(3, "No such file", None, name="nowhere.json")
        for text in ("", "{", "[" * 100000, '{"a": NaN}', '{"a": ' + "9" * 400 + "}", '"\\ud800"'):
            self.refused(3, "neither JSON nor an NPZ", text)
        self.refused(3, "neither JSON nor an NPZ file: not UTF-8 text; give", npy(GREY))
        self.refused(3, "schema_version is None", "[]")
        self.refused(3, "schema_version is 2", curve() | {"schema_version": 2})
        self.refused(3, "nothing to draw in it; give results", {"schema_version": 1})
        self.refused(3, "`downhill report` draws it", document("benchmarks", []))
        self.refused(3, "Is a directory", None, name=".")

    def test_damaged_results__exits_3(self):
        def damaged(contents, name, **change):
            return document(name, contents[name] | change)

        for says, contents in (
            ("landscape: is not an object", document("landscape", [])),
            ("'ridge' is not one of", damaged(curve(), "landscape", kind="ridge")),
            ("landscape.points: is not a list", damaged(curve(), "landscape", points=None)),
            ("landscape.points: has no loss", curve([(0, None), (1, None)])),
            ("landscape.points[1]: is not a row of 2", curve([(0, 1), (1, 2, 3)])),
            ("landscape.points[0][0]: is not a number", curve([(None, 1), (1, 2)])),
            ("landscape.points[0][1]: is not a number", curve([(0, "1"), (1, 2)])),
            ("landscape.points[0][1]: is too large", curve([(0, 1e101), (1, 2)])),
            ("landscape.samples: is not a number", damaged(curve(), "landscape", samples=True)),
            (
                "is no grid",
                damaged(surface(), "landscape", points=[[0, 0, 1], [0, 1, 1], [1, 0, 1]]),
            ),
            ("no grid of 2", damaged(surface(), "landscape", points=[[0, 0, 1], [0, 1, 1]])),
            ("no grid of 2", damaged(surface(), "landscape", points=[])),
            (
                "has fewer than two weights",
                damaged(three_points(), "landscape", points=[[0, 1, 1, 1, 1]]),
            ),
            ("has no step", step_sweep([(0, 9), (1, None)])),
            ("below 1e-100", step_sweep([(-1, 9), (1, 2)])),
            ("below 1e-100", step_sweep([(1e-101, 9), (1, 2)])),
            ("training: is empty", training()),
            ("training[0].epochs: is empty", training(sgd(epochs=[]))),
            ("training[0]: has no loss", training(sgd(losses=(None, None)))),
            ("training[0].isa: is not a string", training(sgd(isa=3))),
            ("training[0].epochs[0].epoch: is not a number",
             training(sgd(epochs=[epochs([1], [1])[0] | {"epoch": "1"}]))),
            ("by epoch and runs of other methods", training(sgd(), search())),
            ("training[0].points: is empty", training(search(losses=()))),
            ("prediction.classes: is empty", damaged(prediction(), "prediction", classes=[])),
            ("the samples had no labels", damaged(prediction(), "prediction", labelled=False,
                                                  accuracy=None, confusion=None)),
            ("has not the 3 rows", damaged(prediction(), "prediction", confusion=[[1, 2, 3]])),
            ("confusion[2]: is not a row of 3", damaged(prediction(), "prediction",
                                                     confusion=[[1, 2, 3], [1, 2, 3], [1]])),
            ("what is no count", prediction([[2, -1], [0, 0]], ["a", "b"])),
            ("counts no sample", damaged(prediction(), "prediction", confusion=[[0] * 3] * 3)),
        ):  # fmt: skip
            with self.subTest(says):
                self.refused(3, says, contents)

    def test_damaged_models__exits_3(self):
        good = model(GREY)
        flipped = bytearray(good)
        flipped[good.index(b"NUMPY") + 140] ^= 1  # an element of w; the CRC detects it
        wide = npy(numpy.ones((2, 4)))
        for says, contents in (
            ("not a zip file", good[: len(good) // 2]),
            ("not a zip file", b"PK\x03\x04"),
            ("CRC", bytes(flipped)),
            ("no record.json", model(GREY, members={"record.json": None})),
            ("no w.npy", model(GREY, members={"w.npy": None})),
            ("of f32", model(GREY, members={"w.npy": wide})),
            ("of f32", model(GREY, members={"b.npy": npy(numpy.ones((2, 1), "<f4"))})),
            ("magic", model(GREY, members={"w.npy": b"nothing of the kind"})),
            (
                "elements differs from that in its header",
                model(GREY, members={"w.npy": npy(numpy.ones((2, 4), "<f4"))[:-4]}),
            ),
            ("not finite", model([[numpy.nan] * 4] * 2)),
            (
                "different numbers of classes",
                model(GREY, members={"b.npy": npy(numpy.ones(3, "<f4"))}),
            ),
            ("do not match the digest", model(GREY, members={"b.npy": npy(numpy.ones(2, "<f4"))})),
            ("3 names for 2 classes", model(GREY, ["a", "b", "c"])),
            ("not a list of names", model(GREY, classes=[1, 2])),
            ("not the record of a downhill model", model(GREY, format="other")),
            ("version 3 is not known", model(GREY, version=3)),
            ("the file is damaged", model(GREY, members={"record.json": "{"})),
            ("record.json: not UTF-8 text;", model(GREY, members={"record.json": b"\xff"})),
        ):
            with self.subTest(says):
                self.refused(3, says, contents)
        self.refused(3, "not a zip file", json.dumps(curve()), name="in.npz")

    def test_bad_output_path__exits_2_before_drawing(self):
        remedy = "; name a directory that exists and is writable"
        self.refused(
            2,
            f"cannot write there: No such file or directory{remedy}",
            curve(),
            output="nowhere/picture.svg",
        )
        self.refused(2, "cannot write there", "{", output="nowhere/picture.svg")
        self.write("a file", "file")
        self.refused(
            2, f"cannot write there: Not a directory{remedy}", curve(), output="file/picture.svg"
        )
        (self.directory / "folder.svg").mkdir()
        self.refused(2, "is a directory; name a file", curve(), output="folder.svg")

    def test_output_is_a_symbolic_link__its_target_is_written(self):
        (self.directory / "picture.svg").symlink_to("elsewhere.svg")
        self.draw(curve())
        self.assertTrue((self.directory / "picture.svg").is_symlink())
        self.assertTrue((self.directory / "elsewhere.svg").is_file())

    def test_missing_input_with_an_earlier_picture__exits_3(self):
        self.draw(curve())
        self.refused(3, "No such file", None, name="nowhere.json")

    def test_output_is_another_kind_of_file__refused_before_drawing(self):
        """A picture of plot or an empty file is replaced. refused() checks that others do not
        change."""
        (self.directory / "empty.svg").touch()
        self.assertEqual(
            self.run_plot(self.write(curve()), "-o", self.directory / "empty.svg")[0], 0
        )
        for suffix in (".svg", ".png"):
            self.draw(curve(), suffix=suffix)
            png = self.draw(curve(), suffix=suffix)
        for holds, contents in (
            ("other text", "notes"),
            ("another picture", "<svg></svg>"),
            ("another picture", b"\x89PNG\r\n"),
            (
                "a figure of downhill report",
                "<?xml?><!-- Drawn by downhill report. --><svg ></svg>",
            ),
            ("another HTML page", f"<!DOCTYPE html><p>{PICTURE_MARK}\n<svg ></svg>"),
            ("another picture", f"<svg >{PICTURE_MARK}\n<svg ></svg></svg>"),
            ("other text", f"{PICTURE_MARK} is what I look for."),
            ("another picture", png.replace(b"downhill plot", b"another plot.")),
            ("another picture", png[:33] + b"\0\0\0\0IDAT" + png[33:]),
            ("other JSON", json.dumps(curve())),
            ("a model or another ZIP archive", model(GREY)),
        ):
            with self.subTest(holds):
                self.write(contents, "there.png")
                self.refused(
                    2,
                    f"there.png: holds {holds}, not a picture of downhill plot",
                    "{",
                    output="there.png",
                )

    def test_output_is_the_input__refused(self):
        self.refused(2, "is the input file", curve(), name="same.svg", output="same.svg")

    def test_full_disk__earlier_picture_is_kept(self):
        earlier = self.draw(curve())
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
        done = subprocess.run(
            [PLOT, self.write(surface()), "-o", self.directory / "picture.svg"],
            capture_output=True,
            text=True,
            preexec_fn=limit,
            check=False,
        )
        self.assertEqual(done.returncode, 70)
        self.assertRegex(done.stderr, r"\Adownhill: plot: \S+: cannot write: [^\n]+; [^\n]+\n\Z")
        self.assertEqual((self.directory / "picture.svg").read_bytes(), earlier)
        self.assertEqual(len(list(self.directory.iterdir())), 2)

    def test_bad_input__earlier_picture_is_kept(self):
        earlier = self.draw(curve())
        self.refused(3, "neither JSON", "{")
        self.assertEqual((self.directory / "picture.svg").read_bytes(), earlier)


if __name__ == "__main__":
    unittest.main()
