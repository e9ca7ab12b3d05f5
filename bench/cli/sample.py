"""``bench sample``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import words
from bench.cli.written import asked, how_written, named_inputs
from bench.reporting.output import say


@click.command(
    name="sample",
    epilog="""\b
Examples:
  bench sample task=denial-news --input archive.csv --n 200 --output next.json
  bench sample task=denial-news model=logreg --input archive.csv --n 200 \\
    --by uncertainty --output next.json
  bench sample task=topics --input archive.jsonl --n 100 --by random --blind \\
    --format csv --output next.csv

\b
Keys:
  task     what is labelled
  model    what labels the archive (by default, that of the best stored run)
  run      its run's key, or the start of it
  seed     the seed of the draw (0)
  results  where runs are stored (results)
  model.params.NAME  parameters of the model, as for bench run
""",
)
@words()
@click.option(
    "--input",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path),
    required=True,
    help="The archive: a .csv, .tsv, .jsonl, .json, .parquet, .xlsx or .txt file.",
)
@click.option("--n", "number", metavar="N", type=click.IntRange(min=2), required=True, help="How many texts to draw.")
@click.option(
    "--by",
    type=click.Choice(["mixed", "uncertainty", "random", "diverse"]),
    default="mixed",
    show_default=True,
    help="uncertainty: more texts that the model is uncertain about; mixed: half of these, half at random; random: all "
    "with equal chances; diverse: as many of rare as of frequent subjects.",
)
@click.option("--blind", is_flag=True, help="Leave out what the model says.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["label-studio", "doccano", "csv"]),
    default="label-studio",
    show_default=True,
    help="The annotation tool that reads the output.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write.",
)
@named_inputs
@click.option("--force", is_flag=True, help="Overwrite an existing output file.")
@how_written("--input-format")
def command(
    words: tuple[str, ...],
    source: Path,
    number: int,
    by: str,
    blind: bool,
    form: str,
    output: Path,
    text: str | None,
    claim: str | None,
    force: bool,
    **written: str | None,
) -> None:
    """Draw texts of an archive to label next, with known probabilities.

    Every text of the archive can be drawn, except repeats and near repeats of labelled texts. The output has the
    probability of each drawn text, so that scores and shares stay valid. Label it, then add the labels with bench add.
    """
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.labelling.drawn import SampleRequest
        from bench.labelling.own_table import how_to_add
        from bench.labelling.sampling import draw_sample, parse_sample_words
        from bench.labelling.shown import print_draw, print_files
        from bench.labelling.tools import sheet_of, write_sheet, written_files
        from bench.prediction.writing import check_output
        from bench.reporting.terminal import wrapped

        run, seed = parse_sample_words(words)
        for target in written_files(form, output):
            check_output(target, force, read=[source])
        columns = {"text": text, "claim": claim}
        request = SampleRequest(run, source, number, by, blind, seed, columns, asked(written))
        sample = draw_sample(request, status.doing)
        files = write_sheet(sheet_of(sample), form, output)
    for note in sample.notes:
        status.say(wrapped(note))
    print_draw(sample.strata)
    print_files(files)
    say(wrapped(how_to_add(run.task)))
