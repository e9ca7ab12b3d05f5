"""Annotation passes, and the gold labels that follow from them and the adjudications."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.data.json_reading import read_json_lines, text_field
from bench.data.messages import listed
from bench.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.data.labels import LabelSet


@dataclass(frozen=True)
class AnnotatedUnits:
    """What every pass labels: segments, or pairs of a segment and a claim.

    Parameters
    ----------
    kinds : mapping of str to str
        Each segment's kind, by the segment's id, in the order of the corpus.
    exclude : frozenset of str
        The kinds of segment without labels.
    claims : tuple of str
        The claims' ids; empty if segments alone are labelled.
    field : str
        The key of an annotation that holds its label, or, for pairs, its labels by claim.
    labels : LabelSet
        The allowed labels.
    unnamed : str or None
        The label of the claims that an annotation does not name; None if all must be named.
    noun : str
        The noun for a segment: a ``sentence`` is identified by ``sentence_id``.
    """

    kinds: Mapping[str, str]
    exclude: frozenset[str]
    claims: tuple[str, ...]
    field: str
    labels: LabelSet
    unnamed: str | None = None
    noun: str = "segment"

    @property
    def annotated(self) -> list[str]:
        """The ids of the segments that carry labels, in their order."""
        return [segment for segment, kind in self.kinds.items() if kind not in self.exclude]

    def check_segment(self, segment: str, where: str) -> None:
        """Raise a DataError unless `segment` carries labels."""
        if segment not in self.kinds:
            raise DataError(f"{where}: unknown {self.noun} '{segment}'.", nearest(segment, self.kinds))
        if self.kinds[segment] in self.exclude:
            raise DataError(
                f"{where}: {self.noun} '{segment}' has kind '{self.kinds[segment]}', which the task excludes.",
                "Remove the annotation, or remove the kind from source.exclude.",
            )

    def check_claim(self, claim: str, where: str) -> None:
        """Raise a DataError unless there is such a claim."""
        if claim not in self.claims:
            raise DataError(f"{where}: unknown claim '{claim}'.", nearest(claim, self.claims))


def unit_name(segment: str, claim: str | None) -> str:
    """Name a unit.

    Examples
    --------
    >>> unit_name("000-005", "troops-sent"), unit_name("000-005", None)
    ('000-005/troops-sent', '000-005')
    """
    return segment if claim is None else f"{segment}/{claim}"


def read_pass(path: Path, units: AnnotatedUnits) -> dict[str, str]:
    """Read one complete annotation pass.

    Parameters
    ----------
    path : pathlib.Path
        JSON lines with ``segment_id`` (or as the units are called) and the field of `units`: a label, or labels by
        claim.
    units : AnnotatedUnits
        What is to be labelled.

    Returns
    -------
    dict of str to str
        The task's label of each unit.

    Raises
    ------
    bench.errors.DataError
        If an annotation is malformed or repeated, a label, segment or claim is unknown, or a segment is missing.
    """
    given: dict[str, str] = {}
    places: dict[str, str] = {}
    for where, content in read_json_lines(path):
        segment = text_field(content, f"{units.noun}_id", where)
        units.check_segment(segment, where)
        if segment in places:
            raise DataError(f"{where}: {units.noun} '{segment}' is annotated twice, first in {places[segment]}.")
        places[segment] = where
        if units.field not in content:
            raise DataError(f"{where}: '{units.field}' is missing.", nearest(units.field, content))
        given |= _labels_of(segment, content[units.field], units, where)
    missing = [segment for segment in units.annotated if segment not in places]
    if missing:
        raise DataError(
            f"{path}: the pass is missing {len(missing)} of {len(units.annotated)} {units.noun}s: {listed(missing)}.",
            f"Every pass must label every {units.noun}. Remove an unfinished pass from source.annotations.",
        )
    return given


@dataclass(frozen=True)
class Adjudication:
    """The decision on one unit, and the place where it is written."""

    label: str
    where: str


def read_adjudications(path: Path, units: AnnotatedUnits) -> dict[str, Adjudication]:
    """Read the decisions on units whose passes are tied.

    Parameters
    ----------
    path : pathlib.Path
        JSON lines with ``segment_id``, ``task`` (the field that is decided), ``label`` and, for pairs, ``claim_id``;
        lines for other fields are ignored.
    units : AnnotatedUnits
        What was labelled.

    Raises
    ------
    bench.errors.DataError
        If a decision is malformed or repeated, or a label, segment or claim is unknown.
    """
    decisions: dict[str, Adjudication] = {}
    for where, content in read_json_lines(path):
        if text_field(content, "task", where) != units.field:
            continue
        segment = text_field(content, f"{units.noun}_id", where)
        units.check_segment(segment, where)
        claim = text_field(content, "claim_id", where) if units.claims else None
        if claim is not None:
            units.check_claim(claim, where)
        name = unit_name(segment, claim)
        if name in decisions:
            raise DataError(f"{where}: '{name}' is adjudicated twice, first in {decisions[name].where}.")
        decisions[name] = Adjudication(units.labels.read(content.get("label"), where), where)
    return decisions


def gold_labels(
    passes: Sequence[Mapping[str, str]],
    decisions: Mapping[str, Adjudication],
    adjudications: Path | None,
    noun: str = "segment",
) -> dict[str, str]:
    """Decide each unit: the label that most passes give, and for a tie the adjudication.

    Parameters
    ----------
    passes : sequence of mappings of str to str
        Each pass's label of each unit; all passes have the same units.
    decisions : mapping of str to Adjudication
        The adjudicated units.
    adjudications : pathlib.Path or None
        The file of the decisions, named in errors.
    noun : str
        What a unit is called.

    Raises
    ------
    bench.errors.DataError
        If a tie has no adjudication, or an adjudication overrules a majority.
    """
    gold: dict[str, str] = {}
    for name in passes[0]:
        votes = Counter(labels[name] for labels in passes)
        (label, count), *others = votes.most_common()
        decision = decisions.get(name)
        if others and others[0][1] == count:
            if decision is None:
                tally = ", ".join(f"pass {number}: {labels[name]}" for number, labels in enumerate(passes, start=1))
                raise DataError(
                    f"{noun} {_spelled_out(name)}: the passes are tied ({tally}), and no adjudication breaks the tie.",
                    f"Add a line for it to {adjudications or 'a file, and set source.adjudications to that file'}.",
                )
            label = decision.label
        elif decision is not None and decision.label != label:
            raise DataError(
                f"{decision.where}: '{name}' is adjudicated as '{decision.label}', but most passes chose '{label}'.",
                "An adjudication only breaks ties. Correct the wrong pass, or remove the line.",
            )
        gold[name] = label
    return gold


def _labels_of(segment: str, given: Any, units: AnnotatedUnits, where: str) -> dict[str, str]:
    if not units.claims:
        return {segment: units.labels.read(given, where)}
    if not isinstance(given, dict):
        raise DataError(f"{where}: '{units.field}' must be an object of labels by claim, not {given!r}.")
    for claim in given:
        units.check_claim(claim, where)
    raw = dict.fromkeys(units.claims, units.unnamed) | given
    for claim, label in raw.items():
        if label is None and claim not in given:
            raise DataError(
                f"{where}: '{units.field}' has no label for the claim '{claim}'.",
                "Name every claim, or set source.unnamed to the label of unnamed claims.",
            )
    return {unit_name(segment, claim): units.labels.read(label, where) for claim, label in raw.items()}


def _spelled_out(name: str) -> str:
    segment, slash, claim = name.partition("/")
    return f"'{segment}'" + (f" toward claim '{claim}'" if slash else "")
