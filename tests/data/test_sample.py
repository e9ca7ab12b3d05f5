"""Labels of published sentences: each stands beside the very text that was labelled, and scores are reweighted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scores import score_predictions
from sklearn.metrics import f1_score

from bench.config import compose
from bench.data.definition import build_task
from bench.data.task import Task
from bench.errors import DataError, UserError
from bench.metrics.f1 import MACRO_F1
from bench.planning.split_task import split_task
from bench.results.cell import CellResult
from bench.results.key import split_identity
from bench.results.summary import summarise

TEXTS = ["نفى الوزير الخبر.", "أعلن الوزير الخبر.", "قالت الوكالة ذلك.", "مرت السنوات."]
LABELS = ["yes", "no", "no", "no"]


class Sample:
    """The files of a task of four sentences in two published files; change what a test is about, then build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = [
            {
                "sentence_id": f"s{n}",
                "split": "train" if n < 2 else "dev",
                "article": f"a{n % 2}",
                "stratum": "cue" if n == 0 else "other",
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
            for n, text in enumerate(TEXTS)
        ]
        self.passes = [[{"sentence_id": f"s{n}", "denial": label} for n, label in enumerate(LABELS)] for _ in range(2)]
        self.texts = list(TEXTS)
        self.further = ["OBJ"] * len(TEXTS)
        self.source: dict[str, Any] = {
            "kind": "sample",
            "sample": "sample.jsonl",
            "annotations": ["pass-1.jsonl", "pass-2.jsonl"],
            "field": "denial",
            "population": {"cue": 1, "other": 30},
            "path": {"train": "train.tsv", "dev": "dev.tsv"},
            "columns": {"id": "sentence_id", "text": "sentence"},
        }

    def build(self) -> Task:
        for name, content in (("sample", self.rows), ("pass-1", self.passes[0]), ("pass-2", self.passes[1])):
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in content)
            (self.folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        for name, numbers in (("train", (0, 1)), ("dev", (2, 3))):
            lines = "".join(f"s{n}\t{self.texts[n]}\t{self.further[n]}\n" for n in numbers)
            (self.folder / f"{name}.tsv").write_text(f"sentence_id\tsentence\tfurther\n{lines}", encoding="utf-8")
        definition = {"name": "mine", "description": "D.", "source": self.source, "inputs": ["text"]}
        return build_task({**definition, "labels": ["yes", "no"]}, self.folder / "task.yaml")


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path)


def test_texts_come_from_the_published_files_and_labels_from_the_passes(sample: Sample) -> None:
    task = sample.build()
    assert task.examples["text"].tolist() == TEXTS
    assert task.y.tolist() == LABELS
    assert task.group == "article"
    assert task.passes is not None
    assert task.passes.columns.tolist() == ["pass-1", "pass-2"]


def test_a_text_is_what_the_format_of_its_file_says_and_its_hash_is_of_that(sample: Sample) -> None:
    text = 'قال "نعم" الوزير.'
    sample.rows[1]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    sample.texts[1] = '"قال ""نعم"" الوزير."'
    with pytest.raises(DataError, match="no sentence 's1' whose text has that SHA-256"):
        sample.build()
    sample.source["format"] = "quoted-tsv"
    assert sample.build().examples["text"][1] == text


def test_a_published_file_gives_dates(sample: Sample) -> None:
    sample.source["columns"]["date"] = "further"
    sample.further = ["2024-05-03", "3/5/2024", "2024-05-04", "2024"]
    with pytest.raises(DataError, match=r"train.tsv, line 3, column 'further': the date '3/5/2024' is ambiguous"):
        sample.build()
    sample.further[1] = "2024-05-03T10:00Z"
    assert sample.build().examples["date"].tolist() == ["2024-05-03", "2024-05-03T10:00:00+00:00", "2024-05-04", "2024"]


def test_an_example_stands_for_its_share_of_its_stratum(sample: Sample) -> None:
    assert sample.build().weights.tolist() == [1.0, 10.0, 10.0, 10.0]
    del sample.source["population"]
    assert sample.build().weights is None


def test_the_population_is_part_of_what_a_run_is_known_by(sample: Sample) -> None:
    def identity() -> Mapping[str, Any]:
        split = split_task(sample.build(), compose([], needs_task=False), [])
        return split_identity(split.record, split.digest, split.train_on)

    one = identity()
    sample.source["population"]["other"] = 31
    other = identity()
    assert one["task"].pop("population") == {"cue": 1, "other": 30}
    assert other["task"].pop("population") == {"cue": 1, "other": 31}
    assert one == other


