"""When a stored run was last asked for: a command that reuses it makes it the latest one, as one that runs it does."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from bench.errors import UserError
from bench.results.files import is_stored, read_bytes, write_atomically
from bench.results.record import RunRecord

ASKED = ".asked"
"""The file in a run's folder with the moment of its last reuse. It is no part of the result, and is not exported."""


def note_reuse(run: Path) -> None:
    """Note that a command reuses a run now.

    Parameters
    ----------
    run : pathlib.Path
        The run's folder.
    """
    write_atomically(run / ASKED, f"{datetime.now(UTC).isoformat()}\n")


def last_asked(run: Path, record: RunRecord) -> str:
    """When a run was started or last reused, whichever is later, as ISO 8601 writes it.

    Parameters
    ----------
    run : pathlib.Path
        The run's folder.
    record : RunRecord
        What is stored of it.
    """
    if is_stored(run / ASKED):
        with suppress(UserError, ValueError, TypeError):
            text = read_bytes(run / ASKED).decode().strip()
            if datetime.fromisoformat(text) <= datetime.now(UTC):
                return max(record.started, text)
    return record.started
