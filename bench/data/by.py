"""Parts of examples or of an archive, by a column's values or by the period of its dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.data.dates import AmbiguousDateError, read_date
from bench.data.sources.further import written
from bench.errors import ConfigError, DataError, nearest

PERIODS = {"year": 4, "month": 7, "day": 10}
"""How many characters of an ISO date name each period."""

MOST = 400
"""The most parts there may be: a column of ids is not one to count by."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")


def are_dates(values: Iterable[str]) -> bool:
    """Whether all values are dates with a month, as ``COLUMN:month`` needs them.

    Examples
    --------
    >>> are_dates(["2024-05-03", "03/05/2024"]), are_dates(["2024", "a17"])
    (True, False)
    """
    for value in values:
        try:
            if len(read_date(value, "")) < PERIODS["month"]:
                return False
        except AmbiguousDateError:
            continue
        except DataError:
            return False
    return True


@dataclass(frozen=True)
class By:
    """The column that divides texts.

    Parameters
    ----------
    column : str
        Its name.
    period : str or None
        One of `PERIODS` for a column of dates.
    day_first : bool or None
        Whether dates such as 03/10/2024 have the day first; None if none has two readings.

    Examples
    --------
    >>> By.parse("published:month", ["text", "published"]).part_of("2024-10-03T09:00:00Z", "line 2")
    '2024-10'
    """

    column: str
    period: str | None = None
    day_first: bool | None = None

    @classmethod
    def parse(cls, text: str, columns: Iterable[str]) -> By:
        """Read ``COLUMN`` or ``COLUMN:month``, of texts with these columns.

        Raises
        ------
        bench.errors.ConfigError
            If there is no such column, or the period is unknown.
        """
        known = list(columns)
        if text in known:
            return cls(text)
        column, _, period = text.rpartition(":")
        if column not in known:
            raise ConfigError(f"--by {text}: there is no column '{column or text}'.", nearest(column or text, known))
        if period not in PERIODS:
            raise ConfigError(f"--by {text}: '{period}' is not a period.", nearest(period, PERIODS))
        return cls(column, period)

    @property
    def title(self) -> str:
        """The column, with its period, as it was given."""
        return self.column if self.period is None else f"{self.column}:{self.period}"

    def value_of(self, row: Mapping[str, object]) -> str:
        """A row's value of the column, as text; empty without one."""
        value = row.get(self.column)
        return value if isinstance(value, str) else written(value)

    def part_of(self, value: str, place: str) -> str:
        """The part that a row with a value of the column belongs to; empty without a value.

        Raises
        ------
        bench.errors.DataError
            If a period is asked for and the value is not a date, or has two readings.
        """
        value = value.strip()
        if self.period is None or not value:
            return value
        if _DATE.match(value) is not None:
            return value[: PERIODS[self.period]]
        as_it_is = f"or count by the column as it is: --by {self.column}"
        where = f"{place}, column '{self.column}'"
        try:
            written = read_date(value, where, self.day_first)
        except AmbiguousDateError as error:
            hint = f"No date of the column shows which. Write dates as year-month-day, {as_it_is}"
            raise AmbiguousDateError(error.message, hint) from None
        except DataError as error:
            raise DataError(error.message, f"Write dates as year-month-day, {as_it_is}") from None
        if len(written) < PERIODS[self.period]:
            raise DataError(f"{where}: '{value}' is in no {self.period}.", f"Write dates as 2024-10-03, {as_it_is}")
        return written[: PERIODS[self.period]]
