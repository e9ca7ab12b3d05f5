"""Gold labels are the passes' majority, then the adjudication; nothing is decided in silence."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_corpus import SmallCorpus

from bench.data.annotations import Adjudication, gold_labels
from bench.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

LABELS = st.sampled_from(["agree", "disagree", "discuss"])
VOTES = st.integers(1, 5).flatmap(
    lambda passes: st.lists(st.lists(LABELS, min_size=passes, max_size=passes), min_size=1, max_size=6)
)


@given(VOTES)
def test_gold_is_the_label_that_most_passes_give_and_else_the_adjudication(votes: list[list[str]]) -> None:
    passes = [{f"s{unit}": row[number] for unit, row in enumerate(votes)} for number in range(len(votes[0]))]
    best = [[label for label, n in Counter(row).items() if n == max(Counter(row).values())] for row in votes]
    decisions = {f"s{unit}": Adjudication("discuss", "here") for unit, labels in enumerate(best) if len(labels) > 1}
    expected = {f"s{unit}": labels[0] if len(labels) == 1 else "discuss" for unit, labels in enumerate(best)}
    assert gold_labels(passes, decisions, None) == expected
    for tied in decisions:
        with pytest.raises(DataError, match=f"segment '{tied}': the passes are tied"):
            gold_labels(passes, {name: d for name, d in decisions.items() if name != tied}, None)


def test_two_passes_against_one_decide(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    corpus.passes[0][2]["stance"] = {"sent": "discuss"}
    task = corpus.build("stance")
    gold = dict(zip(task.ids, task.y, strict=True))
    assert gold["b-1/sent"] == "agree"
    assert gold["b-1/killed"] == "agree"
    assert task.passes is not None
    given_by_first = dict(zip(task.ids, task.passes["pass-1"], strict=True))
    assert given_by_first["b-1/sent"] == "discuss"
    assert given_by_first["b-1/killed"] == "unrelated"


def test_a_tie_is_decided_by_its_adjudication(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    corpus.passes[0][2]["stance"] = {"sent": "disagree", "killed": "agree"}
    corpus.passes[1][2]["stance"] = {"sent": "discuss", "killed": "agree"}
    corpus.adjudications = [
        {"segment_id": "b-1", "task": "stance", "claim_id": "sent", "label": "agree"},
        {"segment_id": "b-1", "task": "denial", "label": "none"},
    ]
    task = corpus.build("stance")
    assert dict(zip(task.ids, task.y, strict=True))["b-1/sent"] == "agree"


def test_an_adjudication_that_overrules_a_majority_is_an_error(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    corpus.adjudications = [{"segment_id": "a-1", "task": "denial", "label": "none"}]
    with pytest.raises(DataError, match=r"adjudications\.jsonl, line 1: 'a-1' is adjudicated as 'none'.*'denial'"):
        corpus.build()


def test_an_adjudication_that_confirms_a_majority_changes_nothing(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    before = corpus.build().digest
    corpus.adjudications = [{"segment_id": "a-1", "task": "denial", "label": "denial"}]
    assert corpus.build().digest == before


def test_one_pass_is_its_own_gold(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    del corpus.passes[1:]
    task = corpus.build()
    assert task.y.tolist() == ["denial", "non_confirmation", "none"]
    assert task.passes is not None
    assert task.passes.columns.tolist() == ["pass-1"]


def test_labels_are_mapped_before_the_majority_so_that_coarser_passes_can_agree(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    corpus.passes[0][0]["denial"] = "non_confirmation"
    corpus.passes[1][0]["denial"] = "none"  # a-1: non_confirmation, none, denial
    coarse = corpus.definition("denial") | {
        "labels": ["refused", "none"],
        "label_map": {"denial": "refused", "non_confirmation": "refused", "none": "none"},
    }
    task = corpus.build(definition=coarse)
    assert task.y.tolist() == ["refused", "refused", "none"]
    assert task.passes is not None
    assert task.passes.iloc[0].tolist() == ["refused", "none", "refused"]
    assert task.label_map["non_confirmation"] == "refused"
    with pytest.raises(DataError, match="segment 'a-1': the passes are tied"):
        corpus.build()
