#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Checks the hot loops that the compiler generated. The loop of a full register tile of each matrix
kernel must have the number of FMAs and of loads that the comment at the head of its source
promises, and must keep its vectors in registers. A compiler that folds a shared load into every
use, spills an accumulator, or no longer vectorises the auto levels passes every other test.

Usage: check_hot_loops.py BUILD"""

import pathlib
import re
import subprocess
import sys

# Source -> {FMAs (or products of pairs or bytes) of a full tile: maximum memory operands of its
# loop}. Prefetches are not counted.
TILES = {
    # 2 of X, 5 of W; 3 of X, 4 of W; two classes: 2 × (3 of X, 2 of W)
    "score/score_f32_avx2": {10: 7, 12: 10},
    # 4 of X, 10 of W, or 8 and 5; 8 and 6, or 6 and 8; twice that with prefetches. Both compilers
    # reload pointers. Runs: 64 of X, 16 of W, which Clang also stores.
    "score/score_f32_avx512": {20: 20, 24: 19, 40: 53, 48: 53, 64: 160},
    # 2 of X, 5 or 6 dscores, a row pointer; Clang reloads a pointer
    "grad/grad_f32_avx2": {10: 9, 12: 11},
    # 2 of X, 6 dscores; for the first classes a row pointer and two stores
    "grad/grad_columns_f32_avx2": {12: 14},
    # 4 of X, 3 of dW and 3 stores; 8 or 16 of X, 4 or 2 of dW and as many stores, pointers
    "grad/grad_rows_f32_avx2": {12: 11, 16: 24},
    # 16 of X, a start, a store
    "score/score_short_f32_avx512": {16: 19},
    # 8 of X, 3 of dW and 3 stores, pointers. Runs: 128 or 64 of X, 8 or 16 dscores, 16 of dW and
    # as many stores; Clang reloads pointers.
    "grad/grad_rows_f32_avx512": {24: 21, 128: 300},
    # 4 of X, 5 of W, twice with prefetches; 8, 3, pointers
    "score/score_packed_f32_avx512": {20: 9, 24: 15, 40: 20},
    # Two samples: 2 × (4 of X, 4 dscores, a row pointer), 2 × (3, 8, 1), 2 × (2, 10 or 14, 1),
    # pointers of rows to prefetch; both compilers reload up to ten pointers.
    "grad/grad_f32_avx512": {32: 29, 40: 34, 48: 35, 56: 39},
    "score/score_packed_bf16_avx512bf16": {40: 22},  # 2 of X, 20 of W, or 4 and 10
    # 2 of X, 10 pairs of dscores, two row pointers, one pointer of a row to prefetch
    "grad/grad_bf16_avx512bf16": {20: 16},
    # 2 × (2 of X, 5 of W); Clang 14 spills a sum, which takes 1.02 times as long (Zen 5)
    "score/score_u8_avx2": {20: 16},
    "score/score_u8_avxvnni": {20: 14},
    "score/score_u8_avx512": {20: 9},  # 4 of X, 5 of W
    "score/score_u8_avx512vnni": {40: 18, 20: 9},  # twice that, or 4 and 5
    "grad/grad_u8_avx2": {10: 11},  # 2 of X, 5 pairs of dscores, two row pointers, two stores
    "grad/grad_u8_avxvnni": {10: 11},
    "grad/grad_u8_avx512": {10: 11},
    # 4 of X, 5 dscores, four row pointers, four stores
    "grad/grad_u8_avx512vnni": {20: 17},
}
# Vectors that belong on the stack: features of X that the first classes leave there for the others.
STACK_VECTORS = {
    "grad/grad_columns_f32_avx2": 2,
    "grad/grad_u8_avx2": 2,
    "grad/grad_u8_avx512": 2,
    "grad/grad_u8_avx512vnni": 4,
}
# Limits for tiles of one number of FMAs. Clang 14: the weights of a run, stored but mostly read
# from registers; some sums of dW in a run; one of 14 classes if it prefetches the next block.
# GCC 12: a dscore of three classes and bf16; a vector of weights of 8 short features.
STACK_VECTORS_OF_TILE = {
    ("score/score_short_f32_avx512", 16): 1,
    ("score/score_f32_avx512", 40): 4,
    ("score/score_f32_avx512", 48): 10,
    ("score/score_f32_avx512", 64): 70,
    ("grad/grad_f32_avx512", 56): 2,
    ("grad/grad_rows_f32_avx512", 128): 20,
    ("grad/grad_rows_f32_avx512", 24): 2,
    ("score/score_u8_avx2", 20): 2,
}
PRODUCTS = ("vfm", "vdpbf16", "vpmaddwd", "vpmaddubsw", "vpdp")


def instructions(path: pathlib.Path) -> list[tuple[int, str, str]]:
    command = ["objdump", "-d", "--no-show-raw-insn", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *([0-9a-f]+):[ \t]+(?:\{vex\} )?(\S+)[ \t]*(.*)$", text, re.MULTILINE)
    return [(int(address, 16), name, operands) for address, name, operands in found]


def innermost_loops(code: list[tuple[int, str, str]]) -> list[list[tuple[int, str, str]]]:
    """Returns the ranges that end in a jump back to their start and contain no other jump back and
    no jump out of the range."""
    index = {address: i for i, (address, _, _) in enumerate(code)}
    jumps = {}  # address -> target; -1 if the target is in a register
    for address, name, operands in code:
        if name.startswith("j"):
            target = re.match(r"[0-9a-f]+\b", operands)
            jumps[address] = int(target[0], 16) if target else -1
    loops = []
    for end, start in jumps.items():
        if start in index and start <= end:
            body = code[index[start] : index[end] + 1]
            if all(a < jumps[a] <= end for a, _, _ in body[:-1] if a in jumps):
                loops.append(body)
    return loops


def not_vectorised(build: pathlib.Path) -> list[str]:
    """Returns a message per kernel of an auto level that is not vectorised. The auto levels are the
    baselines of the hand-written ones: if a change of the scalar source prevents vectorisation, the
    comparison flatters us."""
    problems = []
    for level, register in ("auto_avx2", "%ymm"), ("auto_avx512", "%zmm"):
        for kernel in "score", "grad":
            objects = f"kernels/CMakeFiles/downhill_{level}.dir"
            for element in "f32", "bf16", "u8":
                source = f"{kernel}_u8" if element == "u8" else f"{kernel}_f32"
                path = build / f"{objects}/{kernel}/{source}_scalar.c.o"
                command = ["objdump", "-d", "--no-show-raw-insn", path]
                text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
                name = f"downhill_{kernel}_{element}_{level}"
                code = text.partition(f"<{name}>:\n")[2].partition("\n\n")[0]
                # For bytes any register width will do: Clang chooses half a register.
                product = r"\tvpm(ull|add)" if element == "u8" else rf"\tvmulps .*{register}"
                if not re.search(product, code):
                    problems.append(f"{name}: not vectorised: it has no vector multiplication")
    return problems


def main() -> None:
    build = pathlib.Path(sys.argv[1])
    problems = not_vectorised(build)
    for source, tiles in TILES.items():
        level = source.rpartition("_")[2]
        path = build / f"kernels/CMakeFiles/downhill_{level}.dir/{source}.c.o"
        loops = []
        for body in innermost_loops(instructions(path)):
            fma = sum(name.startswith(PRODUCTS) for _, name, _ in body)
            memory = sum(
                "(" in operands and name != "lea" and not name.startswith("prefetch")
                for _, name, operands in body
            )
            # A broadcast reads the pairs of dscores, which belong on the stack.
            vectors = [o for _, name, o in body if name.startswith("v") and "broadcast" not in name]
            spills = sum("(%rsp" in operands for operands in vectors)
            loops.append((fma, memory, spills))
        full = [loop for loop in loops if loop[0] in tiles]
        print(f"{source}: {len(full)} of {len(loops)} loops are full tiles")
        for fmas in tiles.keys() - {loop[0] for loop in full}:
            problems.append(f"{source}: no loop has {fmas} FMAs")
        if max(loop[0] for loop in loops) > max(tiles):
            problems.append(f"{source}: a loop has more than {max(tiles)} FMAs: it was unrolled")
        for fmas, memory, spills in full:
            if memory > tiles[fmas]:
                problems.append(
                    f"{source}: {memory} memory operands for {fmas} FMAs, more than {tiles[fmas]}"
                )
            limit = STACK_VECTORS_OF_TILE.get((source, fmas), STACK_VECTORS.get(source, 0))
            if spills > limit:
                problems.append(f"{source}: {spills} vectors are spilled to the stack")
    for line in problems:
        print(f"check_hot_loops: {line}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
