"""A corpus of two documents, three segments and two claims, written out for tests to break."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from bench.data.definition import build_task, read_definition

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.task import Task

DOCUMENTS = {"a": "نفت روسيا ذلك.\r\nلم تعلق واشنطن.\r\nصورة: رويترز\r\n", "b": "أكدت سيول الأمر.\n"}
CUTS = [("a-1", "a", "نفت روسيا ذلك.", "body"), ("a-2", "a", "لم تعلق واشنطن.", "body")]
CUTS += [("a-3", "a", "صورة: رويترز", "caption"), ("b-1", "b", "أكدت سيول الأمر.", "body")]
DENIAL = {"a-1": "denial", "a-2": "non_confirmation", "b-1": "none"}
STANCE = {"a-1": {"sent": "disagree"}, "a-2": {"sent": "discuss"}, "b-1": {"sent": "agree", "killed": "agree"}}


class SmallCorpus:
    """The files of two tasks, ``denial`` and ``stance``, in a folder; change what a test is about, then build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "documents").mkdir()
        for name, text in DOCUMENTS.items():
            (folder / "documents" / f"{name}.txt").write_bytes(text.encode())
        self.segments = [
            {
                "segment_id": name,
                "doc_id": document,
                "start": DOCUMENTS[document].index(text),
                "end": DOCUMENTS[document].index(text) + len(text),
                "kind": kind,
                "text": text,
            }
            for name, document, text, kind in CUTS
        ]
        self.claims = [{"claim_id": "sent", "text": "أُرسل جنود."}, {"claim_id": "killed", "text": "قُتل ضباط."}]
        self.passes = [
            [{"segment_id": name, "denial": DENIAL[name], "stance": dict(STANCE[name])} for name in DENIAL]
            for _ in range(3)
        ]
        self.adjudications: list[dict[str, Any]] = []

    def definition(self, name: str) -> dict[str, Any]:
        source: dict[str, Any] = {
            "kind": "segments",
            "documents": "documents",
            "segments": "segments.jsonl",
            "exclude": ["caption"],
            "annotations": [f"pass-{number}.jsonl" for number in range(1, len(self.passes) + 1)],
            "field": name,
        }
        if self.adjudications:
            source["adjudications"] = "adjudications.jsonl"
        if name == "denial":
            return {
                "name": "denial",
                "description": "Does somebody deny?",
                "source": source,
                "inputs": ["text"],
                "labels": ["denial", "non_confirmation", "none"],
            }
        return {
            "name": "stance",
            "description": "What position?",
            "source": source | {"claims": "claims.jsonl", "unnamed": "unrelated"},
            "inputs": ["claim", "text"],
            "labels": ["agree", "disagree", "discuss", "unrelated"],
        }

    def write(self) -> None:
        self._lines("segments.jsonl", self.segments)
        self._lines("claims.jsonl", self.claims)
        self._lines("adjudications.jsonl", self.adjudications)
        for number, lines in enumerate(self.passes, start=1):
            self._lines(f"pass-{number}.jsonl", lines)

    def build(self, name: str = "denial", definition: dict[str, Any] | None = None) -> Task:
        self.write()
        return self.build_as_it_stands(definition or self.definition(name))

    def build_as_it_stands(self, definition: dict[str, Any]) -> Task:
        origin = self.folder / "task.yaml"
        origin.write_text(yaml.safe_dump(definition, allow_unicode=True), encoding="utf-8")
        return build_task(read_definition(origin), origin)

    def _lines(self, name: str, objects: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(content, ensure_ascii=False) + "\n" for content in objects)
        (self.folder / name).write_text(text, encoding="utf-8")


def table_task(folder: Path, name: str, content: str | bytes, **columns: str) -> Task:
    """Build a task of one table: labels ``yes`` and ``no``, by default in the columns ``text`` and ``label``."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    definition = {
        "name": "mine",
        "description": "A table.",
        "source": {"kind": "table", "path": name, "columns": {"text": "text", "label": "label"} | columns},
        "inputs": ["claim", "text"] if "claim" in columns else ["text"],
        "labels": ["yes", "no"],
    }
    return build_task(definition, folder / "task.yaml")
