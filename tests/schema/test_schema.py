"""What users write is declared once: every mistake gets one form of message, and editors get the same declarations."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.catalogue import load_model, load_task
from bench.config import compose
from bench.data.sources import KINDS
from bench.data.sources.formats import FORM_KEYS
from bench.data.sources.table_columns import TABLE_COLUMNS
from bench.discovery import config_files, defaults_folder, task_files
from bench.encoders.registry import find_encoder
from bench.errors import UserError
from bench.metrics.outcomes import VALUE
from bench.scaffold import TaskRequest, scaffold_task
from bench.scaffold.model import scaffold_model
from bench.schema import source
from bench.schema.check import Place, check, keys_of
from bench.schema.dialect import read_file
from bench.schema.export import FILES, json_schema, write_schema

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


TASK = """name: mine
description: D.
source:
  kind: table
  path: a.csv
  columns: {text: text, label: label}
inputs: [text]
labels:
  - "yes"
  - "no"
"""
MODEL = "name: mine\nestimator: sklearn.svm.LinearSVC\n"
ENCODER = "name: mine\nsource:\n  folder: weights\n"
SEARCH = "trials: 3\ntimeout: null\n"

PATHS = {
    "task": ("tasks/mine/task.yaml", lambda: load_task("mine")),
    "model": ("configs/model/mine.yaml", lambda: load_model("mine")),
    "encoder": ("configs/encoder/mine.yaml", lambda: find_encoder("mine")),
    "search": ("configs/search/mine.yaml", lambda: compose(["task=denial", "search=mine"])),
}
MISTAKES: dict[str, tuple[str, str, str]] = {
    "an unknown key": ("task", TASK + "lables: []\n", ", line 11: unknown key 'lables'.\nDid you mean 'labels'?"),
    "an unknown key below": (
        "task",
        TASK.replace("columns", "colums"),
        ", line 6: unknown key 'source.colums'.\nDid you mean 'columns'?",
    ),
    "an unknown key far below": (
        "task",
        TASK.replace("label: label", "lable: label"),
        ", line 6: unknown key 'source.columns.lable'.\nDid you mean 'label'?",
    ),
    "a key of another kind of source": (
        "task",
        TASK.replace("path: a.csv", "path: a.csv\n  dataset: a/b"),
        ", line 6: unknown key 'source.dataset'.\nChoose from: allow_shifted, columns, day_first, download,",
    ),
    "an item of a list": (
        "task",
        TASK.replace('"no"', "1"),
        ", line 10: labels, item 2 must be text, not 1.\nQuote",
    ),
    "a key of an item": (
        "task",
        TASK + "published:\n  - system: a\n    metric: mcc\n    value: 0.5\n    souce: b\n",
        ", line 15: published, item 1: unknown key 'souce'.\nDid you mean 'source'?",
    ),
    "a missing key of an item": (
        "task",
        TASK + "published:\n  - {system: a, metric: mcc, value: 0.5}\n",
        ", line 12: published, item 1: 'source' is missing.\nA figure looks like {system: BERT",
    ),
    "a missing key": ("task", TASK.replace("description: D.\n", ""), ": 'description' is missing."),
    "a missing key below": ("task", TASK.replace("  path: a.csv\n", ""), ", line 3: source.path is missing."),
    "an unknown key of a model": (
        "model",
        MODEL + "prams: {}\n",
        ", line 3: unknown key 'prams'.\nDid you mean 'par",
    ),
    "a truth value of older YAML": (
        "model",
        MODEL + "prune: yes\n",
        ", line 3: 'prune' must be true or false, not",
    ),
    "a search that is wrong": (
        "model",
        MODEL + "search:\n  C: [1]\n  tol: {low: 2, high: 1}\n",
        ", line 5: search.tol: the range is empty",
    ),
    "a name that is not the file's": (
        "model",
        MODEL.replace("mine", "yours"),
        ", line 1: name is 'yours', but",
    ),
    "an unknown key of an encoder": (
        "encoder",
        ENCODER + "  hnt: x\n",
        ", line 4: unknown key 'source.hnt'.\nDid you mean 'hint'?",
    ),
    "no kind of source": (
        "encoder",
        "name: mine\nsource: {fodler: x}\n",
        ", line 2: 'source': set exactly one of the keys hub, folder and package.\nWrite",
    ),
    "vectors of no length": (
        "encoder",
        ENCODER + "dimensions: 0\n",
        ", line 4: 'dimensions' must be a whole",
    ),
    "an unknown key of a search": ("search", SEARCH + "trails: 3\n", ", line 3: search.trails: unknown key.\nDid you"),
    "a search's budget in words": (
        "search",
        SEARCH.replace("3", "many"),
        ', line 1: search.trials="many": expected a whole number, at least 0.',
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_file_line_key_and_what_to_do(here: Path, mistake: str) -> None:
    kind, content, message = MISTAKES[mistake]
    name, load = PATHS[kind]
    path = here / name
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    (path.parent / "a.csv").write_text("text,label\nنعم,yes\nلا,no\n", encoding="utf-8")
    with pytest.raises(UserError) as error:
        load()
    assert error.value.exit_status == 2
    assert str(error.value).replace(f"{here}/", "").startswith(f"{name}{message}")


def test_what_is_typed_is_named_as_it_is_typed_and_not_by_a_line(here: Path) -> None:
    (here / "configs/search").mkdir(parents=True)
    (here / "configs/search/mine.yaml").write_text(SEARCH)
    with pytest.raises(UserError) as error:
        compose(["task=denial", "search=mine", "search.trials=many"])
    assert str(error.value) == 'search.trials="many": expected a whole number, at least 0.'


@pytest.mark.parametrize("word", ["source.pth", "source.columns.txt", "lables"])
def test_a_typed_key_of_a_task_has_no_line(here: Path, word: str) -> None:
    with pytest.raises(UserError) as error:
        load_task("denial-news", {word: "x"})
    assert f"task.yaml: unknown key '{word}'.\nDid you mean" in str(error.value)


def test_every_kind_of_source_that_can_be_read_is_declared_with_its_columns() -> None:
    assert set(source.KINDS) == set(KINDS)
    # What a metric is averaged over is read beside the columns, and named by another key.
    assert set(keys_of(source.Columns)) == set(TABLE_COLUMNS) - {VALUE}
    assert set(FORM_KEYS) <= set(keys_of(source.TableSource))


def declared(name: str) -> Any:
    _, module, kind = FILES[name]
    return getattr(import_module(module), kind)


def files(name: str) -> list[Path]:
    if name == "task":
        return list(task_files().values())
    return [defaults_folder() / "configs/config.yaml"] if name == "config" else list(config_files(name).values())


@pytest.mark.parametrize("name", FILES)
def test_every_file_that_comes_with_the_package_is_as_declared(name: str) -> None:
    assert files(name)
    for path in files(name):
        check(declared(name), read_file(path), Place(path))


@pytest.mark.parametrize("name", FILES)
def test_another_reader_of_schemas_takes_the_files_too(name: str) -> None:
    schema = json_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    reader = jsonschema.Draft202012Validator(schema)
    for path in files(name):
        assert [error.message for error in reader.iter_errors(read_file(path))] == []
    assert not reader.is_valid(read_file(files(name)[0]) | {"unknown key": 1})


@pytest.mark.parametrize("name", FILES)
def test_a_schema_has_the_keys_that_are_read_and_says_what_each_means(name: str) -> None:
    schema = json_schema(name)
    assert list(schema["properties"]) == keys_of(declared(name))
    assert schema["additionalProperties"] is False
    assert all(each.get("description") or "$ref" in each for each in schema["properties"].values())
    for path in files(name):
        assert set(schema.get("required", ())) <= read_file(path).keys() <= set(schema["properties"])


def test_schemas_are_printed_and_written(here: Path, bench: Bench) -> None:
    assert json.loads(bench("schema", "model")[1]) == json_schema("model")
    assert json.loads(bench("schema")[1]) == {name: json_schema(name) for name in FILES}
    assert bench("schema", "--to", "made/here")[0] == 0
    assert {path.name for path in (here / "made/here").iterdir()} == {f"bench-{name}.json" for name in FILES}
    status, out, told = bench("schema", "modle")
    assert (status, out) == (2, "")
    assert "bench schema modle: unknown kind of file.\n       Did you mean 'model'?" in told
    (here / "file").touch()
    assert bench("schema", "--to", "file/x")[0] == 2


def test_a_new_task_and_a_new_model_name_their_schema(here: Path) -> None:
    (here / "a.csv").write_text(
        "text,label\n" + "".join(f"نص رقم {n},{'ab'[n % 2]}\n" for n in range(12)), encoding="utf-8"
    )
    made = [
        ("task", scaffold_task(TaskRequest("mine", "a.csv"), here).files[0]),
        ("model", scaffold_model("own", here)[0]),
    ]
    for name, path in made:
        line = path.read_text(encoding="utf-8").splitlines()[0]
        found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", line)
        assert found is not None
        schema = (path.parent / found[1]).resolve()
        assert schema.read_text(encoding="utf-8") == write_schema(name, here / "other").read_text(encoding="utf-8")
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["name"] == read_file(path)["name"]


WORDS = st.text(st.characters(exclude_characters="\0"), max_size=4)  # no file can hold a NUL
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


def places(content: Any, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The ways to all that is in a content."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    return [way, *(found for key, value in inner for found in places(value, (*way, key)))]


WHOLE = {(name, path): read_file(path) for name in FILES for path in files(name)}


@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_whatever_stands_in_the_place_of_a_value_is_read_or_told(which: tuple[str, Path], data: st.DataObject) -> None:
    name, path = which
    content = copy.deepcopy(dict(WHOLE[which]))
    way = data.draw(st.sampled_from(places(content)[1:]))
    holder: Any = content
    for key in way[:-1]:
        holder = holder[key]
    if data.draw(st.booleans()):
        holder[way[-1]] = data.draw(ANY)
    elif isinstance(holder, dict):
        holder[data.draw(WORDS)] = holder.pop(way[-1])
    for words in (False, True):
        told = ""
        try:
            check(declared(name), content, Place(path, words=words))
        except UserError as error:
            told = error.message
        assert not re.search("Input should|valid dict|valid list|valid model|Field required", told), told
