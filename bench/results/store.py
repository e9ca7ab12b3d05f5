"""The store: one folder a run, one folder a cell in it, written beside and renamed.

::

    results/<task>/<model>/<key>/
        run.json            the resolved configuration, versions, digests, and what was noted
        fold-00/
            result.json     status, chosen setting, scores, trials, notes (the same bytes every time)
            predictions.csv every out-of-fold prediction (the same bytes every time)
            explanations.json  what spoke for and against wrong predictions, where the model is linear (same bytes)
            timing.json     seconds by phase
            error.txt       the traceback, where the cell failed
        final/              the same without predictions, and model.skops; a single published split has no final/,
                            and its model.skops is in fold-00/
        summary.json        pooled scores, intervals, per-class scores, confusion matrix

A cell's folder appears whole or not at all, so its presence says that the cell is finished.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, UserError, without_halves
from bench.results.cell import FINAL, CellResult, Fold, Trial
from bench.support.json_text import json_text, spelled

if TYPE_CHECKING:
    import pandas as pd

LOCK = ".lock"

CLEARED = ".cleared"
"""The folder beside a model's runs where what takes another's place is moved before it is deleted."""

MODEL = "model.skops"
"""The file of a fitted model in a cell's folder."""

FORMAT = 4
"""The version of the result format; a change that alters numbers, or what the files hold, raises it."""

RECORD = ("task", "model", "search", "validation", "splits", "seed", "status", "started", "environment", "command")
"""What a run's ``run.json`` must hold to be compared."""

KINDS: dict[str, type] = {
    "task.name": str,
    "task.digest": str,
    "task.labels": list,
    "task.metric": str,
    "task.group": str,
    "model.name": str,
    "search.name": str,
    "validation": dict,
    "environment": dict,
    "status": str,
    "started": str,
    "command": str,
}
"""What those are, and what is in them that decides which runs compare."""

SUMMARY = ("scores", "intervals", "no_interval", "per_class", "class_intervals", "confusion", "folds", "notes")
"""What a run's ``summary.json`` must hold to be compared."""

RESULT = ("fold", "status", "params", "inner_score", "trials", "scores", "notes", "predictions_sha256")
"""What a cell's ``result.json`` must hold."""


class OtherFormatError(UserError):
    """A run was stored by another version of bench."""


