"""What units return, as plain data: JSON with parts of bytes, which no reader runs code for.

Pickled objects would have whoever can answer in a worker's place run code in the process that reads them. Here a value
is one of Python's plain types, an array or frame, or one of bench's own dataclasses, and nothing else is made of it.
"""

from __future__ import annotations

import builtins
import importlib
import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any

from bench.engines.engine import error_in_words

OWN = re.compile(r"bench(\.[a-z_][a-z0-9_]*)+")
"""The modules whose dataclasses may be rebuilt."""

BUFFERS = "biufcmMSU"
"""The kinds of NumPy types whose arrays are plain bytes."""


class PlainError(Exception):
    """A value that is not plain data, or data that are not a value; the message describes it."""


def encode(value: Any) -> bytes:
    """Write a value as plain data.

    Parameters
    ----------
    value : object
        Of Python's plain types, NumPy's arrays and numbers, pandas' frames, series and indexes, and dataclasses of
        bench, nested at will.

    Raises
    ------
    PlainError
        If there is another kind of object in it.

    Examples
    --------
    >>> decode(encode({"a": (1, 0.5, float("inf"))}))
    {'a': (1, 0.5, inf)}
    """
    parts: list[bytes] = []
    tree = _Writer(parts).tree(value)
    head = json.dumps([tree, [len(part) for part in parts]], separators=(",", ":"), allow_nan=False).encode("ascii")
    return b"".join([len(head).to_bytes(8, "little"), head, *parts])


def decode(data: bytes) -> Any:
    """The value that `encode` wrote.

    Raises
    ------
    PlainError
        If the data are not such a value.
    """
    size = int.from_bytes(data[:8], "little")
    try:
        tree, lengths = json.loads(data[8 : 8 + size])
        parts, start = [], 8 + size
        for length in lengths:
            parts.append(data[start : start + length])
            start += length
        if start != len(data):
            raise PlainError("it is truncated, or continues after its end")
        return _Reader(parts).value(tree)
    except PlainError:
        raise
    except Exception as error:
        raise PlainError(f"{type(error).__name__}: {error}") from error


