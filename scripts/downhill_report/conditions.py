# SPDX-License-Identifier: MIT
"""Conditions under which each group of rows was sampled: clock before and after, and CPU time lost
to the hypervisor, throttling and migrations."""

from dataclasses import dataclass
from typing import Any

# A group whose clock drift or stolen share exceeds these is reported as disturbed.
DRIFT = 0.02
STOLEN = 0.01


@dataclass(frozen=True)
class Conditions:
    name: str
    rows: int
    start_s: float
    end_s: float
    clock_before: float  # GHz
    clock_after: float
    steal_s: float | None
    switches: float | None  # involuntary
    migrations: float | None
    throttled: float | None  # periods

    @property
    def drift(self) -> float:
        """Relative change of the clock from before the group to after it."""
        return self.clock_after / self.clock_before - 1.0

    @property
    def stolen(self) -> float | None:
        """Share of the time that the hypervisor stole; None if the system does not report it."""
        length = self.end_s - self.start_s
        return self.steal_s / length if self.steal_s is not None and length > 0 else None

    @property
    def faults(self) -> list[str]:
        """Short descriptions of the disturbances; empty if none was detected."""
        found = []
        if abs(self.drift) > DRIFT:
            found.append(f"clock {self.drift:+.1%}")
        if (self.stolen or 0.0) > STOLEN:
            found.append(f"{self.stolen:.1%} stolen")
        if self.throttled:
            found.append(f"throttled in {self.throttled:.0f} periods")
        if self.migrations:
            found.append(f"moved {self.migrations:.0f} times")
        return found


def conditions_of(groups: list[dict[str, Any]]) -> list[Conditions]:
    return [
        Conditions(
            name_of(g), g.get("rows", 1), g["start_s"], g["end_s"], g["clock_before_ghz"],
            g["clock_after_ghz"], g.get("steal_s"), g.get("involuntary_switches"),
            g.get("migrations"), g.get("throttled_periods"),
        )
        for g in groups
    ]  # fmt: skip


def name_of(group: dict[str, Any]) -> str:
    """Returns the name of a group. A sweep of sizes is one group with all its shapes; the map has a
    group per shape."""
    _, swept, sweep = group.get("first_row", "").partition("/sweep:")
    if swept and sweep != "map":
        return f"{group['group']}, sweep of {sweep}"
    suffix = ", map" if swept else " cold" if group["cache"] == "cold" else ""
    return "{} {}×{}×{}".format(group["group"], *group["shape"]) + suffix
