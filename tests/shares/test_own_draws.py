"""A random sample that was labelled before the first `bench sample` goes on to correct estimates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TEXTS, LABELLED, DRAWN = 600, 150, 60


@pytest.mark.slow
def test_given_its_probability_it_counts_beside_the_draw(bench, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    label = np.where(draw.random(TEXTS) < 0.3, "denial", "none")
    said = np.where(label == "denial", "نفى", "أعلن")
    words = draw.integers(10_000, size=(TEXTS, 6))
    texts = [f"{verb} الوزير {' '.join(f'كلمة{word}' for word in row)}" for verb, row in zip(said, words, strict=True)]
    archive = pd.DataFrame({"text": texts, "label": label})
    archive[["text"]].to_csv("archive.csv", index=False)
    archive.sample(LABELLED, random_state=0).to_csv("labels.csv", index=False)
    assert bench("new", "task", "mine", "--data", "labels.csv")[0] == 0
    into = ("--by", "random", "--n", str(DRAWN), "--format", "csv", "--output", "next.csv")
    assert bench("sample", "task=mine", "--input", "archive.csv", *into)[0] == 0
    drawn = pd.read_csv("next.csv")
    truth = archive.set_index("text")["label"]
    drawn.assign(label=drawn["text"].map(truth), annotator="sara").to_csv("next.csv", index=False)
    status, told, _ = bench("add", "next.csv", "--to", "mine")
    assert status == 0
    assert f"{LABELLED} earlier examples have no drawing probability" in " ".join(told.split())

    def estimated() -> dict[str, float]:
        assert bench("run", "task=mine", "model=logreg", "search=none", "tracking=false")[0] == 0
        request = ("task=mine", "model=logreg", "--input", "archive.csv", "--format", "json")
        status, printed, told = bench("estimate", *request)
        assert status == 0, told
        whole = json.loads(printed)["whole"]
        found = next(each["labels_alone"]["interval"] for each in whole["shares"] if each["label"] == "denial")
        assert found["low"] <= (label == "denial").mean() <= found["high"]
        return {"labelled": whole["n_labelled"], "width": found["high"] - found["low"]}

    before = estimated()
    table = Path("tasks/mine/examples-v2.jsonl")
    rows = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
    for row in rows[:LABELLED]:
        row["probability"] = LABELLED / TEXTS
    table.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    after = estimated()
    assert (before["labelled"], after["labelled"]) == (DRAWN, LABELLED + DRAWN)
    assert after["width"] < 0.65 * before["width"]
