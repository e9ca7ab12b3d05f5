"""What a model is scored by: one object a metric, and what metrics are computed from.

A new metric is a file with a subclass of `LabelMetric`, `LossMetric` or `RankingMetric`, and its line in
`bench.metrics.registry`. Tables, intervals, comparisons, MLflow, the report and the docs take it from there.
"""

from bench.metrics.metric import LabelMetric, LossMetric, Metric
from bench.metrics.outcomes import Outcomes
from bench.metrics.ranking_metric import RankingMetric
from bench.metrics.registry import METRICS, find_metric, metric_names, metric_of, scored_metrics

__all__ = [
    "METRICS",
    "LabelMetric",
    "LossMetric",
    "Metric",
    "Outcomes",
    "RankingMetric",
    "find_metric",
    "metric_names",
    "metric_of",
    "scored_metrics",
]
