"""The searches of stored runs as Optuna's studies, for tools such as optuna-dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench.archive.listing import StoredRun
from bench.data.own_files import check_replaced
from bench.errors import UserError
from bench.metrics.registry import greater_is_better
from bench.results.cell import FINAL, CellRecord, Fold, Trial
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.support.json_writing import json_text
from bench.support.places import make_folder, replacing
from bench.support.process import is_own
from bench.tracking.uri import sqlite_uri

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial

SUFFIXES = (".db", ".journal")
"""How the files end: of a SQLite storage, and of a journal."""


@dataclass
class Exported:
    """What was written.

    Parameters
    ----------
    studies : list of str
        The studies' names.
    trials : int
        Their trials, of all together.
    left_out : list of str
        Which runs have no studies there, and why, a sentence each.
    """

    studies: list[str] = field(default_factory=list)
    trials: int = 0
    left_out: list[str] = field(default_factory=list)


def export_studies(runs: Sequence[StoredRun], target: Path, force: bool = False) -> Exported:
    """Write the searches of stored runs into a storage of Optuna, which appears whole or not at all.

    There is a study for each fold that was searched, and for the search on all examples. A setting that failed is a
    failed trial; one that the search stopped is a pruned one.

    Parameters
    ----------
    runs : sequence of StoredRun
        Stored runs; those that searched nothing are left out.
    target : pathlib.Path
        The file: ``.db`` is a SQLite storage, ``.journal`` a journal.
    force : bool
        Whether to write over a file that is there.

    Raises
    ------
    bench.errors.UserError
        If nothing was searched, or nothing can be written there.
    """
    check_replaced(target, str(target), force)
    exported = Exported()
    searched: list[tuple[RunFolder, RunRecord, list[CellRecord]]] = []
    for run in runs:
        if run.curve:
            continue
        try:
            record, cells = _searches(run.folder)
        except UserError as error:
            exported.left_out.append(f"{run.task}, {run.model}, {run.key} is left out: {error.message}")
            continue
        if cells:
            searched.append((run.folder, record, cells))
        else:
            exported.left_out.append(f"{run.task}, {run.model}, {run.key} is left out: nothing was searched")
    if not searched:
        raise UserError("\n".join(exported.left_out) or "There are no runs to export.", "`bench runs` lists the runs.")
    make_folder(target.parent)
    with replacing(target) as beside, _storage(beside, target.suffix.lower()) as storage:
        for folder, record, cells in searched:
            for cell in cells:
                study = _study(storage, folder, record, cell)
                exported.studies.append(study.study_name)
                exported.trials += len(cell.trials)
    return exported


def study_name(record: RunRecord, fold: Fold) -> str:
    """What the study of a fold is called: what is searched, then the run's key and the fold."""
    place = "all examples" if fold == FINAL else f"fold {fold}"
    return f"{record.task.name} {record.model.name} ({record.search.name}, seed {record.seed}) {record.key} {place}"


def _searches(folder: RunFolder) -> tuple[RunRecord, list[CellRecord]]:
    record = folder.read_record()
    folds: list[Fold] = [*folder.folds(), *([FINAL] if folder.cell_path(FINAL).is_dir() else [])]  # type: ignore[list-item]
    cells = [folder.read_result(fold) for fold in folds]
    return record, [cell for cell in cells if cell.trials]


@contextmanager
def _storage(path: Path, suffix: str) -> Iterator[BaseStorage]:
    import optuna
    from optuna.storages import JournalStorage, RDBStorage
    from optuna.storages.journal import JournalFileBackend

    if is_own():
        optuna.logging.set_verbosity(optuna.logging.WARNING)
    if suffix == ".journal":
        yield JournalStorage(JournalFileBackend(str(path)))
        return
    storage = RDBStorage(sqlite_uri(path))
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _study(storage: BaseStorage, folder: RunFolder, record: RunRecord, cell: CellRecord) -> Study:
    import optuna

    sign = optuna.study.StudyDirection
    direction = sign.MAXIMIZE if greater_is_better(record.task.metric) else sign.MINIMIZE
    study = optuna.create_study(storage=storage, study_name=study_name(record, cell.fold), direction=direction)
    told = {
        "task": record.task.name,
        "model": record.model.name,
        "key": folder.key,
        "fold": cell.fold,
        "metric": record.task.metric,
    }
    for name, value in {**told, "outer scores": dict(cell.scores), "chosen": json_text(cell.params)}.items():
        study.set_user_attr(name, value)
    started = datetime.fromisoformat(record.started).astimezone().replace(tzinfo=None) if record.started else None
    study.add_trials([_trial(trial, record, started) for trial in cell.trials])
    return study


def _trial(trial: Trial, record: RunRecord, started: datetime | None) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    space = {
        name: dimension
        for name, dimension in record.model.search.items()
        if name in trial.params and dimension.holds(trial.params[name])
    }
    others = {name: json_text(value) for name, value in trial.params.items() if name not in space}
    said: dict[str, object] = {"error": trial.error, "stopped": trial.stopped, **others}
    state = TrialState.PRUNED if trial.stopped else TrialState.FAIL if trial.score is None else TrialState.COMPLETE
    made = create_trial(
        state=state,
        value=trial.score,
        params={name: dimension.encode(trial.params[name]) for name, dimension in space.items()},
        distributions={name: dimension.distribution() for name, dimension in space.items()},
        user_attrs={name: value for name, value in said.items() if value is not None},
    )
    if started is not None:
        made.datetime_start = made.datetime_complete = started
    return made
