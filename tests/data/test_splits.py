"""No split lets a group or an example into training that it is tested on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_tasks import text_task

from bench.data.duplicates import duplicate_keys
from bench.data.splits import FEW_GROUPS, Split, digest, outer_splits, split_by_group, verify
from bench.errors import DataError, LeakageError


@st.composite
def grouped(draw: st.DrawFn, least: int = 2, most: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Label codes and groups of examples, with groups and labels as uneven as they come."""
    n_groups = draw(st.integers(least, most))
    sizes = draw(st.lists(st.integers(1, 6), min_size=n_groups, max_size=n_groups))
    groups = np.repeat([f"g{number}" for number in range(n_groups)], sizes)
    order = np.random.default_rng(draw(st.integers(0, 99))).permutation(len(groups))
    codes = draw(st.lists(st.integers(0, 3), min_size=len(groups), max_size=len(groups)))
    return np.array(codes, dtype=np.intp), groups[order]


@pytest.mark.slow
@given(grouped(), st.integers(2, 40), st.integers(1, 3), st.integers(0, 2**31 - 1))
def test_no_group_stands_on_both_sides_and_each_example_is_tested_once_a_repeat(
    case: tuple[np.ndarray, np.ndarray], n_folds: int, repeats: int, seed: int
) -> None:
    codes, groups = case
    splits = split_by_group(codes, groups, n_folds, seed, repeats)
    for split in splits:
        assert set(groups[split.train]).isdisjoint(groups[split.test])
        assert sorted([*split.train, *split.test]) == list(range(len(codes)))
    rounds = 1 if len(set(groups)) <= max(FEW_GROUPS, n_folds) else repeats
    tested = np.bincount(np.concatenate([split.test for split in splits]), minlength=len(codes))
    assert (tested == rounds).all()


@given(grouped(most=FEW_GROUPS), st.integers(2, 7), st.integers(0, 9))
def test_ten_groups_or_fewer_are_left_out_one_at_a_time(
    case: tuple[np.ndarray, np.ndarray], n_folds: int, seed: int
) -> None:
    codes, groups = case
    splits = split_by_group(codes, groups, n_folds, seed, repeats=4)
    assert [set(groups[split.test]) for split in splits] == [{name} for name in sorted(set(groups))]


@pytest.mark.slow
@given(grouped(least=FEW_GROUPS + 1), st.integers(2, 7), st.integers(1, 3))
def test_more_groups_are_dealt_into_as_many_folds_as_asked_for(
    case: tuple[np.ndarray, np.ndarray], n_folds: int, repeats: int
) -> None:
    codes, groups = case
    splits = split_by_group(codes, groups, n_folds, 0, repeats)
    assert len(splits) == n_folds * repeats
    verify(splits, groups, np.arange(len(codes)).astype(object), np.arange(len(codes)).astype(object))


@given(grouped(least=FEW_GROUPS + 1, most=20), st.integers(2, 40), st.integers(0, 99))
def test_no_part_is_empty_however_many_folds_are_asked_for(
    case: tuple[np.ndarray, np.ndarray], n_folds: int, seed: int
) -> None:
    codes, groups = case
    n_groups = len(set(groups))
    splits = split_by_group(codes, groups, n_folds, seed)
    assert len(splits) == min(n_folds, n_groups)
    assert all(len(split.train) and len(split.test) for split in splits)
    if n_folds >= n_groups:
        assert {frozenset(groups[split.test]) for split in splits} == {frozenset({name}) for name in groups}


def test_folds_of_many_groups_hold_the_labels_at_nearly_the_same_rates() -> None:
    task = text_task(n_groups=40, per_group=6)
    for split in split_by_group(task.codes, task.groups, 5, seed=0):
        assert np.bincount(task.codes[split.test]).tolist() == [16, 16, 16]


@given(st.lists(st.integers(0, 2), min_size=11, max_size=40), st.integers(2, 5))
def test_examples_that_are_groups_of_their_own_are_stratified_one_by_one(labels: list[int], n_folds: int) -> None:
    codes = np.array(labels, dtype=np.intp)
    splits = split_by_group(codes, np.arange(len(codes)).astype(str), n_folds, seed=0)
    counts = np.array([np.bincount(codes[split.test], minlength=3) for split in splits])
    assert np.ptp(counts.sum(axis=1)) <= 1
    if np.bincount(codes).max() >= n_folds:
        assert (np.ptp(counts, axis=0) <= 1).all()


