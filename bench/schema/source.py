"""The schema of the ``source`` section of a task's file, by kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bench.errors import nearest
from bench.schema.check import Declared, expects, listing, mapping, wrong
from bench.schema.run import Flag

Filled = Annotated[str, Field(min_length=1), expects("text")]
Quoting = Annotated[Filled | None, Field(description="How cells are quoted: double, single, backslash or none.")]
Encoding = Annotated[Filled | None, Field(description="The file's encoding; by default UTF-8.")]
DayFirst = Annotated[
    Flag | None,
    Field(description="Whether dates such as 03/05/2024 have the day first; by default each must have one reading."),
]
Texts = Annotated[list[Filled] | None, listing("a list of texts")]
Files = Annotated[
    Filled | Annotated[list[Filled], Field(min_length=1)], expects("text: one file, or a list of the pieces of a table")
]
Column = Annotated[
    Filled | Annotated[list[Filled], Field(min_length=1)] | None, expects("text: the name of a column of the table")
]


class FileParts(Declared):
    """The files of a published split."""

    tag = "\0parts"

    train: Files
    dev: Files | None = None
    test: Files


class Parts(Declared):
    """A name for each part of a published split."""

    tag = "\0parts"

    train: Filled
    dev: Filled | None = None
    test: Filled


def _is_parts(value: Any) -> str:
    return "\0parts" if isinstance(value, dict) else "\0one"


class Columns(Declared):
    """The table's column for each field of the task."""

    id: Column = None
    text: Column = None
    claim: Column = None
    label: Column = None
    group: Column = None
    split: Column = None
    date: Column = None
    passes: Column = None
    stratum: Column = None
    probability: Column = None


class Download(Declared):
    """Where files are published. They are downloaded and checked on first use."""

    address: Filled = Field(alias="from", description="The https address of the folder with the files.")
    sha256: Annotated[
        dict[str, Annotated[str | None, expects("64 hexadecimal digits, or null")]],
        mapping("a mapping of each file to its SHA-256"),
    ] = Field(description="The SHA-256 of each file, by its path below the address; null trusts the first download.")


class SegmentsSource(Declared):
    """Segments of documents, with annotation passes."""

    tag = "\0segments"

    kind: Literal["segments"]
    documents: Filled = Field(description="The folder of the documents.")
    segments: Filled = Field(description="The file of the segments.")
    annotations: Texts = Field(description="The files of the annotation passes.")
    field: Filled = Field(description="The key of the label in the passes.")
    exclude: Texts = Field(None, description="Kinds of segments to leave out.")
    adjudications: Filled | None = Field(None, description="The file of decisions on ties.")
    claims: Filled | None = Field(None, description="The file of the claims.")
    unnamed: Filled | None = Field(None, description="The label of claims that a pass does not mention.")


class TableSource(Declared):
    """A table with one example in each row."""

    tag = "\0table"

    kind: Literal["table"]
    path: Annotated[Annotated[Files, Tag("\0one")] | Annotated[FileParts, Tag("\0parts")], Discriminator(_is_parts)] = (
        Field(description="The file, or one for each part of a published split.")
    )
    columns: Annotated[Columns, mapping("a mapping, such as {text: body, label: class}")]
    format: Any = Field(None, description="The file's format, if its suffix does not determine it.")
    quote: Quoting = None
    encoding: Encoding = None
    header: Texts = Field(None, description="The names of the columns, if the file has no header.")
    sheet: Filled | None = Field(None, description="The sheet of a workbook.")
    labels: (
        Annotated[Annotated[Filled, Tag("\0one")] | Annotated[Parts, Tag("\0parts")], Discriminator(_is_parts)] | None
    ) = Field(None, description="The file of the labels of a file of texts.")
    allow_shifted: Flag = Field(False, description="Whether to leave out rows with shifted cells.")
    folds: Annotated[list[Annotated[int | str, expects("a number")]] | None, listing("a list of numbers")] = Field(
        None, description="The numbers of published folds, each replacing {fold} in path."
    )
    day_first: DayFirst = None
    download: Download | None = None


class SampleColumns(Declared):
    """The columns of a sample's files."""

    id: Filled
    text: Filled
    date: Filled | None = None


class SampleSource(Declared):
    """A stratified sample of sentences of published files, with annotation passes."""

    tag = "\0sample"

    kind: Literal["sample"]
    sample: Filled = Field(description="The file that lists the sentences.")
    path: Annotated[dict[str, Filled], mapping("a mapping of each file in the sample")]
    columns: Annotated[SampleColumns, mapping("a mapping, such as {id: sentence_id, text: sentence}")]
    annotations: Texts
    field: Filled
    adjudications: Filled | None = None
    population: Annotated[
        dict[str, Annotated[int, expects("a whole number")]] | None, mapping("a mapping of each stratum to its size")
    ] = None
    format: Any = None
    quote: Quoting = None
    encoding: Encoding = None
    header: Texts = None
    day_first: DayFirst = None
    download: Download | None = None


class HubSource(Declared):
    """A data set on the Hugging Face Hub at a fixed commit."""

    tag = "\0hub"

    kind: Literal["hub"]
    dataset: Filled = Field(description="The data set: owner/name.")
    revision: Filled = Field(description="The commit, 40 hexadecimal digits.")
    split: Annotated[Annotated[Filled, Tag("\0one")] | Annotated[Parts, Tag("\0parts")], Discriminator(_is_parts)] = (
        Field(description="The split, or one for each part of a published split.")
    )
    columns: Annotated[Columns, mapping("a mapping, such as {text: body, label: class}")]
    config: Filled | None = Field(None, description="The configuration of the data set.")
    day_first: DayFirst = None


class SpanColumns(Declared):
    """The columns of a file of spans."""

    document: Filled | None = None
    start: Filled | None = None
    end: Filled | None = None
    label: Filled | None = None
    text: Filled | None = None
    group: Filled | None = None
    date: Filled | None = None


class StandoffSource(Declared):
    """Documents, and a file with the labels of their spans."""

    tag = "\0standoff"

    kind: Literal["standoff"]
    documents: Filled = Field(description="The folder of the documents.")
    labels: Filled = Field(description="The file of the spans.")
    format: Any = None
    quote: Quoting = None
    encoding: Encoding = None
    header: Texts = None
    columns: Annotated[SpanColumns | None, mapping("a mapping, such as {document: file, label: class}")] = None
    day_first: DayFirst = None


KINDS = ("segments", "table", "sample", "hub", "standoff")


def _of_a_kind(source: Any) -> Any:
    if source is None or not isinstance(source, dict):
        raise wrong(f" must be a mapping, not {source!r}.", f"Choose a kind: {', '.join(KINDS)}.")
    kind = source.get("kind")
    if kind not in KINDS:
        raise wrong(f" is {kind!r}.", nearest(str(kind), KINDS), "kind")
    return source


def _tag(source: Any) -> str:
    return f"\0{source['kind']}"


Source = Annotated[
    Annotated[SegmentsSource, Tag(SegmentsSource.tag)]
    | Annotated[TableSource, Tag(TableSource.tag)]
    | Annotated[SampleSource, Tag(SampleSource.tag)]
    | Annotated[HubSource, Tag(HubSource.tag)]
    | Annotated[StandoffSource, Tag(StandoffSource.tag)],
    Discriminator(_tag),
    BeforeValidator(_of_a_kind),
]