class _Writer:
    """Makes JSON of values, and appends the bytes of those that have many to a list."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def tree(self, value: Any) -> Any:
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind is list:
            return [self.tree(each) for each in value]
        if kind is tuple:
            return {"tuple": [self.tree(each) for each in value]}
        if kind in (set, frozenset):
            return {kind.__name__: [self.tree(each) for each in value]}
        if kind in (bytes, bytearray):
            return {"bytes": self._part(bytes(value))}
        if isinstance(value, PurePath):
            return {"path": str(value)}
        if is_dataclass(value) and not isinstance(value, type):
            return {"record": self._record(value)}
        if isinstance(value, Mapping):
            return {"dict": [[self.tree(key), self.tree(each)] for key, each in value.items()]}
        top = kind.__module__.partition(".")[0]
        if top == "numpy":
            return self._of_numpy(value)
        if top == "pandas":
            return self._of_pandas(value)
        raise PlainError(f"{kind.__name__} cannot be sent as plain data")

    def _part(self, data: bytes) -> int:
        self._parts.append(data)
        return len(self._parts) - 1

    def _record(self, value: Any) -> list[Any]:
        kind = type(value)
        if (
            not OWN.fullmatch(kind.__module__)
            or getattr(sys.modules[kind.__module__], kind.__qualname__, None) is not kind
        ):
            raise PlainError(f"{kind.__name__}, which is not a dataclass of bench, cannot be sent as plain data")
        content = {each.name: self.tree(getattr(value, each.name)) for each in fields(value)}
        return [kind.__module__, kind.__qualname__, content]

    def _of_numpy(self, value: Any) -> Any:
        import numpy as np

        if isinstance(value, np.generic):
            return {"number": self._of_numpy(np.asarray(value))}
        if type(value) is not np.ndarray:
            raise PlainError(f"numpy's {type(value).__name__} cannot be sent as plain data")
        if value.dtype.kind == "O":
            return {"objects": [list(value.shape), [self.tree(each) for each in value.ravel()]]}
        if value.dtype.kind not in BUFFERS:
            raise PlainError(f"an array of {value.dtype} cannot be sent as plain data")
        return {"array": [value.dtype.str, list(value.shape), self._part(value.tobytes())]}

    def _of_pandas(self, value: Any) -> Any:
        import pandas as pd

        if isinstance(value, pd.RangeIndex):
            return {"range": [value.start, value.stop, value.step, self.tree(value.name)]}
        if type(value) is pd.Index:
            return {"index": [self._column(value), self.tree(value.name)]}
        if type(value) is pd.Series:
            return {"series": [self._column(value), self.tree(value.index), self.tree(value.name)]}
        if type(value) is pd.DataFrame:
            columns = [self._column(value.iloc[:, place]) for place in range(value.shape[1])]
            return {"frame": [self.tree(value.columns), self.tree(value.index), columns]}
        raise PlainError(f"pandas' {type(value).__name__} cannot be sent as plain data")

    def _column(self, column: Any) -> Any:
        import numpy as np
        import pandas as pd

        if isinstance(column.dtype, np.dtype):
            return self._of_numpy(column.to_numpy())
        if isinstance(column.dtype, pd.StringDtype):
            given = column.dtype
            missing = "nan" if given.na_value is np.nan else "NA"
            return {"strings": [given.storage, missing, [None if pd.isna(each) else str(each) for each in column]]}
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes = column.cat.codes if isinstance(column, pd.Series) else pd.Series(column.codes)
            kept = column.dtype.categories
            return {"categories": [self._of_numpy(codes.to_numpy()), self.tree(kept), bool(column.dtype.ordered)]}
        raise PlainError(f"a column of {column.dtype} cannot be sent as plain data")


class _Reader:
    """Makes values of JSON and parts of bytes."""

    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    def value(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self.value(each) for each in tree]
        if not isinstance(tree, dict):
            return tree
        ((kind, given),) = tree.items()
        make: Callable[[Any], Any] | None = getattr(self, f"_{kind}", None) if kind in _KINDS else None
        if make is None:
            raise PlainError(f"unknown kind {kind!r} of plain data")
        return make(given)

    def _float(self, given: str) -> float:
        return float(given)

    def _tuple(self, given: list[Any]) -> tuple[Any, ...]:
        return tuple(self.value(each) for each in given)

    def _set(self, given: list[Any]) -> set[Any]:
        return {self.value(each) for each in given}

    def _frozenset(self, given: list[Any]) -> frozenset[Any]:
        return frozenset(self.value(each) for each in given)

    def _dict(self, given: list[Any]) -> dict[Any, Any]:
        return {self.value(key): self.value(each) for key, each in given}

    def _bytes(self, given: int) -> bytes:
        return self._parts[given]

    def _path(self, given: str) -> Any:
        from pathlib import Path

        return Path(given)

    def _record(self, given: list[Any]) -> Any:
        module, name, content = given
        if not OWN.fullmatch(module):
            raise PlainError(f"{module} is not a module of bench")
        kind = getattr(importlib.import_module(module), name, None)
        if not isinstance(kind, type) or not is_dataclass(kind) or kind.__module__ != module:
            raise PlainError(f"{module}.{name} is not a dataclass of bench")
        if {each.name for each in fields(kind)} != set(content):
            raise PlainError(f"the fields of {name} are not {', '.join(content)}")
        made = object.__new__(kind)
        for each, tree in content.items():
            object.__setattr__(made, each, self.value(tree))
        return made

    def _array(self, given: list[Any]) -> Any:
        import numpy as np

        kind, shape, part = given
        dtype = np.dtype(kind)
        if dtype.kind not in BUFFERS:
            raise PlainError(f"{kind} is not a type of plain arrays")
        return np.frombuffer(self._parts[part], dtype).reshape(shape).copy()

    def _number(self, given: Any) -> Any:
        return self.value(given)[()]

    def _objects(self, given: list[Any]) -> Any:
        import numpy as np

        shape, content = given
        made = np.empty(len(content), object)
        made[:] = [self.value(each) for each in content]
        return made.reshape(shape)

    def _strings(self, given: list[Any]) -> Any:
        import numpy as np
        import pandas as pd

        storage, missing, content = given
        return pd.array(content, dtype=pd.StringDtype(storage, na_value=np.nan if missing == "nan" else pd.NA))

    def _categories(self, given: list[Any]) -> Any:
        import pandas as pd

        codes, kept, ordered = given
        return pd.Categorical.from_codes(self.value(codes), self.value(kept), ordered=ordered)

    def _range(self, given: list[Any]) -> Any:
        import pandas as pd

        start, stop, step, name = given
        return pd.RangeIndex(start, stop, step, name=self.value(name))

    def _index(self, given: list[Any]) -> Any:
        import pandas as pd

        content, name = given
        values = self.value(content)
        return pd.Index(values, dtype=values.dtype, name=self.value(name))

    def _series(self, given: list[Any]) -> Any:
        import pandas as pd

        content, index, name = given
        values = self.value(content)
        return pd.Series(values, self.value(index), values.dtype, self.value(name))

    def _frame(self, given: list[Any]) -> Any:
        import pandas as pd

        columns, index, contents = given
        rows, made = self.value(index), dict[int, Any]()
        for place, content in enumerate(contents):
            values = self.value(content)
            made[place] = pd.Series(values, rows, values.dtype)
        frame = pd.DataFrame(made, index=rows)
        frame.columns = self.value(columns)
        return frame


_KINDS = (
    "float", "tuple", "set", "frozenset", "dict", "bytes", "path", "record", "array", "number", "objects", "strings",
    "categories", "range", "index", "series", "frame",
)  # fmt: skip


def encode_error(error: Exception) -> Any:
    """An exception as a plain value. `error_of` rebuilds it if it is one of Python's or of bench.errors."""
    from bench.errors import BenchError

    kind, told = type(error), error_in_words(error)
    given: Any = [error.message, error.hint] if isinstance(error, BenchError) else list(error.args)
    if kind.__module__ in ("builtins", "bench.errors"):
        with suppress(PlainError):
            encode(given)
            return [kind.__module__, kind.__name__, given, told]
    return [None, None, None, told]


def error_of(given: Any) -> Exception | None:
    """The exception that `encode_error` wrote; None if only its text is known."""
    module, name, args, _ = given
    if module is None:
        return None
    import bench.errors

    kind = getattr({"builtins": builtins, "bench.errors": bench.errors}[module], name, None)
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        return None
    try:
        return kind(*args)
    except Exception:
        return None
