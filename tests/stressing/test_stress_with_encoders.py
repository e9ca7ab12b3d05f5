"""Stress tests of models with an encoder: fitted again to the same numbers, at a cost that is told before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from denials import folder, sentence
from tiny_encoder import write_tiny_encoder

from bench.encoders import find_encoder
from bench.encoders.embeddings import embed, not_embedded
from bench.results.store import stored_runs
from bench.results.stress import read_stress_summary
from bench.stressing.plan import plan_stress
from bench.stressing.registry import perturbations
from bench.stressing.request import parse_stress_request
from bench.support.doing import unobserved

Bench = Callable[..., tuple[int, str, str]]
__all__ = ["folder"]

EMBEDDED = ("model=encoder-logreg", "model.params.features.encoder=tiny")

FINETUNED = {
    "name": "tuned",
    "estimator": "bench.models.finetune.FineTunedClassifier",
    "params": {"encoder": "tiny", "epochs": 2, "learning_rate": 3e-3, "batch_size": 8, "frozen_layers": 0},
}


@pytest.fixture
def tiny(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(folder / "cache"))
    write_tiny_encoder(
        folder, sorted({word for number in range(40) for word in sentence(number, number % 2 == 0).split()})
    )
    (folder / "configs/model").mkdir(parents=True)
    (folder / "configs/model/tuned.yaml").write_text(yaml.safe_dump(FINETUNED), encoding="utf-8")
    return folder


def test_texts_that_are_not_embedded_are_known(tiny: Path) -> None:
    encoder = find_encoder("tiny")
    assert not_embedded(encoder, ["a", "b", "a"]) == ["a", "b"]
    embed(encoder, ["b"])
    assert not_embedded(encoder, ["a", "b", "a"]) == ["a"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [("model=encoder-logreg", "model.params.features.encoder=tiny"), ("model=tuned",)],
    ids=lambda each: each[0],
)
def test_a_model_with_an_encoder_is_tested(tiny: Path, bench: Bench, model: tuple[str, ...]) -> None:
    status, _, said = bench("run", "task=denials", *model, "search=none", "tracking=false")
    assert status == 0, said
    words = ("task=denials", *model, "tracking=false")
    status, _, said = bench("stress", *words, "--only=tatweel,truncated")
    assert status == 0, said
    name = model[0].partition("=")[2]
    (run,) = [each for each in stored_runs(Path("results"), "denials") if each.model == name]
    summary = read_stress_summary(run)
    assert summary is not None
    assert (summary.models, [row.changed for row in summary.rows]) == ("refitted", [40, 40])
    # A fold that is asked alone gives the same answers as among the others.
    path = run.path / "stress" / "fold-02" / "tatweel.json"
    content = path.read_bytes()
    path.unlink()
    status, _, said = bench("stress", *words, "--only=tatweel")
    assert status == 0, said
    assert path.read_bytes() == content


@pytest.mark.slow
def test_the_cost_tells_what_embedding_takes(tiny: Path, bench: Bench) -> None:
    assert bench("run", "task=denials", *EMBEDDED, "search=none", "tracking=false")[0] == 0
    request = parse_stress_request(["task=denials", *EMBEDDED])
    (plan,) = plan_stress(request, perturbations(["tatweel", "zero-width", "keyboard"]), unobserved)
    assert plan.embeds
    assert plan.embedding > 0
    assert plan.seconds > plan.embedding
    assert bench("stress", "task=denials", *EMBEDDED, "--only=tatweel,zero-width,keyboard", "tracking=false")[0] == 0
    # Nothing is asked again, so nothing is embedded.
    (again,) = plan_stress(request, perturbations(["diacritics-removed", "keyboard"]), unobserved)
    assert (again.to_do, again.embedding) == ([], 0.0)
