"""MLflow's page in a real browser, over what `bench run` left: a row a model, folds, comparison, files, words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright
from present import present

from bench.results.store import RunFolder, stored_runs

ROOT = Path(__file__).parents[2]
TASKS = ("denial", "source-type", "stance")
MODELS = ("majority", "lexicon", "complement-nb")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 60_000
"""Milliseconds that the browser waits for anything on the page."""

LONGEST = 900.0
"""Seconds after which a command or the server of all tests here counts as one that hangs."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome on PATH; on Debian: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("results")
    words = [f"task={','.join(TASKS)}", f"model={','.join(MODELS)}", "search.trials=2", f"results={results}"]
    done = _bench("run", *words)
    _, errors = done.communicate(timeout=LONGEST)
    assert done.returncode == 0, errors
    return results


@pytest.fixture(scope="module")
def runs(results: Path) -> dict[str, RunFolder]:
    return {run.path.parent.name: run for run in stored_runs(results, "denial")}


@pytest.fixture(scope="module")
def opened(results: Path) -> Iterator[str]:
    """The address that `bench ui` prints."""
    server = _bench("ui", "--results", str(results))
    watchdog = threading.Timer(LONGEST, server.kill)
    watchdog.start()
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", server.stdout.readline())
        assert found, server.stderr.read()
        yield found[0]
    finally:
        watchdog.cancel()
        server.kill()
        server.communicate()


@pytest.fixture(scope="module")
def address(opened: str) -> str:
    return opened.partition("/?")[0]


@pytest.fixture(scope="module")
def context(opened: str) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1600, "height": 900})
        context.set_default_timeout(PATIENCE)
        first = context.new_page()
        first.goto(opened)
        first.wait_for_url(lambda url: "token" not in url and "/experiments" in url)
        first.close()
        yield context
        browser.close()


@pytest.fixture
def page(context: BrowserContext, opened: str, address: str) -> Iterator[Page]:
    """A page of a browser that reaches nothing but the server, on the experiment that a click on its name opens."""
    elsewhere: list[str] = []

    def refuse(route: Any) -> None:
        elsewhere.append(route.request.url)
        route.abort()

    page = context.new_page()
    page.route(lambda url: not url.startswith((address, "blob:", "data:")), refuse)
    page.goto(opened)
    page.get_by_test_id("experiment-list-item-link").get_by_text("denial", exact=True).click()
    page.wait_for_url(re.compile(r"/experiments/\d+/runs"))
    yield page
    page.close()
    assert elsewhere == []


def _bench(*words: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**environment, "PYTHONUTF8": "1"},
    )


def _link(page: Page, model: str) -> Locator:
    """The link to a model's run."""
    return page.get_by_role("link", name=re.compile(rf"^{model} s0"))


def _table(page: Page) -> list[dict[str, str]]:
    """The rows of the table of runs from top to bottom, each with its cells by column."""
    rows = page.evaluate(
        """() => {
            const rows = {};
            for (const cell of document.querySelectorAll("[role=gridcell]")) {
                const place = Number(cell.closest("[role=row]").getAttribute("row-index"));
                const name = cell.getAttribute("col-id").replaceAll("`", "");
                (rows[place] ??= {})[name] = cell.innerText.split("\\n").pop();
            }
            return rows;
        }"""
    )
    return [rows[place] for place in sorted(rows, key=int)]


def _open_run(page: Page, model: str) -> None:
    _link(page, model).click()
    expect(page.get_by_role("tab", name="Artifacts")).to_be_visible(timeout=PATIENCE)


def test_the_page_opens_on_one_row_a_model_ranked_with_its_interval_as_columns(page, runs) -> None:
    page.locator("[role=gridcell]", has_text="0.").first.wait_for()
    for model in MODELS:
        _link(page, model).wait_for()
    shown = _table(page)
    summaries = {model: run.read_summary() for model, run in runs.items()}
    ranked = sorted(MODELS, key=lambda model: -summaries[model].scores["macro_f1"])
    assert [row["attributes.Run Name"].split()[0] for row in shown] == ranked
    for model, row in zip(ranked, shown, strict=True):
        interval = summaries[model].intervals["macro_f1"]
        figures = [float(row[f"metrics.test/macro_f1{end}"]) for end in ("", "_low", "_high")]
        assert figures == [summaries[model].scores["macro_f1"], interval.low, interval.high]


@pytest.mark.parametrize("task", TASKS)
def test_each_of_several_tasks_opens_on_its_models_with_score_interval_and_verdict_first(page, address, results, task):
    page.goto(f"{address}/#/experiments")
    page.get_by_test_id("experiment-list-item-link").get_by_text(task, exact=True).click()
    for model in MODELS:
        _link(page, model).wait_for()
    page.locator("[role=gridcell]", has_text="0.").first.wait_for()
    summaries = {run.path.parent.name: run.read_summary() for run in stored_runs(results, task)}
    ranked = sorted(MODELS, key=lambda model: -summaries[model].scores["macro_f1"])
    shown = _table(page)
    assert [row["attributes.Run Name"].split()[0] for row in shown] == ranked
    for model, row in zip(ranked, shown, strict=True):
        summary = summaries[model]
        interval = summary.intervals.get("macro_f1")
        ends = f" ({interval.low:.3f} to {interval.high:.3f})" if interval else ""
        assert row["tags.bench.score"] == f"{summary.scores['macro_f1']:.3f}{ends}"
        assert row["tags.bench.against_majority"] in (
            ("-",) if model == "majority" else ("better", "worse", "practically equal", "undecided")
        )


