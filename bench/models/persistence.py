"""Store fitted models as skops files, which contain no executable code, unlike pickles."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError
from bench.models.parts import stored_name
from bench.support.process import is_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sklearn.base import BaseEstimator

    from bench.models.inspection import Inspection, Node
    from bench.models.model import Model

PIPELINE = "sklearn.pipeline.Pipeline"
"""What puts an estimator behind its features."""

_TOLD = 5
"""The most forbidden contents of a file in a message."""

_OTHER = "If it is another model, rename the one here. Otherwise rerun the task with the one here."


def dumps(estimator: BaseEstimator) -> bytes:
    """Write a fitted estimator as a skops file.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        What is written, with all that it has learned.

    Returns
    -------
    bytes
        A zip archive of a JSON schema and NumPy arrays.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> stored = dumps(DummyClassifier().fit([[0.0], [1.0]], ["a", "a"]))
    >>> loads(stored).predict([[2.0]]).tolist()
    ['a']
    """
    with _imported_in_part():
        import skops.io

    return bytes(skops.io.dumps(estimator))


def loads(data: bytes, model: Model | None = None) -> Any:
    """Read an estimator from the bytes that `dumps` wrote.

    The content of the file is inspected first. Only classes in the model's definition are created, and the
    harmless parts of `bench.models.parts`; no file is opened, and no code is called that the file chooses. An
    estimator with network access is built from its definition, with what its ``restored`` accepts from the file.

    Parameters
    ----------
    data : bytes
        A skops file.
    model : Model, optional
        The model as defined here, never from the file. The estimator must be of its class.
        Without it only the harmless parts are loaded.

    Returns
    -------
    object
        The estimator.

    Raises
    ------
    bench.errors.ModelError
        If the file contains anything else, or an estimator of another class.
    """
    contents = inspect(data, model)
    if model is None:
        return _made(data, contents)
    if model.restores_from_definition:
        state = _made(_with_root(data, contents.root["content"]), contents)
        return type(model.unfitted()).restored(model.unfitted(), state)
    return _made(data, contents)


def inspect(data: bytes, model: Model | None = None) -> Inspection:
    """Check what a skops file would create, without creating it.

    Parameters
    ----------
    data : bytes
        A skops file.
    model : Model, optional
        The model as it is defined here.

    Returns
    -------
    Inspection
        Its ``types`` are all that the file names.

    Raises
    ------
    bench.errors.ModelError
        If it contains a forbidden part, or an estimator of a class other than the model's.
    """
    with _imported_in_part():
        from bench.models.inspection import Inspection

        classes, functions = ({}, ()) if model is None else (model.stored_classes(), model.stored_functions())
        contents = Inspection(data, classes, _folders(model), functions)
        root = contents.root
        if model is not None:
            _check_class(root, model)
        contents.visit(root["content"] if model is not None and model.restores_from_definition else root)
    if contents.refused:
        rest = len(contents.refused) - _TOLD
        more = f"; and {rest:,} more" if rest > 0 else ""
        raise ModelError(
            f"the stored model has parts that must not be loaded: {'; '.join(contents.refused[:_TOLD])}{more}.",
            "A class is loaded only if the model's definition here names it, or a class named there lists it in "
            "stored_parts. Load files only from people you trust.",
        )
    return contents


def _check_class(root: Node, model: Model) -> None:
    """Check that an estimator is of the class that the model's definition names, behind features if it has any."""
    estimator = root
    if model.features is not None:
        steps = root["content"]["content"]["steps"]["content"]
        if _class_name(root) != PIPELINE or len(steps) != 2:
            raise ModelError(f"the stored model is {_class_name(root)}, not an estimator behind features.", _OTHER)
        estimator = steps[1]["content"][1]
    cls = type(model.unfitted())
    if estimator["__loader__"] != "ObjectNode" or _class_name(estimator) != stored_name(cls):
        raise ModelError(
            f"the stored model is {_class_name(estimator)}, but the model '{model.name}' is defined here as "
            f"{stored_name(cls)}.",
            _OTHER,
        )


def _class_name(node: Node) -> str:
    from bench.models.inspection import shown

    return shown(f"{node['__module__']}.{node['__class__']}")


def _made(data: bytes, contents: Inspection) -> Any:
    import skops.io

    return skops.io.loads(data, trusted=sorted(contents.types))


def _with_root(data: bytes, root: Node) -> bytes:
    """The same file with a part of it as the whole."""
    from bench.models.inspection import SCHEMA

    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            if name != SCHEMA:
                new.writestr(name, old.read(name))
        new.writestr(SCHEMA, json.dumps(json.loads(old.read(SCHEMA)) | root))
    return made.getvalue()


def _folders(model: Model | None) -> set[str]:
    """The values of a model's parameters that can be folders."""
    if model is None:
        return set()
    searched = [value for dimension in model.search.dimensions.values() for value in getattr(dimension, "values", ())]
    return {value for value in (*model.params.values(), *searched) if isinstance(value, str)}


@contextmanager
def _imported_in_part() -> Iterator[None]:
    """Keep skops from importing all of scikit-learn, with dask, pytest and torch, which takes each process seconds.

    It lists all estimators as what it trusts by default. What it may trust is named here each time. What another
    program's process imports is not to be kept from it, though.
    """
    if not is_own() or "skops.io" in sys.modules:
        yield
        return
    import sklearn.utils

    listed = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = list
    try:
        yield
    finally:
        sklearn.utils.all_estimators = listed
