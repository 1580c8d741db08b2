# SPDX-License-Identifier: MIT
"""Inputs of the plot tests: results and models; and helpers to draw them and to inspect the SVG."""

import base64
import contextlib
import hashlib
import io
import json
import pathlib
import re
import runpy
import struct
import sys
import tempfile
import unittest
import zipfile
from xml.etree import ElementTree

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
PLOT = ROOT / "scripts" / "plot"
sys.path.insert(0, str(ROOT / "scripts"))

DATA_SETTINGS = {
    "dataset": "test data", "model": None, "loss": "hinge", "dtype": "f32", "normalize": "none",
    "reg": 1e-4, "seed": 1, "isa": "avx2", "samples": 50,
}  # fmt: skip


def document(name, value):
    return {"schema_version": 1, name: value}


def curve(points=((-2, 4), (-1, 2), (0, 1.5), (1, 1.25), (2, 3))):
    return document(
        "landscape", {"kind": "curve", **DATA_SETTINGS, "points": [list(p) for p in points]}
    )


def surface(lowest=(2, -2)):
    """Returns a bowl, with its points in the order that the program writes."""
    points = [
        [a, b, 1.0 + (a - lowest[0]) ** 2 + (b - lowest[1]) ** 2]
        for a in range(-4, 5) for b in range(-4, 5)
    ]  # fmt: skip
    return document("landscape", {"kind": "surface", **DATA_SETTINGS, "points": points})


def three_points(reach=3.0, count=201):
    points = []
    for i in range(count):
        w = reach * (2 * i / (count - 1) - 1)
        scores = [[x * w, x * -0.5, x * 1.0] for x in (1.0, -1.5, 0.5)]
        losses = [
            sum(max(0.0, s - scores[y][y] + 1) for j, s in enumerate(scores[y]) if j != y)
            for y in range(3)
        ]
        points.append([w, *losses, sum(losses) / 3])
    return document("landscape", {"kind": "three points", "loss": "hinge", "points": points})


def step_sweep(points=((0, 9), (1e-6, 8.9), (1e-4, 6), (1e-2, 2.5), (1, 8))):
    return document("step_sweep", {**DATA_SETTINGS, "points": [list(p) for p in points]})


def epochs(losses, accuracies, validation=None):
    return [
        {"epoch": i + 1, "seconds": 0.1, "train_loss": loss, "test_accuracy": test,
         "validation_accuracy": validation[i] if validation else None, "samples_per_s": 1e6}
        for i, (loss, test) in enumerate(zip(losses, accuracies))
    ]  # fmt: skip


def sgd(isa="avx2", losses=(2, 1.5, 1.25), accuracies=(0.5, 0.75, 0.7), validation=None, **more):
    return {
        "method": "sgd", "isa": isa, "loss": "hinge", "dtype": "u8", "normalize": "none",
        "dataset": "test data", "reg": 1e-4, "delta": 1.0, "seed": 1, "threads": 1,
        "shuffle": "rows", "batch": 256, "lr": 0.02, "schedule": "constant", "momentum": 0.0,
        "best_epoch": None, "epochs": epochs(losses, accuracies, validation),
    } | more  # fmt: skip


def search(method="random-search", losses=(9.0, 5.0, 6.0, 4.0), per_point=1, **more):
    points = [
        {"number": i + 1, "evaluations": (i + 1) * per_point, "seconds": 0.5 * (i + 1),
         "loss": loss, "test_accuracy": None}
        for i, loss in enumerate(losses)
    ]  # fmt: skip
    return {
        "method": method, "isa": "avx2", "loss": "hinge", "dtype": "u8", "dataset": "test data",
        "scale": 1e-4, "tried": 2 * len(losses), "evaluations": 2 * len(losses) * per_point,
        "points": points, "seconds": 4.0,
    } | more  # fmt: skip


def training(*runs):
    return document("training", list(runs))


def prediction(confusion=((40, 7, 3), (0, 50, 0), (5, 15, 30)), names=("cat", "dog", "bird")):
    total = sum(map(sum, confusion))
    right = sum(row[i] for i, row in enumerate(confusion))
    return document("prediction", {
        "dataset": "test data", "set": "test", "samples": total, "accuracy": right / total,
        "classes": [{"name": name} for name in names], "confusion": [list(r) for r in confusion],
    })  # fmt: skip


