"""Perturbations of Arabic spelling: diacritics, tatweel, hamza, alif maqsura and ta marbuta."""

from __future__ import annotations

import random
import re

from bench.stressing.perturbation import MARKS, replaced, some
from bench.text.identity import TATWEEL

MARK = re.compile(f"[{MARKS}]")
"""One of these."""

VOWELS = "\u064e\u064f\u0650\u0652"
"""Fatha, damma, kasra and sukun."""

JOINING = "بتثجحخسشصضطظعغفقكلمنهيئ"
"""Letters that join with the letter after them."""

LENGTHENED = 0.5
"""The share of words that tatweel lengthens."""

_LETTERS = "\u0621-\u063a\u0641-\u064a"
_END = rf"(?=[{MARKS}]*(?![\w{MARKS}]))"
_BARE = re.compile(rf"[بتثجحخدذرزسشصضطظعغفقكلمنهويئؤءأإ](?![{MARKS}{TATWEEL}])")
_WORD = re.compile(rf"[{_LETTERS}{MARKS}]+")
_JOINT = re.compile(rf"[{JOINING}][{MARKS}]*(?=[{_LETTERS}])(?!ء)")
_INITIAL_ALIF = re.compile(rf"(?<![\w{MARKS}])ا(?=[{_LETTERS}])(?!ل)")
_FINAL = {letter: re.compile(letter + _END) for letter in "يىه"}
_TO_BARE_ALIF = str.maketrans(dict.fromkeys("أإآٱ", "ا"))


def add_diacritics(text: str, rng: random.Random) -> str:
    """Put a short vowel or sukun, drawn at random, on each Arabic letter without a mark."""
    return _BARE.sub(lambda found: found[0] + rng.choice(VOWELS), text)


def remove_diacritics(text: str, rng: random.Random) -> str:
    """Remove diacritics and Quranic marks.

    Examples
    --------
    >>> remove_diacritics("نَفَى", random.Random(0))
    'نفى'
    """
    return MARK.sub("", text)


def add_tatweel(text: str, rng: random.Random) -> str:
    """Lengthen half of the words that can be, by one to three tatweel at a place drawn at random."""
    joints = [[word.start() + joint.end() for joint in _JOINT.finditer(word[0])] for word in _WORD.finditer(text)]
    places = [rng.choice(found) for found in some([each for each in joints if each], LENGTHENED, rng)]
    return replaced(text, [(place, place, TATWEEL * rng.randint(1, 3)) for place in places])


def drop_hamza(text: str, rng: random.Random) -> str:
    """Write alif with hamza, madda or wasla as bare alif.

    Examples
    --------
    >>> drop_hamza("أكد أن الآن", random.Random(0))
    'اكد ان الان'
    """
    return text.translate(_TO_BARE_ALIF)


def add_hamza(text: str, rng: random.Random) -> str:
    """Write a bare alif at the start of a word with hamza, but for the article.

    Examples
    --------
    >>> add_hamza("اعلن الوزير استقالته", random.Random(0))
    'أعلن الوزير أستقالته'
    """
    return _INITIAL_ALIF.sub("أ", text)


def ya_as_maqsura(text: str, rng: random.Random) -> str:
    """Write ya at the end of words as alif maqsura.

    Examples
    --------
    >>> ya_as_maqsura("في بيت الوالي", random.Random(0))
    'فى بيت الوالى'
    """
    return _FINAL["ي"].sub("ى", text)


def maqsura_as_ya(text: str, rng: random.Random) -> str:
    """Write alif maqsura as ya.

    Examples
    --------
    >>> maqsura_as_ya("نفى على", random.Random(0))
    'نفي علي'
    """
    return _FINAL["ى"].sub("ي", text)


def ta_marbuta_as_ha(text: str, rng: random.Random) -> str:
    """Write ta marbuta as ha.

    Examples
    --------
    >>> ta_marbuta_as_ha("الوزارة", random.Random(0))
    'الوزاره'
    """
    return text.replace("ة", "ه")


def ha_as_ta_marbuta(text: str, rng: random.Random) -> str:
    """Write ha at the end of words as ta marbuta.

    Examples
    --------
    >>> ha_as_ta_marbuta("هذه", random.Random(0))
    'هذة'
    """
    return _FINAL["ه"].sub("ة", text)
