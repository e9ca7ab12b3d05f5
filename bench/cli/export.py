"""``bench export``: a task, stored runs, or their searches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from bench.cli.words import SUBJECTS, words
from bench.reporting.output import say

if TYPE_CHECKING:
    from bench.archive.listing import StoredRun
    from bench.errors import ConfigError

Written = TypeVar("Written")


@click.command(
    name="export",
    epilog="""\b
Examples:
  bench export task=denial
  bench export task=denial --format jsonl
  bench export task=denial --format dataset --to shared/denial
  bench export task=denial --to hub-folder
  bench export model task=denial model=logreg --to hub-model
  bench export task=stance validation.group=claim_id --to stance.parquet
  bench export results stance.zip task=stance
  bench export studies stance.db task=stance
""",
)
@words()
@click.option(
    "--format", "given", metavar="FORMAT", help="parquet, jsonl, dataset or hub; by the name of --to, else parquet."
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    help="The .parquet or .jsonl file, or the folder; by default named after the task, in this folder.",
)
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def command(words: tuple[str, ...], given: str | None, to: Path | None, force: bool) -> None:
    """Write a task, a fitted model, stored runs or their searches for other programs and machines.

    `task=NAME` is written as it is built: ids, inputs, labels, groups, published splits and passes. A dataset is a
    folder that datasets.load_from_disk opens. A hub folder has the form of a dataset on the Hugging Face Hub: Parquet
    files, a card with its metadata, and Croissant metadata. --to FOLDER, without a suffix, means that one.

    `model` writes a stored run's fitted model in the same form, chosen as for bench predict: task=, model=, run=KEY.

    `results FILE.zip` writes stored runs for another machine, where `bench import results FILE.zip` reads them;
    task=, model=, seed=, search= and results=DIR choose them. `studies FILE.db` writes their searches as a storage of
    Optuna, for optuna-dashboard; FILE.journal is a journal.
    """
    if words[:1] == ("results",):
        _export_results(words[1:], force, {"--format": given, "--to": to})
    elif words[:1] == ("studies",):
        _export_studies(words[1:], force, {"--format": given, "--to": to})
    elif words[:1] == ("model",):
        _export_model(words[1:], given, to)
    elif words and "=" not in words[0] and not words[0].startswith(("+", "~", "-")):
        raise _unknown(words[0])
    else:
        _export_tasks(words, given, to, force)


def _unknown(word: str) -> ConfigError:
    from bench.errors import ConfigError, nearest
    from bench.overrides import meant

    kinds = SUBJECTS["export"]
    near = nearest(word, kinds)
    hint = near if near.startswith("Did") else meant(word) or f"A task is task=NAME; others are {', '.join(kinds)}."
    return ConfigError(f"bench export {word}: what is to be exported?", hint)


def _export_results(words: tuple[str, ...], force: bool, others: dict[str, object]) -> None:
    from bench.archive.packing import pack_runs
    from bench.archive.table import how_many, size

    target, packed = _from_runs("bench export results", (".zip",), pack_runs, words, force, others)
    many = how_many(packed.runs)
    tasks = ", ".join(sorted({run.task for run in packed.runs}))
    say(f"{target}  {many} of {tasks}, {size(target.stat().st_size)}")
    for note in packed.left_out:
        say(f"note: {note}", err=True)


def _export_studies(words: tuple[str, ...], force: bool, others: dict[str, object]) -> None:
    from bench.archive.studies import SUFFIXES, export_studies

    target, exported = _from_runs("bench export studies", SUFFIXES, export_studies, words, force, others)
    say(f"{target}  {len(exported.studies)} studies with {exported.trials:,} trials")
    for note in exported.left_out:
        say(f"note: {note}", err=True)


def _from_runs(
    command: str,
    suffixes: Sequence[str],
    write: Callable[[Sequence[StoredRun], Path, bool], Written],
    words: tuple[str, ...],
    force: bool,
    others: dict[str, object],
) -> tuple[Path, Written]:
    """Write stored runs into a file that is named first; the file, and what was written."""
    from bench.errors import ConfigError
    from bench.reporting.status import Status

    with Status("reading the stored runs") as status:
        from bench.archive.listing import list_runs
        from bench.archive.request import parse_file_request

        for option, value in others.items():
            if value is not None:
                raise ConfigError(f"{option} is for tasks.", f"Name the file: {command} FILE{suffixes[0]}")
        target, request = parse_file_request(command, suffixes, words)
        runs = list_runs(request.results, request.wanted)
        status.doing(f"writing {target}")
        return target, write(runs, target, force)


def _export_model(words: tuple[str, ...], given: str | None, to: Path | None) -> None:
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.cards.model import write_model_folder
        from bench.data.export import HUB
        from bench.errors import ConfigError
        from bench.prediction.choice import choose_run, parse_predict_request
        from bench.reporting.terminal import short_path, wrapped

        if given not in (None, HUB):
            raise ConfigError(f"--format {given}: a model is exported as a hub folder.", "Leave --format out.")
        status.doing("choosing the run")
        chosen = choose_run(parse_predict_request(words))
        target = to or Path(f"{chosen.folder.task}-{chosen.folder.model}")
        status.doing(f"writing {target}")
        write_model_folder(chosen.folder, target)
    say(f"{short_path(str(target))}  the model of {chosen.folder.task}, {chosen.folder.model}, run {chosen.folder.key}")
    for note in chosen.notes:
        say(wrapped(note), err=True)


def _export_tasks(words: tuple[str, ...], given: str | None, to: Path | None, force: bool) -> None:
    from bench.reporting.status import Status

    with Status("loading libraries"):
        from bench.cards.dataset import write_dataset_folder
        from bench.config import compose
        from bench.data.export import HUB, SUFFIXES, export_format, export_task
        from bench.errors import BenchError, ConfigError
        from bench.planning.split_task import load_as_split, tasks_to_load
        from bench.reporting.terminal import short_path

        config = compose(words)
    if to is not None and len(config.tasks) > 1:
        raise ConfigError(
            f"--to {to}: each task has its own export, and {len(config.tasks)} tasks are named.",
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
            if chosen == HUB:
                write_dataset_folder(task, target)
                if not task.licence:
                    notes.append(f"{name}: no licence is stated; before you upload it, ask whether you may.")
            else:
                export_task(task, target, chosen, force)
        say(f"{short_path(str(target))}  {len(task):,} examples of {name}, digest {task.digest[:16]}")
        notes += [f"{name}: {note}" for note in task.notes]
    for note in notes:
        say(f"note: {note}", err=True)
