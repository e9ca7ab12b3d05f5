"""Learning curves in the store.

::

    results/<task>/curves/<model>/<key>/
        run.json        a run's record, and the curve's parts
        <part>/         one for each part, such as groups-1-of-4, examples-1-of-2 and all
            fold-00/    a cell, as in a run's folder
        summary.json    scores along both axes, and the verdicts
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from bench.errors import UserError
from bench.results.layout import curve_folders
from bench.results.record import RunRecord
from bench.results.result_format import run_key
from bench.results.store import RunFolder
from bench.statistics.interval import Interval
from bench.statistics.paired import Difference
from bench.support.records import LEFT_OUT, Count, FolderName, Number

Axis = Literal["groups", "examples"]

AXES: Final[tuple[Axis, ...]] = ("groups", "examples")
"""What grows: the number of groups, or the number of examples of each group."""


@dataclass(frozen=True, kw_only=True)
class PartRecord:
    """A part of the training data.

    Parameters
    ----------
    name : str
        The name of its folder.
    axis : {"groups", "examples"} or None
        What was left out; None for all.
    part : str
        How much was kept, such as ``1/2``, or ``all``.
    fraction : float
        The same as a number.
    n_groups, n_examples : float
        How many train, means over the folds.
    """

    name: FolderName
    axis: Axis | None
    part: str
    fraction: Number
    n_groups: Number
    n_examples: Number


@dataclass(frozen=True, kw_only=True)
class CurveRecord(RunRecord):
    """The content of a learning curve's ``run.json``: that of a run, the run's key, and the curve's parts.

    Parameters
    ----------
    run : str
        The key of the run on all of the training data.
    parts : tuple of PartRecord
        The parts.
    digests : mapping of str to str
        By a part's name, a digest of the examples that train and are scored in each fold.
    """

    run: str
    parts: tuple[PartRecord, ...]
    digests: Annotated[Mapping[str, str], LEFT_OUT] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CurvePoint(PartRecord):
    """A part with the number of failed folds, and its scores and intervals by metric, empty if a fold failed."""

    failed: Count
    scores: Mapping[str, Number]
    intervals: Mapping[str, Interval]


@dataclass(frozen=True, kw_only=True)
class CurveVerdict:
    """A conclusion from a curve.

    Parameters
    ----------
    kind : str
        ``rising``, ``falling``, ``flat`` or ``undecided``; for the value of new groups ``groups``, ``examples``,
        ``equal`` or ``undecided``.
    text : str
        The same in a sentence.
    difference : Difference or None
        The estimate behind it; None if there is none.
    part : str
        The part that all is compared with; empty where two parts are compared.
    """

    kind: str
    text: str
    difference: Difference | None
    part: Annotated[str, Field(alias="from"), LEFT_OUT] = ""


@dataclass(frozen=True)
class CurveNote:
    """A note of cells, with the number of folds of each part that have it."""

    note: str
    folds: Mapping[str, Count]


@dataclass(frozen=True, kw_only=True)
class CurveSummary:
    """The content of a learning curve's ``summary.json``.

    Parameters
    ----------
    metric : str
        The task's metric.
    n_groups : int
        Groups of the scored examples.
    axes : mapping of axis to tuple of CurvePoint
        The parts from small to all.
    verdicts : mapping of axis to CurveVerdict
        Whether more of it would help.
    worth : CurveVerdict or None
        Whether new groups or more examples of the same groups help more; None if there is one axis.
    notes : tuple of CurveNote
        What was out of the ordinary.
    """

    metric: str
    n_groups: Count
    axes: Mapping[Axis, tuple[CurvePoint, ...]]
    verdicts: Mapping[Axis, CurveVerdict]
    worth: CurveVerdict | None
    notes: tuple[CurveNote, ...]


@dataclass(frozen=True)
class Curve:
    """A stored learning curve."""

    path: Path
    record: CurveRecord
    summary: CurveSummary


def curve_key(run: str, digests: Mapping[str, str]) -> str:
    """The key that a curve is stored under.

    Parameters
    ----------
    run : str
        The key of the run on all of the training data.
    digests : mapping of str to str
        By a part's name, a digest of its examples.
    """
    return run_key({"run": run, "parts": dict(digests)})


def read_curve(folder: RunFolder) -> Curve:
    """Read a learning curve that was summed up.

    Raises
    ------
    bench.errors.UserError
        If its files cannot be read.
    """
    return Curve(folder.path, folder.read_record_as(CurveRecord), folder.read_summary_as(CurveSummary))


def stored_curves(results: Path, task: str) -> list[Curve]:
    """Read the learning curves of a task that were summed up.

    Returns
    -------
    list of Curve
        In the order of the models' names and keys. Curves whose files cannot be read are left out.
    """
    curves = []
    for path in curve_folders(results, task):
        try:
            curves.append(read_curve(RunFolder(path)))
        except UserError:
            continue
    return curves
