"""Files in the forms that people have become the right task at the first command, or a message names the next one.

All texts are invented. Each form is written by a function into an empty folder; what it must be read as stands with it.
"""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.catalogue import load_task
from bench.data.sources.layout import Asked
from bench.errors import DataError, UserError
from bench.prediction.reading import read_texts_file
from bench.scaffold import Given, TaskRequest, scaffold_task
from bench.scaffold.file_form import detect_form

Rows = list[tuple[str, str]]
Bench = Callable[..., tuple[int, str, str]]

ROWS: Rows = [
    ("نفى الوزير، ثم سكت, اليوم", "denial"),
    ("أكد المتحدث; الخبر", "none"),
    ('قالت "رويترز" إن ذلك صحيح', "none"),
    ("لم يعلق | المكتب", "denial"),
    ("لا تعليق 'رسمي' حتى الآن", "denial"),
    ("أعلن عن موعد جديد\nفي المساء, غدا", "none"),
    ("عاد الوفد أمس", "none"),
]
"""Rows with all that delimiters and quotation marks can be mistaken for."""

LINES: Rows = [(text.replace("\n", " "), label) for text, label in ROWS]
"""The same without line ends, for forms that have a text a line."""

PLAIN: Rows = [(text.replace(",", "،").replace(";", "؛").replace("|", "-"), label) for text, label in LINES]
"""The same without delimiters, for tables that quote nothing."""

ARABIC: Rows = [("قال الوزير إن الخبر صحيح", "نعم"), ("نفى المتحدث", "لا")]
"""Rows of Arabic letters, for encodings that have little else."""


@dataclass(frozen=True)
class Form:
    """A form that data can have.

    Parameters
    ----------
    write : callable
        Writes the data into a folder.
    data : str or list of str
        What ``--data`` is given; empty for the one file that is written.
    rows : list of (str, str)
        The texts and labels that must be read.
    options : list of str
        Further options of the command.
    split : list of str
        The part of each row, for published splits.
    told : str
        What the command must say of it.
    """

    write: Callable[[Path], object]
    data: str | list[str] = ""
    rows: Rows = field(default_factory=lambda: ROWS)
    options: list[str] = field(default_factory=list)
    split: list[str] = field(default_factory=list)
    told: str = ""


def put(name: str, content: str | bytes, encoding: str = "utf-8") -> Callable[[Path], object]:
    """Write a file."""

    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))

    return write


def several(*writers: Callable[[Path], object]) -> Callable[[Path], object]:
    """Write several files."""
    return lambda folder: [write(folder) for write in writers]


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] | None = ("text", "label"), **dialect: Any) -> str:
    """Write a table by Python's csv."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, **{"lineterminator": "\n", **dialect})
    if header is not None:
        writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def bare(rows: Rows, mark: str = "\t", header: str = "text{}label", end: str = "\n") -> str:
    """Write a table that quotes nothing."""
    lines = ([header.format(mark)] if header else []) + [mark.join(row) for row in rows]
    return "".join(line + end for line in lines)


def objects(rows: Rows = ROWS) -> list[dict[str, str]]:
    """Rows as objects of JSON."""
    return [{"text": text, "label": label} for text, label in rows]


def as_json(content: Any, indent: int | None = None) -> str:
    """Write JSON."""
    return json.dumps(content, ensure_ascii=False, indent=indent)


def zipped(**files: str) -> bytes:
    """An archive, with what a Mac leaves in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
        archive.writestr("__MACOSX/._a.csv", b"\0\0")
        archive.writestr("README.md", "notes")
    return buffer.getvalue()


