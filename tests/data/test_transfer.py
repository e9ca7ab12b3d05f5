"""Training on another task: its examples only ever train, and no test input or group is seen."""

from __future__ import annotations

import numpy as np
import pytest
from small_tasks import LABELS, text_task
from spying import Spy

from bench.config import Search
from bench.data.duplicates import duplicate_keys
from bench.data.splits import outer_splits, verify_inputs, with_lent
from bench.data.task import Task
from bench.data.transfer import transfer
from bench.errors import ConfigError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.models import Model
from bench.results.cell import FINAL


def source_task(**changes) -> Task:
    task = text_task(n_groups=3, seed=5)
    task.examples["text"] = [f"{text} أخرى{number}" for number, text in enumerate(task.examples["text"])]
    task.examples["document"] = [f"far-{name}" for name in task.examples["document"]]
    return text_task(examples=task.examples, name="other", **changes)


def evaluation_of(only: bool, model: Model) -> tuple[Evaluation, set[str]]:
    target = text_task()
    moved = transfer(target, source_task())
    outer = outer_splits(target.codes, target.groups, target.group, 5, 0, 1)
    splits = [with_lent(split, moved.lent, only) for split in outer]
    lent = set(moved.task.examples["text"].iloc[moved.lent])
    return Evaluation(moved.task, model, splits, Search("test", 2), 3, 0, lent=moved.lent), lent


def test_lent_examples_train_beside_the_own_ones_and_are_never_scored(spy: Model) -> None:
    evaluation, lent = evaluation_of(only=False, model=spy)
    own = set(text_task().examples["text"])
    result = evaluate(evaluation, 0, FeatureCache(evaluation.task.frame))
    assert result.error is None
    test = set(evaluation.task.examples["text"].iloc[evaluation.splits[0].test])
    assert all(lent < shown and not shown & test for shown in Spy.fitted)
    assert Spy.fitted[-1] == lent | (own - test)
    assert all(shown <= own for shown in Spy.predicted)
    assert Spy.predicted[-1] == test
    assert evaluate(evaluation, FINAL, FeatureCache(evaluation.task.frame)).error is None
    assert Spy.fitted[-1] == lent | own


def test_alone_they_choose_the_setting_too_and_no_own_example_trains(spy: Model) -> None:
    evaluation, lent = evaluation_of(only=True, model=spy)
    for fold in (0, FINAL):
        assert evaluate(evaluation, fold, FeatureCache(evaluation.task.frame)).error is None
    assert all(shown <= lent for shown in Spy.fitted)
    assert sum(shown <= lent for shown in Spy.predicted) == len(Spy.predicted) - 1  # all but the test part
    assert lent in (Spy.fitted[-1],)


def test_an_input_that_the_task_has_too_does_not_train() -> None:
    target, source = text_task(), source_task()
    source.examples.loc[2, "text"] = str(target.examples.loc[7, "text"]) + " !"
    moved = transfer(target, source)
    assert len(moved.lent) == len(source) - 1
    assert moved.notes == ("1 examples are not used: small also has their inputs",)
    keys = duplicate_keys(moved.task.frame)
    own = np.arange(len(target))
    verify_inputs(
        [with_lent(s, moved.lent, False) for s in outer_splits(target.codes, target.groups, "d", 5, 0, 1)],
        keys,
        moved.task.ids,
    )
    assert not set(keys[own]) & set(keys[moved.lent])


def test_a_group_that_the_task_has_too_does_not_train() -> None:
    target, source = text_task(), source_task()
    source.examples["document"] = source.examples["document"].replace({"far-d0": "d0", "far-d2": "d3"})
    moved = transfer(target, source)
    assert set(moved.task.groups[moved.lent].tolist()) == {"other:far-d1"}
    assert moved.notes == ("12 examples are not used: small also has their document",)


def test_claims_are_the_same_where_their_texts_are() -> None:
    def pairs(name: str, group: str, texts: list[str]) -> Task:
        examples = text_task(n_groups=2, per_group=3).examples
        examples = examples.assign(claim=texts, text=[f"{name} {text}" for text in examples["text"]])
        return text_task(name=name, inputs=("claim", "text"), examples=examples, group=group)

    target = pairs("small", "claim", ["ق", "ق", "ق", "ك", "ك", "ك"])
    source = pairs("other", "document", ["ق!", "ل", "ل", "ل", "ل", "ك"])
    moved = transfer(target, source)
    assert moved.task.examples["claim"].iloc[moved.lent].tolist() == ["ل"] * 4
    assert moved.notes == ("2 examples are not used: small also has their claim",)


def test_a_task_of_which_nothing_is_left_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"none of its 24 examples can be used\. 24 examples are not used"):
        transfer(text_task(), text_task())


def test_labels_are_mapped_and_those_without_a_place_left_out() -> None:
    source = source_task()
    moved = transfer(text_task(), source, {"denial": "none", "none": "none"})
    labels = moved.task.y[moved.lent]
    assert set(labels.tolist()) == {"none"}
    assert len(labels) == (source.y != "non_confirmation").sum()
    assert moved.notes == ("6 of 18 examples are not used: the label non_confirmation is not mapped",)
    assert transfer(text_task(), source).labels == {label: label for label in LABELS}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"denail": "none"}, "train_on.labels.denail: other has no such label.\nDid you mean 'denial'?"),
        ({"denial": "nome"}, "train_on.labels.denial=nome: small has no such label.\nDid you mean 'none'?"),
    ],
)
def test_a_label_that_is_not_there_is_named(labels: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        transfer(text_task(), source_task(), labels)
    assert str(error.value) == message


def test_tasks_that_do_not_fit_are_refused() -> None:
    examples = source_task().examples
    pairs = text_task(name="other", inputs=("claim", "text"), examples=examples.assign(claim="ق"))
    with pytest.raises(ConfigError, match=r"train_on=other: its inputs are \[claim, text\], but those of small"):
        transfer(text_task(), pairs)
    letters = dict(zip(LABELS, "abc", strict=True))
    strange = text_task(name="other", labels=tuple("abc"), examples=examples.replace({"label": letters}))
    with pytest.raises(ConfigError) as error:
        transfer(text_task(), strange)
    assert str(error.value) == (
        "train_on=other: it has the labels a, b, c, and small has none of them.\n"
        'Map the labels: "train_on.labels={a: denial}"'
    )
