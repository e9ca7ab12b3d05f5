"""The leaderboard is made from the stored files alone, of runs that compare, and says the same everywhere."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scores import LABEL_METRICS, PROBABILITY_METRICS, score_predictions
from stored import record_content, run_record

from bench.comparison.board import corrected_leaderboard, refresh_leaderboards
from bench.comparison.request import parse_compare_request
from bench.metrics.f1 import MACRO_F1
from bench.metrics.registry import metric_title
from bench.reporting.terminal import print_leaderboard
from bench.results.board import Leaderboard
from bench.results.cell import CellResult
from bench.results.files import to_json
from bench.results.leaderboard import (
    ABOUT_TASK,
    FILES,
    board_markdown,
    leaderboard,
    refresh_leaderboard,
    write_leaderboard,
)
from bench.results.record import RunRecord
from bench.results.result_format import FORMAT
from bench.results.store import RunFolder
from bench.results.summary import summarise
from bench.support.records import plain

LABELS = ("denial", "none", "non_confirmation")
REFERENCE = {
    "name": "pass-1",
    "scores": {"macro_f1": 0.9, "accuracy": 0.92, "balanced_accuracy": 0.91, "mcc": 0.88},
    "intervals": {"macro_f1": {"low": 0.8, "high": 0.95, "level": 0.95}},
    "tied": 1,
}
TASK = {"digest": "ab" * 32, "n_examples": 60, "n_groups": 5, "references": [REFERENCE]}
SEARCH = {"name": "standard", "trials": 30, "timeout": None}


def record(model: str, searched: bool = True, **changes: Any) -> RunRecord:
    """A run's record; ``task={...}`` and the like change single keys of a part."""
    made = record_content("aaaa", "denial", model, LABELS, 5, 0, failed=False)
    made |= {"search": SEARCH, "splits": "0123456789ab", "command": "bench run task=denial"}
    if not searched:
        made["model"]["search"] = {}
    made["task"] |= TASK
    for part, value in changes.items():
        made[part] = made[part] | value if isinstance(value, dict) else value
    return run_record(made)


def store(
    results: Path,
    model: str,
    right: float,
    key: str = "aaaa",
    probabilities: bool = True,
    notes: tuple[str, ...] = (),
    draw: int = 0,
    **changes: Any,
) -> RunRecord:
    """Store a complete run that is right about a share of the examples; returns its record."""
    folder = RunFolder(results / "denial" / model / key)
    rng = np.random.default_rng(draw)
    cells = []
    for fold in range(5):
        true = np.arange(12) % 3
        predicted = np.where(rng.random(12) < right, true, (true + 1) % 3)
        frame = pd.DataFrame(
            {
                "id": [f"{fold}-{n}" for n in range(12)],
                "group": f"doc-{fold}",
                "label": [LABELS[code] for code in true],
                "predicted": [LABELS[code] for code in predicted],
            }
        )
        if probabilities:
            given = 0.1 + 0.7 * np.eye(3)[predicted]
            frame = frame.assign(**{f"p_{label}": given[:, code] for code, label in enumerate(LABELS)})
        cells.append(
            CellResult(
                fold,
                predictions=frame,
                scores=score_predictions(frame, LABELS),
                notes=list(notes),
                seconds={"search": 1.25, "fit": 0.5},
            )
        )
        folder.write_cell(cells[-1])
    folder.write_summary(summarise(cells, LABELS, MACRO_F1))
    made = record(model, **changes)
    folder.write_record(made)
    return made


def store_unfinished(results: Path, model: str, status: str) -> None:
    folder = RunFolder(results / "denial" / model / "bbbb")
    folder.write_cell(CellResult(0, status="failed", error="Traceback: ValueError: broke"))
    folder.write_record(record(model, status=status))


@pytest.fixture
def results(tmp_path: Path) -> Path:
    store(tmp_path, "good", 0.9)
    store(tmp_path, "poor", 0.4)
    store(tmp_path, "middling", 0.7, probabilities=False, searched=False)
    store_unfinished(tmp_path, "broken", "failed")
    store_unfinished(tmp_path, "halted", "interrupted")
    return tmp_path


