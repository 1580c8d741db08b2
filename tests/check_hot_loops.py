#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The hot loops as the compiler made them: the full register tile of each matrix kernel must have the
FMAs and the loads that the head of its source promises, and keep its vectors in registers. A compiler
that folds a shared load into every use, or spills an accumulator, passes every other test.
Usage: check_hot_loops.py BUILD"""

import pathlib
import re
import subprocess
import sys

# Source -> FMAs of the full tile, and the most memory operands that its loop may have.
TILES = {
    "score/score_avx2": (10, 7),  # 2 of X, 5 of W
    "score/score_avx512": (20, 10),  # 4 of X, 5 of W; Clang reloads a pointer
    "grad/grad_avx2": (10, 8),  # 2 of X, 5 dscores, a row pointer
    "grad/grad_avx512": (20, 13),  # 2 of X, 10 dscores, a row pointer; or 4, 5 and 1
}


def instructions(path: pathlib.Path) -> list[tuple[int, str, str]]:
    command = ["objdump", "-d", "--no-show-raw-insn", path]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^ *([0-9a-f]+):[ \t]+(\S+)[ \t]*(.*)$", text, re.MULTILINE)
    return [(int(address, 16), name, operands) for address, name, operands in found]


def innermost_loops(code: list[tuple[int, str, str]]) -> list[list[tuple[int, str, str]]]:
    """Stretches that end in a jump back to their start and hold no other jump."""
    index = {address: i for i, (address, _, _) in enumerate(code)}
    loops = []
    for i, (address, name, operands) in enumerate(code):
        target = re.match(r"([0-9a-f]+)\b", operands)
        if not name.startswith("j") or not target:
            continue
        start = int(target[1], 16)
        if start in index and start <= address:
            body = code[index[start] : i + 1]
            if not any(name.startswith("j") for _, name, _ in body[:-1]):
                loops.append(body)
    return loops


def main() -> None:
    build = pathlib.Path(sys.argv[1])
    bad = []
    for source, (fmas, memory_limit) in TILES.items():
        level = source.rpartition("_")[2]
        path = build / f"kernels/CMakeFiles/downhill_{level}.dir/{source}.c.o"
        counted = []
        for body in innermost_loops(instructions(path)):
            fma = sum(name.startswith("vfm") for _, name, _ in body)
            memory = sum("(" in operands and name != "lea" for _, name, operands in body)
            spills = sum(name.startswith("v") and "(%rsp" in ops for _, name, ops in body)
            counted.append((fma, memory, spills))
        tiles = [loop for loop in counted if loop[0] == fmas]
        print(f"{source}: {len(tiles)} full tiles of {len(counted)} loops")
        if not tiles or max(loop[0] for loop in counted) != fmas:
            bad.append(f"{source}: no loop of {fmas} FMAs")
        for _, memory, spills in tiles:
            if memory > memory_limit:
                bad.append(f"{source}: {memory} memory operands for {fmas} FMAs, not {memory_limit}")
            if spills > 0:
                bad.append(f"{source}: {spills} vectors go through the stack")
    for line in bad:
        print(f"check_hot_loops: {line}", file=sys.stderr)
    sys.exit(1 if bad else 0)


main()
