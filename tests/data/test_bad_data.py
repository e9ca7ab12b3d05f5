"""Every mistake in a task's data gets one message: the file and line or key, what was expected, and what to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from small_corpus import SmallCorpus, table_task

from bench.data.definition import build_task, read_definition
from bench.errors import ConfigError, DataError, UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def corpus(tmp_path: Path) -> SmallCorpus:
    return SmallCorpus(tmp_path)


def message_of(error: pytest.ExceptionInfo[UserError], folder: Path) -> str:
    assert error.value.exit_status == 2
    return str(error.value).replace(f"{folder}/", "")


def without_line(message: str) -> str:
    """A message about a key of a task's file, without the line that it must name."""
    told, count = re.subn(r"^task\.yaml, line \d+: ", "task.yaml: ", message)
    assert count, message
    return told


def replace(lines: list[dict[str, Any]], place: int, **changes: Any) -> None:
    lines[place].update(changes)


CORPUS_MISTAKES: dict[str, tuple[str, Callable[[SmallCorpus], Any], str]] = {
    "a label outside the set": (
        "denial",
        lambda c: replace(c.passes[1], 2, denial="nome"),
        "pass-2.jsonl, line 3: label 'nome' is not one of the task's labels.\nDid you mean 'none'?",
    ),
    "a label that is no text": (
        "denial",
        lambda c: replace(c.passes[1], 2, denial=None),
        "pass-2.jsonl, line 3: label None is not one of the task's labels.\nDid you mean 'none'?",
    ),
    "a stance label outside the set": (
        "stance",
        lambda c: replace(c.passes[0], 0, stance={"sent": "agrees"}),
        "pass-1.jsonl, line 1: label 'agrees' is not one of the task's labels.\nDid you mean 'agree'?",
    ),
    "a claim that does not exist": (
        "stance",
        lambda c: replace(c.passes[0], 1, stance={"snet": "agree"}),
        "pass-1.jsonl, line 2: unknown claim 'snet'.\nDid you mean 'sent'?",
    ),
    "stances that are no object": (
        "stance",
        lambda c: replace(c.passes[0], 1, stance="agree"),
        "pass-1.jsonl, line 2: 'stance' must be an object of labels by claim, not 'agree'.",
    ),
    "an offset that does not match": (
        "denial",
        lambda c: replace(c.segments, 1, start=15),
        "segments.jsonl, line 2: the text of segment 'a-2' differs from 'a' at 15 to 31.\n"
        "This text is at 16 to 31. Offsets count Unicode code points, not bytes.",
    ),
    "a segment that the document does not hold": (
        "denial",
        lambda c: replace(c.segments, 1, text="لم تعلّق واشنطن."),
        "segments.jsonl, line 2: the text of segment 'a-2' differs from 'a' at 16 to 31.\n"
        "The document does not contain this text. Extract the segment again; do not edit the document.",
    ),
    "a negative offset": (
        "denial",
        lambda c: replace(c.segments, 3, start=-17, end=-1),
        "segments.jsonl, line 4: the text of segment 'b-1' differs from 'b' at -17 to -1.\n"
        "This text is at 0 to 16. Offsets count Unicode code points, not bytes.",
    ),
    "an offset that is no number": (
        "denial",
        lambda c: replace(c.segments, 0, start="0"),
        "segments.jsonl, line 1: 'start' and 'end' must be whole numbers, not '0' and 14.",
    ),
    "a duplicate segment id": (
        "denial",
        lambda c: replace(c.segments, 1, segment_id="a-1"),
        "segments.jsonl, line 2: segment_id 'a-1' is repeated, first in segments.jsonl, line 1.",
    ),
    "a duplicate claim id": (
        "stance",
        lambda c: replace(c.claims, 1, claim_id="sent"),
        "claims.jsonl, line 2: claim_id 'sent' is repeated, first in claims.jsonl, line 1.",
    ),
    "an unknown document": (
        "denial",
        lambda c: replace(c.segments, 0, doc_id="c"),
        "segments.jsonl, line 1: unknown document 'c'.\nChoose from: a, b.",
    ),
    "an empty text": (
        "denial",
        lambda c: replace(c.segments, 0, text=" "),
        "segments.jsonl, line 1: 'text' is empty.\nEvery text and name needs at least one character.",
    ),
    "a missing key": (
        "denial",
        lambda c: c.segments[0].pop("kind"),
        "segments.jsonl, line 1: 'kind' is missing.\nIts keys are: segment_id, doc_id, start, end, text.",
    ),
    "a pass that lacks a segment": (
        "denial",
        lambda c: c.passes[2].pop(1),
        "pass-3.jsonl: the pass is missing 1 of 3 segments: a-2.\n"
        "Every pass must label every segment. Remove an unfinished pass from source.annotations.",
    ),
    "a pass with an unknown segment": (
        "denial",
        lambda c: replace(c.passes[2], 0, segment_id="a-11"),
        "pass-3.jsonl, line 1: unknown segment 'a-11'.\nDid you mean 'a-1'?",
    ),
    "a pass with an excluded segment": (
        "denial",
        lambda c: c.passes[2].append({"segment_id": "a-3", "denial": "none"}),
        "pass-3.jsonl, line 4: segment 'a-3' has kind 'caption', which the task excludes.\n"
        "Remove the annotation, or remove the kind from source.exclude.",
    ),
    "a segment that is annotated twice": (
        "denial",
        lambda c: c.passes[2].append(c.passes[2][0]),
        "pass-3.jsonl, line 4: segment 'a-1' is annotated twice, first in pass-3.jsonl, line 1.",
    ),
    "a tie without adjudication": (
        "denial",
        lambda c: (replace(c.passes[0], 0, denial="none"), replace(c.passes[1], 0, denial="non_confirmation")),
        "segment 'a-1': the passes are tied (pass 1: none, pass 2: non_confirmation, pass 3: denial), and no "
        "adjudication breaks the tie.\nAdd a line for it to a file, and set source.adjudications to that file.",
    ),
    "a tie of two passes on a pair": (
        "stance",
        lambda c: (c.passes.pop(), replace(c.passes[0], 0, stance={})),
        "segment 'a-1' toward claim 'sent': the passes are tied (pass 1: unrelated, pass 2: disagree), and no "
        "adjudication breaks the tie.\nAdd a line for it to a file, and set source.adjudications to that file.",
    ),
    "an adjudication of an unknown claim": (
        "stance",
        lambda c: c.adjudications.append(
            {"segment_id": "a-1", "task": "stance", "claim_id": "kiled", "label": "agree"}
        ),
        "adjudications.jsonl, line 1: unknown claim 'kiled'.\nDid you mean 'killed'?",
    ),
    "a class that no example has": (
        "denial",
        lambda c: [replace(lines, 1, denial="none") for lines in c.passes],
        "task.yaml: no example has the label 'non_confirmation'.\nRemove it from labels, or label examples of it. "
        "A class without examples cannot be learned or scored.",
    ),
}


