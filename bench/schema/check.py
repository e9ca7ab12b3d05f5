"""Validate user input against pydantic models; the only place where pydantic errors become messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from bench.errors import ConfigError, UserError, nearest, without_halves
from bench.schema.dialect import place_of

Checked = TypeVar("Checked", bound="Declared")

SAID = "said"
"""The type of errors with a message of their own."""

_OF_TYPE = {"model_type": "a mapping", "dict_type": "a mapping", "list_type": "a list"}
"""Descriptions of expected values for types without one."""


class Declared(BaseModel):
    """A mapping that a user writes; undeclared keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    tag: ClassVar[str] = ""
    """The tag that distinguishes it from alternatives: a name after NUL, which no key in a file contains."""

    form: ClassVar[str | None] = None
    """Its form, as the hint for a missing key."""


@dataclass(frozen=True)
class Place:
    """Where a mapping was written, for messages.

    Parameters
    ----------
    origin : object
        The file.
    prefix : str
        The prefix of the mapping's keys.
    words : bool
        Whether its keys can be typed on the command line and are shown in that form: ``search.trials=1.5``.
    missing : str or None
        What to do about a missing key.
    error : type
        The class of the error to raise.
    """

    origin: object
    prefix: str = ""
    words: bool = False
    missing: str | None = None
    error: type[UserError] = ConfigError


def check(kind: type[Checked], content: Mapping[Any, Any], place: Place) -> Checked:
    """Read a mapping as a section, or raise an error about the first problem.

    Raises
    ------
    bench.errors.UserError
        If a key is unknown or missing, or a value is wrong. It names the file, the line if known, the key,
        the expected value and the nearest valid name.
    """
    try:
        return kind.model_validate(_plain(content))
    except ValidationError as error:
        raise _told(kind, content, place, min(error.errors(include_url=False), key=_rank)) from None


def expects(expected: str, hint: str | None = None) -> WrapValidator:
    """Declare the description of a value for error messages."""

    def read(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise unexpected(expected, hint) from None

    return WrapValidator(read)


def unexpected(expected: str, hint: str | None = None) -> PydanticCustomError:
    """Make an error with a description of the expected value."""
    return PydanticCustomError("expected", "{expected}", {"expected": expected, "hint": hint})


def mapping(expected: str, hint: str | None = None) -> BeforeValidator:
    """Reject anything but a mapping or null."""
    return _of_kind(Mapping | None, expected, hint)


def listing(expected: str, hint: str | None = None) -> BeforeValidator:
    """Reject anything but a list or null."""
    return _of_kind(list | tuple | None, expected, hint)


def wrong(message: str, hint: str | None = None, *below: str) -> PydanticCustomError:
    """Make an error about a value, or a key below it, with a message that follows its name."""
    return PydanticCustomError(SAID, "{message}", {"message": message, "hint": hint, "below": below})


def _plain(value: Any) -> Any:
    """Convert mappings and lists from code to the types that YAML yields."""
    if isinstance(value, Mapping):
        return {without_halves(str(key)): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _of_kind(kind: Any, expected: str, hint: str | None) -> BeforeValidator:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise unexpected(expected, hint)
        return value

    return BeforeValidator(read)


def _rank(error: ErrorDetails) -> int:
    """Sort unknown keys, which may be misspellings, before missing ones."""
    return {"extra_forbidden": 0, "missing": 1}.get(error["type"], 2)


def _told(kind: type[Declared], content: Mapping[Any, Any], place: Place, error: ErrorDetails) -> UserError:
    context = error.get("ctx", {})
    loc = (*error["loc"], *context.get("below", ()))
    way = tuple(part for part in loc if not _is_tag(part))
    at = place_of(place.origin, content, *way)
    where = "" if place.words and at == str(place.origin) and error["type"] != "missing" else f"{at}: "
    if place.words:
        way = tuple(part for part in way if isinstance(part, str))
    items = max((number for number, part in enumerate(way, 1) if isinstance(part, int)), default=0)
    if 0 < items < len(way):
        where, way = f"{where}{_named(way[:items])}: ", way[items:]
    named = place.prefix + _named(way)
    quoted = named if place.words or len(way) > 1 or items == len(way) else f"'{named}'"
    hint = context.get("hint")
    if error["type"] == "extra_forbidden":
        keys = [key for section in _sections_at(kind, loc[:-1]) for key in keys_of(section)]
        hint = nearest(str(way[-1]), keys)
        return place.error(where + (f"{named}: unknown key." if place.words else f"unknown key '{named}'."), hint)
    if error["type"] == "missing":
        forms = [section.form for section in _sections_at(kind, loc[:-1]) if section.form]
        return place.error(f"{where}{quoted} is missing.", next(iter(forms), place.missing))
    if error["type"] == SAID:
        return place.error(f"{where}{quoted}{context['message']}", hint)
    expected = context.get("expected", _OF_TYPE.get(error["type"], error["msg"]))
    if place.words:
        given = json.dumps(error["input"], ensure_ascii=False, default=str)
        return place.error(f"{where}{named}={given}: expected {expected}.", hint)
    return place.error(f"{where}{quoted} must be {expected}, not {error['input']!r}.", hint)


def _is_tag(part: int | str) -> bool:
    """Whether a part of an error's location is not a key but the tag of an alternative section."""
    return isinstance(part, str) and part.startswith("\0")


def _named(way: Sequence[int | str]) -> str:
    """Format a location.

    Examples
    --------
    >>> _named(("source", "columns", "text")), _named(("published", 0))
    ('source.columns.text', 'published, item 1')
    """
    named = ".".join(str(part) if isinstance(part, str) else f"\0{part + 1}" for part in way)
    return named.replace(".\0", ", item ")


def keys_of(kind: type[BaseModel]) -> list[str]:
    """The keys of a section, as they are written."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _sections_at(kind: type[Declared], loc: Sequence[int | str]) -> list[type[Declared]]:
    """The sections that an error's location leads to; several if it does not say which one was read."""
    found = [kind]
    for part in loc:
        if isinstance(part, int):
            continue
        if _is_tag(part):
            found = [section for section in found if section.tag == part] or found
        else:
            fields = [section.model_fields.items() for section in found]
            inner = [field.annotation for known in fields for name, field in known if part in (name, field.alias)]
            found = [section for annotation in inner for section in _sections(annotation)]
    return found


def _sections(annotation: Any) -> list[type[Declared]]:
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
