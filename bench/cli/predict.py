"""``bench predict``."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.cli.words import words
from bench.cli.written import asked, how_written

if TYPE_CHECKING:
    from bench.reporting.status import Status


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
@click.option("--text", metavar="COLUMN", help="The column with the texts, where it is called otherwise.")
@click.option("--claim", metavar="COLUMN", help="The column with the claims, where it is called otherwise.")
@click.option("--force", is_flag=True, help="Write over an output file that is there.")
@how_written("--input-format")
def command(
    words: tuple[str, ...],
    source: Path,
    output: Path,
    form: str | None,
    text: str | None,
    claim: str | None,
    force: bool,
    **written: str | None,
) -> None:
    """Label new text with a stored run's fitted model.

    Each row keeps its columns and gets `label` and, where the model gives probabilities, `p_<label>`
    for each label. The label is empty where the model gives no answer. Inputs are read from the columns
    of the task's own data, or from `text` and `claim`.
    """
    from bench.errors import ConfigError, escaped
    from bench.reporting.status import Status, is_terminal

    streamed = str(source) == "-"
    if streamed and sys.stdin is None:
        raise ConfigError("Standard input is closed, so there is no text to label.", "Name a file: --input FILE")
    if streamed and any(written.values()):
        raise ConfigError("How standard input is written is told by its first lines.", "Name a file: --input FILE")
    with Status("loading libraries") as status:
        from bench.prediction.choice import choose_run, parse_predict_request
        from bench.prediction.fitted import load_fitted, other_versions
        from bench.prediction.labelling import label_rows
        from bench.prediction.reading import STANDARD_INPUT, named_columns, read_stream, read_texts_file
        from bench.prediction.writing import FORMATS, answer_format, check_output, write_answers
        from bench.reporting.terminal import wrapped

        target = None if str(output) == "-" else output
        if target is not None:
            check_output(target, force)
        request = parse_predict_request(words)
        status.doing("choosing the run")
        chosen = choose_run(request)
        for note in chosen.notes:
            status.say(wrapped(note))
        if others := other_versions(chosen.record):
            status.say(wrapped(f"warning: the run was stored with {others}; labels may differ."))
        status.doing("loading the model")
        model = load_fitted(chosen.folder, request.overrides)
        options = {"text": text, "claim": claim}
        columns = named_columns(model.inputs, options)
        remembered = {name: named for name, named in chosen.record.task.columns.items() if options.get(name) is None}
        where = STANDARD_INPUT if streamed else source
        status.doing(f"reading {where}")
        if streamed:
            stream = sys.stdin.buffer
            if stream.isatty():
                status.end()
                status.say("Reading lines from the terminal; Ctrl-D ends them.")
            new = read_stream(stream, columns, model.columns, remembered)
        else:
            # A mistake in the last line is told before the first one is labelled.
            deque(read_texts_file(source, columns, model.columns, remembered, asked(written)).rows, maxlen=0)
            new = read_texts_file(source, columns, model.columns, remembered, asked(written))
        for remark in (f"Read as {new.describe()}: {where}", *new.remarks):
            status.say(wrapped(remark))
        status.doing("labelling")
        given: Counter[str] = Counter()
        labelled = _counted(label_rows(model, new.rows, new.columns, new.answers), new.answers["label"], given, status)
        lines = FORMATS[answer_format(form, target, new.kind)](labelled)
        if target is None:
            shown = is_terminal(sys.stdout)
            if shown:
                status.end()
            out = sys.stdout.buffer
            for line in lines:
                # In a file or a pipe a text is to stay what it is.
                out.write((escaped(line) if shown else line).encode())
            out.flush()
        else:
            write_answers(lines, target)
    counts = [f"{label} {given[label]:,}" for label in model.labels]
    counts += [f"without an answer {given['']:,}"] if given[""] else []
    status.say(wrapped(f"{given.total():,} labelled: {', '.join(counts)}."))


def _counted(
    rows: Iterator[dict[str, Any]], label: str, given: Counter[str], status: Status
) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, start=1):
        given[row[label]] += 1
        if number % 1000 == 0:
            status.what = f"labelling: {number:,} texts so far"
        yield row
