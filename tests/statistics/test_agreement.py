"""Agreement figures are those of the literature and of scikit-learn."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from bench.statistics.agreement import agreement, cohen_kappa, krippendorff_alpha, percent_agreement

LABELS = st.sampled_from(["denial", "non_confirmation", "none"])


@st.composite
def coded_tables(draw: st.DrawFn) -> list[list[str | None]]:
    coders = draw(st.integers(1, 5))
    return draw(st.lists(st.lists(st.none() | LABELS, min_size=coders, max_size=coders), min_size=1, max_size=12))


def alpha_by_pairs(table: list[list[str | None]]) -> float:
    """1 - D_o / D_e with both disagreements counted pair by pair, in exact fractions."""
    units = [[label for label in row if label is not None] for row in table]
    units = [unit for unit in units if len(unit) > 1]
    values = [label for unit in units for label in unit]
    if len(set(values)) < 2:
        return math.nan
    observed = sum(Fraction(sum(a != b for a, b in permutations(unit, 2)), len(unit) - 1) for unit in units)
    by_chance = Fraction(sum(a != b for a, b in permutations(values, 2)), len(values) - 1)
    return float(1 - observed / by_chance)


def test_alpha_of_krippendorffs_example_with_four_observers_and_missing_values() -> None:
    # Krippendorff (2011), section C: 12 units, 4 observers, nominal data, alpha = 0.743
    rows = [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    ]
    assert round(krippendorff_alpha(np.array(rows, dtype=object).T), 3) == 0.743


def test_alpha_of_krippendorffs_example_with_two_observers() -> None:
    # Krippendorff (2011), section B: 12 units, 2 observers, five nominal values, alpha = 0.692
    ben = list("aabbdcccedda")
    gerry = list("babbbccceddd")
    assert round(krippendorff_alpha(np.array([ben, gerry], dtype=object).T), 3) == 0.692


def alpha_of(table: list[list[str | None]]) -> float:
    return krippendorff_alpha(np.array(table, dtype=object))


@given(coded_tables())
def test_alpha_is_its_definition_by_pairs(table: list[list[str | None]]) -> None:
    assert alpha_of(table) == pytest.approx(alpha_by_pairs(table), abs=1e-12, nan_ok=True)


@given(coded_tables(), st.randoms())
def test_alpha_depends_on_neither_the_order_of_coders_nor_of_units(table: list[list[str | None]], random) -> None:
    shuffled = [random.sample(row, len(row)) for row in random.sample(table, len(table))]
    assert alpha_of(shuffled) == pytest.approx(alpha_of(table), abs=1e-12, nan_ok=True)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
def test_kappa_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    a, b = zip(*pairs, strict=True)
    if len({*a, *b}) == 1:
        assert math.isnan(cohen_kappa(a, b))
    else:
        assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)


@given(st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=30))
def test_percent_agreement_is_the_share_of_equal_labels(pairs: list[tuple[str, str]]) -> None:
    a, b = zip(*pairs, strict=True)
    equal = Counter(x == y for x, y in pairs)[True]
    assert percent_agreement(a, b) == pytest.approx(100 * equal / len(pairs))


def test_coders_of_different_numbers_of_units_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        cohen_kappa(["a", "b"], ["a"])


def test_summary_holds_every_pair_of_passes_and_their_spread() -> None:
    passes = pd.DataFrame({"pass-1": list("aabb"), "pass-2": list("aabb"), "pass-3": list("aaba")})
    found = agreement(passes)
    assert found is not None
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("pass-1", "pass-2"),
        ("pass-1", "pass-3"),
        ("pass-2", "pass-3"),
    ]
    assert found.units == 4
    assert found.kappas == pytest.approx((0.5, 2 / 3, 1.0))
    assert found.percents == pytest.approx((75.0, 250 / 3, 100.0))
    assert found.alpha == pytest.approx(alpha_by_pairs(passes.to_numpy().tolist()))


def test_one_pass_has_no_agreement() -> None:
    assert agreement(pd.DataFrame({"pass-1": ["a"]})) is None
