"""A comparison as lines of CSV, with all digits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.comparison.across import Across
from bench.comparison.compare import ComparedRow, Comparison
from bench.comparison.contrasts import Contrast, contrasts, to_the_baseline
from bench.comparison.pairs import Pair
from bench.metrics.registry import in_table_order
from bench.reporting.periods import with_periods
from bench.results.periods import period_text
from bench.statistics.interval import Interval
from bench.support.csv_text import csv_text


def to_csv(comparisons: Sequence[Comparison], across: Across | None = None, pairs: bool = False) -> str:
    """Write a line for each model, or for each pair, with all digits.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each task.
    across : Across or None
        Their mean ranks, which are left out where there are none.
    pairs : bool
        Whether the lines are of pairs.
    """
    rows = [row for each in comparisons for row in (_pair_records(each) if pairs else _records(each, across))]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not pairs:
        scores = {metric for each in comparisons for row in each.rows for metric in row.scores}
        names = [*(name for name in names if name not in scores), *in_table_order(scores)]
    return csv_text(rows, names)


def _records(comparison: Comparison, across: Across | None) -> Iterable[dict[str, object]]:
    best = comparison.rows[0].name if comparison.rows else ""
    to_best = {} if comparison.baseline is not None else {each.name: each for each in contrasts(comparison, best)}
    to_baseline = {each.name: each for each in to_the_baseline(comparison)}
    ranks = {} if across is None else {row.name: row.rank for row in across.rows}
    for row in comparison.rows:
        yield {
            "task": comparison.task.name,
            "metric": comparison.metric,
            "seed": " ".join(map(str, comparison.seeds)) or comparison.seed,
            "name": row.name,
            "model": row.model,
            "search": row.search or "",
            "key": row.key,
            "score": row.score,
            **_interval_record("", row.interval),
            **dict(zip(("rank_low", "rank_high"), row.ranks or ("", ""), strict=True)),
            **({} if row.seed_deviation is None else {"seed_sd": row.seed_deviation}),
            **_contrast_record("best", to_best.get(row.name)),
            **_contrast_record("baseline", to_baseline.get(row.name)),
            **({"mean_rank": ranks.get(row.name, "")} if ranks else {}),
            **_period_record(comparison, row),
            **row.scores,
        }


def _period_record(comparison: Comparison, row: ComparedRow) -> dict[str, object]:
    """The scores by period and their trend; empty without periods."""
    if row not in with_periods(comparison):
        return {}
    record: dict[str, object] = {
        f"score {period_text(period)}": "" if each.score is None else each.score
        for period, each in zip(comparison.periods, row.by_period, strict=True)
    }
    if (trend := row.trend) is not None:
        ends = _interval_record("trend_", trend.interval)
        record |= {"trend_days": trend.days, "trend_change": trend.change, **ends, "trend_verdict": trend.verdict}
    return record


def _contrast_record(reference: str, contrast: Contrast | None) -> dict[str, object]:
    prefix = f"from_{reference}_"
    return {
        reference: "" if contrast is None else contrast.reference,
        f"{prefix}difference": "" if contrast is None else contrast.difference,
        **_interval_record(prefix, None if contrast is None else contrast.interval),
        f"{prefix}verdict": "" if contrast is None else contrast.standing,
    }


def _pair_records(comparison: Comparison) -> Iterable[dict[str, object]]:
    for pair in comparison.pairs:
        yield {
            "task": comparison.task.name,
            "metric": comparison.metric,
            "first": pair.first,
            "second": pair.second,
            "family": pair.family,
            "difference": pair.groups.difference,
            **_interval_record("", pair.interval),
            "p_groups": pair.p_groups,
            "p_equal": pair.p_equal,
            "p_folds": "" if pair.folds is None else pair.p_folds,
            **_fold_record(pair),
            "only_first_right": pair.errors.first_only,
            "only_second_right": pair.errors.second_only,
            "p_mcnemar": pair.errors.p_value,
            "verdict": pair.verdict,
        }


def _fold_record(pair: Pair) -> dict[str, object]:
    names = ("probability_first", "probability_equal", "probability_second")
    values = ("", "", "") if pair.folds is None else (pair.folds.first, pair.folds.equal, pair.folds.second)
    return dict(zip(names, values, strict=True))


def _interval_record(prefix: str, interval: Interval | None) -> dict[str, object]:
    ends = ("", "", "") if interval is None else (interval.low, interval.high, interval.level)
    return dict(zip((f"{prefix}low", f"{prefix}high", f"{prefix}level"), ends, strict=True))
