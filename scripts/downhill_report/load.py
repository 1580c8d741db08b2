# SPDX-License-Identifier: MIT
"""Reads result files, checks them against reports/results.schema.json, and merges them."""

import gzip
import json
import math
import pathlib
import re
import zlib
from typing import Any
from xml.etree import ElementTree

import jsonschema

from .errors import BadResults, Incomplete
from .training import METHOD_SETTINGS, SETTINGS

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "reports" / "results.schema.json"
SCHEMA_VERSION = 1
MAX_BYTES = 1 << 28
REMEDY = "copy it again from where it was made, or make it again"
# Two runs with all of these equal would be duplicates.
TRAINING_KEY = ("isa", *METHOD_SETTINGS, *SETTINGS)
PEERS_KEY = ("library", *SETTINGS)
# Two rows with all of these equal would be duplicates.
ROW_KEY = ("kernel", "isa", "n", "d", "c", "threads", "cache", "sweep")
# Members of a benchmark run that a merged document keeps.
CARRIED = (
    "partial", "context", "verify", "formulas", "peers", "ceilings", "noise_floor", "counters",
    "energy", "groups", "benchmarks",
)  # fmt: skip
# Names that may be drawn in a figure, where "$" would start a formula.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


def load(paths: list[pathlib.Path]) -> dict[str, Any]:
    """Returns the contents of all files as one document in the same schema."""
    schema = validator()
    documents = [(path, read(path, schema)) for path in paths]
    return merge(documents)


def validator(path: pathlib.Path = SCHEMA) -> Any:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Incomplete(
            f"{path}: {error.strerror}; the source tree or installation is incomplete"
        ) from error
    return jsonschema.Draft202012Validator(schema)


def read(path: pathlib.Path, schema: Any) -> dict[str, Any]:
    document = parse(path, "make it with `downhill bench --json`")
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise BadResults(
            f"{path}: schema_version is {version!r}, this downhill reads {SCHEMA_VERSION}; make it "
            "with the downhill of this source tree"
        )
    if not {"benchmarks", "training", "peers_training"} & document.keys():
        raise BadResults(f"{path}: neither benchmarks nor training; give a file that holds either")
    conform(path, document, schema)
    return document


def read_benchmarks(path: pathlib.Path) -> dict[str, Any]:
    """Returns results with benchmarks, with every check that needs no other file."""
    document = read(path, validator())
    if "benchmarks" not in document:
        raise BadResults(
            f"{path}: has no benchmarks; give a file written by `downhill bench --json`"
        )
    check_names(path, document)
    check_rows(path, document)
    return document


def parse(path: pathlib.Path, remedy: str) -> Any:
    """Returns the JSON in a file. The remedy ends the message about a file that is not JSON."""
    try:
        document = json.loads(
            text_of(path),
            parse_constant=refuse_constant,
            parse_float=finite,
            parse_int=countable,
        )
        # A lone surrogate is valid JSON but cannot be encoded in UTF-8.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except OSError as error:
        raise BadResults(f"{path}: {error.strerror}; check the path") from error
    except (ValueError, RecursionError) as error:  # from JSON, UTF-8 or the functions below
        what = "not UTF-8 text" if isinstance(error, UnicodeError) else error
        raise BadResults(f"{path}: not JSON: {what}; {remedy}") from error
    return document


def conform(path: pathlib.Path, document: Any, schema: Any) -> None:
    """Refuses a document that does not conform to the schema."""
    # Report the outermost error: it explains the errors inside it.
    wrong = min(schema.iter_errors(document), key=lambda e: len(e.absolute_path), default=None)
    if wrong is not None:
        message = wrong.message if len(wrong.message) <= 160 else wrong.message[:157] + "..."
        raise BadResults(
            f"{path}: {wrong.json_path}: {message}; the file is damaged or not written by "
            f"downhill: {REMEDY}"
        )


def text_of(path: pathlib.Path) -> str:
    """Returns the text of a file, decompressed if its name ends in .gz. Refuses more than MAX_BYTES
    decompressed bytes, which no run writes."""
    if path.suffix != ".gz":
        return path.read_text(encoding="utf-8")
    try:
        with gzip.open(path) as file:
            contents = file.read(MAX_BYTES + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"damaged or truncated gzip data: {error}") from error
    if len(contents) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes unpacked")
    return contents.decode("utf-8")


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def countable(text: str) -> int:
    if len(text) > 20:  # no 64-bit integer is longer
        raise ValueError(f"{text[:20]}... is too large")
    return int(text)


