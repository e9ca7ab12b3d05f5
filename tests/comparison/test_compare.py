"""`bench compare`: which stored run is better, and whether that is real."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from contest import LABELS, compared, store_contest
from hypothesis import given
from hypothesis import strategies as st
from present import present
from scipy.stats import nct, t
from scores import score_predictions
from side_by_side import side_by_side
from stored import a_record, change_record

from bench.comparison.across import RankedModel, rank_across
from bench.comparison.compare import ComparedRow, Comparison
from bench.comparison.limitations import limitations
from bench.comparison.pairs import Pair
from bench.comparison.verdict import groups_to_decide, needed_to_decide
from bench.errors import UserError
from bench.metrics.f1 import MACRO_F1
from bench.reporting.wording import answer, needed_sentence, wrapped_answer
from bench.results.store import RunFolder
from bench.results.summary import summarise


@pytest.fixture(scope="module")
def contest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models alike, one clearly worse, and the majority's stand-in worst."""
    results = tmp_path_factory.mktemp("contest")
    store_contest(results, {"good": 0.85, "twin": 0.84, "poor": 0.55, "majority": 0.33})
    return results


def pair(comparison: Comparison, first: str, second: str) -> Pair:
    return next(p for p in comparison.pairs if {p.first, p.second} == {first, second})


@pytest.mark.slow
def test_a_model_that_is_better_is_called_so_and_one_alike_is_not(contest: Path) -> None:
    comparison = compared(contest, "task=denial")
    assert [row.name for row in comparison.rows][2:] == ["poor", "majority"]
    assert pair(comparison, "good", "poor").verdict == "better"
    assert pair(comparison, "good", "twin").verdict == "undecided"
    assert {row.name: row.tied for row in comparison.rows[1:]} == {
        comparison.rows[1].name: True,
        "poor": False,
        "majority": False,
    }
    best, other = (row.name for row in comparison.rows[:2])
    assert answer(comparison)[1:4] == [
        f"Not distinguishable from it: {other}.",
        "It is better than poor.",
        "All 3 models are better than majority.",
    ]
    assert answer(comparison)[0].startswith(f"{best} has the best macro-F1: {comparison.rows[0].score:.3f} [")
    assert answer(comparison)[4].startswith("What would decide: more groups (document). The present examples show a ")


def test_every_pair_stands_once_with_the_better_score_first(contest: Path) -> None:
    comparison = compared(contest, "task=denial")
    scores = {row.name: row.score for row in comparison.rows}
    assert len(comparison.pairs) == 6
    for each in comparison.pairs:
        assert scores[each.first] >= scores[each.second]
        assert each.groups.difference == pytest.approx(scores[each.first] - scores[each.second])
        interval = each.interval
        assert interval.low < each.groups.difference < interval.high
        assert each.folds.first + each.folds.equal + each.folds.second == pytest.approx(1.0)


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["accuracy", "mcc", "log_loss", "brier", "average_precision"])
def test_any_metric_can_be_compared_and_the_order_of_good_and_poor_stays(contest: Path, metric: str) -> None:
    comparison = compared(contest, "task=denial", f"metric={metric}")
    assert [row.name for row in comparison.rows][-2:] == ["poor", "majority"]
    assert pair(comparison, "poor", "good").verdict == "better"
    assert pair(comparison, "poor", "good").folds.first > 0.99


@pytest.mark.slow
def test_with_a_baseline_each_model_is_compared_with_it_alone_and_fewer_pairs_are_adjusted_for(contest: Path) -> None:
    everything, few = compared(contest, "task=denial"), compared(contest, "task=denial", "baseline=twin")
    assert {"twin"} == set.intersection(*({p.first, p.second} for p in few.pairs))
    assert len(few.pairs) == 3
    assert pair(few, "twin", "good").p_folds <= pair(everything, "twin", "good").p_folds
    assert answer(few)[1:4] == [
        "No model is better than twin.",
        "Not distinguishable from twin: good.",
        "Worse than twin: poor and majority.",
    ]
    assert not any(row.tied for row in few.rows)
    assert answer(compared(contest, "task=denial", "baseline=majority"))[1:] == [
        "All 3 models are better than majority."
    ]


