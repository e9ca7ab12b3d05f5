"""What an archive of stored runs holds: a ZIP file with a manifest, and the files of each run.

::

    bench-results.json                     the manifest: each file with its size and digest
    <task>/<model>/<key>/run.json          a run, as in a results folder, with its stress tests and shares
    <task>/curves/<model>/<key>/run.json   a learning curve, likewise
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bench.data.definition import NAME
from bench.errors import HIDDEN
from bench.results.cell_files import MODEL, PROCESSORS
from bench.results.layout import CURVES, KEY, RECORD, REPORT, SHARES, STRESS, SUMMARY
from bench.results.leaderboard import FILES
from bench.support.records import Count, Moment

MANIFEST = "bench-results.json"
"""The manifest's name."""

VERSION = 1
"""The version of this layout; a change that an older version of bench would misread raises it."""

CELL_FILES = ("result.json", "predictions.csv", "explanations.json", "timing.json", PROCESSORS, "error.txt", MODEL)
"""What a cell's folder may hold."""

DECIDED = (SUMMARY, "result.json", "predictions.csv", "explanations.json")
"""The files whose bytes the key decides: a run that was made twice has the same ones."""

TAKEN = (CURVES, REPORT, *FILES)
"""What stands in a task's folder beside the folders of models."""

IMPORTED = "imported.json"
"""The file in a run's folder that says that the run was imported; it stays here when the run is exported."""

_NAME = r"[^/\\\0.][^/\\\0]{0,199}"
_CELL = "(?:fold-[0-9]{2,5}|final)/(?:" + "|".join(map(re.escape, CELL_FILES)) + ")"
_PART = "(?:all|(?:groups|examples)-[0-9]{1,6}-of-[0-9]{1,6})"
_ABOUT = f"{re.escape(RECORD)}|{re.escape(SUMMARY)}"
FINDING = re.compile(
    rf"{STRESS}/(?:{re.escape(SUMMARY)}|fold-[0-9]{{2,5}}/[a-z0-9]+(?:-[a-z0-9]+)*\.json)|{SHARES}/[0-9a-f]{{12}}\.json"
)
"""What is stored of a run's stress tests, and of what its models found in archives."""

_OF_RUN = re.compile(f"({_NAME})/({_NAME})/({KEY.pattern})/({_ABOUT}|{_CELL}|{FINDING.pattern})")
_OF_CURVE = re.compile(f"({_NAME})/{CURVES}/({_NAME})/({KEY.pattern})/({_ABOUT}|{_PART}/{_CELL})")


@dataclass(frozen=True)
class PackedFile:
    """A file of an archive.

    Parameters
    ----------
    name : str
        Its name there.
    bytes : int
        Its size.
    sha256 : str
        Its digest.
    """

    name: str
    bytes: Count
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Manifest:
    """What an archive says that it holds.

    Parameters
    ----------
    version : int
        The version of its layout.
    format : int
        The version of the result format.
    files : tuple of PackedFile
        All files but the manifest.
    """

    version: int
    format: int
    files: tuple[PackedFile, ...]


@dataclass(frozen=True)
class Import:
    """Where a stored run was imported from, and when, as ISO 8601 writes it."""

    archive: str
    when: Moment


@dataclass(frozen=True, order=True)
class RunPlace:
    """Where a run, or a learning curve, lies in a store and in an archive."""

    task: str
    model: str
    key: str
    curve: bool = False

    def __str__(self) -> str:
        return "/".join(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the folders that it lies in, from the task's to its own."""
        return self.task, *([CURVES] if self.curve else []), self.model, self.key


def run_place(name: str) -> tuple[RunPlace, str] | None:
    """Split the name of a packed file into its run and the file within it; None where none has such a file.

    Examples
    --------
    >>> run_place("stance/logreg/0123456789ab/fold-00/result.json")
    (RunPlace(task='stance', model='logreg', key='0123456789ab', curve=False), 'fold-00/result.json')
    >>> str(run_place("stance/curves/logreg/0123456789ab/all/fold-00/result.json")[0])
    'stance/curves/logreg/0123456789ab'
    >>> run_place("../logreg/0123456789ab/run.json") is None
    True
    """
    of_curve = _OF_CURVE.fullmatch(name)
    found = of_curve or _OF_RUN.fullmatch(name)
    if found is None or found[2] in TAKEN or HIDDEN.search(found[2]) or not NAME.fullmatch(found[1]):
        return None
    return RunPlace(found[1], found[2], found[3], curve=of_curve is not None), found[4]
