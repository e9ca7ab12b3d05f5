"""What labels that were added to a task bought: stored runs of an earlier version against those of the present one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.comparison.compared import MOST_LEFT_OUT
from bench.comparison.task_now import as_run
from bench.data.definition import build_task, read_definition
from bench.data.votes import KEPT, history
from bench.discovery import task_files
from bench.errors import BenchError, UserError
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import metric_of
from bench.planning.split_task import as_in_record
from bench.results.extent import split_sizes
from bench.results.gains import Gain, VersionScore
from bench.results.protocol import model_name, same_but_seed, settings
from bench.results.record import RunRecord
from bench.results.store import RunFolder, stored_runs
from bench.results.summary import Summary
from bench.statistics.bootstrap import GroupBootstrap
from bench.statistics.interval import Interval, Thin
from bench.statistics.paired import FEWEST_GROUPS, group_difference
from bench.statistics.training import training_factor, training_weight
from bench.support.seeding import derive_seed

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.metrics.metric import Metric

BASELINE = "majority"
"""The model that no labels help."""


def gains(results: Path, runs: Sequence[tuple[RunFolder, RunRecord]]) -> tuple[Gain, ...]:
    """Say what labels bought that ``bench add`` has added since an earlier version of a task.

    Each run is put beside that of the same model, settings and protocol on the latest earlier version that has one. On
    the examples that both have tested, both are scored with the labels that these have now, and their difference is
    tested as that of two models is (`bench.statistics.paired.group_difference`).

    Parameters
    ----------
    results : pathlib.Path
        The store.
    runs : sequence of (RunFolder, RunRecord)
        Finished runs of one table.

    Returns
    -------
    tuple of Gain
        In the order of the runs; empty where no labels were added, or the data of a version are not here.
    """
    if not runs or not (earlier := _versions_before(runs[0][1])):
        return ()
    try:
        task = as_run(runs[0][1])
    except UserError:  # it cannot be built now
        return ()
    if task is None:
        return ()
    stored = [(folder, record) for folder, record in _readable(results, task.name) if record.task.version in earlier]
    stored.sort(key=lambda run: (run[1].task.version, run[1].started), reverse=True)
    found = []
    for folder, record in runs:
        if record.model.name == BASELINE:
            continue
        for before, known in stored:
            if _same_but_data(known, record):
                gain = _gain((before, known), (folder, record), task)
                found += [] if gain is None else [gain]
                break
    return tuple(found)


def _versions_before(record: RunRecord) -> set[int]:
    """The versions from which labels were added step by step until the one that a run is about."""
    path = task_files().get(record.task.name)
    found = set[int]()
    version = record.task.version
    added = set[int]() if path is None else history(path)
    while version in added:
        version -= 1
        found.add(version)
    return found


def _readable(results: Path, task: str) -> list[tuple[RunFolder, RunRecord]]:
    found = []
    for folder in stored_runs(results, task):
        try:
            record = folder.read_record()
        except UserError:
            continue
        if folder.summarised:
            found.append((folder, record))
    return found


def _same_but_data(one: RunRecord, other: RunRecord) -> bool:
    """Whether two runs differ in the version of the task alone."""
    ours, theirs = one.task, other.task
    return (
        one.format == other.format
        and same_but_seed(one, other)
        and settings(one) == settings(other)
        and (ours.labels, ours.metric, ours.averaged_over, ours.group, ours.inputs)
        == (theirs.labels, theirs.metric, theirs.averaged_over, theirs.group, theirs.inputs)
        and ours.splits.keys() == theirs.splits.keys()
    )


def _gain(before: tuple[RunFolder, RunRecord], now: tuple[RunFolder, RunRecord], task: Task) -> Gain | None:
    """Score both runs on the examples that they share; None if their data or predictions are not here."""
    try:
        earlier = _earlier_task(before[1], task)
        old, new = (_predictions(folder) for folder, _ in (before, now))
        first, second = (folder.read_summary() for folder, _ in (before, now))
    except BenchError:
        return None
    if earlier is None:
        return None
    metric, labels = metric_of(now[1].task), now[1].task.labels
    texts = dict(zip(earlier.ids.tolist(), earlier.keys.tolist(), strict=True))
    same = {name for name, key in zip(task.ids.tolist(), task.keys.tolist(), strict=True) if texts.get(name) == key}
    tested = [set(frame["id"].tolist()) for frame in (old, new)]
    both = same & tested[0] & tested[1]
    trained = _trained(before[1], old)
    had = old.drop_duplicates("id").set_index("id")["label"]
    old, new = (frame[frame["id"].isin(both)].sort_values("id", kind="stable") for frame in (old, new))
    facts = new.drop_duplicates("id").set_index("id")
    old = old.assign(**{name: old["id"].map(facts[name]) for name in ("label", "group", "value") if name in facts})
    difference = _difference(old, new, labels, metric, trained) if both else None
    return Gain(
        model=model_name(now[1]),
        key=now[0].key,
        key_before=before[0].key,
        metric=metric.name,
        before=_scores(before[1], first, metric, tested[0]),
        now=_scores(now[1], second, metric, tested[1]),
        n_both=len(both),
        n_changed=int((had[facts.index] != facts["label"]).sum()),
        both_before=metric.score(Outcomes.of(old, labels)) if both else None,
        both_now=metric.score(Outcomes.of(new, labels)) if both else None,
        difference=difference,
    )


def _scores(record: RunRecord, summary: Summary, metric: Metric, tested: set[str]) -> VersionScore:
    score, interval = summary.scores[metric.name], summary.intervals.get(metric.name)
    return VersionScore(record.task.version, record.task.n_examples, len(tested), score, interval)


def _earlier_task(record: RunRecord, task: Task) -> Task | None:
    """The task of an earlier run, from the file that ``bench add`` kept; None if its data are others now."""
    path = task.origin.with_name(KEPT.format(record.task.version))
    if not path.is_file():
        return None
    earlier = as_in_record(build_task(read_definition(path), path), record)
    return earlier if earlier.digest == record.task.digest else None


def _predictions(folder: RunFolder) -> pd.DataFrame:
    folds = folder.folds()
    return pd.concat([folder.read_predictions(fold).assign(fold=fold) for fold in folds], ignore_index=True)


def _trained(record: RunRecord, predictions: pd.DataFrame) -> float:
    """How many examples train a fold's model of a run, on average."""
    if sizes := split_sizes(record.task):
        return float(np.mean([size.train for size in sizes]))
    if record.periods:
        return float(np.mean([period.n_train for period in record.periods]))
    return float(record.task.n_examples - predictions["fold"].value_counts().mean())


def _difference(
    old: pd.DataFrame, new: pd.DataFrame, labels: tuple[str, ...], metric: Metric, n_trained: float
) -> Interval | None:
    """The interval of the new score minus the old one; the smaller training parts of the old run count."""
    one, other = Outcomes.of(new, labels), Outcomes.of(old, labels)
    if one.n_groups < FEWEST_GROUPS or isinstance(metric.interval(one), Thin):
        return None
    bootstrap = GroupBootstrap(one.n_groups, derive_seed(0, "gains"))
    left_out = [metric.without_each(each) for each in (one, other)] if one.n_groups <= MOST_LEFT_OUT else [None, None]
    known = [each for each in left_out if each is not None]
    n_scored = new["id"].nunique()
    fewest = float(np.bincount(one.true, minlength=len(labels)).min()) * n_trained / len(new)
    found = group_difference(
        [metric.score(one), metric.score(other)],
        [metric.drawn(one, bootstrap), metric.drawn(other, bootstrap)],
        one.n_groups,
        training_factor(n_scored, n_trained, training_weight(fewest)),
        left_out=known if len(known) == 2 else None,
        bounds=metric.difference_bounds,
    )
    return found.interval
