# SPDX-License-Identifier: MIT
"""Compares files that `downhill data gen` wrote, without noise, with an independent implementation
of the definition in data/synthetic.h: W, b, and the first training and test samples, exactly.

Usage: synthetic_reference.py PREFIX SEED"""

import math
import sys

import numpy

MASK = 2**64 - 1


class Generator:
    """xoshiro256**, seeded by splitmix64."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = seed + 0x9E3779B97F4A7C15 & MASK
            z = (seed ^ seed >> 30) * 0xBF58476D1CE4E5B9 & MASK
            z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
            self.s.append(z ^ z >> 31)

    @classmethod
    def stream(cls, seed, number):
        return cls(cls(seed).next() + number & MASK)

    def next(self):
        def rotate(x, k):
            return (x << k | x >> (64 - k)) & MASK

        s = self.s
        result = rotate(s[1] * 5 & MASK, 7) * 9 & MASK
        t = s[1] << 17 & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotate(s[3], 45)
        return result

    def below(self, limit):
        while (v := self.next()) < 2**64 % limit:
            pass
        return v % limit


def sample(w, radius, as_bytes, generator):
    centre = w[generator.below(len(w))]
    m = 2 * radius + 1 if as_bytes else 2 * radius * 2**16
    x = []
    for f, w_kf in enumerate(centre):
        bits = generator.next() if f % 2 == 0 else bits >> 32
        e = (bits & 0xFFFFFFFF) * m >> 32
        x.append(128 + w_kf + e - radius if as_bytes else (w_kf + e / 2**16 - radius) / 128)
    return x


def main():
    prefix, seed = sys.argv[1], int(sys.argv[2])
    w_file, b_file = numpy.load(prefix + "-w.npy"), numpy.load(prefix + "-b.npy")
    classes, d = w_file.shape
    radius = math.floor(127 / (1 + 5 * math.sqrt(2 / d)) + 0.5)
    amplitude = 127 - radius
    generator = Generator.stream(seed, 2**63 - 1)
    w = [[generator.below(2 * amplitude + 1) - amplitude for _ in range(d)] for _ in range(classes)]
    assert (w_file == w).all()
    for part, first in (("train", 0), ("test", 2**62)):
        x_file, y_file = numpy.load(f"{prefix}-{part}-x.npy"), numpy.load(f"{prefix}-{part}-y.npy")
        as_bytes = x_file.dtype == "u1"
        b = [-sum(v * (128 + v / 2) if as_bytes else v * v / 256 for v in row) for row in w]
        assert (b_file == b).all()
        for i in range(20):
            x = sample(w, radius, as_bytes, Generator.stream(seed, first + i))
            assert (x_file[i] == x).all(), (part, i)
            scores = [sum(v * u for v, u in zip(row, x)) + b_j for row, b_j in zip(w, b)]
            assert y_file[i] == scores.index(max(scores)), (part, i)


main()
