"""Annotators are weighed by their reliability, as Dawid and Skene define it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.statistics.dawid_skene import dawid_skene

CONFUSION = np.array(
    [
        [[0.95, 0.03, 0.02], [0.04, 0.94, 0.02], [0.02, 0.03, 0.95]],
        [[0.60, 0.30, 0.10], [0.20, 0.60, 0.20], [0.15, 0.25, 0.60]],
        [[0.55, 0.25, 0.20], [0.30, 0.55, 0.15], [0.20, 0.25, 0.55]],
        [[0.50, 0.30, 0.20], [0.10, 0.70, 0.20], [0.30, 0.10, 0.60]],
    ]
)
SHARES = np.array([0.6, 0.3, 0.1])


def simulated(n: int, seed: int, missing: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.choice(3, n, p=SHARES)
    codes = np.array([[rng.choice(3, p=matrix[label]) for matrix in CONFUSION] for label in true])
    holes = rng.random(codes.shape) < missing
    holes[holes.all(axis=1), 0] = False
    return true, np.where(holes, -1, codes)


@pytest.mark.slow
def test_known_shares_and_error_rates_are_found() -> None:
    true, codes = simulated(6000, 0, 0.2)
    found = dawid_skene(codes, 3)
    assert found.shares == pytest.approx(SHARES, abs=0.03)
    assert np.abs(found.confusion - CONFUSION).max() < 0.08
    votes = (codes[:, :, None] == np.arange(3)).sum(axis=1).argmax(axis=1)
    assert (found.posterior.argmax(axis=1) == true).mean() > (votes == true).mean() + 0.05


@pytest.mark.slow
def test_posteriors_are_calibrated() -> None:
    true, codes = simulated(6000, 1, 0.3)
    posterior = dawid_skene(codes, 3).posterior
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        some = (posterior.max(axis=1) >= low) & (posterior.max(axis=1) < high)
        right = (posterior.argmax(axis=1) == true)[some].mean()
        assert right == pytest.approx(posterior.max(axis=1)[some].mean(), abs=0.06)


tables = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.integers(-1, 2), min_size=n, max_size=n), min_size=1, max_size=12)
)


@given(tables)
def test_the_likelihood_never_falls_and_posteriors_sum_to_one(rows: list[list[int]]) -> None:
    codes = np.array([row if max(row) >= 0 else [0, *row[1:]] for row in rows])
    found = dawid_skene(codes, 3, prior=1e-12)
    assert found.posterior.sum(axis=1) == pytest.approx(1)
    assert all(b >= a - 1e-6 for a, b in zip(found.log_likelihoods, found.log_likelihoods[1:], strict=False))


def test_the_posterior_is_bayes_rule_at_the_estimates() -> None:
    _, codes = simulated(60, 2, 0.2)
    found = dawid_skene(codes, 3)
    for unit, row in enumerate(codes[:20]):
        joint = found.shares.copy()
        for label, (annotator, code) in product(range(3), enumerate(row)):
            if code >= 0:
                joint[label] *= found.confusion[annotator, label, code]
        assert found.posterior[unit] == pytest.approx(joint / joint.sum(), abs=1e-9)
