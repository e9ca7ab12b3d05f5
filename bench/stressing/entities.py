"""Perturbations of content: numbers, places and names replaced by others of their kind."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.schema.dialect import read_file
from bench.stressing.perturbation import MARKS, replaced

LISTS = Path(__file__).with_name("entities.yaml")
"""The lists of places, names and number words."""

_ARTICLE = "ال"
_DIGITS = re.compile("[0-9]+|[\u0660-\u0669]+|[\u06f0-\u06f9]+")
_LAST_DAY = 31
_YEARS = range(1990, 2030)


@dataclass(frozen=True)
class _Lists:
    """Words that replace each other, with the pattern that finds them behind a prefix."""

    others: dict[str, Sequence[str]]
    pattern: re.Pattern[str]


@cache
def _lists(kind: str) -> _Lists:
    others = {
        form: forms for words in read_file(LISTS)[kind] for forms in (words, _behind_lam(words)) for form in forms
    }
    longest_first = "|".join(map(re.escape, sorted(others, key=lambda word: (-len(word), word))))
    pattern = re.compile(rf"(?<![\w{MARKS}])(?P<prefix>[وف]?[بلك]?)(?P<word>{longest_first})(?![\w{MARKS}])")
    return _Lists(others, pattern)


def _behind_lam(words: Sequence[str]) -> list[str]:
    """Words with the article behind the preposition lam, which are written with two lams, and the others behind it."""
    if not any(word.startswith(_ARTICLE) for word in words):
        return []
    return [f"ل{word.removeprefix('ا') if word.startswith(_ARTICLE) else word}" for word in words]


def _swap(text: str, kind: str, rng: random.Random) -> str:
    """Replace each word of a kind; one word by the same other one wherever it stands in the text."""
    lists = _lists(kind)
    chosen: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        word, prefix = found["word"], found["prefix"]
        if word not in chosen:
            chosen[word] = rng.choice([each for each in lists.others[word] if each != word])
        new = chosen[word]
        # Lam and the article are written as two lams.
        return prefix + (new.removeprefix("ا") if prefix.endswith("ل") and new.startswith(_ARTICLE) else new)

    return lists.pattern.sub(other, text)


def swap_places(text: str, rng: random.Random) -> str:
    """Replace countries and cities by others.

    Examples
    --------
    >>> swap_places("للعراق وبلبنان", random.Random(0))
    'للمغرب وبأرمينيا'
    """
    return _swap(text, "places", rng)


def swap_names(text: str, rng: random.Random) -> str:
    """Replace first names of persons by others."""
    return _swap(text, "names", rng)


def swap_numbers(text: str, rng: random.Random) -> str:
    """Replace numbers in digits by others of the same length, and number words by others.

    Years stay years, and numbers that may be a day of a month do too.
    """
    return _swap(_swap_digits(text, rng), "numbers", rng)


def _swap_digits(text: str, rng: random.Random) -> str:
    return replaced(text, [(*found.span(), _other_number(found[0], rng)) for found in _DIGITS.finditer(text)])


def _other_number(digits: str, rng: random.Random) -> str:
    values = [int(digit) for digit in digits]
    zero = ord(digits[0]) - values[0]
    new = values
    while new == values:
        new = _drawn(values, rng)
    return "".join(chr(zero + value) for value in new)


def _drawn(values: Sequence[int], rng: random.Random) -> list[int]:
    """Digits of a number of the same length and magnitude, which may be the same number."""
    number = int("".join(map(str, values[:4])))
    if len(values) == 4 and number in _YEARS:
        return [int(digit) for digit in str(rng.choice(_YEARS))]
    if len(values) <= 2 and 0 < number <= _LAST_DAY:
        among = range(10, _LAST_DAY + 1) if number > 9 else range(1, 10)
        return [int(digit) for digit in str(rng.choice(among)).zfill(len(values))]
    first = rng.randint(1, 9) if values[0] or len(values) == 1 else 0
    return [first, *(rng.randint(0, 9) for _ in values[1:])]
