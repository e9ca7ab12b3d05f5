"""Feature sets are ordinary scikit-learn transformers, with values that a linear model can take as they are."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bench.errors import ConfigError, DataError
from bench.features import FEATURE_SETS
from bench.features.cues import CueFeatures
from bench.features.pairs import PairFeatures, _common_subsequence

PAIRS = pd.DataFrame(
    {
        "claim": ["أرسلت بيونغ يانغ 10000 جندي", "ارتفاع أسعار النفط", "", "نفت موسكو الخبر"],
        "text": ["بيونغ يانغ لم ترسل ١٠٠٠٠ جندي", "انخفاض أسعار النفط", "«ما هذا؟» قال الوزير:", "  "],
    }
)
SHAPES = [("text",), ("claim", "text")]
TEXT = st.text(max_size=30) | st.lists(st.sampled_from(["نفت", "موسكو", "لم", "١٢", "12", "؟", "«", "و", "الخبر"])).map(
    " ".join
)


@pytest.mark.parametrize("inputs", SHAPES)
@pytest.mark.parametrize("name", [name for name in FEATURE_SETS if name not in ("encoder", "texts")])
def test_a_feature_set_is_an_ordinary_transformer(name: str, inputs: tuple[str, ...]) -> None:
    from skops import io

    transformer = FEATURE_SETS[name](inputs)
    frame = PAIRS[list(inputs)]
    before = frame.copy()
    fitted = clone(transformer).fit(frame)
    matrix = fitted.transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert sparse.issparse(matrix)
    assert matrix.shape == (len(frame), len(fitted.get_feature_names_out()))
    assert np.isfinite(matrix.toarray()).all()
    assert len(set(fitted.get_feature_names_out())) == matrix.shape[1]
    for stored in (
        pickle.loads(pickle.dumps(fitted)),
        io.loads(io.dumps(fitted), trusted=io.get_untrusted_types(data=io.dumps(fitted))),
    ):
        np.testing.assert_array_equal(stored.transform(frame).toarray(), matrix.toarray())
    pipeline = make_pipeline(transformer, LogisticRegression()).fit(frame, ["a", "b", "a", "b"])
    assert set(pipeline.predict(frame)) <= {"a", "b"}


@pytest.mark.parametrize(
    ("name", "inputs", "blocks"),
    [
        ("tfidf", ("text",), ["word", "char"]),
        ("tfidf-cues", ("text",), ["word", "char", "cues"]),
        ("tfidf-cues", ("claim", "text"), ["word", "char", "pair", "cues"]),
        ("cues", ("text",), ["cues"]),
        ("cues", ("claim", "text"), ["pair", "cues"]),
    ],
)
def test_blocks_have_the_names_that_model_files_use(name: str, inputs: tuple[str, ...], blocks: list[str]) -> None:
    union = FEATURE_SETS[name](inputs)
    assert [block for block, _ in union.transformer_list] == blocks
    whole = clone(union).fit_transform(PAIRS)
    dropped = union.set_params(**{blocks[0]: "drop"}).fit_transform(PAIRS)
    assert dropped.shape[1] < whole.shape[1]


def test_parameters_of_blocks_are_reached_by_name() -> None:
    union = FEATURE_SETS["tfidf"](("text",)).set_params(char__ngram_range=(3, 3), char__min_df=2)
    assert dict(union.transformer_list)["char"].ngram_range == (3, 3)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_dense_features_lie_between_zero_and_one_and_depend_on_their_row_alone(pairs: list[tuple[str, str]]) -> None:
    frame = pd.DataFrame(pairs, columns=["claim", "text"], dtype=object)
    for transformer in (PairFeatures(), CueFeatures(("claim", "text"))):
        matrix = transformer.fit_transform(frame).toarray()
        assert np.isfinite(matrix).all()
        assert matrix.min() >= 0
        assert matrix.max() <= 1
        assert matrix.shape[1] == len(transformer.get_feature_names_out())
        alone = [transformer.transform(frame.iloc[[row]]).toarray()[0] for row in range(len(frame))]
        np.testing.assert_array_equal(matrix, alone)


def values(claim: str, text: str) -> dict[str, float]:
    features = PairFeatures()
    row = features.fit_transform(pd.DataFrame({"claim": [claim], "text": [text]})).toarray()[0]
    return dict(zip(features.get_feature_names_out(), row.tolist(), strict=True))


def test_a_text_that_repeats_its_claim_overlaps_fully_and_contrasts_in_nothing() -> None:
    same = values("قتل 12 جنديا في كييف", "قُتل ١٢ جنديًّا في كييف")
    for name in (
        "equal",
        "word_jaccard",
        "stem_overlap",
        "char3_jaccard",
        "subsequence",
        "number_shared",
        "length_ratio",
    ):
        assert same[name] == 1, name
    for name in ("opposites", "number_conflict", "negation_in_one", "only_claim", "only_text"):
        assert same[name] == 0, name


def test_contrasts_are_seen() -> None:
    assert values("أرسلت سيول جنودا", "لم ترسل سيول جنودا")["negation_in_one"] == 1
    assert values("أرسلت سيول جنودا", "نفت سيول إرسال جنود")["denial_in_one"] == 1
    assert values("ارتفاع أسعار النفط", "انخفاض أسعار النفط")["opposites"] > 0
    assert values("مقتل 12 جنديا", "مقتل 13 جنديا")["number_conflict"] == 1
    assert values("مقتل 12 جنديا", "مقتل ١٢ جنديا")["number_conflict"] == 0


def test_inflection_and_clitics_do_not_hide_overlap() -> None:
    pair = values("المسؤولون في الوزارة", "مسؤولين بالوزارة")
    assert pair["stem_jaccard"] > pair["word_jaccard"] == 0


def longest_common_subsequence(left: str, right: str) -> int:
    lengths = np.zeros((len(left) + 1, len(right) + 1), dtype=int)
    for i, a in enumerate(left, start=1):
        for j, b in enumerate(right, start=1):
            lengths[i, j] = lengths[i - 1, j - 1] + 1 if a == b else max(lengths[i - 1, j], lengths[i, j - 1])
    return int(lengths[-1, -1])


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_the_common_subsequence_is_the_textbook_one(left: str, right: str) -> None:
    assert _common_subsequence(left, right) == longest_common_subsequence(left, right)


def test_cues_see_quotation_question_and_source() -> None:
    features = CueFeatures()
    row = features.fit_transform(pd.DataFrame({"text": ["«هل نفت واشنطن ذلك؟» سأل الصحفي"]})).toarray()[0]
    seen = {
        name.removeprefix("text__") for name, value in zip(features.get_feature_names_out(), row, strict=True) if value
    }
    assert {"quotation", "opens_with_quotation", "question", "denial", "government", "hedge", "media"} <= seen
    assert not {"expert", "digit", "latin"} & seen


def test_a_very_long_text_is_survived() -> None:
    frame = pd.DataFrame({"claim": ["نفت موسكو الخبر"], "text": ["نفت موسكو الخبر " * 6_000]})
    assert np.isfinite(FEATURE_SETS["tfidf-cues"](("claim", "text")).fit_transform(frame).toarray()).all()


def test_wrong_columns_are_named() -> None:
    with pytest.raises(ConfigError, match="compares two columns"):
        PairFeatures(columns=("text",)).fit(PAIRS)
    with pytest.raises(DataError, match="no column 'body'"):
        CueFeatures(columns=("body",)).fit(PAIRS)


def test_naming_the_feature_sets_imports_no_scikit_learn() -> None:
    code = "import sys, bench.features; sys.exit('sklearn' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
