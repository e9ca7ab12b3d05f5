"""The slope of a mean over distance within parts: as least squares has it, and sure only where parts agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from present import present
from scipy.stats import t
from trends import Archive, archive

from bench.statistics.trend import slope_within


def least_squares(y: np.ndarray, x: np.ndarray, parts: np.ndarray) -> float:
    """The slope with an indicator for each part."""
    design = np.column_stack([x, *(parts == part for part in np.unique(parts))])
    return float(np.linalg.lstsq(design, y, rcond=None)[0][0])


def jackknife(y: np.ndarray, x: np.ndarray, parts: np.ndarray, units: np.ndarray) -> float:
    names = np.unique(units)
    slopes = np.array([least_squares(y[units != unit], x[units != unit], parts[units != unit]) for unit in names])
    return float(np.sqrt((len(names) - 1) * np.mean((slopes - slopes.mean()) ** 2)))


@given(st.integers(0, 10**6), st.integers(3, 6), st.integers(4, 8))
def test_the_slope_and_its_error_are_those_of_least_squares_without_each_group_or_part(
    seed: int, n_parts: int, n_groups: int
) -> None:
    rng = np.random.default_rng(seed)
    made = archive(rng, n_parts=n_parts, groups_of_part=n_groups, slope=-0.1)
    found = present(slope_within(made.right, made.days, made.parts, made.groups, 0.95))
    fixed = (made.right, made.days, made.parts)
    assert found.slope == pytest.approx(least_squares(*fixed))
    of_groups = t.ppf(0.975, n_parts * n_groups - n_parts - 1) * jackknife(*fixed, made.groups)
    of_parts = t.ppf(0.975, n_parts - 1) * jackknife(*fixed, made.parts)
    assert (found.by_groups, found.by_parts) == pytest.approx((of_groups, of_parts))
    assert found.half == max(present(found.by_groups), present(found.by_parts))


def test_levels_of_parts_are_no_trend() -> None:
    parts = np.repeat(np.arange(4), 10)
    days = np.tile(np.arange(10.0), 4)
    found = present(slope_within(0.1 * parts + 0.0 * days, days, parts, np.arange(40), 0.95))
    assert found.slope == pytest.approx(0.0, abs=1e-12)


def test_parts_of_one_distance_say_nothing() -> None:
    parts = np.repeat(np.arange(4), 10)
    days = np.where(parts < 2, np.tile(np.arange(10.0), 4), 3.0)
    made = np.random.default_rng(0).random(40)
    found = present(slope_within(made, days, parts, np.arange(40), 0.95))
    inside = parts < 2
    assert found.slope == pytest.approx(least_squares(made[inside], days[inside], parts[inside]))
    assert (found.half, found.n_parts, found.n_groups) == (None, 2, 20)
    assert slope_within(made, parts.astype(np.float64), parts, np.arange(40), 0.95) is None


@pytest.mark.slow
@pytest.mark.parametrize("events", [0.0, 0.1])
def test_a_trend_is_found_no_more_often_than_promised_where_there_is_none(events: float) -> None:
    """Events make neighbours in time alike, so that the interval over groups alone is too narrow."""
    wrong, repeats = 0, 400
    for seed in range(repeats):
        made = archive(np.random.default_rng([seed, 5]), groups_of_part=40, events=events, days_of_event=30.0)
        found = present(slope_within(made.right, made.days, made.parts, made.groups, 0.95))
        wrong += abs(found.slope) > present(found.half)
    assert wrong <= 0.05 * repeats + 2 * np.sqrt(0.05 * 0.95 * repeats)


@pytest.mark.slow
def test_a_trend_is_found_where_there_is_one() -> None:
    def found(made: Archive) -> bool:
        slope = present(slope_within(made.right, made.days, made.parts, made.groups, 0.95))
        return slope.slope + present(slope.half) < 0.0

    made = [archive(np.random.default_rng([seed, 6]), groups_of_part=60, slope=-0.3) for seed in range(100)]
    assert sum(map(found, made)) > 90
