"""``bench curve``."""

from __future__ import annotations

import shlex

import click

from bench.cli.words import words


@click.command(
    name="curve",
    epilog="""\b
Examples:
  bench curve task=stance model=logreg
  bench curve task=denial model=logreg,complement-nb search=standard
  bench curve task=all model=complement-nb
  bench curve task=stance model=logreg validation.group=claim
  bench curve task=stance model=logreg force=true

\b
Keys: as for bench run; a model must be named.
""",
)
@words()
def command(words: tuple[str, ...]) -> None:
    """Train on growing parts of the labels, to see whether more would help.

    Each outer fold of bench run is trained on parts of its training data, with fewer groups or with fewer examples
    of each group, and scored on the same test data. The search is made anew on each part.
    """
    from bench.config import compose
    from bench.curve import run_curves
    from bench.errors import BenchError, describe_os_error
    from bench.report.curve import print_curve
    from bench.report.progress import Progress
    from bench.runner import InterruptedRun

    config = compose(words)
    with Progress("parts") as progress:
        try:
            outcome = run_curves(config, progress)
        except InterruptedRun as stopped:
            rest = [word for word in words if not word.startswith("force=")]
            click.echo(
                f"\nStopped. {stopped.kept} finished folds are kept in {config.results}/, {stopped.missing} are "
                f"missing.\nTo go on: {shlex.join(['bench', 'curve', *rest])}",
                err=True,
            )
            raise click.exceptions.Exit(130) from None
        except OSError as error:
            hint = "What was finished is stored; the same command goes on from there."
            raise BenchError(describe_os_error(error), hint) from error
    for curve in outcome.curves:
        print_curve(curve)
    for failure in outcome.failures:
        click.echo(f"failed: {failure}", err=True)
    if outcome.failures:
        click.echo("The same command tries the failed folds again; all else is stored.", err=True)
        raise click.exceptions.Exit(1)
