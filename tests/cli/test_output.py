"""Names and texts of others reach a terminal as letters alone; Arabic stays as it is."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.shell_completion import CompletionItem
from hypothesis import given
from hypothesis import strategies as st

import bench as package
from bench.cli import fail
from bench.cli.words import complete_word
from bench.errors import HIDDEN, BenchError, escaped
from bench.reporting.output import escape_warnings, in_quotes, say, styled
from bench.reporting.terminal import console
from bench.schema.dialect import dump, parse_file

HOSTILE = "\x1b[2J\x1b]0;title\a\u202eevil\u2066\x9b31m\r\x08"
ARABIC = "نَفَى الوزيرُ ذلك، ٣ مرات — می\u200cرود"
FOLDER = Path(package.__file__).parent
BENCH = Callable[..., tuple[int, str, str]]

SINKS = {"reporting/output.py", "reporting/terminal.py", "reporting/status.py"}
"""The modules through which all that commands print goes."""

OWN = {"__main__.py", "engines/worker.py", "data/card.py"}
"""Those beside them that print words of their own, or errors, which are printable."""


@pytest.mark.slow
def test_nothing_is_printed_beside_the_one_way() -> None:
    beside = set()
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.ClassDef) and node.bases:
                called = ast.unparse(node.bases[0])
            if called in (
                "print",
                "click.echo",
                "click.secho",
                "click.style",
                "sys.stdout.write",
                "sys.stderr.write",
                "Console",
            ):
                beside.add(path.relative_to(FOLDER).as_posix())
    assert beside - OWN == SINKS
    assert beside >= OWN - {"engines/worker.py"}


@pytest.mark.slow
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_character_that_disturbs_a_terminal_is_left_and_all_others_stay(text: str) -> None:
    shown = escaped(text)
    assert not HIDDEN.search(shown)
    assert HIDDEN.sub("", text) == "".join(character for character in text if not HIDDEN.match(character))
    if not HIDDEN.search(text):
        assert shown == text


def test_arabic_stays_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say(ARABIC)
    console().print(ARABIC)
    assert capsys.readouterr().out == f"{ARABIC}\n" * 2


@pytest.mark.parametrize("err", [False, True])
def test_every_way_of_printing_writes_it_out(err: bool, capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE, styled(HOSTILE, bold=True), err=err)
    console().print(HOSTILE)
    printed = capsys.readouterr()
    assert not HIDDEN.search(printed.out + printed.err)
    assert "evil" in printed.out + printed.err


def test_colours_of_our_own_stay_in_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("click.utils.should_strip_ansi", lambda *_: False)
        say("x ", styled(f"red{HOSTILE[0]}", fg="red"), " y")
    assert capsys.readouterr().out == "x \x1b[31mred\\x1b\x1b[0m y\n"


def test_errors_and_warnings_are_written_out(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit):
        fail(HOSTILE, 2)
    with pytest.raises(SystemExit):
        fail(str(BenchError(HOSTILE, HOSTILE)), 2)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    escape_warnings()
    assert not HIDDEN.search(
        capsys.readouterr().err + warnings.formatwarning(HOSTILE, UserWarning, HOSTILE, 1, HOSTILE)
    )


def test_json_and_yaml_that_are_printed_mean_the_same() -> None:
    value = {"name": HOSTILE, "text": ARABIC, f"key {HOSTILE}": [HOSTILE, "\u200f"]}
    shown = in_quotes(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == value
    assert not HIDDEN.search(shown)
    shown = in_quotes(dump(value))
    assert yaml.safe_load(shown) == parse_file(shown, Path("a.yaml")) == value
    assert not HIDDEN.search(shown)


def write_task(folder: Path, **keys: Any) -> None:
    (folder / "tasks/mine").mkdir(parents=True)
    rows = [f"نص الخبر رقم {number} {HOSTILE[:3] * (number == 3)},{'ab'[number % 2]}" for number in range(12)]
    (folder / "tasks/mine/a.csv").write_text("text,label\n" + "\n".join(rows), "utf-8", newline="")
    task = {"name": "mine", "version": 1, "description": f"{ARABIC} {HOSTILE}", "inputs": ["text"]}
    task |= {"labels": ["a", "b"], "metric": "macro_f1"}
    task |= {"source": {"kind": "table", "path": "a.csv", "columns": {"text": "text", "label": "label"}}} | keys
    (folder / "tasks/mine/task.yaml").write_text(yaml.safe_dump(task, allow_unicode=True), "utf-8")


@pytest.mark.parametrize(
    "words", [("tasks",), ("show", "task=mine"), ("check", "task=mine"), ("show", f"task={HOSTILE}"), (HOSTILE,)]
)
def test_a_hostile_task_is_shown_in_letters(
    words: tuple[str, ...], bench: BENCH, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_task(tmp_path)
    status, out, err = bench(*words)
    assert status in (0, 2)
    assert not HIDDEN.search(out + err)
    assert out + err


def test_names_with_hidden_characters_are_not_offered_by_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"tasks/x{HOSTILE.replace('/', '')}").mkdir(parents=True)
    (tmp_path / f"tasks/x{HOSTILE.replace('/', '')}/task.yaml").write_text("name: x")
    offered: list[CompletionItem] = complete_word(None, None, "task=")  # type: ignore[arg-type]
    assert "task=denial" in [each.value for each in offered]
    assert not any(HIDDEN.search(each.value) for each in offered)
