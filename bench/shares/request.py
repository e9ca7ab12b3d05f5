"""``bench estimate`` from its words to its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import ConfigError, DataError, UserError, nearest
from bench.prediction.choice import PredictRequest, choose_run, parse_predict_request
from bench.prediction.fold_models import models_of
from bench.prediction.reading import named_columns, read_frame, read_texts_file
from bench.prediction.rebuilt import model_of_run, rebuilt
from bench.results.shares import Estimates, write_shares
from bench.shares.assumption import broken_assumptions
from bench.shares.estimate import estimate, labelled_examples, labels_needed
from bench.shares.slices import By
from bench.shares.totals import FoldModel, read_archive

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.sources.layout import Asked
    from bench.prediction.choice import ChosenRun
    from bench.prediction.reading import NewText


@dataclass(frozen=True, kw_only=True)
class EstimateRequest:
    """What to estimate.

    Parameters
    ----------
    run : PredictRequest
        The run whose models predict.
    archive : Path or DataFrame
        The archive: its file, or its rows.
    by : By or None
        The column that divides it.
    differences : tuple of (str, str)
        Parts to compare.
    within : float
        The half width of an interval that further labels should reach.
    columns : dict of str to str or None
        The columns of the archive that are the model's inputs, where they have other names.
    """

    run: PredictRequest
    archive: Path | pd.DataFrame
    by: By | None = None
    differences: tuple[tuple[str, str], ...] = ()
    within: float = 0.02
    columns: dict[str, str | None]

    @property
    def title(self) -> str:
        """What the archive is called in messages."""
        return str(self.archive) if isinstance(self.archive, Path) else "archive"


def parse_estimate_request(
    words: Sequence[str],
    archive: Path | pd.DataFrame,
    by: str | None = None,
    differences: Sequence[tuple[str, str]] = (),
    within: float = 2.0,
    columns: dict[str, str | None] | None = None,
) -> EstimateRequest:
    """Read the words and options of a command line; `within` is in percentage points.

    Raises
    ------
    bench.errors.ConfigError
        If one is wrong.
    """
    if differences and by is None:
        raise ConfigError("--difference compares parts of the archive.", "Say by which column: --by COLUMN")
    if not 0 < within < 50:
        raise ConfigError(f"--within {within:g}: expected percentage points between 0 and 50.", "For ± 2: --within 2")
    return EstimateRequest(
        run=parse_predict_request(words),
        archive=archive,
        by=None if by is None else By.parse(by),
        differences=tuple((one, other) for one, other in differences),
        within=within / 100.0,
        columns=columns or {},
    )


@dataclass(frozen=True, eq=False)
class Estimated:
    """The estimates, the run behind them, and notes on how the archive was read."""

    estimates: Estimates
    chosen: ChosenRun
    notes: tuple[str, ...]


def estimate_archive(request: EstimateRequest, doing: Callable[[str], None], asked: Asked | None = None) -> Estimated:
    """Estimate the shares of labels in an archive, and store them beside the run.

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
    doing(f"reading the task {record.task.name}")
    evaluation = rebuilt(record, model_of_run(record, request.run.overrides))
    task, stored = evaluation.task, models_of(chosen.folder, evaluation, request.run.overrides)
    new, n_rows = _checked(request, chosen, asked, doing)
    models = []
    for fold, split in enumerate(evaluation.splits):
        doing(f"fitting the model of fold {fold + 1} of {len(evaluation.splits)}")
        models.append(FoldModel(stored.model(fold), split.test))
    read = read_archive(new, task, models, request.by, n_rows, record.seed, doing)
    doing("estimating")
    labelled = labelled_examples(task, models, n_rows)
    _check_differences(request, list(read.parts))
    whole, parts, differences = estimate(task, labelled, read, request.by, request.differences)
    warnings = broken_assumptions(task, labelled, read, request.by, record.seed)
    if read.without_part:
        assert request.by is not None
        warnings.append(f"{read.without_part:,} texts have no {request.by.column}; they count only in the whole.")
    estimates = Estimates(
        task=task.name,
        model=record.model.name,
        run=record.key,
        archive=request.archive.name if isinstance(request.archive, Path) else "data frame",
        labels=task.labels,
        whole=whole,
        by=None if request.by is None else request.by.title,
        parts=tuple(parts),
        differences=tuple(differences),
        within=request.within,
        further=labels_needed(whole, request.within),
        n_found=len(read.found),
        warnings=tuple(warnings),
    )
    write_shares(chosen.folder, estimates)
    return Estimated(estimates, chosen, (chosen.notes[0], *_reading(request, new)))


def _checked(
    request: EstimateRequest, chosen: ChosenRun, asked: Asked | None, doing: Callable[[str], None]
) -> tuple[NewText, int]:
    """The archive, read once from end to end so that a mistake in the last line is reported first, and its rows."""
    record = chosen.record
    columns = named_columns(record.task.inputs, request.columns)
    remembered = {name: named for name, named in record.task.columns.items() if request.columns.get(name) is None}

    def opened() -> NewText:
        if isinstance(request.archive, Path):
            return read_texts_file(request.archive, columns, (), remembered, asked)
        return read_frame(request.archive, columns, remembered)

    doing(f"reading {request.title}")
    n_rows = 0
    for place, row in opened().rows:
        n_rows += 1
        if request.by is None:
            continue
        if request.by.column not in row:
            raise DataError(
                f"{request.title}: there is no column '{request.by.column}'.",
                nearest(request.by.column, [name for name in row if name is not None]),
            )
        request.by.part_of(row[request.by.column] or "", place)
    return opened(), n_rows


def _reading(request: EstimateRequest, new: NewText) -> tuple[str, ...]:
    read = (f"Read as {new.describe()}: {request.archive}",) if isinstance(request.archive, Path) else ()
    return *read, *new.remarks


def _check_differences(request: EstimateRequest, parts: Sequence[str]) -> None:
    for name in (name for pair in request.differences for name in pair):
        if name not in parts:
            raise ConfigError(f"--difference {name}: the archive has no such part.", nearest(name, parts))
