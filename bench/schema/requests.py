"""The schema of arguments of commands about stored runs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from bench.schema.check import Declared, expects
from bench.schema.run import AtLeastOne, AtLeastTwo, Name, Split


def _several(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _names(value: Any) -> list[str]:
    """Names from the command line: one, several, or none for null or ``all``."""
    return [] if value in (None, "all") else list(dict.fromkeys(map(str, _several(value))))


def _wholes(value: Any) -> list[Any]:
    return [] if value is None else list(dict.fromkeys(_several(value)))


Names = Annotated[list[str], BeforeValidator(_names)]
Whole = Annotated[int | None, expects("a whole number")]
Seeds = Annotated[list[Annotated[int, Field(ge=0), expects("a whole number, at least 0")]], BeforeValidator(_wholes)]
Share = Annotated[float, Field(ge=0, le=1), expects("a number from 0 to 1", "For example: 0.05")]


class SeedWords(Declared):
    """The seeds of a command that takes several."""

    seed: Seeds = []
    seeds: Annotated[int | None, Field(ge=1, le=1_000), expects("a whole number from 1 to 1,000")] = None


class CompareWords(SeedWords):
    """The arguments of ``bench compare`` and ``bench report``."""

    task: Names = []
    model: Names = []
    metric: Name = None
    baseline: Name = None
    rope: Annotated[
        float, Field(ge=0, lt=1), expects("a difference of scores, from 0 to below 1", "For example: rope=0.01")
    ] = 0.01
    search: Name = None
    validation: Name = None
    results: Name = None
    group: Name = Field(None, alias="validation.group")
    splits: Split | None = Field(None, alias="validation.splits")
    folds: AtLeastTwo | None = Field(None, alias="validation.folds")
    inner_folds: AtLeastTwo | None = Field(None, alias="validation.inner_folds")
    repeats: AtLeastOne | None = Field(None, alias="validation.repeats")


class RunsWords(Declared):
    """What commands take that list, remove, move or describe stored runs."""

    task: Names = []
    model: Names = []
    seed: Whole = None
    search: Name = None
    results: Name = None


class PlanWords(Declared):
    """The arguments of ``bench plan-labels``."""

    task: Name = None
    examples: Annotated[
        list[Annotated[int, Field(ge=10, le=10**7), expects("a whole number from 10 to 10,000,000")]],
        BeforeValidator(_several),
    ] = [200, 500, 1_000, 2_000, 5_000]
    difference: Annotated[list[Share], BeforeValidator(_several)] = [0.02, 0.05, 0.10]
    per_group: Annotated[int, Field(ge=1, le=10**6), expects("a whole number from 1 to 1,000,000")] = 1
    alike: Share = 0.05
    accuracy: Share = 0.8
    agreement: Share | None = None
    folds: Annotated[int, Field(ge=2, le=1_000), expects("a whole number from 2 to 1,000")] = 5
    models: Annotated[int, Field(ge=2, le=1_000), expects("a whole number from 2 to 1,000")] = 2
    rope: Share = 0.01
    metric: Name = None
    results: Name = None
