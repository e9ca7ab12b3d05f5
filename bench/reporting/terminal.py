"""What a command prints: tables that keep their names in any width, and read well when piped."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from bench.errors import printable
from bench.metrics.registry import METRICS, metric_title
from bench.results.board import (
    POPULATION,
    RANKS,
    BoardRow,
    Leaderboard,
    best_sentence,
    column_title,
    columns,
    commands,
    interval_text,
    published_sources,
    ranks_text,
)
from bench.results.extent import extent
from bench.results.gains import Gain, gain_sentences

WIDTH = 80
"""Columns of sentences, and of tables when piped."""

MIN_TEXT = 30
"""Columns that a description beside a name has at least; it stands below where there are fewer."""

MIN_NAME = 24
"""Columns that the names in a table have before anything is left out of it for them, where they need as many."""

STYLES = {"reference": "dim", "published": "dim italic"}
"""How rows are set that are not of models run here."""

_BAR = re.compile(r"(?<!\\)\|")
"""What parts the cells of a table in Markdown."""

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
    """A console for standard output, as wide as the terminal; when piped, as ``COLUMNS`` says, or `WIDTH`."""
    if sys.stdout.isatty():
        return _Shown(highlight=False, markup=False)
    return _Piped(highlight=False, markup=False, width=shutil.get_terminal_size((WIDTH, 24)).columns)


def text_width() -> int:
    """The columns that sentences are wrapped at: 80, or fewer where there are fewer."""
    return min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def wrapped(text: str, first: str = "", rest: str = "", cut: bool = False) -> str:
    """Make a sentence printable and wrap it, with something before its first line and before the others.

    Long words are cut on demand.
    """
    return textwrap.fill(
        printable(text),
        text_width(),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=cut,
        break_on_hyphens=cut,
    )


def narrowed(table: Table, width: int, leave_out: Sequence[str]) -> tuple[Table, list[str]]:
    """Leave columns out of a table until the rest fits, so that what a row is about is never cut.

    Parameters
    ----------
    table : rich.table.Table
        A table without borders; its first column, which names the rows, is kept whole, or folded where a name alone
        takes more than `MIN_NAME` columns and two fifths of the width.
    width : int
        The columns of the terminal.
    leave_out : sequence of str
        The headings of the columns that can be left out, in the order in which they are; those that say nothing of
        any row go before.

    Returns
    -------
    table : rich.table.Table
        The same table, or a new one with fewer columns.
    left_out : list of str
        The headings of those that were left out.
    """
    _, right, _, left = table.padding
    gap = right + left
    edges = gap if table.pad_edge else 0
    needed = [_width_of(column) for column in table.columns]
    needed[0] = min(needed[0], max(MIN_NAME, width * 2 // 5, _width_of_text(table.columns[0].header)))
    kept = list(range(len(table.columns)))
    left_out = []
    empty = [column.header for column in table.columns if {*map(str, column.cells)} <= {"", "-"}]
    for heading in sorted(leave_out, key=lambda heading: heading not in empty):
        if sum(needed[number] for number in kept) + gap * (len(kept) - 1) + edges <= width:
            break
        found = next((number for number in kept if table.columns[number].header == heading), None)
        if found is not None:
            kept.remove(found)
            left_out.append(heading)
    if not left_out:
        return table, []
    fewer = Table(box=None, pad_edge=table.pad_edge, header_style=table.header_style, padding=table.padding)
    for number in kept:
        column = table.columns[number]
        fewer.add_column(
            column.header,
            justify=column.justify,
            overflow=column.overflow,
            no_wrap=column.no_wrap,
            min_width=column.min_width,
        )
    cells = [list(table.columns[number].cells) for number in kept]
    for row, values in zip(table.rows, zip(*cells, strict=True), strict=True):
        fewer.add_row(*values, style=row.style)
    return fewer, left_out


def not_shown(left_out: Sequence[str], where: str = "") -> Text:
    """Say which columns a narrow terminal has no room for."""
    names = ", ".join(" ".join(name.split()) for name in left_out)
    return Text(f"no room for: {names}{where}", style="dim")


def print_card(text: str) -> None:
    """Print the figures of a data card: as they are when piped, with tables that fit in a terminal."""
    out = console()
    if not out.is_terminal:
        out.print(Text(text), soft_wrap=True)
        return
    lines = text.splitlines()
    for is_table, block in groupby(lines, lambda line: line.startswith("|")):
        if not is_table:
            out.print(Text("\n".join(block)))
            continue
        header, ruler, *rows = ([_unescaped(cell) for cell in _BAR.split(line)[1:-1]] for line in block)
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
        for heading, rule in zip(header, ruler, strict=True):
            table.add_column(heading, justify="right" if rule.endswith(":") else "left", overflow="fold")
        for row in rows:
            table.add_row(*row)
        # The sum stays; words go before numbers, and what stands last before what stands first.
        further = [column for column in reversed(table.columns[1:]) if column.header != "all"]
        table, left_out = narrowed(
            table, out.width, [str(c.header) for c in sorted(further, key=lambda c: c.justify == "right")]
        )
        out.print(table)
        if left_out:
            out.print(not_shown(left_out))


def _unescaped(cell: str) -> str:
    return cell.strip().replace("\\|", "|")


def _width_of(column: Column) -> int:
    widths = [_width_of_text(cell) for cell in (column.header, *column.cells)]
    return max([column.min_width or 0, *widths])


def _width_of_text(cell: Any) -> int:
    return max((cell_len(line) for line in str(cell).split("\n")), default=0)


def print_list(rows: Sequence[tuple[str, str, str]]) -> None:
    """Print names with a line on each and where each comes from; on a terminal lines are wrapped."""
    width = max((cell_len(name) for name, _, _ in rows), default=0)
    out = console()
    if out.is_terminal and width + MIN_TEXT > out.width:
        for name, description, origin in rows:
            out.print(Text(name, style="bold"))
            for part, style in ((description, ""), (origin, "dim")):
                if part:
                    out.print(Padding(Text(part, style=style, overflow="fold"), (0, 0, 0, 2)))
        return
    if out.is_terminal:
        table = Table.grid(Column(no_wrap=True, style="bold"), Column(overflow="fold"), padding=(0, 2))
        for name, description, origin in rows:
            table.add_row(name, Text(description) + Text(f"\n{origin}" if origin else "", style="dim"))
        out.print(table)
        return
    for name, description, origin in rows:
        padded = name + " " * (width - cell_len(name) + 2)
        out.print(Text(padded, style="bold"), Text(description), sep="", soft_wrap=True)
        if origin:
            out.print(Text(f"{'':<{width}}  {origin}", style="dim"), soft_wrap=True)


def print_leaderboard(board: Leaderboard, folder: Path) -> None:
    """Print a leaderboard, what to know of it, and where its files are."""
    out = console()
    task, metric = board.task, board.metric
    out.print()
    out.print(Text(task.name, style="bold"), _facts(board), sep="  ")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    table.add_column("model", overflow="fold")
    wide = out.width >= 110
    ranked_rows = any(row.ranks for row in board.rows)
    ranked = (metric, f"{POPULATION}_{metric}")
    brief = {each.name for each in METRICS if each.brief}
    metrics = [
        name for name in columns(board.metric, (row.scores for row in board.rows)) if wide or name in (*ranked, *brief)
    ]
    if ranked[1] in metrics and not wide:
        metrics.remove("balanced_accuracy")
    for name in metrics:
        table.add_column(short_title(name, board), justify="right", no_wrap=True)
        if name == metric:
            table.add_column("95 % interval", no_wrap=True, min_width=14)
            if ranked_rows:
                table.add_column("ranks", justify="right", no_wrap=True)
            if board.seeds:
                table.add_column("sd of seeds", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    several = len(_searches(board)) > 1
    for row in board.rows:
        table.add_row(*_table_row(row, board, metrics, several, ranked_rows), style=STYLES.get(row.kind))
    secondary = [name for name in metrics if name != metric]
    dropped = [short_title(name, board) for name in reversed(secondary)]
    table, left_out = narrowed(table, out.width, [*dropped, "time", "ranks", "95 % interval"])
    out.print(Padding(table, (1, 0)))
    if left_out:
        out.print(not_shown(left_out, "; leaderboard.csv has them"))
    if ranked_rows and "ranks" not in left_out:
        out.print(Text(RANKS, style="dim"))
    if flattered := best_sentence(board.best):
        out.print(Text(flattered))
    print_gains(board.gains)
    if sources := published_sources(board.rows):
        out.print(Text(f"published, not run here: {sources}", style="dim"))
    for told in commands(board.rows):
        out.print(Text(told, style="dim"), soft_wrap=True)
    if ranked[1] in metrics:
        told = f"in pop.: {metric_title(metric)} with each stratum of the sample weighed by its share of the population"
        out.print(Text(told, style="dim"))
    for note in _notes(board):
        out.print(Text(note), soft_wrap=False)
    out.print(
        Text(f"Stored in {short_path(str(folder))}/ with leaderboard.json, .csv and .md", style="dim"), soft_wrap=True
    )
    if sum(row.kind == "model" for row in board.rows) > 1:
        elsewhere = "" if folder.parent == Path("results") else f" results={short_path(str(folder.parent))}"
        seeds = f" seed={','.join(map(str, board.seeds))}" if board.seeds else ""
        command = f"bench compare task={task.name}{seeds}{elsewhere}"
        out.print(Text(f"Which differences are real: {command}", style="dim"), soft_wrap=True)


def print_gains(gains: Sequence[Gain]) -> None:
    """Print what new labels bought, if that is known."""
    out = console()
    if lines := gain_sentences(gains):
        out.print(Text("What the new labels bought", style="bold"))
        for line in lines:
            out.print(Text(line))


def short_title(name: str, board: Leaderboard) -> str:
    """How the terminal's leaderboard heads the column of a metric."""
    return "in pop." if name == f"{POPULATION}_{board.metric}" else column_title(name, board.task)


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


