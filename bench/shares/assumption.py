"""Whether the labelled examples look as if they had been drawn from the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.data.drawn import NO_DRAW, draws_of
from bench.shares.estimate import LabelledExamples
from bench.shares.totals import ReadArchive
from bench.statistics.interval import FEWEST as FEWEST_GROUPS
from bench.statistics.units import Units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task

    Floats = NDArray[np.float64]

FEWEST = 30
"""Fewer labelled or other texts than these say nothing about how the two differ."""

FOLDS = 5

TELLABLE = 0.6
"""The lower limit of the AUROC from which labelled and other texts count as different."""

LARGE_PART = 0.05
"""The share of the archive from which a part should have a labelled example."""


def broken_assumptions(
    task: Task, labelled: LabelledExamples, read: ReadArchive, divided: Mapping[str, Floats], seed: int
) -> list[str]:
    """Say where the assumption behind the intervals looks broken, a sentence or two each.

    Parameters
    ----------
    task, labelled, read
        The task, its labelled examples, and the archive.
    divided : mapping of str to ndarray of shape (n_examples,)
        For each part, how much of each example is in it; empty if the archive is not divided.
    seed : int
        For folds.
    """
    found = []
    n_found, n = int(np.isin(labelled.first, list(read.found)).sum()), len(labelled.rows)
    if n_found < n / 2:
        found.append(
            f"{'None' if n_found == 0 else f'Only {n_found:,}'} of the {n:,} labelled texts "
            f"{'is' if n_found <= 1 else 'are'} in this archive. If they come from elsewhere, the intervals are wrong."
        )
    effective = effective_groups(labelled.weights, _groups(task, labelled))
    if effective < FEWEST_GROUPS:
        found.append(
            f"The labelled examples are in effectively {effective:.1f} equal groups; with fewer than {FEWEST_GROUPS:g} "
            "there are no intervals."
        )
    if min(effective, len(read.kept)) < FEWEST:
        found.append(
            f"Too few groups are labelled ({effective:.0f} in effect) or too few texts are not ({len(read.kept):,}) to "
            f"tell whether the labelled ones look drawn from the archive; {FEWEST} of each are needed."
        )
    if others := int((draws_of(task.examples) == NO_DRAW).sum()):
        found.append(
            f"{others:,} labelled examples were not drawn from this archive at known rates, so they do not correct the "
            "model."
        )
    if read.n_near:
        which = "1 text nearly repeats" if read.n_near == 1 else f"{read.n_near:,} texts nearly repeat"
        found.append(
            f"{which} a text that was labelled before, and so could not be drawn. Near repeats count as the label of "
            "that text."
        )
    told = telling_apart(_texts(task, labelled), read.kept, labelled.weights, _groups(task, labelled), seed)
    if told is not None and told[0] > TELLABLE:
        found.append(
            f"A classifier distinguishes labelled texts from the archive's (AUROC {told[1]:.2f}, at least "
            f"{told[0]:.2f}; 0.5 would be chance). They do not look like a random sample of it."
        )
    if divided:
        if lost := int((np.sum(list(divided.values()), axis=0) == 0).sum()):
            found.append(f"{lost:,} labelled examples are in no part of the archive; they count only in the whole.")
        large = [name for name, totals in read.parts.items() if _share(totals.archive.total, read) >= LARGE_PART]
        if missing := sorted(name for name in large if not divided[name].any()):
            named = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
            found.append(f"No labelled example is in {named}, so nothing corrects the model there.")
    return found


def effective_groups(weights: Floats, groups: Sequence[str]) -> float:
    """The number of groups of equal weight that would have as unequal a total (Kish 1965)."""
    totals = np.bincount(np.unique(np.array(groups), return_inverse=True)[1], weights).astype(np.float64)
    return float(Units(np.ones(len(totals))).effective(totals[:, None])[0])


def _share(n: float, read: ReadArchive) -> float:
    return n / max(read.whole.archive.total, 1.0)


def _texts(task: Task, labelled: LabelledExamples) -> list[tuple[str, ...]]:
    return list(task.frame.iloc[labelled.rows].itertuples(index=False, name=None))


def _groups(task: Task, labelled: LabelledExamples) -> Sequence[str]:
    return [str(group) for group in task.groups[labelled.rows].tolist()]


def telling_apart(
    own: Sequence[tuple[str, ...]],
    other: Sequence[tuple[str, ...]],
    weights: Floats,
    groups: Sequence[str],
    seed: int,
) -> tuple[float, float] | None:
    """How well a classifier tells labelled texts from others: the AUROC's lower 95 % limit, and the AUROC.

    The classifier two-sample test (Lopez-Paz and Oquab 2017) with character n-grams and logistic regression; the
    labelled texts have the weights with which they were drawn. The standard error is that of Hanley and McNeil (1982)
    for as many labelled texts as there are groups in effect.

    Parameters
    ----------
    own, other : sequence of tuple of str
        The inputs of labelled and of other texts.
    weights : ndarray of shape (n_own,)
        How many texts each labelled one stands for.
    groups : sequence of str
        The group of each labelled text. No group is in two folds.
    seed : int
        For the folds.

    Returns
    -------
    (float, float) or None
        None if there are too few texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedGroupKFold

    n_own = effective_groups(weights, groups)
    if min(n_own, len(other)) < FEWEST:
        return None
    texts = [" ".join(inputs) for inputs in (*own, *other)]
    y = np.repeat([1, 0], [len(own), len(other)])
    balance = np.concatenate([weights / weights.mean() * len(other) / len(own), np.ones(len(other))])
    units = np.array([*(f"labelled {group}" for group in groups), *(f"other {number}" for number in range(len(other)))])
    scores = np.zeros(len(y))
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(texts, y, units):
        words = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=30_000, sublinear_tf=True)
        X = words.fit_transform([texts[row] for row in train])
        model = LogisticRegression(max_iter=200).fit(X, y[train], sample_weight=balance[train])
        scores[test] = model.decision_function(words.transform([texts[row] for row in test]))
    area = float(roc_auc_score(y, scores, sample_weight=balance))
    n_other = len(other)
    first, second = area / (2.0 - area), 2.0 * area**2 / (1.0 + area)
    variance = (area * (1.0 - area) + (n_own - 1.0) * (first - area**2) + (n_other - 1.0) * (second - area**2)) / (
        n_own * n_other
    )
    return area - 1.96 * float(np.sqrt(max(variance, 0.0))), area
