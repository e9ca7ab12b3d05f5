"""What labels that were added to a task bought: stored runs of an earlier version against those of the present one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.comparison.compared import both_without_each, interval_around, mean_over_seeds, with_own_folds
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
from bench.results.store import RunFolder, StoredRun, stored_runs
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


def gains(results: Path, models: Sequence[Sequence[StoredRun]]) -> tuple[Gain, ...]:
    """Say what labels bought that ``bench add`` has added since an earlier version of a task.

    Each model is put beside its runs with the same settings, protocol and seeds on the latest earlier version that has
    some. On the examples that all of them have tested, both versions are scored with the labels that these have now,
    and their difference is tested as that of two models is (`bench.statistics.paired.group_difference`).

    Parameters
    ----------
    results : pathlib.Path
        The store.
    models : sequence of sequences of StoredRun
        The finished runs of each model of one table, one for each seed.

    Returns
    -------
    tuple of Gain
        In the order of the models; empty where no labels were added, or the data of a version are not here.
    """
    if not models or not (earlier := _versions_before(models[0][0][1])):
        return ()
    try:
        task = as_run(models[0][0][1])
    except UserError:  # it cannot be built now
        return ()
    if task is None:
        return ()
    stored = [(folder, record) for folder, record in _readable(results, task.name) if record.task.version in earlier]
    stored.sort(key=lambda run: (run[1].task.version, run[1].started), reverse=True)
    found = []
    for runs in models:
        if runs[0][1].model.name != BASELINE and (pairs := _pairs(stored, runs)):
            gain = _gain(pairs, task, several=len(runs) > 1)
            found += [] if gain is None else [gain]
    return tuple(found)


def _pairs(stored: Sequence[StoredRun], runs: Sequence[StoredRun]) -> list[tuple[StoredRun, StoredRun]]:
    """A model's runs, each after that of the same seed on the latest earlier version that has any."""
    alike = [(before, run) for before in stored for run in runs if _same_but_data(before[1], run[1])]
    latest = [pair for pair in alike if pair[0][1].task.version == alike[0][0][1].task.version]
    by_seed = {run[1].seed: (before, run) for before, run in reversed(latest)}
    return [by_seed[seed] for seed in sorted(by_seed)]


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


def _readable(results: Path, task: str) -> list[StoredRun]:
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


def _gain(pairs: Sequence[tuple[StoredRun, StoredRun]], task: Task, several: bool) -> Gain | None:
    """Score all runs on the examples that they share; None if their data or predictions are not here."""
    (before, known), (now, record) = pairs[0]
    try:
        earlier = _earlier_task(known, task)
        old, new = (_Version.read([pair[place] for pair in pairs]) for place in (0, 1))
    except BenchError:
        return None
    if earlier is None:
        return None
    metric, labels = metric_of(record.task), record.task.labels
    texts = dict(zip(earlier.ids.tolist(), earlier.keys.tolist(), strict=True))
    same = {name for name, key in zip(task.ids.tolist(), task.keys.tolist(), strict=True) if texts.get(name) == key}
    both = same & old.tested & new.tested
    had = old.frames[0].drop_duplicates("id").set_index("id")["label"]
    facts = new.frames[0].drop_duplicates("id").set_index("id").loc[sorted(both)]
    one, other = (version.outcomes(facts, labels) for version in (new, old))
    return Gain(
        model=model_name(record),
        key=now.key,
        key_before=before.key,
        metric=metric.name,
        before=old.score(metric),
        now=new.score(metric),
        n_both=len(both),
        n_changed=int((had[facts.index] != facts["label"]).sum()),
        both_before=_score(metric, other) if both else None,
        both_now=_score(metric, one) if both else None,
        difference=_difference(one, other, len(both), metric, old.n_trained) if both else None,
        seeds=tuple(run[1].seed for _, run in pairs) if several else (),
    )


def _score(metric: Metric, by_seed: Sequence[Outcomes]) -> float:
    """The mean score over seeds."""
    return float(np.mean([metric.score(outcomes) for outcomes in by_seed]))


@dataclass(frozen=True, eq=False)
class _Version:
    """A model's runs on one version of a task, one for each seed, with their summaries and predictions."""

    record: RunRecord
    summaries: list[Summary]
    frames: list[pd.DataFrame]

    @classmethod
    def read(cls, runs: Sequence[StoredRun]) -> _Version:
        summaries = [folder.read_summary() for folder, _ in runs]
        return cls(runs[0][1], summaries, [_predictions(folder) for folder, _ in runs])

    @property
    def tested(self) -> set[str]:
        """The examples that all runs have tested."""
        return set.intersection(*(set(frame["id"].tolist()) for frame in self.frames))

    def score(self, metric: Metric) -> VersionScore:
        """The mean score over seeds; its interval is that of all predictions, moved to the mean."""
        score = float(np.mean([summary.scores[metric.name] for summary in self.summaries]))
        interval = self.summaries[0].intervals.get(metric.name)
        if len(self.frames) > 1 and interval is not None:
            pooled = _outcomes(with_own_folds(self.frames), self.record.task.labels)
            found = interval_around(score, metric, pooled)
            interval = None if isinstance(found, Thin) else found
        task = self.record.task
        return VersionScore(task.version, task.n_examples, len(self.tested), score, interval)

    def outcomes(self, facts: pd.DataFrame, labels: tuple[str, ...]) -> list[Outcomes]:
        """The predictions of some examples with each seed, and with the labels, groups and values of these facts."""
        found = []
        for frame in self.frames:
            rows = frame[frame["id"].isin(facts.index)].sort_values("id", kind="stable")
            now = {name: rows["id"].map(facts[name]) for name in ("label", "group", "value") if name in facts}
            found.append(_outcomes(rows.assign(**now), labels))
        return found

    @property
    def n_trained(self) -> float:
        """How many examples train a fold's model, on average."""
        if sizes := split_sizes(self.record.task):
            return float(np.mean([size.train for size in sizes]))
        if self.record.periods:
            return float(np.mean([period.n_train for period in self.record.periods]))
        return float(self.record.task.n_examples - self.frames[0]["fold"].value_counts().mean())


def _outcomes(predictions: pd.DataFrame, labels: tuple[str, ...]) -> Outcomes:
    return Outcomes.of(predictions, labels, predictions["fold"].to_numpy(dtype=np.intp))


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


def _difference(
    new: Sequence[Outcomes], old: Sequence[Outcomes], n_scored: int, metric: Metric, n_trained: float
) -> Interval | None:
    """The interval of the new score minus the old one; the smaller training parts of the old run count."""
    first = new[0]
    if first.n_groups < FEWEST_GROUPS or isinstance(metric.interval(first), Thin):
        return None
    bootstrap = GroupBootstrap(first.n_groups, derive_seed(0, "gains"))
    fewest = float(np.bincount(first.true, minlength=first.n_labels).min()) * n_trained / len(first)
    found = group_difference(
        [_score(metric, each) for each in (new, old)],
        [mean_over_seeds(each, lambda outcomes: metric.drawn(outcomes, bootstrap)) for each in (new, old)],
        first.n_groups,
        training_factor(n_scored, n_trained, training_weight(fewest)),
        left_out=both_without_each(metric, new, old),
        bounds=metric.difference_bounds,
    )
    return found.interval
