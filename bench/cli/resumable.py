"""How the commands end that can be stopped and typed again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bench.cli.streams import tell_stopped
from bench.reporting.output import say

if TYPE_CHECKING:
    from bench.reporting.progress import Progress


@contextmanager
def resumable(command: str, words: Sequence[str], results: Path, progress: Progress) -> Iterator[None]:
    """Say what is kept and how to go on where a run is stopped, or the system refuses something.

    Parameters
    ----------
    command : str
        The command's name.
    words : sequence of str
        What was typed behind it.
    results : pathlib.Path
        The store.
    progress : Progress
        Knows what is being done, and counts what this command has stored.

    Raises
    ------
    click.exceptions.Exit
        With status 130 where the user stopped it.
    bench.errors.BenchError
        In place of an `OSError`, once something is stored.
    bench.errors.UserError
        If nothing can be stored there.
    """
    from bench.errors import BenchError, describe_os_error
    from bench.running.job import InterruptedRun
    from bench.support.places import refused

    try:
        yield
    except InterruptedRun as stopped:
        rest = [word for word in words if not word.startswith(("force=", "retry="))]
        tell_stopped(
            f"Stopped. {stopped.kept} finished folds are kept in {results}/, {stopped.missing} are "
            f"missing.\nTo go on: {shlex.join(['bench', command, *rest])}"
        )
        raise click.exceptions.Exit(130) from None
    except KeyboardInterrupt:
        kept = f"What was finished is kept in {results}/." if progress.stored else "Nothing was run."
        tell_stopped(f"Stopped while {progress.what}. {kept}")
        raise click.exceptions.Exit(130) from None
    except OSError as error:
        if progress.stored:
            hint = "What was finished is stored; the same command goes on from there."
            raise BenchError(describe_os_error(error), hint) from error
        raise refused(error, {f"results={results}": results}) or error from error


def tell_failures(failures: Sequence[str]) -> None:
    """Print what failed or is not stored and end with status 1, where there are any."""
    for failure in failures:
        say(f"failed: {failure}", err=True)
    if failures:
        say("The same command tries again what is missing; all else is stored.", err=True)
        raise click.exceptions.Exit(1)
