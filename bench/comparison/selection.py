"""Which stored runs are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from bench.comparison.made import nothing_stored, runs_of
from bench.comparison.request import CompareRequest, Filter
from bench.discovery import model_names
from bench.errors import BenchError, UserError, nearest
from bench.results.asked import last_asked
from bench.results.protocol import (
    differences_but_seed,
    is_replaced,
    model_name,
    names_of,
    same_but_seed,
    same_table,
    search_name,
    what_differs,
)
from bench.results.record import RunRecord
from bench.results.store import RunFolder, StoredRun, stored_runs

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Selected:
    """Stored runs that compare.

    Parameters
    ----------
    runs : list of StoredRun
        Finished runs.
    notes : list of str
        What was left out, a sentence each.
    named : bool
        Whether the runs were named one by one, so that one which cannot be read is an error.
    further : list of lists of StoredRun
        For each run those of further seeds, over which its scores are averaged; empty for one seed.
    unfinished : list of RunRecord
        Runs that would compare if they were finished.
    """

    runs: list[StoredRun]
    notes: list[str]
    named: bool = False
    further: list[list[StoredRun]] = field(default_factory=list)
    unfinished: list[RunRecord] = field(default_factory=list)

    def names(self) -> list[str]:
        """A name for each run: its model's, with the search or the key where that is not enough."""
        models = [model_name(record) for _, record in self.runs]
        searches = [search_name(record) for _, record in self.runs]
        by_model, by_both = Counter(models), Counter(zip(models, searches, strict=True))
        names = []
        for (folder, _), model, search in zip(self.runs, models, searches, strict=True):
            if by_both[model, search] > 1:
                alike = [other.key for other, record in self.runs if model_name(record) == model]
                names.append(f"{model} #{folder.key[: _distinct(alike)]}")
            else:
                names.append(f"{model} ({search})" if by_model[model] > 1 and search else model)
        # The same key in two stores.
        return [
            f"{name} ({names[:place].count(name) + 1})" if names.count(name) > 1 else name
            for place, name in enumerate(names)
        ]


def select(request: CompareRequest) -> list[Selected]:
    """Choose what a request names: one selection a task, or one of the folders."""
    if request.folders:
        return [select_folders(request.folders)]
    return [select_runs(request.results, task, request.wanted) for task in request.tasks]


def select_each(request: CompareRequest, use: Callable[[str, Selected], T]) -> tuple[list[T], list[str]]:
    """Choose what a request names, task by task, and make something of each selection.

    Parameters
    ----------
    request : CompareRequest
        What was asked for.
    use : callable
        Makes something of a selection and its title.

    Returns
    -------
    (list, list of str)
        What was made, and which tasks were left out where all were asked for, a sentence each.

    Raises
    ------
    bench.errors.BenchError
        If nothing can be made, or not of what was named.
    """
    if not request.all_tasks:
        return [use(title, selected) for title, selected in zip(request.titles, select(request), strict=True)], []
    made, errors = list[T](), list[tuple[str, BenchError]]()
    for task in request.tasks:
        try:
            made.append(use(task, select_runs(request.results, task, request.wanted)))
        except BenchError as error:
            errors.append((task, error))
    if errors and not made:
        raise errors[0][1]
    return made, [f"{task} is left out: {error.message}" for task, error in errors]


def select_runs(results: Path, task: str, wanted: Filter) -> Selected:
    """Choose the finished runs of a task that compare.

    Where the store holds runs under several protocols, those of the run that `bench run` was asked for last are taken,
    of the runs that were asked for here, and what is left out is said.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    task : str
        The task's name.
    wanted : Filter
        What the runs must have.

    Raises
    ------
    bench.errors.UserError
        If nothing that was asked for is stored, or models that were asked for do not compare.
    """
    if wanted.seeds:
        return _select_seeds(results, task, wanted)
    selected = _select_seed(results, task, wanted)
    told = [f"{record.model.name} is left out: {_unfinished(record)}" for record in selected.unfinished]
    return replace(selected, notes=[*told, *selected.notes])


