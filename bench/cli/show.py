"""``bench show``."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

from bench.cli.words import words
from bench.reporting.output import in_quotes, say

if TYPE_CHECKING:
    from bench.config import RunConfig


@click.command(
    name="show",
    epilog="""\b
Examples:
  bench show task=stance
  bench show model=logreg
  bench show config
  bench show config search=thorough seed=3
""",
)
@words()
def command(words: tuple[str, ...]) -> None:
    """Print a task, a model or the configuration as a run would see it."""
    from bench.reporting.status import Status

    with Status("reading the configuration"):
        from bench.config import compose
        from bench.errors import ConfigError

    wants_config = "config" in words
    config = compose([word for word in words if word != "config"], needs_task=False)
    named = [word.partition("=")[0] for word in words]
    if wants_config:
        mirror = None if config.mirror is None else str(config.mirror)
        shown = {**dataclasses.asdict(config), "mirror": mirror, "results": str(config.results)}
        for inner in ("asked_for_models", "asked_for_tasks", "overrides"):
            del shown[inner]
        _print_yaml(shown)
        return
    if "task" not in named and "model" not in named:
        raise ConfigError("What is to be shown?", "bench show task=NAME, model=NAME or config")
    if "task" in named:
        _show_tasks(config)
    if "model" in named:
        _show_models(config.models, config.model_overrides)


def _show_tasks(config: RunConfig) -> None:
    from bench.metrics.averaged import mean_over
    from bench.reporting.status import Status

    with Status("loading libraries"):
        from bench.data.card import describe
        from bench.planning.split_task import load_as_split, tasks_to_load
        from bench.reporting.terminal import print_card

    notes: list[str] = []
    for name in tasks_to_load(config, notes):
        with Status(f"reading the task {name}"):
            task = load_as_split(name, config)
            described = describe(task)
        say(f"# {task.name}, version {task.version}: {task.description}\n")
        say(f"defined in  {task.origin}")
        say(f"inputs      {', '.join(task.inputs)}")
        say(f"labels      {', '.join(task.labels)}")
        say(f"group       {task.group}")
        say(f"metric      {task.metric}{mean_over(task.averaged_over)}")
        say(f"digest      {task.digest}\n")
        print_card(described)
    for note in notes:
        say(f"note: {note}", err=True)


def _show_models(names: tuple[str, ...], overrides: Any) -> None:
    from bench.catalogue import load_model

    for name in names:
        model = load_model(name, overrides)
        _print_yaml(
            {
                "name": model.name,
                "description": model.description,
                "features": model.features,
                "estimator": model.estimator,
                "params": dict(model.params),
                "search": {
                    key: list(spec["values"]) if "values" in spec else spec
                    for key, spec in (
                        (key, dataclasses.asdict(dimension)) for key, dimension in model.search.dimensions.items()
                    )
                },
                "origin": model.origin,
            }
        )


def _print_yaml(value: Any) -> None:
    from bench.schema.dialect import dump

    say(in_quotes(dump(value, default_flow_style=False)).rstrip())
