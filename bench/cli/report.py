"""``bench report``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import words


@click.command(
    name="report",
    epilog="""\b
Examples:
  bench report task=stance
  bench report task=stance model=logreg,linear-svm --output stance.html
  bench report task=stance baseline=majority metric=mcc
  bench report results/stance/logreg/KEY results/stance/lexicon/KEY
  bench report task=all

\b
Keys: as for bench compare.
""",
)
@words()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page's file; by default report.html beside the task's runs, or here for run folders.",
)
def command(words: tuple[str, ...], output: Path | None) -> None:
    """Write one HTML page about stored runs, made for sending.

    It needs no network and no other file. It holds the texts of wrong predictions, so whoever has
    the page can read them.
    """
    from bench.comparison.compare import compare
    from bench.comparison.predictions import read_side_by_side
    from bench.comparison.request import parse_request
    from bench.comparison.selection import Selected, select_each
    from bench.errors import ConfigError
    from bench.places import make_folder, replacing
    from bench.report.html.page import render_report
    from bench.report.terminal import short_path

    request = parse_request(words)
    if output is not None and len(request.tasks) > 1:
        raise ConfigError(
            f"--output {output}: there is one page a task, and {len(request.tasks)} tasks are named.",
            "Name one task, or leave --output out: each page is then written beside its runs.",
        )

    def write(selected: Selected) -> None:
        runs = read_side_by_side(selected, request.metric)
        page = render_report(runs, compare(runs, request.rope, request.baseline)).encode()
        folder = Path() if request.folders else runs.runs[0].folder.path.parents[1]
        path = output or folder / "report.html"
        make_folder(path.parent)
        with replacing(path) as beside:
            beside.write_bytes(page)
        click.echo(f"{short_path(str(path))}  {len(page) / 1e6:.1f} MB, {len(runs.runs)} runs of {runs.task['name']}")

    for note in select_each(request, write)[1]:
        click.echo(f"note: {note}", err=True)