@pytest.mark.parametrize("mistake", CORPUS_MISTAKES)
def test_a_mistake_in_the_corpus_is_named(corpus: SmallCorpus, mistake: str) -> None:
    task, break_it, expected = CORPUS_MISTAKES[mistake]
    corpus.build(task)
    break_it(corpus)
    with pytest.raises(DataError) as error:
        corpus.build(task)
    assert message_of(error, corpus.folder) == expected


DEFINITION_MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an unknown key": (
        lambda d: d.update(lables=[]),
        "task.yaml: unknown key 'lables'.\nDid you mean 'labels'?",
    ),
    "an unknown key of the source": (
        lambda d: d["source"].update(anotations=[]),
        "task.yaml: unknown key 'source.anotations'.\nDid you mean 'annotations'?",
    ),
    "a missing key": (lambda d: d.pop("labels"), "task.yaml: 'labels' is missing."),
    "a missing key of the source": (lambda d: d["source"].pop("field"), "task.yaml: source.field is missing."),
    "an unknown kind of source": (
        lambda d: d["source"].update(kind="segment"),
        "task.yaml: source.kind is 'segment'.\nDid you mean 'segments'?",
    ),
    "a source that is no mapping": (
        lambda d: d.update(source="labels.csv"),
        "task.yaml: 'source' must be a mapping, not 'labels.csv'.\n"
        "Choose a kind: segments, table, sample, hub, standoff.",
    ),
    "an unknown field": (
        lambda d: d["source"].update(field="denail"),
        "pass-1.jsonl, line 1: 'denail' is missing.\nDid you mean 'denial'?",
    ),
    "an unknown kind of segment": (
        lambda d: d["source"].update(exclude=["captions"]),
        "task.yaml: source.exclude: no segment has kind 'captions'.\nDid you mean 'caption'?",
    ),
    "no pass": (lambda d: d["source"].update(annotations=[]), "task.yaml: source.annotations lists no pass."),
    "claims without a claim column": (
        lambda d: d["source"].update(claims="claims.jsonl"),
        "task.yaml: source.claims is required if inputs is [claim, text], and not allowed otherwise. It is [text].",
    ),
    "a missing file": (
        lambda d: d["source"].update(segments="segment.jsonl"),
        "segment.jsonl: the file does not exist.\nDid you mean 'segments.jsonl'?\ntask.yaml names it under source.",
    ),
    "a missing folder": (
        lambda d: d["source"].update(documents="texts"),
        "texts: this folder does not exist.\n'documents' is the folder with the .txt files.",
    ),
    "an unknown label in label_map": (
        lambda d: d.update(label_map={"denial": "denail"}),
        "task.yaml: label_map.denial: 'denail' is not in labels.\nDid you mean 'denial'?",
    ),
    "a label that label_map forgets": (
        lambda d: d.update(label_map={"denial": "denial", "none": "none"}),
        "pass-1.jsonl, line 2: label 'non_confirmation' is not a key of label_map.\nChoose from: denial, none.",
    ),
    "labels that YAML does not read as text": (
        lambda d: d.update(labels=[True, False]),
        "task.yaml: labels, item 1 must be text, not True.\nQuote it: YAML reads true, null and 1 as values.",
    ),
    "a label that stands twice": (
        lambda d: d.update(labels=["none", "denial", "none"]),
        "task.yaml: 'labels' lists 'none' twice.",
    ),
    "a single label": (
        lambda d: d.update(labels=["none"]),
        "task.yaml: 'labels' must name at least two labels, not 1.",
    ),
    "descriptions that are no mapping": (
        lambda d: d.update(descriptions=["نفي"]),
        "task.yaml: 'descriptions' must be a mapping of each label to a sentence, not ['نفي'].",
    ),
    "a description of an unknown label": (
        lambda d: d.update(descriptions={"denail": "نفي"}),
        "task.yaml: descriptions.denail: 'denail' is not in labels.\nDid you mean 'denial'?",
    ),
    "a described label that is none, though YAML could read it as a value": (
        lambda d: d.update(descriptions={False: "نفي"}),
        "task.yaml: descriptions.false: 'false' is not in labels.\nChoose from: denial, non_confirmation, none.",
    ),
    "a description that is no text": (
        lambda d: d.update(descriptions={"denial": ["نفي"]}),
        "task.yaml: descriptions.denial must be a sentence, not ['نفي'].",
    ),
    "an empty description": (
        lambda d: d.update(descriptions={"denial": " "}),
        "task.yaml: descriptions.denial must be a sentence, not ' '.",
    ),
    "a label that descriptions forget": (
        lambda d: d.update(descriptions={"denial": "نفي"}),
        "task.yaml: descriptions: missing for 'non_confirmation', 'none'.\n"
        "Describe every label, or leave descriptions out.",
    ),
    "no description": (
        lambda d: d.update(descriptions={}),
        "task.yaml: descriptions: missing for 'denial', 'non_confirmation', 'none'.\n"
        "Describe every label, or leave descriptions out.",
    ),
    "a claim in a description where there is none": (
        lambda d: d.update(descriptions={"denial": "نفي {claim}"}),
        "task.yaml: descriptions.denial: '{claim}' is not a known placeholder.\nOnly {claim} is, in tasks with claims.",
    ),
    "an unknown metric": (
        lambda d: d.update(metric="macro-f1"),
        "task.yaml: unknown metric 'macro-f1'.\nDid you mean 'macro_f1'?",
    ),
    "an unknown group": (
        lambda d: d.update(group="documents"),
        "task.yaml: group: unknown column 'documents'.\nDid you mean 'document'?",
    ),
    "unknown inputs": (
        lambda d: d.update(inputs=["title"]),
        "task.yaml: 'inputs' must be [text] or [claim, text], not ['title'].",
    ),
    "a name that is no name": (
        lambda d: d.update(name="../denial"),
        "task.yaml: name '../denial' cannot be a task's name: use at most 100 lower-case Latin letters, digits, "
        "'-' and '_'.",
    ),
    "a version that is no number": (
        lambda d: d.update(version="1.0"),
        "task.yaml: 'version' must be a whole number from 1, not '1.0'.",
    ),
}


