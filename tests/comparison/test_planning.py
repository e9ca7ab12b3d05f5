"""`bench plan-labels`: how many labels a comparison takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from contest import compared, store_contest
from hypothesis import given, settings
from hypothesis import strategies as st
from present import present
from scipy import stats

from bench.comparison.planning import LabelPlan, agreement_of, plan_labels
from bench.statistics.training import USUAL, training_factor


@pytest.mark.parametrize(("per_group", "difference", "n"), [(1, 0.05, 600), (1, 0.10, 300), (10, 0.05, 1_000)])
def test_the_chance_is_the_one_with_which_drawn_answers_decide(per_group: int, difference: float, n: int) -> None:
    """Right answers of two models are drawn, with as much more variation as the test allows for the fitting."""
    plan = LabelPlan(examples=(n,), difference=(difference,), per_group=per_group, alike=0.1, agreement=0.8)
    ((chance,),) = (row.power for row in plan_labels(plan).rows)
    rng, groups = np.random.default_rng(0), n // per_group
    factor = training_factor(1.0, 0.8, USUAL)
    found = 0
    for _ in range(1_500):
        # Groups share a part of what one model gains, which makes their examples alike by a tenth.
        own = rng.random((groups, per_group)) < np.sqrt(0.1)
        drawn = rng.random((groups, per_group + 1))
        latent = np.where(own, drawn[:, :1], drawn[:, 1:])
        one, other = (0.2 + difference) / 2, (0.2 - difference) / 2
        gained = np.where(latent < one, 1, np.where(latent > 1 - other, -1, 0)).mean(axis=1)
        error = gained.std(ddof=1) / np.sqrt(groups) * factor
        extra = rng.normal(scale=gained.std(ddof=1) / np.sqrt(groups) * np.sqrt(factor**2 - 1))
        found += (gained.mean() + extra) / error > stats.t.ppf(0.975, groups - 1)
    assert found / 1_500 == pytest.approx(chance, abs=0.05)


@given(st.floats(0.55, 0.95), st.integers(1, 50), st.floats(0.0, 1.0), st.sampled_from([2, 5, 10]), st.integers(2, 8))
@settings(max_examples=40)
def test_more_examples_and_larger_differences_are_never_harder(
    accuracy: float, per_group: int, alike: float, folds: int, models: int
) -> None:
    plan = LabelPlan(None, (200, 2_000, 20_000), (0.02, 0.05, 0.1), per_group, alike, accuracy, None, folds, models)
    table = plan_labels(plan)
    chances = np.array([row.power for row in table.rows])
    assert (np.diff(chances, axis=0) >= -1e-9).all()
    assert (np.diff(chances, axis=1) >= -1e-9).all()
    alone = plan_labels(
        LabelPlan(None, (200, 2_000, 20_000), (0.02, 0.05, 0.1), per_group, alike, accuracy, None, folds, 2)
    )
    assert (chances <= np.array([row.power for row in alone.rows]) + 1e-9).all()
    for difference, needed in zip(table.difference, table.needed, strict=True):
        if needed is not None:
            again = plan_labels(
                LabelPlan(None, (needed + per_group,), (difference,), per_group, alike, accuracy, None, folds, models)
            )
            assert again.rows[0].power[0] >= 0.79


def test_models_that_agree_more_are_told_apart_with_fewer_examples() -> None:
    needed = [plan_labels(LabelPlan(agreement=share, difference=(0.05,))).needed[0] for share in (0.7, 0.8, 0.9)]
    assert needed == sorted(map(present, needed), reverse=True)
    assert agreement_of(LabelPlan(accuracy=0.9), 0.0) > agreement_of(LabelPlan(accuracy=0.6), 0.0)


@pytest.mark.slow
def test_stored_runs_say_how_much_groups_vary(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, {"good": 0.85, "fair": 0.75, "poor": 0.55, "majority": 0.33})
    words = ("plan-labels", "task=denial", "examples=300,3000", "difference=0.05,0.1", f"results={tmp_path}")
    status, out, _ = bench(*words, "--format", "json")
    assert status == 0
    told = json.loads(out)
    assert (told["metric"], [row["groups"] for row in told["rows"]]) == ("macro_f1", [30, 300])
    errors = [
        pair.groups.standard_error
        for pair in compared(tmp_path, "task=denial").pairs
        if "majority" not in (pair.first, pair.second)
    ]
    expected = stats.nct.sf(stats.t.ppf(0.975, 29), 29, 0.1 / np.median([present(error) for error in errors]))
    assert told["rows"][0]["power"][1] == pytest.approx(expected)
    status, out, _ = bench(*words)
    assert status == 0
    assert "by their difference in macro-F1" in " ".join(out.split())
    assert "3 pairs of stored models" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_without_any_run_it_goes_by_what_is_assumed_and_says_so(tmp_path: Path, bench) -> None:
    status, out, _ = bench("plan-labels", "accuracy=0.9", "per_group=20", "models=4")
    assert status == 0
    told = " ".join(out.split())
    assert "the better model gets 90 % right" in told
    assert "in groups of 20, alike by 0.05" in told
    assert "one of 6 pairs of 4 models" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["exmples=300"], "Did you mean 'examples'?"),
        (["examples=many"], "expected a whole number from 10"),
        (["difference=2"], "expected a number from 0 to 1"),
        (["folds=3,5"], "takes one value"),
        (["agreement=0.1"], "models agree on at least 0.40"),
        (["metric=macro_f"], "Did you mean 'macro_f1'?"),
        (["task=stance"], "no run of task 'stance' is stored there"),
    ],
)
def test_mistakes_get_one_message(tmp_path: Path, bench, words: list[str], said: str) -> None:
    status, _, err = bench("plan-labels", *words, f"results={tmp_path}")
    assert status == 2
    assert said in err


def test_one_model_besides_the_baselines_says_nothing_of_differences(tmp_path: Path, bench) -> None:
    store_contest(tmp_path, {"good": 0.85, "majority": 0.33})
    status, _, err = bench("plan-labels", "task=denial", f"results={tmp_path}")
    assert status == 2
    assert "at least two models besides majority and stratified" in err


def test_models_that_hardly_ever_disagree_need_the_groups_that_exclude_unseen_disagreements() -> None:
    """Without one, 3 in n examples may be predicted otherwise, so ± 0.01 takes about 380 examples of any accuracy."""
    planned = {
        agreement: plan_labels(LabelPlan(accuracy=0.7, agreement=agreement, difference=(0.0005,), rope=0.01)).equal
        for agreement in (1.0, 0.999, 0.99)
    }
    assert 350 <= present(planned[1.0]) <= 400
    assert present(planned[1.0]) < present(planned[0.999]) < present(planned[0.99])
