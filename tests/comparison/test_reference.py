"""Reference rows: what labels of this quality say about each other."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scores import LABEL_METRICS, label_scores

from bench.metrics.confusion import confusion_matrix
from bench.metrics.f1 import MACRO_F1
from bench.metrics.outcomes import label_indices
from bench.planning.reference import pass_scores

LABELS = ("a", "b", "c")
passes = st.integers(2, 4).flatmap(
    lambda n: st.lists(st.lists(st.sampled_from(LABELS), min_size=n, max_size=n), min_size=2, max_size=5)
)


def frame(rows: list[list[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[f"pass-{number}" for number in range(len(rows[0]))])


def test_passes_that_agree_score_one() -> None:
    rows = pass_scores(frame([["a"] * 3, ["b"] * 3, ["c"] * 3]), np.array(["d1", "d1", "d2"]), LABELS, MACRO_F1)
    assert [(row.scores["macro_f1"], row.tied) for row in rows] == [(1.0, 0)] * 3


@given(rows=passes)
def test_accuracy_is_the_mean_over_every_way_to_break_the_ties_of_the_others(rows: list[list[str]]) -> None:
    table = frame(rows)
    found = pass_scores(table, np.arange(len(rows)).astype(str), LABELS, MACRO_F1)
    for number, row in enumerate(found):
        choices = []
        for labels in rows:
            others = [label for place, label in enumerate(labels) if place != number]
            most = max(others.count(label) for label in others)
            choices.append([label for label in LABELS if others.count(label) == most])
        mine = label_indices(table[row.name].to_numpy(dtype=str), LABELS)
        every_gold = [label_indices(np.array(gold), LABELS) for gold in product(*choices)]
        expected = np.mean([(gold == mine).mean() for gold in every_gold])
        assert row.scores["accuracy"] == pytest.approx(expected)
        assert row.tied == sum(len(choice) > 1 for choice in choices)


def test_without_ties_a_pass_is_scored_like_any_model_and_has_intervals_over_groups() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(3, size=60)
    noisy = np.where(rng.random(60) < 0.2, (gold + 1) % 3, gold)
    table = pd.DataFrame({name: np.array(LABELS)[codes] for name, codes in (("x", noisy), ("y", gold), ("z", gold))})
    first = pass_scores(table, np.repeat(list("pqrstu"), 10), LABELS, MACRO_F1)[0]
    expected = label_scores(confusion_matrix(gold, noisy, 3))
    for metric in LABEL_METRICS:
        assert first.scores[metric] == pytest.approx(float(expected[metric]))
        assert first.intervals[metric].low < first.scores[metric] < first.intervals[metric].high