def _select_seed(results: Path, task: str, wanted: Filter) -> Selected:
    """Choose runs as `select_runs` does, without notes on those that are not finished."""
    found, unreadable = _read(runs_of(results, task))
    if unreadable and not found:
        raise unreadable[0][1]
    if not found:
        raise nothing_stored(results, task)
    fitting = [(folder, record) for folder, record in found if wanted.holds(record)]
    _check_named(results, task, wanted, [record for _, record in found])
    missing = sorted(set(wanted.models or ()).difference(*(names_of(record) for _, record in fitting)))
    if missing:
        for folder, error in unreadable:
            if folder.model == missing[0]:
                raise error
        known = set[str]().union(*(names_of(record) for _, record in found))
        if missing[0] in known:
            raise UserError(
                f"model={missing[0]}: no stored run of it for task '{task}' matches.",
                _protocols([(folder, record) for folder, record in found if missing[0] in names_of(record)]),
            )
        raise UserError(
            f"model={missing[0]}: no such run of task '{task}' is stored in {results}.",
            nearest(missing[0], known)
            + (f" Or run it first: bench run task={task} model={missing[0]}" if missing[0] in model_names() else ""),
        )
    if not fitting or _only_idle(wanted, fitting, found):
        raise UserError(f"{results}: no stored run of task '{task}' matches.", _protocols(found))
    finished = [(folder, record) for folder, record in fitting if folder.summarised]
    if not finished:
        raise UserError(f"{results}: no run of task '{task}' is finished.", f"Continue it: bench run task={task}")
    newest = _setting_the_protocol(finished, wanted)
    runs = _table(finished, newest)
    present = {record.model.name for _, record in runs}
    for _, record in finished:
        if wanted.models is not None and record.model.name not in present:
            apart = "; ".join(what_differs(newest, record))
            raise UserError(
                f"{newest.model.name} and {record.model.name} do not compare: {apart}.",
                f"Run both under one protocol: bench run task={task} model={','.join(wanted.models)}",
            )
    unfinished = [record for folder, record in fitting if not folder.summarised and same_table(record, newest)]
    notes = [
        f"a stored run of {folder.model} is left out: {what_is_wrong(folder, error)}"
        for folder, error in unreadable
        if wanted.models is None or folder.model in wanted.models
    ]
    others = [record for _, record in finished if not same_table(record, newest)]
    if others:
        notes.append(_left_out(newest, others))
    return Selected(runs, notes, named=wanted.models is not None, unfinished=unfinished)


def _left_out(newest: RunRecord, others: Sequence[RunRecord]) -> str:
    """Say how many runs do not compare with one, and why, the most frequent reason first."""
    reasons = Counter(", ".join(what_differs(newest, other)) for other in others).most_common()
    told = "; ".join(reason if len(reasons) == 1 else f"{n:,} with {reason}" for reason, n in reasons)
    kinds = {
        "of other data" if other.task.digest != newest.task.digest else "under another protocol" for other in others
    }
    n = "1 stored run is" if len(others) == 1 else f"{len(others)} stored runs are"
    return f"{n} left out, {' or '.join(sorted(kinds))} ({told})"


def _check_named(results: Path, task: str, wanted: Filter, stored: Sequence[RunRecord]) -> None:
    """Raise a UserError if a search or a validation is asked for that no stored run has."""
    searches = {name for record in stored if (name := search_name(record)) is not None}
    for key, value, known in (
        ("search", wanted.search, searches),
        ("validation", wanted.validation.get("name"), {record.validation.name for record in stored}),
    ):
        if value is not None and known and value not in known:
            raise UserError(
                f"{key}={value}: no run of task '{task}' with this {key} is stored in {results}.",
                nearest(str(value), known),
            )


