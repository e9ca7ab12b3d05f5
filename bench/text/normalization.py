"""Orthographic normalisation of Arabic text, in presets."""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload
from unicodedata import category

from bench.errors import ConfigError, nearest
from bench.text.identity import IGNORED, ISOLATED_MARKS, is_combining, is_unseen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PRESETS = ("none", "light", "standard", "morphological")
"""The presets' names, from the least to the most that they change."""

_INHERITED = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
_ARABIC = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x0870, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFE), (0x10EC0, 0x10EFF))


def _within(point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= point <= high for low, high in ranges)


def _class_of(*categories: str) -> str:
    """The characters of some categories and those that are ignored, as the inside of a regular expression's class."""
    points = [p for p in range(0x7F, 0x1F000) if category(chr(p)) in categories and not chr(p).isspace()]
    runs = [[p for _, p in run] for _, run in groupby(enumerate(points), key=lambda pair: pair[1] - pair[0])]
    ranges = [*IGNORED, *((run[0], run[-1]) for run in runs)]
    return "".join(f"{chr(low)}-{chr(high)}" for low, high in ranges)


WORD_PATTERN = rf"\w[\w{_class_of('Mn', 'Mc', 'Me', 'Cf')}]*"
"""A regular expression for one word, of any length.

Unlike ``\\w+`` it includes combining marks and invisible characters, so that diacritised Arabic words stay whole.
"""

CAMEL_PACKAGE = "disambig-mle-calima-msa-r13"
"""The camel-tools data package that the preset ``morphological`` needs."""

_UNSEEN = re.compile(f"{ISOLATED_MARKS.pattern}|[\0-\x08\x0e-\x1b{_class_of('Cc', 'Cf')}]")
"""Characters to remove before NFKC, which would separate a letter from its mark or turn into a space."""

_LIGATURES = {"\ufdfc": "ريال", "\ufdfd": "بسم الله الرحمن الرحيم"}


class _Light(dict[int, str]):
    """What the preset ``light`` writes for each character, for `str.translate`; each is looked up once."""

    def __missing__(self, point: int) -> str:
        character = chr(point)
        adorns = is_combining(character) and (_within(point, _INHERITED) or _within(point, _ARABIC))
        self[point] = "" if adorns or is_unseen(character) else character
        return self[point]


_LIGHT = _Light()
_STANDARD = _Light(
    {
        **{ord(alef): "ا" for alef in "أإآٱ"},
        ord("ى"): "ي",
        ord("ة"): "ه",
        **{first + digit: str(digit) for first in (0x0660, 0x06F0) for digit in range(10)},
    }
)


@overload
def normalize(texts: str, preset: str = "standard") -> str: ...  # type: ignore[overload-overlap]
@overload
def normalize(texts: Iterable[str], preset: str = "standard") -> list[str]: ...
def normalize(texts: str | Iterable[str], preset: str = "standard") -> str | list[str]:
    """Normalise the spelling of one text or of several.

    Parameters
    ----------
    texts : str or iterable of str
        What to normalise.
    preset : {"none", "light", "standard", "morphological"}
        ``none`` leaves the text as it is. ``light`` unifies Unicode forms (NFKC) and removes
        diacritics, Quranic and other marks, tatweel and invisible characters. ``standard`` also writes every
        alef as bare alef, alef maksura as yeh, teh marbuta as heh, Arabic digits as
        ASCII digits, and lower-cases. ``morphological`` also splits clitics off their words
        and needs camel-tools' data.

    Returns
    -------
    str or list of str
        One text for one text, else a list in the same order.

    Raises
    ------
    bench.errors.ConfigError
        If the preset is unknown, or camel-tools' data are not installed.

    Notes
    -----
    Letter by letter, and for the diacritics of modern text, this equals ``normalize_unicode``, ``dediac_ar``,
    ``normalize_alef_ar``, ``normalize_alef_maksura_ar`` and ``normalize_teh_marbuta_ar`` of camel-tools give
    (Obeid et al., LREC 2020), in one pass.

    Examples
    --------
    >>> normalize("نَفَى الْمُتَحَدِّثُ")
    'نفي المتحدث'
    >>> normalize(["إلى ١٩٩١", "القـــاهرة"], "light")
    ['إلى ١٩٩١', 'القاهرة']
    """
    if preset not in PRESETS:
        raise ConfigError(f"normalization: unknown preset '{preset}'.", nearest(preset, PRESETS))
    change = _CHANGES[preset]
    return change(texts) if isinstance(texts, str) else [change(text) for text in texts]


def _compatible(text: str) -> str:
    for ligature, spelt in _LIGATURES.items():
        text = text.replace(ligature, spelt)
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", text))


def _light(text: str) -> str:
    return _compatible(text).translate(_LIGHT)


def _standard(text: str) -> str:
    return _compatible(text).lower().translate(_STANDARD)


def _morphological(text: str) -> str:
    from camel_tools.tokenizers.word import simple_word_tokenize

    tokens: list[str] = _tokenizer().tokenize(simple_word_tokenize(_light(text)))
    return _standard(" ".join(token.strip("+_") for token in tokens))


_CHANGES: dict[str, Callable[[str], str]] = {
    "none": str,
    "light": _light,
    "standard": _standard,
    "morphological": _morphological,
}


def camel_folder() -> Path:
    """Where camel-tools keeps the data of `CAMEL_PACKAGE`, found without importing it, which may ask the network."""
    named = os.environ.get("CAMELTOOLS_DATA")
    own = Path("AppData/Roaming/camel_tools" if sys.platform == "win32" else ".camel_tools")
    folder = Path(named).expanduser() if named else Path.home() / own
    return folder / "data" / "disambig_mle" / "calima-msa-r13"


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    """Return camel-tools' clitic tokenizer (scheme D3), loaded once a process."""
    try:
        from camel_tools.disambig.mle import MLEDisambiguator
        from camel_tools.tokenizers.morphological import MorphologicalTokenizer

        return MorphologicalTokenizer(MLEDisambiguator.pretrained(), scheme="d3tok", split=True)
    except Exception as error:  # camel-tools raises a different class for each thing that it misses
        raise ConfigError(
            f"normalization=morphological needs camel-tools' data, which could not be loaded ({type(error).__name__}).",
            f"Run once with a network: camel_data -i {CAMEL_PACKAGE}",
        ) from error
