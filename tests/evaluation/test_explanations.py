"""Wrong predictions of linear models are explained by the very model that made them, and the amounts add up."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quiet import Quiet
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Perceptron, RidgeClassifier, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.svm import SVC, LinearSVC
from small_tasks import LABELS, text_task

from bench.config import Search, compose
from bench.data.splits import outer_splits
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.evaluation.explanations import STRONGEST, LinearModel, explain_errors
from bench.features import FEATURE_SETS
from bench.features.cache import FeatureCache
from bench.features.cues import CueFeatures
from bench.features.tfidf import Tfidf
from bench.models.model import Model
from bench.results.cell import CellResult, Explanation
from bench.results.store import RunFolder
from bench.running.runner import run

LINEAR = {
    "logreg": LogisticRegression(),
    "logreg without intercept": LogisticRegression(fit_intercept=False),
    "svm": LinearSVC(random_state=0),
    "ridge": RidgeClassifier(),
    "sgd": SGDClassifier(random_state=0),
    "perceptron": Perceptron(random_state=0),
}
WORDS = ["نفت", "قالت", "موسكو", "كييف", "الخبر", "جنود", "12", "في", "لم", "؟"]
RNG = np.random.default_rng(0)
BUDGET = ("search.trials=1", "tracking=false")
BOTH = ("claim", "text")
FRAME = pd.DataFrame({c: [" ".join(RNG.choice(WORDS, RNG.integers(0, 7))) for _ in range(24)] for c in BOTH})
Y = np.array(["a", "b"] * 12)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def drawn(seed: int, n_classes: int, as_sparse: bool) -> tuple[Any, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.abs(rng.normal(size=(30, 6))) * (rng.random((30, 6)) < 0.6)
    y = np.array([LABELS[number % n_classes] for number in range(30)], dtype=object).astype(str)
    return (sparse.csr_matrix(X) if as_sparse else X), y


def names(places: Iterable[int]) -> list[str]:
    return [f"f{place}" for place in places]


def explained(estimator: Any, X: Any, true: list[str]) -> list[Explanation]:
    ids = [str(number) for number in range(len(true))]
    return explain_errors(estimator, X, ids, estimator.predict(X).tolist(), true, names)


@pytest.mark.parametrize("name", LINEAR)
@settings(max_examples=15)
@given(st.integers(0, 999), st.integers(2, 3), st.booleans())
def test_contributions_and_constants_add_up_to_the_difference_of_decision_values(
    name: str, seed: int, n_classes: int, as_sparse: bool
) -> None:
    X, y = drawn(seed, n_classes, as_sparse)
    estimator = LINEAR[name].fit(X, y)
    model = LinearModel.of(estimator, X)
    assert model is not None
    predicted = estimator.predict(X).tolist()
    true = [LABELS[(LABELS.index(label) + 1) % n_classes] for label in predicted]
    sums = np.asarray(model.contributions(X, predicted, model.contrasts(predicted, true)).sum(axis=1)).ravel()
    place = {label: number for number, label in enumerate(estimator.classes_)}
    decisions = estimator.decision_function(X)
    constants = np.broadcast_to(estimator.intercept_, decisions.shape[1:] or (1,))
    for row, (one, other) in enumerate(zip(predicted, true, strict=True)):
        if n_classes == 2:
            sign = 1 if place[one] == 1 else -1
            expected, constant = sign * decisions[row], sign * constants[0]
        else:
            expected = decisions[row, place[one]] - decisions[row, place[other]]
            constant = constants[place[one]] - constants[place[other]]
        assert expected >= 0
        assert sums[row] + constant == pytest.approx(expected, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("kind", [MultinomialNB, ComplementNB])
@settings(max_examples=15)
@given(st.integers(0, 999), st.integers(2, 3))
def test_contributions_of_naive_bayes_add_up_to_the_difference_of_joint_log_likelihoods(
    kind: Any, seed: int, n_classes: int
) -> None:
    X, y = drawn(seed, n_classes, as_sparse=True)
    estimator = kind().fit(X, y)
    model = LinearModel.of(estimator, X)
    assert model is not None
    joint = estimator.predict_joint_log_proba(X)
    ones, others = [model.classes[0]] * 30, [model.classes[1]] * 30
    assert n_classes == 3 or model.contrasts(ones, ["unseen"] * 30) == others
    sums = np.asarray(model.contributions(X, ones, others).sum(axis=1)).ravel()
    prior = estimator.class_log_prior_[0] - estimator.class_log_prior_[1] if kind is MultinomialNB else 0.0
    np.testing.assert_allclose(sums + prior, joint[:, 0] - joint[:, 1], rtol=1e-6, atol=1e-8)


@settings(max_examples=30)
@given(st.integers(0, 999), st.booleans())
def test_the_strongest_are_named_in_order_and_rounded(seed: int, as_sparse: bool) -> None:
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(30, 40)), np.array([LABELS[number % 3] for number in range(30)])
    estimator = LogisticRegression().fit(X, y)
    true = rng.permutation(y).tolist()
    predicted = estimator.predict(X)
    entries = explained(estimator, sparse.csc_matrix(X) if as_sparse else X, true)
    assert [int(entry.id) for entry in entries] == np.flatnonzero(predicted != true).tolist()
    place = {label: number for number, label in enumerate(estimator.classes_)}
    for entry in entries:
        assert entry.contrast == entry.true == true[int(entry.id)]
        weights = estimator.coef_[place[entry.predicted]] - estimator.coef_[place[entry.true]]
        shares = dict(zip(names(range(40)), X[int(entry.id)] * weights, strict=True))
        ranked = sorted(shares, key=shares.__getitem__)
        assert [name for name, _ in entry.speaks_for] == [name for name in ranked[::-1] if shares[name] > 0][:STRONGEST]
        assert [name for name, _ in entry.speaks_against] == [name for name in ranked if shares[name] < 0][:STRONGEST]
        for name, share in entry.speaks_for + entry.speaks_against:
            assert share == float(f"{shares[name]:.6g}")


def test_of_two_labels_for_is_what_pulled_to_the_predicted_one_whichever_it_is() -> None:
    X = np.array([[1.0, 0.0], [0.0, 1.0]] * 10)
    y = np.array(["denial", "none"] * 10)
    for estimator in (LogisticRegression(), LinearSVC(), RidgeClassifier()):
        first, second = explained(estimator.fit(X, y), X[:2], ["none", "denial"])
        assert (first.predicted, first.contrast, first.speaks_for[0][0]) == ("denial", "none", "f0")
        assert (second.predicted, second.contrast, second.speaks_for[0][0]) == ("none", "denial", "f1")
        assert first.speaks_for[0][1] > 0
        assert [first.speaks_against, second.speaks_against] == [(), ()]


def test_a_true_label_that_training_lacked_leaves_the_predicted_one_alone_and_is_said() -> None:
    X, y = drawn(0, 3, as_sparse=True)
    estimator = LogisticRegression().fit(X, y)
    entry = explained(estimator, X[:1], ["unseen"])[0]
    assert (entry.true, entry.contrast) == ("unseen", None)
    weights = estimator.coef_[estimator.classes_.tolist().index(entry.predicted)]
    shares = dict(entry.speaks_for + entry.speaks_against)
    assert shares == {f"f{j}": float(f"{X[0, j] * weights[j]:.6g}") for j in X[0].indices}
    two_X, two_y = drawn(0, 2, as_sparse=True)
    two = explained(LogisticRegression().fit(two_X, two_y), two_X[:1], ["unseen"])[0]
    assert {two.predicted, two.contrast} == set(two_y)


class OddCoefficients(KNeighborsClassifier):
    """Has what a linear model has, and is none."""

    def fit(self, X: Any, y: Any) -> OddCoefficients:
        super().fit(X, y)
        self.coef_, self.intercept_ = np.ones((3, X.shape[1])), np.zeros(3)
        return self

    def decision_function(self, X: Any) -> Any:
        return self.predict_proba(X)


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(),
        SVC(),
        SVC(kernel="linear"),  # one class against one: three rows of coef_ for three classes, of another meaning
        BernoulliNB(),
        make_pipeline(LinearSVC()),
        OddCoefficients(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("as_sparse", [False, True])
def test_models_that_are_not_linear_have_none(estimator: Any, as_sparse: bool) -> None:
    X, y = drawn(1, 3, as_sparse)
    assert explained(estimator.fit(X, y), X, np.roll(y, 1).tolist()) == []


def test_features_without_a_matrix_or_names_and_models_without_errors_have_none() -> None:
    X, y = drawn(1, 3, as_sparse=False)
    estimator = LinearDiscriminantAnalysis().fit(X, y)
    assert explained(estimator, X, np.roll(y, 1).tolist())
    assert explained(estimator, X, estimator.predict(X).tolist()) == []
    assert explain_errors(estimator, pd.DataFrame(X), ["0"], ["none"], ["denial"], names) == []
    assert explain_errors(estimator, X[:1], ["0"], ["none"], ["denial"], lambda places: None) == []


class Nameless(TransformerMixin, BaseEstimator):
    def fit(self, X: pd.DataFrame, y: object = None) -> Nameless:
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        return X["text"].str.len().to_numpy(dtype=float)[:, None]


class BadlyNamed(Nameless):
    def get_feature_names_out(self, input_features: object = None) -> Any:
        raise ValueError("not today")


NAMED = {
    "words": Tfidf(BOTH, min_df=2, ngram_range=(1, 2)),
    "characters": Tfidf(BOTH, analyzer="char_wb", ngram_range=(2, 4)),
    "tfidf-cues": FEATURE_SETS["tfidf-cues"](BOTH),
    "dropped": FEATURE_SETS["tfidf-cues"](BOTH).set_params(word="drop"),
    "weighted": FeatureUnion([("word", Tfidf()), ("cues", CueFeatures())], transformer_weights={"cues": 0.5}),
    "nested": FeatureUnion([("inner", FEATURE_SETS["tfidf"](BOTH)), ("cues", CueFeatures())]),
    "selected": make_pipeline(Tfidf(), SelectKBest(k=3)),
    "empty vocabulary": FeatureUnion([("word", Tfidf(min_df=99)), ("cues", CueFeatures())]),
}


@pytest.mark.parametrize("name", NAMED)
@settings(max_examples=8)
@given(st.permutations(range(24)), st.data())
def test_columns_have_the_names_that_scikit_learn_gives_them(name: str, order: list[int], data: st.DataObject) -> None:
    transformer, train = NAMED[name], np.array(order[:16])
    cache = FeatureCache(FRAME)
    width = cache.fit_transform(transformer, train, np.array(order[16:]), Y[train])[0].shape[1]
    expected = transformer.fit(FRAME.iloc[train], Y[train]).get_feature_names_out()
    assert len(expected) == width
    places = np.array(data.draw(st.lists(st.integers(0, width - 1), max_size=20)), dtype=np.intp)
    assert cache.feature_names(transformer, train, places, Y[train]) == expected[places].tolist()
    with pytest.raises(IndexError):
        cache.feature_names(transformer, train, np.array([width]), Y[train])


@pytest.mark.parametrize(
    "transformer",
    [
        Nameless(),
        FeatureUnion([("word", Tfidf()), ("length", Nameless())]),
        make_pipeline(Nameless(), SelectKBest(k=1)),
    ],
)
def test_a_transformer_that_names_nothing_is_no_failure(transformer: Any) -> None:
    assert FeatureCache(FRAME).feature_names(transformer, np.arange(16), np.array([0]), Y[:16]) is None


def test_naming_features_leaves_the_kept_blocks_as_they_are() -> None:
    cache = FeatureCache(FRAME)
    cache.fit_transform(Tfidf(), np.arange(16), np.arange(16, 24))
    before = cache.bytes
    cache.feature_names(Tfidf(), np.arange(16), np.array([0, 1]))
    cache.feature_names(Tfidf(min_df=2), np.arange(12), np.array([0]))
    assert cache.bytes == before


def fold_of(task: Any, features: str | None, estimator: str, fold: int = 0, **params: Any) -> CellResult:
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    model = Model("planted", estimator, features=features, params=params)
    return evaluate(Evaluation(task, model, splits, Search("none", 1, None), 3, 1), fold, FeatureCache(task.frame))


LOGREG = "sklearn.linear_model.LogisticRegression"


@pytest.mark.parametrize("estimator", [LOGREG, "sklearn.svm.LinearSVC", "sklearn.naive_bayes.MultinomialNB"])
def test_the_word_that_misled_the_model_is_named_first(estimator: str) -> None:
    examples = text_task(n_groups=4, per_group=12, noise=0.0).examples.copy()
    misled = examples.index[(examples["document"] == "d0") & (examples["label"] == "denial")][0]
    examples.loc[misled, "text"] = "أعلن الوزير"
    result = fold_of(text_task(examples=examples), "words", estimator)
    assert result.status == "ok"
    (entry,) = result.explanations
    assert entry.id == examples.loc[misled, "id"]
    assert (entry.predicted, entry.true, entry.contrast) == ("none", "denial", "denial")
    assert entry.speaks_for[0][0] == "text__اعلن"
    assert entry.speaks_for[0][1] > 0


def test_every_wrong_prediction_of_a_fold_is_explained_in_order_and_no_right_one() -> None:
    result = fold_of(text_task(n_groups=4, per_group=15, noise=0.5), "tfidf", LOGREG)
    assert result.predictions is not None
    wrong = result.predictions[result.predictions["label"] != result.predictions["predicted"]]
    assert 0 < len(wrong) < len(result.predictions)
    assert [entry.id for entry in result.explanations] == wrong["id"].tolist()
    assert [entry.predicted for entry in result.explanations] == wrong["predicted"].tolist()
    assert all(
        name.split("__")[:2] in (["word", "text"], ["char", "text"])
        for e in result.explanations
        for name, _ in e.speaks_for
    )
    assert result.seconds["explain"] > 0


@pytest.mark.parametrize(
    ("features", "estimator"),
    [
        ("words", "sklearn.tree.DecisionTreeClassifier"),
        ("words", "sklearn.dummy.DummyClassifier"),
        ("test_explanations.Nameless", LOGREG),
        (None, "sklearn.dummy.DummyClassifier"),
    ],
)
def test_other_models_of_a_cell_have_none_and_no_note(features: str | None, estimator: str) -> None:
    result = fold_of(text_task(n_groups=4, per_group=15, noise=0.5), features, estimator)
    assert (result.status, result.explanations, result.notes) == ("ok", [], [])


def test_features_that_break_when_asked_for_names_leave_a_note_and_the_scores() -> None:
    result = fold_of(text_task(n_groups=4, per_group=15, noise=0.5), "test_explanations.BadlyNamed", LOGREG)
    assert (result.status, result.explanations) == ("ok", [])
    assert result.scores
    assert result.notes == ["wrong predictions cannot be explained: ValueError: not today"]


def test_one_label_in_training_is_no_failure() -> None:
    task = text_task(n_groups=2, per_group=6)
    examples = task.examples.copy()
    examples.loc[examples["document"] == "d1", "label"] = "none"
    result = fold_of(text_task(examples=examples), "words", LOGREG)
    assert (result.status, result.explanations) == ("ok", [])


def test_they_are_stored_where_there_are_any_and_read_back(tmp_path: Path) -> None:
    entry = Explanation(
        id="1",
        predicted="a",
        true="b",
        contrast=None,
        speaks_for=(("word__text__نفى", 0.5),),
        speaks_against=(),
    )
    folder = RunFolder(tmp_path / "run")
    folder.write_cell(CellResult(0, explanations=[entry]))
    folder.write_cell(CellResult(1))
    assert folder.read_explanations(0) == [entry]
    assert folder.read_explanations(1) == folder.read_explanations(2) == []
    assert not (folder.cell_path(1) / "explanations.json").exists()
    assert folder.read_cell(0).explanations == []
    folder.write_cell(CellResult(0))
    assert folder.read_explanations(0) == []


@pytest.mark.slow
def test_a_run_leaves_the_same_explanations_with_two_workers_and_when_it_is_run_again(tmp_path: Path) -> None:
    def stored(*words: str) -> dict[str, bytes]:
        run(compose(["task=denial", "model=complement-nb", *BUDGET, f"results={tmp_path}", *words]), Quiet())
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("explanations.json")}

    first = stored("execution.workers=2")
    assert first
    folder = RunFolder(next(tmp_path.glob("denial/complement-nb/*")))
    for fold in folder.folds():
        predictions = folder.read_cell(fold).predictions
        assert predictions is not None
        wrong = predictions[predictions["label"] != predictions["predicted"]]
        assert [entry.id for entry in folder.read_explanations(fold)] == wrong["id"].tolist()
    assert stored("execution.workers=1", "force=true") == first


def test_features_that_other_cells_made_give_the_same_explanations() -> None:
    task = text_task(n_groups=4, per_group=15, noise=0.5)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    models = [
        Model(name.lower(), f"sklearn.linear_model.{name}", "tfidf") for name in ("LogisticRegression", "Perceptron")
    ]
    cells = [Evaluation(task, model, splits, Search("none", 1, None), 3, 1) for model in models]
    shared = FeatureCache(task.frame)
    for fold in range(len(splits)):
        for cell in cells:
            explanations = evaluate(cell, fold, shared).explanations
            assert explanations
            assert evaluate(cell, fold, FeatureCache(task.frame)).explanations == explanations
