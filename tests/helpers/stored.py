"""Make a stored run, as `bench run` leaves it, with drawn predictions and a small fitted model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scores import score_predictions
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline

from bench.comparison.curves import summarise_curve
from bench.features.tfidf import Tfidf
from bench.metrics.f1 import MACRO_F1
from bench.models.persistence import dumps
from bench.results.cell import FINAL, CellResult, Trial
from bench.results.curves import CurveRecord, PartRecord, curve_key
from bench.results.files import to_json
from bench.results.key import key_of
from bench.results.layout import CURVES
from bench.results.record import RunRecord
from bench.results.result_format import FORMAT
from bench.results.store import RunFolder
from bench.results.summary import Summary, summarise
from bench.support.records import from_json

TEXTS = pd.DataFrame(
    {
        "text": [
            "نفت الوزارة الخبر",
            "أكد المتحدث الخبر",
            "قال مصدر حكومي",
            "لم يصدر تعليق",
            "نفى المصدر ذلك",
            "أعلن الوزير",
        ]
    }
)


def write_run(
    results: Path,
    *,
    task: str = "denial",
    model: str = "logreg",
    labels: tuple[str, ...] = ("denial", "none", "non_confirmation"),
    folds: int = 5,
    seed: int = 0,
    failed_fold: int | None = None,
) -> RunFolder:
    """Write a run folder; with `failed_fold` that fold holds an error and there is no summary."""
    record = keyed(record_content("", task, model, labels, folds, seed, failed_fold is not None))
    folder = RunFolder(results / task / model / record.key)
    rng = np.random.default_rng(seed)
    cells = [_cell(rng, fold, labels) for fold in range(folds)]
    for cell in cells:
        if cell.fold == failed_fold:
            error = "Traceback (most recent call last):\n  ...\nValueError: the model broke"
            cell = CellResult(fold=cell.fold, status="failed", seconds={"fit": 0.1}, error=error)
        folder.write_cell(cell)
    if failed_fold is None:
        folder.write_summary(summarise(cells, labels, MACRO_F1))
        folder.write_cell(
            CellResult(
                FINAL,
                params={"estimator.C": 1.5},
                inner_score=0.6,
                trials=_trials(rng),
                seconds={"fit": 0.2},
                estimator=dumps(fitted(labels)),
            )
        )
    folder.write_record(record)
    return folder


def write_curve(results: Path, *, task: str = "denial", model: str = "logreg", folds: int = 2) -> RunFolder:
    """Write the folder of a learning curve of two parts, as `bench curve` leaves it."""
    labels = ("denial", "none", "non_confirmation")
    run = keyed(record_content("", task, model, labels, folds, 0, False))
    sizes = {"groups-1-of-2": ("groups", "1/2", 0.5), "all": (None, "all", 1.0)}
    parts = tuple(
        PartRecord(name=name, axis=axis, part=part, fraction=share, n_groups=4 * share, n_examples=60 * share)  # type: ignore[arg-type]
        for name, (axis, part, share) in sizes.items()
    )
    digests = {name: hashlib.sha256(name.encode()).hexdigest()[:12] for name in sizes}
    of_curve = {"key": curve_key(run.key, digests), "command": f"bench curve task={task} model={model}"}
    record = CurveRecord(**(vars(run) | of_curve), run=run.key, parts=parts, digests=digests)
    folder = RunFolder(results / task / CURVES / model / record.key)
    for part in parts:
        rng = np.random.default_rng(0)
        for fold in range(folds):
            RunFolder(folder.path / part.name).write_cell(_cell(rng, fold, labels))
    folder.write_record(record)
    folder.write_summary(summarise_curve(folder, record))
    return folder


def fitted(labels: tuple[str, ...]) -> Pipeline:
    """A classifier over a frame with a text column."""
    y = [labels[place % len(labels)] for place in range(len(TEXTS))]
    features = FeatureUnion([("word", Tfidf(columns=("text",)))])
    return Pipeline([("features", features), ("estimator", LogisticRegression(C=100.0))]).fit(TEXTS, y)


def _cell(rng: np.random.Generator, fold: int, labels: tuple[str, ...]) -> CellResult:
    n = 30
    probabilities = rng.dirichlet(np.ones(len(labels)), size=n)
    true = rng.integers(len(labels), size=n)
    predictions = pd.DataFrame(
        {
            "id": [f"d{fold}-{place}" for place in range(n)],
            "group": [f"doc-{fold}-{place % 2}" for place in range(n)],
            "label": [labels[code] for code in true],
            "predicted": [labels[code] for code in probabilities.argmax(axis=1)],
            **{f"p_{label}": probabilities[:, code] for code, label in enumerate(labels)},
        }
    )
    return CellResult(
        fold=fold,
        params={"estimator.C": float(rng.uniform()), "features.char.ngram_range": [2, 4]},
        inner_score=float(rng.uniform()),
        trials=_trials(rng),
        predictions=predictions,
        scores=score_predictions(predictions, labels),
        notes=["a class was absent from training"] if fold == 1 else [],
        seconds={"features": 0.1, "search": 1.5, "fit": 0.2, "predict": 0.01},
    )


def _trials(rng: np.random.Generator) -> list[Trial]:
    trials = [
        Trial(number, {"estimator.C": float(rng.uniform()), "estimator.class_weight": None}, float(rng.uniform()))
        for number in range(10)
    ]
    trials[4] = Trial(4, {"estimator.C": 2.0, "estimator.class_weight": "balanced"}, None, "ValueError: no")
    return trials


def run_record(content: Mapping[str, Any]) -> RunRecord:
    """The record of which a ``run.json`` with this content is read."""
    return from_json(RunRecord, to_json(content).encode())


def keyed(content: Mapping[str, Any]) -> RunRecord:
    """The same, with the key that a run with this content is stored under."""
    record = run_record(content)
    return replace(record, key=key_of(record))


def a_record(task: Mapping[str, Any] | None = None, **model: Any) -> RunRecord:
    """A run's record, with other values of its task's and its model's parts."""
    content = record_content("0" * 12, "denial", "logreg", ("denial", "none"), 5, 0, failed=False)
    content["task"] |= task or {}
    content["model"] |= model
    return run_record(content)


