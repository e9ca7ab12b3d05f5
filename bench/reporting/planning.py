"""The power of a comparison in the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from bench.comparison.planning import LabelPlan, PowerTable
from bench.reporting.terminal import console


def print_power(plan: LabelPlan, table: PowerTable, metric: str) -> None:
    """Print how likely each difference is found, and how many examples each takes; `metric` is what it is called."""
    out = console()
    out.print()
    out.print(Text(f"The chance that the better of two models is called better, by their difference in {metric}"))
    out.print()
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    shown.add_column("examples", justify="right")
    shown.add_column("groups", justify="right")
    for difference in table.difference:
        shown.add_column(f"{difference:g}", justify="right")
    shown.add_column("80 % from", justify="right")
    for row in table.rows:
        chances = [f"{100 * chance:.0f} %" for chance in row.power]
        smallest = "" if row.smallest is None else f"{row.smallest:.3f}"
        shown.add_row(f"{row.examples:,}", f"{row.groups:,}", *chances, smallest)
    out.print(shown)
    out.print()
    out.print(Text("80 % from: the smallest difference that is found in 80 of 100 data sets.", style="dim"))
    for difference, needed in zip(table.difference, table.needed, strict=True):
        told = "more examples than can be named" if needed is None else f"about {_about(needed)} examples"
        out.print(Text(f"a difference of {difference:g} takes {told} for a chance of 80 %"))
    if table.equal is not None:
        out.print(
            Text(f"calling equal models practically equal (± {plan.rope:g}) takes about {_about(table.equal)} examples")
        )
    pairs = plan.models * (plan.models - 1) // 2
    several = f"; one of {pairs} pairs of {plan.models} models" if pairs > 1 else ""
    out.print(Text(f"Based on {table.basis}{several}.", style="dim"))


def _about(number: int) -> str:
    return f"{float(f'{number:.2g}'):,.0f}"
