"""What ``config.yaml`` and the files of ``configs/search/``, ``validation/`` and ``execution/`` may say."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from bench.schema.check import Declared, expects, mapping, unexpected, wrong
from bench.support.quantities import memory_bytes, walltime_seconds

EXAMINE_TIMEOUT = 300.0
"""The default time limit in seconds for examining a model."""

SHORTEST_JOB = 60.0
"""The least seconds of a job of Slurm, which has to start a worker and to end it."""

LONGEST_JOB = 2.0**31 * 60
"""The most seconds of a job that has an end: Slurm counts its minutes in 32 bits."""

LEAST_MEMORY = 300 * 10**6
"""The least bytes of a job of Slurm: a worker and the process of one fit took 230 MB with little data."""

BATCH = 8
"""The default number of settings that a search proposes at once."""


def _name(value: Any) -> str | None:
    """A name from the command line, also of a folder that is not UTF-8. A whole number is a name too."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise unexpected("one name; put a name like 1.5 or true in quotes, twice for the shell")
    return str(value)


def _digits(value: Any) -> Any:
    """A whole number as text, since a name is expected."""
    return str(value) if type(value) is int else value


def _walltime(value: Any) -> float:
    """The seconds of a time as Slurm writes it; a whole number is one too, of minutes."""
    try:
        seconds = walltime_seconds(_digits(value))
    except (AttributeError, ValueError):
        raise unexpected(
            "a time as Slurm writes it, such as 2:00:00",
            "It is minutes, minutes:seconds, hours:minutes:seconds, days-hours, days-hours:minutes, "
            "days-hours:minutes:seconds, or UNLIMITED.",
        ) from None
    if seconds < SHORTEST_JOB:
        raise wrong(
            f" is {seconds:g} seconds, and a job takes {SHORTEST_JOB:g} at least to start a worker and to end it.",
            "A whole number alone is minutes; 2:00:00 is two hours; UNLIMITED has no end.",
        )
    if LONGEST_JOB < seconds < math.inf:
        raise wrong(" is longer than Slurm counts.", "UNLIMITED has no end.")
    return seconds


def _memory(value: Any) -> int:
    """The bytes of an amount of memory."""
    try:
        amount = memory_bytes(value)
    except (AttributeError, ValueError):
        raise unexpected("an amount of memory with its unit, such as 8 GB", "The units are MB, GB and TB.") from None
    if amount < LEAST_MEMORY:
        raise wrong(f" is less than a worker takes: {LEAST_MEMORY // 10**6} MB at least.", "Write it as 8 GB.")
    return amount


Count = Annotated[int, Field(ge=0), expects("a whole number, at least 0")]
AtLeastOne = Annotated[int, Field(ge=1), expects("a whole number, at least 1")]
AtLeastTwo = Annotated[int, Field(ge=2), expects("a whole number, at least 2")]
Flag = Annotated[bool, expects("true or false")]
Seconds = Annotated[float | None, Field(gt=0, allow_inf_nan=False), expects("a number of seconds above 0, or null")]
Name = Annotated[
    str | None, PlainValidator(_name), WithJsonSchema({"type": ["string", "integer", "null"], "pattern": "\\S"})
]
Walltime = Annotated[float, PlainValidator(_walltime), WithJsonSchema({"type": ["string", "integer"], "minimum": 1})]
Memory = Annotated[
    int, PlainValidator(_memory), WithJsonSchema({"type": "string", "pattern": "[kKmMgGtTpP][iI]?[bB]?\\s*$"})
]
Label = Annotated[
    str, BeforeValidator(_digits), expects("a label's name", "Put a label such as true or 1.0 in quotes: {a: 'true'}")
]
Split = Annotated[Literal["published", "grouped", "forward"], expects("one of published, grouped, forward")]


class SearchFile(Declared):
    """The budget of the search in each outer fold."""

    trials: Count = Field(description="Settings to try; 0 uses the model's own setting without a search.")
    timeout: Seconds = Field(description="Seconds of fitting after which no new setting is tried.")
    batch: AtLeastOne = Field(BATCH, description="Settings proposed at once, which can run in parallel.")