def workbook(folder: Path, merge: str = "", **sheets: Sequence[tuple[str, ...]]) -> None:
    """Write an Excel workbook."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if merge:
            sheet.merge_cells(merge)
    book.save(folder / "a.xlsx")


def saved(folder: Path, **parts: Rows) -> None:
    """Save a data set of `datasets`, with codes for labels, or one for each part."""
    datasets = pytest.importorskip("datasets")
    label = datasets.ClassLabel(names=sorted({label for _, label in ROWS}))
    features = datasets.Features({"text": datasets.Value("string"), "label": label})
    made = {name: datasets.Dataset.from_list(objects(rows), features=features) for name, rows in parts.items()}
    whole = datasets.DatasetDict(made) if len(made) > 1 else next(iter(made.values()))
    whole.save_to_disk(str(folder / "d"))


def pieces(folder: Path, name: str, **parts: Rows) -> None:
    """Write each part into two files of Parquet, as the Hub has them."""
    (folder / name).mkdir(parents=True)
    for part, rows in parts.items():
        for number, some in enumerate((rows[:1], rows[1:])):
            pd.DataFrame(objects(some)).to_parquet(folder / name / f"{part}-{number}-of-2.parquet")


def studio(text: str, label: str) -> dict[str, Any]:
    """A task of Label Studio."""
    result = {"value": {"choices": [label]}, "from_name": "topic", "to_name": "text", "type": "choices"}
    annotation = {"completed_by": {"id": 1, "email": "sara@example.org"}, "result": [result]}
    return {"data": {"text": text}, "annotations": [annotation]}


def class_folders(folder: Path, *above: str, rows: Rows = ROWS, encoding: str = "utf-8") -> None:
    """Write a folder for each class."""
    for number, (text, label) in enumerate(rows):
        put("/".join(["news", *above, label, f"{number}.txt"]), text + "\n", encoding)(folder)


def beside(first: str, second: str, rows: Rows = LINES) -> Callable[[Path], object]:
    """Write texts and labels in two files."""
    return several(
        put(first, "".join(f"{text}\n" for text, _ in rows)), put(second, "".join(f"{label}\n" for _, label in rows))
    )


def parts(name: str, write: Callable[[Rows], str]) -> Callable[[Path], object]:
    """Write a published split; `name` holds ``{}`` for the part."""
    return several(*(put(name.format(part), write(PARTS[part])) for part in PARTS))


PARTS: dict[str, Rows] = {"train": ROWS[:3], "dev": ROWS[3:5], "test": ROWS[5:]}
PLAIN_PARTS: dict[str, Rows] = {"train": PLAIN[:3], "dev": PLAIN[3:5], "test": PLAIN[5:]}
FORMS: Rows = [(f"{text} {n}", label) for n in range(3) for text, label in LINES]
LINE_PARTS: dict[str, Rows] = {"train": LINES[:3], "dev": LINES[3:5], "test": LINES[5:]}
SPLIT = [part for part, rows in PARTS.items() for _ in rows]
LIKE_CASE = [
    ('"قال الوزير نعم"', "yes"),
    ('"بدأ الكلام ولم', "no"),
    ("نص عادي", "yes"),
    ("نص آخر", "no"),
    ('انتهى الكلام"', "yes"),
    ("ختام", "no"),
]
YES_NO = ("text", "health", "economy")
BY_CLASS = sorted(enumerate(ROWS), key=lambda row: (row[1][1], row[0]))
WINDOWS = "windows-1256"

TAKEN: dict[str, Form] = {
    "CSV": Form(put("a.csv", table(ROWS)), "a.csv"),
    "CSV of Excel, with its mark and line ends": Form(
        put("a.csv", table(ROWS, lineterminator="\r\n"), "utf-8-sig"), "a.csv"
    ),
    "CSV with every cell quoted": Form(put("a.csv", table(ROWS, quoting=csv.QUOTE_ALL)), "a.csv"),
    "CSV with semicolons": Form(put("a.csv", table(ROWS, delimiter=";")), "a.csv"),
    "CSV with bars": Form(put("a.csv", table(ROWS, delimiter="|")), "a.csv"),
    "CSV with tabs": Form(put("a.csv", table(ROWS, delimiter="\t")), "a.csv"),
    "CSV with single quotation marks": Form(
        put("a.csv", table(ROWS, quotechar="'", quoting=csv.QUOTE_ALL)), "a.csv", told="single quotation marks"
    ),
    "CSV with single quotation marks where they are needed": Form(
        put("a.csv", table([("أ; ب", "x"), ("ج", "y"), ("د; ه", "x")], delimiter=";", quotechar="'")),
        "a.csv",
        [("أ; ب", "x"), ("ج", "y"), ("د; ه", "x")],
    ),
    "CSV with backslashes before quotation marks": Form(
        put("a.csv", table(ROWS, doublequote=False, escapechar="\\")), "a.csv", told="backslashes"
    ),
    "CSV with Excel's line": Form(put("a.csv", "sep=;\n" + table(ROWS, delimiter=";")), "a.csv"),
    "CSV with Excel's line in quotation marks": Form(put("a.csv", '"sep=;"\n' + table(ROWS, delimiter=";")), "a.csv"),
    "CSV whose lines end as on an old Mac": Form(put("a.csv", table(LINES, lineterminator="\r")), "a.csv", LINES),
    "CSV whose lines end twice": Form(put("a.csv", table(LINES, lineterminator="\r\r\n")), "a.csv", LINES),
    "CSV with blank lines": Form(put("a.csv", "\n\n" + table(ROWS).replace("none\n", "none\n\n") + "\n\n"), "a.csv"),
    "CSV with a line about it": Form(put("a.csv", "# collected in May\n" + table(ROWS)), "a.csv"),
    "CSV with empty rows of a spreadsheet": Form(put("a.csv", table(ROWS) + ",\n,\n"), "a.csv"),
    "CSV with delimiters at the end of each line": Form(
        put("a.csv", table([(*row, "", "") for row in ROWS], ("text", "label", "", ""))), "a.csv"
    ),
    "CSV with a delimiter at the end of each row": Form(put("a.csv", table([(*row, "") for row in ROWS])), "a.csv"),
    "CSV with an index of pandas": Form(
        put("a.csv", table([(str(n), *row) for n, row in enumerate(ROWS)], ("", "text", "label"))), "a.csv"
    ),
    "CSV with row numbers of R": Form(
        put("a.csv", table([(str(n), *row) for n, row in enumerate(ROWS, start=1)], quoting=csv.QUOTE_ALL)), "a.csv"
    ),
    "CSV with a space behind each comma": Form(
        put("a.csv", "text, label\n" + "".join(f'"{text}, x", {label}\n' for text, label in PLAIN[3:])),
        "a.csv",
        [(f"{text}, x", label) for text, label in PLAIN[3:]],
    ),
    "CSV in UTF-16": Form(put("a.csv", table(ROWS, delimiter="\t"), "utf-16"), "a.csv", told="in UTF-16"),
    "CSV in Windows-1256": Form(put("a.csv", table(ROWS), WINDOWS), "a.csv", told="in WINDOWS-1256"),
    "CSV without quoting, of texts that begin with a mark": Form(
        put("a.csv", bare(LIKE_CASE, ",")), "a.csv", LIKE_CASE, told="part of the texts"
    ),
    "TSV": Form(put("a.tsv", bare(PLAIN)), "a.tsv", PLAIN),
    "TSV with every text quoted": Form(put("a.tsv", table(ROWS, delimiter="\t", quoting=csv.QUOTE_ALL)), "a.tsv"),
    "TSV quoted where it needs it": Form(put("a.tsv", table(ROWS, delimiter="\t")), "a.tsv"),
    "TSV of texts that begin with a mark": Form(
        put("a.tsv", bare(LIKE_CASE)), "a.tsv", LIKE_CASE, told="part of the texts"
    ),
    "TSV with one quoted text": Form(
        put("a.tsv", bare([('"قال نعم"', "yes"), *LIKE_CASE[2:4], *LIKE_CASE[5:]])),
        "a.tsv",
        [('"قال نعم"', "yes"), *LIKE_CASE[2:4], *LIKE_CASE[5:]],
    ),
    "TSV as .txt": Form(put("a.txt", bare(PLAIN)), "a.txt", PLAIN),
    "TSV without a header": Form(
        put("a.tsv", bare(PLAIN, header="")), "a.tsv", PLAIN, ["--columns", "text,label"], told="without a header"
    ),
    "TSV of another suffix": Form(put("a.data", bare(PLAIN)), "a.data", PLAIN, ["--format", "tsv"]),
    "JSON Lines": Form(put("a.jsonl", "".join(as_json(row) + "\n" for row in objects())), "a.jsonl"),
    "JSON Lines in UTF-16": Form(
        put("a.jsonl", "".join(as_json(row) + "\n" for row in objects()), "utf-16"), "a.jsonl", told="in UTF-16"
    ),
    "JSON, an array of objects": Form(put("a.json", as_json(objects(), 1)), "a.json"),
    "JSON, an object of lists": Form(
        put("a.json", as_json({"text": [row[0] for row in ROWS], "label": [row[1] for row in ROWS]})), "a.json"
    ),
    "JSON, an object by id": Form(
        put("a.json", as_json({f"e{number}": row for number, row in enumerate(objects())}, 1)), "a.json"
    ),
    "JSON, columns of pandas": Form(put("a.json", pd.DataFrame(objects()).to_json(force_ascii=False)), "a.json"),
    "JSON, split of pandas": Form(put("a.json", pd.DataFrame(objects()).to_json(orient="split")), "a.json"),
    "JSON with the rows under a key": Form(put("a.json", as_json({"version": 1, "data": objects()})), "a.json"),
    "Parquet": Form(lambda folder: pd.DataFrame(objects()).to_parquet(folder / "a.parquet"), "a.parquet"),
    "an Excel workbook": Form(lambda folder: workbook(folder, Sheet1=[("text", "label"), *ROWS], Sheet2=[]), "a.xlsx"),
    "a sheet of a workbook": Form(
        lambda folder: workbook(folder, notes=[("a", "b")], data=[("text", "label"), *ROWS]),
        "a.xlsx",
        options=["--sheet", "data"],
    ),
    "a sheet without a header": Form(
        lambda folder: workbook(folder, data=ROWS), "a.xlsx", options=["--columns", "text,label"]
    ),
    "fastText's lines": Form(
        put("a.txt", "".join(f"__label__{label} {text}\n" for text, label in LINES)), "a.txt", LINES
    ),
    "a folder for each class": Form(class_folders, "news", [row for _, row in BY_CLASS]),
    "a folder for each class in Windows-1256": Form(
        lambda folder: class_folders(folder, encoding=WINDOWS),
        "news",
        [row for _, row in BY_CLASS],
        told="in WINDOWS-1256",
    ),
    "texts and labels in two files": Form(beside("texts.txt", "labels.txt"), ["texts.txt", "labels.txt"], LINES),
    "texts and labels in the files of a folder": Form(beside("d/x.txt", "d/y.txt"), "d", LINES),
    "texts and labels of each part of a split": Form(
        several(*(beside(f"d/{part}_text.txt", f"d/{part}_labels.txt", rows) for part, rows in LINE_PARTS.items())),
        "d",
        LINES,
        split=SPLIT,
    ),
    "labels in files of a suffix of their own": Form(
        several(*(beside(f"{part}.txt", f"{part}.labels", rows) for part, rows in LINE_PARTS.items())),
        [f"{part}.{suffix}" for part in LINE_PARTS for suffix in ("txt", "labels")],
        LINES,
        split=SPLIT,
    ),
    "pieces of Parquet": Form(
        lambda folder: pieces(folder, "p", train=ROWS), ["p/train-0-of-2.parquet", "p/train-1-of-2.parquet"]
    ),
    "a data set of the Hub, as it is downloaded": Form(
        lambda folder: [pieces(folder, "d/data", **PARTS), put("d/README.md", "notes")(folder)], "d", split=SPLIT
    ),
    "a ZIP archive with one table": Form(put("a.zip", zipped(data__csv=table(ROWS))), "a.zip"),
    "a table in gzip": Form(put("a.csv.gz", gzip.compress(table(ROWS).encode())), "a.csv.gz"),
    "a table in bzip2": Form(put("a.tsv.bz2", bz2.compress(bare(PLAIN).encode())), "a.tsv.bz2", PLAIN),
    "a table in xz": Form(put("a.json.xz", lzma.compress(as_json(objects()).encode())), "a.json.xz"),
    "CSV of a form on the web": Form(
        put(
            "a.csv",
            table(
                [(f"2024/05/{day:02d} 3:10 PM", f"u{day}@x.org", *row) for day, row in enumerate(FORMS, start=1)],
                ("Timestamp", "Email Address", "اكتب نص الخبر هنا", "ما هو تصنيف الخبر؟"),
                lineterminator="\r\n",
            ),
        ),
        "a.csv",
        FORMS,
    ),
    "CSV with a mark of the beginning where files were joined": Form(
        put("a.csv", "\ufeff" + table(ROWS[:4]) + "\ufeff" + table(ROWS[4:], None)), "a.csv"
    ),
    "CSV whose lines end in two ways": Form(
        put("a.csv", table(LINES[:3], lineterminator="\r\n") + table(LINES[3:], None)), "a.csv", LINES
    ),
    "CSV with marks of direction": Form(
        put("a.csv", table([(text, f"\u200f{label}\u200f") for text, label in ROWS])), "a.csv", told="is written as"
    ),
    "CSV of old letters, with semicolons": Form(
        put("a.csv", table(LINES, ("النص", "الفئة"), delimiter=";", lineterminator="\r\n"), WINDOWS), "a.csv", LINES
    ),
    "a table whose name has no suffix": Form(put("data", table(ROWS)), "data"),
    "a table of an unknown suffix": Form(put("a.dat", bare(PLAIN)), "a.dat", PLAIN),
    "a table whose suffix is in capitals": Form(put("A.CSV", table(ROWS)), "A.CSV"),
    "bars by their suffix": Form(put("a.psv", table(ROWS, delimiter="|")), "a.psv"),
    "row numbers of R between tabs": Form(
        put(
            "a.tsv",
            '"text"\t"label"\n' + "".join(f'"{n}"\t"{a}"\t"{b}"\n' for n, (a, b) in enumerate(PLAIN[3:], start=1)),
        ),
        "a.tsv",
        PLAIN[3:],
    ),
    "JSON Lines in a file of JSON": Form(put("a.json", "".join(as_json(row) + "\n" for row in objects())), "a.json"),
    "JSON, table of pandas": Form(put("a.json", pd.DataFrame(objects()).to_json(orient="table")), "a.json"),
    "JSON with the rows deep under keys": Form(
        put("a.json", as_json({"status": "ok", "result": {"data": objects()}})), "a.json"
    ),
    "JSON, an object of texts by label": Form(
        put("a.json", as_json({label: [text for text, own in ROWS if own == label] for label in ("denial", "none")})),
        "a.json",
        sorted(ROWS, key=lambda row: row[1]),
    ),
    "JSON, an object of labels by text": Form(
        put("a.json", as_json({f"{text} {n}": label for n in range(2) for text, label in ROWS})),
        "a.json",
        [(f"{text} {n}", label) for n in range(2) for text, label in ROWS],
    ),
    "doccano's lists of labels": Form(
        put("a.jsonl", "".join(as_json({"text": text, "label": [label]}) + "\n" for text, label in ROWS)), "a.jsonl"
    ),
    "Prodigy's choices": Form(
        put(
            "a.jsonl",
            "".join(as_json({"text": text, "accept": [label], "answer": "accept"}) + "\n" for text, label in ROWS),
        ),
        "a.jsonl",
    ),
    "Label Studio, with addresses of annotators": Form(
        put("a.json", as_json([studio(text, label) for text, label in ROWS])),
        "a.json",
        told="label from 'topic' (the only one with annotations)",
    ),
    "the compressed files of a split": Form(
        lambda folder: [
            put(f"{part}.tsv.gz", gzip.compress(bare([*rows]).encode()))(folder) for part, rows in PLAIN_PARTS.items()
        ],
        [f"{part}.tsv.gz" for part in PARTS],
        PLAIN,
        split=SPLIT,
    ),
    "the files of a split": Form(
        parts("{}.csv", table), ["dev.csv", "test.csv", "train.csv"], split=SPLIT, told="train 3, dev 2, test 2"
    ),
    "a folder with the files of a split": Form(
        parts("d/ar_{}_v1.tsv", lambda rows: table(rows, delimiter="\t")), "d", split=SPLIT
    ),
    "a folder for each class of each part": Form(
        lambda folder: [class_folders(folder, part, rows=rows) for part, rows in PARTS.items()],
        "news",
        [row for part in sorted(PARTS) for row in sorted(PARTS[part], key=lambda row: row[1])],
        split=[part for part in sorted(PARTS) for _ in PARTS[part]],
    ),
    "the parts of a split with their columns in another order": Form(
        several(
            put("train.csv", table(ROWS)),
            put("test.csv", table([(b, f"قالوا {a}") for a, b in ROWS], ("label", "text"))),
        ),
        ["train.csv", "test.csv"],
        [*ROWS, *((f"قالوا {text}", label) for text, label in ROWS)],
        split=["train"] * len(ROWS) + ["test"] * len(ROWS),
    ),
    "flat records of Argilla": Form(
        put(
            "a.jsonl",
            "".join(as_json({"text": a, "label.responses": [b], "label.suggestion": None}) + "\n" for a, b in ROWS),
        ),
        "a.jsonl",
    ),
    "records of MongoDB": Form(
        put("a.json", "".join(as_json({"_id": {"$oid": "5f"}, "text": a, "label": b}) + "\n" for a, b in ROWS)),
        "a.json",
    ),
    "lists of columns, one of objects": Form(
        put(
            "a.json",
            as_json({"text": [a for a, _ in ROWS], "label": [b for _, b in ROWS], "meta": [{"n": 1}] * len(ROWS)}),
        ),
        "a.json",
    ),
    "CSV with a column of numbers and a hash sign in its header": Form(
        put("a.csv", table([(str(n), *row) for n, row in enumerate(ROWS)], ("#id", "text", "label"))), "a.csv"
    ),
    "tweets with their entities": Form(
        put(
            "a.jsonl",
            "".join(as_json({"text": a, "entities": {"hashtags": []}, "label": b}) + "\n" for a, b in ROWS),
        ),
        "a.jsonl",
    ),
    "a data set that datasets saved": Form(lambda folder: saved(folder, all=ROWS), "d"),
    "a split that datasets saved": Form(
        lambda folder: saved(folder, train=PARTS["train"], validation=PARTS["dev"], test=PARTS["test"]),
        "d",
        split=SPLIT,
    ),
}
"""Forms that become a task at the first command."""


NEXT: dict[str, tuple[Form, str]] = {
    "no header": (Form(put("a.tsv", bare(PLAIN, header="")), "a.tsv"), "--columns text,label"),
    "no header, and a label that is a usual name": (
        Form(
            put("a.csv", bare([("نص أول", "news"), ("نص ثان", "sport"), *PLAIN[:3], *[("نص", "news")] * 2], ",", "")),
            "a.csv",
        ),
        "--columns text,label",
    ),
    "no header, and a label that stands twice in the first line": (
        Form(put("a.tsv", "جملة\tOTHER\tOTHER\nجملة ثانية\tOFF\tINS\n"), "a.tsv"),
        "--columns name-1,name-2,name-3",
    ),
    "two tables in an archive": (Form(put("a.zip", zipped(a__csv="x", b__csv="y")), "a.zip"), "--data a"),
    "two sheets": (
        Form(lambda folder: workbook(folder, a=[("text", "label")], b=[("text", "label")]), "a.xlsx"),
        "--sheet a",
    ),
    "another encoding": (Form(put("a.csv", table([("été déjà", "x")]), "latin-1"), "a.csv"), "--encoding NAME"),
    "UTF-16 without its mark": (Form(put("a.csv", table(ROWS), "utf-16-le"), "a.csv"), "--encoding utf-16-le"),
    "files that say nothing of each other": (
        Form(several(put("a.csv", "x"), put("b.csv", "y")), ["a.csv", "b.csv"]),
        "Files of a published split need train, test or dev in their names",
    ),
    "a piece of a table is missing": (
        Form(several(put("t-00000-of-00003.csv", "x"), put("t-00002-of-00003.csv", "y")), "."),
        "of 3 pieces of a table 1 are missing, such as number 1",
    ),
    "several data sets in one folder": (
        Form(several(put("d/ar/t-0-of-1.csv", "x"), put("d/en/t-0-of-1.csv", "y")), "d"),
        "Choose one: --data d/ar",
    ),
    "the parts of a split without headers": (
        Form(
            parts("{}.tsv", lambda rows: bare([(text, label) for text, label in PLAIN], header="")),
            [
                "train.tsv",
                "test.tsv",
            ],
        ),
        "--columns text,label",
    ),
    "a test part without labels": (
        Form(
            several(put("train.csv", table(ROWS)), put("test.csv", table([(text,) for text, _ in ROWS], ("text",)))),
            ["train.csv", "test.csv"],
        ),
        "bench run splits it itself: --data train.csv",
    ),
    "a test part whose labels are kept back": (
        Form(
            several(put("train.csv", table(ROWS)), put("test.csv", table([(text, "UNKNOWN") for text, _ in ROWS]))),
            ["train.csv", "test.csv"],
        ),
        "bench run splits it itself: --data train.csv",
    ),
    "a test part with other column names": (
        Form(
            several(put("train.csv", table(ROWS)), put("test.csv", table(ROWS, ("tweet", "class")))),
            ["train.csv", "test.csv"],
        ),
        "It has 'tweet', 'class'. Give each column the same name in all files.",
    ),
    "a test part with other spellings of the labels": (
        Form(
            several(
                put("train.csv", table(ROWS)),
                put("test.csv", table([(f"{text} .", own.upper()) for text, own in ROWS])),
            ),
            ["train.csv", "test.csv"],
        ),
        "labels are denial, none in the training part, but DENIAL, NONE in the test part.",
    ),
    "a split without its test part": (
        Form(several(put("train.csv", "x"), put("dev.csv", "y")), ["train.csv", "dev.csv"]),
        "Add the file of the test part",
    ),
    "a folder without the test part of a split": (
        Form(several(put("d/x_trn.csv", "x"), put("d/x_dev.csv", "y")), "d"),
        "Add the file of the test part",
    ),
    "a quotation mark that is not closed, in a table that quotes": (
        Form(put("a.csv", 'text,label\n"أ, ب",yes\n"بدأ,no\nنص,yes\nانتهى",no\n"ج, د",yes\n'), "a.csv"),
        "--quote",
    ),
    "the header again in the middle": (
        Form(put("a.csv", table(ROWS) + table(ROWS[:2])), "a.csv"),
        "Remove this line",
    ),
    "another delimiter in the header": (
        Form(put("a.csv", bare(PLAIN).replace("text\t", "text,")), "a.csv"),
        "The header is split by commas, this line by tabs. Use one of them.",
    ),
    "a sheet of an old Excel": (Form(put("a.xls", b"\xd0\xcf\x11\xe0"), "a.xls"), "Save the sheet as .xlsx"),
    "columns that say yes or no": (
        Form(
            put("a.csv", table([(text, "01"[n % 2], "10"[n % 2]) for n, (text, _) in enumerate(ROWS)], YES_NO)), "a.csv"
        ),
        "--label health. If each text has one of them, write its name into a column 'label'",
    ),
    "a column of texts for each label": (
        Form(
            put("a.csv", table([(text, text[::-1], f"{text} .") for text, _ in LINES], ("sport", *YES_NO[1:]))), "a.csv"
        ),
        "table.melt(var_name='label', value_name='text')",
    ),
    "ids that stand for texts": (
        Form(put("a.csv", table([(str(10**18 + n), "ab"[n % 2]) for n in range(9)], ("tweet_id", "label"))), "a.csv"),
        "If 'tweet_id' refers to texts elsewhere",
    ),
    "lines of texts alone": (Form(put("a.txt", "نفى\nأكد\n"), "a.txt"), "put the word labels into its name"),
    "lines of texts beside those of labels": (
        Form(beside("d/a.txt", "d/a_labels.txt", PLAIN[-1:] * 2), "d/a.txt"),
        "--data d/a.txt --data d/a_labels.txt",
    ),
}
"""Forms of which a message names the next command."""


AGAIN = "the header is repeated here"

MISREAD: dict[str, tuple[Form, str]] = {
    "the header again behind a byte order mark": (
        Form(put("a.csv", table(ROWS) + "\ufeff" + table(ROWS[:2]))),
        f"line 10: {AGAIN}",
    ),
    "the header again behind a byte order mark, in quotation marks": (
        Form(put("a.csv", table(ROWS, quoting=csv.QUOTE_ALL) + "\ufeff" + table(ROWS[:2], quoting=csv.QUOTE_ALL))),
        f"line 10: {AGAIN}",
    ),
    "the header again behind a byte order mark, with tabs": (
        Form(put("a.tsv", bare(PLAIN) + "\ufeff" + bare(PLAIN[:2]))),
        f"line 9: {AGAIN}",
    ),
    "the header again in UTF-16": (
        Form(lambda folder: (folder / "a.txt").write_bytes(bare(PLAIN).encode("utf-16") * 2), "a.txt"),
        f"line 9: {AGAIN}",
    ),
    "the header again in other letter case": (
        Form(put("a.csv", table(ROWS) + table(ROWS[:2], ("Text", "LABEL")))),
        f"line 10: {AGAIN}",
    ),
    "the header again with spaces": (Form(put("a.csv", table(ROWS) + table(ROWS[:2], ("text ", " label")))), AGAIN),
    "the header again in another order": (Form(put("a.csv", table(ROWS) + table(ROWS[:2], ("label", "text")))), AGAIN),
    "the header again in a sheet": (
        Form(lambda folder: workbook(folder, data=[("text", "label"), *ROWS, ("Text", "label"), *ROWS])),
        f"row 9: {AGAIN}",
    ),
    "the header again in Parquet": (
        Form(lambda folder: pd.DataFrame(objects([*ROWS, ("text", "label")])).to_parquet(folder / "a.parquet")),
        f"row 8: {AGAIN}",
    ),
    "the header again in JSON Lines": (
        Form(put("a.jsonl", "".join(as_json(row) + "\n" for row in objects([*ROWS, ("text", "label")])))),
        f"line 8: {AGAIN}",
    ),
    "a title above the header": (
        Form(put("a.csv", "بيانات المشروع,\n" + table(ROWS, ("النص", "التصنيف")))),
        "line 1: this is a title. The header is in line 2",
    ),
    "a title of one cell and a blank line above the header": (
        Form(put("a.csv", "بيانات المشروع\n\n" + table(ROWS, delimiter=";"))),
        "line 1: this is a title. The header is in line 3",
    ),
    "a title above the header of a table with tabs": (
        Form(put("a.tsv", "بيانات المشروع\t\n" + bare(PLAIN, header="id text{}class"))),
        "The header is in line 2",
    ),
    "a title of Excel in Windows-1256": (
        Form(put("a.csv", "بيانات المشروع;;\n" + table(ROWS, delimiter=";"), WINDOWS)),
        "The header is in line 2",
    ),
    "a title in a sheet": (
        Form(lambda folder: workbook(folder, data=[("بيانات", ""), ("2024", ""), ("text", "label"), *ROWS])),
        "row 1: this is a title. The header is in row 3",
    ),
    "kinds of values below the header": (
        Form(put("a.csv", "text,label\nstring,category\n" + table(ROWS, None))),
        "Remove line 2.",
    ),
    "descriptions of a survey below the header": (
        Form(
            put(
                "a.csv",
                table([("معرف", "اكتب نصا"), ('{"ImportId":"_id"}', '{"ImportId":"Q1"}'), *ROWS], ("ResponseId", "Q1")),
            )
        ),
        "Remove lines 2 and 3.",
    ),
    "another header below codes of columns": (
        Form(
            put(
                "a.csv",
                table(
                    [("رقم", "النص", "التصنيف"), *((str(n), *row) for n, row in enumerate(ROWS))], ("V1", "V2", "V3")
                ),
            )
        ),
        "Remove line 1.",
    ),
    "the header in another language": (
        Form(put("a.csv", table([("النص", "التصنيف"), *ROWS]))),
        "line 2: this repeats the column names. It is not an example.",
    ),
    "a line that rules off the header": (
        Form(put("a.txt", bare([(" --- ", " --- "), *PLAIN], "|"))),
        "Remove line 2.",
    ),
    "ISO 8859-6": (
        Form(put("a.csv", table(ARABIC), "iso-8859-6")),
        "--encoding iso-8859-6",
    ),
    "the Arabic code page of DOS": (
        Form(put("a.csv", table(ARABIC), "cp720")),
        "--encoding cp720",
    ),
    "a code page that nothing tells": (
        Form(put("a.csv", table([("привет мир", "x")]), "koi8-r")),
        "--encoding NAME",
    ),
    "UTF-8 cut off within a character": (
        Form(put("a.csv", (table(ROWS) + "نص").encode()[:-1])),
        "line 10: the file ends in the middle of a UTF-8 character",
    ),
    "Windows-1256 below UTF-8": (
        Form(put("a.csv", table(ROWS).encode() + table(ROWS * 50, None).encode(WINDOWS))),
        "What follows is most likely WINDOWS-1256",
    ),
    "UTF-8 below Windows-1256": (
        Form(put("a.csv", table(ROWS * 50).encode(WINDOWS) + table(ROWS[:3], None).encode())),
        "is not UTF-8",
    ),
    "merged cells": (
        Form(
            lambda folder: workbook(
                folder, merge="B2:B4", data=[("text", "label"), *ROWS[:1], *((text, "") for text, _ in ROWS[1:])]
            )
        ),
        "the cells B2:B4 are merged",
    ),
    "merged cells far below the header": (
        Form(lambda folder: workbook(folder, merge="B61:B63", data=[("text", "label"), *ROWS * 10])),
        "the cells B61:B63 are merged",
    ),
    "a formula without its value": (
        Form(lambda folder: workbook(folder, data=[("text", "label"), *((text, '="x"') for text, _ in ROWS)])),
        "row 2: the value of the formula '=\"x\"' is not stored in the file",
    ),
}
"""Forms that would give wrong examples, and what is said of them."""


HINTS: dict[str, tuple[Form, str]] = {
    "the first row again, and no header": (
        Form(put("a.tsv", bare([*PLAIN, PLAIN[0]], header=""))),
        "If the first line is a row, not a header, name the columns, for example --columns name-1,name-2.",
    ),
    "Arabic commas": (Form(put("a.csv", bare(PLAIN[2:3], "،"))), "Write ',' or a tab between cells"),
    "XML as text": (Form(put("a.txt", "<?xml version='1.0'?>\n<a/>\n")), "It looks like XML or HTML"),
    "XML": (Form(put("a.xml", "<a/>\n")), "into a .csv file in UTF-8 with a header"),
    "a pickle of pandas": (Form(put("a.pkl", b"x")), "to_parquet('a.parquet')"),
    "a text within an object": (
        Form(put("a.jsonl", as_json({"data": {"text": "نص"}, "label": "x"}) + "\n")),
        "'data' is an object with 'text' in it",
    ),
    "a label within an object": (
        Form(put("a.jsonl", as_json({"text": "نص", "annotation": {"label": "x"}}) + "\n")),
        "'annotation' is an object with 'label' in it",
    ),
    "lists for rows": (
        Form(put("a.json", as_json(ROWS))),
        "To convert [text, label] lists: python -c",
    ),
    "another table below": (
        Form(put("a.csv", table(ROWS) + "\nclass,count\ndenial,3\nnone,4\n")),
        "line 11: another table seems to start here, with class, count.",
    ),
    "another table below in a sheet": (
        Form(lambda folder: workbook(folder, data=[("text", "label"), *ROWS, (), ("الفئة", "العدد"), ("none", "4")])),
        "row 10: another table seems to start here",
    ),
    "R's table with spaces": (
        Form(put("a.txt", '"text" "label"\n' + "".join(f'"{n}" "{a}" "{b}"\n' for n, (a, b) in enumerate(PLAIN[3:])))),
        "Then use --data a.csv",
    ),
    "words that INCEpTION labels": (
        Form(put("a.tsv", "#FORMAT=WebAnno TSV 3.3\n\n#Text=a b\n1-1\t0-1\ta\tx\t\n")),
        "labels words and spans, not whole texts",
    ),
    "a workbook with macros": (Form(put("a.xlsm", b"x")), "Save the sheet as .xlsx"),
    "labels as lists of Python": (
        Form(put("a.csv", table([(text, f"['{label}']") for text, label in ROWS]))),
        "7 of 7 rows have a list written as text in the column 'label'",
    ),
    "SPSS": (Form(put("a.sav", b"x")), "pandas can read it with the package pyreadstat"),
    "two lists of objects": (
        Form(put("a.json", as_json({"features": [{"name": "text"}], "rows": objects()}))),
        "Save each list in its own file",
    ),
    "UTF-16 of another order without its mark": (
        Form(put("a.csv", table(ROWS), "utf-16-be")),
        "iconv -f UTF-16BE -t UTF-8 FILE\nA table can also be read as it is: use --encoding utf-16-be",
    ),
    "UTF-32": (Form(put("a.csv", table(ROWS), "utf-32")), "this is UTF-32"),
    "UTF-32 of another order": (
        Form(put("a.csv", codecs.BOM_UTF32_BE + table(ROWS).encode("utf-32-be"))),
        "use --encoding utf-32",
    ),
    "rows filled up with NUL": (
        Form(put("a.csv", table([(f"{text}\0\0", label) for text, label in ROWS]))),
        "Remove such bytes from the file.",
    ),
    "letters of an old Mac": (
        Form(put("a.csv", table(ARABIC), "mac-arabic")),
        "use --encoding mac-arabic",
    ),
    "Russian whose letters are Arabic ones in another encoding": (
        Form(put("a.csv", table([("сказал министр что новость верна", "x")]), "koi8-r")),
        "--encoding NAME",
    ),
    "lists of words": (
        Form(put("a.jsonl", "".join(as_json({"text": a.split(), "label": b}) + "\n" for a, b in ROWS))),
        "Join the items of each list into one text",
    ),
    "a score for each label": (
        Form(put("a.jsonl", "".join(as_json({"text": a, "label": {b: 1}}) + "\n" for a, b in ROWS))),
        "Write one column for each of its keys",
    ),
    "a label that no row has": (
        Form(
            put("a.jsonl", "".join(as_json({"text": a, "id": n, "label": []}) + "\n" for n, (a, _) in enumerate(ROWS)))
        ),
        "no row with a label",
    ),
    "a survey's second line": (
        Form(
            put(
                "a.csv",
                "number,text,label\n,Open-Ended Response,Response\n" + table([("1", *row) for row in ROWS], None),
            )
        ),
        "a.csv, line 2: this describes the columns. It is not an example.",
    ),
    "a total below the rows": (
        Form(put("a.csv", table([*ROWS, ("المجموع", str(len(ROWS)))]))),
        "this row counts the rows above it. It is not an example.",
    ),
    "a total below the rows of a sheet": (
        Form(
            lambda folder: workbook(
                folder, data=[("no", "text", "label"), *(("1", *row) for row in ROWS), ("Total", "7", "")]
            )
        ),
        "a.xlsx, row 9: this row counts the rows above it",
    ),
    "no header, a topic that all rows have, and a tab at the end of each": (
        Form(
            put(
                "a.tsv",
                "".join(
                    f"{10**17 + n}\tخبر\t{b}\t{a} ثم سكت الجميع طوال اليوم كله\t\n" for n, (a, b) in enumerate(PLAIN)
                ),
            )
        ),
        "--columns column-1,column-2,label,text,column-5",
    ),
    "a line below the table": (Form(put("a.csv", table(ROWS) + "Total: 60\n")), "a total, a source or similar"),
}
"""Further forms that are no table, and what is said of them."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new_task(bench: Bench, form: Form) -> tuple[int, str, str]:
    data = [form.data] if isinstance(form.data, str) else form.data
    return bench("new", "task", "mine", *(word for name in data for word in ("--data", name)), *form.options)


