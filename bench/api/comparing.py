"""Comparing stored runs: leaderboards, and which model is better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.shown import Shown, ends, picture
from bench.api.words import names_of_models, names_of_tasks, one_task, words_of
from bench.support.records import plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from bench.comparison.compare import Comparison
    from bench.comparison.compared import ComparedRuns
    from bench.data.task import Task
    from bench.models.model import Model
    from bench.results.board import Leaderboard


class Board(Shown):
    """A task's leaderboard: every stored run that compares with the latest one.

    Parameters
    ----------
    record : Leaderboard
        The leaderboard.
    """

    def __init__(self, record: Leaderboard) -> None:
        self.record = record

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each model, published result and annotation pass, the best first.

        Returns
        -------
        pandas.DataFrame
            ``model``, ``search``, ``kind`` (``model``, ``published``, ``reference``, or an unfinished run's status),
            the task's metric, its interval as ``low`` and ``high``, the ranks that cannot be excluded as ``best_rank``
            and ``worst_rank``, the other metrics, and ``key``.
        """
        import pandas as pd

        from bench.results.board import columns

        metric = self.record.metric
        names = columns(metric, (row.scores for row in self.record.rows))
        rows = []
        for row in self.record.rows:
            interval = row.intervals.get(metric)
            shown: dict[str, Any] = {"model": row.label, "search": row.search, "kind": row.kind}
            shown[metric] = row.scores.get(metric)
            shown |= ends(interval) | _ranks(row.ranks)
            shown |= {"seed_sd": row.seed_deviation} if self.record.seeds else {}
            shown |= {name: row.scores.get(name) for name in names if name != metric}
            rows.append(shown | {"key": row.key})
        return pd.DataFrame(rows)

    def _drawn(self) -> str:
        scored = any(self.record.metric in row.scores for row in self.record.rows)
        return picture(self.plot(), "Scores with their intervals") if scored else ""

    def plot(self) -> Figure:
        """Draw the scores with their intervals; returns a `matplotlib.figure.Figure`."""
        from bench.reporting.figure import interval_figure

        return interval_figure(self.record)

    def to_dict(self) -> dict[str, Any]:
        """Return all that ``leaderboard.json`` holds, and more of the task."""
        return dict(plain(self.record))


def _ranks(ranks: tuple[int, int] | None) -> dict[str, int | None]:
    best, worst = (None, None) if ranks is None else ranks
    return {"best_rank": best, "worst_rank": worst}


def leaderboard(task: str | Task, *, seed: int | Sequence[int] | None = None, results: str | Path = "results") -> Board:
    """Return a task's leaderboard, made from the stored runs.

    Parameters
    ----------
    task : str or Task
        The task.
    seed : int or sequence of int, optional
        The seed, or several, over which scores are averaged; by default the last run's alone.
    results : str or pathlib.Path
        The store.

    Raises
    ------
    bench.errors.UserError
        If no run of the task is stored.
    """
    import numpy as np

    from bench.comparison.board import corrected_leaderboard, seeds_leaderboard
    from bench.comparison.request import Filter
    from bench.comparison.selection import select_runs

    folder = Path(results).expanduser()
    name = one_task(task)
    seeds = () if seed is None else tuple(np.atleast_1d(seed).tolist())
    if len(seeds) > 1:
        return Board(seeds_leaderboard(folder, name, seeds))
    selected = select_runs(folder, name, Filter(seed=seeds[0] if seeds else None))
    newest = max((record for _, record in selected.runs), key=lambda record: record.started)
    return Board(corrected_leaderboard(folder, newest))


