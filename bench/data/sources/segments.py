"""Segments of a corpus, labelled by annotation passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from bench.data.annotations import AnnotatedUnits, unit_name
from bench.data.corpus import read_claims, read_documents, read_segments
from bench.data.sources.passes import read_passes
from bench.data.sources.records import Records
from bench.errors import ConfigError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from bench.data.labels import LabelSet
    from bench.data.section import Section
    from bench.data.sources.further import Further


def from_segments(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    mirror: Path | None,
    further: Further | None = None,
) -> Records:
    """Read a corpus's segments, or their pairs with its claims, and the labels that the passes decide.

    It has no further columns: all that is known of a segment is part of the examples.
    """
    source.check_keys(
        ("kind", "documents", "segments", "annotations", "field"), ("exclude", "adjudications", "claims", "unnamed")
    )
    if ("claim" in inputs) != ("claims" in source.content):
        raise ConfigError(
            f"{source.where('claims')} is required if inputs is [claim, text], and not allowed otherwise. It is "
            f"[{', '.join(inputs)}]."
        )
    documents = read_documents(source.path(source.text("documents")))
    segments = read_segments(source.path(source.text("segments")), documents)
    exclude = source.texts("exclude")
    for kind in exclude:
        if all(segment.kind != kind for segment in segments):
            known = (segment.kind for segment in segments)
            raise ConfigError(f"{source.where('exclude')}: no segment has kind '{kind}'.", nearest(kind, known))
    claims = read_claims(source.path(source.text("claims"))) if "claim" in inputs else []
    unnamed = source.content.get("unnamed")
    if unnamed is not None:
        labels.read(unnamed, source.where("unnamed"))
    units = AnnotatedUnits(
        {segment.id: segment.kind for segment in segments},
        frozenset(exclude),
        tuple(claim.id for claim in claims),
        source.text("field"),
        labels,
        unnamed,
    )
    gold, passes = read_passes(source, units)
    examples = pd.DataFrame(
        {
            "id": unit_name(segment.id, claim.id if claim else None),
            "text": segment.text,
            "document": segment.document,
            "kind": segment.kind,
            **({"claim": claim.text, "claim_id": claim.id} if claim else {}),
        }
        for segment in segments
        if segment.kind not in units.exclude
        for claim in claims or (None,)
    )
    examples["label"] = examples["id"].map(gold)
    others = [name for name in ("document", "kind", "claim_id") if name in examples]
    return Records(
        examples[["id", *inputs, "label", *others]],
        "document",
        pd.DataFrame(
            {f"pass-{number}": examples["id"].map(given).tolist() for number, given in enumerate(passes, start=1)}
        ),
    )
