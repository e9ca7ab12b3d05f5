"""``bench check``: check a task's data, and whether models follow the rules."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from bench.cli.words import table_or_json, words
from bench.reporting.output import in_quotes, say, styled

if TYPE_CHECKING:
    from bench.checks import Finding
    from bench.config import RunConfig
    from bench.data.task import Task
    from bench.models.model import Model

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


@click.command(
    name="check",
    epilog="""\b
Examples:
  bench check task=stance
  bench check task=stance validation.group=claim_id
  bench check task=all
  bench check task=stance --format json > findings.json
  bench check model=mine
  bench check model=logreg,linear-svm
  bench check model=logreg model.params.max_iter=50
  bench check model=all
""",
)
@words()
@table_or_json("Findings on tasks to read, or as JSON.")
@click.option("--json", "form", flag_value="json", hidden=True)
def command(words: tuple[str, ...], form: str) -> None:
    """Check a task's data for problems, or test the rules that every model must follow.

    A task's text, labels, groups, splits and annotation passes are checked as they would be split by
    bench run. The exit status is 0 if there are at most warnings, and 1 if there is an
    error or a model fails a rule.
    """
    from bench.reporting.status import Status

    with Status("reading the configuration"):
        from bench.config import compose
        from bench.errors import ConfigError
        from bench.overrides import parse_overrides

    as_json = form == "json"
    named = parse_overrides(words).keys() & {"model", "task"}
    if not named:
        raise ConfigError("Nothing to check.", "Name a task or a model: bench check task=NAME or model=NAME")
    if as_json and "model" in named:
        raise ConfigError("--format json works with task=NAME only. The rules of models are printed as text.")
    config = compose(words, needs_task=False)
    passed = _check_tasks(config, as_json) if "task" in named else True
    if "model" in named:
        from bench.catalogue import load_model

        kept = [_check(load_model(name, config.model_overrides)) for name in config.models]
        passed = passed and all(kept)
    sys.exit(0 if passed else 1)


def _check_tasks(config: RunConfig, as_json: bool) -> bool:
    from bench.reporting.status import Status

    with Status("loading libraries"):
        from bench.planning.split_task import tasks_to_load

    notes = list(config.notes)
    records: list[dict[str, object]] = []
    found: list[Finding] = []
    for name in tasks_to_load(config, notes):
        with Status(f"reading and checking the task {name}"):
            task, findings = _examine(name, config)
        records.append(_record(name, task, findings))
        found += findings
        if not as_json:
            print_task(name, task, findings)
    if as_json:
        from bench.results.files import to_json

        say(in_quotes(to_json({"tasks": records})), nl=False)
    for note in notes:
        say(f"note: {note}", err=True)
    return not any(finding.severity == "error" for finding in found)


def _examine(name: str, config: RunConfig) -> tuple[Task | None, list[Finding]]:
    from bench.catalogue import load_task
    from bench.checks import check_task, unreadable
    from bench.errors import DataError, UserError
    from bench.planning.split_task import as_split

    try:
        task = load_task(name, config.task_overrides, config.mirror)
    except DataError as error:
        return None, [unreadable(error)]
    except UserError as error:
        # With one task or with overrides, this is a mistake in the arguments. With several, check the others.
        if (config.asked_for_tasks and len(config.tasks) == 1) or config.task_overrides:
            raise
        return None, [unreadable(error)]
    task = as_split(task, config)
    return task, check_task(task, config.validation.folds)


def _record(name: str, task: Task | None, findings: list[Finding]) -> dict[str, object]:
    facts: dict[str, object] = {"task": name, "findings": [each.to_dict() for each in findings]}
    if task is not None:
        facts |= {"origin": str(task.origin), "examples": len(task), "labels": _counts(task), "notes": list(task.notes)}
        facts |= {"group": task.group, "groups": len(set(task.groups.tolist())), "digest": task.digest}
    return facts


def _counts(task: Task) -> dict[str, int]:
    return {label: int((task.y == label).sum()) for label in task.labels}


def print_task(name: str, task: Task | None, findings: list[Finding]) -> None:
    """Print a task's counts and findings; the task is None if its data cannot be read."""
    from bench.checks.finding import SEVERITIES, counted
    from bench.reporting.terminal import short_path, wrapped

    if task is None:
        say(styled(name, bold=True))
    else:
        say(styled(name, bold=True), f"  {short_path(str(task.origin))}")
        counts = ", ".join(f"{label} {count:,}" for label, count in _counts(task).items())
        groups = f"{len(set(task.groups.tolist())):,} groups ({task.group})"
        for line in (f"{len(task):,} examples in {groups}: {counts}.", *task.notes):
            say(wrapped(line, "- ", "  ", cut=True))
    for finding in findings:
        severity = styled(finding.severity, fg=_COLOURS[finding.severity], bold=True)
        say(f"\n{finding.code}  ", severity, f"  {finding.title}")
        for line in finding.message.splitlines():
            say(_indented(line, 6))
        for example in finding.examples:
            for number, line in enumerate(example.splitlines()):
                say(_indented(line, 8 if number == 0 else 10))
    numbers = [counted(sum(each.severity == level for each in findings), level) for level in SEVERITIES]
    say(f"\n{', '.join(numbers)}.\n")
    if findings:
        say(f"What to do: {findings[0].page.partition('#')[0]}\n")


def _indented(line: str, width: int) -> str:
    from bench.reporting.terminal import wrapped

    return wrapped(line, " " * width, " " * (width + 2), cut=True)


def _check(model: Model) -> bool:
    from bench.reporting.status import Status, told_before

    with Status("loading libraries"):
        from bench.models.conformance import iter_checks
        from bench.models.rules import RULES
        from bench.reporting.terminal import short_path, wrapped

    say(styled(model.name, bold=True), f"  {short_path(model.origin)}")
    failed = tried = 0
    not_tried: dict[str, list[str]] = {}
    for result in told_before(iter_checks(model), (f"trying {code}: {rule.name}" for code, rule in RULES.items())):
        if not result.tried:
            not_tried.setdefault(result.reason, []).append(result.code)
            continue
        tried += 1
        failed += not result.passed
        verdict = styled("pass", fg="green") if result.passed else styled("FAIL", fg="red", bold=True)
        say(f"{result.code}  ", verdict, f"  {result.name}")
        for line in result.reason.splitlines():
            say(wrapped(line, " " * 11, " " * 11, cut=True))
    for reason, codes in not_tried.items():
        say(wrapped(f"{', '.join(codes)}: {reason}"))
    missed = sum(map(len, not_tried.values()))
    if failed:
        more = f", {missed} were not tested" if missed else ""
        say(f"{failed} of {tried + missed} rules fail{more}.\n")
    elif missed:
        say(f"{missed} of {tried + missed} rules were not tested.\n")
    else:
        say(f"All {tried} rules pass.\n")
    return not (failed or missed)
