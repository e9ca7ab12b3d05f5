"""What refitting on other examples adds to a standard error that treats the fitted models as fixed."""

from __future__ import annotations

import math

USUAL = 0.6
"""The weight of the fitting where labels have enough examples; ``docs/development/measurements.md`` has the data."""

RARE = 1.0
"""Its weight if a label is rare: that of Nadeau and Bengio (2003)."""

ENOUGH_OF_A_LABEL = 40
"""With fewer examples of a label to learn from, whether a model ever predicts it is luck."""


def training_weight(fewest: float) -> float:
    """How much the fitting of models adds.

    Parameters
    ----------
    fewest : float
        The examples of the rarest label that train a fold's model.

    Examples
    --------
    >>> training_weight(200), training_weight(10)
    (0.6, 1.0)
    """
    return USUAL if fewest >= ENOUGH_OF_A_LABEL else RARE


def training_factor(n_scored: float, n_trained: float, weight: float) -> float:
    r"""What the standard error of a bootstrap over fixed predictions is multiplied by.

    The bootstrap draws test groups and takes the fitted models as given, but fitted on other groups they would score
    otherwise, and the training parts of the folds overlap. Nadeau and Bengio (2003) multiply the variance of a mean
    over :math:`J` folds by :math:`1 + J n_2/n_1`, with :math:`n_2` test and :math:`n_1` training examples a fold. The
    second term is what the fitting adds. It is more than most models need, which `weight` says.

    Parameters
    ----------
    n_scored : float
        All scored examples: :math:`J n_2`.
    n_trained : float
        The examples that train a fold's model.
    weight : float
        The share of the second term to use; see `training_weight`.

    Examples
    --------
    >>> round(training_factor(1_000, 800, RARE), 2), round(training_factor(1_000, 800, USUAL), 2)
    (1.5, 1.32)
    >>> round(training_factor(300, 2_700, RARE), 2)
    1.05
    """
    return math.sqrt(1.0 + weight * n_scored / n_trained)
