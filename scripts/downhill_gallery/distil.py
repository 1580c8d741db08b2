# SPDX-License-Identifier: MIT
"""Distils the results of a run into an entry of the gallery. Keeps no host name, and of the options
of the run no paths."""

import math
import pathlib
import statistics
from typing import Any

from downhill_compare.runs import clock_of
from downhill_report import load, noise, waited
from downhill_report.errors import BadResults

from . import entry as entries
from . import features, layout, microarchitecture, ratios
from .layout import optional, rounded

# A row has a clock of its own if it differs from that of its group by at least this share.
SAME_CLOCK = 0.005
# Options of `downhill bench` whose value is a path, which may name a user or a host.
PATH_OPTIONS = ("--json", "--resume", "--ceilings-from")
# Prefixes of the kernels whose rows are kept longest: other libraries compute some of them, and the
# others are steps and epochs of training.
KEPT_LONGEST = ("score_f32", "grad_f32", "step_hinge_f32", "step_hinge_u8", "epoch_")
OTHER_KERNELS = "kernels other than " + ", ".join(
    f"{prefix}*" if prefix.endswith("_") else prefix for prefix in KEPT_LONGEST
)
# Rows that are left out of an entry that would be too large, in this order: name and test.
DROP_ORDER = (
    (
        f"{OTHER_KERNELS}, at shapes that compare no ISA levels",
        lambda group, _: group["brief"] and not group["work"].kernel.startswith(KEPT_LONGEST),
    ),
    (
        "cold rows of the compiler's code and of scalar code",
        lambda group, kind: group["work"].cache == "cold" and kind in ("auto", "baseline"),
    ),
    (
        f"cold rows of {OTHER_KERNELS}",
        lambda group, _: group["work"].cache == "cold"
        and not group["work"].kernel.startswith(KEPT_LONGEST),
    ),
    ("shapes that compare no ISA levels", lambda group, _: group["brief"]),
    ("cold rows", lambda group, _: group["work"].cache == "cold"),
)  # fmt: skip


def distil(path: pathlib.Path, name: str, label: str | None) -> str:
    """Returns the text of the entry for the results in a file."""
    results = load.read_benchmarks(path)
    if results.get("partial"):
        raise BadResults(
            f"{path}: the run was interrupted; complete it with `downhill bench --resume {path}`"
        )
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
    for what, is_dropped in (None, None), *DROP_ORDER:
        if what is not None:
            leave_out(document, what, lambda g, isa: is_dropped(g, kinds.get(isa, "peer")))
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


def leave_out(document: dict[str, Any], what: str, is_dropped: Any) -> None:
    count = 0
    for group in document["groups"]:
        kept = [row for row in group["rows"] if not is_dropped(group, row[0])]
        count += len(group["rows"]) - len(kept)
        group["rows"] = kept
    document["groups"] = [
        group for group in document["groups"] if group["rows"] or "skipped" in group
    ]
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
    facts = machine.get("record", [])
    record = {fact["key"]: fact["value"] for fact in facts if fact["group"] == "CPU"}
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
        "read_gb_per_s": {
            memory["level"]: rounded(memory["read_gb_per_s"], 4) for memory in ceilings["read"]
        },
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
    # In newer results the aggregate of a row has its noise floor.
    floors = noise.floors_of(results, ())
    groups: dict[entries.Work, dict[str, list[dict[str, Any]]]] = {}
    for samples in rows.values():
        head = head_of(samples)
        if not head.get("sweep"):
            shape = (head["n"], head["d"], head["c"])
            work = entries.Work(
                head["kernel"], shape, head.get("cache", "hot"), head.get("threads", 1)
            )
            groups.setdefault(work, {})[head["isa"]] = samples
    levels = {level["name"]: level["kind"] for level in results["machine"]["levels"]}
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