def a_summary(scores: Mapping[str, float], folds: Sequence[Mapping[str, float | None]]) -> Summary:
    """A summary that holds scores alone."""
    return Summary(
        labels=("denial", "none"),
        scores=scores,
        intervals={},
        no_interval={},
        per_class={},
        class_intervals={},
        confusion=((0, 0), (0, 0)),
        folds=tuple(folds),
        n_examples=0,
        n_groups=0,
        notes=(),
    )


def change_record(folder: RunFolder, **changes: Any) -> None:
    """Change parts of a stored ``run.json``; of a part that is a mapping, the keys that are given."""
    path = folder.path / "run.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for part, value in changes.items():
        content[part] = content.get(part, {}) | value if isinstance(value, dict) else value
    path.write_text(to_json(content), encoding="utf-8")


def record_content(
    key: str, task: str, model: str, labels: tuple[str, ...], folds: int, seed: int, failed: bool
) -> dict[str, Any]:
    return {
        "key": key,
        "format": FORMAT,
        "task": {
            "name": task,
            "version": 1,
            "description": "Whether a segment denies a report.",
            "digest": hashlib.sha256(task.encode()).hexdigest(),
            "labels": list(labels),
            "inputs": ["text"],
            "metric": "macro_f1",
            "group": "document",
            "n_examples": 30 * folds,
            "n_groups": 2 * folds,
            "origin": f"tasks/{task}/task.yaml",
            "notes": [],
            "references": [
                {"name": "pass-1", "scores": {"macro_f1": 0.9, "accuracy": 0.95}, "intervals": {}, "tied": 0}
            ],
        },
        "model": {
            "name": model,
            "description": "Logistic regression.",
            "estimator": "sklearn.linear_model.LogisticRegression",
            "features": "tfidf",
            "params": {"solver": "newton-cg", "estimator.max_iter": 300},
            "search": {"estimator.C": {"low": 0.001, "high": 1000.0, "log": True, "step": None}},
            "origin": f"configs/model/{model}.yaml",
        },
        "validation": {"name": "default", "group": None, "folds": folds, "inner_folds": 3, "repeats": 1},
        "search": {"name": "quick", "trials": 10, "timeout": None},
        "seed": seed,
        "folds": folds,
        "splits": "0123456789abcdef",
        "environment": {
            "python": "3.11.7",
            "platform": "Linux",
            "packages": {"bench": "0.1.0", "scikit-learn": "1.9.1", "skops": "0.16.0"},
            "git": {"commit": "0" * 40, "dirty": False},
        },
        "status": "failed" if failed else "complete",
        "started": "2024-01-02T03:04:05+00:00",
        "seconds": {"wall": 9.5, "search": 7.5, "fit": 1.0},
        "command": f"bench run task={task} model={model}",
    }
