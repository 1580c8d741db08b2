# SPDX-License-Identifier: MIT
"""Distils the results of a run into an entry of the gallery. Keeps no host name, and of the options
of the run no paths."""

import math
import pathlib
import statistics
from typing import Any

from downhill_compare.runs import clock_of
from downhill_report import load, waited
from downhill_report.errors import BadResults

from . import entry as entries
from . import features, layout, microarchitecture, ratios
from .layout import optional, rounded

# A row has a clock of its own if it differs from that of its group by at least this share.
SAME_CLOCK = 0.005
# Options of `downhill bench` whose value is a path, which may name a user or a host.
PATH_OPTIONS = ("--json", "--resume", "--ceilings-from")
WITH_PEERS = ("score_f32", "grad_f32", "step_hinge_f32", "step_hinge_u8", "epoch_")
# Rows that are left out of an entry that would be too large, in this order: name and test.
TOO_MUCH = (
    (
        "kernels without libraries to compare with, at shapes that compare no ISA levels",
        lambda o, _: o["brief"] and not o["work"].kernel.startswith(WITH_PEERS),
    ),
    (
        "cold rows of the compiler's code and of scalar code",
        lambda o, kind: o["work"].cache == "cold" and kind in ("auto", "baseline"),
    ),
    (
        "cold rows of kernels without libraries to compare with",
        lambda o, _: o["work"].cache == "cold" and not o["work"].kernel.startswith(WITH_PEERS),
    ),
    ("shapes that compare no ISA levels", lambda o, _: o["brief"]),
    ("cold rows", lambda o, _: o["work"].cache == "cold"),
)  # fmt: skip


def distil(path: pathlib.Path, name: str, label: str | None) -> str:
    """Returns the text of the entry for the results in a file."""
    results = load.read_benchmarks(path)
    groups = groups_of(results)
    if not any(group["rows"] for group in groups):
        raise BadResults(
            f"{path}: has no times of the suite, which are those without a sweep; run "
            "`downhill bench --json` without --filter"
        )
    document = {
        "schema_version": entries.SCHEMA_VERSION,
        "gallery_entry": {"name": name, "microarchitecture": microarchitecture_of(results, label)},
        "date": results["context"]["date"],
        "machine": machine_of(results["machine"]),
        "build": {
            key: results["build"][key]
            for key in ("version", "commit", "dirty", "compiler", "build_type")
        },
        "run": run_of(results["context"]),
        "ceilings": ceilings_of(results.get("ceilings")),
        "noise_floor": noise_floor_of(results.get("noise_floor")),
        "kernels": [formula["kernel"] for formula in results["formulas"]],
        "peers": [
            {key: peer[key] for key in ("name", "version", "missing")}
            for peer in results.get("peers", [])
        ],
        "left_out": [],
        "reasons": reasons_of(groups),
        "row_columns": list(entries.COLUMNS),
        "groups": groups,
    }
    return within_limit(path, document)


def within_limit(path: pathlib.Path, document: dict[str, Any]) -> str:
    """Returns the text of the entry. Leaves rows out if it would be too large."""
    kinds = {level["name"]: level["kind"] for level in document["machine"]["levels"]}
    for what, is_too_much in (None, None), *TOO_MUCH:
        if what is not None:
            leave_out(document, what, lambda g, isa: is_too_much(g, kinds.get(isa, "peer")))
        text = layout.text_of(document | {"groups": nested(document["groups"])})
        if len(text.encode()) <= entries.MAX_BYTES:
            return text
    raise BadResults(
        f"{path}: its rows do not fit into an entry of {entries.MAX_BYTES // 1000} KB; run "
        "fewer of them with `downhill bench --filter`"
    )


