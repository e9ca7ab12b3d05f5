"""How a run does against the majority baseline."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.comparison.compare import compare
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import ROPE
from bench.comparison.selection import select_folders
from bench.errors import UserError
from bench.evaluation.plan import BASELINE
from bench.results.protocol import same_table
from bench.results.store import RunFolder, stored_runs


def baseline_run(results: Path, record: Mapping[str, Any]) -> RunFolder | None:
    """Find the finished majority baseline of a run's table.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : mapping
        The content of the run's ``run.json``.

    Returns
    -------
    RunFolder or None
        None where it is not stored, and where the run is the baseline itself.
    """
    if record["model"]["name"] == BASELINE:
        return None
    for run in stored_runs(results, record["task"]["name"]):
        if run.path.parent.name != BASELINE or not run.summarised:
            continue
        try:
            if same_table(record, run.read_record()):
                return run
        except (UserError, KeyError):
            continue
    return None


def judge(run: RunFolder, baseline: RunFolder) -> dict[str, Any] | None:
    """Judge a run against the baseline by the task's metric, as `bench.comparison.compare` judges a pair.

    The pair stands alone: ``bench compare`` adjusts for the number of pairs that it shows.

    Parameters
    ----------
    run, baseline : RunFolder
        Two finished runs that compare.

    Returns
    -------
    dict or None
        ``verdict`` (``better``, ``worse``, ``practically equal`` or ``undecided``, the run's),
        ``difference`` (the run's score minus the baseline's), ``low`` and ``high`` (its 95 % interval,
        None with one group). None where the run lacks what the metric needs.

    Raises
    ------
    bench.errors.BenchError
        If the stored predictions are not for the same examples, as where a file was changed.
    """
    runs = read_side_by_side(select_folders([run.path, baseline.path]))
    pairs = compare(runs, ROPE)["pairs"]
    if not pairs:
        return None
    (pair,) = pairs
    is_first = runs.runs[0].folder.path == run.path.resolve()
    sign = 1.0 if is_first else -1.0
    between = pair["groups"]
    ends = [None, None]
    if between["interval"] is not None:
        ends = sorted(sign * between["interval"][end] for end in ("low", "high"))
    verdict = pair["verdict"]
    return {
        "verdict": "worse" if verdict == "better" and not is_first else verdict,
        "difference": sign * between["difference"],
        "low": ends[0],
        "high": ends[1],
    }
