# SPDX-License-Identifier: MIT
"""The comparisons that the gallery makes: the base of each CPU feature and data type.

distil.py computes the ratios of a run by this table, because their intervals need the samples;
bought.py shows them."""

from dataclasses import dataclass

from downhill_report.model import F32_KERNELS

# Base of the comparison of data types: the same kernel on f32, at the highest hand-written ISA
# level of each data type, which the library uses by default.
F32 = "f32"
DATA_TYPES = ("u8", "bf16", F32)
# CPU feature -> its everyday name.
CPU_FEATURE_NAMES = {
    "avx2": "AVX2", "avxvnni": "AVX-VNNI", "avx512f": "AVX-512", "avx512vnni": "AVX512-VNNI",
    "avx512bf16": "AVX512-BF16", "amx-tile": "AMX",
}  # fmt: skip
DATA_TYPE_NAMES = {"u8": "bytes", "bf16": "bf16", F32: "f32"}


@dataclass(frozen=True)
class Feature:
    id: str
    title: str
    level: str  # ISA level whose rows are divided, or a data type if the base is F32
    bases: tuple[str, ...]  # the first that has a row beside it is the base
    what: str  # what the feature does
    data_types: tuple[str, ...]  # that the first table shows, the most important one first
    needs: tuple[str, ...] = ()  # CPU features; the first that is missing explains why


FEATURES = (
    Feature(
        "avx512vnni", "AVX512-VNNI over AVX-512", "avx512vnni", ("avx512",),
        "multiplies and adds bytes in one instruction", ("u8",), ("avx512f", "avx512vnni"),
    ),
    Feature(
        "avx512", "AVX-512 over AVX2", "avx512", ("avx2",),
        "doubles the width of vectors to 64 bytes", ("f32", "u8", "bf16"), ("avx512f",),
    ),
    Feature(
        "avx2", "AVX2 over scalar code", "avx2", ("scalar",),
        "vectors of 32 bytes and FMA", ("f32", "u8", "bf16"), ("avx2",),
    ),
    Feature(
        "hand-avx2", "AVX2 by hand over the compiler's", "avx2", ("auto_avx2",),
        "hand-written kernels instead of GCC's or Clang's vectorisation", ("f32", "u8", "bf16"),
        ("avx2",),
    ),
    Feature(
        "hand-avx512", "AVX-512 by hand over the compiler's", "avx512", ("auto_avx512",),
        "hand-written kernels instead of GCC's or Clang's vectorisation", ("f32", "u8", "bf16"),
        ("avx512f",),
    ),
    Feature(
        "bytes", "Bytes over f32", "u8", (F32,),
        "a quarter of the memory, and products of integers", ("u8",),
    ),
    Feature(
        "bf16", "bf16 over f32", "bf16", (F32,), "half the memory", ("bf16",),
    ),
    Feature(
        "avx512bf16", "AVX512-BF16 over AVX-512", "avx512bf16", ("avx512",),
        "multiplies and adds pairs of bf16", ("bf16",), ("avx512f", "avx512bf16"),
    ),
    Feature(
        "avxvnni", "AVX-VNNI over AVX2", "avxvnni", ("avx2",),
        "VNNI for vectors of 32 bytes", ("u8",), ("avxvnni",),
    ),
    Feature(
        "amx", "AMX over AVX-512", "amx", ("avx512bf16", "avx512vnni", "avx512"),
        "multiplies tiles of bytes or bf16", ("u8", "bf16"), ("amx-tile",),
    ),
)  # fmt: skip


def bases_of(level: str) -> list[tuple[str, ...]]:
    """Returns the bases of each comparison of an ISA level."""
    return [feature.bases for feature in FEATURES if feature.level == level]


def data_type_of(kernel: str) -> str:
    """Returns the suffix of the kernel's name, or "" if it is not a data type."""
    suffix = kernel.rpartition("_")[2]
    return suffix if suffix in DATA_TYPES else ""


def f32_kernel_of(kernel: str) -> str | None:
    """Returns the kernel on f32 that does the same as one on bytes or bf16."""
    if (suffix := data_type_of(kernel)) in ("", F32):
        return None
    return F32_KERNELS.get(kernel, f"{kernel.removesuffix(suffix)}{F32}")


@dataclass(frozen=True, order=True)
class Family:
    """Kernels of one operation on one data type, over which a geometric mean has a meaning."""

    operation: str
    data_type: str

    def __str__(self) -> str:
        return f"{self.operation} on {DATA_TYPE_NAMES[self.data_type]}"


# Prefix of the kernel -> operation, the first that matches. `pack` and `read` have no family.
OPERATIONS = {
    "step_hinge_met": "step with satisfied samples", "step_hinge_reproducible": "reproducible step",
    "step_hinge_": "step", "step_softmax_": "step, softmax", "score_": "scores",
    "grad_hinge_": "gradient, hinge loss", "grad_": "gradient", "epoch_": "epoch",
    "hinge_": "hinge loss", "softmax_": "softmax", "update_": "update",
    "chain_": "step in separate calls",
}  # fmt: skip
ORDER = (
    "step", "scores", "gradient", "epoch", "step, softmax", "step with satisfied samples",
    "reproducible step", "step in separate calls", "gradient, hinge loss", "hinge loss", "softmax",
    "update",
)  # fmt: skip


def family_of(kernel: str) -> Family | None:
    suffix = data_type_of(kernel)
    for prefix, operation in OPERATIONS.items():
        if suffix and kernel.startswith(prefix):
            return Family(operation, suffix)
    return None


def families() -> list[Family]:
    """Returns all families, in the order of the tables."""
    return [Family(operation, suffix) for operation in ORDER for suffix in reversed(DATA_TYPES)]