def run_key(identity: Mapping[str, Any]) -> str:
    """Hash all that decides a run's numbers.

    Parameters
    ----------
    identity : mapping
        The task's digest, the model and its settings, the validation protocol, the search
        budget and the seed, as plain values.

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    canonical = json.dumps({"format": FORMAT, **identity}, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


class RunFolder:
    """One run's folder in the store.

    Parameters
    ----------
    path : pathlib.Path
        ``results/<task>/<model>/<key>``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"RunFolder({str(self.path)!r})"

    @property
    def key(self) -> str:
        """The run's key."""
        return self.path.name

    def read_record(self, needed: Sequence[str] = ()) -> dict[str, Any]:
        """Read ``run.json``.

        Parameters
        ----------
        needed : sequence of str
            Keys that it must hold.

        Raises
        ------
        bench.errors.UserError
            If the folder holds no readable run, or one of another version of the result format.
        """
        path = self.path / "run.json"
        record = _read_mapping(path)
        if record.get("format") != FORMAT:
            raise OtherFormatError(
                f"{self.path}: the run was stored by another version of bench (format {record.get('format')}, this "
                f"one writes {FORMAT}).",
                f"Run it again{': ' + record['command'] if record.get('command') else '.'}",
            )
        _check_keys(path, record, needed)
        for name, kind in KINDS.items():
            if name.partition(".")[0] in needed and not isinstance(_at(record, name), kind):
                raise _damaged(path, f"'{name}' is not what a run stores there")
        return record

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Write ``run.json``."""
        write_atomically(self.path / "run.json", to_json(record))

    def read_summary(self, needed: Sequence[str] = ()) -> dict[str, Any]:
        """Read ``summary.json``, which must hold the `needed` keys."""
        return _read_mapping(self.path / "summary.json", needed)

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary.json``."""
        write_atomically(self.path / "summary.json", to_json(summary))

    def status(self) -> str | None:
        """The status in ``run.json``, None where there is none that can be read."""
        try:
            status = self.read_record()["status"]
        except (UserError, KeyError, TypeError):
            return None
        return str(status)

    def clear(self) -> None:
        """Delete all that is stored of the run, which is locked; a kill at any moment leaves all of it or none."""
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
            for child in [*(path for path in self.path.iterdir() if path.name not in kept), self.path / "run.json"]:
                _remove(child)
        else:
            self.path.rename(aside / "run")
            empty.rename(self.path)
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """Delete what was cleared or half written when a process was killed; the run must be locked."""
        cleared = self.path.parent / CLEARED
        for leftover in [*cleared.glob(f"{self.key}-*"), *self.path.glob(".*-*"), *self.path.glob("*/.*-*")]:
            _remove(leftover)
        with suppress(OSError):
            cleared.rmdir()

    @property
    def summarised(self) -> bool:
        """Whether all cells were finished and summed up, and the summary can be read."""
        try:
            summary = self.read_summary(SUMMARY)
        except UserError:
            return False
        return all(isinstance(summary[key], dict) for key in ("scores", "intervals", "per_class"))

    def cell_path(self, fold: Fold) -> Path:
        """The folder of a cell."""
        return self.path / (FINAL if fold == FINAL else f"fold-{fold:02d}")

    def model_path(self) -> Path | None:
        """The file of the run's fitted model, None where none is stored.

        It is that of the final cell, which is fitted on all examples. A run of one published split has no final cell;
        its model is the one that was scored, fitted on the split's training part.
        """
        places = (self.cell_path(fold) / MODEL for fold in (FINAL, 0))
        return next((path for path in places if path.is_file()), None)

    def is_done(self, fold: Fold) -> bool:
        """Whether a cell was finished without failing, and its files are as they were written."""
        try:
            stored = self.read_result(fold)
        except UserError:
            return False
        return stored["status"] == "ok" and stored["predictions_sha256"] == _sha256(
            self.cell_path(fold) / "predictions.csv"
        )

    def folds(self) -> list[int]:
        """The outer folds that are stored, failed ones too, in order."""
        return sorted(int(path.name[5:]) for path in self.path.glob("fold-*") if path.name[5:].isdecimal())

    def write_cell(self, result: CellResult) -> None:
        """Store a cell's result: its folder appears whole, in the place of an earlier one."""
        self.path.mkdir(parents=True, exist_ok=True)
        target = self.cell_path(result.fold)
        beside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=self.path))
        try:
            for name, content in _cell_files(result).items():
                _write_durably(beside / name, content)
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
            _remove(beside.with_name(f"{beside.name}-old"))

    def read_result(self, fold: Fold) -> dict[str, Any]:
        """Read a cell's ``result.json``: all but its predictions and times."""
        return _read_mapping(self.cell_path(fold) / "result.json", RESULT)

    def read_cell(self, fold: Fold) -> CellResult:
        """Read a cell's result, without its fitted model and its explanations."""
        folder = self.cell_path(fold)
        stored = self.read_result(fold)
        error, predictions = folder / "error.txt", folder / "predictions.csv"
        try:
            trials = [Trial(**trial) for trial in stored["trials"]]
        except TypeError:
            raise _damaged(folder / "result.json", "'trials' holds something else than trials") from None
        return CellResult(
            fold=stored["fold"],
            status=stored["status"],
            params=stored["params"],
            inner_score=stored["inner_score"],
            trials=trials,
            predictions=read_predictions(predictions) if predictions.is_file() else None,
            scores=stored["scores"],
            notes=stored["notes"],
            seconds=_read_seconds(folder / "timing.json"),
            error=error.read_bytes().decode(errors="replace") if error.is_file() else None,
        )

    def read_predictions(self, fold: Fold) -> pd.DataFrame:
        """Read a cell's predictions as they were written.

        Raises
        ------
        bench.errors.BenchError
            If the file is gone, or is not the one that the cell's result was stored with.
        """
        path = self.cell_path(fold) / "predictions.csv"
        digest = _sha256(path)
        if digest is None or digest != self.read_result(fold)["predictions_sha256"]:
            raise BenchError(
                f"{path}: {'no such file' if digest is None else 'its predictions are not those of the run'}.",
                f"A stored file was changed. Delete {self.path} and run the same command again.",
            )
        return read_predictions(path)

    def read_explanations(self, fold: Fold) -> list[dict[str, Any]]:
        """Read what spoke for and against a cell's wrong predictions.

        They are read apart from the rest of the cell, since only a page that shows single examples needs them.

        Returns
        -------
        list of dict
            As `bench.evaluation.explanations.explain_errors` gives them; empty where there are none.
        """
        path = self.cell_path(fold) / "explanations.json"
        found = _read_json(path) if path.is_file() else []
        if not isinstance(found, list):
            raise _damaged(path, "expected a list")
        return found

    def read_seconds(self) -> dict[str, float]:
        """Seconds by phase, summed over the stored outer folds."""
        total: dict[str, float] = {}
        for fold in self.folds():
            for phase, seconds in _read_seconds(self.cell_path(fold) / "timing.json").items():
                total[phase] = total.get(phase, 0.0) + seconds
        return total

    @contextmanager
    def locked(self, patience: float = 0.0) -> Iterator[None]:
        """Hold the run, so that a second process does not work on it at the same time.

        Parameters
        ----------
        patience : float
            Seconds to wait for another process to end its work.

        Raises
        ------
        bench.errors.BenchError
            If another process holds it.
        """
        from filelock import FileLock, Timeout

        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            raise BenchError(
                f"{self.path}: another bench process is working on this run.",
                "Wait for it to end, or stop it; finished folds are kept either way.",
            ) from None
        try:
            self._remove_leftovers()
            yield
        finally:
            lock.release()


