"""The protocol for scikit-learn's users: arrays or texts in, a run out; and the folds as a splitter."""

from __future__ import annotations

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.api.estimators import Model
from bench.api.jobs import run
from bench.api.tasks import new_task
from bench.api.words import names_of_tasks, task_of, words_of
from bench.data.task import Task
from bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

    from bench.api.stored import Run
    from bench.models.prototype import EstimatorModel

ARRAY = "arrays"
"""The name of the task that an array is."""


def evaluate(
    estimator: BaseEstimator | type[BaseEstimator],
    X: Any,
    y: Any,
    *,
    groups: Any = None,
    search: Mapping[str, Any] | None = None,
    trials: int = 10,
    name: str | None = None,
    metric: str = "macro_f1",
    folds: int = 5,
    inner_folds: int = 3,
    seed: int = 0,
    results: str | Path | None = None,
    progress: bool | None = None,
    **overrides: Any,
) -> Run:
    """Cross-validate a classifier with nested search, whole groups, and intervals over groups.

    Parameters
    ----------
    estimator : scikit-learn classifier, or its class
        The classifier, such as a pipeline.
    X : sequence of str, pandas.DataFrame, ndarray or sparse matrix of shape (n_examples, n_columns)
        Texts; a frame with the column ``text``, or ``claim`` and ``text``; or numbers.
    y : array-like of shape (n_examples,)
        Labels. The estimator is given them as text.
    groups : array-like of shape (n_examples,), optional
        No group is on both sides of any split. By default each example is a group, and equal rows of an array are one.
    search : mapping, optional
        Hyper-parameters to search on inner folds, as for `bench.Model`.
    trials : int
        Settings to try, where something is searched.
    name : str, optional
        What the model is called, where the name of its class is not to be used.
    metric : str
        What the search optimizes, and what `Run.score` is.
    folds, inner_folds : int
        Outer and inner folds, where there are more than ten groups; ten groups or fewer are left out one at a time.
    seed : int
        Every random choice is derived from it.
    results : str or pathlib.Path, optional
        Where the run is stored; by default in a temporary folder, as long as the returned run is in use.
    progress : bool, optional
        As for `bench.run`.
    **overrides
        Other keys of `bench.run`, such as ``execution={"workers": 4}``.

    Returns
    -------
    Run
        Scores with intervals, out-of-fold predictions (``id`` is the example's place in `X`), trials.

    Raises
    ------
    bench.errors.UserError
        If the data or the estimator cannot be evaluated so.

    Warns
    -----
    FailedRunWarning
        If folds failed.
    UserWarning
        If examples are left out, such as empty or repeated texts.

    Examples
    --------
    >>> import bench, numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(60, 3)), np.tile(["a", "b"], 30)
    >>> X[y == "b"] += 2.0
    >>> run = bench.evaluate(LogisticRegression(), X, y)
    >>> run.score > 0.9, run.interval.low < run.score < run.interval.high
    (True, True)
    """
    labels = _names("y", y)
    groups = None if groups is None else _names("groups", groups)
    if groups is not None and len(groups) != len(labels):
        raise DataError(f"groups: {len(groups)} values for {len(labels)} labels.", "Give one group an example.")
    array = _as_array(X)
    if array is None:
        task, model = _task_of_texts(X, labels, groups, metric), Model(estimator, search, name=name)
    else:
        task, model = _task_of_array(array, labels, groups, metric), _model_of_array(estimator, array, search, name)
    for note in task.notes:
        warnings.warn(note, stacklevel=2)
    home = _Home() if results is None else None
    found = run(
        task,
        model,
        search={"trials": trials} if model.search else "none",
        seed=seed,
        results=home.path if home is not None else results,
        progress=progress,
        **{"tracking": False, "validation__folds": folds, "validation__inner_folds": inner_folds, **overrides},
    )[model.name]
    vars(found)["home"] = home
    return found


class _Home:
    """A temporary folder, as long as a run that is stored in it, or a copy of that run, is in use."""

    def __init__(self) -> None:
        self.path = tempfile.mkdtemp(prefix="bench-")
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def __deepcopy__(self, memo: object) -> _Home:
        return self

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """What is pickled, another process unpickles; it must not remove the folder."""
        return type(None), ()


def _names(argument: str, values: Any) -> list[str]:
    """The values of an argument as text; a DataError if one is missing."""
    import pandas as pd

    given = np.asarray(values, dtype=object)
    if given.ndim != 1:
        raise DataError(f"{argument}: expected one value an example, not an array of shape {given.shape}.")
    missing = np.flatnonzero(pd.isna(given))
    if len(missing):
        raise DataError(
            f"{argument}: {len(missing)} of {len(given)} values are missing, the first at place {missing[0]}.",
            "Fill them in, or leave these examples out.",
        )
    return [str(value) for value in given]


def _as_array(X: Any) -> Any:
    """The rows of an array of numbers, None where texts were given."""
    from scipy import sparse

    if sparse.issparse(X):
        return sparse.csr_array(X)
    if hasattr(X, "columns") and {"text"} <= set(X.columns):
        return None
    array = np.asarray(X)
    if array.ndim == 2 and array.dtype.kind in "biuf":
        return array
    if array.ndim == 1 and array.dtype.kind in "OUT" and all(isinstance(each, str) for each in array.tolist()):
        return None
    raise DataError(
        f"X: expected texts, a frame with the column 'text', or a table of numbers, not {array.dtype} of shape "
        f"{array.shape}.",
        "Encode other columns as numbers first, inside a pipeline where that learns from the data.",
    )


