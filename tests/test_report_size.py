# SPDX-License-Identifier: MIT
"""downhill report: the size of the page and of the Markdown, and the figures in as few bytes."""

import gzip
import json
import re
import unittest
from xml.etree import ElementTree

import numpy
from matplotlib.figure import Figure

from report_data import LEVELS, ROOT, TIMES, ReportTest, bench, load, render  # isort: skip
from downhill_report.figures.compact import compact
from downhill_report.figures.samples import dots
from downhill_report.figures.style import to_svg

# The limit for a page that is sent by mail; and GitHub shows no longer Markdown.
MAX_PAGE, MAX_MARKDOWN = 2_000_000, 512 << 10
LARGEST = ROOT / "reports" / "intel-emr" / "results.json.gz"
# Older results, without a map of classes and features; today's have up to twice as many rows.
SPARE = 0.6


class Size(ReportTest):
    def test_largest_committed_results__below_the_limits(self):
        sizes = {path.stat().st_size: path for path in ROOT.glob("reports/*/results.json.gz")}
        with gzip.open(LARGEST) as file:
            names = {row["run_name"] for row in json.load(file)["benchmarks"]}
        self.assertGreater(len(names), 1000)
        self.assertLess(len(sizes), 10)
        made = render.make(load.load([LARGEST]), None)
        self.assertLess(len(made["index.html"].encode()), SPARE * MAX_PAGE)
        self.assertLess(len(made["report.md"].encode()), SPARE * MAX_MARKDOWN)
        for name in names:
            self.assertIn(f">{name}<", made["index.html"])

    def test_committed_pages__below_the_limits(self):
        pages = list(ROOT.glob("reports/*/index.html"))
        self.assertGreater(len(pages), 2)
        for page in pages:
            self.assertLess(page.stat().st_size, MAX_PAGE, page)
            text = page.with_name("report.md")
            if page.parent.name != "gallery":  # a page of its own kind, without text
                self.assertLess(text.stat().st_size, MAX_MARKDOWN, text)

    def test_two_thousand_rows__below_the_limits(self):
        shapes = [(n, d, 10) for n in (1, 32, 256, 1000) for d in range(100, 156)]
        self.assertGreater(len(shapes) * len(TIMES) * len(LEVELS), 2000)
        out = self.report(bench(shapes))
        self.assertLess((out / "index.html").stat().st_size, MAX_PAGE)
        self.assertLess((out / "report.md").stat().st_size, MAX_MARKDOWN)


SVG = """<?xml version="1.0" encoding="utf-8"?>
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="20pt" height="10pt" viewBox="0 0 20 10"
 xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata>made by</metadata>
 <defs><style type="text/css">*{stroke-linecap: butt}</style></defs>
 <g id="figure_1">
  <g id="patch_1"><path d="M 0 0 L 1 1 z" style="fill: none"/></g>
  <defs><path id="m1" d="M 0 -1.503 L 1.5 -0 z" style="stroke: #010101"/></defs>
  <g clip-path="url(#p1)"><use xlink:href="#m1" x="1.251" y="2" style="fill: #010101"/></g>
  <g clip-path="url(#p1)"><use xlink:href="#m1" x="3.0" y="2" style="fill: #010101"/></g>
  <path id="line_1" d="M 1.04 2.04 L 1.04 5.55 L 7.5 5.55 L 7.51 5.57 L 8 9"
   style="stroke: #010101"/>
  <text style="fill: #010101" x="1.0" y="2.0" transform="rotate(-0 1 2)">5 &lt; 6</text>
 </g>
 <defs><clipPath id="p1"><rect x="0" y="0" width="9" height="9"/></clipPath></defs>
</svg>"""


class Dots(unittest.TestCase):
    def test_many_dots__each_is_a_line(self):
        figure = Figure()
        xs = numpy.linspace(0, 1000, 500)
        dots(figure.subplots(), xs, numpy.sin(xs), "#010101", "o", 0.0)
        path = max(to_svg(figure).splitlines(), key=len)
        self.assertEqual(len(re.findall(r"M[\d.]+ [\d.]+[hH][\d.]+", path)), 500)
        self.assertLess(len(path), 500 * 20)


class Compact(unittest.TestCase):
    def setUp(self):
        self.text = compact(SVG)
        self.root = ElementTree.fromstring(self.text)
        self.tag = lambda name: self.root.iter(f"{{http://www.w3.org/2000/svg}}{name}")

    def test_what_shows_nothing__removed(self):
        self.assertEqual(list(self.tag("metadata")), [])
        self.assertNotIn("line_1", self.text)
        self.assertNotIn("fill:none", self.text)

    def test_marks__kept_in_one_group_with_their_clip_path(self):
        (group,) = self.tag("g")
        self.assertEqual([use.get("x") for use in group], ["1.3", "3"])
        names = {element.get("id") for element in self.root.iter()} - {None, "svg"}
        self.assertEqual(names, {"i0", "i1"})
        for use in group:
            self.assertIn(use.get("href")[1:], names)
        (clip,) = self.tag("clipPath")
        self.assertIn(f"clip-path:url(#{clip.get('id')})", self.text)

    def test_paths__rounded_with_short_commands(self):
        in_defs, line = (path.get("d") for path in self.tag("path"))
        self.assertEqual(in_defs, "M0 -1.5L1.5 -0z")
        self.assertEqual(line, "M1 2V5.5H7.5V5.6L8 9")

    def test_styles__one_rule_each(self):
        self.assertEqual(self.text.count("fill:#010101"), 1)
        (text,) = self.tag("text")
        self.assertEqual((text.text, text.get("transform")), ("5 < 6", None))
        used = {e.get("class") for e in self.root.iter() if e.get("class")}
        (style,) = self.tag("style")
        for name in used:
            self.assertIn(f"#svg .{name}{{", style.text)


if __name__ == "__main__":
    unittest.main()
