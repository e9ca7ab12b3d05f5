"""Options for the format of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from bench.data.sources.layout import Asked

FORMATS = ("csv", "semicolon-csv", "pipe-csv", "tsv", "quoted-tsv", "jsonl", "json", "parquet", "xlsx", "fasttext")
"""The formats that can be set, whatever the file's name."""

QUOTINGS = ("double", "single", "backslash", "none")


def how_written(format_option: str) -> Callable[[Any], Any]:
    """Declare the options for a file's format.

    Parameters
    ----------
    format_option : str
        The name of the option for the format.
    """

    def declare(command: Any) -> Any:
        for option in (
            click.option("--sheet", metavar="NAME", help="The sheet of an Excel workbook."),
            click.option(
                "--columns", "header", metavar="NAMES", help="The columns of a table without a header: a,b,c."
            ),
            click.option(
                "--encoding", metavar="NAME", shell_complete=_encodings, help="If not detected: windows-1256 …"
            ),
            click.option(
                "--quote",
                type=click.Choice(QUOTINGS),
                help="How cells are quoted; none: quotation marks are text.",
            ),
            click.option(
                format_option,
                "written_as",
                type=click.Choice(FORMATS),
                metavar="NAME",
                help=f"The file's format, if not detected: {', '.join(FORMATS)}.",
            ),
        ):
            command = option(command)
        return command

    return declare


def named_inputs(command: Any) -> Any:
    """Declare the options that name the columns of new text."""
    for option in (
        click.option("--claim", metavar="COLUMN", help="The column with the claims, if it has another name."),
        click.option("--text", metavar="COLUMN", help="The column with the texts, if it has another name."),
    ):
        command = option(command)
    return command


def asked(given: Mapping[str, str | None]) -> Asked:
    """The values of the options of `how_written`."""
    from bench.data.sources.layout import Asked

    names = given["header"]
    columns = () if names is None else tuple(name.strip() for name in names.split(","))
    return Asked(given["written_as"], given["quote"], given["encoding"], columns, given["sheet"])


def _encodings(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from bench.data.encodings import USUAL

    return [CompletionItem(name) for name in USUAL if name.startswith(incomplete)]
