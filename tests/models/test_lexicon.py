"""The untrained rules say what they promise, know which tasks they are for, and learn nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import ModelError
from bench.models.lexicon import LexiconClassifier

DENIAL = ("denial", "non_confirmation", "none")
SOURCE = ("government", "intelligence", "international_organization", "media", "expert", "unattributed")
STANCE = ("agree", "disagree", "discuss", "unrelated")
CLAIM = "أرسلت كوريا الشمالية جنودا إلى روسيا"


def predict(labels: tuple[str, ...], label_map: dict[str, str] | None = None, **columns: str) -> str:
    frame = pd.DataFrame({name: [value] for name, value in columns.items()})
    model = LexiconClassifier(tuple(columns), labels, label_map).fit(frame, [labels[0]])
    (answer,) = model.predict(frame)
    return str(answer)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("نفت موسكو إرسال أي جنود", "denial"),
        ("ونَفَى المتحدثُ ذلك", "denial"),
        ("امتنع عن التعليق على الأمر", "non_confirmation"),
        ("رفض التعليق على الأمر", "non_confirmation"),
        ("نفت موسكو ذلك، ولم تعلق بيونغ يانغ", "denial"),
        ("وصل الوفد إلى المدينة صباحا", "none"),
        ("", "none"),
    ],
)
def test_denial_wins_over_non_confirmation_and_refusing_to_comment_is_no_denial(text: str, label: str) -> None:
    assert predict(DENIAL, text=text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("قال وزير الدفاع إن القوات وصلت", "government"),
        ("أعلن جهاز الاستخبارات وصول الجنود", "intelligence"),
        ("«الناتو»: وصول جنود إلى الجبهة", "international_organization"),
        ("ذكرت صحيفة محلية أن الاجتماع انتهى", "media"),
        ("ذكرت صحيفة محلية نقلا عن وزير الخارجية أن الاجتماع انتهى", "government"),
        ("ويرى خبراء أن الأثر محدود", "expert"),
        ("وصل الوزير إلى المطار", "unattributed"),
        ("وصل الوزير إلى المطار. قال أحدهم ذلك", "unattributed"),
        ("", "unattributed"),
    ],
)
def test_a_source_counts_where_something_is_attributed_to_it_in_its_sentence(text: str, label: str) -> None:
    assert predict(SOURCE, text=text) == label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("أرسلت كوريا الشمالية جنودا إلى روسيا أمس", "agree"),
        ("لم ترسل كوريا الشمالية جنودا إلى روسيا", "disagree"),
        ("نفت كوريا الشمالية إرسال جنود إلى روسيا", "disagree"),
        ("ربما أرسلت كوريا الشمالية جنودا إلى روسيا", "discuss"),
        ("هل أرسلت كوريا الشمالية جنودا إلى روسيا؟", "discuss"),
        ("ارتفعت أسعار النفط في الأسواق", "unrelated"),
        ("", "unrelated"),
    ],
)
def test_stance_follows_overlap_then_negation_then_doubt(text: str, label: str) -> None:
    assert predict(STANCE, claim=CLAIM, text=text) == label


def test_a_negated_claim_and_a_negated_text_agree() -> None:
    claim = "لم ترسل كوريا الشمالية جنودا إلى روسيا"
    assert predict(STANCE, claim=claim, text=claim) == "agree"


def test_a_coarser_task_is_answered_through_its_label_map() -> None:
    coarse = {"government": "official", "intelligence": "official", "international_organization": "official"}
    coarse |= {"media": "other", "expert": "other"}
    labels = ("official", "other", "unattributed")
    assert predict(labels, coarse, text="قال وزير الدفاع إن القوات وصلت") == "official"
    assert predict(labels, coarse, text="ويرى خبراء أن الأثر محدود") == "other"


def test_a_label_that_the_task_lacks_falls_through_to_the_next_rule() -> None:
    assert predict(("denial", "none"), text="امتنع عن التعليق") == "none"


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [(("text",), ("sport", "economy")), (("text",), ()), (("text",), STANCE), (("text",), ("denial", "sport", "none"))],
)
def test_a_task_with_other_labels_is_refused_with_those_it_knows(
    inputs: tuple[str, ...], labels: tuple[str, ...]
) -> None:
    frame = pd.DataFrame({name: ["نص"] for name in inputs})
    with pytest.raises(ModelError) as raised:
        LexiconClassifier(inputs, labels).fit(frame, ["sport"])
    for known in ("denial, non_confirmation, none", "unattributed", "unrelated, disagree, discuss, agree"):
        assert known in str(raised.value)


def test_a_label_outside_the_task_is_refused() -> None:
    frame = pd.DataFrame({"text": ["نص"]})
    with pytest.raises(ModelError, match="sport is not among the labels"):
        LexiconClassifier(("text",), DENIAL).fit(frame, ["sport"])


ARABIC = st.text(st.one_of(st.characters(min_codepoint=0x0600, max_codepoint=0x06FF), st.sampled_from(" :.؟«»")))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(ARABIC, st.text()), min_size=1, max_size=5), st.integers(0, 2**31))
def test_any_text_gets_a_known_label_of_its_own_whatever_the_training_labels(texts: list[str], seed: int) -> None:
    frame = pd.DataFrame({"claim": [CLAIM] * len(texts), "text": texts})
    for inputs, labels in ((("text",), DENIAL), (("text",), SOURCE), (("claim", "text"), STANCE)):
        y = np.random.default_rng(seed).choice(labels, len(texts))
        model = LexiconClassifier(inputs, labels)
        answers = model.fit(frame, y).predict(frame)
        assert set(answers) <= set(labels)
        assert (model.fit(frame, y[::-1]).predict(frame) == answers).all()
        alone = [model.predict(frame.iloc[[row]])[0] for row in range(len(texts))]
        assert (answers == alone).all()
