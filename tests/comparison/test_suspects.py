"""Labels are suspected only by models that have learned to tell labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from stored import a_record, a_summary

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.suspects import suspects
from bench.metrics.outcomes import Outcomes
from bench.metrics.registry import find_metric
from bench.results.store import RunFolder

LABELS = ("none", "denial")
N = 300


def two_models(seed: int, metric: str, learned: float, blind: tuple[str, ...], n_groups: int = N) -> ComparedRuns:
    """Two models that share a signal of the texts, which has to do with the labels as far as they have learned."""
    rng = np.random.default_rng(seed)
    true = (rng.random(N) < 0.3).astype(int)
    signal = rng.normal(size=N) + learned * (2 * true - 1)
    answers = {name: 1 / (1 + np.exp(0.9 - 0.8 * signal - 0.3 * rng.normal(size=N))) for name in ("a", "b")}
    answers |= {"majority": np.full(N, 0.3), "stratified": (rng.random(N) < 0.3).astype(float)}
    groups, runs = np.arange(N) % n_groups, []
    record = {"labels": LABELS, "n_examples": N, "splits": {}}
    measure = find_metric(metric)
    for name in ("a", "b", *blind):
        share = answers[name]
        chances = np.stack([1 - share, share], axis=1)
        outcomes = Outcomes(true, chances.argmax(axis=1), 2, groups, groups % 5, chances)
        score, folder = measure.score(outcomes), RunFolder(Path(name))
        runs.append(ComparedRun(name, folder, a_record(record, name=name), a_summary({}, []), outcomes, score))
    runs.sort(key=lambda run: -measure.sign * run.score)
    ids = np.array([f"e{place}" for place in range(N)], dtype=object)
    return ComparedRuns(runs[0].record.task, measure, runs, ids, [str(group) for group in range(n_groups)], [])


@pytest.mark.parametrize("blind", [("majority",), ("majority", "stratified")])
@pytest.mark.parametrize("metric", ["macro_f1", "mcc", "log_loss"])
def test_labels_that_are_pure_noise_are_not_suspected_by_models_that_guess_alike(
    metric: str, blind: tuple[str, ...]
) -> None:
    assert sum(bool(suspects(two_models(seed, metric, 0.0, blind))) for seed in range(20)) <= 1


@pytest.mark.parametrize("metric", ["macro_f1", "accuracy", "log_loss"])
def test_models_that_learned_something_suspect_labels(metric: str) -> None:
    assert all(suspects(two_models(seed, metric, 0.8, ("majority", "stratified"))) for seed in range(10))


def test_groups_that_are_too_few_for_a_verdict_suspect_nothing() -> None:
    assert suspects(two_models(0, "macro_f1", 0.8, ("majority",), n_groups=5))
    assert suspects(two_models(0, "macro_f1", 0.8, ("majority",), n_groups=4)) == []
