"""Running models on tasks, as ``bench run`` and ``bench curve`` do."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.words import model_names, task_names, words_of

if TYPE_CHECKING:
    from bench.api.stored import Runs
    from bench.data.task import Task
    from bench.models.model import Model


class FailedRunWarning(UserWarning):
    """Folds of a run failed, or are not stored; the others are."""


def run(
    task: str | Task | Sequence[str | Task],
    model: str | Model | Sequence[str | Model] | None = None,
    *,
    search: str | dict[str, Any] | None = None,
    seed: int | None = None,
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
    seed : int, optional
        Every random choice is derived from it.
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
    from bench.api.progress import Listener
    from bench.api.stored import Run, Runs
    from bench.config import compose
    from bench.running.job import InterruptedRun
    from bench.running.runner import run as run_config
    from bench.support.places import refused

    words = words_of(
        {
            "task": task_names(task),
            "model": model_names(model),
            "search": search,
            "seed": seed,
            "results": None if results is None else str(results),
            **overrides,
        }
    )
    config = compose(words)
    with Listener(progress) as listener:
        try:
            outcome = run_config(config, listener)
        except InterruptedRun as stopped:
            raise KeyboardInterrupt(
                f"{stopped.kept} finished folds are stored, {stopped.missing} are missing; the same call goes on."
            ) from None
        except OSError as error:
            raise refused(error, {f"results={config.results}": config.results}) or error from error
    for failure in outcome.failures:
        warnings.warn(failure, FailedRunWarning, stacklevel=2)
    return Runs([Run(folder.path) for folder in outcome.runs], outcome.failures, [*listener.notes, *outcome.warnings])
