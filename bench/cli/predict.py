"""``bench predict``."""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.words import words
from bench.cli.written import asked, how_written, named_inputs

if TYPE_CHECKING:
    from bench.data.sources.layout import Asked
    from bench.prediction.blanks import Blanks
    from bench.prediction.reading import NewText
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
    help="By default, from the suffix of the output, else as the input.",
)
@named_inputs
@click.option("--force", is_flag=True, help="Overwrite an existing output file.")
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

    Each row keeps its columns and gets `label` and, if the model gives probabilities, `p_<label>`
    for each label. The label is empty if the model gives no answer, or if there is no text. Inputs are
    read from the columns of the task's own data, or from `text` and `claim`.
    """
    from bench.reporting.status import Status

    streamed = str(source) == "-"
    if streamed:
        _check_stream(written)
    with Status("loading libraries") as status:
        from bench.prediction.blanks import Blanks
        from bench.prediction.choice import choose_run, parse_predict_request
        from bench.prediction.fitted import load_fitted, other_versions
        from bench.prediction.labelling import label_rows
        from bench.prediction.reading import STANDARD_INPUT, named_columns, remembered_columns
        from bench.prediction.writing import FORMATS, answer_format, check_output, with_numbers, write_answers
        from bench.reporting.terminal import wrapped

        target = None if str(output) == "-" else output
        if target is not None:
            check_output(target, force, read=[source])
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
        remembered = remembered_columns(chosen.record.task.columns, options)
        where = STANDARD_INPUT if streamed else source
        status.doing(f"reading {where}")
        if streamed:
            new = _read_stream(columns, model.columns, remembered, status)
        else:
            new = _read_file(source, columns, model.columns, remembered, asked(written))
        for remark in (f"Read as {new.describe()}: {where}", *new.remarks):
            status.say(wrapped(remark))
        status.doing("labelling")
        given: Counter[str] = Counter()
        blanks = Blanks(str(where), new.columns)
        rows = label_rows(model, new.rows, new.columns, new.answers, blanks)
        labelled = _counted(rows, new.answers["label"], given, status)
        answers = answer_format(form, target, new.kind)
        lines = FORMATS[answers](with_numbers(labelled, new.numbers) if answers == "jsonl" else labelled)
        if target is None:
            _print(lines, status)
        else:
            write_answers(lines, target)
    for line in _told(given, model.labels, blanks):
        status.say(wrapped(line))


def _check_stream(written: Mapping[str, str | None]) -> None:
    """Raise a ConfigError if standard input cannot be read as it was asked for."""
    from bench.errors import ConfigError

    if sys.stdin is None:
        raise ConfigError("Standard input is closed, so there is no text to label.", "Name a file: --input FILE")
    if any(written.values()):
        raise ConfigError("The format of standard input is read from its first lines.", "Name a file: --input FILE")


def _read_stream(
    columns: Mapping[str, str], added: Sequence[str], remembered: Mapping[str, str], status: Status
) -> NewText:
    """Read the new text from standard input; see `bench.prediction.reading.read_stream`."""
    from bench.prediction.reading import read_stream

    stream = sys.stdin.buffer
    if stream.isatty():
        status.end()
        status.say("Reading lines from the terminal. Press Ctrl-D to finish.")
    return read_stream(stream, columns, added, remembered)


def _counted(
    rows: Iterator[dict[str, object]], label: str, given: Counter[str], status: Status
) -> Iterator[dict[str, object]]:
    for number, row in enumerate(rows, start=1):
        given[str(row[label])] += 1
        if number % 1000 == 0:
            status.what = f"labelling: {number:,} texts so far"
        yield row


def _read_file(
    source: Path, columns: Mapping[str, str], added: Sequence[str], remembered: Mapping[str, str], form: Asked | None
) -> NewText:
    """Read the new text from a file; see `bench.prediction.reading.read_texts_file`."""
    from bench.prediction.reading import read_texts_file

    # A mistake in the last line is reported before the first one is labelled.
    deque(read_texts_file(source, columns, added, remembered, form).rows, maxlen=0)
    return read_texts_file(source, columns, added, remembered, form)


def _print(lines: Iterable[str], status: Status) -> None:
    from bench.errors import escaped
    from bench.reporting.status import is_terminal

    shown = is_terminal(sys.stdout)
    if shown:
        status.end()
    out = sys.stdout.buffer
    for line in lines:
        # Text for a file or pipe must stay unchanged.
        out.write((escaped(line) if shown else line).encode())
    out.flush()


def _told(given: Counter[str], labels: Sequence[str], blanks: Blanks) -> Iterator[str]:
    """How many texts got each label, and which had no text."""
    counts = [f"{label} {given[label]:,}" for label in labels]
    unanswered = given[""] - len(blanks)
    counts += [f"no answer {unanswered:,}"] if unanswered else []
    yield f"{given.total() - len(blanks):,} labelled: {', '.join(counts)}."
    if blanks:
        yield f"{blanks.told()} The output keeps them, without a label."
