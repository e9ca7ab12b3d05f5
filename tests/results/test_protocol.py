"""The protocol on data with a known answer: noise scores at chance, a leak is learned or caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from thoroughness import scaled

from bench.catalogue import load_model, load_task
from bench.config import Search, compose
from bench.data import Task
from bench.data.splits import outer_splits
from bench.errors import LeakageError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.metrics.f1 import MACRO_F1
from bench.planning.plan import plan
from bench.results.summary import Summary, summarise
from bench.support.seeding import derive_seed

LABELS = ("agree", "deny", "query")
TRAINED = ("complement-nb", "logreg", "linear-svm", "gradient-boosting")
WORDS = np.array(
    "وزير رئيس جندي مدينة حرب سلام نفط بحر طائرة قرار مجلس اتفاق خبر تقرير شمال جنوب شرق غرب يوم شهر".split()
)


def noise_task(seed: int, groups: int = 30, repeats: int = 3) -> Task:
    """Texts of random words; each group has each label equally often, shuffled within the group."""
    rng = np.random.default_rng(seed)
    size = len(LABELS) * repeats
    labels = np.concatenate([rng.permutation(np.repeat(LABELS, repeats)) for _ in range(groups)])
    texts = [" ".join(rng.choice(WORDS, 12)) for _ in labels]
    group = np.repeat([f"g{number:02d}" for number in range(groups)], size)
    return task_of(texts, labels, group, f"noise-{seed}")


def task_of(texts: list[str], labels: Any, group: Any, name: str) -> Task:
    examples = pd.DataFrame({"id": [str(i) for i in range(len(texts))], "text": texts, "label": labels, "group": group})
    names = tuple(sorted(set(labels)))
    return Task(name, 1, "", ("text",), names, "macro_f1", "group", examples)


def cross_validate(task: Task, model: str, trials: int) -> Summary:
    seed = derive_seed(0, task.name, "outer")
    splits = outer_splits(task.codes, task.groups, task.group, 5, seed, 1)
    evaluation = Evaluation(task, load_model(model), splits, Search("test", trials), 3, 0)
    cache = FeatureCache(task.frame)
    cells = [evaluate(evaluation, fold, cache) for fold in range(len(splits))]
    assert [cell.error for cell in cells] == [None] * len(cells)
    return summarise(cells, task.labels, MACRO_F1)


@pytest.mark.slow
def test_the_interval_covers_chance_in_about_95_of_100_shuffles() -> None:
    shuffles = scaled(40, 200)
    chance = 1 / len(LABELS)
    covered, scores = 0, []
    for shuffle in range(shuffles):
        summary = cross_validate(noise_task(shuffle), "complement-nb", trials=2)
        interval = summary.intervals["balanced_accuracy"]
        covered += interval.low <= chance <= interval.high
        scores.append(summary.scores["balanced_accuracy"])
    # Fewer come in one of 300 tries at most where the true coverage is 95 %.
    assert covered >= binom.ppf(1 / 300, shuffles, 0.95), covered
    assert abs(np.mean(scores) - chance) < 4 * np.std(scores, ddof=1) / np.sqrt(shuffles)


@pytest.mark.slow
@pytest.mark.parametrize("model", TRAINED)
def test_labels_shuffled_within_groups_score_at_chance_with_every_trained_model(model: str) -> None:
    chance = 1 / len(LABELS)
    summaries = [cross_validate(noise_task(100 + shuffle), model, trials=3) for shuffle in range(scaled(6, 20))]
    scores = np.array([summary.scores["balanced_accuracy"] for summary in summaries])
    assert abs(scores.mean() - chance) < 4 * scores.std(ddof=1) / np.sqrt(len(scores))
    assert abs(scores.mean() - chance) < 0.04


@pytest.mark.slow
@pytest.mark.parametrize("model", TRAINED)
def test_the_real_corpus_with_labels_shuffled_within_documents_shows_nothing(model: str) -> None:
    task = load_task("source-type")
    scores = []
    for shuffle in range(scaled(2, 10)):
        rng = np.random.default_rng(shuffle)
        examples = task.examples.copy()
        for rows in examples.groupby("document").indices.values():
            examples.loc[rows, "label"] = rng.permutation(examples.loc[rows, "label"].to_numpy())
        shuffled = Task(f"shuffled-{shuffle}", 1, "", task.inputs, task.labels, task.metric, "document", examples)
        scores.append(cross_validate(shuffled, model, trials=3).scores["mcc"])
    assert abs(np.mean(scores)) < 0.22 / np.sqrt(len(scores)), scores


@pytest.mark.slow
@pytest.mark.parametrize("model", TRAINED)
def test_a_planted_leak_is_learned(model: str) -> None:
    noise = noise_task(0, groups=12)
    texts = [f"{text} {name}" for text, name in zip(noise.frame["text"], noise.y, strict=True)]
    leaking = task_of(texts, noise.y, noise.groups, "leak")
    assert cross_validate(leaking, model, trials=10).scores["macro_f1"] > 0.98


@pytest.mark.slow
def test_a_signal_within_groups_only_is_not_rewarded() -> None:
    """Each group has a word of its own and mostly one label: what a random split would reward."""
    rng = np.random.default_rng(0)
    group = np.repeat([f"g{number:02d}" for number in range(24)], 8)
    labels = np.array([LABELS[int(name[1:]) % 2] for name in group])
    texts = [f"{' '.join(rng.choice(WORDS, 6))} {'علامة'}{name}" for name in group]
    grouped = task_of(texts, labels, group, "within-groups")
    random = task_of(texts, labels, np.arange(len(group)).astype(str), "within-groups-random")
    assert cross_validate(random, "logreg", trials=2).scores["macro_f1"] > 0.85
    assert cross_validate(grouped, "logreg", trials=2).scores["macro_f1"] < 0.75


def test_a_test_example_that_also_stands_in_training_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = noise_task(1, groups=4)
    texts = noise.frame["text"].tolist()
    texts[-1] = texts[0]
    copied = task_of(texts, noise.y, noise.groups, "copied")
    monkeypatch.setattr("bench.planning.split_task.load_task", lambda *_: copied)
    with pytest.raises(LeakageError, match=r"test example '\d+' is also in the training part, as '\d+'"):
        plan(compose(["task=stance", "model=majority"]))


def test_a_copy_in_a_users_table_is_dropped_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tasks" / "mine"
    folder.mkdir(parents=True)
    rows = [f"{i},نص فريد رقم {i},{'xy'[i % 2]},g{i % 4}" for i in range(20)] + ["20,نَصّ  فريد رقم 0,x,g1"]
    (folder / "labels.csv").write_text("\n".join(["id,text,label,group", *rows]) + "\n", encoding="utf-8")
    (folder / "task.yaml").write_text(
        "name: mine\nversion: 1\ndescription: d\n"
        "source: {kind: table, path: labels.csv, columns: {id: id, text: text, label: label, group: group}}\n"
        "inputs: [text]\nlabels: [x, y]\ngroup: group\nmetric: macro_f1\n"
    )
    planned = plan(compose(["task=mine", "model=majority"]))
    assert len(planned.runs[0].evaluation.task) == 20
    assert [note for note in planned.notes if "20 (as 0)" in note]
