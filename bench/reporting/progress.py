"""Progress of a run on standard error: what is planned, cells done, the best so far, time left."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.reporting.status import Status

if TYPE_CHECKING:
    from rich.console import ConsoleRenderable

    from bench.data.task import Task
    from bench.planning.planned import Plan, PlannedRun
    from bench.planning.time_left import TimeLeft
    from bench.results.cell import CellResult, Fold

BAR = 24
"""Columns of the bar."""

QUIET = 60.0
"""Seconds after which a log says how a search goes on."""


class Progress(Status):
    """How a run goes on: a moving line in a terminal, else a line for each phase and each finished fold.

    Notes about the data are printed either way, so that nothing is done silently.

    Parameters
    ----------
    unit : str
        What a planned run is called.
    what : str
        What is done first.

    Attributes
    ----------
    stored : int
        Cells that were stored since.
    """

    def __init__(self, unit: str = "run", what: str = "reading the configuration") -> None:
        super().__init__(what)
        self.stored = 0
        self._unit = unit
        self._cells = 0
        self._left: TimeLeft | None = None
        self._last = 0.0
        self._scores: dict[PlannedRun, dict[Fold, float]] = defaultdict(dict)
        self._best = ""
        self._settings = ""
        self._told = time.monotonic()
        self._several = False
        self._noted = set[str]()

    def planned(self, plan: Plan, cells: Sequence[tuple[PlannedRun, Fold]]) -> None:
        """Say what was noticed and what is going to run."""
        from bench.checks.finding import counted
        from bench.planning.time_left import TimeLeft

        for note in plan.notes:
            if note not in self._noted:
                self._noted.add(note)
                self.say(f"note: {note}")
        every = sum(len(run.all_folds) for run in plan.runs)
        stored = every - len(cells)
        tasks = ", ".join(dict.fromkeys(run.evaluation.task.name for run in plan.runs))
        reused = f"; {stored} stored already and reused" if stored else ""
        runs, folds = counted(len(plan.runs), self._unit), counted(len(cells), "fold", every)
        self.say(f"{tasks}: {runs}, {folds} to do{reused}")
        # Those of an earlier plan of this command are stored.
        self._cells = self.stored + len(cells)
        self._last, self._left = time.monotonic(), TimeLeft(cells, plan.workers)
        missing = set(cells)
        self._several = len({run.evaluation.task.name for run in plan.runs}) > 1
        for run in plan.runs if self._unit == "run" else []:
            metric = run.evaluation.task.metric
            for fold in run.outer_folds:
                if (run, fold) not in missing:
                    score = run.folder.read_result(fold).scores.get(metric)
                    self._scores[run] |= {} if score is None else {fold: score}
        self.doing("training")

    def tried(self, run: PlannedRun, fold: Fold, settings: int) -> None:
        """Tell how the search of a cell goes on, in a log once a minute where no cell is finished meanwhile."""
        told = f"{settings} of {run.evaluation.search.trials} settings"
        self._settings = f"{told} tried" if self._cells - self.stored == 1 else ""
        if self._live is None and time.monotonic() - self._told > QUIET:
            self._told = time.monotonic()
            self.say(f"{self._where(run, fold)}: {told} tried")

    def noted(self, told: str) -> None:
        """Say what the user should know."""
        self.say(f"note: {told}")

    def finished(self, run: PlannedRun, result: CellResult) -> None:
        """Count a cell."""
        assert self._left is not None, "nothing was planned"
        seconds = sum(result.seconds.values())
        metric = run.evaluation.task.metric
        self.stored += 1
        self._left.finished(run, result.fold, seconds)
        self._last = self._told = time.monotonic()
        self._settings = ""
        if metric in result.scores:
            self._scores[run][result.fold] = result.scores[metric]
        self._best = self._best_of(run.evaluation.task) if self._unit == "run" else ""
        if self._live is None:
            self.say(f"{self._finished_line(run, result, seconds)}; {self.line(0)}")

    def doing(self, what: str) -> None:
        """Do something else from now on."""
        if what != "training":
            self._left = None
        super().doing(what)

    def line(self, seconds: float) -> str:
        """What is done, or how many folds are and what is left."""
        if self._left is None:
            return super().line(seconds)
        started = "" if self.stored else "training: "
        done = f"{self.stored} of {self._cells} folds done"
        return started + ", ".join(filter(None, (done, self._settings, self._time_left())))

    def render(self, width: int) -> ConsoleRenderable:
        """The moving line in so many columns: the bar goes first where they are few, then the best, then the time."""
        if self._left is None:
            return super().render(width)
        from rich.cells import cell_len
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        parts = [f"{self.stored} of {self._cells} folds done"]
        for part in (self._settings, self._time_left(), self._best):
            if part and cell_len(", ".join([*parts, part])) <= width:
                parts.append(part)
        told = Text(", ".join(parts), no_wrap=True, overflow="ellipsis")
        if BAR + 1 + cell_len(told.plain) > width:
            return told
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(self._cells, self.stored, width=BAR), told)
        return line

    def _time_left(self) -> str:
        from bench.planning.estimate import time_in_words

        seconds = None if self._left is None or self.stored == self._cells else self._left.seconds()
        rest = 0.0 if seconds is None else seconds - (time.monotonic() - self._last)
        return f"about {time_in_words(rest)} left" if rest > 0 else ""

    def _where(self, run: PlannedRun, fold: Fold) -> str:
        from bench.results.cell import FINAL

        which = "final fit" if fold == FINAL else f"fold {fold}"
        part = "" if self._unit == "run" else f", {run.folder.path.name}"
        return f"{run.evaluation.task.name}: {run.evaluation.model.name}{part}, {which}"

    def _finished_line(self, run: PlannedRun, result: CellResult, seconds: float) -> str:
        from bench.reporting.terminal import duration

        metric = run.evaluation.task.metric
        where = self._where(run, result.fold)
        if result.status == "failed":
            return f"{where}: failed"
        score = (
            f" {run.evaluation.task.scored_by.title} {result.scores[metric]:.3f}," if metric in result.scores else ""
        )
        return f"{where}:{score} {duration(seconds)}"

    def _best_of(self, task: Task) -> str:
        """The best mean over the folds that all runs of a task have which have any."""
        begun = {run: scores for run, scores in self._scores.items() if scores and run.evaluation.task is task}
        shared = set.intersection(*map(set, begun.values())) if begun else set()
        if not shared:
            return ""
        means = {run: sum(scores[fold] for fold in shared) / len(shared) for run, scores in begun.items()}
        best = (max if task.scored_by.greater_is_better else min)(means, key=lambda run: means[run])
        score = f"{best.evaluation.model.name} {task.scored_by.title} {means[best]:.3f}"
        folds = "1 fold" if len(shared) == 1 else f"{len(shared)} folds"
        where = f"{task.name}: " if self._several else ""
        return where + (f"best of {len(begun)} on {folds}: {score}" if len(begun) > 1 else f"{score} on {folds}")
