"""Reference rows: how annotation passes score against each other, by the metrics of models."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from bench.data.task import encode
from bench.evaluation.metrics import confusion_matrix, label_scores

if TYPE_CHECKING:
    import pandas as pd


def agreement_scores(passes: pd.DataFrame, labels: tuple[str, ...]) -> dict[str, float]:
    """Score each pass against each other as if one were gold; the mean over pairs.

    Macro-F1, accuracy and the Matthews correlation do not change when the two sides are exchanged; the
    balanced accuracy does, and is taken both ways.

    Parameters
    ----------
    passes : pandas.DataFrame of shape (n_examples, n_passes)
        Label names.
    labels : tuple of str
        The task's labels.

    Returns
    -------
    dict of str to float
        By metric of predicted labels.
    """
    codes = [encode(passes[name].to_numpy(dtype=str), labels) for name in passes.columns]
    pairs = [pair for a, b in combinations(codes, 2) for pair in ((a, b), (b, a))]
    scores = label_scores(np.array([confusion_matrix(a, b, len(labels)) for a, b in pairs]))
    return {name: float(values.mean()) for name, values in scores.items()}
