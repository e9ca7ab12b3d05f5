"""The page over several tasks: the comparison across them, and the answer and picture of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.comparison.across import rank_across
from bench.comparison.compare import Comparison
from bench.errors import UserError
from bench.reporting.html.charts import Chart
from bench.reporting.html.environment import page_parts, template_environment
from bench.reporting.html.forest import forest_charts
from bench.reporting.paper.tables import paper_tables
from bench.reporting.wording import across_answer, answer
from bench.results.layout import REPORT, unlinked

GENERATOR = "bench report, index of tasks"
"""What the page says that it was made by, so that no other file is taken for it."""

NAME = "index.html"
"""The page's name in a results folder."""


@dataclass(frozen=True)
class _TaskPart:
    """What the page says of a task."""

    name: str
    description: str
    page: str
    answer: list[str]
    charts: list[Chart]


def render_index(comparisons: Sequence[Comparison], left_out: Sequence[str] = ()) -> str:
    """Make the page over several tasks, which links to ``TASK/report.html`` for each.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each task, at least two.
    left_out : sequence of str
        Tasks that could not be compared, a sentence each.
    """
    across = rank_across(comparisons)
    assert across is not None
    return (
        template_environment()
        .get_template("index.html.jinja")
        .render(
            **page_parts("scroll.js"),
            generator=GENERATOR,
            answer=across_answer(across),
            critical_difference=across.critical_difference,
            p_value=across.p_value,
            table=paper_tables(comparisons, across)[0],
            tasks=[
                _TaskPart(
                    each.task.name,
                    each.task.description,
                    f"{quote(each.task.name)}/{REPORT}",
                    answer(each),
                    forest_charts(each),
                )
                for each in comparisons
            ],
            left_out=left_out,
        )
    )


def index_path(results: Path, force: bool) -> Path:
    """Where the page over the tasks of a store is written.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    force : bool
        Whether another file of that name may be written over.

    Raises
    ------
    bench.errors.UserError
        If there is a file of that name that is not such a page.
    """
    path = unlinked(results, NAME)
    if path.exists() and not force and not (path.is_file() and GENERATOR.encode() in path.read_bytes()[:4096]):
        raise UserError(
            f"{path}: there is a file that bench did not write, where the page over the tasks would be.",
            "Move it, or write over it with --force.",
        )
    return path
