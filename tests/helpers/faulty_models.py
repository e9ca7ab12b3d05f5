"""Classifiers over texts: a sound one, and one for each rule, which breaks it and little else."""

from __future__ import annotations

import os
import time
from fractions import Fraction
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from bench.errors import ModelError


class Sound(ClassifierMixin, BaseEstimator):
    """Naive Bayes over words."""

    def __init__(self, smoothing=1.0, random_state=None):
        self.smoothing = smoothing
        self.random_state = random_state

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.counts_ = [self._count(X["text"][y == label]) for label in self.classes_]
        return self

    def _count(self, texts):
        counts: dict[Any, int] = {}
        for word in " ".join(texts).split():
            counts[word] = counts.get(word, 0) + 1
        return counts

    def predict_proba(self, X):
        scores = np.array([[self._score(text, counts) for counts in self.counts_] for text in X["text"]])
        likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
        return likelihood / likelihood.sum(axis=1, keepdims=True)

    def _score(self, text, counts):
        total = sum(counts.values()) + self.smoothing * 100
        return sum(np.log((counts.get(word, 0) + self.smoothing) / total) for word in text.split())

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class RefusesTwoClasses(Sound):
    def fit(self, X, y):
        if len(set(y)) == 2:
            raise ValueError("needs three classes")
        return super().fit(X, y)


class ReturnsNothingFromFit(Sound):
    def fit(self, X, y):
        super().fit(X, y)


class KnowsTwoClassesOnly(Sound):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_[:2]
        self.counts_ = self.counts_[:2]
        return self


class RefusesItsSearchSpace(Sound):
    def fit(self, X, y):
        if self.smoothing != 1.0:
            raise ValueError(f"smoothing {self.smoothing} is not 1")
        return super().fit(X, y)


class ChangesItsParameters(Sound):
    def fit(self, X, y):
        self.smoothing = self.smoothing / 2
        return super().fit(X, y)


class InventsALabel(Sound):
    def predict(self, X):
        return np.array(["weather"] * len(X))


class PredictsAColumn(Sound):
    def predict(self, X):
        return super().predict(X).reshape(-1, 1)


class SumsToTwo(Sound):
    def predict_proba(self, X):
        return 2 * super().predict_proba(X)


class GivesNaN(Sound):
    def decision_function(self, X):
        scores = np.full((len(X), len(self.classes_)), np.nan)
        return scores[:, 0] if len(self.classes_) == 2 else scores


class IgnoresItsSeed(Sound):
    def fit(self, X, y):
        super().fit(X, y)
        self.luck_ = int.from_bytes(os.urandom(4), "big")
        return self

    def predict(self, X):
        return np.random.default_rng(self.luck_).choice(self.classes_, len(X))


class ChangesItsInputs(Sound):
    def predict_proba(self, X):
        X["text"] = X["text"].str.upper() + "."
        return super().predict_proba(X)


class LearnsFromTestData(Sound):
    def predict_proba(self, X):
        scores = super().predict_proba(X)
        scores = scores / scores.mean(axis=0)
        return scores / scores.sum(axis=1, keepdims=True)


class NeedsAWord(Sound):
    def _score(self, text, counts):
        assert text.split()[0]
        return super()._score(text, counts)


class NeedsShortTexts(Sound):
    def _score(self, text, counts):
        if len(text) > 50_000:
            raise MemoryError("too long")
        return super()._score(text, counts)


class HoldsALambda(Sound):
    def fit(self, X, y):
        self.split_ = lambda text: text.split()
        return super().fit(X, y)


class HoldsAFraction(Sound):
    def fit(self, X, y):
        self.rate_ = Fraction(1, 3)
        return super().fit(X, y)


class Hangs(Sound):
    def predict(self, X):
        time.sleep(1000)


class TakesTheProcessDown(Sound):
    def predict(self, X):
        os._exit(3)


class IsForPairs(Sound):
    def fit(self, X, y):
        if "claim" not in X:
            raise ModelError("it is for pairs")
        return super().fit(X, y)


class RefusesAll(Sound):
    def fit(self, X, y):
        raise ModelError("it is for another task")
