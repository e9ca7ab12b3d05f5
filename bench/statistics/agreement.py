"""Agreement of annotation passes: Krippendorff's alpha, Cohen's kappa, percent agreement."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import ArrayLike, NDArray


def krippendorff_alpha(labels: ArrayLike | pd.DataFrame) -> float:
    """Krippendorff's alpha of nominal labels, which may be missing.

    Parameters
    ----------
    labels : array-like of shape (n_units, n_coders)
        One row for each unit, one column for each coder; None or NaN if a coder gave no label.

    Returns
    -------
    float
        1 for perfect agreement, 0 for chance agreement; NaN if undefined: no unit has two labels, or
        all labels of such units are the same.

    References
    ----------
    K. Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section D.

    Examples
    --------
    >>> round(krippendorff_alpha([["a", "a"], ["a", "b"], ["b", "b"], ["b", "b"]]), 3)
    0.533
    """
    codes = _codes(labels)
    counts = np.zeros((len(codes), codes.max(initial=-1) + 1), dtype=np.int64)
    rows, coders = np.nonzero(codes >= 0)
    np.add.at(counts, (rows, codes[rows, coders]), 1)
    counts = counts[counts.sum(axis=1) >= 2]
    by_unit, by_label = counts.sum(axis=1), counts.sum(axis=0)
    total = int(by_label.sum())
    expected = total**2 - int((by_label**2).sum())
    if expected == 0:
        return float("nan")
    differing = by_unit**2 - (counts**2).sum(axis=1)
    return float(1 - (total - 1) * (differing / (by_unit - 1)).sum() / expected)


def cohen_kappa(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Cohen's kappa of two coders who labelled the same units.

    Parameters
    ----------
    a, b : sequence of length n_units
        The labels that each gave.

    Returns
    -------
    float
        1 for perfect agreement, 0 for chance agreement; NaN if undefined: no units, or both gave one
        and the same label throughout.

    Raises
    ------
    ValueError
        If the lengths differ.

    References
    ----------
    J. Cohen (1960), A coefficient of agreement for nominal scales.

    Examples
    --------
    >>> cohen_kappa(["a", "a", "b", "b"], ["a", "a", "b", "a"])
    0.5
    """
    units = len(a)
    agreed = sum(x == y for x, y in zip(a, b, strict=True))
    of_a, of_b = Counter(a), Counter(b)
    by_chance = sum(count * of_b[label] for label, count in of_a.items())
    if by_chance == units**2:
        return float("nan")
    return (units * agreed - by_chance) / (units**2 - by_chance)


def percent_agreement(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """Percentage of units that two coders label alike, from 0 to 100; NaN without units.

    Examples
    --------
    >>> percent_agreement(["a", "a", "b", "b"], ["a", "a", "b", "a"])
    75.0
    """
    alike = [x == y for x, y in zip(a, b, strict=True)]
    return 100 * sum(alike) / len(alike) if alike else float("nan")


@dataclass(frozen=True)
class PairAgreement:
    """The agreement of two passes.

    Parameters
    ----------
    first, second : str
        The passes' names.
    percent : float
        Percent agreement, from 0 to 100.
    kappa : float
        Cohen's kappa.
    """

    first: str
    second: str
    percent: float
    kappa: float


@dataclass(frozen=True)
class Agreement:
    """The agreement of all passes.

    Parameters
    ----------
    units : int
        How many units every pass labelled.
    alpha : float
        Krippendorff's alpha of all passes, nominal.
    pairs : tuple of PairAgreement
        Each pair of passes, in their order.
    """

    units: int
    alpha: float
    pairs: tuple[PairAgreement, ...]

    @property
    def kappas(self) -> tuple[float, float, float]:
        """Cohen's kappa of the pairs: the lowest, the mean and the highest; NaN if any is undefined."""
        return _spread([pair.kappa for pair in self.pairs])

    @property
    def percents(self) -> tuple[float, float, float]:
        """Percent agreement of the pairs: the lowest, the mean and the highest."""
        return _spread([pair.percent for pair in self.pairs])


def agreement(passes: pd.DataFrame) -> Agreement | None:
    """Summarise how far annotation passes agree.

    Parameters
    ----------
    passes : pandas.DataFrame of shape (n_units, n_passes)
        Labels, one column for each pass, none missing.

    Returns
    -------
    Agreement or None
        None for fewer than two passes.

    Examples
    --------
    >>> found = agreement(pd.DataFrame({"pass-1": ["a", "b"], "pass-2": ["a", "b"]}))
    >>> found.alpha, found.pairs[0].kappa
    (1.0, 1.0)
    """
    labels = {str(name): column.tolist() for name, column in passes.items()}
    if len(labels) < 2:
        return None
    pairs = tuple(
        PairAgreement(a, b, percent_agreement(labels[a], labels[b]), cohen_kappa(labels[a], labels[b]))
        for a, b in combinations(labels, 2)
    )
    return Agreement(len(passes), krippendorff_alpha(passes), pairs)


def _codes(labels: ArrayLike | pd.DataFrame) -> NDArray[np.intp]:
    """Replace labels by whole numbers from 0, and missing ones by -1."""
    table = np.asarray(labels, dtype=object)
    codes, _ = pd.factorize(table.ravel())
    return codes.reshape(table.shape)


def _spread(values: list[float]) -> tuple[float, float, float]:
    return float(np.min(values)), float(np.mean(values)), float(np.max(values))
