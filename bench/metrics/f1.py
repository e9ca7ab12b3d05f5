"""F1: the harmonic mean of precision and recall, of one label or averaged over labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.metrics.confusion import per_class
from bench.metrics.metric import LabelMetric
from bench.statistics.interval import Interval, Thin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.metrics.outcomes import Outcomes

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeanF1(LabelMetric):
    """The mean F1 of labels, one that never occurs and is never predicted counting 0.

    Parameters
    ----------
    first, end : int or None
        Which of the task's labels, by index: from the first one up to before the end; all without them.
    """

    first: int = 0
    end: int | None = None

    @property
    def told_apart(self) -> tuple[int, ...]:
        """The labels of the mean, if it covers only some."""
        return (0, 1) if self.end is None else tuple(range(self.first, self.end))

    def rests_on(self, n_labels: int) -> tuple[int, ...]:
        """The labels of the mean."""
        return tuple(range(n_labels)[self.first : self.end])

    def of_confusions(self, counts: Floats) -> Floats:
        """The mean over the labels."""
        return np.asarray(per_class(counts)["f1"][..., self.first : self.end].mean(axis=-1))

    def interval(self, outcomes: Outcomes) -> Interval | Thin:
        """The interval of the mean, of the labels' own ones."""
        shares, labels = outcomes.shares, np.arange(outcomes.n_labels)[self.first : self.end]
        return (
            shares.of_label(shares.f1, int(labels[0])) if len(labels) == 1 else shares.of_mean(shares.f1.only(labels))
        )


MACRO_F1 = MeanF1("macro_f1", "macro-F1", brief=True)

F_AVG = MeanF1("f_avg", "F avg.", everywhere=False, end=2)
"""The mean F1 of the first two labels, which of stances are favour and against (SemEval-2016, Mohammad et al. 2016)."""


def label_f1(label: str, code: int) -> MeanF1:
    """The F1 of one label, the task's label with the index `code`."""
    return MeanF1(f"f1_{label}", f"F1 {label}", everywhere=False, first=code, end=code + 1)
