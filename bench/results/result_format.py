"""The version of the format of stored runs, and the key that it is part of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.results.files import read_record

FORMAT = 6
"""The version of the result format; raised with changes that alter scores or the content of files."""


@dataclass(frozen=True)
class _Form:
    """The fields of ``run.json`` for checking that it is readable, and for the rerun command."""

    format: Any = None
    command: Any = None


class OtherFormatError(UserError):
    """A run was stored by another version of bench."""


def run_key(identity: Mapping[str, object]) -> str:
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


def check_format(record: Path) -> None:
    """Raise an OtherFormatError if a ``run.json`` is in another version of the result format.

    Parameters
    ----------
    record : Path
        The file.
    """
    form = read_record(_Form, record)
    if form.format != FORMAT:
        raise OtherFormatError(
            f"{record.parent}: the run was stored by another version of bench (format {form.format}, this one writes "
            f"{FORMAT}).",
            f"Rerun it{f': {form.command}' if form.command else '.'}",
        )
