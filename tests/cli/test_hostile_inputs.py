"""Fifty hostile inputs, each given to the real command: it says what is wrong, in time and in little memory.

What is measured: the largest sum of the resident memory of the command and all its processes, asked of the system every
20 ms, less that of the same command with an honest input; and the seconds from start to end. Importing the libraries
alone takes several hundred MiB, so only the difference tells what an input does. Pages that processes share count once
for each, so the sum is rather too high.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import hostile_server
import packed
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from thoroughness import scaled

MOST_SECONDS = 60.0
MOST_BYTES = 2**30
ROOT = Path(__file__).parents[2]
ROWS = [f"قال الوزير إن الخبر رقم {number} صحيح,{'ab'[number % 2]}" for number in range(24)]
TABLE = "text,label\n" + "\n".join(ROWS) + "\n"
TASK = """name: mine
version: 1
description: A table.
inputs: [text]
labels: [a, b]
metric: macro_f1
source: {kind: table, path: a.csv, columns: {text: text, label: label}}
"""
NINE = (f"{now}: &{now} [{', '.join([f'*{last}'] * 9)}]\n" for last, now in pairwise("abcdefghij"))
BOMB = "a: &a [x]\n" + "".join(NINE)
DEEP = {"flow": "x: " + "[" * 100_000, "block": "x:\n" + "- " * 100_000, "keys": "{a: " * 50_000}
AT_SIGNS = [{"@" * 200_000: 1, "text": row, "label": "ab"[number % 2]} for number, row in enumerate(ROWS)]


Write = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A hostile input: what writes it into a folder, the command, and the exit statuses that are right."""

    write: Write
    words: tuple[str, ...]
    statuses: tuple[int, ...] = (2,)


def text(name: str, content: str | bytes | Callable[[], str | bytes]) -> Write:
    """A file; large content is made only where the file is written."""

    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        made = content() if callable(content) else content
        path.write_bytes(made if isinstance(made, bytes) else made.encode())

    return write


def task(folder: Path, definition: str = TASK) -> None:
    text("tasks/mine/task.yaml", definition)(folder)
    text("tasks/mine/a.csv", TABLE)(folder)


def beside_a_task(name: str, content: str) -> Write:
    def write(folder: Path) -> None:
        task(folder)
        text(name, content)(folder)

    return write


