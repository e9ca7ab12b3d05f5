"""``bench doctor``."""

from __future__ import annotations

import sys
from itertools import groupby

import click

from bench.cli.words import results_named, table_or_json, words
from bench.reporting.output import in_quotes, say, styled


@click.command(
    name="doctor",
    epilog="""\b
Examples:
  bench doctor
  bench doctor results=~/study/results
  bench doctor --format json > doctor.json
""",
)
@words()
@table_or_json("How it is printed.")
def command(words: tuple[str, ...], form: str) -> None:
    """Say what is installed here, what is missing, and how to get it.

    Prints versions, devices, settings, stored runs, MLflow's store, caches with their sizes, encoders and tasks, and
    downloads or changes nothing. You can paste it into an issue: paths start at ~, and no password or key is printed.
    The exit status is 1 if a package that bench requires is missing or too old.
    """
    from bench.reporting.status import Status

    results = results_named(words)
    with Status("looking at this installation"):
        from bench.doctor import examine_installation

        facts = examine_installation(results)
    if form == "json":
        from bench.results.files import to_json
        from bench.support.records import plain

        say(in_quotes(to_json([plain(fact) for fact in facts])), nl=False)
    else:
        for section, group in groupby(facts, key=lambda fact: fact.section):
            several = list(group)
            say(styled(section, bold=True))
            width = min(28, max(len(fact.name) for fact in several))
            for fact in several:
                say(f"  {fact.name:<{width}}  {fact.value}")
        if missing := [fact for fact in facts if fact.missing]:
            say(styled("missing or wrong", bold=True))
            for fact in missing:
                say(f"  {fact.name}: {fact.value}" + (f"\n    {fact.how}" if fact.how else ""))
    sys.exit(1 if any(fact.needed for fact in facts) else 0)