def nested(groups: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns kernel -> key of the group -> group, without the members that only this file uses."""
    out: dict[str, dict[str, Any]] = {}
    for group in groups:
        kept = {key: value for key, value in group.items() if key not in ("work", "brief")}
        out.setdefault(group["work"].kernel, {})[group["work"].key] = kept
    return out


def leave_out(document: dict[str, Any], what: str, is_too_much: Any) -> None:
    count = 0
    for group in document["groups"]:
        kept = [row for row in group["rows"] if not is_too_much(group, row[0])]
        count += len(group["rows"]) - len(kept)
        group["rows"] = kept
    document["groups"] = [o for o in document["groups"] if o["rows"] or "skipped" in o]
    if count:
        document["left_out"].append({"rows": count, "what": what})


# ---- machine and run ----


def microarchitecture_of(results: dict[str, Any], label: str | None) -> dict[str, str] | None:
    if label is not None:
        return {"name": label, "from": "user"}
    cpu = cpu_record(results["machine"])
    guess = microarchitecture.guess(cpu["vendor"], cpu["family"], cpu["model"])
    return {"name": guess, "from": "guess"} if guess else None


def cpu_record(machine: dict[str, Any]) -> dict[str, Any]:
    """Returns vendor, family, model and stepping; None where older results do not have them."""
    record = {o["key"]: o["value"] for o in machine.get("record", []) if o["group"] == "CPU"}
    out: dict[str, Any] = {"vendor": record.get("vendor")}
    for key in ("family", "model", "stepping"):
        value = record.get(key) or ""
        out[key] = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else None
    return out


def machine_of(machine: dict[str, Any]) -> dict[str, Any]:
    keys = ("hypervisor", "packages", "cores", "pus", "memory_bytes", "caches")
    return {
        "cpu_name": machine["cpu_name"],
        **cpu_record(machine),
        **{key: machine[key] for key in keys},
        "features": [feature["name"] for feature in machine["features"] if feature["cpu"]],
        "levels": [
            {key: level[key] for key in ("name", "kind", "auto_of", "usable", "missing")}
            for level in machine["levels"]
        ],
    }


def run_of(context: dict[str, Any]) -> dict[str, Any]:
    keys = ("repetitions", "min_time_s", "max_time_s", "precision", "passes")
    return {key: context.get(key) for key in keys} | {"arguments": arguments_of(context)}


def arguments_of(context: dict[str, Any]) -> list[str] | None:
    """Returns the options of the run without those that name files; None if not recorded."""
    if (arguments := context.get("arguments")) is None:
        return None
    out = []
    for before, argument in zip(["", *arguments], arguments):
        if before not in PATH_OPTIONS and argument.partition("=")[0] not in PATH_OPTIONS:
            out.append(argument)
    return out


def ceilings_of(ceilings: dict[str, Any] | None) -> dict[str, Any] | None:
    """Returns clock, peaks and read bandwidths of one thread."""
    if ceilings is None:
        return None
    peaks = {}
    for data_type, member in (("f32", "fma_f32_gflop_per_s"), ("bf16", "dot_bf16_gflop_per_s")):
        peaks |= {f"{data_type} {isa}": rate for isa, rate in ceilings.get(member, {}).items()}
    for isa, rates in ceilings.get("u8_gop_per_s", {}).items():
        peaks |= {f"bytes {isa} {use}": rate for use, rate in (rates or {}).items()}
    return {
        "clock_ghz": rounded(ceilings["clock_ghz"], 4),
        "peaks_g_per_s": {what: rounded(rate, 4) for what, rate in peaks.items() if rate},
        "read_gb_per_s": {o["level"]: rounded(o["read_gb_per_s"], 4) for o in ceilings["read"]},
    }


def noise_floor_of(floor: dict[str, Any] | None) -> dict[str, Any] | None:
    if floor is None:
        return None
    shares = {key: floor.get(key) for key in ("median", "p95")}
    return {"passes": floor.get("passes")} | {
        key: None if share is None else rounded(share, 3) for key, share in shares.items()
    }


# ---- rows ----


def groups_of(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the groups of rows that belong to no sweep, with the ratios of their rows."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for sample in results["benchmarks"]:
        rows.setdefault(sample["run_name"], []).append(sample)
    clocks = {
        name: clock_of(groups) for name, groups in waited.groups_of_rows(results).items()
    }  # of older results, whose rows have no clock of their own
    floors = {o["run_name"]: o["medians_ns"] for o in noise_rows(results)}
    groups: dict[entries.Work, dict[str, list[dict[str, Any]]]] = {}
    for of in rows.values():
        head = next(o for o in of if "kernel" in o)
        if not head.get("sweep"):
            shape = (head["n"], head["d"], head["c"])
            work = entries.Work(
                head["kernel"], shape, head.get("cache", "hot"), head.get("threads", 1)
            )
            groups.setdefault(work, {})[head["isa"]] = of
    levels = {o["name"]: o["kind"] for o in results["machine"]["levels"]}
    times = {work: timed(work, group) for work, group in groups.items()}
    out = []
    for work, group in groups.items():
        over = over_of(work, times, levels)
        out.append(group_of(work, group, times[work], over, clocks, floors))
    return out


def reasons_of(groups: list[dict[str, Any]]) -> list[str]:
    """Returns why rows have no times, and puts numbers of this list into the groups."""
    reasons = [why for group in groups for why in group.get("skipped", {}).values()]
    reasons = list(dict.fromkeys(reasons))
    for group in groups:
        if "skipped" in group:
            group["skipped"] = {k: reasons.index(why) for k, why in group["skipped"].items()}
    return reasons


def noise_rows(results: dict[str, Any]) -> list[dict[str, Any]]:
    return results.get("noise_floor", {}).get("rows", [])


def median_entry(of: list[dict[str, Any]]) -> dict[str, Any]:
    return next((o for o in of if o.get("aggregate_name") == "median"), {})


def timed(work: entries.Work, group: dict[str, list[dict[str, Any]]]) -> dict[str, ratios.Timed]:
    """Returns the times of each row of a group that has any."""
    rounds = {}
    for isa, of in group.items():
        samples = load.samples_of(of)[0]
        if samples and min(o["real_time"] for o in samples) > 0:
            rounds[isa] = {o.get("repetition_index", i): o["real_time"] for i, o in
                           enumerate(samples)}  # fmt: skip
    resampled = ratios.resample(str(work), rounds) if rounds else {}
    out = {}
    for isa, samples in rounds.items():
        aggregate = median_entry(group[isa])
        passes = tuple(aggregate.get("pass_medians_ns", ()))
        # With several passes the program's median is that of the medians of the passes.
        median = aggregate["real_time"] if passes else statistics.median(samples.values())
        out[isa] = ratios.Timed(median, samples, passes, resampled[isa])
    return out


def over_of(
    work: entries.Work,
    times: dict[entries.Work, dict[str, ratios.Timed]],
    levels: dict[str, str],
) -> dict[str, dict[str, ratios.Timed]]:
    """Returns, per row, the rows that it is compared with."""
    rows = times[work]
    out: dict[str, dict[str, ratios.Timed]] = {isa: {} for isa in rows}
    for isa in rows:
        for bases in features.bases_of(isa):
            if (base := next((name for name in bases if name in rows), None)) is not None:
                out[isa][base] = rows[base]
    ours = [isa for isa in rows if levels.get(isa) in ("baseline", "hand")]
    if ours:
        fastest = min(ours, key=lambda isa: rows[isa].median)
        out[fastest] |= {isa: rows[isa] for isa in rows if isa not in levels}
    f32_kernel = features.f32_kernel_of(work.kernel)
    f32 = times.get(entries.Work(f32_kernel, work.shape, work.cache, work.threads), {})
    mine, theirs = best_level(rows, levels), best_level(f32, levels)
    if mine and theirs:
        out[mine][features.F32] = f32[theirs]
    return out


def best_level(rows: dict[str, Any], levels: dict[str, str]) -> str | None:
    """Returns the highest hand-written level, which the library uses by default."""
    return next((isa for isa in reversed(levels) if levels[isa] == "hand" and isa in rows), None)


def group_of(
    work: entries.Work,
    group: dict[str, list[dict[str, Any]]],
    times: dict[str, ratios.Timed],
    over: dict[str, dict[str, ratios.Timed]],
    clocks: dict[str, float | None],
    floors: dict[str, list[float]],
) -> dict[str, Any]:
    head = next(o for of in group.values() for o in of if "kernel" in o)
    out: dict[str, Any] = {"work": work, "brief": head.get("brief", False)}
    out["flops"] = rounded(head["flops"], 9)
    found = [c for of in group.values() if (c := clock_of_row(of, clocks)) is not None]
    clock = statistics.median(found) if found else None
    if clock is not None:
        out["clock_ghz"] = rounded(clock, 4)
    skipped = {isa: why_not(of) for isa, of in group.items() if isa not in times}
    if skipped:
        out["skipped"] = skipped
    out["rows"] = [
        row_of(isa, group[isa], times[isa], over[isa], floors, clock)
        for isa in group
        if isa in times
    ]
    return out


def row_of(
    isa: str,
    of: list[dict[str, Any]],
    times: ratios.Timed,
    over: dict[str, ratios.Timed],
    floors: dict[str, list[float]],
    group_clock: float | None,
) -> list[Any]:
    aggregate = median_entry(of)
    head = next(o for o in of if "kernel" in o)
    marks = entries.SHARED if aggregate.get("shared_core") else ""
    marks += entries.ABOVE_ROOF if aggregate.get("above_roof") else ""
    floor = aggregate.get("noise_floor")
    if floor is None and (medians := floors.get(head["run_name"])):
        floor = max(medians) / min(medians) - 1
    attainable, clock = head.get("attainable_gflop_per_s"), aggregate.get("clock_ghz")
    if clock and group_clock and abs(clock / group_clock - 1) < SAME_CLOCK:
        clock = None
    return [
        isa,
        rounded(times.median, 5),
        *ends_of(times, aggregate),
        optional(attainable, 4),
        head.get("bound"),
        None if floor is None else math.ceil(1000 * floor),
        {base: ratio_of(times, of) for base, of in over.items()},
        marks,
        optional(clock, 3),
    ]


def clock_of_row(of: list[dict[str, Any]], clocks: dict[str, float | None]) -> float | None:
    """Returns the clock of a row, or of its group in older results."""
    return median_entry(of).get("clock_ghz") or clocks.get(of[0]["run_name"])


def why_not(of: list[dict[str, Any]]) -> str:
    return next((o["error_message"] for o in of if o.get("error_message")), "no samples")


def ends_of(times: ratios.Timed, aggregate: dict[str, Any]) -> tuple[int | None, int | None]:
    """Returns the 95 % interval of the median, as the program wrote it if it did."""
    ends = (aggregate.get("ci95_low_ns"), aggregate.get("ci95_high_ns"))
    if None in ends:
        ends = ratios.median_interval(list(times.rounds.values()))
    return (None, None) if ends is None else layout.ends(times.median, *ends)


def ratio_of(times: ratios.Timed, over: ratios.Timed) -> list[float]:
    value, low, high = ratios.ratio(times, over)
    return [rounded(value, 4), *layout.ends(value, low, high)]
