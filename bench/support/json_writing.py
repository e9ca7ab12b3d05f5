"""JSON that every reader takes: UTF-8, without NaN, infinities and halves of surrogate pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, time
from pathlib import Path
from typing import Any

from bench.errors import without_halves


def json_text(
    value: Any, *, indent: int | None = None, sort_keys: bool = False, compact: bool = False, any_kind: bool = False
) -> str:
    r"""Write a value as JSON; text stays as it is, and floats keep every bit.

    A number without a JSON form becomes ``null``. Half of a surrogate pair, invalid in UTF-8, is escaped.

    Parameters
    ----------
    value : object
        Plain data, perhaps with NumPy's numbers and arrays, tuples and paths.
    indent : int, optional
        Spaces for each level; None writes one line.
    sort_keys : bool
        Whether keys are sorted.
    compact : bool
        Whether to omit spaces between the parts.
    any_kind : bool
        Whether to write other values, such as dates, as text instead of raising an error.

    Raises
    ------
    TypeError
        If the value contains anything but plain data.

    Examples
    --------
    >>> json_text({"score": float("nan"), "note": "caf\udce9"})
    '{"score": null, "note": "caf\\\\udce9"}'
    """
    return json.dumps(
        _plain(value, any_kind),
        indent=indent,
        sort_keys=sort_keys,
        separators=(",", ":") if compact else None,
        ensure_ascii=False,
        allow_nan=False,
    )


def plain_text(value: Any) -> str:
    """A value as text; dates and times as ISO 8601 writes them.

    Examples
    --------
    >>> plain_text(date(2024, 5, 3)), plain_text(7)
    ('2024-05-03', '7')
    """
    return value.isoformat() if isinstance(value, date | time) else str(value)


def spelled(value: Any) -> Any:
    """Spell out numbers of a setting without a JSON form, such as ``inf``, so that the setting is preserved.

    Examples
    --------
    >>> spelled({"C": float("inf"), "classes": [1.0, None]})
    {'C': 'inf', 'classes': [1.0, None]}
    """
    if isinstance(value, Mapping):
        return {key: spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [spelled(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any, any_kind: bool) -> Any:
    if isinstance(value, str):
        return without_halves(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_key(key, any_kind): _plain(item, any_kind) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, any_kind) for item in value]
    if isinstance(value, Path):
        return without_halves(str(value))
    # NumPy's scalars and arrays, without importing NumPy if there are none.
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return _plain(value.tolist(), any_kind)
    if any_kind:
        return without_halves(plain_text(value))
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


def _key(key: Any, any_kind: bool) -> Any:
    return without_halves(key) if isinstance(key, str) else _plain(key, any_kind)
