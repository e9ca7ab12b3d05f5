"""What was typed as ``key=value``, with the value in the dialect of `bench.schema.dialect`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from typing import Any

from bench.discovery import config_files, model_names, task_names
from bench.errors import ConfigError

GROUPS = ("search", "validation", "execution")
"""Configuration groups of which a run has one each."""

TRAIN_ON = "train_on"
"""The key of another task to train on; a configuration need not have it."""

MULTIPLE = ("task", "model")
"""Groups of which a run takes one, several or all."""


def parse_overrides(words: Sequence[str], multiple: Sequence[str] = MULTIPLE) -> dict[str, Any]:
    """Read ``key=value`` words; a comma list gives a list.

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
    >>> parse_overrides(["results=my runs", "train_on.labels={تأييد: agree}"])
    {'results': 'my runs', 'train_on.labels': {'تأييد': 'agree'}}
    """
    from bench.schema.dialect import split_list

    values: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if key.startswith("~"):
            raise ConfigError(f"'{word}': keys cannot be deleted.", f"Set {key[1:] or 'the key'} to null instead.")
        if key.startswith("+") or "@" in key.partition(".")[0]:
            raise ConfigError(f"'{word}': keys are written as they are, without + or @.", "For example: seed=3")
        if not equals or not key.strip() or key.startswith("-"):
            raise ConfigError(f"'{word}' is not of the form key=value.", meant(word) or _FORM)
        if key in values:
            raise ConfigError(f"'{word}': {key} is given twice.", "Give each key once.")
        parts = split_list(text)
        if len(parts) > 1 and key not in multiple:
            named = " and ".join(multiple)
            hint = f"Only {named} take a comma list; a text with a comma is quoted twice: \"{key}='{text}'\""
            raise ConfigError(f"'{word}': {key} takes one value.", hint)
        if len(parts) > 1 and "" in parts:
            raise ConfigError(f"'{word}' is not of the form key=value.", "A value is missing beside a comma.")
        read = [_read(part, word) for part in parts]
        names = list(map(str, read)) if key in MULTIPLE else read
        values[key] = names if len(parts) > 1 else read[0]
    for key in values:
        for other in values:
            if other.startswith(f"{key}.") and key not in (*GROUPS, *MULTIPLE, TRAIN_ON):
                raise ConfigError(
                    f"{key} and {other} are both given.", f"Write all of it in {key}, or set parts of it."
                )
    return values


def spell(key: str, value: Any) -> str:
    """Write a value as a ``key=value`` word that `parse_overrides` reads as the same value.

    Examples
    --------
    >>> spell("model", ["logreg", "linear-svm"]), spell("search.trials", 20), spell("results", "my, runs")
    ('model=logreg,linear-svm', 'search.trials=20', 'results="my, runs"')
    """
    if key in MULTIPLE and isinstance(value, list | tuple):
        return f"{key}={','.join(map(str, value))}"
    if isinstance(value, str):
        plain = f"{key}={value}"
        try:
            if parse_overrides([plain]) == {key: value}:
                return plain
        except ConfigError:
            pass
    return f"{key}={json.dumps(value, ensure_ascii=False, allow_nan=False)}"


def meant(word: str) -> str | None:
    """Say which ``key=value`` a word by itself was meant for, None where it is near no name.

    Examples
    --------
    >>> meant("stance"), meant("logrge")
    ("Did you mean 'task=stance'?", "Did you mean 'model=logreg'?")
    """
    names = {"task": task_names(), "model": model_names(), "search": list(config_files("search"))}
    for key, known in names.items():
        if word in known:
            return f"Did you mean '{key}={word}'?"
    if "=" in word or not word.isascii():
        return None
    by_name = {name: key for key, known in reversed(names.items()) for name in known}
    near = difflib.get_close_matches(word, by_name, n=1, cutoff=0.6)
    return f"Did you mean '{by_name[near[0]]}={near[0]}'?" if near else None


_FORM = "For example: task=stance search=quick seed=3"


def _read(text: str, word: str) -> Any:
    from bench.schema.dialect import parse_value

    try:
        return parse_value(text)
    except ValueError as error:
        raise ConfigError(
            f"'{word}' cannot be read: {error}.",
            "What begins with a bracket or a quote is YAML: [a, b], {a: b}, 'a b'. Other text is typed as it is.",
        ) from None
