"""Options that say how a file of rows is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from bench.data.sources.layout import Asked

FORMATS = ("csv", "semicolon-csv", "pipe-csv", "tsv", "quoted-tsv", "jsonl", "json", "parquet", "xlsx", "fasttext")
"""The formats that a file can be said to have, whatever its name."""

QUOTINGS = ("double", "single", "backslash", "none")


def how_written(format_option: str) -> Callable[[Any], Any]:
    """Declare the options that say how a file is written.

    Parameters
    ----------
    format_option : str
        What the option for the format is called.
    """

    def declare(command: Any) -> Any:
        for option in (
            click.option("--sheet", metavar="NAME", help="The sheet of an Excel workbook."),
            click.option(
                "--columns", "header", metavar="NAMES", help="The columns, a,b,c, of a table without a header."
            ),
            click.option(
                "--encoding", metavar="NAME", shell_complete=_encodings, help="Where it is not told: windows-1256 …"
            ),
            click.option(
                "--quote",
                type=click.Choice(QUOTINGS),
                help="Which marks quote cells; none: all marks are part of the texts.",
            ),
            click.option(
                format_option,
                "written_as",
                type=click.Choice(FORMATS),
                metavar="NAME",
                help=f"What the file is, where it is not told: {', '.join(FORMATS)}.",
            ),
        ):
            command = option(command)
        return command

    return declare


def asked(given: Mapping[str, str | None]) -> Asked:
    """What the options of `how_written` say."""
    from bench.data.sources.layout import Asked

    names = given["header"]
    columns = () if names is None else tuple(name.strip() for name in names.split(","))
    return Asked(given["written_as"], given["quote"], given["encoding"], columns, given["sheet"])


def _encodings(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from bench.data.encodings import USUAL

    return [CompletionItem(name) for name in USUAL if name.startswith(incomplete)]
