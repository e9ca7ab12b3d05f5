"""Labels that are worth a second look, for an annotation tool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.catalogue import load_task
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.comparison.suspects import suspects
from bench.errors import ConfigError, UserError
from bench.labelling.drawn import EXAMPLE_ID
from bench.labelling.tools import ForTool, Sheet

if TYPE_CHECKING:
    from bench.comparison.suspects import Suspect
    from bench.data.task import Task

EARLIER_LABEL = "earlier_label"
"""The field with the label that a suspect has."""


@dataclass(frozen=True, eq=False)
class SecondLook:
    """The labels of a task that all good models contradict.

    Parameters
    ----------
    task : Task
        The task.
    suspects : tuple of Suspect
        Those with the greatest margin first.
    """

    task: Task
    suspects: tuple[Suspect, ...]

    def sheet(self, blind: bool = False) -> Sheet:
        """The examples for an annotation tool; blind without their labels and what the models say."""
        rows = self.task.examples.set_index("id")
        texts = []
        for each in self.suspects:
            fields = {EXAMPLE_ID: each.id, **{name: rows.at[each.id, name] for name in self.task.inputs}}
            texts.append(ForTool(fields) if blind else ForTool({**fields, EARLIER_LABEL: each.gold}, each.predicted))
        kinds = self.suspects[0].models if self.suspects else 0
        return Sheet(self.task, tuple(texts), f"{kinds} kinds of model")


def look_again(words: Sequence[str]) -> SecondLook:
    """Find the labels of a task that all good models contradict.

    Parameters
    ----------
    words : sequence of str
        The words of ``bench compare``, which choose the runs.

    Raises
    ------
    bench.errors.UserError
        If not exactly one task is named, its runs cannot be compared, or its texts have changed since.
    """
    request = parse_compare_request(words)
    selected = select(request)
    if len(selected) != 1:
        raise ConfigError("Suspects are of one task.", "Name it: task=NAME")
    runs = read_side_by_side(selected[0], request.metric)
    record = runs.runs[0].record.task
    task = load_task(record.name)
    if task.digest != record.digest:
        raise UserError(
            f"The data of task '{task.name}' have changed since its runs.", f"Rerun them: bench run task={task.name}"
        )
    return SecondLook(task, tuple(suspects(runs)))
