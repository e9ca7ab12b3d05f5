"""The figures of `interval_coverage` as a table in CSV, and the page that sums them up."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import TextIO

PAGE = """# How often intervals cover

Look up how far the 95 % [intervals](statistics.md) can be trusted on data like yours. A *cell* is a metric in a
simulated setting; its figure is the share of intervals, in %, that hold the population's score, over {data_sets:,}
data sets. [coverage.csv](coverage.csv) has every figure; this page is made from it. Figures are made again by

```sh
python tests/benchmarks/interval_coverage.py --repeats {data_sets} --groups 5 20 --rates 98/2
```

- **lower** (too narrow) or **higher** (too wide): below 93 or above 97 % by more than chance explains (two standard
  errors). Other cells with an interval count as **93–97 %**. **none**: fewer than 5 % of the data sets got an interval.
- **groups**: their number times the mean number of examples. In `x 1` each example is its own group, as in a published
  split without groups; with `3 repeats` each is predicted three times, as in a repeated cross-validation.
- **sizes**: equal, or by a power law (the largest group often has a fifth of the examples, in some data sets half).
- **differ**: how much groups differ in their labels' rates and in difficulty: none, moderate or strong.
- **labels**: their rates; `nine` is nine labels of 30 to 2 %. *rarest* is a figure of the rarest label.

## By metric

{totals}

Numbers are cells. *lowest* is the lowest of the lower ones, in %, and after a slash the share of data sets with an
interval, if not all had one.

{by_metric}

## Macro-F1 by groups and labels

The lowest and highest figure over the degrees to which groups differ. After a slash is the lowest share of data sets
with an interval, in %, if not all had one; `<5` if a degree has none.

{by_groups}

{without}

## Beyond the grid

Settings in which an interval is likely to fail. In `large harder`, examples of large groups are also harder, by the
fourth root of the group's size. `easy` labels are nearly all predicted right; `easy twenty` is twenty equally frequent
ones. `too sure` doubles logits, so that the model is overconfident. `calibration` is the calibration error.

{totals_beyond}

{by_metric_beyond}
"""

NOMINAL, LOWER, HIGHER, NONE = "93-97", "lower", "higher", "none"
"""What a cell's figure is, as the CSV has it."""

FIRST_METRIC = "macro_f1"


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
        return f"{self.groups:,} x {self.examples}" + (f", {self.repeats} repeats" if self.repeats > 1 else "")

    @property
    def shown(self) -> str:
        """The figure, with the share of data sets after a slash if not all got an interval."""
        return f"{self.covers}" if self.given == 100 else f"{self.covers} / {self.given}"

    @property
    def setting(self) -> str:
        """The setting in words."""
        return ", ".join(filter(None, (self.design, self.sizes, self.differ, self.labels)))


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
        totals=_totals(grid),
        by_metric=_by_metric(grid),
        by_groups=_by_groups(grid),
        without=_without(grid),
        totals_beyond=_totals(beyond),
        by_metric_beyond=_by_metric(beyond),
    )


def _table(titles: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, with an l or an r for the side of each column."""
    lines = [titles, ["---:" if side == "r" else "---" for side in sides], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _count(figures: Sequence[Figure], verdict: str) -> int:
    return sum(figure.verdict == verdict for figure in figures)


def _totals(figures: Sequence[Figure]) -> str:
    settings, given = len(_grouped(figures, lambda figure: figure.setting)), len(figures) - _count(figures, NONE)
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


def _by_metric(figures: Sequence[Figure]) -> str:
    rows = []
    for metric, cells in _grouped(figures, lambda figure: figure.metric).items():
        counts = [f"{_count(cells, verdict)}" for verdict in (NOMINAL, LOWER, HIGHER, NONE)]
        lower = [figure for figure in cells if figure.verdict == LOWER]
        # Of equally low cells, the one that most data sets stand for.
        lowest = min(lower, key=lambda figure: (figure.covers, -figure.given), default=None)
        rows.append([metric, *counts, *((lowest.shown, lowest.setting) if lowest else ("", ""))])
    return _table(["metric", "93–97 %", "lower", "higher", "none", "lowest", "its setting"], "lrrrrrl", rows)


def _by_groups(figures: Sequence[Figure]) -> str:
    first = [figure for figure in figures if figure.metric == FIRST_METRIC]
    rates = list(dict.fromkeys(figure.labels for figure in first))
    rows = []
    for cells in _grouped(first, lambda figure: f"{figure.design}, {figure.sizes}").values():
        by_rates = [[figure for figure in cells if figure.labels == labels] for labels in rates]
        rows.append([cells[0].design, cells[0].sizes, *map(_span, by_rates)])
    return _table(["groups", "sizes", *rates], "ll" + "r" * len(rates), rows)


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


def _without(figures: Sequence[Figure]) -> str:
    """A sentence on the groups with which no metric has an interval, and on those with which only accuracy has one."""
    by_groups = _grouped(figures, lambda figure: ", ".join(filter(None, (figure.design, figure.sizes))))
    have = {
        name: {figure.metric for figure in cells if figure.verdict != NONE and not figure.metric.startswith("rarest")}
        for name, cells in by_groups.items()
    }
    none = [f"`{name}`" for name, metrics in have.items() if not metrics]
    accuracy = [f"`{name}`" for name, metrics in have.items() if metrics == {"accuracy"}]
    sentences = [f"No metric gets an interval in {' and '.join(none)}."] if none else []
    if accuracy:
        sentences.append(f"Apart from single labels, only accuracy gets one in {' and '.join(accuracy)}.")
    return " ".join(sentences)
