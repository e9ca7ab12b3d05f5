"""A verdict on perturbed texts has regard to how many texts were changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pytest
from contest import store_contest

from bench.comparison.compared import ComparedRuns
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.comparison.stressed import FEWEST_CHANGED, Stressed, stress_rows
from bench.results.stress import StressRow


@dataclass(frozen=True)
class Change:
    """A perturbation, as rows describe it."""

    name: str = "digits"
    description: str = "other digits"
    kind: Literal["writing", "content"] = "writing"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ComparedRuns:
    results = tmp_path_factory.mktemp("stressed")
    store_contest(results, {"good": 0.8}, n_groups=500, per_group=2)
    (selected,) = select(parse_compare_request(["task=denial", f"results={results}"]))
    return read_side_by_side(selected, "accuracy")


def row(run: ComparedRuns, changed: np.ndarray, wrong: int = 0) -> StressRow:
    """The row of a perturbation that changed some texts and makes so many of them wrong."""
    (base,) = run.runs
    predicted = base.predicted.copy()
    right = np.flatnonzero(changed & (predicted == run.true))[:wrong]
    predicted[right] = (run.true[right] + 1) % len(run.labels)
    (found,) = stress_rows(run, [Stressed(Change(), changed, replace(base.outcomes, predicted=predicted))], 0.01)
    return found


def of_groups(run: ComparedRuns, n_groups: int, n_texts: int) -> np.ndarray:
    """The first texts of as many groups, in turn."""
    inside = np.flatnonzero(run.groups < n_groups)
    changed = np.zeros(len(run.ids), dtype=bool)
    changed[inside[np.argsort(np.arange(len(inside)) % 2, kind="stable")][:n_texts]] = True
    return changed


@pytest.mark.parametrize(("n_groups", "n_texts"), [(6, 6), (20, 20), (29, FEWEST_CHANGED - 1), (9, 18)])
def test_a_few_changed_texts_make_nothing_practically_equal(run: ComparedRuns, n_groups: int, n_texts: int) -> None:
    found = row(run, of_groups(run, n_groups, n_texts))
    assert (found.changed, found.flipped, found.standing) == (n_texts, 0, "too few texts")
    assert (found.interval, found.p_value, found.told) == (None, None, "too few texts")


def test_enough_changed_texts_without_another_label_are_practically_equal(run: ComparedRuns) -> None:
    found = row(run, of_groups(run, 30, FEWEST_CHANGED))
    assert found.standing == "practically equal"
    assert found.interval is not None
    # Where no label flipped, up to 3/30 of the changed texts may flip, which is times their share of all texts:
    assert 3 / FEWEST_CHANGED * FEWEST_CHANGED / len(run.ids) <= found.interval.high < 0.01


def test_a_certain_drop_stays_a_verdict_with_few_changed_texts(run: ComparedRuns) -> None:
    found = row(run, of_groups(run, 29, 29), wrong=29)
    assert found.standing == "worse"
    assert found.interval is not None
