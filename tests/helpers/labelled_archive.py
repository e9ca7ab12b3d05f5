"""An archive whose labelled examples, draws and parts are given as arrays, for estimates without files and models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from bench.data.drawn import labelled_since
from bench.results.shares import PartDifference, PartShares
from bench.shares.estimate import LabelledExamples, LabelledTexts, estimate
from bench.shares.totals import ReadArchive, Totals

GIVEN = np.eye(2)


@dataclass(frozen=True, eq=False)
class LabelledArchive:
    """Labels 0 and 1 of examples in the order of their labelling, and a model that says one half of each text.

    Parameters
    ----------
    codes : ndarray of int, shape (n,)
        The label of each.
    rates : ndarray of shape (n,)
        The probability with which each was drawn; ignored for those of no draw.
    draws : ndarray of int, shape (n,)
        The draw of each; -1 for none.
    rows : mapping of str to ndarray of int, shape (n,)
        In how many rows of each part each stands.
    unlabelled : mapping of str to int
        How many further rows each part has.
    groups, strata : ndarray of shape (n,)
        By default, each example is a group, and each draw is a stratum.
    """

    codes: Any
    rates: Any
    draws: Any
    rows: Mapping[str, Any]
    unlabelled: Mapping[str, int]
    groups: Any = None
    strata: Any = None

    def estimate(
        self, pairs: Sequence[tuple[str, str]] = ()
    ) -> tuple[PartShares, list[PartShares], list[PartDifference]]:
        order = np.arange(len(self.codes))
        groups = order if self.groups is None else np.asarray(self.groups)
        strata = np.asarray(self.draws) if self.strata is None else self.strata
        task: Any = SimpleNamespace(
            labels=("no", "yes"),
            codes=np.asarray(self.codes),
            groups=np.array([f"{group:06}" for group in groups]),
            examples=pd.DataFrame({"probability": np.asarray(self.rates).astype(str), "stratum": strata}),
            population=None,
        )
        counts = {(row, part): int(n) for part, rows in self.rows.items() for row, n in enumerate(rows) if n}
        parts = {part: self._totals(self.unlabelled[part], rows) for part, rows in self.rows.items()}
        read = ReadArchive(
            self._totals(sum(self.unlabelled.values()), np.sum(list(self.rows.values()), axis=0)),
            parts=parts,
            copies=Counter(counts),
        )
        half, draws = np.full((len(order), 2), 0.5), np.asarray(self.draws)
        texts = LabelledTexts(order, labelled_since(draws), draws, half, half, np.ones(len(order), dtype=bool))
        drawn = np.flatnonzero(draws >= 0)
        labelled = LabelledExamples(
            drawn, drawn, half[drawn], half[drawn], 1.0 / np.asarray(self.rates)[drawn], draws[drawn], texts
        )
        total = np.maximum(np.sum(list(self.rows.values()), axis=0), 1)
        divided = {part: (np.asarray(rows) / total)[drawn] for part, rows in self.rows.items()}
        return estimate(task, labelled, read, divided, pairs)

    def _totals(self, unlabelled: int, rows: Any) -> Totals:
        half = np.full(2, 0.5 * unlabelled)
        return Totals(unlabelled, half, half / 2, half, np.asarray(rows) @ GIVEN[self.codes], dealt=False)
