"""Running models on tasks, as ``bench run`` and ``bench curve`` do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bench.api.shown import Shown, ends
from bench.api.words import names_of_models, names_of_tasks, words_of
from bench.support.records import plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bench.api.progress import Listener
    from bench.api.stored import Runs
    from bench.config import RunConfig
    from bench.data.task import Task
    from bench.models.model import Model
    from bench.results.curves import Curve


C = TypeVar("C", "RunConfig", "list[RunConfig]")

SHOWN_FAILURES = 5
"""How many failures a warning names."""


class FailedRunWarning(UserWarning):
    """Folds of a run failed, or are not stored; the others are."""


def run(
    task: str | Task | Sequence[str | Task],
    model: str | Model | Sequence[str | Model] | None = None,
    *,
    search: str | dict[str, Any] | None = None,
    seed: int | Sequence[int] | None = None,
    results: str | Path | None = None,
    progress: bool | None = None,
    **overrides: Any,
) -> Runs:
    """Train, cross-validate and store models on a task.

    Each outer fold chooses its hyper-parameters on inner folds of its training part and is scored once. Finished folds
    are stored: the same call goes on where it was stopped. The majority baseline always runs too.

    Parameters
    ----------
    task : str, Task, or sequence of these
        Names of tasks, or tasks that `load_task` or `new_task` made.
    model : str, Model, or sequence of these, optional
        Names of models, or models; by default those that ``configs/config.yaml`` names.
    search : str or dict, optional
        ``"none"``, ``"quick"``, ``"standard"`` or ``"thorough"`` (0, 10, 30 or 100 trials), or settings of the
        search, such as ``{"trials": 50}``.
    seed : int or sequence of int, optional
        Every random choice is derived from it. With several, each is run, and the leaderboard has mean scores.
    results : str or pathlib.Path, optional
        Where runs are stored; ``results`` in the current folder by default.
    progress : bool, optional
        Whether to show a bar; by default in a notebook only.
    **overrides
        Any other key of ``bench run``, with ``__`` for a dot: ``validation__group="claim"``,
        ``execution={"workers": 4}``, ``tracking=False``, ``force=True``.

    Returns
    -------
    Runs
        The runs that were asked for, with the baseline.

    Raises
    ------
    bench.errors.UserError
        If a name, a value, a task or a model is wrong; nothing has run then.
    KeyboardInterrupt
        If the user stopped it; finished folds are stored.

    Warns
    -----
    FailedRunWarning
        If folds failed. ``Runs.failures`` says which, and the same call tries them again.

    Notes
    -----
    Worker processes do not run the calling script again, so it needs no ``if __name__ == "__main__"``.

    Examples
    --------
    >>> import bench, tempfile
    >>> runs = bench.run("denial", "complement-nb", search="none", tracking=False, results=tempfile.mkdtemp())
    >>> [(run.model, run.status) for run in runs]
    [('majority', 'complete'), ('complement-nb', 'complete')]
    """
    from bench.api.stored import Run, Runs
    from bench.config import compose_each
    from bench.running.runner import run_each

    asked = {"search": search, "seed": seed, "results": results, **overrides}
    with _carried_out(task, model, asked, progress, compose_each) as (configs, listener):
        outcome = run_each(configs, listener)
    _warn_of(outcome.failures)
    found = [Run(folder.path) for folder in outcome.runs]
    return Runs(found, outcome.failures, [*listener.notes, *outcome.warnings])


class Curves(Shown):
    """Learning curves: scores of models that were trained on growing parts of the labels.

    Parameters
    ----------
    found : sequence of Curve
        The curves.
    failures : sequence of str
        What was asked for and is not stored, a line each.
    """

    def __init__(self, found: Sequence[Curve], failures: Sequence[str] = ()) -> None:
        self.records, self.failures = tuple(found), tuple(failures)

    @property
    def verdicts(self) -> list[str]:
        """Whether more labels would help, a sentence each."""
        return [
            f"{curve.record.task.name}: {curve.record.model.name}: {verdict.text}"
            for curve in self.records
            for verdict in (*curve.summary.verdicts.values(), curve.summary.worth)
            if verdict is not None
        ]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each part of the training data, with its size, its score and the interval."""
        import pandas as pd

        rows = []
        for curve in self.records:
            metric = curve.summary.metric
            for axis, points in curve.summary.axes.items():
                for point in points:
                    interval = point.intervals.get(metric)
                    rows.append(
                        {
                            "task": curve.record.task.name,
                            "model": curve.record.model.name,
                            "axis": axis,
                            "part": point.part,
                            "n_groups": point.n_groups,
                            "n_examples": point.n_examples,
                            "metric": metric,
                            "score": point.scores.get(metric),
                            **ends(interval),
                        }
                    )
        return pd.DataFrame(rows)

    def plot(self) -> Figure:
        """Draw the curves of one task; returns a `matplotlib.figure.Figure`."""
        from bench.reporting.figure import curve_figure

        return curve_figure(self.records)

    def to_dict(self) -> dict[str, Any]:
        """Return all that is stored of the curves' scores and verdicts."""
        return {"curves": [plain(curve.summary) for curve in self.records], "failures": list(self.failures)}


