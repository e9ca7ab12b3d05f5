"""Texts that nearly repeat a labelled one cannot be drawn, so no draw speaks for them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PLACES = ("المطار", "الميناء", "المصنع", "المستشفى", "المدرسة", "الملعب", "السوق", "المتحف")
SAID = {"denial": "نفى المتحدث باسم الوزارة أن تكون هناك نية", "none": "أعلن المتحدث باسم الوزارة أن هناك خطة"}


def report(number: int, label: str) -> str:
    draw = np.random.default_rng(number)
    words = " ".join(f"كلمة{draw.integers(10_000)}" for _ in range(6))
    return f"{SAID[label]} لإغلاق {PLACES[number % 8]} {words}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive in which a tenth are copies of labelled denials, with a word more; others deny one time in five."""
    monkeypatch.chdir(tmp_path)
    labels = [("denial", "none")[number % 2] for number in range(30)]
    labelled = [(report(number, label), label) for number, label in enumerate(labels)]
    copies = [(f"{text} {word}", label) for text, label in labelled if label == "denial" for word in ("أمس", "اليوم")]
    labels = [("denial" if number % 5 == 0 else "none") for number in range(300)]
    others = [(report(100 + number, label), label) for number, label in enumerate(labels)]
    pd.DataFrame(labelled, columns=["text", "label"]).to_csv("labels.csv", index=False)
    pd.DataFrame([*copies, *others], columns=["text", "label"]).to_csv("truth.csv", index=False)
    pd.read_csv("truth.csv")[["text"]].to_csv("archive.csv", index=False)
    return tmp_path


@pytest.mark.slow
def test_they_count_as_the_label_of_the_text_that_they_repeat(bench, folder: Path) -> None:
    run = ("run", "task=mine", "model=logreg", "search=none", "tracking=false")
    assert bench("new", "task", "mine", "--data", "labels.csv")[0] == 0
    words = ("--input", "archive.csv", "--by", "random", "--n", "120", "--format", "csv", "--output", "next.csv")
    assert bench("sample", "task=mine", *words)[0] == 0
    drawn, truth = pd.read_csv("next.csv"), pd.read_csv("truth.csv").set_index("text")["label"]
    assert not drawn["text"].str.endswith(("أمس", "اليوم")).any()
    drawn.assign(label=drawn["text"].map(truth), annotator="sara").to_csv("next.csv", index=False)
    assert bench("add", "next.csv", "--to", "mine")[0] == 0
    assert bench(*run)[0] == 0
    status, printed, said = bench("estimate", "task=mine", "model=logreg", "--input", "archive.csv", "--format", "json")
    assert status == 0, said
    found = json.loads(printed)
    assert found["whole"]["n_texts"] == 330
    assert any(
        warning.startswith("30 texts nearly repeat a text that was labelled before") for warning in found["warnings"]
    )
    share = next(each["powered"] for each in found["whole"]["shares"] if each["label"] == "denial")
    assert share["interval"]["low"] <= (truth == "denial").mean() <= share["interval"]["high"]
    # The copies are all denials: what is drawn says nothing of them.
    others = truth[~truth.index.str.endswith(("أمس", "اليوم"))]
    assert share["value"] == pytest.approx((30 + 300 * (others == "denial").mean()) / 330, abs=0.04)
