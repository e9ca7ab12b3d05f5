"""Where examples were drawn from an archive, a run also has the score on the archive, and says what is about what."""

from __future__ import annotations

import pandas as pd
import pytest
from scores import score_predictions
from sklearn.metrics import f1_score

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
    [([0.0] * 4, "no example of the last draw is tested"), ([3.0, 0.0, 3.0, 0.0], "a label has no tested example")],
)
def test_without_drawn_examples_of_each_label_there_is_no_score_on_the_archive(weights: list[float], why: str) -> None:
    found = summary(list("abab"), list("abaa"), weights)
    assert found.population is None
    assert why in found.notes[0]