def curve(
    task: str | Task,
    model: str | Model | Sequence[str | Model],
    *,
    search: str | dict[str, Any] | None = None,
    seed: int | None = None,
    results: str | Path | None = None,
    progress: bool | None = None,
    **overrides: Any,
) -> Curves:
    """Train on growing parts of the labels, to see whether more would help.

    Parameters
    ----------
    task, model, search, seed, results, progress, **overrides
        As for `run`.

    Returns
    -------
    Curves

    Raises
    ------
    bench.errors.UserError
        If a name, a value, a task or a model is wrong.

    Warns
    -----
    FailedRunWarning
        If folds failed.
    """
    from bench.config import compose
    from bench.running.curve import run_curves

    asked = {"search": search, "seed": seed, "results": results, **overrides}
    with _carried_out(task, model, asked, progress, compose) as (config, listener):
        outcome = run_curves(config, listener)
    _warn_of(outcome.failures)
    return Curves(outcome.curves, outcome.failures)


@contextmanager
def _carried_out(
    task: str | Task | Sequence[str | Task],
    model: str | Model | Sequence[str | Model] | None,
    asked: Mapping[str, Any],
    progress: bool | None,
    resolve: Callable[[Sequence[str]], C],
) -> Iterator[tuple[C, Listener]]:
    """Resolve what was asked for, listen to the job, and say how it goes on where it is stopped."""
    from bench.api.progress import Listener
    from bench.running.job import InterruptedRun
    from bench.support.places import refused

    config = resolve(words_of({"task": names_of_tasks(task), "model": names_of_models(model), **asked}))
    results = (config[0] if isinstance(config, list) else config).results
    with Listener(progress) as listener:
        try:
            yield config, listener
        except InterruptedRun as stopped:
            raise KeyboardInterrupt(
                f"{stopped.kept} finished folds are stored, {stopped.missing} are missing; the same call goes on."
            ) from None
        except OSError as error:
            raise refused(error, {f"results={results}": results}) or error from error


def _warn_of(failures: Sequence[str]) -> None:
    """Warn of all failures at once, where the public function was called."""
    if not failures:
        return
    told = list(failures[:SHOWN_FAILURES])
    if len(failures) > 1:
        told.insert(0, f"{len(failures)} failures:")
    if len(failures) > SHOWN_FAILURES:
        told.append(f"and {len(failures) - SHOWN_FAILURES} more")
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and Path(frame.f_code.co_filename).parent == Path(__file__).parent:
        frame, level = frame.f_back, level + 1
    warnings.warn("\n".join(told), FailedRunWarning, stacklevel=level)
