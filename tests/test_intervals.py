# SPDX-License-Identifier: MIT
"""How often the intervals of the report and of the gallery contain the true ratio, on the simulated
machines of test_verdicts.py."""

import pathlib
import sys
import unittest

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]
from downhill_gallery import bought, ratios  # noqa: E402
from downhill_gallery.entry import Ratio  # noqa: E402
from downhill_report import passes  # noqa: E402
from test_verdicts import MACHINES, ROWS, Machine, run_of  # noqa: E402

REPEATS = 20
TRUTH = 1.3


def pairs_of_rows(random, machine: Machine):
    """Yields the samples [pass][sample] of two rows of a run, of which the second takes TRUTH times
    as long. Drift and half of the effect of the buffers are common to both."""
    base = run_of(random, machine, numpy.zeros(ROWS)).ns
    own = Machine("own", machine.sample, machine.layout / 2, 0.0, 0.0, machine.burst)
    noise = run_of(random, own, numpy.full(ROWS, TRUTH - 1)).ns / 100.0
    other = numpy.median(base, axis=2)[:, :, None] * noise
    yield from zip(base, other)


def of_passes(base, other) -> tuple[float, float, float]:
    return passes.ratio_of(passes.pairs_of(*(numpy.median(o, axis=1) for o in (base, other))))


def of_rounds(base, other) -> tuple[float, float, float]:
    """Returns the ratio as the gallery computes it for older results: from samples of one pass."""
    samples = {name: dict(enumerate(o.ravel())) for name, o in (("a", base), ("b", other))}
    resampled = ratios.resample("name", samples)
    rows = {
        name: ratios.Timed(float(numpy.median([*of.values()])), of, (), resampled[name])
        for name, of in samples.items()
    }
    return ratios.ratio(rows["a"], rows["b"])


class Coverage(unittest.TestCase):
    def share(self, machine: Machine, interval) -> float:
        random = numpy.random.default_rng(8)
        found = [
            low <= TRUTH <= high
            for _ in range(REPEATS)
            for _, low, high in (interval(*pair) for pair in pairs_of_rows(random, machine))
        ]
        return sum(found) / len(found)

    def test_passes__ratio_of_two_rows(self):
        for machine in MACHINES:
            share = self.share(machine, of_passes)
            print(f"passes, {machine.name}: {share:.1%}", file=sys.stderr)
            self.assertGreaterEqual(share, 0.93, machine.name)
            self.assertLess(share, 0.99, machine.name)

    def test_rounds__only_the_spread_of_one_pass(self):
        """Where buffers matter, an interval from one pass is too narrow, as the gallery says."""
        quiet = Machine("quiet", 0.005, 0.0, 0.0, 0.0, 0.0)
        share = self.share(quiet, of_rounds)
        print(f"rounds, without effects of buffers: {share:.1%}", file=sys.stderr)
        self.assertGreaterEqual(share, 0.90)

    def test_mean_of_a_family__of_its_rows(self):
        random = numpy.random.default_rng(3)
        inside = []
        for _ in range(100):
            found = [Ratio(*of_passes(*pair), False) for pair in pairs_of_rows(random, MACHINES[1])]
            for first in range(0, ROWS, 5):
                mean = bought.mean_of(found[first : first + 5])
                inside.append(mean.low <= TRUTH <= mean.high)
        print(f"mean of five rows: {sum(inside) / len(inside):.1%}", file=sys.stderr)
        self.assertGreaterEqual(sum(inside) / len(inside), 0.95)


if __name__ == "__main__":
    unittest.main()
