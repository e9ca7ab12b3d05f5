"""One YAML dialect for all files and for what is typed: a value means the same wherever it is written."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.catalogue import load_model
from bench.config_file import config_path
from bench.data.definition import read_definition
from bench.discovery import override
from bench.errors import ConfigError, ModelError
from bench.overrides import parse_overrides
from bench.schema.dialect import LARGEST, Document, dump, foreign_keys, parse_file, parse_value, read_file, split_list

HERE = Path("mine.yaml")

VALUES: dict[str, Any] = {
    "1e-3": 0.001,
    "1.0e-3": 0.001,
    "1E5": 100000.0,
    ".5": 0.5,
    "-2.": -2.0,
    "5": 5,
    "+5": 5,
    "1_000": 1000,
    "0x1f": 31,
    ".inf": float("inf"),
    "true": True,
    "FALSE": False,
    "null": None,
    "007": "007",
    "1:30": "1:30",
    "2024-01-31": "2024-01-31",
    "yes": "yes",
    "No": "No",
    "off": "off",
    "0o17": "0o17",
    "${seed}": "${seed}",
    "'1'": "1",
    '"a\\tb"': "a\tb",
    "[1, '1', a]": [1, "1", "a"],
    "{a: {b: 1e-3}}": {"a": {"b": 0.001}},
    "{1: a, true: b}": {"1": "a", "true": "b"},
}


@pytest.mark.parametrize("written", VALUES)
def test_a_value_is_the_same_in_every_file_and_on_the_command_line(tmp_path: Path, written: str) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(f"a: {written}\n", encoding="utf-8")
    expected = VALUES[written]
    for read in (read_file(path)["a"], read_definition(path)["a"], parse_overrides([f"a={written}"])["a"]):
        assert (type(read), read) == (type(expected), expected)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=8)
ANY = st.recursive(
    PLAIN | TEXTS | st.sampled_from(list(VALUES)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(ANY)
def test_what_is_written_is_read_as_it_was(value: object) -> None:
    assert parse_file(dump({"a": value}), HERE) == {"a": value}
    assert parse_value(dump([value], default_flow_style=True, width=10**9)) == [value]


@given(TEXTS)
def test_what_is_written_is_the_same_text_in_older_yaml(text: str) -> None:
    assert yaml.safe_load(dump([text])) == [text]


REFUSED = {
    "a: 1\na: 2": "mine.yaml, line 2: not valid YAML: the key 'a' is repeated.",
    "a: &x [1]\nb: *x": "mine.yaml, line 2: not valid YAML: aliases such as *x are not supported; write out the value.",
    "a: {b: 1}\n<<: {c: 2}": "mine.yaml, line 2: not valid YAML: merge keys are not supported; write the keys out.",
    "a: !!python/name:os.system ''": "mine.yaml, line 1: not valid YAML: could not determine a constructor",
    "a: !!bool maybe": "mine.yaml, line 1: not valid YAML: 'maybe' is not of type bool.",
    "a: !!int 010": "mine.yaml, line 1: not valid YAML: '010' is not of type int.",
    "? [a]\n: 1": "mine.yaml, line 1: not valid YAML: a key must be a text.",
    "a: [1": "mine.yaml, line 1: not valid YAML: ",
    "a: '\x00'": "mine.yaml, line 1: not valid YAML: the character U+0000.",
    "[" * 3000: "mine.yaml, line 1: not valid YAML: nested more than 50 levels deep.",
    "a:\n" + "- " * 60: "mine.yaml, line 2: not valid YAML: nested more than 50 levels deep.",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_dialect_does_not_have_is_told_with_its_line(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_file(text, HERE)
    assert str(error.value).startswith(REFUSED[text])


def test_a_file_knows_the_line_of_every_value() -> None:
    content = parse_file("a: 1\nb:\n  c: [1,\n    {d: 2}]\n", HERE)
    assert isinstance(content, Document)
    assert [content.line(way) for way in (("a",), ("b", "c", 1, "d"), ("b", "none"), ("none",))] == [1, 4, 2, None]
    changed = override(content, {"b.c": 3}, "here")
    assert isinstance(changed, Document)
    assert changed.lines == {("a",): 1, ("b",): 2}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a", ["a"]),
        ("a, b", ["a", "b"]),
        ("""'a,b',"c,\\\\",d\"""", ["'a,b'", '"c,\\\\"', 'd"']),
        ("[1,2],{a: 1,b: 2}", ["[1,2]", "{a: 1,b: 2}"]),
        ("it's,b", ["it's", "b"]),
        ("a,", ["a", ""]),
    ],
)
def test_a_typed_list_is_split_at_its_commas_alone(text: str, parts: list[str]) -> None:
    assert split_list(text) == parts


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("params: {fit_intercept: no}", "line 3: params.fit_intercept: no is text here"),
        ("params:\n  max_iter: 010", "line 4: params.max_iter: 010 is text here"),
        ("search: {warm_start: [yes, no]}", "line 3: search.warm_start.0: yes is text here"),
    ],
)
def test_a_parameter_that_older_yaml_reads_otherwise_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "configs" / "model" / "m.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(f"name: m\nestimator: sklearn.linear_model.LogisticRegression\n{text}\n")
    with pytest.raises(ModelError) as error:
        load_model("m")
    assert place in str(error.value)
    if text.startswith("params"):
        name = text.split()[1].strip("{:")
        assert load_model("m", {f"params.{name}": True}).params == {name: True}
    path.write_text("name: no\ndescription: no\nestimator: x.Y\nparams: {a: 'no', b: \"010\"}\n")
    path.rename(path.with_name("no.yaml"))
    assert load_model("no").params == {"a": "no", "b": "010"}


BOMB = "a: &a [x]\n" + "".join(
    f"{now}: &{now} [{', '.join([f'*{last}'] * 9)}]\n" for last, now in pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    "content", [f"{BOMB}defaults: [*j]\n", f"{BOMB}defaults: *j\n", "[" * 5000, "a:\n" + "- " * 5000]
)
@pytest.mark.parametrize("name", ["config.yaml", "search/quick.yaml", "model/mine.yaml", "validation/mine.yaml"])
def test_a_bomb_of_aliases_or_brackets_is_refused_in_every_file(
    content: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "configs" / name
    path.parent.mkdir(parents=True)
    path.write_text(content)
    begin = time.process_time()
    path_in_force, notes = config_path()
    assert notes or path_in_force == Path("configs/config.yaml") or name != "config.yaml"
    with pytest.raises(ConfigError, match=r"yaml, line \d+: not valid YAML: (aliases|nested more than 50)"):
        read_file(path)
    assert time.process_time() - begin < 5


def test_the_names_of_another_tools_file_are_found_whatever_its_aliases_and_tags_are(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("base: &b {x: 1}\nsite: *b\nrun: !!python/name:os.system\ndefaults: [db: mysql, _self_]\n")
    assert foreign_keys(path) == {"base": [], "site": [], "run": [], "defaults": ["db", "_self_"]}


def test_a_file_of_settings_has_a_size(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("a: 1\n" + "#" * LARGEST)
    with pytest.raises(ConfigError, match=r"mine\.yaml: it is larger than 1,024 KiB"):
        read_file(tmp_path / "mine.yaml")
