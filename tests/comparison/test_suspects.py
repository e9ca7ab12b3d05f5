"""Labels are suspected only by models that have learned to tell labels."""

from __future__ import annotations

import numpy as np
import pytest
from side_by_side import side_by_side

from bench.comparison.compared import ComparedRuns
from bench.comparison.suspects import suspects


def two_models(
    seed: int, metric: str, learned: float, blind: tuple[str, ...], n_groups: int | None = None
) -> ComparedRuns:
    """Two models that share a signal of the texts, which has to do with the labels as far as they have learned."""
    n, rng = 300, np.random.default_rng(seed)
    true = (rng.random(n) < 0.3).astype(int)
    signal = rng.normal(size=n) + learned * (2 * true - 1)
    answers = {name: 1 / (1 + np.exp(0.9 - 0.8 * signal - 0.3 * rng.normal(size=n))) for name in ("a", "b")}
    answers |= {"majority": np.full(n, 0.3), "stratified": (rng.random(n) < 0.3).astype(float)}
    return side_by_side(metric, true, {name: answers[name] for name in ("a", "b", *blind)}, n_groups)


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
