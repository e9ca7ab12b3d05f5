"""The content of ``run.json``: what is stored about a run apart from its scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from bench.config import Search, Validation
from bench.data.figures import PublishedFigure
from bench.models.space import Choice, Range, Setting
from bench.statistics.interval import Interval
from bench.support.records import LEFT_OUT, Count, FolderName, Moment, Number

RunStatus = Literal["running", "complete", "failed", "interrupted"]


@dataclass(frozen=True)
class SplitSizes:
    """The numbers of examples in the parts of a published split."""

    train: Count
    dev: Count
    test: Count


@dataclass(frozen=True)
class Period:
    """The dates of an outer fold that trains on earlier and tests on later examples.

    Parameters
    ----------
    trained_to : str
        The last day of its training part, as ISO 8601 writes it.
    tested_from, tested_to : str
        The first and the last day of its test part.
    n_train, n_test : int
        How many examples the parts have.
    """

    trained_to: str
    tested_from: str
    tested_to: str
    n_train: Count
    n_test: Count


@dataclass(frozen=True)
class Reference:
    """An annotation pass, scored against the majority of the others.

    Parameters
    ----------
    name : str
        The pass.
    scores : mapping of str to float
        By metric.
    intervals : mapping of str to Interval
        By metric, if there is one.
    tied : int
        The number of examples on which the others are tied.
    """

    name: str
    scores: Mapping[str, Number]
    intervals: Mapping[str, Interval]
    tied: Count


@dataclass(frozen=True, kw_only=True)
class TaskRecord:
    """A task as a run had it.

    Parameters
    ----------
    name, version, description : str, int, str
        As in its file.
    digest : str
        Of its data.
    inputs : tuple of str
        The inputs that models see.
    columns : mapping of str to str
        The names in the source of inputs that are renamed.
    labels : tuple of str
        The labels, in order.
    label_map : mapping of str to str
        The task's label for each of the source's.
    metric : str
        The name of the metric that models are ranked by.
    averaged_over : str
        The column that the metric is averaged over; empty without one.
    group : str
        The column that no split cuts through.
    population : mapping of str to float or None
        The share of each stratum, if the task is a stratified sample.
    n_examples, n_groups : int
        How many there are.
    splits : mapping of str to SplitSizes
        The published splits; empty if folds are made here.
    published : tuple of PublishedFigure
        Results of others, if the task is split as published.
    notes : tuple of str
        What was out of the ordinary in its data.
    origin : str
        Its file.
    references : tuple of Reference
        Its annotation passes.
    """

    name: FolderName
    version: int
    description: str
    digest: str
    inputs: Annotated[tuple[str, ...], Field(min_length=1)]
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    label_map: Mapping[str, str] = field(default_factory=dict)
    metric: str
    averaged_over: Annotated[str, LEFT_OUT] = ""
    group: str
    population: Annotated[Mapping[str, Count], LEFT_OUT] = field(default_factory=dict)
    n_examples: Count
    n_groups: Count
    splits: Mapping[str, SplitSizes] = field(default_factory=dict)
    published: tuple[PublishedFigure, ...] = ()
    notes: tuple[str, ...]
    origin: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, kw_only=True)
class Lent:
    """Another task with extra training rows.

    Parameters
    ----------
    task, digest, group : str
        Its name, the digest of its data, and its groups.
    labels : mapping of str to str
        The task's label for each of the other's.
    only : bool
        Whether the extra training rows replace the task's own.
    n_examples : int
        How many of them train.
    notes : tuple of str
        What was left out.
    """

    task: str
    digest: str
    group: str
    labels: Mapping[str, str]
    only: bool
    n_examples: Count
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """A model as a run had it.

    Parameters
    ----------
    name, description : str
        As in its file.
    estimator : str
        The class.
    features : str or None
        The name of its features; None if the estimator takes texts.
    params : mapping of str to object
        Its fixed parameters.
    search : mapping of str to Choice or Range
        What is searched.
    order : tuple of str
        The names of what is searched in the order of the model's file, which decides what is drawn.
    sources : mapping of str to str
        Digests of the code of plug-ins.
    prune : bool
        Whether the search stops settings early.
    first_setting : mapping of str to object or None
        The setting that the search begins with.
    origin : str
        Its file, or the package that it comes with.
    requirements : mapping of str to str
        Versions of the additional libraries that it needs.
    """

    name: FolderName
    description: str
    estimator: str
    features: str | None
    params: Setting
    search: Mapping[str, Choice | Range]
    order: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    prune: Annotated[bool, LEFT_OUT] = False
    first_setting: Annotated[Setting | None, LEFT_OUT] = None
    origin: str
    requirements: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Git:
    """The commit of a run's folder, and whether files differed from it."""

    commit: str
    dirty: bool


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The environment of a run: versions, the platform, the git commit, and the device where a model has a choice."""

    python: str
    platform: str
    packages: Mapping[str, str]
    git: Git | None
    device: Annotated[str | None, LEFT_OUT] = None

    @property
    def on_gpu(self) -> bool:
        """Whether the model computes on a GPU."""
        return self.device is not None and self.device.startswith("cuda")


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The content of ``run.json``.

    Parameters
    ----------
    format : int
        The version of the result format.
    key : str
        A hash of all that decides the run's numbers.
    task, model : TaskRecord, ModelRecord
        What was run.
    train_on : Lent or None
        Another task with extra training rows.
    splits : str
        A digest of the outer folds.
    validation, search, seed : Validation, Search, int
        The protocol.
    folds : int
        Outer folds.
    periods : tuple of Period
        Their dates, if they train on earlier and test on later examples.
    environment : Environment
        Its environment.
    command : str
        The command that reruns it.
    status : {"running", "complete", "failed", "interrupted"}
        The status.
    started : str
        When its cells began to run, as ISO 8601 writes it; empty before.
    seconds : mapping of str to float
        Time by phase, and in all.
    """

    format: int
    key: str
    task: TaskRecord
    model: ModelRecord
    train_on: Annotated[Lent | None, LEFT_OUT] = None
    splits: str
    validation: Validation
    search: Search
    seed: int
    folds: Count
    periods: Annotated[tuple[Period, ...], LEFT_OUT] = ()
    environment: Environment
    command: str
    status: RunStatus = "running"
    started: Moment = ""
    seconds: Mapping[str, Number] = field(default_factory=dict)
