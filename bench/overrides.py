"""Overrides typed as ``key=value``, with values in the dialect of `bench.schema.dialect`."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from typing import Any

from bench.discovery import config_files, model_names, task_names
from bench.errors import ConfigError

GROUPS = ("search", "validation", "execution")
"""Configuration groups with one choice in a run."""

TRAIN_ON = "train_on"
"""The optional key of a task with extra training rows."""

MULTIPLE = ("task", "model")
"""Groups with one, several or all choices in a run."""

SINGLE = ("seed", "search")
"""Keys whose values have no commas, so that several were meant where there is one."""

BREAKS = re.compile("[\x7f-\xa0\u2028\u2029\ufeff]")
"""Characters in a quoted text that YAML takes for the end of a line, or leaves out."""


def parse_overrides(words: Sequence[str], multiple: Sequence[str] = MULTIPLE) -> dict[str, object]:
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
        If a word has another form, or a key with one value gets several.

    Examples
    --------
    >>> parse_overrides(["task=stance", "model=logreg,linear-svm", "seed=3"])
    {'task': 'stance', 'model': ['logreg', 'linear-svm'], 'seed': 3}
    >>> parse_overrides(["results=my runs", "train_on.labels={تأييد: agree}"])
    {'results': 'my runs', 'train_on.labels': {'تأييد': 'agree'}}
    """
    from bench.schema.dialect import split_list

    values: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if key.startswith("~"):
            raise ConfigError(f"'{word}': ~key is not supported.", f"Set {key[1:] or 'the key'} to null instead.")
        if key.startswith("+") or "@" in key.partition(".")[0]:
            raise ConfigError(f"'{word}': write keys without + or @.", "For example: seed=3")
        if not equals or not key.strip() or key.startswith("-"):
            raise ConfigError(f"'{word}' is not of the form key=value.", meant(word) or _FORM)
        if key in values:
            raise ConfigError(f"'{word}': {key} is repeated.", "Give each key once.")
        parts = split_list(text)
        if len(parts) > 1 and key not in multiple:
            *others, last = multiple
            named = f"{', '.join(others)} and {last}" if others else last
            hint = f"Only {named} take a comma list. " + (
                f"Give one {key} a command."
                if key in SINGLE
                else f"Quote a text with a comma twice: \"{key}='{text}'\""
            )
            raise ConfigError(f"'{word}': {key} takes one value.", hint)
        if len(parts) > 1 and "" in parts:
            raise ConfigError(f"'{word}' is not of the form key=value.", "A value is missing before or after a comma.")
        read = [_read(part, word) for part in parts]
        names = list(map(str, read)) if key in MULTIPLE else read
        values[key] = names if len(parts) > 1 else read[0]
    for key in values:
        for other in values:
            if other.startswith(f"{key}.") and key not in (*GROUPS, *MULTIPLE, TRAIN_ON):
                raise ConfigError(f"{key} and {other} are both set.", f"Set all of {key} at once, or only parts of it.")
    return values


def chosen_seeds(seed: Sequence[int], seeds: int | None) -> tuple[int, ...]:
    """The seeds that ``seed=`` lists, or that ``seeds=`` counts from 0; empty without both.

    Raises
    ------
    bench.errors.ConfigError
        If both are given.

    Examples
    --------
    >>> chosen_seeds([3, 5], None), chosen_seeds([], 3), chosen_seeds([], None)
    ((3, 5), (0, 1, 2), ())
    """
    if seeds is not None and seed:
        raise ConfigError("seed and seeds are both set.", f"seeds={seeds} is seed={','.join(map(str, range(seeds)))}.")
    return tuple(seed) if seeds is None else tuple(range(seeds))


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
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    escaped = BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return f"{key}={escaped}"


def meant(word: str) -> str | None:
    """Suggest the ``key=value`` that a single word may mean; None if no name is similar.

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
            "A value that starts with a bracket or a quote is YAML: [a, b], {a: b}, 'a b'. Other text needs no quotes.",
        ) from None
