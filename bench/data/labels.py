"""The labels of a task and how the annotators' labels become them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import category

from bench.data.messages import check_name, shortened
from bench.errors import DataError, nearest
from bench.text.identity import name_key, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def label_key(label: str) -> str:
    """Return what two labels share when they count as the same: their names in the normal form that keeps letter case.

    A label that is nothing but marks, such as a fatha, is compared as it stands.
    """
    return name_key(label, fold_case=False) or label


def respelled(labels: Iterable[str]) -> list[list[str]]:
    """Return the labels that are written in several ways, each as the list of these.

    Examples
    --------
    >>> respelled(["1", "-1", "C", "C++", "1.0"])
    [['1', '1.0']]
    """
    return spellings(labels, label_key)


def cleaned(labels: Mapping[str, int]) -> dict[str, str]:
    """Return how each label is to be written: labels that count as the same in one way, without what nobody meant.

    White space and unseen characters around a name go, and white space in it becomes a blank. Of the ways that are left
    the commonest counts. Whole numbers lose their decimal point, unless other labels are fractions.

    Parameters
    ----------
    labels : mapping of str to int
        How often each label is written.

    Examples
    --------
    >>> cleaned({"رأي ": 5, "رأي": 2, "1": 1, "1.0": 9})
    {'رأي ': 'رأي', 'رأي': 'رأي', '1': '1', '1.0': '1'}
    >>> cleaned({"4.5": 3, "5.0": 2})
    {'4.5': '4.5', '5.0': '5.0'}
    """
    bare = {label: _bare(label) for label in labels}
    ways: dict[str, Counter[str]] = {}
    for label, count in labels.items():
        ways.setdefault(label_key(label), Counter())[bare[label]] += count
    numbers = [label for label in bare.values() if _NUMBER.fullmatch(label)]
    fractions = any(not _WHOLE.fullmatch(number) for number in numbers)
    written = {}
    for label in labels:
        same = ways[label_key(label)]
        best = max(same, key=lambda way: same[way])
        points = _WHOLE.fullmatch(best)
        written[label] = points["whole"] if points and (not fractions or points["whole"] in same) else best
    return written


def _bare(label: str) -> str:
    """Take off what stands around a name, such as marks of direction; a variation selector is part of it."""
    shown = [n for n, character in enumerate(label) if not (character.isspace() or category(character) in ("Cc", "Cf"))]
    return " ".join(label[shown[0] : shown[-1] + 1].split()) if shown else label


_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_WHOLE = re.compile(r"(?P<whole>[+-]?\d+)(\.0*)?")

_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff"
"""Marks of direction around a name, as programs add them to Arabic; overrides, which turn letters round, are none."""

LONGEST = 200
"""Characters of a label, of which every example's prediction holds one."""


def check_label(label: str, where: str, marked: bool = False) -> None:
    """Refuse a label that would look like another one, or that is a text rather than a name.

    Parameters
    ----------
    label : str
        The label.
    where : str
        Where it stands.
    marked : bool
        Whether marks of direction may stand around it, since it is still to be cleaned; see `cleaned`.

    Raises
    ------
    bench.errors.DataError
        If it holds a hidden character, or more than `LONGEST` characters.
    """
    check_name(label.strip(_DIRECTION) if marked else label, where, "label")
    if len(label) > LONGEST:
        raise DataError(
            f"{where}: the label '{shortened(label)}' has {len(label):,} characters.",
            f"A label is a name of at most {LONGEST}. Is it the text?",
        )


@dataclass(frozen=True)
class LabelSet:
    """A task's labels, and the map to them where the annotators' labels are finer.

    Parameters
    ----------
    labels : tuple of str
        The task's labels.
    mapping : mapping of str to str
        The task's label for each of the annotators' labels; empty where both are the same.
    """

    labels: tuple[str, ...]
    mapping: Mapping[str, str]

    @property
    def known(self) -> Mapping[str, str] | None:
        """The task's label for each that can stand in the data; None where every one can."""
        return self.mapping or {label: label for label in self.labels}

    def read(self, raw: object, where: str) -> str:
        """Return the task's label for one of the annotators'.

        Raises
        ------
        bench.errors.DataError
            If the label is not one that the annotators could give.

        Examples
        --------
        >>> LabelSet(("official", "other"), {"government": "official", "media": "other"}).read("media", "a.csv, line 2")
        'other'
        """
        known = self.known or {}
        if isinstance(raw, str) and raw in known:
            return known[raw]
        kind = "a key of label_map" if self.mapping else "one of the task's labels"
        raise DataError(f"{where}: label {raw!r} is not {kind}.", nearest(str(raw), known))
