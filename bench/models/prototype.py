"""Models whose estimator is an object that a program has made, rather than an import path in a file."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError
from bench.models.model import Model
from bench.models.sources import INSTALLED, KNOWN_PACKAGES, code_sources
from bench.models.space import SearchSpace

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator


@dataclass(frozen=True, kw_only=True)
class EstimatorModel(Model):
    """A model of an estimator object.

    Other processes are sent the object with the code of its classes, where that is in no module they could import.

    Parameters
    ----------
    prototype : sklearn.base.BaseEstimator
        The unfitted estimator, of which each fit takes a copy.
    written : mapping of str to object
        What it is, as plain values: the parameters that differ from their defaults, at any depth.
    code : mapping of str to str
        What `bench.models.sources.code_sources` says of its classes and functions, and a digest of the source of those
        that stand in no file.
    """

    prototype: BaseEstimator
    written: Mapping[str, Any] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        import cloudpickle

        state = {each.name: getattr(self, each.name) for each in fields(self)}
        with _by_value(_modules(self.prototype)):
            return state | {"prototype": cloudpickle.dumps(self.prototype)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        import cloudpickle

        self.__dict__.update(state | {"prototype": cloudpickle.loads(state["prototype"])})

    @property
    def written_params(self) -> Mapping[str, Any]:
        """The parameters as runs record them."""
        return self.written

    @property
    def own_code(self) -> Mapping[str, str]:
        """What its numbers rest on besides installed packages."""
        return self.code

    def stored_functions(self) -> frozenset[str]:
        """The functions that the estimator holds."""
        held = (each for each in _values(self.prototype) if isinstance(each, FunctionType))
        return frozenset(map(_import_path, held))

    def _made(self, path: str, key: str) -> BaseEstimator:
        if key != "estimator":
            return super()._made(path, key)
        from sklearn.base import clone

        copied: BaseEstimator = clone(self.prototype)
        return copied


def describe_estimator(estimator: BaseEstimator) -> tuple[dict[str, Any], dict[str, str]]:
    """Describe an estimator object by plain values that are equal where, and only where, it does the same.

    Parameters
    ----------
    estimator : sklearn.base.BaseEstimator
        An unfitted estimator.

    Returns
    -------
    (dict, dict of str to str)
        Its parameters that differ from their defaults, and what its code rests on.

    Raises
    ------
    bench.errors.ModelError
        If a parameter is something of which nothing can be told but that it is there.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> describe_estimator(LogisticRegression(C=2.0))
    ({'C': 2.0}, {})
    """
    return _params(estimator, type(estimator).__name__), _code(estimator)


def _code(estimator: Any) -> dict[str, str]:
    """What an estimator's code rests on: for what stands in files, those; for the rest, its source and what that names.

    A class of a notebook calls functions of other cells, and reads their constants.
    """
    found: dict[str, str] = {}
    waiting, seen = [*_code_of(estimator)], set[int]()
    while waiting:
        part = waiting.pop()
        path = _import_path(part)
        if id(part) in seen or _is_known(part.__module__):
            continue
        seen.add(id(part))
        if not _is_without_file(part):
            found |= code_sources([path])
            continue
        constants = {}
        for name, value in (*_globals_of(part), *_held(part)):
            if isinstance(value, ModuleType):
                if not _is_known(value.__name__):
                    found |= code_sources([f"{value.__name__}.*"])
                continue
            waiting += _code_of(value)
            if not isinstance(value, type | FunctionType):
                constants[name] = _constant(value)
        # Several lambdas have one path.
        told = json.dumps([found.get(path), _source(part), constants], sort_keys=True, default=str)
        found[path] = hashlib.sha256(told.encode()).hexdigest()[:12]
    return dict(sorted(found.items()))


def _held(part: type | FunctionType) -> Iterator[tuple[str, Any]]:
    """What was evaluated when a function or class was defined: defaults of arguments, and attributes of the class."""
    if isinstance(part, FunctionType):
        yield "__defaults__", part.__defaults__
        yield "__kwdefaults__", part.__kwdefaults__
        return
    for name, value in _members(part):
        if (function := _function(value)) is None:
            yield f"{name} =", value
        else:
            yield from ((f"{name}.{each}", held) for each, held in _held(function))


def _is_without_file(part: type | FunctionType) -> bool:
    """Whether a class or function stands in a notebook, a script or a function, where no other process finds it."""
    module = sys.modules.get(part.__module__)
    return part.__module__ == "__main__" or "<locals>" in part.__qualname__ or not hasattr(module, "__file__")


def _globals_of(part: type | FunctionType) -> Iterator[tuple[str, Any]]:
    """The values of a module, and of enclosing functions, that a function or a class's functions name."""
    functions = [part] if isinstance(part, FunctionType) else map(_function, vars(part).values())
    for function in functions:
        if function is None:
            continue
        names = set(_names(function.__code__))
        yield from ((name, function.__globals__[name]) for name in sorted(names) if name in function.__globals__)
        yield from ((name, cell.cell_contents) for name, cell in _cells(function) if _is_filled(cell))


