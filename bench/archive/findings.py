"""What was found with a run after it was made: its stress tests, and the shares of labels in archives.

They go with the run into an archive and out of it, and are held against the run's own predictions.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.archive.manifest import FINDING
from bench.comparison.compared import ComparedRuns
from bench.comparison.predictions import read_side_by_side
from bench.comparison.selection import Selected
from bench.comparison.stressed import stressed, unjudged_row
from bench.errors import BenchError, UserError
from bench.results.files import is_stored, read_record, sha256
from bench.results.layout import SHARES, STRESS, SUMMARY, unlinked
from bench.results.record import RunRecord
from bench.results.shares import Estimates, shares_name
from bench.results.store import RunFolder
from bench.results.stress import StressedFold, StressSummary, stress_summary_path

KINDS = {STRESS: "stress tests", SHARES: "shares"}
"""What each folder of findings holds, in words."""

TOLERANCE = 1e-9
"""By how much a score may differ from that of the answers: the order of additions depends on the machine."""


def finding_files(folder: RunFolder, kind: str) -> list[Path]:
    """The stored files of one kind, a key of `KINDS`, without links and what else lies there."""
    return [
        path
        for path in sorted((folder.path / kind).rglob("*.json"))
        if is_stored(path) and FINDING.fullmatch(path.relative_to(folder.path).as_posix())
    ]


def sound_findings(folder: RunFolder, record: RunRecord) -> tuple[list[Path], list[str]]:
    """The files of findings that can be moved, and which kinds cannot and why, a sentence each."""
    files, left_out = list[Path](), list[str]()
    for kind, what in KINDS.items():
        try:
            check_findings(folder, record, kind)
        except BenchError as error:
            left_out.append(f"{record.task.name}, {record.model.name}, {record.key}: its {what} are left out: {error}")
        else:
            files += finding_files(folder, kind)
    return files, left_out


def check_findings(folder: RunFolder, record: RunRecord, kind: str) -> None:
    """Hold the findings of one kind against the run that they are about.

    Raises
    ------
    bench.errors.UserError
        If a file cannot be read, or does not go with the run.
    """
    files = finding_files(folder, kind)
    if not files:
        return
    if kind == SHARES:
        for path in files:
            _check_shares(path, read_record(Estimates, path), record)
        return
    answers = {path: read_record(StressedFold, path) for path in files if path.name != SUMMARY}
    by_name: dict[str, dict[int, StressedFold]] = {}
    for path, found in answers.items():
        fold = _fold_of(path, folder, record)
        _check_answers(path, found, folder, fold, record)
        by_name.setdefault(path.stem, {})[fold] = found
    if is_stored(summary := stress_summary_path(folder)):
        _check_summary(summary, read_record(StressSummary, summary), by_name, folder, record)


def _check_shares(path: Path, found: Estimates, record: RunRecord) -> None:
    said, own = (found.task, found.model, found.run), (record.task.name, record.model.name, record.key)
    if said != own or found.labels != record.task.labels:
        raise UserError(f"{path}: it is about another run, {', '.join(said)}.")
    if path.name != shares_name(found):
        raise UserError(f"{path}: it is about another archive than its name says, {found.title}.")


def _fold_of(path: Path, folder: RunFolder, record: RunRecord) -> int:
    for fold in range(record.folds):
        if path.parent.name == folder.cell_path(fold).name:
            return fold
    raise UserError(f"{path}: the run has no such fold.")


def _check_answers(path: Path, found: StressedFold, folder: RunFolder, fold: int, record: RunRecord) -> None:
    cell = folder.cell_path(fold)
    if found.predictions_sha256 != sha256(cell / "predictions.csv"):
        raise UserError(f"{path}: its model gave other predictions than those of {cell.name}.")
    tested, labels = len(folder.read_predictions(fold)), record.task.labels
    probable = [] if found.probabilities is None else [len(each) for each in found.probabilities]
    if (
        list(found.rows) != sorted({*found.rows})
        or (found.rows and found.rows[-1] >= tested)
        or len(found.predicted) != len(found.rows)
        or not {*found.predicted} <= {*labels, ""}
        or (found.probabilities is not None and probable != [len(labels)] * len(found.rows))
    ):
        raise UserError(f"{path}: its answers are not to texts of {cell.name}.")


def _check_summary(
    path: Path,
    found: StressSummary,
    answers: Mapping[str, Mapping[int, StressedFold]],
    folder: RunFolder,
    record: RunRecord,
) -> None:
    said, own = (found.task, found.model, found.key), (record.task.name, record.model.name, record.key)
    if said != own:
        raise UserError(f"{path}: it is about another run, {', '.join(said)}.")
    run = read_side_by_side(Selected([(folder, record)], [], named=True), found.metric)
    if not _equal(found.score, run.runs[0].score) or found.folds != record.folds:
        raise UserError(f"{path}: it does not sum up the run's predictions.")
    for name in _wrong_rows(found, answers, run):
        raise UserError(f"{path}: it does not sum up the answers under {name!r}.")


def _wrong_rows(
    found: StressSummary, answers: Mapping[str, Mapping[int, StressedFold]], run: ComparedRuns
) -> Iterator[str]:
    for row in found.rows:
        named = FINDING.fullmatch(f"{STRESS}/fold-00/{row.name}.json")
        again = unjudged_row(run, stressed(run, row, answers.get(row.name, {})))
        same = (row.changed, row.flipped) == (again.changed, again.flipped)
        judged = (row.standing == "unchanged") == (again.standing == "unchanged")
        if not (named and same and judged and _equal(row.score, again.score) and _equal(row.drop, again.drop)):
            yield row.name


def _equal(one: float, other: float) -> bool:
    return math.isclose(one, other, abs_tol=TOLERANCE)


def add_missing(source: RunFolder, target: RunFolder) -> tuple[int, list[str]]:
    """Move findings of a run into the folder of the same run, where they are missing.

    Returns
    -------
    added : int
        How many files were moved.
    other : list of str
        Which files are there with another content, and stay.
    """
    added, other = 0, list[str]()
    for kind in KINDS:
        for path in finding_files(source, kind):
            name = path.relative_to(source.path)
            place = unlinked(target.path, *name.parts)
            if not os.path.lexists(place):
                place.parent.mkdir(parents=True, exist_ok=True)
                path.replace(place)
                added += 1
            elif sha256(place) != sha256(path):
                other.append(name.as_posix())
    return added, other
