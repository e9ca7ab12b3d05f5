"""A draw and added labels in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.labelling.sampling import DrawnStratum
from bench.reporting.terminal import console


def print_draw(strata: Sequence[DrawnStratum]) -> None:
    """Print how many texts each stratum has and gives."""
    out = console()
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    shown.add_column("stratum", overflow="fold")
    for heading in ("texts", "drawn", "probability"):
        shown.add_column(heading, justify="right")
    for stratum in strata:
        shown.add_row(Text(stratum.what), f"{stratum.size:,}", f"{stratum.drawn:,}", f"{stratum.probability:.4g}")
    out.print(shown)
    out.print(Text(f"{sum(s.drawn for s in strata):,} of {sum(s.size for s in strata):,} texts drawn.", style="dim"))
