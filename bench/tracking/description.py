"""The short text that MLflow shows above an experiment and a run."""

from __future__ import annotations

from dataclasses import asdict

from bench.comparison.verdict import LEVEL
from bench.config import Search, Validation
from bench.metrics.averaged import mean_over
from bench.metrics.registry import in_table_order
from bench.metrics.scoring import Scored
from bench.results.board import published_rows
from bench.results.extent import chosen_on, extent, predictions, split_sizes
from bench.results.protocol import model_name
from bench.results.record import RunRecord, TaskRecord
from bench.results.summary import Summary
from bench.tracking.baseline import Judgement
from bench.tracking.names import class_tag

JUDGED = (
    "The verdict is that of `bench compare`, and the interval the one that it is made of, adjusted for all models that "
    f"are held against the majority: better or worse where a paired bootstrap by group rejects equality at {LEVEL:.0%}"
    ", practically equal where it rejects a larger difference than the region of practical equivalence, else undecided."
)
"""How the verdict against the majority is reached."""


def describe_task(task: TaskRecord) -> str:
    """Describe a task, as Markdown, from its part of ``run.json``."""
    metric = f"{task.metric}{mean_over(task.averaged_over)}"
    lines = [
        task.description,
        "",
        f"- {_examples(task)}, classes {', '.join(f'`{label}`' for label in task.labels)}",
        f"- ranked by `{metric}`; version {task.version}, data `{task.digest[:12]}`",
    ]
    lines += [
        f"- {reference.name} against the majority of the other annotation passes: "
        f"{metric} {reference.scores[task.metric]:.3f}"
        for reference in task.references
        if task.metric in reference.scores
    ]
    lines += [
        f"- published, not run here: {row.model} {row.scores[task.metric]:.3f} ({row.source})"
        for row in published_rows(task, task.metric)
    ]
    return "\n".join(lines)


def _examples(task: TaskRecord) -> str:
    if split_sizes(task):
        return extent(task)
    return f"{task.n_examples} examples in {task.n_groups} groups (`{task.group}`)"


def describe_run(
    record: RunRecord,
    summary: Summary | None,
    baseline: Summary | None,
    judgement: Judgement | None,
) -> str:
    """Describe a run, as Markdown: what it is, how it did, and how it was validated.

    The page folds the text after a few lines, so what everybody looks for comes first.

    Parameters
    ----------
    record : RunRecord
        What is stored of the run.
    summary : Summary or None
        Its summary, None while there is none.
    baseline : Summary or None
        The summary of the majority baseline under the same protocol, where it is stored.
    judgement : Judgement or None
        How the run does against it.
    """
    model, task = record.model, record.task
    lines = [": ".join(filter(None, [f"**{model_name(record)}** on **{task.name}**", model.description])), ""]
    metric = task.metric
    if summary is None:
        lines += [f"Status: {record.status}. There are no pooled scores.", ""]
    elif metric in summary.scores:
        lines += [
            f"{metric}{mean_over(task.averaged_over)} {_score(metric, summary)}{_against(metric, baseline, judgement)}",
            "",
        ]
    lines += [_protocol(record), ""]
    if other := record.train_on:
        instead = "in their place" if other.only else "beside the task's own"
        lines += [f"{other.n_examples:,} examples of {other.task} train {instead}.", ""]
        lines += [f"- {other.task}: {note}" for note in other.notes]
    if record.command:
        lines.append(f"- command: `{record.command}`")
    if not split_sizes(task):
        lines.append(f"- validation: {_settings(record.validation)}")
    if model.search:
        lines.append(f"- search: {_settings(record.search)}")
    if summary is None:
        return "\n".join(lines)
    pooled = "" if len(split_sizes(task)) == 1 else "pooled "
    # A list, for the page sets the cells of a table without space between them.
    lines += ["", f"Scores over {summary.n_examples} {pooled}{predictions(task)}, with 95 % intervals:", ""]
    for name in in_table_order(summary.scores):
        beside = f", majority {baseline.scores[name]:.3f}" if baseline and name in baseline.scores else ""
        lines.append(
            f"- {name}{mean_over(task.averaged_over) if name == metric else ''} {_score(name, summary)}{beside}"
        )
    if summary.population is not None and metric in summary.population.scores:
        lines.append(f"- {metric} reweighted to the population: {_score(metric, summary.population)}")
    if judgement is not None:
        lines += ["", JUDGED]
    if summary.notes:
        lines += ["", *(f"- {note}" for note in summary.notes[:20])]
    return "\n".join(lines)


