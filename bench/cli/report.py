"""``bench report``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import by_column, words
from bench.reporting.output import say


@click.command(
    name="report",
    epilog="""\b
Examples:
  bench report task=stance
  bench report task=stance model=logreg,linear-svm --output stance.html
  bench report task=stance baseline=majority metric=mcc
  bench report task=denial-news --by length
  bench report results/stance/logreg/KEY results/stance/lexicon/KEY
  bench report task=all

\b
Keys: as for bench compare.
""",
)
@words()
@by_column()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page's file; by default report.html beside the task's runs, or here for run folders.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(words: tuple[str, ...], by: str | None, output: Path | None, force: bool) -> None:
    """Write one HTML page about stored runs, to send to others.

    It needs no network and no other file. It contains the texts of wrong predictions: anyone who has the page can read
    them. Several tasks get a page each, and index.html in the results folder compares them. Pages in the results folder
    are replaced each time; any other existing file is overwritten only with --force.
    """
    from bench.errors import ConfigError
    from bench.reporting.status import Status
    from bench.support.places import write_whole

    with Status("loading libraries"):
        from bench.comparison.board import refresh_leaderboards
        from bench.comparison.compare import Comparison, compare
        from bench.comparison.predictions import read_side_by_side
        from bench.comparison.request import parse_compare_request
        from bench.comparison.selection import Selected, select_each
        from bench.data.own_files import check_replaced
        from bench.reporting.html.index import index_path, render_index
        from bench.reporting.html.page import render_report
        from bench.reporting.terminal import short_path
        from bench.results.layout import REPORT, unlinked

        request = parse_compare_request(words, several_seeds=True)
    if output is not None and len(request.tasks) > 1:
        raise ConfigError(
            f"--output {output}: each task has its own page, and {len(request.tasks)} tasks are named.",
            "Name one task, or leave --output out: each page is then written beside its runs.",
        )
    index = index_path(request.results, force) if len(request.tasks) > 1 else None
    own = Path(REPORT) if request.folders else None
    if (named := output or own) is not None:
        check_replaced(named, f"--output {named}" if output else str(named), force)

    def write(title: str, selected: Selected) -> Comparison:
        with Status(f"reading the runs of {title}") as status:
            runs = read_side_by_side(selected, request.metric)
            status.doing(f"comparing the runs of {title}")
            compared = compare(runs, request.rope, request.baseline, by)
            status.doing(f"writing the page of {title}")
            page = render_report(runs, compared).encode()
            path = named or unlinked(runs.runs[0].folder.path.parents[1], REPORT)
            there = path.exists()
            write_whole(path, page)
        told = f"{len(page) / 1e6:.1f} MB, {len(runs.runs)} runs of {runs.task.name}"
        say(f"{short_path(str(path))}  {told}{', replacing the earlier page' if there else ''}")
        return compared

    refresh_leaderboards(request)
    comparisons, left_out = select_each(request, write)
    for note in left_out:
        say(f"note: {note}", err=True)
    if index is not None and len(comparisons) > 1:
        write_whole(index, render_index(comparisons, left_out).encode())
        say(f"{short_path(str(index))}  compares the {len(comparisons)} tasks and links to their pages")
