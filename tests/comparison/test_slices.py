"""`--by COLUMN`: what each model scores within the slices of a column, corrected for the number of slices."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from present import present
from scipy.stats import t
from scores import outcomes_of
from sklearn.metrics import f1_score
from small_tasks import LABELS, text_task
from stored_task import write_task_runs

import bench
from bench.comparison.compare import Comparison, compare
from bench.comparison.compared import ComparedRuns
from bench.comparison.pairs import judged_pairs
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.comparison.slices import Slice, against_the_rest, slice_by
from bench.data import Task
from bench.errors import UserError
from bench.in_memory import TASKS
from bench.metrics.registry import find_metric
from bench.reporting.paper.typeset import markdown
from bench.statistics.interval import Interval, together

OUTLETS = ("akhbar", "bayan", "sada", "tiny")


@pytest.fixture(scope="module")
def task() -> Task:
    """Four outlets of whole documents, one of them with two documents; years cut through documents."""
    made = text_task(n_groups=38, per_group=12, name="sliced")
    document = made.examples["document"].str[1:].astype(int)
    outlet = np.where(document >= 36, "tiny", np.array(OUTLETS)[document % 3])
    year = np.array(["2019", "2020"])[np.arange(len(made)) // 3 % 2]
    text = [f"{row} {'كلمة ' * (place % 40)}".strip() for place, row in enumerate(made.examples["text"])]
    return replace(made, examples=made.examples.assign(outlet=outlet, year=year, text=text))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, task: Task) -> Path:
    results = tmp_path_factory.mktemp("slices")
    write_task_runs(results, task, {"good": 0.9, "fair": 0.75, "poor": 0.4})
    return results


@pytest.fixture
def results(stored: Path, task: Task) -> Path:
    TASKS.add(task)
    return stored


def side_by_side(results: Path) -> ComparedRuns:
    (selected,) = select(parse_compare_request(["task=sliced", f"results={results}"]))
    return read_side_by_side(selected)


def by(results: Path, column: str, baseline: str | None = None) -> Comparison:
    return compare(side_by_side(results), 0.01, baseline, column)


def judged(comparison: Comparison) -> list[Slice]:
    return [each for each in present(comparison.slices).slices if not each.too_small]


@pytest.mark.slow
def test_a_slice_has_the_scores_of_its_own_examples(results: Path, task: Task) -> None:
    comparison, runs = by(results, "outlet"), side_by_side(results)
    outlet = dict(zip(task.ids, task.examples["outlet"], strict=True))
    of_row = np.array([outlet[name] for name in runs.ids])
    assert [each.value for each in judged(comparison)] == ["akhbar", "bayan", "sada"]
    for each in judged(comparison):
        inside = of_row == each.value
        assert each.n_examples == inside.sum()
        assert each.n_groups == len(set(runs.groups[inside].tolist()))
        for score in each.scores:
            predicted = next(run.predicted for run in runs.runs if run.name == score.name)
            here, there = (f1_score(runs.true[rows], predicted[rows], average="macro") for rows in (inside, ~inside))
            assert score.score == pytest.approx(here)
            assert present(score.elsewhere).difference == pytest.approx(here - there)


def test_a_slice_is_held_against_the_rest_by_the_intervals_of_both(results: Path, task: Task) -> None:
    """Years cut through documents, so that both sides lose a group's examples at once."""
    comparison, runs = by(results, "year"), side_by_side(results)
    year = dict(zip(task.ids, task.examples["year"], strict=True))
    inside = np.array([year[name] for name in runs.ids]) == "2020"
    (score,) = [score for score in judged(comparison)[1].scores if score.name == "fair"]
    run = next(run for run in runs.runs if run.name == "fair")

    def macro_f1(kept: np.ndarray) -> float:
        return float(f1_score(runs.true[kept], run.predicted[kept], average="macro"))

    with together(2):
        found_of = [runs.metric.interval(run.outcomes.rows(np.flatnonzero(on))) for on in (inside, ~inside)]
    here, there = (each for each in found_of if isinstance(each, Interval))
    own, others = macro_f1(inside), macro_f1(~inside)
    left_out = np.array(
        [[macro_f1(side & (runs.groups != group)) for side in (inside, ~inside)] for group in np.unique(runs.groups)]
    )
    moved = left_out - left_out.mean(axis=0)
    alike = (moved[:, 0] @ moved[:, 1]) / np.sqrt((moved[:, 0] ** 2).sum() * (moved[:, 1] ** 2).sum())
    below, above = (
        np.sqrt(one**2 + other**2 - 2 * alike * one * other) * runs.training_factor()
        for one, other in ((own - here.low, there.high - others), (here.high - own, others - there.low))
    )
    found = present(score.elsewhere)
    assert found.difference == pytest.approx(own - others)
    assert present(found.interval).low == pytest.approx(own - others - below)
    assert present(found.interval).high == pytest.approx(own - others + above)
    n = len(runs.group_names)
    # Two slices: each interval holds with 97.5 %, and the p-value is that of the side on which 0 is.
    error = (below if own > others else above) / t.ppf(1 - 0.025 / 2, n - 1)
    assert found.p_value == pytest.approx(min(1.0, 2 * 2 * t.sf(abs(own - others) / error, n - 1)))


