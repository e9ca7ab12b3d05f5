"""Dates are read strictly: one reading or none, and time zones are compared as instants."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.data.dates import read_date, read_times, span_of
from bench.errors import DataError

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime.datetime(1900, 1, 2), datetime.datetime(2100, 1, 1), timezones=ZONES)

READ = {
    "2024-05-03": "2024-05-03",
    "٢٠٢٤-٠٥-٠٣": "2024-05-03",
    "2024/5/3": "2024-05-03",
    "2024-05-03 18:30": "2024-05-03T18:30:00",
    "2024-05-03T18:30:00Z": "2024-05-03T18:30:00+00:00",
    "2024-05-03 18:30:00 UTC": "2024-05-03T18:30:00+00:00",
    "2024-05-03T18:30:00+0300": "2024-05-03T18:30:00+03:00",
    "Fri, 03 May 2024 18:30:00 +0300": "2024-05-03T18:30:00+03:00",
    "25/12/2024": "2024-12-25",
    "12-25-2024 08:00": "2024-12-25T08:00:00",
    "5.5.2024": "2024-05-05",
    "2024-05": "2024-05",
    2024: "2024",
    datetime.date(2024, 5, 3): "2024-05-03",
    pd.Timestamp("2024-05-03T18:30", tz="Asia/Riyadh"): "2024-05-03T18:30:00+03:00",
    None: "",
    " ": "",
    pd.NaT: "",
}


@pytest.mark.parametrize(("cell", "iso"), READ.items(), ids=map(str, READ))
def test_a_date_that_has_one_reading_is_kept_as_iso_writes_it(cell: Any, iso: str) -> None:
    assert read_date(cell, "a.csv, line 2") == iso
    assert read_date(iso, "again") == iso


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("03/05/2024", "a.csv, line 2: the date '03/05/2024' is ambiguous: 2024-05-03 (day first) or 2024-03-05"),
        ("٠٣/٠٥/٢٠٢٤", "is ambiguous"),
        ("2024-02-30", "'2024-02-30' is not a date"),
        ("2024-13-01", "is not a date"),
        ("13/13/2024", "is not a date"),
        ("2024-13", "is not a date"),
        ("0000", "is not a date"),
        ("03/05/24", "is not a date"),
        ("yesterday", "is not a date"),
        ("1714730400", "is not a date"),
        ("20240503", "is not a date"),
        ("2024-05-03T25:00", "is not a date"),
        ("2024-05-03 06:30 PM", "is not a date"),
        ("Fri, 33 May 2024 18:30:00 +0300", "is not a date"),
        ("1445-10-24", "year 1445"),
        (12.5, "is not a date"),
        (True, "is not a date"),
    ],
)
def test_a_date_that_has_no_reading_or_two_is_refused_with_its_row(cell: Any, message: str) -> None:
    with pytest.raises(DataError, match=message.replace("(", r"\(").replace(")", r"\)")) as error:
        read_date(cell, "a.csv, line 2")
    assert error.value.message.startswith("a.csv, line 2: ")
    assert error.value.hint


@given(MOMENTS, MOMENTS)
def test_dates_of_several_time_zones_are_compared_as_instants(one: datetime.datetime, other: datetime.datetime) -> None:
    texts = [read_date(moment.isoformat(), "") for moment in (one, other)]
    times = read_times(texts, ["1", "2"], "task.yaml")
    first, last = (span_of(text) for text in texts)
    assert (times.last[0] < times.first[1]) == (first[1] < last[0])
    if one.time() != datetime.time.min and other.time() != datetime.time.min:
        assert (times.first[0] < times.first[1]) == (one < other)


def test_a_date_without_a_time_is_the_whole_day() -> None:
    times = read_times(["2024-05-03", "2024-05-03T00:00:00", "2024-05-03T23:00:00"], ["1", "2", "3"], "task.yaml")
    assert times.first[0] == times.first[1] == np.datetime64("2024-05-03")
    assert times.last[0] == times.last[1] > times.last[2]


def test_missing_dates_are_named() -> None:
    with pytest.raises(DataError, match=r"task.yaml: 2 of 3 examples have no date: b, c\."):
        read_times(["2024-05-03", "", ""], ["a", "b", "c"], "task.yaml")


def test_dates_with_and_without_time_zones_cannot_be_put_in_order() -> None:
    with pytest.raises(DataError, match=r"the date of b has a time zone \(2024-05-03T10:00:00\+03:00\), that of a"):
        read_times(["2024-05-03", "2024-05-03T10:00:00+03:00"], ["a", "b"], "task.yaml")
