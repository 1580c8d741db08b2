#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the scores of downhill predict with those of the formula in train/model_file.h, computed
in f64. Prints the maximum of error over error bound.

Usage: check_scores.py MODEL IMAGES SCORES_CSV"""

import json
import sys

import numpy

IMAGES_HEADER = 12
U = 2.0**-24


def error_bound(dtype, x, w, b):
    """Returns the error bound of each score by downhill.h, without the rounding of the CSV."""
    if dtype == "u8":
        # With q the power of two for which the weights fit 16 bits, weights are off by q/2 at most,
        # biases by q/512.
        quantum = 2.0 ** numpy.ceil(numpy.log2(abs(w).max(axis=1) / 32639))
        return abs(x).sum(axis=1)[:, None] * quantum / 2 + quantum / 512
    # A sum of d products. Each feature is rounded by the subtraction of the mean, by the
    # multiplication and by the scale.
    m = (x.shape[1] + 2 + 3) * U
    return m / (1 - m) * (abs(x) @ abs(w).T + abs(b))


def main():
    path, images, csv = sys.argv[1:]
    with numpy.load(path) as model:
        w, b, mean, scale = (model[n].astype(float) for n in ("w", "b", "mean", "scale"))
        record = json.loads(bytes(model["record.json"]))
    raw = numpy.fromfile(images, numpy.uint8)[IMAGES_HEADER:].reshape(-1, w.shape[1])
    x = (raw - mean) * scale
    exact = x @ w.T + b
    # Columns 4 and 5 are names of classes and may be text.
    columns = [0, 1, 2, 3, *range(6, 6 + len(w))]
    table = numpy.loadtxt(csv, delimiter=",", skiprows=1, usecols=columns)
    scores = table[:, 4:]
    assert scores.shape == exact.shape, (scores.shape, exact.shape)
    assert (table[:, 3] == scores.argmax(axis=1)).all()
    # The CSV has nine digits.
    limit = error_bound(record["dtype"], x, w, b) + 5e-9 * abs(scores)
    print((abs(scores - exact) / limit).max())


main()
