"""The labels of a task, and the map from the annotators' labels to them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import category

from bench.data.messages import check_name, shortened
from bench.errors import DataError, nearest
from bench.text.identity import TATWEEL, name_key, spellings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


def label_key(label: str) -> str:
    """Return a label's key: its name in a normal form that keeps letter case. Equal keys mean equal labels.

    A label of marks alone, such as a fatha, is compared unchanged.
    """
    return name_key(label, fold_case=False) or label


def respelled(labels: Iterable[str]) -> list[list[str]]:
    """Return the labels that have several spellings, each as the list of its spellings.

    Examples
    --------
    >>> respelled(["1", "-1", "C", "C++", "1.0"])
    [['1', '1.0']]
    """
    return spellings(labels, label_key)


def cleaned(labels: Mapping[str, int]) -> dict[str, str]:
    """Return the spelling to use for each label: one for equal labels, without accidental characters.

    White space and invisible characters around a name are removed, and white space in it becomes a blank. Then the most
    common spelling is used, of those without a tatweel if there is one. Whole numbers lose their decimal point, unless
    other labels are fractions.

    Parameters
    ----------
    labels : mapping of str to int
        How often each spelling occurs.

    Examples
    --------
    >>> cleaned({"رأي ": 5, "رأي": 2, "1": 1, "1.0": 9})
    {'رأي ': 'رأي', 'رأي': 'رأي', '1': '1', '1.0': '1'}
    >>> cleaned({"خـبر": 5, "خبر": 2})
    {'خـبر': 'خبر', 'خبر': 'خبر'}
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
        best = max(same, key=lambda way: (TATWEEL not in way, same[way]))
        points = _WHOLE.fullmatch(best)
        written[label] = points["whole"] if points and (not fractions or points["whole"] in same) else best
    return written


def _bare(label: str) -> str:
    """Strip invisible characters, such as direction marks, around a name; keep a variation selector."""
    shown = [n for n, character in enumerate(label) if not (character.isspace() or category(character) in ("Cc", "Cf"))]
    return " ".join(label[shown[0] : shown[-1] + 1].split()) if shown else label


_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_WHOLE = re.compile(r"(?P<whole>[+-]?\d+)(\.0*)?")

_DIRECTION = "\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069\ufeff"
"""Direction marks around a name, as programs add them to Arabic; overrides, which reorder letters, do not count."""

LONGEST = 200
"""The most characters of a label. Every prediction stores one."""


def check_label(label: str, where: str, marked: bool = False) -> None:
    """Reject a label with hidden characters, or one that is a text rather than a name.

    Parameters
    ----------
    label : str
        The label.
    where : str
        Where it is.
    marked : bool
        Whether to allow direction marks around it because `cleaned` will remove them.

    Raises
    ------
    bench.errors.DataError
        If it contains a hidden character, or more than `LONGEST` characters.
    """
    check_name(label.strip(_DIRECTION) if marked else label, where, "label")
    if len(label) > LONGEST:
        raise DataError(
            f"{where}: the label '{shortened(label)}' has {len(label):,} characters.",
            f"A label has at most {LONGEST} characters. Is this the text?",
        )


@dataclass(frozen=True)
class LabelSet:
    """A task's labels, and the map to them if the annotators' labels are finer.

    Parameters
    ----------
    labels : tuple of str
        The task's labels.
    mapping : mapping of str to str
        The task's label for each of the annotators' labels; empty if both are the same.
    """

    labels: tuple[str, ...]
    mapping: Mapping[str, str]

    @property
    def known(self) -> Mapping[str, str] | None:
        """The task's label for each label in the data; None if any label is allowed."""
        return self.mapping or {label: label for label in self.labels}

    def without(self, lost: Collection[str]) -> LabelSet:
        """The labels but for some of the task's, and what maps to these."""
        return LabelSet(
            tuple(label for label in self.labels if label not in lost),
            {raw: label for raw, label in self.mapping.items() if label not in lost},
        )

    def read(self, raw: object, where: str) -> str:
        """Return the task's label for one of the annotators'.

        Raises
        ------
        bench.errors.DataError
            If the annotators cannot give this label.

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