@pytest.mark.parametrize("mistake", DEFINITION_MISTAKES)
def test_a_mistake_in_the_definition_is_named(corpus: SmallCorpus, mistake: str) -> None:
    break_it, expected = DEFINITION_MISTAKES[mistake]
    definition = corpus.definition("denial")
    corpus.build(definition=definition)
    break_it(definition)
    with pytest.raises(UserError) as error:
        corpus.build(definition=definition)
    told = message_of(error, corpus.folder)
    has_line = told.startswith("task.yaml") and told != "task.yaml: 'labels' is missing."
    assert (without_line(told) if has_line else told) == expected


def test_a_mistyped_claim_in_a_description_is_named(corpus: SmallCorpus) -> None:
    definition = corpus.definition("stance")
    definition["descriptions"] = {"agree": "يؤيد النص القول: {clame}"}
    with pytest.raises(ConfigError) as error:
        corpus.build(definition=definition)
    assert without_line(message_of(error, corpus.folder)) == (
        "task.yaml: descriptions.agree: '{clame}' is not a known placeholder.\nDid you mean 'claim'?"
    )


def test_a_wrong_label_for_unnamed_claims_is_named_where_it_is_set(corpus: SmallCorpus) -> None:
    definition = corpus.definition("stance")
    definition["source"]["unnamed"] = "unrelatd"
    with pytest.raises(DataError) as error:
        corpus.build(definition=definition)
    assert without_line(message_of(error, corpus.folder)) == (
        "task.yaml: source.unnamed: label 'unrelatd' is not one of the task's labels.\nDid you mean 'unrelated'?"
    )


