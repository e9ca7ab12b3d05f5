"""A broken input ends with one message that names the place, exit status 2, and nothing written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from broken_inputs import FILES, LINE, TASK, Valid, inputs, new_text, put, table_rows, write_table, written
from stored import write_run

from bench.catalogue import load_task
from bench.errors import HIDDEN, LONGEST, UserError
from bench.prediction.reading import read_texts_file
from bench.scaffold import TaskRequest, scaffold_task

Bench = Callable[..., tuple[int, str, str]]

INPUTS = {valid.name: valid for valid in inputs()}
NEW_TEXT = {valid.name: valid for valid in new_text()}
PAIRS = {
    (valid.name, each.words): (valid, each) for valid in (*INPUTS.values(), *NEW_TEXT.values()) for each in valid.broken
}
SAMPLE = list(PAIRS)[::20]
"""The pairs that the commands themselves are given."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(folder: Path) -> list[tuple[str, int, int]]:
    """All that is in a folder, with sizes and times of change."""
    found = []
    for at, folders, files in os.walk(folder):
        for path in (Path(at, name) for name in (*folders, *files)):
            status = path.lstat()
            found.append((str(path), status.st_size, status.st_mtime_ns))
    return sorted(found)


def read(valid: Valid, folder: Path) -> None:
    """Read an input as the commands do, without their words."""
    if valid.name in NEW_TEXT:
        list(read_texts_file(folder / valid.data, {"text": "text"}, ("label",)).rows)
    elif valid.data:
        scaffold_task(TaskRequest("mine", valid.data), folder)
    else:
        load_task("mine")


def check_told(message: str, folder: Path, place: str) -> None:
    told = message.replace(f"{folder}/", "")
    if LINE in place:
        told, place = re.sub(r"task\.yaml, line \d+: ", "task.yaml: ", told, count=1), place.replace(LINE, "")
    assert told.startswith(place), told
    assert not HIDDEN.search(message)
    assert all(len(line) <= LONGEST + 1 for line in message.split("\n"))


def test_more_than_150_different_things_are_broken() -> None:
    every = [*INPUTS.values(), *NEW_TEXT.values()]
    assert len(PAIRS) == sum(len(valid.broken) for valid in every)
    assert len(PAIRS) >= 150


@pytest.mark.parametrize("name", [*INPUTS, *NEW_TEXT])
def test_the_unbroken_input_is_read(folder: Path, name: str) -> None:
    valid = {**INPUTS, **NEW_TEXT}[name]
    valid.write(folder)
    read(valid, folder)


@pytest.mark.parametrize("pair", PAIRS, ids=": ".join)
def test_a_broken_input_is_told_with_its_place_and_leaves_nothing(folder: Path, pair: tuple[str, str]) -> None:
    valid, broken = PAIRS[pair]
    valid.write(folder)
    broken.change(folder)
    before = listing(folder)
    with pytest.raises(UserError) as error:
        read(valid, folder)
    assert error.value.exit_status == 2
    check_told(str(error.value), folder, broken.place)
    assert listing(folder) == before


@pytest.mark.parametrize("pair", [pair for pair in SAMPLE if pair[0] in INPUTS], ids=": ".join)
def test_the_commands_end_with_the_message_and_status_2(folder: Path, bench: Bench, pair: tuple[str, str]) -> None:
    valid, broken = PAIRS[pair]
    valid.write(folder)
    broken.change(folder)
    before = listing(folder)
    if valid.data:
        commands: list[tuple[str, ...]] = [("new", "task", "mine", "--data", valid.data)]
    else:
        commands = [("export", "task=mine"), ("run", "task=mine", "model=majority", "tracking=false")]
    for command in commands:
        status, out, err = bench(*command)
        assert (status, out) == (2, "")
        assert err.startswith("error: ")
        check_told(err.removeprefix("error: "), folder, broken.place)
    if not valid.data:
        # Here the broken data are what was asked for: a finding, or an error of the task's file.
        status, out, err = bench("check", "task=mine", "--json")
        if out:
            (finding,) = json.loads(out)["tasks"][0]["findings"]
            assert (status, finding["code"], finding["severity"]) == (1, "D001", "error")
            check_told(finding["message"], folder, broken.place)
        else:
            assert status == 2
            check_told(err.removeprefix("error: "), folder, broken.place)
    assert listing(folder) == before


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    stored = tmp_path_factory.mktemp("results")
    write_run(stored)
    return stored


