"""Slips of the finger: letters replaced by one whose key is near."""

from __future__ import annotations

import random

from bench.stressing.perturbation import WORD, replaced, some

SLIPPED = 0.1
"""The share of words with a slip."""

LAYOUTS = (
    ("ضصثقفغعهخحجد", "شسيبلاتنمكط", "ئءؤر\0ىةوزظ"),
    ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
)
"""The rows of the Arabic and the English keyboard; the key of both lam and alif stands for no letter."""

_SHIFT = (0.0, 0.25, 0.75)
"""How far each row begins to the right of the first, in keys."""

_REACH = 1.3
"""How far, in keys, a finger slips at most."""


def _neighbours() -> dict[str, str]:
    near: dict[str, str] = {}
    for rows in LAYOUTS:
        keys = [
            (letter, _SHIFT[row] + place, row)
            for row, letters in enumerate(rows)
            for place, letter in enumerate(letters)
            if letter != "\0"
        ]
        for letter, x, y in keys:
            near[letter] = "".join(
                other for other, u, v in keys if other != letter and (x - u) ** 2 + (y - v) ** 2 <= _REACH**2
            )
    return near


NEIGHBOURS = _neighbours()
"""For each letter, those whose keys are next to its own."""


def slip(text: str, rng: random.Random) -> str:
    """Replace one letter in a tenth of the words, at least in one, by the letter of a key beside its own."""
    words = [
        places
        for word in WORD.finditer(text)
        if (places := [place for place in range(*word.span()) if text[place].lower() in NEIGHBOURS])
    ]
    places = [rng.choice(word) for word in some(words, SLIPPED, rng)]
    return replaced(text, [(place, place + 1, rng.choice(NEIGHBOURS[text[place].lower()])) for place in places])
