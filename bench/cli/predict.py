"""``bench predict``."""

from __future__ import annotations

import sys
import textwrap
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from bench.cli.words import words
from bench.cli.written import asked, how_written


@click.command(
    name="predict",
    epilog="""\b
Examples:
  bench predict task=denial --input new.csv --output labelled.csv
  bench predict task=denial model=logreg < lines.txt
  bench predict task=stance --claim statement --text sentence --input new.tsv
  bench predict task=stance run=8d36ff35 --input new.jsonl --format jsonl

\b
Keys:
  task     whose labels
  model    of which model (the best stored run's)
  run      the run's key, or how it begins
  results  where runs are stored (results)
  model.params.NAME  what the model's definition here says, as for bench run
""",
)
@words()
@click.option(
    "--input",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    default="-",
    help="The new text: a .csv, .tsv, .jsonl, .json, .parquet, .xlsx or .txt file, or - for standard input "
    "(the default).",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    default="-",
    help="The file to write, or - for standard output (the default).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    help="By default as the output's name ends, else as the input.",
)
@click.option("--text", metavar="COLUMN", help="The column with the texts, where it is not 'text'.")
@click.option("--claim", metavar="COLUMN", help="The column with the claims, where it is not 'claim'.")
@how_written("--input-format")
def command(
    words: tuple[str, ...],
    source: Path,
    output: Path,
    form: str | None,
    text: str | None,
    claim: str | None,
    **written: str | None,
) -> None:
    """Label new text with a stored run's fitted model.

    Each row keeps its columns and gets `label` and, where the model gives probabilities, `p_<label>`
    for each label. The label is empty where the model gives no answer.
    """
    from bench.errors import ConfigError
    from bench.predict.choice import choose_run, parse_request
    from bench.predict.fitted import load_fitted, other_versions
    from bench.predict.labelling import label_rows
    from bench.predict.reading import STANDARD_INPUT, named_columns, read_file, read_stream
    from bench.predict.writing import FORMATS, answer_format, check_output, write_answers

    if str(source) == "-" and sys.stdin is None:
        raise ConfigError("Standard input is closed, so there is no text to label.", "Name a file: --input FILE")
    target = None if str(output) == "-" else output
    if target is not None:
        check_output(target)
    request = parse_request(words)
    chosen = choose_run(request)
    for note in chosen.notes:
        _say(note)
    if others := other_versions(chosen.record):
        _say(f"warning: the run was stored with {others}; labels may differ.")
    model = load_fitted(chosen.folder, request.overrides)
    columns = named_columns(model.inputs, {"text": text, "claim": claim})
    if str(source) == "-":
        stream = sys.stdin.buffer
        if stream.isatty():
            click.echo("Reading lines from the terminal; Ctrl-D ends them.", err=True)
        if any(written.values()):
            raise ConfigError("How standard input is written is told by its first lines.", "Name a file: --input FILE")
        new = read_stream(stream, columns, model.columns)
    else:
        # A mistake in the last line is told before the first one is labelled.
        deque(read_file(source, columns, model.columns, asked(written)).rows, maxlen=0)
        new = read_file(source, columns, model.columns, asked(written))
    for remark in (f"Read as {new.describe()}: {STANDARD_INPUT if str(source) == '-' else source}", *new.remarks):
        _say(remark)
    given: Counter[str] = Counter()
    lines = FORMATS[answer_format(form, target, new.kind)](_counted(label_rows(model, new.rows, columns), given))
    if target is None:
        out = sys.stdout.buffer
        for line in lines:
            out.write(line.encode())
        out.flush()
    else:
        write_answers(lines, target)
    counts = [f"{label} {given[label]:,}" for label in model.labels]
    counts += [f"without an answer {given['']:,}"] if given[""] else []
    _say(f"{given.total():,} labelled: {', '.join(counts)}.")


def _say(note: str) -> None:
    from bench.errors import printable

    click.echo(textwrap.fill(printable(note), 80, break_long_words=False, break_on_hyphens=False), err=True)


def _counted(rows: Iterator[dict[str, Any]], given: Counter[str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        given[row["label"]] += 1
        yield row
