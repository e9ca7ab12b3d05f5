"""A draw and added labels in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from bench.checks.finding import counted
from bench.data.messages import listed, shortened
from bench.labelling.adding import Added
from bench.labelling.drawn import DrawnStratum
from bench.labelling.second_look import SecondLook
from bench.reporting.output import say
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
    for sentence in added_sentences(added):
        console().print(Text(wrapped(sentence)))


def added_sentences(added: Added) -> list[str]:
    """What was added to a task, and how far it agrees with the labels that were there, a sentence each."""
    task = added.task
    if added.files:
        told = [f"{task.name} version {task.version}: {counted(added.new, 'new example')}, {len(task):,} in all."]
        if added.again:
            have = "has" if added.changed == 1 else "have"
            told.append(f"{added.again:,} labelled again, {added.changed:,} of them {have} another label now.")
    else:
        has_all = "" if added.tied else ", and has all of the export's votes"
        told = [f"Nothing is added: {task.name} stays version {task.version}{has_all}."]
    if n := added.unlabelled:
        told.append(f"{counted(n, 'text')} of the export {'has' if n == 1 else 'have'} no label.")
    if n := len(added.tied):
        which = "has no majority and is" if n == 1 else "have no majority and are"
        kept = "Their votes are kept: add" if added.files else "Their votes are not kept: add them again with"
        told.append(f"{counted(n, 'new text')} {which} not added: {listed(added.tied)}. {kept} another annotator's.")
    told += added.notes
    for each in added.agreement:
        kappa = "" if each.kappa != each.kappa else f", Cohen's kappa {each.kappa:.2f}"
        told.append(f"{each.annotator} agrees with the earlier label on {each.same:,} of {each.n:,}{kappa}.")
    return told


def print_files(files: Sequence[Path]) -> None:
    """Name the files that were written."""
    for number, path in enumerate(files):
        say(f"{'     ' if number else 'Wrote'} {path}")


def print_suspects(found: SecondLook) -> None:
    """Print the labels that are worth a second look."""
    out = console()
    if not found.suspects:
        out.print(Text(wrapped("No label is contradicted by all good models. That takes at least two kinds of model.")))
        return
    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("example", "label", "predicted", "text"):
        shown.add_column(heading, overflow="fold")
    for each, text in zip(found.suspects, found.sheet().texts, strict=True):
        told = " ".join(str(text.fields[found.task.inputs[-1]]).split())
        shown.add_row(*map(Text, (each.id, each.gold, each.predicted, shortened(told))))
    out.print(shown)
