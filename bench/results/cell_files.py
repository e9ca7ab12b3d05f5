"""The files of a cell's folder."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import UserError, without_halves
from bench.metrics.outcomes import VALUE
from bench.results.cell import CellRecord, CellResult, Explanation
from bench.results.files import is_stored, read_bytes, read_record, to_json
from bench.support.delimiters import CsvReader
from bench.support.json_writing import spelled
from bench.support.records import Count, Number, plain

if TYPE_CHECKING:
    import pandas as pd

TEXT = ("id", "group", "label", "predicted")
"""The text columns of predictions, apart from the value over which a metric may be averaged."""

PROCESSORS = "processors.json"
"""The file that says where a cell's fits ran."""

MODEL = "model.skops"
"""The file of a fitted model."""


def read_predictions(path: Path) -> pd.DataFrame:
    """Read a cell's predictions, text columns as text and the rest as float64.

    Raises
    ------
    bench.errors.UserError
        If the file is not a table of predictions.
    """
    import pandas as pd

    content = read_bytes(path)
    try:
        text = io.StringIO(content.decode(), newline="")
        columns, *rows = CsvReader(text, quoting=csv.QUOTE_NONNUMERIC)
        if any(len(row) != len(columns) for row in rows):
            raise ValueError(f"expected {len(columns)} values in each row")
        _check_columns(columns, rows)
    except (ValueError, csv.Error) as error:
        reason = error if content else "the file is empty"
        raise UserError(
            f"{path}: not readable as predictions: {reason}.",
            f"Delete {path.parent} and run the same command again.",
        ) from None
    return pd.DataFrame(rows, columns=columns)


def _check_columns(columns: Sequence[str], rows: Sequence[Sequence[str | float]]) -> None:
    """Raise a ValueError if columns are missing, repeated or invalid."""
    for name in TEXT:
        if name not in columns:
            raise ValueError(f"the column '{name}' is missing")
    if len(set(columns)) < len(columns):
        raise ValueError("a column is repeated")
    for name, values in zip(columns, zip(*rows, strict=True), strict=False):
        kind = str if name in (*TEXT, VALUE) else float
        if any(type(value) is not kind for value in values):
            raise ValueError(f"the column '{name}' has values other than {'text' if kind is str else 'numbers'}")
        if name.startswith("p_") and any(value < 0 or value > 1 + 1e-6 for value in values):
            raise ValueError(f"the column '{name}' has values other than probabilities")


def cell_files(result: CellResult) -> dict[str, bytes]:
    """The content of a cell's folder, by file name."""
    predictions = None if result.predictions is None else _to_csv(result.predictions)
    stored = CellRecord(
        fold=result.fold,
        status=result.status,
        params=spelled(result.params),
        inner_score=result.inner_score,
        trials=tuple(replace(trial, params=spelled(trial.params)) for trial in result.trials),
        scores=result.scores,
        notes=tuple(result.notes),
        predictions_sha256=None if predictions is None else hashlib.sha256(predictions).hexdigest(),
    )
    files = {"result.json": to_json(plain(stored)).encode(), "timing.json": to_json(result.seconds).encode()}
    if result.processors:
        files[PROCESSORS] = to_json(result.processors).encode()
    if predictions is not None:
        files["predictions.csv"] = predictions
    if result.explanations:
        files["explanations.json"] = to_json([plain(each) for each in result.explanations]).encode()
    if result.error is not None:
        files["error.txt"] = without_halves(result.error).encode()
    if result.estimator is not None:
        files[MODEL] = result.estimator
    return files


def _to_csv(frame: pd.DataFrame) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(frame.columns)
    writer.writerows(zip(*(frame[name].tolist() for name in frame.columns), strict=True))
    return text.getvalue().encode()


def read_seconds_by_phase(path: Path) -> Mapping[str, float]:
    """Read ``timing.json``."""
    return read_record(dict[str, Number], path)


def read_processors(path: Path) -> Mapping[str, int]:
    """Read ``processors.json``; runs of earlier releases have none."""
    return read_record(dict[str, Count], path) if is_stored(path) else {}


def read_explanations(path: Path) -> list[Explanation]:
    """Read ``explanations.json``; empty if there is none."""
    return read_record(list[Explanation], path) if is_stored(path) else []
