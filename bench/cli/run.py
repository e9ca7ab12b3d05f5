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
  seed              the seed of all random choices (0); seed=0,1,2 or
                    seeds=3 runs each, and ranks by mean scores
  force             true reruns what is stored (false)
  retry             failed retries settings that failed (null)
  tracking          false turns MLflow off (true)
  results           where runs are stored (results)
  execution         local, dask or slurm: where fits run (local)
  execution.workers processes (auto: one per core, fewer if memory is short)
  execution.device  what torch computes on: cpu, cuda, or auto (auto)
`bench show config` prints all of them with their values.
""",
)
@click.option("--dry-run", is_flag=True, help="Print what would run, and where, without running it.")
@words()
def command(words: tuple[str, ...], dry_run: bool) -> None:
    """Train, cross-validate and rank models on a task.

    Each outer fold chooses its hyper-parameters on inner folds of its training part and is scored
    once. Finished folds are stored: rerun a stopped command to continue it.
    """
    if dry_run:
        _print_plan(words)
        return
    from bench.reporting.progress import Progress

    with Progress() as progress:
        from bench.config import compose_each
        from bench.running.runner import run_each

        configs = compose_each(words)
        with resumable("run", words, configs[0].results, progress):
            outcome = run_each(configs, progress)
    from bench.reporting.terminal import print_leaderboard

    for board, folder in zip(outcome.leaderboards, outcome.folders, strict=True):
        print_leaderboard(board, folder)
    for warning in outcome.warnings:
        say(f"warning: {warning}", err=True)
    tell_failures(outcome.failures)


def _print_plan(words: tuple[str, ...]) -> None:
    from bench.reporting.progress import Progress

    with Progress() as progress:
        from bench.config import compose_each
        from bench.planning.plan import plan

        configs = compose_each(words)
        planned = [plan(config, progress.doing) for config in configs]
    from bench.reporting.plan import print_plan

    for config, each in zip(configs, planned, strict=True):
        if len(configs) > 1:
            say(f"seed {config.seed}:")
        print_plan(each, config.execution)
