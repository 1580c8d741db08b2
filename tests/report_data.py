# SPDX-License-Identifier: MIT
"""Inputs of the report tests, and helpers to make reports of them."""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[1]
REPORT = ROOT / "scripts" / "report"
sys.path.insert(0, str(ROOT / "scripts"))
from downhill_report import errors, figures, kinds, load, render  # noqa: E402

LEVELS = [
    ("scalar", "baseline", None),
    ("auto_avx2", "auto", "avx2"),
    ("avx2", "hand", None),
]
MACHINE = {
    "cpu_name": "Test CPU", "hypervisor": None, "kernel": "Linux", "host_name": "host",
    "packages": 1, "numa_nodes": 1, "cores": 2, "pus": 2, "allowed_cpus": "0-1",
    "memory_bytes": 1 << 34,
    "caches": [{"level": 1, "type": "data", "bytes": 49152, "shared_by_pus": 1}],
    "features": [
        {"name": "avx2", "cpu": True, "os": True, "permitted": True, "disabled": False},
        {"name": "amx-tile", "cpu": True, "os": True, "permitted": None, "disabled": False},
    ],
    "levels": [
        {
            "name": name, "kind": kind, "auto_of": auto_of, "compiled": True, "cpu": True,
            "os": True, "permitted": True, "usable": True, "chosen": name == "avx2", "missing": "",
        }
        for name, kind, auto_of in LEVELS
    ],
}  # fmt: skip
BUILD = {
    "version": "0.1.0", "commit": "0123456789ab", "dirty": False, "compiler": "GNU 12",
    "build_type": "Release", "flags": {"scalar": "-O3"}, "libraries": {"zlib": "1.2"},
}  # fmt: skip
# Medians in ns by level. avx2 runs step_hinge 10 times as fast as scalar, 2.5 times as fast as the
# compiler's code.
TIMES = {
    "step_hinge_f32": (1000.0, 250.0, 100.0),
    "chain_hinge_f32": (1000.0, 300.0, 150.0),
    "update_f32": (80.0, 20.0, 19.8),
}


def samples(kernel, isa, shape, median, extra=0.0, suffix="", **more):
    n, d, c = shape
    name = f"{kernel}/{isa}/n:{n}/d:{d}/c:{c}{suffix}"
    head = {
        "name": name, "run_name": name, "run_type": "iteration", "kernel": kernel, "isa": isa,
        "threads": 1, "n": n, "d": d, "c": c, "flops": 4000.0, "bytes": 2000.0, "repetitions": 5,
        "time_unit": "ns", "iterations": 10,
    } | more  # fmt: skip
    times = [median * f for f in (0.98, 0.99, 1.0, 1.01, 1.5 + extra)]
    rows = [
        head | {"repetition_index": i, "real_time": t, "cpu_time": t, "sequence": i}
        for i, t in enumerate(times)
    ]
    for statistic, value in (("median", median), ("min", times[0]), ("mad", 0.01 * median)):
        rows.append(
            head
            | {"name": f"{name}_{statistic}", "run_type": "aggregate", "aggregate_name": statistic}
            | {"real_time": value, "cpu_time": value}
        )
    return rows


def bench(shapes=((256, 3072, 10), (1, 3072, 10))):
    rows = []
    for shape in shapes:
        for kernel, medians in TIMES.items():
            for (isa, _, _), median in zip(LEVELS, medians):
                rows += samples(kernel, isa, shape, median)
    return {
        "schema_version": 1,
        "context": {
            "date": "2026-01-02T03:04:05+0000", "seed": 1, "repetitions": 5, "min_time_s": 0.01,
            "order": "shuffled", "pinned_cpu": 1, "load_avg": [0.9, 0.5, 0.1],
            "cpu_scaling_enabled": False,
        },
        "machine": copy.deepcopy(MACHINE), "build": copy.deepcopy(BUILD),
        "verify": {"seed": 1, "checks": 12345, "failures": 0, "seconds": 1.0},
        "formulas": [{"kernel": k, "flops": "n*d", "bytes": "n", "note": "x"} for k in TIMES],
        "benchmarks": rows, "warnings": [],
    }  # fmt: skip


def train(loss="hinge"):
    def run(isa, seconds):
        return {
            "isa": isa, "loss": loss, "dataset": "fashion-mnist", "test_set": "test files",
            "n_train": 60000, "n_test": 10000, "d": 784, "c": 10, "batch": 256, "lr": 0.02,
            "reg": 1e-4, "delta": 1.0, "seed": 1, "threads": 1, "first_loss": 9.0,
            "epochs": [
                {"epoch": e, "seconds": s, "train_loss": 1 / e, "test_accuracy": 0.8 + e / 100,
                 "samples_per_s": 60000 / s}
                for e, s in enumerate(seconds, 1)
            ],
            "test_accuracy": 0.83, "seconds": sum(seconds),
            "phases": {"gather_s": 0.1, "score_s": 0.5, "loss_s": 0.1, "grad_s": 0.2,
                       "update_s": 0.05, "other_s": 0.05},
        }  # fmt: skip

    return {
        "schema_version": 1, "machine": copy.deepcopy(MACHINE), "build": copy.deepcopy(BUILD),
        "training": [run("scalar", [0.4, 0.5, 0.6]), run("avx2", [0.05, 0.04, 0.9])],
        "warnings": [],
    }  # fmt: skip


