"""A version that was taken back leaves no vote behind."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml
from denials import folder, sentence

from bench.catalogue import load_task
from bench.checks import check_task
from bench.data.votes import history, read_votes
from bench.errors import UserError
from bench.labelling.adding import Added, add_labels

__all__ = ["folder"]
TASK = Path("tasks/denials/task.yaml")


def vote(label: str, *people: str, numbers: range = range(1, 6)) -> Added:
    rows = [{"text": sentence(n, n % 2 == 0), "label": label, "annotator": who} for n in numbers for who in people]
    pd.DataFrame(rows).to_csv("back.csv", index=False)
    return add_labels(Path("back.csv"), "denials")


def labels() -> list[str]:
    return load_task("denials").examples["label"][1:6].tolist()


def go_back(version: int) -> None:
    shutil.move(TASK.with_name(f"task-v{version}.yaml"), TASK)


def raise_version(version: int) -> None:
    TASK.write_text(yaml.safe_dump({**yaml.safe_load(TASK.read_text("utf-8")), "version": version}), encoding="utf-8")


def test_votes_of_a_version_that_was_taken_back_do_not_count_when_the_version_is_raised(folder: Path) -> None:
    first = labels()
    vote("none", "x", "y", "z")
    assert labels() == ["none"] * 5
    go_back(1)
    assert labels() == first
    raise_version(2)
    assert read_votes(TASK, 2) == {}
    added = vote("denial", "ali")
    assert labels() == first  # one against one
    assert any("annotations-v2.jsonl do not count" in note for note in added.notes)
    assert history(TASK) == {3}
    assert {who for votes in read_votes(TASK, 3).values() for who in votes} == {"earlier label", "ali"}
    assert not [finding for finding in check_task(load_task("denials")) if finding.code == "D503"]


def test_all_files_in_the_way_are_named_with_a_command_that_moves_them(folder: Path) -> None:
    vote("none", "x")
    vote("none", "y")
    go_back(1)
    with pytest.raises(UserError, match="files of versions after 1") as told:
        vote("denial", "ali")
    command = str(told.value.hint).partition("away: ")[2]
    assert all(
        name in command for name in ("examples-v2", "examples-v3", "annotations-v2", "annotations-v3", "task-v2")
    )
    assert "raise the task's version" not in str(told.value.hint)
    subprocess.run(["sh", "-c", command], check=True)
    assert vote("denial", "ali").task.version == 2
    assert history(TASK) == {2}


def test_votes_of_all_versions_that_the_task_comes_from_count(folder: Path) -> None:
    vote("none", "x", numbers=range(1))
    raise_version(5)  # for a change of the user's own
    vote("none", "y", numbers=range(1))
    assert history(TASK) == {2, 6}
    assert read_votes(TASK, 6)["e0"] == {"earlier label": "denial", "x": "none", "y": "none"}
    assert load_task("denials").examples["label"][0] == "none"
