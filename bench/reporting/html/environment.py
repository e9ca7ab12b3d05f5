"""What turns templates into pages."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.reporting.comparison import p_value
from bench.reporting.html.errors import direction

TEMPLATES = Path(__file__).parent / "templates"


def template_environment() -> Environment:
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


def page_parts(*scripts: str) -> dict[str, object]:
    """What a template needs of the files beside it: the style, its scripts as one, and the hash that allows them."""
    script = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in scripts)
    return {
        "style": Markup((TEMPLATES / "style.css").read_text(encoding="utf-8")),
        "script": Markup(script),
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    }


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".replace("-", "\u2212")


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\u2212")


def _share(value: float) -> str:
    return f"{value:+.3g}".replace("-", "\u2212")
