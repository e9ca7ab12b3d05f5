"""Dates with the year last are read by what their whole column shows, or by what the user says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bench
from bench.catalogue import load_task
from bench.data.dates import DayOrder, read_date
from bench.data.definition import read_definition
from bench.errors import DataError, UserError
from bench.scaffold import Given, TaskRequest, scaffold_task

DAYS = st.dates(pd.Timestamp("1900-01-01").date(), pd.Timestamp("2100-01-01").date())


def table(dates: list[str], name: str = "news.csv", column: str = "published") -> None:
    labels = ["denial", "none"]
    pd.DataFrame(
        {
            "text": [f"{'نفى' if k % 2 == 0 else 'أكد'} المتحدث {k} الخبر رقم {k}" for k in range(len(dates))],
            "label": [labels[k % 2] for k in range(len(dates))],
            column: dates,
        }
    ).to_csv(name, index=False)


def made(dates: list[str], **options: Any) -> list[str]:
    """The dates of a new task of a table with such dates; empty without dates."""
    table(dates)
    remarks.clear()
    found = scaffold_task(TaskRequest("dated", "news.csv", Given(**options), force=True), Path.cwd())
    remarks.extend(found.remarks)
    examples = load_task("dated").examples
    return examples["date"].tolist() if "date" in examples else []


remarks: list[str] = []


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@given(days=st.lists(DAYS, min_size=1), day_first=st.booleans(), sign=st.sampled_from("/-."))
def test_an_order_is_inferred_only_if_the_column_shows_it_and_is_never_wrong(
    days: list[Any], day_first: bool, sign: str
) -> None:
    written = [day.strftime("%d{0}%m{0}%Y" if day_first else "%m{0}%d{0}%Y").format(sign) for day in days]
    order = DayOrder()
    for line, text in enumerate(written):
        order.add(text, str(line))
    assert order.day_first in (day_first, None)
    assert (order.day_first is None) == all(day.day <= 12 for day in days)
    assert [read_date(text, "", day_first) for text in written] == [day.isoformat() for day in days]


def test_a_new_task_reads_the_column_in_the_order_that_one_date_shows_and_says_which() -> None:
    assert made(["03/05/2024", "٠٤/٠٥/٢٠٢٤", "25/12/2024", "01/02/2025 08:30"]) == [
        "2024-05-03",
        "2024-05-04",
        "2024-12-25",
        "2025-02-01T08:30:00",
    ]
    assert read_definition(Path("tasks/dated/task.yaml"))["source"]["day_first"] is True
    assert "The dates in 'published' are read with the day first, as news.csv, line 4 shows." in remarks
    assert made(["03/05/2024", "12/25/2024"]) == ["2024-03-05", "2024-12-25"]
    assert read_definition(Path("tasks/dated/task.yaml"))["source"]["day_first"] is False


def test_without_such_a_date_the_user_says_it() -> None:
    dates = ["03/05/2024", "04/05/2024"]
    assert made(dates) == []
    assert any(
        "news.csv, line 2 can be read with the day or the month first: set --day-first" in each for each in remarks
    )
    assert made(dates, day_first=True) == ["2024-05-03", "2024-05-04"]
    assert made(dates, day_first=False) == ["2024-03-05", "2024-04-05"]
    with pytest.raises(DataError, match="is ambiguous") as told:
        made(dates, date="published")
    assert "--day-first or --month-first" in str(told.value.hint)
    frame = pd.read_csv("news.csv")
    task = bench.new_task(frame, day_first=True)
    assert task.examples["date"].tolist() == ["2024-05-03", "2024-05-04"]


def test_a_column_in_two_orders_is_not_guessed() -> None:
    assert made(["03/05/2024", "25/12/2024", "12/25/2024"]) == []
    assert any("line 3 has the day first, news.csv, line 4 the month" in each for each in remarks)
    assert made(["25/12/2024", "12/25/2024"]) == ["2024-12-25", "2024-12-25"], "each has one reading"


def test_dates_that_need_no_order_set_none() -> None:
    assert made(["25/12/2024", "2024-05-03"]) == ["2024-12-25", "2024-05-03"]
    assert "day_first" not in read_definition(Path("tasks/dated/task.yaml"))["source"]
    assert remarks == [each for each in remarks if "read with" not in each]


def test_a_later_row_in_another_order_is_an_error_with_its_line() -> None:
    made(["03/05/2024", "25/12/2024"])
    table(["03/05/2024", "12/25/2024"])
    with pytest.raises(
        UserError, match=r"news\.csv, line 3, column 'published': '12/25/2024' is not a date with the day"
    ):
        load_task("dated")


def test_the_command_that_is_suggested_keeps_the_option() -> None:
    request = TaskRequest("mine", "a.csv", Given(date="day", day_first=False))
    assert request.command() == "bench new task mine --data a.csv --date day --month-first"
