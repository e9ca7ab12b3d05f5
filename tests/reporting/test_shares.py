"""Shares in the terminal, as CSV, as a figure and in the report, from what is stored."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from present import present
from rich.cells import cell_len
from some_estimates import MONTHS, estimates_of

from bench.reporting.shares import print_estimates, share_figure, shares_answer, shares_csv
from bench.statistics.sampled import Archive


@pytest.mark.parametrize("columns", [40, 50, 60, 80, 120])
@pytest.mark.parametrize("label", ["fabricated", "a label of many words, which takes several lines"])
@pytest.mark.parametrize("parts", [MONTHS, ("a very long name of a news outlet from afar", "BBC")])
def test_in_any_width_parts_are_named_numbers_are_whole_and_what_has_no_room_is_told(
    columns: int, label: str, parts: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    print_estimates(estimates_of(("true", label), parts))
    printed = capsys.readouterr().out
    assert max(map(cell_len, printed.splitlines())) <= columns
    assert "…" not in printed
    for words, times in (("23.3 to 43.3", 3), ("56.7 to 76.7", 3), ("6.8 to 17.9", 2), ("+12.3", 2)):
        assert len(re.findall(rf"{re.escape(words)}(?!\d)", printed.partition("assumption:")[0])) >= times
    assert {*" ".join(parts).split()} <= {*printed.split()}
    _, by_part, _ = re.split("(?m)^(?:publish|differen)", printed)
    told = by_part.replace("\n", " ").partition("no room for: ")[2]
    for heading, cell in (("texts", "1,234,567"), ("labelled", "2,345"), ("counted (biased)", "43.2")):
        assert (cell in by_part) != (heading in told)
    if columns >= 60:
        assert "published:month" in printed


def test_columns_that_say_nothing_go_first(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    labels = ("true", "fabricated", "doubtful")
    print_estimates(estimates_of(labels, ()))
    printed = capsys.readouterr().out
    assert "no room for: adjusted\n" in printed
    assert "labels alone" in printed.partition("no room")[0]


def test_the_answer_names_the_most_frequent_labels() -> None:
    assert (
        shares_answer(estimates_of(("a", "b"), ()))
        == "Of the archive, 33.3 % a (23.3 to 43.3), 66.7 % b (56.7 to 76.7)."
    )
    told = shares_answer(estimates_of(tuple("cdefghij"), ()))
    assert [label for label in "cdefghij" if f"% {label} (" in told] == ["h", "i", "j"]
    assert "; the rest is of 5 rarer labels." in " ".join(told.split())


def test_what_is_counted_is_told_as_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    """Counted are labels where they are known, and the model's labels of the other texts."""
    print_estimates(estimates_of())
    told = [" ".join(capsys.readouterr().out.split())]
    files = ("docs/how-to/estimate.md", "bench/reporting/html/templates/page.html.jinja")
    told += [(Path(__file__).parents[2] / file).read_text(encoding="utf-8") for file in files]
    assert all("labels where they are known, the model" in text for text in told)
    archive = Archive(60, np.full(2, 0.5), np.array([1.0, 0.0]), np.array([10.0, 30.0]), np.zeros(2))
    assert archive.counted().tolist() == [0.7, 0.3]


def test_as_csv_each_share_names_the_column_of_the_narrowest_interval() -> None:
    estimates = estimates_of()
    rows = list(csv.DictReader(io.StringIO(shares_csv(estimates))))
    assert [row["narrowest"] for row in rows] == ["share", "labels_alone"] * 3 + ["", ""]
    for row, each in zip(rows, estimates.whole.shares, strict=False):
        assert float(row["share_low"]) == each.powered.value - 0.1
        assert float(row[row["narrowest"]]) == each.powered.value


@pytest.mark.parametrize("labels", [("true", "fabricated"), tuple("abcdefghijkl")])
def test_the_legend_of_the_figure_lies_outside_what_is_drawn(labels: tuple[str, ...]) -> None:
    figure = share_figure(estimates_of(labels))
    figure.draw_without_rendering()
    legends: list[Any] = [*figure.legends, *(ax.get_legend() for ax in figure.axes if ax.get_legend())]
    (legend,) = legends
    assert [text.get_text() for text in legend.get_texts()] == ["counted (biased)", "estimate"]
    assert not any(legend.get_window_extent().overlaps(present(ax.get_tightbbox())) for ax in figure.axes)