def npy(array):
    stream = io.BytesIO()
    numpy.save(stream, array)
    return stream.getvalue()


def model(w, classes=None, members=None, **record):
    """Returns the bytes of an NPZ file. members replaces files in it; None leaves a file out."""
    w = numpy.asarray(w, "<f4")
    b = numpy.zeros(len(w), "<f4")
    digest = hashlib.sha256(struct.pack("<QQ", w.shape[1], w.shape[0]) + w.tobytes() + b.tobytes())
    record = {
        "format": "downhill-model", "version": 1, "dtype": "u8", "data": {"name": "test data"},
        "classes": classes or [f"class {j}" for j in range(len(w))],
        "model_digest": digest.hexdigest(),
    } | record  # fmt: skip
    files = {"w.npy": npy(w), "b.npy": npy(b), "record.json": json.dumps(record)} | (members or {})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name, contents in files.items():
            if contents is not None:
                file.writestr(name, contents)
    return stream.getvalue()


class Svg:
    def __init__(self, contents):
        self.root = ElementTree.fromstring(contents)

    @property
    def texts(self):
        return ["".join(e.itertext()) for e in self.root.iter() if e.tag.endswith("}text")]

    def ids(self, start):
        found = [e.get("id", "") for e in self.root.iter()]
        return [name for name in found if re.fullmatch(rf"{start}-?\d*", name)]

    def inside(self, name, kind):
        (group,) = (e for e in self.root.iter() if e.get("id") == name)
        return [e for e in group.iter() if e.tag.endswith("}" + kind)]

    def line(self, name):
        """Returns the vertices of a line; the origin is the top left corner."""
        path = self.inside(name, "path")[0].get("d")  # the first one; others are markers
        return [(float(x), float(y)) for x, y in re.findall(r"[ML] ?(\S+) (\S+)", path)]

    def marks(self, name):
        return [(float(e.get("x")), float(e.get("y"))) for e in self.inside(name, "use")]

    def place(self, text):
        """Returns the position of the anchor of a text."""
        (e,) = (e for e in self.root.iter() if e.tag.endswith("}text") and e.text == text)
        if e.get("x") and e.get("x") != "0":
            return float(e.get("x")), float(e.get("y"))
        numbers = re.findall(r"translate\((\S+) (\S+)\)", e.get("transform"))
        return tuple(map(float, numbers[0]))

    def images(self):
        from matplotlib.image import imread  # slow to import, and few tests need it

        href = "{http://www.w3.org/1999/xlink}href"
        found = [e.get(href) for e in self.root.iter() if e.tag.endswith("}image")]
        return [imread(io.BytesIO(base64.b64decode(o.partition(",")[2]))) for o in found]


class PlotTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def write(self, contents, name="in"):
        path = self.directory / name
        if isinstance(contents, dict):
            contents = json.dumps(contents)
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        return path

    def run_plot(self, *arguments):
        """Runs plot in this process: importing matplotlib takes longer than drawing a picture."""
        out, err, code = io.StringIO(), io.StringIO(), 0
        before, sys.argv = sys.argv, [str(PLOT), *map(str, arguments)]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                runpy.run_path(str(PLOT))
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.argv = before
        return code, out.getvalue(), err.getvalue()

    def draw(self, contents, *options, suffix=".svg"):
        path = self.directory / f"picture{suffix}"
        done = self.run_plot(self.write(contents), "-o", path, *options)
        self.assertEqual(done, (0, f"{path}\n", ""))
        return path.read_bytes()

    def svg(self, contents, *options):
        return Svg(self.draw(contents, *options))

    def refused(self, code, says, contents, *options, name="in", output="picture.svg"):
        before = sorted(self.directory.rglob("*"))
        path = self.write(contents, name) if contents is not None else self.directory / name
        found, out, err = self.run_plot(path, "-o", self.directory / output, *options)
        self.assertEqual(found, code, err)
        self.assertRegex(err, r"\Adownhill: plot: [^\n]+; [^\n]+\n\Z")
        self.assertIn(says, err)
        self.assertEqual(out, "")
        after = sorted({*self.directory.rglob("*")} - {path})
        self.assertEqual(after, [o for o in before if o != path], "files were left behind")
