"""The store: one folder for each run, with one for each cell, written to a temporary place and renamed.

::

    results/<task>/<model>/<key>/
        run.json            the resolved configuration, versions, digests, and notes
        fold-00/
            result.json     status, chosen setting, scores, trials, notes (the same bytes every time)
            predictions.csv every out-of-fold prediction (the same bytes every time)
            explanations.json  the features for and against a linear model's wrong predictions (same bytes)
            timing.json     seconds by phase
            processors.json  how many fits ran on which processor
            error.txt       the traceback, where the cell failed
        fold-00.journal     the settings that the cell's search has tried, while it runs and where some of them failed
        final/              the same without predictions, and model.skops; a single published split has no final/,
                            and its model.skops is in fold-00/
        summary.json        pooled scores, intervals, per-class scores, confusion matrix

A cell's folder appears complete or not at all, so if it exists, the cell is finished.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.errors import BenchError, UserError
from bench.results.cell import FINAL, CellRecord, CellResult, Explanation, Fold
from bench.results.cell_files import (
    MODEL,
    PROCESSORS,
    cell_files,
    read_explanations,
    read_predictions,
    read_processors,
    read_seconds_by_phase,
)
from bench.results.files import (
    is_stored,
    read_bytes,
    read_record,
    remove,
    sha256,
    to_json,
    write_atomically,
    write_durably,
)
from bench.results.journal import Journal
from bench.results.layout import RECORD, SUMMARY, run_folders, unlinked
from bench.results.record import RunRecord, RunStatus
from bench.results.result_format import check_format
from bench.results.summary import Summary
from bench.support.records import plain

if TYPE_CHECKING:
    import pandas as pd

Kind = TypeVar("Kind")

LOCK = ".lock"

CLEARED = ".cleared"
"""The folder next to a model's runs for replaced data before they are deleted."""


class BusyError(BenchError):
    """Another process works on a run."""


