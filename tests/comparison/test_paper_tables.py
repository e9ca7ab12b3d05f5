"""Tables for papers and other programs: `bench compare --format latex|markdown|csv|json`."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from contest import compared, store_contest
from hypothesis import given
from hypothesis import strategies as st
from present import present

from bench.reporting.paper.digits import to_csv
from bench.reporting.paper.tables import paper_tables
from bench.reporting.paper.typeset import latex, markdown, to_latex, to_markdown

RIGHT = {"good": 0.85, "twin": 0.84, "poor": 0.55, "majority": 0.33}


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("contest")
    for number, task in enumerate(("denial", "stance", "third")):
        store_contest(results, RIGHT, task=task, seed=number)
    return results


@pytest.mark.slow
def test_latex_has_the_best_in_bold_ties_and_significance_marked_and_the_protocol(contest: Path, bench) -> None:
    comparison = compared(contest, "task=denial")
    status, out, _ = bench("compare", "task=denial", f"results={contest}", "--format", "latex")
    assert status == 0
    assert out == to_latex(paper_tables([comparison]))
    best, tied = comparison.rows[:2]
    rows = [line.strip() for line in out.splitlines() if line.endswith(r"\\")]
    assert rows[1].startswith(rf"\textbf{{{best.name}}} & \textbf{{{best.score:.3f}}}$^{{\ast}}$ & [")
    assert rows[2].startswith(rf"{tied.name} & {tied.score:.3f}$^{{\sim\ast}}$ & [")
    assert rows[3].startswith(f"poor & {comparison.rows[2].score:.3f}$^{{\\ast}}$ & [")
    assert all(rule in out for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\label{tab:denial}"))
    caption = present(re.search(r"\\caption\{(.*)\}\n", out))[1]
    assert caption.startswith("Macro-F1 of the pooled out-of-fold predictions on denial (300 examples, 30 groups")
    assert "settings are chosen on inner folds; seed 0; intervals of 95 \\% by group. " in caption
    assert caption.endswith(r"$^{\sim}$ not distinguishable from the best. $^{\ast}$ better than majority.")
    assert len({row.count("&") for row in rows}) == 1


@pytest.mark.slow
def test_several_tasks_are_one_table_of_models_by_tasks_with_mean_ranks(contest: Path, bench) -> None:
    words = ("compare", "task=denial,stance,third", f"results={contest}", "--format")
    out = bench(*words, "latex")[1]
    assert r"\begin{tabular}{lrrrr}" in out
    assert "Model & denial & stance & third & Mean rank" in out
    assert out.count(r"\begin{table}") == 1
    assert out.count(r"\textbf{") == 3
    lines = bench(*words, "markdown")[1].splitlines()
    assert lines[0] == "| Model | denial | stance | third | Mean rank |"
    assert lines[1] == "| --- | ---: | ---: | ---: | ---: |"
    assert len({line.count("|") for line in lines[:6]}) == 1


@pytest.mark.slow
def test_csv_and_json_have_all_digits_of_every_model(contest: Path, bench) -> None:
    comparison = compared(contest, "task=denial")
    out = bench("compare", "task=denial", f"results={contest}", "--format", "csv")[1]
    rows = list(csv.DictReader(io.StringIO(out)))
    told = json.loads(bench("compare", "task=denial", f"results={contest}", "--format", "json")[1])["tasks"][0]
    assert [row["name"] for row in rows] == [row.name for row in comparison.rows]
    for row, record, plain in zip(rows, comparison.rows, told["rows"], strict=True):
        assert float(row["score"]) == record.score == plain["score"]
        assert (float(row["low"]), float(row["high"])) == (record.interval.low, record.interval.high)
        assert {name: float(row[name]) for name in record.scores} == record.scores
    assert rows[0]["from_best_difference"] == ""
    pair = next(each for each in comparison.pairs if {each.first, each.second} == {rows[0]["name"], "poor"})
    poor = next(row for row in rows if row["name"] == "poor")
    assert float(poor["from_best_difference"]) == -pair.groups.difference
    assert (float(poor["from_best_low"]), float(poor["from_best_high"])) == (-pair.interval.high, -pair.interval.low)
    assert (poor["from_best_verdict"], poor["from_baseline_verdict"]) == ("worse", "better")


def test_csv_of_pairs_has_each_pair_with_all_its_tests(contest: Path) -> None:
    comparisons = [compared(contest, f"task={task}") for task in ("denial", "stance")]
    rows = list(csv.DictReader(io.StringIO(to_csv(comparisons, pairs=True))))
    pairs = [(each.task.name, pair) for each in comparisons for pair in each.pairs]
    assert len(rows) == len(pairs) == 12
    for row, (task, pair) in zip(rows, pairs, strict=True):
        assert (row["task"], row["first"], row["second"], row["verdict"]) == (
            task,
            pair.first,
            pair.second,
            pair.verdict,
        )
        assert float(row["difference"]) == pair.groups.difference
        assert (float(row["low"]), float(row["p_groups"])) == (pair.interval.low, pair.p_groups)


@given(st.text())
def test_no_text_is_a_command_of_latex_or_markdown(text: str) -> None:
    written = latex(text)
    left = re.sub(r"\\text[a-z]+\{\}|\\[{}&%$#_]|\$-\$|\$\\pm\$", "", written)
    assert not re.search(r"[\\{}&%$#_~^<>|\"\n]", left)
    marked = markdown(text)
    assert not re.search(r"[\\`*_{}\[\]<>#|~$\n]", re.sub(r"\\[\\`*_{}\[\]<>#|~$]", "", marked))


def test_names_of_all_kinds_are_escaped_in_whole_tables(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a_b": 0.9, "c#1&d": 0.6, "نموذج": 0.5})
    comparison = compared(tmp_path, "task=denial")
    text = to_latex(paper_tables([comparison], pairs=True))
    assert r"\textbf{a\_b}" in text
    assert r"c\#1\&d" in text
    assert "compile it with XeLaTeX or LuaLaTeX" in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
    assert r"a\_b" in to_markdown(paper_tables([comparison]))
