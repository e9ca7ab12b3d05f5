"""``bench runs``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from bench.cli.words import words
from bench.reporting.output import in_quotes, say

if TYPE_CHECKING:
    from bench.archive.listing import StoredRun
    from bench.archive.request import RunsRequest

REMOVE = "rm"

EVERYTHING = ("task=all", "model=all")
"""The words that name all runs."""


@click.command(
    name="runs",
    epilog="""\b
Examples:
  bench runs
  bench runs task=stance model=logreg,linear-svm
  bench runs --superseded
  bench runs --format csv > runs.csv
  bench runs rm 8d36ff35 41c0
  bench runs rm --failed --dry-run
  bench runs rm task=stance --superseded --yes
  bench runs rm task=all

\b
Keys:
  task, model   which runs: one name, a comma list, or all (all)
  seed, search  which runs (all)
  results       where runs are stored (results)
""",
)
@words()
@click.option("--failed", is_flag=True, help="Only runs with a failed fold.")
@click.option("--superseded", is_flag=True, help="Only runs that a newer one replaces.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="How the list is printed.",
)
@click.option("--wide", is_flag=True, help="Print all columns of the table, even if the terminal is narrow.")
@click.option("--dry-run", is_flag=True, help="With rm: print what would be removed, and remove nothing.")
@click.option("--yes", is_flag=True, help="With rm: remove without asking.")
def command(
    words: tuple[str, ...], failed: bool, superseded: bool, form: str, wide: bool, dry_run: bool, yes: bool
) -> None:
    """List the stored runs and learning curves, or remove some with `rm`.

    `rm` removes runs by their keys, by the start of a key, or by what else chooses runs here, from MLflow's store too.
    It asks first.

    A run is superseded if a newer, complete run has the same task, model and settings (search, seed, validation and
    typed settings), but the data, the model's definition or its code has changed.
    """
    from bench.errors import ConfigError
    from bench.reporting.status import Status

    removes = words[:1] == (REMOVE,)
    for flag, given in (("--yes", yes), ("--dry-run", dry_run)):
        if given and not removes:
            raise ConfigError(f"{flag} belongs to `bench runs rm`.", "Leave it out to list the runs.")
    with Status("reading the stored runs"):
        from bench.archive.listing import list_runs
        from bench.archive.request import parse_runs_request

        request = parse_runs_request(words[1:] if removes else words, failed, superseded)
        if removes and not request.wanted.names_something and not {*EVERYTHING} & {*words}:
            raise ConfigError(
                "bench runs rm: no runs are named.",
                "Name keys, task=NAME, model=NAME, --failed or --superseded. All runs are task=all.",
            )
        runs = list_runs(request.results, request.wanted)
    if removes:
        _remove(request, runs, form, wide, dry_run, yes)
    else:
        _print(runs, form, wide)
        if not runs and form == "table":
            said = "no stored run is like that" if request.wanted.names_something else "no runs are stored there"
            say(f"{request.results}: {said}.", err=True)


def _print(runs: list[StoredRun], form: str, wide: bool) -> None:
    from bench.archive.table import print_runs, runs_csv
    from bench.support.records import plain

    if form == "json":
        from bench.results.files import to_json

        say(in_quotes(to_json([plain(run) for run in runs])), nl=False)
    elif form == "csv":
        say(runs_csv(runs), nl=False)
    elif runs:
        print_runs(runs, wide)


def _remove(request: RunsRequest, runs: list[StoredRun], form: str, wide: bool, dry_run: bool, yes: bool) -> None:
    from bench.archive.table import how_many
    from bench.errors import BenchError, ConfigError
    from bench.reporting.status import Status

    if not runs:
        say(f"{request.results}: no stored run is like that. Nothing is removed.", err=True)
        return
    _print(runs, form, wide)
    many = how_many(runs)
    if dry_run:
        say(f"{many} would be removed. Nothing is removed with --dry-run.", err=True)
        return
    if not yes:
        if not sys.stdin or not sys.stdin.isatty():
            raise ConfigError(
                "There is no terminal to confirm on, so nothing is removed.", "Add --yes to remove these runs."
            )
        if not click.confirm(f"Remove {'this run' if len(runs) == 1 else f'these {many}'} for good?", err=True):
            say("Nothing is removed.", err=True)
            return
    with Status("removing runs"):
        from bench.archive.removal import remove_runs

        removed = remove_runs(request.results, runs)
    done = len(removed.runs)
    tracked = "" if removed.in_mlflow == sum(not run.curve for run in removed.runs) else f"{removed.in_mlflow} of them "
    elsewhere = f", {tracked}from MLflow's store too" if removed.in_mlflow else ""
    say(f"Removed {many if done == len(runs) else f'{done} of {many}'}{elsewhere}.", err=True)
    for note in removed.notes:
        say(f"note: {note}", err=True)
    if removed.kept:
        raise BenchError("\n".join(removed.kept))