def _facts(board: Leaderboard) -> str:
    searches = _searches(board)
    search = f", search: {searches[0]}" if len(searches) == 1 else ""
    return f"{extent(board.task, board.periods)}, {board.seeds_text}{search}"


def _searches(board: Leaderboard) -> list[str]:
    return sorted({row.search for row in board.rows if row.search is not None})


def _table_row(
    row: BoardRow, board: Leaderboard, metrics: list[str], several_searches: bool, ranked: bool
) -> list[str]:
    primary = board.metric
    cells = [row.label if row.search is None or not several_searches else f"{row.label} ({row.search})"]
    for name in metrics:
        score = row.scores.get(name)
        cells.append(row.kind if score is None and name == primary else "" if score is None else f"{score:.3f}")
        if name == primary:
            measured = score is not None and row.kind != "published"
            cells.append(interval_text(row.intervals.get(name)) if measured else "")
            cells += [ranks_text(row.ranks)] if ranked else []
            cells += ["" if row.seed_deviation is None else f"{row.seed_deviation:.3f}"] if board.seeds else []
    cells.append("" if row.seconds is None else duration(row.seconds))
    return cells


def _notes(board: Leaderboard) -> list[str]:
    """What holds for every model, once; what holds for some, with their names."""
    models = [row for row in board.rows if row.kind == "model"]
    named: dict[str, list[str]] = {}
    for row in models:
        for note in row.notes:
            named.setdefault(note, []).append(row.model)
    shared = [note for note, who in named.items() if len(who) == len(models)]
    single = [f"{', '.join(who)}: {note}" for note, who in named.items() if len(who) < len(models)]
    lines = [f"note: {note}" for note in (*board.left_out, *shared, *single[:3])]
    if len(single) > 3:
        lines.append(f"note: {len(single) - 3} more in the runs' summary.json")
    return lines
