# SPDX-License-Identifier: MIT
"""The machine and the build."""

from typing import Any

from ..model import Model
from ..numbers import bytes_text, plural, yes_no
from .blocks import Block, Drawing, Facts, More, Section, Table, Text
from .captions import CAPTIONS


FLAGS = "Compiler flags per level; hand-written levels select their instructions in the source"


def machine(model: Model) -> Section:
    m, build = model.results["machine"], model.results["build"]
    blocks: list[Block] = [Facts(facts(m, build))]
    if model.topology_xml:
        blocks.append(Drawing("topology", CAPTIONS["topology"]))
    blocks.append(levels(m))
    blocks.append(More("CPU features", [features(m)]))
    flags = [[level, f"`{text}`"] for level, text in build["flags"].items()]
    blocks.append(More("Compiler flags", [Table(FLAGS, ["level", "~flags"], flags)]))
    if "record" in m:
        blocks.append(More("The whole record of the machine", record(m)))
    return Section("machine", "Machine and build", "Machine", blocks)


def facts(m: dict[str, Any], build: dict[str, Any]) -> list[tuple[str, str]]:
    dirty = {True: " with uncommitted changes", None: ", with or without uncommitted changes"}
    identity = [("Id", m["id"])] if "id" in m else []
    return [
        ("CPU", m["cpu_name"]),
        *identity,
        ("Hypervisor", m["hypervisor"] or "none seen"),
        (
            "Cores",
            f"{plural(m['cores'], 'core')}, {plural(m['pus'], 'hardware thread')}, "
            f"{plural(m['packages'], 'package')}",
        ),
        ("NUMA nodes", str(m["numa_nodes"])),
        ("Allowed CPUs", m["allowed_cpus"]),
        ("Caches", ", ".join(cache(o) for o in m["caches"])),
        ("Memory", bytes_text(m["memory_bytes"])),
        ("Kernel", m["kernel"]),
        (
            "Build",
            f"downhill {build['version']}, "
            f"commit {build['commit']}{dirty.get(build['dirty'], '')}, "
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
        "ISA levels: what this build and machine support, and which is the default",
        ["level", "compiled", "CPU", "OS", "permitted", "usable", "chosen", "missing"],
        [
            [o["name"], *(yes_no(o[key]) for key in keys), o["missing"] or "–"]
            for o in m["levels"]
        ],
    )  # fmt: skip


def features(m: dict[str, Any]) -> Table:
    return Table(
        "CPU features that the library checks",
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
            "Properties that may affect timings. The id of the machine is a hash of the marked "
            "ones, which do not change at a restart. `downhill doctor` reports which of them make "
            "figures noisy."
        ),
        Table("Machine record", ["property", "~value", "part of the id"], lines),
    ]
