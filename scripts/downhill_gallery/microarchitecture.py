# SPDX-License-Identifier: MIT
"""Guesses the microarchitecture from vendor, family and model, as CPUID reports them. The page
marks a guess: hypervisors may report other numbers, and the name is not a fact of the record."""

# (vendor, family) -> (first model, last model, name), as in Linux (arch/x86/include/asm/
# intel-family.h and arch/x86/kernel/cpu/amd.c).
MODELS = {
    ("GenuineIntel", 6): (
        (60, 60, "Haswell"), (63, 63, "Haswell"), (69, 70, "Haswell"), (61, 61, "Broadwell"),
        (71, 71, "Broadwell"), (79, 79, "Broadwell"), (86, 86, "Broadwell"), (78, 78, "Skylake"),
        (94, 94, "Skylake"), (85, 85, "Skylake-SP, Cascade Lake or Cooper Lake"),
        (106, 106, "Ice Lake"), (108, 108, "Ice Lake"), (125, 126, "Ice Lake"),
        (140, 141, "Tiger Lake"), (143, 143, "Sapphire Rapids"), (151, 151, "Alder Lake"),
        (154, 154, "Alder Lake"), (167, 167, "Rocket Lake"), (170, 170, "Meteor Lake"),
        (173, 174, "Granite Rapids"), (175, 175, "Sierra Forest"), (183, 183, "Raptor Lake"),
        (186, 186, "Raptor Lake"), (207, 207, "Emerald Rapids"),
    ),
    ("AuthenticAMD", 23): (
        (0x00, 0x07, "Zen 1"), (0x08, 0x08, "Zen+"), (0x10, 0x17, "Zen 1"), (0x18, 0x18, "Zen+"),
        (0x30, 0x7F, "Zen 2"), (0x90, 0xAF, "Zen 2"),
    ),
    ("AuthenticAMD", 25): (
        (0x00, 0x0F, "Zen 3"), (0x10, 0x1F, "Zen 4"), (0x20, 0x5F, "Zen 3"), (0x60, 0x7F, "Zen 4"),
        (0xA0, 0xAF, "Zen 4"),
    ),
    ("AuthenticAMD", 26): (
        (0x00, 0x2F, "Zen 5"), (0x40, 0x4F, "Zen 5"), (0x60, 0x7F, "Zen 5"),
    ),
}  # fmt: skip


def guess(vendor: str | None, family: int | None, model: int | None) -> str | None:
    if vendor is None or family is None or model is None:
        return None
    models = MODELS.get((vendor, family), ())
    return next((name for first, last, name in models if first <= model <= last), None)
