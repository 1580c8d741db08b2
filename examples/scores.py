#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Calls the library from Python with ctypes: computes the scores of a NumPy batch without copying
it, and compares them with NumPy's product.
Usage: scores.py [LIBRARY]    LIBRARY: path of libdownhill.so.0.1"""

import ctypes
import sys

import numpy

FLOATS, INTS, SIZES = (ctypes.POINTER(c) for c in (ctypes.c_float, ctypes.c_int32, ctypes.c_size_t))


class Batch(ctypes.Structure):
    """downhill_batch_f32"""

    _fields_ = [
        ("x", FLOATS),
        ("ldx", ctypes.c_size_t),
        ("x_rows", ctypes.c_size_t),
        ("y", INTS),
        ("rows", SIZES),
        ("n", ctypes.c_size_t),
        ("n_next", ctypes.c_size_t),
    ]


class Weights(ctypes.Structure):
    """downhill_weights_f32"""

    _fields_ = [
        ("w", FLOATS),
        ("ldw", ctypes.c_size_t),
        ("b", FLOATS),
        ("d", ctypes.c_size_t),
        ("c", ctypes.c_size_t),
    ]


class Matrix(ctypes.Structure):
    """downhill_matrix_f32"""

    _fields_ = [
        ("data", FLOATS),
        ("ld", ctypes.c_size_t),
        ("rows", ctypes.c_size_t),
        ("columns", ctypes.c_size_t),
    ]


def floats(array: numpy.ndarray) -> FLOATS:
    assert array.dtype == numpy.float32 and array.flags.c_contiguous
    return array.ctypes.data_as(FLOATS)


def main() -> None:
    try:
        library = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libdownhill.so.0.1")
    except OSError as error:
        sys.exit(f"scores.py: {error}; install the library, or give its path")
    library.downhill_status_text.restype = ctypes.c_char_p
    library.downhill_version.restype = ctypes.c_char_p
    library.downhill_score_f32.argtypes = [
        ctypes.c_void_p,  # NULL: the default kernels
        ctypes.POINTER(Batch),
        ctypes.POINTER(Weights),
        ctypes.POINTER(Matrix),
    ]
    random = numpy.random.default_rng(1)
    x, w, b = (random.standard_normal(s, numpy.float32) for s in ((500, 784), (10, 784), 10))
    rows = numpy.arange(0, 500, 2, dtype=numpy.uintp)  # every other sample
    batch = Batch(floats(x), 784, 500, None, rows.ctypes.data_as(SIZES), len(rows), 0)
    weights = Weights(floats(w), 784, floats(b), 784, 10)
    scores = numpy.empty((len(rows), 10), numpy.float32)
    status = library.downhill_score_f32(
        None, batch, weights, Matrix(floats(scores), 10, len(rows), 10)
    )
    if status != 0:
        sys.exit(library.downhill_status_text(status).decode())
    exact = x[rows].astype(float) @ w.T.astype(float) + b
    off = abs(scores - exact).max()
    print(f"downhill {library.downhill_version().decode()}: maximum error {off:.1g} against f64")
    sys.exit(0 if off < 1e-3 else 1)


main()
