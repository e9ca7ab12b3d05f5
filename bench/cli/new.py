"""``bench new``: start a model or a task."""

from __future__ import annotations

import sys

import click

from bench.cli.written import asked, how_written
from bench.reporting.output import say


@click.group(
    name="new",
    epilog="\b\nExamples:\n  bench new model mine\n  bench new task mine --data labels.csv",
)
def command() -> None:
    """Start a task or a model of your own in the current folder."""


@command.command(
    name="model",
    epilog="""\b
Examples:
  bench new model mine
  bench new model nearest-class --force
""",
)
@click.argument("name")
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def model(name: str, force: bool) -> None:
    """Write a model: its YAML file, a small classifier in Python, and a test.

    All three work as they are. Change them step by step.
    """
    from pathlib import Path

    from bench.scaffold.model import scaffold_model

    folder = Path.cwd()
    definition, module, test, schema = (path.relative_to(folder) for path in scaffold_model(name, folder, force))
    say(f"Wrote {definition}\n      {module}\n      {test}\n      {schema}\n")
    say(f"Next: bench check model={name}\n      pytest {test}\n      bench run task=denial model={name}")


@command.command(
    name="task",
    epilog="""\b
Examples:
  bench new task topics --data headlines.csv
  bench new task topics --data news.csv --text title --group outlet
  bench new task pairs --data pairs.tsv --claim claim --label stance
  bench new task mine --data export.json       # of Label Studio
  bench new task mine --data documents/        # .txt files and labels.csv
  bench new task mine --data news/             # a folder for each class
  bench new task mine --data train.csv --data test.csv
  bench new task mine --data tweets.tsv --columns text,label
  bench new task mine --data owner/name@main --text content
""",
)
@click.argument("name")
@click.option(
    "--data",
    required=True,
    multiple=True,
    metavar="FILE_OR_HUB",
    help="A file (.csv, .tsv, .jsonl, .json, .parquet, .xlsx, .txt), a folder, or owner/name of the Hugging Face Hub. "
    "Repeat it for the train, dev and test files of a published split, or for texts and labels in two files.",
)
@click.option("--text", metavar="COLUMN", help="The text to classify.")
@click.option("--claim", metavar="COLUMN", help="The claim that the text is about.")
@click.option("--label", metavar="COLUMN", help="The gold label.")
@click.option(
    "--group",
    metavar="COLUMN",
    help="The group that no split may divide: document, author, outlet; id if each row is one.",
)
@click.option("--split", metavar="COLUMN", help="The part of a published split: train, dev or test.")
@click.option("--date", metavar="COLUMN", help="When it appeared, for validation=forward.")
@click.option(
    "--day-first/--month-first",
    default=None,
    help="How to read dates such as 03/05/2024, if the column itself does not show it.",
)
@click.option("--strict", is_flag=True, help="Stop at rows without a text or a label instead of leaving them out.")
@click.option("--allow-repeats", is_flag=True, help="Accept many repeated inputs; the first of each counts.")
@click.option("--allow-several", is_flag=True, help="Treat several labels in one cell as one separate label.")
@click.option("--allow-shifted", is_flag=True, help="Leave out rows with shifted cells; they are counted and listed.")
@click.option("--force", is_flag=True, help="Overwrite an existing task.")
@how_written("--format")
def task(
    name: str,
    data: tuple[str, ...],
    text: str | None,
    claim: str | None,
    label: str | None,
    group: str | None,
    split: str | None,
    date: str | None,
    day_first: bool | None,
    strict: bool,
    allow_repeats: bool,
    allow_several: bool,
    allow_shifted: bool,
    force: bool,
    **written: str | None,
) -> None:
    """Create a task from your own data: its task.yaml and a data card.

    Format and columns are detected from names and content, unless you set them. The data stay where
    they are. The command asks no questions, and writes nothing unless the task can be built. It checks the task
    like bench check: the exit status is 1 if there is an error.
    """
    from pathlib import Path

    from bench.reporting.status import Status

    folder = Path.cwd()
    with Status("loading libraries") as status:
        from bench.cli.check import print_task
        from bench.scaffold import Given, TaskRequest, scaffold_task

        status.doing(f"reading and checking {', '.join(data)}")
        given = Given(text, claim, label, group, split, date, day_first)
        request = TaskRequest(
            name, data, given, asked(written), force, strict, allow_repeats, allow_several, allow_shifted
        )
        made = scaffold_task(request, folder)
    definition, card, schema = (path.relative_to(folder) for path in made.files)
    _print_sentences(made.choices)
    say(f"Wrote {definition}\n      {card}\n      {schema}\n")
    _print_sentences((made.reading, *made.remarks))
    print_task(name, made.task, made.findings)
    if any(finding.severity == "error" for finding in made.findings):
        say(f"bench run does not accept a task with an error. Fix the data, then run:\n      bench check task={name}")
        sys.exit(1)
    say(f"Next: bench run task={name}")


def _print_sentences(sentences: tuple[str, ...]) -> None:
    from bench.reporting.terminal import wrapped

    for sentence in sentences:
        say(wrapped(sentence) + "\n")
