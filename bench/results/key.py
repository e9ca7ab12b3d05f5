"""The key of a run, computed from its record: whoever reads a record can tell whether the key is its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from bench.config import Search
from bench.metrics.averaged import AVERAGED_OVER
from bench.results.curves import CurveRecord, curve_key
from bench.results.protocol import deciding
from bench.results.record import Lent, RunRecord, TaskRecord
from bench.results.result_format import run_key
from bench.support.records import plain

OF_TASK = (
    "name",
    "version",
    "digest",
    "labels",
    "label_map",
    "inputs",
    "metric",
    AVERAGED_OVER,
    "group",
    "population",
)
"""The fields of a task's description that scores depend on."""

OF_LENT = ("task", "digest", "group", "labels", "only")
"""The fields of the other task's description that scores depend on."""

DECIDES_NOTHING = ("description", "origin", "requirements", "order")
"""The fields of a model's description that scores do not depend on; the order is that of its search."""

LONGEST_GUESSED = 7
"""Dimensions of a search whose order is tried out where a record does not have it, as older ones."""


def key_of(record: RunRecord) -> str:
    """Compute the key that a run with this record is stored under."""
    return run_key(identity_of(record))


def has_its_key(record: RunRecord) -> bool:
    """Whether a record's key is the one that it is stored under."""
    return any(key_of(each) == record.key for each in _in_orders(record))


def curve_has_its_key(record: CurveRecord) -> bool:
    """Whether a learning curve's key, and that of its run, are those that they are stored under."""
    names = {part.name for part in record.parts}
    return (
        record.digests.keys() == names
        and curve_key(record.run, record.digests) == record.key
        and has_its_key(replace(record, key=record.run))
    )


def identity_of(record: RunRecord) -> dict[str, object]:
    """All that decides a run's numbers, as plain data."""
    model = record.model
    dimensions = {name: plain(model.search[name]) for name in model.order or model.search}
    return {
        **split_identity(record.task, record.splits, record.train_on),
        "model": {
            **{name: value for name, value in plain(model).items() if name not in DECIDES_NOTHING},
            "search": [[name, dimension] for name, dimension in dimensions.items()],
        },
        "validation": deciding(record.validation, record.task.splits, lent=record.train_on is not None),
        "search": _budget(record.search) if model.search else None,
        "seed": record.seed,
    }


def split_identity(task: TaskRecord, splits: str, train_on: Lent | None) -> dict[str, object]:
    """What scores depend on of a task and its outer splits, as plain data."""
    described = plain(task)
    known: dict[str, object] = {"task": {key: described[key] for key in OF_TASK if key in described}, "splits": splits}
    if train_on is not None:
        lent = plain(train_on)
        known["train_on"] = {key: lent[key] for key in OF_LENT}
    return known


def _budget(search: Search) -> Mapping[str, float | None]:
    """The part of a search's budget that scores depend on."""
    return {"trials": search.trials, "timeout": search.timeout, "batch": search.batch}


def _in_orders(record: RunRecord) -> Iterator[RunRecord]:
    """The record with its search in each order that it may have had; files have mappings in alphabetical order."""
    names = tuple(record.model.search)
    orders: Iterable[tuple[str, ...]]
    if record.model.order:
        orders = [record.model.order] if sorted(record.model.order) == sorted(names) else []
    else:
        orders = itertools.permutations(names) if len(names) <= LONGEST_GUESSED else [names]
    for order in orders:
        yield replace(record, model=replace(record.model, order=order))
