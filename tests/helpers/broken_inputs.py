"""Valid inputs of every kind, and what can be broken in each: one thing at a time, told in words.

A `Broken` changes the files of a valid input in a folder and says which place the message must name. Rows that are
broken are drawn by a generator seeded with the words, so that every run breaks the same ones.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

Row = dict[str, Any]

TASK = "tasks/mine/task.yaml"
LINE = ", line N"
"""Stands in a place for the line of a key, which is told where it is known."""
KEY = TASK + LINE + ": "
N_ROWS = 12
LABELS = ("denial", "none")
DELIMITERS = {"csv": ",", "tsv": "\t", "semicolon-csv": ";"}
FILES = {
    "csv": "labels.csv",
    "tsv": "labels.tsv",
    "semicolon-csv": "labels.csv",
    "jsonl": "labels.jsonl",
    "json": "labels.json",
    "parquet": "labels.parquet",
}


@dataclass(frozen=True)
class Broken:
    """One thing that is broken in a valid input.

    Parameters
    ----------
    words : str
        What it is.
    change : callable
        Breaks it in the folder of the input.
    place : str
        What the message must begin with, after the folder: the file and line, row or key.
    """

    words: str
    change: Callable[[Path], object]
    place: str


@dataclass(frozen=True)
class Valid:
    """A valid input.

    Parameters
    ----------
    name : str
        What it is.
    write : callable
        Writes its files into a folder.
    broken : list of Broken
        What can be broken in it.
    data : str
        What ``bench new task mine --data`` is given; empty where the input is a task already.
    """

    name: str
    write: Callable[[Path], object]
    broken: list[Broken] = field(default_factory=list)
    data: str = ""


# Files


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(rows: list[Row]) -> str:
    """Rows as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def set_bytes(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    """Change the bytes of a file."""

    def apply(folder: Path) -> None:
        path = folder / name
        before = path.read_bytes()
        after = change(before)
        assert after != before, "nothing was broken"
        path.write_bytes(after)

    return apply


def substitute(name: str, old: str, new: str) -> Callable[[Path], object]:
    """Put a text in the place of one that stands in a file."""

    def change(content: bytes) -> bytes:
        assert old.encode() in content, f"{name} does not hold {old!r}"
        return content.replace(old.encode(), new.encode(), 1)

    return set_bytes(name, change)


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Put something else in the place of a file."""

    def apply(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return apply


def zipped(content: bytes) -> bytes:
    """An archive with one file whose name leads out of the folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../labels.csv", content)
    return buffer.getvalue()


def gzipped(content: bytes) -> bytes:
    """The bytes of a gzip file."""
    body = zlib.compressobj(wbits=-15)
    trailer = struct.pack("<II", zlib.crc32(content), len(content))
    return b"\x1f\x8b\x08" + bytes(7) + body.compress(content) + body.flush() + trailer


def looped(path: Path) -> None:
    """A link to itself."""
    path.symlink_to(path.name)


def dangling(path: Path) -> None:
    """A link out of the folder, to nothing."""
    path.symlink_to("../../../no/such/file")


NO_FILES: dict[str, Callable[[Path], object]] = {
    "a folder in the place of the file": Path.mkdir,
    "a pipe in the place of the file": os.mkfifo,
    "a link to nothing in the place of the file": dangling,
    "a link to itself in the place of the file": looped,
    "no file": lambda path: None,
}

OTHER_BYTES: dict[str, Callable[[bytes], bytes]] = {
    "an empty file": lambda content: b"",
    "white space alone": lambda content: b" \n\t\r\n",
    "a ZIP archive under another name": zipped,
    "a gzip archive under another name": gzipped,
    "random bytes": lambda content: b"\x93" + random.Random(5).randbytes(500),
}

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-16 with its byte order mark": lambda text: text.encode("utf-16"),
    "UTF-16 without a byte order mark": lambda text: text.encode("utf-16-le"),
    "UTF-32": lambda text: text.encode("utf-32-le"),
}
"""Wrong encodings of a whole file; its first line has them already."""


def always(content: bytes) -> Callable[[bytes], bytes]:
    """Put this content in the place of any other."""
    return lambda _: content


def reencoded(encode: Callable[[str], bytes]) -> Callable[[bytes], bytes]:
    """Encode a text of UTF-8 in another way."""
    return lambda content: encode(content.decode())


def no_file_mutations(name: str) -> Iterator[Broken]:
    """What can stand in the place of a file."""
    for words, make in NO_FILES.items():
        yield Broken(f"{name}, {words}", instead(name, make), name)


def file_mutations(name: str) -> Iterator[Broken]:
    """What can be wrong with any file of text."""
    yield from no_file_mutations(name)
    yield from content_mutations(name)


def content_mutations(name: str) -> Iterator[Broken]:
    """What can be wrong with all the bytes of a file of text."""
    for words, change in OTHER_BYTES.items():
        yield Broken(f"{name}, {words}", set_bytes(name, change), name)
    for words, encode in ENCODINGS.items():
        yield Broken(f"{name}, {words}", set_bytes(name, reencoded(encode)), f"{name}, line 1: ")


def arabic_mutations(name: str, line: int) -> Iterator[Broken]:
    """What can be wrong with the bytes of Arabic letters; `line` is the first that holds any."""
    letters: dict[str, Callable[[bytes, int], bytes]] = {
        "a letter cut in half": lambda content, at: content[: at + 1] + content[at + 2 :],
        "a NUL byte among the letters": lambda content, at: content[:at] + b"\0" + content[at:],
        "half a surrogate pair in UTF-8": lambda content, at: content[:at] + b"\xed\xa0\xbd" + content[at:],
        "a character spelled with too many bytes": lambda content, at: content[:at] + b"\xc0\xaf" + content[at:],
        "letters of Windows-1256 among those of UTF-8": lambda content, at: content[:at] + b"\xe4\xdd" + content[at:],
    }

    def at_letter(change: Callable[[bytes, int], bytes]) -> Callable[[bytes], bytes]:
        def changed(content: bytes) -> bytes:
            found = re.search(rb"[\xd8-\xdb][\x80-\xbf]", content)
            assert found is not None
            return change(content, found.start())

        return changed

    for words, change in letters.items():
        broken = set_bytes(name, at_letter(change))
        yield Broken(f"{name}, {words}", broken, f"{name}, line {line}: ")
    windows = set_bytes(name, lambda content: content.decode().encode("cp1256"))
    yield Broken(f"{name}, Windows-1256", windows, f"{name}, line {line}: ")


# Tables


def table_rows() -> list[Row]:
    """Rows that a table can be made of, with ids, groups and two annotation passes."""
    return [
        {
            "id": f"e{number}",
            "text": f"{('نفى', 'أعلن')[number % 2]} الوزير الخبر رقم {number}",
            "label": LABELS[number % 2],
            "document": f"d{number % 4}",
            "first": LABELS[number % 2],
        }
        for number in range(N_ROWS)
    ]


def written(rows: list[Row], kind: str) -> bytes:
    """Rows as a file of a format."""
    if kind in DELIMITERS:
        buffer = io.StringIO(newline="")
        plain: Row = {"quoting": csv.QUOTE_NONE, "quotechar": None} if kind == "tsv" else {}
        writer = csv.writer(buffer, delimiter=DELIMITERS[kind], lineterminator="\n", **plain)
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
        return buffer.getvalue().encode()
    if kind == "jsonl":
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if kind == "json":
        return ("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n").encode()
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def row_place(kind: str, number: int) -> str:
    """How messages name a row, counted from 0."""
    name = FILES[kind]
    if kind == "parquet":
        return f"{name}, row {number + 1}: "
    return f"{name}, line {number + (1 if kind == 'jsonl' else 2)}: "


COLUMNS = {"id": "id", "text": "text", "label": "label", "group": "document", "passes": ["first"]}


def table_definition(kind: str, **source: Any) -> Row:
    """The task.yaml of a table."""
    return {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": f"../../{FILES[kind]}", "format": kind, "columns": COLUMNS} | source,
        "inputs": ["text"],
        "labels": list(LABELS),
    }