def describe_model(record: RunRecord, summary: Summary | None) -> str:
    """Describe a run's fitted model, as Markdown.

    Parameters
    ----------
    record : RunRecord
        What is stored of the run.
    summary : Summary or None
        Its summary, None while there is none.
    """
    task, metric = record.task, record.task.metric
    first = ": ".join(filter(None, [f"**{model_name(record)}** on **{task.name}**", record.model.description]))
    lines = [f"{first.rstrip('.')}. From run `{record.key}`.", ""]
    if summary is not None and metric in summary.scores:
        lines += [f"{metric}{mean_over(task.averaged_over)} of the run: {_score(metric, summary)}.", ""]
    lines += [
        f"Reads {', '.join(f'`{name}`' for name in task.inputs)}; answers "
        f"{', '.join(f'`{label}`' for label in task.labels)}. "
        'With `params={"probabilities": True}` it also gives the probability of each label.'
    ]
    return "\n".join(lines)


def shown_score(metric: str, summary: Summary) -> str:
    """A score with its interval, in three digits, as MLflow's table shows it."""
    interval = summary.intervals.get(metric)
    ends = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""
    return f"{summary.scores[metric]:.3f}{ends}"


def class_tags(summary: Summary) -> dict[str, str]:
    """How a model does on each class, in words: F1 with its interval, precision, recall and the number of examples."""
    tags = {}
    for label, values in summary.per_class.items():
        interval = summary.class_intervals[label].get("f1")
        ends = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""
        tags[class_tag(label)] = (
            f"f1 {values['f1']:.3f}{ends}, precision {values['precision']:.3f}, recall {values['recall']:.3f}, "
            f"{values['support']:g} examples"
        )
    return tags


def _protocol(record: RunRecord) -> str:
    task, trials = record.task, record.search.trials
    chosen = (
        f"settings chosen on {chosen_on(task)}, {trials} trials{'' if record.folds == 1 else ' each'}"
        if record.model.search and trials
        else "nothing searched"
    )
    if record.periods:
        return f"Scored on {extent(task, record.periods)}: trained on what was earlier, {chosen}; seed {record.seed}."
    if split_sizes(task):
        return f"Scored on {extent(task)}: trained on train, {chosen}; seed {record.seed}."
    return (
        f"Validated on {task.n_examples} examples by {record.folds} outer folds, each of the "
        f"{task.n_groups} groups ({task.group}) on one side only; {chosen}; seed {record.seed}."
    )


def _score(metric: str, summary: Summary | Scored) -> str:
    told = f"**{summary.scores[metric]:.3f}**"
    if interval := summary.intervals.get(metric):
        return f"{told} ({interval.low:.3f} to {interval.high:.3f})"
    withheld = summary.no_interval if isinstance(summary, Summary) else {}
    return f"{told} (no interval: {withheld.get(metric, 'too few groups')})"


def _against(metric: str, baseline: Summary | None, judgement: Judgement | None) -> str:
    if baseline is None or metric not in baseline.scores:
        return ""
    majority = f"{baseline.scores[metric]:.3f}"
    if judgement is None:
        return f"; majority {majority}"
    told = {
        "better": f"**better** than the majority's {majority}",
        "worse": f"**worse** than the majority's {majority}",
        "practically equal": f"**practically equal** to the majority's {majority}",
        "undecided": f"**undecided** against the majority's {majority}",
    }[judgement.verdict]
    ends = f" ({judgement.low:+.3f} to {judgement.high:+.3f})" if judgement.low is not None else ""
    return f"; {told}, difference {judgement.difference:+.3f}{ends}"


def _settings(value: Validation | Search) -> str:
    details = ", ".join(
        f"{key.replace('_', ' ')} {setting}"
        for key, setting in asdict(value).items()
        if key != "name" and setting is not None
    )
    return f"{value.name} ({details})"
