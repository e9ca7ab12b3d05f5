"""``bench estimate``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import words
from bench.cli.written import asked, how_written, named_inputs
from bench.reporting.output import in_quotes, say


@click.command(
    name="estimate",
    epilog="""\b
Examples:
  bench estimate task=denial-news --input archive.csv
  bench estimate task=denial-news model=logreg --input archive.csv --by outlet
  bench estimate task=denial-news --input archive.csv --by published:month \\
    --difference 2024-10 2024-09
  bench estimate task=denial-news --input archive.csv --plot shares.svg

\b
Keys:
  task     the task of the run
  model    the model (by default, that of the best stored run)
  run      the run's key, or the start of it
  results  where runs are stored (results)
  model.params.NAME  parameters of the model, as for bench run
""",
)
@words()
@click.option(
    "--input",
    "source",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="The archive: a .csv, .tsv, .jsonl, .json, .parquet, .xlsx or .txt file with all its texts.",
)
@click.option(
    "--by", metavar="COLUMN", help="Also estimate each part of the archive; for dates: COLUMN:month, :year or :day."
)
@click.option(
    "--difference",
    "differences",
    nargs=2,
    multiple=True,
    metavar="A B",
    help="Also estimate how much part A exceeds part B.",
)
@click.option(
    "--within",
    type=float,
    default=2.0,
    show_default=True,
    metavar="POINTS",
    help="The half width that intervals should have.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="Text to read, or all digits.",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw the shares with their intervals: .svg, .pdf or .png.",
)
@named_inputs
@click.option("--force", is_flag=True, help="Overwrite an existing file of --plot.")
@how_written("--input-format")
def command(
    words: tuple[str, ...],
    source: Path,
    by: str | None,
    differences: tuple[tuple[str, str], ...],
    within: float,
    form: str,
    plot: Path | None,
    text: str | None,
    claim: str | None,
    force: bool,
    **written: str | None,
) -> None:
    """Say how much of an archive has each label, with confidence intervals.

    A stored run's model predicts all texts of the archive, and the labelled examples correct it
    (prediction-powered inference). The intervals hold if the labelled examples were drawn from this
    archive, at random or at known rates.
    """
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.prediction.choice import parse_predict_request
        from bench.reporting.figure import check_figure, save_figure
        from bench.reporting.shares import print_estimates, share_figure, shares_csv
        from bench.reporting.terminal import wrapped
        from bench.shares.request import estimate_archive, estimate_request

        columns = {"text": text, "claim": claim}
        request = estimate_request(parse_predict_request(words), source, by, differences, within, columns)
        if plot is not None:
            check_figure(plot, 1, force)
        done = estimate_archive(request, status.doing, asked(written))
        for note in done.notes:
            status.say(wrapped(note))
        for warning in done.warnings:
            status.say(wrapped(f"warning: {warning}"))
    if form == "json":
        from bench.results.files import to_json
        from bench.support.records import plain

        say(in_quotes(to_json(plain(done.estimates))), nl=False)
    elif form == "csv":
        say(shares_csv(done.estimates), nl=False)
    else:
        print_estimates(done.estimates)
    if form != "table":
        for warning in done.estimates.warnings:
            say(f"warning: {warning}", err=True)
    if plot is not None:
        save_figure(share_figure(done.estimates), plot)
        say(f"The picture is in {plot}.", err=True)