@pytest.mark.slow
@pytest.mark.parametrize("size", [10, 20, 40])
def test_a_small_slice_that_happens_to_be_all_right_is_not_called_better(results: Path, size: int) -> None:
    rng = np.random.default_rng(size)
    metric, called = find_metric("accuracy"), 0
    runs = side_by_side(results)
    for _ in range(100):
        wrong = (rng.random(300) < 0.05).astype(int)
        outcomes = outcomes_of(np.zeros(300, int), wrong, 2, np.arange(300))
        drawn = replace(
            runs,
            metric=metric,
            group_names=[str(number) for number in range(300)],
            runs=[replace(runs.runs[0], outcomes=outcomes)],
        )
        vars(drawn).update({"groups": np.arange(300), "training_factor": lambda: 1.0})
        slices = [np.arange(300) // size == code for code in range(4)]
        found = [present(against_the_rest(drawn, each, 4)[runs.runs[0].name]) for each in slices]
        called += any(each.verdict == "better" for each in found)
    assert called <= 0.05 * 100 + 2 * np.sqrt(0.05 * 0.95 * 100)


def test_intervals_of_scores_hold_for_all_judged_slices_together(results: Path) -> None:
    runs = side_by_side(results)
    for each in judged(by(results, "outlet")):
        names = {score.name: score for score in each.scores}
        inside = np.array([runs.group_names[code] for code in runs.groups])
        held = np.isin(inside, [f"d{n}" for n in range(36) if OUTLETS[n % 3] == each.value])
        run = runs.runs[0]
        rows = run.outcomes.rows(np.flatnonzero(held))
        rows = replace(rows, groups=np.unique(rows.groups, return_inverse=True)[1])
        with together(3):
            expected = runs.metric.interval(rows)
        alone = runs.metric.interval(replace(rows))
        assert names[run.name].interval == expected
        assert isinstance(alone, Interval)
        assert present(names[run.name].interval).low < alone.low


def test_pairs_are_those_of_the_slice_alone_with_p_values_times_the_number_of_slices(
    results: Path, task: Task, tmp_path: Path
) -> None:
    comparison = by(results, "outlet")
    part = judged(comparison)[0]
    kept = task.examples[task.examples["outlet"] == part.value].reset_index(drop=True)
    runs = side_by_side(results)
    rows = np.flatnonzero(np.isin(runs.ids, kept["id"]))
    alone = replace(
        runs,
        runs=[
            replace(run, outcomes=replace(each, groups=np.unique(each.groups, return_inverse=True)[1]))
            for run in runs.runs
            for each in [run.outcomes.rows(rows)]
        ],
        ids=runs.ids[rows],
        group_names=sorted(set(kept["document"])),
    )
    vars(alone)["training_factor"] = runs.training_factor
    scored = [replace(run, score=runs.metric.score(run.outcomes)) for run in alone.runs]
    vars(alone)["runs"] = sorted(scored, key=lambda run: -run.score)
    single = {(pair.first, pair.second): pair for pair in judged_pairs(alone, 0.01, None)}
    assert len(part.pairs) == len(single) == 3
    for pair in part.pairs:
        expected = single[pair.first, pair.second]
        assert pair.groups == expected.groups
        assert pair.folds is None
        assert pair.p_groups == pytest.approx(min(1.0, 3 * expected.p_groups))
        wide, narrow = present(pair.interval), present(expected.interval)
        assert wide.high - wide.low > narrow.high - narrow.low or expected.verdict == "better"
        assert (pair.verdict == "better") == (pair.p_groups < 0.05)


@pytest.mark.slow
def test_slices_are_a_table_in_latex(results: Path, bench) -> None:
    words = ("compare", "task=sliced", f"results={results}")
    status, out, _ = bench(*words, "--by", "outlet", "--format", "latex")
    sliced = present(by(results, "outlet").slices)
    assert status == 0
    assert out.count(r"\begin{table}") == out.count(r"\end{table}") == 1
    assert r"\label{tab:sliced-by-outlet}" in out
    rows = [line for line in out.splitlines() if line.strip().startswith(("akhbar", "bayan", "sada", "&"))]
    assert len(rows) == sum(len(each.scores) for each in sliced.slices)
    assert all(f"{score.score:.3f}" in out for each in sliced.slices for score in each.scores)
    assert "Intervals and verdicts hold for 3 slices together" in out
    status, out, _ = bench(*words, "--by", "document", "--format", "latex")
    assert (status, r"\begin{table}" in out) == (0, False)
    assert "% macro-F1 on sliced by document. Too small to be judged: d0 (12 examples in 1 group" in out
    for form in ("latex", "markdown", "csv"):
        assert bench(*words, "--by", "outlet", "--format", form, "--pairs")[0] == 2


def with_seeds(runs: ComparedRuns, other: ComparedRuns) -> ComparedRuns:
    """The runs with the predictions of others as a second seed."""
    both = []
    for run, again in zip(runs.runs, other.runs, strict=True):
        seeds = (run.outcomes, again.outcomes)
        true, predicted, groups, probabilities = (
            np.concatenate([getattr(each, name) for each in seeds])
            for name in ("true", "predicted", "groups", "probabilities")
        )
        outcomes = replace(
            run.outcomes,
            true=true,
            predicted=predicted,
            groups=groups,
            probabilities=probabilities,
            parts=np.concatenate([seeds[0].parts, seeds[1].parts + 5]),
        )
        scores = tuple(runs.metric.score(each) for each in seeds)
        both.append(replace(run, outcomes=outcomes, by_seed=seeds, seed_scores=scores, score=float(np.mean(scores))))
    return replace(runs, runs=both, ids=np.tile(runs.ids, 2), seeds=(0, 1))


@pytest.mark.slow
def test_the_same_predictions_with_two_seeds_change_no_slice(results: Path) -> None:
    runs = side_by_side(results)
    alone, same = slice_by(runs, "outlet", 0.01, None), slice_by(with_seeds(runs, runs), "outlet", 0.01, None)
    for one, two in zip(alone.slices, same.slices, strict=True):
        assert (one.value, one.n_examples, one.n_groups) == (two.value, two.n_examples, two.n_groups)
        assert [pair.verdict for pair in one.pairs] == [pair.verdict for pair in two.pairs]
        for a, b in zip(one.scores, two.scores, strict=True):
            assert b.score == pytest.approx(a.score)
            rest, again = present(a.elsewhere), present(b.elsewhere)
            assert again.p_value == pytest.approx(rest.p_value)
            assert present(again.interval).low == pytest.approx(present(rest.interval).low)


def test_over_seeds_the_score_of_a_slice_is_the_mean(results: Path, task: Task) -> None:
    runs = side_by_side(results)
    wrong = [replace(run, outcomes=replace(run.outcomes, predicted=(run.predicted + 1) % 3)) for run in runs.runs]
    sliced = slice_by(with_seeds(runs, replace(runs, runs=wrong)), "outlet", 0.01, None)
    outlet = dict(zip(task.ids, task.examples["outlet"], strict=True))
    inside = np.array([outlet[name] for name in runs.ids]) == sliced.slices[0].value
    for run in runs.runs:
        (found,) = [score for score in sliced.slices[0].scores if score.name == run.name]
        scores = [
            f1_score(runs.true[inside], predicted[inside], average="macro")
            for predicted in (run.predicted, (run.predicted + 1) % 3)
        ]
        assert found.score == pytest.approx(np.mean(scores))


def test_slices_that_are_too_small_are_said_and_not_judged(results: Path) -> None:
    sliced = present(by(results, "outlet").slices)
    small = sliced.slices[-1]
    assert (small.value, small.n_examples, small.n_groups, small.scores, small.pairs) == ("tiny", 24, 2, (), ())
    assert small.too_small == "fewer than 5 groups"
    assert sliced.judged == 3
    assert present(by(results, "document").slices).judged == 0


def test_a_slice_without_a_label_has_no_macro_score(task: Task, tmp_path: Path) -> None:
    """Its mean would count the label's F1 as 0."""
    without = np.where(task.examples["label"] == LABELS[0], "with", "without")
    made = replace(task, name="unlabelled", examples=task.examples.assign(side=without))
    write_task_runs(tmp_path, made, {"good": 0.9, "fair": 0.7})
    TASKS.add(made)
    small = present(compared_by(tmp_path, "unlabelled", "side").slices).slices
    assert [each.scores for each in small] == [(), ()]
    assert all("equal groups, but 3 are needed" in each.too_small for each in small)


def compared_by(results: Path, name: str, column: str) -> Comparison:
    (selected,) = select(parse_compare_request([f"task={name}", f"results={results}"]))
    return compare(read_side_by_side(selected), 0.01, None, column)


def test_dates_are_sliced_by_their_period(task: Task, tmp_path: Path) -> None:
    day = [f"{1 + place % 28:02d}/{1 + place % 3:02d}/2024" for place in range(len(task))]
    dated = replace(task, name="dated", examples=task.examples.assign(published=day))
    write_task_runs(tmp_path, dated, {"good": 0.9, "fair": 0.75})
    TASKS.add(dated)
    months = present(compared_by(tmp_path, "dated", "published:month").slices)
    assert (months.column, [each.value for each in months.slices]) == (
        "published:month",
        ["2024-01", "2024-02", "2024-03"],
    )
    assert sum(each.n_examples for each in months.slices) == len(task)
    for wrong, told in (
        ("published:week", "'week' is not a period"),
        ("year:month", "'2019' is in no month"),
        ("outlet:year", "'akhbar'"),
        ("length:year", "a length has no year"),
    ):
        with pytest.raises(UserError, match=told):
            compared_by(tmp_path, "dated", wrong)


def test_lengths_are_bands_of_words_with_about_as_many_examples_each(results: Path, task: Task) -> None:
    sliced = present(by(results, "length").slices)
    words = np.array([len(text.split()) for text in task.examples["text"]])
    ends = [tuple(map(int, each.value.removesuffix(" words").split("-"))) for each in sliced.slices]
    assert [each.n_examples for each in sliced.slices] == [
        int(((words >= low) & (words <= high)).sum()) for low, high in ends
    ]
    assert (ends[0][0], ends[-1][1]) == (words.min(), words.max())
    assert len(ends) == 4
    assert all(abs(each.n_examples - len(task) / 4) < 30 for each in sliced.slices)


@pytest.mark.slow
def test_a_model_that_fails_in_one_outlet_is_named_with_its_interval(
    task: Task, tmp_path: Path, bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tuple(np.flatnonzero(task.examples["outlet"] == "sada").tolist())
    first = np.r_[broken, np.setdiff1d(np.arange(len(task)), broken)]
    # All models contradict the labels of the first examples, so those of the outlet come first.
    made = replace(task, name="failing", examples=task.examples.iloc[first[: len(task)]].reset_index(drop=True))
    write_task_runs(tmp_path, made, {"good": 0.95, "fair": 0.9}, contested=len(broken))
    TASKS.add(made)
    words = ["task=failing", f"results={tmp_path}", "--by", "outlet"]
    status, out, _ = bench("compare", *words)
    told = " ".join(out.split())
    worst = present(compared_by(tmp_path, "failing", "outlet").slices).worst("good", 1.0)
    each, score = present(worst)
    assert status == 0
    assert each.value == "sada"
    assert present(score.elsewhere).verdict == "worse"
    interval = present(score.interval)
    said = f"good is worst on outlet sada: {score.score:.3f} [{interval.low:.3f}, {interval.high:.3f}]"
    assert said in told
    assert "worse than on the rest." in told
    assert "Too small to be judged: tiny (24 examples in 2 groups: fewer than 5 groups)." in told
    status, out, _ = bench("compare", *words, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["score"] for row in rows if row["slice"] == "tiny"] == [""]
    (row,) = [row for row in rows if (row["slice"], row["model"]) == ("sada", "good")]
    assert float(row["score"]) == score.score
    assert row["from_rest_verdict"] == "worse"
    status, out, _ = bench("compare", *words, "--format", "markdown")
    assert markdown(said) in out
    status, out, _ = bench("compare", *words, "--format", "json")
    assert json.loads(out)["tasks"][0]["slices"]["judged"] == 3
    page = tmp_path / "page.html"
    assert bench("report", *words, "--output", str(page))[0] == 0
    assert said in page.read_text()


@pytest.mark.parametrize("column", ["outlet", "year"])
@pytest.mark.parametrize("metric", ["accuracy", "log_loss", pytest.param("macro_auroc", marks=pytest.mark.slow)])
def test_every_kind_of_metric_can_be_sliced(results: Path, column: str, metric: str) -> None:
    (selected,) = select(parse_compare_request(["task=sliced", f"results={results}"]))
    comparison = compare(read_side_by_side(selected, metric), 0.01, "poor", column)
    for each in judged(comparison):
        assert {"poor"} == set.intersection(*({pair.first, pair.second} for pair in each.pairs))
        assert all(present(score.elsewhere).interval is not None for score in each.scores)


def test_python_gives_the_slices_as_a_frame(results: Path) -> None:
    frame = bench.compare("sliced", by="year", results=results).slices()
    assert frame["slice"].tolist() == ["2019"] * 3 + ["2020"] * 3
    assert frame.loc[frame["model"] == "good", "reference"].isna().all()
    assert "slices" not in bench.compare("sliced", results=results).to_dict()


def test_a_column_that_is_not_there_and_data_that_changed_are_said(results: Path, task: Task) -> None:
    with pytest.raises(UserError, match="--by outlte: there is no column 'outlte'") as caught:
        by(results, "outlte")
    assert "outlet" in str(caught.value.hint)
    TASKS.add(replace(task, examples=task.examples.iloc[:-1]))
    with pytest.raises(UserError, match="are of other data than the task has in this program"):
        by(results, "outlet")


@pytest.mark.slow
def test_intervals_of_all_slices_hold_together_as_often_as_promised() -> None:
    """Five slices of 12 documents each; accuracy varies over documents."""
    held = alone = 0
    repeats, metric = 400, find_metric("accuracy")
    right = np.array([0.7, 0.75, 0.8, 0.85, 0.9])
    for seed in range(repeats):
        rng = np.random.default_rng([seed, 3])
        documents = np.repeat(np.arange(12), 15)
        inside = inside_alone = True
        for share in right:
            chance = np.clip(share + rng.uniform(-0.1, 0.1, 12), 0, 1)[documents]
            wrong = rng.random(len(documents)) > chance
            outcomes = outcomes_of(np.zeros(len(wrong), int), wrong.astype(int), 2, documents)
            with together(5):
                found = metric.interval(outcomes)
            single = metric.interval(replace(outcomes))
            assert isinstance(found, Interval)
            assert isinstance(single, Interval)
            inside &= found.low <= share <= found.high
            inside_alone &= single.low <= share <= single.high
        held += inside
        alone += inside_alone
    assert held >= 0.95 * repeats - 2 * np.sqrt(0.95 * 0.05 * repeats)
    assert alone < 0.9 * repeats


@pytest.mark.slow
def test_a_model_that_is_as_good_everywhere_is_called_worse_nowhere_more_than_promised(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Predictions are drawn, not trained, so the factor for fitting is taken away."""
    runs = side_by_side(results)
    called = 0
    repeats = 300
    values = runs.groups % 3
    for seed in range(repeats):
        rng = np.random.default_rng([seed, 9])
        chance = np.clip(0.75 + rng.uniform(-0.15, 0.15, len(runs.group_names)), 0, 1)[runs.groups]
        predicted = np.where(rng.random(len(values)) < chance, runs.true, (runs.true + 1) % 3)
        run = replace(runs.runs[0], outcomes=replace(runs.runs[0].outcomes, predicted=predicted))
        drawn = replace(runs, runs=[run], metric=find_metric("accuracy"))
        vars(drawn)["training_factor"] = lambda: 1.0
        found = [against_the_rest(drawn, values == code, 3)[run.name] for code in range(3)]
        called += any(present(each).verdict != "undecided" for each in found)
    assert called <= 0.05 * repeats + 2 * np.sqrt(0.05 * 0.95 * repeats)
    assert called > 0
