"""The stored runs with what tells them apart, and which of them a newer one replaces."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.archive.manifest import IMPORTED
from bench.catalogue import load_task
from bench.errors import UserError, nearest
from bench.overrides import TRAIN_ON
from bench.planning.split_task import as_in_record
from bench.results.curves import CurveRecord, read_curve
from bench.results.files import is_stored
from bench.results.layout import SUMMARY, begun_curve_folders
from bench.results.protocol import model_name, names_of, search_name, settings
from bench.results.record import RunRecord, RunStatus
from bench.results.store import RunFolder, stored_runs

if TYPE_CHECKING:
    from bench.data.task import Task

Status = RunStatus | Literal["incomplete", "unreadable"]

TYPED = ("task.", "model.", f"{TRAIN_ON}.")
"""How typed words begin that change a definition for one command."""


@dataclass(frozen=True, kw_only=True)
class StoredRun:
    """A stored run, or a learning curve, in a list.

    Parameters
    ----------
    task, model : str
        Their names; the model's as in tables, with another task that it was trained on.
    search : str or None
        The name of the search; None where the model has nothing to search.
    seed : int or None
        The seed; None where the run cannot be read.
    started : str
        When its cells began to run, as ISO 8601 writes it; empty where that is not known.
    status : {"running", "complete", "failed", "interrupted", "incomplete", "unreadable"}
        How it stands; ``incomplete`` is a run that was complete and of which a part is no longer there.
    metric : str
        The task's metric; empty where the run cannot be read.
    score : float or None
        The metric of the pooled predictions; None where there is no summary.
    bytes : int
        What its files take.
    key : str
        Its key.
    superseded_by : str or None
        The key of the newer run that replaces it; see `list_runs`.
    problem : str
        Why it cannot be read, or what is no longer there.
    curve : bool
        Whether it is a learning curve, which has many scores and is not replaced by another.
    imported : bool
        Whether `bench import results` stored it.
    path : str
        Its folder.
    """

    task: str
    model: str
    search: str | None = None
    seed: int | None = None
    started: str = ""
    status: Status
    metric: str = ""
    score: float | None = None
    bytes: int
    key: str
    superseded_by: str | None = None
    problem: str = ""
    curve: bool = False
    imported: bool = False
    path: str

    @property
    def folder(self) -> RunFolder:
        """Its folder in the store."""
        return RunFolder(Path(self.path))

    @property
    def failed(self) -> bool:
        """Whether a fold of it failed."""
        return self.status == "failed"


@dataclass(frozen=True)
class RunFilter:
    """Which stored runs are meant; what is empty or None leaves it open.

    Parameters
    ----------
    tasks, models : tuple of str
        Names.
    seed : int or None
        The seed.
    search : str or None
        The name of the search.
    keys : tuple of str
        Keys, or how they begin; each must be that of one run.
    failed, superseded : bool
        Whether only runs are meant that failed, or that a newer one replaces; with both, runs that are either.
    """

    tasks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    seed: int | None = None
    search: str | None = None
    keys: tuple[str, ...] = ()
    failed: bool = False
    superseded: bool = False

    @property
    def named(self) -> dict[str, tuple[str, ...]]:
        """What is named, by the key that names it."""
        return {
            "task": self.tasks,
            "model": self.models,
            "seed": () if self.seed is None else (str(self.seed),),
            "search": () if self.search is None else (self.search,),
        }

    @property
    def words(self) -> list[str]:
        """What is named, as it is typed."""
        return [*self.keys, *(f"{key}={','.join(names)}" for key, names in self.named.items() if names)]

    @property
    def names_something(self) -> bool:
        """Whether it leaves anything out."""
        return self != EVERY


EVERY = RunFilter()
"""Leaves nothing out."""


@dataclass(frozen=True)
class _Read:
    """A run of the store with its record, None where that cannot be read."""

    run: StoredRun
    record: RunRecord | None = field(repr=False)


def list_runs(results: Path, wanted: RunFilter = EVERY) -> list[StoredRun]:
    """List the stored runs, and learning curves, in the order of their tasks, models and starts.

    A complete run replaces an older one of the same task and model where the same was asked for: the same search, seed
    and validation, and the same words that change a definition (``model.params.…=``). The task's data, the model's
    definition or its code has changed in between. A run of which a file is missing or damaged replaces none, an
    imported run replaces imported ones alone, and a run of the data that the task has now is not replaced by one of
    other data. Runs that differ in what was asked for stand beside each other.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    wanted : RunFilter
        Which are meant.

    Raises
    ------
    bench.errors.UserError
        If a name, a seed or a key is that of no stored run, a key that of several, or no run has all that is named.
        That no run failed or was replaced is not an error.
    """
    everything = [_read(folder) for folder in stored_runs(results)]
    everything += [_read_curve(RunFolder(path)) for path in begun_curve_folders(results)]
    return _choose(results, everything, wanted)


def _choose(results: Path, everything: Sequence[_Read], wanted: RunFilter) -> list[StoredRun]:
    read = [(each.run, None if each.record is None else names_of(each.record)) for each in everything]
    check_names(
        f"is stored in {results}",
        wanted,
        {
            "task": {run.task for run, _ in read},
            "model": {name for run, names in read for name in names or {run.model}},
            "seed": {str(run.seed) for run, _ in read if run.seed is not None},
            "search": {run.search for run, _ in read if run.search is not None},
        },
    )
    marked = _marked(everything)
    keys = [_with_key(results, marked, key) for key in wanted.keys]
    named = [each.run for each in marked if _holds(each, wanted) and (not wanted.keys or each.run.path in keys)]
    if wanted.words and not named:
        raise UserError(
            f"{' '.join(wanted.words)}: no run that has all of it is stored in {results}.",
            "`bench runs` lists the runs.",
        )
    chosen = [run for run in named if _in_state(run, wanted)]
    return sorted(chosen, key=lambda run: (run.task, run.curve, run.model, run.started, run.key))


def _marked(everything: Sequence[_Read]) -> list[_Read]:
    alike: dict[tuple[object, ...], list[_Read]] = {}
    for each in everything:
        if each.record is not None and not each.run.curve:
            alike.setdefault(_asked_for(each.record), []).append(each)
    by: dict[str, str] = {}
    here = cache(_task_here)
    for group in alike.values():
        group.sort(key=_age, reverse=True)
        # A run that stands alone replaces nothing, so its files need not be read.
        whole = [each for each in group if _is_whole(each)] if len(group) > 1 else []
        for place, each in enumerate(group):
            newer = (other for other in whole if group.index(other) < place)
            latest = next((other for other in newer if each.run.imported or not other.run.imported), None)
            if latest is not None and not _is_of_present_data(each, latest, here):
                by[each.run.path] = latest.run.key
    return [_Read(replace(each.run, superseded_by=by.get(each.run.path)), each.record) for each in everything]


def _is_whole(each: _Read) -> bool:
    """Whether a run is complete, and every file of its folds is as it was written."""
    if each.record is None or each.run.status != "complete" or each.run.score is None:
        return False
    folder = each.run.folder
    folds = folder.folds()
    return len(folds) == each.record.folds and all(folder.is_done(fold) for fold in folds)


def _task_here(name: str) -> Task | None:
    try:
        return load_task(name)
    except UserError:
        return None


def _is_of_present_data(each: _Read, latest: _Read, here: Callable[[str], Task | None]) -> bool:
    """Whether a run, unlike a later one, has the data that the task has now, so that a command would use it."""
    if each.record is None or latest.record is None or each.record.task.digest == latest.record.task.digest:
        return False
    task = here(each.run.task)
    try:
        return task is not None and as_in_record(task, each.record).digest == each.record.task.digest
    except UserError:
        return False


def size_of(folder: Path) -> int:
    """The bytes of the files in a folder and below it; what links lead to is not counted."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(where) / name).lstat().st_size
            except OSError:
                continue
    return total


