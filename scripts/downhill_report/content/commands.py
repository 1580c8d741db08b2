# SPDX-License-Identifier: MIT
"""Commands that reproduce a report."""

import shlex
from typing import Any

from ..model import MAX_SHAPES_DRAWN
from ..numbers import setting
from ..training import by_epochs

# Per method, its own options and the name that the results have for each.
METHOD_OPTIONS = {
    "random-search": {"tries": "tried", "scale": "scale"},
    "local-search": {"tries": "tried", "scale": "scale", "step": "step"},
    "numerical": {
        "iterations": "tried", "lr": "lr", "difference": "difference", "h": "h",
        "coordinates": "coordinates",
    },
    "lbfgs": {"iterations": "tried"},
}  # fmt: skip


def train_options(run: dict[str, Any]) -> str:
    """Returns the options of downhill train, without --isa. Older results lack some, and used
    f32."""
    words = []
    if run.get("data", "fashion-mnist") != "fashion-mnist":
        words += ["--data", shlex.quote(run["data"])]
    if run.get("mmap"):
        words.append("--mmap")
    words += ["--loss", run["loss"], "--dtype", run.get("dtype", "f32")]
    for name in ("normalize", "shuffle"):
        words += [f"--{name}", run[name]] if name in run else []
    words += sgd_options(run) if by_epochs(run) else []
    for name in ("reg", "delta", "seed"):
        words += [f"--{name}", setting(run[name])]
    if run.get("threads", 1) > 1:
        words += ["--threads", str(run["threads"])]
    if by_epochs(run):
        words += ["--epochs", str(run.get("epochs_asked", len(run["epochs"])))]
    else:
        words += ["--method", run["method"]]
        for option, name in METHOD_OPTIONS[run["method"]].items():
            words += [f"--{option}", setting(run[name])] if name in run else []
    return " ".join(words)


def sgd_options(run: dict[str, Any]) -> list[str]:
    """Returns the options of SGD that differ from the defaults."""
    words = []
    for name in ("batch", "lr"):
        words += [f"--{name}", setting(run[name])]
    if run.get("schedule", "constant") != "constant":
        words += ["--schedule", run["schedule"]]
    for name in ("momentum", "validation"):
        words += [f"--{name}", setting(run[name])] if run.get(name) else []
    return [*words, "--nesterov"] if run.get("nesterov") else words


def peers_options(row: dict[str, Any]) -> str:
    names = ("loss", "normalize", "batch", "lr", "reg", "seed", "threads")
    words = [f"--{name} {setting(row[name])}" for name in names]
    return " ".join([*words, f"--epochs {row['epochs_asked']}"])


def bench_options(results: dict[str, Any]) -> str:
    """Returns the options of downhill bench; for older results, those that the rows reveal."""
    context = results["context"]
    if "arguments" in context:
        return " ".join(shlex.quote(word) for word in context["arguments"])
    shapes = dict.fromkeys((row["n"], row["d"], row["c"]) for row in results["benchmarks"])
    shown = shapes if len(shapes) <= MAX_SHAPES_DRAWN else {}
    return (
        f"--repetitions {context['repetitions']} --min-time {1e3 * context['min_time_s']:g}ms "
        f"--seed {context['seed']}{''.join(f' --shape {n}x{d}x{c}' for n, d, c in shown)}"
        f"{' --peers' if 'peers' in results else ''}"
    )


def commands(results: dict[str, Any]) -> list[str]:
    """Returns the commands that made this report, as far as the results tell."""
    out = [
        "scripts/bench  # the standard run, from a clean machine; the commands below made this one"
    ]
    if "context" in results:
        out.append(f"downhill bench {bench_options(results)} --json bench.json")
    seen: dict[str, list[str]] = {}
    for run in results.get("training", []):
        seen.setdefault(train_options(run), []).append(run["isa"])
    files = []
    for i, (options, levels) in enumerate(seen.items(), 1):
        isa = "all" if len(levels) > 1 else levels[0]
        files.append(f"train-{i}.json")
        out.append(f"downhill train --isa {isa} {options} --json {files[-1]}")
    peers = dict.fromkeys(map(peers_options, results.get("peers_training", [])))
    for i, options in enumerate(peers, 1):
        files.append(f"peers-{i}.json")
        out.append(f"scripts/peers.py {options} --json {files[-1]}")
    files = (["bench.json"] if "context" in results else []) + files
    return [*out, f"downhill report --output report {' '.join(files)}"]