def named(board: Leaderboard) -> list[str]:
    return [row.model for row in board.rows]


def test_models_stand_best_first_then_the_passes_then_what_failed(results: Path) -> None:
    board = leaderboard(results, record("good"))
    assert [(row.model, row.kind) for row in board.rows] == [
        ("good", "model"),
        ("middling", "model"),
        ("poor", "model"),
        ("pass-1", "reference"),
        ("broken", "failed"),
        ("halted", "interrupted"),
    ]
    scores = [row.scores["macro_f1"] for row in board.rows[:3]]
    assert scores == sorted(scores, reverse=True)


def test_a_metric_of_which_less_is_better_is_ranked_from_the_least(tmp_path: Path) -> None:
    task = {"metric": "log_loss"}
    for model, right in (("poor", 0.3), ("good", 0.95), ("middling", 0.6)):
        made = store(tmp_path, model, right, task=task)
    board = leaderboard(tmp_path, made)
    assert named(board)[:3] == ["good", "middling", "poor"]
    assert board_markdown(board).splitlines()[4].startswith("| model | search | log-loss | macro-F1 |")


def test_equal_scores_are_ranked_by_name(tmp_path: Path) -> None:
    for model in ("b", "c", "a"):
        made = store(tmp_path, model, 0.8)
    assert named(leaderboard(tmp_path, made))[:3] == ["a", "b", "c"]


def test_every_score_of_a_model_has_an_interval_around_it_and_its_time_is_the_cells(results: Path) -> None:
    for row in leaderboard(results, record("good")).rows[:3]:
        assert set(row.intervals) == set(row.scores)
        for name, ends in row.intervals.items():
            assert ends.low <= row.scores[name] <= ends.high
        assert set(LABEL_METRICS) <= set(row.scores)
        assert row.seconds == pytest.approx(5 * 1.75)


def test_a_run_that_failed_has_no_number(results: Path) -> None:
    for row in leaderboard(results, record("good")).rows[4:]:
        assert (row.scores, row.intervals, row.seconds) == ({}, {}, None)


def test_each_annotation_pass_stands_in_the_table_where_there_are_any(results: Path) -> None:
    board = leaderboard(results, record("good"))
    assert board.rows[3].scores == REFERENCE["scores"]
    assert "| pass-1 vs others |  | 0.900 [0.800, 0.950] |" in board_markdown(board)
    assert "pass-1" not in named(leaderboard(results, record("good", task={"references": []})))


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"splits": "other"},
        {"task": {"digest": "cd" * 32}},
        {"task": {"metric": "mcc"}},
        {"validation": {"group": "claim"}},
        {"validation": {"folds": 10}},
        {"validation": {"inner_folds": 2}},
        {"validation": {"repeats": 2}},
    ],
    ids=str,
)
def test_a_run_of_another_seed_data_or_protocol_is_left_out(results: Path, change: dict[str, Any]) -> None:
    before = leaderboard(results, record("good"))
    other = store(results, "other", 0.99, **change)
    assert leaderboard(results, record("good")) == before
    assert named(leaderboard(results, other))[0] == "other"
    assert "good" not in named(leaderboard(results, other))


def test_a_run_of_another_result_format_is_left_out(results: Path) -> None:
    before = leaderboard(results, record("good"))
    store(results, "other", 0.99, format=FORMAT + 1)
    assert leaderboard(results, record("good")) == before


def test_a_damaged_record_is_left_out_and_spoils_nothing(results: Path) -> None:
    before = leaderboard(results, record("good"))
    for key, content in (("eeee", "{"), ("ffff", "[]"), ("9999", json.dumps({"format": FORMAT, "status": "complete"}))):
        path = results / "denial" / "other" / key
        path.mkdir(parents=True)
        (path / "run.json").write_text(content)
    board = leaderboard(results, record("good"))
    assert [reason.partition(": ")[0] for reason in board.left_out] == ["a stored run of other is left out"] * 3
    assert board == replace(before, left_out=board.left_out)