def define(folder: Path, definition: Row) -> None:
    """Write a task.yaml."""
    put(folder, TASK, yaml.safe_dump(definition, allow_unicode=True, sort_keys=False))


def write_table(kind: str) -> Callable[[Path], object]:
    """Write a table and its task."""

    def write(folder: Path) -> None:
        put(folder, FILES[kind], written(table_rows(), kind))
        define(folder, table_definition(kind))

    return write


CELLS: dict[str, Row] = {
    "a label that is mistyped": {"label": "denail"},
    "a label in capitals": {"label": "DENIAL"},
    "a label with a space before it": {"label": " denial"},
    "a label with an invisible mark of direction": {"label": "denial\u200f"},
    "a label turned round by a bidirectional override": {"label": "\u202elained"},
    "a label with a zero-width space": {"label": "den\u200bial"},
    "a label with letters of another script": {"label": "d\u0435nial"},
    "a label that is a formula": {"label": "=cmd|'/C calc'!A0"},
    "a label that is a hyperlink formula": {"label": '=HYPERLINK("http://example.org")'},
    "a label of very many characters": {"label": "denial" * 20_000},
    "an empty id": {"id": ""},
    "an id of another row, with another text": {"id": "e0"},
    "an id with an escape sequence of the terminal": {"id": "e\x1b[2J"},
    "an id with an invisible mark of direction": {"id": "e1\u200e"},
    "an id with a byte order mark": {"id": "e\ufeff1"},
    "an empty group": {"document": ""},
    "a label of a pass that is mistyped": {"first": "non"},
}
"""What can be wrong in a cell of any format."""

TYPED: dict[str, Row] = {
    "a label that is a number": {"label": 1},
    "a group that is null": {"document": None},
    "an id that is null": {"id": None},
}
"""What can be wrong in a cell of a format with types."""

JSON_CELLS: dict[str, Row] = {
    "a label that is true": {"label": True},
    "a label that is a list of lists": {"label": [["denial"]]},
    "a label that is an object": {"label": {"name": "denial"}},
    "a label that is a list longer than the list of texts": {"label": ["denial", "none"], "text": ["a"]},
    "a text that is a list": {"text": ["a", "b"]},
    "a text that is a number of lost digits": {"id": 1.8446744073709552e19},
    "a text with half a surrogate pair": {"text": "نفى \ud83d"},
    "a label with half a surrogate pair": {"label": "denial\udc00"},
    "a group with half a surrogate pair": {"document": "d\ud800"},
    "a row without a label": {"label": ...},
    "a row without a text": {"text": ...},
}
"""What can be wrong in an object of JSON; ... leaves the key out."""


def cell_mutations(kind: str) -> Iterator[Broken]:
    """A table with one wrong row."""
    broken = CELLS | (TYPED if kind not in DELIMITERS else {}) | (JSON_CELLS if kind in ("json", "jsonl") else {})
    for words, cells in broken.items():
        if kind == "parquet" and not all(isinstance(value, str | None) for value in cells.values()):
            continue
        number = random.Random(f"{kind} {words}").randrange(1, N_ROWS)
        rows = table_rows()
        rows[number] = {key: value for key, value in {**rows[number], **cells}.items() if value is not ...}
        if kind == "tsv" and any(set(str(value)) & set("\t\n\r") for value in cells.values()):
            continue
        content = written(rows, kind)
        yield Broken(words, set_bytes(FILES[kind], always(content)), row_place(kind, number))


def column_mutations(kind: str) -> Iterator[Broken]:
    """A table with wrong columns."""
    name = FILES[kind]

    def renamed(old: str, new: str) -> bytes:
        return written(
            [{new if key == old else key: value for key, value in row.items()} for row in table_rows()], kind
        )

    for words, old, new in (
        ("the column of texts has another name", "text", "texts"),
        ("the column of labels has another name", "label", "lable"),
        ("the column of ids ends in an invisible mark", "id", "id\u200f"),
        ("the column of groups is a formula", "document", "=document"),
        ("the column of labels has capitals", "label", "Label"),
    ):
        content = renamed(old, new)
        yield Broken(words, set_bytes(name, always(content)), row_place(kind, 0))
    labels = written([{**row, "label": "none", "first": "none"} for row in table_rows()], kind)
    yield Broken("one label alone", set_bytes(name, lambda _: labels), "tasks/mine/task.yaml: no example has")


def delimited_mutations(kind: str) -> Iterator[Broken]:
    """What can be wrong with the form of a delimited table."""
    name, mark = FILES[kind], DELIMITERS[kind]

    def at_line(number: int, change: Callable[[str], str]) -> Callable[[Path], object]:
        def apply(content: bytes) -> bytes:
            whole = content.decode().split("\n")
            whole[number - 1] = change(whole[number - 1])
            return "\n".join(whole).encode()

        return set_bytes(name, apply)

    number = random.Random(kind).randrange(2, N_ROWS)
    yield Broken("a cell too many", at_line(number, lambda line: line + mark), f"{name}, line {number}: ")
    yield Broken("a cell too few", at_line(number, lambda line: line.rpartition(mark)[0]), f"{name}, line {number}: ")
    yield Broken(
        "a line end within a cell", at_line(number, lambda line: line.replace(" ", "\n", 1)), f"{name}, line {number}: "
    )
    yield Broken(
        "a column that stands twice", at_line(1, lambda line: line.replace("first", "text")), f"{name}, line 1: "
    )
    yield Broken("no header", set_bytes(name, lambda content: content.partition(b"\n")[2]), f"{name}, line 1: ")
    header = written(table_rows(), kind).partition(b"\n")[0] + b"\n"
    yield Broken("a header alone", set_bytes(name, lambda _: header), f"{name}: ")
    yield Broken(
        "two files after one another, each with its byte order mark",
        set_bytes(name, lambda content: content + b"\xef\xbb\xbf" + content),
        f"{name}, line {N_ROWS + 2}: ",
    )
    other = "|" if mark != "|" else ";"
    yield Broken(
        "another delimiter",
        set_bytes(name, lambda content: content.replace(mark.encode(), other.encode())),
        f"{name}, line 2: ",
    )
    yield Broken(
        "another delimiter in the header alone", at_line(1, lambda line: line.replace(mark, other)), f"{name}, line 2: "
    )
    yield Broken(
        "a file cut in its last line", set_bytes(name, lambda content: content[:-15]), f"{name}, line {N_ROWS + 1}: "
    )
    if kind != "tsv":
        yield Broken(
            "a quotation mark that is never closed",
            at_line(number, lambda line: line.replace("e", '"e', 1)),
            f"{name}, line {number}: ",
        )
        yield Broken(
            "text after a closed quotation",
            at_line(number, lambda line: line.replace(f"e{number - 2}", f'"e{number - 2}"x', 1)),
            f"{name}, line {number}: ",
        )
        yield Broken(
            "a cell that holds the rest of a huge file",
            at_line(number, lambda line: line.replace("e", '"e' + "x" * 140_000, 1)),
            f"{name}, line {number}: ",
        )