MISTAKES: dict[str, tuple[Any, str]] = {
    "another text under a known id": (
        lambda s: s.texts.__setitem__(1, "أعلن الوزير خبرا آخر."),
        "sample.jsonl, line 2: source.path.train has no sentence 's1' whose text has that SHA-256.\nThe file",
    ),
    "a sentence of another file": (
        lambda s: s.rows[2].update(split="train"),
        "sample.jsonl, line 3: source.path.train has no sentence 's2' whose text",
    ),
    "a file that is not named": (
        lambda s: s.rows[2].update(split="dve"),
        "sample.jsonl, line 3: source.path has no file 'dve'.\nDid you mean 'dev'?",
    ),
    "a sentence that stands twice": (
        lambda s: s.rows.append(s.rows[0]),
        "sample.jsonl, line 5: sentence 's0' is repeated, first in sample.jsonl, line 1.",
    ),
    "a pass that lacks one": (
        lambda s: s.passes[1].pop(),
        "pass-2.jsonl: the pass is missing 1 of 4 sentences: s3.\nEvery pass must label every sentence.",
    ),
    "a tie that nobody decided": (
        lambda s: s.passes[1][0].update(denial="no"),
        "sentence 's0': the passes are tied (pass 1: yes, pass 2: no)",
    ),
    "a stratum that was not drawn": (
        lambda s: s.source["population"].update(rare=5),
        "task.yaml: source.population.rare: the sample has no such stratum.",
    ),
    "a population smaller than the sample": (
        lambda s: s.source["population"].update(other=2),
        "task.yaml: source.population.other must be a whole number, at least 3, not 2.",
    ),
    "a stratum without a size": (
        lambda s: s.source["population"].pop("cue"),
        "task.yaml: source.population.cue is missing.",
    ),
    "a column that is not there": (
        lambda s: s.source["columns"].update(text="sentense"),
        "train.tsv, line 2: unknown column 'sentense'.\nDid you mean 'sentence'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_sample_is_named(sample: Sample, mistake: str) -> None:
    change, message = MISTAKES[mistake]
    change(sample)
    with pytest.raises(UserError) as error:
        sample.build()
    assert message in str(error.value).replace(f"{sample.folder}/", "").replace("task.yaml: source.path", "source.path")


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from("ab"), st.sampled_from([1.0, 2.5, 40.0]), st.sampled_from("xyz")
        ),
        min_size=3,
        max_size=40,
    )
)
def test_reweighted_scores_are_those_of_scikit_learn_with_sample_weights(
    rows: list[tuple[str, str, float, str]],
) -> None:
    true, predicted, weights, groups = (list(column) for column in zip(*rows, strict=True))
    ids = [str(number) for number in range(len(rows))]
    frame = pd.DataFrame({"id": ids, "group": groups, "label": true, "predicted": predicted, "weight": weights})
    cell = CellResult(fold=0, predictions=frame, scores=score_predictions(frame, ("a", "b")))
    summary = summarise([cell], ("a", "b"), MACRO_F1)
    expected = f1_score(true, predicted, labels=["a", "b"], average="macro", sample_weight=weights, zero_division=0.0)
    assert summary.population.scores["macro_f1"] == pytest.approx(expected, abs=1e-12)
    plain = f1_score(true, predicted, labels=["a", "b"], average="macro", zero_division=0.0)
    assert summary.scores["macro_f1"] == pytest.approx(plain, abs=1e-12)
    interval = summary.population.intervals.get("macro_f1")
    assert interval is None or interval.low <= expected + 1e-9 <= interval.high + 2e-9


def test_the_news_labels_are_whole() -> None:
    folder = Path(__file__).parents[2] / "tasks" / "news"
    lines = [json.loads(line) for line in (folder / "sample.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({line["sentence_id"] for line in lines}) == len(lines) == 1200
    drawn = pd.Series([line["stratum"] for line in lines]).value_counts().to_dict()
    assert drawn == {"denial_cue": 284, "attribution_cue": 500, "neither": 416}
    assert np.unique([len(line["sha256"]) for line in lines]).tolist() == [64]
