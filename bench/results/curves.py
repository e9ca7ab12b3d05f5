"""Learning curves in the store.

::

    results/<task>/curves/<model>/<key>/
        run.json        a run's record, and the curve's parts
        <part>/         one for each part, such as groups-1-of-4, examples-1-of-2 and all
            fold-00/    a cell, as in a run's folder
        summary.json    scores along both axes, and the verdicts
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.results.store import RunFolder

FOLDER = "curves"
"""The folder of a task's learning curves; runs lie one level higher, so neither is taken for the other."""


def stored_curves(results: Path, task: str) -> list[dict[str, Any]]:
    """Read the learning curves of a task that were summed up.

    Returns
    -------
    list of dict
        In the order of the models' names and keys, each with ``path``, ``record`` (``run.json``) and ``summary``
        (`bench.comparison.curves.summarise_curve`). Curves whose files cannot be read are left out.
    """
    curves = []
    for path in sorted((results / task / FOLDER).glob("*/*/summary.json")):
        folder = RunFolder(path.parent)
        try:
            curves.append({"path": folder.path, "record": folder.read_record(), "summary": folder.read_summary()})
        except UserError:
            continue
    return curves