def test_without_a_label_for_unnamed_claims_all_must_be_named(corpus: SmallCorpus) -> None:
    definition = corpus.definition("stance")
    del definition["source"]["unnamed"]
    with pytest.raises(DataError, match=r"pass-1\.jsonl, line 1: 'stance' has no label for the claim 'killed'"):
        corpus.build(definition=definition)


FILE_MISTAKES = {
    "malformed JSON": (
        "pass-2.jsonl",
        b'{"segment_id": "a-1", "denial": "denial"}\n\n{"segment_id": "a-2", denial: "none"}\n',
        "pass-2.jsonl, line 3: not valid JSON: ",
    ),
    "a key that stands twice": (
        "pass-2.jsonl",
        b'{"segment_id": "a-1", "denial": "denial", "denial": "none"}\n',
        "pass-2.jsonl, line 1: not valid JSON: the key 'denial' is repeated.",
    ),
    "a line that is no object": ("pass-2.jsonl", b"[]\n", "pass-2.jsonl, line 1: expected a JSON object, not list."),
    "an empty file": ("pass-2.jsonl", b"\n", "pass-2.jsonl: the file is empty."),
    "bytes that are not UTF-8": (
        "pass-2.jsonl",
        '{"segment_id": "a-1"}\n{"note": "نفت"}\n'.encode("cp1256"),
        "pass-2.jsonl, line 2: byte 11 of the line (0xe4) is not UTF-8.",
    ),
    "a document that is not UTF-8": (
        "documents/a.txt",
        "نفت روسيا".encode("cp1256"),
        "documents/a.txt, line 1: byte 1 of the line (0xe4) is not UTF-8.",
    ),
    "an empty document": ("documents/a.txt", b"", "documents/a.txt: the file is empty."),
}


@pytest.mark.parametrize("mistake", FILE_MISTAKES)
def test_a_broken_file_is_named_with_the_line(corpus: SmallCorpus, mistake: str) -> None:
    name, content, expected = FILE_MISTAKES[mistake]
    corpus.write()
    (corpus.folder / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        corpus.build_as_it_stands(corpus.definition("denial"))
    assert message_of(error, corpus.folder).startswith(expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("name: a\nlabels: [a, b\nmetric: mcc\n", "task.yaml, line 3: not valid YAML: "),
        ("name: a\nmetric: mcc\nname: b\n", "task.yaml, line 3: not valid YAML: the key 'name' is repeated."),
        ("name: !!python/object:os.system a\n", "task.yaml, line 1: not valid YAML: "),
        ("name: a\x07\n", "task.yaml, line 1: not valid YAML: the character U+0007."),
        ("- name\n", "task.yaml: expected a mapping with the keys name, "),
    ],
)
def test_a_definition_that_is_no_yaml_mapping_is_named_with_the_line(
    tmp_path: Path, content: str, expected: str
) -> None:
    path = tmp_path / "task.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError) as error:
        read_definition(path)
    assert message_of(error, tmp_path).startswith(expected)


def test_a_missing_definition_is_a_data_error(tmp_path: Path) -> None:
    (tmp_path / "task.yml").write_text("name: a\n")
    with pytest.raises(DataError, match=r"Did you mean 'task\.yml'"):
        read_definition(tmp_path / "task.yaml")