def test_charts_begin_with_the_tasks_metric(page) -> None:
    _link(page, "lexicon").wait_for()
    page.locator("label", has=page.locator("[value=CHART]")).click()
    first = page.get_by_text(re.compile(r"^(test|class|inner|time|search|trial)/\w+$")).first
    expect(first).to_have_text("test/macro_f1", timeout=PATIENCE)


def test_a_filter_does_not_outlive_the_page_and_pinned_runs_do(page, opened) -> None:
    _link(page, "lexicon").wait_for()
    key = next(key for key in page.evaluate("Object.keys(localStorage)") if key.startswith("MLflow") and "Page-" in key)
    left = {"searchFilter": "params.x = '1'", "orderByKey": "attributes.start_time", "runsPinned": ["0"]}
    page.goto("about:blank")
    page.goto(opened)
    page.wait_for_url(re.compile("/experiments"))
    page.evaluate("([key, left]) => localStorage.setItem(key, JSON.stringify(left))", [key, left])
    page.goto("about:blank")
    page.goto(opened)
    page.wait_for_url(re.compile("/experiments"))
    state = page.evaluate("key => JSON.parse(localStorage.getItem(key))", key)
    assert state["searchFilter"] == "tags.`bench.level` = 'model'"
    assert state["orderByKey"] == "metrics.`test/macro_f1`"
    assert state["runsPinned"] == ["0"]
    page.evaluate("key => localStorage.removeItem(key)", key)


def test_beside_each_score_stands_the_verdict_against_the_majority_which_one_can_filter_by(page) -> None:
    _link(page, "lexicon").wait_for()
    verdicts = {row["attributes.Run Name"].split()[0]: row["tags.bench.against_majority"] for row in _table(page)}
    assert verdicts.pop("majority") == "-"
    assert set(verdicts) == {"lexicon", "complement-nb"}
    assert set(verdicts.values()) <= {"better", "worse", "practically equal", "undecided"}
    wanted = verdicts["lexicon"]
    search = page.get_by_test_id("search-box")
    search.fill(f"tags.`bench.against_majority` = '{wanted}'")
    search.press("Enter")
    expect(_link(page, "majority")).to_have_count(0, timeout=PATIENCE)
    found = {row["attributes.Run Name"].split()[0] for row in _table(page)}
    assert found == {model for model, verdict in verdicts.items() if verdict == wanted}


def test_a_models_folds_open_below_it_in_their_order(page, runs) -> None:
    page.get_by_test_id("saved-views-trigger").click()
    page.get_by_text("Models and folds").click()
    row = page.get_by_role("row").filter(has=_link(page, "complement-nb"))
    row.locator("[col-id='attributes.`Run Name`']").get_by_role("button").click()
    page.get_by_role("link", name="complement-nb fold 0").wait_for()
    shown = _table(page)
    names = [row["attributes.Run Name"] for row in shown]
    below = names.index(next(name for name in names if name.startswith("complement-nb") and "fold" not in name)) + 1
    folds = runs["complement-nb"].folds()
    assert len(names) == len(MODELS) + len(folds)
    assert names[below : below + len(folds)] == [f"complement-nb fold {fold}" for fold in folds]
    for fold, row in zip(folds, shown[below:], strict=False):
        scores = runs["complement-nb"].read_cell(fold).scores
        assert float(row["metrics.test/macro_f1"]) == scores["macro_f1"]


def test_three_runs_compare_with_metrics_and_parameters_aligned(page, runs) -> None:
    for model in MODELS:
        row = page.get_by_role("row").filter(has=_link(page, model))
        row.locator(".ag-selection-checkbox input").check()
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Comparing 3 Runs").wait_for()
    order = [name.split()[0] for name in page.locator("tr", has_text="Run Name:").locator("td").all_inner_texts()]
    assert sorted(order) == sorted(MODELS)

    metrics = _compared_metrics(page)
    summaries = [runs[model].read_summary() for model in order]
    for name, interval_end in (("macro_f1", None), ("macro_f1_low", "low"), ("macro_f1_high", "high"), ("mcc", None)):
        expected = [
            each.scores[name] if interval_end is None else getattr(each.intervals["macro_f1"], interval_end)
            for each in summaries
        ]
        assert metrics[f"test/{name}"] == pytest.approx(expected, abs=6e-4)
    for label in summaries[0].labels:
        expected = [each.per_class[label]["f1"] for each in summaries]
        assert metrics[f"class/{label}/f1"] == pytest.approx(expected, abs=6e-4)

    parameter = page.get_by_role("row").or_(page.locator("tr")).filter(has_text=re.compile(r"^estimator\.alpha"))
    chosen = runs["complement-nb"].read_cell("final").params["estimator.alpha"]
    cells = [cell.strip() for cell in parameter.first.locator("td").all_inner_texts()]
    assert [cell for cell, model in zip(cells[-3:], order, strict=True) if model != "complement-nb"] == ["", ""]
    assert float(cells[-3:][order.index("complement-nb")]) == chosen


