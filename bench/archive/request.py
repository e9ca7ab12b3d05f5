"""Which stored runs the words of a command name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.archive.listing import RunFilter
from bench.errors import ConfigError
from bench.overrides import meant, parse_overrides

KEYS = ("task", "model", "seed", "search", "results")
"""The keys that such commands take."""

FEWEST_DIGITS = 4
"""Digits of a key that are needed at least."""


@dataclass(frozen=True)
class RunsRequest:
    """Which runs of which store were named.

    Parameters
    ----------
    results : pathlib.Path
        The store.
    wanted : RunFilter
        The runs.
    """

    results: Path
    wanted: RunFilter


def parse_runs_request(words: Sequence[str], failed: bool = False, superseded: bool = False) -> RunsRequest:
    """Read the words of a command line.

    Parameters
    ----------
    words : sequence of str
        ``key=value`` words, and keys of runs, or how they begin.
    failed, superseded : bool
        Whether only such runs are meant.

    Raises
    ------
    bench.errors.ConfigError
        If a key or a value is wrong.

    Examples
    --------
    >>> parse_runs_request(["task=stance", "8d36ff"]).wanted.keys
    ('8d36ff',)
    """
    from bench.schema.check import Place, check
    from bench.schema.requests import RunsWords

    keys = tuple(word for word in words if "=" not in word)
    for key in keys:
        if not (set(key) <= set("0123456789abcdef") and FEWEST_DIGITS <= len(key) <= 12):
            raise ConfigError(
                f"'{key}' is neither key=value nor the key of a run, which has {FEWEST_DIGITS} to 12 digits, 0 to f.",
                meant(key) or "`bench runs` lists the runs with their keys.",
            )
    read = check(RunsWords, parse_overrides([word for word in words if "=" in word]), Place("", words=True))
    return RunsRequest(
        Path(read.results or "results").expanduser(),
        RunFilter(
            tasks=tuple(read.task),
            models=tuple(read.model),
            seed=read.seed,
            search=read.search,
            keys=tuple(dict.fromkeys(keys)),
            failed=failed,
            superseded=superseded,
        ),
    )


def parse_file_request(command: str, suffixes: Sequence[str], words: Sequence[str]) -> tuple[Path, RunsRequest]:
    """Read the words of a command that names a file first, then the runs.

    Parameters
    ----------
    command : str
        The command, for messages.
    suffixes : sequence of str
        How the file's name may end.
    words : sequence of str
        The words after the command's own.

    Raises
    ------
    bench.errors.ConfigError
        If no such file is named, or a key or a value is wrong.
    """
    if not words or Path(words[0]).suffix.lower() not in suffixes:
        given = f": '{words[0]}' is not one" if words else ""
        name = Path(words[0]).stem if words and "=" not in words[0] else "runs"
        raise ConfigError(
            f"{command} takes a {' or '.join(suffixes)} file{given}.",
            f"For example: {command} {name}{suffixes[0]} task=NAME",
        )
    return Path(words[0]).expanduser(), parse_runs_request(words[1:])
