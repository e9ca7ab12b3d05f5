"""A stored run's fitted model as a model's folder of the Hub, with its card."""

from __future__ import annotations

from pathlib import Path

from bench.cards.front import card, licence_of, new_folder
from bench.citations.methods import Methods, as_text, describe_methods
from bench.comparison.selection import Selected
from bench.errors import UserError
from bench.metrics.averaged import mean_over
from bench.metrics.registry import metric_title
from bench.results.board import columns, interval_text
from bench.results.cell import FINAL
from bench.results.cell_files import MODEL
from bench.results.extent import extent
from bench.results.files import read_bytes
from bench.results.layout import SUMMARY
from bench.results.protocol import model_name
from bench.results.record import RunRecord
from bench.results.store import RunFolder
from bench.results.summary import Summary
from bench.support.json_writing import json_text

CARD = "README.md"

LOADED_BY = (("bench.models.finetune.", "transformers"), ("bench.", "bench-arabic"))
"""What loads models of these classes; else scikit-learn, by skops."""


def write_model_folder(folder: RunFolder, target: Path) -> None:
    """Write a finished run's fitted model as a folder that can be uploaded to the Hub; it appears whole or not at all.

    The model's file is copied as it is stored; nothing is loaded. The run's record stays, since it names local paths.

    Parameters
    ----------
    folder : RunFolder
        The run.
    target : pathlib.Path
        The folder, which must not be there yet.

    Raises
    ------
    bench.errors.ConfigError
        If something stands there already.
    bench.errors.UserError
        If the run is not finished, has no stored model, or nothing can be written there.
    """
    record, summary, model = folder.read_record(), folder.read_summary(), folder.model_path()
    if model is None:
        raise UserError(f"{folder.path}: no fitted model is stored.", f"Run it again: {record.command}")
    with new_folder(target) as beside:
        methods = describe_methods(Selected([(folder, record)], []))
        (beside / MODEL).write_bytes(read_bytes(model))
        (beside / SUMMARY).write_bytes(read_bytes(folder.path / SUMMARY))
        (beside / CARD).write_text(model_card(folder, record, summary, methods), encoding="utf-8")


def model_card(folder: RunFolder, record: RunRecord, summary: Summary, methods: Methods) -> str:
    """The card of a stored run's fitted model."""
    task, name = record.task, f"{record.task.name}-{model_name(record)}"
    metrics = columns(task.metric, [summary.scores])
    metadata: dict[str, object] = {
        "language": ["ar"],
        **licence_of(""),
        "library_name": _library(record.model.estimator),
        "pipeline_tag": "text-classification",
        "tags": ["arabic", "bench-arabic", "skops"],
        "model-index": [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": "text-classification"},
                        "dataset": {"name": task.name, "type": task.name, "revision": task.digest[:16]},
                        "metrics": [_figure(metric, summary.scores[metric]) for metric in metrics],
                    }
                ],
            }
        ],
    }
    table = ["| metric | score | 95 % interval |", "| --- | ---: | --- |"]
    for metric in metrics:
        title = metric_title(metric) + (mean_over(task.averaged_over) if metric == task.metric else "")
        table.append(f"| {title} | {summary.scores[metric]:.3f} | {interval_text(summary.intervals.get(metric))} |")
    final = folder.cell_path(FINAL).is_dir()
    chosen = folder.read_result(FINAL if final else 0).params
    settings = "\n".join(f"- `{key}`: `{json_text(value, any_kind=True)}`" for key, value in chosen.items())
    notes = "\n".join(f"- {note}" for note in (*task.notes, *summary.notes))
    return card(
        metadata,
        f"# {name}",
        f"{_sentence(record.model.description)} {_sentence(task.description)}",
        f"Labels: {', '.join(f'`{label}`' for label in task.labels)}. Input: {', '.join(task.inputs)}.",
        "## Use\n\n" + _use(record),
        "## Training data\n\n"
        + f"Task `{task.name}`, version {task.version}: {extent(task)}, digest `{task.digest[:16]}`.",
        "## Scores\n\n" + "\n".join(table),
        _whose_scores(record, final),
        "## Setting\n\n" + (settings or "The model has nothing to search."),
        "## Method\n\n" + as_text(methods),
        "## Limitations\n\n" + notes if notes else "",
    )


def _figure(metric: str, score: float) -> dict[str, object]:
    return {"type": metric, "name": metric_title(metric), "value": round(float(score), 4)}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _library(estimator: str) -> str:
    return next((library for start, library in LOADED_BY if estimator.startswith(start)), "sklearn")


def _use(record: RunRecord) -> str:
    packages = record.environment.packages
    versions = ", ".join(f"{name} {packages[name]}" for name in ("bench", "scikit-learn", "skops") if name in packages)
    return (
        f"`{MODEL}` is a file of skops, which holds no pickled code. It was stored with {versions}. `bench predict` "
        "checks it against the model's definition before it loads it; with skops alone, look at "
        f'`skops.io.get_untrusted_types(file="{MODEL}")` first.'
    )


def _whose_scores(record: RunRecord, final: bool) -> str:
    if not final:
        return "The scores are those of this model on the test part of the published split."
    return (
        f"The scores are those of the folds' models, each fitted without its test part. This model was fitted on all "
        f"{record.task.n_examples:,} examples, so it has no test part of its own; expect as much or slightly more on "
        f"new groups ({record.task.group})."
    )
