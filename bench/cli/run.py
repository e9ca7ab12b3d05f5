"""``bench run``."""

from __future__ import annotations

import click

from bench.cli.resumable import resumable, tell_failures
from bench.cli.words import words
from bench.reporting.output import say


@click.command(
    name="run",
    epilog="""\b
Examples:
  bench run task=stance
  bench run task=denial model=logreg search=quick
  bench run task=all model=logreg,linear-svm search=thorough seed=3
  bench run task=stance model=logreg search.trials=50 search.timeout=60
  bench run task=stance validation.group=claim
  bench run task=stance force=true
  bench run task=all search=thorough --dry-run

\b
Keys:
  task, model       one name, a comma list, or all (model=a,b)
  search            none, quick, standard or thorough: 0, 10, 30 or 100 trials
  seed              every random choice is derived from it (0)
  force             true runs anew what is stored (false)
  retry             failed tries again the settings that failed (null)
  tracking          false leaves MLflow out (true)
  results           where runs are stored (results)
  execution         local, dask or slurm: where fits run (local)
  execution.workers processes (auto: one a core, fewer where memory is short)
  execution.device  what torch computes on: cpu, cuda, or auto (auto)
`bench show config` prints all of them with their values.
""",
)
@click.option("--dry-run", is_flag=True, help="Print what would run, and where, and run nothing.")
@words()
def command(words: tuple[str, ...], dry_run: bool) -> None:
    """Train, cross-validate and rank models on a task.

    Each outer fold chooses its hyper-parameters on inner folds of its training part and is scored
    once. Finished folds are stored: the same command goes on where it was stopped.
    """
    if dry_run:
        _print_plan(words)
        return
    from bench.reporting.progress import Progress

    with Progress() as progress:
        from bench.config import compose
        from bench.running.runner import run

        config = compose(words)
        with resumable("run", words, config.results, progress):
            outcome = run(config, progress)
    from bench.reporting.terminal import print_leaderboard

    for board, folder in zip(outcome.leaderboards, outcome.folders, strict=True):
        print_leaderboard(board, folder)
    for warning in outcome.warnings:
        say(f"warning: {warning}", err=True)
    tell_failures(outcome.failures)


def _print_plan(words: tuple[str, ...]) -> None:
    from bench.reporting.progress import Progress

    with Progress() as progress:
        from bench.config import compose
        from bench.planning.plan import plan

        config = compose(words)
        planned = plan(config, progress.doing)
    from bench.reporting.plan import print_plan

    print_plan(planned, config.execution)
