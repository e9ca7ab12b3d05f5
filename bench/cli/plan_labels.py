"""``bench plan-labels``."""

from __future__ import annotations

import click

from bench.cli.words import table_or_json, words
from bench.reporting.output import in_quotes, say


@click.command(
    name="plan-labels",
    epilog="""\b
Examples:
  bench plan-labels
  bench plan-labels difference=0.03,0.05 accuracy=0.85 agreement=0.9
  bench plan-labels examples=300,1000,3000 per_group=20 models=7
  bench plan-labels task=stance difference=0.05
  bench plan-labels task=stance --format json

\b
Keys:
  task        go by how much groups vary in the task's stored runs
  examples    numbers of scored examples (200,500,1000,2000,5000)
  difference  true differences that are to be found (0.02,0.05,0.1)
  models      models that are compared with each other (2)
  rope        the region of practical equivalence (0.01)
  metric      with task=: what is compared (the task's own metric)
  results     with task=: where runs are stored (results)

\b
Without task= they are assumed:
  accuracy    what the better model gets right (0.8)
  agreement   where both models are right or both wrong (from the accuracy)
  per_group   examples of a group, such as a document (1)
  alike       how alike the examples of a group are, from 0 to 1 (0.05)
  folds       outer folds (5)
""",
)
@words()
@table_or_json("A table to read, or everything as JSON.")
def command(words: tuple[str, ...], form: str) -> None:
    """Say how many labels a comparison takes, before they are made.

    Printed is the power of the test of bench compare: the chance that the better model is called better,
    by the number of examples and the true difference.
    """
    from dataclasses import asdict

    from bench.comparison.planning import parse_plan, plan_labels
    from bench.comparison.predictions import read_side_by_side
    from bench.comparison.request import Filter
    from bench.comparison.selection import select_runs
    from bench.metrics.registry import metric_title
    from bench.reporting.planning import print_power

    plan = parse_plan(words)
    runs = None
    if plan.task is not None:
        runs = read_side_by_side(select_runs(plan.results, plan.task, Filter()), plan.metric)
    table = plan_labels(plan, runs)
    if form == "json":
        from bench.results.files import to_json

        shown = {"plan": {**asdict(plan), "results": str(plan.results)}, **asdict(table)}
        say(in_quotes(to_json(shown)), nl=False)
        return
    print_power(plan, table, metric_title(table.metric) if runs is None else runs.metric.title)
