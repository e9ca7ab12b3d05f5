"""The labelling loop from Python: the same draws, labels and suspects as the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from denials import folder, sentence

from bench import add, run, sample, suspects
from bench.errors import ConfigError, UserError

Bench = Callable[..., tuple[int, str, str]]
__all__ = ["folder"]


def test_a_draw_is_that_of_the_command_line(folder: Path, bench: Bench) -> None:
    words = ("sample", "task=denials", "--input=archive.csv", "--by=random", "--n=12", "seed=3", "--output=typed.json")
    assert bench(*words)[0] == 0
    draw = sample("denials", "archive.csv", 12, by="random", seed=3)
    assert draw.write("called.json") == [Path("called.json"), Path("called.config.xml")]
    assert Path("called.json").read_bytes() == Path("typed.json").read_bytes()
    assert Path("called.config.xml").read_bytes() == Path("typed.config.xml").read_bytes()
    with pytest.raises(UserError, match=r"called\.json"):
        draw.write("called.json")
    draw.write("called.json", force=True)
    tasks = json.loads(Path("called.json").read_text(encoding="utf-8"))
    assert [task["data"] for task in tasks] == draw.to_frame().to_dict("records") == draw.to_dict()["texts"]
    assert draw.strata()[["texts", "drawn", "probability"]].to_numpy().tolist() == [[300, 12, 0.04]]
    assert draw.to_dict()["strata"][0]["name"] == draw.to_frame()["stratum"][0]
    assert any("cannot be drawn" in note for note in draw.notes)


@pytest.mark.slow
def test_a_data_frame_is_drawn_from_as_its_file(folder: Path) -> None:
    frame = pd.read_csv("archive.csv").rename(columns={"text": "body"})
    of_file = sample("denials", "archive.csv", 20, by="diverse")
    of_frame = sample("denials", frame, 20, by="diverse", text="body")
    assert of_frame.to_frame()["text"].tolist() == of_file.to_frame()["text"].tolist()
    assert of_frame.strata().equals(of_file.strata())
    # Its ids are those of its content: the same for the same rows, others for other rows.
    again = sample("denials", frame, 20, by="diverse", text="body")
    assert again.to_frame()["example_id"].tolist() == of_frame.to_frame()["example_id"].tolist()
    other = sample("denials", frame.assign(outlet="x"), 20, by="diverse", text="body")
    assert not set(other.to_frame()["example_id"]) & set(again.to_frame()["example_id"])


def test_labels_are_added_and_what_changed_is_told(folder: Path) -> None:
    draw = sample("denials", "archive.csv", 12, by="random")
    draw.write("next.csv", "csv")
    filled = pd.read_csv("next.csv").assign(annotator="a")
    filled["label"] = ["denial" if "نفى" in text else "none" for text in filled["text"]]
    again = pd.DataFrame({"example_id": ["e0"], "text": [sentence(0, True)], "label": ["none"], "annotator": ["a"]})
    pd.concat([filled, again]).to_csv("back.csv", index=False)
    added = add("back.csv", to="denials")
    assert (added.task.version, len(added.task)) == (2, 52)
    assert added.to_dict()["new"] == 12
    assert added.answer[0] == "denials version 2: 12 new examples, 52 in all."
    (row,) = added.to_frame().drop(columns="kappa").to_dict("records")
    assert row == {"annotator": "a", "again": 1, "same": 0}
    assert repr(added).startswith(added.answer[0])
    assert "<p>denials version 2" in added._repr_html_()
    assert all(path.is_file() for path in added.files)
    json.dumps(added.to_dict(), allow_nan=False)


@pytest.mark.slow
def test_suspects_are_those_of_the_command_line(folder: Path, bench: Bench) -> None:
    labels = pd.read_csv("tasks/denials/labels.csv")
    labels.loc[labels["id"] == "e7", "label"] = "denial"
    labels.to_csv("tasks/denials/labels.csv", index=False)
    run("denials", ["logreg", "complement-nb"], search="none", tracking=False)
    found = suspects("denials")
    row = found.to_frame().set_index("id").loc["e7"]
    assert (row["label"], row["predicted"], row["models"], row["text"]) == ("denial", "none", 2, sentence(7, False))
    assert bench("suspects", "task=denials", "--export=doccano", "--output=typed.jsonl", "--blind")[0] == 0
    found.write("called.jsonl", "doccano", blind=True)
    assert Path("called.jsonl").read_bytes() == Path("typed.jsonl").read_bytes()
    assert found.to_dict()["suspects"][0]["gold"] == found.to_frame()["label"][0]
    none = suspects("denials", ["majority", "logreg"])
    assert none.to_frame().empty
    assert list(none.to_frame()) == list(found.to_frame())


def test_mistakes_are_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match="expected mixed, uncertainty, random, diverse"):
        sample("denials", "archive.csv", 5, by="rondom")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="at least two"):
        sample("denials", "archive.csv", 1, by="random")
    with pytest.raises(ConfigError, match="expected label-studio, doccano, csv"):
        sample("denials", "archive.csv", 5, by="random").write("x.json", "labelstudio")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="denial"):
        add("nothing.json", to="denails")