def merge(documents: list[tuple[pathlib.Path, dict[str, Any]]]) -> dict[str, Any]:
    ours = [(path, document) for path, document in documents if "machine" in document]
    if not ours:
        raise BadResults(
            f"{documents[0][0]}: holds only other libraries; give results of downhill train as well"
        )
    first_path, first = ours[0]
    merged: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "machine": first["machine"],
        "build": first["build"],
    }
    warnings: list[str] = []
    training: list[dict[str, Any]] = []
    peers: list[dict[str, Any]] = []
    benchmarks_path = None
    for path, document in documents:
        if "machine" in document:
            require_same(first_path, first, path, document)
            check_names(path, document)
        if "benchmarks" in document:
            if benchmarks_path is not None:
                raise BadResults(
                    f"{path}: a second run of benchmarks, after {benchmarks_path}; times compare "
                    "within one run only: give one"
                )
            benchmarks_path = path
            check_rows(path, document)
            for key in CARRIED:
                if key in document:
                    merged[key] = document[key]
        for run in document.get("training", []):
            add_once(path, run, training, TRAINING_KEY, run["isa"])
        for run in document.get("peers_training", []):
            if run["host_name"] != first["machine"]["host_name"]:
                raise BadResults(
                    f"{path}: {run['library']} ran on {run['host_name']}, downhill on "
                    f"{first['machine']['host_name']}; run scripts/peers.py where downhill ran"
                )
            add_once(path, run, peers, PEERS_KEY, run["library"])
        warnings += [text for text in document["warnings"] if text not in warnings]
    if training:
        merged["training"] = training
    if peers:
        merged["peers_training"] = peers
    merged["warnings"] = warnings
    return merged


def add_once(
    path: pathlib.Path,
    run: dict[str, Any],
    to: list[dict[str, Any]],
    key: tuple[str, ...],
    who: str,
) -> None:
    of = [run.get(name) for name in key]
    if any(of == [other.get(name) for name in key] for other in to):
        raise BadResults(f"{path}: {run['loss']} training with {who} is there twice; give it once")
    to.append(run)


def require_same(
    first_path: pathlib.Path, first: dict[str, Any], path: pathlib.Path, other: dict[str, Any]
) -> None:
    same = {"machine": ("cpu_name", "host_name", "levels"), "build": ("commit", "dirty", "flags")}
    for part, keys in same.items():
        for key in keys:
            if first[part][key] != other[part][key]:
                raise BadResults(
                    f"{path}: {part}.{key} differs from that of {first_path}; a report is of one "
                    f"{part}: give files that belong together"
                )


def heads(benchmarks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the entries that describe their row; in newer results the samples do not."""
    return [row for row in benchmarks if "kernel" in row]


def samples_of(entries: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Splits a row's samples into (samples used for the statistics, samples left out because they
    had less than a whole core)."""
    samples = [e for e in entries if e["run_type"] == "iteration" and not e.get("error_occurred")]
    if any(e.get("shared_core") for e in entries):  # too few had a whole one
        return samples, []
    return (
        [e for e in samples if e.get("alone", True)],
        [e for e in samples if not e.get("alone", True)],
    )


def check_names(path: pathlib.Path, document: dict[str, Any]) -> None:
    """Checks what the schema cannot express: every level exists once, and every name can be
    drawn."""
    levels = [level["name"] for level in document["machine"]["levels"]]
    peers = [peer["name"] for peer in document.get("peers", [])]
    rows, runs = heads(document.get("benchmarks", [])), document.get("training", [])
    for name in [*levels, *peers, *(row["kernel"] for row in rows)]:
        if not PLAIN_NAME.fullmatch(name):
            raise BadResults(
                f"{path}: {name!r} cannot be the name of a kernel or level; the file is not from "
                "downhill"
            )
    if len({*levels, *peers}) < len(levels) + len(peers):
        raise BadResults(
            f"{path}: machine.levels or peers has a name twice; the file is damaged: {REMEDY}"
        )
    check_topology(path, document["machine"].get("topology_xml"))
    for isa, known, what in [(row["isa"], levels + peers, row["name"]) for row in rows] + [
        (run["isa"], levels, f"{run['loss']} training") for run in runs
    ]:
        if isa not in known:
            raise BadResults(
                f"{path}: {what}: no level '{isa}' in machine.levels; the file is damaged: {REMEDY}"
            )


def check_topology(path: pathlib.Path, xml: str | None) -> None:
    """Checks hwloc's XML: the drawing needs only a well-formed tree whose sizes are numbers."""
    if xml is None:
        return
    try:
        for element in ElementTree.fromstring(xml).iter("object"):
            for key in ("cache_size", "local_memory"):
                countable(element.get(key, "0"))
    except (ElementTree.ParseError, ValueError) as error:
        raise BadResults(
            f"{path}: machine.topology_xml: {error}; the file is damaged: {REMEDY}"
        ) from error


def check_rows(path: pathlib.Path, document: dict[str, Any]) -> None:
    """Checks that each sample and aggregate occurs once, and that each row has one name."""
    seen: set[tuple[Any, ...]] = set()
    names: dict[tuple[Any, ...], str] = {}
    keys: dict[str, tuple[Any, ...]] = {}
    for row in heads(document["benchmarks"]):
        key, name = tuple(row.get(part) for part in ROW_KEY), row["run_name"]
        if names.setdefault(key, name) != name or keys.setdefault(name, key) != key:
            raise BadResults(f"{path}: {row['name']} is there twice; the file is damaged: {REMEDY}")
    for row in document["benchmarks"]:
        name = row["run_name"]
        if name not in keys:
            raise BadResults(
                f"{path}: {name}: no entry names its kernel; the file is damaged: {REMEDY}"
            )
        if row["run_type"] == "aggregate" or "repetition_index" in row:
            entry = (name, row.get("aggregate_name"), row.get("repetition_index"))
            if entry in seen:
                raise BadResults(
                    f"{path}: {row['name']} is there twice; the file is damaged: {REMEDY}"
                )
            seen.add(entry)
