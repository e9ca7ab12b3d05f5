"""What a user wrote, held against a model of pydantic; the one place where its errors become messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WrapValidator
from pydantic_core import ErrorDetails, PydanticCustomError

from bench.errors import ConfigError, UserError, nearest
from bench.schema.dialect import place_of

Checked = TypeVar("Checked", bound="Section")

EXPECTED = "expected"
"""The type of errors that say what was expected of a value."""

SAID = "said"
"""The type of errors that say what is wrong in words of their own."""


class Section(BaseModel):
    """A mapping that a user writes; keys that it does not declare are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


@dataclass(frozen=True)
class Place:
    """Where a mapping was written, for messages.

    Parameters
    ----------
    origin : object
        The file.
    prefix : str
        What stands before the mapping's keys.
    words : bool
        Whether its keys can be typed, and are named as they would be: ``search.trials=1.5``.
    missing : str or None
        What to do about a missing key.
    error : type
        The error that is raised.
    """

    origin: object
    prefix: str = ""
    words: bool = False
    missing: str | None = None
    error: type[UserError] = ConfigError


def check(kind: type[Checked], content: Mapping[Any, Any], place: Place) -> Checked:
    """Read a mapping as a section, or raise an error about the first thing that is wrong with it.

    Raises
    ------
    bench.errors.UserError
        If a key is unknown or missing, or a value is wrong. It names the file, the line as far as it is known, the key,
        what was expected and the nearest right name.
    """
    try:
        return kind.model_validate({str(key): value for key, value in content.items()})
    except ValidationError as error:
        raise _told(kind, content, place, min(error.errors(include_url=False), key=_rank)) from None


def expects(expected: str, hint: str | None = None) -> WrapValidator:
    """Say of a value that is refused what was expected."""

    def read(value: Any, handler: Callable[[Any], Any]) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise PydanticCustomError(EXPECTED, "{expected}", {"expected": expected, "hint": hint}) from None

    return WrapValidator(read)


def mapping(expected: str, hint: str | None = None) -> BeforeValidator:
    """Refuse what is neither a mapping nor null."""
    return _of_kind(Mapping | None, expected, hint)


def listed(expected: str, hint: str | None = None) -> BeforeValidator:
    """Refuse what is neither a list nor null."""
    return _of_kind(list | tuple | None, expected, hint)


def wrong(message: str, hint: str | None = None) -> PydanticCustomError:
    """Make an error about a value, in words of its own that follow its key."""
    return PydanticCustomError(SAID, "{message}", {"message": message, "hint": hint})


def _of_kind(kind: Any, expected: str, hint: str | None) -> BeforeValidator:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise PydanticCustomError(EXPECTED, "{expected}", {"expected": expected, "hint": hint})
        return list(value) if isinstance(value, tuple) else value

    return BeforeValidator(read)


def _rank(error: ErrorDetails) -> int:
    """Unknown keys first, since they may be others misspelt, then missing ones."""
    return {"extra_forbidden": 0, "missing": 1}.get(error["type"], 2)


def _told(kind: type[BaseModel], content: Mapping[Any, Any], place: Place, error: ErrorDetails) -> UserError:
    way = tuple(part for part in error["loc"] if not str(part).startswith(("[key]", "<")))  # tags of kinds: <hub>
    at = place_of(place.origin, content, *way)
    is_typed = place.words and at == str(place.origin) and error["type"] != "missing"
    where = "" if is_typed else f"{at}: "
    dotted = place.prefix + ".".join(map(str, way))
    named = dotted if place.words or "." in dotted else f"'{dotted}'"
    context = error.get("ctx", {})
    hint = context.get("hint")
    if error["type"] == "extra_forbidden":
        hint = nearest(str(way[-1]), _keys(kind, way[:-1]))
        return place.error(where + (f"{dotted}: unknown key." if place.words else f"unknown key '{dotted}'."), hint)
    if error["type"] == "missing":
        return place.error(f"{where}{named} is missing.", place.missing)
    if error["type"] == SAID:
        return place.error(f"{where}{named}: {context['message']}", hint)
    expected = context.get("expected", error["msg"])
    if place.words:
        given = json.dumps(error["input"], ensure_ascii=False, default=str)
        return place.error(f"{where}{dotted}={given}: expected {expected}.", hint)
    return place.error(f"{where}{named} must be {expected}, not {error['input']!r}.", hint)


def keys_of(kind: type[BaseModel]) -> list[str]:
    """The keys of a section, as they are written."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _keys(kind: type[BaseModel], way: tuple[int | str, ...]) -> list[str]:
    """The keys of the section that a way leads to."""
    names = [part for part in way if isinstance(part, str)]
    if not names:
        return keys_of(kind)
    field = next((field for name, field in kind.model_fields.items() if names[0] in (name, field.alias)), None)
    inner = [] if field is None else _sections(field.annotation)
    return [key for section in inner for key in _keys(section, tuple(names[1:]))]


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [section for part in get_args(annotation) for section in _sections(part)]
