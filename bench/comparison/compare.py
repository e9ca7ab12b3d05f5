"""The comparison of stored runs: a ranked table, every pair with its tests, and a verdict on each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bench.comparison.ground import thin_ground
from bench.comparison.pairs import judged_pairs
from bench.comparison.predictions import ComparedRun, ComparedRuns
from bench.comparison.ranking import corrected_best, rank_interval
from bench.comparison.search import search_report
from bench.comparison.suspects import suspects
from bench.comparison.task_now import task_now
from bench.errors import ConfigError, nearest
from bench.results.protocol import model_name, search_name


def compare(runs: ComparedRuns, rope: float, baseline: str | None = None) -> dict[str, Any]:
    """Compare runs with each other, or with a baseline.

    Parameters
    ----------
    runs : ComparedRuns
        At least two.
    rope : float
        The region of practical equivalence: differences up to this one are practically none.
    baseline : str or None
        The run that all others are compared with; None compares each with each.

    Returns
    -------
    dict
        Plain data: the ``task``, the ``metric``, ``rows`` (the runs, ranked; where each is compared with
        each, ``tied`` tells which cannot be told from the best, and ``ranks`` which ranks cannot be excluded), ``best``
        (the best score corrected for having been picked, with its interval), ``references``, ``pairs`` (the better
        score first; see `bench.comparison.pairs.judged_pairs`), ``warnings`` where the ground is thin, ``suspects``
        and ``notes``.

    Raises
    ------
    bench.errors.ConfigError
        If there is no run of the baseline's name.
    """
    place = None if baseline is None else _place(runs, baseline)
    pairs = judged_pairs(runs, rope, place)
    best = runs.runs[0].name
    tied = {pair["second"] for pair in pairs if pair["first"] == best and pair["verdict"] != "better"}
    task = task_now([run.record for run in runs.runs])
    return {
        "task": task,
        "metric": runs.metric.name,
        "seed": runs.runs[0].record["seed"],
        "validation": runs.runs[0].record["validation"],
        "baseline": None if place is None else runs.runs[place].name,
        "rope": rope,
        "n_folds": len(set(runs.folds.tolist())),
        "rows": [_row(runs, run, pairs, baseline is None, run.name in tied) for run in runs.runs],
        "best": None if (best_score := corrected_best(runs)) is None else asdict(best_score),
        "references": task["references"],
        "pairs": pairs,
        "warnings": thin_ground(runs),
        "suspects": suspects(runs),
        "notes": runs.notes,
    }


def _row(
    runs: ComparedRuns, run: ComparedRun, pairs: list[dict[str, Any]], every_pair: bool, tied: bool
) -> dict[str, Any]:
    return {
        "name": run.name,
        "model": model_name(run.record),
        "search": search_name(run.record),
        "key": run.folder.key,
        "score": run.score,
        "interval": run.summary["intervals"].get(runs.metric.name),
        "scores": run.summary["scores"],
        "ranks": rank_interval(run.name, pairs, len(runs.runs)) if every_pair else None,
        "tied": every_pair and tied,
        "bought": search_report(run.folder, run.record, run.summary),
    }


def _place(runs: ComparedRuns, baseline: str) -> int:
    names = [run.name for run in runs.runs]
    models = [run.record["model"]["name"] for run in runs.runs]
    for known in (names, models):
        if baseline in known:
            return known.index(baseline)
    raise ConfigError(f"baseline={baseline}: it is not among the compared runs.", nearest(baseline, names))
