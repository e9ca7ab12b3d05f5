"""What new labels bought is said on the same examples, with the labels that they have now."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from denials import folder, sentence
from sklearn.metrics import f1_score

from bench.labelling.adding import add_labels
from bench.results.gains import Gain, VersionScore, gain_sentences
from bench.statistics.interval import Interval

Bench = Callable[..., tuple[int, str, str]]
__all__ = ["folder"]

RUN = ("run", "task=denials", "model=logreg", "search=none", "tracking=false")


def predictions(key: str) -> pd.DataFrame:
    parts = sorted(Path("results/denials/logreg", key).glob("fold-*/predictions.csv"))
    return pd.concat([pd.read_csv(part) for part in parts]).set_index("id")


def export(rows: list[dict[str, Any]]) -> Path:
    pd.DataFrame(rows).to_csv("back.csv", index=False)
    return Path("back.csv")


def board() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("results/denials/leaderboard.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
def test_a_run_after_new_labels_says_what_they_bought_on_the_examples_of_both_versions(
    folder: Path, bench: Bench
) -> None:
    labels = pd.read_csv("tasks/denials/labels.csv")
    wrong = {f"e{n}" for n in range(0, 24, 2)}
    labels.loc[labels["id"].isin(wrong), "label"] = "none"
    labels.to_csv("tasks/denials/labels.csv", index=False)
    status, out, said = bench(*RUN)
    assert status == 0, said
    assert "new labels bought" not in out
    assert "gains" not in board()
    new = [{"text": sentence(n, n % 3 == 0), "label": "denial" if n % 3 == 0 else "none"} for n in range(400, 430)]
    again = [
        {"text": sentence(n, True), "label": "denial", "annotator": who} for n in range(0, 24, 2) for who in ("a", "b")
    ]
    added = add_labels(export(new + again), "denials")
    assert (added.new, added.changed) == (30, 12)
    status, out, said = bench(*RUN)
    assert status == 0, said
    (gain,) = board()["gains"]
    old, now = predictions(gain["key_before"]), predictions(gain["key"])
    assert (len(old), len(now)) == (40, 70)
    assert (gain["n_both"], gain["n_changed"]) == (40, 12)
    assert [gain[when]["n_examples"] for when in ("before", "now")] == [40, 70]
    assert gain["before"]["score"] == pytest.approx(f1_score(old["label"], old["predicted"], average="macro"))
    assert gain["now"]["score"] == pytest.approx(f1_score(now["label"], now["predicted"], average="macro"))
    true = now["label"][old.index]
    assert gain["both_before"] == pytest.approx(f1_score(true, old["predicted"], average="macro"))
    assert gain["both_now"] == pytest.approx(f1_score(true, now["predicted"][old.index], average="macro"))
    assert gain["both_now"] > gain["both_before"]
    assert gain["difference"]["low"] <= gain["both_now"] - gain["both_before"] <= gain["difference"]["high"]
    said = " ".join(out.split())
    assert "What the new labels bought" in said
    assert "On the 40 examples that both tested, with today's labels (12 changed)" in said
    assert "different test examples" in said
    assert "new labels bought" in Path("results/denials/leaderboard.md").read_text(encoding="utf-8")
    status, out, _ = bench("compare", "task=denials")
    assert status == 0
    assert "What the new labels bought" in out
    # Another model has no earlier run, and the majority learns nothing from labels.
    assert bench("run", "task=denials", "model=complement-nb", "search=none", "tracking=false")[0] == 0
    assert [each["model"] for each in board()["gains"]] == ["logreg"]
    # Where the file of the earlier version says something else now, nothing is said.
    labels["text"] = labels["text"] + " ثم"
    labels.to_csv("tasks/denials/labels.csv", index=False)
    assert bench(*RUN)[0] == 0
    assert "gains" not in board()


@pytest.mark.slow
def test_over_several_seeds_the_gain_is_the_mean_over_those_that_both_versions_have(folder: Path, bench: Bench) -> None:
    labels = pd.read_csv("tasks/denials/labels.csv")
    labels.loc[labels["id"].isin({f"e{n}" for n in range(0, 24, 2)}), "label"] = "none"
    labels.to_csv("tasks/denials/labels.csv", index=False)
    assert bench(*RUN, "seed=0,1")[0] == 0
    new = [{"text": sentence(n, n % 3 == 0), "label": "denial" if n % 3 == 0 else "none"} for n in range(400, 430)]
    assert add_labels(export(new), "denials").new == 30
    status, out, said = bench(*RUN, "seed=0,1,2")
    assert status == 0, said
    assert "macro-F1 (seeds 0, 1): version 1" in " ".join(out.split())

    def compared(seed: str) -> dict[str, Any]:
        _, out, _ = bench("compare", "task=denials", f"seed={seed}", "--format", "json")
        (found,) = json.loads(out)["tasks"][0]["gains"]
        return dict(found)

    several, each = compared("0,1,2"), [compared("0"), compared("1")]
    assert not any("seeds" in found for found in each)
    assert several["seeds"] == [0, 1]
    assert (several["n_both"], several["n_changed"]) == (40, 0)
    for score in ("both_before", "both_now"):
        assert several[score] == pytest.approx(sum(found[score] for found in each) / 2)
    for when in ("before", "now"):
        assert several[when]["score"] == pytest.approx(sum(found[when]["score"] for found in each) / 2)
        low, high = (several[when]["interval"][end] for end in ("low", "high"))
        assert low < several[when]["score"] < high
    low, high = (several["difference"][end] for end in ("low", "high"))
    assert low < several["both_now"] - several["both_before"] < high


def gain(
    low: float, high: float, scored: tuple[int, int] = (40, 40), changed: int = 0, metric: str = "macro_f1"
) -> Gain:
    before = VersionScore(1, 100, scored[0], 0.5, Interval(0.4, 0.6))
    return Gain(
        model="m",
        key="b",
        key_before="a",
        metric=metric,
        before=before,
        now=VersionScore(2, 200, scored[1], 0.6, None),
        n_both=40,
        n_changed=changed,
        both_before=0.5,
        both_now=0.6,
        difference=Interval(low, high),
    )


@pytest.mark.parametrize(
    ("low", "high", "metric", "verdict"),
    [
        (-0.1, 0.3, "macro_f1", "not distinguishable from no difference"),
        (0.05, 0.15, "macro_f1", "better"),
        (-0.15, -0.05, "macro_f1", "worse"),
        (0.05, 0.15, "log_loss", "worse"),
    ],
)
def test_the_verdict_is_that_of_the_interval(low: float, high: float, metric: str, verdict: str) -> None:
    assert gain(low, high, metric=metric).verdict == verdict


def test_only_scores_of_other_examples_or_labels_are_called_so() -> None:
    def told(*gains: Gain) -> str:
        return " ".join(gain_sentences(gains))

    same, other, relabelled = gain(0, 0.1), gain(0, 0.1, scored=(40, 60)), gain(0, 0.1, changed=3)
    assert "The scores of the two versions are of" not in told(same)
    assert "On the same examples that both tested" in told(same)
    assert "are of different test examples, which may be harder or easier, so only" in told(other)
    assert "are of the same test examples, some with other labels, so only" in told(relabelled)
    assert "On the same examples that both tested, with today's labels (3 changed)" in told(relabelled)
    assert "which may be harder or easier, or of the same test examples, some with other" in told(other, relabelled)
