"""All metrics, in the order of tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from bench.errors import ConfigError, nearest
from bench.metrics.accuracy import ACCURACY, BALANCED_ACCURACY
from bench.metrics.auroc import MACRO_AUROC
from bench.metrics.average_precision import AVERAGE_PRECISION
from bench.metrics.averaged import averaged
from bench.metrics.calibration_error import EXPECTED_CALIBRATION_ERROR
from bench.metrics.f1 import F_AVG, MACRO_F1, label_f1
from bench.metrics.losses import BRIER, LOG_LOSS
from bench.metrics.matthews import MCC
from bench.metrics.metric import Metric

METRICS: tuple[Metric, ...] = (
    MACRO_F1,
    ACCURACY,
    BALANCED_ACCURACY,
    MCC,
    F_AVG,
    LOG_LOSS,
    BRIER,
    AVERAGE_PRECISION,
    MACRO_AUROC,
    EXPECTED_CALIBRATION_ERROR,
)

OF_A_LABEL = "f1_"
"""Before a label's name: the F1 of that label alone."""


class RankedTask(Protocol):
    """The part of a task that its metric needs."""

    @property
    def name(self) -> str:
        """The task's name."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Its labels."""

    @property
    def metric(self) -> str:
        """The name of the metric that models are ranked by."""

    @property
    def averaged_over(self) -> str:
        """The column that the metric is averaged over; empty without one."""


def find_metric(name: object, labels: Sequence[str] = (), where: str = "metric") -> Metric:
    """The metric of a name.

    Parameters
    ----------
    name : object
        What is given for one: a name of `METRICS`, or ``f1_<label>``.
    labels : sequence of str
        The task's labels, of which ``f1_<label>`` names one.
    where : str
        Named in the error.

    Raises
    ------
    bench.errors.ConfigError
        If the metric is unknown.

    Examples
    --------
    >>> find_metric("macro_f1").title, find_metric("f1_denial", ["denial", "none"]).title
    ('macro-F1', 'F1 denial')
    """
    for metric in METRICS:
        if metric.name == name:
            return metric
    text = str(name)
    if text.startswith(OF_A_LABEL) and text.removeprefix(OF_A_LABEL) in labels:
        label = text.removeprefix(OF_A_LABEL)
        return label_f1(label, list(labels).index(label))
    raise ConfigError(f"{where}: unknown metric '{name}'.", nearest(text, metric_names(labels)))


def metric_title(name: str, task: RankedTask | None = None) -> str:
    """How tables name the metric of a name, with what the task averages it over if it is the task's own.

    Parameters
    ----------
    name : str
        The metric's name.
    task : RankedTask, optional
        The task.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> metric_title("balanced_accuracy"), metric_title("f1_denial")
    ('bal. acc.', 'F1 denial')
    >>> task = SimpleNamespace(metric="f_avg", averaged_over="target")
    >>> metric_title("f_avg", task), metric_title("mcc", task)
    ('F avg. (mean over target)', 'MCC')
    """
    return (_of_any_task(name) if task is None else _as_in(task, _of_any_task(name))).title


def greater_is_better(name: str) -> bool:
    """Whether more is better of the metric of a name."""
    return _of_any_task(name).greater_is_better


def _of_any_task(name: str) -> Metric:
    return find_metric(name, [name.removeprefix(OF_A_LABEL)])


def check_metric_name(name: object, where: str) -> str:
    """Return a metric's name that was given before any task's labels are known.

    Raises
    ------
    bench.errors.ConfigError
        If no task can have such a metric.
    """
    text = str(name)
    return text if text.startswith(OF_A_LABEL) else find_metric(text, where=where).name


def metric_of(task: RankedTask, name: str | None = None) -> Metric:
    """A metric for a task: the task's own metric is averaged if the task requires it.

    Parameters
    ----------
    task : RankedTask
        The task.
    name : str, optional
        The metric's name; the task's own without it.

    Raises
    ------
    bench.errors.ConfigError
        If the metric is unknown.
    """
    where = f"{task.name}: metric" if name is None else "metric"
    return _as_in(task, find_metric(name or task.metric, task.labels, where))


def _as_in(task: RankedTask, metric: Metric) -> Metric:
    over = task.averaged_over
    return averaged(metric, over) if over and metric.name == task.metric else metric


def metric_names(labels: Sequence[str] = ()) -> list[str]:
    """The names of all metrics that a task with these labels may have."""
    return [*(metric.name for metric in METRICS), *(f"{OF_A_LABEL}{label}" for label in labels)]


def in_table_order(names: Iterable[str]) -> list[str]:
    """Put metrics' names into the order of tables; those of a single label come first.

    Examples
    --------
    >>> in_table_order({"mcc": 0.5, "f1_denial": 0.7, "accuracy": 0.8})
    ['f1_denial', 'accuracy', 'mcc']
    """
    order = {metric.name: place for place, metric in enumerate(METRICS)}
    return sorted(names, key=lambda name: order.get(name, -1))


def scored_metrics(primary: Metric, probabilities: bool) -> list[Metric]:
    """The metrics that runs are scored by, in the order of tables.

    Parameters
    ----------
    primary : Metric
        The task's own.
    probabilities : bool
        Whether the model gives probabilities.
    """
    known = [metric for metric in METRICS if metric.everywhere or metric.name == primary.name]
    known = [primary if metric.name == primary.name else metric for metric in known]
    if primary not in known:
        known.insert(0, primary)
    return [metric for metric in known if probabilities or not metric.needs_probabilities]
