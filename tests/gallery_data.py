# SPDX-License-Identifier: MIT
"""Inputs of the gallery tests: results with one row per line of a table, and helpers."""

import copy
import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from report_data import BUILD, MACHINE, bench, samples

ROOT = pathlib.Path(__file__).resolve().parents[1]
GALLERY = ROOT / "scripts" / "gallery"
COMMITTED = ROOT / "reports" / "gallery"
sys.path.insert(0, str(ROOT / "scripts"))
from downhill_gallery import (  # noqa: E402, F401
    bought,
    content,
    distil,
    entry,
    explorer,
    features,
    figure,
    machines,
    page,
    ratios,
    words,
)
from downhill_report import errors  # noqa: E402

# Name, kind, auto_of, what the CPU lacks.
LEVELS = (
    ("scalar", "baseline", None, ""),
    ("auto_avx2", "auto", "avx2", ""),
    ("avx2", "hand", None, ""),
    ("avxvnni", "hand", None, "avxvnni (CPU)"),
    ("avx512", "hand", None, ""),
    ("avx512vnni", "hand", None, ""),
    ("amx", "hand", None, "amx-tile (CPU), amx-int8 (CPU)"),
)
FEATURES = ("avx2", "avx512f", "avx512vnni")
SHAPE = (256, 3072, 10)


def machine(levels=LEVELS, names=FEATURES, **more):
    out = copy.deepcopy(MACHINE)
    out["features"] = [
        {"name": name, "cpu": True, "os": True, "permitted": True, "disabled": False}
        for name in names
    ]
    out["levels"] = [
        {
            "name": name, "kind": kind, "auto_of": auto_of, "compiled": True, "cpu": not missing,
            "os": True, "permitted": True, "usable": not missing, "chosen": False,
            "missing": missing,
        }
        for name, kind, auto_of, missing in levels
    ]  # fmt: skip
    return out | more


def results(rows=(), peers=(), **more):
    """Returns results with these benchmarks, by default of a step on bytes and on f32 at each
    level."""
    document = bench()
    if not rows:
        rows = [
            *row("step_hinge_f32", "scalar", 1000.0),
            *row("step_hinge_f32", "auto_avx2", 250.0),
            *row("step_hinge_f32", "avx2", 100.0),
            *row("step_hinge_f32", "avx512", 50.0),
            *row("step_hinge_u8", "avx2", 80.0),
            *row("step_hinge_u8", "avx512", 40.0),
            *row("step_hinge_u8", "avx512vnni", 20.0),
        ]
    document |= {"benchmarks": list(rows), "machine": machine(), "build": copy.deepcopy(BUILD)}
    kernels = dict.fromkeys(o["kernel"] for o in rows if "kernel" in o)
    document["formulas"] = [{"kernel": k, "flops": "n", "bytes": "n", "note": ""} for k in kernels]
    document["peers"] = [
        {"name": name, "library": "x.so", "version": "1", "missing": ""} for name in peers
    ]
    return document | more


def row(kernel, isa, median, shape=SHAPE, times=None, passes=None, **more):
    """Returns a row of five samples around its median, or of these samples."""
    rows = samples(kernel, isa, shape, median, **more)
    if times is not None:
        head, aggregates = rows[0], [o for o in rows if o["run_type"] == "aggregate"]
        rows = [
            head | {"repetition_index": i, "real_time": t, "cpu_time": t, "sequence": i}
            for i, t in enumerate(times)
        ] + aggregates
    for o in rows:
        if passes is not None and o.get("aggregate_name") == "median":
            o["pass_medians_ns"] = list(passes)
    return rows


def groups_of(document):
    """Returns (kernel, key, group) of every group of an entry."""
    return [(k, key, o) for k, of in document["groups"].items() for key, o in of.items()]


def rows_of(document):
    """Returns level -> cells, for the only group of an entry."""
    ((_, _, group),) = groups_of(document)
    return {cells[0]: cells for cells in group["rows"]}


class GalleryTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.gallery = self.directory / "gallery"

    def write(self, name, document):
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def run_gallery(self, *arguments, **more):
        return subprocess.run(
            [GALLERY, *arguments], capture_output=True, text=True, timeout=120, check=False, **more
        )

    def distil(self, document, name="one", label=None):
        """Returns the entry of these results."""
        path = self.write("results.json", document)
        return json.loads(distil.distil(path, name, label))

    def entry(self, document, name="one", label=None):
        return entry.of_document(pathlib.Path(f"{name}.json"), self.distil(document, name, label))

    def state(self):
        """Returns all files with their contents."""
        return {
            str(path.relative_to(self.directory)): path.read_bytes()
            for path in self.directory.rglob("*")
            if path.is_file()
        }


class FirstTable(html.parser.HTMLParser):
    """Reads the first table of a page: `cells` has, per feature, the texts of its cells."""

    def __init__(self, text):
        super().__init__()
        self.cells, self.titles = {}, []
        self.line, self.inside, self.over = None, False, False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "table":
            self.inside = attributes.get("id") == "answer"
        if self.inside and tag == "tr":
            self.line = self.cells.setdefault(attributes.get("id"), [])
        if self.inside and tag in ("th", "td"):
            self.line.append("")

    def handle_endtag(self, tag):
        if tag == "table":
            self.inside = False

    def handle_data(self, text):
        if self.inside and self.line:
            self.line[-1] = " ".join(f"{self.line[-1]} {text}".split())