def zipped(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.csv", content)
    return buffer.getvalue()


def packed_rows(compress: Callable[[bytes], bytes], size: int) -> bytes:
    """A table of so many bytes, whose packed parts follow each other, so that only one of them is packed here."""
    return compress(TABLE.encode()) + compress(b"x,a\n" * 2**18) * (size // 2**20)


def wide(last: str) -> str:
    names = ["text", "label", *(f"c{number}" for number in range(20_000)), last]
    return "\n".join([",".join(names), *(f"{row}{',0' * 20_001}" for row in ROWS)])


def parquet(**settings: object) -> Write:
    def write(folder: Path) -> None:
        names = {f"c{number}": ["x"] * len(ROWS) for number in range(10_000)}
        rows = [row.split(",") for row in ROWS]
        columns = {"text": [row[0] for row in rows], "label": [row[1] for row in rows], **names}
        pq.write_table(pa.table(columns), folder / "a.parquet", **settings)

    return write


def damaged_parquet(seed: int) -> Write:
    def write(folder: Path) -> None:
        table = pa.table({"text": [row.split(",")[0] for row in ROWS], "label": [row.split(",")[1] for row in ROWS]})
        pq.write_table(table, folder / "a.parquet")
        content, draw = bytearray((folder / "a.parquet").read_bytes()), random.Random(seed)
        for _ in range(40):
            content[draw.randrange(4, len(content) - 8)] = draw.randrange(256)
        (folder / "a.parquet").write_bytes(content)

    return write


def hostile_parquet(write: Write) -> Case:
    return Case(lambda folder: write(folder / "a.parquet"), new("a.parquet"))


def workbook(change: Callable[[str], str] = str, **parts: bytes) -> Write:
    return lambda folder: packed.workbook(folder / "a.xlsx", change, **parts)


def new(name: str) -> tuple[str, ...]:
    return ("new", "task", "fresh", "--data", name)


SHOW, CHECK = ("show", "config"), ("check", "task=mine")

CASES: dict[str, Case] = {
    **{
        f"yaml: {words} in {name}": Case(beside_a_task(name, content), asked)
        for name, asked in {
            "configs/config.yaml": SHOW,
            "configs/search/own.yaml": (*SHOW, "search=own"),
            "configs/model/own.yaml": ("show", "model=own"),
        }.items()
        for words, content in {
            "a bomb of aliases": BOMB + "defaults: [search: quick, *j]\n",
            "brackets": DEEP["flow"],
        }.items()
    },
    **{
        f"yaml: {words} in a task": Case(lambda folder, content=content: task(folder, content), CHECK)  # type: ignore[misc]
        for words, content in {
            "a bomb of aliases": BOMB + TASK,
            "brackets": TASK + DEEP["flow"],
            "blocks": TASK + DEEP["block"],
            "mappings": DEEP["keys"],
            "three MiB": TASK + "# " + "x" * 3 * 2**20,
            "a tag of Python": TASK.replace("A table.", "!!python/object/apply:os.system ['touch outside']"),
        }.items()
    },
    "parquet: one text, many rows": hostile_parquet(packed.write_repeated),
    "parquet: one text, long lists": hostile_parquet(packed.write_nested),
    "parquet: a dictionary, then plain texts": hostile_parquet(packed.write_mixed),
    "parquet: prefixes": hostile_parquet(packed.write_prefixes),
    "parquet: well compressed": hostile_parquet(packed.write_plain),
    "parquet: nothing but rows": hostile_parquet(packed.write_many_rows),
    "parquet: ten thousand columns": Case(parquet(), new("a.parquet"), (0,)),
    "parquet: cut off": Case(text("a.parquet", b"PAR1" + b"x" * 1000), new("a.parquet")),
    **{f"parquet: damaged, {seed}": Case(damaged_parquet(seed), new("a.parquet"), (0, 2)) for seed in range(3)},
    "csv: a gzip bomb": Case(text("a.csv.gz", lambda: packed_rows(gzip.compress, 2**28)), new("a.csv.gz")),
    "csv: a bzip2 bomb": Case(text("a.csv.bz2", lambda: packed_rows(bz2.compress, 2**27)), new("a.csv.bz2")),
    "csv: an xz bomb": Case(text("a.csv.xz", lambda: packed_rows(lzma.compress, 2**28)), new("a.csv.xz")),
    "csv: a zip bomb": Case(text("a.zip", lambda: zipped(a=TABLE.encode() + b"x,a\n" * 2**25)), new("a.zip")),
    "csv: twenty thousand columns": Case(text("a.csv", lambda: wide("last")), new("a.csv"), (0,)),
    "csv: one of them twice": Case(text("a.csv", lambda: wide("c19999")), new("a.csv")),
    "csv: a cell of 30 MiB": Case(text("a.csv", lambda: TABLE + '"' + "ن" * 15 * 2**20), new("a.csv")),
    "tsv: NUL": Case(text("a.tsv", TABLE.replace(",", "\t") + "\0" * 10_000), new("a.tsv")),
    "tsv: one line of tabs": Case(text("a.tsv", "\t" * 2**20), new("a.tsv")),
    "xlsx: a bomb": Case(lambda folder: workbook(bomb=b" " * 2**28)(folder), new("a.xlsx")),
    "xlsx: a size of all cells": Case(
        workbook(lambda xml: xml.replace("A1:B3", "A1:XFD1048576")), new("a.xlsx"), (0, 2)
    ),
    "xlsx: a far row": Case(workbook(lambda xml: xml.replace('<row r="3"', '<row r="2000000000"')), new("a.xlsx")),
    "json: arrays within arrays": Case(text("a.json", lambda: "[" * 2**20), new("a.json")),
    "json: nothing but brackets": Case(text("a.json", lambda: '[{"text": [' + "[]," * 2**23 + "[]]}]"), new("a.json")),
    "json: nothing but brackets, packed": Case(
        text("a.jsonl.gz", lambda: gzip.compress(b'{"text": [' + b"[]," * 2**24 + b"[]]}")), new("a.jsonl.gz")
    ),
    "json: a number of a million digits": Case(text("a.json", '[{"text": ' + "1" * 10**6 + "}]"), new("a.json")),
    "jsonl: a key twice among many": Case(
        text("a.jsonl", "{" + "".join(f'"k{number}": 1, ' for number in range(50_000)) + '"k49999": 2}'), new("a.jsonl")
    ),
    "jsonl: objects within objects": Case(text("a.jsonl", '{"text": ' * 10_000), new("a.jsonl")),
    "jsonl: a long name of at-signs": Case(
        text(
            "a.jsonl",
            "\n".join(map(json.dumps, AT_SIGNS)),
        ),
        new("a.jsonl"),
        (0, 2),
    ),
}

ENDPOINTS: dict[str, Callable[[], Iterator[bytes]]] = {
    "endpoint: an endless body": hostile_server.endless_body,
    "endpoint: endless chunks": hostile_server.endless_chunks,
    "endpoint: an endless header": hostile_server.endless_header,
    "endpoint: an endless line": hostile_server.endless_line,
    "endpoint: a slow header": hostile_server.slow_header,
    "endpoint: a slow body": hostile_server.slow_body,
    "endpoint: silence": hostile_server.silence,
    "endpoint: a gzip bomb": hostile_server.compressed(),
    "endpoint: a gzip bomb in another": hostile_server.compressed(times=2),
    "endpoint: escapes of a terminal": lambda: iter([b"HTTP/1.1 400 \x1b[2J\r\n\r\n\x1b[2J\x07\xe2\x80\xae"]),
}

assert len(CASES) + len(ENDPOINTS) >= 50


@dataclass(frozen=True)
class Ended:
    """How a command ended: its status, what it printed, its seconds, and the most memory of all its processes."""

    status: int
    printed: str
    seconds: float
    memory: int


def run(folder: Path, words: tuple[str, ...]) -> Ended:
    """Run the command in a folder, with a home, a cache and a place for temporary files of its own."""
    places = {name: folder.parent / name for name in ("home", "cache", "temporary")}
    for place in places.values():
        place.mkdir(exist_ok=True)
    others = ("OPENAI", "BENCH", "MLFLOW")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    environment |= {"HOME": str(places["home"]), "TMPDIR": str(places["temporary"])}
    environment["BENCH_CACHE"] = str(places["cache"])
    environment["PYTHONPATH"] = str(ROOT)
    begin, memory = time.monotonic(), 0
    with (folder.parent / "printed").open("w+b") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
        while process.poll() is None:
            memory = max(memory, sum(map(resident, family(process.pid))))
            if time.monotonic() - begin > MOST_SECONDS + 20:
                for each in family(process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(each, 9)
            time.sleep(0.02)
        seconds = time.monotonic() - begin
        printed.seek(0)
        told = printed.read().decode(errors="backslashreplace")
    return Ended(process.returncode, told, seconds, memory)


def family(root: int) -> list[int]:
    """A process and all that come from it."""
    found = [root]
    for process in found:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def resident(process: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def content(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def left_behind(folder: Path) -> list[str]:
    """Files beside a command's folder that it should have taken away."""
    places = [folder.parent / "temporary", *(folder.parent / "cache" / name for name in ("unpacked", "tables"))]
    return [str(path) for place in places if place.is_dir() for path in place.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Callable[[tuple[str, ...]], int]:
    """The memory that a command takes with an honest input."""
    known: dict[str, int] = {}

    def measured(words: tuple[str, ...]) -> int:
        if words[0] not in known:
            folder = tmp_path_factory.mktemp("honest") / "work"
            folder.mkdir()
            task(folder)
            text("a.csv", TABLE)(folder)
            honest = {"new": new("a.csv"), "show": SHOW, "check": CHECK}.get(words[0])
            if honest is not None:
                known[words[0]] = run(folder, honest).memory
            else:
                with hostile_server.serving(lambda: iter([hostile_server.completion_of("a")])) as url:
                    known[words[0]] = run(folder, asking(url)).memory
        return known[words[0]]

    return measured


def asking(url: str) -> tuple[str, ...]:
    params = {"model": "some", "base_url": url, "timeout": 1, "deadline": 3, "retries": 1}
    given = [f"model.params.{name}={value}" for name, value in params.items()]
    return ("run", "task=mine", "model=llm", "search=none", "tracking=false", "execution.workers=1", *given)


def check(ended: Ended, statuses: tuple[int, ...], usual_memory: int) -> None:
    assert ended.status in statuses, ended.printed
    assert "Traceback" not in ended.printed
    assert not set("\x1b\x07\u202e") & set(ended.printed)
    assert ended.seconds < MOST_SECONDS
    assert ended.memory - usual_memory < MOST_BYTES
    assert ended.status == 0 or ended.printed.strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(CASES)[:: scaled(2, 1)])
def test_a_hostile_input_is_refused_in_time_and_little_memory(
    name: str, tmp_path: Path, usual: Callable[[tuple[str, ...]], int]
) -> None:
    case, folder = CASES[name], tmp_path / "work"
    folder.mkdir()
    case.write(folder)
    before = content(folder)
    ended = run(folder, case.words)
    check(ended, case.statuses, usual(case.words))
    assert not left_behind(folder)
    assert {path.name for path in tmp_path.iterdir()} == {"work", "home", "cache", "temporary", "printed"}
    after = content(folder)
    assert before.items() <= after.items()
    if ended.status:
        assert after == before


@pytest.mark.slow
@pytest.mark.parametrize("name", list(ENDPOINTS)[:: scaled(2, 1)])
def test_a_hostile_endpoint_fails_the_run_in_time_and_little_memory(
    name: str, tmp_path: Path, usual: Callable[[tuple[str, ...]], int]
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    task(folder)
    with hostile_server.serving(ENDPOINTS[name]) as url:
        words = asking(url)
        ended = run(folder, words)
    check(ended, (1,), usual(words))
    assert "failed: " in ended.printed
    assert not left_behind(folder)
