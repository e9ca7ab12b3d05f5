"""JSON files of one value: an array of objects, or an object that holds a table in one of the usual ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.data.encodings import UTF_8
from bench.data.files import BYTE_ORDER_MARK, read_text
from bench.data.json_reading import parse_json, parse_json_array
from bench.data.sources.cells import Row
from bench.errors import DataError

LONGEST_REMARK = 3
"""The most words of a value that describes a table, such as its version, instead of being a text."""

KEY = "key"
"""The column of the keys of an object of objects."""

FEW_LABELS = 0.5
"""The most distinct values, as a share of the keys, for values to be labels of texts in the keys."""

LEAST_TEXTS = 10
"""The fewest keys for an object to be read as labels by text."""

FORMS = (
    "Rows can be an array of objects, an object of lists of one length, an object of objects by id, one list of "
    "objects under a key, or an object with a list of texts for each label."
)


def read_json_rows(path: Path, encoding: str = UTF_8) -> Sequence[Row]:
    """Read the rows of a JSON file, each with its place.

    Parameters
    ----------
    path : pathlib.Path
        The file: an array of objects; an object with a list a column; one with an object a column, by row, or a row, by
        id; one with ``columns`` and ``data``, as pandas writes it; one with a list of objects under one key, at any
        depth; one with a list of texts a label; or one with a label a text.
    encoding : str
        As Python calls it.

    Raises
    ------
    bench.errors.DataError
        If it is none of these.
    """
    text = read_text(path, encoding).removeprefix(BYTE_ORDER_MARK)
    if not text.lstrip().startswith("{"):
        return parse_json_array(text, path)
    content = parse_json(text, path)
    rows = _rows(content, path)
    if rows is None:
        raise DataError(f"{path}: it contains one JSON object without a table.", FORMS)
    return list(rows)


def keys_of_rows(path: Path, encoding: str = UTF_8) -> tuple[str, ...]:
    """The keys, from the outermost, under which a JSON file has its list of rows; empty if it is the whole file."""
    content = parse_json(read_text(path, encoding).removeprefix(BYTE_ORDER_MARK), path)
    listed = _list_of_objects(content) if isinstance(content, dict) and _kind(content) == "list" else None
    return listed or ()


def is_table(content: Any) -> bool:
    """Whether a JSON object contains a table."""
    return isinstance(content, dict) and _kind(content) is not None


def _kind(content: Mapping[str, object]) -> str | None:
    values = list(content.values())
    if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        return "split"
    if _list_of_objects(content) is not None:
        return "list"
    if _are_texts_by_label(content):
        return "texts"
    if _are_labels_by_text(content):
        return "labels"
    if len(values) > 1 and all(isinstance(value, list) for value in values):
        return "lists"
    if len(values) > 1 and all(isinstance(value, dict) for value in values):
        return "objects"
    return None


def _rows(content: Mapping[str, Any], path: Path) -> Iterator[Row] | None:
    match _kind(content):
        case "split":
            return _split(content, path)
        case "list":
            return _under(_list_of_objects(content) or (), content, path)
        case "texts":
            return _texts_by_label(content, path)
        case "labels":
            return _labels_by_text(content, path)
        case "lists":
            return _columns({name: list(values) for name, values in content.items()}, path)
        case "objects":
            return _objects(content, path)
    return None


def _list_of_objects(content: Mapping[str, object]) -> tuple[str, ...] | None:
    """The keys, from the outermost, under which objects are listed; None if there are several such lists.

    An object with a text of several words is a row, even if it has lists.
    """
    if any(isinstance(value, str) and len(value.split()) > LONGEST_REMARK for value in content.values()):
        return None
    lists = {key: value for key, value in content.items() if isinstance(value, list) and value}
    paths: list[tuple[str, ...]] = [
        (key,) for key, value in lists.items() if all(isinstance(item, dict) for item in value)
    ]
    # Lists of as many texts are columns beside a column of objects.
    if len(paths) == 1 and sum(len(value) == len(lists[paths[0][0]]) for value in lists.values()) > 2:
        return None
    inner = [value for value in content.values() if isinstance(value, dict)]
    if not paths and len(inner) == 1:
        key = next(key for key, value in content.items() if isinstance(value, dict))
        below = _list_of_objects(inner[0])
        paths = [] if below is None else [(key, *below)]
    return paths[0] if len(paths) == 1 else None


def _under(keys: Sequence[str], content: Mapping[str, object], path: Path) -> Iterator[Row]:
    rows: Any = content
    for key in keys:
        rows = rows[key]
    for number, row in enumerate(rows, start=1):
        yield f"{path}, item {number} of '{'.'.join(keys)}'", row


def _are_texts_by_label(content: Mapping[str, object]) -> bool:
    """Whether keys are labels, with a list of texts each: lists of different lengths are not columns."""
    lists = [value for value in content.values() if isinstance(value, list)]
    if len(lists) < len(content) or len({len(value) for value in lists}) < 2:
        return False
    texts = [text for value in lists for text in value]
    return all(isinstance(text, str) for text in texts) and sum(len(text.split()) for text in texts) >= 2 * len(texts)


def _texts_by_label(content: Mapping[str, Sequence[str]], path: Path) -> Iterator[Row]:
    for label, texts in content.items():
        for number, text in enumerate(texts, start=1):
            yield f"{path}, item {number} of '{label}'", {"text": text, "label": label}


def _are_labels_by_text(content: Mapping[str, object]) -> bool:
    """Whether keys are texts, each with one of a few labels."""
    labels = list(content.values())
    few = len({str(label) for label in labels}) <= FEW_LABELS * len(labels)
    texts = sum(len(key.split()) for key in content) >= 2 * len(content)
    return len(content) >= LEAST_TEXTS and texts and few and all(isinstance(label, str | int) for label in labels)


def _labels_by_text(content: Mapping[str, str | int], path: Path) -> Iterator[Row]:
    for number, (text, label) in enumerate(content.items(), start=1):
        yield f"{path}, key {number}", {"text": text, "label": label}


def _split(content: Mapping[str, Any], path: Path) -> Iterator[Row]:
    names = [str(name) for name in content["columns"]]
    for number, cells in enumerate(content["data"], start=1):
        if not isinstance(cells, list) or len(cells) != len(names):
            raise DataError(f"{path}, row {number} of 'data': expected a list of {len(names)} cells, as in 'columns'.")
        yield f"{path}, row {number}", dict(zip(names, cells, strict=True))


def _columns(columns: Mapping[str, list[Any]], path: Path) -> Iterator[Row]:
    lengths = {name: len(values) for name, values in columns.items()}
    unequal = len(set(lengths.values())) > 1
    of_objects = [bool(values) and isinstance(values[0], dict) for values in columns.values()]
    if all(of_objects) or (unequal and any(of_objects)):
        raise DataError(
            f"{path}: it contains several lists: {', '.join(columns)}.",
            "Save each list in its own file:\n"
            f"python -c \"import json; [json.dump(rows, open(name + '.json', 'x')) for name, rows in "
            f"json.load(open('{path}', encoding='utf-8')).items()]\"\n"
            "Then use one of them, or each part of a split, such as train.json.",
        )
    if unequal:
        counts = ", ".join(f"'{name}' has {length:,}" for name, length in lengths.items())
        raise DataError(
            f"{path}: its lists are not equally long: {counts}.",
            "Each list is a column, with all rows. If the keys are labels, write one object for each text.",
        )
    for number, cells in enumerate(zip(*columns.values(), strict=True), start=1):
        yield f"{path}, row {number}", dict(zip(columns, cells, strict=True))


def _objects(content: Mapping[str, Mapping[str, object]], path: Path) -> Iterator[Row]:
    """Rows by id, or columns by row: with more rows than columns, the keys that are more numerous are the rows."""
    inner = {key for value in content.values() for key in value}
    by_column = len(inner) > len(content) or (len(inner) == len(content) and all(key.isdigit() for key in inner))
    if not by_column:
        for key, row in content.items():
            yield f"{path}, key '{key}'", {KEY if "id" in row else "id": key, **row}
        return
    for name, values in content.items():
        if values.keys() != inner:
            lacking = next(key for key in inner if key not in values)
            raise DataError(f"{path}: '{name}' has no row '{lacking}', but other columns do.", FORMS)
    for key in next(iter(content.values())):
        yield f"{path}, row '{key}'", {name: values[key] for name, values in content.items()}
