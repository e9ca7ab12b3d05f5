"""Which column of a user's data is what: as the user says, else by its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.data.sources.cells import LeftOut
from bench.data.sources.table import ROLE_NAMES
from bench.data.task import TEST, TRAIN
from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from bench.data.sources.formats import Rows

NAMES = {
    "text": (
        *("text", "sentence", "body", "content", "headline", "tweet", "article_text", "news", "comment"),
        *("نص", "النص", "جملة", "الجملة", "خبر", "الخبر", "عنوان", "العنوان", "تغريدة", "التغريدة", "محتوى", "المحتوى"),
    ),
    "label": (
        *("label", "labels", "class", "category", "stance", "gold", "gold_label", "sentiment", "annotation"),
        *("تصنيف", "التصنيف", "فئة", "الفئة", "وسم", "الوسم", "موقف", "الموقف", "تسمية", "التسمية"),
    ),
    "group": (
        "group",
        "group_id",
        "document",
        "document_id",
        "doc",
        "doc_id",
        "article",
        "article_id",
        "مقال",
        "المقال",
    ),
    "split": ("split", "subset", "partition", "تقسيم", "التقسيم"),
    "id": ("id", "example_id", "text_id", "sentence_id", "uid", "guid"),
    "document": ("document", "document_id", "doc", "doc_id", "article", "article_id", "file", "filename"),
    "start": ("start", "begin", "start_offset", "from"),
    "end": ("end", "stop", "end_offset", "to"),
}
"""What a column may be called; a name that stands first is taken even where another of the list is there too."""

SHOWN_VALUES = 3
"""Example values that an error shows of a column."""

SHOWN_COLUMNS = 15
"""Columns that an error lists."""


@dataclass(frozen=True)
class Given:
    """The columns that a user names, None where the name is to be guessed or there is none."""

    text: str | None = None
    claim: str | None = None
    label: str | None = None
    group: str | None = None
    split: str | None = None


@dataclass
class Summary:
    """What is in a user's data, by column.

    Parameters
    ----------
    n_rows : int
        The number of rows.
    columns : dict of str to list of str
        A few different values of each column, as far as they are texts or numbers.
    passes : dict of str to int
        How many rows have a label in the column of one annotator.
    unlabelled : dict of str to int
        How many rows have none in that column.
    ids : dict of str to set of str
        All values of the columns that can be ids, as long as each differs.
    roles : dict of str to set of str
        The values of columns that can be a split.
    """

    n_rows: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)
    passes: dict[str, int] = field(default_factory=dict)
    unlabelled: dict[str, int] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)


def summarise(rows: Rows) -> Summary:
    """Read all rows once."""
    found = Summary()
    for _, row in rows:
        found.n_rows += 1
        for column, value in row.items():
            base, at, _ = column.rpartition("@")
            if at and base in row:
                found.passes[column] = found.passes.get(column, 0) + 1
                continue
            values = found.columns.setdefault(column, [])
            text = str(value) if isinstance(value, str | int | float) else ""
            if text and len(values) < SHOWN_VALUES and text not in values:
                values.append(text)
            if isinstance(value, LeftOut):
                found.unlabelled[column] = found.unlabelled.get(column, 0) + 1
            name = _plain(column)
            if name in NAMES["id"] and len(ids := found.ids.setdefault(column, set())) == found.n_rows - 1 and text:
                ids.add(text)
            if name in NAMES["split"]:
                found.roles.setdefault(column, set()).add(text.strip().casefold())
    return found


def choose_columns(found: Summary, given: Given, name: str, has_split: bool) -> dict[str, Any]:
    """Say which column of a table is what.

    Parameters
    ----------
    found : Summary
        The data.
    given : Given
        What the user says.
    name : str
        What messages call the data.
    has_split : bool
        Whether the parts of a published split are known without a column.

    Returns
    -------
    dict of str to object
        The ``columns`` of a task's source.

    Raises
    ------
    bench.errors.ConfigError
        If a named column is not there, one is named twice, or none or several can be the text or the label.
    """
    _check_given(found, given, name)
    labels = sorted({column.rpartition("@")[0] for column in found.passes} | found.unlabelled.keys())
    taken = [column for column in vars(given).values() if column is not None]
    chosen: dict[str, Any] = {"claim": given.claim} if given.claim else {}
    chosen["text"] = given.text or _guess("text", found, name, taken)
    taken.append(chosen["text"])
    only = labels[0] if len(labels) == 1 and labels[0] not in taken else None
    chosen["label"] = given.label or only or _guess("label", found, name, taken)
    taken.append(chosen["label"])
    passes = [column for column in found.passes if column.rpartition("@")[0] == chosen["label"]]
    labelled = found.n_rows - found.unlabelled.get(chosen["label"], 0)
    if len(passes) > 1 and all(found.passes[column] == labelled for column in passes):
        chosen["passes"] = passes
    if group := given.group or _optional("group", found, taken):
        chosen["group"] = group
        taken.append(group)
    split = None if has_split else given.split or _optional("split", found, taken)
    if split is not None and (given.split or _is_split(found.roles.get(split, set()))):
        chosen["split"] = split
    for column, values in found.ids.items():
        if len(values) == found.n_rows and column not in taken:
            chosen["id"] = column
            break
    return {key: chosen[key] for key in ("id", "claim", "text", "label", "passes", "group", "split") if key in chosen}


def choose_span_columns(found: Summary, given: Given, name: str) -> dict[str, Any]:
    """Say which column of a file of spans is what, as `choose_columns` does; only those with a name of their own.

    Raises
    ------
    bench.errors.ConfigError
        As `choose_columns`, or if the user names a claim or a split, which spans cannot have.
    """
    for key in ("claim", "split"):
        if getattr(given, key) is not None:
            raise ConfigError(f"--{key} {getattr(given, key)}: labels of spans of documents have no {key}.")
    _check_given(found, given, name)
    taken = [column for column in vars(given).values() if column is not None]
    chosen = {}
    for key in ("document", "start", "end"):
        chosen[key] = _guess(key, found, name, taken)
        taken.append(chosen[key])
    chosen["label"] = given.label or _guess("label", found, name, taken)
    text = given.text or ("text" if "text" in found.columns and "text" not in taken else None)
    chosen |= {key: column for key, column in (("text", text), ("group", given.group)) if column is not None}
    return {key: column for key, column in chosen.items() if key != column or key in ("text", "group")}


def describe_columns(found: Summary) -> str:
    """List columns with a few of their values, a line each."""
    lines = []
    for column, values in list(found.columns.items())[:SHOWN_COLUMNS]:
        shown = ", ".join(repr(value if len(value) <= 24 else value[:23] + "…") for value in values)
        lines.append(f"  {column}: {shown}" if shown else f"  {column}")
    if len(found.columns) > SHOWN_COLUMNS:
        lines.append(f"  and {len(found.columns) - SHOWN_COLUMNS} more")
    return "Its columns, with some of their values:\n" + "\n".join(lines)


def _check_given(found: Summary, given: Given, name: str) -> None:
    named: dict[str, str] = {}
    for key, column in vars(given).items():
        if column is None:
            continue
        if column not in found.columns:
            raise ConfigError(
                f"--{key} {column}: {name} has no such column.",
                f"{nearest(column, found.columns)}\n{describe_columns(found)}",
            )
        if column in named and {key, named[column]} & {"text", "label", "split"}:
            raise ConfigError(f"--{named[column]} and --{key} name the same column, '{column}'.")
        named[column] = key


def _guess(key: str, found: Summary, name: str, taken: list[str]) -> str:
    candidates = _candidates(key, found, taken)
    if len(candidates) == 1 or (candidates and _plain(candidates[0]) == NAMES[key][0]):
        return candidates[0]
    option = f"Name it: --{key} COLUMN" if key in Given.__dataclass_fields__ else f"Call it '{key}'."
    problem = f"it can be any of {', '.join(candidates)}" if candidates else "none has a name that tells"
    raise ConfigError(
        f"{name}: which column is the {key}? {problem.capitalize()}.", f"{option}\n{describe_columns(found)}"
    )


def _optional(key: str, found: Summary, taken: list[str]) -> str | None:
    candidates = _candidates(key, found, taken)
    return candidates[0] if len(candidates) == 1 or (candidates and _plain(candidates[0]) == NAMES[key][0]) else None


def _candidates(key: str, found: Summary, taken: list[str]) -> list[str]:
    """The columns that a role's names fit, by the order of those names."""
    free = [column for column in found.columns if column not in taken and _plain(column) in NAMES[key]]
    return sorted(free, key=lambda column: NAMES[key].index(_plain(column)))


def _is_split(values: set[str]) -> bool:
    return {TRAIN, TEST} <= {ROLE_NAMES.get(value, "") for value in values} and values <= ROLE_NAMES.keys()


def _plain(column: str) -> str:
    return column.strip().casefold().replace(" ", "_").replace("-", "_")
