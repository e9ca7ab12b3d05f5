"""Folders, splits and workbooks of odd files: every text arrives unchanged, or a message names the file."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from bench.data.sources.plain import class_folders
from bench.errors import DataError, UserError
from bench.prediction.reading import NewText, read_stream, read_texts_file
from bench.scaffold import Given, TaskRequest, scaffold_task

Rows = list[tuple[str, str]]

ROWS: Rows = [
    ("نفى الوزير الخبر أمس", "denial"),
    ("أكد المتحدث الخبر اليوم", "none"),
    ("لم يعلق المكتب على ذلك", "denial"),
    ("أعلن عن موعد جديد للقاء", "none"),
    ("كذب البيان ما نشر", "denial"),
    ("عاد الوفد إلى العاصمة", "none"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path: str, content: str, encoding: str = "utf-8") -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode(encoding))


def table(rows: Sequence[Sequence[str]], delimiter: str = ",", quote_all: bool = False) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n", delimiter=delimiter).writerow(("text", "label"))
    quoted = csv.writer(buffer, lineterminator="\n", delimiter=delimiter, quoting=csv.QUOTE_ALL)
    (quoted if quote_all else csv.writer(buffer, lineterminator="\n", delimiter=delimiter)).writerows(rows)
    return buffer.getvalue()


def bare(rows: Rows) -> str:
    return "text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows)


def class_files(folder: str = "news") -> None:
    for number, (text, label) in enumerate(ROWS):
        put(f"{folder}/{label}/{number}.txt", text)


def read(data: str | list[str]) -> Rows:
    task = scaffold_task(TaskRequest("mine", data), Path.cwd()).task
    return list(zip(task.examples["text"], task.examples["label"], strict=True))


def refused(data: str | list[str]) -> str:
    with pytest.raises(UserError) as told:
        scaffold_task(TaskRequest("mine", data), Path.cwd())
    assert not Path("tasks").exists()
    return f"{told.value.message}\n{told.value.hint}"


ODD: dict[str, tuple[Callable[[], object], str]] = {
    "a text below a class": (
        lambda: put("news/denial/2024/a.txt", "نفى البيان"),
        "news/denial/2024/a.txt: it is 2 folders below news, but news/denial/0.txt is not as deep.",
    ),
    "a text far below a class": (
        lambda: put("news/denial/2024/05/a.txt", "نفى البيان"),
        "news/denial/2024/05/a.txt: it is 3 folders below news, but news/denial/0.txt is not as deep.",
    ),
    "a link to nothing": (
        lambda: Path("news/denial/a.txt").symlink_to("gone.txt"),
        "news/denial/a.txt: it is a link to gone.txt, which does not exist.",
    ),
    "a pipe": (lambda: os.mkfifo("news/denial/a.txt"), "news/denial/a.txt: cannot be read: it is a pipe"),
    "a table": (
        lambda: put("news/denial/all.csv", table(ROWS)),
        "news/denial/all.csv: in a folder for each class, each file is one text, but '.csv' is not a text file.",
    ),
    "a page": (lambda: put("news/none/a.html", "<p>نص"), "news/none/a.html: in a folder for each class"),
}


@pytest.mark.parametrize("name", ODD)
def test_a_folder_for_each_class_with_what_is_not_one_text_of_a_class_is_refused(folder: Path, name: str) -> None:
    class_files()
    write, expected = ODD[name]
    write()
    assert expected in refused("news")


@pytest.mark.parametrize("name", ["a text far below a class", "a link to nothing", "a pipe"])
def test_a_task_whose_folder_gains_such_a_file_is_refused_too(folder: Path, name: str) -> None:
    class_files()
    write, expected = ODD[name]
    write()
    with pytest.raises(DataError) as told:
        list(class_folders(Path("news")))
    assert expected in told.value.message


def test_texts_beside_the_folders_of_classes_are_named_as_not_read(folder: Path, bench) -> None:
    class_files()
    put("news/more.txt", "نص بلا فئة")
    status, printed, _ = bench("new", "task", "mine", "--data", "news")
    assert status in (0, 1)
    assert "These files of the folder are not read: more.txt." in " ".join(printed.split())


def class_folders_with(name: str) -> None:
    class_files("d")
    put(f"d/{name}", "نص آخر")


def split_with(name: str) -> None:
    put("d/train.csv", table(ROWS[:4]))
    put("d/test.csv", table(ROWS[4:]))
    put(f"d/{name}", "نص آخر")


def spans_with(name: str) -> None:
    put("d/labels.csv", "document,start,end,label\none,0,4,denial\none,5,11,none\n")
    put("d/one.txt", ROWS[0][0])
    put(f"d/{name}", "نص آخر")


LEFT: dict[str, tuple[Callable[[str], None], str, str]] = {
    "a hidden text of a class": (class_folders_with, "denial/.a.txt", "denial/.a.txt"),
    "a hidden folder of texts": (class_folders_with, ".NET/a.txt", ".NET/"),
    "a class without a text": (class_folders_with, "third/.keep", "third/"),
    "an old workbook beside a split": (split_with, "dev.xls", "dev.xls"),
    "a hidden part of a split": (split_with, ".dev.csv", ".dev.csv"),
    "a folder beside a split": (split_with, "more/a.csv", "more/"),
    "an old workbook beside documents": (spans_with, "old.xls", "old.xls"),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_a_folder_holds_beside_the_files_that_are_read_is_named(folder: Path, name: str) -> None:
    write, other, told = LEFT[name]
    write(other)
    remarks = scaffold_task(TaskRequest("mine", "d"), Path.cwd()).remarks
    assert f"These files of the folder are not read: {told}." in remarks


@pytest.mark.parametrize("name", [".DS_Store", "Thumbs.db", "desktop.ini", "._0.txt", ".gitattributes", ".git/config"])
def test_what_programs_leave_in_folders_is_not_named(folder: Path, name: str) -> None:
    class_folders_with(name)
    class_folders_with(f"denial/{name}")
    remarks = scaffold_task(TaskRequest("mine", "d"), Path.cwd()).remarks
    assert not [remark for remark in remarks if "not read" in remark]


def test_a_folder_of_old_workbooks_says_how_to_save_them(folder: Path) -> None:
    put("d/a.xls", "x")
    assert refused("d") == "d/a.xls: no format is known for '.xls'.\nSave the sheet as .xlsx, or as CSV in UTF-8."


def test_what_an_archive_holds_beside_its_table_is_named(folder: Path) -> None:
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.writestr("a.csv", table(ROWS))
        archive.writestr("b.xls", "x")
        archive.writestr("__MACOSX/._a.csv", "x")
    told = "These files of the archive are not read: b.xls."
    assert told in scaffold_task(TaskRequest("mine", "a.zip"), Path.cwd()).remarks
    assert told in read_texts_file(Path("a.zip"), {"text": "text"}, ()).remarks


@pytest.mark.parametrize("first", ["utf-8", "windows-1256"])
@pytest.mark.parametrize("names", [("train.csv", "test.csv"), ("a-0-of-2.csv", "a-1-of-2.csv")])
def test_files_of_a_split_in_two_encodings_are_not_read_in_one(folder: Path, first: str, names: Sequence[str]) -> None:
    second = "windows-1256" if first == "utf-8" else "utf-8"
    put(names[0], table(ROWS[:4]), first)
    put(names[1], table(ROWS[4:]), second)
    told = refused(list(names))
    assert "The files have different formats" in told
    assert f"{names[first == 'utf-8']} is a file of format csv, in WINDOWS-1256" in told


def test_files_of_a_split_quoted_in_two_ways_are_not_read_in_one(folder: Path) -> None:
    marked = [(f'"{text}" قال', label) for text, label in ROWS]
    put("train.tsv", bare(marked[:4]))
    put("test.tsv", table(marked[4:], "\t"))
    told = refused(["train.tsv", "test.tsv"])
    assert "train.tsv is a file of format tsv, test.tsv is a file of format quoted-tsv" in told


def test_files_of_a_split_that_one_quoting_reads_rightly_are_read(folder: Path) -> None:
    put("train.tsv", bare(ROWS[:4]))
    put("test.tsv", table(ROWS[4:], "\t", quote_all=True))
    assert read(["train.tsv", "test.tsv"]) == ROWS


def test_a_broken_row_is_told_before_a_difference_of_formats(folder: Path) -> None:
    put("train.csv", table(ROWS[:4]))
    put("test.csv", table(ROWS[4:]).replace(",", ";") + "نص;none;x\n")
    assert "test.csv, line 4: 3 cells, but the header has 2." in refused(["train.csv", "test.csv"])


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("_x000D_\n", "\r\n"),
        ("_x000B_", "\x0b"),
        ("_x005F_x000D_", "_x000D_"),
        ("_x005f_x000d_", "_x000d_"),
        ("_x005F_x005F_", "_x005F_"),
        ("x005F_", "x005F_"),
        ("_xD83D_", "_xD83D_"),
        ("_x12_ و_y000D_", "_x12_ و_y000D_"),
    ],
)
def test_characters_that_excel_escapes_are_read_as_they_were_typed(
    folder: Path, written: str, text: str, shared: bool
) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (("text", "label"), *((f"{first} HERE {first}", label) for first, label in ROWS)):
        book.active.append(row)
    book.save("plain.xlsx")
    with zipfile.ZipFile("plain.xlsx") as plain:
        parts = {name: plain.read(name).decode().replace("HERE", f"قبل{written}بعد") for name in plain.namelist()}
    with zipfile.ZipFile("a.xlsx", "w") as odd:
        for name, content in (with_shared_strings(parts) if shared else parts).items():
            odd.writestr(name, content)
    expected = [f"{first} قبل{text}بعد {first}" for first, _ in ROWS]
    assert [text for text, _ in read("a.xlsx")] == expected
    assert [row["text"] for _, row in read_texts_file(Path("a.xlsx"), {"text": "text"}, ()).rows] == expected


def with_shared_strings(parts: dict[str, str]) -> dict[str, str]:
    """A workbook whose texts stand in a part of their own, as Excel writes them."""
    strings: list[str] = []

    def shared(found: re.Match[str]) -> str:
        strings.append(found[1])
        return f'<c t="s"><v>{len(strings) - 1}</v></c>'

    sheet = "xl/worksheets/sheet1.xml"
    cells = re.sub(r'<c [^>]*t="inlineStr"[^>]*><is>(.*?)</is></c>', shared, parts[sheet], flags=re.DOTALL)
    table = "".join(f"<si>{each}</si>" for each in strings)
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    types = parts["[Content_Types].xml"]
    if "sharedStrings" not in types:
        types = types.replace("</Types>", named)
    strings_part = f"<sst {space}>{table}</sst>"
    return parts | {sheet: cells, "[Content_Types].xml": types, "xl/sharedStrings.xml": strings_part}


def workbook(*rows: Sequence[str | None]) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (*rows, *((text, "ويب", label) for text, label in ROWS)):
        book.active.append(row)
    book.save("a.xlsx")


HEADERS: dict[str, tuple[Callable[[], object], str, str]] = {
    "merged names above the names": (
        lambda: workbook(("المقال", None, "الوسم"), ("text", "source", "label")),
        "row 1: this is a header above the header in row 2.",
        "Remove row 1.",
    ),
    "a comment with commas": (
        lambda: put("a.csv", "# source: x, y\n# 2024\n" + table(ROWS)),
        "line 1: this is a title. The header is in line 3.",
        "Remove the lines above line 3.",
    ),
}


@pytest.mark.parametrize("name", HEADERS)
def test_what_stands_above_the_header_is_no_header(folder: Path, name: str) -> None:
    write, problem, remedy = HEADERS[name]
    write()
    (path,) = folder.iterdir()
    assert f"{path.name}, {problem}\n{remedy}" == refused(path.name)
    with pytest.raises(DataError) as told:
        read_texts_file(Path(path.name), {"text": "text"}, ())
    assert f"{path.name}, {problem}" == told.value.message


WRITERS: dict[str, Callable[[pd.DataFrame, str], object]] = {
    "csv": lambda frame, name: frame.to_csv(name, index=False),
    "jsonl": lambda frame, name: frame.to_json(name, orient="records", lines=True),
    "json": lambda frame, name: frame.to_json(name, orient="records"),
    "parquet": lambda frame, name: frame.to_parquet(name),
    "xlsx": lambda frame, name: frame.to_excel(name, index=False),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_the_command_for_pieces_of_a_table_joins_all_of_their_rows(folder: Path, suffix: str) -> None:
    rows = [*ROWS, ("قال نعم ثم مضى", "NA"), ("قال لا ثم عاد", "NA")]
    Path("d").mkdir()
    for name, some in (("part.0", rows[:3]), ("part.1", rows[3:])):
        WRITERS[suffix](pd.DataFrame(some, columns=["text", "label"]), f"d/{name}.{suffix}")
    told = refused("d")
    named = ".assign(label=pathlib.Path(name).stem)"
    assert f"If they are pieces of one table, leave out {named}." in told
    exec(told.partition('python -c "')[2].partition('"\n')[0].replace(named, ""), {})
    assert read("all.csv") == rows


TEXTS = [text for text, _ in ROWS]


def texts_of(new: NewText) -> list[object]:
    return [row["text"] for _, row in new.rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_of_texts_are_a_text_each_whatever_ends_them(folder: Path, end: str, last: bool) -> None:
    content = end.join(TEXTS) + (end if last else "")
    put("a.txt", content)
    assert texts_of(read_texts_file(Path("a.txt"), {"text": "text"}, ())) == TEXTS
    assert texts_of(read_stream(io.BytesIO(content.encode()), {"text": "text"}, ())) == TEXTS


def test_a_carriage_return_within_a_line_is_text(folder: Path) -> None:
    texts = ["نفى\rالوزير", *TEXTS]
    content = "".join(f"{text}\n" for text in texts)
    put("a.txt", content)
    assert texts_of(read_texts_file(Path("a.txt"), {"text": "text"}, ())) == texts
    assert texts_of(read_stream(io.BytesIO(content.encode()), {"text": "text"}, ())) == texts


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_a_carriage_return_that_pandas_wrote_within_a_cell_is_text(folder: Path, end: str, quoting: Any) -> None:
    rows = [('قال: "نعم", ثم\rانصرف', "none"), ("نفى\rالوزير", "denial"), ('قال "لا"', "none"), ("أ\r,\nب", "none")]
    rows += [(f"{text} {number}", label) for number in range(4) for text, label in ROWS]
    frame = pd.DataFrame(rows, columns=["text", "label"])
    frame.to_csv("a.csv", index=False, lineterminator=end, quoting=quoting)
    assert read("a.csv") == rows
    assert texts_of(read_texts_file(Path("a.csv"), {"text": "text"}, ())) == [text for text, _ in rows]
    assert texts_of(read_stream(io.BytesIO(Path("a.csv").read_bytes()), {"text": "text"}, ())) == [
        text for text, _ in rows
    ]


def test_errors_number_lines_as_an_editor_does_whatever_carriage_returns_the_texts_contain(folder: Path) -> None:
    rows = [("نفى\rالوزير\rالخبر", "denial"), ('قال, "لا"\rثم', "none"), *ROWS]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv("a.csv", index=False)
    put("a.csv", Path("a.csv").read_bytes().decode() + "نص,denial,زائد\n")
    with pytest.raises(DataError, match=f"a.csv, line {len(rows) + 2}: 3 cells, but the header has 2"):
        scaffold_task(TaskRequest("mine", "a.csv"), folder)


LINES: dict[str, tuple[dict[str, str], str | list[str]]] = {
    "texts beside labels": (
        {"texts.txt": "\n".join(TEXTS), "labels.txt": "\n".join(label for _, label in ROWS)},
        ["texts.txt", "labels.txt"],
    ),
    "fastText's lines": ({"a.txt": "\n".join(f"__label__{label} {text}" for text, label in ROWS)}, "a.txt"),
    "JSON Lines": (
        {"a.jsonl": "\n".join(json.dumps({"text": text, "label": label}) for text, label in ROWS)},
        "a.jsonl",
    ),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("first", ["\n", "\r"])
def test_lines_that_end_as_on_an_old_mac_are_rows(folder: Path, name: str, first: str) -> None:
    files, data = LINES[name]
    for number, (file, content) in enumerate(files.items()):
        put(file, content.replace("\n", "\r" if number else first))
    assert read(data) == ROWS


DOUBTFUL: dict[str, tuple[str, str, str]] = {
    "backslashes before marks": (
        "text,label\n" + "".join(f'\\"{text}\\" ثم,{label}\n' for text, label in ROWS),
        "--quote backslash reads each such pair as a quotation mark.",
        '\\"{}\\" ثم',
    ),
    "a space before marks": (
        "label,text\n" + "".join(f'{label}, "{text}"\n' for text, label in ROWS),
        "If they are quoting, remove the spaces after the delimiters.",
        ' "{}"',
    ),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_marks_that_are_read_as_text_but_may_be_quoting_are_told(folder: Path, bench, name: str) -> None:
    content, expected, written = DOUBTFUL[name]
    put("a.csv", content)
    status, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert status in (0, 1)
    assert expected in " ".join(printed.split())
    new = read_texts_file(Path("a.csv"), {"text": "text"}, ())
    assert expected in " ".join(new.remarks)
    assert texts_of(new) == [written.format(text) for text in TEXTS]


@pytest.mark.parametrize("part", ["ا", "7", ".", "-", "a.", "ا,", "a@", "http://"])
def test_a_very_long_cell_takes_time_in_proportion_to_its_length(folder: Path, part: str) -> None:
    rows = [(part * (400_000 // len(part)), "none"), *ROWS]
    put("a.csv", table(rows))
    start = time.monotonic()
    assert read("a.csv") == rows
    assert time.monotonic() - start < 30  # in quadratic time it would be minutes


def test_a_table_of_marked_cells_says_that_the_marks_are_read_as_text(folder: Path) -> None:
    put("a.jsonl", "".join(json.dumps({"text": f"'{text}'", "label": f"'{label}'"}) + "\n" for text, label in ROWS))
    remarks = scaffold_task(TaskRequest("mine", "a.jsonl"), Path.cwd()).remarks
    assert any("All texts are in single quotation marks" in remark for remark in remarks)
    assert any("All labels are in single quotation marks" in remark for remark in remarks)


@pytest.mark.parametrize("header", ["\u200ftext", "text\u200e", " text ", "\u202btext\u202c"])
def test_a_column_whose_name_has_marks_around_it_is_found_and_told(folder: Path, header: str) -> None:
    put("a.csv", table(ROWS).replace("text", header, 1))
    assert read("a.csv") == ROWS
    new = read_texts_file(Path("a.csv"), {"text": "text"}, ())
    assert any("whose name has hidden characters or spaces around it" in remark for remark in new.remarks)
    assert [row[new.columns["text"]] for _, row in new.rows] == TEXTS


NESTED: dict[str, Callable[[list[dict[str, object]]], object]] = {
    "a.jsonl": lambda rows: put("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)),
    "a.json": lambda rows: put("a.json", json.dumps(rows)),
    "a.parquet": lambda rows: pd.DataFrame(rows).to_parquet("a.parquet"),
}


@pytest.mark.parametrize("name", NESTED)
def test_the_command_for_nested_labels_writes_them_as_a_column(folder: Path, name: str) -> None:
    NESTED[name]([{"text": text, "label": {"score": 0.5, "name": label}} for text, label in ROWS])
    told = refused(name)
    assert f"{name}: 'label' is an object with 'name' in it, not a value." in told
    exec(told.partition('python -c "')[2].partition('"\n')[0], {})
    task = scaffold_task(TaskRequest("mine", "flat.jsonl", Given(label="label.name")), Path.cwd()).task
    assert list(zip(task.examples["text"], task.examples["label"], strict=True)) == ROWS


def test_objects_of_which_some_lack_the_label_say_to_write_null(folder: Path) -> None:
    rows: list[dict[str, str | None]] = [{"text": text, "label": label} for text, label in ROWS]
    lacking = {"text": "قال نعم ثم مضى"}
    put("a.jsonl", "".join(json.dumps(row) + "\n" for row in (*rows, lacking)))
    told = refused("a.jsonl")
    assert "a.jsonl, line 7: unknown column 'label'." in told
    assert "Write null there: rows without a text or a label are left out and counted." in told
    put("a.jsonl", "".join(json.dumps(row) + "\n" for row in (*rows, lacking | {"label": None})))
    assert read("a.jsonl") == ROWS


def test_the_column_of_an_error_is_told_whatever_its_cells_say(folder: Path) -> None:
    rows: list[dict[str, object]] = [
        {"id": f"n{number}", "text": text, "label": label} for number, (text, label) in enumerate(ROWS)
    ]
    rows[-1]["text"] = ["column 'id'"]
    put("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    told = refused("a.jsonl")
    assert "column 'text' must be text" in told
    assert "Its text is in 'text'" in told
    assert "--id" not in told


def test_labels_that_are_widened_by_a_tatweel_are_the_labels_without(folder: Path) -> None:
    rows = [("قال نعم ثم مضى", "خـبر"), ("قال لا ثم عاد", "خـبر"), ("قال ربما ثم نام", "خبر")]
    put("a.csv", table([*rows, *ROWS[:2]]))
    assert [label for _, label in read("a.csv")] == ["خبر", "خبر", "خبر", "denial", "none"]


@pytest.mark.parametrize("missing", ["#REF!", "\\N", "NaN"])
def test_a_label_that_programs_write_for_a_missing_value_is_told(folder: Path, bench, missing: str) -> None:
    put("a.csv", table([*ROWS, ("قال نعم ثم مضى", missing), ("قال لا ثم عاد", missing)]))
    _, printed, _ = bench("new", "task", "mine", "--data", "a.csv")
    assert f"The label '{missing}' looks like a missing value" in " ".join(printed.split())


def test_a_folder_as_new_text_says_what_to_name(folder: Path) -> None:
    with pytest.raises(DataError) as told:
        read_texts_file(folder, {"text": "text"}, ())
    assert told.value.hint == "Name a file in it."
