"""Nothing that a user writes is ignored without a word: it has its effect, or is refused with its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.catalogue import load_model, load_task
from bench.comparison.request import parse_compare_request
from bench.config import compose
from bench.errors import ConfigError, ModelError
from bench.models import Model
from bench.models.space import SearchSpace
from bench.overrides import parse_overrides
from bench.prediction.choice import parse_predict_request
from bench.scaffold import TaskRequest, scaffold_task

LOGREG = "name: m\nestimator: sklearn.linear_model.LogisticRegression\nfeatures: words\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a model of the user's own, and a task."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs" / "model").mkdir(parents=True)
    (tmp_path / "tasks" / "t").mkdir(parents=True)
    (tmp_path / "configs" / "model" / "m.yaml").write_text(
        LOGREG + "params: {C: 1.0}\nsearch: {estimator.C: [1.0, 2.0]}\n"
    )
    rows = "".join(f"نص رقم {i},{'ab'[i % 2]}\n" for i in range(6))
    (tmp_path / "tasks" / "t" / "t.csv").write_text("text,label\n" + rows, encoding="utf-8")
    (tmp_path / "tasks" / "t" / "task.yaml").write_text(
        "name: t\ndescription: d\ninputs: [text]\nlabels: [a, b]\n"
        "source: {kind: table, path: t.csv, columns: {text: text, label: label}}\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("search: {features: [words, tfidf]}", "search.features: unknown parameter 'features'"),
        ("search: {estimator: [a, b]}", "search.estimator: unknown parameter 'estimator'"),
        ("params: {features: words}", "params.features: unknown parameter 'features'"),
        ("params: {'estimator.': 1}", "params.estimator.: unknown parameter 'estimator.'"),
        ("params: {C: 1, estimator.C: 2}", "params: 'C' and 'estimator.C' are the same parameter"),
        ("search: {estimator.C: [1], C: [2]}", "search: 'estimator.C' and 'C' are the same parameter"),
        ("search: {features.a.b: [1], features.a__b: [2]}", "search: 'features.a.b' and 'features.a__b' are the same"),
        ("search: {C: [1, 1.0]}", "search.C: 1.0 is repeated"),
        ("search: {C: [[1, 2], 3, '3']}", "search.C: '3' is repeated"),
        ("params: no", "'params' must be a mapping"),
        ("params: []", "'params' must be a mapping"),
        ("search: no", "'search' must be a mapping"),
        ("description: [a]", "'description' must be text"),
    ],
)
def test_what_a_model_s_file_says_without_effect_is_refused(here: Path, section: str, message: str) -> None:
    (here / "configs" / "model" / "m.yaml").write_text(f"{LOGREG}{section}\n")
    with pytest.raises(ModelError) as error:
        load_model("m")
    assert message in str(error.value)


def test_a_model_made_in_python_is_held_to_the_same(here: Path) -> None:
    with pytest.raises(ModelError, match="unknown parameter 'features'"):
        Model("m", "sklearn.dummy.DummyClassifier", search=SearchSpace.parse({"features": ["a"]}, "m"))


def test_parameters_of_a_part_that_is_called_estimator_are_its_own() -> None:
    params = {"estimator.estimator": None, "estimator.estimator__C": 1, "n_estimators": 2}
    assert Model("m", "sklearn.ensemble.BaggingClassifier", params=params).params == params


@pytest.mark.parametrize("word", ["model.params.C=5", "model.params.estimator.C=5"])
def test_a_parameter_that_is_typed_takes_the_place_of_the_file_s_in_any_spelling(here: Path, word: str) -> None:
    model = load_model("m", compose(["task=t", "model=m", word]).model_overrides)
    assert list(model.params.values()) == [5]
    assert not model.search


TYPED = {
    "model.params.C=1 model.params.estimator.C=2": "'C' and 'estimator.C' are the same parameter",
    "model.params={C: 1} model.params.C=2": "model.params and model.params.C are both set",
    "results=[a]": 'results=["a"]: expected one name',
    "results={a: b}": "results={",
    "results=true": "results=true: expected one name",
    "results=1e3": "results=1000.0: expected one name",
    "results=": 'results="": expected one name',
    "data.mirror=[a]": "data.mirror=",
    "validation.group=[a]": "validation.group=",
    "train_on=[t]": "train_on=",
    "train_on=t train_on.labels={a: a, a: b}": "the key 'a' is repeated",
    "train_on=t train_on.labels={a: true}": "train_on.labels.a=true: expected a label's name",
    "train_on=t train_on.labels={a: 1.0}": "train_on.labels.a=1.0: expected a label's name",
    "search.trials=1 search.trials=2": "search.trials is repeated",
}


@pytest.mark.parametrize("typed", TYPED)
def test_what_is_typed_without_effect_is_refused(here: Path, typed: str) -> None:
    words = [word.replace("\0", " ") for word in typed.replace(": ", ":\0").replace(", ", ",\0").split(" ")]
    with pytest.raises((ConfigError, ModelError)) as error:
        load_model("m", compose(["task=t", "model=m", *words]).model_overrides)
    assert TYPED[typed] in str(error.value)
    assert not list(here.glob("[[]*"))


@pytest.mark.parametrize("parse", [parse_predict_request, parse_compare_request])
def test_other_commands_take_one_folder_of_results_too(parse, here: Path) -> None:
    with pytest.raises(ConfigError, match="results="):
        parse(["task=t", "results=[a]"])


def test_a_key_of_config_yaml_that_stands_twice_is_refused(here: Path) -> None:
    for content, message in {
        "seed: 1\nseed: 2": "the key 'seed' is repeated",
        "defaults:\n- search: quick\n- search: none": "defaults: search is repeated",
    }.items():
        (here / "configs" / "config.yaml").write_text(content)
        with pytest.raises(ConfigError, match=message):
            compose(["task=t"])


@pytest.mark.parametrize("key", ["label_map", "group", "published"])
@pytest.mark.parametrize("value", ["no", "[]", "''"])
def test_an_empty_or_false_key_of_a_task_is_not_passed_over(here: Path, key: str, value: str) -> None:
    if (key, value) == ("published", "[]"):
        return
    path = here / "tasks" / "t" / "task.yaml"
    path.write_text(f"{path.read_text()}{key}: {value}\n")
    with pytest.raises(ConfigError, match=key):
        load_task("t")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("a={تأييد: agree}", {"تأييد": "agree"}),
        ("a={agree: تأييد, غير ذي صلة: other}", {"agree": "تأييد", "غير ذي صلة": "other"}),
        ("""a={"b: c": 'd, e: f', 'x': y}""", {"b: c": "d, e: f", "x": "y"}),
        ("a={1: x, 1.0: y, true: z, null: w, no: v}", {"1": "x", "1.0": "y", "true": "z", "null": "w", "no": "v"}),
        ("a={b: {تأييد: 1}, c: [{d: 2}, {d: 3}]}", {"b": {"تأييد": 1}, "c": [{"d": 2}, {"d": 3}]}),
        ("a='{b: c, b: d}'", "{b: c, b: d}"),
        ("a=نتائج", "نتائج"),
        ("a={}", {}),
    ],
)
def test_names_in_any_script_can_be_typed(word: str, value: object) -> None:
    assert parse_overrides([word]) == {"a": value}


def test_the_labels_of_another_task_can_be_typed_in_arabic(here: Path) -> None:
    config = compose(["task=t", "train_on=t", "train_on.labels={تأييد: agree, معارضة: disagree}"])
    assert config.train_on is not None
    assert config.train_on.labels == {"تأييد": "agree", "معارضة": "disagree"}
    assert compose(["task=t", "task.label_map.تأييد=a"]).task_overrides == {"label_map.تأييد": "a"}


NAMES = st.text(
    st.characters(categories=["L", "M", "N", "P", "Zs"], exclude_characters="'\"\\"), min_size=1, max_size=8
)


@given(st.dictionaries(NAMES, NAMES, max_size=4))
def test_a_mapping_of_any_quoted_names_is_read_as_it_was_typed(mapping: dict[str, str]) -> None:
    typed = ", ".join(f"'{key}': '{value}'" for key, value in mapping.items())
    assert parse_overrides([f"a={{{typed}}}"]) == {"a": mapping}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12).map(lambda text: text.strip(" \t")))
def test_a_text_that_begins_with_no_bracket_or_quote_is_typed_as_it_is(text: str) -> None:
    text = text.replace(",", ";").lstrip("[{'\" \t")
    value = parse_overrides([f"results={text}"])["results"]
    assert value == text or not isinstance(value, str)


@pytest.mark.parametrize("missing", [np.nan, None])
@pytest.mark.parametrize("labels", [[1.0, 0.0, None, 1.0], ["a", "b", None, "a"]])
def test_a_label_that_is_missing_in_parquet_is_no_label(here: Path, labels: list[object], missing: object) -> None:
    labels = [missing if label is None else label for label in labels]
    pd.DataFrame({"text": [f"نص رقم {i}" for i in range(4)], "label": labels}).to_parquet("p.parquet")
    task = scaffold_task(TaskRequest("mine", "p.parquet"), here).task
    assert len(task) == 3
    assert not set(task.labels) & {"nan", "None", ""}
    assert "1 of 4 rows has no label and is left out: row 3." in task.notes


def test_a_label_that_is_null_in_json_is_no_label(here: Path) -> None:
    (here / "j.jsonl").write_text(
        '{"text": "x", "label": "a"}\n{"text": "y", "label": null}\n{"text": "z", "label": "b"}\n'
    )
    task = scaffold_task(TaskRequest("mine", "j.jsonl"), here).task
    assert sorted(task.labels) == ["a", "b"]
    assert "1 of 3 rows has no label and is left out: line 2." in task.notes


def test_a_label_called_nan_is_pointed_at(here: Path) -> None:
    (here / "c.csv").write_text("text,label\nx,a\ny,b\nz,nan\n")
    assert any(
        "'nan' looks like a missing value" in said for said in scaffold_task(TaskRequest("mine", "c.csv"), here).remarks
    )
