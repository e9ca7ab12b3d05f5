"""How long the units of a model take."""

from __future__ import annotations

UNIT_SECONDS = 1.0
"""What the fits of one unit are to take together: sending them costs little then, and so does an interruption."""

MARGIN = 1.5
"""How much longer than the longest so far work may take; what a worker has no time for is not started there."""

WHOLE = 2.0
"""How much longer than a fit of the search the last one may take: two inner folds train on half of its rows."""


class Pace:
    """The most that the work of a model on a task has taken, by which it is told for what a worker has time left."""

    def __init__(self) -> None:
        self._fit: float | None = None
        self._finish: float | None = None

    def saw_fits(self, count: int, seconds: float) -> None:
        """Count fits of a search that took so many seconds together, or at least so many where they did not end."""
        if count:
            self._fit = max(self._fit or 0.0, seconds / count)

    def saw_finish(self, seconds: float) -> None:
        """Count the fit and the scoring of a chosen setting likewise."""
        self._finish = max(self._finish or 0.0, seconds)

    def expected(self, finishing: bool) -> float | None:
        """The seconds that a unit may take; None so long as nothing like it was seen."""
        fit = None if self._fit is None else max(self._fit, UNIT_SECONDS)
        if not finishing:
            return None if fit is None else MARGIN * fit
        known = self._finish if fit is None else max(self._finish or 0.0, WHOLE * fit)
        return None if known is None else MARGIN * known
