"""What fitting on other examples adds to a standard error that takes the fitted models as given."""

from __future__ import annotations

import math

STEADY = 1 / 3
"""The weight of the fitting for models that other examples change little; ``docs/comparison.md`` has the simulation."""

UNSTEADY = 1.0
"""The weight for all others, which is that of Nadeau and Bengio (2003)."""

STEADY_ESTIMATORS = (
    "sklearn.linear_model.",
    "sklearn.naive_bayes.",
    "sklearn.svm.LinearSVC",
    "sklearn.dummy.",
    "bench.models.lexicon.",
    "bench.models.llm.",
    "bench.models.zero_shot.",
)
"""How the import paths of steady models begin: linear ones, naive Bayes, and what hardly learns from examples."""


ENOUGH_OF_A_LABEL = 40
"""With fewer examples of a label to learn from, whether a model ever predicts it is luck, and none is steady."""


def training_weight(estimator: str, fewest: float) -> float:
    """How much the fitting of a model adds.

    Parameters
    ----------
    estimator : str
        The import path of the model's estimator.
    fewest : float
        The examples of the rarest label that train a fold's model.

    Examples
    --------
    >>> training_weight("sklearn.tree.DecisionTreeClassifier", 200), training_weight("sklearn.svm.LinearSVC", 10)
    (1.0, 1.0)
    >>> training_weight("sklearn.svm.LinearSVC", 200) < 0.5
    True
    """
    steady = estimator.startswith(STEADY_ESTIMATORS) and fewest >= ENOUGH_OF_A_LABEL
    return STEADY if steady else UNSTEADY


def training_factor(n_scored: float, n_trained: float, weight: float) -> float:
    r"""What the standard error of a bootstrap over fixed predictions is multiplied by.

    The bootstrap draws test groups and takes the fitted models as given, but fitted on other groups they would score
    otherwise, and the training parts of the folds overlap. Nadeau and Bengio (2003) multiply the variance of a mean
    over :math:`J` folds by :math:`1 + J n_2/n_1`, with :math:`n_2` test and :math:`n_1` training examples a fold. The
    second term is what the fitting adds. Most models need less of it than that, which `weight` says.

    Parameters
    ----------
    n_scored : float
        All scored examples: :math:`J n_2`.
    n_trained : float
        The examples that train a fold's model.
    weight : float
        The share of the second term that is taken; see `training_weight`.

    Examples
    --------
    >>> round(training_factor(1_000, 800, UNSTEADY), 2), round(training_factor(1_000, 800, STEADY), 2)
    (1.5, 1.19)
    >>> round(training_factor(300, 2_700, UNSTEADY), 2)
    1.05
    """
    return math.sqrt(1.0 + weight * n_scored / n_trained)