def test_most_forms_need_no_second_command() -> None:
    first = [name for name, form in TAKEN.items() if not form.options]
    assert len(TAKEN) + len(NEXT) >= 60
    assert len(first) >= 0.75 * (len(first) + len(NEXT))


@pytest.mark.parametrize("name", TAKEN)
def test_a_form_becomes_the_right_task_at_the_first_command(folder: Path, bench: Bench, name: str) -> None:
    form = TAKEN[name]
    form.write(folder)
    status, printed, told = new_task(bench, form)
    assert status in (0, 1), told  # 1: the checks have found something in the few texts
    assert f"Read {len(form.rows):,} rows of" in " ".join(printed.split())
    assert form.told in " ".join(printed.split())
    task = load_task("mine")
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == form.rows
    assert task.splits == (("split",) if form.split else ())
    if form.split:
        assert task.examples["split"].tolist() == form.split


@pytest.mark.parametrize("name", NEXT)
def test_of_another_form_a_message_names_the_next_command(folder: Path, bench: Bench, name: str) -> None:
    form, expected = NEXT[name]
    form.write(folder)
    status, printed, told = new_task(bench, form)
    assert (status, printed) == (2, "")
    assert expected in told
    assert not (folder / "tasks").exists()


@pytest.mark.parametrize("name", MISREAD)
def test_what_would_be_misread_is_refused_for_tasks_and_new_text(folder: Path, name: str) -> None:
    form, expected = MISREAD[name]
    form.write(folder)
    (path,) = folder.iterdir()
    with pytest.raises(UserError) as of_task:
        scaffold_task(TaskRequest("mine", path.name), folder)
    with pytest.raises(UserError) as of_new_text:
        list(read_texts_file(Path(path.name), {"text": "text"}, ()).rows)
    for told in (of_task.value, of_new_text.value):
        assert expected in f"{told.message}\n{told.hint}"


