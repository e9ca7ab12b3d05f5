"""``bench export``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.words import words
from bench.reporting.output import say


@click.command(
    name="export",
    epilog="""\b
Examples:
  bench export task=denial
  bench export task=denial --format jsonl
  bench export task=denial --format dataset --to shared/denial
  bench export task=stance validation.group=claim_id --to stance.parquet
""",
)
@words()
@click.option(
    "--format", "given", metavar="FORMAT", help="parquet, jsonl or dataset; by the suffix of --to, else parquet."
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The .parquet or .jsonl file, or the folder of a dataset; by default named after the task, in this folder.",
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(words: tuple[str, ...], given: str | None, to: Path | None, force: bool) -> None:
    """Write a task as it is built: ids, inputs, labels, groups, published splits and passes.

    A dataset is a folder that datasets.load_from_disk opens.
    """
    from bench.reporting.status import Status

    with Status("loading libraries"):
        from bench.config import compose
        from bench.data.export import SUFFIXES, export_format, export_task
        from bench.errors import BenchError, ConfigError
        from bench.planning.split_task import load_as_split, tasks_to_load
        from bench.reporting.terminal import short_path

        config = compose(words)
    if to is not None and len(config.tasks) > 1:
        raise ConfigError(
            f"--to {to}: there is one export a task, and {len(config.tasks)} tasks are named.",
            "Name one task, or leave --to out.",
        )
    chosen = export_format(given, to)
    suffix = next((suffix for suffix, name in SUFFIXES.items() if name == chosen), "")
    notes = list(config.notes)
    for name in tasks_to_load(config, notes):
        with Status(f"reading the task {name}") as status:
            try:
                task = load_as_split(name, config)
            except BenchError as error:
                if config.asked_for_tasks:
                    raise
                notes.append(f"{name} is left out: {error.message}")
                continue
            target = to or Path(f"{name}{suffix}")
            status.doing(f"writing {target}")
            export_task(task, target, chosen, force)
        say(f"{short_path(str(target))}  {len(task):,} examples of {name}, digest {task.digest[:16]}")
        notes += [f"{name}: {note}" for note in task.notes]
    for note in notes:
        say(f"note: {note}", err=True)
