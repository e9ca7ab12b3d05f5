"""A light Arabic stemmer, for matching words across inflection and clitics."""

from __future__ import annotations

_PREFIXES = ("وال", "بال", "كال", "فال", "لل", "ال")
_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي")


def light_stem(word: str) -> str:
    """Strip the commonest clitics and endings from a word, and never leave fewer than two letters.

    Parameters
    ----------
    word : str
        One word, normalised by the preset ``standard``.

    Returns
    -------
    str
        The stem.

    Notes
    -----
    This is the stemmer light10 of Larkey, Ballesteros and Connell (2002), over our own
    normalisation (teh marbuta as heh), with one ending stripped more after another.

    Examples
    --------
    >>> light_stem("والمسؤولين")
    'مسؤول'
    """
    if word.startswith("و") and len(word) > 3:
        word = word[1:]
    for prefix in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= 2:
            word = word[len(prefix) :]
            break
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 2:
            word = word[: -len(suffix)]
    return word
