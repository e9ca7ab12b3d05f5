"""The report: one page that holds what the store holds, in which nothing in the data can run."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contest import store_contest
from figures import figures_of, numbers_within
from hypothesis import example, given
from hypothesis import strategies as st
from present import present
from stored import change_record
from stored_task import write_task_runs

from bench.comparison.compare import compare
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import Filter
from bench.comparison.selection import select_runs
from bench.data import Task
from bench.errors import DataError
from bench.features.sets import cues, tfidf, tfidf_cues, words
from bench.metrics.registry import METRICS
from bench.reporting.features import NamedFeature, name_feature
from bench.reporting.html import page as page_module
from bench.reporting.html.charts import Line, Score, interval_chart, line_chart
from bench.reporting.html.environment import TEMPLATES
from bench.reporting.html.errors import LONGEST, most_named, to_script
from bench.reporting.html.page import FIRST_ERRORS, render_report
from bench.reporting.html.scores import MOST_GROUPS
from bench.results.cell import Explanation
from bench.results.store import RunFolder
from bench.statistics.calibration import FEWEST_IN_BIN, reliability

ROOT = Path(__file__).parents[2]
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MODELS = {"sure": 0.9, "fair": 0.7, "poor": 0.55, "majority": 0.4}
LABELS = ("نفي", "denial", "none")
TEXT = "نفت الوزارة الخبر رقم {} وقالت إن المصدر غير صحيح"
CLAIM = "Reuters: نفت الوزارة"
EVIL = "</script><script>alert('{0}')</script><img src=x onerror=alert('{0}')>\"'&\u2028{0}"


def make_task(mark: str = "{}", **changes: Any) -> Task:
    """A task of 200 examples in 8 groups with three annotation passes; `mark` stands around every name and text."""
    rng = np.random.default_rng(0)
    labels = tuple(mark.replace("{0}", f"label{n}").replace("{}", label) for n, label in enumerate(LABELS))
    codes = rng.integers(3, size=200)
    named = {name: mark.replace("{0}", name).replace("{}", "") for name in ("id", "text", "claim", "group")}
    examples = pd.DataFrame(
        {
            "id": [f"{named['id']}e{n}" for n in range(200)],
            "claim": [f"{CLAIM}{named['claim']}"] * 200,
            "text": [f"{TEXT.format(n)}{named['text']}" for n in range(200)],
            "label": [labels[code] for code in codes],
            "document": [f"{named['group']}d{n // 25}" for n in range(200)],
        }
    )
    passes = pd.DataFrame(
        {
            f"pass-{n}{mark.replace('{0}', 'pass').replace('{}', '')}": [
                labels[code if rng.random() < 0.9 else rng.integers(3)] for code in codes
            ]
            for n in (1, 2, 3)
        }
    )
    settings: dict[str, Any] = {
        "name": "made",
        "version": 1,
        "description": mark.replace("{0}", "description").replace("{}", "Made up."),
        "inputs": ("claim", "text"),
        "labels": labels,
        "metric": "macro_f1",
        "group": "document",
        "examples": examples,
        "passes": passes,
        "notes": (mark.replace("{0}", "datanote").replace("{}", "nothing was left out"),),
    }
    return Task(**(settings | changes))


def render(results: Path, task: Task, monkeypatch: pytest.MonkeyPatch | None = None, **wanted: Any) -> str:
    """The page about a task's stored runs, with the texts of `task`."""
    patch = monkeypatch or pytest.MonkeyPatch()
    patch.setattr(page_module, "load_task", lambda name: task)
    try:
        runs = read_side_by_side(select_runs(results, task.name, Filter()), wanted.pop("metric", None))
        return render_report(runs, compare(runs, 0.01, wanted.pop("baseline", None)))
    finally:
        if monkeypatch is None:
            patch.undo()


@pytest.fixture(scope="module")
def task() -> Task:
    return make_task()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, task: Task) -> Path:
    results = tmp_path_factory.mktemp("results")
    write_task_runs(results, task, MODELS, without_probabilities=("poor",), contested=12)
    return results


@pytest.fixture(scope="module")
def page(results: Path, task: Task) -> str:
    return render(results, task)