class ValidationFile(Declared):
    """How to split examples."""

    group: Name = Field(description="The column of groups that stay together; null is the task's own.")
    splits: Split = Field(
        description="Whether to keep a published split, to pool its examples and split them into folds, or to train on "
        "earlier and test on later examples."
    )
    folds: AtLeastTwo = Field(
        description="Outer folds, if there are more than ten groups; or points in time at which training ends."
    )
    inner_folds: AtLeastTwo = Field(description="Inner folds, if there are more than ten groups.")
    repeats: AtLeastOne = Field(description="Repeats of the outer folds, if there are more than ten groups.")


class SlurmFile(Declared):
    """The jobs of Slurm in which fits run; each is one worker of Dask."""

    jobs: AtLeastOne = Field(2, description="Jobs that run at the same time.")
    cores: AtLeastOne = Field(4, description="The cores of each, and the fits that it runs at the same time.")
    memory: Memory = Field(8 * 10**9, description="The memory of each, such as 8 GB.")
    walltime: Walltime = Field(7200.0, description="The time of each, as Slurm writes it, such as 2:00:00.")
    partition: Name = Field(None, description="Where they run; null is Slurm's default.")
    account: Name = Field(None, description="Who pays; null is Slurm's default.")
    gpus: Count = Field(0, description="The GPUs of each.")
    directives: Annotated[list[str], expects("a list of options of sbatch")] = Field(
        [], description="Further options of sbatch, such as --constraint=icelake."
    )
    prologue: Annotated[list[str], expects("a list of lines of shell")] = Field(
        [], description="Lines of shell that a job runs before its worker, such as module load python."
    )
    interface: Name = Field(None, description="The network interface by which the machines reach each other.")
    shared: Name = Field(None, description="A folder that all machines see, for the certificate and the jobs' logs.")


class ExecutionFile(Declared):
    """Where folds run."""

    engine: Annotated[Literal["local", "dask", "slurm"], expects("one of local, dask, slurm")] = Field(
        "local", description="What runs them: processes of this machine, the workers of a Dask cluster, jobs of Slurm."
    )
    slurm: SlurmFile = Field(
        default_factory=lambda: SlurmFile.model_validate({}), description="The jobs of engine slurm."
    )
    scheduler: Name = Field(
        None, description="The address of a Dask scheduler, as tls://host:8786; null starts a cluster of this machine."
    )
    certificates: Name = Field(None, description="The folder that `bench cluster certificates` made.")
    insecure: Flag = Field(False, description="Whether to reach a scheduler on another machine without encryption.")
    workers: Annotated[
        Annotated[int, Field(ge=1)] | Literal["auto"],
        expects("a whole number, at least 1", "Or auto: one a core, or fewer where memory is short."),
    ] = Field(description="Processes; auto is one a core, or fewer where memory is short.")
    cell_timeout: Seconds = Field(description="Seconds after which a fold is stopped and stored as failed.")
    examine_timeout: Seconds = Field(
        EXAMINE_TIMEOUT, description="Seconds that looking at a model may take before anything runs."
    )
    device: Annotated[Literal["auto", "cpu", "cuda"], expects("one of auto, cpu, cuda")] = Field(
        description="What torch computes on; auto is a GPU where there is one."
    )


class Store(Declared):
    """Where runs are stored."""

    results: Name = Field(description="The folder of stored runs.")


class RunFile(Store):
    """The defaults of ``bench run``."""

    defaults: list[dict[str, Any]] = Field([], description="The files to use: one of each group, and the models.")
    seed: Count = Field(description="The seed of all random choices.")
    force: Flag = Field(description="Whether to rerun what is already stored.")
    retry: Annotated[Literal["failed"] | None, expects("failed, or null")] = Field(
        None, description="failed reruns stored folds in which settings failed, and tries only those settings again."
    )
    tracking: Flag = Field(description="Whether to log to MLflow.")
    mirror: Name = Field(
        None, alias="data.mirror", description="A folder to read published data from instead of downloading them."
    )
    train_on: Name = Field(None, description="Another task with extra training rows.")


class TrainOnWords(Declared):
    """The arguments about another task with extra training rows."""

    labels: Annotated[
        dict[str, Label] | None,
        mapping(
            "a mapping of its labels to the task's", 'For example: "train_on.labels={agree: agree, other: unrelated}"'
        ),
    ] = None
    only: Flag = False
