"""How a job called from Python goes on: silence in a script, a bar in a notebook."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from bench.planning.planned import Plan, PlannedRun
    from bench.results.cell import CellResult, Fold


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
        with warnings.catch_warnings():
            # Without ipywidgets the bar is text, and says so at length.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

        self.notes = list[str]()
        # Where it is shown, TQDM_DISABLE still hides it.
        hidden = {} if (_in_notebook() if shown is None else shown) else {"disable": True}
        self._bar = tqdm(unit="fold", leave=False, delay=DELAY, **hidden)

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


def _in_notebook() -> bool:
    """Whether this process is a notebook's kernel."""
    return "ipykernel" in sys.modules and "IPython" in sys.modules
