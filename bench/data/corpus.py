"""The corpus: documents, the segments cut from them by offsets, and the claims about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.files import read_text
from bench.data.json_reading import name_field, read_json_lines, text_field
from bench.data.messages import check_name
from bench.errors import DataError, nearest
from bench.text.identity import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Segment:
    """A piece of a document.

    Parameters
    ----------
    id : str
        The segment's name, unique in the corpus.
    document : str
        The document's name.
    start, end : int
        Offsets into the document's text in Unicode code points; `end` is exclusive.
    kind : str
        The kind of segment, such as ``"body"`` or ``"caption"``.
    text : str
        The document's text from `start` to `end`.
    """

    id: str
    document: str
    start: int
    end: int
    kind: str
    text: str


@dataclass(frozen=True)
class Claim:
    """A statement toward which segments take a position."""

    id: str
    text: str


def read_documents(folder: Path) -> dict[str, str]:
    """Read a folder's ``*.txt`` files.

    Returns
    -------
    dict of str to str
        Each document's text, with its line ends as they are, under the file's name without ``.txt``, by name.

    Raises
    ------
    bench.errors.DataError
        If the folder is missing or has no document, or one is not UTF-8.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: this folder does not exist.", "'documents' is the folder with the .txt files.")
    documents = {}
    for path in sorted(folder.glob("*.txt")):
        check_name(path.stem, str(path), "name of the document")
        documents[path.stem] = read_text(path)
    if not documents:
        raise DataError(f"{folder}: the folder has no .txt file.")
    return documents


def read_segments(path: Path, documents: Mapping[str, str]) -> list[Segment]:
    """Read segments and check each against its document.

    Parameters
    ----------
    path : pathlib.Path
        JSON lines with ``segment_id``, ``doc_id``, ``start``, ``end``, ``kind`` and ``text``.
    documents : mapping of str to str
        The documents' texts by name.

    Returns
    -------
    list of Segment
        In document order: by document, then by offset.

    Raises
    ------
    bench.errors.DataError
        If a segment is malformed, is repeated, names an unknown document, or its text is not the document's text
        at its offsets.
    """
    segments: list[Segment] = []
    places: dict[str, str] = {}
    for where, content in read_json_lines(path):
        name, document = _unit_id(content, "segment_id", where), name_field(content, "doc_id", where)
        key = name_key(name, fold_case=False)
        if key in places:
            raise DataError(f"{where}: segment_id '{name}' is repeated, first in {places[key]}.")
        if document not in documents:
            raise DataError(f"{where}: unknown document '{document}'.", nearest(document, documents))
        text = text_field(content, "text", where)
        start, end = content.get("start"), content.get("end")
        if type(start) is not int or type(end) is not int:
            raise DataError(f"{where}: 'start' and 'end' must be whole numbers, not {start!r} and {end!r}.")
        if start < 0 or documents[document][start:end] != text:
            raise DataError(
                f"{where}: the text of segment '{name}' differs from '{document}' at {start} to {end}.",
                _true_offsets(text, documents[document]),
            )
        places[key] = where
        segments.append(Segment(name, document, start, end, name_field(content, "kind", where), text))
    order = {document: place for place, document in enumerate(documents)}
    return sorted(segments, key=lambda segment: (order[segment.document], segment.start))


def read_claims(path: Path) -> list[Claim]:
    """Read claims: JSON lines with ``claim_id`` and ``text``.

    Raises
    ------
    bench.errors.DataError
        If a claim is malformed or repeated.
    """
    claims: list[Claim] = []
    places: dict[str, str] = {}
    for where, content in read_json_lines(path):
        claim = Claim(_unit_id(content, "claim_id", where), text_field(content, "text", where))
        key = name_key(claim.id, fold_case=False)
        if key in places:
            raise DataError(f"{where}: claim_id '{claim.id}' is repeated, first in {places[key]}.")
        places[key] = where
        claims.append(claim)
    return claims


def _unit_id(content: dict[str, object], key: str, where: str) -> str:
    name = name_field(content, key, where)
    if "/" in name:
        raise DataError(f"{where}: {key} '{name}' contains a slash.", "A slash joins the two ids of a pair. Rename it.")
    return name


def _true_offsets(text: str, document: str) -> str:
    found = document.find(text)
    if found >= 0:
        return f"This text is at {found} to {found + len(text)}. Offsets count Unicode code points, not bytes."
    return "The document does not contain this text. Extract the segment again; do not edit the document."
