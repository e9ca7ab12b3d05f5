"""The Python API: the same numbers as the command line, and what a notebook needs besides."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import optuna
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from small_project import COMMAND, make_folder, stored_bytes

import bench
from bench.api.arrays import _whole_groups
from bench.api.words import words_of
from bench.errors import BenchError, ConfigError, DataError, ModelError, UserError
from bench.models.prototype import describe_estimator
from bench.overrides import parse_overrides, spell

QUIET: dict[str, Any] = {"tracking": False, "search": "none"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_importing_bench_loads_nothing_but_what_is_used() -> None:
    script = (
        "import sys, bench; print([m for m in ('numpy', 'pandas', 'sklearn', 'click', 'mlflow') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"
    assert set(bench.__all__) <= set(dir(bench))
    assert all(callable(getattr(bench, name)) for name in bench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'leader'"):
        _ = bench.leader


@pytest.mark.slow
def test_it_gives_the_same_bytes_as_the_command_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_folder(folder / "project", prune=True)
    subprocess.run([*COMMAND, "results=typed", "seed=3"], cwd=project, check=True, capture_output=True)
    monkeypatch.chdir(project)
    bench.run("small", "slow", seed=3, results="called", tracking=False)
    assert stored_bytes(project, "called") == stored_bytes(project, "typed")


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@pytest.mark.slow
@given(value=st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner)))
@settings(deadline=None)
def test_every_value_is_passed_on_as_it_is(value: Any) -> None:
    try:
        read = parse_overrides([spell("key", value)])
    except ConfigError:
        # What no configuration may hold, however it is written, such as NUL.
        return
    assert read == {"key": value}


def test_keys_are_words_with_underscores_for_dots() -> None:
    assert words_of({"validation__group": "claim", "search": {"trials": 5}, "seed": None, "results": Path("a b")}) == [
        "validation.group=claim",
        "search.trials=5",
        "results=a b",
    ]
    with pytest.raises(ConfigError, match="finite number"):
        words_of({"search__timeout": float("inf")})


@pytest.mark.slow
def test_a_script_needs_no_guard_and_its_classes_run_in_workers(folder: Path) -> None:
    script = folder / "elsewhere" / "script.py"
    script.parent.mkdir()
    (script.parent / "helper.py").write_text("def tell(text):\n    return 'denial' if 'نفى' in text else 'none'\n")
    script.write_text(
        """
import bench, helper
from sklearn.base import BaseEstimator, ClassifierMixin

