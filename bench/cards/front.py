"""What folders with cards have in common: that they appear whole, and the metadata at the head of a card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.errors import ConfigError
from bench.schema.dialect import dump
from bench.support.places import make_folder, replacing

LICENCES = (
    *("apache-2.0", "mit", "bsd-3-clause", "gpl-3.0", "odc-by", "odbl", "cc0-1.0"),
    *("cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0"),
    *("cc-by-nc-4.0", "cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0"),
)
"""The Hub's names of common licences."""


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which appears at its place whole or not at all.

    Raises
    ------
    bench.errors.ConfigError
        If something is there already.
    bench.errors.UserError
        If nothing can be written there.
    """
    if os.path.lexists(target):
        raise ConfigError(f"There is already {target}.", "Name another place with --to, or remove it.")
    make_folder(target.parent)
    with replacing(target) as folder:
        folder.mkdir()
        yield folder


def licence_of(text: str) -> dict[str, str]:
    """What a card's metadata say of a licence.

    Examples
    --------
    >>> licence_of("CC-BY-4.0, by the card of the data"), licence_of("none stated"), licence_of("my terms")
    ({'license': 'cc-by-4.0'}, {'license': 'unknown'}, {'license': 'other', 'license_name': 'my terms'})
    """
    first = text.casefold().replace(",", " ").split()[:1]
    if first and first[0] in LICENCES:
        return {"license": first[0]}
    if not text or first in (["none"], ["not"], ["unknown"]):
        return {"license": "unknown"}
    return {"license": "other", "license_name": text}


def card(metadata: Mapping[str, object], *parts: str) -> str:
    """A card: its metadata, and its parts in Markdown."""
    body = "\n\n".join(part.strip() for part in parts if part.strip())
    return f"---\n{dump(dict(metadata), default_flow_style=False)}---\n\n{body}\n"