def method(name, **more):
    """Returns results of a training method that has no epochs."""
    (run, *_) = train()["training"]
    for key in ("epochs", "phases", "batch", "lr", "first_loss"):
        del run[key]
    run |= {
        "method": name, "isa": "avx2", "dtype": "f32", "normalize": "none", "n_validation": 0,
        "tried": 7, "evaluations": 21, "seconds": 1.5, "test_accuracy": 0.61, "ended": None,
        "points": [
            {"number": 1, "evaluations": 1, "seconds": 0.1, "loss": 9.0, "test_accuracy": None},
            {"number": 7, "evaluations": 21, "seconds": 1.5, "loss": 3.25, "test_accuracy": 0.61},
        ],
    }  # fmt: skip
    return train() | {"training": [run | more]}


def peer(library, loss="hinge", seconds=(), accuracies=(), **more):
    """Returns a row of a library that trained on the data of train(); without seconds, a missing
    library."""
    row = {
        "library": library, "missing": "", "host_name": "host", "cpu": 1, "loss": loss,
        "dataset": "fashion-mnist", "normalize": "none", "shuffle": "rows", "batch": 256,
        "lr": 0.02,
        "schedule": "constant", "momentum": 0.0, "reg": 1e-4, "delta": 1.0, "seed": 1, "threads": 1,
        "epochs_asked": 3,
        "epochs": [
            {"epoch": i, "seconds": s, "train_loss": None, "test_accuracy": a}
            for i, (s, a) in enumerate(zip(seconds, accuracies), 1)
        ],
    }  # fmt: skip
    if seconds:
        row |= {
            "version": "1.2.3", "dtype": "f32", "n_train": 60000, "n_test": 10000, "d": 784,
            "c": 10, "first_loss": None, "note": f"how {library} does it",
        }  # fmt: skip
    else:
        row["missing"] = "not installed"
    return row | more


def peers(*rows):
    """Returns results as scripts/peers.py writes them: without machine and build."""
    return {"schema_version": 1, "peers_training": list(rows), "warnings": []}


def level(name, holds, rate):
    return {
        "level": name, "holds_bytes": holds, "tested_bytes": (holds or 1 << 28) // 2,
        "read_gb_per_s": rate, "copy_gb_per_s": 0.9 * rate, "triad_gb_per_s": 0.8 * rate,
        "scattered_gb_per_s": 0.4 * rate,
    }  # fmt: skip


def ceilings_set(factor):
    return {
        "fma_f32_gflop_per_s": {"avx2": 100.0 * factor, "avx512": None},
        "dot_bf16_gflop_per_s": {"avx512bf16": None, "amx": None},
        "u8_gop_per_s": {
            "avx2": {"weights": 150.0 * factor, "dscores": 300.0 * factor}, "amx": None,
        },
        "read": [
            level("L1", 1 << 15, 200.0 * factor), level("L2", 1 << 19, 100.0 * factor),
            level("DRAM", None, 20.0),
        ],
    }  # fmt: skip


CEILINGS = {
    "measured": "2026-01-02T03:00:00+0000", "age_s": 0.0, "clock_ghz": 3.0, "timer_ns": 20.0,
    "call_ns": 90.0, **ceilings_set(1), "threads": [{"threads": 2, **ceilings_set(1.9)}],
}  # fmt: skip
CORE = (
    '<object type="L2Cache" cache_size="524288" cache_type="0"><object type="L1Cache" '
    'cache_size="32768" cache_type="1"><object type="Core" os_index="{0}"><object type="PU" '
    'os_index="{0}"/></object></object></object>'
)
TOPOLOGY = (
    '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE topology SYSTEM "hwloc2.dtd">'
    '<topology version="2.0"><object type="Machine"><object type="Package" os_index="0">'
    f'<object type="NUMANode" os_index="0" local_memory="{1 << 34}"/>'
    f"{''.join(CORE.format(i) for i in range(8))}</object></object></topology>"
)


def group(first_row, rows, start, **more):
    kernel, _, n, d, c = first_row.split("/")[:5]
    return {
        "shape": [int(part[2:]) for part in (n, d, c)], "group": kernel, "cache": "hot",
        "first_row": first_row, "rows": rows, "start_s": start, "end_s": start + 1.0,
        "clock_before_ghz": 3.0, "clock_after_ghz": 3.0, "steal_s": 0.0,
        "involuntary_switches": 0.0, "migrations": 0.0, "throttled_periods": 0.0,
        "throttled_s": 0.0,
    } | more  # fmt: skip


