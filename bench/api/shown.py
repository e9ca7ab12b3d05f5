"""What results have in common: they turn into data frames, dictionaries and HTML."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bench.statistics.interval import Interval


def ends(interval: Interval | None) -> dict[str, float]:
    """The ends of an interval as columns, NaN where there is none."""
    return {"low": math.nan, "high": math.nan} if interval is None else {"low": interval.low, "high": interval.high}


def picture(figure: Figure, told: str) -> str:
    """An HTML image of a figure, from which nothing reaches the page around it."""
    import base64

    from bench.reporting.figure import figure_bytes

    image = base64.b64encode(figure_bytes(figure, "svg")).decode()
    return f'<img alt="{told}" src="data:image/svg+xml;base64,{image}">'


class Shown(ABC):
    """A result that a notebook shows as a table."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a data frame."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values, which JSON can hold."""

    def _told(self) -> Sequence[str]:
        """What it says, a sentence each; shown above the table."""
        return ()

    def _drawn(self) -> str:
        """A picture of it as HTML, shown above the table in a notebook."""
        return ""

    def __repr__(self) -> str:
        frame, told = self.to_frame(), self._told()
        if not len(frame):
            return "\n".join(told) or f"{type(self).__name__}()"
        table = frame.to_string(index=False, float_format="{:.3f}".format, na_rep="")
        return "\n".join([*told, "", table] if told else [table])

    def _repr_html_(self) -> str:
        from markupsafe import escape

        frame = self.to_frame()
        told = "".join(f"<p>{escape(sentence)}</p>" for sentence in self._told())
        table = frame.to_html(index=False, float_format="{:.3f}".format, na_rep="", border=0, escape=True)
        return f"{told}{self._drawn()}{table if len(frame) or not told else ''}"
