"""How a run does against the majority baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.comparison.compared import ComparedRuns
from bench.comparison.pairs import judged_pairs
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import ROPE
from bench.comparison.selection import select_folders, select_table
from bench.errors import BenchError
from bench.planning.plan import BASELINE
from bench.results.record import RunRecord
from bench.results.store import RunFolder


def baseline_run(results: Path, record: RunRecord) -> RunFolder | None:
    """Find the finished majority baseline of a run's table.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : RunRecord
        What is stored of the run.

    Returns
    -------
    RunFolder or None
        None where it is not stored, and where the run is the baseline itself.
    """
    if record.model.name == BASELINE:
        return None
    return next((folder for folder, _ in select_table(results, record, BASELINE).runs), None)


@dataclass(frozen=True)
class Judgement:
    """How a run does against the majority baseline by the task's metric.

    Parameters
    ----------
    verdict : {"better", "worse", "practically equal", "undecided"}
        The run's.
    difference : float
        The run's score minus the baseline's.
    low, high : float or None
        The interval that the verdict is made of; None where groups say nothing.
    """

    verdict: str
    difference: float
    low: float | None
    high: float | None


def judge_all(results: Path, record: RunRecord, baseline: RunFolder) -> dict[str, Judgement]:
    """Judge every finished run of a table against the baseline, as ``bench compare`` and the report do.

    The verdicts are adjusted for the number of runs that are held against it, so one more run may change them all.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : RunRecord
        A run of the table.
    baseline : RunFolder
        The table's finished baseline.

    Returns
    -------
    dict of str to Judgement
        By a run's key. Runs that lack what the metric needs, or that cannot be read, are left out.
    """
    found = [folder for folder, _ in select_table(results, record).runs if folder.path != baseline.path]
    runs = _read(found, baseline) or _read([run for run in found if _read([run], baseline)], baseline)
    if runs is None:
        return {}
    own = next(place for place, run in enumerate(runs.runs) if run.folder.key == baseline.key)
    keys = {run.name: run.folder.key for run in runs.runs}
    judged = {}
    for pair in judged_pairs(runs, ROPE, own):
        behind = pair.first == runs.runs[own].name
        sign, interval = (-1.0 if behind else 1.0), pair.interval
        ends = (None, None) if interval is None else sorted(sign * end for end in (interval.low, interval.high))
        judged[keys[pair.second if behind else pair.first]] = Judgement(
            "worse" if pair.verdict == "better" and behind else pair.verdict,
            sign * pair.groups.difference,
            *ends,
        )
    return judged


def _read(found: Sequence[RunFolder], baseline: RunFolder) -> ComparedRuns | None:
    """The runs side by side with the baseline, None where there are none or one cannot be read."""
    try:
        return read_side_by_side(select_folders([run.path for run in (baseline, *found)])) if found else None
    except BenchError:
        return None
