"""The rates at which examples come from an archive: as a draw wrote them, less the texts that got no label."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.data.drawn import PROBABILITY, STRATUM, drawn_by_text, is_drawn_id, is_drawn_stratum
from bench.data.messages import listed
from bench.errors import DataError
from bench.labelling.drawn import EXAMPLE_ID, STRATUM_DRAWN

if TYPE_CHECKING:
    from bench.data.task import Task
    from bench.labelling.exports import Labelled


def rate_of(each: Labelled, own_rates: bool) -> dict[str, str]:
    """The fields of an exported text that say how it was drawn, empty if it was not.

    Parameters
    ----------
    each : Labelled
        The text.
    own_rates : bool
        Whether the task names a column of probabilities. Else one without a draw may be anything, such as a model's.

    Raises
    ------
    bench.errors.DataError
        If it was drawn but does not say how, or its probability is not one.
    """
    given = {name: str(each.fields.get(name) if each.fields.get(name) is not None else "").strip() for name in _FIELDS}
    rate, name = given[PROBABILITY], str(each.fields.get(EXAMPLE_ID) or "")
    drawn = is_drawn_id(name) or is_drawn_stratum(given[STRATUM])
    if not drawn and not own_rates:
        return {}
    lost = [field for field, value in given.items() if not value]
    if lost and drawn:
        raise DataError(
            f"{each.where}: '{name}' is of a draw, but the field '{lost[0]}' is missing.",
            f"Export all fields that bench sample wrote, or remove {EXAMPLE_ID} and {STRATUM} if it was not drawn.",
        )
    try:
        known = not rate or 0 < float(rate) <= 1
    except ValueError:
        known = False
    if not known:
        raise DataError(
            f"{each.where}: the field '{PROBABILITY}' is '{rate}', not a number above 0 and at most 1.",
            "Write it as bench sample did, with a decimal point; programs for spreadsheets can change numbers.",
        )
    return {name: value for name, value in given.items() if value}


_FIELDS = (PROBABILITY, STRATUM)


@dataclass
class _Stratum:
    """A stratum of a draw, in an export."""

    rate: str
    n_drawn: int = 0
    """How many texts the draw wrote, 0 if it does not say."""
    texts: set[bytes] = field(default_factory=set)
    """The texts of the export."""
    elsewhere: set[bytes] = field(default_factory=set)
    """Those that are examples already, but not as drawn ones of this stratum."""


def less_unlabelled(
    rows: Sequence[MutableMapping[str, str]],
    keys: Sequence[bytes],
    exported: Iterable[tuple[bytes, Labelled]],
    n_old: int,
    own_rates: bool,
) -> list[str]:
    """Multiply the probability of drawn examples by the share of their stratum's drawn texts that are labelled.

    The texts without a label are then taken for a random part of their stratum.

    Parameters
    ----------
    rows : sequence of dict
        The examples of a new version, which are changed.
    keys : sequence of bytes
        The key of each one's text.
    exported : iterable of (bytes, Labelled)
        The texts of the export with their keys, labelled or not.
    n_old : int
        How many of the examples are of the earlier version, and come first.
    own_rates : bool
        Whether the task names a column of probabilities.

    Returns
    -------
    list of str
        What to know of it, a sentence each.
    """
    place = dict(zip(reversed(keys), range(len(keys) - 1, -1, -1), strict=True))
    strata: dict[str, _Stratum] = {}
    for key, each in exported:
        row = place.get(key, n_old)
        old = row < n_old
        if old and not each.fields.get(PROBABILITY):
            continue
        drawn = rate_of(each, own_rates)
        if PROBABILITY not in drawn:
            continue
        name = drawn.get(STRATUM, "")
        stratum = strata.setdefault(name, _Stratum(drawn[PROBABILITY]))
        stratum.n_drawn = max(stratum.n_drawn, _whole(each.fields.get(STRATUM_DRAWN)))
        stratum.texts.add(key)
        if old and not (is_drawn_stratum(name) and rows[row].get(STRATUM) == name):
            stratum.elsewhere.add(key)
    lost: list[int] = []
    n_drawn = 0
    empty = []
    for name, stratum in strata.items():
        here = [
            number
            for number, row in enumerate(rows)
            if row.get(PROBABILITY) and row.get(STRATUM, "") == name and (number >= n_old or is_drawn_stratum(name))
        ]
        texts = (stratum.texts - stratum.elsewhere) | {keys[number] for number in here}
        n = max(stratum.n_drawn - len(stratum.elsewhere), len(texts))
        if not here:
            empty += [name] if n else []
            continue
        share = len(here) / n
        for number in here:
            rows[number][PROBABILITY] = stratum.rate if share == 1 else repr(float(stratum.rate) * share)
        if share < 1:
            lost.append(n - len(here))
            n_drawn += n
    notes = []
    if lost:
        where = "1 stratum" if len(lost) == 1 else f"{len(lost):,} strata"
        notes.append(
            f"{sum(lost):,} of {n_drawn:,} texts that were drawn from {where} have no label yet. The probabilities of "
            "the others are multiplied by the labelled share of their stratum. That is right if the texts without a "
            "label are a random part of it; if they are harder than others, estimates are biased."
        )
    if empty:
        notes.append(f"No text of these strata of the draw is labelled, so estimates lack them: {listed(empty)}.")
    return notes


def _whole(value: object) -> int:
    try:
        number = float(str(value))
    except ValueError:
        return 0
    return int(number) if math.isfinite(number) else 0


def undrawn(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Say how many new examples have no probability."""
    n = sum(not row.get(PROBABILITY) for row in rows)
    if not n:
        return []
    told = ("1 new example has", "counts", "it") if n == 1 else (f"{n:,} new examples have", "count", "them")
    return [
        f"{told[0]} no drawing probability, and {told[1]} as no random part of an archive. If bench sample drew "
        f"{told[2]}, export all fields that it wrote."
    ]


def no_longer_counted(before: Task, after: Task, table: str) -> list[str]:
    """Say how many examples correct no estimate any more, since the first draw with known probabilities was added.

    Parameters
    ----------
    before, after : Task
        The task before and after that.
    table : str
        The name of its new table.
    """
    if drawn_by_text(before.examples) or not drawn_by_text(after.examples):
        return []
    n = int((after.examples["id"].isin(before.examples["id"]) & (after.examples[PROBABILITY] == "")).sum())
    if not n:
        return []
    which = "1 earlier example has" if n == 1 else f"{n:,} earlier examples have"
    return [
        f"{which} no drawing probability. From now on, bench estimate corrects the model by the drawn ones alone. If "
        "they are a random part of the same archive, divide their number by that of its texts, and write this as "
        f"their '{PROBABILITY}' into {table}."
    ]
