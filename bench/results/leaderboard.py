"""The leaderboard of a task: every stored run that compares, made from the stored files alone."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.metrics.averaged import AVERAGED_OVER
from bench.metrics.registry import in_table_order, metric_names, metric_of, metric_title
from bench.results.extent import extent
from bench.results.files import to_json, write_atomically
from bench.results.protocol import model_name, same_table, search_name
from bench.results.store import OtherFormatError, RunFolder, stored_runs

NEEDED = ("task", "model", "search", "validation", "splits", "seed", "status", "command")
"""What a run's record must hold to stand in a leaderboard."""

FILES = ("leaderboard.json", "leaderboard.csv", "leaderboard.md")
"""What `write_leaderboard` writes."""

LOCK = ".leaderboard.lock"
"""The file that is locked meanwhile."""

POPULATION = "population"
"""Before a metric's name: the score reweighted to the population that a stratified sample was drawn from."""


def column_title(name: str, board: Mapping[str, Any]) -> str:
    """How tables head a leaderboard's column of a metric, or of its score in the population."""
    if name.startswith(f"{POPULATION}_"):
        return "in population"
    return metric_title(name, {**board["task"], "metric": board["metric"]})


def leaderboard(results: Path, record: dict[str, Any]) -> dict[str, Any]:
    """Gather the stored runs that compare with a given one.

    Those are the finished, failed and unfinished runs of one table: see `bench.results.protocol.same_table`.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    record : dict
        The content of a run's ``run.json``.

    Returns
    -------
    dict
        The task, the protocol, ``left_out`` (what cannot be read, a sentence each) and ``rows``: the best first,
        published results among them, then annotation passes and failed runs. Rows of the same model and search have
        the ``command`` that made them, which tells them apart.
    """
    task = record["task"]
    found, left_out = _rows(stored_runs(results, task["name"]), record)
    rows = [row for row, _ in found]
    named = Counter((row["model"], row["search"]) for row in rows)
    for row, command in found:
        row["label"] = row["model"]
        if named[row["model"], row["search"]] > 1:
            row |= {"label": f"{row['model']} #{row['key'][:4]}", "command": command}
    metric = task["metric"]
    sign = -metric_of(task).sign
    scored = sorted(
        [*(row for row in rows if row["kind"] == "model"), *published_rows(task, metric)],
        key=lambda row: (sign * row["scores"][metric], row["model"]),
    )
    unfinished = [row for row in rows if row["kind"] != "model"]
    about = ("name", "version", "digest", "labels", AVERAGED_OVER, "n_examples", "n_groups", "group")
    return {
        "task": {**{key: task[key] for key in about if key in task}, "splits": task.get("splits", {})},
        "metric": metric,
        "validation": record["validation"],
        "splits": record["splits"],
        "seed": record["seed"],
        "rows": [*scored, *_reference_rows(task), *unfinished],
        "left_out": left_out,
    }


def published_rows(task: Mapping[str, Any], metric: str) -> list[dict[str, Any]]:
    """The results that others published for a metric, as rows of a leaderboard; they were not run here.

    Parameters
    ----------
    task : mapping
        The task's part of ``run.json``; it lists published results only where the task is split as published.
    metric : str
        The metric that the table is ranked by.

    Returns
    -------
    list of dict
        In the order of the task's file, one for each system and source, with all its published ``scores``.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for figure in task.get("published", []):
        found.setdefault((figure["system"], figure["source"]), {})[figure["metric"]] = figure["value"]
    return [
        {
            "kind": "published",
            "model": system,
            "label": f"published: {system}",
            "search": None,
            "key": None,
            "scores": scores,
            "intervals": {},
            "notes": [f"published, not run here: {source}"],
            "source": source,
            "seconds": None,
        }
        for (system, source), scores in found.items()
        if metric in scores
    ]


def write_leaderboard(results: Path, board: dict[str, Any]) -> Path:
    """Write ``leaderboard.json``, ``.csv`` and ``.md`` beside the task's runs; returns their folder."""
    from filelock import FileLock

    folder = results / board["task"]["name"]
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        for leftover in folder.glob(".leaderboard.*-*"):  # Half written, when a process was killed.
            leftover.unlink(missing_ok=True)
        for name, content in zip(FILES, (to_json(board), _to_csv(board), to_markdown(board)), strict=True):
            write_atomically(folder / name, content)
    return folder


