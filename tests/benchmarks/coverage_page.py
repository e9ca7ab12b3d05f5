"""The figures of `interval_coverage` as a table in CSV, and the page that sums them up."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import TextIO

PAGE = """# How often intervals cover

Each figure is the share of 95 % [intervals](statistics.md), in %, that hold the population's score, over {data_sets:,}
simulated data sets. [coverage.csv](coverage.csv) has every figure, and
[Measurements](../development/measurements.md#intervals) the command and remarks.

## Macro-F1 by groups and labels

Take the nearest row and column.

- **groups**: their number times their mean number of examples. In `x 1` each example is its own group. By a power law,
  one group often has a fifth of the examples.
- **columns**: the labels' rates. `nine` is nine labels of 30 to 2 %.

A cell has the lowest and the highest figure over three degrees to which groups differ. After a slash is the lowest
share of data sets that got an interval, in %, if not all did; `<5` if a degree has none, `none` if all have none.

{by_groups}

## All metrics

A cell is a metric in a setting. It is **lower** (too narrow) or **higher** (too wide) if it is below 93 or above 97 %
by more than two standard errors.

- The grid: {totals}
- Beyond the grid: {totals_beyond}

Beyond the grid, an interval is likely to fail: large groups are harder than small ones, a group in twenty fails
completely, nearly all predictions are right, or the model is overconfident. *lowest* is the lowest of the lower cells,
with the share of data sets as above. *rarest* is a figure of the rarest label.

{by_metric}
"""

NOMINAL, LOWER, HIGHER, NONE = "93-97", "lower", "higher", "none"
"""What a cell's figure is, as the CSV has it."""

FIRST_METRIC = "macro_f1"

POWER_LAW = "power law"


@dataclass(frozen=True)
class Figure:
    """A line of the CSV: what the intervals of one metric did in one setting.

    Parameters
    ----------
    part : {"grid", "beyond"}
        The part of the page.
    groups, examples, repeats : int
        Groups, their mean number of examples, and how often each is predicted.
    sizes, differ, labels : str
        As the page explains them; no sizes where every example is its own group.
    metric : str
        The score.
    data_sets : int
        Simulated data sets.
    given : int
        The share of them with an interval, in %; 0 where the verdict is "none".
    covers : int
        The share of intervals that hold the truth, in %; 0 where the verdict is "none".
    verdict : {"93-97", "lower", "higher", "none"}
        Whether the share is distinguishable from 93 to 97 %.
    """

    part: str
    groups: int
    examples: int
    repeats: int
    sizes: str
    differ: str
    labels: str
    metric: str
    data_sets: int
    given: int
    covers: int
    verdict: str

    @property
    def design(self) -> str:
        """The groups, as the page has them."""
        return f"{self.groups:,} x {self.examples}"

    @property
    def shown(self) -> str:
        """The figure, with the share of data sets after a slash if not all got an interval."""
        return f"{self.covers}" if self.given == 100 else f"{self.covers} / {self.given}"

    @property
    def setting(self) -> tuple[int, int, int, str, str, str]:
        """What was simulated."""
        return self.groups, self.examples, self.repeats, self.sizes, self.differ, self.labels


COLUMNS = [field.name for field in fields(Figure)]


def write_figures(figures: Iterable[Figure], file: TextIO) -> None:
    """Write figures line by line, as they come."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    for figure in figures:
        lines.writerow(astuple(figure))
        file.flush()


def read_figures(path: Path) -> list[Figure]:
    """Read figures from a file that `write_figures` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Figure(
                part=line["part"],
                groups=int(line["groups"]),
                examples=int(line["examples"]),
                repeats=int(line["repeats"]),
                sizes=line["sizes"],
                differ=line["differ"],
                labels=line["labels"],
                metric=line["metric"],
                data_sets=int(line["data_sets"]),
                given=int(line["given"]),
                covers=int(line["covers"]),
                verdict=line["verdict"],
            )
            for line in csv.DictReader(file)
        ]


