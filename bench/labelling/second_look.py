"""Labels that are worth a second look, for an annotation tool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.catalogue import load_task
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.comparison.suspects import suspects
from bench.errors import ConfigError, UserError
from bench.labelling.sampling import EXAMPLE_ID
from bench.labelling.tools import ForTool, Sheet

if TYPE_CHECKING:
    from bench.comparison.suspects import Suspect

EARLIER_LABEL = "earlier_label"
"""The field with the label that a suspect has."""


def suspects_sheet(words: Sequence[str], blind: bool) -> tuple[Sheet, list[Suspect]]:
    """Find the labels of a task that all good models contradict.

    Parameters
    ----------
    words : sequence of str
        The words of ``bench compare``, which choose the runs.
    blind : bool
        Whether to leave out the label and what the models say.

    Raises
    ------
    bench.errors.UserError
        If not exactly one task is named, its runs cannot be compared, or its texts have changed since.
    """
    selected = select(parse_compare_request(words))
    if len(selected) != 1:
        raise ConfigError("Suspects are of one task.", "Name it: task=NAME")
    runs = read_side_by_side(selected[0])
    found = suspects(runs)
    record = runs.runs[0].record.task
    task = load_task(record.name)
    if task.digest != record.digest:
        raise UserError(
            f"The data of task '{task.name}' have changed since its runs.", f"Rerun them: bench run task={task.name}"
        )
    rows = task.examples.set_index("id")
    texts = []
    for each in found:
        fields = {EXAMPLE_ID: each.id, **{name: rows.at[each.id, name] for name in task.inputs}}
        texts.append(ForTool(fields) if blind else ForTool({**fields, EARLIER_LABEL: each.gold}, each.predicted))
    kinds = found[0].models if found else 0
    return Sheet(task, tuple(texts), f"{kinds} kinds of model"), found