def json_text_mutations(kind: str) -> Iterator[Broken]:
    """What can be wrong with the form of JSON."""
    name = FILES[kind]
    number = random.Random(kind).randrange(1, N_ROWS - 1)
    row = json.dumps(table_rows()[number])
    place = row_place(kind, number)
    forms = {
        "NaN for a group": (f'"d{number % 4}"', "NaN"),
        "Infinity for an id": (f'"e{number}"', "Infinity"),
        "an id of five thousand digits": (f'"e{number}"', "1" * 5_000),
        "arrays within arrays, a hundred thousand deep": (f'"d{number % 4}"', "[" * 100_000 + "]" * 100_000),
        "a key that stands twice": ('"label":', '"label": "none", "label":'),
        "single quotation marks": ('"label"', "'label'"),
        "a comma before the end": ("}", ",}"),
        "a comment": ('{"id"', '{/* x */ "id"'),
        "a raw control character in a text": ('"label": "', '"label": "\x1b'),
        "an unknown escape": ('"label": "', '"label": "\\x'),
        "half an escape": ('"label": "', '"label": "\\u12'),
        "an array in the place of the object": (row, "[1, 2]"),
        "a text in the place of the object": (row, '"denial"'),
        "null in the place of the object": (row, "null"),
        "an object cut in half": (row, row[: len(row) // 2]),
        "a NUL byte": ('"label"', '\0"label"'),
        "a byte order mark in the middle": (row, "\ufeff" + row),
    }
    for words, (old, new) in forms.items():
        assert old in row
        yield Broken(words, substitute(name, row, row.replace(old, new, 1)), place)
    if kind == "json":
        yield Broken(
            "an array without its end", set_bytes(name, lambda content: content.rstrip()[:-1]), f"{name}, line "
        )
        yield Broken("two arrays", set_bytes(name, lambda content: content + content), f"{name}, line {N_ROWS + 3}: ")
        yield Broken("an array of arrays", set_bytes(name, lambda content: b"[" + content + b"]"), f"{name}, line 1: ")
        yield Broken(
            "an object with rows under two keys",
            set_bytes(name, lambda content: b'{"rows": ' + content + b', "more": ' + content + b', "n": 1}'),
            f"{name}: ",
        )
        yield Broken("an empty array", set_bytes(name, lambda _: b"[]\n"), f"{name}: ")
    else:
        yield Broken(
            "two objects in a line",
            set_bytes(name, lambda content: content.replace(b"}\n", b"}", 1)),
            f"{name}, line 1: ",
        )
        yield Broken(
            "an object over several lines",
            set_bytes(name, lambda content: content.replace(b", ", b",\n", 1)),
            f"{name}, line 1: ",
        )


def parquet_mutations() -> Iterator[Broken]:
    """What can be wrong with a Parquet file."""
    name = FILES["parquet"]
    yield Broken("cut in half", set_bytes(name, lambda content: content[: len(content) // 2]), name)
    yield Broken("without its end", set_bytes(name, lambda content: content[:-8]), name)
    yield Broken("without its beginning", set_bytes(name, lambda content: content[100:-4] + b"NOPE"), name)
    yield Broken("its footer overwritten", set_bytes(name, lambda c: c[:-60] + b"\xff" * 52 + c[-8:]), name)
    yield Broken("a CSV file under its name", set_bytes(name, lambda _: written(table_rows(), "csv")), name)

    def of(table: pa.Table) -> Callable[[Path], object]:
        sink = io.BytesIO()
        pq.write_table(table, sink)
        return set_bytes(name, lambda _: sink.getvalue())

    whole = pa.Table.from_pylist(table_rows())
    twice = pa.table([whole[column] for column in (*whole.column_names, "text")], names=[*whole.column_names, "text"])
    yield Broken("a column that stands twice", of(twice), f"{name}: ")
    yield Broken("no rows", of(whole.slice(0, 0)), f"{name}: ")
    lists = whole.set_column(1, "text", pa.array([["a"]] * N_ROWS))
    yield Broken("texts that are lists", of(lists), f"{name}, row 1: ")
    raw = whole.set_column(1, "text", pa.array([b"\xff\xfe"] * N_ROWS))
    yield Broken("texts that are bytes", of(raw), f"{name}, row 1: ")
    dates = whole.set_column(3, "document", pa.array(range(N_ROWS), pa.timestamp("s")))
    yield Broken("groups that are times", of(dates), f"{name}, row 1: ")
    numbers = whole.set_column(2, "label", pa.array([0, 1] * (N_ROWS // 2)))
    yield Broken("labels that are codes", of(numbers), f"{name}, row 1: ")
    nothing = pa.array([float("nan")] * N_ROWS)
    yield Broken("labels that are not numbers", of(whole.set_column(2, "label", nothing)), f"{name}, row 1: ")


def tables() -> Iterator[Valid]:
    """A table in every format, as a task."""
    for kind, name in FILES.items():
        broken = [*cell_mutations(kind), *column_mutations(kind)]
        if kind == "parquet":
            broken += [*parquet_mutations()]
            broken += no_file_mutations(name)
        else:
            broken += file_mutations(name)
        if kind in DELIMITERS:
            broken += [*delimited_mutations(kind), *arabic_mutations(name, 2)]
        if kind in ("json", "jsonl"):
            broken += json_text_mutations(kind)
        yield Valid(f"a table as {kind}", write_table(kind), broken)


# Published splits


def part_rows(role: str) -> list[Row]:
    """The rows of a part of a published split."""
    return [{**row, "id": f"{role}-{row['id']}", "text": f"{row['text']} {role}"} for row in table_rows()]


def write_parts(folder: Path) -> None:
    """Write a published split in three files."""
    for role in ("train", "dev", "test"):
        put(folder, f"{role}.csv", written(part_rows(role), "csv"))
    define(folder, table_definition("csv", path={role: f"../../{role}.csv" for role in ("train", "dev", "test")}))


def write_folds(folder: Path) -> None:
    """Write two published folds, whose parts change places."""
    for fold in (1, 2):
        for role, other in (("train", "test"), ("test", "train")):
            rows = part_rows(role if fold == 1 else other)
            put(folder, f"{role}_{fold}.csv", written(rows, "csv"))
    files = {role: f"../../{role}_{{fold}}.csv" for role in ("train", "test")}
    define(folder, table_definition("csv", path=files, folds=[1, 2]))


def write_split_column(folder: Path) -> None:
    """Write a published split in a column."""
    rows = [{**row, "split": ("train", "train", "test")[number % 3]} for number, row in enumerate(table_rows())]
    put(folder, "labels.csv", written(rows, "csv"))
    define(folder, table_definition("csv", columns=COLUMNS | {"split": "split"}))


def in_yaml(change: Callable[[Row], object]) -> Callable[[Path], object]:
    """Change the content of a task.yaml."""

    def apply(folder: Path) -> None:
        definition: Row = yaml.safe_load((folder / TASK).read_text(encoding="utf-8"))
        before = repr(definition)
        change(definition)
        assert repr(definition) != before, "nothing was broken"
        define(folder, definition)

    return apply


def splits() -> Iterator[Valid]:
    """Published splits and folds."""
    test = "test.csv"
    yield Valid(
        "a published split in three files",
        write_parts,
        [
            *file_mutations(test),
            Broken("an id that stands in another part", substitute(test, "test-e3", "train-e3"), f"{test}, line 5: "),
            Broken("a label that is mistyped", substitute(test, "denial", "denail"), f"{test}, line 2: "),
            Broken("a part without its labels", substitute(test, ",label,", ",gold,"), f"{test}, line 2: "),
            Broken(
                "one file as train and as test",
                in_yaml(lambda d: d["source"]["path"].update(test="../../train.csv")),
                "train.csv, line 2: ",
            ),
            Broken(
                "train and test of the same texts under other ids",
                set_bytes(
                    "train.csv",
                    lambda _: written([{**row, "id": f"t{n}"} for n, row in enumerate(part_rows("test"))], "csv"),
                ),
                "tasks/mine/task.yaml: ",
            ),
            Broken("no test part", in_yaml(lambda d: d["source"]["path"].pop("test")), f"{KEY}source.path.test"),
            Broken(
                "an unknown part",
                in_yaml(lambda d: d["source"]["path"].update(tset="a.csv")),
                f"{KEY}unknown key",
            ),
            Broken(
                "a part that is a number",
                in_yaml(lambda d: d["source"]["path"].update(dev=3)),
                f"{KEY}source.path.dev",
            ),
            Broken(
                "a split column beside the files",
                in_yaml(lambda d: d["source"]["columns"].update(split="first")),
                f"{KEY}source.columns.split",
            ),
        ],
    )
    fold = "test_2.csv"
    yield Valid(
        "published folds",
        write_folds,
        [
            *no_file_mutations(fold),
            Broken("an id with another text in another fold", substitute(fold, "رقم 3", "رقم 33"), f"{fold}, line 5: "),
            Broken(
                "an id with another label in another fold", substitute(fold, ",none,", ",denial,"), f"{fold}, line 3: "
            ),
            Broken("an id with another group in another fold", substitute(fold, ",d3,", ",d9,"), f"{fold}, line 5: "),
            Broken("an id that stands twice in a fold", substitute(fold, "train-e3", "train-e2"), f"{fold}, line 5: "),
            Broken(
                "files without the number of the fold",
                in_yaml(lambda d: d["source"]["path"].update(test="../../test_1.csv")),
                f"{KEY}source.path.test",
            ),
            Broken(
                "a fold that stands twice", in_yaml(lambda d: d["source"].update(folds=[1, 1])), "train_1.csv, line 2: "
            ),
            Broken("folds that are no list", in_yaml(lambda d: d["source"].update(folds=2)), f"{KEY}source.folds"),
            Broken(
                "a fold that is a fraction",
                in_yaml(lambda d: d["source"].update(folds=[1, 2.5])),
                f"{KEY}source.folds",
            ),
            Broken(
                "a fold that leads elsewhere",
                in_yaml(lambda d: d["source"].update(folds=[1, "../etc/2"])),
                "train_../etc/2.csv: ",
            ),
            Broken(
                "folds without ids",
                in_yaml(lambda d: d["source"]["columns"].pop("id")),
                f"{KEY}source.columns.id",
            ),
        ],
    )
    yield Valid(
        "a published split in a column",
        write_split_column,
        [
            Broken("a part that is mistyped", substitute("labels.csv", ",train", ",trian"), "labels.csv, line 2: "),
            Broken("a part that is a formula", substitute("labels.csv", ",train", ",=A1"), "labels.csv, line 2: "),
            Broken(
                "no row of the test part",
                set_bytes("labels.csv", lambda content: content.replace(b",test", b",dev")),
                f"{KEY}source.columns.split: ",
            ),
        ],
    )


# Annotation passes


DOCUMENTS = {"a": "نفت روسيا ذلك.\nلم تعلق واشنطن.\nصورة\n", "b": "أكدت سيول الأمر.\n"}
SEGMENTS = [
    ("a-1", "a", "نفت روسيا ذلك.", "body"),
    ("a-2", "a", "لم تعلق واشنطن.", "body"),
    ("a-3", "a", "صورة", "caption"),
    ("b-1", "b", "أكدت سيول الأمر.", "body"),
]
STANCES = {"a-1": {"sent": "deny"}, "a-2": {"sent": "other"}, "b-1": {"sent": "other", "hit": "deny"}}


def write_segments(folder: Path) -> None:
    """Write segments of two documents, two passes over their pairs with two claims, and an adjudication."""
    for name, text in DOCUMENTS.items():
        put(folder, f"documents/{name}.txt", text)
    segments = []
    for name, document, text, kind in SEGMENTS:
        start = DOCUMENTS[document].index(text)
        place = {"segment_id": name, "doc_id": document, "start": start, "end": start + len(text)}
        segments.append({**place, "kind": kind, "text": text})
    put(folder, "segments.jsonl", lines(segments))
    put(
        folder, "claims.jsonl", lines([{"claim_id": "sent", "text": "أُرسل جنود."}, {"claim_id": "hit", "text": "قُصف."}])
    )
    for number in (1, 2):
        stances = {**STANCES, "a-1": {"sent": "deny" if number == 1 else "other"}}
        put(folder, f"pass-{number}.jsonl", lines([{"segment_id": n, "stance": s} for n, s in stances.items()]))
    put(
        folder, "decisions.jsonl", lines([{"segment_id": "a-1", "task": "stance", "claim_id": "sent", "label": "deny"}])
    )
    source = {
        "kind": "segments",
        "documents": "../../documents",
        "segments": "../../segments.jsonl",
        "exclude": ["caption"],
        "claims": "../../claims.jsonl",
        "annotations": ["../../pass-1.jsonl", "../../pass-2.jsonl"],
        "adjudications": "../../decisions.jsonl",
        "field": "stance",
        "unnamed": "other",
    }
    define(
        folder,
        {
            "name": "mine",
            "description": "Segments.",
            "source": source,
            "inputs": ["claim", "text"],
            "labels": ["deny", "other"],
        },
    )


def in_line(name: str, number: int, words: str, **changes: Any) -> Broken:
    """Change the object in a line of JSON Lines; ... takes a key out."""

    def change(content: bytes) -> bytes:
        rows = [json.loads(line) for line in content.splitlines()]
        rows[number - 1] = {k: v for k, v in (rows[number - 1] | changes).items() if v is not ...}
        return "".join(json.dumps(row) + "\n" for row in rows).encode()

    return Broken(f"{name}, {words}", set_bytes(name, change), f"{name}, line {number}: ")


def repeated(name: str, number: int, words: str, **changes: Any) -> Broken:
    """Write a line of JSON Lines a second time, at the end, with something changed."""

    def change(content: bytes) -> bytes:
        row = json.loads(content.splitlines()[number - 1]) | changes
        return content + json.dumps(row).encode() + b"\n"

    last = {"segments.jsonl": 5, "claims.jsonl": 3, "decisions.jsonl": 2, "pass-1.jsonl": 4, "sample.jsonl": 5}
    return Broken(f"{name}, {words}", set_bytes(name, change), f"{name}, line {last[name]}: ")


def passes() -> Valid:
    """Segments with passes, claims and adjudications."""
    segments, first, claims, decisions = "segments.jsonl", "pass-1.jsonl", "claims.jsonl", "decisions.jsonl"
    return Valid(
        "segments with passes and adjudications",
        write_segments,
        [
            in_line(segments, 2, "an offset beyond the document", end=4_000),
            in_line(segments, 2, "a negative offset", start=-3),
            in_line(segments, 2, "offsets that are swapped", start=30, end=15),
            in_line(segments, 2, "an offset that is a fraction", start=15.0),
            in_line(segments, 2, "an offset that is true", start=True),
            in_line(segments, 2, "an offset that is null", start=None),
            in_line(segments, 2, "an offset that is a text", start="15"),
            in_line(segments, 2, "an offset of four hundred digits", end=10**400),
            in_line(segments, 2, "offsets that count bytes", start=26, end=54),
            in_line(segments, 2, "an offset moved by one", start=14),
            in_line(segments, 2, "another spelling of the text", text="لم تعلّق واشنطن."),
            in_line(segments, 2, "a text turned into presentation forms", text="ﻟﻢ تعلق واشنطن."),
            in_line(segments, 2, "a document that leads elsewhere", doc_id="../a"),
            in_line(segments, 2, "a document with its suffix", doc_id="a.txt"),
            in_line(segments, 2, "an id with a slash", segment_id="a/2"),
            in_line(segments, 2, "an id with a line end", segment_id="a-2\n"),
            in_line(segments, 2, "an id with half a surrogate pair", segment_id="a-2\ud83d"),
            in_line(segments, 2, "an id that is a number", segment_id=2),
            in_line(segments, 2, "an id of white space", segment_id=" "),
            in_line(segments, 2, "no kind", kind=...),
            repeated(segments, 1, "an id that stands twice, with another text", text="نفت"),
            *file_mutations(segments),
            in_line(claims, 1, "an id of a claim with a slash", claim_id="se/nt"),
            in_line(claims, 1, "a claim without a text", text=" "),
            in_line(claims, 1, "a claim with half a surrogate pair", text="\ud83d\ud83d"),
            repeated(claims, 1, "a claim that stands twice, with another text", text="آخر"),
            in_line(first, 2, "an annotation of an unknown segment", segment_id="a-22"),
            in_line(first, 2, "an annotation of an excluded segment", segment_id="a-3"),
            in_line(first, 2, "a label that is mistyped", stance={"sent": "othr"}),
            in_line(first, 2, "a label that is null", stance={"sent": None}),
            in_line(first, 2, "a label that is a list", stance={"sent": ["other"]}),
            in_line(first, 2, "a label with half a surrogate pair", stance={"sent": "\ud83d"}),
            in_line(first, 2, "labels that are a list", stance=["other"]),
            in_line(first, 2, "an unknown claim", stance={"snet": "other"}),
            in_line(first, 2, "no labels", stance=...),
            repeated(first, 1, "a segment that is annotated twice", stance={"sent": "other"}),
            Broken(
                "a pass that ends too early",
                set_bytes(first, lambda content: content.rsplit(b"\n", 2)[0] + b"\n"),
                first,
            ),
            Broken("a pass cut in a line", set_bytes(first, lambda content: content[:-9]), f"{first}, line 3: "),
            *file_mutations(first),
            in_line(decisions, 1, "an adjudicated label that is mistyped", label="denied"),
            in_line(decisions, 1, "an adjudicated label that is a number", label=1),
            in_line(decisions, 1, "an adjudication of an unknown segment", segment_id="a-11"),
            in_line(decisions, 1, "an adjudication of an unknown claim", claim_id="hitt"),
            in_line(decisions, 1, "an adjudication of no task", task=...),
            repeated(decisions, 1, "an adjudication that stands twice", label="other"),
            repeated(decisions, 1, "an adjudication against the passes", segment_id="a-2"),
            Broken(
                "a tie that nobody decided",
                substitute(decisions, '"stance"', '"denial"'),
                "segment 'a-1' toward claim 'sent': the passes are tied",
            ),
            Broken(
                "a document with other line ends",
                set_bytes("documents/a.txt", lambda c: c.replace(b"\n", b"\r\n")),
                f"{segments}, line 2: ",
            ),
            Broken(
                "a document with a byte order mark",
                set_bytes("documents/a.txt", lambda c: b"\xef\xbb\xbf" + c),
                f"{segments}, line 1: ",
            ),
            Broken(
                "a document with its letters composed otherwise",
                substitute("documents/b.txt", "\u0623", "\u0627\u0654"),
                f"{segments}, line 4: ",
            ),
            *arabic_mutations("documents/a.txt", 1),
            *content_mutations("documents/b.txt"),
            Broken(
                "a document whose name is not UTF-8",
                lambda f: put(f, os.fsdecode(b"documents/\xe4.txt"), "نص"),
                "documents/",
            ),
            Broken(
                "a document whose name clears the terminal",
                lambda f: put(f, "documents/\x1b[2J.txt", "نص"),
                "documents/",
            ),
            Broken("no documents", lambda f: [path.unlink() for path in (f / "documents").iterdir()], "documents: "),
            Broken(
                "a file in the place of the documents",
                in_yaml(lambda d: d["source"].update(documents="../../claims.jsonl")),
                "claims.jsonl: ",
            ),
        ],
    )


SENTENCES = ["نفى الوزير الخبر.", "أعلن الوزير الخبر.", "قالت الوكالة ذلك.", "مرت السنوات."]


def write_sample(folder: Path) -> None:
    """Write a sample of the sentences of two files, in two passes."""
    rows = [
        {
            "sentence_id": f"s{number}",
            "split": ("train", "dev")[number // 2],
            "article": f"a{number % 2}",
            "stratum": "cue" if number == 0 else "other",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        for number, text in enumerate(SENTENCES)
    ]
    put(folder, "sample.jsonl", lines(rows))
    for part, numbers in (("train", (0, 1)), ("dev", (2, 3))):
        body = "".join(f"s{number}\t{SENTENCES[number]}\n" for number in numbers)
        put(folder, f"{part}.tsv", f"sentence_id\tsentence\n{body}")
    given = [{"sentence_id": f"s{number}", "denial": "yes" if number == 0 else "no"} for number in range(4)]
    for number in (1, 2):
        put(folder, f"pass-{number}.jsonl", lines(given))
    source = {
        "kind": "sample",
        "sample": "../../sample.jsonl",
        "annotations": ["../../pass-1.jsonl", "../../pass-2.jsonl"],
        "field": "denial",
        "population": {"cue": 1, "other": 30},
        "path": {"train": "../../train.tsv", "dev": "../../dev.tsv"},
        "columns": {"id": "sentence_id", "text": "sentence"},
    }
    define(folder, {"name": "mine", "description": "D.", "source": source, "inputs": ["text"], "labels": ["yes", "no"]})


def sample() -> Valid:
    """A sample of published sentences."""
    name = "sample.jsonl"
    return Valid(
        "a sample of published sentences",
        write_sample,
        [
            in_line(name, 3, "a digest of another text", sha256="0" * 64),
            in_line(name, 3, "a digest in capitals", sha256=hashlib.sha256(SENTENCES[2].encode()).hexdigest().upper()),
            in_line(name, 3, "a digest that is null", sha256=None),
            in_line(name, 3, "an unknown file", split="test"),
            in_line(name, 3, "a file that leads elsewhere", split="../train"),
            in_line(name, 3, "another file", split="train"),
            in_line(name, 3, "an article with an invisible character", article="a\u200b0"),
            in_line(name, 3, "a stratum that is null", stratum=None),
            in_line(name, 3, "an id with half a surrogate pair", sentence_id="\udcff"),
            repeated(name, 1, "a sentence that stands twice"),
            Broken("a sentence that was changed", substitute("dev.tsv", "ذلك", "هذا"), f"{name}, line 3: "),
            Broken("a sentence that is lost", substitute("dev.tsv", f"s2\t{SENTENCES[2]}\n", ""), f"{name}, line 3: "),
            Broken("a file without its ids", substitute("dev.tsv", "sentence_id\t", "id\t"), "dev.tsv, line 2: "),
            *arabic_mutations("dev.tsv", 2),
            *no_file_mutations("dev.tsv"),
            Broken(
                "a stratum without its size",
                in_yaml(lambda d: d["source"]["population"].pop("cue")),
                f"{KEY}source.population.cue",
            ),
            Broken(
                "a stratum smaller than its sample",
                in_yaml(lambda d: d["source"]["population"].update(other=2)),
                f"{KEY}source.population.other",
            ),
            Broken(
                "a stratum that nobody drew from",
                in_yaml(lambda d: d["source"]["population"].update(x=9)),
                f"{KEY}source.population.x",
            ),
            Broken(
                "a size that is not a number",
                in_yaml(lambda d: d["source"]["population"].update(other=float("nan"))),
                f"{KEY}source.population.other",
            ),
        ],
    )


# Spans of documents


def spans() -> list[Row]:
    """Spans of two documents, grouped by outlet."""
    return [
        {"document": "a", "start": 0, "end": 14, "label": "denial", "text": "نفت روسيا ذلك.", "outlet": "x"},
        {"document": "a", "start": 15, "end": 30, "label": "none", "text": "لم تعلق واشنطن.", "outlet": "x"},
        {"document": "b", "start": 0, "end": 16, "label": "none", "text": "أكدت سيول الأمر.", "outlet": "y"},
    ]


def write_standoff(kind: str) -> Callable[[Path], object]:
    """Write documents with labels of their spans."""

    def write(folder: Path) -> None:
        for name, text in DOCUMENTS.items():
            put(folder, f"documents/{name}.txt", text)
        put(folder, f"documents/{FILES[kind]}", written(spans(), kind))
        columns = {"text": "text", "group": "outlet"}
        source = {
            "kind": "standoff",
            "documents": "../../documents",
            "labels": f"../../documents/{FILES[kind]}",
            "columns": columns,
        }
        define(folder, {**table_definition(kind), "source": source})

    return write


SPANS: dict[str, Row] = {
    "an end beyond the document": {"end": 31_000},
    "a negative start": {"start": -1},
    "offsets that are swapped": {"start": 30, "end": 15},
    "an empty span": {"end": 15},
    "an offset moved by one": {"start": 16},
    "an offset that is a fraction": {"end": 30.0},
    "an offset with an exponent": {"end": "3e1"},
    "an offset in hexadecimal": {"end": "0x1e"},
    "an offset in Arabic digits": {"end": "٣٠"},
    "an offset of five thousand digits": {"end": "1" * 5_000},
    "an offset that is a formula": {"end": "=15+15"},
    "an unknown document": {"document": "c"},
    "a document that leads elsewhere": {"document": "../documents/a"},
    "a label that is mistyped": {"label": "non"},
    "another text": {"text": "لم تعلق موسكو."},
    "a span that stands twice, with another label": {"start": 0, "end": 14, "text": "نفت روسيا ذلك.", "label": "none"},
    "an empty group": {"outlet": ""},
}

JSON_SPANS: dict[str, Row] = {
    "an offset that is true": {"start": True},
    "an offset that is null": {"end": None},
    "an offset that is a list": {"end": [30]},
    "a label that is a list": {"label": ["none"]},
    "a group that is null": {"outlet": None},
    "a group with half a surrogate pair": {"outlet": "\ud800"},
    "a text that is a number": {"text": 5},
    "no document": {"document": ...},
}


def standoff() -> Iterator[Valid]:
    """Spans as CSV and as JSON Lines."""
    for kind in ("csv", "jsonl"):
        name = f"documents/{FILES[kind]}"
        broken = []
        for words, cells in (SPANS | (JSON_SPANS if kind == "jsonl" else {})).items():
            rows = spans()
            rows[1] = {key: value for key, value in (rows[1] | cells).items() if value is not ...}
            content = written(rows, kind)
            broken.append(Broken(words, set_bytes(name, always(content)), f"documents/{row_place(kind, 1)}"))
        yield Valid(f"spans of documents as {kind}", write_standoff(kind), [*broken, *file_mutations(name)])


# Exports of annotation tools


def studio_tasks() -> list[Row]:
    """Tasks of Label Studio, each with one annotation."""
    return [
        {
            "id": number,
            "data": {"text": row["text"]},
            "annotations": [
                {
                    "completed_by": 1,
                    "result": [{"type": "choices", "from_name": "stance", "value": {"choices": [row["label"]]}}],
                }
            ],
        }
        for number, row in enumerate(table_rows(), start=1)
    ]


def brief_tasks() -> list[Row]:
    """The same in Label Studio's JSON-MIN."""
    return [
        {"id": number, "text": row["text"], "stance": row["label"], "annotator": 1, "annotation_id": number}
        for number, row in enumerate(table_rows(), start=1)
    ]


def doccano_rows() -> list[Row]:
    """Lines of doccano."""
    return [{"id": n, "text": row["text"], "label": [row["label"]]} for n, row in enumerate(table_rows(), start=1)]


def prodigy_rows() -> list[Row]:
    """Lines of Prodigy."""
    return [
        {"text": row["text"], "_input_hash": number, "accept": [row["label"]], "answer": "accept"}
        for number, row in enumerate(table_rows(), start=1)
    ]


def choices(*labels: Any, who: Any = 1) -> Row:
    """An annotation of Label Studio."""
    return {
        "completed_by": who,
        "result": [{"type": "choices", "from_name": "stance", "value": {"choices": [*labels]}}],
    }


def deep(value: Any = 0) -> Any:
    """Lists within lists, as deep as the writer of JSON goes."""
    for _ in range(200):
        value = [value]
    return value


TOOLS: dict[str, tuple[str, Callable[[], list[Row]], str, dict[str, Row]]] = {
    "label-studio": (
        "json",
        studio_tasks,
        "stance",
        {
            "no text": {"data": {"title": "x"}},
            "data that are no object": {"data": "نص"},
            "annotations that are no list": {"annotations": {"result": []}},
            "an annotation without a result": {"annotations": [{"completed_by": 1}]},
            "two choices": {"annotations": [choices("denial", "none")]},
            "a choice that is null": {"annotations": [choices(None)]},
            "a choice that is a list": {"annotations": [choices(["denial"])]},
            "an empty choice": {"annotations": [choices("")]},
            "an unknown choice": {"annotations": [choices("denail")]},
            "a choice with a mark of direction": {"annotations": [choices("denial\u200f")]},
            "annotators who are tied": {"annotations": [choices("denial"), choices("none", who=2)]},
            "an annotator who said both": {"annotations": [choices("denial"), choices("none")]},
            "an id of another task": {"id": 1},
            "a text with half a surrogate pair": {"data": {"text": "\ud83d"}},
            "a text that is a list": {"data": {"text": ["نص"]}},
        },
    ),
    "label-studio-min": (
        "json",
        brief_tasks,
        "stance",
        {
            "no id": {"id": ...},
            "no annotator": {"annotator": ...},
            "an id that is a list": {"id": [1]},
            "an unknown choice": {"stance": "denail"},
            "several choices": {"stance": {"choices": ["denial", "none"]}},
            "a choice that is null": {"stance": {"choices": [None]}},
            "a choice that is an object": {"stance": {"choices": [{"x": 1}]}},
            "a choice that is a number": {"stance": 3},
            "a text that is an object": {"text": {"x": "نص"}},
        },
    ),
    "doccano": (
        "jsonl",
        doccano_rows,
        "label",
        {
            "no text": {"text": ...},
            "no label": {"label": ...},
            "two labels": {"label": ["denial", "none"]},
            "a label of a span": {"label": [[0, 3, "denial"]]},
            "a label that is an object": {"label": [{"name": "denial"}]},
            "a label that is a fraction": {"label": [0.5]},
            "an unknown label": {"label": ["denail"]},
            "a label of an escape sequence": {"label": ["\x1b[31mdenial"]},
            "entities": {"entities": []},
            "an id of another text": {"id": 1},
            "a text that is a list of lists": {"text": deep()},
        },
    ),
    "prodigy": (
        "jsonl",
        prodigy_rows,
        "label",
        {
            "an unknown answer": {"answer": "accepted"},
            "an answer that is a list": {"answer": ["accept"]},
            "no answer": {"answer": ...},
            "two options": {"accept": ["denial", "none"]},
            "an option that is null": {"accept": [None]},
            "an option that is an object": {"accept": {"id": "denial"}},
            "an unknown option": {"accept": ["denail"]},
            "no text": {"text": ...},
            "the hash of another text": {"_input_hash": 1},
        },
    ),
}


def tools() -> Iterator[Valid]:
    """Exports of annotation tools."""
    for tool, (kind, rows_of, label, changes) in TOOLS.items():
        name = FILES[kind]
        columns: Row = {"text": "text", "label": label} | ({} if tool == "prodigy" else {"id": "id"})

        def write(
            folder: Path, kind: str = kind, rows_of: Any = rows_of, tool: str = tool, columns: Row = columns
        ) -> None:
            put(folder, FILES[kind], written(rows_of(), kind))
            define(folder, table_definition(kind, format=tool, columns=columns))

        broken = []
        for words, cells in changes.items():
            number = random.Random(f"{tool} {words}").randrange(1, N_ROWS)
            rows = rows_of()
            rows[number] = {key: value for key, value in (rows[number] | cells).items() if value is not ...}
            content = written(rows, kind)
            broken.append(Broken(words, set_bytes(name, always(content)), row_place(kind, number)))
        broken += [
            Broken("an empty file", set_bytes(name, lambda _: b""), name),
            Broken("an array of numbers", set_bytes(name, lambda _: b"[1, 2]"), f"{name}, line 1: "),
            Broken(
                "a table in its place", set_bytes(name, lambda _: written(table_rows(), "csv")), f"{name}, line 1: "
            ),
            Broken("cut in half", set_bytes(name, lambda content: content[: len(content) // 2]), f"{name}, line "),
        ]
        yield Valid(f"an export of {tool}", write, broken)


# The definition


def bomb() -> str:
    """Nine levels of nine aliases each: a gigabyte once written out."""
    levels = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        levels.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]")
    return "\n".join(levels) + "\n"


def yaml_text(words: str, old: str, new: str, place: str) -> Broken:
    """Change the text of a task.yaml."""
    return Broken(words, substitute(TASK, old, new), f"{TASK}{place}")


def key(words: str, place: str, change: Callable[[Row], object]) -> Broken:
    """Change the content of a task.yaml."""
    return Broken(words, in_yaml(change), f"{KEY}{place}")


def definitions() -> Valid:
    """The task.yaml of a CSV table."""
    source = "source.columns."
    digest = "0" * 64

    def download(**files: Any) -> Callable[[Row], object]:
        return lambda d: d["source"].update(download={"from": "https://example.org/", "sha256": files.get("sha256")})

    broken = [
        yaml_text(
            "a tag that makes a Python object", "name: mine", "name: !!python/object/apply:os.system [ls]", ", line 1: "
        ),
        yaml_text("a tag that imports a module", "name: mine", "name: !!python/module:os ''", ", line 1: "),
        yaml_text("an unknown tag", "name: mine", "name: !task mine", ", line 1: "),
        yaml_text("a bomb of aliases", "name: mine\n", bomb() + "name: mine\n", ", line 2: "),
        yaml_text("a list that holds itself", "labels:", "published: &x [*x]\nlabels:", ", line "),
        yaml_text(
            "a mapping merged in", "description: A table.", "description: &d A table.\nlicence: *d", ", line 3: "
        ),
        yaml_text(
            "brackets within brackets, two thousand deep",
            "name: mine",
            "name: " + "[" * 2_000 + "]" * 2_000,
            ", line 1: ",
        ),
        yaml_text("a date that is none", "name: mine", "name: !!timestamp 2024-13-45", ", line 1: "),
        yaml_text("a truth value that is none", "name: mine", "name: !!bool maybe", ", line 1: "),
        yaml_text("a number that is none", "name: mine", "name: !!int one", ", line 1: "),
        yaml_text("a time that is none", "name: mine", "name: !!timestamp soon", ", line 1: "),
        yaml_text(
            "a version of five thousand digits", "name: mine", "version: " + "1" * 5_000 + "\nname: mine", ", line 1: "
        ),
        yaml_text("bytes that are none", "name: mine", "name: !!binary é", ", line 1: "),
        yaml_text("a list as a key", "name: mine", "[a, b]: c\nname: mine", ", line 1: "),
        yaml_text("a mapping as a key", "name: mine", "{a: b}: c\nname: mine", ", line 1: "),
        yaml_text("a key that stands twice", "description:", "name: other\ndescription:", ", line 2: "),
        yaml_text("a column that stands twice", "    label: label", "    label: label\n    label: first", ", line "),
        yaml_text("a tab for spaces", "  kind: table", "\tkind: table", ", line 4: "),
        yaml_text("a bracket that is never closed", "name: mine", "name: [mine", ", line "),
        yaml_text("a quotation that is never closed", "name: mine", "name: 'mine", ", line "),
        yaml_text("two documents", "name: mine", "---\nname: mine\n---\n", ", line "),
        yaml_text("a control character", "A table.", "A \x07 table.", ", line 2: "),
        yaml_text("half a surrogate pair", "A table.", '"A \\ud83d table."', ", line 2: "),
        yaml_text("a NUL in a path", "path: ../../labels.csv", 'path: "../../labels.csv\\0.txt"', ", line "),
        yaml_text("JSON's comments", "name: mine", "// a task\nname: mine", ", line "),
        key("a name that is a path", "name ", lambda d: d.update(name="../../mine")),
        key("a name that is an absolute path", "name ", lambda d: d.update(name="/etc/mine")),
        key("a name with a line end", "name ", lambda d: d.update(name="mine\n")),
        key("a name with a mark of direction", "name ", lambda d: d.update(name="mine\u200e")),
        key("a name of a thousand letters", "name ", lambda d: d.update(name="m" * 1_000)),
        key("a name that is a number", "'name'", lambda d: d.update(name=7)),
        key("a name that is a list", "'name'", lambda d: d.update(name=["mine"])),
        key("a version that is a fraction", "'version'", lambda d: d.update(version=1.5)),
        key("a version that is true", "'version'", lambda d: d.update(version=True)),
        key("a metric that is a list", "'metric'", lambda d: d.update(metric=["mcc"])),
        key("a metric that is mistyped", "unknown metric", lambda d: d.update(metric="acuracy")),
        key("inputs that are a text", "'inputs'", lambda d: d.update(inputs="text")),
        key("a claim without its column", "source.columns.claim", lambda d: d.update(inputs=["claim", "text"])),
        key("labels that are a mapping", "'labels'", lambda d: d.update(labels={"denial": 0})),
        key("labels that are truth values", "labels, item 1", lambda d: d.update(labels=[True, False])),
        key("a label that is null", "labels, item 2", lambda d: d.update(labels=["denial", None])),
        key("a label that is a list", "labels, item 2", lambda d: d.update(labels=["denial", ["none"]])),
        key("a label that stands twice", "'labels'", lambda d: d.update(labels=["denial", "none", "none"])),
        key("an empty label", "labels: ", lambda d: d.update(labels=["denial", "none", " "])),
        key(
            "a label with a bidirectional override",
            "labels: ",
            lambda d: d.update(labels=["denial", "none", "\u202eenon"]),
        ),
        key("a label with a line end", "labels: ", lambda d: d.update(labels=["denial", "none", "a\nb"])),
        key("a label with an escape sequence", "labels: ", lambda d: d.update(labels=["denial", "none", "\x1b[2J"])),
        key("a label that nothing has", "no example", lambda d: d.update(labels=["denial", "none", "other"])),
        key("a label_map that is a list", "'label_map'", lambda d: d.update(label_map=["denial"])),
        key("a label_map to an unknown label", "label_map.denial", lambda d: d.update(label_map={"denial": "x"})),
        key("a label_map to a list", "label_map.denial", lambda d: d.update(label_map={"denial": ["none"]})),
        key("an unknown key", "unknown key", lambda d: d.update(lables=[])),
        key("a key that is a number", "unknown key", lambda d: d.update({7: "x"})),  # type: ignore[dict-item]
        key("a key that is null", "unknown key", lambda d: d.update({None: "x"})),  # type: ignore[dict-item]
        key("no source", "'source'", lambda d: d.pop("source")),
        key("a source that is a list", "'source'", lambda d: d.update(source=["labels.csv"])),
        key("a kind that is a list", "source.kind", lambda d: d["source"].update(kind=["table"])),
        key("an unknown kind", "source.kind", lambda d: d["source"].update(kind="tabel")),
        key("a format that is a list", "source.format", lambda d: d["source"].update(format=["csv"])),
        key("an unknown format", "source.format", lambda d: d["source"].update(format="excel")),
        key("a path that is a number", "source.path", lambda d: d["source"].update(path=3)),
        key("a path that is empty", "source.path", lambda d: d["source"].update(path="")),
        key("columns that are a list", "source.columns", lambda d: d["source"].update(columns=["text"])),
        key("a column that is a number", source + "text", lambda d: d["source"]["columns"].update(text=1)),
        key("a column that is a mapping", source + "text", lambda d: d["source"]["columns"].update(text={"a": "b"})),
        key("several columns of texts", source + "text", lambda d: d["source"]["columns"].update(text=["text", "id"])),
        key("no column of labels", source + "label", lambda d: d["source"]["columns"].pop("label")),
        key("texts that are the labels", source + "label", lambda d: d["source"]["columns"].update(text="label")),
        key("an unknown column", "unknown key", lambda d: d["source"]["columns"].update(lable="label")),
        key("a group that is a list", "'group'", lambda d: d.update(group=["document"])),
        key("a group that is the label", "group: ", lambda d: d.update(group="label")),
        key("descriptions that are a list", "'descriptions'", lambda d: d.update(descriptions=["x"])),
        key("published figures that are a mapping", "'published'", lambda d: d.update(published={"mcc": 1})),
        key(
            "a published figure that is not a number",
            "published, item 1",
            lambda d: d.update(published=[{"system": "a", "metric": "mcc", "value": float("nan"), "source": "b"}]),
        ),
        key(
            "a published metric that is a list",
            "published, item 1",
            lambda d: d.update(published=[{"system": "a", "metric": ["mcc"], "value": 0.5, "source": "b"}]),
        ),
        key("a homepage of another protocol", "'homepage'", lambda d: d.update(homepage="file:///etc/passwd")),
        key("a homepage that runs a script", "'homepage'", lambda d: d.update(homepage="javascript:alert(1)")),
        *(
            key(words, "source.download.sha256", download(sha256=files))
            for words, files in {
                "a published file above the address": {"../labels.csv": digest},
                "a published file at the root": {"/etc/passwd": digest},
                "a published file that is the folder": {".": None},
                "a published file without a name": {"": None},
                "a published file with a number for a digest": {"labels.csv": 7},
                "a published file with a short digest": {"labels.csv": "0" * 63},
                "a published file with a digest in capitals": {"labels.csv": "A" * 64},
                "published files that are a list": ["labels.csv"],
                "no published file": {},
                "a published file that is another": {"other.csv": digest},
            }.items()
        ),
        key(
            "an address of another protocol",
            "source.download.from",
            lambda d: d["source"].update(download={"from": "file:///etc/", "sha256": {"a.csv": digest}}),
        ),
        Broken(
            "a path that leads to no file",
            in_yaml(lambda d: d["source"].update(path="../../x/labels.csv")),
            "x/labels.csv: ",
        ),
        Broken(
            "an archive",
            in_yaml(lambda d: d["source"].update(path="a.zip") or d["source"].pop("format")),
            "a.zip: a table is",
        ),
        Broken(
            "a path longer than any", in_yaml(lambda d: d["source"].update(path="a" * 5_000 + ".csv")), "tasks/mine/aaa"
        ),
        Broken(
            "a path through a file", in_yaml(lambda d: d["source"].update(path="../../labels.csv/x.csv")), "labels.csv/"
        ),
        Broken("a pipe in the place of the task", instead(TASK, os.mkfifo), TASK),
        Broken("a folder in the place of the task", instead(TASK, Path.mkdir), TASK),
        *content_mutations(TASK),
        Broken("a task that is a list", set_bytes(TASK, lambda _: b"- name\n"), TASK),
        Broken("a task that is a text", set_bytes(TASK, lambda _: b"mine\n"), TASK),
    ]
    return Valid("a task.yaml", write_table("csv"), broken)


# What `bench new task` is given


def data_only(kind: str) -> Callable[[Path], object]:
    """Write a table without a task."""
    return lambda folder: put(folder, FILES[kind], written(table_rows(), kind))


def documents_only(folder: Path) -> None:
    """Write documents with labels of their spans, without a task."""
    write_standoff("csv")(folder)
    (folder / TASK).unlink()


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
PAGE = "<!DOCTYPE html>\n<html><body>text,label</body></html>\n"

FOREIGN: dict[str, dict[str, tuple[str, str]]] = {
    "csv": {
        "a header alone": ("text,label\n", ": there are no rows."),
        "a byte order mark alone": ("\ufeff", ": the file is empty."),
        "a pointer of Git LFS": (LFS, ": this is a Git LFS pointer"),
        "an HTML page": (PAGE, ": this is an HTML page"),
        "an array of JSON": ('[{"text": "a", "label": "b"}]\n', ": this is JSON"),
        "lines of JSON": ('{"text": "a", "label": "b"}\n' * 2, ": this is JSON"),
        "another delimiter": (
            "text~label\na~b\n",
            ", line 1: no comma, semicolon, tab or bar splits the header 'text~label'",
        ),
        "Excel's line, and a cell too many": ("sep=;\ntext;label\na;b\na;b;c\n", ", line 4: 3 cells, but"),
        "semicolons, and a cell too many": ("text;label\na;b\na;b;c\n", ", line 3: 3 cells, but the header has 2."),
    },
    "jsonl": {
        "an empty array": ("[]", ": there are no rows."),
        "a pointer of Git LFS": (LFS, ": this is a Git LFS pointer"),
        "an HTML page": (PAGE, ": this is an HTML page"),
        "lines of nothing but spaces without a break": ("\u00a0\n\u00a0\n", ": there are no rows."),
        "rows under two keys": (
            '{"a": [{"text": "a", "label": "b"}], "b": [{"text": "a", "label": "b"}], "c": 1}',
            ": it contains one JSON object",
        ),
        "one object over several lines": ('{\n"text": "a",\n"label": "b"}', ": it contains one JSON object"),
    },
    "parquet": {"a pointer of Git LFS": (LFS, ": this is a Git LFS pointer")},
}
"""What a file can hold in the place of rows, and what is said of it."""


def own_data() -> Iterator[Valid]:
    """Data that a task is to be made of."""
    for kind in ("csv", "jsonl", "parquet"):
        name = FILES[kind]
        rows = table_rows()
        changes: dict[str, list[Row]] = {
            "a label with a bidirectional override": [{**r, "label": "\u202e" + r["label"]} for r in rows],
            "a label with an escape sequence": [{**r, "label": r["label"] + "\x1b[2J"} for r in rows],
            "as many labels as texts": [{**r, "label": f"{n} {'x' * n}"} for n, r in enumerate(rows * 5)],
            "one label": [{**r, "label": "none"} for r in rows],
            "no column that can be the text": [{"n": r["id"], "label": r["label"]} for r in rows],
            "no column that can be the label": [{"text": r["text"], "n": r["id"]} for r in rows],
        }
        broken = []
        for words, changed in changes.items():
            content = written(changed, kind)
            broken.append(Broken(words, set_bytes(name, always(content)), name))
        broken += no_file_mutations(name)
        broken += [Broken("random bytes", set_bytes(name, OTHER_BYTES["random bytes"]), name)]
        for words, (foreign, problem) in FOREIGN[kind].items():
            broken.append(Broken(words, set_bytes(name, always(foreign.encode())), f"{name}{problem}"))
        yield Valid(f"own data as {kind}", data_only(kind), broken, data=name)
    whole = written([{**row, "split": ("train", "test")[n % 2]} for n, row in enumerate(table_rows())], "csv").decode()
    again = [
        {**row, "text": f"الخبر {n % 4}", "split": ("train", "test")[n // 4 % 2]} for n, row in enumerate(table_rows())
    ]
    yield Valid(
        "own data with a split",
        lambda folder: put(folder, "parts/all.csv", whole),
        [
            Broken(
                "training texts that all stand in test",
                set_bytes("parts/all.csv", lambda _: written(again, "csv")),
                "parts/all.csv: split: every train example repeats",
            ),
        ],
        data="parts/all.csv",
    )
    labels = "documents/labels.csv"
    yield Valid(
        "own documents",
        documents_only,
        [
            Broken("two files of labels", lambda f: put(f, "documents/more.csv", "a,b\n1,2\n"), "documents: "),
            Broken("no file of labels", lambda f: (f / labels).unlink(), "documents: "),
            Broken("a pipe for the labels", instead(labels, os.mkfifo), labels),
            Broken("a pipe for a document", instead("documents/a.txt", os.mkfifo), "documents/a.txt"),
            Broken("no documents", lambda f: [(f / f"documents/{n}.txt").unlink() for n in "ab"], "documents: "),
            Broken("an offset beyond the document", substitute(labels, "30", "300"), f"{labels}, line 3: "),
            Broken("no column of offsets", substitute(labels, "start", "at"), "documents/labels.csv: "),
        ],
        data="documents",
    )


def inputs() -> list[Valid]:
    """Every valid input, with all that can be broken in it."""
    return [*tables(), *splits(), passes(), sample(), *standoff(), *tools(), definitions(), *own_data()]


# What `bench predict` is given


def new_text() -> Iterator[Valid]:
    """New text to be labelled, in every format that is read."""
    cells_by_kind: dict[str, dict[str, Row]] = {
        "csv": {},
        "tsv": {},
        "jsonl": {
            "a text that is a list": {"text": ["نفى"]},
            "a text with half a surrogate pair": {"text": "\udc00"},
            "another column with half a surrogate pair": {"id": "\ud83d"},
            "no text": {"text": ...},
            "a label already": {"label": "none"},
        },
    }
    for kind, changes in cells_by_kind.items():
        name = FILES[kind].replace("labels", "new")
        rows = [{"id": row["id"], "text": row["text"]} for row in table_rows()]
        broken = [*file_mutations(name), *arabic_mutations(name, 1 if kind == "jsonl" else 2)]
        told = ("UTF-16 with its byte order mark", ", Windows-1256")  # encodings that are told and read
        broken = [each for each in broken if not each.words.endswith(told)]
        for words, cells in changes.items():
            number = random.Random(f"{kind} {words}").randrange(1, N_ROWS)
            other = rows.copy()
            other[number] = {key: value for key, value in (rows[number] | cells).items() if value is not ...}
            content = written(other, kind)
            place = row_place(kind, number).replace("labels", "new")
            broken.append(Broken(words, set_bytes(name, always(content)), place))

        def write(folder: Path, name: str = name, rows: list[Row] = rows, kind: str = kind) -> None:
            put(folder, name, lines(rows) if kind == "jsonl" else written(rows, kind))

        yield Valid(f"new text as {kind}", write, broken, data=name)