@settings(max_examples=30)
@given(grouped(), st.integers(0, 2**31 - 1))
def test_the_same_seed_splits_alike(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    codes, groups = case
    ids = np.arange(len(codes)).astype(object)
    assert digest(split_by_group(codes, groups, 5, seed, 2), ids) == digest(
        split_by_group(codes, groups, 5, seed, 2), ids
    )


def test_another_seed_or_repeat_deals_anew() -> None:
    task = text_task(n_groups=30, per_group=3)
    ids = task.ids
    first, second = (split_by_group(task.codes, task.groups, 5, seed) for seed in (0, 1))
    assert digest(first, ids) != digest(second, ids)
    twice = split_by_group(task.codes, task.groups, 5, 0, repeats=2)
    assert digest(twice[:5], ids) == digest(first, ids) != digest(twice[5:], ids)


def test_one_group_is_an_error_that_names_the_column() -> None:
    task = text_task(n_groups=1)
    with pytest.raises(DataError, match=r"All 6 examples are in one group \(column 'document': 'd0'\)") as error:
        outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    assert "validation.group=COLUMN" in str(error.value)


@pytest.mark.filterwarnings("error")
def test_splitting_is_quiet() -> None:
    codes = np.array([0] * 12 + [1], dtype=np.intp)
    for groups in (np.arange(13).astype(str), np.array([f"g{n % 12}" for n in range(13)])):
        assert len(split_by_group(codes, groups, 5, seed=0)) == 5


def test_splits_of_the_harness_pass_their_own_guard() -> None:
    for n_groups in (4, 20):
        task = text_task(n_groups)
        splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
        verify(splits, task.groups, duplicate_keys(task.frame), task.ids)


IDS = np.array(["a", "b", "c", "d"], dtype=object)
GROUPS = np.array(["g", "g", "h", "i"])
KEYS = np.array(["w", "x", "y", "z"], dtype=object)


def test_a_group_on_both_sides_is_caught() -> None:
    good, bad = Split(np.array([2, 3]), np.array([0, 1])), Split(np.array([0, 2]), np.array([1, 3]))
    with pytest.raises(LeakageError, match="Fold 1: group 'g' is in both the training and the test part"):
        verify([good, bad], GROUPS, KEYS, IDS)


def test_a_test_example_that_also_stands_in_training_is_caught_and_both_are_named() -> None:
    keys = np.array(["w", "x", "w", "z"], dtype=object)
    with pytest.raises(LeakageError, match="Fold 0: test example 'a' is also in the training part, as 'c' \\(1 such"):
        verify([Split(np.array([2, 3]), np.array([0, 1]))], GROUPS, keys, IDS)


def test_copies_are_caught_in_whatever_spelling() -> None:
    task = text_task(n_groups=3, per_group=2)
    examples = task.examples.copy()
    examples.loc[0, "text"] = "نفت موسكو الخبر"
    examples.loc[5, "text"] = "نَفَت موسكو، الخبر!"
    task = text_task(n_groups=3, per_group=2, examples=examples)
    splits = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    with pytest.raises(LeakageError, match="'e0' is also in the training part, as 'e5'"):
        verify(splits, task.groups, duplicate_keys(task.frame), task.ids)


@pytest.mark.parametrize(("train", "test", "part"), [([], [0], "training"), ([0], [], "test")])
def test_an_empty_part_is_caught(train: list[int], test: list[int], part: str) -> None:
    split = Split(np.array(train, dtype=np.intp), np.array(test, dtype=np.intp))
    with pytest.raises(LeakageError, match=f"Fold 0 has an empty {part} part"):
        verify([split], GROUPS, KEYS, IDS)


def test_the_digest_of_splits_depends_on_what_is_held_out_together() -> None:
    one = [Split(np.array([2, 3]), np.array([0, 1])), Split(np.array([0, 1]), np.array([2, 3]))]
    other = [Split(np.array([1, 2]), np.array([0, 3])), Split(np.array([0, 3]), np.array([1, 2]))]
    assert digest(one, IDS) == digest(list(one), IDS.copy()) != digest(other, IDS)
