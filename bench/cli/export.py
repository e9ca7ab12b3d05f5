"""``bench export``: a task, stored runs, or their searches."""

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
  bench export results stance.zip task=stance
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

    `results FILE.zip` writes stored runs for another machine, where `bench import results FILE.zip` reads them;
    task=, model=, seed=, search= and results=DIR choose them.
    """
    if words[:1] == ("results",):
        _export_results(words[1:], force, {"--format": given, "--to": to})
    else:
        _export_tasks(words, given, to, force)


def _export_results(words: tuple[str, ...], force: bool, others: dict[str, object]) -> None:
    from bench.reporting.status import Status

    with Status("reading the stored runs") as status:
        from bench.archive.listing import list_runs
        from bench.archive.packing import pack_runs
        from bench.archive.request import parse_file_request
        from bench.archive.table import size
        from bench.errors import ConfigError

        for option, value in others.items():
            if value is not None:
                raise ConfigError(f"{option} is for tasks.", "Name the file: bench export results FILE.zip")
        target, request = parse_file_request("bench export results", ".zip", words)
        runs = list_runs(request.results, request.wanted)
        status.doing(f"writing {target}")
        packed = pack_runs(runs, target, force)
    many = "1 run" if len(packed.runs) == 1 else f"{len(packed.runs)} runs"
    tasks = ", ".join(sorted({run.task for run in packed.runs}))
    say(f"{target}  {many} of {tasks}, {size(target.stat().st_size)}")
    for note in packed.left_out:
        say(f"note: {note}", err=True)


def _export_tasks(words: tuple[str, ...], given: str | None, to: Path | None, force: bool) -> None:
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
