"""Pairs of opposite words, matched by their stems."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.text.normalization import normalize
from bench.text.stemming import light_stem

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_FILE = Path(__file__).parent / "antonyms.yaml"


@lru_cache(maxsize=1)
def _opposites() -> dict[str, frozenset[str]]:
    """Return the stems that oppose each stem."""
    import yaml

    opposites: dict[str, set[str]] = {}
    for sides in yaml.safe_load(_FILE.read_text(encoding="utf-8")):
        one, other = ({light_stem(word) for word in normalize(side)} for side in sides)
        for stem in one - other:
            opposites.setdefault(stem, set()).update(other - one)
        for stem in other - one:
            opposites.setdefault(stem, set()).update(one - other)
    return {stem: frozenset(against) for stem, against in opposites.items()}


def count_opposites(stems: AbstractSet[str], against: AbstractSet[str]) -> int:
    """Count the stems of one set that the other lacks but has antonyms of.

    Parameters
    ----------
    stems, against : set of str
        Stems from `bench.text.stemming.light_stem`.

    Examples
    --------
    >>> count_opposites({light_stem("ارتفاع")}, {light_stem("انخفاض")})
    1
    """
    return sum(1 for stem in stems - against if _opposites().get(stem, frozenset()) & (against - stems))
