"""``bench estimate`` from its words to its result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.data.by import By
from bench.data.dates import AmbiguousDateError, DayOrder
from bench.errors import ConfigError, UserError, nearest
from bench.prediction.blanks import Blanks
from bench.prediction.choice import PredictRequest, choose_run
from bench.prediction.fold_models import models_of
from bench.prediction.reading import archive_title, named_columns, read_texts, remembered_columns
from bench.prediction.rebuilt import model_of_run, rebuilt
from bench.results.layout import shares_folder
from bench.results.shares import Estimates, write_shares
from bench.shares.assumption import broken_assumptions
from bench.shares.estimate import estimate, examples_by_part, labelled_examples, labels_needed
from bench.shares.totals import FoldModel, read_archive
from bench.tracking.in_use import track_where_in_use

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.sources.layout import Asked
    from bench.prediction.choice import ChosenRun
    from bench.prediction.reading import NewText
    from bench.results.store import RunFolder


@dataclass(frozen=True, kw_only=True)
class EstimateRequest:
    """What to estimate.

    Parameters
    ----------
    run : PredictRequest
        The run whose models predict.
    archive : Path or DataFrame
        The archive: its file, or its rows.
    by : str or None
        The column that divides it, or ``COLUMN:month``.
    differences : tuple of (str, str)
        Parts to compare.
    within : float
        The half width of an interval that further labels should reach.
    columns : mapping of str to str or None
        The columns of the archive that are the model's inputs, where they have other names.
    """

    run: PredictRequest
    archive: Path | pd.DataFrame
    by: str | None = None
    differences: tuple[tuple[str, str], ...] = ()
    within: float = 0.02
    columns: Mapping[str, str | None]


def estimate_request(
    run: PredictRequest,
    archive: Path | pd.DataFrame,
    by: str | None = None,
    differences: Sequence[Sequence[str]] = (),
    within: float = 2.0,
    columns: Mapping[str, str | None] | None = None,
) -> EstimateRequest:
    """Say what to estimate; `within` is in percentage points.

    Raises
    ------
    bench.errors.ConfigError
        If something is wrong.
    """
    if any(isinstance(pair, str) or len(pair) != 2 for pair in differences):
        raise ConfigError("difference: expected pairs of parts.", 'Such as [("2024-10", "2024-09")].')
    if differences and by is None:
        raise ConfigError("--difference compares parts of the archive.", "Say by which column: --by COLUMN")
    if not 0 < within < 50:
        raise ConfigError(f"--within {within:g}: expected percentage points between 0 and 50.", "For ± 2: --within 2")
    pairs = tuple((str(one), str(other)) for one, other in differences)
    return EstimateRequest(
        run=run, archive=archive, by=by, differences=pairs, within=within / 100.0, columns=columns or {}
    )


@dataclass(frozen=True, eq=False)
class Estimated:
    """The estimates, notes on how the archive was read, and what MLflow does not have, a sentence each."""

    estimates: Estimates
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def estimate_archive(request: EstimateRequest, doing: Callable[[str], None], asked: Asked | None = None) -> Estimated:
    """Estimate the shares of labels in an archive, store them beside the run, and log it where MLflow is in use.

    Parameters
    ----------
    request : EstimateRequest
        What to estimate.
    doing : callable
        Receives progress messages.
    asked : Asked, optional
        The format of the file, if it is not detected.

    Raises
    ------
    bench.errors.UserError
        If the run or its task cannot be used, or the archive cannot be read.
    """
    doing("choosing the run")
    chosen = choose_run(request.run)
    record = chosen.record
    if record.train_on is not None:
        raise UserError(
            f"The run {record.key} also trained on {record.train_on.task}.", "Name one that trains on its own task."
        )
    if record.validation.forward:
        raise UserError(
            f"The run {record.key} tests only examples that are later than others, which stand for no whole archive.",
            f"Run it with folds that test each example: bench run task={record.task.name} validation=grouped",
        )
    doing(f"reading the task {record.task.name}")
    evaluation = rebuilt(record, model_of_run(record, request.run.overrides))
    task, stored = evaluation.task, models_of(chosen.folder, evaluation, request.run.overrides)
    new, blanks, by = _checked(request, chosen, asked, doing)
    n_rows = blanks.n_rows - len(blanks)
    models = []
    for fold, split in enumerate(evaluation.splits):
        doing(f"fitting the model of fold {fold + 1} of {len(evaluation.splits)}")
        models.append(FoldModel(stored.model(fold), split.test))
    read = read_archive(new, task, models, by, n_rows, record.seed, doing)
    doing("estimating")
    labelled = labelled_examples(task, models, n_rows)
    divided = examples_by_part(task, labelled, read, by)
    whole, parts, differences = estimate(task, labelled, read, divided, request.differences)
    warnings = broken_assumptions(task, labelled, read, divided, record.seed)
    if read.without_part:
        assert by is not None
        warnings.append(f"{read.without_part:,} texts have no {by.column}; they count only in the whole.")
    estimates = Estimates(
        task=task.name,
        model=record.model.name,
        run=record.key,
        archive=request.archive.name if isinstance(request.archive, Path) else "data frame",
        labels=task.labels,
        whole=whole,
        by=None if by is None else by.title,
        parts=tuple(parts),
        differences=tuple(differences),
        within=request.within,
        further=labels_needed(task, labelled, read, whole, request.within),
        n_found=len(read.found),
        warnings=tuple(warnings),
        source=_source(request.archive, new.columns),
    )
    unstored = _stored(estimates, chosen.folder)
    doing("logging to MLflow")
    untracked = () if unstored else tuple(track_where_in_use(request.run.results, [chosen.folder]))
    notes = (chosen.notes[0], *_reading(request, new), *blanks.left_out())
    return Estimated(estimates, notes, (*unstored, *untracked))


def _source(archive: Path | pd.DataFrame, columns: Mapping[str, str]) -> str:
    """A digest of the archive's path, or of the texts of a data frame, and of the columns that are the inputs."""
    what = hashlib.sha256(repr(sorted(columns.items())).encode())
    if isinstance(archive, Path):
        what.update(str(archive.resolve()).encode(errors="surrogateescape"))
    else:
        for column in sorted(columns.values()):
            what.update(repr(archive[column].tolist()).encode(errors="surrogatepass"))
    return what.hexdigest()[:12]