def test_identical_predictions_are_practically_equal_where_there_are_enough_groups(tmp_path: Path) -> None:
    for n_groups, rope, said in ((30, 0.01, "undecided"), (30, 0.2, "practically equal")):
        results = tmp_path / f"{rope}"
        made = store_contest(results, {"one": 0.8}, n_groups=n_groups)["one"]
        shutil.copytree(made.path, results / "denial" / "two" / made.key)
        change_record(RunFolder(results / "denial" / "two" / made.key), model={"name": "two"})
        (only,) = compared(results, "task=denial", f"rope={rope}").pairs
        assert only.verdict == said
        assert (only.groups.difference, only.groups.p_value, only.errors.first_only) == (0.0, None, 0)
        assert (only.interval.high <= rope) == (said == "practically equal")


def test_no_difference_is_said_to_be_larger_than_the_metric_allows(tmp_path: Path) -> None:
    store_contest(tmp_path, {"good": 0.95, "poor": 0.35}, n_groups=5, per_group=4)
    found = compared(tmp_path, "task=denial")
    ends = [(each.interval.low, each.interval.high) for each in found.pairs if each.interval is not None]
    ends += [(each.groups.interval.low, each.groups.interval.high) for each in found.pairs if each.groups.interval]
    assert -1.0 <= min(low for low, _ in ends) <= max(high for _, high in ends) == 1.0


