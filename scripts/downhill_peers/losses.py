# SPDX-License-Identifier: MIT
"""Reference implementation of downhill's losses in f64, against which the libraries are checked."""

import math

import numpy

# Tolerance for f32 sums over a minibatch, relative to the largest value.
TOLERANCE = 1e-4


def loss_and_dscores(
    loss: str, scores: numpy.ndarray, y: numpy.ndarray, delta: float
) -> tuple[float, numpy.ndarray]:
    """Returns (mean loss over the samples, its derivatives with respect to the scores)."""
    n, rows = len(y), numpy.arange(len(y))
    if loss == "hinge":  # Weston and Watkins: the sum over all classes except the label
        margins = numpy.maximum(scores - scores[rows, y][:, None] + delta, 0.0)
        margins[rows, y] = 0.0
        dscores = (margins > 0).astype(float)
        dscores[rows, y] = -dscores.sum(axis=1)
        return margins.sum() / n, dscores / n
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - numpy.log(numpy.exp(shifted).sum(axis=1, keepdims=True))
    dscores = numpy.exp(logs)
    dscores[rows, y] -= 1.0
    return -logs[rows, y].sum() / n, dscores / n


def first_loss(loss: str, c: int, delta: float) -> float:
    """Returns the loss at zero weights, where every score is 0 and every probability 1/c."""
    return delta * (c - 1) if loss == "hinge" else math.log(c)


def close(got: numpy.ndarray | float, want: numpy.ndarray | float) -> bool:
    """Returns whether the values agree within TOLERANCE; false for NaN."""
    size = float(numpy.max(numpy.abs(want))) + 1e-6
    return bool(numpy.max(numpy.abs(numpy.asarray(got) - want)) <= TOLERANCE * size)
