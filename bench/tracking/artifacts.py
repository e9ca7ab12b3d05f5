"""The files of a run that MLflow shows beside its figures."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from bench.metrics.confusion import column_names
from bench.reporting.shares import shares_csv
from bench.results.cell import CellResult
from bench.results.files import read_bytes
from bench.results.layout import RECORD, SHARES, SUMMARY
from bench.results.shares import Estimates, read_shares, told_apart
from bench.results.store import RunFolder
from bench.results.summary import Summary
from bench.statistics.interval import Interval
from bench.support.json_writing import json_text
from bench.tracking.confusion import confusion_svg
from bench.tracking.names import CLASS_METRICS, ascii_name

PREDICTIONS = "predictions.json"
"""The table of out-of-fold predictions, in the form that MLflow's page opens as a table."""


def write_artifacts(
    target: Path, folder: RunFolder, summary: Summary | None, cells: Sequence[CellResult], title: str
) -> None:
    """Write a run's artifacts into a folder.

    Parameters
    ----------
    target : pathlib.Path
        An empty folder.
    folder : RunFolder
        The stored run.
    summary : Summary or None
        Its summary, None while there is none.
    cells : sequence of CellResult
        Its stored cells, the final one too.
    title : str
        What stands above the confusion matrix.
    """
    (target / RECORD).write_bytes(read_bytes(folder.path / RECORD))
    frames = [cell.predictions.assign(fold=cell.fold) for cell in cells if cell.predictions is not None]
    if frames:
        table = pd.concat(frames, ignore_index=True)
        content = {"columns": list(table.columns), "data": list(table.itertuples(index=False, name=None))}
        (target / PREDICTIONS).write_text(json_text(content), encoding="utf-8")
    _write_shares(target / SHARES, read_shares(folder))
    if any(cell.trials for cell in cells):
        _write_search(target / "search.csv", cells)
    if summary is None:
        return
    (target / SUMMARY).write_bytes(read_bytes(folder.path / SUMMARY))
    labels, confusion = summary.labels, summary.confusion
    (target / "confusion.svg").write_text(confusion_svg(confusion, labels, title), encoding="utf-8")
    _write_csv(
        target / "confusion.csv",
        ["true", *column_names(labels, len(confusion[0]))],
        ([label, *row] for label, row in zip(labels, confusion, strict=True)),
    )
    _write_csv(
        target / "per_class.csv",
        ["label", *CLASS_METRICS, "support", "f1_low", "f1_high"],
        (
            [
                label,
                *(values[name] for name in (*CLASS_METRICS, "support")),
                *_ends(summary.class_intervals[label].get("f1")),
            ]
            for label, values in summary.per_class.items()
        ),
    )


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def _write_shares(target: Path, found: Sequence[Estimates]) -> None:
    """All shares of the archives and of their parts, and the differences: a table for each archive and column."""
    for each, title in zip(found, told_apart(found, [each.title for each in found]), strict=True):
        target.mkdir(exist_ok=True)
        (target / f"{ascii_name(title)}.csv").write_text(shares_csv(each), encoding="utf-8")


def _write_search(path: Path, cells: Iterable[CellResult]) -> None:
    trials = [(cell.fold, trial) for cell in cells for trial in cell.trials]
    names = list(dict.fromkeys(name for _, trial in trials for name in trial.params))
    _write_csv(
        path,
        ["fold", "trial", "score", *names, "error", "stopped"],
        (
            [fold, trial.number, trial.score, *(trial.params.get(name) for name in names), trial.error, trial.stopped]
            for fold, trial in trials
        ),
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
