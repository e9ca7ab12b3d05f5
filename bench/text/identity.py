"""What counts as the same: one normal form of texts, and one of names (groups, labels, ids).

Both ignore invisible characters and marks on letters: control and format characters, marks of direction,
joiners, soft hyphens, variation selectors, tags, fillers, and combining characters of every kind, which are diacritics
and Quranic marks too, as well as tatweel. Compatibility forms, isolated marks among them, digits of other scripts and
the amount of white space make no difference either.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ISOLATED_MARKS = re.compile("[\u037a\u0384\u0385\ufc5e-\ufc63\ufe70-\ufe7f]")
"""Isolated marks, as in PDF files. Their compatibility forms start with a space or tatweel."""

IGNORED = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)),
)
"""Code points that Unicode declares to be ignored by default, if their category does not imply it (Unicode 15)."""

TATWEEL = "\u0640"
"""The stroke that lengthens an Arabic word."""

LENGTHENERS = f"{TATWEEL}\u06e5\u06e6\u07fa\u08c9"
"""Letters by category that only lengthen or adorn another: tatweel, its like in N'Ko, small letters of the Quran."""

_QURANIC_SIGNS = "\u06de\u06e9"
_BLANKS = "\u2800"
_NUMBER = re.compile(r"([+\-\u2212]?)(\d+)(?:\.0*)?")


def is_unseen(character: str) -> bool:
    """Whether a character is invisible and separates nothing.

    Examples
    --------
    >>> [is_unseen(character) for character in ("\u200f", "\ufe0f", "\u00ad", " ", "\u064e", "ا")]
    [True, True, True, False, False, False]
    """
    if unicodedata.category(character) in ("Cf", "Cc"):
        return not character.isspace()
    return any(low <= ord(character) <= high for low, high in IGNORED)


def is_combining(character: str) -> bool:
    """Whether a character only adorns or lengthens the letter before it.

    Examples
    --------
    >>> [is_combining(character) for character in ("\u064e", "\u0301", "\u20e3", "\u0640", "ء")]
    [True, True, True, True, False]
    """
    return unicodedata.category(character)[0] == "M" or character in LENGTHENERS


def text_key(text: str) -> str:
    """Return what two texts share when they count as the same.

    In addition to the module's rules, case and punctuation are ignored. A text of nothing but punctuation is
    identified by it.

    Examples
    --------
    >>> text_key("رَفَضَتْ روســيا «المزاعم»!") == text_key("رفضت  روسيا المزاعم")
    True
    >>> text_key("عام ٢٠٢٤ ❤\ufe0f") == text_key("عام 2024 ❤")
    True
    >>> text_key("رفضت روسيا") == text_key("قبلت روسيا")
    False
    """
    return _spaced(_folded(text, _TEXT)) or _spaced(_folded(text, _NAME))


def name_key(name: str, fold_case: bool = True) -> str:
    """Return what two names share when they count as the same: those of groups, of labels and of examples.

    Punctuation counts, since ``C`` is not ``C++``. Whole numbers are the same with and without a decimal point.

    Parameters
    ----------
    name : str
        The name.
    fold_case : bool
        Whether letter case makes no difference. It does for ids, which are often codes such as ``aB3``, and for
        labels, of which check D101 reports those that differ in it.

    Examples
    --------
    >>> name_key("صحيفة\u00a00\u200f ") == name_key("صحيفة ٠")
    True
    >>> name_key("1.0") == name_key("١") == name_key("1")
    True
    >>> name_key("-1") == name_key("1"), name_key("C") == name_key("C++")
    (False, False)
    """
    folded = _spaced(_folded(name, _NAME, fold_case))
    number = _NUMBER.fullmatch(folded)
    if number is None:
        return folded
    sign, digits = number.groups()
    return digits if sign in ("", "+") else f"-{digits}"


def canonical(names: Iterable[str], key: Callable[[str], str] = name_key) -> list[str]:
    """Write each name as the first of those that count as the same.

    Examples
    --------
    >>> canonical(["سبق", "عكاظ", "سبق\u200f"])
    ['سبق', 'عكاظ', 'سبق']
    """
    first: dict[str, str] = {}
    known: dict[str, str] = {}
    written = []
    for name in names:
        if name not in known:
            known[name] = first.setdefault(key(name), name)
        written.append(known[name])
    return written


def spellings(names: Iterable[str], key: Callable[[str], str] = name_key) -> list[list[str]]:
    """Return the names that are written in several ways, each as the list of these, in the order of the names.

    Examples
    --------
    >>> spellings(["1", "2", "1.0"])
    [['1', '1.0']]
    """
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        found.setdefault(key(name), []).append(name)
    return [ways for ways in found.values() if len(ways) > 1]


def _folded(text: str, table: _Table, fold_case: bool = True) -> str:
    if text.isascii():
        bare = text.translate(table)
        return bare.casefold() if fold_case else bare
    bare = unicodedata.normalize("NFKD", ISOLATED_MARKS.sub("", text)).translate(table)
    if not fold_case:
        return bare
    # Changing case can produce compatibility forms again, as for a capital sharp s.
    return unicodedata.normalize("NFKD", bare.casefold()).translate(table)


def _spaced(text: str) -> str:
    return " ".join(text.split())


class _Table(dict[int, str]):
    """The replacement of each character for `str.translate`; each is computed once."""

    def __init__(self, blank: str) -> None:
        self._blank = blank

    def __missing__(self, point: int) -> str:
        self[point] = self._fold(chr(point))
        return self[point]

    def _fold(self, character: str) -> str:
        if is_unseen(character) or is_combining(character):
            return ""
        if character in _BLANKS or character in _QURANIC_SIGNS or unicodedata.category(character)[0] in self._blank:
            return " "
        digit = unicodedata.decimal(character, None)
        return character if digit is None else str(digit)


_TEXT = _Table(blank="PC")
"""For texts: punctuation, and characters that have no meaning, separate words."""

_NAME = _Table(blank="")