@pytest.mark.parametrize("again", ["text", "Text ", "\ufefftext"])
def test_the_header_again_is_told_in_a_file_of_one_column_too(folder: Path, again: str) -> None:
    put("a.csv", f"text\nنفى الوزير\n{again}\nأكد الخبر\n")(folder)
    with pytest.raises(UserError, match=rf"a\.csv, line 3: {AGAIN}"):
        list(read_texts_file(Path("a.csv"), {"text": "text"}, ()).rows)


@pytest.mark.parametrize("name", HINTS)
def test_of_what_is_no_table_a_message_says_what_to_do(folder: Path, name: str) -> None:
    form, expected = HINTS[name]
    form.write(folder)
    (path,) = folder.iterdir()
    with pytest.raises(UserError) as told:
        scaffold_task(TaskRequest("mine", path.name), folder)
    assert expected in f"{told.value.message}\n{told.value.hint}"


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("end", ["", ", ثم", "\n", '"'])
def test_a_text_may_be_as_long_as_a_book(folder: Path, quoting: int, end: str) -> None:
    rows = [("نص " * 60_000 + end + "ختام", "none"), *ROWS]
    put("a.csv", table(rows, quoting=quoting))(folder)
    form = detect_form(folder / "a.csv").form
    assert [tuple(row.values()) for _, row in form.rows(folder / "a.csv")] == rows
    assert [row["text"] for _, row in read_texts_file(folder / "a.csv", {"text": "text"}, ()).rows] == [
        row[0] for row in rows
    ]


