"""The class names that Parquet files of the ``datasets`` library store for their codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """Return the names of each column of classes, by their codes, from the metadata of a file's schema.

    Examples
    --------
    >>> features = b'{"info": {"features": {"label": {"names": ["no", "yes"], "_type": "ClassLabel"}}}}'
    >>> class_names({b"huggingface": features}), class_names({b"huggingface": b"?"}), class_names(None)
    ({'label': ['no', 'yes']}, {}, {})
    """
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):  # metadata of another program
        return {}


def class_names_of(path: Path) -> dict[str, list[str]]:
    """Return the names of each column of classes of a Parquet file."""
    import pyarrow.parquet as pq

    return class_names(pq.read_schema(path).metadata)


def named_class(code: Any, names: list[str]) -> Any:
    """Return the name for a code, None for a negative code, and any other value unchanged.

    Examples
    --------
    >>> named_class(1, ["no", "yes"]), named_class(-1, ["no", "yes"]), named_class(7, ["no", "yes"])
    ('yes', None, 7)
    """
    if not isinstance(code, int) or isinstance(code, bool) or code >= len(names):
        return code
    return names[code] if code >= 0 else None