def _compared_metrics(page: Page) -> dict[str, list[float]]:
    """The table of metrics, read by its rows while it is scrolled: on the screen the names lag behind the figures."""
    values = page.get_by_role("grid").last
    values.scroll_into_view_if_needed()
    box = present(values.bounding_box())
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    rows: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    end = values.evaluate("grid => grid.scrollHeight - grid.clientHeight")
    for top in [*range(0, end, 225), end]:
        page.mouse.wheel(0, top - values.evaluate("grid => grid.scrollTop"))
        page.wait_for_function("([grid, top]) => grid.scrollTop === top", arg=[values.element_handle(), top])
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        grids = page.evaluate(
            """() => [...document.querySelectorAll(".ReactVirtualized__Grid")].map(grid => {
                const rows = {};
                for (const cell of grid.firstElementChild.children)
                    (rows[cell.style.top] ??= []).push([parseFloat(cell.style.left), cell.innerText.trim()]);
                for (const row in rows) rows[row] = rows[row].sort((a, b) => a[0] - b[0]).map(cell => cell[1]);
                return rows;
            })"""
        )
        names |= {row: cells[0] for row, cells in grids[0].items()}
        rows |= grids[1]
    return {name: [float(figure) for figure in rows[row]] for row, name in names.items() if row in rows}


def test_a_runs_page_says_what_it_is_how_it_did_and_how_it_was_validated_without_opening_more(page, runs) -> None:
    _open_run(page, "lexicon")
    record, summary = runs["lexicon"].read_record(), runs["lexicon"].read_summary()
    text = page.get_by_text("lexicon on denial").locator("xpath=ancestor::*[count(p) > 2][1]")
    first, second, third = text.locator("p").all()[:3]
    assert record.model.description in first.inner_text()
    score, majority = (run.read_summary().scores["macro_f1"] for run in (runs["lexicon"], runs["majority"]))
    assert second.inner_text().startswith(f"macro_f1 {score:.3f} (")
    assert f"the majority's {majority:.3f}, difference {score - majority:+.3f} (" in second.inner_text()
    assert f"{summary.n_examples} examples by 5 outer folds" in third.inner_text()
    fold = page.get_by_text("Show more").bounding_box()["y"]
    for line in (first, second, third):
        box = line.bounding_box()
        assert box["y"] + box["height"] <= fold, line.inner_text()


def test_a_runs_page_shows_the_tags_to_find_it_by_and_its_folds(page, runs) -> None:
    _open_run(page, "complement-nb")
    record = runs["complement-nb"].read_record()
    tags = {
        "bench.key": record.key,
        "bench.model": "complement-nb",
        "bench.features": record.model.features,
        "bench.group": "document",
        "bench.folds": "5",
        "bench.seed": "0",
        "bench.status": "complete",
    }
    shown = page.locator("main").or_(page.locator("body")).first
    for key, value in tags.items():
        expect(shown).to_contain_text(re.compile(rf"{re.escape(key)}\s*:\s*{re.escape(value)}"), timeout=PATIENCE)
    for fold in runs["complement-nb"].folds():
        expect(page.get_by_role("link", name=f"complement-nb fold {fold}")).to_be_visible(timeout=PATIENCE)


def test_the_confusion_matrix_opens_as_a_picture(page) -> None:
    _open_run(page, "lexicon")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("confusion.svg").click()
    picture = page.get_by_alt_text("confusion.svg")
    picture.wait_for()
    handle = picture.element_handle()
    page.wait_for_function("picture => picture.complete && picture.naturalWidth > 200", arg=handle)
    assert picture.bounding_box()["width"] > 200


def test_the_predictions_open_as_a_table(page, runs) -> None:
    _open_run(page, "complement-nb")
    page.get_by_role("tab", name="Artifacts").click()
    page.get_by_text("predictions.json").click()
    table = page.get_by_role("table")
    stored = runs["complement-nb"].read_cell(0).predictions
    expect(table.get_by_role("cell", name=stored["id"].iloc[0], exact=True)).to_be_visible(timeout=PATIENCE)
    assert table.get_by_role("columnheader").all_inner_texts()[:4] == ["id", "group", "label", "predicted"]
    cells = table.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts()
    assert cells[:4] == stored[["id", "group", "label", "predicted"]].iloc[0].tolist()
    assert float(cells[4]) == stored.iloc[0, 4]