NAMED_OTHERWISE = (
    "CSV of a form on the web",
    "CSV of old letters, with semicolons",
    "Label Studio, with addresses of annotators",
)
ONE_FILE = [
    name
    for name, form in TAKEN.items()
    if isinstance(form.data, str) and "." in form.data and name not in NAMED_OTHERWISE
]


@pytest.mark.parametrize("name", ONE_FILE)
def test_new_text_is_read_as_a_task_is(folder: Path, name: str) -> None:
    form = TAKEN[name]
    form.write(folder)
    words = dict(zip(form.options[::2], form.options[1::2], strict=True))
    columns = tuple(words["--columns"].split(",")) if "--columns" in words else ()
    asked = Asked(words.get("--format"), None, None, columns, words.get("--sheet"))
    if name == "fastText's lines":
        pytest.skip("its lines are plain lines to a model")
    new = read_texts_file(Path(str(form.data)), {"text": "text"}, (), asked=asked)
    assert [row["text"] for _, row in new.rows] == [text for text, _ in form.rows]


def test_what_was_decided_stands_in_the_tasks_file(folder: Path, bench: Bench) -> None:
    put("a.csv", table(ROWS, delimiter=";", quotechar="'", quoting=csv.QUOTE_ALL), WINDOWS)(folder)
    bench("new", "task", "mine", "--data", "a.csv")
    source = yaml.safe_load((folder / "tasks/mine/task.yaml").read_text(encoding="utf-8"))["source"]
    assert {key: source[key] for key in ("format", "quote", "encoding")} == {
        "format": "semicolon-csv",
        "quote": "single",
        "encoding": "windows-1256",
    }
    with (folder / "a.csv").open("a", encoding=WINDOWS, newline="") as file:
        csv.writer(file, delimiter=";", quotechar="'", quoting=csv.QUOTE_ALL).writerow(['"', "none"])
    assert load_task("mine").examples["text"].tolist() == [*(text for text, _ in ROWS), '"']


