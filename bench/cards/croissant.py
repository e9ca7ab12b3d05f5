"""Croissant metadata (JSON-LD, version 1.0) of an exported task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.data.task import Task

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"

OWN = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
"""Croissant's own terms, which a document's context names one by one."""

CONTEXT: Mapping[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{term: f"cr:{term}" for term in OWN},
}


@dataclass(frozen=True)
class DataFile:
    """A file of the data: the name of its part, its path, its size and digest."""

    name: str
    path: str
    bytes: int
    sha256: str


def croissant(
    task: Task, parts: Sequence[DataFile], columns: Sequence[str], licence: str, cite_as: str
) -> dict[str, object]:
    """Describe the files of a task.

    Parameters
    ----------
    task : Task
        The task.
    parts : sequence of DataFile
        Its files, of Parquet.
    columns : sequence of str
        Their columns; that of labels holds places in the task's list of them.
    licence : str
        The licence's name or address.
    cite_as : str
        What to cite; an empty text where nothing is.
    """
    described: dict[str, object] = {
        "@context": dict(CONTEXT),
        "@type": "sc:Dataset",
        "name": task.name,
        "description": task.description,
        "conformsTo": CONFORMS_TO,
        "version": f"{task.version}.0.0",
        "license": licence,
        "inLanguage": "ar",
        "distribution": [_file(part) for part in parts],
        "recordSet": [_labels(task), *(_records(part, columns) for part in parts)],
    }
    further = {"url": task.homepage, "citeAs": cite_as}
    return described | {name: value for name, value in further.items() if value}


def _file(part: DataFile) -> dict[str, object]:
    return {
        "@type": "cr:FileObject",
        "@id": part.path,
        "name": part.path,
        "contentUrl": part.path,
        "contentSize": f"{part.bytes} B",
        "encodingFormat": "application/x-parquet",
        "sha256": part.sha256,
    }


def _labels(task: Task) -> dict[str, object]:
    return {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/code"},
        "field": [
            {"@type": "cr:Field", "@id": "labels/code", "name": "code", "dataType": "sc:Integer"},
            {"@type": "cr:Field", "@id": "labels/name", "name": "name", "dataType": "sc:Text"},
        ],
        "data": [{"labels/code": code, "labels/name": label} for code, label in enumerate(task.labels)],
    }


def _records(part: DataFile, columns: Sequence[str]) -> dict[str, object]:
    return {
        "@type": "cr:RecordSet",
        "@id": part.name,
        "name": part.name,
        "key": {"@id": f"{part.name}/id"},
        "field": [_field(part, column) for column in columns],
    }


def _field(part: DataFile, column: str) -> dict[str, object]:
    field: dict[str, object] = {
        "@type": "cr:Field",
        "@id": f"{part.name}/{column}",
        "name": column,
        "dataType": "sc:Integer" if column == "label" else "sc:Text",
        "source": {"fileObject": {"@id": part.path}, "extract": {"column": column}},
    }
    return field | ({"references": {"field": {"@id": "labels/code"}}} if column == "label" else {})
