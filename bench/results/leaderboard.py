"""The leaderboard of a task: every stored run that compares, made from the stored files alone."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.evaluation.metrics import LOWER_IS_BETTER, METRICS
from bench.results.protocol import same_table, search_name
from bench.results.store import RunFolder, stored_runs, to_json, write_atomically

NEEDED = ("task", "model", "search", "validation", "splits", "seed", "status")
"""What a run's record must hold to stand in a leaderboard."""

TITLES = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "balanced_accuracy": "bal. acc.",
    "mcc": "MCC",
    "log_loss": "log-loss",
    "brier": "Brier",
    "average_precision": "avg. prec.",
}
"""How tables name the metrics."""


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
        The task, the protocol and ``rows``, the best first, then reference rows and failed runs.
    """
    task = record["task"]
    stored = _readable(stored_runs(results, task["name"]))
    rows = [_row(folder, other) for folder, other in stored if same_table(other, record)]
    named = Counter((row["model"], row["search"]) for row in rows)
    for row in rows:
        several = named[row["model"], row["search"]] > 1
        row["label"] = f"{row['model']} #{row['key'][:4]}" if several else row["model"]
    metric = task["metric"]
    sign = 1.0 if metric in LOWER_IS_BETTER else -1.0
    scored = sorted(
        (row for row in rows if row["kind"] == "model"), key=lambda row: (sign * row["scores"][metric], row["model"])
    )
    unfinished = [row for row in rows if row["kind"] != "model"]
    return {
        "task": {key: task[key] for key in ("name", "version", "digest", "labels", "n_examples", "n_groups", "group")},
        "metric": metric,
        "validation": record["validation"],
        "splits": record["splits"],
        "seed": record["seed"],
        "rows": [*scored, *_reference_rows(task), *unfinished],
    }


def write_leaderboard(results: Path, board: dict[str, Any]) -> Path:
    """Write ``leaderboard.json``, ``.csv`` and ``.md`` beside the task's runs; returns their folder."""
    folder = results / board["task"]["name"]
    write_atomically(folder / "leaderboard.json", to_json(board))
    write_atomically(folder / "leaderboard.csv", _to_csv(board))
    write_atomically(folder / "leaderboard.md", to_markdown(board))
    return folder


def to_markdown(board: dict[str, Any]) -> str:
    """The leaderboard as a Markdown table."""
    metrics = metrics_of(board)
    task = board["task"]
    lines = [
        f"# {task['name']}",
        "",
        f"{task['n_examples']} examples in {task['n_groups']} groups ({task['group']}), "
        f"{TITLES[board['metric']]} with its 95 % interval, seed {board['seed']}, data `{task['digest'][:12]}`.",
        "",
        "| model | search | " + " | ".join(TITLES[name] for name in metrics) + " | time (s) |",
        "| --- | --- |" + " ---: |" * (len(metrics) + 1),
    ]
    for row in board["rows"]:
        cells = [_cell(row, name, board["metric"]) for name in metrics]
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.1f}"
        lines.append(f"| {row['label']} | {row['search'] or ''} | {' | '.join(cells)} | {seconds} |")
    return "\n".join(lines) + "\n"


def metrics_of(board: dict[str, Any]) -> list[str]:
    """The metrics of a leaderboard's columns, the primary one first."""
    present = {name for row in board["rows"] for name in row["scores"]} | {board["metric"]}
    return sorted((name for name in METRICS if name in present), key=lambda name: name != board["metric"])


def interval_text(interval: Mapping[str, float] | None) -> str:
    """An interval as ``[low, high]``, empty where there is none."""
    return "" if interval is None else f"[{interval['low']:.3f}, {interval['high']:.3f}]"


def _cell(row: dict[str, Any], name: str, primary: str) -> str:
    if row["kind"] not in ("model", "reference"):
        return row["kind"] if name == primary else ""
    if name not in row["scores"]:
        return ""
    score = f"{row['scores'][name]:.3f}"
    return f"{score} {interval_text(row['intervals'].get(name))}".rstrip() if name == primary else score


def _row(folder: RunFolder, record: dict[str, Any]) -> dict[str, Any]:
    complete = folder.summarised
    summary = folder.read_summary() if complete else {"scores": {}, "intervals": {}, "notes": []}
    return {
        "kind": "model" if complete else record["status"],
        "model": record["model"]["name"],
        "search": search_name(record),
        "key": folder.key,
        "scores": summary["scores"],
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


def _readable(folders: list[RunFolder]) -> Iterator[tuple[RunFolder, dict[str, Any]]]:
    """The runs with their records, but for those whose record is damaged."""
    for folder in folders:
        try:
            record = folder.read_record(needed=NEEDED)
        except UserError:
            continue
        yield folder, record


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