def replaced(figures: Sequence[Figure], new: Sequence[Figure]) -> list[Figure]:
    """Figures with those in place that were simulated again."""
    again = {(each.part, each.setting, each.metric): each for each in new}
    return [again.get((each.part, each.setting, each.metric), each) for each in figures]


def page(figures: Sequence[Figure]) -> str:
    """The page of these figures."""
    grid, beyond = ([figure for figure in figures if figure.part == part] for part in ("grid", "beyond"))
    return PAGE.format(
        data_sets=figures[0].data_sets,
        by_groups=_by_groups(grid),
        totals=_totals(grid),
        totals_beyond=_totals(beyond),
        by_metric=_by_metric(grid, beyond),
    )


def _table(titles: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, with an l or an r for the side of each column."""
    lines = [titles, ["---:" if side == "r" else "---" for side in sides], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _count(figures: Sequence[Figure], verdict: str) -> int:
    return sum(figure.verdict == verdict for figure in figures)


def _totals(figures: Sequence[Figure]) -> str:
    settings, given = len({figure.setting for figure in figures}), len(figures) - _count(figures, NONE)
    near, lower, higher = (_count(figures, verdict) for verdict in (NOMINAL, LOWER, HIGHER))
    return (
        f"{settings:,} settings make {len(figures):,} cells, {given:,} with an interval: {near:,} at 93–97 %, "
        f"{lower:,} lower, {higher:,} higher."
    )


def _grouped(figures: Sequence[Figure], key: Callable[[Figure], str]) -> dict[str, list[Figure]]:
    """Figures by key, keys in the order in which they first occur."""
    places = {name: place for place, name in enumerate(dict.fromkeys(map(key, figures)))}
    ordered = sorted(figures, key=lambda figure: places[key(figure)])
    return {name: list(part) for name, part in groupby(ordered, key)}


def _by_metric(grid: Sequence[Figure], beyond: Sequence[Figure]) -> str:
    titles = ["metric", "lower", "higher", "lowest", "lower beyond", "higher beyond", "lowest beyond"]
    of_grid = _grouped(grid, lambda figure: figure.metric)
    of_beyond = _grouped(beyond, lambda figure: figure.metric)
    rows = [[metric, *_off(of_grid.get(metric, [])), *_off(cells)] for metric, cells in of_beyond.items()]
    return _table(titles, "lrrrrrr", rows)


def _off(cells: Sequence[Figure]) -> tuple[str, str, str]:
    """How many cells are lower and higher, and the lowest; nothing if there are no cells."""
    return (f"{_count(cells, LOWER)}", f"{_count(cells, HIGHER)}", _lowest(cells)) if cells else ("", "", "")


def _lowest(cells: Sequence[Figure]) -> str:
    """The lowest of the lower figures; of equally low ones, the one that most data sets stand for."""
    lower = [figure for figure in cells if figure.verdict == LOWER]
    lowest = min(lower, key=lambda figure: (figure.covers, -figure.given), default=None)
    return lowest.shown if lowest else ""


def _by_groups(figures: Sequence[Figure]) -> str:
    first = [figure for figure in figures if figure.metric == FIRST_METRIC and figure.repeats == 1]
    rates = list(dict.fromkeys(figure.labels for figure in first))
    rows = []
    for groups, cells in _grouped(first, _by_design).items():
        rows.append([groups, *(_span([figure for figure in cells if figure.labels == labels]) for labels in rates)])
    return _table(["groups", *rates], "l" + "r" * len(rates), rows)


def _by_design(figure: Figure) -> str:
    return f"{figure.design}, {POWER_LAW}" if figure.sizes == POWER_LAW else figure.design


def _span(cells: Sequence[Figure]) -> str:
    """The lowest and highest figure, and after a slash the lowest share of data sets with an interval."""
    covers = [figure.covers for figure in cells if figure.verdict != NONE]
    if not covers:
        return NONE
    text = f"{min(covers)}" if min(covers) == max(covers) else f"{min(covers)}–{max(covers)}"
    if len(covers) < len(cells):
        return f"{text} / <5"
    given = min(figure.given for figure in cells)
    return text if given == 100 else f"{text} / {given}"