class RunFolder:
    """One run's folder in the store.

    Parameters
    ----------
    path : pathlib.Path
        ``results/<task>/<model>/<key>``.
    found : bool
        Whether it was found in a store, where it must be a run of the task and model that its path names. A folder
        that the user names may be anywhere.
    """

    def __init__(self, path: Path, found: bool = False) -> None:
        self.path = path
        self._found = found

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def key(self) -> str:
        """The run's key."""
        return self.path.name

    def read_record(self) -> RunRecord:
        """Read ``run.json``; see `read_record_as`."""
        record = self.read_record_as(RunRecord)
        place = record.task.name, record.model.name
        if self._found and place != (self.task, self.model):
            other = f"it is the record of another run, of {record.model.name} on {record.task.name}"
            back = self.results.joinpath(*place, self.key)
            raise UserError(f"{self.path / RECORD}: {other}.", f"Move it back to {back}")
        return record

    def read_record_as(self, kind: type[Kind]) -> Kind:
        """Read ``run.json`` as a record of some kind.

        Raises
        ------
        bench.errors.UserError
            If the folder has no readable run, or one in another version of the result format.
        """
        unlinked(self.results, self.task, self.model, self.key)
        path = self.path / RECORD
        check_format(path)
        return read_record(kind, path)

    def write_record(self, record: RunRecord) -> None:
        """Write ``run.json``."""
        write_atomically(self.path / RECORD, to_json(plain(record)))

    def read_summary(self) -> Summary:
        """Read ``summary.json``."""
        return self.read_summary_as(Summary)

    def read_summary_as(self, kind: type[Kind]) -> Kind:
        """Read ``summary.json`` as a summary of some kind."""
        return read_record(kind, self.path / SUMMARY)

    def write_summary(self, summary: object) -> None:
        """Write ``summary.json``."""
        write_atomically(self.path / SUMMARY, to_json(plain(summary)))

    def forget_summary(self) -> None:
        """Delete ``summary.json``, since folds are run that it sums up."""
        (self.path / SUMMARY).unlink(missing_ok=True)

    def status(self) -> RunStatus | None:
        """The status in ``run.json``, None if there is no readable one."""
        try:
            return self.read_record().status
        except UserError:
            return None

    def clear(self) -> None:
        """Delete all that is stored of a locked run. A kill at any moment leaves all of it or none."""
        cleared = self.path.parent / CLEARED
        cleared.mkdir(exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f"{self.key}-", dir=cleared))
        empty = aside / "empty"
        empty.mkdir()
        try:
            # The same file under another name, so that the run stays locked.
            (empty / LOCK).hardlink_to(self.path / LOCK)
        except OSError:
            # A file system without links. As long as the record stands, the run is known as the one to be replaced.
            kept = (LOCK, "run.json")
            for child in [*(path for path in self.path.iterdir() if path.name not in kept), self.path / RECORD]:
                remove(child)
        else:
            self.path.rename(aside / "run")
            empty.rename(self.path)
        self._remove_leftovers()

    def delete(self) -> None:
        """Delete the run, which is locked, with its folder; a kill at any moment leaves all of it or none."""
        unlinked(self.results, self.task, self.model, self.key)
        cleared = self.path.parent / CLEARED
        cleared.mkdir(exist_ok=True)
        self.path.rename(Path(tempfile.mkdtemp(prefix=f"{self.key}-", dir=cleared)) / "run")
        self._remove_leftovers()
        with suppress(OSError):
            self.path.parent.rmdir()

    def _remove_leftovers(self) -> None:
        """Delete cleared or incomplete files of a killed process; the run must be locked."""
        for leftover in self.leftovers():
            remove(leftover)
        with suppress(OSError):
            (self.path.parent / CLEARED).rmdir()

    def leftovers(self) -> list[Path]:
        """What processes that were killed have left of the run, cleared or half written; `locked` deletes it."""
        cleared = self.path.parent / CLEARED
        folds: list[Fold] = [*self.folds(), FINAL]
        journals = [self.journal(fold).path for fold in folds if self._is_over(fold)]
        return [*cleared.glob(f"{self.key}-*"), *self.path.glob(".*-*"), *self.path.glob("*/.*-*"), *journals]

    def _is_over(self, fold: Fold) -> bool:
        """Whether a cell has an obsolete journal; see `write_cell`."""
        return is_stored(self.journal(fold).path) and self.is_done(fold) and not self.has_failures(fold)

    @property
    def summarised(self) -> bool:
        """Whether all cells were finished and summed up, and the summary can be read."""
        return self.summary is not None

    @property
    def summary(self) -> Summary | None:
        """The summary, None if there is no readable one."""
        try:
            return self.read_summary()
        except UserError:
            return None

    def cell_path(self, fold: Fold) -> Path:
        """The folder of a cell."""
        return self.path / (FINAL if fold == FINAL else f"fold-{fold:02d}")

    def journal(self, fold: Fold) -> Journal:
        """The journal of a cell's search."""
        return Journal(self.path / f"{self.cell_path(fold).name}.journal")

    @property
    def model(self) -> str:
        """The name of the run's model."""
        return self.path.parent.name

    @property
    def task(self) -> str:
        """The name of the run's task."""
        return self.path.parents[1].name

    @property
    def results(self) -> Path:
        """The results folder."""
        return self.path.parents[2]

    def model_path(self) -> Path | None:
        """The file of the run's fitted model, None if none is stored.

        It is that of the final cell, which is fitted on all examples. A run of one published split has no final cell;
        its model is the one that was scored, fitted on the split's training part.
        """
        places = (self.cell_path(fold) / MODEL for fold in (FINAL, 0))
        return next((path for path in places if is_stored(path)), None)

    def is_done(self, fold: Fold) -> bool:
        """Whether a cell was finished without failing, and its files are as they were written."""
        try:
            stored = self.read_result(fold)
            digest = sha256(self.cell_path(fold) / "predictions.csv")
        except (UserError, OSError):
            return False
        return stored.status == "ok" and stored.predictions_sha256 == digest

    def lost(self, record: RunRecord) -> str:
        """What of a complete run is no longer there, in a sentence; empty where that is nothing."""
        if record.status != "complete":
            return ""
        files = [(self.cell_path(fold), ("result.json", "predictions.csv")) for fold in range(record.folds)]
        gone = [cell.name for cell, names in files if not all(is_stored(cell / name) for name in names)]
        if self.summary is None:
            gone.append(SUMMARY)
        if not gone:
            return ""
        told = f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} missing or damaged"
        return f"{told}; the command that made the run makes {'it' if len(gone) == 1 else 'them'} again"

    def has_failures(self, fold: Fold) -> bool:
        """Whether settings failed in the search of a stored cell."""
        return any(trial.failed for trial in self.read_result(fold).trials)

    def folds(self) -> list[int]:
        """The outer folds that are stored, failed ones too, in order."""
        found = (path for path in self.path.glob("fold-*") if not path.is_symlink())
        return sorted(int(path.name[5:]) for path in found if path.name[5:].isdecimal())

    def write_cell(self, result: CellResult) -> None:
        """Store a cell's result. Its folder appears complete, and replaces an earlier one.

        The cell's journal is deleted, unless the cell or settings of its search failed and can be retried.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.cell_path(result.fold)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=self.path))
        try:
            for name, content in cell_files(result).items():
                write_durably(beside / name, content)
            beside.chmod(0o755)
            if os.path.lexists(target):
                target.rename(beside.with_name(f"{beside.name}-old"))
            beside.rename(target)
        except BaseException as error:
            shutil.rmtree(beside, ignore_errors=True)
            if isinstance(error, OSError):
                error.filename = str(target)
            raise
        finally:
            remove(beside.with_name(f"{beside.name}-old"))
        if result.status == "ok" and not any(trial.failed for trial in result.trials):
            self.journal(result.fold).remove()

    def read_result(self, fold: Fold) -> CellRecord:
        """Read a cell's ``result.json``: all but its predictions and times."""
        return read_record(CellRecord, self.cell_path(fold) / "result.json")

    def read_cell(self, fold: Fold) -> CellResult:
        """Read a cell's result, without its fitted model and its explanations."""
        folder = self.cell_path(fold)
        stored = self.read_result(fold)
        error, predictions = folder / "error.txt", folder / "predictions.csv"
        return CellResult(
            fold=stored.fold,
            status=stored.status,
            params=stored.params,
            inner_score=stored.inner_score,
            trials=list(stored.trials),
            predictions=read_predictions(predictions) if is_stored(predictions) else None,
            scores=stored.scores,
            notes=list(stored.notes),
            seconds=dict(read_seconds_by_phase(folder / "timing.json")),
            processors=dict(read_processors(folder / PROCESSORS)),
            error=read_bytes(error).decode(errors="replace") if is_stored(error) else None,
        )

    def read_predictions(self, fold: Fold) -> pd.DataFrame:
        """Read a cell's predictions as they were written.

        Raises
        ------
        bench.errors.BenchError
            If the file is gone, or is not the one that the cell's result was stored with.
        """
        path = self.cell_path(fold) / "predictions.csv"
        digest = sha256(path)
        if digest is None or digest != self.read_result(fold).predictions_sha256:
            raise BenchError(
                f"{path}: {'the file is missing' if digest is None else 'its predictions are not those of the run'}.",
                f"A stored file has changed. Delete {self.path} and run the same command again.",
            )
        return read_predictions(path)

    def read_explanations(self, fold: Fold) -> list[Explanation]:
        """Read the features for and against a cell's wrong predictions, which only a page with examples needs."""
        return read_explanations(self.cell_path(fold) / "explanations.json")

    def read_processors(self) -> dict[str, int]:
        """How many fits of the stored outer folds ran on which processor."""
        total = Counter[str]()
        for fold in self.folds():
            total.update(read_processors(self.cell_path(fold) / PROCESSORS))
        return total

    def seconds_a_fold(self) -> float | None:
        """The seconds of a stored outer fold on average; None if none is stored."""
        return sum(self.read_seconds().values()) / len(stored) if (stored := self.folds()) else None

    def read_seconds(self) -> dict[str, float]:
        """Seconds by phase, summed over the stored outer folds."""
        total: dict[str, float] = {}
        for fold in self.folds():
            for phase, seconds in read_seconds_by_phase(self.cell_path(fold) / "timing.json").items():
                total[phase] = total.get(phase, 0.0) + seconds
        return total

    @contextmanager
    def locked(self, wait: bool = False) -> Iterator[None]:
        """Hold the run, so that a second process does not work on it at the same time.

        Parameters
        ----------
        wait : bool
            Whether to wait for another process to end its work, for as long as it takes.

        Raises
        ------
        BusyError
            If another process has it, and waiting is off.
        """
        from filelock import FileLock, Timeout

        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            raise BusyError(
                f"{self.path}: another bench process is working on this run.",
                "Wait for it to end, or stop it. Finished folds are kept either way.",
            ) from None
        try:
            self._remove_leftovers()
            yield
        finally:
            lock.release()


StoredRun = tuple[RunFolder, RunRecord]
"""A run's folder, and what it says of the run."""


def stored_runs(results: Path, task: str = "*") -> list[RunFolder]:
    """The runs of a task in the store, or of all, in the order of their models' names and keys."""
    return [RunFolder(path, found=True) for path in run_folders(results, task)]
