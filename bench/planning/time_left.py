"""Estimate the remaining time of a run from its models' finished cells."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from bench.engines.gpus import gpus
from bench.results.cell import FINAL

if TYPE_CHECKING:
    from bench.planning.planned import PlannedRun
    from bench.results.cell import Fold

Kind = tuple[str, str]
"""A task and a model, whose cells take equal time for each row."""


class TimeLeft:
    """The time that cells still need.

    Each model on each task is assumed to need the median time of its finished cells for each training row. While a
    remaining cell belongs to a model without a finished cell, there is no estimate: a guess from other models could be
    wrong by any factor.

    Parameters
    ----------
    cells : iterable of (PlannedRun, fold)
        What is to be run.
    workers : int
        Processes that run them.
    """

    def __init__(self, cells: Iterable[tuple[PlannedRun, Fold]], workers: int) -> None:
        self._workers = workers
        self._rows: dict[Kind, list[int]] = defaultdict(list)
        self._rates: dict[Kind, list[float]] = defaultdict(list)
        self._on_gpu: set[Kind] = set()
        self._at_once: dict[Kind, int] = {}
        for run, fold in cells:
            self._rows[kind_of(run)].append(_rows(run, fold))
            self._at_once[kind_of(run)] = min(workers, run.evaluation.fits_at_once)
            if run.record.environment.on_gpu:
                self._on_gpu.add(kind_of(run))

    def finished(self, run: PlannedRun, fold: Fold, seconds: float) -> None:
        """Count a cell; a killed cell has no time and counts as 0 seconds."""
        rows = _rows(run, fold)
        self._rows[kind_of(run)].remove(rows)
        if seconds > 0:
            self._rates[kind_of(run)].append(seconds / max(rows, 1))

    def seconds(self) -> float | None:
        """The seconds from the last finished cell on; None if unknown."""
        left = {kind: rows for kind, rows in self._rows.items() if rows}
        if any(not self._rates[kind] for kind in left):
            return None
        rates = {kind: statistics.median(self._rates[kind]) for kind in left}
        needed = {kind: rates[kind] * sum(rows) for kind, rows in left.items()}
        # Cells on one GPU take turns, and a cell is run by no more processes than it has fits at once.
        in_turn = sum(seconds for kind, seconds in needed.items() if kind in self._on_gpu)
        longest = max((rates[kind] * max(rows) / self._at_once[kind] for kind, rows in left.items()), default=0.0)
        return max(sum(needed.values()) / self._workers, in_turn / max(len(gpus()), 1), longest)


def kind_of(run: PlannedRun) -> Kind:
    """The task and the model of a run."""
    return run.evaluation.task.name, run.evaluation.model.name


def in_good_order(cells: Iterable[tuple[PlannedRun, Fold]]) -> list[tuple[PlannedRun, Fold]]:
    """Put one scored cell of each model on each task first, and keep the rest in order.

    So each model soon shows its time, its score on the same fold as the others, and whether it fails.
    """
    given = list(cells)
    first: dict[Kind, int] = {}
    for number, (run, fold) in enumerate(given):
        known = first.setdefault(kind_of(run), number)
        if given[known][1] == FINAL and fold != FINAL:
            first[kind_of(run)] = number
    early = set(first.values())
    return [given[number] for number in first.values()] + [
        cell for number, cell in enumerate(given) if number not in early
    ]


def _rows(run: PlannedRun, fold: Fold) -> int:
    evaluation = run.evaluation
    return len(evaluation.final_rows if fold == FINAL else evaluation.splits[fold].train)