def _task_of_texts(X: Any, labels: list[str], groups: list[str] | None, metric: str) -> Task:
    import pandas as pd

    from bench.scaffold.remarks import NO_GROUPS

    frame = X[[c for c in ("claim", "text") if c in X]].copy() if hasattr(X, "columns") else pd.DataFrame({"text": X})
    _check_lengths(len(frame), labels)
    frame = frame.reset_index(drop=True).assign(label=labels, id=[str(place) for place in range(len(frame))])
    if groups is not None:
        frame["group"] = groups
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `evaluate` gives the notes itself
        task = new_task(
            frame,
            text="text",
            claim="claim" if "claim" in frame else None,
            label="label",
            group=None if groups is None else "group",
            name="texts",
            metric=metric,
            description="Texts given to bench.evaluate.",
        )
    return replace(task, notes=tuple(note for note in task.notes if not note.startswith(NO_GROUPS)))


def _task_of_array(X: Any, labels: list[str], groups: Any, metric: str) -> Task:
    import pandas as pd

    from bench.metrics import find_metric

    _check_lengths(X.shape[0], labels)
    places = [str(place) for place in range(len(labels))]
    group = _whole_groups(X, groups)
    names = tuple(dict.fromkeys(labels))
    if len(names) < 2:
        raise DataError(f"y: expected at least two labels, not {len(names)}.")
    return Task(
        name=ARRAY,
        version=1,
        description="An array given to bench.evaluate.",
        inputs=("text",),
        labels=names,
        metric=find_metric(metric, names, f"metric={metric}").name,
        group="group",
        examples=pd.DataFrame({"id": places, "text": places, "label": labels, "group": group}),
        origin=Path(f"task '{ARRAY}' (made in Python)"),
    )


def _check_lengths(n_rows: int, labels: list[str]) -> None:
    if n_rows != len(labels):
        raise DataError(f"X has {n_rows} rows, and y {len(labels)} labels.", "Give one label a row.")


def _whole_groups(X: Any, groups: Any) -> list[str]:
    """Each row's group; groups that share an equal row are one, since it would else be on both sides of a split."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    X, n_rows = _canonical(X), X.shape[0]
    named = np.arange(n_rows) if groups is None else np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1]
    rows = [X[[place]] for place in range(n_rows)]
    contents = [(r.indices.tobytes(), r.data.tobytes()) if sparse.issparse(r) else r.tobytes() for r in rows]
    numbers = {content: number for number, content in enumerate(dict.fromkeys(contents))}
    equal = np.array([numbers[content] for content in contents]) + named.max() + 1
    n_nodes = equal.max() + 1
    edges = sparse.coo_array((np.ones(n_rows), (named, equal)), shape=(n_nodes, n_nodes))
    return [str(part) for part in connected_components(edges, directed=False)[1][named]]


def _canonical(X: Any) -> Any:
    """An array in which equal rows are the same bytes."""
    from scipy import sparse

    if sparse.issparse(X):
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
        return X
    # The sum of 0 and -0 is 0.
    return X + 0 if X.dtype.kind == "f" else X


def _model_of_array(estimator: Any, X: Any, search: Mapping[str, Any] | None, name: str | None) -> EstimatorModel:
    from bench.models.rows import OnRows

    made = estimator() if isinstance(estimator, type) else estimator
    return Model(OnRows(made, X), search, name=name or Model(made).name, features=None)


class TaskSplits:
    """The outer folds of a task, as a cross-validation splitter of scikit-learn.

    Rows are those of ``Task.to_pandas()``.
    """

    def __init__(self, folds: Sequence[tuple[NDArray[np.intp], NDArray[np.intp]]], n_rows: int) -> None:
        self._folds, self._n_rows = tuple(folds), n_rows

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return len(self._folds)

    def split(
        self, X: Any = None, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the training and the test rows of each fold.

        Raises
        ------
        bench.errors.DataError
            If `X` does not have the task's rows.
        """
        n_rows = self._n_rows if X is None else getattr(X, "shape", (len(X) if hasattr(X, "__len__") else 0,))[0]
        if n_rows != self._n_rows:
            raise DataError(f"X has {n_rows} rows, and the task {self._n_rows}.", "Take the rows of Task.to_pandas().")
        yield from self._folds


def splits(task: str | Task, *, seed: int = 0, **validation: Any) -> TaskSplits:
    """Return the outer folds that `bench.run` uses for a task, as a splitter for ``cross_validate`` and others.

    Parameters
    ----------
    task : str or Task
        The task.
    seed : int
        The seed of the run.
    **validation
        Keys of the validation: ``folds``, ``group``, ``repeats``, ``splits``.

    Examples
    --------
    >>> import bench
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.model_selection import cross_val_score
    >>> task = bench.load_task("denial")
    >>> frame = task.to_pandas()
    >>> len(cross_val_score(DummyClassifier(), frame[["text"]], frame["label"], cv=bench.splits(task)))
    5
    """
    from bench.config import compose
    from bench.planning.split_task import as_split, split_outer

    config = compose(words_of({"task": names_of_tasks(task), "seed": seed, "validation": validation}))
    loaded = as_split(task_of(task), config)
    return TaskSplits([(fold.train, fold.test) for fold in split_outer(loaded, config)], len(loaded))
