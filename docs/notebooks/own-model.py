# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Your own model
#
# Any scikit-learn classifier is a model: a pipeline, an estimator over the harness's features, or a class of your own,
# also one that is defined in a notebook.

# %%
from optuna.distributions import FloatDistribution
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import bench

characters = bench.Model(
    make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)), LinearSVC(class_weight="balanced")),
    search={
        "linearsvc__C": FloatDistribution(0.01, 100.0, log=True),
        "tfidfvectorizer__sublinear_tf": [True, False],
    },
    name="character-svm",
)
characters.features

# %% [markdown]
# The pipeline begins with a text vectorizer, so it is given texts. A plain estimator is given the TF-IDF features that
# the harness computes once and shares between models and trials:

# %%
from sklearn.linear_model import SGDClassifier

sgd = bench.Model(
    SGDClassifier(loss="log_loss", class_weight="balanced"),
    search={"alpha": {"low": 1e-6, "high": 1e-2, "log": True}},
    name="sgd",
)
sgd.features

# %% [markdown]
# A class of your own is given the data frame of the task's input columns. Its source, and that of what it calls, enters
# the run's key: change a line, and the model is run again rather than taken from the store.

# %%
from sklearn.base import BaseEstimator, ClassifierMixin

DENIALS = ("نفى", "نفت", "ينف", "تنف", "رفض", "مزاعم", "كذب")


class DenialWords(ClassifierMixin, BaseEstimator):
    """Says `denial` where a text has enough words of a list."""

    def __init__(self, least=1):
        self.least = least

    def fit(self, X, y):
        self.classes_ = sorted(set(y))
        self.other_ = max(self.classes_, key=list(y).count)
        return self

    def predict(self, X):
        counts = [sum(word in text for word in DENIALS) for text in X["text"]]
        return ["denial" if count >= self.least else self.other_ for count in counts]


words = bench.Model(DenialWords, search={"least": [1, 2]})

# %%
runs = bench.run("denial", [characters, sgd, words], search="quick", tracking=False)
runs

# %%
runs["character-svm"].trials().query("chosen")

# %% [markdown]
# The fitted model, trained on all examples, labels new text:

# %%
bench.predict(runs["character-svm"], ["نفى المتحدث هذه الأنباء", "وصل الوفد إلى العاصمة"])

# %% [markdown]
# Without a task, `bench.evaluate` gives the same protocol for arrays: nested search, whole groups, intervals.

# %%
import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
y = np.repeat(["no", "yes"], 40)
X = rng.normal(size=(80, 5)) + (y == "yes")[:, None]
groups = np.tile(np.arange(20), 4)
search = {"C": [0.01, 0.1, 1.0]}
run = bench.evaluate(LogisticRegression(), X, y, groups=groups, search=search)
run