class Mine(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = sorted(set(y))
        return self
    def predict(self, X):
        return [helper.tell(text) for text in X["text"]]

model = bench.Model(Mine)
runs = bench.run("denial", model, tracking=False)
print(runs["mine"].status, len(runs.failures), sorted(model.code), type(runs["mine"].fitted()).__name__)
"""
    )
    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout == "complete 0 ['__main__.Mine', 'helper.*'] Mine\n"


@pytest.mark.slow
def test_runs_are_values() -> None:
    runs = bench.run("denial", ["complement-nb", "logreg"], **QUIET)
    assert [run.model for run in runs] == ["majority", "complement-nb", "logreg"]
    run = runs["logreg"]
    assert run.status == "complete"
    assert run.interval is not None
    assert run.score is not None
    assert run.interval.low < run.score < run.interval.high
    predicted = run.predictions()
    assert len(predicted) == 117
    assert predicted[["p_denial", "p_non_confirmation", "p_none"]].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert int(run.confusion().to_numpy().sum()) == 117
    assert set(run.per_class().columns) == {"precision", "recall", "f1", "support"}
    assert run.fitted().predict(bench.load_task("denial").frame).shape == (117,)
    assert runs.best().score == max(each.score or 0 for each in runs)
    (failure,) = bench.runs("denail").failures
    assert failure.startswith("task=denail: no such run is stored in results. Did you mean 'denial'?")
    assert repr(bench.runs("denail")) == failure
    (failure,) = bench.runs("denial", "logrg").failures
    assert failure.startswith("model=logrg: no such run is stored in results.")
    frame = bench.runs("denial").to_frame()
    assert set(frame["key"]) == {each.key for each in runs}
    assert "logreg" in runs._repr_html_()
    with pytest.raises(UserError, match="Did you mean 'logreg'"):
        _ = runs["logrge"]
    board = bench.leaderboard("denial").to_frame()
    assert bench.leaderboard("denial").plot().axes
    assert board["macro_f1"].iloc[0] == pytest.approx(runs.best().score)
    compared = bench.compare("denial")
    assert compared.to_frame()["model"].iloc[0] == runs.best().model
    assert len(compared.pairs()) == 3
    assert repr(compared).startswith(compared.answer[0])
    assert "data:image/svg+xml" in compared._repr_html_()
    assert compared.plot().axes
    assert r"\toprule" in compared.to_latex()
    assert "logreg" in compared.to_markdown()
    together = compared.predictions()
    assert (together["logreg"] == together["label"]).mean() == pytest.approx(run.scores["accuracy"])
    labelled = bench.predict("denial", pd.Series(["نفى الوزير", "قال"], index=[7, 9]), model="logreg")
    assert labelled.index.tolist() == [7, 9]
    assert bench.predict(run, ["نفى الوزير", "قال"])["label"].tolist() == labelled["label"].tolist()
    page = bench.report("denial", "page.html")
    assert "logreg" in page.read_text(encoding="utf-8")
    with pytest.raises(UserError, match=r"page\.html"):
        bench.report("denial", "page.html")


@pytest.mark.slow
def test_failed_folds_are_warned_of_and_named(folder: Path) -> None:
    class Broken(ClassifierMixin, BaseEstimator):
        def fit(self, X: Any, y: Any) -> Any:
            raise ValueError("it breaks here")

        def predict(self, X: Any) -> Any:
            return X

    with pytest.warns(bench.FailedRunWarning, match="it breaks here") as warned:
        runs = bench.run("denial", bench.Model(Broken), **QUIET)
    assert len(runs.failures) == 6
    assert [str(each.message).splitlines()[0] for each in warned] == ["6 failures:"]
    assert str(warned[0].message).endswith("and 1 more")
    assert runs["broken"].status == "failed"
    assert runs["broken"].score is None
    with pytest.raises(UserError, match="the fold failed: ValueError: it breaks here"):
        runs["broken"].predictions()


class BreaksOnLargeParts(LogisticRegression):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        if len(y) == self.max_iter:
            raise ValueError("it breaks here")
        return super().fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize(("breaks_at", "said"), [(48, "5 failures:"), (60, "arrays: breaks-on-large-parts, the final")])
def test_evaluate_warns_once_and_where_it_was_called(folder: Path, breaks_at: int, said: str) -> None:
    y = np.tile(["a", "b"], 30)
    X = np.random.default_rng(0).normal(size=(60, 3)) + (y == "b")[:, None]
    estimator = BreaksOnLargeParts(max_iter=breaks_at)
    with pytest.warns(bench.FailedRunWarning) as warned:
        bench.evaluate(estimator, X, y, execution={"workers": 1})
    assert [(str(each.message)[: len(said)], each.filename) for each in warned] == [(said, __file__)]


FRAME = pd.DataFrame(
    {
        "body": [f"نفى الوزير {place} الخبر" if place % 3 else f"أكد المصدر {place} ذلك" for place in range(40)],
        "kind": pd.Categorical(["denial" if place % 3 else "none" for place in range(40)]),
        "outlet": [place // 4 for place in range(40)],
    }
)


@pytest.mark.slow
def test_a_task_of_a_frame_is_that_of_its_file(folder: Path) -> None:
    FRAME.to_csv("labels.csv", index=False)
    columns: dict[str, Any] = {"text": "body", "label": "kind", "group": "outlet", "name": "mine"}
    tasks = [
        bench.new_task(FRAME, **columns),
        bench.new_task("labels.csv", **columns),
        bench.new_task(datasets.Dataset.from_pandas(FRAME), **columns),
    ]
    assert len({task.digest for task in tasks}) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["labels.csv"]
    frame = tasks[0].to_pandas()
    assert list(frame.columns) == ["id", "text", "label", "group"]
    assert frame["text"].tolist() == FRAME["body"].tolist()
    assert bench.load_task("mine") is tasks[2]
    assert bench.run("mine", "complement-nb", **QUIET)[1].record.task.digest == tasks[0].digest
    with pytest.raises(ConfigError, match="was made in Python"):
        bench.run("mine", task__metric="mcc", **QUIET)


@pytest.mark.parametrize("status", ["done", "completed", 1])
def test_a_status_that_no_run_has_is_an_error(folder: Path, status: Any) -> None:
    with pytest.raises(ConfigError, match="expected running, complete, failed, interrupted, incomplete") as told:
        bench.runs(status=status)
    assert told.value.hint == ("Did you mean 'complete'?" if status == "completed" else told.value.hint)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (None, "expected a data frame or a list of texts, not None"),
        (7, "expected a data frame or a list of texts, not 7"),
        ([], "there is none"),
        (["نفى", None, "قال", " "], r"row 2: text is None\. 2 of 4 rows have no text"),
    ],
)
def test_what_is_no_text_is_not_labelled(folder: Path, texts: Any, told: str) -> None:
    runs = bench.run("denial", "complement-nb", **QUIET)
    with pytest.raises(DataError, match=told):
        bench.predict(runs["complement-nb"], texts)


def test_errors_in_python_name_arguments(folder: Path) -> None:
    alike = pd.DataFrame({"text": ["a b", "c d"], "label": ["x", "x"]})
    with pytest.raises(DataError, match=r'Choose another with label="COLUMN"\.'):
        bench.new_task(alike)
    archive = pd.DataFrame({"text": [f"قال المتحدث رقم {number} ذلك" for number in range(5)]})
    with pytest.raises(UserError, match=r"^n=30: only 5 of the 5 texts"):
        bench.sample("denial", archive, 30, by="random", results="none")


def test_classes_and_parts_of_a_dataset_are_kept() -> None:
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    part = datasets.Dataset.from_dict({"text": ["كتب", "قرأ", "سمع", "رأى"], "label": [0, 1, 0, 1]}, features=features)
    assert bench.new_task(part).labels == ("no", "yes")
    task = bench.new_task(datasets.DatasetDict({"train": part.select([0, 1, 2]), "test": part.select([3])}))
    assert task.splits == ("split",)
    assert [fold[1].tolist() for fold in bench.splits(task).split()] == [[3]]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"text": ["a b", "c d"], "label": ["x", None]}), "^row 2: column 'label' is empty"),
        (pd.DataFrame({"text": ["a b", 3], "label": ["x", "y"]}), "cannot be written as columns"),
        (pd.DataFrame({"text": [], "label": []}), "the data: there are no rows"),
    ],
)
def test_faults_of_a_frame_are_told_without_a_file(frame: pd.DataFrame, told: str) -> None:
    with pytest.raises(DataError, match=told) as caught:
        bench.new_task(frame)
    assert "parquet" not in str(caught.value)


@pytest.mark.slow
def test_an_estimator_gives_what_its_file_gives(folder: Path) -> None:
    (folder / "configs/model").mkdir(parents=True)
    (folder / "configs/model/written.yaml").write_text(
        "name: written\nestimator: sklearn.linear_model.LogisticRegression\nfeatures: tfidf\n"
        "params: {max_iter: 500}\nsearch: {C: {low: 0.01, high: 100.0, log: true}}\n"
    )
    distribution = optuna.distributions.FloatDistribution(0.01, 100.0, log=True)
    made = bench.Model(LogisticRegression(max_iter=500), {"C": distribution}, name="made")
    runs = bench.run("denial", ["written", made], search={"trials": 4}, tracking=False)
    made_run = runs["made"]
    assert made_run.record.model.search == runs["written"].record.model.search
    assert made_run.record.model.params == {"max_iter": 500}
    setting = made_run.trials().query("chosen")
    assert setting["C"].between(0.01, 100.0).all()
    texts = make_pipeline(TfidfVectorizer(), LogisticRegression())
    run = bench.run("denial", bench.Model(texts, name="texts-lr"), **QUIET)["texts-lr"]
    frame = bench.load_task("denial").to_pandas()
    for train, test in bench.splits("denial").split(frame):
        expected = clone(texts).fit(frame["text"].iloc[train], frame["label"].iloc[train])
        given_here = run.predictions().set_index("id")["predicted"].loc[frame["id"].iloc[test]]
        assert given_here.tolist() == expected.predict(frame["text"].iloc[test]).tolist()


def key_of(limit: int, body: str) -> dict[str, str]:
    """The code of a class that calls a function of another cell, which reads a constant."""
    import linecache

    cell = f"<cell {limit} {body}>"
    source = (
        f"LIMIT = {limit}\ndef long(text):\n    return {body}\nclass Mine(Base):\n    def fit(self, X, y):\n"
        "        return self\n    def predict(self, X):\n        return [long(text) for text in X['text']]\n"
    )
    linecache.cache[cell] = (len(source), None, source.splitlines(keepends=True), cell)
    scope: dict[str, Any] = {"__name__": "__main__", "Base": type("Base", (ClassifierMixin, BaseEstimator), {})}
    exec(compile(source, cell, "exec"), scope)
    return dict(bench.Model(scope["Mine"]).code)


def test_the_key_changes_with_all_that_a_notebook_s_class_reads() -> None:
    first = key_of(3, "len(text) > LIMIT")
    assert first == key_of(3, "len(text) > LIMIT")
    assert first != key_of(4, "len(text) > LIMIT")
    assert first != key_of(3, "len(text) >= LIMIT")


def test_the_key_changes_with_what_a_lambda_closes_over() -> None:
    def code_of(limit: int, other: int) -> dict[str, str]:
        steps = FunctionTransformer(lambda X: X * limit), FunctionTransformer(lambda X: X + other)
        return dict(bench.Model(make_pipeline(*steps, LogisticRegression())).code)

    assert code_of(1, 1) == code_of(1, 1)
    assert len({str(code_of(1, 1)), str(code_of(2, 1)), str(code_of(1, 2)), str(code_of(2, 2))}) == 4


def made(value: int) -> list[Any]:
    """Estimators whose source is the same for every value, and that do not do the same."""

    class Attribute(ClassifierMixin, BaseEstimator):
        held = value

    class Default(ClassifierMixin, BaseEstimator):
        def __init__(self, held: int = value) -> None:
            self.held = held

    class Method(ClassifierMixin, BaseEstimator):
        def predict(self, X: Any, held: int = value) -> Any:
            return held

    class Inner(BaseEstimator):
        def used(self) -> int:
            return value

    inner, table = Inner(), {"used": lambda: value}

    class Uses(ClassifierMixin, BaseEstimator):
        def predict(self, X: Any) -> Any:
            return inner.used()

    class Looks(ClassifierMixin, BaseEstimator):
        def predict(self, X: Any) -> Any:
            return table["used"]()

    class Table(ClassifierMixin, BaseEstimator):
        held = {"used": lambda: value}

    weighted = LogisticRegression(class_weight={1: 2} if value == 1 else {"1": 2})
    part = make_pipeline(FunctionTransformer(functools.partial(np.add, value)), LogisticRegression())
    return [Attribute(), Default(), Method(), Uses(), Looks(), Table(), weighted, part]


@pytest.mark.slow
def test_the_key_changes_with_what_no_source_tells() -> None:
    for one, same, other in zip(made(1), made(1), made(2), strict=True):
        assert describe_estimator(one) == describe_estimator(same), type(one).__name__
        assert describe_estimator(one) != describe_estimator(other), type(one).__name__


@pytest.mark.slow
def test_examples_that_are_left_out_are_warned_of() -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    with pytest.warns(UserWarning, match="left out") as warned:
        run = bench.evaluate(model, ["", *FRAME["body"][1:]], FRAME["kind"].tolist(), folds=3)
    assert len([each for each in warned if each.category is UserWarning]) == 1
    assert len(run.predictions()) == 39


def test_what_cannot_be_written_down_is_refused() -> None:
    with pytest.raises(ModelError, match=r"LogisticRegression\.C: object cannot be written down"):
        bench.Model(LogisticRegression(C=object()))
    with pytest.raises(ModelError, match="not a scikit-learn classifier"):
        bench.Model(object())
    with pytest.raises(ModelError, match="a model of that name already"):
        bench.Model(LogisticRegression(), name="logreg")
    with pytest.raises(ConfigError, match=r"bench\.Model\(estimator\)"):
        bench.run("denial", [LogisticRegression()])
    with pytest.raises(ConfigError, match=r"bench\.Model\(estimator\)"):
        bench.run("denial", LogisticRegression())


@pytest.mark.slow
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_an_array_is_evaluated_as_scikit_learn_would(form: Any) -> None:
    rng = np.random.default_rng(5)
    y = np.array(["a", "b", "c"])[rng.integers(3, size=90)]
    dense = rng.normal(size=(90, 4)) + (y == "a")[:, None]
    X = form(dense)
    groups = rng.integers(15, size=90)
    run = bench.evaluate(LogisticRegression(), X, y, groups=groups, metric="accuracy")
    predicted = run.predictions()
    for _, fold in predicted.groupby("fold"):
        test = fold["id"].astype(int).to_numpy()
        train = np.setdiff1d(np.arange(90), test)
        assert not set(groups[train]) & set(groups[test])
        expected = LogisticRegression().fit(X[train], y[train]).predict(X[test])
        assert fold["predicted"].tolist() == expected.tolist()
    assert run.score == pytest.approx((predicted["predicted"] == predicted["label"]).mean())
    assert run.interval is not None


@pytest.mark.slow
def test_an_array_is_searched_on_inner_folds() -> None:
    rng = np.random.default_rng(5)
    y = np.repeat(["a", "b"], 30)
    X = rng.normal(size=(60, 3)) + (y == "a")[:, None]
    run = bench.evaluate(LogisticRegression(), X, y, search={"C": [0.01, 1.0]}, trials=4, results="kept")
    assert set(run.trials()["C"]) <= {0.01, 1.0}
    assert bench.runs(results="kept")["logistic-regression"].score == run.score


@pytest.mark.slow
def test_texts_are_evaluated_too() -> None:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    run = bench.evaluate(model, FRAME["body"].tolist(), FRAME["kind"].tolist(), groups=FRAME["outlet"].tolist())
    assert run.score == 1.0
    assert sorted(run.predictions()["id"], key=int) == list(map(str, range(40)))


@pytest.mark.parametrize(
    ("X", "y", "told"),
    [
        ([[1.0], [2.0]], ["a"], "X has 2 rows, and y 1 labels"),
        ([["x"], ["y"]], ["a", "b"], "expected texts"),
        ([[1.0], [2.0]], ["a", "a"], "at least two labels"),
        ([[1.0], [2.0]], ["a", None], "1 of 2 values are missing, the first at place 1"),
        ([[1.0], [2.0]], [1.0, float("nan")], "1 of 2 values are missing"),
        ([[1.0], [2.0]], [["a"], ["b"]], "one value an example"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(X: Any, y: Any, told: str) -> None:
    with pytest.raises(BenchError, match=told):
        bench.evaluate(LogisticRegression(), X, y)


@pytest.mark.slow
@given(
    rows=st.lists(st.integers(0, 5), min_size=2, max_size=30),
    groups=st.lists(st.integers(0, 5), min_size=30, max_size=30),
)
def test_equal_rows_are_in_one_group(rows: list[int], groups: list[int]) -> None:
    X, named = np.array(rows)[:, None], groups[: len(rows)]
    whole = _whole_groups(X, named)
    for one in range(len(rows)):
        for other in range(one):
            if rows[one] == rows[other] or named[one] == named[other]:
                assert whole[one] == whole[other]
    alone = _whole_groups(X, None)
    assert len(set(alone)) == len(set(rows))


def test_a_task_s_folds_are_a_splitter() -> None:
    frame = bench.load_task("denial").to_pandas()
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    folds = bench.splits("denial")
    assert folds.get_n_splits() == 5
    assert len(cross_val_score(model, frame["text"], frame["label"], cv=folds)) == 5
    with pytest.raises(DataError, match="X has 10 rows, and the task 117"):
        list(folds.split(frame.head(10)))


def test_the_data_are_checked() -> None:
    found = bench.check("source-type")
    assert found.to_frame()["code"].tolist() == ["D103", "D201"]
    assert len(found.errors) == 0
    assert "D103" in repr(found)
    assert bench.check(bench.load_task("source-type")).to_dict() == found.to_dict()


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: bench.run("denail"), "Did you mean 'denial'"),
        (lambda: bench.run("denial", "logrge"), "Did you mean 'logreg'"),
        (lambda: bench.run("denial", sead=3), "Did you mean 'seed'"),
        (lambda: bench.compare("denial"), "no run of task 'denial' is stored"),
        (lambda: bench.load_task("denial", metrik="mcc"), "metric"),
    ],
)
def test_mistakes_have_the_command_line_s_hints(call: Any, told: str) -> None:
    with pytest.raises(UserError, match=told):
        call()


@pytest.mark.slow
def test_a_curve_is_a_frame_with_verdicts() -> None:
    curve = bench.curve("denial", "complement-nb", **{k: v for k, v in QUIET.items() if k != "tracking"})
    frame = curve.to_frame()
    assert set(frame["axis"]) == {"groups", "examples"}
    assert len(curve.verdicts) == 3
    assert len(curve.plot().axes) == 2
    assert "macro_f1" in frame["metric"].tolist()