class Parsed(HTMLParser):
    """A page's elements with their attributes, and the text inside each script, table cell and elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._script: dict[str, str | None] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs)
            self.scripts.append((dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            attributes, before = self.scripts[-1]
            self.scripts[-1] = attributes, before + data
        else:
            self.text += data


def browser_json(page: str) -> dict[str, Any]:
    return json.loads(next(text for attributes, text in Parsed(page).scripts if "type" in attributes))


def table_rows(page: str, kind: str) -> list[list[str]]:
    """The cells of each row in the body of the first table of a class."""
    (table,) = re.findall(rf'<table class="{kind}">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)[:1]
    return [
        [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    ]


def stored_predictions(folder: RunFolder) -> pd.DataFrame:
    return pd.concat([present(folder.read_cell(fold).predictions).assign(fold=fold) for fold in folder.folds()])


def folder_of(results: Path, model: str) -> RunFolder:
    (path,) = (results / "made" / model).iterdir()
    return RunFolder(path)


@pytest.mark.slow
def test_the_same_stored_runs_give_the_same_bytes(results: Path, task: Task, page: str) -> None:
    assert render(results, task) == page


def test_the_bytes_do_not_depend_on_where_the_store_lies(tmp_path: Path, results: Path, task: Task, page: str) -> None:
    shutil.copytree(results, tmp_path / "elsewhere")
    assert render(tmp_path / "elsewhere", task) == page
    assert str(results) not in page


def test_every_number_in_the_leaderboard_is_that_of_the_stored_summary(results: Path, page: str) -> None:
    rows = table_rows(page, "ranking")
    summaries = {model: folder_of(results, model).read_summary() for model in MODELS}
    ranked = sorted(MODELS, key=lambda model: -summaries[model].scores["macro_f1"])
    assert [row[0] for row in rows[: len(MODELS)]] == ranked
    columns = [each.name for each in METRICS if each.everywhere and each.name != "macro_f1"]
    for name, score, interval, _, *others, _search in rows[: len(MODELS)]:
        summary = summaries[name]
        ends = summary.intervals["macro_f1"]
        assert score == f"{summary.scores['macro_f1']:.3f}"
        assert interval == f"[{ends.low:.3f}, {ends.high:.3f}]"
        expected = [f"{summary.scores[each]:.3f}" if each in summary.scores else "" for each in columns]
        assert [other.replace("\u2212", "-") for other in others] == expected
    references = folder_of(results, "sure").read_record().task.references
    shown = [(row[0], row[1]) for row in rows[len(MODELS) :]]
    assert shown == [(f"{each.name} vs others", f"{each.scores['macro_f1']:.3f}") for each in references]


def test_the_confusion_matrix_is_that_of_the_stored_summary(results: Path, page: str) -> None:
    confusion = np.array(folder_of(results, "sure").read_summary().confusion)
    for row, counts in zip(table_rows(page, "confusion"), confusion, strict=True):
        cells = [present(re.fullmatch(r"([\d,]+) (\d+) %", cell)) for cell in row[1:-1]]
        assert [int(cell[1]) for cell in cells] == counts.tolist()
        assert [int(cell[2]) for cell in cells] == [round(100 * count / counts.sum()) for count in counts]


def test_every_wrong_prediction_is_in_the_error_browser_and_no_right_one(results: Path, task: Task, page: str) -> None:
    data = browser_json(page)
    examples = task.examples.set_index("id")
    assert [run["name"] for run in data["runs"]] == list(MODELS)
    for run in data["runs"]:
        stored = stored_predictions(folder_of(results, run["name"]))
        wrong = stored[stored["label"] != stored["predicted"]].set_index("id")
        ids = [data["examples"]["id"][place] for place in run["example"]]
        assert sorted(ids) == sorted(wrong.index)
        for number, (name, place) in enumerate(zip(ids, run["example"], strict=True)):
            assert data["labels"][run["predicted"][number]] == wrong.loc[name, "predicted"]
            assert data["labels"][data["examples"]["gold"][place]] == wrong.loc[name, "label"]
            assert data["groups"][data["examples"]["group"][place]] == wrong.loc[name, "group"]
            assert run["fold"][number] == wrong.loc[name, "fold"]
            for column in ("claim", "text"):
                assert data["texts"][data["examples"][column][place]] == examples.loc[name, column]
            row = task.ids.tolist().index(name)
            given = [data["labels"][column[place]] for column in data["examples"]["passes"]]
            assert given == task.passes.iloc[row].tolist()
        if run["name"] == "poor":
            assert run["probabilities"] is None
            continue
        shown = np.array(run["probabilities"]).reshape(-1, 3) / 1000
        assert np.abs(shown - wrong.loc[ids, [f"p_{label}" for label in LABELS]].to_numpy()).max() <= 0.0005
        sureness = shown[np.arange(len(ids)), run["predicted"]]
        assert (np.diff(sureness) <= 0.0011).all(), "the surest errors come first"


def test_the_ngrams_of_an_error_are_those_that_were_stored(results: Path, page: str) -> None:
    data = browser_json(page)
    run = data["runs"][0]
    stored = {each.id: each for fold in range(5) for each in folder_of(results, run["name"]).read_explanations(fold)}
    assert data["named"] == 6
    for place, explained in zip(run["example"], run["explained"], strict=True):
        given = stored[data["examples"]["id"][place]]
        for side, expected_side in zip(explained, (given.speaks_for, given.speaks_against), strict=True):
            spelt = [
                (data["kinds"][data["names"][number][0]], data["names"][number][1], share)
                for number, share in zip(side[::2], side[1::2], strict=True)
            ]
            assert spelt == [(*SPELT[name], float(f"{share:.3g}")) for name, share in expected_side]


SPELT = {
    "word__text__نفى": ("word in text", "نفى"),
    "word__text__قال الوزير": ("words in text", "قال الوزير"),
    "char__text__ نف": ("letters in text", "␣نف"),
    "cues__text__denial": ("cue in text", "denial cue"),
}


def test_every_feature_of_the_package_has_a_name_without_its_block() -> None:
    frame = pd.DataFrame({"claim": ["نفت الوزارة 3"], "text": ["قالت الوزارة إن العدد 5"]})
    named = dict[str, set[tuple[str, str]]]()
    for make in (words, tfidf, cues, tfidf_cues):
        for inputs in (("text",), ("claim", "text")):
            transformer = make(inputs).fit(frame)
            names = list(transformer.get_feature_names_out())
            found = [name_feature(name, inputs) for name in names]
            assert not [each for each in found if "_" in each.kind + (each.term if not each.by else "")]
            assert {each.column for each in found if each.by} <= set(inputs)
            told = [(each.kind, each.term) for each in found]
            assert len(set(told)) == len(names)
            named[make.__name__] = set(told)
    assert ("claim and text", "words of opposite meaning") in named["cues"]
    assert ("claim and text", "denial cue in only one of the two, times the shared word stems") in named["cues"]


def test_a_feature_of_someone_elses_keeps_the_parts_of_its_name() -> None:
    assert name_feature("mine__deep__length_of_it", ("text",)) == NamedFeature("mine deep", "length_of_it")
    assert name_feature("x7", ("text",)) == NamedFeature("", "x7")
    assert name_feature("pair__mine", ("claim", "text")) == NamedFeature("pair", "mine")
    assert name_feature("word__text__a__b", ("text",)).term == "a__b"


def an_explanation(size: int) -> Explanation:
    return Explanation(
        id="e", predicted="a", true="b", contrast="b", speaks_for=(("a", 1.0),) * size, speaks_against=()
    )


@given(st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=4), min_size=1, max_size=4))
def test_ngrams_are_cut_only_where_the_page_would_grow_too_large(sizes: list[list[int]]) -> None:
    explained = [{(0, str(n)): an_explanation(size) for n, size in enumerate(run)} for run in sizes]
    assert most_named(explained) == max(size for run in sizes for size in run)


@pytest.mark.slow
def test_planted_script_is_text_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, page = _planted(tmp_path, monkeypatch)
    parsed = Parsed(page)
    ours, data = parsed.scripts[1], parsed.scripts[0]
    assert len(parsed.scripts) == 2
    assert data[0] == {"type": "application/json", "id": "errors-data"}
    assert ours == ({}, "".join((TEMPLATES / name).read_text() for name in ("scroll.js", "errors.js")))
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base", "audio", "video", "image", "use"}
    for tag, attributes in parsed.elements:
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "srcset", "action")], tag
        assert attributes.get("href", "#").startswith("#")
    inside = list(_strings(json.loads(data[1])))
    for name in ("label0", "id", "group", "text", "claim", "pass", "gram", "kind", "model"):
        planted = EVIL.replace("{0}", name).replace("/" if name == "model" else "\0", "")
        assert any(planted in text for text in inside), f"{name} is not in the error browser"
        assert planted in parsed.text, f"{name} does not stand as text"
    for name in ("description", "datanote", "note", "estimator", "parameter", "search", "command", "version"):
        assert EVIL.replace("{0}", name) in parsed.text, name
    assert "\u2028" not in data[1]
    assert "</script" not in data[1].lower()
    assert "<!--" not in data[1]


def _strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Task, str]:
    """A page with a script in every field that data, models or runs can fill."""
    task = make_task(EVIL)
    gram = f"{EVIL.replace('{0}', 'kind')}__{EVIL.replace('{0}', 'gram')}"
    model = EVIL.replace("{0}", "model").replace("/", "")
    write_task_runs(
        tmp_path,
        task,
        {model: 0.8, "other": 0.7, "third": 0.5},
        names=(gram,),
        notes=(EVIL.replace("{0}", "note"),),
        description=EVIL.replace("{0}", "estimator"),
        search={EVIL.replace("{0}", "parameter"): {"low": 0.001, "high": 1000.0, "log": True, "step": None}},
    )
    for folder in map(RunFolder, tmp_path.glob("*/*/*")):
        change_record(
            folder,
            command=EVIL.replace("{0}", "command"),
            search={"name": EVIL.replace("{0}", "search")},
            environment={"packages": {EVIL.replace("{0}", "version"): "1"}},
        )
        for fold in folder.folds():
            path = folder.cell_path(fold) / "result.json"
            path.write_text(path.read_text().replace("estimator.C", json.dumps(EVIL.replace("{0}", "parameter"))[1:-1]))
    return task, render(tmp_path, task, monkeypatch)


@given(st.text() | st.sampled_from(["</script>", "<!--", "]]>", "\u2029", "&lt;"]))
def test_json_in_the_page_reads_back_and_cannot_end_its_element(text: str) -> None:
    written = str(to_script({"text": text}))
    assert json.loads(written) == {"text": text}
    assert not set(written) & set("<>&\u2028\u2029")


def test_only_the_pages_own_script_may_run_and_nothing_may_be_loaded(page: str) -> None:
    parsed = Parsed(page)
    (policy,) = [
        attributes["content"] for tag, attributes in parsed.elements if attributes.get("http-equiv") and tag == "meta"
    ]
    digest = base64.b64encode(hashlib.sha256(parsed.scripts[1][1].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in present(policy)
    assert policy.startswith("default-src 'none'")
    assert "unsafe-eval" not in present(policy)
    script = parsed.scripts[1][1]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|Function\(", script)
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"<desc>.*?</desc>", "", page))


def test_arabic_is_set_right_to_left_and_marked_as_arabic(page: str) -> None:
    data = browser_json(page)
    by_text = dict(zip(data["texts"], data["directions"], strict=True))
    assert by_text[CLAIM] == "-"
    assert by_text[TEXT.format(data["examples"]["id"][0][1:])] == "r"
    assert 'class="text" dir="rtl" lang="ar">نفت الوزارة' in page
    assert f'class="claim" dir="auto">{CLAIM}' in page


def test_long_texts_are_cut_and_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task()
    task = make_task(examples=task.examples.assign(text=[f"{n} " + "ا" * 3000 for n in range(200)]))
    write_task_runs(tmp_path, task, {"one": 0.6})
    data = browser_json(render(tmp_path, task, monkeypatch))
    cut = next(text for text in data["texts"] if text != CLAIM)
    assert re.fullmatch(r"\d+ ا+ … \[1,00\d more characters\]", cut)
    assert len(cut.split(" … ")[0]) == LONGEST


@pytest.mark.slow
def test_without_the_runs_own_data_the_page_has_no_texts_and_says_so(
    results: Path, task: Task, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = render(results, make_task(examples=task.examples.replace(CLAIM, "another")), monkeypatch)
    assert "have changed since the runs" in changed

    def gone(name: str) -> Task:
        raise DataError("tasks/made/task.yaml: the file does not exist.")

    monkeypatch.setattr(page_module, "load_task", gone)
    runs = read_side_by_side(select_runs(results, "made", Filter()), None)
    lost = render_report(runs, compare(runs, 0.01))
    assert "could not be read where this page was made; bench show task=made says why" in lost
    for without in (changed, lost):
        assert "نفت الوزارة" not in without
        assert browser_json(without)["texts"] == []
        assert [run["example"] for run in browser_json(without)["runs"]] == [
            run["example"] for run in browser_json(page)["runs"]
        ]


def test_what_a_run_has_not_stored_is_said_with_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = make_task()
    write_task_runs(tmp_path, task, {"one": 0.6}, names=(), without_probabilities=("one",), search={})
    for cell in tmp_path.glob("*/*/*/*/result.json"):
        cell.write_text(json.dumps(json.loads(cell.read_text()) | {"inner_score": None, "trials": []}))
    text = " ".join(Parsed(render(tmp_path, task, monkeypatch)).text.split())
    assert "To make one: bench curve task=made model=one" in text
    assert "None of these models gives probabilities. Models with predict_proba, such as logreg, do." in text
    assert "add force=true" in text
    assert "These runs searched nothing." in text
    assert "There is one run, and nothing to compare it with." in text


def test_of_many_groups_the_worst_and_the_best_are_shown_and_the_rest_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = make_task()
    task = make_task(examples=task.examples.assign(document=[f"d{n // 5}" for n in range(200)]))
    write_task_runs(tmp_path, task, {"one": 0.6, "two": 0.5})
    page = render(tmp_path, task, monkeypatch)
    section = present(re.search(r'<h2 id="groups">.*?</section>', page, re.DOTALL))[0]
    assert "10 lie between" in section
    scores = [float(cell) for cell in re.findall(r'<td class="n">(?:\d+ of 3)</td>\s*<td class="n">([\d.]+)', section)]
    assert len(scores) == MOST_GROUPS
    assert scores == sorted(scores)


def test_groups_of_one_example_have_no_scores_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    task = make_task()
    task = make_task(examples=task.examples.assign(document=task.examples["id"]))
    write_task_runs(tmp_path, task, {"one": 0.6, "two": 0.5})
    alone = render(tmp_path, task, monkeypatch)
    assert [each.count('id="groups"') + each.count('href="#groups"') for each in (alone, page)] == [0, 2]


def test_every_chart_has_a_title_a_description_and_a_table_under_it(page: str) -> None:
    figures = figures_of(page)
    assert len(figures) >= 5
    assert all(map(numbers_within, figures))


def test_headings_are_in_order_and_every_table_has_headers_and_a_caption(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        assert "<caption>" in table
        assert 'scope="col"' in table
        assert "<th>" not in table
    ids = [attributes["id"] for _, attributes in Parsed(page).elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [present(attributes["href"])[1:] for tag, attributes in Parsed(page).elements if tag == "a"]
    assert set(targets) <= set(ids)


@pytest.mark.slow
def test_a_comparison_by_probabilities_or_with_a_baseline_makes_a_page_too(results: Path, task: Task) -> None:
    by_loss = render(results, task, metric="log_loss")
    assert "less log-loss is better" in by_loss
    assert "poor is left out: it has no probabilities, which log_loss needs" in by_loss
    assert "Every model is compared with" in render(results, task, baseline="majority")


@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(sorted), min_size=1, max_size=6, unique_by=str
    )
)
def test_an_interval_chart_keeps_order_and_stays_within_its_frame(intervals: list[list[float]]) -> None:
    scores = [Score(f"m{n}", value, low, high) for n, (low, value, high) in enumerate(intervals)]
    chart = interval_chart(scores, "caption", "macro-F1")
    width = float(present(re.search(r'viewBox="0 0 (\d+)', chart.svg))[1])
    drawn = re.findall(r'<path d="M([\d.]+) [\d.]+H([\d.]+)" class="interval s0"/><circle cx="([\d.]+)"', chart.svg)
    assert len(drawn) == len(scores)
    for low, high, value in (tuple(map(float, each)) for each in drawn):
        assert 0 < low <= value <= high < width
    assert [row[1:4] for row in chart.rows] == [(f"{s.value:.3f}", f"{s.low:.3f}", f"{s.high:.3f}") for s in scores]


def test_a_line_of_one_point_is_drawn() -> None:
    chart = line_chart([Line("one", [3], [0.5])], "caption", "x", "y")
    assert "nan" not in chart.svg
    assert chart.rows == [("one", "3", "0.500")]


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
@example(351, 0)
def test_reliability_is_that_of_sorted_predictions_cut_into_equal_parts(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    confidence, correct = rng.permutation(n) / n, rng.random(n) < 0.6
    curve = reliability(confidence, correct, np.arange(n))
    order = np.argsort(confidence)
    n_bins = max(1, min(10, n // FEWEST_IN_BIN))
    assert len(curve.counts) == n_bins
    assert curve.counts.max() - curve.counts.min() <= 1
    cuts = np.cumsum(curve.counts)[:-1]
    parts = list(zip(np.split(confidence[order], cuts), np.split(correct[order], cuts), strict=True))
    np.testing.assert_allclose(curve.confidence, [part.mean() for part, _ in parts])
    np.testing.assert_allclose(curve.accuracy, [part.mean() for _, part in parts])
    squared = 0.0
    for part, right in parts:
        off = right - part
        chance = off.var(ddof=1) / len(off) if len(off) > 1 else 0.0
        squared += (off.mean() ** 2 - chance) * len(off) / n
    assert curve.error == pytest.approx(np.sqrt(max(squared, 0.0)), abs=1e-9)
    assert curve.bias == pytest.approx(confidence.mean() - correct.mean())


@given(st.lists(st.sampled_from([0.25, 0.5, 0.75, 1.0]), min_size=1, max_size=300), st.randoms())
def test_equal_confidences_share_a_bin_in_whatever_order_they_come(values: list[float], random: Any) -> None:
    correct = [value > 0.4 for value in values]
    pairs = list(zip(values, correct, strict=True))
    curves = []
    for _ in range(2):
        confidence, right = map(np.array, zip(*pairs, strict=True))
        curves.append(reliability(confidence, right, np.arange(len(right))))
        random.shuffle(pairs)
    np.testing.assert_allclose(curves[0].accuracy, curves[1].accuracy)
    assert len(curves[0].counts) <= len(set(values))


def test_predictions_that_are_right_as_often_as_they_say_have_little_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.3, 1.0, 20_000)
    rows = np.arange(20_000)
    assert reliability(confidence, rng.random(20_000) < confidence, rows).error < 0.02
    shifted = reliability(confidence, rng.random(20_000) < confidence - 0.2, rows)
    assert shifted.bias == pytest.approx(0.2, abs=0.02)
    assert shifted.error == pytest.approx(0.2, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("n_groups", [100, 10])
def test_a_perfectly_calibrated_model_has_no_error_on_average_however_few_its_predictions(n_groups: int) -> None:
    rng = np.random.default_rng(0)
    squares, held = [], []
    for _ in range(300):
        confidence = rng.uniform(0.4, 1.0, 100)
        curve = reliability(confidence, rng.random(100) < confidence, np.arange(100) % n_groups)
        squares.append(curve.error**2)
        assert curve.interval is not None
        held.append(curve.interval.low == 0.0)
    # The plain error has a mean square of about 0.008 here; what is left is the half that a root cannot show.
    assert np.mean(squares) < 0.003
    assert np.mean(held) > 0.95


def test_the_interval_of_the_calibration_error_stays_in_range_and_is_none_of_certainty() -> None:
    two = reliability(np.array([0.9, 0.8]), np.array([True, False]), np.array([0, 1])).interval
    few = reliability(np.array([0.9, 0.8, 0.9]), np.array([True, False, True]), np.arange(3)).interval
    assert two is None
    sure = reliability(np.ones(50), np.ones(50, dtype=bool), np.arange(50)).interval
    assert few is not None
    assert sure is not None
    assert 0.0 <= few.low <= few.high <= 1.0
    assert (sure.low, sure.high) == (0.0, pytest.approx(0.071, abs=0.001))  # type: ignore[comparison-overlap]


@pytest.mark.slow
def test_the_interval_of_the_calibration_error_covers_it() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        confidence = rng.uniform(0.5, 1.0, 200)
        interval = reliability(confidence, rng.random(200) < confidence - 0.1, np.arange(200)).interval
        assert interval is not None
        covered += interval.low <= 0.1 <= interval.high
    assert covered / 300 >= 0.93


@pytest.mark.parametrize("n", [60, 200])
def test_a_model_that_is_sure_and_has_hardly_erred_may_be_less_right_than_it_says(n: int) -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        interval = reliability(rng.uniform(0.99, 1.0, n), rng.random(n) < 0.975, np.arange(n)).interval
        assert interval is not None
        covered += interval.low <= 0.02 <= interval.high
    assert covered / 200 >= 0.93


@pytest.mark.slow
def test_the_command_writes_the_page_beside_the_runs_and_says_where(tmp_path: Path) -> None:
    table = tmp_path / "tasks" / "small"
    table.mkdir(parents=True)
    (table / "task.yaml").write_text(
        "name: small\ndescription: Small.\nsource:\n  kind: table\n  path: small.csv\n"
        "  columns: {id: id, text: text, label: label, group: group}\ninputs: [text]\nlabels: [yes_, no_]\n"
    )
    rng = np.random.default_rng(0)
    rows = [f"e{n},نص رقم {n},{('yes_', 'no_')[rng.integers(2)]},g{n % 6}" for n in range(60)]
    (table / "small.csv").write_text("\n".join(["id,text,label,group", *rows]), encoding="utf-8")
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path)
    from bench.catalogue import load_task

    write_task_runs(tmp_path / "results", load_task("small"), {"one": 0.8, "two": 0.6})
    patch.undo()
    ended = _bench(tmp_path, "report", "task=small")
    assert ended.returncode == 0, ended.stderr
    assert re.fullmatch(r"results/small/report\.html  0\.\d MB, 2 runs of small\n", ended.stdout)
    written = tmp_path / "results" / "small" / "report.html"
    page = written.read_text(encoding="utf-8")
    assert "نص رقم" in page
    assert _bench(tmp_path, "report", "task=small", "--output", "there.html").returncode == 0
    assert (tmp_path / "there.html").read_bytes() == written.read_bytes()
    again = _bench(tmp_path, "report", "task=small")
    assert again.stdout.endswith(" of small, replacing the earlier page\n")
    (tmp_path / "there.html").write_text("mine")
    there = _bench(tmp_path, "report", "task=small", "--output", "there.html")
    assert there.returncode == 2
    assert "--output there.html: the file already exists." in there.stderr
    assert (tmp_path / "there.html").read_text() == "mine"
    refused = _bench(tmp_path, "report", "task=smal")
    assert refused.returncode == 2
    assert "Did you mean 'small'?" in refused.stderr


@pytest.mark.slow
def test_over_several_tasks_a_page_compares_them_and_links_to_theirs(tmp_path: Path, bench: Any) -> None:
    for number, task in enumerate(("denial", "stance", "third")):
        store_contest(tmp_path, {"good": 0.9, "poor": 0.5, "majority": 0.33}, task=task, seed=number)
    status, out, _ = bench("report", "task=all", f"results={tmp_path}")
    assert status == 0
    assert out.splitlines()[-1].endswith("index.html  compares the 3 tasks and links to their pages")
    page = (tmp_path / "index.html").read_text()
    parsed = Parsed(page)
    links = {attributes["href"] for tag, attributes in parsed.elements if tag == "a"}
    pages = {present(link) for link in links if not present(link).startswith("#")}
    assert pages == {f"{task}/report.html" for task in ("denial", "stance", "third")}
    assert all((tmp_path / each).is_file() for each in pages)
    assert "good ranks best on average: mean rank 1.00 of 3 models." in page
    assert page.count("<svg") == 6
    policy = present(re.search(r"script-src 'sha256-([^']+)'", page))[1]
    (script,) = parsed.scripts
    assert policy == base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert bench("report", "task=denial,stance", f"results={tmp_path}")[0] == 0
    assert "Models are ranked from 3 tasks on; these are 2." in (tmp_path / "index.html").read_text()


@pytest.mark.slow
def test_a_file_of_someone_elses_in_the_place_of_the_page_over_tasks_is_spared(tmp_path: Path, bench: Any) -> None:
    for task in ("denial", "stance"):
        store_contest(tmp_path, {"good": 0.9, "poor": 0.5}, task=task)
    (tmp_path / "index.html").write_text("mine")
    status, _, err = bench("report", "task=all", f"results={tmp_path}")
    assert status == 2
    assert "there is a file that bench did not write" in err
    assert (tmp_path / "index.html").read_text() == "mine"
    assert bench("report", "task=denial", f"results={tmp_path}")[0] == 0
    assert bench("report", "task=all", f"results={tmp_path}", "--force")[0] == 0
    assert "2 tasks" in (tmp_path / "index.html").read_text()


def _bench(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, page: str) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on PATH; on Debian: apt-get install chromium")
class TestInABrowser:
    """The page opened from disk in Chromium."""

    @pytest.fixture
    def shown(self, browser: Any, address: str) -> Iterator[Any]:
        """The page in a window; in the end nothing was said on the console and nothing was asked of a network."""
        yield from _opened(browser, address, viewport={"width": 1200, "height": 900})

    def test_planted_script_does_not_run(self, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        task, page = _planted(tmp_path / "results", monkeypatch)
        path = tmp_path / "report.html"
        path.write_text(page, encoding="utf-8")
        for shown in _opened(browser, path.as_uri()):
            shown.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            for number in range(3):
                shown.select_option("#filter-model", str(number))
            assert EVIL.replace("{0}", "id").split("\u2028")[0] in shown.locator("#error-list .id").first.inner_text()
            assert task.labels[0].split("\u2028")[0] in shown.locator("#filter-gold").inner_text()
            assert shown.locator("img, iframe, object").count() == 0
            assert shown.locator("script").count() == 2

    def test_errors_are_filtered_by_model_labels_group_and_text(self, shown: Any, results: Path) -> None:
        for number, model in enumerate(MODELS):
            shown.select_option("#filter-model", str(number))
            stored = stored_predictions(folder_of(results, model))
            wrong = stored[stored["label"] != stored["predicted"]]
            assert _count(shown) == (len(wrong), len(wrong))
        assert shown.locator("#error-list .card").count() == min(50, len(wrong))

        shown.select_option("#filter-gold", label="denial")
        wrong = wrong[wrong.label == "denial"]
        assert _count(shown)[0] == len(wrong)
        shown.select_option("#filter-predicted", label="نفي")
        wrong = wrong[wrong.predicted == "نفي"]
        assert _count(shown)[0] == len(wrong)
        group = wrong.group.iloc[0]
        shown.select_option("#filter-group", label=group)
        wrong = wrong[wrong.group == group]
        assert _count(shown)[0] == len(wrong)
        ids = shown.locator("#error-list .id").all_inner_texts()
        assert sorted(ids) == sorted(wrong.id)
        shown.fill("#filter-text", f"  رقم {ids[0][1:]} ")
        assert ids[0] in shown.locator("#error-list .id").all_inner_texts()
        shown.fill("#filter-text", "stands nowhere")
        assert shown.locator("#error-list .card").count() == 0
        assert "matches." in shown.locator("#error-count").inner_text()
        shown.get_by_role("button", name="Clear").click()
        shown.locator("#error-list .card").first.wait_for()
        assert shown.locator("#filter-gold").input_value() == ""

    def test_letters_that_are_written_in_several_ways_are_found(self, shown: Any) -> None:
        shown.fill("#filter-text", "الوِزَارَه")
        found = _count(shown)
        assert found[0] == found[1] > 0

    def test_suspects_can_be_had_alone(self, shown: Any, page: str) -> None:
        data = browser_json(page)
        run = data["runs"][0]
        expected = sum(data["examples"]["suspect"][place] for place in run["example"])
        shown.check("#filter-suspect")
        assert _count(shown)[0] == expected > 0
        assert shown.locator("#error-list .card").count() == shown.locator("#error-list .mark").count() == expected

    def test_pages_are_turned_with_the_keyboard(self, shown: Any) -> None:
        shown.select_option("#filter-model", "3")
        total = _count(shown)[0]
        assert total > 50
        assert shown.locator("#page-before").is_disabled()
        shown.locator("#page-after").focus()
        shown.keyboard.press("Enter")
        assert shown.locator("#error-count").inner_text().startswith(f"51 to {min(100, total)} of {total}")
        assert shown.evaluate("document.activeElement.id") == "error-list"
        shown.locator("#filter-model").focus()
        shown.keyboard.press("Home")
        assert shown.locator("#error-count").inner_text().endswith("of sure.")

    def test_arabic_runs_from_right_to_left(self, shown: Any) -> None:
        text = shown.locator("#error-list .text").first
        assert text.evaluate("each => getComputedStyle(each).direction") == "rtl"
        assert text.get_attribute("lang") == "ar"
        assert shown.locator("#error-list .claim").first.evaluate("each => getComputedStyle(each).direction") == "ltr"

    def test_words_that_spoke_are_marked_in_the_text(self, shown: Any, page: str) -> None:
        data = browser_json(page)
        run = data["runs"][0]
        marks = shown.locator("#error-list .card").evaluate_all(
            "all => all.map(card => [...card.querySelectorAll('.text mark')].map(m => [m.className, m.textContent]))"
        )
        assert any(marks)
        place = next(n for n, (kind, term) in enumerate(data["names"]) if data["kinds"][kind] == "letters in text")
        for found, sides in zip(marks, run["explained"], strict=False):
            parts = [side[n + 1] for side in sides for n in range(0, len(side), 2) if side[n] == place]
            strongest = max(parts, key=abs, default=0)
            expected = [] if not strongest else [["for" if strongest > 0 else "against", "نف"]]
            assert found == expected
        text = shown.locator("#error-list .text").first
        assert text.inner_text() == data["texts"][data["examples"]["text"][run["example"][0]]]

    def test_an_n_gram_is_found_in_whatever_way_the_text_writes_it(
        self, browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = make_task()
        written = "قالَ إلى الوزيرُ، نَفَى (الوِزَارَة)"
        task = make_task(examples=task.examples.assign(text=written))
        names = ("word__text__قال الي", "word__text__الوزير نفي", "char__text__زاره ", "word__claim__absent")
        write_task_runs(tmp_path / "results", task, {"one": 0.5, "majority": 0.3}, names=names)
        path = tmp_path / "report.html"
        path.write_text(render(tmp_path / "results", task, monkeypatch), encoding="utf-8")
        for shown in _opened(browser, path.as_uri()):
            marked = set(shown.locator("#error-list .text mark").all_inner_texts())
            assert marked == {"قالَ", "إلى", "الوزيرُ", "نَفَى", "زَارَة"}
            assert shown.locator("#error-list .text").first.inner_text() == written

    def test_the_script_shows_an_error_as_the_page_without_it_does(self, browser: Any, address: str) -> None:
        seen = []
        for runs_script in (False, True):
            for shown in _opened(browser, address, java_script_enabled=runs_script):
                cards = shown.locator("#error-list .card").all_inner_texts()
                seen.append([" ".join(card.split()) for card in cards[:FIRST_ERRORS]])
                assert shown.locator("#filters").is_visible() == runs_script
                assert shown.locator("noscript p").count() == (not runs_script)
        assert seen[0] == seen[1]
        assert 0 < len(seen[0]) <= FIRST_ERRORS

    @pytest.mark.parametrize("width", [320, 390])
    def test_on_a_phone_charts_fit_and_tables_say_that_they_scroll(
        self, browser: Any, address: str, width: int
    ) -> None:
        for shown in _opened(browser, address, viewport={"width": width, "height": 844}):
            shown.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            shown.wait_for_timeout(100)
            assert shown.evaluate("document.documentElement.scrollWidth") <= width
            assert shown.evaluate(BOXES) == []
            cut = shown.evaluate(CUT)
            assert cut == {"charts": [], "texts": [], "scores": [], "captions": []}

    def test_the_deciding_picture_is_in_the_first_screen(self, browser: Any, address: str) -> None:
        for width, height in ((390, 844), (1200, 900)):
            for shown in _opened(browser, address, viewport={"width": width, "height": height}):
                box = shown.locator(".deciding .chart").first.bounding_box()
                assert box["y"] + box["height"] <= height
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_text_stands_out_from_its_ground(self, browser: Any, address: str, scheme: str) -> None:
        for shown in _opened(browser, address, color_scheme=scheme):
            shown.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            ratios = shown.evaluate(CONTRAST)
            assert set(ratios) == set(SELECTORS)
            assert {selector: ratio for selector, ratio in ratios.items() if ratio < 4.5} == {}
            ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (ground == "rgb(255, 255, 255)") == (scheme == "light")

    def test_on_paper_what_was_folded_is_open_and_what_one_clicks_is_gone(self, browser: Any, address: str) -> None:
        for shown in _opened(browser, address):
            shown.emulate_media(media="print")
            assert shown.get_by_role("heading", name="Error browser").is_visible()
            assert shown.locator("#filters, nav, #error-pages").first.is_hidden()
            assert shown.locator("table.confusion").last.is_visible()
            assert shown.locator("table.confusion").last.bounding_box()["height"] > 50


BOXES = """() => [...document.querySelectorAll(".box")].filter((box) => {
    const wider = box.scrollWidth - box.clientWidth > 1;
    const style = getComputedStyle(box);
    const cue = getComputedStyle(box, "::before").content;
    const told = style.maskImage !== "none" && cue.includes("Scroll");
    return style.overflowX !== "auto" || wider !== told;
}).map((box) => box.getAttribute("aria-label"))"""
"""The tables that are wider than their place and do not show it, or show it and are not."""
CUT = """() => {
    const outside = (element) => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && (box.left < 0 || box.right > document.documentElement.clientWidth);
    };
    const beyond = (text) => {
        const chart = text.closest("svg").getBoundingClientRect(), box = text.getBoundingClientRect();
        return box.width > 0 && (box.left < chart.left - 1 || box.right > chart.right + 1);
    };
    const named = (elements) => elements.map((element) => element.textContent);
    return {
        charts: named([...document.querySelectorAll(".chart")].filter(outside)),
        texts: named([...document.querySelectorAll(".chart text")].filter(beyond)),
        scores: named([...document.querySelectorAll(".ranking .score")].filter(outside)),
        captions: named([...document.querySelectorAll("caption")].filter(outside)),
    };
}"""
"""The charts, texts in charts and scores that reach beyond the window or their chart."""
SELECTORS = (
    "body", ".what", ".answer", ".answers p", "nav a", ".facts dt", "caption", "thead th", "tbody td", ".reference td",
    ".soft", "summary", ".matrix td small", ".matrix .undecided, .matrix .better",
    ".matrix .worse, .matrix .undecided",
    ".confusion .hit", ".confusion .hit small", ".card .id", ".card dt", ".card .mark", ".gram bdi", ".gram small",
    ".warning li", "form label", "select", "button", "mark.for", "mark.against",
)  # fmt: skip
CONTRAST = (
    """() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const paint = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
        .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
    const grounds = (element) => element
        ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : ["white"];
    const found = {};
    for (const selector of """
    + json.dumps(SELECTORS)
    + """) {
        for (const element of document.querySelectorAll(selector)) {
            const below = grounds(element);
            const [a, b] = [light(paint(below)), light(paint([...below, getComputedStyle(element).color]))];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            found[selector] = Math.min(found[selector] ?? 99, ratio);
        }
    }
    return found;
}"""
)


def _opened(browser: Any, address: str, **settings: Any) -> Iterator[Any]:
    context = browser.new_context(**settings)
    page = context.new_page()
    page.set_default_timeout(10_000)
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("console", lambda message: said.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("request", lambda request: said.append(request.url) if request.url != address else None)
    page.goto(address)
    yield page
    page.wait_for_timeout(50)
    context.close()
    assert said == []


def _count(page: Any) -> tuple[int, int]:
    """The errors that the filters leave, and all of the model's."""
    text = page.locator("#error-count").inner_text()
    match = re.search(r"of (?:(\d+) of )?(\d+) errors of", text)
    assert match, text
    return int(match[1] or match[2]), int(match[2])


def test_a_page_of_scores_without_intervals_says_so_in_their_places(tmp_path: Path) -> None:
    for folder in store_contest(tmp_path, {"a": 0.8, "b": 0.6}).values():
        summary = folder.read_summary()
        none: dict[str, dict[str, Any]] = {label: {} for label in summary.class_intervals}
        folder.write_summary(replace(summary, intervals={}, class_intervals=none))
    runs = read_side_by_side(select_runs(tmp_path, "denial", Filter()), None)
    page = render_report(runs, compare(runs, 0.01))
    assert "A dot without a line has no interval" in page
    assert page.count("<small>no interval</small>") == 2 * len(runs.labels)
