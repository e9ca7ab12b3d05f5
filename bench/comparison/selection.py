"""Which stored runs are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.comparison.request import Filter, Request
from bench.errors import UserError, nearest
from bench.results.protocol import differences, same_table, settings
from bench.results.store import RunFolder, stored_runs


@dataclass(frozen=True, eq=False)
class Selected:
    """Stored runs that compare.

    Parameters
    ----------
    runs : list of (RunFolder, dict)
        Finished runs with the contents of their ``run.json``.
    notes : list of str
        What was left out, a sentence each.
    """

    runs: list[tuple[RunFolder, dict[str, Any]]]
    notes: list[str]

    def names(self) -> list[str]:
        """A name for each run: its model's, with the search or the key where that is not enough."""
        models = [record["model"]["name"] for _, record in self.runs]
        searches = [record["search"]["name"] if record["model"]["search"] else None for _, record in self.runs]
        by_model, by_both = Counter(models), Counter(zip(models, searches, strict=True))
        names = []
        for (folder, _), model, search in zip(self.runs, models, searches, strict=True):
            if by_both[model, search] > 1:
                names.append(f"{model} #{folder.key[:4]}")
            else:
                names.append(f"{model} ({search})" if by_model[model] > 1 and search else model)
        return names


def select(request: Request) -> list[Selected]:
    """Choose what a request names: one selection a task, or one of the folders."""
    if request.folders:
        return [select_folders(request.folders)]
    return [select_runs(request.results, task, request.wanted) for task in request.tasks]


def select_runs(results: Path, task: str, wanted: Filter) -> Selected:
    """Choose the finished runs of a task that compare.

    Where the store holds runs under several protocols, those of the run that was started last are
    taken, and what is left out is said.

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
    stored = stored_runs(results, task)
    found = [(folder, folder.read_record()) for folder in stored if folder.status() is not None]
    if stored and not found:
        stored[0].read_record()
    if not found:
        tasks = sorted({path.parents[2].name for path in results.glob("*/*/*/run.json")})
        raise UserError(
            f"{results}: no run of task '{task}' is stored there.",
            f"{nearest(task, tasks)} Or run it first: bench run task={task}" if tasks else f"bench run task={task}",
        )
    fitting = [(folder, record) for folder, record in found if wanted.holds(record)]
    missing = sorted(set(wanted.models or ()) - {record["model"]["name"] for _, record in fitting})
    if missing:
        known = {record["model"]["name"] for _, record in found}
        raise UserError(
            f"model={missing[0]}: no such run of task '{task}' is stored in {results}.",
            f"{nearest(missing[0], known)} Or run it first: bench run task={task} model={missing[0]}",
        )
    if not fitting:
        raise UserError(f"{results}: no stored run of task '{task}' is like that.", _protocols(found))
    finished = [(folder, record) for folder, record in fitting if folder.summarised]
    if not finished:
        raise UserError(f"{results}: no run of task '{task}' is finished.", f"bench run task={task} goes on with it.")
    newest = max(finished, key=lambda run: (run[1]["started"], run[0].key))[1]
    runs = [(folder, record) for folder, record in finished if same_table(record, newest)]
    present = {record["model"]["name"] for _, record in runs}
    for _, record in finished:
        if wanted.models is not None and record["model"]["name"] not in present:
            raise UserError(
                f"{newest['model']['name']} and {record['model']['name']} do not compare: {_parts(newest, record)}.",
                f"Run both alike: bench run task={task} model={','.join(wanted.models)}",
            )
    notes = [
        f"{record['model']['name']} is left out: its run is not finished ({folder.status()})"
        for folder, record in fitting
        if not folder.summarised and same_table(record, newest)
    ]
    others = [record for _, record in finished if not same_table(record, newest)]
    if others:
        n = "1 stored run is" if len(others) == 1 else f"{len(others)} stored runs are"
        notes.append(f"{n} left out, under another protocol ({_parts(newest, others[0])})")
    return Selected(runs, notes)


def select_folders(paths: Sequence[Path]) -> Selected:
    """Take the runs in given folders.

    Raises
    ------
    bench.errors.UserError
        If a folder holds no finished run, or two runs do not compare; the message names the parts that differ.
    """
    runs = []
    for path in paths:
        folder = RunFolder(path.resolve())
        if not (path / "run.json").is_file():
            raise UserError(f"{path}: no run is stored there.", "A run's folder is results/TASK/MODEL/KEY.")
        if not folder.summarised:
            raise UserError(f"{path}: the run is not finished.", "The command that made it goes on with it.")
        runs.append((folder, folder.read_record()))
    for _, record in runs[1:]:
        parts = differences(runs[0][1], record)
        if parts:
            raise UserError(f"{paths[0]} and another run do not compare: {'; '.join(parts)}.")
    return Selected(runs, [])


def _parts(one: dict[str, Any], other: dict[str, Any]) -> str:
    ours, theirs = settings(one), settings(other)
    changed = [f"{key}: {ours[key]} and {theirs.get(key)}" for key in ours if ours[key] != theirs.get(key)]
    return "; ".join([*differences(one, other), *changed])


def _protocols(found: list[tuple[RunFolder, dict[str, Any]]]) -> str:
    seeds = sorted({record["seed"] for _, record in found})
    searches = sorted({record["search"]["name"] for _, record in found})
    groups = sorted({record["task"]["group"] for _, record in found})
    return (
        f"Stored are runs with seed {', '.join(map(str, seeds))}; search {', '.join(searches)}; "
        f"groups by {', '.join(groups)}."
    )
