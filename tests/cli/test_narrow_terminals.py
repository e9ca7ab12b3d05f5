"""Tables in terminals of any width: names stay whole, metrics go first, then intervals."""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from bench.reporting import comparison as comparison_module
from bench.reporting import curve as curve_module
from bench.reporting import terminal
from bench.reporting.curve import print_curve
from bench.reporting.terminal import narrowed, print_card, print_leaderboard, print_list, text_width, wrapped

WIDTHS = (40, 44, 60, 80, 120)
NAMES = ("gradient-boosting", "complement-nb", "majority")
LABEL = "غير مُؤكَّد"


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a function prints in a terminal of a width, line by line."""

    def show(width: int, function: Any, *args: Any) -> list[str]:
        file = io.StringIO()
        for module in (terminal, comparison_module, curve_module):
            made = Console(
                file=file, width=width, highlight=False, markup=False, force_terminal=True, color_system=None
            )
            monkeypatch.setattr(module, "console", lambda made=made: made)
        function(*args)
        return [line.rstrip() for line in file.getvalue().splitlines()]

    return show


def spaced(value: Any) -> Any:
    """Plain data as an object of which the printing reads no more than this; what is by metric or axis stays."""
    if isinstance(value, list):
        return [spaced(each) for each in value]
    if not isinstance(value, dict):
        return value
    by_name = ("scores", "intervals", "axes", "verdicts", "splits", "search")
    parts = {
        name: {key: spaced(each) for key, each in part.items()}
        if name in by_name and isinstance(part, dict)
        else spaced(part)
        for name, part in value.items()
    }
    return SimpleNamespace(**parts)


def board() -> Any:
    return spaced(board_content())


def board_content() -> dict[str, Any]:
    metrics = ("macro_f1", "accuracy", "balanced_accuracy", "mcc", "log_loss", "brier", "average_precision")
    rows: list[dict[str, Any]] = [
        {
            "kind": "model",
            "model": name,
            "label": name,
            "search": "quick",
            "key": "0123456789ab",
            "scores": dict.fromkeys(metrics, 0.5),
            "intervals": {"macro_f1": {"low": 0.25, "high": 0.75}},
            "ranks": None,
            "seed_deviation": None,
            "notes": [],
            "seconds": 1234.0,
            "command": "",
        }
        for name in NAMES
    ]
    task = {"name": "stance", "version": 1, "digest": "ab" * 32, "labels": ["a", "b"], "splits": {}}
    return {
        "task": task
        | {
            "n_examples": 90,
            "n_groups": 5,
            "group": "document",
            "metric": "macro_f1",
            "averaged_over": "",
            "published": [],
        },
        "metric": "macro_f1",
        "seed": 0,
        "seeds": [],
        "seeds_text": "seed 0",
        "periods": [],
        "gains": [],
        "rows": rows,
        "left_out": [],
        "best": None,
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_a_leaderboard_keeps_the_models_names_and_the_score_it_ranks_by(width: int, printed: Any) -> None:
    lines = printed(width, print_leaderboard, board(), Path("results/stance"))
    table = [line for line in lines if line.startswith(NAMES)]
    assert [line.split()[0] for line in table] == list(NAMES)
    assert all(line.split()[1] == "0.500" for line in table)
    assert max(map(len, [line for line in lines if line.startswith(("model", *NAMES))])) <= width
    assert "…" not in "\n".join(lines)
    heading = next(line for line in lines if line.startswith("model"))
    assert ("95 % interval" in heading) == (width >= 44)
    assert ("MCC" in heading) == (width >= 80)
    assert ("Brier" in heading) == (width >= 120)
    left_out = [line for line in lines if line.startswith("no room for: ")]
    assert len(left_out) == (width < 80)


@pytest.mark.parametrize("width", WIDTHS)
def test_columns_go_in_the_order_that_is_given_and_only_as_many_as_need(width: int) -> None:
    table = Table("model", "score", "interval", "more", box=None, pad_edge=False, padding=(0, 1))
    table.add_row("a-name-of-twenty-one-x", "0.5", "[0.250, 0.750]", "x" * 30)
    table.add_row("below", "0.5", style="dim")
    fewer, left_out = narrowed(table, width, ["more", "interval"])
    assert left_out == (["more", "interval"] if width < 45 else ["more"] if width < 77 else [])
    assert [row.style for row in fewer.rows] == [None, "dim"]
    file = io.StringIO()
    Console(file=file, width=width).print(fewer)
    assert "a-name-of-twenty-one-x" in file.getvalue()
    assert max(map(len, file.getvalue().splitlines())) <= width


def test_names_in_arabic_are_measured_as_they_are_shown() -> None:
    table = Table("label", "F1", "n", box=None, pad_edge=False, padding=(0, 1))
    table.add_row(LABEL, "0.5", "12")
    table.add_row("a" * cell_len(LABEL), "0.5", "12")
    needed = cell_len(LABEL) + 2 + 3 + 2 + 2
    assert needed < len(LABEL) + 9
    assert narrowed(table, needed, ["n"])[1] == []
    assert narrowed(table, needed - 1, ["n"])[1] == ["n"]
    file = io.StringIO()
    Console(file=file, width=needed).print(table)
    lines = file.getvalue().splitlines()[1:]
    assert len({cell_len(line[: line.index("0.5")]) for line in lines}) == 1


def comparison() -> Any:
    interval = {"low": 0.012, "high": 0.234}
    pairs = [
        {
            "first": first,
            "second": second,
            "groups": {"difference": 0.123, "interval": interval, "p_value": 0.2},
            "interval": interval,
            "folds": {"first": 0.6, "equal": 0.1, "second": 0.3},
            "p_folds": 0.3,
            "p_groups": 0.2,
            "errors": {"p_value": 0.04},
            "verdict": "undecided",
        }
        for first, second in pairwise(NAMES)
    ]
    about = {"score": 0.5, "scores": {"macro_f1": 0.5}, "interval": interval, "tied": True}
    about |= {"ranks": [1, 12], "seed_deviation": None}
    rows = [{"name": name, **about} for name in NAMES]
    content = {
        "task": board_content()["task"],
        "metric": "macro_f1",
        "n_folds": 5,
        "seeds": [],
        "baseline": None,
        "rope": 0.01,
        "rows": rows,
        "pairs": pairs,
        "references": [],
    }
    return spaced(content)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_comparison_keeps_names_and_verdicts(width: int) -> None:
    pairs, left_out = narrowed(comparison_module._pairs(comparison()), width, comparison_module.LEFT_OUT)
    file = io.StringIO()
    Console(file=file, width=width).print(pairs)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines if line.endswith("undecided")] == list(NAMES[1:])
    assert all(name in "\n".join(lines) for name in NAMES)
    assert bool(left_out) == (width < 80)
    assert ("95 %\ninterval" in left_out) == (width < 60)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_ranking_keeps_names_and_scores(width: int) -> None:
    ranking, left_out = narrowed(comparison_module._ranking(comparison()), width, comparison_module.LEFT_OUT_OF_RANKING)
    file = io.StringIO()
    Console(file=file, width=width).print(ranking)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    assert [line.split()[:2] for line in lines[1:]] == [[name, "0.500"] for name in NAMES]
    assert all(line.endswith("~") for line in lines[1:])
    assert left_out == (["ranks", "95 % interval"] if width < 45 else [])


@pytest.mark.parametrize("width", WIDTHS)
def test_ranks_are_explained_only_where_they_are_shown(width: int, printed: Any) -> None:
    content = board_content()
    rows = [{**row, "ranks": [1, 12]} for row in content["rows"]]
    lines = printed(width, print_leaderboard, spaced({**content, "rows": rows}), Path("results/stance"))
    heading = next(line for line in lines if line.startswith("model"))
    assert any(line.startswith("ranks: ") for line in lines) == ("ranks" in heading) == (width >= 60)


def curve_points() -> list[dict[str, Any]]:
    sizes = {"1/4": 10.0, "1/2": 20.5, "all": 41.0}
    return [
        {
            "part": part,
            "n_groups": size,
            "n_examples": 12345 * size,
            "scores": {"macro_f1": 0.5},
            "intervals": {"macro_f1": {"low": 0.25, "high": 0.75}},
        }
        for part, size in sizes.items()
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_curve_keeps_its_parts_sizes_and_scores(width: int, printed: Any) -> None:
    record = {
        "task": board_content()["task"],
        "model": {"name": NAMES[0], "search": {}},
        "seed": 0,
        "parts": [],
        "folds": 5,
    }
    summary: dict[str, Any] = {
        "metric": "macro_f1",
        "axes": {"groups": curve_points()},
        "verdicts": {},
        "worth": None,
        "notes": [],
    }
    lines = printed(width, print_curve, spaced({"path": Path("results/x"), "record": record, "summary": summary}))
    table = [line.split() for line in lines if line.startswith(("1/4", "1/2", "all"))]
    assert [row[0] for row in table] == ["1/4", "1/2", "all"]
    assert [row[1] for row in table] == ["10", "20.5", "41"]
    assert all("0.500" in row for row in table)
    assert max(len(line) for line in lines if line.startswith(("part", "1/", "all"))) <= width
    assert ("examples" in "".join(line for line in lines if line.startswith("part"))) == (width >= 60)


CARD = """24 examples in 30 groups.

