"""Why a score has no interval, in words."""

from __future__ import annotations

from collections.abc import Mapping

from bench.metrics.registry import metric_title
from bench.statistics.interval import FEWEST, Thin


def too_few(thin: Thin, labels: tuple[str, ...], values: tuple[str, ...]) -> str:
    """Say why a score has no interval, with numbers."""
    what = "the examples are" if thin.label is None else f"label {labels[thin.label]} is{_predicted(thin)}"
    return f"{_within(thin, values)}{what} in effectively {thin.groups:.1f} equal groups, but {FEWEST:g} are needed"


def without_interval(withheld: Mapping[str, Thin], labels: tuple[str, ...], values: tuple[str, ...]) -> list[str]:
    """Say which scores have no interval; without numbers, so that models with the same gap share the note."""
    metrics: dict[str, list[str]] = {}
    for name, thin in withheld.items():
        why = "there are" if thin.label is None else f"label {labels[thin.label]} is{_predicted(thin)} in"
        why = f"{_within(thin, values)}{why}"
        metrics.setdefault(why, []).append(metric_title(name))
    return [f"no interval for {', '.join(names)}: {why} too few groups" for why, names in metrics.items()]


def _within(thin: Thin, values: tuple[str, ...]) -> str:
    return "" if thin.value is None else f"within {values[thin.value]}, "


def _predicted(thin: Thin) -> str:
    return " predicted" if thin.predicted else ""
