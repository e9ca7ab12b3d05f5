"""How a job called from Python goes on: silence in a script, a bar in a notebook."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from bench.planning.planned import Plan, PlannedRun
    from bench.results.cell import CellResult, Fold
    from bench.support.doing import Doing


DELAY = 2.0
"""Seconds after which the bar appears."""


class Listener:
    """Gathers what a user should know, and shows a bar where that is asked for.

    Parameters
    ----------
    shown : bool or None
        Whether to show a bar; None shows one in a notebook only.

    Attributes
    ----------
    notes : list of str
        What the user should know, a sentence each.
    """

    def __init__(self, shown: bool | None) -> None:
        self.notes = list[str]()
        self._bar = _bar(shown, unit="fold", delay=DELAY)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def doing(self, what: str) -> None:
        """Show what is being done."""
        self._bar.set_description_str(what, refresh=False)

    def planned(self, plan: Plan, cells: Sequence[tuple[PlannedRun, Fold]]) -> None:
        """Keep the notes, and count the folds that will run."""
        self.notes += [note for note in plan.notes if note not in self.notes]
        self._bar.reset(len(cells))
        self.doing(", ".join(dict.fromkeys(run.evaluation.task.name for run in plan.runs)))

    def tried(self, run: PlannedRun, fold: Fold, settings: int) -> None:
        """Show how many settings a search has tried."""
        self._bar.set_postfix_str(f"{run.evaluation.model.name}: {settings} settings tried", refresh=False)

    def noted(self, told: str) -> None:
        """Keep a note."""
        self.notes.append(told)

    def finished(self, run: PlannedRun, result: CellResult) -> None:
        """Count a fold."""
        self._bar.update()


@contextmanager
def described(shown: bool | None) -> Iterator[Doing]:
    """Show what is being done in one line; yields what receives it.

    Parameters
    ----------
    shown : bool or None
        Whether to show it; None shows it in a notebook only.
    """
    bar = _bar(shown, bar_format="{desc}")
    try:
        yield bar.set_description_str
    finally:
        bar.close()


def _bar(shown: bool | None, **settings: Any) -> Any:
    with warnings.catch_warnings():
        # Without ipywidgets the bar is text, and says so at length.
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm

    # Where it is shown, TQDM_DISABLE still hides it.
    hidden = {} if (_in_notebook() if shown is None else shown) else {"disable": True}
    return tqdm(leave=False, **settings, **hidden)


def _in_notebook() -> bool:
    """Whether this process is a notebook's kernel."""
    return "ipykernel" in sys.modules and "IPython" in sys.modules
