"""Where examples were drawn from an archive, a run also has the score on the archive, and says what is about what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pandas as pd
import pytest
from scores import score_predictions
from sklearn.metrics import f1_score

from bench.config import Search
from bench.evaluation.evaluation import Evaluation
from bench.metrics.f1 import MACRO_F1
from bench.results.cell import CellResult
from bench.results.summary import Summary, summarise

LABELS = ("a", "b")


def summary(true: list[str], predicted: list[str], weights: list[float]) -> Summary:
    names = [str(number) for number in range(len(true))]
    frame = pd.DataFrame({"id": names, "group": names, "label": true, "predicted": predicted, "weight": weights})
    cell = CellResult(fold=0, predictions=frame, scores=score_predictions(frame, LABELS))
    return summarise([cell], LABELS, MACRO_F1, drawn=True)


def test_the_score_on_the_archive_is_that_of_the_drawn_examples_with_their_weights() -> None:
    true, predicted = list("ababab") * 4, list("abbbaa") * 4
    weights = [0.0, 5.0, 2.0, 2.0, 5.0, 0.0] * 4
    found = summary(true, predicted, weights)
    assert found.population is not None
    expected = f1_score(true, predicted, average="macro", sample_weight=weights)
    assert found.population.scores["macro_f1"] == pytest.approx(expected)
    assert found.scores["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
    assert found.scores["macro_f1"] != pytest.approx(expected, abs=0.01)
    assert "from the 16 examples of the last draw" in found.notes[0]
    interval = found.population.intervals["macro_f1"]
    assert interval.low < expected < interval.high


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        ([0.0] * 4, "not every stratum of the sample has a tested example"),
        ([3.0, 0.0, 3.0, 0.0], "a label has no tested example"),
    ],
)
def test_without_drawn_examples_of_each_label_there_is_no_score_on_the_archive(weights: list[float], why: str) -> None:
    found = summary(list("abab"), list("abaa"), weights)
    assert found.population is None
    assert why in found.notes[0]


@pytest.mark.parametrize(("tested", "weights"), [([0, 1, 4], [3.0, 3.0, 0.0, 0.0, 8.0, 0.0]), ([0, 1, 2], [0.0] * 6)])
def test_where_not_all_examples_are_tested_those_of_a_stratum_stand_for_all_its_texts(tested, weights) -> None:
    """As with a published split, or forward in time; a stratum of which none is tested leaves no score."""
    rates, strata = [0.5, 0.5, 0.5, 0.25, 0.25, 1.0], ["a", "a", "a", "b", "b", ""]
    examples = pd.DataFrame({"probability": ["0.5"] * 3 + ["0.25"] * 2 + [""], "stratum": strata})
    task: Any = MagicMock(examples=examples, weights=np.array([*(1 / rate for rate in rates[:5]), 0.0]))
    task.__len__.return_value = 6
    splits: Any = [SimpleNamespace(test=np.array(tested))]
    evaluation = Evaluation(task, MagicMock(), splits, Search("none", 0), 3, 0)
    assert evaluation.weights is not None
    assert evaluation.weights.tolist() == weights
