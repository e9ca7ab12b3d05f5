"""The computed part of a task's data card.

``python -m bench.data.card tasks/stance`` updates it in the task's ``README.md``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pandas as pd

from bench.data.files import read_text
from bench.data.messages import shortened
from bench.data.task import ROLES
from bench.errors import BenchError, DataError
from bench.statistics.agreement import agreement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.data.task import Task

BEGIN = "<!-- computed by python -m bench.data.card: begin -->"
END = "<!-- computed: end -->"
MOST_GROUPS = 12
"""The most groups for which the table of labels has columns."""


def describe(task: Task) -> str:
    """Describe a task's data in Markdown, from the data alone.

    Parameters
    ----------
    task : Task
        The task, as `bench.data.definition.build_task` makes it.

    Returns
    -------
    str
        Counts by label and group or published part, repeated inputs that were left out, groups in several parts, the
        agreement of the passes, text lengths, the content digest, where the data are published, and published results.
    """
    parts = [
        f"{len(task):,} examples in {len(set(task.groups)):,} groups by {task.group}; content digest "
        f"`{task.digest[:16]}`.",
        _counts(task),
        *([_published_folds(task), _shared_groups(task)] if task.splits else [_rare_labels(task)]),
        *task.notes,
        _agreement(task),
        _lengths(task),
        _provenance(task),
        _published_results(task),
    ]
    return "\n\n".join(part for part in parts if part)


def insert(card: str, block: str, path: Path) -> str:
    """Put the computed block between a card's two markers.

    Parameters
    ----------
    card : str
        The card's text.
    block : str
        What `describe` returned.
    path : pathlib.Path
        The path of the card, for errors.

    Raises
    ------
    bench.errors.DataError
        Unless the card has exactly one pair of markers, in order.
    """
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise DataError(
            f"{path}: the markers of the computed part are missing.",
            f"Write {BEGIN} and {END} once each.",
        )
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def _counts(task: Task) -> str:
    labels = pd.Series(task.y, name="label")
    if len(task.splits) == 1:
        roles = task.examples[task.splits[0]]
        counts = pd.crosstab(labels, roles)[[role for role in ROLES if (roles == role).any()]].reindex(task.labels)
    else:
        counts = pd.crosstab(labels, pd.Series(task.groups, name=task.group)).reindex(task.labels)
    if counts.shape[1] > MOST_GROUPS:
        counts = counts.iloc[:, :0]
    table = [*counts.to_numpy().tolist(), counts.sum().tolist()]
    totals = [*labels.value_counts().reindex(task.labels).tolist(), len(labels)]
    rows = [
        [label, *(f"{count:,}" for count in (*row, total))]
        for label, row, total in zip((*task.labels, "all"), table, totals, strict=True)
    ]
    return _table(["label", *(shortened(str(name)) for name in counts.columns), "all"], rows)


def _rare_labels(task: Task) -> str:
    groups = {label: sorted(set(task.groups[task.y == label])) for label in task.labels}
    alone = [f"`{label}` ({shortened(found[0])})" for label, found in groups.items() if len(found) == 1]
    if not alone:
        return ""
    return (
        f"In one {task.group} only: {', '.join(alone)}. When that {task.group} is the test part, the training part "
        "lacks the label, and no model can predict it."
    )


def _published_folds(task: Task) -> str:
    if len(task.splits) == 1:
        return ""
    rows = [[column, *(f"{int((task.examples[column] == role).sum()):,}" for role in ROLES)] for column in task.splits]
    return _table(["published fold", *ROLES], rows)


def _shared_groups(task: Task) -> str:
    """How many test examples have a group that is also in train or dev."""
    by_split = [task.shared_groups(column) for column in task.splits]
    shared, tested = sum(int(marked.sum()) for marked in by_split), sum(len(marked) for marked in by_split)
    if not shared:
        return ""
    return f"Of {tested:,} test examples, {shared:,} have a {task.group} that is also in train or dev."


def _provenance(task: Task) -> str:
    found = [("Published at", task.homepage), ("Licence:", task.licence), ("To cite:", task.citation)]
    return "\n".join(f"- {name} {value}" for name, value in found if value)


def _published_results(task: Task) -> str:
    if not task.published:
        return ""
    rows = [[each.system, each.metric, f"{each.value:g}", each.source] for each in task.published]
    return "Published results (not reproduced here):\n\n" + _table(["system", "metric", "value", "source"], rows)


def _agreement(task: Task) -> str:
    if task.passes is None or (found := agreement(task.passes)) is None:
        return ""
    rows = [
        ["percent agreement", *(f"{value:.1f} %" for value in found.percents)],
        ["Cohen's kappa", *(f"{value:.3f}" for value in found.kappas)],
    ]
    return (
        f"Agreement of the {len(task.passes.columns)} passes on these examples: Krippendorff's alpha (nominal) "
        f"{found.alpha:.3f}; by pair of passes:\n\n" + _table(["", "lowest", "mean", "highest"], rows)
    )


def _lengths(task: Task) -> str:
    rows = []
    for name in task.inputs:
        texts = set(task.examples[name])
        for unit, lengths in (("characters", [len(t) for t in texts]), ("words", [len(t.split()) for t in texts])):
            figures = (min(lengths), median(lengths), max(lengths))
            rows.append([f"{name}, {unit}", f"{len(texts):,}", *(f"{figure:,.0f}" for figure in figures)])
    return _table(["length of", "distinct", "shortest", "median", "longest"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(map(_escaped, cells))} |" for cells in (header, ruler, *rows))


def _escaped(cell: str) -> str:
    return " ".join(cell.splitlines()).replace("|", "\\|")


def main(folders: Sequence[str]) -> int:
    """Write the computed part of the cards of tasks, given as folders; return the exit status."""
    from bench.data.definition import build_task, read_definition

    try:
        for folder in folders:
            origin = Path(folder) / "task.yaml"
            card = origin.with_name("README.md")
            block = describe(build_task(read_definition(origin), origin))
            card.write_text(insert(read_text(card), block, card), encoding="utf-8")
    except BenchError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
