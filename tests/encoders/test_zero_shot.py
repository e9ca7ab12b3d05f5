"""Zero-shot: a text gets the label whose description it is nearest to, or entails, and no label is learned from."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_tasks import LABELS, text_task

from bench.catalogue import load_model
from bench.encoders import embeddings, find_encoder
from bench.encoders.definition import EncoderDefinition
from bench.encoders.entailment import EntailmentModel, entailment, entailment_label
from bench.errors import ModelError
from bench.models import zero_shot
from bench.models.conformance import check_rule, subject_of
from bench.models.persistence import dumps, loads
from bench.models.rules import RULES
from bench.models.zero_shot import TEMPERATURE, ZeroShotClassifier
from bench.planning.examine import examine

WORDS_ENCODER = '''
import hashlib
import numpy as np

class WordsEncoder:
    """Counts of words, each in the dimension that its digest names: texts that share words are near."""
    def __init__(self, encoder):
        self.prefix = encoder.prefix

    def encode(self, texts):
        counts = np.zeros((len(texts), 64), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in (self.prefix + text).split():
                counts[row, hashlib.sha256(word.encode()).digest()[0] % 64] += 1
        return counts
'''
DESCRIPTIONS = {"denial": "نفى الخبر", "non_confirmation": "امتنع عن التأكيد", "none": "أعلن شيئا"}
SENTENCES = ["نفت موسكو ذلك", "قالت كييف إن الأمر صحيح", "لم تعلق واشنطن", "وصل الوفد أمس"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with an encoder that counts words, and a cache by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "words_encoder.py").write_text(WORDS_ENCODER, encoding="utf-8")
    write_encoder(tmp_path)
    embeddings._load.cache_clear()
    return tmp_path


def write_encoder(folder: Path, prefix: str = "") -> None:
    source = {"package": "numpy", "adapter": "words_encoder.WordsEncoder"}
    path = folder / "configs" / "encoder" / "words.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"name": "words", "source": source, "prefix": prefix}), encoding="utf-8")


def classifier(**changes: Any) -> ZeroShotClassifier:
    return ZeroShotClassifier(**({"encoder": "words", "labels": LABELS, "descriptions": DESCRIPTIONS} | changes))


def frame_of(texts: Sequence[str], **columns: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({**columns, "text": list(texts)})


# What it answers


def test_a_text_gets_the_label_whose_description_it_is_nearest_to(folder: Path) -> None:
    texts = ["نفى الوزير الخبر", "امتنع عن الكلام", "أعلن الوزير أمس"]
    for centre in (True, False):
        fitted = classifier(centre=centre).fit(frame_of(texts), LABELS)
        assert fitted.predict(frame_of(texts)).tolist() == ["denial", "non_confirmation", "none"]


def vectors_by_digest(encoder: object, texts: Sequence[str]) -> np.ndarray:
    digests = [hashlib.sha256(text.encode()).digest()[:6] for text in texts]
    return np.array([np.frombuffer(digest, "u1") / 255 - 0.5 for digest in digests], dtype=np.float32)


@given(
    train=st.lists(st.sampled_from("ابتثجحخ"), min_size=1, max_size=6),
    test=st.lists(st.text("ابتثج ", max_size=5), min_size=1, max_size=5),
    claims=st.lists(st.text("مكان", max_size=3), min_size=6, max_size=6),
    label_map=st.fixed_dictionaries({name: st.sampled_from(["yes", "no"]) for name in ("a", "b")}),
    centre=st.booleans(),
)
def test_probabilities_are_the_softmax_of_centred_cosines(
    train: list[str], test: list[str], claims: list[str], label_map: dict[str, str], centre: bool
) -> None:
    label_map |= {"c": "yes", "d": "no"}
    sentences = {"a": "أول {claim}", "b": "ثان", "c": "{claim} {claim}", "d": "رابع {claim}"}

    def scores(text: str, claim: str) -> dict[str, float]:
        u = vectors_by_digest(None, [text])[0].astype(float)
        found = {}
        for name, sentence in sentences.items():
            v = vectors_by_digest(None, [sentence.replace("{claim}", claim)])[0].astype(float)
            found[name] = sum(u * v) / math.sqrt(sum(u * u) * sum(v * v)) / TEMPERATURE
        return found

    frames = [frame_of(texts, claim=claims[: len(texts)]) for texts in (train, test)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zero_shot, "embed", vectors_by_digest)
        model = ZeroShotClassifier(
            centre=centre, inputs=("claim", "text"), labels=("yes", "no"), label_map=label_map, descriptions=sentences
        )
        patch.setattr(model, "_identity", lambda: "an encoder")
        probabilities = model.fit(frames[0], ["yes"] * len(train)).predict_proba(frames[1])
    assert model.classes_.tolist() == ["no", "yes"]
    rows = [[scores(*row) for row in zip(frame["text"], frame["claim"], strict=True)] for frame in frames]
    means = {name: sum(row[name] for row in rows[0]) / len(train) if centre else 0.0 for name in sentences}
    for found, row in zip(probabilities, rows[1], strict=True):
        centred = {name: row[name] - means[name] for name in sentences}
        top = max(centred.values())
        weight = {name: math.exp(value - top) for name, value in centred.items()}
        yes = sum(weight[name] for name in sentences if label_map[name] == "yes") / sum(weight.values())
        np.testing.assert_allclose(found, [1 - yes, yes], atol=1e-6)


@pytest.mark.slow
@given(labels=st.lists(st.sampled_from(LABELS), min_size=24, max_size=24))
def test_labels_are_not_learned_from_and_one_that_training_lacks_can_be_predicted(labels: list[str]) -> None:
    task = text_task(descriptions=DESCRIPTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zero_shot, "embed", vectors_by_digest)
        patch.setattr(ZeroShotClassifier, "_identity", lambda self: "an encoder")
        model = load_model("zero-shot")
        expected = model.build({}, task, seed=0).fit(task.frame, task.y).predict_proba(task.frame)
        other = model.build({}, task, seed=1).fit(task.frame, np.array(labels))
        np.testing.assert_array_equal(other.predict_proba(task.frame), expected)
        assert set(other.predict(task.frame)) == set(LABELS)


# What it refuses


def test_a_task_without_descriptions_is_refused_with_what_to_write(folder: Path) -> None:
    with pytest.raises(ModelError) as caught:
        examine(load_model("zero-shot", {"params.encoder": "words"}), text_task())
    assert "has no descriptions of its labels: denial, non_confirmation, none." in caught.value.message
    assert "Add descriptions to its task.yaml" in (caught.value.hint or "")
    with pytest.raises(ModelError, match=r"descriptions of its labels: none\."):
        classifier(descriptions={name: DESCRIPTIONS[name] for name in LABELS[:2]}).fit(frame_of(["نص"]), ["none"])
    with pytest.raises(ModelError, match=r"'denail' is not a label.\nDid you mean 'denial'\?"):
        classifier(descriptions=DESCRIPTIONS | {"denail": "نفى"}).check_task()
    with pytest.raises(ModelError, match="weather is not among the labels"):
        classifier().fit(frame_of(["نص"]), ["weather"])


def test_an_unknown_encoder_is_named_before_anything_runs(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"unknown encoder 'wrods'.\nDid you mean 'words'\?"):
        examine(load_model("zero-shot", {"params.encoder": "wrods"}), text_task(descriptions=DESCRIPTIONS))


def test_a_stored_model_refuses_another_encoder_of_the_same_name(folder: Path) -> None:
    task = text_task(descriptions=DESCRIPTIONS)
    model = load_model("zero-shot", {"params.encoder": "words"})
    fitted = model.build({}, task, seed=0).fit(task.frame, task.y)
    stored = dumps(fitted)
    np.testing.assert_array_equal(loads(stored, model).predict_proba(task.frame), fitted.predict_proba(task.frame))
    write_encoder(folder, prefix="query: ")
    with pytest.raises(ModelError, match=r"was fitted with the encoder 'words' as numpy .* prefix='query: '"):
        loads(stored, model).predict(task.frame)


def test_other_descriptions_or_weights_are_another_run_of_this_model_and_of_no_other(folder: Path) -> None:
    model = load_model("zero-shot", {"params.encoder": "words"})
    task = text_task(descriptions=DESCRIPTIONS)
    reordered = text_task(descriptions=dict(reversed(DESCRIPTIONS.items())))
    changed = text_task(descriptions=DESCRIPTIONS | {"none": "لا هذا ولا ذاك"})
    found = examine(model, task).sources
    assert found.keys() == {"encoder words", "descriptions"}
    assert examine(model, reordered).sources == found
    assert examine(model, changed).sources["descriptions"] != found["descriptions"]
    assert examine(load_model("majority"), changed) == examine(load_model("majority"), text_task())
    write_encoder(folder, prefix="query: ")
    assert examine(model, task).sources["encoder words"] != found["encoder words"]


@pytest.mark.slow
def test_it_keeps_every_rule_of_the_conformance_kit(folder: Path) -> None:
    subject = subject_of(load_model("zero-shot", {"params.encoder": "words"}))
    assert [result for result in (check_rule(code, subject) for code in RULES) if not result.passed] == []
    assert list(subject.labels) == [("text",), ("claim", "text")]


@pytest.mark.slow
def test_it_runs_like_any_other_model(folder: Path, bench: Any) -> None:
    rows = "".join(
        f"{cue} {number},{label},d{number % 4}\n"
        for number in range(8)
        for cue, label in (("نفى", "denial"), ("أعلن", "none"))
    )
    task = folder / "tasks" / "mine"
    task.mkdir(parents=True)
    (task / "table.csv").write_text("text,label,site\n" + rows, encoding="utf-8")
    source = {"kind": "table", "path": "table.csv", "columns": {"text": "text", "label": "label", "group": "site"}}
    content = {"name": "mine", "description": "Denied?", "source": source, "inputs": ["text"]}
    content |= {"labels": ["denial", "none"], "descriptions": {"denial": "نفى", "none": "أعلن"}}
    (task / "task.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    words = ("run", "task=mine", "model=zero-shot", "model.params.encoder=words", "tracking=false")
    status, out, err = bench(*words)
    assert status == 0, err
    (line,) = (line for line in out.splitlines() if line.startswith("zero-shot"))
    assert line.split()[1] == "1.000"
    del content["descriptions"]
    (task / "task.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    status, _, err = bench(*words)
    assert status == 2
    assert "the task has no descriptions of its labels: denial, none." in err


# Entailment


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny classifier for inference, of random weights."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("weights") / "nli"
    folder.mkdir()
    letters = [chr(number) for number in range(0x621, 0x64B)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    transformers.BertTokenizer(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    names = {0: "contradiction", 1: "Entailment", 2: "neutral"}
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), max_position_embeddings=64, id2label=names, initializer_range=0.5, **sizes
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def nli(made: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> EncoderDefinition:
    """The tiny classifier, computed in float32."""
    monkeypatch.setattr("bench.encoders.transformer.has_bfloat16", lambda device: False)
    return find_encoder(str(made))


def one_by_one(folder: Path, pairs: Sequence[tuple[str, str]]) -> list[float]:
    """The logarithm of the probability of entailment by transformers alone, a pair at a time."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    with torch.inference_mode():
        for text, hypothesis in pairs:
            tokens = tokenizer(text, hypothesis, truncation=True, max_length=64, return_tensors="pt")
            found.append(float(model(**tokens).logits.log_softmax(1)[0, 1]))
    return found