def _stored(estimates: Estimates, folder: RunFolder) -> tuple[str, ...]:
    """Store the estimates; where that is not possible they are printed all the same, with this note."""
    try:
        write_shares(folder, estimates)
    except OSError as error:
        return (f"The estimates could not be stored in {shares_folder(folder.path)}: {error.strerror or error}.",)
    return ()


def _checked(
    request: EstimateRequest, chosen: ChosenRun, asked: Asked | None, doing: Callable[[str], None]
) -> tuple[NewText, Blanks, By | None]:
    """The texts of the archive, its rows without one, and what divides it.

    It is read once before, so that a mistake in the last line is reported first.
    """
    record = chosen.record
    columns = named_columns(record.task.inputs, request.columns)
    remembered = remembered_columns(record.task.columns, request.columns)

    def opened() -> NewText:
        return read_texts(request.archive, columns, remembered, asked)

    doing(f"reading {archive_title(request.archive)}")
    new, title, by, parts = opened(), archive_title(request.archive), None, set[str]()
    blanks = Blanks(title, new.columns)
    order, undecided = DayOrder(), dict[str, str]()
    for place, row in blanks.filled(new):
        if request.by is None:
            continue
        by = by or By.parse(request.by, (name for name in row if name is not None))
        value = by.value_of(row)
        if by.period is not None:
            order.add(value, place)
        try:
            parts.add(by.part_of(value, place))
        except AmbiguousDateError:
            undecided.setdefault(value, place)
    if by is not None and undecided:
        by = replace(by, day_first=order.day_first)
        parts |= {by.part_of(value, place) for value, place in undecided.items()}
    for name in (name for pair in request.differences for name in pair):
        if name not in parts:
            raise ConfigError(f"--difference {name}: the archive has no such part.", nearest(name, sorted(parts)))
    return replace(new, rows=Blanks(title, new.columns).filled(opened())), blanks, by


def _reading(request: EstimateRequest, new: NewText) -> tuple[str, ...]:
    read = (f"Read as {new.describe()}: {request.archive}",) if isinstance(request.archive, Path) else ()
    return *read, *new.remarks