def store_predictions(results: Path, right: dict[str, np.ndarray], groups: np.ndarray) -> None:
    """Store runs that are right about given examples, with a fold for each of five groups."""
    for model, is_right in right.items():
        folder = store_contest(results, {model: 1.0}, n_groups=5, per_group=len(groups) // 5)[model]
        cells = []
        for fold in range(5):
            cell = folder.read_cell(fold)
            predictions = present(cell.predictions)
            wrong = np.where(predictions["label"] == "none", "denial", "none")
            predictions["predicted"] = np.where(is_right[groups == fold], predictions["label"], wrong)
            cell.scores = score_predictions(predictions, LABELS)
            folder.write_cell(cell)
            cells.append(cell)
        folder.write_summary(summarise(cells, LABELS, MACRO_F1))


def test_as_many_right_in_every_group_but_other_examples_is_not_called_equal(tmp_path: Path) -> None:
    first = np.tile(np.arange(40) < 20, 5)
    store_predictions(tmp_path, {"first": first, "second": ~first}, np.repeat(np.arange(5), 40))
    (only,) = compared(tmp_path, "task=denial", "metric=accuracy").pairs
    assert only.groups.difference == 0.0
    assert only.errors.first_only == only.errors.second_only == 100
    assert only.verdict == "undecided"


@pytest.mark.slow
def test_a_difference_that_is_the_same_in_every_group_is_undecided(tmp_path: Path) -> None:
    right = {f"m{n}": np.tile(np.arange(20) < n, 5) for n in (17, 16)}
    store_predictions(tmp_path, right, np.repeat(np.arange(5), 20))
    (only,) = compared(tmp_path, "task=denial", "metric=accuracy").pairs
    assert only.groups.difference == pytest.approx(0.05)
    assert (only.groups.interval, only.verdict, only.needed) == (None, "undecided", None)


@pytest.mark.parametrize("n_groups", [2, 3, 4])
def test_with_fewer_than_five_groups_no_model_is_called_better(tmp_path: Path, n_groups: int) -> None:
    store_contest(tmp_path, {"good": 0.99, "poor": 0.34}, n_groups=n_groups, per_group=60, folds=n_groups)
    comparison = compared(tmp_path, "task=denial")
    assert [each.verdict for each in comparison.pairs] == ["undecided"]
    assert any("too few to call any model better" in warning for warning in comparison.warnings)


def test_an_undecided_pair_is_told_how_much_more_would_decide_it(contest: Path) -> None:
    close = pair(compared(contest, "task=denial", "rope=0"), "good", "twin")
    assert close.needed.examples > 300
    assert close.needed.groups > 30
    assert close.needed.equal_groups is None
    close = pair(compared(contest, "task=denial"), "good", "twin")
    told = present(needed_sentence(close, a_record().task))
    low, high, seen = close.interval.low, close.interval.high, close.needed.seen
    assert f"{close.first} may be better by up to {high:.3f}, {close.second} by up to {-low:.3f}. " in told
    assert f"The present examples show a difference of {seen:.3f} or more; half of that takes about" in told
    assert f"If the true difference is the measured one, {close.groups.difference:.3f}, it takes about" in told
    assert "if it is smaller, more" in told
    assert "If there is none, calling them practically equal takes about" in told


@given(size=st.floats(0.02, 0.3), error=st.floats(0.02, 0.5), n=st.integers(5, 500))
def test_with_the_least_number_of_groups_the_largest_difference_is_found_four_times_in_five(
    size: float, error: float, n: int
) -> None:
    def power(groups: int) -> float:
        return float(nct.sf(t.ppf(0.975, groups - 1), groups - 1, size / error * np.sqrt(groups / n)))

    needed = needed_to_decide(-size / 3, size, error, n, 10 * n, equal=7)
    assert needed_to_decide(-size / 3, size, error, n, 10 * n, equal=7, widest=present(needed.seen) * 0.99).seen is None
    assert needed_to_decide(-size / 3, size, error, n, 10 * n, equal=7, widest=0.9 * size).difference == 0.9 * size
    assert needed.difference == size
    assert power(needed.groups) >= 0.80 - 1e-6
    assert needed.groups == max(5, n) or power(needed.groups - 1) <= 0.80 + 1e-6
    assert needed.groups >= n
    assert needed.more == (power(n) < 0.80)
    assert needed.examples == 10 * needed.groups
    assert (needed.equal_groups, needed.equal_examples) == (7, 70)
    deviation = error * np.sqrt(n)
    assert nct.sf(t.ppf(0.975, n - 1), n - 1, present(needed.seen) / error) == pytest.approx(0.80, abs=1e-6)
    assert (present(needed.seen) > size) == needed.more
    assert needed.half_groups == groups_to_decide(present(needed.seen) / 2 / deviation)
    assert needed.measured_groups == groups_to_decide(size / 3 / deviation)


def test_what_is_not_excluded_is_told_of_the_right_model_also_where_less_is_better(contest: Path) -> None:
    close = pair(compared(contest, "task=denial", "metric=log_loss"), "good", "twin")
    assert (close.verdict, close.groups.difference < 0) == ("undecided", True)
    low, high = close.interval.low, close.interval.high
    told = present(needed_sentence(close, a_record().task))
    assert f"{close.first} may be better by up to {-low:.3f}, {close.second} by up to {high:.3f}. " in told


def test_processors_of_several_kinds_are_said(tmp_path: Path) -> None:
    for number, run in enumerate(store_contest(tmp_path, {"a": 0.8, "b": 0.6}).values()):
        (run.path / "fold-00" / "processors.json").write_text(json.dumps({f"kind {number}": 3}))
        said = compared(tmp_path, "task=denial").warnings
        assert any("2 kinds of processor" in each and "kind 0, kind 1" in each for each in said) == (number == 1)


def test_limitations_of_the_data_are_said(tmp_path: Path) -> None:
    store_contest(tmp_path, {"good": 0.9, "poor": 0.6}, n_groups=5, per_group=4)
    said = " ".join(compared(tmp_path, "task=denial").warnings)
    assert "5 groups (document)" in said
    assert "has 5 examples" in said or "has 6 examples" in said or "has 4 examples" in said


def test_a_ranking_that_hangs_on_one_document_is_said(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"steady": 0.7, "lucky": 0.67}, n_groups=5, per_group=60)
    lucky = made["lucky"]
    fold = lucky.read_cell(0)
    present(fold.predictions)["predicted"] = present(fold.predictions)["label"]
    lucky.write_cell(fold)
    lucky.write_summary(summarise([lucky.read_cell(f) for f in range(5)], LABELS, MACRO_F1))
    comparison = compared(tmp_path, "task=denial")
    assert comparison.rows[0].name == "lucky"
    assert any("steady would be best" in warning for warning in comparison.warnings)


def test_many_groups_that_a_ranking_hangs_on_are_one_line_that_counts_them_and_names_a_few() -> None:
    true = np.arange(60) % 2
    right = true.astype(float)
    first, second = right.copy(), right.copy()
    first[:10], second[10:20] = 1 - first[:10], 1 - second[10:20]
    (said,) = (
        each for each in limitations(side_by_side("accuracy", true, {"a": first, "b": second})) if "best" in each
    )
    found = re.fullmatch(r"without any one of 10 groups \(\w+\), another model would be best: (.*) and 7 more", said)
    assert found, said
    assert found[1].count("(b)") == 3


def test_labels_that_good_models_contradict_alike_are_suspects_and_flipped_ones_are_found(tmp_path: Path) -> None:
    flipped = tuple(range(0, 300, 20))
    store_contest(tmp_path, {"good": 0.9, "twin": 0.9, "majority": 0.33}, flipped=flipped)
    found = [int(each.id[1:]) for each in compared(tmp_path, "task=denial").suspects]
    assert len(set(found) & set(flipped)) >= 0.6 * len(flipped)
    assert len(set(found) & set(flipped)) >= 0.7 * len(found)


