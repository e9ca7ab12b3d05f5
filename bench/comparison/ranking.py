"""What a ranking is worth: the best score corrected for having been picked, and the ranks that cannot be excluded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.comparison.compared import ComparedRuns
from bench.comparison.pairs import Pair
from bench.comparison.verdict import LEVEL
from bench.results.board import Best
from bench.statistics.bootstrap import bootstrap_error, jackknife_error
from bench.statistics.paired import NO_VARIATION
from bench.statistics.winner import corrected_score, winner


def corrected_best(runs: ComparedRuns) -> Best | None:
    """The best run with its score corrected for its having been picked; None for a single run.

    The corrected score has an interval where the score itself has one, which reaches at least as far to each side:
    where a label is never predicted, draws of groups do not vary, although other groups would.
    """
    if len(runs.runs) < 2:
        return None
    n_groups, best = len(runs.group_names), runs.runs[0]
    scored = [runs.drawn_scores(run) for run in runs.runs]
    scores, drawn = np.array([score for score, _ in scored]), np.array([draws for _, draws in scored])
    unseen = np.array([runs.unseen_scores(run) for run in runs.runs])
    error = None
    if n_groups > 1 and runs.metric.name in best.summary.intervals:
        left_out = runs.left_out_scores(best)
        error = bootstrap_error(drawn[0], n_groups)
        if left_out is not None:
            error = max(error, jackknife_error(left_out))
        error = None if error < NO_VARIATION else error * runs.training_factor()
    corrected = corrected_score(scores, drawn, unseen, not runs.metric.greater_is_better)
    found = winner(corrected, error, n_groups, runs.metric.bounds)
    if own := best.summary.intervals.get(runs.metric.name):
        found = found.at_least(own.moved(corrected - float(scores[0]), runs.metric.bounds))
    return Best(best.name, len(runs.runs), float(scores[0]), found.score, found.low, found.high, found.level)


def rank_interval(name: str, pairs: Sequence[Pair], n_runs: int) -> tuple[int, int]:
    """The ranks that a run may have: no better than after all that are better, no worse than before all it beats.

    A pair counts where its verdict is "better" with all pairs adjusted together, those with the majority baseline
    among them. So these decisions hold together, and with them the intervals of all ranks (Mogstad, Romano, Shaikh and
    Wilhelm 2024).

    Parameters
    ----------
    name : str
        The run.
    pairs : sequence of Pair
        Every pair of the runs.
    n_runs : int
        The number of runs.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> pairs = [
    ...     SimpleNamespace(first="a", second="c", verdict="better", p_together=0.01),
    ...     SimpleNamespace(first="b", second="c", verdict="better", p_together=0.06),
    ... ]
    >>> [rank_interval(name, pairs, 3) for name in "abc"]
    [(1, 2), (1, 3), (2, 3)]
    """
    decided = [pair for pair in pairs if pair.verdict == "better" and pair.p_together < LEVEL]
    ahead = sum(pair.second == name for pair in decided)
    behind = sum(pair.first == name for pair in decided)
    return 1 + ahead, n_runs - behind
