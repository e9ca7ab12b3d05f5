"""Make stored runs of a task's own examples, all in the same folds, with drawn predictions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scores import score_predictions
from stored import record_content, run_record

from bench.data import Task
from bench.metrics.f1 import MACRO_F1
from bench.planning.reference import pass_scores
from bench.results.cell import CellResult, Explanation, Trial
from bench.results.store import RunFolder
from bench.results.summary import summarise
from bench.support.records import plain

NAMES = ("word__text__نفى", "word__text__قال الوزير", "char__text__ نف", "cues__text__denial")


def write_task_runs(
    results: Path,
    task: Task,
    models: Mapping[str, float],
    *,
    folds: int = 5,
    names: tuple[str, ...] = NAMES,
    notes: tuple[str, ...] = (),
    without_probabilities: tuple[str, ...] = (),
    contested: int = 0,
    **model: Any,
) -> dict[str, RunFolder]:
    """Write a run for each model that is right with about the given probability.

    All models contradict the labels of the first `contested` examples alike; `model` changes the models' records.
    """
    fold_of = np.unique(task.groups, return_inverse=True)[1] % folds
    written = {}
    for number, (name, right) in enumerate(models.items()):
        rng = np.random.default_rng(number)
        record = record_content(f"{number:012x}", task.name, name, task.labels, folds, 0, False)
        record["task"] |= {
            "description": task.description,
            "digest": task.digest,
            "inputs": list(task.inputs),
            "metric": task.metric,
            "group": task.group,
            "n_examples": len(task),
            "n_groups": len(set(task.groups)),
            "notes": list(task.notes),
            "references": []
            if task.passes is None
            else [plain(each) for each in pass_scores(task.passes, task.groups, task.labels, MACRO_F1)],
        }
        record["model"] |= model
        folder = RunFolder(results / task.name / name / record["key"])
        cells = [
            _cell(
                rng,
                task,
                fold,
                np.flatnonzero(fold_of == fold),
                right,
                names,
                name not in without_probabilities,
                contested,
            )
            for fold in range(folds)
        ]
        cells[0].notes += notes
        for cell in cells:
            folder.write_cell(cell)
        folder.write_summary(summarise(cells, task.labels, MACRO_F1))
        folder.write_record(run_record(record))
        written[name] = folder
    return written


def _cell(
    rng: np.random.Generator,
    task: Task,
    fold: int,
    rows: np.ndarray[Any, Any],
    right: float,
    names: tuple[str, ...],
    with_probabilities: bool,
    contested: int,
) -> CellResult:
    n_labels = len(task.labels)
    true = task.codes[rows]
    wrong = (true + rng.integers(1, n_labels, len(rows))) % n_labels
    predicted = np.where(rng.random(len(rows)) < right, true, wrong)
    predicted = np.where(rows < contested, (true + 1) % n_labels, predicted)
    probabilities = rng.dirichlet(np.ones(n_labels), len(rows))
    probabilities[np.arange(len(rows)), predicted] += 1.0
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    predictions = pd.DataFrame(
        {
            "id": task.ids[rows],
            "group": task.groups[rows].astype(object),
            "label": task.y[rows].astype(object),
            "predicted": [task.labels[code] for code in predicted],
        }
    )
    if with_probabilities:
        predictions = predictions.assign(
            **{f"p_{label}": probabilities[:, code] for code, label in enumerate(task.labels)}
        )

    def drawn(sign: float) -> tuple[tuple[str, float], ...]:
        places = rng.integers(len(names), size=6)
        shares = rng.random(6)
        return tuple((names[place], float(f"{sign * share:.6g}")) for place, share in zip(places, shares, strict=True))

    explanations = [
        Explanation(
            id=str(task.ids[row]),
            predicted=task.labels[guess],
            true=task.labels[gold],
            contrast=task.labels[gold],
            speaks_for=drawn(1.0),
            speaks_against=drawn(-1.0),
        )
        for row, guess, gold in zip(rows, predicted, true, strict=True)
        if guess != gold and names
    ]
    return CellResult(
        fold=fold,
        params={"estimator.C": float(rng.uniform(0.01, 900.0))},
        inner_score=float(rng.uniform()),
        trials=[Trial(n, {"estimator.C": float(rng.uniform(0.01, 900.0))}, float(rng.uniform())) for n in range(10)],
        predictions=predictions,
        scores=score_predictions(predictions, task.labels),
        notes=[],
        seconds={"features": 0.1, "search": 1.5, "fit": 0.2, "predict": 0.01},
        explanations=explanations,
    )