def test_one_good_model_alone_suspects_nothing(tmp_path: Path) -> None:
    store_contest(tmp_path, {"good": 0.9, "majority": 0.33}, flipped=(3, 50))
    assert compared(tmp_path, "task=denial").suspects == ()


def test_what_does_not_compare_is_refused_with_the_part_that_differs(tmp_path: Path, bench) -> None:
    one = store_contest(tmp_path, {"a": 0.8})["a"]
    other = store_contest(tmp_path, {"b": 0.7}, splits="fedcba9876543210")["b"]
    third = store_contest(tmp_path, {"c": 0.7}, of_task={"digest": "f" * 64})["c"]
    status, _, said = bench("compare", str(one.path), str(other.path))
    assert status == 2
    assert "splits: 0123456789abcdef and fedcba9876543210" in said
    status, _, said = bench("compare", str(one.path), str(third.path))
    assert status == 2
    assert "data digest" in said
    status, _, said = bench("compare", "task=denial", "model=a,b", f"results={tmp_path}")
    assert status == 2
    assert "do not compare" in said


def test_runs_under_another_protocol_are_left_out_and_named(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.8, "b": 0.7})
    store_contest(tmp_path, {"c": 0.7}, seed=5, splits="fedcba9876543210", started="2023-01-01T00:00:00+00:00")
    comparison = compared(tmp_path, "task=denial")
    assert {row.name for row in comparison.rows} == {"a", "b"}
    assert any("1 stored run is left out" in note and "splits" in note for note in comparison.notes)


def test_two_folders_are_compared(contest: Path, bench) -> None:
    folders = [str(next((contest / "denial" / model).iterdir())) for model in ("good", "poor")]
    status, out, _ = bench("compare", *folders)
    assert status == 0
    assert "good has the best macro-F1: 0." in out
    assert "\nIt is better than poor.\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["task=denail"], "Did you mean 'denial'?"),
        (["task=denial", "model=goood"], "Did you mean 'good'?"),
        (["task=denial", "metric=macro_f"], "Did you mean 'macro_f1'?"),
        (["task=denial", "baseline=gud"], "baseline=gud"),
        (["task=denial", "modle=good"], "Did you mean 'model'?"),
        (["task=denial", "rope=2"], "rope=2"),
        (["task=denial", "seed=9"], "no stored run of task 'denial' matches"),
        (["nowhere", "nothing"], "no run is stored there"),
        ([], "Add task=NAME"),
    ],
)
def test_mistakes_get_one_message(contest: Path, bench, words: list[str], said: str) -> None:
    status, _, err = bench("compare", *words, f"results={contest}")
    assert status == 2
    assert said in err


def test_a_file_that_was_changed_is_noticed(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.8, "b": 0.7, "c": 0.6})
    path = made["b"].cell_path(0) / "predictions.csv"
    path.write_text(path.read_text().replace('"e0"', '"e999"'))
    comparison = compared(tmp_path, "task=denial")
    assert [row.name for row in comparison.rows] == ["a", "c"]
    (note,) = comparison.notes
    assert note == "b is left out: fold-00/predictions.csv: its predictions are not those of the run"


@pytest.mark.slow
def test_the_same_stored_runs_print_the_same_bytes_and_80_columns(contest: Path, bench) -> None:
    for more in ([], ["--pairs"]):
        first, again = (bench("compare", "task=denial", f"results={contest}", *more) for _ in range(2))
        assert first == again
        assert max(map(len, first[1].splitlines())) <= 80
    as_json = [bench("compare", "task=denial", f"results={contest}", "--format", "json")[1] for _ in range(2)]
    assert as_json[0] == as_json[1]
    assert json.loads(as_json[0])["tasks"][0]["metric"] == "macro_f1"