def _read(folder: RunFolder) -> _Read:
    try:
        record = folder.read_record()
    except UserError as error:
        return _unreadable(folder, folder.task, error)
    summary, lost = folder.summary, folder.lost(record)
    score = None if summary is None else summary.scores.get(record.task.metric)
    return _Read(replace(_described(folder, folder.task, record, lost), score=score), record)


def _read_curve(folder: RunFolder) -> _Read:
    task = folder.path.parents[2].name
    try:
        record = folder.read_record_as(CurveRecord)
    except UserError as error:
        read = _unreadable(folder, task, error)
        return _Read(replace(read.run, curve=True), None)
    return _Read(replace(_described(folder, task, record, lost_of_curve(folder, record)), curve=True), record)


def lost_of_curve(folder: RunFolder, record: CurveRecord) -> str:
    """What of a complete learning curve is no longer there, in a sentence; empty where that is nothing."""
    if record.status != "complete":
        return ""
    cells = [
        f"{part.name}/{RunFolder(folder.path / part.name).cell_path(fold).name}"
        for part in record.parts
        for fold in range(record.folds)
    ]
    gone = [cell for cell in cells if not is_stored(folder.path / cell / "predictions.csv")]
    try:
        read_curve(folder)
    except UserError:
        gone.append(SUMMARY)
    return f"{', '.join(gone)}: missing or damaged; the command that made the curve makes it again" if gone else ""


