"""What a caller passes, as the ``key=value`` words that the command line takes, so that both mean the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set, ValuesView
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar

from bench.errors import ConfigError
from bench.in_memory import MODELS, TASKS, Made, Named
from bench.overrides import GROUPS, TRAIN_ON, spell

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.models.model import Model

TO_MAKE_A_TASK = "bench.new_task(data)"

N = TypeVar("N", bound=Named)

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
    try:
        return spell(key, _as_json(value))
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{key}={value!r}: expected text, a finite number, true or false, None, a list or a mapping.",
            "Convert it first: int(...), float(...) or str(...).",
        ) from error


def _as_json(value: Any) -> Any:
    """A value in the types that JSON has, where it is a path, an array, or a number of one."""
    if isinstance(value, PurePath):
        return str(value)
    if type(value).__module__ == "numpy":
        return value.tolist()
    if isinstance(value, list | tuple | range):
        return [_as_json(each) for each in value]
    return {name: _as_json(each) for name, each in value.items()} if isinstance(value, Mapping) else value


def names_of_tasks(task: str | Task | Sequence[str | Task]) -> str | list[str]:
    """The name, or names, of tasks; those that are values become known by their names.

    Raises
    ------
    bench.errors.ConfigError
        If something is not a task, or two tasks have one name.
    """
    from bench.data.task import Task

    if isinstance(task, str):
        return task
    if isinstance(task, Task):
        return TASKS.add(task)
    return _known("task", _checked("task", task, Task, TO_MAKE_A_TASK), TASKS)


def one_task(task: str | Task) -> str:
    """The name of a task; a ConfigError if it is none, or several."""
    name = names_of_tasks(task)
    if not isinstance(name, str):
        raise ConfigError(f"task: expected one task, not {len(name)}.", "Call it once for each.")
    return name


def task_of(task: str | Task) -> Task:
    """The task of a name, or the task that is given."""
    from bench.catalogue import load_task
    from bench.data.task import Task

    (given,) = _checked("task", task, Task, TO_MAKE_A_TASK)
    return load_task(given) if isinstance(given, str) else given


def names_of_models(model: str | Model | Sequence[str | Model] | None) -> str | list[str] | None:
    """The name, or names, of models; those that are values become known by their names.

    Raises
    ------
    bench.errors.ConfigError
        If something is not a model, or two models have one name.
    """
    from bench.models.model import Model

    if model is None or isinstance(model, str):
        return model
    return _known("model", _checked("model", model, Model, "bench.Model(estimator)"), MODELS)


def _checked(key: str, given: object, kind: type[N], wrapped: str) -> list[str | N]:
    """The names and values of an argument, one or several."""
    several: list[object] = [given]
    if isinstance(given, Sequence | Set | Iterator | ValuesView) and not isinstance(given, str):
        several = list(given)
    found = list[str | N]()
    for each in several:
        if not isinstance(each, str | kind):
            raise ConfigError(
                f"{key}: {type(each).__name__} is not a {key}.", f"Give a {key}'s name, or make one: {wrapped}"
            )
        found.append(each)
    return found


def _known(key: str, given: Sequence[str | Named], made: Made) -> list[str]:
    """The names of what was given, each of which means one thing; values become known by them."""
    values = dict[str, Named]()
    for each in given:
        value = made.get(each) if isinstance(each, str) else each
        if value is not None and values.setdefault(value.name, value) is not value:
            raise ConfigError(
                f"{key}: two different {key}s have the name '{value.name}', under which runs are stored.",
                f'Give each its own: name="{value.name}-2"',
            )
    return [each if isinstance(each, str) else made.add(each) for each in given]
