"""The short text that MLflow shows above an experiment and a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import UserError
from bench.results.store import stored_runs
from bench.results.summary import metric_columns


def describe_task(task: Mapping[str, Any]) -> str:
    """Describe a task, as Markdown, from its part of ``run.json``."""
    lines = [
        task["description"],
        "",
        f"- {task['n_examples']} examples in {task['n_groups']} groups (`{task['group']}`), "
        f"classes {', '.join(f'`{label}`' for label in task['labels'])}",
        f"- ranked by `{task['metric']}`; version {task['version']}, data `{task['digest'][:12]}`",
    ]
    for name, value in (task.get("agreement") or {}).items():
        if isinstance(value, int | float):
            lines.append(f"- agreement of the annotation passes, {name}: {value:.3f}")
    return "\n".join(lines)


def describe_run(
    record: Mapping[str, Any], summary: Mapping[str, Any] | None, baseline: Mapping[str, Any] | None
) -> str:
    """Describe a run, as Markdown: what it is, how it was validated, and how it did.

    Parameters
    ----------
    record : mapping
        The content of ``run.json``.
    summary : mapping or None
        The content of ``summary.json``, None while there is none.
    baseline : mapping or None
        The summary of the majority baseline under the same protocol, where it is stored.
    """
    model, task = record["model"], record["task"]
    lines = [": ".join(filter(None, [f"**{model['name']}** on **{task['name']}**", model["description"]])), ""]
    metric = task["metric"]
    if summary is not None and metric in summary["scores"]:
        # The page folds the text after a few lines, so what everybody looks for comes first.
        lines += [f"{metric} {_score(metric, summary, baseline)}", ""]
    lines.append(f"- validation: {_settings(record['validation'])}, {record['folds']} outer folds in all")
    lines.append(f"- search: {_settings(record['search']) if model['search'] else 'none'}; seed {record['seed']}")
    if record.get("command"):
        lines.append(f"- command: `{record['command']}`")
    if summary is None:
        lines += ["", f"Status: {record['status']}. There are no pooled scores."]
        return "\n".join(lines)
    # A list, for the page sets the cells of a table without space between them.
    lines += ["", "Scores with 95 % intervals:", ""]
    lines += [f"- {name} {_score(name, summary, baseline)}" for name in metric_columns(summary["scores"])]
    lines += ["", f"Pooled over {summary['n_examples']} out-of-fold predictions in {summary['n_groups']} groups."]
    lines += [f"- {note}" for note in summary["notes"][:20]]
    return "\n".join(lines)


def majority_summary(results: Path, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The stored summary of the majority baseline on the same data and folds, None without."""
    for run in stored_runs(results, record["task"]["name"]):
        if run.path.parent.name != "majority" or not run.summarised:
            continue
        try:
            other = run.read_record()
            if other["task"]["digest"] == record["task"]["digest"] and other["splits"] == record["splits"]:
                return run.read_summary()
        except (UserError, KeyError):
            continue
    return None


def _score(metric: str, summary: Mapping[str, Any], baseline: Mapping[str, Any] | None) -> str:
    told = f"**{summary['scores'][metric]:.3f}**"
    if interval := summary["intervals"].get(metric):
        told += f" ({interval['low']:.3f} to {interval['high']:.3f})"
    if baseline is not None and metric in baseline["scores"]:
        told += f", majority {baseline['scores'][metric]:.3f}"
    return told


def _settings(value: Mapping[str, Any]) -> str:
    details = ", ".join(
        f"{key.replace('_', ' ')} {setting}" for key, setting in value.items() if key != "name" and setting is not None
    )
    return f"{value['name']} ({details})"
