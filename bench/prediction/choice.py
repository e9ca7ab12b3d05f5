"""Which stored run labels new text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.comparison.request import Filter
from bench.comparison.selection import select_runs
from bench.config import results_folder
from bench.data.messages import listed
from bench.discovery import task_names
from bench.errors import ConfigError, UserError, nearest
from bench.metrics.averaged import mean_over
from bench.metrics.registry import metric_of
from bench.overrides import meant, parse_overrides
from bench.prediction.fitted import changed_code
from bench.results.board import interval_text
from bench.results.cell import FINAL, Fold
from bench.results.layout import stored_tasks
from bench.results.protocol import model_name, search_name
from bench.results.record import RunRecord
from bench.results.store import RunFolder, StoredRun, stored_runs

KEYS = ("task", "model", "run", "results")
"""The keys of ``bench predict``."""


@dataclass(frozen=True)
class PredictRequest:
    """The requested run.

    Parameters
    ----------
    task : str
        The task's name.
    model : str or None
        The model's name; None leaves it open.
    key : str or None
        The run's key, or how it begins; None leaves it open.
    results : pathlib.Path
        The store.
    overrides : mapping of str to object
        Dotted keys of the model's definition here with the values to put in their place, as for ``bench run``.
    """

    task: str
    model: str | None = None
    key: str | None = None
    results: Path = Path("results")
    overrides: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ChosenRun:
    """The run that labels.

    Parameters
    ----------
    folder : RunFolder
        The run; its fitted model is stored.
    record : RunRecord
        What is stored of it.
    notes : list of str
        Notes on what it is, why it was chosen, and what was left out.
    """

    folder: RunFolder
    record: RunRecord
    notes: list[str]


def parse_predict_request(words: Sequence[str]) -> PredictRequest:
    """Read the words of a command line.

    Parameters
    ----------
    words : sequence of str
        ``key=value`` words.

    Raises
    ------
    bench.errors.ConfigError
        If a key or a value is wrong, or no task is named.

    Examples
    --------
    >>> parse_predict_request(["task=stance", "run=0123"])
    PredictRequest(task='stance', model=None, key='0123', results=PosixPath('results'), overrides={})
    """
    for word in words:
        if "=" not in word:
            raise ConfigError(
                f"'{word}' is not of the form key=value.",
                (None if Path(word).exists() else meant(word)) or f"For new text, use --input {word}",
            )
    # A key of digits alone is not the number that it would be read as.
    keys = [word.partition("=")[2].strip("'\"") for word in words if word.startswith("run=")]
    given = parse_overrides([word for word in words if not word.startswith("run=")])
    for name in given:
        if name not in KEYS and not name.startswith("model.params."):
            raise ConfigError(f"{name}: unknown key.", nearest(name, KEYS))
    if len(keys) > 1:
        raise ConfigError("run is repeated.", "Give each key once.")
    for name in ("task", "model"):
        if isinstance(given.get(name), list) or given.get(name) == "all":
            raise ConfigError(f"{name} takes one name here.", "Choose one task and one model: task=NAME model=NAME")
    results = results_folder(given.get("results"))
    if given.get("task") is None:
        known = stored_tasks(results)
        raise ConfigError("No task is named.", f"Add task=NAME. {nearest('', known)}")
    model = given.get("model")
    own = {name.removeprefix("model."): value for name, value in given.items() if name.startswith("model.")}
    return PredictRequest(
        str(given["task"]), None if model is None else str(model), keys[0] if keys else None, results, own
    )


def choose_run(request: PredictRequest) -> ChosenRun:
    """Choose the run whose fitted model labels new text.

    That is the one with the requested key, if there is one. Otherwise it is the best comparable finished run on the
    leaderboard, of the requested model or of all; the newest of equals. If the store has runs under several protocols,
    those of the last ``bench run`` count. Runs of a plug-in whose code was changed since are passed over.

    Raises
    ------
    bench.errors.UserError
        If the task, run or model is unknown, or the fitted model is not stored.
    """
    stored = stored_runs(request.results, request.task)
    if not stored:
        _refuse_task(request)
    if request.key is not None:
        folder = _with_key(stored, request)
        record = folder.read_record()
        if folder.model_path() is None:
            raise UserError(f"{folder.path}: no fitted model is stored. {_reason(folder, record)}", _again(record))
        return ChosenRun(folder, record, [f"{_described(folder, record)}.", *_whose_score(folder, record)])
    wanted = Filter(models=None if request.model is None else (request.model,))
    selected = select_runs(request.results, request.task, wanted)
    runs = sorted(selected.runs, key=lambda run: run[1].started, reverse=True)
    runs.sort(key=_rank)
    fitted = [run for run in runs if run[0].model_path() is not None]
    folder, record = next((run for run in fitted if changed_code(run[1]) is None), [*fitted, *runs][0])
    if folder.model_path() is None:
        raise UserError(f"{folder.path}: no fitted model is stored. {_reason(folder, record)}", _again(record))
    why = "" if len(runs) == 1 else f", the best of {len(runs)} comparable stored runs"
    passed = [other for other in runs[: runs.index((folder, record))] if other[0] is not folder]
    notes = [f"{_described(folder, record)}{why}."]
    notes += [f"{_name(*other)} is skipped: {_why_passed(*other)}." for other in passed]
    return ChosenRun(folder, record, [*notes, *(f"{note}." for note in selected.notes), *_whose_score(folder, record)])


def _why_passed(folder: RunFolder, record: RunRecord) -> str:
    return "its fitted model is not stored" if folder.model_path() is None else str(changed_code(record))


def _refuse_task(request: PredictRequest) -> None:
    known = {*stored_tasks(request.results)}
    if request.task not in task_names():
        raise UserError(f"task={request.task}: unknown task.", nearest(request.task, known.union(task_names())))
    others = f" The store has runs of: {listed(sorted(known))}." if known else ""
    raise UserError(
        f"{request.results}: it has no run of task '{request.task}'.{others}",
        f"Run it first: bench run task={request.task}. To use another store, set results=FOLDER.",
    )


def _with_key(stored: Sequence[RunFolder], request: PredictRequest) -> RunFolder:
    of_model = [folder for folder in stored if request.model in (None, folder.model)]
    found = [folder for folder in of_model if folder.key.startswith(request.key or " ")]
    if len(found) == 1:
        return found[0]
    named = listed([f"{folder.model} {folder.key}" for folder in found or of_model or stored], limit=8)
    whose = f"task '{request.task}'" + (f" and model '{request.model}'" if request.model else "")
    if found:
        raise UserError(f"run={request.key}: {len(found)} runs of {whose} match: {named}.", "Give more of the key.")
    raise UserError(f"run={request.key}: no stored run of {whose} matches.", f"Stored runs: {named}.")


def _rank(run: StoredRun) -> float:
    folder, record = run
    metric = record.task.metric
    score = folder.read_summary().scores.get(metric)
    if score is None:
        return float("inf")
    return -metric_of(record.task).sign * float(score)


def _described(folder: RunFolder, record: RunRecord) -> str:
    metric = record.task.metric
    score = ""
    summary = folder.summary
    if summary is not None and metric in summary.scores:
        interval = interval_text(summary.intervals.get(metric))
        score = f": {metric}{mean_over(record.task.averaged_over)} {summary.scores[metric]:.3f} {interval}"
    return f"{_name(folder, record)}{score}"


def _whose_score(folder: RunFolder, record: RunRecord) -> list[str]:
    """Note that the score is not the stored model's own, if that was fitted on all examples."""
    if not folder.summarised or not folder.cell_path(FINAL).is_dir():
        return []
    return [
        "The score is from the models of the folds, each fitted without its test part. The labels are from a model "
        f"fitted on all {record.task.n_examples:,} examples, so expect the same score or slightly more."
    ]


def _name(folder: RunFolder, record: RunRecord) -> str:
    search = search_name(record)
    searched = f"search {search}, " if search else ""
    return f"{model_name(record)} ({searched}seed {record.seed}), run {folder.key}"


def _reason(folder: RunFolder, record: RunRecord) -> str:
    fold: Fold = FINAL if folder.cell_path(FINAL).is_dir() else 0
    if folder.cell_path(fold).is_dir():
        cell = folder.read_result(fold)
        if cell.status == "failed":
            return f"Its fit failed. See {folder.cell_path(fold) / 'error.txt'}."
        unstorable = [note for note in cell.notes if note.startswith("the fitted model cannot be stored")]
        if unstorable:
            return f"{unstorable[0][0].upper()}{unstorable[0][1:]}."
    return f"The run's status is '{record.status}'."


def _again(record: RunRecord) -> str:
    return f"Choose another run with model=NAME or run=KEY, or complete this one: {record.command}"
