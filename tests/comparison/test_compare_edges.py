"""`bench compare` and `bench report` where the store is damaged or mixed, and where words do not fit it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from contest import LABELS, compared, store_contest
from stored import change_record

from bench.comparison.across import rank_across
from bench.comparison.compare import Comparison, compare
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select, select_folders
from bench.errors import BenchError, UserError
from bench.metrics.f1 import MACRO_F1
from bench.reporting.html.page import render_report
from bench.results.leaderboard import leaderboard
from bench.results.result_format import FORMAT
from bench.results.store import RunFolder
from bench.results.summary import summarise


def names(comparison: Comparison) -> set[str]:
    return {row.name for row in comparison.rows}


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGES = {
    "[]": "expected a mapping",
    "{": "not readable as JSON",
    '{"format": 1, "status": "complete"}': "another version of bench (format 1",
    f'{{"format": {FORMAT}, "status": "complete"}}': "'key' is missing",
}


@pytest.mark.parametrize(("content", "reason"), DAMAGES.items())
def test_a_run_that_cannot_be_read_is_left_out_with_a_word_and_refused_where_it_was_named(
    tmp_path: Path, bench, content: str, reason: str
) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7, "c": 0.6})
    (made["c"].path / "run.json").write_text(content)
    comparison = compared(tmp_path, "task=denial")
    assert names(comparison) == {"a", "b"}
    (note,) = comparison.notes
    assert note.startswith("a stored run of c is left out: ")
    assert reason in note
    assert str(tmp_path) not in note
    assert compared(tmp_path, "task=denial", "model=a,b").notes == ()
    status, _, said = bench("compare", "task=denial", "model=a,c", f"results={tmp_path}")
    assert status == 2
    assert reason in said
    assert re.search("[Rr]erun|again", said)


def test_a_model_that_also_has_a_readable_run_is_compared(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    (tmp_path / "denial" / "b" / "old").mkdir()
    older = RunFolder(tmp_path / "denial" / "b" / "old")
    older.write_record(made["b"].read_record())
    change_record(older, format=1)
    comparison = compared(tmp_path, "task=denial", "model=a,b")
    assert names(comparison) == {"a", "b"}
    assert "a stored run of b is left out" in comparison.notes[0]


def test_changed_predictions_are_noticed_in_every_run(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    path = made["a"].cell_path(1) / "predictions.csv"
    path.write_text(path.read_text().replace("0.8", "0.7", 1))
    comparison = compared(tmp_path, "task=denial")
    assert names(comparison) == {"b"}
    assert comparison.notes == ("a is left out: fold-01/predictions.csv: its predictions are not those of the run",)
    with pytest.raises(BenchError, match="A stored file has changed") as error:
        compared(tmp_path, "task=denial", "model=a,b")
    assert error.value.message.startswith(f"{path}: ")


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [_cut, _folder_instead, lambda path: path.write_text("[1]")])
@pytest.mark.parametrize("name", ["run.json", "summary.json", "fold-01/result.json", "fold-01/predictions.csv"])
def test_one_damaged_run_keeps_no_other_from_being_compared_ranked_and_reported(
    tmp_path: Path, bench, name: str, damage: Any
) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7, "c": 0.6})
    damage(made["c"].path / name)
    comparison = compared(tmp_path, "task=denial")
    assert names(comparison) == {"a", "b"}
    (note,) = comparison.notes
    assert "c is left out: " in note
    board = leaderboard(tmp_path, made["a"].read_record())
    assert {row.model for row in board.rows if row.kind == "model"} >= {"a", "b"}
    status, _, said = bench("compare", str(made["a"].path), str(made["c"].path))
    assert status in (1, 2)
    assert str(made["c"].path) in said
    status, _, _ = bench("report", "task=denial", f"results={tmp_path}")
    assert status == 0


def test_where_every_run_is_damaged_the_first_is_named(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    for folder in made.values():
        _cut(folder.path / "fold-00" / "predictions.csv")
    with pytest.raises(BenchError, match="its predictions are not those of the run"):
        compared(tmp_path, "task=denial")


DAMAGED = {
    "empty predictions": ("fold-01/predictions.csv", lambda text: "", "predictions.csv"),
    "no predictions": ("fold-01/predictions.csv", None, "predictions.csv"),
    "a broken row": ("fold-01/predictions.csv", lambda text: text + '"e1","d1",x\n', "predictions.csv"),
    "truncated predictions": ("fold-01/predictions.csv", lambda text: text[:-9], "predictions.csv"),
    "an empty summary": ("summary.json", lambda text: "{}", "summary.json: 'labels' is missing"),
    "a summary that is a list": ("summary.json", lambda text: "[]", "summary.json: expected a mapping"),
    "an empty result": ("fold-01/result.json", lambda text: "{}", "result.json: 'fold' is missing"),
    "a record of two keys": (
        "run.json",
        lambda text: f'{{"format": {FORMAT}, "status": "x"}}',
        "run.json: 'key' is missing",
    ),
    "a record that is a list": ("run.json", lambda text: "[]", "run.json: expected a mapping"),
}


@pytest.mark.parametrize(("name", "damage", "said"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_gets_one_message_with_what_to_do(tmp_path: Path, bench, name: str, damage, said: str) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    path = made["b"].path / name
    if damage is None:
        path.unlink()
    else:
        path.write_text(damage(path.read_text()))
    status, _, err = bench("compare", *(str(folder.path) for folder in made.values()))
    assert status in (1, 2)
    assert said in err
    assert "Delete" in err
    assert "again" in err


@pytest.mark.parametrize("content", ["", '"id","label"\n"e1"\n', '"id","label"\n"e1",x\n'])
def test_predictions_that_are_no_table_are_named_when_a_cell_is_read(tmp_path: Path, content: str) -> None:
    made = store_contest(tmp_path, {"a": 0.8})["a"]
    path = made.cell_path(0) / "predictions.csv"
    path.write_text(content)
    with pytest.raises(UserError, match="not readable as predictions") as error:
        made.read_cell(0)
    assert str(path) in error.value.message


@pytest.mark.slow
def test_over_tasks_models_are_matched_by_model_and_search_and_the_rest_is_named(tmp_path: Path) -> None:
    thorough = {"name": "thorough", "trials": 200, "timeout": None}
    for task in ("x", "y", "z"):
        store_contest(tmp_path, {"logreg": 0.9, "svm": 0.7}, task=task)
    store_contest(tmp_path, {"logreg": 0.8}, task="x", search=thorough)
    store_contest(tmp_path, {"lexicon": 0.8}, task="y")
    comparisons = [compared(tmp_path, f"task={task}") for task in ("x", "y", "z")]
    assert "logreg (quick)" in names(comparisons[0])
    across = rank_across(comparisons)
    assert across is not None
    assert {row.name for row in across.rows} == {"logreg", "svm"}
    assert "Left out, since not run on every task with the same search: lexicon, logreg (thorough)." in across.note
    store_contest(tmp_path, {"nb": 0.5}, task="x")
    store_contest(tmp_path, {"nb": 0.5}, task="y", search=thorough)
    store_contest(tmp_path, {"nb": 0.5}, task="z")
    across = rank_across([compared(tmp_path, f"task={task}") for task in ("x", "y", "z")])
    assert across is not None
    assert across.note.endswith(" nb.")


@pytest.mark.slow
def test_with_repeats_a_suspect_stands_once_and_only_where_every_repeat_agrees(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.95, "b": 0.94, "majority": 0.33}, flipped=tuple(range(0, 300, 10)))
    once = compared(tmp_path, "task=denial").suspects
    assert len(once) > 5
    turned = once[0].id
    for model, folder in made.items():
        for fold in range(5):
            cell = folder.read_cell(fold)
            cell.fold = fold + 5
            if model == "a":
                assert cell.predictions is not None
                right = cell.predictions["id"] == turned
                cell.predictions.loc[right, "predicted"] = cell.predictions.loc[right, "label"]
            folder.write_cell(cell)
        folder.write_summary(summarise([folder.read_cell(fold) for fold in range(10)], LABELS, MACRO_F1))
    twice = compared(tmp_path, "task=denial").suspects
    assert [each.id for each in twice] == [each.id for each in once if each.id != turned]
    margins = {each.id: each.margin for each in once}
    assert [each.margin for each in twice] == pytest.approx([margins[each.id] for each in twice])


@pytest.mark.slow
def test_without_a_model_that_looks_at_no_text_nothing_is_suspected(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.9, "majority": 0.33}, flipped=tuple(range(0, 300, 20)))
    assert compared(tmp_path, "task=denial").suspects != ()
    assert compared(tmp_path, "task=denial", "model=a,b").suspects == ()


@pytest.mark.slow
def test_two_searches_of_one_model_are_one_kind_of_good_model(tmp_path: Path) -> None:
    flipped = tuple(range(0, 300, 20))
    store_contest(tmp_path, {"a": 0.95, "b": 0.95, "majority": 0.33}, flipped=flipped)
    thorough = {"name": "thorough", "trials": 200, "timeout": None}
    store_contest(tmp_path, {"a": 0.95}, flipped=flipped, search=thorough)
    comparison = compared(tmp_path, "task=denial")
    assert len(comparison.rows) == 4
    assert {each.models for each in comparison.suspects} == {2}
    (selected,) = select(parse_compare_request(["task=denial", f"results={tmp_path}"]))
    page = render_report(read_side_by_side(selected), comparison)
    assert "both models that look at the text and score above the baselines" in page


def test_run_folders_must_have_one_seed_and_validation_and_be_named_once(tmp_path: Path, bench) -> None:
    one = store_contest(tmp_path, {"a": 0.8})["a"].path
    validation = {"name": "wide", "group": None, "folds": 5, "inner_folds": 7, "repeats": 1}
    for changes, part in (({"seed": 4}, "seed: 0 and 4"), ({"validation": validation}, "inner_folds: 3 and 7")):
        other = RunFolder(tmp_path / "denial" / "b" / part[:4])
        shutil.copytree(store_contest(tmp_path / part[:4], {"b": 0.7})["b"].path, other.path)
        change_record(other, **changes)
        status, _, said = bench("compare", str(one), str(other.path))
        assert status == 2
        assert part in said
    status, _, said = bench("compare", str(one), str(one.parent / "." / ".." / "a" / one.name))
    assert status == 2
    assert "named twice" in said


def test_names_of_runs_are_unlike_even_where_keys_begin_alike(tmp_path: Path) -> None:
    made = store_contest(tmp_path / "first", {"a": 0.8})["a"].path
    folders = [made.parent / key for key in ("aaaa11111111", "aaaa22222222")]
    for folder in folders:
        shutil.copytree(made, folder)
    assert select_folders(folders).names() == ["a #aaaa1", "a #aaaa2"]
    elsewhere = tmp_path / "second" / folders[0].name
    shutil.copytree(made, elsewhere)
    assert len(set(select_folders([*folders, elsewhere]).names())) == 3


def test_a_report_of_run_folders_is_written_where_one_is(tmp_path: Path, bench, monkeypatch) -> None:
    made = store_contest(tmp_path / "store", {"a": 0.8, "b": 0.7})
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    status, out, _ = bench("report", *(str(folder.path) for folder in made.values()))
    assert status == 0
    assert out.startswith("report.html  ")
    assert (tmp_path / "here" / "report.html").is_file()
    assert not list((tmp_path / "store").rglob("report.html"))


def test_no_path_of_the_store_is_in_the_page(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    for folder in made.values():
        change(folder.path / "run.json", command=f"bench run task=denial 'results={tmp_path}/my runs' model=a,b")
    (selected,) = select(parse_compare_request(["task=denial", f"results={tmp_path}"]))
    runs = read_side_by_side(selected)
    page = render_report(runs, compare(runs, 0.01))
    assert "bench run task=denial model=a,b" in page
    assert str(tmp_path) not in page


def test_the_group_of_the_validation_may_be_the_tasks_own(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    assert names(compared(tmp_path, "task=denial", "validation.group=document")) == {"a", "b"}
    status, _, said = bench("compare", "task=denial", "validation.group=claim", f"results={tmp_path}")
    assert status == 2
    assert "groups by document" in said


def test_a_model_that_other_words_leave_out_is_not_called_unknown(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    status, _, said = bench("compare", "task=denial", "model=a", "seed=9", f"results={tmp_path}")
    assert status == 2
    assert "no stored run of it for task 'denial' matches" in said
    assert "The stored runs have seed 0" in said
    assert "Did you mean" not in said


def test_all_tasks_of_an_empty_store_are_none(tmp_path: Path, bench) -> None:
    for results in (tmp_path, tmp_path / "missing"):
        status, _, said = bench("compare", "task=all", f"results={results}")
        assert status == 2
        assert f"no run is stored in {results}" in said.replace("\n", "")


def test_an_unknown_key_of_the_validation_is_refused(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    status, _, said = bench("compare", "task=denial", "validation.gruop=document", f"results={tmp_path}")
    assert status == 2
    assert "validation.gruop: unknown key." in said
    assert "Did you mean 'validation.group'?" in said


def test_a_run_without_its_summary_alone_is_not_called_unfinished(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7, "c": 0.6})
    (made["c"].path / "summary.json").unlink()
    (note,) = compared(tmp_path, "task=denial").notes
    assert note == "c is left out: its summary is missing or damaged; rerun its command to make it again"
    with pytest.raises(UserError, match="its summary is missing"):
        select_folders([made["a"].path, made["c"].path])


@pytest.mark.parametrize("command", ["compare", "report"])
def test_a_task_without_a_readable_run_is_left_out_of_all_and_refused_where_it_was_named(
    tmp_path: Path, bench, command: str
) -> None:
    store_contest(tmp_path, {"a": 0.8, "b": 0.7}, task="sound")
    for folder in store_contest(tmp_path, {"a": 0.8}, task="broken").values():
        (folder.path / "run.json").write_text("{")
    status, printed, said = bench(command, "task=all", f"results={tmp_path}")
    assert status == 0
    assert "sound" in printed
    assert said.startswith("note: broken is left out: ")
    status, _, said = bench(command, "task=broken,sound", f"results={tmp_path}")
    assert status == 2
    assert "broken" in said


@pytest.mark.parametrize(
    ("name", "part", "value", "said"),
    [
        ("summary.json", ("scores", "macro_f1"), 0.99, "its macro_f1 is not that of its predictions"),
        ("fold-02/result.json", ("params", "estimator.C"), 1e9, "they do not match each other"),
        ("fold-02/result.json", ("params", "estimator.C"), "1", "they do not match each other"),
        ("summary.json", ("confusion",), [[1]], "they do not match each other"),
    ],
)
def test_a_run_whose_files_do_not_fit_together_is_left_out(
    tmp_path: Path, name: str, part: tuple[str, ...], value: Any, said: str
) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7, "c": 0.6})
    path = made["c"].path / name
    content = holder = json.loads(path.read_text())
    for key in part[:-1]:
        holder = holder[key]
    holder[part[-1]] = value
    path.write_text(json.dumps(content))
    comparison = compared(tmp_path, "task=denial")
    assert names(comparison) == {"a", "b"}
    (note,) = comparison.notes
    assert said in note
