"""Stress tests in the store.

::

    results/<task>/<model>/<key>/stress/
        fold-00/<perturbation>.json  what a fold's model answered to the texts that a perturbation changed
        summary.json                 scores, drops and verdicts of the last command
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bench.errors import UserError
from bench.results.files import is_stored, read_record, to_json, write_atomically
from bench.results.layout import SUMMARY, stress_folder
from bench.results.store import RunFolder
from bench.statistics.interval import Interval
from bench.support.records import Count, Number, plain

Standing = Literal[
    "worse", "better", "practically equal", "undecided", "no label flipped", "too few texts", "unchanged"
]
"""How a score on perturbed texts stands to that on the texts as written.

Too few texts where no drop is certain, and so few texts were changed that this says nothing; unchanged where none was.
No label flipped where the verdict is open and no answer differs.
"""

WITHOUT_INTERVAL: tuple[Standing, ...] = ("no label flipped", "too few texts")
"""How the score stands where texts were changed, and their drop has no interval because it says nothing."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True)
class StressedFold:
    """What a fold's model answered to the test texts that a perturbation changed.

    Parameters
    ----------
    predictions_sha256 : str
        The digest of the fold's stored predictions, which the model had to give for the texts as written.
    texts_sha256 : str
        The digest of the changed texts.
    rows : tuple of int
        The rows of the fold's predictions whose texts were changed.
    predicted : tuple of str
        The label of each; empty where the model gave no answer.
    probabilities : tuple of tuple of float, or None
        The probabilities of each, in the order of the task's labels, if the model gives them.
    """

    predictions_sha256: Sha256
    texts_sha256: Sha256
    rows: tuple[Count, ...]
    predicted: tuple[str, ...]
    probabilities: tuple[tuple[Number, ...], ...] | None


@dataclass(frozen=True, kw_only=True)
class StressRow:
    """A perturbation and what it does to the score.

    Parameters
    ----------
    name, description : str
        The perturbation.
    kind : {"writing", "content"}
        Whether it changes only how texts are written, or also what they say.
    changed : int
        How many of the scored texts it changed.
    flipped : int
        For how many of these the predicted label is another one; with repeated folds, in any repeat.
    score : float
        On the perturbed texts.
    drop : float
        How much worse that is than the score on the texts as written; negative where it is better.
    interval : Interval or None
        Of the drop, the one that the verdict rests on: it is adjusted for the number of perturbations. None where too
        few texts were changed, or no label flipped.
    p_value : float or None
        Of no drop, adjusted too.
    standing : str
        The verdict.
    """

    name: str
    description: str
    kind: Literal["writing", "content"]
    changed: Count
    flipped: Count
    score: Number
    drop: Number
    interval: Interval | None
    p_value: Number | None
    standing: Standing

    @property
    def told(self) -> str:
        """The verdict in words."""
        return "no text changed" if self.standing == "unchanged" else self.standing


@dataclass(frozen=True, kw_only=True)
class StressSummary:
    """The content of ``stress/summary.json``.

    Parameters
    ----------
    task, model, key : str
        The run.
    metric : str
        What is scored.
    score : float
        On the texts as written: that of the run.
    interval : Interval or None
        Its interval.
    rope : float
        Differences up to this one are practically none.
    input : str
        The column whose texts were perturbed.
    n_examples, n_groups, folds : int
        What was scored.
    models : {"refitted", "stored"}
        Whether the folds' models were fitted again or loaded.
    rows : tuple of StressRow
        The perturbations, in the order of the registry.
    notes : tuple of str
        Limitations of the data.
    """

    task: str
    model: str
    key: str
    metric: str
    score: Number
    interval: Interval | None
    rope: Number
    input: str
    n_examples: Count
    n_groups: Count
    folds: Count
    models: Literal["refitted", "stored"]
    rows: tuple[StressRow, ...]
    notes: tuple[str, ...]


def read_stressed_fold(folder: RunFolder, fold: int, name: str) -> StressedFold | None:
    """Read what a fold's model answered under a perturbation; None if it is not stored or cannot be read."""
    path = stress_folder(folder.path, folder.cell_path(fold).name) / f"{name}.json"
    try:
        return read_record(StressedFold, path) if is_stored(path) else None
    except UserError:
        return None


def write_stressed_fold(folder: RunFolder, fold: int, name: str, stressed: StressedFold) -> None:
    """Store what a fold's model answered under a perturbation."""
    place = stress_folder(folder.path, folder.cell_path(fold).name)
    place.mkdir(parents=True, exist_ok=True)
    write_atomically(place / f"{name}.json", to_json(plain(stressed)))


def forget_stressed_fold(folder: RunFolder, fold: int, name: str) -> None:
    """Delete answers under a perturbation that changes no text of the fold any more."""
    (stress_folder(folder.path, folder.cell_path(fold).name) / f"{name}.json").unlink(missing_ok=True)


def stress_summary_path(folder: RunFolder) -> Path:
    """The file with the stress tests of a run."""
    return stress_folder(folder.path) / SUMMARY


def read_stress_summary(folder: RunFolder) -> StressSummary | None:
    """Read the stress tests of a run; None if there are none.

    Raises
    ------
    bench.errors.UserError
        If the file cannot be read.
    """
    path = stress_summary_path(folder)
    return read_record(StressSummary, path) if is_stored(path) else None


def write_stress_summary(folder: RunFolder, summary: StressSummary) -> None:
    """Store the stress tests of a run."""
    stress_folder(folder.path).mkdir(exist_ok=True)
    write_atomically(stress_summary_path(folder), to_json(plain(summary)))


def worst_first(rows: Sequence[StressRow]) -> list[StressRow]:
    """Perturbations by how much they cost, those that changed no text last."""
    return sorted(rows, key=lambda row: (row.standing == "unchanged", -row.drop))
