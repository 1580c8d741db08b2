# SPDX-License-Identifier: MIT
"""What went on around each group of rows while it was sampled: its clock before and after, and
what the system took away."""

from dataclasses import dataclass
from typing import Any

# Above these a group is pointed out.
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
        """Of the clock, from before to after."""
        return self.clock_after / self.clock_before - 1.0

    @property
    def stolen(self) -> float | None:
        """Share of the time; None where the system does not tell."""
        length = self.end_s - self.start_s
        return self.steal_s / length if self.steal_s is not None and length > 0 else None

    @property
    def faults(self) -> list[str]:
        """In a word or two each; none: undisturbed as far as can be seen."""
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
            name_of(g), g.get("rows", 1), g["start_s"], g["end_s"], g["clock_before_ghz"], g["clock_after_ghz"],
            g.get("steal_s"), g.get("involuntary_switches"), g.get("migrations"),
            g.get("throttled_periods"),
        )
        for g in groups
    ]  # fmt: skip


def name_of(group: dict[str, Any]) -> str:
    """A sweep is one group for all its shapes."""
    _, swept, sweep = group.get("first_row", "").partition("/sweep:")
    if swept:
        return f"{group['group']}, sweep of {sweep}"
    cold = " cold" if group["cache"] == "cold" else ""
    return "{} {}×{}×{}".format(group["group"], *group["shape"]) + cold
