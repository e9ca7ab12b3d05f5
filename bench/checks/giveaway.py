"""Check for text features that give the label away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.checks.finding import MOST_EXAMPLES, CheckResult, first_few, quoted
from bench.metrics.outcomes import label_indices
from bench.text.normalization import normalize

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.checks.subject import Subject

    Counts = NDArray[np.int64]

_ASSOCIATION = 0.8
"""The least phi coefficient at which a feature gives a label away."""

_LEAST = 10
"""The least number of texts with a label, and without it, for the check to apply."""

_CHANCE = 0.001
"""The highest p-value, corrected for all features tested, of a reported feature."""

_MOST_TEXTS = 20_000
"""The most texts to examine. Larger data are sampled, which is enough to find a giveaway."""

_GRAMS = (1, 3, 5)
"""The lengths of the character n-grams to examine."""


@dataclass(frozen=True)
class _Feature:
    """A feature and a label: of `size` texts, `has` have the feature, `labelled` the label, and `both` both."""

    name: str
    label: int
    both: int
    has: int
    labelled: int
    size: int
    phi: float

    @property
    def precision(self) -> float:
        return self.both / self.has if self.phi > 0 else (self.labelled - self.both) / (self.size - self.has)

    @property
    def recall(self) -> float:
        return (self.both if self.phi > 0 else self.labelled - self.both) / self.labelled

    def chance(self) -> float:
        """The probability of so strong an association by chance (Fisher's exact test, one-sided)."""
        from scipy.stats import hypergeom

        counts = self.size, self.labelled, self.has
        return float(hypergeom.sf(self.both - 1, *counts) if self.phi > 0 else hypergeom.cdf(self.both, *counts))


def giveaways(subject: Subject) -> Iterator[CheckResult]:
    """Find words, character n-grams (at the start or end, too) and lengths that predict nearly all of a label.

    Each feature is compared with each label by the phi coefficient of their 2×2 table, on the distinct texts of an
    input column. Fisher's exact test, with Bonferroni's correction for the number of features and labels, rules out
    chance.
    """
    task = subject.task
    for column in task.inputs:
        table = task.examples[[column, "label"]].drop_duplicates()
        if len(table) > _MOST_TEXTS:
            table = table.sample(_MOST_TEXTS, random_state=0)
        codes = label_indices(table["label"].to_numpy(dtype=str), task.labels)
        told: set[str] = set()
        for feature in sorted(_strongest(table[column].tolist(), codes, len(task.labels)), key=lambda f: f.phi < 0):
            if feature.name in told:
                continue
            told.add(feature.name)
            label = task.labels[feature.label]
            examples = task.examples.loc[table.index[codes == feature.label][:MOST_EXAMPLES]]
            yield CheckResult(
                "warning",
                f"{column}: texts {'with' if feature.phi > 0 else 'without'} {feature.name} are labelled '{label}' "
                f"with precision {feature.precision:.2f} and recall {feature.recall:.2f} on {feature.size:,} texts.",
                first_few(f"{i}: {quoted(text)}" for i, text in zip(examples["id"], examples[column], strict=True)),
            )


def _strongest(texts: list[str], codes: NDArray[np.intp], n_labels: int) -> list[_Feature]:
    """The feature that gives each label away, if any."""
    sizes = np.bincount(codes, minlength=n_labels)
    eligible = (sizes >= _LEAST) & (len(codes) - sizes >= _LEAST)
    best: dict[int, _Feature] = {}
    tried = 0
    for name, counts in _families(texts, codes, n_labels):
        phi = _phi(counts, sizes)
        tried += phi.size
        for label in np.flatnonzero(eligible).tolist():
            row = int(np.abs(phi[:, label]).argmax())
            strength = float(phi[row, label])
            if abs(strength) >= _ASSOCIATION and (label not in best or abs(strength) > abs(best[label].phi) + 0.01):
                both, has = int(counts[row, label]), int(counts[row].sum())
                best[label] = _Feature(name(row), label, both, has, int(sizes[label]), len(codes), strength)
    return [feature for feature in best.values() if feature.chance() * tried <= _CHANCE]


def _families(
    texts: list[str], codes: NDArray[np.intp], n_labels: int
) -> Iterator[tuple[Callable[[int], str], Counts]]:
    """Yield, for each kind of feature, a function that names a row's feature, and the text counts by label."""
    words = [sorted(set(text.split())) for text in normalize(texts)]
    rows = np.repeat(np.arange(len(texts)), [len(some) for some in words])
    numbers, vocabulary = pd.factorize(np.array([word for some in words for word in some], dtype=object))
    if len(vocabulary):
        yield lambda row: f"the word '{vocabulary[row]}'", _counts(numbers, rows, codes, n_labels)

    lengths = np.array([len(text.strip()) for text in texts])
    cuts, places = np.unique(lengths, return_inverse=True)
    longer = _counts(places, np.arange(len(texts)), codes, n_labels)[::-1].cumsum(axis=0)[::-1]
    if len(cuts) > 1:
        yield lambda row: f"more than {cuts[row]} characters", longer[1:]

    joined = "".join(text.strip() for text in texts)
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    text_of = np.repeat(np.arange(len(texts)), lengths)
    for n in _GRAMS:
        yield from _grams(joined, points, text_of, n, codes, n_labels)


def _grams(
    joined: str, points: NDArray[np.uint64], text_of: NDArray[np.intp], n: int, codes: NDArray[np.intp], n_labels: int
) -> Iterator[tuple[Callable[[int], str], Counts]]:
    """Character n-grams at the start of a text, at its end, and anywhere in it."""
    size = max(len(points) - n + 1, 0)
    hashes = np.zeros(size, dtype=np.uint64)
    for place in range(n):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + points[place : size + place]
    inside = np.flatnonzero(text_of[:size] == text_of[n - 1 :])
    begins = np.diff(text_of, prepend=-1) > 0
    ends = np.append(begins[1:], True)
    for where, places in (
        ("at the beginning", inside[begins[inside]]),
        ("at the end", inside[ends[inside + n - 1]]),
        ("inside", inside),
    ):
        if len(places):
            yield _gram_family(joined, hashes[places], places, n, where, text_of, codes, n_labels)


def _gram_family(
    joined: str,
    hashes: NDArray[np.uint64],
    places: NDArray[np.intp],
    n: int,
    where: str,
    text_of: NDArray[np.intp],
    codes: NDArray[np.intp],
    n_labels: int,
) -> tuple[Callable[[int], str], Counts]:
    numbers, distinct = pd.factorize(hashes)
    somewhere = np.empty(len(distinct), dtype=np.intp)
    somewhere[numbers] = places
    pairs = np.unique(numbers * np.int64(len(codes)) + text_of[places])
    numbers, rows = np.divmod(pairs, len(codes))
    return (
        lambda row: f"'{joined[somewhere[row] : somewhere[row] + n]}' {where}",
        _counts(numbers, rows, codes, n_labels),
    )


def _counts(numbers: NDArray[np.intp], rows: NDArray[np.intp], codes: NDArray[np.intp], n_labels: int) -> Counts:
    """Count the texts of each label that have each feature, in shape (n_features, n_labels)."""
    counts = np.bincount(numbers * n_labels + codes[rows], minlength=(int(numbers.max()) + 1) * n_labels)
    return counts.reshape(-1, n_labels)


def _phi(counts: Counts, sizes: NDArray[np.intp]) -> NDArray[np.float64]:
    """The phi coefficient of each feature and label; 0 where all texts or none have either."""
    total = int(sizes.sum())
    has = counts.sum(axis=1, keepdims=True).astype(float)
    spread = np.sqrt(has * (total - has) * (sizes * (total - sizes)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, (counts * float(total) - has * sizes) / spread, 0.0)