def refresh_leaderboard(
    results: Path, task: str, make: Callable[[Path, dict[str, Any]], dict[str, Any]] = leaderboard
) -> None:
    """Make a task's leaderboard files again where they list a run whose folder is gone; without a run, delete them.

    They are left as they are where they cannot be written: whoever only reads a store may not be allowed to.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    task : str
        The task's name.
    make : callable
        Gathers the runs that compare with one whose record it is given.
    """
    folder = results / task
    try:
        board = json.loads((folder / FILES[0]).read_text(encoding="utf-8"))
        listed = Counter(row["key"] for row in board["rows"] if row["key"] is not None)
    except (OSError, ValueError, KeyError, TypeError):
        return
    folders = stored_runs(results, task)
    if listed <= Counter(run.key for run in folders):
        return
    stored = []
    for run in folders:
        with suppress(UserError):
            stored.append(run.read_record(needed=NEEDED))
    protocol = ("splits", "seed", "validation")
    alike = [record for record in stored if all(record[key] == board.get(key) for key in protocol)]
    latest = max(alike or stored, key=lambda record: str(record.get("started")), default=None)
    with suppress(OSError):
        if latest is not None:
            write_leaderboard(results, make(results, latest))
        else:
            for name in (*FILES, LOCK):
                (folder / name).unlink(missing_ok=True)


def to_markdown(board: dict[str, Any]) -> str:
    """The leaderboard as a Markdown table."""
    metrics = metrics_of(board)
    task = board["task"]
    lines = [
        f"# {task['name']}",
        "",
        f"{extent(task)}; {column_title(board['metric'], board)} with its 95 % interval, seed {board['seed']}, "
        f"data `{task['digest'][:12]}`.",
        "",
        "| model | search | " + " | ".join(column_title(name, board) for name in metrics) + " | time (s) |",
        "| --- | --- |" + " ---: |" * (len(metrics) + 1),
    ]
    for row in board["rows"]:
        cells = [_cell(row, name, board["metric"]) for name in metrics]
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        label = f"*{row['label']}*" if row["kind"] == "published" else row["label"]
        lines.append(f"| {label} | {row['search'] or ''} | {' | '.join(cells)} | {seconds} |")
    if flattered := best_sentence(board.get("best")):
        lines += ["", flattered]
    if sources := published_sources(board["rows"]):
        lines += ["", f"Published, not run here: {sources}."]
    if told := commands(board["rows"]):
        lines += ["", *(f"- {each}" for each in told)]
    return "\n".join(lines) + "\n"


def best_sentence(best: Mapping[str, Any] | None) -> str:
    """Say what the best model can be expected to score, since it was picked for its score; empty for none.

    Parameters
    ----------
    best : mapping or None
        As `bench.comparison.ranking.Best` has it.

    Examples
    --------
    >>> best_sentence({"name": "a", "of": 3, "measured": 0.467, "score": 0.4491, "low": 0.122, "high": 0.776})
    'Being picked as the best of 3 flatters a score: corrected for it, a has 0.449 [0.122, 0.776] rather than 0.467.'
    """
    if best is None:
        return ""
    ends = "" if best["low"] is None else f" {interval_text(best)}"
    return (
        f"Being picked as the best of {best['of']} flatters a score: corrected for it, {best['name']} has "
        f"{best['score']:.3f}{ends} rather than {best['measured']:.3f}."
    )


def published_sources(rows: Iterable[Mapping[str, Any]]) -> str:
    """Say where the published results among a leaderboard's rows come from; empty where there are none.

    Examples
    --------
    >>> task = {"published": [{"system": "BERT", "metric": "macro_f1", "value": 0.767, "source": "Khouja 2020"}]}
    >>> published_sources(published_rows(task, "macro_f1"))
    'BERT: Khouja 2020'
    """
    by_source: dict[str, list[str]] = {}
    for row in rows:
        if row["kind"] == "published":
            by_source.setdefault(row["source"], []).append(row["model"])
    return "; ".join(f"{', '.join(systems)}: {source}" for source, systems in by_source.items())


