"""Profiles of a user's columns, by content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

MOST_LABELS = 50
"""The most different values that a column of labels can have."""

_LOOKED_AT = 1_000
"""Cells whose words are counted."""

_LONGEST_LABEL = 60
"""The most characters of a label in a column without a usual name."""

_YES_OR_NO = ({"0", "1"}, {"false", "true"}, {"no", "yes"}, {"n", "y"}, {"0.0", "1.0"}, {"لا", "نعم"})
"""The values of columns that answer a question."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_ADDRESS = re.compile(r"(?<![^\s@])[^\s@]+@[^\s@]+\.[^\s@]+")
_LINK = re.compile(rf"(?<!\w)\w+://\S+|www\.\S+|{_ADDRESS.pattern}")


@dataclass
class Profile:
    """The content of a column.

    Parameters
    ----------
    filled : int
        The number of non-empty cells.
    values : set of str
        Its different values, up to one more than a column of labels can have.
    """

    filled: int = 0
    values: set[str] = field(default_factory=set)
    _seen: int = 0
    _letters: int = 0
    _characters: int = 0
    _words: int = 0
    _sample: set[int] = field(default_factory=set)

    def add(self, cell: Any) -> None:
        """Look at one more cell."""
        for value in cell if isinstance(cell, list) else (cell,):
            text = str(value).strip() if isinstance(value, str | int | float) else ""
            if not text:
                continue
            self.filled += 1
            if len(self.values) <= MOST_LABELS:
                self.values.add(text)
            if self._seen < _LOOKED_AT:
                self._look_at(text)

    def _look_at(self, text: str) -> None:
        words = _WORD.findall(_LINK.sub(" ", text))
        self._seen += 1
        self._words += len(words)
        self._letters += sum(map(len, words))
        self._characters += len("".join(text.split()))
        self._sample.add(hash(text))

    @property
    def length(self) -> float:
        """The mean number of letters of the examined cells."""
        return self._letters / max(self._seen, 1)

    @property
    def holds_labels(self) -> bool:
        """Whether there are as many different values as labels can be."""
        return 2 <= len(self.values) <= MOST_LABELS

    @property
    def looks_like_labels(self) -> bool:
        """Whether its few short, repeated values identify labels without a name."""
        few = len(self.values) <= max(2, self.filled // 3)
        named = not any(map(_ADDRESS.fullmatch, self.values))
        return self.holds_labels and few and named and max(map(len, self.values)) <= _LONGEST_LABEL

    @property
    def is_yes_or_no(self) -> bool:
        """Whether its cells are yes or no."""
        return {value.casefold() for value in self.values} in _YES_OR_NO

    @property
    def holds_text(self) -> bool:
        """Whether there are words in it: not numbers, links or nothing."""
        return self._letters >= 0.3 * self._characters > 0

    @property
    def is_wordy(self) -> bool:
        """Whether its cells have several words."""
        return self._words >= 2 * self._seen > 0

    @property
    def looks_like_text(self) -> bool:
        """Whether its cells of several words, which rarely repeat, identify texts without a name."""
        differ = len(self._sample) >= max(2, 0.5 * self._seen) or len(self.values) > MOST_LABELS
        lettered = self._letters >= 0.5 * self._characters > 0
        return lettered and self.is_wordy and differ and not self.looks_like_labels
