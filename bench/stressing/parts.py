"""Perturbations that leave out a part of a text."""

from __future__ import annotations

import random
import re

SHORTEST = 3
"""The fewest words that a full stop ends a sentence of; after fewer it may end an abbreviation."""

_BOUNDARY = re.compile(r"(?:(?<![.!?؟…])[.!?؟…]+[\"»”)\]]*\s+|(?<!\s)\s*\n\s*)(?=\S)")
_WORD = re.compile(r"\S+")


def remove_lead(text: str, rng: random.Random) -> str:
    """Leave out the first sentence of a text that has several.

    Examples
    --------
    >>> remove_lead("قال د. سامي ذلك. ثم نفى.", random.Random(0))
    'ثم نفى.'
    """
    for boundary in _BOUNDARY.finditer(text):
        if len(_WORD.findall(text[: boundary.start()])) >= SHORTEST:
            return text[boundary.end() :]
    return text


def truncate(text: str, rng: random.Random) -> str:
    """Leave out the second half of the words.

    Examples
    --------
    >>> truncate("واحد اثنان ثلاثة أربعة خمسة", random.Random(0))
    'واحد اثنان ثلاثة'
    """
    words = list(_WORD.finditer(text))
    return text if len(words) < 2 else text[: words[(len(words) + 1) // 2 - 1].end()]
