"""Stress tests in the terminal, and as rows of a table for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.checks.finding import counted
from bench.comparison.contrasts import Standing as Verdict
from bench.errors import UserError
from bench.metrics.registry import greater_is_better, metric_title
from bench.reporting.forest import Panel
from bench.reporting.terminal import WIDTH, console, narrowed, not_shown, wrapped
from bench.results.board import interval_text
from bench.results.stress import Standing, StressRow, StressSummary, worst_first
from bench.statistics.interval import Interval
from bench.statistics.paired import FEWEST_GROUPS
from bench.support.csv_text import csv_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEFT_OUT = ("flipped", "95 % interval")
"""Columns that a narrow terminal has no room for, in that order."""

_VERDICTS: dict[Standing, Verdict] = {"worse": "worse", "better": "better", "practically equal": "practically equal"}
"""How pictures draw a standing; others as undecided."""

_STYLES: dict[Standing, str] = {"worse": "red", "better": "green", "unchanged": "dim"}


def print_stress(summary: StressSummary) -> None:
    """Print the perturbations with what each costs, the worst first."""
    out = console()
    title = metric_title(summary.metric)
    out.print()
    groups = f"{summary.n_groups:,} groups, {summary.folds} {'fold' if summary.folds == 1 else 'folds'}"
    out.print(
        Text(f"{summary.task}: {summary.model}", style="bold"), f"{summary.n_examples:,} texts in {groups}", sep="  "
    )
    score = f"{summary.score:.3f} {interval_text(summary.interval)}".rstrip()
    out.print(Text(f"{title} on the texts as written: {score}"))
    out.print(Text(stress_answer(summary), style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("perturbation", overflow="fold")
    for heading in ("flipped", "score", "drop", "95 % interval"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for row in worst_first(summary.rows):
        table.add_row(*_cells(row), style=_STYLES.get(row.standing))
    shown, left_out = narrowed(table, min(out.width, WIDTH), LEFT_OUT)
    out.print(Padding(shown, (1, 0)))
    if left_out:
        out.print(not_shown(left_out, "; --format csv has them"))
    for line in legend(summary):
        out.print(Text(wrapped(line), style="dim"))
    for note in summary.notes:
        out.print(Text.assemble(("limitation: ", "yellow"), note))


def stress_answer(summary: StressSummary) -> str:
    """The result in a sentence.

    Names the perturbations that cost something, or says that none was found to.
    """
    tested = [row for row in worst_first(summary.rows) if row.standing != "unchanged"]
    worse = [row.name for row in tested if row.standing == "worse"]
    if not tested:
        return "No perturbation changed a text."
    kept = sum(row.standing == "no label flipped" for row in tested)
    also = f" {kept} of {len(tested)} flipped no label." if kept else ""
    if worse:
        return wrapped(f"Worse under {len(worse)} of {counted(len(tested), 'perturbation')}: {', '.join(worse)}.{also}")
    if summary.n_groups < FEWEST_GROUPS:
        return wrapped(f"With fewer than {FEWEST_GROUPS} groups there is no verdict.{also}")
    return wrapped(f"No drop is certain under {counted(len(tested), 'perturbation')}.{also}")


def legend(summary: StressSummary) -> list[str]:
    """What the columns mean, and what was verified; a sentence each."""
    tests = counted(sum(row.standing != "unchanged" for row in summary.rows), "perturbation")
    how = "loaded" if summary.models == "stored" else "fitted again without search"
    return [
        f"flipped: of the texts that were changed ({summary.input}), those whose predicted label is another one.",
        f"drop: the score on the texts as written minus that on the perturbed ones{_of_loss(summary)}.",
        f"Intervals and verdicts are adjusted for {tests}. Practically equal: ± {summary.rope:g}.",
        f"The models of the folds were {how}. They give the stored predictions for the texts as written.",
    ]


def _of_loss(summary: StressSummary) -> str:
    return "" if greater_is_better(summary.metric) else ", negated"


def _cells(row: StressRow) -> list[str]:
    if row.standing == "unchanged":
        return [row.name, "", "", "", "", row.told]
    return [
        row.name,
        f"{row.flipped:,} of {row.changed:,}",
        f"{row.score:.3f}",
        _signed(row.drop),
        "" if row.interval is None else f"[{_signed(row.interval.low)}, {_signed(row.interval.high)}]",
        row.told,
    ]


def _signed(number: float) -> str:
    text = f"{number:+.3f}"
    return " 0.000" if text[1:] == "0.000" else text


def stress_csv(summaries: Sequence[StressSummary]) -> str:
    """All rows with all digits."""
    return csv_text(stress_records(summaries))


def stress_records(summaries: Sequence[StressSummary]) -> list[dict[str, object]]:
    """One record for each run and perturbation."""
    return [_record(summary, row) for summary in summaries for row in summary.rows]


def _record(summary: StressSummary, row: StressRow) -> dict[str, object]:
    return {
        "task": summary.task,
        "model": summary.model,
        "key": summary.key,
        "metric": summary.metric,
        "as_written": summary.score,
        "perturbation": row.name,
        "kind": row.kind,
        "changed": row.changed,
        "flipped": row.flipped,
        "score": row.score,
        "drop": row.drop,
        "low": None if row.interval is None else row.interval.low,
        "high": None if row.interval is None else row.interval.high,
        "level": None if row.interval is None else row.interval.level,
        "p_value": row.p_value,
        "verdict": row.standing,
    }


@dataclass(frozen=True)
class _Drop:
    """A drop as a row of a picture."""

    name: str
    difference: float
    interval: Interval | None
    standing: Verdict


def stress_figure(summaries: Sequence[StressSummary]) -> Figure:
    """Draw what perturbed texts cost runs of one task, with the adjusted intervals; a panel for each run.

    Raises
    ------
    bench.errors.UserError
        If no perturbation changed a text.
    """
    from bench.reporting.figure import panels_figure

    panels = [
        Panel(
            title=f"What perturbed texts cost {summary.model}",
            axis=f"drop in {metric_title(summary.metric)}; right of 0 is worse",
            reference="as written",
            rope=summary.rope,
            rows=rows,
        )
        for summary in summaries
        if (rows := tuple(_drops(summary)))
    ]
    if not panels:
        raise UserError("No perturbation changed a text, so there is no drop to draw.")
    sizes = f"{summaries[0].n_examples:,} texts in {counted(summaries[0].n_groups, 'group')}"
    return panels_figure(panels, f"{summaries[0].task}: {sizes}")


def _drops(summary: StressSummary) -> Iterator[_Drop]:
    for row in worst_first(summary.rows):
        if row.standing != "unchanged":
            yield _Drop(row.name, row.drop, row.interval, _VERDICTS.get(row.standing, "undecided"))