def head_of(samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns a sample or aggregate of a row that has its kernel and shape."""
    return next(sample for sample in samples if "kernel" in sample)


def median_entry(samples: list[dict[str, Any]]) -> dict[str, Any]:
    return next((sample for sample in samples if sample.get("aggregate_name") == "median"), {})


def timed(work: entries.Work, group: dict[str, list[dict[str, Any]]]) -> dict[str, ratios.Timed]:
    """Returns the times of each row of a group that has any."""
    rounds = {}
    for isa, all_samples in group.items():
        samples = load.samples_of(all_samples)[0]
        if samples and min(sample["real_time"] for sample in samples) > 0:
            rounds[isa] = {
                sample.get("repetition_index", i): sample["real_time"]
                for i, sample in enumerate(samples)
            }
    resampled = ratios.resample(str(work), rounds) if rounds else {}
    out = {}
    for isa, times in rounds.items():
        aggregate = median_entry(group[isa])
        passes = tuple(aggregate.get("pass_medians_ns", ()))
        # With several passes the program's median is that of the medians of the passes.
        median = aggregate["real_time"] if passes else statistics.median(times.values())
        out[isa] = ratios.Timed(median, times, passes, resampled[isa])
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
    mine, theirs = highest_hand_level(rows, levels), highest_hand_level(f32, levels)
    if mine and theirs:
        out[mine][features.F32] = f32[theirs]
    return out


def highest_hand_level(rows: dict[str, Any], levels: dict[str, str]) -> str | None:
    """Returns the highest hand-written level, which the library uses by default."""
    return next((isa for isa in reversed(levels) if levels[isa] == "hand" and isa in rows), None)


def group_of(
    work: entries.Work,
    group: dict[str, list[dict[str, Any]]],
    times: dict[str, ratios.Timed],
    over: dict[str, dict[str, ratios.Timed]],
    clocks: dict[str, float | None],
    floors: dict[str, noise.Floor],
) -> dict[str, Any]:
    head = head_of(next(iter(group.values())))
    out: dict[str, Any] = {"work": work, "brief": head.get("brief", False)}
    out["flops"] = rounded(head["flops"], 9)
    found = [clock_of_row(samples, clocks) for samples in group.values()]
    known = [clock for clock in found if clock is not None]
    clock = statistics.median(known) if known else None
    if clock is not None:
        out["clock_ghz"] = rounded(clock, 4)
    skipped = {isa: why_not(samples) for isa, samples in group.items() if isa not in times}
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
    samples: list[dict[str, Any]],
    times: ratios.Timed,
    over: dict[str, ratios.Timed],
    floors: dict[str, noise.Floor],
    group_clock: float | None,
) -> list[Any]:
    aggregate, head = median_entry(samples), head_of(samples)
    marks = entries.SHARED if aggregate.get("shared_core") else ""
    marks += entries.ABOVE_ROOF if aggregate.get("above_roof") else ""
    floor = aggregate.get("noise_floor")
    if floor is None and (measured := floors.get(head["run_name"])):
        floor = measured.share
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
        {base: ratio_of(times, base_times) for base, base_times in over.items()},
        marks,
        optional(clock, 3),
    ]


def clock_of_row(samples: list[dict[str, Any]], clocks: dict[str, float | None]) -> float | None:
    """Returns the clock of a row, or of its group in older results."""
    return median_entry(samples).get("clock_ghz") or clocks.get(samples[0]["run_name"])


def why_not(samples: list[dict[str, Any]]) -> str:
    messages = (sample.get("error_message") for sample in samples)
    return next(filter(None, messages), "no samples")


def ends_of(times: ratios.Timed, aggregate: dict[str, Any]) -> tuple[int | None, int | None]:
    """Returns the 95 % interval of the median, as the program wrote it if it did."""
    ends = (aggregate.get("ci95_low_ns"), aggregate.get("ci95_high_ns"))
    if None in ends:
        ends = ratios.median_interval(list(times.rounds.values()))
    return (None, None) if ends is None else layout.ends(times.median, *ends)


def ratio_of(times: ratios.Timed, over: ratios.Timed) -> list[float]:
    value, low, high = ratios.ratio(times, over)
    return [rounded(value, 4), *layout.ends(value, low, high)]
