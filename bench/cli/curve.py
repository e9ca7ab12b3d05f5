"""``bench curve``."""

from __future__ import annotations

import click

from bench.cli.resumable import resumable, tell_failures
from bench.cli.words import words
from bench.reporting.output import say


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
    from bench.reporting.progress import Progress

    with Progress("part") as progress:
        from bench.config import compose
        from bench.running.curve import run_curves

        config = compose(words)
        with resumable("curve", words, config.results, progress):
            outcome = run_curves(config, progress)
    from bench.reporting.curve import print_curve

    for curve in outcome.curves:
        print_curve(curve)
    for warning in outcome.warnings:
        say(f"warning: {warning}", err=True)
    tell_failures(outcome.failures)
