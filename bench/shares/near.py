"""Texts of an archive that could not be drawn, since they nearly repeat one that was labelled before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.checks.known_inputs import KnownInputs
from bench.data.drawn import drawn_by_text, draws_of, labelled_since

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from bench.data.task import Task


class NearRepeats:
    """The labelled texts whose near repeats a later draw leaves out.

    Parameters
    ----------
    task : Task
        The task.
    """

    def __init__(self, task: Task) -> None:
        draws = draws_of(task.examples)
        self._last, self._since = int(draws.max(initial=0)), labelled_since(draws)
        self._known = KnownInputs(task.frame) if drawn_by_text(task.examples) else None

    def of(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """The example, labelled before the last draw, that each text nearly repeats: the earliest; -1 without one."""
        found = np.full(len(frame), -1, dtype=np.intp)
        if self._known is None:
            return found
        for place, alike in enumerate(self._known.alike(frame)):
            first = min(alike, key=self.since, default=-1)
            if first >= 0 and self.since(first) <= self._last:
                found[place] = first
        return found

    def since(self, example: int) -> int:
        """The first draw that was made after an example had been labelled."""
        return int(self._since[example])
