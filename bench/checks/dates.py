"""A check of the dates of examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bench.checks.finding import CheckResult, counted, first_few
from bench.data.dates import DATE, read_times
from bench.errors import DataError

if TYPE_CHECKING:
    from bench.checks.subject import Subject


def without_order(subject: Subject) -> Iterator[CheckResult]:
    """Find dates that cannot be put in order, since only some have a time zone, and examples without a date."""
    examples = subject.task.examples
    if DATE not in examples:
        return
    dated = examples[examples[DATE] != ""]
    try:
        read_times(dated[DATE].tolist(), dated["id"].astype(str).tolist(), DATE)
    except DataError as error:
        yield CheckResult("warning", f"{error.message} validation=forward needs an order. {error.hint}")
    if lacking := len(examples) - len(dated):
        names = examples.loc[examples[DATE] == "", "id"].astype(str)
        yield CheckResult(
            "note",
            f"{counted(lacking, 'example', len(examples))} {'has' if lacking == 1 else 'have'} no date, which "
            "validation=forward needs.",
            first_few(names),
        )
