"""``bench compare``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import by_column, words
from bench.reporting.output import in_quotes, say


@click.command(
    name="compare",
    epilog="""\b
Examples:
  bench compare task=stance
  bench compare task=stance model=logreg,linear-svm --pairs
  bench compare task=stance baseline=majority metric=mcc
  bench compare task=stance,denial,source-type
  bench compare task=denial-news --by length
  bench compare task=stance --plot stance.pdf
  bench compare task=stance --format latex > stance.tex
  bench compare results/stance/logreg/KEY results/stance/lexicon/KEY

\b
Keys:
  task              one name, a comma list, or all that is stored
  model             which models (all that are stored)
  baseline          the one model that all others are compared with
  metric            what is compared (the task's own metric)
  rope              differences up to this one are practically none (0.01)
  seed, search, validation
                    which runs, where several are stored (the last run's);
                    seed=0,1,2 or seeds=3: mean scores of several seeds
  results           where runs are stored (results)
""",
)
@words()
@by_column()
@click.option("--pairs", is_flag=True, help="Also give every pair of models with its tests.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "latex", "markdown", "csv", "json"]),
    default="table",
    show_default=True,
    help="Text to read, a table for a paper (latex needs booktabs), or all digits (csv, json).",
)
@click.option(
    "--plot",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also draw the differences that the verdicts rest on: .svg, .pdf or .png.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file of --plot.")
def command(words: tuple[str, ...], by: str | None, form: str, pairs: bool, plot: Path | None, force: bool) -> None:
    """Say which stored run is best, and which are not distinguishable from it.

    Only stored runs are read. Models are compared on the same out-of-fold predictions. One documented
    rule gives the verdict on each pair.
    """
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.comparison.across import rank_across
        from bench.comparison.board import refresh_leaderboards
        from bench.comparison.compare import Comparison, compare
        from bench.comparison.predictions import read_side_by_side
        from bench.comparison.request import parse_compare_request
        from bench.comparison.selection import Selected, select_each
        from bench.errors import ConfigError
        from bench.reporting.comparison import print_comparison, print_ranks
        from bench.reporting.figure import check_figure, write_figure
        from bench.reporting.paper.digits import to_csv
        from bench.reporting.paper.tables import paper_tables, sliced_table
        from bench.reporting.paper.typeset import to_latex, to_markdown
        from bench.reporting.periods import print_periods
        from bench.reporting.slices import print_slices, slices_to_csv

        def compared(title: str, selected: Selected) -> Comparison:
            status.doing(f"comparing {title}")
            return compare(read_side_by_side(selected, request.metric), request.rope, request.baseline, by)

        request = parse_compare_request(words, several_seeds=True)
        if by is not None and pairs and form in ("latex", "markdown", "csv"):
            raise ConfigError("--by: the table of slices has no pairs.", "Leave out --pairs, or use --format json.")
        if plot is not None:
            check_figure(plot, len(request.titles), force)
        status.doing("reading the stored runs")
        refresh_leaderboards(request)
        comparisons, left_out = select_each(request, compared)
        across = rank_across(comparisons)
    for note in left_out:
        say(f"note: {note}", err=True)
    if form == "json":
        from bench.results.files import to_json
        from bench.support.records import plain

        told = {"tasks": [plain(each) for each in comparisons], "across": None if across is None else plain(across)}
        say(in_quotes(to_json(told)), nl=False)
    elif form == "table":
        if across is not None:
            print_ranks(across, comparisons)
        for comparison in comparisons:
            print_comparison(comparison, pairs)
            print_periods(comparison)
            print_slices(comparison)
    elif form == "csv":
        say(to_csv(comparisons, across, pairs) if by is None else slices_to_csv(comparisons), nl=False)
    else:
        by_slice = by is not None
        tables = list(map(sliced_table, comparisons)) if by_slice else paper_tables(comparisons, across, pairs=pairs)
        say({"latex": to_latex, "markdown": to_markdown}[form](tables), nl=False)
    if plot is not None:
        write_figure(comparisons[0], plot)
        say(f"The picture is in {plot}.", err=True)
