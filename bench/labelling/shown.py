"""A draw and added labels in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bench.data.messages import listed
from bench.labelling.adding import Added
from bench.labelling.sampling import DrawnStratum
from bench.reporting.terminal import console, wrapped


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


def print_added(added: Added) -> None:
    """Print what was added to a task, and how far it agrees with the labels that were there."""
    out = console()
    task = added.task
    told = [f"{task.name} version {task.version}: {added.new:,} new examples, {len(task):,} in all."]
    if added.again:
        told.append(f"{added.again:,} labelled again, {added.changed:,} of them have another label now.")
    if added.unlabelled:
        told.append(
            f"{added.unlabelled:,} texts of the export have no label. If they are harder than others, estimates from "
            "the drawing probabilities are biased."
        )
    if added.tied:
        told.append(f"{len(added.tied):,} new texts have no majority and are not added: {listed(added.tied)}.")
    for each in added.agreement:
        kappa = "" if each.kappa != each.kappa else f", Cohen's kappa {each.kappa:.2f}"
        told.append(f"{each.annotator} agrees with the earlier label on {each.same:,} of {each.n:,}{kappa}.")
    for sentence in told:
        out.print(Text(wrapped(sentence)))
