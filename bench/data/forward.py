"""Splits that train on earlier examples and test on later ones, with whole groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data.dates import Times, day_of
from bench.data.splits import Split
from bench.errors import DataError, LeakageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


FINE = 0.75
"""The share of the mean size that the smallest period must have; otherwise, periods are divided again."""


def forward_splits(codes: NDArray[np.intp], groups: NDArray[Any], times: Times, n_cuts: int) -> list[Split]:
    """Split examples at several points in time, so that nothing of the future is in training.

    A group appears in a test part by its earliest date, and in training by its latest: at a cut, the training part has
    the groups that ended before it, and the test part has those that began from then on, up to the next cut. Groups
    that began before a cut and ended after it are in neither part. So each example is tested at most once, and those
    before the first cut are never tested.

    The cuts divide the examples into `n_cuts` + 1 periods of about the same size. Where two labels have ended so late
    that the periods would be of unlike size, the examples from the first possible cut on are divided into `n_cuts`
    periods. There are fewer cuts if groups overlap so much in time, or so many dates are the same, that there is no
    other cut with two labels in training.

    Parameters
    ----------
    codes : ndarray of int, shape (n_examples,)
        Label indices.
    groups : ndarray of str, shape (n_examples,)
        The examples' groups.
    times : Times
        When they appeared.
    n_cuts : int
        The number of cuts.

    Returns
    -------
    list of Split
        One for each cut, in order of time; empty if there is no cut.

    Examples
    --------
    >>> days = np.array(["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], dtype="datetime64[us]")
    >>> splits = forward_splits(np.array([0, 1, 0, 1]), np.array(["a", "b", "c", "d"]), Times(days, days), 2)
    >>> [(split.train.tolist(), split.test.tolist()) for split in splits]
    [([0, 1], [2]), ([0, 1, 2], [3])]
    """
    if not len(codes):
        return []
    began, ended = _spans(groups, times)
    starts = np.unique(began)
    least = min(2, len(np.unique(codes)))
    possible = starts[_n_labels_before(starts, codes, ended) >= least]
    if not len(possible):
        return []
    before = np.searchsorted(np.sort(began), starts)
    cuts = possible[_chosen(before, len(starts) - len(possible), len(codes), n_cuts)]
    ends = [*cuts[1:], None]
    return [
        Split(np.flatnonzero(ended < cut), np.flatnonzero((began >= cut) & (True if end is None else began < end)))
        for cut, end in zip(cuts, ends, strict=True)
    ]


def _spans(groups: NDArray[Any], times: Times) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """When the group of each example began and ended."""
    _, codes = np.unique(groups.astype(str), return_inverse=True)
    began = np.full(codes.max() + 1, times.first.max())
    ended = np.full(codes.max() + 1, times.last.min())
    np.minimum.at(began, codes, times.first)
    np.maximum.at(ended, codes, times.last)
    return began[codes], ended[codes]


def _n_labels_before(
    starts: NDArray[np.datetime64], codes: NDArray[np.intp], ended: NDArray[np.datetime64]
) -> NDArray[np.intp]:
    """How many labels the groups have that ended before each start."""
    first_known = np.sort([ended[codes == code].min() for code in np.unique(codes)])
    return np.searchsorted(first_known, starts)


def _chosen(before: NDArray[np.intp], n_early: int, n_examples: int, n_cuts: int) -> list[int]:
    """The places of the cuts among the possible ones; the first `n_early` starts are too early to be one."""
    possible = before[n_early:]
    wanted = np.arange(1, n_cuts + 1) * n_examples / (n_cuts + 1)
    chosen = _nearest(possible, wanted)
    evenness = _evenness(possible[chosen], n_examples)
    distances = np.abs(before - wanted[0])
    if evenness >= FINE or distances[:n_early].min(initial=np.inf) >= distances[n_early:].min():
        return chosen
    first = int(possible[0])
    again = _nearest(possible, first + np.arange(n_cuts) * (n_examples - first) / n_cuts)
    return again if _evenness(possible[again], n_examples) > evenness else chosen


def _evenness(before: NDArray[np.intp], n_examples: int) -> float:
    """The size of the smallest test part, as a share of their mean."""
    sizes = np.diff([*before, n_examples])
    return float(sizes.min() / sizes.mean())


def _nearest(before: NDArray[np.intp], wanted: NDArray[np.float64]) -> list[int]:
    """The place of the cut that is nearest to each wanted number of earlier examples, each cut once, in order."""
    chosen: list[int] = []
    for number, target in enumerate(wanted):
        least = chosen[-1] + 1 if chosen else 0
        most = max(len(before) - (len(wanted) - number), least)
        if least >= len(before):
            break
        free = before[least : most + 1]
        chosen.append(least + int(np.argmin(np.abs(free - target))))
    return chosen


def verify_forward(splits: Sequence[Split], times: Times, ids: NDArray[np.object_]) -> None:
    """Check that no training example is as late as a test example.

    Raises
    ------
    bench.errors.LeakageError
        If one is.
    """
    for number, split in enumerate(splits):
        latest = split.train[np.argmax(times.last[split.train])]
        earliest = split.test[np.argmin(times.first[split.test])]
        if times.last[latest] >= times.first[earliest]:
            raise LeakageError(
                f"Fold {number}: training example '{ids[latest]}' is not earlier than test example '{ids[earliest]}'."
            )


def outer_forward(codes: NDArray[np.intp], groups: NDArray[Any], column: str, times: Times, n_cuts: int) -> list[Split]:
    """Split a whole task; see `forward_splits`.

    Raises
    ------
    bench.errors.DataError
        If there are not two cuts.
    """
    splits = forward_splits(codes, groups, times, n_cuts)
    if len(splits) < 2:
        began, ended = _spans(groups, times)
        longest = int(np.argmax(ended - began))
        raise DataError(
            f"validation=forward needs two points in time at which some groups (column '{column}') have ended, with "
            f"examples of two labels, and others have not begun. There {'is one' if splits else 'is none'}. The dates "
            f"are from {day_of(times.first.min())} to {day_of(times.last.max())}; group '{groups[longest]}' alone is "
            f"from {day_of(began[longest])} to {day_of(ended[longest])}.",
            "Choose groups that are shorter in time with validation.group=COLUMN (validation.group=id: each example "
            "by itself), or use validation=grouped.",
        )
    return splits