@pytest.mark.parametrize("missing", ["NA", "nan", "#N/A"])
def test_what_may_be_a_missing_value_is_told(folder: Path, bench: Bench, missing: str) -> None:
    put("a.csv", table([*ROWS, ("أعلن الوزير", missing), (missing, "none")]))(folder)
    told = " ".join(bench("new", "task", "mine", "--data", "a.csv")[1].split())
    assert f"The label '{missing}' looks like a missing value written as text." in told
    assert f"The text '{missing}' looks like a missing value written as text." in told
    assert len(load_task("mine")) == len(ROWS) + 2


def test_what_is_forced_is_taken(folder: Path, bench: Bench) -> None:
    put("a.tsv", bare(LIKE_CASE[:1] + LIKE_CASE[2:4]))(folder)
    assert bench("new", "task", "mine", "--data", "a.tsv", "--format", "quoted-tsv")[0] in (0, 1)
    assert load_task("mine").examples["text"].tolist()[0] == "قال الوزير نعم"
    assert "format: quoted-tsv" in (folder / "tasks/mine/task.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "mac-arabic"])
def test_the_encoding_that_is_named_reads_the_table(folder: Path, encoding: str) -> None:
    rows = [(text.replace("،", ","), label) for text, label in ROWS] if encoding == "mac-arabic" else ROWS
    put("a.csv", table(rows), encoding)(folder)
    with pytest.raises(DataError) as told:
        scaffold_task(TaskRequest("mine", "a.csv"), folder)
    assert f"use --encoding {encoding}," in str(told.value.hint)
    task = scaffold_task(TaskRequest("mine", "a.csv", asked=Asked(encoding=encoding)), folder).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == rows


def test_letters_of_other_languages_are_not_taken_for_arabic_ones(folder: Path) -> None:
    for text in ("Åsa går på gården i går kväll", "Größe und Maße für Bücher", "déjà vu à la carte"):
        put("a.csv", table([(text, "a"), (text + " x", "b")]), "latin-1")(folder)
        with pytest.raises(DataError, match="is not UTF-8"):
            scaffold_task(TaskRequest("mine", "a.csv"), folder)
    arabic = [(text.replace("،", ",").replace("'", ""), label) for text, label in ROWS]
    put("a.csv", table(arabic), "iso-8859-6")(folder)
    with pytest.raises(DataError, match="--encoding iso-8859-6"):
        scaffold_task(TaskRequest("mine", "a.csv"), folder)


@pytest.mark.slow
def test_an_archive_that_grows_without_end_is_refused(folder: Path) -> None:
    put("a.csv.gz", gzip.compress(b"text,label\n" + b" " * 65 * 2**20))(folder)
    with pytest.raises(DataError, match=r"a\.csv\.gz: its [\d,]+ bytes unpack to more than 67,108,864 bytes"):
        scaffold_task(TaskRequest("mine", "a.csv.gz"), folder)


# Properties


CELL = st.text(st.sampled_from("ابت,;\t|'\" \n\r\\:"), max_size=6)
TABLE = st.lists(st.tuples(CELL.filter(str.strip), st.sampled_from(["نعم", "لا"])), min_size=1, max_size=6)
DIALECTS: dict[str, dict[str, Any]] = {
    "excel": {"dialect": "excel"},
    "excel-tab": {"dialect": "excel-tab"},
    "unix": {"dialect": "unix"},
    "semicolons": {"delimiter": ";", "lineterminator": "\r\n"},
    "bars": {"delimiter": "|", "lineterminator": "\r\n"},
    "quoted tabs": {"delimiter": "\t", "quoting": csv.QUOTE_ALL, "lineterminator": "\r\n"},
    "single marks": {"quotechar": "'", "quoting": csv.QUOTE_ALL},
}


def read_back(folder: Path, content: str, suffix: str) -> list[tuple[Any, ...]]:
    path = folder / f"a{suffix}"
    path.write_text(content, encoding="utf-8", newline="")
    return [tuple(row.values()) for _, row in detect_form(path).form.rows(path)]


@settings(max_examples=100)
@given(TABLE, st.sampled_from(sorted(DIALECTS)), st.sampled_from([".csv", ".tsv"]))
def test_what_pythons_csv_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, name: str, suffix: str
) -> None:
    """With as many rows as it takes to know the labels: a text of several lines is then none of rows."""
    # A mark and a backslash before a delimiter: by some programs' tables the backslash takes its meaning.
    assume(name != "single marks" or not any("\\" in text for text, _ in rows))
    rows = [*rows, *((f"نص {number}", ("نعم", "لا")[number % 2]) for number in range(20))]
    buffer = io.StringIO(newline="")
    csv.writer(buffer, **DIALECTS[name]).writerows([("text", "label"), *rows])
    assert read_back(tmp_path_factory.mktemp("forms"), buffer.getvalue(), suffix) == rows


