"""What a command prints: tables that read well at 80 columns and when piped."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from bench.errors import printable
from bench.results.extent import extent
from bench.results.leaderboard import POPULATION, TITLES, commands, interval_text, metrics_of, published_sources

SHORT = ("macro_f1", "accuracy", "balanced_accuracy", "mcc")
"""The metrics that fit 80 columns; the files hold all."""

STYLES = {"reference": "dim", "published": "dim italic"}
"""How rows are set that are not of models run here."""

_LINE_END = re.compile("[ \t]+$", re.MULTILINE)


class _Shown(Console):
    """A console that writes out what of a text would disturb a terminal; its own styles stay."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)


class _Piped(_Shown):
    """A console whose lines end with what is last seen on them, since no terminal fills the rest."""

    def print(self, *objects: Any, **options: Any) -> None:
        with self.capture() as printed:
            super().print(*objects, **options)
        self.file.write(_LINE_END.sub("", printed.get()))


def console() -> Console:
    """A console for standard output, 80 columns wide when piped."""
    if sys.stdout.isatty():
        return _Shown(highlight=False, markup=False)
    return _Piped(highlight=False, markup=False, width=80)


def print_list(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print names with a line on each and where each comes from; on a terminal lines are wrapped."""
    width = max((len(name) for name, _, _ in rows), default=0)
    out = console()
    if out.is_terminal:
        table = Table.grid(Column(no_wrap=True, style="bold"), Column(overflow="fold"), padding=(0, 2))
        for name, description, origin in rows:
            table.add_row(name, Text(description) + Text(f"\n{origin}" if origin else "", style="dim"))
        out.print(table)
        return
    for name, description, origin in rows:
        out.print(Text(f"{name:<{width}}  ", style="bold"), Text(description), sep="", soft_wrap=True)
        if origin:
            out.print(Text(f"{'':<{width}}  {origin}", style="dim"), soft_wrap=True)


def print_leaderboard(board: dict[str, Any], folder: Path) -> None:
    """Print a leaderboard, what to know of it, and where its files are."""
    out = console()
    task, metric = board["task"], board["metric"]
    out.print()
    out.print(Text(task["name"], style="bold"), _facts(board), sep="  ")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("model", overflow="fold")
    wide = out.width >= 110
    ranked = (metric, f"{POPULATION}_{metric}")
    metrics = [name for name in metrics_of(board) if wide or name in (*ranked, *SHORT)]
    if ranked[1] in metrics and not wide:
        metrics.remove("balanced_accuracy")
    for name in metrics:
        table.add_column("in pop." if name == ranked[1] else TITLES[name], justify="right", no_wrap=True)
        if name == metric:
            table.add_column("95 % interval", no_wrap=True, min_width=14)
    table.add_column("time", justify="right", no_wrap=True)
    several = len(_searches(board)) > 1
    for row in board["rows"]:
        table.add_row(*_table_row(row, metrics, metric, several), style=STYLES.get(row["kind"]))
    out.print(Padding(table, (1, 0)))
    if sources := published_sources(board["rows"]):
        out.print(Text(f"published, not run here: {sources}", style="dim"))
    for told in commands(board["rows"]):
        out.print(Text(told, style="dim"), soft_wrap=True)
    if ranked[1] in metrics:
        told = f"in pop.: {TITLES[metric]} with each stratum of the sample weighed by its share of the population"
        out.print(Text(told, style="dim"))
    for note in _notes(board):
        out.print(Text(note), soft_wrap=False)
    out.print(
        Text(f"Stored in {short_path(str(folder))}/ with leaderboard.json, .csv and .md", style="dim"), soft_wrap=True
    )
    if sum(row["kind"] == "model" for row in board["rows"]) > 1:
        elsewhere = "" if folder.parent == Path("results") else f" results={short_path(str(folder.parent))}"
        command = f"bench compare task={task['name']}{elsewhere}"
        out.print(Text(f"Which differences are real: {command}", style="dim"), soft_wrap=True)


def duration(seconds: float) -> str:
    """Seconds as people write them.

    Examples
    --------
    >>> duration(0.42), duration(75), duration(4000), duration(40000)
    ('0.4 s', '75 s', '67 min', '11.1 h')
    """
    if seconds < 100:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"


def short_path(path: str) -> str:
    """A path relative to the current folder where it lies inside."""
    try:
        return printable(str(Path(path).resolve().relative_to(Path.cwd())))
    except ValueError:
        return printable(path)


def _facts(board: dict[str, Any]) -> str:
    searches = _searches(board)
    search = f", search: {searches[0]}" if len(searches) == 1 else ""
    return f"{extent(board['task'])}, seed {board['seed']}{search}"


def _searches(board: dict[str, Any]) -> list[str]:
    return sorted({row["search"] for row in board["rows"] if row["search"] is not None})


def _table_row(row: dict[str, Any], metrics: list[str], primary: str, several_searches: bool) -> list[str]:
    cells = [row["label"] if row["search"] is None or not several_searches else f"{row['label']} ({row['search']})"]
    for name in metrics:
        score = row["scores"].get(name)
        cells.append(row["kind"] if score is None and name == primary else "" if score is None else f"{score:.3f}")
        if name == primary:
            measured = score is not None and row["kind"] != "published"
            cells.append(interval_text(row["intervals"].get(name)) if measured else "")
    cells.append("" if row["seconds"] is None else duration(row["seconds"]))
    return cells


def _notes(board: dict[str, Any]) -> list[str]:
    """What holds for every model, once; what holds for some, with their names."""
    models = [row for row in board["rows"] if row["kind"] == "model"]
    named: dict[str, list[str]] = {}
    for row in models:
        for note in row["notes"]:
            named.setdefault(note, []).append(row["model"])
    shared = [note for note, who in named.items() if len(who) == len(models)]
    single = [f"{', '.join(who)}: {note}" for note, who in named.items() if len(who) < len(models)]
    lines = [f"note: {note}" for note in (*board["left_out"], *shared, *single[:3])]
    if len(single) > 3:
        lines.append(f"note: {len(single) - 3} more in the runs' summary.json")
    return lines