@pytest.mark.slow
def test_over_three_tasks_models_are_ranked_and_no_critical_difference_is_claimed(tmp_path: Path, bench) -> None:
    for number, task in enumerate(("a", "b", "c")):
        store_contest(tmp_path, {"good": 0.9, "middling": 0.7, "poor": 0.5}, task=task, seed=number)
    status, out, _ = bench("compare", "task=a,b,c", f"results={tmp_path}")
    assert status == 0
    answered = "good ranks best on average: mean rank 1.00 of 3 models.\n3 tasks are too few for a critical difference"
    assert out.startswith(f"\n3 tasks  a, b, c\n\n{answered}")
    table = [line.split() for line in out.splitlines() if line.startswith(("a  ", "b  ", "c  "))]
    assert [row[1] for row in table[:3]] == ["good"] * 3
    status, out, _ = bench("compare", "task=a,b", f"results={tmp_path}")
    assert out.startswith("\n2 tasks  a, b\n\nModels are ranked from 3 tasks on; these are 2.\n")


def test_pairs_are_printed_on_demand_and_no_pair_is_recommended_after_the_scores_are_known(
    contest: Path, bench
) -> None:
    brief, full = (bench("compare", "task=denial", f"results={contest}", *more)[1] for more in ([], ["--pairs"]))
    assert "McNem." not in brief
    assert "--pairs" in brief
    assert full.count("undecided") + full.count(" better\n") >= 6
    assert "model=A,B" not in brief + full


NAME = st.from_regex(r"[a-z][a-z0-9-]{0,40}", fullmatch=True)


@given(
    names=st.lists(NAME, min_size=2, max_size=15, unique=True),
    standings=st.lists(st.sampled_from(["better", "practically equal", "undecided"]), min_size=40, max_size=40),
    width=st.integers(60, 100),
    with_majority=st.booleans(),
)
def test_the_answer_takes_at_most_ten_lines_and_counts_every_model_once(
    names: list[str], standings: list[str], width: int, with_majority: bool
) -> None:
    if with_majority:
        names = [*(name for name in names if name != "majority"), "majority"]
    n = len(names)
    if n < 2:
        return
    given_out = iter(standings * n)
    pairs = tuple(
        SimpleNamespace(
            first=names[a],
            second=names[b],
            family="baseline" if names[b] == "majority" else "models",
            verdict=next(given_out),
            groups=SimpleNamespace(difference=0.1),
            interval=None,
            needed=None,
        )
        for a in range(n)
        for b in range(a + 1, n)
    )
    comparison = of_scores("t", "macro_f1", {name: 0.9 - place / 100 for place, name in enumerate(names)})
    comparison = replace(comparison, pairs=cast("tuple[Pair, ...]", pairs))
    lines = wrapped_answer(comparison, width)
    assert 2 <= len(lines) <= 10
    assert all(len(line) <= width for line in lines)
    everything = " ".join(answer(comparison, most=n))
    assert all(name in everything for name in names if name != "majority") or "other models" in everything
    listed = re.findall(r"(\d+) more", " ".join(answer(comparison, most=1)))
    assert all(int(number) < n for number in listed)


def of_scores(task: str, metric: str, scores: dict[str, float]) -> Comparison:
    """A comparison of which only the scores are looked at."""
    record = a_record({"name": task})
    rows = tuple(
        ComparedRow(
            name=name,
            model=name,
            search=None,
            key=name,
            score=score,
            interval=None,
            scores={metric: score},
            ranks=None,
            tied=False,
            bought=None,
        )
        for name, score in scores.items()
    )
    return Comparison(
        task=record.task,
        metric=metric,
        seed=0,
        validation=record.validation,
        baseline=None,
        rope=0.01,
        n_folds=5,
        rows=rows,
        best=None,
        references=(),
        pairs=(),
        warnings=(),
        suspects=(),
        notes=(),
    )


def test_with_ten_tasks_the_critical_difference_is_demsars() -> None:
    # Demšar (2006, section 3.2.2): q = 2.569 for four classifiers, and CD = 1.25 over 14 data sets.
    rng = np.random.default_rng(0)
    comparisons = [
        of_scores(f"t{number}", "macro_f1", dict(zip("abcd", rng.random(4).tolist(), strict=True)))
        for number in range(14)
    ]
    across = rank_across(comparisons)
    assert across is not None
    assert across.critical_difference == pytest.approx(1.25, abs=0.005)
    assert sum(row.rank for row in across.rows) == pytest.approx(10.0)


def test_less_is_better_is_ranked_the_other_way() -> None:
    comparisons = [of_scores(str(n), "log_loss", {"a": 0.2, "b": 0.9}) for n in range(3)]
    across = rank_across(comparisons)
    assert across is not None
    assert across.rows[0] == RankedModel("a", 1.0)


def test_no_run_at_all_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no run of task 'stance'"):
        compared(tmp_path, "task=stance")