def commands(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say which command made each of the rows that have the same model and search.

    Examples
    --------
    >>> row = {"model": "logreg", "label": "logreg #3cfa", "command": "bench run task=denial model.params.C=1"}
    >>> commands([row, {"model": "majority", "label": "majority"}])
    ['logreg #3cfa: bench run task=denial model.params.C=1']
    """
    return [f"{row['label']}: {row['command']}" for row in rows if "command" in row]


def metrics_of(board: dict[str, Any]) -> list[str]:
    """The metrics of a leaderboard's columns, the primary one first."""
    metric = board["metric"]
    present = {name for row in board["rows"] for name in row["scores"]} | {metric}
    first = [name for name in (metric, f"{POPULATION}_{metric}") if name in present]
    return [*first, *(name for name in in_table_order(present & {*metric_names()}) if name != metric)]


NO_INTERVAL = "no interval"
"""What tables say where a score was measured and too little stands behind it for an interval."""


def interval_text(interval: Mapping[str, float] | None) -> str:
    """An interval as ``[low, high]``."""
    return NO_INTERVAL if interval is None else f"[{interval['low']:.3f}, {interval['high']:.3f}]"


def _cell(row: dict[str, Any], name: str, primary: str) -> str:
    if row["kind"] not in ("model", "reference", "published"):
        return row["kind"] if name == primary else ""
    if name not in row["scores"]:
        return ""
    score = f"{row['scores'][name]:.3f}"
    if name != primary or row["kind"] == "published":
        return score
    return f"{score} {interval_text(row['intervals'].get(name))}"


def _row(folder: RunFolder, record: dict[str, Any]) -> dict[str, Any]:
    complete = folder.summarised
    summary = folder.read_summary() if complete else {"scores": {}, "intervals": {}, "notes": []}
    metric = record["task"]["metric"]
    reweighted = summary.get(POPULATION, {}).get("scores", {})
    in_population = {f"{POPULATION}_{metric}": reweighted[metric]} if metric in reweighted else {}
    return {
        "kind": "model" if complete else record["status"],
        "model": model_name(record),
        "search": search_name(record),
        "key": folder.key,
        "scores": summary["scores"] | in_population,
        "intervals": summary["intervals"],
        "notes": summary["notes"],
        "seconds": sum(folder.read_seconds().values()) if complete else None,
    }


def _reference_rows(task: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "kind": "reference",
            "model": reference["name"],
            "label": f"{reference['name']} vs others",
            "search": None,
            "key": None,
            "scores": reference["scores"],
            "intervals": reference["intervals"],
            "notes": ["an annotation pass, scored against the majority of the others"],
            "seconds": None,
        }
        for reference in task["references"]
    ]


def _rows(folders: list[RunFolder], record: dict[str, Any]) -> tuple[list[tuple[dict[str, Any], str]], list[str]]:
    """The rows of the runs of one table, each with the command that made it, and what cannot be read."""
    rows, left_out = [], []
    for folder in folders:
        try:
            other = folder.read_record(needed=NEEDED)
            if same_table(other, record):
                rows.append((_row(folder, other), other["command"]))
        except OtherFormatError:
            continue
        except UserError as error:
            left_out.append(f"a stored run of {folder.path.parent.name} is left out: {error.message}")
    return rows, left_out


def _to_csv(board: dict[str, Any]) -> str:
    text = io.StringIO()
    metrics = metrics_of(board)
    low_high = [f"{board['metric']}_low", f"{board['metric']}_high"]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "kind", "search", metrics[0], *low_high, *metrics[1:], "seconds", "key"])
    for row in board["rows"]:
        interval = row["intervals"].get(board["metric"], {})
        scores = [row["scores"].get(name, "") for name in metrics]
        ends = [interval.get("low", ""), interval.get("high", "")]
        writer.writerow(
            [row["model"], row["kind"], row["search"], scores[0], *ends, *scores[1:], row["seconds"], row["key"]]
        )
    return text.getvalue()
