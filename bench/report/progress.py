"""Progress of a run: cells done, the best so far, time left; quiet when piped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from bench.checks.finding import counted
from bench.errors import printable
from bench.evaluation.cell import CellResult, Fold
from bench.evaluation.metrics import LOWER_IS_BETTER
from bench.results.leaderboard import TITLES

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.evaluation.plan import Plan, PlannedRun


class Progress:
    """A progress bar on standard error where that is a terminal.

    Notes about the data are printed either way, so that nothing is done silently.

    Parameters
    ----------
    unit : str
        What a planned run is called.

    Attributes
    ----------
    stored : int
        Cells that were stored since.
    """

    def __init__(self, unit: str = "run") -> None:
        self.stored = 0
        self._unit = unit
        console = Console(stderr=True)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[best]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._scores: dict[PlannedRun, list[float]] = defaultdict(list)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def planned(self, plan: Plan, cells: Sequence[tuple[PlannedRun, Fold]]) -> None:
        """Say what was noticed and what is going to run."""
        for note in plan.notes:
            self._say(f"note: {note}")
        every = sum(len(run.all_folds) for run in plan.runs)
        stored = every - len(cells)
        tasks = ", ".join(dict.fromkeys(run.evaluation.task.name for run in plan.runs))
        reused = f"; {stored} stored already and reused" if stored else ""
        runs, folds = counted(len(plan.runs), self._unit), counted(len(cells), "fold", every)
        self._say(f"{tasks}: {runs}, {folds} to do{reused}")
        self._task = self._bar.add_task("folds", total=len(cells), best="")

    def _say(self, line: str) -> None:
        console = self._bar.console
        console.print(Text(printable(line)), soft_wrap=not console.is_terminal)

    def finished(self, run: PlannedRun, result: CellResult) -> None:
        """Count a cell."""
        self.stored += 1
        metric = run.evaluation.task.metric
        if metric in result.scores:
            self._scores[run].append(result.scores[metric])
        self._bar.update(self._task, advance=1, best=self._best(run.evaluation.task))

    def _best(self, task: Task) -> str:
        """The best mean over the folds so far on the task that is running."""
        means = {run: sum(scores) / len(scores) for run, scores in self._scores.items() if run.evaluation.task is task}
        if not means:
            return ""
        metric = task.metric
        best = (min if metric in LOWER_IS_BETTER else max)(means, key=lambda run: means[run])
        return f"best: {best.evaluation.model.name} {TITLES[metric]} {means[best]:.3f}"