def test_another_search_or_another_name_of_the_protocol_compares_and_is_shown(results: Path) -> None:
    store(results, "good", 0.95, key="cccc", draw=1, search={"name": "thorough", "trials": 100})
    store(results, "renamed", 0.2, validation={"name": "mine"})
    rows = leaderboard(results, record("good")).rows
    assert sorted((row.model, row.search) for row in rows if row.model in ("good", "middling")) == [
        ("good", "standard"),
        ("good", "thorough"),
        ("middling", None),
    ]
    assert "renamed" in [row.model for row in rows]


def test_the_files_hold_the_same_figures(results: Path) -> None:
    board = leaderboard(results, record("good"))
    folder = write_leaderboard(results, board)
    assert folder == results / "denial"
    stored = json.loads((folder / "leaderboard.json").read_text())
    assert stored["rows"] == json.loads(to_json(plain(board)))["rows"]
    assert {*stored["task"]} == {*ABOUT_TASK} - {"averaged_over"}
    with (folder / "leaderboard.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    lines = (folder / "leaderboard.md").read_text().splitlines()
    markdown = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    header, body = markdown[0], markdown[2:]
    shown_metrics = (*LABEL_METRICS, *PROBABILITY_METRICS)
    assert header == ["model", "search", *(metric_title(name) for name in shown_metrics), "time (s)"]
    assert [row["model"] for row in table] == named(board)
    assert [cells[0] for cells in body] == [row.label for row in board.rows]
    for row, of_csv, of_markdown in zip(board.rows, table, body, strict=True):
        cells = dict(zip(header, of_markdown, strict=True))
        assert (of_csv["kind"], of_csv["search"], of_csv["key"]) == (row.kind, row.search or "", row.key or "")
        for name in shown_metrics:
            shown = cells[metric_title(name)]
            if name not in row.scores:
                assert of_csv[name] == ""
                assert shown == (row.kind if row.scores == {} and name == "macro_f1" else "")
                continue
            assert float(of_csv[name]) == row.scores[name]
            assert shown.split()[0] == f"{row.scores[name]:.3f}"
        ends = row.intervals.get("macro_f1")
        if ends:
            assert (float(of_csv["macro_f1_low"]), float(of_csv["macro_f1_high"])) == (ends.low, ends.high)
            assert cells["macro-F1"].endswith(f"[{ends.low:.3f}, {ends.high:.3f}]")
        assert of_csv["seconds"] == ("" if row.seconds is None else str(row.seconds))


def test_making_it_again_gives_the_same_bytes(results: Path) -> None:
    names = ("leaderboard.json", "leaderboard.csv", "leaderboard.md")
    folder = write_leaderboard(results, leaderboard(results, record("good")))
    first = {name: (folder / name).read_bytes() for name in names}
    for name in names:
        (folder / name).unlink()
    write_leaderboard(results, leaderboard(results, record("poor")))
    assert {name: (folder / name).read_bytes() for name in names} == first


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    def show(board: Leaderboard, folder: Path) -> list[str]:
        print_leaderboard(board, folder)
        return capsys.readouterr().out.splitlines()

    return show


def test_the_printed_table_shows_the_same_figures(results: Path, printed: Any) -> None:
    board = leaderboard(results, record("good"))
    lines = printed(board, results / "denial")
    for row in board.rows:
        (line,) = [line for line in lines if line.startswith(row.model.split()[0])]
        figures = re.findall(r"-?\d\.\d{3}", line)
        if row.kind in ("model", "reference"):
            ends = row.intervals["macro_f1"]
            shown = [
                row.scores["macro_f1"],
                ends.low,
                ends.high,
                *(row.scores[name] for name in LABEL_METRICS[1:]),
            ]
            assert figures == [f"{value:.3f}" for value in shown]
            assert line.endswith("8.8 s") == (row.kind == "model")
        else:
            assert line.split()[-1] == row.kind
    assert any(line.startswith(f"Stored in {results}/denial/ with leaderboard.json") for line in lines)


def test_the_table_fits_80_columns_with_long_names_and_no_figure_is_cut(results: Path, printed: Any) -> None:
    name = "logistic-regression-over-subword-embeddings-of-the-claim-and-the-text"
    store(results, name, 0.95, search={"name": "thorough", "trials": 100}, notes=("a rather long note " * 9,))
    board = leaderboard(results, record("good"))
    lines = printed(board, Path("results/denial"))
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert "…" not in text
    for row in board.rows[:3]:
        ends = row.intervals["macro_f1"]
        shown = [row.scores["macro_f1"], ends.low, ends.high, row.scores["accuracy"]]
        first, low, high, accuracy = (f"{value:.3f}" for value in shown)
        assert re.search(rf"{first} +\[{low}, {high}\] +{accuracy}", text)
    first_column = [line[: lines[3].index("macro-F1")].strip() for line in lines]
    assert name in "".join(first_column)


def test_a_note_of_every_model_is_printed_once_and_others_with_the_models_names(tmp_path: Path, printed: Any) -> None:
    store(tmp_path, "a", 0.9, notes=("training lacks none",))
    made = store(tmp_path, "b", 0.8, notes=("training lacks none", "ConvergenceWarning: no"))
    lines = [line for line in printed(leaderboard(tmp_path, made), tmp_path) if line.startswith("note: ")]
    assert lines[0] == "note: fold 0: training lacks none"
    assert sum("training lacks none" in line for line in lines) == 5
    assert lines[5] == "note: b: fold 0: ConvergenceWarning: no"
    assert lines[-1] == "note: 2 more in the runs' summary.json"


def test_two_runs_of_one_model_are_told_apart_by_their_commands(tmp_path: Path, printed: Any) -> None:
    first = store(tmp_path, "good", 0.9, "aaaa1111", command="bench run task=denial model.params.C=1")
    store(tmp_path, "good", 0.7, "bbbb2222", command="bench run task=denial model.params.C=2")
    store(tmp_path, "other", 0.5)
    board = leaderboard(tmp_path, first)
    for lines in (board_markdown(board).splitlines(), printed(board, tmp_path)):
        told = [line.removeprefix("- ") for line in lines if ": bench run" in line]
        assert told == [
            "good #aaaa: bench run task=denial model.params.C=1",
            "good #bbbb: bench run task=denial model.params.C=2",
        ]


def test_a_leaderboard_file_that_lists_a_deleted_run_is_made_again(results: Path) -> None:
    write_leaderboard(results, leaderboard(results, record("good")))
    before = (results / "denial" / "leaderboard.md").read_text()
    refresh_leaderboard(results, "denial")
    assert (results / "denial" / "leaderboard.md").read_text() == before
    shutil.rmtree(results / "denial" / "good" / "aaaa")
    refresh_leaderboard(results, "denial")
    for name in FILES:
        assert "good" not in (results / "denial" / name).read_text()
        assert "middling" in (results / "denial" / name).read_text()


def test_the_leaderboard_files_go_with_the_last_run(tmp_path: Path) -> None:
    store(tmp_path, "good", 0.9)
    write_leaderboard(tmp_path, leaderboard(tmp_path, record("good")))
    shutil.rmtree(tmp_path / "denial" / "good")
    (tmp_path / "denial" / "mine.txt").write_text("kept")
    refresh_leaderboard(tmp_path, "denial")
    assert [path.name for path in (tmp_path / "denial").iterdir()] == ["mine.txt"]


def test_a_leaderboard_that_is_none_or_cannot_be_read_is_left_alone(results: Path) -> None:
    refresh_leaderboard(results, "denial")
    assert not (results / "denial" / "leaderboard.json").exists()
    (results / "denial" / "leaderboard.json").write_text("[]")
    refresh_leaderboard(results, "denial")
    assert (results / "denial" / "leaderboard.json").read_text() == "[]"


def test_comparing_makes_the_leaderboard_of_a_deleted_run_again(results: Path) -> None:
    write_leaderboard(results, corrected_leaderboard(results, record("good")))
    shutil.rmtree(results / "denial" / "good")
    refresh_leaderboards(parse_compare_request(["task=denial", f"results={results}"]))
    assert "good" not in (results / "denial" / "leaderboard.csv").read_text()
