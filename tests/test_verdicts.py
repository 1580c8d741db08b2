# SPDX-License-Identifier: MIT
"""How often the verdicts of downhill compare are wrong, on simulated machines: with a drift of the
whole machine, bursts of other programs, and buffers whose addresses matter."""

import math
import pathlib
import sys
import unittest
from dataclasses import dataclass

import numpy

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
from downhill_compare import levels, statistics, verdicts  # noqa: E402
from downhill_compare.runs import Row  # noqa: E402

PASSES, SAMPLES, ROWS = 5, 3, 40
# 97.5 % quantiles of Student's t with the degrees of freedom of five passes and the prior, and of
# the passes alone.
T, T_ALONE, PRIOR = 2.306, 2.776, 4.0


@dataclass(frozen=True)
class Machine:
    """Standard deviations of relative effects."""

    name: str
    sample: float  # from sample to sample
    layout: float  # from pass to pass, by the addresses of buffers
    process: float  # from run to run: addresses of code and pages
    drift: float  # of the whole machine, from pass to pass
    burst: float  # share of samples that take 10 to 50 % longer
    clock: float = 0.0  # of the clock, from pass to pass; readings of it vary by 1 %


@dataclass(frozen=True)
class Sampled:
    """Samples [row][pass][sample] of one run."""

    ns: numpy.ndarray
    clock_ghz: numpy.ndarray


MACHINES = [
    Machine("quiet", 0.003, 0.002, 0.002, 0.0, 0.0),
    Machine("layout", 0.003, 0.01, 0.003, 0.0, 0.02),
    Machine("bursts", 0.006, 0.004, 0.003, 0.0, 0.05),
    Machine("drift", 0.004, 0.004, 0.003, 0.0015, 0.02),
    Machine("code", 0.003, 0.003, 0.01, 0.0, 0.0),
    Machine("wandering clock", 0.006, 0.004, 0.003, 0.0, 0.02, 0.025),
]


def run_of(random, machine: Machine, slowdown: numpy.ndarray) -> Sampled:
    drift = numpy.cumsum(random.normal(0, machine.drift, PASSES)) if machine.drift else 0.0
    shape = (len(slowdown), PASSES, SAMPLES)
    logs = random.normal(0, machine.sample, shape)
    logs += random.normal(0, machine.layout, shape[:2])[:, :, None]
    logs += random.normal(0, machine.process, shape[0])[:, None, None]
    logs += numpy.broadcast_to(drift, PASSES)[None, :, None]
    clock = random.normal(0, machine.clock, PASSES)[None, :, None]
    logs -= clock
    out = 100.0 * (1 + slowdown)[:, None, None] * numpy.exp(logs)
    slow = random.random(shape) < machine.burst
    ns = numpy.where(slow, out * random.uniform(1.1, 1.5, shape), out)
    return Sampled(ns, 4.0 * numpy.exp(clock + random.normal(0, 0.01, shape)))


def rows_of(run: Sampled, isa: str = "avx2") -> list[Row]:
    """Computes figures and floors as bench/passes.c does."""
    measured = numpy.median(run.ns, axis=2)
    clock = numpy.median(run.clock_ghz, axis=(1, 2))
    scaled = measured * numpy.median(run.clock_ghz, axis=2) / clock[:, None]
    variances = [numpy.log(p).var(axis=1, ddof=1) for p in (measured, scaled)]
    at_clock = bool(numpy.median(variances[0]) > 2 * numpy.median(variances[1]))
    passes, own = (scaled if at_clock else measured), variances[at_clock]
    alike = numpy.median(own) / (1 - 2 / (9 * (PASSES - 1))) ** 3
    typical = own <= 2 * alike
    prior = numpy.where(typical, PRIOR, 0.0)
    deviation = numpy.sqrt(((PASSES - 1) * own + prior * alike) / (PASSES - 1 + prior))
    t = numpy.where(typical, T, T_ALONE)
    error = t * deviation * 1.2533 / math.sqrt(PASSES)
    centre = numpy.median(passes, axis=1)
    return [
        Row(
            f"k/{isa}/n:{i}/d:1/c:1", "k", isa, i, 1, 1, 1.0, 1.0, tuple(run.ns[i].ravel()), "",
            None, clock_ghz=float(clock[i]), at_clock=at_clock, passes=tuple(measured[i]),
            floor=float(numpy.expm1(t[i] * 2**0.5 * deviation[i])),
            figure=(centre[i], centre[i] * math.exp(-error[i]), centre[i] * math.exp(error[i])),
        )
        for i in range(len(run.ns))
    ]  # fmt: skip


def judged(ratios, floors, differs: float, alone: bool):
    ps = [ratio.p for ratio in ratios]
    adjusted = ps if alone else statistics.adjusted(ps)
    return [verdicts.judge(r, p, f, differs).value for r, p, f in zip(ratios, adjusted, floors)]


