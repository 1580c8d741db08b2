# SPDX-License-Identifier: MIT
"""Reads result files, checks them against reports/results.schema.json, and merges them."""

import json
import pathlib
from typing import Any

import jsonschema

from .errors import BadResults

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "reports" / "results.schema.json"
SCHEMA_VERSION = 1
# Two runs with all of these equal would be the same row twice.
TRAINING_KEY = ("isa", "loss", "dataset", "n_train", "batch", "lr", "reg", "delta", "seed", "threads")


def load(paths: list[pathlib.Path]) -> dict[str, Any]:
    """The contents of all files as one document, in the schema of each."""
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    documents = [(path, read(path, validator)) for path in paths]
    return merge(documents)


def read(path: pathlib.Path, validator: Any) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse_constant)
    except OSError as error:
        raise BadResults(f"{path}: {error.strerror}; check the path") from error
    except ValueError as error:  # of JSON, of UTF-8, or from refuse_constant
        raise BadResults(f"{path}: not JSON: {error}; make it with `downhill bench --json`") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        raise BadResults(
            f"{path}: schema_version is {version!r}, this report reads {SCHEMA_VERSION}; make it "
            "with the downhill of this source tree"
        )
    if not {"benchmarks", "training"} & document.keys():
        raise BadResults(f"{path}: neither benchmarks nor training; give a file that holds either")
    # The shortest path first: the outermost thing that is wrong explains what is wrong inside it.
    wrong = min(validator.iter_errors(document), key=lambda e: len(e.absolute_path), default=None)
    if wrong is not None:
        message = wrong.message if len(wrong.message) <= 160 else wrong.message[:157] + "..."
        raise BadResults(f"{path}: {wrong.json_path}: {message}; the file is damaged or not ours")
    return document


def refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number of JSON")


def merge(documents: list[tuple[pathlib.Path, dict[str, Any]]]) -> dict[str, Any]:
    first_path, first = documents[0]
    merged: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "machine": first["machine"],
        "build": first["build"],
    }
    warnings: list[str] = []
    training: list[dict[str, Any]] = []
    benchmarks_path = None
    for path, document in documents:
        require_same(first_path, first, path, document)
        if "benchmarks" in document:
            if benchmarks_path is not None:
                raise BadResults(
                    f"{path}: a second run of benchmarks, after {benchmarks_path}; times compare "
                    "within one run only: give one"
                )
            benchmarks_path = path
            check_rows(path, document)
            for key in ("context", "verify", "formulas", "benchmarks"):
                merged[key] = document[key]
        for run in document.get("training", []):
            key = tuple(run[name] for name in TRAINING_KEY)
            if any(key == tuple(other[name] for name in TRAINING_KEY) for other in training):
                raise BadResults(
                    f"{path}: {run['loss']} training with {run['isa']} is there twice; give it once"
                )
            training.append(run)
        warnings += [text for text in document["warnings"] if text not in warnings]
    if training:
        merged["training"] = training
    merged["warnings"] = warnings
    return merged


def require_same(
    first_path: pathlib.Path, first: dict[str, Any], path: pathlib.Path, other: dict[str, Any]
) -> None:
    for part, keys in (("machine", ("cpu_name", "host_name", "levels")), ("build", ("commit", "flags"))):
        for key in keys:
            if first[part][key] != other[part][key]:
                raise BadResults(
                    f"{path}: {part}.{key} differs from that of {first_path}; a report is of one "
                    f"{part}"
                )


def check_rows(path: pathlib.Path, document: dict[str, Any]) -> None:
    """What a schema cannot say: levels that exist, and each aggregate once."""
    levels = {level["name"] for level in document["machine"]["levels"]}
    seen = set()
    for row in document["benchmarks"]:
        if row["isa"] not in levels:
            raise BadResults(f"{path}: {row['name']}: no level '{row['isa']}' in machine.levels")
        if row["run_type"] == "aggregate":
            if row["name"] in seen:
                raise BadResults(f"{path}: {row['name']} is there twice; the file is damaged")
            seen.add(row["name"])
