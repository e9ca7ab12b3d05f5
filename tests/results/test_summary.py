"""What a run's folds come to."""

from __future__ import annotations

import pandas as pd
import pytest

from bench.metrics.f1 import MACRO_F1
from bench.results.cell import CellResult
from bench.results.summary import summarise


def test_an_example_that_is_tested_in_every_repeat_is_one_of_those_that_were_scored() -> None:
    tested = pd.DataFrame(
        {
            "id": ["e1", "e2", "e3"],
            "group": ["a", "a", "b"],
            "label": ["yes", "no", "yes"],
            "predicted": ["yes", "no", "no"],
        }
    )
    once, again = (
        summarise([CellResult(fold=fold, predictions=tested) for fold in range(repeats)], ("no", "yes"), MACRO_F1)
        for repeats in (1, 2)
    )
    assert (once.n_examples, once.n_groups) == (again.n_examples, again.n_groups) == (3, 2)
    assert again.scores == pytest.approx(once.scores)
