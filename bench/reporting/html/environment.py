"""What turns templates into pages."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.reporting.comparison import p_value
from bench.reporting.html.errors import direction

TEMPLATES = Path(__file__).parent / "templates"


def environment() -> Environment:
    """The templates with the filters that they use; everything is escaped."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"direction": direction, "score": _score, "signed": _signed, "share": _share, "p": p_value}
    return made


def script_hash(script: str) -> str:
    """The hash by which a page's policy allows its script."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".replace("-", "\u2212")


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\u2212")


def _share(value: float) -> str:
    return f"{value:+.3g}".replace("-", "\u2212")
