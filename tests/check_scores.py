#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Scores of a model by the formula in train/model_file.h, in f64, against those of downhill predict.

Usage: check_scores.py MODEL IMAGES SCORES_CSV. Prints the largest distance as a share of what is allowed.
"""

import json
import sys

import numpy

IMAGES_HEADER = 12
U = 2.0**-24


def allowed(model, dtype, x, w, b):
    """What downhill.h says, and the nine digits of the CSV."""
    if dtype == "u8":
        # Weights to multiples of u/2 and biases to those of u/512, u the power of two that leaves 16 bits.
        unit = 2.0 ** numpy.ceil(numpy.log2(abs(w).max(axis=1) / 32639))
        return abs(x).sum(axis=1)[:, None] * unit / 2 + unit / 512
    # A sum of d products; each feature is rounded in its subtraction, its product and its scale.
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
    # Columns 4 and 5 are the names of the classes, which may be text.
    columns = [0, 1, 2, 3, *range(6, 6 + len(w))]
    table = numpy.loadtxt(csv, delimiter=",", skiprows=1, usecols=columns)
    scores = table[:, 4:]
    assert scores.shape == exact.shape, (scores.shape, exact.shape)
    assert (table[:, 3] == scores.argmax(axis=1)).all()
    limit = allowed(model, record["dtype"], x, w, b) + 5e-9 * abs(scores)
    print((abs(scores - exact) / limit).max())


main()
