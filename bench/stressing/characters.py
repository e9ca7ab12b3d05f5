"""Perturbations of characters: presentation forms, digits, spaces, invisible characters and quotation marks."""

from __future__ import annotations

import itertools
import random
import re
import unicodedata

from bench.stressing.perturbation import WORD, replaced, some
from bench.stressing.spelling import MARK
from bench.text.identity import TATWEEL

INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\ufeff"
"""Zero-width space, non-joiner and joiner, marks of direction, and the byte order mark."""

TOUCHED = 1 / 3
"""The share of words with an invisible character."""

QUOTES = (("«", "»"), ("“", "”"), ('"', '"'))
"""Pairs of quotation marks."""

_PUNCTUATION = re.compile(r"(?<=[^\s.,;:!?،؛؟…])[.,;:!?،؛؟…]+(?!\w)")
_QUOTE = re.compile('["«»“”„]')
_TO_INDIC = {ord(str(digit)): chr(0x0660 + digit) for digit in range(10)}
_TO_LATIN = {first + digit: str(digit) for first in (0x0660, 0x06F0) for digit in range(10)}


def _presentation_forms() -> dict[tuple[str, str], str]:
    """The presentation form of each letter, or of lam with alif, by its letters and its form."""
    forms = {}
    for point in range(0xFE80, 0xFEFD):
        form, *letters = unicodedata.decomposition(chr(point)).split()
        forms["".join(chr(int(letter, 16)) for letter in letters), form.strip("<>")] = chr(point)
    return forms


_FORMS = _presentation_forms()
_BEFORE = {letter for letter, form in _FORMS if form == "initial"} | {TATWEEL}
"""Characters that join with the one after them."""
_AFTER = {letter for letter, form in _FORMS if form == "final" and len(letter) == 1} | {TATWEEL}
"""Characters that join with the one before them."""


def to_presentation_forms(text: str, rng: random.Random) -> str:
    """Write each Arabic letter as the form that it has in print, as text copied from PDF files does.

    Examples
    --------
    >>> to_presentation_forms("لا يبت", random.Random(0)) == "\ufefb \ufef3\ufe92\ufe96"
    True
    """
    places = [place for place, character in enumerate(text) if not MARK.match(character)]
    made = list(text)
    joined = False
    for number, place in enumerate(places):
        letter = text[place]
        after = text[places[number + 1]] if number + 1 < len(places) else ""
        before, joined = joined and letter in _AFTER, letter in _BEFORE and after in _AFTER
        if not made[place]:  # It is the alif of a ligature.
            continue
        ligature = letter + text[place + 1 : place + 2]
        if len(ligature) == 2 and (ligature, "isolated") in _FORMS:
            made[place], made[place + 1] = _FORMS[ligature, "final" if before else "isolated"], ""
            continue
        form = {(False, False): "isolated", (False, True): "initial", (True, True): "medial", (True, False): "final"}
        made[place] = _FORMS.get((letter, form[before, joined]), letter)
    return "".join(made)


def to_arabic_indic_digits(text: str, rng: random.Random) -> str:
    """Write Latin digits as Arabic-Indic ones.

    Examples
    --------
    >>> to_arabic_indic_digits("عام 2024", random.Random(0))
    'عام ٢٠٢٤'
    """
    return text.translate(_TO_INDIC)


def to_latin_digits(text: str, rng: random.Random) -> str:
    """Write Arabic-Indic and Persian digits as Latin ones.

    Examples
    --------
    >>> to_latin_digits("عام ٢٠٢٤", random.Random(0))
    'عام 2024'
    """
    return text.translate(_TO_LATIN)


def space_punctuation(text: str, rng: random.Random) -> str:
    """Put a space before punctuation at the end of words.

    Examples
    --------
    >>> space_punctuation("نفى، وقال 3.5!", random.Random(0))
    'نفى ، وقال 3.5 !'
    """
    return _PUNCTUATION.sub(r" \g<0>", text)


def add_invisible(text: str, rng: random.Random) -> str:
    """Put an invisible character into a third of the words, at a place drawn at random."""
    words = some(list(WORD.finditer(text)), TOUCHED, rng)
    places = [rng.choice(_before_letters(text, word)) for word in words]
    return replaced(text, [(place, place, rng.choice(INVISIBLE)) for place in places])


def _before_letters(text: str, word: re.Match[str]) -> list[int]:
    """The places before the letters of a word but the first; marks stay with their letter."""
    return [place for place in range(word.start() + 1, word.end()) if not MARK.match(text[place])]


def swap_quotes(text: str, rng: random.Random) -> str:
    """Write quotation marks as those of another kind, drawn at random.

    Examples
    --------
    >>> swap_quotes("قال «نعم»", random.Random(0))
    'قال "نعم"'
    """
    first = _QUOTE.search(text)
    if first is None:
        return text
    opening, closing = rng.choice([pair for pair in QUOTES if first[0] not in pair])
    straight = itertools.cycle((opening, closing))

    def other(found: re.Match[str]) -> str:
        if found[0] == '"':
            return next(straight)
        return opening if found[0] in "«“„" else closing

    return _QUOTE.sub(other, text)
