"""A model that remembers which texts it was shown, and a fixture that makes it forget."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from bench.models import Model


class Spy(ClassifierMixin, BaseEstimator):
    """Predicts the label that is most frequent in training, and remembers which texts it was shown."""

    fitted: ClassVar[list[set[str]]] = []
    predicted: ClassVar[list[set[str]]] = []

    def __init__(self, penalty: float = 1.0) -> None:
        self.penalty = penalty

    def fit(self, X: pd.DataFrame, y: Any) -> Spy:
        self.fitted.append(set(X["text"]))
        self.classes_, counts = np.unique(y, return_counts=True)
        self.most_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X: pd.DataFrame) -> Any:
        self.predicted.append(set(X["text"]))
        return np.full(len(X), self.most_)


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setattr(Spy, "fitted", [])
    monkeypatch.setattr(Spy, "predicted", [])
    search = {"estimator.penalty": [0.1, 1.0, 10.0]}
    return Model.parse({"name": "spy", "estimator": f"{__name__}.Spy", "search": search}, "spy.yaml", "spy")