def test_entailment_in_batches_is_that_of_each_pair_by_itself(nli: EncoderDefinition, made: Path) -> None:
    pairs = [
        (text, hypothesis) for text in [*SENTENCES, "طويل " * 90, "", "\0"] for hypothesis in DESCRIPTIONS.values()
    ]
    found = entailment(nli, pairs)
    assert found.shape == (len(pairs),)
    assert len(set(found.round(3))) > len(SENTENCES)
    np.testing.assert_allclose(found, one_by_one(made, pairs), atol=1e-4)


def test_a_pair_is_computed_once(nli: EncoderDefinition, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    encode = EntailmentModel.encode

    def noting(self: EntailmentModel, texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return encode(self, texts)

    monkeypatch.setattr(EntailmentModel, "encode", noting)
    pairs = [(text, "نفى") for text in [*SENTENCES, *SENTENCES]]
    found = entailment(nli, pairs)
    np.testing.assert_array_equal(entailment(nli, pairs[::-1]), found[::-1])
    assert [tuple(json.loads(pair)) for pair in asked] == pairs[: len(SENTENCES)]


def test_where_a_model_for_inference_is_named_it_decides_in_the_encoders_place(
    nli: EncoderDefinition, made: Path
) -> None:
    task = text_task(descriptions=DESCRIPTIONS)
    settings = {"params.encoder": "not-here", "params.nli": str(made), "params.centre": False}
    model = load_model("zero-shot", settings)
    examined = examine(model, task)
    assert examined.sources[f"encoder {made}"].startswith("sha256:")
    assert examined.requirements.keys() == {"torch", "transformers"}
    fitted = model.build({}, task, seed=0).fit(task.frame, task.y)
    pairs = [(text, DESCRIPTIONS[label]) for text in task.frame["text"] for label in sorted(LABELS)]
    entailed = np.exp(one_by_one(made, pairs)).reshape(len(task), 3)
    expected = entailed / entailed.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_proba(task.frame), expected, atol=1e-4)
    loaded = loads(dumps(fitted), model)
    np.testing.assert_array_equal(loaded.predict_proba(task.frame), fitted.predict_proba(task.frame))


def test_the_claim_stands_in_the_hypothesis(nli: EncoderDefinition, made: Path) -> None:
    descriptions = {"yes": "يؤيد: {claim}", "no": "آخر"}
    model = classifier(
        nli=str(made), centre=False, inputs=("claim", "text"), labels=("yes", "no"), descriptions=descriptions
    )
    frame = frame_of(SENTENCES, claim=["أرسل", "قتل", "أرسل", "نفى"])
    found = model.fit(frame, ["yes"] * 4).predict_proba(frame)
    for row, (claim, text) in zip(found, frame.itertuples(index=False), strict=True):
        no, yes = np.exp(one_by_one(made, [(text, "آخر"), (text, f"يؤيد: {claim}")]))
        np.testing.assert_allclose(row, [no / (no + yes), yes / (no + yes)], atol=1e-4)


@pytest.mark.parametrize(
    ("names", "place"),
    [
        (["contradiction", "neutral", "ENTAILMENT"], 2),
        (["entailment", "not_entailment"], 0),
        (["c", "entail", "n"], 1),
        (["LABEL_0", "LABEL_1"], None),
        (["entailment", "entails"], None),
    ],
)
def test_the_label_for_entailment_is_read_from_the_models_own_names(
    tmp_path: Path, names: list[str], place: int | None
) -> None:
    content = {"id2label": {str(number): name for number, name in enumerate(names)}}
    (tmp_path / "config.json").write_text(json.dumps(content), encoding="utf-8")
    if place is not None:
        assert entailment_label(tmp_path) == place
        return
    with pytest.raises(ModelError) as caught:
        entailment_label(tmp_path)
    assert f"id2label has {', '.join(map(repr, names))}, but one label must be 'entailment'" in str(caught.value)


def test_what_is_no_model_for_inference_is_refused_before_anything_runs(
    nli: EncoderDefinition, made: Path, tmp_path: Path
) -> None:
    task = text_task(descriptions=DESCRIPTIONS)
    with pytest.raises(ModelError, match="is a Python package without a folder of weights"):
        examine(load_model("zero-shot", {"params.nli": "words"}), task)
    encoder = tmp_path / "bert"
    encoder.mkdir()
    for path in made.iterdir():
        (encoder / path.name).write_bytes(path.read_bytes())
    (encoder / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"config\.json: id2label has no labels, but one label"):
        examine(load_model("zero-shot", {"params.nli": str(encoder)}), task)
    (encoder / "model.safetensors").rename(encoder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pickled weights \(\*\.bin\) can run code"):
        examine(load_model("zero-shot", {"params.nli": str(encoder)}), task)


def test_an_encoder_without_a_trained_classifier_is_refused(nli: EncoderDefinition, made: Path, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    headless = tmp_path / "headless"
    headless.mkdir()
    for path in made.iterdir():
        (headless / path.name).write_bytes(path.read_bytes())
    kept = safetensors.load_file(made / "model.safetensors")
    kept = {name: tensor for name, tensor in kept.items() if not name.startswith("classifier")}
    safetensors.save_file(kept, headless / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"weights are missing: classifier\.bias, classifier\.weight"):
        entailment(find_encoder(str(headless)), [("نص", "نفى")])