@pytest.mark.parametrize("name", NEW_TEXT)
def test_new_text_that_is_broken_is_told_and_nothing_is_labelled(
    folder: Path, results: Path, bench: Bench, name: str
) -> None:
    valid = NEW_TEXT[name]
    words = ("predict", "task=denial", f"results={results}", "--output", "labelled.csv")
    valid.write(folder)
    assert bench(*words, "--input", valid.data)[0] == 0
    (folder / "labelled.csv").unlink()
    for number, broken in enumerate(valid.broken[-1::-6]):
        valid.write(folder / str(number))
        broken.change(folder / str(number))
        before = listing(folder)
        status, out, err = bench(*words, "--input", f"{number}/{valid.data}")
        assert (status, out) == (2, "")
        check_told(err.partition("error: ")[2], folder, f"{number}/{broken.place}")
        assert listing(folder) == before


WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "a task that is a path": (("export", "task=../mine"), "task=../mine: unknown task"),
    "a task that is an absolute path": (("check", "task=/etc/passwd"), "task=/etc/passwd: unknown task"),
    "a task of hidden characters": (("check", "task='mine\u202e'"), r"task=mine\u202e: unknown task"),
    "a new task that is a path": (("new", "task", "../x", "--data", "labels.csv"), "'../x' cannot be a task's name"),
    "a new task of a thousand letters": (("new", "task", "m" * 1000, "--data", "labels.csv"), "'mmm"),
    "a new task of an escape sequence": (("new", "task", "\x1b[2J", "--data", "labels.csv"), r"'\x1b[2J' cannot"),
    "data longer than any path": (("new", "task", "x", "--data", "a" * 5000), "aaa"),
    "data in the home of nobody": (
        ("new", "task", "x", "--data", "~no-such-user/a.csv"),
        "~no-such-user/a.csv: cannot",
    ),
    "data whose name is not UTF-8": (
        ("new", "task", "x", "--data", "\udce4.csv"),
        r"\udce4.csv: the path is not UTF-8",
    ),
    "an archive as data": (
        ("new", "task", "x", "--data", "labels.zip"),
        "labels.zip: cannot be unpacked: ",
    ),
    "a link out of the folder to nothing": (("new", "task", "x", "--data", "link.csv"), "link.csv: it is a link to "),
    "a file for a folder": (("export", "task=mine", "--to", "labels.csv/x.parquet"), "labels.csv: cannot be written"),
    "a link in the way": (("export", "task=mine", "--to", "link.parquet"), "link.parquet already exists."),
    "an unknown format": (("export", "task=mine", "--format", "csv"), "--format csv: unknown format."),
    "a source that is another": (
        ("export", "task=mine", "task.source.path=../../x.csv"),
        "x.csv: the file does not exist",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_broken_words_end_with_the_message_and_status_2(folder: Path, bench: Bench, name: str) -> None:
    write_table("csv")(folder)
    put(folder, "labels.zip", b"PK\x03\x04")
    for link in ("link.csv", "link.parquet"):
        (folder / link).symlink_to("../../nothing")
    words, place = WORDS[name]
    before = listing(folder)
    status, out, err = bench(*words)
    assert (status, out) == (2, "")
    check_told(err.removeprefix("error: "), folder, place)
    assert listing(folder) == before


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("../../label.csv", "Did you mean 'labels.csv'?"),
        ("nope.csv", "No file in that folder ends in .csv."),
        ("nope.yaml", "Choose from: task.yaml."),
        ("../../no/nope.csv", "The folder {folder}/no does not exist."),
    ],
)
def test_a_file_that_is_missing_is_told_with_where_it_is_named(folder: Path, path: str, hint: str) -> None:
    write_table("csv")(folder)
    with pytest.raises(UserError) as error:
        load_task("mine", {"source.path": path, "source.format": "csv"})
    assert error.value.hint == f"{hint.format(folder=folder)}\n{folder}/{TASK} names it under source."
    with pytest.raises(UserError, match=rf"Give its format in {folder}/{TASK}: source\.format\."):
        load_task("mine", {"source.path": "../../etc/passwd", "source.format": None})


def test_a_formula_in_a_text_is_a_text_like_any_other(folder: Path, bench: Bench) -> None:
    rows = table_rows()
    rows[0]["text"] = "=cmd|'/C calc'!A0"
    write_table("csv")(folder)
    put(folder, FILES["csv"], written(rows, "csv"))
    assert bench("export", "task=mine", "--to", "mine.jsonl")[0] == 0
    first = json.loads((folder / "mine.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first["text"] == rows[0]["text"]


def test_the_unbroken_task_passes_the_commands(folder: Path, bench: Bench) -> None:
    write_table("csv")(folder)
    assert (folder / TASK).is_file()
    assert bench("export", "task=mine")[0] == 0
    assert bench("check", "task=mine", "--json")[0] in (0, 1)
    (folder / TASK).unlink()
    assert bench("new", "task", "mine", "--data", FILES["csv"])[0] == 0
