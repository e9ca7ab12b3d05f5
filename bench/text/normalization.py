"""Orthographic normalisation of Arabic text, in presets."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, overload

from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PRESETS = ("none", "light", "standard", "morphological")
"""The presets' names, from the least to the most that they change."""

WORD_PATTERN = (
    r"\w[\w\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8"
    r"\u06ea-\u06ed\u200c\u200d]*"
)
"""A regular expression for one word, of any length.

Unlike ``\\w+`` it goes on over combining marks, so that diacritised Arabic stays in one piece.
"""

CAMEL_PACKAGE = "disambig-mle-calima-msa-r13"
"""The camel-tools data package that the preset ``morphological`` needs."""

_LIGATURES = {"\ufdfc": "ريال", "\ufdfd": "بسم الله الرحمن الرحيم"}
_INVISIBLE = ["\u00ad", "\u061c", "\u200b", "\u200e", "\u200f", "\u2060", "\ufeff"]
_INVISIBLE += [chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
_DIACRITICS = [chr(c) for c in (*range(0x064B, 0x0653), 0x0670)]
_TATWEEL = "\u0640"
_LIGHT = dict.fromkeys(map(ord, [*_DIACRITICS, _TATWEEL, *_INVISIBLE]))
_STANDARD: dict[int, int | None] = {
    **_LIGHT,
    **{ord(alef): ord("ا") for alef in "أإآٱ"},
    ord("ى"): ord("ي"),
    ord("ة"): ord("ه"),
    **{first + digit: ord("0") + digit for first in (0x0660, 0x06F0) for digit in range(10)},
}


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
        diacritics, tatweel and invisible formatting characters. ``standard`` also writes every
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
        If there is no such preset, or camel-tools' data is not installed.

    Notes
    -----
    Letter by letter this gives what ``normalize_unicode``, ``dediac_ar``, ``normalize_alef_ar``,
    ``normalize_alef_maksura_ar`` and ``normalize_teh_marbuta_ar`` of camel-tools give
    (Obeid et al., LREC 2020), in one pass.

    Examples
    --------
    >>> normalize("نَفَى الْمُتَحَدِّثُ")
    'نفي المتحدث'
    >>> normalize(["إلى ١٩٩١", "القـــاهرة"], "light")
    ['إلى ١٩٩١', 'القاهرة']
    """
    if preset not in PRESETS:
        raise ConfigError(f"normalization: there is no preset '{preset}'.", nearest(preset, PRESETS))
    change = _CHANGES[preset]
    return change(texts) if isinstance(texts, str) else [change(text) for text in texts]


def _compatible(text: str) -> str:
    for ligature, spelt in _LIGATURES.items():
        text = text.replace(ligature, spelt)
    return unicodedata.normalize("NFKC", text)


def _light(text: str) -> str:
    return _compatible(text).translate(_LIGHT)


def _standard(text: str) -> str:
    return _compatible(text).translate(_STANDARD).lower()


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


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    """Return camel-tools' clitic tokenizer (scheme D3), loaded once a process."""
    try:
        from camel_tools.disambig.mle import MLEDisambiguator
        from camel_tools.tokenizers.morphological import MorphologicalTokenizer

        return MorphologicalTokenizer(MLEDisambiguator.pretrained(), scheme="d3tok", split=True)
    except Exception as error:  # camel-tools raises a different class for each thing that it misses
        raise ConfigError(
            f"normalization=morphological needs camel-tools' data, which cannot be loaded ({type(error).__name__}).",
            f"Run once, with a network: camel_data -i {CAMEL_PACKAGE}",
        ) from error
