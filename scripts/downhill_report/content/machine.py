# SPDX-License-Identifier: MIT
"""The machine and what was built for it."""

from typing import Any

from ..model import Model
from ..numbers import bytes_text, plural, yes_no
from .blocks import Block, Drawing, Facts, More, Section, Table, Text
from .captions import CAPTIONS


def machine(model: Model) -> Section:
    m, build = model.results["machine"], model.results["build"]
    blocks: list[Block] = [Facts(facts(m, build))]
    if model.topology_xml:
        blocks.append(Drawing("topology", CAPTIONS["topology"]))
    blocks.append(levels(m))
    blocks.append(More("CPU features", [features(m)]))
    flags = [[level, f"`{text}`"] for level, text in build["flags"].items()]
    blocks.append(
        More("Compiler flags", [Table("Compiler flags of each level; the hand-written ones name their instructions in the source", ["level", "~flags"], flags)])
    )
    if "record" in m:
        blocks.append(More("The whole record of the machine", record(m)))
    return Section("machine", "Machine and build", "Machine", blocks)


def facts(m: dict[str, Any], build: dict[str, Any]) -> list[tuple[str, str]]:
    dirty = {True: " with uncommitted changes", None: ", clean or not is unknown"}
    identity = [("Id", m["id"])] if "id" in m else []
    return [
        ("CPU", m["cpu_name"]),
        *identity,
        ("Hypervisor", m["hypervisor"] or "none seen"),
        ("Cores", f"{m['cores']} cores, {m['pus']} hardware threads, {plural(m['packages'], 'package')}"),
        ("NUMA nodes", str(m["numa_nodes"])),
        ("Allowed CPUs", m["allowed_cpus"]),
        ("Caches", ", ".join(cache(o) for o in m["caches"])),
        ("Memory", bytes_text(m["memory_bytes"])),
        ("Kernel", m["kernel"]),
        (
            "Build",
            f"downhill {build['version']}, commit {build['commit']}{dirty.get(build['dirty'], '')}, "
            f"{build['compiler']}, {build['build_type']}",
        ),
        ("Libraries", ", ".join(f"{k} {v}" for k, v in sorted(build["libraries"].items()))),
    ]  # fmt: skip


def cache(o: dict[str, Any]) -> str:
    shared = f" shared by {o['shared_by_pus']} threads" if o["shared_by_pus"] > 1 else ""
    return f"L{o['level']} {o['type']} {bytes_text(o['bytes'])}{shared}"


def levels(m: dict[str, Any]) -> Table:
    keys = ("compiled", "cpu", "os", "permitted", "usable", "chosen")
    return Table(
        "ISA levels: what this build and machine have, and which is chosen unasked",
        ["level", "compiled", "CPU", "OS", "permitted", "usable", "chosen", "missing"],
        [
            [o["name"], *(yes_no(o[key]) for key in keys), o["missing"] or "–"]
            for o in m["levels"]
        ],
    )  # fmt: skip


def features(m: dict[str, Any]) -> Table:
    return Table(
        "CPU features that the library looks at",
        ["feature", "CPU", "OS", "permitted"],
        [
            [
                o["name"], yes_no(o["cpu"]), yes_no(o["os"]),
                "no (DOWNHILL_DISABLE)" if o["disabled"] else yes_no(o["permitted"]),
            ]
            for o in m["features"]
        ],
    )  # fmt: skip


def record(m: dict[str, Any]) -> list[Block]:
    lines = [
        [
            f"{o['group']}: {o['key']}",
            o["value"] if o["value"] is not None else f"unknown: {o['reason']}",
            yes_no(o["stable"]),
        ]
        for o in m["record"]
    ]
    return [
        Text(
            "What may bear on a time. The id of the machine is made of what is marked, which does not "
            "change from one start to the next; `downhill doctor` says what of it makes figures noisy."
        ),
        Table("Machine record", ["what", "~value", "part of the id"], lines),
    ]
