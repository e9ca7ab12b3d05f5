"""Known inputs, and which others repeat them or nearly do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.checks.near import NEAR, KnownTexts, jaccard
from bench.data.duplicates import input_keys

if TYPE_CHECKING:
    import pandas as pd

_JOINED = "\x1f"
"""What stands between the columns of an input's key."""


class KnownInputs:
    """Inputs that others are compared with, as check D203 compares them.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_known, n_inputs)
        The inputs.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._places: dict[str, int] = {}
        for place, key in enumerate(input_keys(frame)):
            self._places.setdefault(key, place)
        self._keys = list(self._places)
        self._known = KnownTexts([key.replace(_JOINED, " ") for key in self._keys])

    def alike(self, frame: pd.DataFrame) -> list[list[int]]:
        """The places of the known inputs, each once, that each row repeats or nearly does, in order.

        Examples
        --------
        >>> import pandas as pd
        >>> known = KnownInputs(pd.DataFrame({"text": ["قال الوزير", "نفى المتحدث باسم وزارة الخارجية هذا الخبر"]}))
        >>> known.alike(pd.DataFrame({"text": ["نفى المتحدث باسم وزارة الخارجية هذا الخبرَ.", "أكد الوزير"]}))
        [[1], []]
        """
        keys = input_keys(frame)
        candidates = self._known.candidates([key.replace(_JOINED, " ") for key in keys])
        return [
            sorted(self._places[self._keys[number]] for number in numbers if _alike(key, self._keys[number]))
            for key, numbers in zip(keys, candidates, strict=True)
        ]


def _alike(one: str, other: str) -> bool:
    return all(jaccard(a, b) >= NEAR for a, b in zip(one.split(_JOINED), other.split(_JOINED), strict=True))