def stored_runs(results: Path, task: str) -> list[RunFolder]:
    """The runs of a task in the store, in the order of their models' names and keys."""
    return [RunFolder(path.parent) for path in sorted((results / task).glob("*/*/run.json"))]


_LONGEST_CELL = 2**31 - 1
"""Characters of a cell of predictions: a group can be called after a whole text."""


def read_predictions(path: Path) -> pd.DataFrame:
    """Read a cell's predictions, text columns as text and the rest as float64.

    Raises
    ------
    bench.errors.UserError
        If the file is not a table of predictions.
    """
    import pandas as pd

    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            columns, *rows = csv.reader(file, quoting=csv.QUOTE_NONNUMERIC)
        if any(len(row) != len(columns) for row in rows):
            raise ValueError(f"expected {len(columns)} values in each row")
    except (ValueError, csv.Error) as error:
        reason = error if path.stat().st_size else "the file is empty"
        raise UserError(
            f"{path}: not readable as predictions: {reason}.",
            f"Delete {path.parent} and run the same command again.",
        ) from None
    finally:
        csv.field_size_limit(limit)
    return pd.DataFrame(rows, columns=columns)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise UserError(f"{path}: a folder stands in the place of this file.", "Move it away.")
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(without_halves(content).encode() if isinstance(content, str) else content)
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def to_json(value: Any) -> str:
    """Write a value as an indented JSON document with sorted keys; see `bench.support.json_text.json_text`."""
    return json_text(value, indent=1, sort_keys=True) + "\n"


def _cell_files(result: CellResult) -> dict[str, bytes]:
    predictions = None if result.predictions is None else _to_csv(result.predictions)
    stored = {
        "fold": result.fold,
        "status": result.status,
        "params": spelled(result.params),
        "inner_score": result.inner_score,
        "trials": [_stored_trial(trial) for trial in result.trials],
        "scores": result.scores,
        "notes": result.notes,
        "predictions_sha256": None if predictions is None else hashlib.sha256(predictions).hexdigest(),
    }
    files = {"result.json": to_json(stored).encode(), "timing.json": to_json(result.seconds).encode()}
    if predictions is not None:
        files["predictions.csv"] = predictions
    if result.explanations:
        files["explanations.json"] = to_json(result.explanations).encode()
    if result.error is not None:
        files["error.txt"] = without_halves(result.error).encode()
    if result.estimator is not None:
        files[MODEL] = result.estimator
    return files


def _stored_trial(trial: Trial) -> dict[str, Any]:
    """A trial's fields, those about pruning only where it was pruned."""
    fields = asdict(trial) | {"params": spelled(trial.params)}
    pruning = ("pruned_after", "inner_folds")
    return {name: value for name, value in fields.items() if value is not None or name not in pruning}


def _to_csv(frame: pd.DataFrame) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(frame.columns)
    writer.writerows(zip(*(frame[name].tolist() for name in frame.columns), strict=True))
    return text.getvalue().encode()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file.", "Run the task again to make it.") from None
    except OSError as error:
        raise UserError(
            f"{path}: cannot be read: {error.strerror}.", f"See what stands there, or delete {path.parent}."
        ) from None
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path}: not readable as JSON: {error}.", "Delete its folder and run the same command again."
        ) from None


def _read_mapping(path: Path, needed: Sequence[str] = ()) -> dict[str, Any]:
    value = _read_json(path)
    if not isinstance(value, dict):
        raise _damaged(path, "expected a mapping of names to values")
    _check_keys(path, value, needed)
    return value


def _read_seconds(path: Path) -> dict[str, float]:
    seconds = _read_mapping(path)
    if not all(isinstance(value, int | float) for value in seconds.values()):
        raise _damaged(path, "expected seconds by phase")
    return seconds


def _check_keys(path: Path, value: Mapping[str, Any], needed: Sequence[str]) -> None:
    missing = [key for key in needed if key not in value]
    if missing:
        raise _damaged(path, f"'{missing[0]}' is missing")


def _at(record: Mapping[str, Any], name: str) -> Any:
    """The value at a dotted name, None where there is none."""
    value: Any = record
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path}: {reason}.", f"Delete {path.parent} and run the same command again.")
