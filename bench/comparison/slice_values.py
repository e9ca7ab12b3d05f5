"""The values of a column, by which examples are sliced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bench.catalogue import is_here, load_further, load_task
from bench.comparison.compared import ComparedRuns
from bench.comparison.task_now import as_run
from bench.data.by import MOST, By, are_dates
from bench.data.dates import DayOrder
from bench.errors import UserError
from bench.metrics.outcomes import VALUE
from bench.statistics.paired import FEWEST_GROUPS
from bench.text.identity import canonical, name_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.sources import Further
    from bench.data.task import Task

    Codes = NDArray[np.intp]


LENGTH = "length"
"""The name of the slices by length, where a task has no column of that name."""

BANDS = 4
"""Bands of length, with about as many examples each."""

MANY = 40
"""From more slices than this on, one must be large enough to be judged."""

EMPTY = "(empty)"
"""How an empty value is named."""


def values_of(runs: ComparedRuns, by: str) -> tuple[list[str], Codes]:
    """The values of a column, or the periods of its dates, in their order, and which one each row has.

    Parameters
    ----------
    runs : ComparedRuns
        The runs.
    by : str
        A column of the task, `LENGTH`, or a column of dates with a period: ``published:month``.

    Raises
    ------
    bench.errors.UserError
        If there is no such column or period, or a value is not a date.
    """
    task = _task(runs, by)
    places = {str(name): place for place, name in enumerate(task.ids)}
    rows = np.array([places[str(name)] for name in runs.ids], dtype=np.intp)
    own = _own_columns(task)
    if by == LENGTH and by not in own:
        texts = zip(*(task.examples[name].astype(str).tolist() for name in task.inputs), strict=True)
        return _bands(np.array([len(" ".join(each).split()) for each in texts], dtype=np.intp)[rows])
    further = None if by in own or by.rpartition(":")[0] in own else load_further(task.name, by)
    chosen = By.parse(by, own if further is None else _offered(task, further))
    if chosen.column in own:
        kept = task.examples[chosen.column if chosen.column in task.examples else VALUE]
        values = [str(value) for value in kept.tolist()]
    elif chosen.column == LENGTH:
        raise UserError(f"--by {by}: a length has no {chosen.period}.", "Choose --by length, or a column of dates.")
    else:
        if further is None or chosen.period is not None:
            further = load_further(task.name, chosen.column)
        values = [further.values.get(name, "") for name in map(str, task.ids)]
    return _by_value(values if chosen.period is None else _periods(task, chosen, values), rows)


def _periods(task: Task, by: By, values: Sequence[str]) -> list[str]:
    """The period of each example's date."""
    order = DayOrder()
    places = [f"{task.origin}: example {name}" for name in task.ids]
    for value, place in zip(values, places, strict=True):
        order.add(value, place)
    by = replace(by, day_first=order.day_first)
    return [by.part_of(value, place) for value, place in zip(values, places, strict=True)]


def sliceable_columns(task: str) -> list[str]:
    """The columns that a task's scores can be sliced by.

    Raises
    ------
    bench.errors.UserError
        If the task is unknown, or its definition or data are invalid or not here.
    """
    return _offered(load_task(task), load_further(task, "")) if is_here(task) else []


def _own_columns(task: Task) -> list[str]:
    known = [name for name in task.examples.columns if name not in ("id", "label", *task.inputs, *task.splits)]
    # The column that a metric is averaged over may be kept as VALUE.
    return [task.averaged_over if task.averaged_over and name == VALUE else name for name in known]


def _offered(task: Task, further: Further) -> list[str]:
    """The columns of the examples, the bands of length, and the other columns of the source."""
    others = [name for name in further.names if name not in task.examples.columns]
    return list(dict.fromkeys([*_own_columns(task), LENGTH, *others]))


def _by_value(written: Sequence[str], rows: Codes) -> tuple[list[str], Codes]:
    """The values of examples in their order, and which one each of some rows has."""
    named = [value.strip() or EMPTY for value in written]
    of_row = np.array(canonical(named, name_key), dtype=object)[rows]
    names = sorted(set(of_row.tolist()), key=_order)
    code = {name: number for number, name in enumerate(names)}
    return names, np.array([code[name] for name in of_row], dtype=np.intp)


def check_number(runs: ComparedRuns, column: str, names: Sequence[str], values: Codes) -> None:
    """Raise a UserError if a column, such as one of ids, has so many values that its slices say nothing."""
    pairs = np.unique(np.stack([values, np.asarray(runs.groups, dtype=np.intp)]), axis=1)
    most = int(np.bincount(pairs[0]).max())
    if len(names) > MOST or (len(names) > MANY and most < FEWEST_GROUPS):
        least = f", and none in as many as {FEWEST_GROUPS} groups" if most < FEWEST_GROUPS else ""
        months = f"--by {column.removesuffix(':day')}:month"
        dated = not column.endswith(":month") and are_dates(name for name in names if name != EMPTY)
        raise UserError(
            f"--by {column}: the column has {len(names):,} different values in {len(values):,} examples{least}, so its "
            "slices are too many to compare.",
            f"Choose a column with fewer values, at most {MOST}"
            + (f", or a period of dates: {months}" if dated else ""),
        )


def _task(runs: ComparedRuns, column: str) -> Task:
    newest = max((run.record for run in runs.runs), key=lambda record: record.started)
    name = runs.task.name
    try:
        task = as_run(newest)
    except UserError as error:
        raise UserError(
            f"--by {column}: the columns of task '{name}' cannot be read: {error.message}", f"bench show task={name}"
        ) from error
    if task is None:
        raise UserError(
            f"--by {column}: the data of task '{name}' are not here, or have changed since the runs, and columns are "
            "read from them.",
            f"bench run task={name} reruns it with the data as they are now.",
        )
    return task


def _order(name: str) -> tuple[bool, float, str]:
    """Numbers by size before words."""
    try:
        number = float(name)
    except ValueError:
        number = math.nan
    return math.isnan(number), 0.0 if math.isnan(number) else number, name


def _bands(lengths: Codes) -> tuple[list[str], Codes]:
    """Bands of lengths in words that hold about as many examples each."""
    shares = np.arange(1, BANDS) / BANDS
    ends = np.unique(np.quantile(lengths, shares, method="inverted_cdf"))
    band = np.unique(np.searchsorted(ends, lengths), return_inverse=True)[1]
    names = []
    for code in range(int(band.max()) + 1):
        low, high = lengths[band == code].min(), lengths[band == code].max()
        names.append(f"{low} words" if low == high else f"{low}-{high} words")
    return names, band