TABLE_MISTAKES: dict[str, tuple[str, str | bytes, dict[str, str], str]] = {
    "a missing column": (
        "a.csv",
        "texts,label\nنعم,yes\n",
        {},
        "a.csv, line 2: unknown column 'text'.\nDid you mean 'texts'?",
    ),
    "a label outside the set": (
        "a.csv",
        'text,label\n"نعم\nقال",yes\nلا,noo\n',
        {},
        "a.csv, line 4: label 'noo' is not one of the task's labels.\nDid you mean 'no'?",
    ),
    "an empty text": (
        "a.tsv",
        "text\tlabel\nنعم\tyes\n \tno\n",
        {},
        "a.tsv, line 3: column 'text' is empty, as in 1 of all 2 rows.\n"
        "Every example needs a text. Name its column in source.columns.text, or remove these rows.",
    ),
    "an empty label": (
        "a.csv",
        "text,label\nنعم,\n",
        {},
        "a.csv, line 2: column 'label' is empty, as in 1 of all 1 row.\n"
        "Every example needs a label. Name its column in source.columns.label, or remove these rows. If an empty "
        "cell means a label, write that label into it.",
    ),
    "a duplicate id": (
        "a.csv",
        "text,label,id\nنعم,yes,1\nلا,no,1\n",
        {"id": "id"},
        "a.csv, line 3: id '1' is repeated, first in a.csv, line 2.\n"
        "Correct it, or remove source.columns.id. Rows are then numbered.",
    ),
    "a row that is too long": (
        "a.csv",
        "text,label\nنعم, قال,yes\n",
        {},
        "a.csv, line 2: 3 cells, but the header has 2.\nQuote a text that contains the delimiter or a line end.",
    ),
    "a quotation that never ends": (
        "a.csv",
        'text,label\n"نعم,yes\nلا,no\n',
        {},
        "a.csv, line 2: not valid CSV: unexpected end of data.\n"
        "Quote a text that contains a quotation mark, and double the mark.",
    ),
    "a column that stands twice": (
        "a.csv",
        "text,label,text\nنعم,yes,لا\n",
        {},
        "a.csv, line 1: the column 'text' is repeated.\nRename one of the two in the file. If the first line is a row, "
        "not a header, name the columns, such as --columns name-1,name-2,name-3.",
    ),
    "a header alone": ("a.csv", "text,label\n", {}, "a.csv: the table has a header but no rows."),
    "an unknown format": (
        "a.ods",
        "text,label\n",
        {},
        "a.ods: a table is a .csv, .tsv, .jsonl, .json, .parquet or .xlsx file, not '.ods'.\n"
        "Give its format in task.yaml: source.format.",
    ),
    "a text that is no text": (
        "a.jsonl",
        '{"text": ["نعم"], "label": "yes"}\n',
        {},
        "a.jsonl, line 1: column 'text' must be text, not ['نعم'].\n"
        "Join the items of each list into one text, or write one row for each item.",
    ),
    "a class that no example has": (
        "a.csv",
        "text,label\nنعم,yes\n",
        {},
        "task.yaml: no example has the label 'no'.\nRemove it from labels, or label examples of it. "
        "A class without examples cannot be learned or scored.",
    ),
    "an unknown column key": (
        "a.csv",
        "text,label\nنعم,yes\n",
        {"grup": "site"},
        "task.yaml: unknown key 'source.columns.grup'.\nDid you mean 'group'?",
    ),
    "a table that is not UTF-8": (
        "a.csv",
        "text,label\nنعم,yes\n".encode("cp1256"),
        {},
        "a.csv, line 2: byte 1 of the line (0xe4) is not UTF-8.\nSave it as UTF-8. It is most likely Windows-1256: "
        "iconv -f WINDOWS-1256 -t UTF-8 FILE\n"
        "A table can also be read as it is: use --encoding windows-1256, or source.encoding in the task's file.",
    ),
}


@pytest.mark.parametrize("mistake", TABLE_MISTAKES)
def test_a_mistake_in_a_table_is_named(tmp_path: Path, mistake: str) -> None:
    name, content, columns, expected = TABLE_MISTAKES[mistake]
    with pytest.raises(UserError) as error:
        table_task(tmp_path, name, content, **columns)
    assert message_of(error, tmp_path) == expected


def test_a_folder_in_the_place_of_a_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": "a.csv", "columns": {"text": "text", "label": "label"}},
        "inputs": ["text"],
        "labels": ["yes", "no"],
    }
    with pytest.raises(DataError, match=r"a\.csv: cannot be read: Is a directory"):
        build_task(definition, tmp_path / "task.yaml")
