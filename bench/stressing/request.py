"""What ``bench stress`` is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.comparison.request import KEYS as COMPARED
from bench.comparison.request import CompareRequest, parse_compare_request
from bench.config import compose
from bench.config_file import MIRROR
from bench.errors import ConfigError, nearest

RUN_KEYS = ("tracking", MIRROR)
"""The keys that mean what they mean for ``bench run``."""

KEYS = (*(key for key in COMPARED if key != "baseline"), *RUN_KEYS)
"""The keys of ``bench stress``, besides those of the validation and ``model.params.NAME``."""

_OF_MODEL = "model.params."


@dataclass(frozen=True)
class StressRequest:
    """The runs to test, and with what.

    Parameters
    ----------
    runs : CompareRequest
        Which stored runs; the metric, the region of practical equivalence, and the store.
    only : tuple of str
        The names of perturbations; all without any.
    overrides : mapping of str to object
        Dotted keys of the model's definition here with the values to put in their place, as for ``bench run``.
    tracking : bool
        Whether to log to MLflow.
    mirror : pathlib.Path or None
        A folder to read published files from instead of downloading them.
    """

    runs: CompareRequest
    only: tuple[str, ...] = ()
    overrides: Mapping[str, object] = field(default_factory=dict)
    tracking: bool = True
    mirror: Path | None = None


def parse_stress_request(words: Sequence[str], only: Sequence[str] = ()) -> StressRequest:
    """Read the words of a command line.

    Parameters
    ----------
    words : sequence of str
        ``key=value`` words.
    only : sequence of str
        Names of perturbations, each word one or a comma list.

    Raises
    ------
    bench.errors.ConfigError
        If a key or a value is wrong, or no task or no model is named.

    Examples
    --------
    >>> parse_stress_request(["task=stance", "model=logreg"], ["tatweel,quotes"]).only
    ('tatweel', 'quotes')
    """
    from bench.overrides import parse_overrides

    for word in words:
        if "=" not in word:
            raise ConfigError(f"'{word}' is not of the form key=value.", "Name a stored run: task=NAME model=NAME")
    of_model = [word for word in words if word.startswith(_OF_MODEL)]
    of_run = [word for word in words if word.partition("=")[0] in RUN_KEYS]
    others = [word for word in words if word not in (*of_model, *of_run)]
    if any(word.startswith("baseline=") for word in others):
        raise ConfigError("baseline: unknown key.", nearest("baseline", KEYS))
    runs = parse_compare_request(others)
    if len(runs.tasks) > 1 or runs.all_tasks:
        raise ConfigError("task takes one name here.", "Choose one task: task=NAME")
    if not runs.wanted.models:
        raise ConfigError("No model was named.", "Add model=NAME, for example the best model of the leaderboard.")
    names = tuple(dict.fromkeys(name.strip() for words in only for name in words.split(",") if name.strip()))
    if only and not names:
        raise ConfigError("--only names no perturbation.", "Name some: --only tatweel,quotes")
    overrides = {name.removeprefix("model."): value for name, value in parse_overrides(of_model).items()}
    config = compose(of_run, needs_task=False)
    return StressRequest(runs, names, overrides, config.tracking, config.mirror)