def full():
    """Returns the results of a benchmark run in which every optional part is present."""
    main = (256, 3072, 10)
    document = bench()
    document["peers"] = [
        {"name": "blis", "library": "libblis.so.4", "version": "BLIS 0.9", "missing": ""},
        {"name": "onednn", "library": "libdnnl.so.2", "version": "", "missing": "not there"},
    ]
    rows = document["benchmarks"]
    rows += samples("step_hinge_f32", "blis", main, 200.0)
    rows += samples("step_hinge_bf16", "avx2", main, 90.0)
    rows += samples("step_hinge_f32", "avx2", main, 60.0, suffix="/threads:2", threads=2)
    rows += samples("step_hinge_f32", "avx2", main, 300.0, suffix="/cold", cache="cold")
    for kernel in ("step_hinge_f32", "step_hinge_u8"):
        for n in (1, 2, 4, 7, 8, 9, 12, 15, 16, 17, 24, 31, 32, 33, 48, 63, 64, 65):
            tail_cost = 1.0 if n % 4 == 0 else 1.2
            rows += samples(
                kernel, "avx2", (n, 3072, 10), 1000.0 * n * tail_cost, suffix="/sweep:batch",
                sweep="batch", working_set_bytes=1e5 + 1e4 * n,
            )  # fmt: skip
        for d in (64, 512, 4096, 32768):
            rows += samples(
                kernel, "avx2", (64, d, 10), 10.0 * d, suffix="/sweep:size", sweep="size",
                working_set_bytes=300.0 * d,
            )  # fmt: skip
    for i, entry in enumerate(rows):
        entry |= {"attainable_gflop_per_s": 80.0, "bound": "FMA", "time_s": 0.01 * i}
        entry.setdefault("working_set_bytes", 2000.0)
        if entry["run_type"] == "aggregate":
            median = entry["real_time"]
            entry |= {"stopped": "precision", "above_roof": entry["kernel"] == "update_f32"}
            entry |= {"ci95_low_ns": 0.99 * median, "ci95_high_ns": 1.01 * median}
            entry["counters"] = {"cycles": 3.0 * median, "instructions": 7.0 * median}
    document["context"] |= {"precision": 0.01, "max_time_s": 0.5, "arguments": ["--peers"]}
    document["machine"] |= {
        "id": "m-0123456789ab", "topology_xml": TOPOLOGY,
        "record": [
            {"group": "CPU", "key": "name", "value": "Test CPU", "reason": "", "stable": True},
            {"group": "Clock", "key": "governor", "value": None, "reason": "no cpufreq",
             "stable": False},
        ],
    }  # fmt: skip
    document["ceilings"] = copy.deepcopy(CEILINGS)
    document["counters"] = {"available": True, "reason": ""}
    document["noise_floor"] = {
        "passes": 2, "p95": 0.015,
        "rows": [
            {"run_name": "step_hinge_f32/avx2/n:256/d:3072/c:10", "medians_ns": [100.0, 101.0]},
        ],
    }  # fmt: skip
    document["groups"] = [
        group("step_hinge_f32/scalar/n:256/d:3072/c:10", 4, 0.0),
        group("step_hinge_f32/avx2/n:1/d:3072/c:10/sweep:batch", 14, 1.0, clock_after_ghz=2.7),
        group("update_f32/avx2/n:256/d:3072/c:10", 3, 2.0, steal_s=0.1),
    ]
    return document


def in_passes(document, floor=0.008):
    """Turns results into those of a benchmark that times every row in five passes, one sample in
    each, and measures the clock."""
    for entry in document["benchmarks"]:
        if entry["run_type"] == "iteration":
            entry |= {"pass": entry["repetition_index"], "clock_ghz": 3.0}
        elif entry["aggregate_name"] == "median":
            entry |= {
                "noise_floor": floor, "clock_ghz": 3.0, "operations_per_cycle": 13.5,
                "cycles_per_sample": entry["real_time"] * 3.0 / entry["n"], "energy_j": 2.5e-6,
            }  # fmt: skip
    document["context"]["passes"] = 5
    document["energy"] = {"available": True, "reason": ""}
    document["noise_floor"] = {"passes": 5, "median": floor, "p95": floor, "rows": []}
    return document


class ReportTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.output = self.directory / "out"

    def write(self, name, document):
        path = self.directory / name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def run_report(self, *paths, options=()):
        command = [REPORT, "--output", self.output, *options, *paths]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    def report(self, *documents):
        """Writes a report in this process: importing matplotlib takes longer than the report."""
        paths = [self.write(f"in{i}.json", document) for i, document in enumerate(documents)]
        render.write(load.load(paths), self.output)
        return self.output

    def markdown(self, *documents, drawn=()):
        """Returns the Markdown of a report. Draws only the figures in drawn: drawing is slow."""
        plan = figures.plan
        blank = lambda model: {
            name: figure if name in drawn else lambda: "<svg></svg>"
            for name, figure in plan(model).items()
        }
        with unittest.mock.patch.object(figures, "plan", blank):
            return (self.report(*documents) / "report.md").read_text()

    def refused(self, says, *documents, code=3):
        """Checks that loading fails. Other tests check the message that the program prints."""
        paths = [self.write(f"in{i}.json", document) for i, document in enumerate(documents)]
        with self.assertRaises(errors.ReportError) as refusal:
            load.load(paths)
        self.assertIn(says, str(refusal.exception))
        self.assertEqual(refusal.exception.code, code)
