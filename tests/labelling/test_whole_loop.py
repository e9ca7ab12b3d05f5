"""The whole loop on real sentences, from an archive to a better model and a true share."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml
from label_studio import exported
from sklearn.metrics import f1_score

from bench.catalogue import is_here, load_task

Bench = Callable[..., tuple[int, str, str]]

ANNOTATORS = ("sara@example.org", "omar@example.org", "lina@example.org")
"""Who gives the labels of the three annotation passes."""

RUN = ("run", "task=denials", "model=logreg", "search=none", "tracking=false")


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """News sentences with the labels of three passes: 80 of them labelled in a task, all of them in an archive."""
    if not is_here("denial-news"):
        pytest.skip("the published files of denial-news are not on this machine")
    task = load_task("denial-news")
    assert task.passes is not None
    rows = task.examples[["id", "text", "article"]].join(
        task.passes.replace({"non_confirmation": "other", "none": "other"}).set_axis(ANNOTATORS, axis=1)
    )
    rows["label"] = [Counter(votes).most_common(1)[0][0] for votes in rows[[*ANNOTATORS]].itertuples(index=False)]
    monkeypatch.chdir(tmp_path)
    Path("tasks/denials").mkdir(parents=True)
    first = rows.sample(80, random_state=1)
    first[["id", "text", "article", "label"]].to_csv("tasks/denials/labels.csv", index=False)
    definition = {
        "name": "denials",
        "version": 1,
        "description": "Whether somebody denies something.",
        "source": {
            "kind": "table",
            "path": "labels.csv",
            "columns": {"id": "id", "text": "text", "label": "label", "group": "article"},
        },
        "inputs": ["text"],
        "labels": ["denial", "other"],
        "group": "group",
    }
    Path("tasks/denials/task.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    rows[["text", "article"]].to_csv("archive.csv", index=False)
    return rows


def predicted(bench: Bench) -> pd.Series[str]:
    """The labels that the task's newest model gives the archive."""
    words = ("predict", "task=denials", "model=logreg", "--input", "archive.csv", "--output", "labels.csv", "--force")
    status, _, said = bench(*words)
    assert status == 0, said
    return pd.read_csv("labels.csv")["label"]


def score(rows: pd.DataFrame, labels: pd.Series[str]) -> float:
    return float(f1_score(rows["label"], labels, average="macro"))


@pytest.mark.slow
def test_two_rounds_of_labels_make_a_better_model_and_a_share_that_is_true(news: pd.DataFrame, bench: Bench) -> None:
    by_text = news.drop_duplicates("text").set_index("text")
    status, _, said = bench(*RUN)
    assert status == 0, said
    first = predicted(bench)
    for version in (2, 3):
        words = ("task=denials", "model=logreg", f"seed={version}", "--input", "archive.csv", "--n", "200", "--force")
        status, _, said = bench("sample", *words, "--output", "next.json")
        assert status == 0, said
        drawn = json.loads(Path("next.json").read_text(encoding="utf-8"))
        tasks = [
            exported(number, each["data"], {who: by_text[who][each["data"]["text"]] for who in ANNOTATORS})
            for number, each in enumerate(drawn, start=1)
        ]
        Path("export.json").write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
        status, out, said = bench("add", "export.json", "--to", "denials")
        assert status == 0, said
        assert f"denials version {version}: 200 new examples" in out
        status, out, said = bench(*RUN)
        assert status == 0, said
        assert "What the new labels bought" in out
    task = load_task("denials")
    assert len(task) == 480
    articles = dict(zip(task.examples["text"], task.groups.tolist(), strict=True))
    assert all(articles[text] == by_text["article"][text] for text in articles)
    (gain,) = json.loads(Path("results/denials/leaderboard.json").read_text(encoding="utf-8"))["gains"]
    assert (gain["before"]["version"], gain["now"]["version"], gain["n_both"]) == (2, 3, 280)
    assert gain["difference"]["low"] < gain["both_now"] - gain["both_before"] < gain["difference"]["high"]
    board = json.loads(Path("results/denials/leaderboard.json").read_text(encoding="utf-8"))
    row = next(row for row in board["rows"] if row["model"] == "logreg")
    summary = json.loads(Path("results/denials/logreg", row["key"], "summary.json").read_text(encoding="utf-8"))
    unseen = (~news["text"].isin(task.examples["text"])).to_numpy()
    on_archive = score(news[unseen], predicted(bench)[unseen])
    assert on_archive > score(news[unseen], first[unseen]) + 0.05
    # Uncertain texts were drawn more often, so the plain score is of harder texts than the archive's.
    interval = summary["population"]["intervals"]["macro_f1"]
    assert interval["low"] <= on_archive <= interval["high"]
    assert row["scores"]["population_macro_f1"] > row["scores"]["macro_f1"]
    status, out, said = bench("estimate", "task=denials", "model=logreg", "--input", "archive.csv", "--format", "json")
    assert status == 0, said
    whole = json.loads(out)["whole"]
    assert (whole["n_texts"], whole["n_labelled"]) == (len(news), 400)  # of both draws
    true = news["label"].value_counts(normalize=True)
    for share in whole["shares"]:
        for method in ("powered", "labels_alone"):
            interval = share[method]["interval"]
            assert interval["low"] <= true[share["label"]] <= interval["high"]
            assert interval["high"] - interval["low"] < 0.15
