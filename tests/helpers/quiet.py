"""An observer that wants to know nothing."""

from __future__ import annotations

from typing import Any


class Quiet:
    """Hears of a job, and does nothing."""

    def doing(self, what: str) -> None: ...

    def planned(self, plan: Any, cells: Any) -> None: ...

    def tried(self, run: Any, fold: Any, settings: int) -> None: ...

    def noted(self, told: str) -> None: ...

    def finished(self, run: Any, result: Any) -> None: ...
