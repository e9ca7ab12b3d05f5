"""``bench predict``."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.words import words

if TYPE_CHECKING:
    from bench.report.status import Status


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
""",
)
@words()
@click.option(
    "--input",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    default="-",
    help="The new text: a .csv, .tsv, .jsonl, .json, .parquet or .txt file, or - for standard input (the default).",
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
@click.option("--text", metavar="COLUMN", help="The column with the texts, where it is called otherwise.")
@click.option("--claim", metavar="COLUMN", help="The column with the claims, where it is called otherwise.")
@click.option("--force", is_flag=True, help="Write over an output file that is there.")
def command(
    words: tuple[str, ...],
    source: Path,
    output: Path,
    form: str | None,
    text: str | None,
    claim: str | None,
    force: bool,
) -> None:
    """Label new text with a stored run's fitted model.

    Each row keeps its columns and gets `label` and, where the model gives probabilities, `p_<label>`
    for each label. The label is empty where the model gives no answer. Inputs are read from the columns
    of the task's own data, or from `text` and `claim`.
    """
    from bench.report.status import Status, is_terminal

    with Status("loading libraries") as status:
        from bench.predict.choice import choose_run, parse_request
        from bench.predict.fitted import load_fitted, other_versions
        from bench.predict.labelling import label_rows
        from bench.predict.reading import STANDARD_INPUT, WORDS, named_columns, read_file, read_stream
        from bench.predict.writing import FORMATS, answer_format, check_output, write_answers

        target = None if str(output) == "-" else output
        if target is not None:
            check_output(target, force)
        status.doing("choosing the run")
        chosen = choose_run(parse_request(words))
        for note in chosen.notes:
            _say(note, status)
        if others := other_versions(chosen.record):
            _say(f"warning: the run was stored with {others}; labels may differ.", status)
        status.doing("loading the model")
        model = load_fitted(chosen.folder)
        options = {"text": text, "claim": claim}
        columns = named_columns(model.inputs, options)
        remembered = {name: named for name, named in _columns_of(chosen.record).items() if options.get(name) is None}
        status.doing(f"reading {STANDARD_INPUT if str(source) == '-' else source}")
        if str(source) == "-":
            stream = sys.stdin.buffer
            if stream.isatty():
                status.end()
                click.echo("Reading lines from the terminal; Ctrl-D ends them.", err=True)
            new = read_stream(stream, columns, model.columns, remembered)
        else:
            # A mistake in the last line is told before the first one is labelled.
            deque(read_file(source, columns, model.columns, remembered).rows, maxlen=0)
            new = read_file(source, columns, model.columns, remembered)
        _say(f"Read as {WORDS[new.kind]}: {STANDARD_INPUT if str(source) == '-' else source}", status)
        for note in new.notes:
            _say(note, status)
        status.doing("labelling")
        given: Counter[str] = Counter()
        labelled = _counted(label_rows(model, new.rows, new.columns, new.answers), new.answers["label"], given, status)
        lines = FORMATS[answer_format(form, target, new.kind)](labelled)
        if target is None:
            if is_terminal(sys.stdout):
                status.end()
            out = sys.stdout.buffer
            for line in lines:
                out.write(line.encode())
            out.flush()
        else:
            write_answers(lines, target)
    counts = [f"{label} {given[label]:,}" for label in model.labels]
    counts += [f"without an answer {given['']:,}"] if given[""] else []
    _say(f"{given.total():,} labelled: {', '.join(counts)}.")


def _say(note: str, status: Status | None = None) -> None:
    from bench.report.terminal import wrapped

    if status is None:
        click.echo(wrapped(note), err=True)
    else:
        status.say(wrapped(note))


def _columns_of(record: dict[str, Any]) -> dict[str, str]:
    """What the run's task calls its inputs in its own data."""
    columns = record["task"].get("columns", {})
    return {str(name): str(column) for name, column in columns.items()} if isinstance(columns, dict) else {}


def _counted(
    rows: Iterator[dict[str, Any]], label: str, given: Counter[str], status: Status
) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, start=1):
        given[row[label]] += 1
        if number % 1000 == 0:
            status.what = f"labelling: {number:,} texts so far"
        yield row
