# SPDX-License-Identifier: MIT
"""Fashion-MNIST and the settings of a training: the same files, features and settings as
downhill's."""

import gzip
import os
import pathlib
import zlib
from dataclasses import dataclass

import numpy

DATASET = "fashion-mnist"
PACKAGED = "/usr/share/datasets/fashion-mnist"
CLASSES = 10
# Minimum standard deviation of a feature in bytes, as in downhill: pixels that hardly vary would
# otherwise be amplified to noise.
MIN_DEVIATION = 8.0
MAX_BYTES = 1 << 28


class PeersError(Exception):
    """Its text is one line that names the thing, the place and the remedy."""

    code = 70


class CheckFailed(PeersError):
    code = 1


class BadData(PeersError):
    code = 3


@dataclass(frozen=True)
class Settings:
    """The options of `downhill train` of the same names."""

    loss: str
    normalize: str
    batch: int
    lr: float
    reg: float
    seed: int
    threads: int
    epochs: int
    delta: float = 1.0  # scikit-learn cannot change it


@dataclass(frozen=True)
class Problem:
    train_x: numpy.ndarray  # f32, one sample per row
    train_y: numpy.ndarray
    test_x: numpy.ndarray
    test_y: numpy.ndarray
    c: int = CLASSES


def read_problem(directory: str | os.PathLike[str] | None, normalize: str) -> Problem:
    where = pathlib.Path(directory or os.environ.get("DOWNHILL_FASHION_MNIST") or PACKAGED)
    train_x, train_y = read_pair(where, "train")
    test_x, test_y = read_pair(where, "t10k")
    if train_x.shape[1] != test_x.shape[1]:
        raise BadData(
            f"{where}: training and test pictures differ in size; download the files again"
        )
    shift, scale = normalisation(train_x, normalize)
    return Problem(features(train_x, shift, scale), train_y, features(test_x, shift, scale), test_y)


def read_pair(where: pathlib.Path, part: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    images = read_idx(where / f"{part}-images-idx3-ubyte.gz", 3)
    labels = read_idx(where / f"{part}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(labels) or not len(labels):
        raise BadData(
            f"{where}: {len(images)} pictures and {len(labels)} labels in {part}; download the "
            "files again"
        )
    if labels.max() >= CLASSES:
        raise BadData(f"{where}: {part} has the label {labels.max()}; there are {CLASSES} classes")
    return images.reshape(len(images), -1), labels.astype(numpy.int64)


def read_idx(path: pathlib.Path, dimensions: int) -> numpy.ndarray:
    """Reads the bytes of an IDX file: two zeros, type 8, number of dimensions, sizes, data."""
    try:
        with gzip.open(path) as file:
            content = file.read(MAX_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadData(
            f"{path}: damaged or truncated gzip data: {error}; download the file again"
        ) from error
    except OSError as error:
        raise BadData(
            f"{path}: {error.strerror}; install the Debian package dataset-fashion-mnist, or give "
            "--data-dir"
        ) from error
    head = 4 + 4 * dimensions
    sizes = [int.from_bytes(content[i : i + 4], "big") for i in range(4, head, 4)]
    count = 1
    for size in sizes:
        count *= size
    if content[:4] != bytes((0, 0, 8, dimensions)) or len(content) != head + count:
        raise BadData(
            f"{path}: not an IDX file of bytes in {dimensions} dimensions; download it again"
        )
    return numpy.frombuffer(content, numpy.uint8, offset=head).reshape(sizes)


def normalisation(x: numpy.ndarray, kind: str) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Returns (value to subtract, factor to multiply by) per feature in bytes."""
    d = x.shape[1]
    if kind == "none":
        return numpy.zeros(d), numpy.full(d, 1 / 255)
    return x.mean(axis=0), 1 / numpy.maximum(x.std(axis=0), MIN_DEVIATION)


def features(x: numpy.ndarray, shift: numpy.ndarray, scale: numpy.ndarray) -> numpy.ndarray:
    out = x.astype(numpy.float32)
    out -= shift.astype(numpy.float32)
    out *= scale.astype(numpy.float32)
    return out
