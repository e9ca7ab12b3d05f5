"""The leaderboard of a task: all comparable stored runs, built from the stored files alone."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench.config import Validation
from bench.errors import UserError
from bench.metrics.averaged import AVERAGED_OVER
from bench.metrics.registry import metric_of, metric_title
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
    published_rows,
    published_sources,
    ranks_text,
)
from bench.results.extent import extent
from bench.results.files import read_record, to_json, write_atomically
from bench.results.gains import gain_sentences
from bench.results.layout import task_folder
from bench.results.periods import absent_text, period_text, trend_text
from bench.results.protocol import is_replaced, model_name, same_table, search_name
from bench.results.record import RunRecord, TaskRecord
from bench.results.result_format import OtherFormatError
from bench.results.store import RunFolder, stored_runs
from bench.results.summary import Summary
from bench.support.records import plain

FILES = ("leaderboard.json", "leaderboard.csv", "leaderboard.md")
"""What `write_leaderboard` writes."""

LOCK = ".leaderboard.lock"
"""The file that is locked meanwhile."""


ABOUT_TASK = ("name", "version", "digest", "labels", AVERAGED_OVER, "n_examples", "n_groups", "group", "splits")
"""The part of ``leaderboard.json`` about the task."""


def leaderboard(results: Path, record: RunRecord) -> Leaderboard:
    """Collect the stored runs that are comparable with a given one.

    Those are the finished, failed and unfinished runs of one table: see `bench.results.protocol.same_table`. Rows of
    the same model and search are distinguished by their keys and commands.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : RunRecord
        The run.
    """
    task = record.task
    found, left_out = _rows(stored_runs(results, task.name), record)
    named = Counter((row.model, row.search) for row, _ in found)
    rows = [
        replace(row, label=f"{row.model} #{str(row.key)[:4]}", command=command)
        if named[row.model, row.search] > 1
        else row
        for row, command in found
    ]
    sign = -metric_of(task).sign
    scored = sorted(
        [*(row for row in rows if row.kind == "model"), *published_rows(task, task.metric)],
        key=lambda row: (sign * row.scores[task.metric], row.model),
    )
    unfinished = [row for row in rows if row.kind != "model"]
    return Leaderboard(
        task=task,
        metric=task.metric,
        validation=record.validation,
        splits=record.splits,
        seed=record.seed,
        rows=(*scored, *_reference_rows(task), *unfinished),
        left_out=tuple(left_out),
        periods=record.periods,
    )


def write_leaderboard(results: Path, board: Leaderboard) -> Path:
    """Write ``leaderboard.json``, ``.csv`` and ``.md`` next to the task's runs; return their folder."""
    from filelock import FileLock

    folder = task_folder(results, board.task.name)
    folder.mkdir(parents=True, exist_ok=True)
    content = plain(board)
    content["task"] = {name: value for name, value in content["task"].items() if name in ABOUT_TASK}
    with FileLock(folder / LOCK):
        for leftover in folder.glob(".leaderboard.*-*"):  # Half written, when a process was killed.
            leftover.unlink(missing_ok=True)
        for name, text in zip(FILES, (to_json(content), _to_csv(board), board_markdown(board)), strict=True):
            write_atomically(folder / name, text)
    return folder


@dataclass(frozen=True)
class _ListedRow:
    """The fields of a row of ``leaderboard.json`` that are read back."""

    key: str | None
    further_keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Listed:
    """The fields of ``leaderboard.json`` that are read back."""

    validation: Validation
    splits: str
    seed: int
    rows: tuple[_ListedRow, ...]


def refresh_leaderboard(results: Path, task: str, make: Callable[[Path, RunRecord], Leaderboard] = leaderboard) -> None:
    """Rebuild a task's leaderboard files if they list a missing run; without any run, delete them.

    They stay unchanged if they cannot be written, since a user may have read access only.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    task : str
        The task's name.
    make : callable
        A function that collects the runs comparable with that of a given record.
    """
    try:
        folder = task_folder(results, task)
        board = read_record(_Listed, folder / FILES[0])
    except UserError:
        return
    folders = stored_runs(results, task)
    listed = [key for row in board.rows for key in (row.key, *row.further_keys) if key is not None]
    if Counter(listed) <= Counter(run.key for run in folders):
        return
    stored = []
    for run in folders:
        with suppress(UserError):
            stored.append(run.read_record())
    alike = [
        record
        for record in stored
        if (record.splits, record.seed, record.validation) == (board.splits, board.seed, board.validation)
    ]
    latest = max(alike or stored, key=lambda record: record.started, default=None)
    with suppress(OSError):
        if latest is not None:
            write_leaderboard(results, make(results, latest))
        else:
            for name in (*FILES, LOCK):
                (folder / name).unlink(missing_ok=True)