UNQUOTED = st.text(st.sampled_from("ابت,;'\" \\:"), min_size=1, max_size=6).filter(str.strip)


@pytest.mark.slow
@settings(max_examples=150)
@given(
    st.lists(st.tuples(UNQUOTED, st.sampled_from(["نعم", "لا"])), min_size=2, max_size=8),
    st.sampled_from(["\t", "|"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_what_is_written_without_quoting_loses_no_row(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, mark: str, end: str
) -> None:
    """Each text comes back as it is or, where the file is that of a quoted table too, without its marks."""
    content = bare(rows, mark, end=end)
    try:
        found = read_back(tmp_path_factory.mktemp("forms"), content, ".tsv")
    except UserError:
        return
    assert len(found) == len(rows)
    assert [label for _, label in found] == [label for _, label in rows]
    for (text, _), (was, _) in zip(found, rows, strict=True):
        quoted = [each + text.replace(each, each * 2) + each for each in "\"'"]
        escaped = '"' + text.replace('"', '\\"') + '"'
        assert was in (text, *quoted, escaped)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.dta", lambda frame, path: frame.to_stata(path, version=118, write_index=False)),
        ("a.feather", lambda frame, path: frame.to_feather(path)),
        ("a.pkl", lambda frame, path: frame.to_pickle(path)),
        ("a.yaml", lambda frame, path: path.write_text(yaml.safe_dump(frame.to_dict("records")), encoding="utf-8")),
        ("a.md", lambda frame, path: path.write_text(MARKDOWN.format(*frame.itertuples()), encoding="utf-8")),
    ],
)
def test_the_command_that_is_named_makes_a_table_that_is_read(folder: Path, name: str, write: Any) -> None:
    frame = pd.DataFrame(PLAIN[2:4], columns=["text", "label"])
    write(frame, folder / name)
    with pytest.raises(UserError) as told:
        scaffold_task(TaskRequest("mine", name), folder)
    command = str(told.value.hint).partition('python -c "')[2].partition('"\n')[0]
    exec(command, {})
    read = detect_form(folder / "a.parquet").form.rows(folder / "a.parquet")
    assert [(row["text"], row["label"]) for _, row in read] == PLAIN[2:4]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "txt"])
@pytest.mark.parametrize("given", ["files", "folder"])
def test_of_files_that_are_called_as_labels_the_command_that_is_named_makes_one_table(
    folder: Path, suffix: str, given: str
) -> None:
    for label in ("denial", "none"):
        texts = [(text,) for text, own in PLAIN if own == label]
        content = table(texts, None if suffix == "txt" else ("text",), quoting=csv.QUOTE_NONE, quotechar=None)
        put(f"d/{label}.{suffix}", content)(folder)
    data = "d" if given == "folder" else [f"d/denial.{suffix}", f"d/none.{suffix}"]
    with pytest.raises(UserError) as told:
        scaffold_task(TaskRequest("mine", data), folder)
    exec(str(told.value.hint).partition('python -c "')[2].partition('"\n')[0], {})
    task = scaffold_task(TaskRequest("mine", "all.csv"), folder).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == [
        (text, label) for label in ("denial", "none") for text, own in PLAIN if own == label
    ]