def _only_idle(wanted: Filter, fitting: Sequence[StoredRun], found: Sequence[StoredRun]) -> bool:
    """Whether a search was asked for that other runs have, and only models without a search are left."""
    if wanted.search is None or any(search_name(record) is not None for _, record in fitting):
        return False
    models = wanted.models
    return any(record.model.search and (models is None or names_of(record) & {*models}) for _, record in found)


def _setting_the_protocol(finished: Sequence[StoredRun], wanted: Filter) -> RunRecord:
    """The latest run whose protocol is compared.

    A filter by search says nothing of models without one, which every command runs again, so these set no protocol
    where a run with that search can. Of named models, the latest run sets it that all of them compare with.
    """
    latest_first = sorted(finished, key=lambda run: (last_asked(run[0].path, run[1]), run[0].key), reverse=True)
    records = [record for _, record in latest_first]
    asked = [record for record in records if wanted.search is not None and search_name(record) == wanted.search]
    candidates = asked or records
    if wanted.models is not None:
        for candidate in candidates:
            alike = [names_of(record) for record in records if same_table(record, candidate)]
            if set(wanted.models) <= set[str]().union(*alike):
                return candidate
    return candidates[0]


def _select_seeds(results: Path, task: str, wanted: Filter) -> Selected:
    """Choose the models that have a finished run with each of several seeds, under one protocol apart from these."""
    by_seed = [_select_seed(results, task, replace(wanted, seeds=(), seed=seed)) for seed in wanted.seeds]
    first = by_seed[0].runs[0][1]
    for seed, selected in zip(wanted.seeds, by_seed, strict=True):
        if apart := differences_but_seed(first, selected.runs[0][1]):
            raise UserError(
                f"{task}: the runs with seeds {wanted.seeds[0]} and {seed} do not compare: {'; '.join(apart)}.",
                f"Run all seeds under one protocol: bench run task={task} seed={','.join(map(str, wanted.seeds))}",
            )
    runs, further, notes = [], [], [note for selected in by_seed for note in selected.notes]
    for record in _different(
        [record for selected in by_seed for record in (*_records(selected), *selected.unfinished)]
    ):
        alike = [[run for run in selected.runs if same_but_seed(run[1], record)] for selected in by_seed]
        if all(alike):
            runs += alike[0]
            further += [[found[0] for found in alike[1:]]] * len(alike[0])
        else:
            notes.append(f"{model_name(record)} is left out: {_lacks(record, wanted.seeds, by_seed)}")
    if not runs:
        raise UserError(
            f"No model of task '{task}' has a finished run with each of the seeds {', '.join(map(str, wanted.seeds))}.",
            f"bench run task={task} seed={','.join(map(str, wanted.seeds))}",
        )
    return Selected(runs, list(dict.fromkeys(notes)), named=wanted.models is not None, further=further)


def _records(selected: Selected) -> list[RunRecord]:
    return [record for _, record in selected.runs]


def _different(records: Sequence[RunRecord]) -> list[RunRecord]:
    """The first record of each model, in their order."""
    found: list[RunRecord] = []
    for record in records:
        if not any(same_but_seed(record, other) for other in found):
            found.append(record)
    return found


def _lacks(record: RunRecord, seeds: Sequence[int], by_seed: Sequence[Selected]) -> str:
    """Say with which seeds a model has no finished run, and what is the matter."""
    told, missing = list[str](), list[str]()
    for seed, selected in zip(seeds, by_seed, strict=True):
        if any(same_but_seed(each, record) for each in _records(selected)):
            continue
        begun = next((each for each in selected.unfinished if same_but_seed(each, record)), None)
        if begun is None:
            missing.append(str(seed))
        else:
            told.append(_unfinished(begun, f" with seed {seed}"))
    none = [f"it has no run with seed{'s' * (len(missing) > 1)} {', '.join(missing)}"] if missing else []
    return "; ".join([*none, *told])


