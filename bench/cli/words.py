"""The ``key=value`` words that commands take, with their shell completion."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from bench.errors import HIDDEN

PLAIN_KEYS = ("seed", "force", "retry", "tracking", "results", "train_on", "data.mirror")


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete a key, or the value of a group such as ``task=st``."""
    key, equals, value = incomplete.partition("=")
    prefix = f"{key}="
    if not equals:
        # Bash splits words at '=', so the key stands in an earlier word; they come a line each. An empty line at the
        # end is a new word, after the value.
        line = re.search(r"([\w.]+)\n=(?:\n([^\s=]+))?\Z", os.environ.get("COMP_WORDS", ""))
        if line is None:
            return [CompletionItem(f"{k}=") for k in _keys(ctx.info_name) if k.startswith(incomplete)]
        key, value, prefix = line.group(1), line.group(2) or "", ""
    *before, last = value.split(",")
    prefix += "".join(f"{name}," for name in before)
    # The shell prints them, and a name with hidden characters would be typed otherwise than it looks.
    known = [name for name in _values(key) if not HIDDEN.search(name)]
    return [CompletionItem(prefix + name) for name in known if name.startswith(last)]


def words(**settings: Any) -> Callable[[Any], Any]:
    """Declare the argument that takes ``key=value`` words."""
    return click.argument("words", nargs=-1, metavar="[KEY=VALUE]...", shell_complete=complete, **settings)


def table_or_json(help_text: str) -> Callable[[Any], Any]:
    """Declare the option that prints a table or everything as JSON; its parameter is ``form``."""
    return click.option(
        "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help=help_text
    )


def _keys(command: str | None) -> tuple[str, ...]:
    if command in ("compare", "report"):
        from bench.comparison.request import KEYS

        return KEYS
    if command == "plan-labels":
        from bench.comparison.planning import KEYS as PLAN_KEYS

        return PLAN_KEYS
    if command == "predict":
        from bench.prediction.choice import KEYS as PREDICT_KEYS

        return PREDICT_KEYS
    from bench.overrides import GROUPS, MULTIPLE

    return (*MULTIPLE, *GROUPS, *PLAIN_KEYS)


def _values(key: str) -> list[str]:
    from bench.discovery import config_files, model_names, task_files
    from bench.overrides import GROUPS

    if key == "task":
        return [*task_files(), "all"]
    if key == "train_on":
        return list(task_files())
    if key == "model":
        return [*model_names(), "all"]
    if key == "baseline":
        return model_names()
    if key == "metric":
        from bench.metrics.registry import metric_names

        return metric_names()
    return list(config_files(key)) if key in GROUPS else []
