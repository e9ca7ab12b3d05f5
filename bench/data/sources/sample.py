"""A sample of the sentences of published tables, labelled by annotation passes that contain no text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from bench.data.annotations import AnnotatedUnits
from bench.data.dates import DATE, DAY_FIRST
from bench.data.json_reading import name_field, read_json_lines
from bench.data.published import find_file
from bench.data.sources.column_errors import check_cell, date_of_cell, unknown_column
from bench.data.sources.formats import form_of
from bench.data.sources.passes import read_passes
from bench.data.sources.records import Records
from bench.errors import ConfigError, DataError, nearest
from bench.text.identity import name_key

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet
    from bench.data.section import Section
    from bench.data.sources.further import Further

Key = tuple[str, str, str]
"""A file, by its key in the task's file; a sentence's id in it; the SHA-256 of the sentence in UTF-8."""


@dataclass(frozen=True)
class Sampled:
    """A sentence of the sample: its place, and what was known when it was drawn."""

    id: str
    key: Key
    article: str
    stratum: str
    where: str


def from_sample(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    mirror: Path | None,
    further: Further | None = None,
) -> Records:
    """Read a sample's list, find its sentences in the published files, and read the labels that the passes decide.

    A sentence is found by its file, its id and its SHA-256, so that no label can be assigned to another text.
    """
    source.check_keys(
        ("kind", "sample", "path", "columns", "annotations", "field"),
        ("adjudications", "population", "format", "quote", "encoding", "header", DAY_FIRST, "download"),
    )
    if inputs != ("text",):
        raise ConfigError(f"{source.origin}: 'inputs' must be [text] for a sample of sentences.")
    columns = source.section("columns", "such as {id: sentence_id, text: sentence}")
    columns.check_keys(("id", "text"), (DATE,))
    dated = columns.text(DATE) if columns.content.get(DATE) is not None else None
    files = source.section("path", "of each file that the sample names")
    sample = _read_sample(source.path(source.text("sample")), files)
    texts: dict[Key, str] = {}
    dates: dict[Key, str] = {}
    wanted = {sentence.key: sentence.id for sentence in sample} if further is not None else {}
    used = (columns.text("id"), columns.text("text"))
    for name in files.content:
        path = find_file(source, files.text(name), mirror)
        for where, row in form_of(source, path.name).rows(path):
            for column in (columns.text("id"), columns.text("text"), *([dated] if dated else [])):
                if column not in row:
                    raise unknown_column(column, row, where)
            text = str(row[columns.text("text")])
            check_cell(text, columns.text("text"), where)
            key = name, str(row[columns.text("id")]), _sha256(text)
            texts[key] = text
            if further is not None and key in wanted:
                further.add(wanted[key], row, used)
            if dated:
                dates[key] = date_of_cell(row[dated], dated, where, source.choice(DAY_FIRST))
    for sentence in sample:
        if sentence.key not in texts:
            raise DataError(
                f"{sentence.where}: {files.where(sentence.key[0])} has no sentence '{sentence.id}' whose text has that "
                "SHA-256.",
                "The file is not the version that was labelled.",
            )
    strata = {each.id: each.stratum for each in sample}
    units = AnnotatedUnits(strata, frozenset(), (), source.text("field"), labels, noun="sentence")
    gold, passes = read_passes(source, units)
    ids = [each.id for each in sample]
    examples = pd.DataFrame(
        {
            "id": ids,
            "text": [texts[each.key] for each in sample],
            "label": [gold[name] for name in ids],
            "article": [each.article for each in sample],
            "stratum": [each.stratum for each in sample],
            **({DATE: [dates[each.key] for each in sample]} if dated else {}),
        }
    )
    given = pd.DataFrame({f"pass-{n}": [one[name] for name in ids] for n, one in enumerate(passes, start=1)})
    return Records(examples, "article", given, population=_population(source, sample))


def _read_sample(path: Path, files: Section) -> list[Sampled]:
    sample: list[Sampled] = []
    places: dict[str, str] = {}
    for where, content in read_json_lines(path):
        name, split, digest, article, stratum = (
            name_field(content, key, where) for key in ("sentence_id", "split", "sha256", "article", "stratum")
        )
        key = name_key(name, fold_case=False)
        if key in places:
            raise DataError(f"{where}: sentence '{name}' is repeated, first in {places[key]}.")
        if split not in files.content:
            raise DataError(f"{where}: {files.name} has no file '{split}'.", nearest(split, files.content))
        places[key] = where
        sample.append(Sampled(name, (split, name, digest), article, stratum, where))
    return sample


def _population(source: Section, sample: list[Sampled]) -> dict[str, int]:
    """How many sentences each stratum has in the population; empty if the task's file does not say."""
    if source.content.get("population") is None:
        return {}
    population = source.section("population", "of each stratum's size")
    drawn = {each.stratum for each in sample}
    for stratum, size in population.content.items():
        if stratum not in drawn:
            where = population.where(str(stratum))
            raise ConfigError(f"{where}: the sample has no such stratum.", nearest(str(stratum), drawn))
        least = sum(each.stratum == stratum for each in sample)
        if type(size) is not int or size < least:
            raise ConfigError(f"{population.where(stratum)} must be a whole number, at least {least}, not {size!r}.")
    for stratum in sorted(drawn - population.content.keys()):
        raise ConfigError(f"{population.where(stratum)} is missing.")
    return dict(population.content)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
