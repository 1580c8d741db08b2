# SPDX-License-Identifier: MIT
"""Reads a model of `downhill train --model`: an NPZ file, described in train/model_file.h. Checks
what is drawn; numpy.load() would report damaged members as missing."""

import hashlib
import io
import json
import pathlib
import struct
import zipfile
import zlib
from dataclasses import dataclass

import numpy

from downhill_report.errors import BadResults

MAX_BYTES = 1 << 30


@dataclass(frozen=True)
class Model:
    w: numpy.ndarray  # classes × features
    classes: list[str]
    name: str  # of the data set


def read(path: pathlib.Path, contents: bytes) -> Model:
    try:
        return checked(contents)
    except (
        ValueError, KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError,
        NotImplementedError, RuntimeError, RecursionError, struct.error, SyntaxError, MemoryError,
    ) as error:  # fmt: skip
        what = error.args[0] if error.args else type(error).__name__
        if isinstance(error, UnicodeError):
            what = "record.json: not UTF-8 text"
        raise BadResults(
            f"{path}: {what}; the file is damaged or not a model of downhill"
        ) from error


def checked(contents: bytes) -> Model:
    with zipfile.ZipFile(io.BytesIO(contents)) as file:
        record = record_of(file)
        w, b = array(file, "w", 2), array(file, "b", 1)
    if len(b) != len(w):
        raise ValueError("w.npy and b.npy have different numbers of classes")
    classes = record.get("classes")
    if not isinstance(classes, list) or not all(isinstance(o, str) for o in classes):
        raise ValueError("record.json: classes is not a list of names")
    if len(classes) != len(w):
        raise ValueError(f"record.json: {len(classes)} names for {len(w)} classes")
    sizes = struct.pack("<QQ", w.shape[1], w.shape[0])
    if hashlib.sha256(sizes + w.tobytes() + b.tobytes()).hexdigest() != record.get("model_digest"):
        raise ValueError("the weights do not match the digest")
    data = record.get("data")
    name = data.get("name") if isinstance(data, dict) else None
    return Model(w.astype(float), classes, name if isinstance(name, str) else "")


def member(file: zipfile.ZipFile, name: str) -> bytes:
    """Returns the contents of a member; zipfile checks the CRC."""
    if name not in file.namelist():
        raise ValueError(f"no {name} in it")
    if file.getinfo(name).file_size > MAX_BYTES:
        raise ValueError(f"{name}: more than {MAX_BYTES} bytes")
    return file.read(name)


def record_of(file: zipfile.ZipFile) -> dict:
    record = json.loads(member(file, "record.json").decode("utf-8"))
    if not isinstance(record, dict) or record.get("format") != "downhill-model":
        raise ValueError("record.json: not the record of a downhill model")
    if record.get("version") not in (1, 2):  # they differ only in their records
        raise ValueError(f"record.json: version {record.get('version')!r} is not known")
    json.dumps(record, ensure_ascii=False).encode("utf-8")  # fails for a lone surrogate
    return record


def array(file: zipfile.ZipFile, name: str, dimensions: int) -> numpy.ndarray:
    stream = io.BytesIO(member(file, f"{name}.npy"))
    version = numpy.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"{name}.npy: version {version} is not known")
    header = getattr(numpy.lib.format, f"read_array_header_{version[0]}_0")
    shape, fortran, kind = header(stream)
    if kind != numpy.dtype("<f4") or len(shape) != dimensions or not all(n > 0 for n in shape):
        raise ValueError(f"{name}.npy: is not a {dimensions}-dimensional array of f32")
    elements = stream.read()
    count = 1
    for n in shape:
        count *= n
    if len(elements) != 4 * count:
        raise ValueError(f"{name}.npy: the number of elements differs from that in its header")
    found = numpy.frombuffer(elements, "<f4").reshape(shape, order="F" if fortran else "C")
    if not numpy.isfinite(found).all():
        raise ValueError(f"{name}.npy: has a number that is not finite")
    return found
