# SPDX-License-Identifier: MIT
"""The tables of the gallery below the first one, as blocks of downhill_report."""

from collections.abc import Sequence

from downhill_report.content.blocks import Block, Listing, More, Table, Text
from downhill_report.numbers import NONE, joined, plural, times

from . import bought, words
from .entry import Entry, Ratio, Work
from .features import F32, FEATURES, Family, Feature, family_of

# Operations whose rows are listed; those of the others are in the explorer only, because a page of
# ten machines is to stay below 1 MB.
LISTED = ("step", "scores", "gradient", "gradient, hinge loss")
LISTED_NAMES = ["step", "scores", "gradient"]

Found = dict[str, dict[Work, Ratio]]  # per entry


def with_interval(ratio: Ratio | None) -> str:
    if ratio is None:
        return NONE
    mark = " †" if ratio.doubtful else ""
    return f"{times(ratio.value)} ({words.ends(ratio)}){mark}"


def mean_cell(mean: bought.Mean | None) -> str:
    if mean is None:
        return NONE
    return f"{with_interval(mean.ratio)}, {plural(len(mean.rows), 'row')}"


def tables(found: Found, entries: Sequence[Entry], what: str) -> list[Block]:
    """Returns a table of geometric means per family and, collapsed, one of the rows of the most
    important families. Leaves out entries without any row."""
    shown = [entry for entry in entries if found[entry.name]]
    means = {entry.name: bought.means_of(found[entry.name]) for entry in shown}
    titles = [f">{entry.title}{'' if entry.in_passes else ' ‡'}" for entry in shown]
    families: list[Family] = list(
        dict.fromkeys(family for found_means in means.values() for family in found_means)
    )
    works = works_of(found, shown)
    lines = [
        [named(family, works), *(mean_cell(means[entry.name].get(family)) for entry in shown)]
        for family in families
    ]
    works = [work for work in works if is_listed(work)]
    rows = [
        [str(work), *(with_interval(found[entry.name].get(work)) for entry in shown)]
        for work in works
    ]
    return [
        Table(f"{what}, geometric means over the hot rows of one thread.", ["", *titles], lines),
        More(
            f"{plural(len(rows), 'row')} of {joined(LISTED_NAMES)}",
            [Table(f"{what}, row by row, with 95 % intervals.", ["row", *titles], rows)],
        ),
    ]


def named(family: Family, works: Sequence[Work]) -> str:
    """Returns the family with its kernels."""
    kernels = dict.fromkeys(work.kernel for work in works if family_of(work.kernel) == family)
    return f"{family}: {', '.join(f'`{kernel}`' for kernel in kernels)}"


def is_listed(work: Work) -> bool:
    family = family_of(work.kernel)
    return family is not None and family.operation in LISTED


def works_of(found: Found, entries: Sequence[Entry]) -> list[Work]:
    """Returns the groups of rows that the means are of."""
    works = dict.fromkeys(work for entry in entries for work in found[entry.name])
    return [work for work in works if bought.is_plain(work) and family_of(work.kernel)]


def feature_blocks(feature: Feature, entries: Sequence[Entry]) -> list[Block]:
    found = {entry.name: bought.ratios_of(entry, feature) for entry in entries}
    what = f"{feature.title}: how many times as fast"
    blocks = tables(found, entries, what) if any(found.values()) else []
    missing = [
        f"{entry.title}: {bought.why_missing(entry, feature)}."
        for entry in entries
        if not found[entry.name]
    ]
    return [Text(f"{feature.what[0].upper()}{feature.what[1:]}."), *blocks, *map(Text, missing)]


def features(entries: Sequence[Entry]) -> list[tuple[str, More]]:
    """Returns (id of the feature, its block)."""
    return [
        (feature.id, More(feature.title, feature_blocks(feature, entries))) for feature in FEATURES
    ]


# ---- other libraries ----


def over_best_peer(entry: Entry) -> tuple[Found, dict[Work, str]]:
    """Returns, per group of rows, the ratio of our fastest row over the fastest library, and the
    name of that library."""
    ratios, names = {}, {}
    for work, rows in entry.rows.items():
        peers = {
            isa: (row.over[isa], row)
            for row in rows.values()
            for isa in row.over
            if isa != F32 and entry.kind_of(isa) == "peer"
        }
        if not peers:
            continue
        name = min(peers, key=lambda isa: peers[isa][0].value)
        ratio, row = peers[name]
        library = rows.get(name)  # None: left out to keep the entry small
        doubtful = row.shared or (library is not None and library.shared)
        ratios[work] = Ratio(ratio.value, ratio.low, ratio.high, doubtful)
        names[work] = name
    return ratios, names


def peers(entries: Sequence[Entry]) -> list[Block]:
    found: Found = {}
    names: dict[str, dict[Work, str]] = {}
    for entry in entries:
        found[entry.name], names[entry.name] = over_best_peer(entry)
    if not any(found.values()):
        return [Text("No entry has times of other libraries; `downhill bench --peers` adds them.")]
    means, more = tables(found, entries, "downhill over the fastest library")
    shown = [entry for entry in entries if found[entry.name]]
    (table,) = more.blocks
    works = [work for work in works_of(found, shown) if is_listed(work)]
    lines = [
        [line[0], *(
            f"{cell} {names[entry.name][work]}" if work in names[entry.name] else cell
            for entry, cell in zip(shown, line[1:])
        )]
        for work, line in zip(works, table.lines)
    ]  # fmt: skip
    return [
        Text(
            "The ratio is the time of the fastest library divided by that of our fastest ISA level "
            "on the same CPU. Above 1× downhill is faster. The operations that a library does not "
            "offer (loss, bias, update) use our code."
        ),
        means,
        More(more.summary, [Table(table.caption, table.columns, lines)]),
    ]


# ---- adding a machine ----


def own() -> list[Block]:
    return [
        Text(
            "On Debian, one command builds, verifies, measures, adds the machine to the gallery "
            "and makes this page again. It takes about 25 minutes, or a few with `--quick`:"
        ),
        Listing(["scripts/bench --gallery NAME"]),
        Text(
            "To add results that you already have from `downhill bench --cache hot,cold --peers "
            "--json RESULTS.json`:"
        ),
        Listing(
            [
                'downhill gallery --add RESULTS.json --name NAME --label "Zen 4" reports/gallery',
                "downhill gallery reports/gallery  # only makes the page again, from its entries",
            ]
        ),
        Text(
            "NAME becomes the name of the file, such as `zen4`. `--label` is the "
            "microarchitecture; without it the page shows a guess from the numbers of CPUID, "
            "marked as one. An entry holds no host name and no path. `reports/README.md` "
            "describes its format."
        ),
    ]
