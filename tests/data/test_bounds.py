"""What small files stand for is bounded: packed tables are refused before memory fills, and honest large ones load."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import hostile_server
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packed import (
    workbook,
    write_fixed,
    write_many_rows,
    write_mixed,
    write_nested,
    write_plain,
    write_prefixes,
    write_repeated,
)

from bench.data.published import PublishedFiles
from bench.data.sources import bounds, sheet
from bench.data.sources.formats import Form
from bench.data.sources.parquet_pages import DICTIONARY, chunks, pages
from bench.errors import DataError

TOO_LARGE = r"its [\d,]+ bytes unpack to more than [\d,]+ (bytes|cells)"


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [dict(row) for _, row in Form(path.suffix[1:]).rows(path)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "write", [write_repeated, write_nested, write_mixed, write_fixed, write_prefixes, write_plain, write_many_rows]
)
def test_a_small_parquet_file_that_stands_for_a_large_table_is_refused(
    write: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / "a.parquet"
    write(path)
    assert path.stat().st_size < 2**20
    with pytest.raises(DataError, match=rf"a\.parquet: {TOO_LARGE}") as raised:
        next(Form("parquet").rows(path))
    assert "pandas.read_parquet" in str(raised.value)


@pytest.mark.slow
def test_what_the_message_says_makes_the_file_readable(tmp_path: Path) -> None:
    import pandas

    texts = ["ن" * 300_000] * 500
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", dictionary_pagesize_limit=2**30)
    with pytest.raises(DataError, match=TOO_LARGE):
        rows_of(tmp_path / "a.parquet")
    pandas.read_parquet(tmp_path / "a.parquet").to_parquet(
        tmp_path / "plain.parquet", compression=None, use_dictionary=False
    )
    assert [row["text"] for row in rows_of(tmp_path / "plain.parquet")] == texts


@pytest.mark.parametrize("distinct", [1, 10, 100_000])
def test_a_large_table_is_read_whole(distinct: int, tmp_path: Path) -> None:
    draw = random.Random(distinct)
    known = [f"نص الخبر رقم {draw.random()}" for _ in range(distinct)]
    texts = [known[number % distinct] for number in range(100_000)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet", dictionary_pagesize_limit=2**16)
    assert [row["text"] for row in rows_of(tmp_path / "a.parquet")] == texts


@given(
    texts=st.lists(st.one_of(st.none(), st.text(max_size=30)), min_size=1, max_size=60),
    numbers=st.lists(st.one_of(st.none(), st.integers(-9, 9)), min_size=1, max_size=60),
    version=st.sampled_from(["1.0", "2.0"]),
    dictionary=st.booleans(),
    group=st.integers(1, 70),
)
@settings(max_examples=40, deadline=None)
def test_cells_are_the_same_however_they_are_encoded(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str | None],
    numbers: list[int | None],
    version: str,
    dictionary: bool,
    group: int,
) -> None:
    size = min(len(texts), len(numbers))
    nested = [[text, text] for text in texts[:size]]
    table = pa.table(
        {
            "t": pa.array(texts[:size], pa.string()),
            "n": pa.array(numbers[:size], pa.int64()),
            "l": pa.array(nested, pa.list_(pa.string())),
        }
    )
    path = tmp_path_factory.mktemp("same") / "a.parquet"
    pq.write_table(
        table, path, use_dictionary=dictionary, row_group_size=group, data_page_version=version, data_page_size=64
    )
    expected = [
        {"t": row["t"], "n": None if row["n"] is None else str(row["n"]), "l": row["l"]} for row in table.to_pylist()
    ]
    assert rows_of(path) == expected
    metadata = pq.read_metadata(path)
    with path.open("rb") as file:
        own = iter(chunks(file))
        for group_number in range(metadata.num_row_groups):
            for column in range(3):
                told, chunk = metadata.row_group(group_number).column(column), next(own)
                assert (chunk.path, chunk.n_values) == (told.path_in_schema, told.num_values)
                assert chunk.size == told.total_uncompressed_size
                found = list(pages(file, chunk))
                assert sum(page.n_values for page in found if page.kind != DICTIONARY) == chunk.n_values
                assert any(page.kind == DICTIONARY for page in found) == told.has_dictionary_page


def test_a_damaged_parquet_file_is_refused_wherever_it_is_damaged(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["نفى", "أكد"] * 50, "label": ["a", "b"] * 50}), tmp_path / "whole.parquet")
    whole = (tmp_path / "whole.parquet").read_bytes()
    draw = random.Random(0)
    for number in range(300):
        damaged = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        path = tmp_path / f"{number}.parquet"
        path.write_bytes(damaged)
        with suppress(DataError):
            rows_of(path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_columns_cost_time_in_proportion_to_their_number(kind: str, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(10_000)]
    if kind == "parquet":
        pq.write_table(pa.table({name: ["x"] for name in names}), tmp_path / "a.parquet")
    else:
        (tmp_path / "a.csv").write_text(f"{','.join(names)}\n{','.join('x' * len(names))}\n")
    begin = time.process_time()
    assert len(rows_of(tmp_path / f"a.{kind}")[0]) == 10_000
    assert time.process_time() - begin < 8


def test_a_column_that_stands_twice_is_found_among_many(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(20_000)]
    (tmp_path / "a.csv").write_text(f"{','.join(names)},c19999\n{','.join('x' * 20_001)}\n")
    begin = time.process_time()
    with pytest.raises(DataError, match="'c19999' is repeated"):
        rows_of(tmp_path / "a.csv")
    (tmp_path / "a.jsonl").write_text("{" + ",".join(f'"{name}":1' for name in [*names, "c19999"]) + "}")
    with pytest.raises(DataError, match="'c19999' is repeated"):
        rows_of(tmp_path / "a.jsonl")
    assert time.process_time() - begin < 2


def test_a_workbook_that_grows_without_end_is_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", bomb=b" " * (sheet.FREE + 1))
    with pytest.raises(DataError, match=TOO_LARGE):
        rows_of(tmp_path / "a.xlsx")


def test_what_a_sheet_says_of_its_size_neither_adds_cells_nor_cuts_rows_off(tmp_path: Path) -> None:
    for said in ("A1:XFD1048576", "A1:A1", "A1:B2"):
        workbook(tmp_path / "a.xlsx", lambda xml, said=said: xml.replace("A1:B3", said))  # type: ignore[misc]
        begin = time.process_time()
        assert rows_of(tmp_path / "a.xlsx") == [{"text": "نفى", "label": "a"}, {"text": "أكد", "label": "b"}]
        assert time.process_time() - begin < 2


@pytest.mark.slow
@pytest.mark.parametrize("row", [2_000_000_000, 10**30])
def test_rows_that_a_sheet_leaves_out_are_bounded(row: int, tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", lambda xml: xml.replace('<row r="3"', f'<row r="{row}"').replace('"A3"', f'"A{row}"'))
    with pytest.raises(DataError, match=r"a\.xlsx: "):
        rows_of(tmp_path / "a.xlsx")


@pytest.mark.parametrize(("old", "new"), [("</row>", ""), ('r="A2"', 'r="ZZZZZ2"')])
def test_a_damaged_sheet_is_refused(old: str, new: str, tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", lambda xml: xml.replace(old, new))
    with pytest.raises(DataError, match=r"a\.xlsx: not a readable \.xlsx workbook"):
        rows_of(tmp_path / "a.xlsx")


def test_packed_text_is_never_as_small_as_the_bound(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 2**20)
    assert bounds.most_of(path) == bounds.MOST_TIMES * 2**20


@pytest.mark.parametrize("kind", ["json", "jsonl"])
def test_json_that_is_nothing_but_brackets_is_refused_before_it_fills_memory(kind: str, tmp_path: Path) -> None:
    content = '{"text": [' + "[]," * 2**20 + '[]], "label": "a"}'
    (tmp_path / f"a.{kind}").write_text(f"[{content}]" if kind == "json" else content)
    with pytest.raises(DataError, match=r"1,048,5\d\d brackets in 3,145,\d+ characters\. This is not a table"):
        rows_of(tmp_path / f"a.{kind}")


def test_a_download_without_an_end_is_given_up_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("BENCH_LARGEST_DOWNLOAD", "4MiB")
    with hostile_server.serving(hostile_server.endless_body) as url:
        files = PublishedFiles(f"{url}/", {"a.csv": None}, "source.download")
        with pytest.raises(DataError, match=r"a\.csv: it has more than 4,194,304 bytes"):
            files.bring("a.csv", None)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size]
