"""The forest plot: the intervals on which the verdicts rest, on pages, in notebooks and in files for papers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from contest import compared, store_contest
from present import present

from bench.comparison.compare import Comparison
from bench.comparison.contrasts import Contrast, contrasts, favours, to_the_baseline, to_the_best
from bench.reporting.figure import figure_bytes, forest_figure
from bench.reporting.forest import forest_panels, signed
from bench.reporting.html.forest import forest_charts, forest_svg

RIGHT = {"good": 0.85, "twin": 0.84, "fair": 0.75, "poor": 0.55, "majority": 0.33}


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("contest")
    store_contest(results, RIGHT)
    return results


def assert_the_verdict_rests_on_the_interval(comparison: Comparison, found: Sequence[Contrast]) -> None:
    for each in found:
        interval = each.interval
        if interval is None:
            assert each.standing == "undecided"
            continue
        one_sided = interval.low >= 0 or interval.high <= 0
        if each.standing == "practically equal":
            assert interval.level == 0.90
            assert -comparison.rope < interval.low <= interval.high < comparison.rope
        else:
            assert interval.level == 0.95
            assert one_sided == (each.standing in ("better", "worse"))
        if each.standing in ("better", "worse"):
            assert favours(comparison, each.difference) == (each.standing == "better")
            assert interval.low <= each.difference <= interval.high


@pytest.mark.parametrize(
    ("metric", "rope", "baseline"),
    [("macro_f1", 0.01, None), ("mcc", 0.2, None), ("accuracy", 0.1, "twin"), ("log_loss", 0.0, None)],
)
def test_an_interval_lies_on_one_side_of_zero_just_where_the_verdict_is_better_or_worse(
    contest: Path, metric: str, rope: float, baseline: str | None
) -> None:
    named = [] if baseline is None else [f"baseline={baseline}"]
    comparison = compared(contest, "task=denial", f"metric={metric}", f"rope={rope}", *named)
    drawn = [row for panel in forest_panels(comparison) for row in panel.rows if isinstance(row, Contrast)]
    assert len(drawn) == (7 if baseline is None else 4)
    assert_the_verdict_rests_on_the_interval(comparison, drawn)
    if baseline is None:
        every = [each for row in comparison.rows for each in contrasts(comparison, row.name)]
        assert len(every) == 5 * 4
        assert_the_verdict_rests_on_the_interval(comparison, every)


@pytest.mark.parametrize("n_groups", [4, 5, 8])
def test_so_it_is_with_few_groups(tmp_path: Path, n_groups: int) -> None:
    store_contest(tmp_path, RIGHT, n_groups=n_groups, per_group=20, folds=min(n_groups, 5))
    comparison = compared(tmp_path, "task=denial")
    every = [each for row in comparison.rows for each in contrasts(comparison, row.name)]
    assert_the_verdict_rests_on_the_interval(comparison, every)
    assert (n_groups >= 5) == any(each.interval is not None for each in every)


def test_a_contrast_is_the_pair_seen_from_the_model(contest: Path) -> None:
    comparison = compared(contest, "task=denial")
    scores = {row.name: row.score for row in comparison.rows}
    for reference in scores:
        found = contrasts(comparison, reference)
        assert [each.name for each in found] == [name for name in scores if name != reference]
        for each in found:
            assert each.difference == pytest.approx(scores[each.name] - scores[reference])
            back = next(other for other in contrasts(comparison, each.name) if other.name == reference)
            assert back.difference == -each.difference
            assert (back.interval.low, back.interval.high) == (-each.interval.high, -each.interval.low)
            turned = {"better": "worse", "worse": "better"}
            assert back.standing == turned.get(each.standing, each.standing)


def test_the_majority_is_compared_apart_and_a_named_baseline_alone(contest: Path) -> None:
    comparison = compared(contest, "task=denial")
    names = [row.name for row in comparison.rows]
    assert [each.name for each in to_the_best(comparison)] == names[1:4]
    assert [each.name for each in to_the_baseline(comparison)] == names[:4]
    assert {each.reference for each in to_the_baseline(comparison)} == {"majority"}
    named = compared(contest, "task=denial", "baseline=fair")
    assert [panel.reference for panel in forest_panels(named)] == ["fair"]
    without = compared(contest, "task=denial", "model=good,poor")
    assert [panel.reference for panel in forest_panels(without)] == ["good"]


def test_the_chart_on_the_page_draws_the_numbers_of_the_pairs(contest: Path) -> None:
    comparison = compared(contest, "task=denial")
    panels, charts = forest_panels(comparison), forest_charts(comparison)
    assert len(panels) == len(charts) == 2
    for panel, chart in zip(panels, charts, strict=True):
        expected = [
            (row.name, *map(signed, (row.difference, row.interval.low, row.interval.high)), row.standing)
            for row in panel.rows
        ]
        assert chart.rows == expected
        width = float(present(re.search(r'viewBox="0 0 (\d+)', chart.svg))[1])
        zero = float(present(re.search(r'<path d="M([\d.]+) \d+V\d+" class="zero"/>', chart.svg))[1])
        drawn = re.findall(r'<path d="M([\d.]+) [\d.]+H([\d.]+)" class="interval', chart.svg)
        assert len(drawn) == len(panel.rows)
        for row, (low, high) in zip(panel.rows, drawn, strict=True):
            assert 0 < float(low) < float(high) < width
            # The picture has tenths of a point.
            crosses = float(low) < zero - 0.1 and float(high) > zero + 0.1
            assert crosses == (row.standing == "undecided")


def test_the_svg_stands_alone_and_names_are_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>&\"'"
    store_contest(tmp_path, {"good": 0.9, "poor": 0.5})
    comparison = compared(tmp_path, "task=denial")
    (pair,), (best, other) = comparison.pairs, comparison.rows
    changed = replace(comparison, pairs=(replace(pair, second=evil),), rows=(best, replace(other, name=evil)))
    svg = forest_svg(changed)
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert not [each for each in root.iter() if each.tag.endswith("script")]
    assert any((each.text or "").startswith("<scr") for each in root.iter())
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "begins"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_a_figure_for_a_paper_is_the_same_bytes_each_time(contest: Path, ending: str, begins: bytes) -> None:
    comparison = compared(contest, "task=denial")
    first, again = (figure_bytes(forest_figure(comparison), ending) for _ in range(2))
    assert first.startswith(begins)
    assert first == again


def test_a_figure_draws_the_intervals_of_the_pairs(contest: Path) -> None:
    comparison = compared(contest, "task=denial")
    figure = forest_figure(comparison)
    for ax, panel in zip(figure.axes, forest_panels(comparison), strict=True):
        lines = [np.asarray(line.get_xdata()).tolist() for line in ax.lines]
        drawn = [ends for ends in lines if len(ends) == 2 and ends[0] < ends[1]]
        assert drawn == [[row.interval.low, row.interval.high] for row in panel.rows if row.interval]
        assert [label.get_text() for label in ax.get_yticklabels()] == [row.name for row in panel.rows]


@pytest.mark.slow
def test_the_command_writes_a_picture_and_spares_a_file_that_is_there(contest: Path, tmp_path: Path, bench) -> None:
    path = tmp_path / "new" / "forest.pdf"
    words = ("compare", "task=denial", f"results={contest}", "--plot", str(path))
    status, out, err = bench(*words)
    assert status == 0
    assert "has the best macro-F1" in out
    assert path.read_bytes().startswith(b"%PDF")
    status, _, err = bench(*words)
    assert status == 2
    assert "--force" in err
    assert bench(*words, "--force")[0] == 0
    status, _, err = bench(*words[:3], "--plot", str(tmp_path / "forest.docx"))
    assert status == 2
    assert "must end in .svg, .pdf or .png" in err