@pytest.mark.parametrize("header", [("text",), ()])
def test_of_files_that_share_a_part_the_commands_that_are_named_make_one_file_of_each(
    folder: Path, header: tuple[str, ...]
) -> None:
    for part in ("train", "test"):
        for label in ("denial", "none"):
            texts = [(label, f"{part} {text}") for text, own in PLAIN if own == label]
            put(f"d/{part}_{label}.tsv", table(texts, ("label", "text") if header else None, delimiter="\t"))(folder)
    with pytest.raises(UserError, match=r"Several files are of one part .* train: train_denial\.tsv") as told:
        scaffold_task(TaskRequest("mine", "d"), folder)
    for line in str(told.value.hint).splitlines():
        if line.startswith("python"):
            exec(line.removeprefix('python -c "').removesuffix('"'), {})
    assert "Then use --data train.csv --data test.csv" in str(told.value.hint)
    task = scaffold_task(TaskRequest("mine", ["train.csv", "test.csv"]), folder).task
    expected = [
        (f"{part} {text}", label) for part in ("train", "test") for text, label in sorted(PLAIN, key=itemgetter(1))
    ]
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == expected


def argilla(row: int, *answers: tuple[str, str]) -> dict[str, Any]:
    """A flat record with users' answers and their states, and a suggestion of another label."""
    text, label = ROWS[row]
    return {
        "text": text,
        "label.responses": [given for given, _ in answers],
        "label.responses.users": [f"u{number}" for number in range(len(answers))],
        "label.responses.status": [status for _, status in answers],
        "label.suggestion": next(other for _, other in ROWS if other != label),
        "label.suggestion.score": row / 7,
    }


@pytest.mark.parametrize("form", ["json", "jsonl", "parquet"])
def test_of_answers_in_argilla_the_submitted_ones_become_labels(folder: Path, form: str) -> None:
    other = {label: next(each for _, each in ROWS if each != label) for _, label in ROWS}
    rows = [
        argilla(row, (other[label], "draft"), (label, "submitted"), (other[label], "discarded"))
        for row, (_, label) in enumerate(ROWS)
    ]
    if form == "parquet":
        pd.DataFrame(rows).to_parquet(folder / "a.parquet")
    else:
        put(f"a.{form}", as_json(rows) if form == "json" else "".join(as_json(row) + "\n" for row in rows))(folder)
    for columns in (Given(), Given(label="label.responses")):
        with pytest.raises(UserError, match=r"'label\.responses' also has answers that were not submitted") as told:
            scaffold_task(TaskRequest("mine", f"a.{form}", columns), folder)
    exec(str(told.value.hint).partition('python -c "')[2].partition('"\n')[0], {})
    task = scaffold_task(TaskRequest("mine", "submitted.jsonl"), folder).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == ROWS


def test_what_describes_an_answer_in_argilla_is_no_label(folder: Path) -> None:
    lines = [argilla(row, (label, "submitted")) for row, (_, label) in enumerate(ROWS)]
    put("a.jsonl", "".join(as_json(row) + "\n" for row in lines))(folder)
    task = scaffold_task(TaskRequest("mine", "a.jsonl"), folder).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == ROWS
    bare = [{key: value for key, value in row.items() if "responses" not in key} for row in lines]
    put("a.jsonl", "".join(as_json(row) + "\n" for row in bare))(folder)
    assert scaffold_task(TaskRequest("other", "a.jsonl"), folder).task.labels == task.labels[::-1]


COMMANDS: dict[str, tuple[dict[str, str], list[str]]] = {
    "parts": (dict.fromkeys(("train.csv", "train_2.csv", "test.csv"), table(ROWS)), ["train.csv", "train_2.csv"]),
    "labels": ({"all.csv": table(ROWS), "none.txt": "نص\n", "denial.txt": "نص\n"}, ["none.txt", "denial.txt"]),
    "R": ({"a.csv": '"" "text" "label"\n"1" "نفى" "no"\n'}, ["a.csv"]),
    "a nested object": (
        {"flat.jsonl": "".join(as_json({"text": a, "meta": {"label": b}}) + "\n" for a, b in ROWS)},
        ["flat.jsonl"],
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_named_overwrites_no_file(folder: Path, name: str) -> None:
    files, data = COMMANDS[name]
    for path, content in files.items():
        put(path, content)(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(UserError) as told:
        scaffold_task(TaskRequest("mine", data), folder)
    commands = [line for line in str(told.value.hint).splitlines() if line.startswith("python")]
    for line in commands:
        exec(line.removeprefix('python -c "').removesuffix('"'), {})
    made = {path.name for path in folder.iterdir() if path not in before}
    assert len(made) == len(commands) == 1
    assert f"--data {made.pop()}" in str(told.value.hint)
    assert {path: path.read_bytes() for path in before} == before


def test_of_a_database_the_command_that_is_named_makes_a_table(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "a.db")) as base:
        base.execute("create table news (text, label)")
        base.executemany("insert into news values (?, ?)", ROWS)
        base.commit()
    with pytest.raises(UserError) as told:
        scaffold_task(TaskRequest("mine", "a.db"), folder)
    exec(str(told.value.hint).replace("TABLE'", "news'").partition('python -c "')[2].partition('"\n')[0], {})
    task = scaffold_task(TaskRequest("mine", "a.parquet"), folder).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == ROWS


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_of_lists_of_objects_the_commands_that_are_named_make_a_table(folder: Path, suffix: str) -> None:
    rows: list[dict[str, Any]] = [
        {"id": str(n), "content": text, "answers": {"classifications": [{"classname": label, "annotator": "a"}]}}
        for n, (text, label) in enumerate(ROWS)
    ]
    lines = "".join(as_json(row) + "\n" for row in rows)
    put(f"a.{suffix}", lines if suffix == "jsonl" else as_json({"version": 1, "examples": rows}))(folder)
    data = f"a.{suffix}"
    for _ in range(2):
        with pytest.raises(UserError) as told:
            scaffold_task(TaskRequest("mine", data), folder)
        exec(str(told.value.hint).partition('python -c "')[2].partition('"\n')[0], {})
        data = str(told.value.hint).rpartition("--data ")[2]
    task = scaffold_task(TaskRequest("mine", data), folder).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == ROWS


def test_of_parts_in_one_file_of_json_the_command_that_is_named_writes_each(folder: Path) -> None:
    rows = {part: objects([(f"{part} {text}", label) for text, label in ROWS]) for part in ("train", "test")}
    put("a.json", as_json(rows))(folder)
    with pytest.raises(UserError, match="it contains several lists: train, test") as told:
        scaffold_task(TaskRequest("mine", "a.json"), folder)
    exec(str(told.value.hint).partition('python -c "')[2].partition('"\n')[0], {})
    task = scaffold_task(TaskRequest("mine", ["train.json", "test.json"]), folder).task
    assert task.examples["text"].tolist() == [row["text"] for part in rows.values() for row in part]


def test_of_labels_of_a_part_in_a_table_of_their_own_the_command_joins_them(folder: Path) -> None:
    put("d/train.csv", table([(str(n), *row) for n, row in enumerate(ROWS)], ("id", "text", "label")))(folder)
    put("d/test.csv", table([(str(n), f"test {text}") for n, (text, _) in enumerate(ROWS)], ("id", "text")))(folder)
    labels = [(str(n), label) for n, (_, label) in enumerate(ROWS)]
    put("d/test_labels.csv", table(labels[::-1], ("id", "label")))(folder)
    with pytest.raises(UserError, match=r"test: test\.csv, test_labels\.csv") as told:
        scaffold_task(TaskRequest("mine", "d"), folder)
    exec(str(told.value.hint).partition('python -c "')[2].partition('"\n')[0], {})
    assert "Then use --data test.csv --data d/train.csv" in str(told.value.hint)
    task = scaffold_task(TaskRequest("mine", ["test.csv", "d/train.csv"]), folder).task
    assert list(task.examples["label"]) == [label for _, label in ROWS] * 2


MARKDOWN = "| text | label |\n| --- | --- |\n| {0.text} | {0.label} |\n| {1.text} | {1.label} |\n"