def board_markdown(board: Leaderboard) -> str:
    """The leaderboard as a Markdown table."""
    metrics = columns(board.metric, (row.scores for row in board.rows))
    task = board.task
    ranked = any(row.ranks for row in board.rows)
    titles = [column_title(name, task) for name in metrics]
    titles[1:1] = [*(["sd of seeds"] if board.seeds else []), *(["ranks"] if ranked else [])]
    lines = [
        f"# {task.name}",
        "",
        f"{extent(task, board.periods)}; {column_title(board.metric, task)} with its 95 % interval, "
        f"{board.seeds_text}, data `{task.digest[:12]}`.",
        "",
        f"| model | search | {' | '.join(titles)} | time (s) |",
        "| --- | --- |" + " ---: |" * (len(titles) + 1),
    ]
    for row in board.rows:
        cells = [_cell(row, name, board.metric) for name in metrics]
        deviation = "" if row.seed_deviation is None else f"{row.seed_deviation:.3f}"
        cells[1:1] = [*([deviation] if board.seeds else []), *([ranks_text(row.ranks)] if ranked else [])]
        seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
        label = f"*{row.label}*" if row.kind == "published" else row.label
        lines.append(f"| {label} | {row.search or ''} | {' | '.join(cells)} | {seconds} |")
    if ranked:
        lines += ["", f"{RANKS[:1].upper()}{RANKS[1:]}."]
    if flattered := best_sentence(board.best):
        lines += ["", flattered]
    if bought := gain_sentences(board.gains):
        lines += ["", "What the new labels bought:", "", *(f"- {each}" for each in bought)]
    if sources := published_sources(board.rows):
        lines += ["", f"Published, not run here: {sources}."]
    if told := commands(board.rows):
        lines += ["", *(f"- {each}" for each in told)]
    return "\n".join(lines) + "\n"


def _cell(row: BoardRow, name: str, primary: str) -> str:
    if row.kind not in ("model", "reference", "published"):
        return row.kind if name == primary else ""
    if name not in row.scores:
        return ""
    score = f"{row.scores[name]:.3f}"
    if name != primary or row.kind == "published":
        return score
    return f"{score} {interval_text(row.intervals.get(name))}"


def _row(folder: RunFolder, record: RunRecord) -> BoardRow:
    name = model_name(record)
    row = BoardRow(kind=record.status, model=name, label=name, search=search_name(record), key=folder.key)
    summary, metric = folder.summary, record.task.metric
    if summary is None:
        return row
    reweighted = {} if summary.population is None else summary.population.scores
    in_population = {f"{POPULATION}_{metric}": reweighted[metric]} if metric in reweighted else {}
    return replace(
        row,
        kind="model",
        scores={**summary.scores, **in_population},
        intervals=summary.intervals,
        notes=(*period_notes(record, summary), *summary.notes),
        seconds=sum(folder.read_seconds().values()),
    )


def period_notes(record: RunRecord, summary: Summary) -> list[str]:
    """The scores by period and their trend, if folds train on earlier and test on later examples.

    The periods are in the order of time, without their dates; comparisons and reports have a table.
    """
    if not summary.by_period or len(summary.by_period) != len(record.periods):
        return []
    title = metric_title(record.task.metric)
    scores = ", ".join("none" if each.score is None else f"{each.score:.3f}" for each in summary.by_period)
    trend = "" if summary.trend is None else f"; {trend_text(summary.trend, title)}"
    absent = [
        f"{period_text(period)}: {absent_text(each.absent)}"
        for period, each in zip(record.periods, summary.by_period, strict=True)
        if each.score is None
    ]
    return [f"{title} by period: {scores}{trend}", *absent]


def _reference_rows(task: TaskRecord) -> list[BoardRow]:
    return [
        BoardRow(
            kind="reference",
            model=reference.name,
            label=f"{reference.name} vs others",
            scores=reference.scores,
            intervals=reference.intervals,
            notes=("an annotation pass, scored against the majority of the others",),
        )
        for reference in task.references
    ]


def _rows(folders: list[RunFolder], record: RunRecord) -> tuple[list[tuple[BoardRow, str]], list[str]]:
    """The rows of the runs of one table, each with its command, and notes on unreadable ones."""
    found, left_out = list[tuple[RunRecord, BoardRow]](), list[str]()
    for folder in folders:
        try:
            other = folder.read_record()
            if same_table(other, record):
                found.append((other, _row(folder, other)))
        except OtherFormatError:
            continue
        except UserError as error:
            left_out.append(f"a stored run of {folder.model} is left out: {error.message}")
    scored = [other for other, row in found if row.kind == "model"]
    return [(row, other.command) for other, row in found if not is_replaced(other, scored)], left_out


def _to_csv(board: Leaderboard) -> str:
    text = io.StringIO()
    metrics = columns(board.metric, (row.scores for row in board.rows))
    low_high = [f"{board.metric}_low", f"{board.metric}_high"]
    writer = csv.writer(text, lineterminator="\n")
    spread = ["seed_sd"] if board.seeds else []
    header = ["model", "kind", "search", metrics[0], *low_high, *spread, "rank_low", "rank_high"]
    writer.writerow([*header, *metrics[1:], "seconds", "key"])
    for row in board.rows:
        interval = row.intervals.get(board.metric)
        scores = [row.scores.get(name, "") for name in metrics]
        ends = ["", ""] if interval is None else [interval.low, interval.high]
        first = [row.model, row.kind, row.search, scores[0], *ends]
        first += [*([row.seed_deviation] if board.seeds else []), *(row.ranks or ("", ""))]
        writer.writerow([*first, *scores[1:], row.seconds, row.key])
    return text.getvalue()
