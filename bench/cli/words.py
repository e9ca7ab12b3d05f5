"""The ``key=value`` words that commands take, with their shell completion."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from bench.errors import HIDDEN

PLAIN_KEYS = ("seed", "force", "retry", "tracking", "results", "train_on", "data.mirror")

RUNS_COMMANDS = ("runs", "import")
"""Commands whose words choose stored runs."""


SUBJECTS = {"runs": ("rm",), "import": ("results",), "export": ("results", "studies", "model")}
"""The words before the keys, of commands that do several things."""


def complete_word(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a key, or the value of a group such as ``task=st``."""
    key, equals, value = incomplete.partition("=")
    prefix = f"{key}="
    if not equals:
        # Bash splits words at '=', so the key is in an earlier word, each on its own line. An empty line at the
        # end is a new word, after the value.
        line = re.search(r"([\w.]+)\n=(?:\n([^\s=]+))?\Z", os.environ.get("COMP_WORDS", ""))
        if line is None:
            offered = [*SUBJECTS.get(ctx.info_name or "", ()), *(f"{key}=" for key in _keys(ctx.info_name))]
            return [CompletionItem(word) for word in offered if word.startswith(incomplete)]
        key, value, prefix = line.group(1), line.group(2) or "", ""
    *before, last = value.split(",")
    prefix += "".join(f"{name}," for name in before)
    # The shell prints them. A name with hidden characters would not be what it looks like.
    known = [name for name in _values(key) if not HIDDEN.search(name)]
    return [CompletionItem(prefix + name) for name in known if name.startswith(last)]


def complete_column(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a column of the task that the words before name."""
    from bench.errors import BenchError

    # Bash splits words at '='.
    line = " ".join(ctx.params.get("words") or ()).replace(" = ", "=")
    named = re.findall(r"(?:^| )task=([^ ,]+)", line)
    if not named:
        return []
    from bench.comparison.slice_values import sliceable_columns

    try:
        known = sliceable_columns(named[0])
    except BenchError:
        return []
    return [CompletionItem(name) for name in known if name.startswith(incomplete) and not HIDDEN.search(name)]


def words(**settings: Any) -> Callable[[Any], Any]:
    """Declare the argument that takes ``key=value`` words."""
    return click.argument("words", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=complete_word, **settings)


def by_column() -> Callable[[Any], Any]:
    """Declare the option of the column by which a comparison is sliced; its parameter is ``by``."""
    return click.option(
        "--by",
        metavar="COLUMN",
        shell_complete=complete_column,
        help="Also compare within each value of a column of the examples, such as outlet; for dates: COLUMN:month, "
        ":year or :day; length is bands of words.",
    )


def table_or_json(help_text: str) -> Callable[[Any], Any]:
    """Declare the option that prints a table or everything as JSON; its parameter is ``form``."""
    return click.option(
        "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help=help_text
    )


def results_named(words: Sequence[str]) -> Path:
    """The results folder, of a command that takes no other word than ``results=DIR``.

    Raises
    ------
    bench.errors.ConfigError
        If another word is given, or it names no folder.
    """
    from bench.config import results_folder
    from bench.errors import ConfigError, nearest
    from bench.overrides import parse_overrides

    given = parse_overrides(words)
    for key in given:
        if key != "results":
            raise ConfigError(f"{key}: unknown key.", nearest(key, ["results"]))
    return results_folder(given.get("results"))


def print_rows(rows: Sequence[tuple[str, str, str]], keys: tuple[str, str, str], form: str) -> None:
    """Print names with a line on each and where each comes from, or the same as JSON."""
    if form == "json":
        from bench.reporting.output import in_quotes, say
        from bench.results.files import to_json

        say(in_quotes(to_json([dict(zip(keys, row, strict=True)) for row in rows])), nl=False)
        return
    from bench.reporting.terminal import print_list

    print_list(rows)


def _keys(command: str | None) -> tuple[str, ...]:
    if command in ("compare", "report", "cite", "suspects"):
        from bench.comparison.request import KEYS

        return KEYS
    if command == "plan-labels":
        from bench.comparison.planning import KEYS as PLAN_KEYS

        return PLAN_KEYS
    if command == "stress":
        from bench.stressing.request import KEYS as STRESS_KEYS

        return STRESS_KEYS
    if command in ("predict", "estimate"):
        from bench.prediction.choice import KEYS as PREDICT_KEYS

        return PREDICT_KEYS
    if command == "sample":
        from bench.labelling.drawn import SAMPLE_KEYS

        return SAMPLE_KEYS
    if command in RUNS_COMMANDS:
        from bench.archive.request import KEYS as RUNS_KEYS

        return RUNS_KEYS
    if command in ("ui", "doctor"):
        return ("results",)
    from bench.overrides import GROUPS, MULTIPLE

    return (*MULTIPLE, *GROUPS, *PLAIN_KEYS, *(("seeds",) if command == "run" else ()))


def _values(key: str) -> list[str]:
    from bench.discovery import config_files, model_names, task_names
    from bench.overrides import GROUPS

    if key == "task":
        return [*task_names(), "all"]
    if key == "train_on":
        return task_names()
    if key == "model":
        return [*model_names(), "all"]
    if key == "baseline":
        return model_names()
    if key == "metric":
        from bench.metrics.registry import metric_names

        return metric_names()
    return list(config_files(key)) if key in GROUPS else []