def _cells(function: FunctionType) -> Iterator[tuple[str, CellType]]:
    return zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)


def _is_filled(cell: CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _function(member: Any) -> FunctionType | None:
    """The function behind a method, a class method or a property, None where there is none."""
    function = getattr(member, "__func__", getattr(member, "fget", member))
    return function if isinstance(function, FunctionType) else None


def _constant(value: Any) -> Any:
    """A value that code holds or reads, as plain values, a digest of its pickle, or at least its kind."""
    import cloudpickle

    try:
        return _plain(value, "")
    except ModelError:
        pass
    try:
        return hashlib.sha256(cloudpickle.dumps(value)).hexdigest()
    except Exception:  # What is not to be pickled raises errors of all kinds.
        return type(value).__name__


def _params(estimator: Any, where: str) -> dict[str, Any]:
    defaults = {name: each.default for name, each in inspect.signature(type(estimator).__init__).parameters.items()}
    given = estimator.get_params(deep=False)
    return {
        name: _plain(value, f"{where}.{name}")
        for name, value in given.items()
        if not _equal(value, defaults.get(name, inspect.Parameter.empty))
    }


def _equal(value: Any, default: Any) -> bool:
    if value is default:
        return True
    simple = isinstance(value, bool | int | float | str | tuple)
    return simple and type(value) is type(default) and bool(value == default)


def _plain(value: Any, where: str) -> Any:
    import numpy as np
    from scipy import sparse

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype != object:
        return {"array": _digest(value), "shape": list(value.shape), "of": str(value.dtype)}
    if sparse.issparse(value):
        held = value.tocsr()
        return {"array": _digest(held.data, held.indices, held.indptr), "shape": list(value.shape), "of": "sparse"}
    if isinstance(value, type | FunctionType):
        return {"import": _import_path(value)}
    if hasattr(value, "get_params") and not isinstance(value, type):
        made = {"class": _import_path(type(value))}
        params = _params(value, f"{where}.{type(value).__name__}")
        return made | ({"params": params} if params else {})
    if isinstance(value, list | tuple):
        return [_plain(each, f"{where}[{place}]") for place, each in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        # The keys 1 and "1" are two.
        named = ((key if isinstance(key, str) else f"<{key!r}>", each) for key, each in value.items())
        return {name: _plain(each, f"{where}[{name}]") for name, each in named}
    if isinstance(value, np.ufunc | BuiltinFunctionType):
        return {"import": f"{getattr(value, '__module__', None) or 'numpy'}.{value.__name__}"}
    if isinstance(value, partial):
        return {"partial": _plain([value.func, *value.args], where), "keywords": _plain(value.keywords, where)}
    raise ModelError(
        f"{where}: {type(value).__name__} cannot be written down, so no run could tell what it was.",
        "Use numbers, text, lists, functions, classes and estimators; make other objects inside the estimator.",
    )


def _digest(*arrays: NDArray[Any]) -> str:
    content = hashlib.sha256()
    for array in arrays:
        content.update(array.tobytes())
    return content.hexdigest()


def _import_path(part: type | FunctionType) -> str:
    return f"{part.__module__}.{part.__qualname__}"


def _values(value: Any) -> Iterator[Any]:
    """A value and all that it holds: estimators, their parameters, and what stands in lists and mappings."""
    yield value
    if hasattr(value, "get_params") and not isinstance(value, type):
        for each in value.get_params(deep=False).values():
            yield from _values(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _values(each)
    elif isinstance(value, partial):
        yield from _values([value.func, value.args, value.keywords])
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _values(each)


def _code_of(estimator: Any) -> Iterator[type | FunctionType]:
    """The classes and functions that an estimator is made of, with those that classes inherit from."""
    for value in _values(estimator):
        if isinstance(value, FunctionType):
            yield value
        elif isinstance(value, type) or hasattr(value, "get_params"):
            cls = value if isinstance(value, type) else type(value)
            yield from (each for each in cls.__mro__ if not _is_known(each.__module__))


def _is_known(module: str) -> bool:
    top = module.partition(".")[0]
    return top in KNOWN_PACKAGES or top == "builtins" or (top in sys.stdlib_module_names and top != "__main__")


def _modules(estimator: Any) -> list[ModuleType]:
    """The modules of an estimator's code that belong to no installed package."""
    names = dict.fromkeys(part.__module__ for part in _code_of(estimator))
    found = [sys.modules[name] for name in names if name in sys.modules and name != "__main__"]
    return [module for module in found if not set(INSTALLED) & set(str(getattr(module, "__file__", "")).split("/"))]


@contextmanager
def _by_value(modules: list[ModuleType]) -> Iterator[None]:
    """Have cloudpickle send the code of some modules rather than their names."""
    import cloudpickle

    known = cloudpickle.list_registry_pickle_by_value()
    fresh = [module for module in modules if module.__name__ not in known]
    for module in fresh:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in fresh:
            cloudpickle.unregister_pickle_by_value(module)


def _source(part: type | FunctionType) -> str:
    try:
        return inspect.getsource(part)
    except (OSError, TypeError):
        if isinstance(part, type):
            # Before Python 3.13 the source of a notebook's class is not found, but that of its functions is.
            functions = ((name, _function(value)) for name, value in _members(part))
            return "\n".join(f"{name} = {_source(function)}" for name, function in functions if function is not None)
    raise ModelError(
        f"{part.__qualname__}: its source cannot be found, so no run could tell what it was.",
        "Put it into a .py file and import it from there.",
    )


def _members(cls: type) -> list[tuple[str, Any]]:
    """The attributes of a class in the order of their names, without those by which Python keeps account of it."""
    kept = ("__dict__", "__weakref__", "__module__", "__firstlineno__", "__static_attributes__")
    return [(name, value) for name, value in sorted(vars(cls).items()) if name not in kept]


def dimension_of(name: str, value: Any) -> Any:
    """Turn an Optuna distribution into what a model's file would say; other values stay.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> dimension_of("C", FloatDistribution(0.1, 10.0, log=True))
    {'low': 0.1, 'high': 10.0, 'log': True}
    """
    if not type(value).__module__.startswith("optuna."):
        return value
    if hasattr(value, "choices"):
        return list(value.choices)
    if not hasattr(value, "low"):
        raise ModelError(f"search.{name}: {type(value).__name__} is not a distribution that is searched.")
    step = value.step if value.step not in (None, 1) and not value.log else None
    return {"low": value.low, "high": value.high, "log": value.log} | ({} if step is None else {"step": step})


def search_space(search: Mapping[str, Any] | None, where: str) -> SearchSpace:
    """Read a search space of a dictionary, of lists, ranges and Optuna distributions.

    Examples
    --------
    >>> search_space({"C": {"low": 1, "high": 9}, "svc__kernel": ["linear", "rbf"]}, "here").dimensions
    {'C': Range(low=1, high=9, log=False, step=None), 'svc__kernel': Choice(values=('linear', 'rbf'))}
    """
    if not isinstance(search or {}, Mapping):
        raise ModelError(
            f"{where}: search: expected a mapping of parameters to values, not {type(search).__name__}.",
            'For example: search={"C": [0.1, 1, 10]}',
        )
    return SearchSpace.parse({name: dimension_of(name, value) for name, value in (search or {}).items()}, where)
