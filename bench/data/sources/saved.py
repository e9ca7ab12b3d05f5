"""Rows of data sets of `datasets`, in memory or saved in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.data.messages import listed
from bench.errors import DataError, first_line


def saved_rows(path: Path) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the rows of a folder that ``Dataset.save_to_disk`` wrote, as `rows_of_split` does.

    Raises
    ------
    bench.errors.DataError
        If it is not such a folder.
    """
    import datasets

    try:
        saved = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = first_line(error).rstrip(".")
        raise DataError(f"{path}: `datasets` cannot load it from disk: {why}.") from error
    if isinstance(saved, datasets.DatasetDict):
        raise DataError(f"{path}: it contains {listed(list(saved))}.", "List the folder of each part in source.path.")
    yield from rows_of_split(saved, str(path))


def rows_of_split(split: Any, name: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yield the rows of a `datasets.Dataset`, each with its place, with class names instead of codes."""
    classes = {column: kind for column, kind in split.features.items() if hasattr(kind, "int2str")}
    for number, row in enumerate(split, start=1):
        for column, kind in classes.items():
            code = row[column]
            row[column] = None if code is None or code < 0 else kind.int2str(code)
        yield f"{name}, row {number}", row
