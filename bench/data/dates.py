"""Dates of examples: read strictly, kept as ISO 8601 writes them, and compared as instants."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.data.messages import listed
from bench.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATE = "date"
"""The column of examples with their dates."""

DAY_FIRST = "day_first"
"""The key of a source that says how to read dates such as 03/05/2024."""

LONGEST = 40
"""A longer text is not looked at as a date."""

EARLIEST = 1700
"""Earlier years are of another calendar, or mistakes."""

_WRITE = "Write it as ISO 8601 does: 2024-05-03, or with a time and its zone 2024-05-03T18:30+03:00."
_COARSE = re.compile(r"(\d{4})(?:-(\d{2}))?", re.ASCII)
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?", re.ASCII
)
_YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})(?=\D|$)", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?=\D|$)", re.ASCII)
_MAIL = re.compile(r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? (?:[+-]\d{4}|GMT|UTC|UT)")
_UTC_NAME = re.compile(r" ?(?:UTC|GMT)$")


@dataclass(frozen=True, eq=False)
class Times:
    """When examples appeared. A date without a time is the whole day, and a month the whole month.

    Parameters
    ----------
    first, last : ndarray of datetime64[us], shape (n_examples,)
        The first and the last instant that each date can mean.
    """

    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]

    def __getitem__(self, rows: NDArray[np.intp]) -> Times:
        return Times(self.first[rows], self.last[rows])


@dataclass
class DayOrder:
    """Whether dates with the year last, all of one column, have the day or the month first.

    Parameters
    ----------
    day, month : str
        The place of a date that must have the day first, or the month; empty if there is none.
    either : str
        The place of a date with two readings.

    Examples
    --------
    >>> order = DayOrder()
    >>> for line, cell in enumerate(("03/05/2024", "25/12/2024"), start=2):
    ...     order.add(cell, f"line {line}")
    >>> order.day_first, order.day
    (True, 'line 3')
    """

    day: str = ""
    month: str = ""
    either: str = ""

    def add(self, value: Any, where: str) -> None:
        """Look at a cell; what is not such a date says nothing."""
        # Every cell of a user's table comes here, and few begin with a digit.
        if not isinstance(value, str) or len(value) > LONGEST or not value.lstrip()[:1].isdecimal():
            return
        found = _YEAR_LAST.match(_latin_digits(value.strip()))
        if found is None or found[1] == found[2]:
            return
        day_first = _must_be_first(int(found[1]), int(found[2]))
        if day_first is None:
            self.either = self.either or where
        elif day_first:
            self.day = self.day or where
        else:
            self.month = self.month or where

    @property
    def day_first(self) -> bool | None:
        """What the other dates say about those with two readings; None if they say nothing, or contradict."""
        return None if bool(self.day) == bool(self.month) else bool(self.day)


def read_date(value: Any, where: str, day_first: bool | None = None) -> str:
    """Read a date as ISO 8601 writes it; empty if there is none.

    Parameters
    ----------
    value : str, int, datetime.date, datetime.datetime or None
        A cell of a table.
    where : str
        Its place, for errors.
    day_first : bool or None
        Whether dates with the year last have the day first; None if each must have one reading.

    Raises
    ------
    bench.errors.DataError
        If it is not a date, or can be read as two.

    Examples
    --------
    >>> read_date("2024-05-03T18:30:00Z", "a.csv, line 2"), read_date("25/12/2024", "a.csv, line 3")
    ('2024-05-03T18:30:00+00:00', '2024-12-25')
    """
    if value is None or value != value:  # not a time, as pandas writes it
        return ""
    if isinstance(value, date):
        return _checked(value.isoformat(), where)
    text = _latin_digits(str(value).strip())
    return _checked(_iso(text, where, day_first), where) if text else ""


def _latin_digits(text: str) -> str:
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)


def _must_be_first(one: int, two: int) -> bool | None:
    """Whether the first of two different numbers must be the day; None if either can be the month."""
    if one <= 12 and two <= 12:
        return None
    return one > 12


def _iso(text: str, where: str, day_first: bool | None) -> str:
    """The ISO form of a date that is written in one of the accepted ways."""
    if _COARSE.fullmatch(text):
        return text
    if _MAIL.fullmatch(text):
        try:
            return parsedate_to_datetime(text.replace("UTC", "GMT")).isoformat()
        except ValueError:
            raise _not_a_date(text, where) from None
    if found := _YEAR_LAST.match(text):
        one, two, year = map(int, found.groups())
        order = day_first if day_first is not None or one == two else _must_be_first(one, two)
        if order is None and one != two:
            raise AmbiguousDateError(
                f"{where}: the date '{text}' is ambiguous: {year}-{two:02}-{one:02} (day first) or "
                f"{year}-{one:02}-{two:02} (month first).",
                "Say it for the whole column: in task.yaml, day_first: true or false in source; for bench new task, "
                "--day-first or --month-first. Or write the year first.",
            )
        day, month = (two, one) if order is False else (one, two)
        if month > 12 and day_first is not None:
            raise DataError(
                f"{where}: '{text}' is not a date with the {'day' if day_first else 'month'} first.",
                f"Correct it, or {DAY_FIRST} in source of task.yaml. One column has its dates in one order.",
            )
        text = f"{year}-{month:02}-{day:02}{text[found.end() :]}"
    elif found := _YEAR_FIRST.match(text):
        year, month, day = map(int, found.groups())
        text = f"{year}-{month:02}-{day:02}{text[found.end() :]}"
    text = _UTC_NAME.sub("Z", text)
    if not _ISO.fullmatch(text):
        raise _not_a_date(text, where)
    return text


def _checked(text: str, where: str) -> str:
    """The normal form of an ISO date, if it is in the calendar."""
    try:
        if _COARSE.fullmatch(text):
            year = span_of(text)[0].year
        else:
            moment = datetime.fromisoformat(text)
            year = moment.year
            text = moment.isoformat() if len(text) > len("2024-05-03") else moment.date().isoformat()
        span_of(text)
    except (ValueError, OverflowError):
        raise _not_a_date(text, where) from None
    if year < EARLIEST:
        raise DataError(
            f"{where}: the date '{text}' is in the year {year}.",
            f"Is it of the Hijri calendar? Convert it to the Gregorian one. Years before {EARLIEST} are refused.",
        )
    return text


class AmbiguousDateError(DataError):
    """A date has two readings."""


def _not_a_date(text: str, where: str) -> DataError:
    return DataError(f"{where}: '{text}' is not a date.", _WRITE)


def span_of(text: str) -> tuple[datetime, datetime]:
    """The first and the last instant that an ISO date can mean.

    Midnight is the whole day: spreadsheets write days so.

    Examples
    --------
    >>> [str(moment) for moment in span_of("2024-02")]
    ['2024-02-01 00:00:00', '2024-02-29 23:59:59.999999']
    """
    if found := _COARSE.fullmatch(text):
        year, month = int(found[1]), int(found[2] or 0)
        first = datetime(year, month or 1, 1)
        end = datetime(year, month or 12, calendar.monthrange(year, month or 12)[1])
        return first, datetime.combine(end, time.max)
    moment = datetime.fromisoformat(text)
    whole_day = moment.time() == time.min
    return moment, moment + timedelta(days=1, microseconds=-1) if whole_day else moment


def read_times(dates: Sequence[str], ids: Sequence[str], origin: str) -> Times:
    """Read the ISO dates of examples as instants.

    Parameters
    ----------
    dates, ids : sequence of str
        The examples' dates and ids.
    origin : str
        The task's file, for errors.

    Raises
    ------
    bench.errors.DataError
        If a date is missing, or some have a time zone and others have none.
    """
    missing = [name for name, text in zip(ids, dates, strict=True) if not text]
    if missing:
        raise DataError(
            f"{origin}: {len(missing):,} of {len(ids):,} examples have no date: {listed(missing)}.",
            "validation=forward needs a date for each. Add them, or remove these rows.",
        )
    spans = [span_of(text) for text in dates]
    zoned = np.array([first.tzinfo is not None for first, _ in spans], dtype=bool)
    if zoned.any() and not zoned.all():
        with_zone, without = (next(i for i, is_so in enumerate(zoned) if is_so is np.bool_(which)) for which in (1, 0))
        raise DataError(
            f"{origin}: the date of {ids[with_zone]} has a time zone ({dates[with_zone]}), that of {ids[without]} has "
            f"none ({dates[without]}), so they cannot be put in order.",
            "Write a time zone in each, such as 2024-05-03T18:30+03:00, or in none.",
        )
    first, last = (
        np.array([_instant(span[side]) for span in spans], dtype="datetime64[us]").reshape(len(spans))
        for side in (0, 1)
    )
    return Times(first, last)


def day_of(moment: np.datetime64) -> str:
    """The day of an instant, as ISO 8601 writes it."""
    return str(moment.astype("datetime64[D]"))


def days_after(earlier: Times, later: Times) -> NDArray[np.float64]:
    """The days from the last of earlier dates to the middle of each later one, of shape (n_later,).

    Examples
    --------
    >>> day = np.array(["2024-01-01", "2024-01-03"], dtype="datetime64[us]")
    >>> whole = Times(day, day + np.timedelta64(24 * 60 * 60 * 10**6 - 1, "us"))
    >>> days_after(whole[np.array([0])], whole[np.array([1])]).tolist()
    [1.5]
    """
    middle = later.first + (later.last - later.first) / 2
    return np.round((middle - earlier.last.max()) / np.timedelta64(1, "D"), 4)


def _instant(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
