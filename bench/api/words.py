"""What a caller passes, as the ``key=value`` words that the command line takes, so that both mean the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError
from bench.in_memory import add_model, add_task
from bench.overrides import GROUPS, TRAIN_ON, spell

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.models.model import Model

SECTIONS = (*GROUPS, TRAIN_ON, "task", "model")
"""Keys that hold further keys."""


def words_of(given: Mapping[str, Any]) -> list[str]:
    """Write keyword arguments as words.

    Parameters
    ----------
    given : mapping of str to object
        Values by key; None means that the key was not given. In a key, ``__`` stands for a dot. A mapping under
        ``search``, ``validation`` or ``execution`` sets keys of that section.

    Raises
    ------
    bench.errors.ConfigError
        If a value cannot be written.

    Examples
    --------
    >>> words_of({"task": "stance", "model": ["logreg"], "search__trials": 5, "validation": {"group": "claim"}})
    ['task=stance', 'model=logreg', 'search.trials=5', 'validation.group=claim']
    """
    words = []
    for name, value in given.items():
        if value is None:
            continue
        key = name.replace("__", ".")
        inner = {f"{key}.{each}": inside for each, inside in value.items()} if _is_section(key, value) else {key: value}
        words += [_word(each, inside) for each, inside in inner.items()]
    return words


def _is_section(key: str, value: object) -> bool:
    return key in SECTIONS and isinstance(value, Mapping)


def _word(key: str, value: Any) -> str:
    value = str(value) if isinstance(value, PurePath) else value
    try:
        return spell(key, value)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{key}={value!r}: expected text, a finite number, true or false, None, a list or a mapping.",
            "Convert it first: int(...), float(...) or str(...).",
        ) from error


def task_names(task: str | Task | Sequence[str | Task]) -> str | list[str]:
    """The name, or names, of tasks; those that are values become known by their names."""
    from bench.data.task import Task

    if isinstance(task, str):
        return task
    if isinstance(task, Task):
        return add_task(task)
    return [add_task(each) if isinstance(each, Task) else str(each) for each in task]


def model_names(model: str | Model | Sequence[str | Model] | None) -> str | list[str] | None:
    """The name, or names, of models; those that are values become known by their names."""
    if model is None or isinstance(model, str):
        return model
    several = model if isinstance(model, Sequence) else [model]
    return [each if isinstance(each, str) else add_model(_checked(each)) for each in several]


def _checked(model: object) -> Model:
    from bench.models.model import Model

    if not isinstance(model, Model):
        raise ConfigError(
            f"model: {type(model).__name__} is not a model.", "Give a model's name, or wrap it: bench.Model(estimator)"
        )
    return model
