"""What a command was asked to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from bench.config import Validation
from bench.errors import ConfigError, nearest
from bench.metrics.registry import check_metric_name
from bench.overrides import MULTIPLE, chosen_seeds, meant, parse_overrides
from bench.results.layout import stored_tasks
from bench.results.protocol import names_of
from bench.results.record import RunRecord

KEYS = ("task", "model", "metric", "baseline", "rope", "seed", "seeds", "search", "validation", "results")
"""The keys of a comparison, besides those of the validation."""

VALIDATION = tuple(f"validation.{each.name}" for each in fields(Validation) if each.name != "name")
"""The keys of the validation."""

ROPE = 0.01
"""The region of practical equivalence unless another is given: one point, as Benavoli et al. (2017) suggest."""


@dataclass(frozen=True)
class Filter:
    """What the compared runs of a task must have; None leaves it open.

    Parameters
    ----------
    models : tuple of str or None
        Names of models.
    seed : int or None
        The seed.
    seeds : tuple of int
        Several seeds, over which the scores of a model are averaged; empty for one.
    search : str or None
        The name of the search.
    validation : mapping of str to object
        Settings of the validation, and its ``name``, such as ``{"name": "forward", "group": "claim"}``.
    """

    models: tuple[str, ...] | None = None
    seed: int | None = None
    seeds: tuple[int, ...] = ()
    search: str | None = None
    validation: Mapping[str, object] = field(default_factory=dict)

    def holds(self, record: RunRecord) -> bool:
        """Whether a run has all of it."""
        searched = record.model.search
        return (
            (self.models is None or not names_of(record).isdisjoint(self.models))
            and self.seed in (None, record.seed)
            and (self.search is None or not searched or record.search.name == self.search)
            and all(self._validated(record, key) == value for key, value in self.validation.items())
        )

    def _validated(self, record: RunRecord, key: str) -> object:
        """A setting of a run's validation; the groups are the task's own where the validation names none."""
        if key == "group" and self.validation[key] is not None:
            return record.task.group
        return getattr(record.validation, key)


@dataclass(frozen=True)
class CompareRequest:
    """What is to be compared, and how.

    Parameters
    ----------
    tasks : tuple of str
        Names of tasks.
    all_tasks : bool
        Whether they are all that is stored, so that one which cannot be compared is left out.
    folders : tuple of pathlib.Path
        Run folders, where runs were named one by one.
    wanted : Filter
        What the runs must have.
    metric : str or None
        What is compared; None is each task's own metric.
    baseline : str or None
        The model that the others are compared with; None compares each with each.
    rope : float
        Differences up to this one are practically none.
    results : pathlib.Path
        The store.
    """

    tasks: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    wanted: Filter = field(default_factory=Filter)
    metric: str | None = None
    baseline: str | None = None
    rope: float = ROPE
    results: Path = Path("results")
    all_tasks: bool = False

    @property
    def titles(self) -> tuple[str, ...]:
        """What is compared, one comparison each."""
        return self.tasks or (f"{len(self.folders)} run folders",)


def parse_compare_request(words: Sequence[str], several_seeds: bool = False) -> CompareRequest:
    """Read the words of a command line.

    Parameters
    ----------
    words : sequence of str
        ``key=value`` words, or paths of run folders.
    several_seeds : bool
        Whether scores can be averaged over seeds.

    Raises
    ------
    bench.errors.ConfigError
        If a key or a value is wrong, or nothing is named.

    Examples
    --------
    >>> parse_compare_request(["task=stance", "model=logreg,linear-svm", "seed=3"]).wanted.models
    ('logreg', 'linear-svm')
    """
    from bench.schema.check import Place, check
    from bench.schema.requests import CompareWords

    folders = tuple(Path(word) for word in words if "=" not in word)
    for word in words:
        if "=" not in word and not Path(word).exists() and (hint := meant(word)):
            raise ConfigError(f"'{word}' is neither key=value nor a run folder.", hint)
    given = parse_overrides([word for word in words if "=" in word], (*MULTIPLE, "seed"))
    read = check(CompareWords, given, Place("", words=True))
    validation = {key.partition(".")[2]: given[key] for key in VALIDATION if key in given}
    if read.validation is not None:
        validation["name"] = read.validation
    results = Path(read.results or "results").expanduser()
    tasks = tuple(stored_tasks(results) if given.get("task") == "all" else read.task)
    if given.get("task") == "all" and not tasks:
        raise ConfigError(
            f"task=all: no run is stored in {results}.",
            "Run a task first, bench run task=NAME, or name another store with results=FOLDER.",
        )
    if not tasks and not folders:
        raise ConfigError(
            "No task and no run folder was named.",
            f"Add task=NAME or run folders. {nearest('', stored_tasks(results))}",
        )
    if folders and (tasks or len(folders) < 2):
        raise ConfigError("Run folders are compared with each other: name at least two, and no task.")
    metric, baseline, models = read.metric, read.baseline, read.model
    seeds = chosen_seeds(read.seed, read.seeds)
    if len(seeds) > 1 and not several_seeds:
        raise ConfigError("seed: this command is about the runs of one seed.", f"For example: seed={seeds[0]}")
    if len(seeds) > 1 and folders:
        raise ConfigError("seed: run folders have their own seeds.", "Name a task, or leave out the seeds.")
    if metric is not None:
        check_metric_name(metric, f"metric={metric}")
    if baseline is not None and models and baseline not in models:
        models = [*models, baseline]
    return CompareRequest(
        tasks=tasks,
        folders=folders,
        wanted=Filter(
            models=tuple(models) or None,
            seed=seeds[0] if len(seeds) == 1 else None,
            seeds=seeds if len(seeds) > 1 else (),
            search=read.search,
            validation=validation,
        ),
        metric=metric,
        baseline=baseline,
        rope=read.rope,
        results=results,
        all_tasks=given.get("task") == "all",
    )
