"""``bench import``."""

from __future__ import annotations

import click

from bench.cli.words import words
from bench.reporting.output import say

RESULTS = "results"


@click.command(
    name="import",
    epilog="""\b
Examples:
  bench import results colleague.zip
  bench import results colleague.zip task=stance model=logreg
  bench import results colleague.zip results=~/study/results

\b
Keys:
  task, model, seed, search  which runs (all that are in the file)
  results                    where they are stored (results)
""",
)
@words()
def command(words: tuple[str, ...]) -> None:
    """Store runs that `bench export results FILE.zip` wrote on another machine.

    Every file is checked against its digest, and nothing is executed. A run that is already stored with the same
    results stays as it is. If one file is refused, nothing is stored.
    """
    from bench.errors import ConfigError, nearest
    from bench.reporting.status import Status

    if words[:1] != (RESULTS,):
        given = f"bench import {words[0]}" if words else "bench import"
        hint = nearest(words[0], [RESULTS]) if words else "For example: bench import results FILE.zip"
        raise ConfigError(f"{given}: what is to be imported?", hint)
    with Status("loading libraries") as status:
        from bench.archive.request import parse_file_request
        from bench.archive.unpacking import import_runs

        archive, request = parse_file_request("bench import results", [".zip"], words[1:])
        status.doing(f"reading {archive}")
        imported = import_runs(archive, request.results, request.wanted)
    for run in imported.runs:
        say(f"{run.task}  {run.model}  {run.key}  stored")
    for run in imported.there:
        say(f"{run.task}  {run.model}  {run.key}  already there")
    for place in imported.curves:
        say(f"{place.task}  {place.model} (curve)  {place.key}  stored")
    for place in imported.curves_there:
        say(f"{place.task}  {place.model} (curve)  {place.key}  already there")
    for note in imported.notes:
        say(f"note: {note}", err=True)
    new = [run.task for run in imported.runs]
    if new:
        elsewhere = "" if str(request.results) == "results" else f" results={request.results}"
        say(f"Compare them: bench compare task={','.join(sorted(set(new)))}{elsewhere}", err=True)
