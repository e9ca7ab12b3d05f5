"""What was typed as ``key=value``, in Hydra's grammar."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from bench.discovery import config_files, model_names, task_files
from bench.errors import ConfigError
from bench.support.typed import Typed

GROUPS = ("search", "validation", "execution")
"""Configuration groups of which a run has one each."""

TRAIN_ON = "train_on"
"""The key of another task to train on; a configuration need not have it."""

MULTIPLE = ("task", "model")
"""Groups of which a run takes one, several or all."""


def parse_overrides(words: Sequence[str], multiple: Sequence[str] = MULTIPLE) -> dict[str, Any]:
    """Read ``key=value`` words in Hydra's grammar; a comma list gives a list.

    Parameters
    ----------
    words : sequence of str
        The words.
    multiple : sequence of str
        The keys that take a comma list.

    Raises
    ------
    bench.errors.ConfigError
        If a word is not of that form, or a key that takes one value is given several.

    Examples
    --------
    >>> parse_overrides(["task=stance", "model=logreg,linear-svm", "seed=3"])
    {'task': 'stance', 'model': ['logreg', 'linear-svm'], 'seed': 3}
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import ChoiceSweep
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    values: dict[str, Any] = {}
    for word in words:
        typed = Typed.of(word)
        try:
            parsed = parser.parse_override(typed.word)
        except HydraException:
            parsed = None
        if parsed is None or not parsed.key_or_group:
            raise ConfigError(
                f"'{word}' is not of the form key=value.",
                meant(word)
                or "For example: task=stance search=quick seed=3. Quote what is more than letters, digits and "
                "./-_+%@, twice for the shell: \"results='my runs'\"",
            )
        key, value = typed.decoded(parsed.key_or_group), parsed.value()
        if parsed.package is not None or parsed.is_add():
            raise ConfigError(f"'{word}': keys are written as they are, without + or @.", "For example: seed=3")
        if key in values:
            raise ConfigError(f"'{word}': {key} is given twice.", "Give each key once.")
        if not parsed.is_sweep_override():
            if parsed.is_delete():
                raise ConfigError(f"'{word}': keys cannot be deleted.", f"Set {key} to null instead.")
            values[key] = _unquoted(value, typed)
        elif key not in multiple:
            raise ConfigError(f"'{word}': {key} takes one value.", f"Only {' and '.join(multiple)} take a comma list.")
        elif not isinstance(value, ChoiceSweep):
            raise ConfigError(f"'{word}': {key} takes one name, a comma list, or all.")
        else:
            values[key] = [str(_unquoted(name, typed)) for name in value.list]
    for key in values:
        for other in values:
            if other.startswith(f"{key}.") and key not in (*GROUPS, *MULTIPLE, TRAIN_ON):
                raise ConfigError(
                    f"{key} and {other} are both given.", f"Write all of it in {key}, or set parts of it."
                )
    return values


def meant(word: str) -> str | None:
    """Say which ``key=value`` a word by itself was meant for, None where it is near no name.

    Examples
    --------
    >>> meant("stance"), meant("logrge")
    ("Did you mean 'task=stance'?", "Did you mean 'model=logreg'?")
    """
    names = {"task": list(task_files()), "model": model_names(), "search": list(config_files("search"))}
    for key, known in names.items():
        if word in known:
            return f"Did you mean '{key}={word}'?"
    if "=" in word or not word.isascii():
        return None
    by_name = {name: key for key, known in reversed(names.items()) for name in known}
    near = difflib.get_close_matches(word, by_name, n=1, cutoff=0.6)
    return f"Did you mean '{by_name[near[0]]}={near[0]}'?" if near else None


def _unquoted(value: Any, typed: Typed) -> Any:
    if isinstance(value, list):
        return [_unquoted(item, typed) for item in value]
    if isinstance(value, dict):
        return {typed.decoded(str(key)): _unquoted(item, typed) for key, item in value.items()}
    return typed.decoded(value.text if hasattr(value, "text") else value)
