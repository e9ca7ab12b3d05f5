"""What breaks a stored run's model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.progress import described
from bench.api.shown import Shown, picture
from bench.api.words import names_of_models, names_of_tasks, words_of
from bench.support.records import plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bench.data.task import Task
    from bench.models.model import Model
    from bench.results.stress import StressSummary


class StressTests(Shown):
    """What perturbed test texts cost stored runs of a task.

    Parameters
    ----------
    found : sequence of StressSummary
        The perturbations with the score, the drop and the verdict of each, by run.
    notes : sequence of str
        What the user should know, a sentence each.
    """

    def __init__(self, found: Sequence[StressSummary], notes: Sequence[str] = ()) -> None:
        self.records, self.notes = tuple(found), tuple(notes)

    @property
    def answer(self) -> list[str]:
        """Which perturbations make each run worse, a sentence each."""
        from bench.reporting.stress import stress_answer

        return [f"{each.model}: {' '.join(stress_answer(each).split())}" for each in self.records]

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each run and perturbation.

        Returns
        -------
        pandas.DataFrame
            ``task``, ``model``, ``key``, ``metric``, the score on the texts ``as_written``, ``perturbation``, its
            ``kind``, how many texts it ``changed`` and how many of their labels ``flipped``, the ``score``, the
            ``drop`` with the ends of its interval (``low``, ``high`` and its ``level``), ``p_value`` and ``verdict``,
            all adjusted for the number of perturbations that changed a text.
        """
        import pandas as pd

        from bench.reporting.stress import stress_records

        return pd.DataFrame(stress_records(self.records))

    def plot(self) -> Figure:
        """Draw the drops with their intervals, a panel for each run; returns a `matplotlib.figure.Figure`."""
        from bench.reporting.stress import stress_figure

        return stress_figure(self.records)

    def to_dict(self) -> dict[str, Any]:
        """Return all that ``bench stress --format json`` prints, and the notes."""
        return {"runs": [plain(each) for each in self.records], "notes": list(self.notes)}

    def _told(self) -> list[str]:
        return self.answer

    def _drawn(self) -> str:
        changed = any(row.changed for each in self.records for row in each.rows)
        return picture(self.plot(), "Drops with their intervals") if changed else ""


def stress(
    task: str | Task,
    model: str | Model | Sequence[str | Model],
    *,
    only: str | Sequence[str] = (),
    metric: str | None = None,
    rope: float | None = None,
    seed: int | None = None,
    search: str | None = None,
    results: str | Path = "results",
    progress: bool | None = None,
    **overrides: Any,
) -> StressTests:
    """Score stored runs on perturbed test texts: other spellings, digits, slips, cuts.

    Each outer fold's setting is fitted again on its training part, without a search, and predicts its test texts as
    written and perturbed. Answers are stored beside the run, so the same call fits nothing again.

    Parameters
    ----------
    task : str or Task
        The task of the runs.
    model : str, Model, or sequence of these
        Models, whose runs are stored.
    only : str or sequence of str
        Names of perturbations, as ``bench stress --list`` prints them; all by default.
    metric : str, optional
        What is scored; the task's own metric by default.
    rope : float, optional
        Differences up to this one are practically none (0.01).
    seed, search : optional
        Which runs, where several are stored; the last run's by default.
    results : str or pathlib.Path
        The store.
    progress : bool, optional
        Whether to show what is being done; by default in a notebook only.
    **overrides
        Any other key of ``bench stress``, with ``__`` for a dot: ``validation__group="claim"``, ``tracking=False``.

    Returns
    -------
    StressTests
        Its notes say what was left out, and what the tests took.

    Raises
    ------
    bench.errors.UserError
        If a run is not stored, or its task or model has changed since.
    bench.errors.BenchError
        If a model fails, or does not give the stored predictions for the texts as written.

    Examples
    --------
    >>> import bench, tempfile
    >>> store = tempfile.mkdtemp()
    >>> _ = bench.run("denial", "lexicon", search="none", tracking=False, results=store)
    >>> tests = bench.stress("denial", "lexicon", only=["tatweel", "truncated"], results=store)
    >>> tests.to_frame()[["perturbation", "kind", "changed", "flipped"]]
      perturbation     kind  changed  flipped
    0      tatweel  writing      117        0
    1    truncated  content      117        2
    """
    from bench.stressing.request import parse_stress_request
    from bench.stressing.stress import stress_runs

    given = {"metric": metric, "rope": rope, "seed": seed, "search": search, "results": results, **overrides}
    words = words_of({"task": names_of_tasks(task), "model": names_of_models(model), **given})
    request = parse_stress_request(words, [only] if isinstance(only, str) else list(only))
    notes = list[str]()
    with described(progress) as doing:
        found = stress_runs(request, doing, notes.append)
    return StressTests(found.summaries, [*notes, *found.warnings])
