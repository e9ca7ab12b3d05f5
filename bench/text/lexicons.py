"""Cue lists of Arabic news prose, matched on word boundaries over normalised text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ConfigError, nearest
from bench.text.normalization import normalize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

_FOLDER = Path(__file__).parent / "lexicons"

_PROCLITICS = {
    "particles": "[وف]?",
    "verbs": "[وف]?[سل]?",
    "nouns": "[وف]?(?:[بك]?ال|لل|[بلك])?",
}


@dataclass(frozen=True)
class Lexicon:
    """A list of cues and how they are found in text.

    Parameters
    ----------
    name : str
        The list's name.
    description : str
        A one-line description of its cues.
    cues : mapping of str to tuple of str
        Cues by word class, which determines the allowed proclitics:
        ``particles`` (و ف), ``verbs`` (also س ل) and ``nouns`` (also ب ل ك ال). A final ``*``
        matches any further letters. The article is allowed between the words of a cue.

    Examples
    --------
    >>> lexicon("denial").matches("ونفت موسكو هذه المزاعم")
    ['ونفت', 'المزاعم']
    """

    name: str
    description: str
    cues: Mapping[str, tuple[str, ...]]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What finds a cue in text that is normalised by the preset ``standard``."""
        parts = [
            f"{proclitics}(?:{'|'.join(map(_cue_pattern, sorted(self.cues[kind], key=len, reverse=True)))})"
            for kind, proclitics in _PROCLITICS.items()
            if self.cues.get(kind)
        ]
        return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)")

    def count(self, texts: Iterable[str], *, normalized: bool = False) -> NDArray[np.intp]:
        """Count the cues in each text.

        Parameters
        ----------
        texts : iterable of str
            The texts.
        normalized : bool
            Whether they are already normalised by the preset ``standard``.

        Returns
        -------
        ndarray of int of shape (n_texts,)
            The number of cues, none counted twice.
        """
        find = self.pattern.finditer
        ready = texts if normalized else (normalize(text) for text in texts)
        return np.fromiter((sum(1 for _ in find(text)) for text in ready), dtype=np.intp)

    def matches(self, text: str) -> list[str]:
        """Return the cues in one text, in normalised form."""
        return self.pattern.findall(normalize(text))


def _cue_pattern(cue: str) -> str:
    stem = normalize(cue.removesuffix("*"))
    words = r"\s+(?:ال)?".join(map(re.escape, stem.split()))
    return words + (r"\w*" if cue.endswith("*") else "")


def lexicon_names() -> list[str]:
    """Return the names of the lexicons there are, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


@cache
def lexicon(name: str) -> Lexicon:
    """Load a lexicon, once a process.

    Parameters
    ----------
    name : str
        One of `lexicon_names`.

    Raises
    ------
    bench.errors.ConfigError
        If the name is unknown.
    """
    import yaml

    if name not in lexicon_names():
        raise ConfigError(f"Unknown lexicon '{name}'.", nearest(name, lexicon_names()))
    content = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    cues = {kind: tuple(content.get(kind, ())) for kind in _PROCLITICS}
    return Lexicon(name=name, description=content["description"], cues=cues)