def select_table(results: Path, record: RunRecord, model: str | None = None) -> Selected:
    """Take the finished runs that are in one leaderboard with a given run.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : RunRecord
        The run.
    model : str, optional
        The one model whose runs are wanted; those of others are not read.
    """
    found, _ = _read([run for run in stored_runs(results, record.task.name) if model in (None, run.model)])
    return Selected(_table([(folder, other) for folder, other in found if folder.summarised], record), [])


def _table(finished: Sequence[StoredRun], record: RunRecord) -> list[StoredRun]:
    """The runs that are in one table with a given one, each on the last version of the task only."""
    alike = [(folder, other) for folder, other in finished if same_table(other, record)]
    records = [other for _, other in alike]
    return [(folder, other) for folder, other in alike if not is_replaced(other, records)]


def select_folders(paths: Sequence[Path]) -> Selected:
    """Take the runs in given folders.

    Raises
    ------
    bench.errors.UserError
        If a folder holds no finished run or is named twice, or two runs do not compare; the message names the
        parts that differ.
    """
    runs = list[StoredRun]()
    for path in paths:
        folder = RunFolder(path.resolve())
        if any(folder.path == other.path for other, _ in runs):
            raise UserError(f"{path}: named twice.", "Name each run folder once.")
        if not (path / "run.json").is_file():
            raise UserError(f"{path}: no run is stored there.", "A run's folder is results/TASK/MODEL/KEY.")
        if not folder.summarised:
            record = folder.read_record()
            if (folder.path / "summary.json").exists():
                folder.read_summary()
            raise UserError(f"{path}: {_unfinished(record)}.", f"Type: {record.command}")
        runs.append((folder, folder.read_record()))
    first = runs[0][1]
    for path, (_, record) in zip(paths[1:], runs[1:], strict=True):
        if not same_table(first, record):
            raise UserError(
                f"{paths[0]} and {path} do not compare: {'; '.join(what_differs(first, record))}.",
                "Name folders of runs that were made under the same protocol.",
            )
    return Selected(runs, [], named=True)


def _read(
    stored: Sequence[RunFolder],
) -> tuple[list[StoredRun], list[tuple[RunFolder, UserError]]]:
    """The runs that can be read, with their records, and those that cannot, with what is wrong."""
    found = list[StoredRun]()
    unreadable = list[tuple[RunFolder, UserError]]()
    for folder in stored:
        try:
            found.append((folder, folder.read_record()))
        except UserError as error:
            unreadable.append((folder, error))
    return found, unreadable


def what_is_wrong(folder: RunFolder, error: BenchError) -> str:
    """What is wrong with a run, without the folder that the note need not repeat."""
    return error.message.removeprefix(f"{folder.path}").removeprefix("/").removeprefix(": ").removesuffix(".")


def _unfinished(record: RunRecord, which: str = "") -> str:
    if record.status == "complete":
        return f"its summary{which} is missing or damaged; rerun its command to make it again"
    return f"its run{which} is not finished ({record.status}); rerun its command to continue it"


def _distinct(keys: Sequence[str]) -> int:
    """How many digits make keys differ, at least four."""
    return next((n for n in range(4, 12) if len({key[:n] for key in keys}) == len(set(keys))), 12)


def _protocols(found: list[StoredRun]) -> str:
    def values(key: str) -> str:
        return ", ".join(sorted({str(getattr(record.validation, key)) for _, record in found}))

    seeds = sorted({record.seed for _, record in found})
    searches = sorted({record.search.name for _, record in found})
    groups = sorted({record.task.group for _, record in found})
    validation = [f"{key} {values(key)}" for key in ("folds", "inner_folds", "repeats")]
    return (
        f"The stored runs have seed {', '.join(map(str, seeds))}; search {', '.join(searches)}; "
        f"groups by {', '.join(groups)}; validation {values('name')}; {'; '.join(validation)}."
    )
