"""A perturbation: a pure function that writes a text in another way."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from bench.errors import ModelError, one_line
from bench.support.seeding import derive_seed

Change = Callable[[str, random.Random], str]
"""Changes a text with the help of a source of random numbers, or returns it as it is."""

Kind = Literal["writing", "content"]

T = TypeVar("T")

MARKS = "\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
"""Diacritics and Quranic marks, as the inside of a regular expression's class."""

WORD = re.compile(rf"[^\W\d_](?:[{MARKS}]*[^\W\d_])+")
"""A word of two letters or more, with the marks between them."""


@dataclass(frozen=True)
class Perturbation:
    """A way to change a text.

    Parameters
    ----------
    name : str
        Its name: lower-case letters, digits and hyphens.
    description : str
        What it does, in a few words.
    change : callable
        Takes a text and a `random.Random`, and returns a text. It must depend on nothing else.
    kind : {"writing", "content"}
        Whether it changes only how the text is written, so that no label should change, or also what it says.
    origin : str
        The package that it comes with; empty for those of bench.
    """

    name: str
    description: str
    change: Change
    kind: Kind = "writing"
    origin: str = ""

    def apply(self, text: str, *purpose: str | int) -> str:
        """Change a text; with the same seed and purpose always in the same way.

        Parameters
        ----------
        text : str
            The text.
        *purpose : str or int
            What the random choices are seeded with, such as the run's seed, the task and the example's id.

        Raises
        ------
        bench.errors.ModelError
            If a plug-in raises an error or returns something other than a text.
        """
        seed = derive_seed(0, "stress", self.name, *purpose)
        try:
            changed = self.change(text, random.Random(seed))
        except Exception as error:  # It may be a plug-in.
            raise ModelError(
                f"the perturbation {self._whose()} failed on a text: {one_line(f'{type(error).__name__}: {error}')}.",
                f"Fix it, or leave it out: --only takes the names of the others. The text: {one_line(text, 80)}",
            ) from error
        if not isinstance(changed, str):
            raise ModelError(
                f"the perturbation {self._whose()} returned {type(changed).__name__}, expected a text (str).",
                "Fix it, or leave it out: --only takes the names of the others.",
            )
        return changed

    def _whose(self) -> str:
        return f"'{self.name}' of {self.origin}" if self.origin else f"'{self.name}'"


def some(candidates: Sequence[T], share: float, rng: random.Random) -> list[T]:
    """Draw a share of candidates, at least one where there are any, in their order.

    Examples
    --------
    >>> some("abcd", 0.5, random.Random(0)), some("", 0.5, random.Random(0))
    (['b', 'd'], [])
    """
    if not candidates:
        return []
    size = max(1, round(share * len(candidates)))
    return [candidates[place] for place in sorted(rng.sample(range(len(candidates)), size))]


def replaced(text: str, parts: Sequence[tuple[int, int, str]]) -> str:
    """Put new strings in the place of parts of a text, given by start and end in ascending order.

    Examples
    --------
    >>> replaced("abcd", [(0, 1, "x"), (2, 2, "-")])
    'xb-cd'
    """
    made, at = [], 0
    for start, end, new in parts:
        made += [text[at:start], new]
        at = end
    return "".join([*made, text[at:]])