def _unreadable(folder: RunFolder, task: str, error: UserError) -> _Read:
    problem = error.message.removeprefix(f"{folder.path}").lstrip("/: ")
    return _Read(replace(_in(folder, task), problem=problem), None)


def _described(folder: RunFolder, task: str, record: RunRecord, lost: str) -> StoredRun:
    return replace(
        _in(folder, task),
        model=model_name(record),
        search=search_name(record),
        seed=record.seed,
        started=record.started,
        status="incomplete" if lost else record.status,
        problem=lost,
        metric=record.task.metric,
    )


def _in(folder: RunFolder, task: str) -> StoredRun:
    """What is known of a run before it is read."""
    return StoredRun(
        task=task,
        model=folder.model,
        status="unreadable",
        key=folder.key,
        bytes=0 if folder.path.is_symlink() else size_of(folder.path),
        imported=is_stored(folder.path / IMPORTED),
        path=str(folder.path),
    )


def _asked_for(record: RunRecord) -> tuple[object, ...]:
    """What a command asked for, as far as it tells runs apart that stand beside each other."""
    try:
        words = shlex.split(record.command)
    except ValueError:  # A quote without its end: only the very same command asked for the same.
        words = [record.command]
    typed = tuple(sorted(word for word in words if word.startswith(TYPED)))
    protocol = tuple(sorted((name, str(value)) for name, value in settings(record).items()))
    return record.task.name, model_name(record), search_name(record), protocol, typed


def _age(each: _Read) -> tuple[str, str]:
    return each.run.started, each.run.key


def _holds(each: _Read, wanted: RunFilter) -> bool:
    run = each.run
    names = {run.model} if each.record is None else names_of(each.record)
    return (
        (not wanted.tasks or run.task in wanted.tasks)
        and (not wanted.models or not names.isdisjoint(wanted.models))
        and wanted.seed in (None, run.seed)
        and wanted.search in (None, run.search)
    )


def _in_state(run: StoredRun, wanted: RunFilter) -> bool:
    if not (wanted.failed or wanted.superseded):
        return True
    return (wanted.failed and run.failed) or (wanted.superseded and run.superseded_by is not None)


def check_names(where: str, wanted: RunFilter, known: Mapping[str, Set[str]]) -> None:
    """Refuse what no run has, with the nearest that one has.

    Parameters
    ----------
    where : str
        Where no such run is, after "no such run".
    wanted : RunFilter
        Which runs are meant.
    known : mapping of str to set of str
        What the runs have, for each key that chooses them.

    Raises
    ------
    bench.errors.UserError
        If there is no such task, model, seed or search.
    """
    for key, names in wanted.named.items():
        for name in names:
            if name not in known[key]:
                raise UserError(f"{key}={name}: no such run {where}.", nearest(name, known[key]))


def _with_key(results: Path, everything: Sequence[_Read], key: str) -> str:
    """The folder of the one run whose key is so, or begins so."""
    found = [each.run for each in everything if each.run.key.startswith(key)]
    if len(found) == 1:
        return found[0].path
    if found:
        named = ", ".join(f"{run.key} ({run.task}, {run.model})" for run in found[:8])
        raise UserError(f"{key}: {len(found)} runs have a key that begins so: {named}.", "Type more of the key.")
    raise UserError(
        f"{key}: no run with this key is stored in {results}.", f"`bench runs results={results}` lists them."
    )
