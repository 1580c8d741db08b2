# SPDX-License-Identifier: MIT
"""The README: its table agrees with the committed results, and it is short."""

import gzip
import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Documents(unittest.TestCase):
    def test_readme_table__matches_the_committed_results(self):
        with gzip.open(ROOT / "reports/intel-emr/results.json.gz", "rt") as file:
            rows = json.load(file)["benchmarks"]
        us = {
            row["run_name"]: row["real_time"] / 1e3
            for row in rows
            if row.get("aggregate_name") == "median"
        }
        columns = [
            f"step_hinge_f32/{isa}"
            for isa in ("scalar", "auto_avx512", "openblas", "blis", "onednn", "avx512")
        ]
        columns.append("step_hinge_u8/avx512vnni")
        lines = re.findall(
            r"^\| (\d+)×(\d+)×(\d+) \|(.*)\|$", (ROOT / "README.md").read_text(), re.MULTILINE
        )
        self.assertEqual(len(lines), 7)
        for n, d, c, cells in lines:
            shown = [float(cell.strip(" *")) for cell in cells.split("|")]
            want = [us[f"{column}/n:{n}/d:{d}/c:{c}"] for column in columns]
            for value, exact in zip(shown, want, strict=True):
                self.assertLessEqual(abs(value - exact), 0.05 if exact < 20 else 0.5, (n, d, c))
            for cell, value in zip(cells.split("|")[-2:], shown[-2:], strict=True):
                self.assertEqual("**" in cell, value < min(shown[:5]), (n, d, c))

    def test_readme__is_short(self):
        self.assertLess(len((ROOT / "README.md").read_text().split()), 900)


if __name__ == "__main__":
    unittest.main()