def of_two_runs(random, machine: Machine, slowdown: numpy.ndarray, alone: bool):
    zero = numpy.zeros(len(slowdown))
    first, second = (rows_of(run_of(random, machine, s)) for s in (zero, slowdown))
    pairs = list(zip(first, second))
    ratios = [verdicts.ratio_of(a, b) for a, b in pairs]
    return ratios, judged(
        ratios,
        [verdicts.same_within(a, b, verdicts.floor_of(a, b)) for a, b in pairs],
        verdicts.differs_from(*pairs[0], 1.0),
        alone,
    )


def within_one_run(random, machine: Machine, slowdown: numpy.ndarray, alone: bool):
    """Returns verdicts about two levels whose samples share drift and layout, but for a part."""
    base = run_of(random, machine, numpy.zeros(len(slowdown)))
    own = Machine("own", machine.sample, machine.layout / 2, 0.0, 0.0, machine.burst)
    ns = numpy.median(base.ns, axis=2)[:, :, None] * run_of(random, own, slowdown).ns / 100.0
    pairs = list(zip(rows_of(base), rows_of(Sampled(ns, base.clock_ghz), "avx512")))
    ratios = levels.ratios_of(pairs)
    return ratios, judged(ratios, [levels.MATTERS] * len(pairs), levels.MATTERS, alone)


class Simulated(unittest.TestCase):
    def count(self, kind, machine, slowdown, alone, repeats=25):
        """Returns (share of each verdict, share of intervals that contain the truth)."""
        random = numpy.random.default_rng(5)
        found, inside = [], 0
        for _ in range(repeats):
            ratios, verdicts_ = kind(random, machine, numpy.full(ROWS, slowdown), alone)
            found += verdicts_
            inside += sum(r.low <= 1 + slowdown <= r.high for r in ratios)
        return {v: found.count(v) / len(found) for v in set(found)}, inside / len(found)

    def test_two_runs__false_alarms_and_power(self):
        for machine in MACHINES:
            for alone in (True, False):
                share, coverage = self.count(of_two_runs, machine, 0.0, alone)
                alarms = share.get("SLOWER", 0) + share.get("FASTER", 0)
                print(
                    f"two runs, {machine.name}: {alarms:.1%} false alarms, interval {coverage:.1%}",
                    file=sys.stderr,
                )
                self.assertLessEqual(alarms, 0.05 if alone else 0.01, machine.name)
                self.assertGreaterEqual(coverage, 0.94, machine.name)
            share, _ = self.count(of_two_runs, machine, 0.05, alone=False)
            print(f"two runs, {machine.name}: 5 % slower: {share}", file=sys.stderr)
            self.assertEqual(share.get("FASTER", 0), 0.0)
            # A burst that hits two of the three samples of a pass makes the interval wide, as do
            # buffers or code whose addresses matter, and readings of the clock.
            wide = machine.burst > 0.02 or machine.clock > 0.0
            wide = wide or max(machine.layout, machine.process) >= 0.01
            required = 0.85 if wide else 0.95
            self.assertGreaterEqual(share.get("SLOWER", 0), required, machine.name)

    def test_within_one_run__false_alarms_power_and_coverage(self):
        for machine in MACHINES:
            for alone in (True, False):
                share, coverage = self.count(within_one_run, machine, 0.0, alone)
                alarms = share.get("SLOWER", 0) + share.get("FASTER", 0)
                print(
                    f"one run, {machine.name}: {alarms:.1%} false alarms, interval {coverage:.1%}",
                    file=sys.stderr,
                )
                self.assertLessEqual(alarms, 0.05, machine.name)
                self.assertGreaterEqual(coverage, 0.93, machine.name)
            share, _ = self.count(within_one_run, machine, 0.05, alone=False)
            print(f"one run, {machine.name}: 5 % slower: {share}", file=sys.stderr)
            self.assertGreaterEqual(share.get("SLOWER", 0), 0.95, machine.name)

    def test_some_rows_slower__others_without_alarm(self):
        """One row in ten is 8 % slower: of the rows that are called different, few are wrong."""
        random, wrong, right, missed = numpy.random.default_rng(9), 0, 0, 0
        slowdown = numpy.where(numpy.arange(ROWS) % 10 == 0, 0.08, 0.0)
        for machine in MACHINES[:2]:
            for _ in range(25):
                _, found = of_two_runs(random, machine, slowdown, alone=False)
                for verdict, slow in zip(found, slowdown):
                    right += verdict == "SLOWER" and slow > 0
                    missed += verdict != "SLOWER" and slow > 0
                    wrong += verdict in ("SLOWER", "FASTER") and slow == 0
        print(f"mixed: {right} right, {wrong} wrong, {missed} missed", file=sys.stderr)
        self.assertLessEqual(wrong, 0.05 * (right + wrong))
        self.assertLessEqual(missed, 0.05 * (right + missed))


if __name__ == "__main__":
    unittest.main()