| label | {groups} | all |
| --- | {rules} | ---: |
| غير مُؤكَّد | {ones} | 30 |
| a \\| b | {ones} | 30 |

The end."""


@pytest.mark.parametrize("width", WIDTHS)
def test_a_data_cards_table_keeps_labels_and_sums(width: int, printed: Any) -> None:
    groups = [f"document-{number}" for number in range(30)]
    cells = {"groups": groups, "rules": ["---:"] * 30, "ones": ["1"] * 30}
    card = CARD.format(**{name: " | ".join(values) for name, values in cells.items()})
    lines = printed(width, print_card, card)
    assert max(map(cell_len, lines)) <= width
    table = [line for line in lines if line.startswith(("label", LABEL, "a | b"))]
    assert [line.split()[-1] for line in table] == ["all", "30", "30"]
    assert len({cell_len(line) for line in table}) == 1
    assert ("document-0" in table[0]) == (width >= 40)
    assert lines[-1] == "The end."


def test_a_data_card_is_piped_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    card = CARD.format(groups="g" * 90, rules="---:", ones="1")
    print_card(card)
    assert capsys.readouterr().out == f"{card}\n"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_list_keeps_its_names_whole(width: int, printed: Any) -> None:
    rows = [(name, "What it is, in a sentence of some length.", "configs/model/x.yaml") for name in NAMES]
    lines = printed(width, print_list, rows)
    assert [line.split()[0] for line in lines if line.startswith(NAMES)] == list(NAMES)
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()).count("configs/model/x.yaml") == 3


@pytest.mark.parametrize(("columns", "width"), [("40", 40), ("60", 60), ("80", 80), ("200", 80)])
def test_sentences_are_wrapped_at_80_columns_or_fewer(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert text_width() == width
    lines = wrapped("a sentence of several words " * 9, "- ", "  ").splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("- a")
    assert all(line.startswith("  ") for line in lines[1:])