class Compared(Shown):
    """Runs of one task compared on the same out-of-fold predictions.

    Parameters
    ----------
    record : Comparison
        The ranked runs, every pair with its tests and verdict, and the warnings.
    runs : ComparedRuns
        The runs' predictions side by side.
    """

    def __init__(self, record: Comparison, runs: ComparedRuns) -> None:
        self.record, self._runs = record, runs

    @property
    def answer(self) -> list[str]:
        """Which model is best, which are not distinguishable from it, and what would decide, a sentence each."""
        from bench.reporting.wording import answer

        return answer(self.record)

    def _told(self) -> list[str]:
        return self.answer

    def _drawn(self) -> str:
        return picture(self.plot(), "Differences with their intervals") if len(self.record.rows) > 1 else ""

    def plot(self) -> Figure:
        """Draw the differences that verdicts rest on, with their adjusted intervals, as a forest plot.

        Returns
        -------
        matplotlib.figure.Figure
            For a paper, save it: ``figure.savefig("comparison.pdf")``.

        Raises
        ------
        bench.errors.UserError
            If there is only one run.
        """
        from bench.reporting.figure import forest_figure

        return forest_figure(self.record)

    def to_latex(self) -> str:
        """Return the table for a paper: booktabs, the best in bold, ties and verdicts marked."""
        from bench.reporting.paper.tables import paper_tables
        from bench.reporting.paper.typeset import to_latex

        return to_latex(paper_tables([self.record]))

    def to_markdown(self) -> str:
        """Return the same table as Markdown."""
        from bench.reporting.paper.tables import paper_tables
        from bench.reporting.paper.typeset import to_markdown

        return to_markdown(paper_tables([self.record]))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a run, the best first: score, interval, ranks that cannot be excluded, and all metrics."""
        import pandas as pd

        return pd.DataFrame(
            {
                "model": row.name,
                "search": row.search,
                "score": row.score,
                **ends(row.interval),
                **_ranks(row.ranks),
                "tied": row.tied,
                **({} if row.seed_deviation is None else {"seed_sd": row.seed_deviation}),
                **row.scores,
                "key": row.key,
            }
            for row in self.record.rows
        )

    def pairs(self) -> pd.DataFrame:
        """Return one row a pair of runs, with the difference, its interval, the tests and the verdict."""
        import pandas as pd

        return pd.json_normalize([plain(pair) for pair in self.record.pairs])

    def slices(self) -> pd.DataFrame:
        """Return one row a slice and run, if a column was named with ``by``.

        Returns
        -------
        pandas.DataFrame
            ``slice``, its ``examples`` and ``groups``, ``model``, ``score`` with its interval (``low`` and ``high``),
            the difference from all other examples, that from the best run (or the baseline) with its verdict, and why a
            slice is ``too_small``. All intervals and verdicts are adjusted for the number of judged slices.
        """
        import pandas as pd

        from bench.reporting.slices import slice_records

        return pd.DataFrame(slice_records(self.record))

    def periods(self) -> pd.DataFrame:
        """Return one row a run and period, if folds train on earlier and test on later examples.

        Returns
        -------
        pandas.DataFrame
            ``model``, the period's first and last date (``from`` and ``to``) and ``examples``, and the ``score`` with
            its interval (``low`` and ``high``).
        """
        import pandas as pd

        from bench.reporting.periods import with_periods

        columns = ["model", "from", "to", "examples", "score", "low", "high"]
        rows = [
            (
                row.name,
                period.tested_from,
                period.tested_to,
                period.n_test,
                each.score,
                *((None, None) if each.interval is None else (each.interval.low, each.interval.high)),
            )
            for row in with_periods(self.record)
            for period, each in zip(self.record.periods, row.by_period, strict=True)
        ]
        return pd.DataFrame(rows, columns=columns)

    def predictions(self) -> pd.DataFrame:
        """Return the out-of-fold predictions of all runs side by side, one row an example and repeat.

        Returns
        -------
        pandas.DataFrame
            ``id``, ``group``, ``fold``, ``label``, and a column for each run.
        """
        import pandas as pd

        from bench.metrics.confusion import UNANSWERED

        runs, labels = self._runs, [*self._runs.labels]
        names = dict(enumerate(labels)) | {UNANSWERED: ""}
        groups = [runs.group_names[code] for code in runs.groups.tolist()]
        frame = pd.DataFrame({"id": runs.ids, "group": groups, "fold": runs.folds})
        frame["label"] = [labels[code] for code in runs.true.tolist()]
        for run in runs.runs:
            frame[run.name] = [names[code] for code in run.predicted.tolist()]
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return all that ``bench compare --format json`` prints of a task."""
        return dict(plain(self.record))


def compare(
    task: str | Task,
    model: str | Model | Sequence[str | Model] | None = None,
    *,
    baseline: str | None = None,
    metric: str | None = None,
    rope: float | None = None,
    seed: int | Sequence[int] | None = None,
    search: str | None = None,
    by: str | None = None,
    results: str | Path = "results",
) -> Compared:
    """Say which stored run of a task is better, and whether that is real.

    Parameters
    ----------
    task : str or Task
        The task.
    model : str, Model, or sequence of these, optional
        Which models; all that are stored by default.
    baseline : str, optional
        The one model that all others are compared with; by default each is compared with each.
    metric : str, optional
        What is compared; the task's own metric by default.
    rope : float, optional
        Differences up to this one are practically none (0.01).
    seed, search : optional
        Which runs, where several are stored; the last run's by default. With several seeds, scores are means over
        these, and tests are about the means.
    by : str, optional
        A column of the examples, such as ``"outlet"``, in whose slices the runs are compared too; ``"published:month"``
        for the months of a column of dates; ``"length"`` is bands of words.
    results : str or pathlib.Path
        The store.

    Returns
    -------
    Compared

    Raises
    ------
    bench.errors.UserError
        If the runs are not stored or do not compare.
    """
    from bench.comparison.compare import compare as compare_runs
    from bench.comparison.predictions import read_side_by_side
    from bench.comparison.request import parse_compare_request
    from bench.comparison.selection import select

    request = parse_compare_request(
        words_of(
            {
                "task": names_of_tasks(task),
                "model": names_of_models(model),
                "baseline": baseline,
                "metric": metric,
                "rope": rope,
                "seed": seed,
                "search": search,
                "results": str(results),
            }
        ),
        several_seeds=True,
    )
    (selected,) = select(request)
    runs = read_side_by_side(selected, request.metric)
    return Compared(compare_runs(runs, request.rope, request.baseline, by), runs)


def report(
    task: str | Task,
    path: str | Path | None = None,
    *,
    results: str | Path = "results",
    force: bool = False,
    **keys: Any,
) -> Path:
    """Write one HTML page about a task's stored runs, to send to others.

    Parameters
    ----------
    task : str or Task
        The task.
    path : str or pathlib.Path, optional
        The page's file; by default ``report.html`` beside the task's runs, which is written over.
    results : str or pathlib.Path
        The store.
    force : bool
        Whether to write over another file that is there.
    **keys
        As for `compare`.

    Returns
    -------
    pathlib.Path
        The page.
    """
    from bench.data.own_files import check_replaced
    from bench.reporting.html.page import render_report
    from bench.results.layout import REPORT, unlinked
    from bench.support.places import write_whole

    compared = compare(task, results=results, **keys)
    page = render_report(compared._runs, compared.record).encode()
    if path is not None:
        check_replaced(Path(path), f"path={path}", force)
    target = Path(path) if path is not None else unlinked(compared._runs.runs[0].folder.path.parents[1], REPORT)
    write_whole(target, page)
    return target
