"""Search spaces: declared in a model's file, checked before anything runs, sampled by Optuna."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import ModelError, nearest
from bench.schema.dialect import place_of

if TYPE_CHECKING:
    import numpy as np
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

Setting = Mapping[str, Any]
"""Values of parameters, by dotted name."""


@dataclass(frozen=True)
class Choice:
    """One of several values, of any kind that YAML can write."""

    values: tuple[Any, ...]

    def suggest(self, trial: BaseTrial, name: str) -> Any:
        """Draw a value for `name` in an Optuna trial."""
        if self._are_simple():
            return trial.suggest_categorical(name, self.values)
        labels = {str(value): value for value in self.values}
        return labels[str(trial.suggest_categorical(name, list(labels)))]

    def distribution(self) -> BaseDistribution:
        """What Optuna draws from, of values as `encode` gives them."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution([self.encode(value) for value in self.values])

    def holds(self, value: Any) -> bool:
        """Whether it is one of the values."""
        return any(type(value) is type(each) and value == each for each in self.values)

    def encode(self, value: Any) -> Any:
        """One of the values as Optuna keeps it."""
        return value if self._are_simple() else str(value)

    def ends(self) -> tuple[Any, ...]:
        """The values at which a check should try it: all of them."""
        return self.values

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value uniformly."""
        return self.values[int(rng.integers(len(self.values)))]

    def _are_simple(self) -> bool:
        return all(value is None or isinstance(value, str | int | float | bool) for value in self.values)


@dataclass(frozen=True)
class Range:
    """A number between `low` and `high`, both included; whole where both are whole.

    Parameters
    ----------
    low, high : int or float
        The ends, `low` <= `high`.
    log : bool
        Whether to draw on a logarithmic scale; then `low` > 0.
    step : int or float, optional
        The distance between the values; not with `log`.
    """

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return all(isinstance(end, int) for end in (self.low, self.high)) and not isinstance(self.step, float)

    def suggest(self, trial: BaseTrial, name: str) -> Any:
        """Draw a value for `name` in an Optuna trial."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return trial.suggest_float(name, self.low, self.high, log=self.log, step=self.step)

    def distribution(self) -> BaseDistribution:
        """What Optuna draws from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def holds(self, value: Any) -> bool:
        """Whether it is a number in the range, whole if required, and on a step."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if self.whole and not isinstance(value, int):
            return False
        steps = (value - self.low) / (self.step or (1 if self.whole else math.inf))
        return math.isclose(steps, round(steps), abs_tol=1e-9)

    def encode(self, value: float) -> float:
        """A number of the range as Optuna keeps it."""
        return value if self.whole else float(value)

    def ends(self) -> tuple[Any, ...]:
        """The values at which a check should try it: the lowest and the highest."""
        return (self.low, self.high)

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw a value uniformly (on the logarithmic scale where `log` is set)."""
        if self.whole and not self.log:
            return int(rng.choice(range(int(self.low), int(self.high) + 1, int(self.step or 1))))
        if self.log:
            value = math.exp(rng.uniform(math.log(self.low), math.log(self.high)))
        elif self.step is not None:
            steps = math.floor((self.high - self.low) / self.step + 1e-9)
            value = self.low + self.step * int(rng.integers(steps + 1))
        else:
            value = float(rng.uniform(self.low, self.high))
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value


@dataclass(frozen=True)
class SearchSpace:
    """The hyper-parameters that are searched, by dotted name, in the order of the file."""

    dimensions: Mapping[str, Choice | Range]

    def __bool__(self) -> bool:
        return bool(self.dimensions)

    def holds(self, setting: Setting) -> bool:
        """Whether a setting has every parameter, each with a value that could be drawn."""
        return all(name in setting and dim.holds(setting[name]) for name, dim in self.dimensions.items())

    def encode(self, setting: Setting) -> Setting:
        """A setting that could be drawn, as Optuna keeps it."""
        return {name: dimension.encode(setting[name]) for name, dimension in self.dimensions.items()}

    def suggest(self, trial: BaseTrial) -> Setting:
        """Draw one setting in an Optuna trial."""
        return {name: dimension.suggest(trial, name) for name, dimension in self.dimensions.items()}

    def sample(self, rng: np.random.Generator) -> Setting:
        """Draw one setting uniformly."""
        return {name: dimension.sample(rng) for name, dimension in self.dimensions.items()}

    @classmethod
    def parse(cls, declared: object, where: str, content: object = None) -> SearchSpace:
        """Read the ``search`` section of a model's file.

        Parameters
        ----------
        declared : object
            The section: a mapping of dotted parameter names to a list of values or to
            ``{low, high, log, step}``; None means no search.
        where : str
            The file, named in errors.
        content : object
            What was read of it, which knows its lines.

        Raises
        ------
        bench.errors.ModelError
            If a range is empty, a type is wrong or a key is unknown.

        Examples
        --------
        >>> SearchSpace.parse({"estimator.C": {"low": 0.1, "high": 10.0, "log": True}}, "mine.yaml").dimensions
        {'estimator.C': Range(low=0.1, high=10.0, log=True, step=None)}
        """
        if declared is None:
            return cls({})
        if not isinstance(declared, Mapping):
            raise ModelError(
                f"{where}: 'search' must be a mapping of parameters to values, not {_kind(declared)}.",
                "For example: estimator.C: {low: 0.01, high: 100.0, log: true}",
            )
        return cls(
            {
                str(name): _dimension(spec, f"{place_of(where, content, 'search', str(name))}: search.{name}")
                for name, spec in declared.items()
            }
        )


def _dimension(spec: object, where: str) -> Choice | Range:
    if isinstance(spec, list | tuple):
        if not spec:
            raise ModelError(f"{where}: the list of values is empty.", "Add at least one value.")
        values = tuple(tuple(v) if isinstance(v, list) else v for v in spec)
        for place, value in enumerate(values):
            if any(value == other or str(value) == str(other) for other in values[:place]):
                raise ModelError(f"{where}: {value!r} is repeated.", "Values must differ, also as text.")
        return Choice(values)
    if isinstance(spec, Mapping):
        return _range(spec, where)
    raise ModelError(
        f"{where}: expected a list of values or {{low, high}}, not {_kind(spec)}.",
        "For example: [1, 2, 3] or {low: 0.01, high: 100.0, log: true}",
    )


def _range(spec: Mapping[Any, Any], where: str) -> Range:
    known = ("low", "high", "log", "step")
    for key in spec:
        if key not in known:
            raise ModelError(f"{where}: unknown key '{key}'.", nearest(str(key), known))
    for key in ("low", "high"):
        if key not in spec:
            raise ModelError(f"{where}: '{key}' is missing.", "A range needs both low and high.")
    for key in ("low", "high", "step"):
        value = spec.get(key)
        if key in spec and (isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)):
            hint = "Write it without quotes." if isinstance(value, str) else None
            raise ModelError(f"{where}: {key} must be a finite number, not {value!r}.", hint)
    low, high, log, step = spec["low"], spec["high"], spec.get("log", False), spec.get("step")
    if not isinstance(log, bool):
        raise ModelError(f"{where}: log must be true or false, not {log!r}.")
    if low > high:
        raise ModelError(f"{where}: the range is empty: low {low} is above high {high}.", "Swap low and high.")
    if log and low <= 0:
        raise ModelError(f"{where}: a logarithmic range must start above 0, not at {low}.")
    if step is not None and (log or step <= 0):
        raise ModelError(f"{where}: step must be above 0, and cannot be combined with log: true.")
    return Range(low, high, log, step)


def _kind(value: object) -> str:
    return f"{type(value).__name__} {value!r}"
