"""Storing fitted models as skops files, which hold no code to run, unlike pickles."""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sklearn.base import BaseEstimator

    from bench.models.model import Model

TRUSTED_PACKAGES = ("bench", "lightgbm", "numpy", "scipy", "sklearn")
"""Packages whose classes are loaded without asking. Their functions are not: some run whatever text they are given."""

TRUSTED_TYPES = ("collections.OrderedDict", "collections.defaultdict", "collections.Counter")
"""Plain containers that skops does not trust of itself."""


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
    with _without_torch():
        import skops.io

    return bytes(skops.io.dumps(estimator))


def loads(data: bytes, trusted_modules: Iterable[str] = ()) -> Any:
    """Read an estimator from the bytes that `dumps` wrote.

    Parameters
    ----------
    data : bytes
        A skops file.
    trusted_modules : iterable of str
        Packages whose types are loaded besides `TRUSTED_PACKAGES`; see `packages_of`.

    Returns
    -------
    object
        The estimator.

    Raises
    ------
    bench.errors.ModelError
        If the file has a type of another package, or a function of one of `TRUSTED_PACKAGES`. Loading a type imports
        its module, so no package is trusted unless it was named.
    """
    with _without_torch():
        import skops.io

    trusted_modules = tuple(trusted_modules)
    packages = {*TRUSTED_PACKAGES, *trusted_modules}
    found = skops.io.get_untrusted_types(data=data)
    unknown = [
        name
        for name in found
        if name not in TRUSTED_TYPES
        and not _within(name, trusted_modules)
        and not (_within(name, TRUSTED_PACKAGES) and _is_class(name))
    ]
    if unknown:
        raise ModelError(
            f"the stored model has types of packages that are not trusted: {', '.join(unknown)}.",
            f"Trusted are {', '.join(sorted(packages))}. If you know where the file comes from, name their package "
            "in trusted_modules.",
        )
    return skops.io.loads(data, trusted=found)


def packages_of(model: Model) -> tuple[str, ...]:
    """Return the packages that a model's own file names, which its user has trusted by naming them.

    Examples
    --------
    >>> from bench.models import Model
    >>> packages_of(Model("mine", estimator="plugins.mine.MineClassifier", features="tfidf"))
    ('plugins.mine',)
    """
    paths = [path for path in (model.estimator, model.features) if path and "." in path]
    return tuple(dict.fromkeys(path.rpartition(".")[0] for path in paths))


def _within(name: str, packages: Iterable[str]) -> bool:
    return any(name.startswith(f"{package}.") for package in packages)


def _is_class(name: str) -> bool:
    """Whether a name is of a class; one that is not there cannot be loaded anyhow, and its error says more."""
    module, _, attribute = name.rpartition(".")
    if "__main__" in module:
        return False
    try:
        return isinstance(getattr(importlib.import_module(module), attribute), type)
    except (ImportError, AttributeError):
        return True


@contextmanager
def _without_torch() -> Iterator[None]:
    # skops lists scikit-learn's estimators on import, which imports torch for array API support: 3 s for nothing.
    if "torch" in sys.modules or "skops.io" in sys.modules:
        yield
        return
    import sklearn.base  # noqa: F401  (SciPy, which it loads, looks at torch's module too)

    sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["torch"]
