"""``bench suspects``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import words
from bench.reporting.output import say


@click.command(
    name="suspects",
    epilog="""\b
Examples:
  bench suspects task=denial
  bench suspects task=denial --export label-studio --output again.json
  bench suspects task=denial model=majority,logreg,linear-svm --export csv \\
    --blind --output again.csv

\b
Keys: those of bench compare; they choose the runs.
""",
)
@words()
@click.option("--export", "form", type=click.Choice(["label-studio", "doccano", "csv"]), help="Write them for a tool.")
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
@click.option("--blind", is_flag=True, help="Leave out the label and what the models say.")
@click.option("--force", is_flag=True, help="Overwrite an existing output file.")
def command(words: tuple[str, ...], form: str | None, output: Path | None, blind: bool, force: bool) -> None:
    """List the labels that all good models contradict, for a second look.

    Only stored runs are read. The predictions are out-of-fold. If you review only these examples, labels move towards
    the models, which then score too well: review a random draw of the others too.
    """
    from bench.errors import ConfigError
    from bench.reporting.status import Status

    if (form is None) != (output is None):
        raise ConfigError(
            "--export and --output belong together.", "Such as: --export label-studio --output again.json"
        )
    with Status("loading libraries") as status:
        from bench.labelling.own_table import how_to_add
        from bench.labelling.second_look import look_again
        from bench.labelling.shown import print_files, print_suspects
        from bench.labelling.tools import write_sheet, written_files
        from bench.prediction.writing import check_output
        from bench.reporting.terminal import wrapped

        if form is not None and output is not None:
            for target in written_files(form, output):
                check_output(target, force)
        status.doing("reading the stored runs")
        found = look_again(words)
        files = list[Path]()
        if found.suspects and form is not None and output is not None:
            files = write_sheet(found.sheet(blind), form, output)
    print_suspects(found)
    print_files(files)
    if files:
        say(wrapped(how_to_add(found.task.name)))
