"""All checks, in the order of their codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.checks import annotators, dates, giveaway, groups, labels, passes, repeats, texts, writing
from bench.checks.finding import CheckResult, Finding, by_severity
from bench.checks.subject import Subject

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.errors import UserError


@dataclass(frozen=True)
class Check:
    """One check.

    Parameters
    ----------
    code : str
        The code. It never changes between versions.
    title : str
        What the check looks for, in a few words.
    find : callable of Subject to iterator of CheckResult
        A function that yields each problem.
    quick : bool
        Whether the check is fast enough to precede every run.
    """

    code: str
    title: str
    find: Callable[[Subject], Iterator[CheckResult]]
    quick: bool = False


CHECKS: dict[str, Check] = {
    check.code: check
    for check in (
        Check("D101", "Label names that look alike", labels.lookalikes, quick=True),
        Check("D102", "Label with too few examples", labels.rare, quick=True),
        Check("D103", "Label in one group only", labels.in_one_group, quick=True),
        Check("D104", "Several labels in one", labels.joined, quick=True),
        Check("D105", "Dates without an order", dates.without_order),
        Check("D201", "Repeated input", repeats.exact, quick=True),
        Check("D202", "Same input with different labels", repeats.contradicting, quick=True),
        Check("D203", "Near repeat in another group", repeats.near_across_groups),
        Check("D204", "Near repeat on one side", repeats.near_elsewhere),
        Check("D205", "Near repeat with another label", repeats.near_contradicting),
        Check("D206", "Groups that are nearly copies", groups.copies),
        Check("D207", "Group written in several ways", groups.respelled_groups, quick=True),
        Check("D208", "Group that is not known", groups.unknown, quick=True),
        Check("D301", "Empty text", texts.empty, quick=True),
        Check("D302", "Text of one word", texts.short, quick=True),
        Check("D303", "Overlong text", texts.overlong, quick=True),
        Check("D304", "Text that is not Arabic", texts.not_arabic, quick=True),
        Check("D305", "Broken encoding", texts.encoding, quick=True),
        Check("D306", "Presentation forms", texts.presentation_forms, quick=True),
        Check("D307", "Invisible characters", texts.invisible, quick=True),
        Check("D308", "Left-over quotation marks", texts.quoting, quick=True),
        Check("D309", "Characters for private use", texts.private_use, quick=True),
        Check("D310", "Escaped characters", texts.escapes, quick=True),
        Check("D401", "Text that gives its label away", giveaway.giveaways),
        Check("D501", "Pass that stands apart", passes.outlying_passes),
        Check("D502", "Passes that disagree", passes.contested),
        Check("D503", "Annotator who stands apart", annotators.outlying_annotators),
        Check("D601", "Test part that training has nearly seen", repeats.leaked),
        Check("D602", "Group on both sides of a published split", repeats.shared_groups),
        Check("D603", "Parts that are written differently", writing.differing, quick=True),
    )
}
"""The checks of a loaded task, by code."""

UNREADABLE = "D001"
"""The code of the finding for unreadable data."""


def check_task(task: Task, folds: int = 5, quick: bool = False) -> list[Finding]:
    """Check a task's data.

    Parameters
    ----------
    task : Task
        The task, grouped as it will be split.
    folds : int
        Outer folds, used if there are more than ten groups and no published split.
    quick : bool
        Whether to run only the checks that precede every run.

    Returns
    -------
    list of Finding
        The findings by severity, errors first, then by code.

    Examples
    --------
    >>> from bench.catalogue import load_task
    >>> for finding in check_task(load_task("source-type")):
    ...     print(finding.code, finding.severity, finding.title)
    D103 warning Label in one group only
    D201 note Repeated input
    """
    subject = Subject(task, folds)
    return by_severity(
        [
            Finding(check.code, found.severity, check.title, found.message, found.examples)
            for check in CHECKS.values()
            if check.quick or not quick
            for found in check.find(subject)
        ]
    )


def unreadable(error: UserError) -> Finding:
    """Turn the error that stopped a task from loading into a finding."""
    return Finding(UNREADABLE, "error", "Data that cannot be read", str(error))
