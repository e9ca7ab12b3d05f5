"""Stored runs of several models on the same examples, each right as often as it is told to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scores import score_predictions
from stored import _trials, keyed, record_content

from bench.comparison.compare import Comparison, compare
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.metrics.f1 import MACRO_F1
from bench.results.cell import CellResult
from bench.results.periods import DAYS
from bench.results.store import RunFolder
from bench.results.summary import summarise

LABELS = ("denial", "none", "non_confirmation")


def store_contest(
    results: Path,
    right: dict[str, float],
    *,
    task: str = "denial",
    n_groups: int = 30,
    per_group: int = 10,
    folds: int = 5,
    seed: int = 0,
    run_seed: int = 0,
    flipped: tuple[int, ...] = (),
    falls: float | None = None,
    **changes: Any,
) -> dict[str, RunFolder]:
    """Store a run for each model; whole groups make up a fold.

    `right` is how often each model is right; models of the same share are wrong about other examples. Rows in
    `flipped` have another label than the one that the models see. Another `run_seed` has the same examples, but other
    folds and predictions. Where `falls` is given, folds are periods, and models are less often right by so much at the
    end of each. `changes` replace parts of the record.
    """
    truth = np.random.default_rng(seed)
    n = n_groups * per_group
    seen = truth.integers(len(LABELS), size=n)
    true = seen.copy()
    true[list(flipped)] = (seen[list(flipped)] + 1) % len(LABELS)
    groups = np.arange(n) // per_group
    fold_of = groups * folds // n_groups if falls is not None else groups // (run_seed + 1) % folds
    days = 1.0 + groups % (n_groups // folds) * 10.0 + np.arange(n) % per_group / per_group
    made = {}
    for model, share in right.items():
        drawn = np.random.default_rng([seed, *model.encode(), *([run_seed] if run_seed else [])])
        chance = share if falls is None else share - falls * days / days.max()
        predicted = np.where(drawn.random(n) < chance, seen, (seen + drawn.integers(1, len(LABELS), n)) % len(LABELS))
        probabilities = np.full((n, len(LABELS)), 0.1)
        probabilities[np.arange(n), predicted] = 0.8
        frame = pd.DataFrame(
            {
                "id": [f"e{place}" for place in range(n)],
                "group": [f"d{group:02d}" for group in groups],
                "label": [LABELS[code] for code in true],
                "predicted": [LABELS[code] for code in predicted],
                **{f"p_{label}": probabilities[:, code] for code, label in enumerate(LABELS)},
            }
        )
        if falls is not None:
            frame[DAYS] = days
        cells = []
        for fold in range(folds):
            part = frame[fold_of == fold].reset_index(drop=True)
            scores = score_predictions(part, LABELS)
            trials = _trials(np.random.default_rng(fold))
            cells.append(CellResult(fold, inner_score=0.6, trials=trials, predictions=part, scores=scores))
        content = record_content("", task, model, LABELS, folds, run_seed, False)
        content |= {"splits": f"{run_seed:016x}"} if run_seed else {}
        content["task"] |= {"n_examples": n, "n_groups": n_groups} | changes.get("of_task", {})
        if falls is not None:
            content["splits"], content["periods"] = "f" * 16, _periods(folds, n // folds)
            content["validation"] |= {"name": "forward", "splits": "forward"}
        content |= {name: value for name, value in changes.items() if name != "of_task"}
        record = keyed(content)
        folder = RunFolder(results / task / model / record.key)
        for cell in cells:
            folder.write_cell(cell)
        folder.write_summary(summarise(cells, LABELS, MACRO_F1, forward=falls is not None))
        folder.write_record(record)
        made[model] = folder
    return made


def _periods(folds: int, size: int) -> list[dict[str, Any]]:
    return [
        {
            "trained_to": f"202{fold}-12-31",
            "tested_from": f"202{fold + 1}-01-01",
            "tested_to": f"202{fold + 1}-12-31",
            "n_train": size * (fold + 1),
            "n_test": size,
        }
        for fold in range(folds)
    ]


def compared(results: Path, *words: str) -> Comparison:
    """The comparison that these words ask for."""
    request = parse_compare_request([*words, f"results={results}"])
    (selected,) = select(request)
    return compare(read_side_by_side(selected, request.metric), request.rope, request.baseline)
