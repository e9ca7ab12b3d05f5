"""Models of estimators that a program has made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError
from bench.models.prototype import EstimatorModel, describe_estimator, search_space

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

NAME = re.compile("[a-z0-9][a-z0-9_.-]{0,99}")
"""What a model can be called: folders are named after it."""


def Model(  # noqa: N802
    estimator: BaseEstimator | type[BaseEstimator],
    search: Mapping[str, Any] | None = None,
    *,
    name: str | None = None,
    features: str | None = "auto",
    params: Mapping[str, Any] | None = None,
    prune: bool = False,
    description: str = "",
) -> EstimatorModel:
    """Make a model of a scikit-learn estimator, to be run like any other.

    Parameters
    ----------
    estimator : scikit-learn classifier, or its class
        An unfitted classifier, such as a pipeline. It may be defined in a notebook: its source enters the run's key.
    search : mapping of str to object, optional
        Hyper-parameters to search. Names are written as in scikit-learn, or with dots; values are a list, a range
        ``{"low": ..., "high": ..., "log": ...}``, or an Optuna distribution. Nothing is searched by default.
    name : str, optional
        How tables and the store call it; by default after the class of the estimator, or of a pipeline's last step.
    features : str or None
        What the estimator is given. ``"texts"``: one text an example (a claim and its text joined by a line feed). A
        feature set: ``"tfidf"``, ``"tfidf-cues"``, ``"words"``, ``"cues"`` or ``"encoder"``. None: the frame of the
        task's input columns. ``"auto"`` is ``"texts"`` for a pipeline that begins with a text vectorizer,
        ``"tfidf"`` for an estimator of scikit-learn or LightGBM, and None for any other.
    params : mapping of str to object, optional
        Parameters of the features, such as ``{"features.word.min_df": 2}``.
    prune : bool
        Whether the search stops a setting that is below the median of earlier ones after some of the inner folds.
    description : str
        One line on what it is.

    Returns
    -------
    Model
        To be passed to `bench.run` and others.

    Raises
    ------
    bench.errors.ModelError
        If it is not a classifier, or something in it cannot be written down.

    Examples
    --------
    >>> import bench
    >>> from sklearn.feature_extraction.text import TfidfVectorizer
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.svm import LinearSVC
    >>> model = bench.Model(
    ...     make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)), LinearSVC()),
    ...     search={"linearsvc__C": {"low": 0.01, "high": 100.0, "log": True}},
    ... )
    >>> model.name, model.features
    ('linear-svc', 'texts')
    """
    made = estimator() if isinstance(estimator, type) else estimator
    if not all(hasattr(made, method) for method in ("fit", "predict", "get_params", "set_params")):
        raise ModelError(
            f"{type(made).__name__} is not a scikit-learn classifier: it lacks fit, predict, get_params or set_params.",
            "Derive it from sklearn.base.ClassifierMixin and BaseEstimator.",
        )
    called = name or _name_of(made)
    _check_name(called)
    written, code = describe_estimator(made)
    return EstimatorModel(
        name=called,
        estimator=f"{type(made).__module__}.{type(made).__qualname__}",
        features=_features_of(made) if features == "auto" else features,
        params=dict(params or {}),
        search=search_space(search, f"model '{called}'"),
        description=description,
        origin=f"model '{called}' (made in Python)",
        prune=prune,
        prototype=made,
        written=written,
        code=code,
    )


def _check_name(name: str) -> None:
    from bench.discovery import config_files, model_entry_points

    if not NAME.fullmatch(name):
        raise ModelError(
            f"name={name!r}: expected at most 100 small Latin letters, digits, '-', '_' and '.'.", 'Pass name="mine".'
        )
    if name == "all" or name in {*config_files("model"), *model_entry_points()}:
        raise ModelError(f"name={name!r}: there is a model of that name already.", f'Pass name="my-{name}".')


def _name_of(estimator: Any) -> str:
    last = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", type(last).__name__.strip("_"))
    return words.lower()


def _features_of(estimator: Any) -> str | None:
    first = estimator
    while hasattr(first, "steps"):
        first = first.steps[0][1]
    while hasattr(first, "transformer_list"):
        first = first.transformer_list[0][1]
    module = type(first).__module__
    if module.startswith("sklearn.feature_extraction.text"):
        return "texts"
    if type(first).__name__ in ("ColumnTransformer", "FunctionTransformer"):
        return None
    return "tfidf" if module.partition(".")[0] in ("sklearn", "lightgbm") else None
