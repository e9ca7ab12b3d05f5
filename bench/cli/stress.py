"""``bench stress``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import words
from bench.reporting.output import in_quotes, say


@click.command(
    name="stress",
    epilog="""\b
Examples:
  bench stress task=denial model=logreg
  bench stress task=denial model=logreg --only tatweel,quotes
  bench stress task=denial model=logreg --dry-run
  bench stress task=denial model=logreg,linear-svm --format csv
  bench stress task=denial model=logreg --plot drops.svg
  bench stress --list

\b
Keys:
  task      the task of the runs
  model     one or several models, whose runs are stored
  metric    what is scored (the task's own metric)
  rope      differences up to this one are practically none (0.01)
  seed, search, validation
            which runs, where several are stored (the last run's)
  results   where runs are stored (results)
  tracking  whether to log to MLflow (true)
  data.mirror
            folder with published data, instead of the network
  model.params.NAME  parameters of the model, as for bench run
""",
)
@words()
@click.option("--only", multiple=True, metavar="NAMES", help="Perturbations, a comma list; by default all.")
@click.option("--list", "listed", is_flag=True, help="List the perturbations, and do nothing else.")
@click.option("--dry-run", is_flag=True, help="Say what would be fitted and predicted, and do nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="A table to read, or all digits.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw the drops with their intervals: .svg, .pdf or .png.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file of --plot.")
def command(
    words: tuple[str, ...],
    only: tuple[str, ...],
    listed: bool,
    dry_run: bool,
    form: str,
    plot: Path | None,
    force: bool,
) -> None:
    """Show what breaks a model: score a stored run on perturbed test texts.

    Each outer fold's setting is fitted again on its training part, without a search, and predicts its test texts
    as written and with other diacritics, spellings, digits, quotation marks and more. Each drop gets an interval
    and a verdict.
    """
    from bench.reporting.status import Status

    if listed:
        _list(form)
        return
    with Status("loading libraries") as status:
        from bench.reporting.figure import check_figure, save_figure
        from bench.reporting.stress import print_stress, stress_csv, stress_figure
        from bench.reporting.terminal import wrapped
        from bench.stressing.request import parse_stress_request
        from bench.stressing.stress import stress_runs

        request = parse_stress_request(words, only)
        if plot is not None:
            check_figure(plot, 1, force)
        done = stress_runs(request, status.doing, lambda sentence: status.say(wrapped(sentence)), dry_run)
    if dry_run:
        return
    if form == "json":
        from bench.results.files import to_json
        from bench.support.records import plain

        say(in_quotes(to_json([plain(each) for each in done.summaries])), nl=False)
    elif form == "csv":
        say(stress_csv(done.summaries), nl=False)
    else:
        for summary in done.summaries:
            print_stress(summary)
    for warning in done.warnings:
        say(f"warning: {warning}", err=True)
    if plot is not None:
        save_figure(stress_figure(done.summaries), plot)
        say(f"The picture is in {plot}.", err=True)


def _list(form: str) -> None:
    from bench.cli.words import print_rows
    from bench.stressing.registry import perturbations

    rows = [(each.name, f"{each.description} ({each.kind})", each.origin) for each in perturbations()]
    print_rows(rows, ("name", "description", "from"), "json" if form == "json" else "table")
