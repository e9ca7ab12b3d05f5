"""Put labels that came back and the examples that there are together."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.checks.finding import counted
from bench.data.dates import DATE
from bench.data.drawn import PROBABILITY
from bench.data.duplicates import duplicate_keys
from bench.data.messages import listed
from bench.data.sources.annotation_tools import pass_column
from bench.data.sources.further import written as as_text
from bench.data.task import GROUP
from bench.data.votes import ADJUDICATED, EARLIER, GROUND_TRUTH, TEXT, Recorded
from bench.errors import DataError
from bench.labelling.drawn import EXAMPLE_ID, LABEL, text_digest
from bench.labelling.exports import UNNAMED, Labelled
from bench.labelling.own_table import OwnTable
from bench.labelling.rates import rate_of
from bench.statistics.agreement import cohen_kappa
from bench.statistics.dawid_skene import dawid_skene

if TYPE_CHECKING:
    from numpy.typing import NDArray


DAWID_SKENE = "dawid-skene"
"""The value of ``gold`` in a task's file that weighs annotators by their reliability."""

SURE = 0.55
"""The least probability of a label that weighed annotators decide. One half is a tie."""

ENOUGH = 20
"""The fewest texts in common with others from which an annotator's reliability is estimated without a note."""

Votes = Mapping[str, str]
"""Each annotator's label of an example."""


@dataclass(frozen=True)
class AnnotatorAgreement:
    """How far an annotator agrees with the labels that the task had.

    Parameters
    ----------
    annotator : str
        The annotator.
    n, same : int
        How many labelled examples were labelled again, and how many got the same label.
    kappa : float
        Cohen's kappa; NaN if undefined.
    """

    annotator: str
    n: int
    same: int
    kappa: float


class Merged:
    """The rows of a new version: the old examples in their order, then the new ones.

    Parameters
    ----------
    table : OwnTable
        The earlier version.
    recorded : Recorded
        What earlier versions added.
    """

    def __init__(self, table: OwnTable, recorded: Recorded) -> None:
        self.table = table
        self.recorded, self.truth, self.waiting = recorded.votes, recorded.truth, recorded.waiting
        self.weighs = table.definition.file.gold == DAWID_SKENE
        self.adds = False
        self.contradicted: Counter[str] = Counter()
        self._replaced: Counter[str] = Counter()
        self.rows = [dict(row) for row in table.rows]
        self.n_new = self.n_again = self.n_changed = self.n_changed_test = 0
        self._lacks: Counter[str] = Counter()
        self.tied: list[str] = []
        self.votes: list[dict[str, str | bool]] = []
        self.posteriors: list[dict[str, str | float]] = []
        self._few = ""
        self.own_rates = PROBABILITY in table.rows[0]
        self._unnamed_rates = 0
        self._mapping = table.labels.mapping
        self._earlier: dict[str, list[tuple[str, str]]] = {}
        self._by_annotator: dict[str, dict[int, str]] = {}
        frame = pd.DataFrame(table.rows)[list(table.task.inputs)]
        self.keys = duplicate_keys(frame).tolist()
        used = set(table.task.examples["id"])
        self._places: dict[bytes, list[int]] = {}
        for number in sorted(range(len(self.keys)), key=lambda number: table.rows[number]["id"] not in used):
            self._places.setdefault(self.keys[number], []).append(number)
        self._by_id = {row["id"]: number for number, row in enumerate(table.rows)}

    def add(self, given: Mapping[bytes, Labelled]) -> None:
        """Add texts by their keys."""
        weighed = self._weighed(given) if self.weighs else {}
        for key, each in given.items():
            places = self._places_of(key, each)
            if places:
                self._add_again(places, each, weighed.get(key))
            else:
                self._add_new(key, each, weighed.get(key))
        if self.n_new:
            self._keep_passes_as_votes()

    def passes(self) -> dict[str, list[str]]:
        """The annotation passes: those that were there, and annotators who labelled all examples of them."""
        if self.n_new or not self.table.passes[0]:
            return {}
        names = dict(zip(self.table.votes[0], self.table.passes[0], strict=False))
        passes = {name: [each[who] for each in self.table.votes] for who, name in names.items()}
        for who, labels in sorted(self._by_annotator.items()):
            if who in names or len(labels) == len(self.rows):
                column = passes.setdefault(names.get(who, pass_column(LABEL, who)), [""] * len(self.rows))
                for place, label in labels.items():
                    column[place] = label
        return passes

    def changed_keys(self) -> dict[str, dict[str, str]]:
        """Keys of the task's file that take another value: ``label_map`` if the task's own labels were given."""
        known = self.table.definition.file.label_map
        used = {row[LABEL] for row in self.rows} | {label for each in self.table.passes for label in each.values()}
        if not known or used <= {*known}:
            return {}
        return {"label_map": {**known, **{label: label for label in sorted(used - {*known})}}}

    def agreement(self) -> tuple[AnnotatorAgreement, ...]:
        """How far each annotator agrees with the labels that the task had."""
        return tuple(
            AnnotatorAgreement(who, len(pairs), sum(a == b for a, b in pairs), cohen_kappa(*zip(*pairs, strict=True)))
            for who, pairs in sorted(self._earlier.items())
        )

    def notes(self, votes: str) -> list[str]:
        """What else to know of the new version, a sentence each."""
        notes = []
        if n := self._lacks[GROUP]:
            which = "is a group of its own" if n == 1 else "are groups of their own"
            notes.append(
                f"{self._lacking(GROUP)}, and {which}. If examples belong together, scores are too high: draw from an "
                "archive with this column."
            )
        if n := self._unnamed_rates:
            notes.append(
                f"The column '{PROBABILITY}' of {counted(n, 'new example')} is not taken for the rate of a draw, since "
                f"none is named. If it is one, write columns: {{{PROBABILITY}: {PROBABILITY}}} into task.yaml first."
            )
        if self._few:
            notes.append(self._few)
        notes += [
            f"{counted(n, 'label')} of {who} {'replaces one' if n == 1 else 'replace others'} that {who} gave earlier. "
            "If these are two people, undo this version, and name one with --annotator."
            for who, n in sorted(self._replaced.items())
        ]
        if self._lacks[DATE]:
            notes.append(f"{self._lacking(DATE)}, and no date in the task.")
        if self.n_new and self.table.splits:
            notes.append("New examples join the train part of the published split. Its test part stays as it was.")
        if n := self.n_changed_test:
            told = f"{counted(n, 'test example')} {'has' if n == 1 else 'have'} another label now."
            if self.table.definition.file.published:
                told += " Published results are about the earlier labels, and are no longer in the task's file."
            notes.append(told)
        if self.n_new and self.table.passes[0]:
            notes.append(
                f"The annotation passes do not cover the new examples. Their labels are kept as votes in {votes}."
            )
        elif added := len(self.passes()) - len(self.table.passes[0]):
            notes.append(f"{added} annotation {'pass is' if added == 1 else 'passes are'} new.")
        return notes

    def _lacking(self, role: str) -> str:
        n, column = self._lacks[role], self.table.columns[role]
        return f"{n:,} new {'example has' if n == 1 else 'examples have'} no '{column}' in the export"

    def _places_of(self, key: bytes, each: Labelled) -> list[int]:
        """The numbers of the examples that a text is, first those that the task uses; none for a new one."""
        name = str(each.fields.get(EXAMPLE_ID) or "")
        if name in self._by_id and self.keys[self._by_id[name]] != key:
            raise DataError(
                f"{each.where}: its text is not that of example '{name}'.", "Texts must not be edited in the tool."
            )
        return self._places.get(key, [])

    def _known(self, place: int) -> Votes:
        """The votes of an example: recorded ones, else the table's, and its label if these do not give it."""
        row = self.table.rows[place]
        votes = self.recorded.get(row["id"]) or self.table.votes[place]
        if not votes:
            return {EARLIER: row[LABEL]}
        tally = Counter(self._mapping[vote] for vote in _of(self.truth.get(row["id"], set()), votes).values())
        given = tally[self._mapping[row[LABEL]]] == max(tally.values())
        weighed = self.weighs and row["id"] in self.recorded
        return votes if given or weighed else {**votes, ADJUDICATED: row[LABEL]}

    def _waiting_votes(self, key: bytes, each: Labelled) -> tuple[Votes, set[str]]:
        """The votes that a new text has from earlier versions, under this name or another, and whose are the truth."""
        names = dict.fromkeys([*self.waiting.get(text_digest(key), ()), _name(key, each)])
        votes = {who: vote for name in names for who, vote in self.recorded.get(name, {}).items()}
        return votes, {who for name in names for who in self.truth.get(name, ())}

    def _add_new(self, key: bytes, each: Labelled, chances: Mapping[str, float] | None) -> None:
        """Add an example, or only record the votes if they are tied, for another annotator to decide."""
        name, (known, true) = _name(key, each), self._waiting_votes(key, each)
        truth = (true - each.labels.keys()) | each.truth
        votes = {**known, **each.labels}
        self._compare(known, each.labels)
        label = self._decide(_of(truth, votes), None, None if truth else chances)
        if label is None:
            self.tied.append(name)
            self._record(name, votes, None, truth, text_digest(key))
            return
        drawn = rate_of(each, self.own_rates)
        row, lacks = self.table.new_row(name, each, label, drawn=bool(drawn))
        self._unnamed_rates += not drawn and bool(as_text(each.fields.get(PROBABILITY)))
        self.rows.append(row | drawn)
        self.keys.append(key)
        self.n_new += 1
        self.adds = True
        self._lacks.update(lacks)
        self._record(name, votes, chances, truth)

    def _add_again(self, places: Sequence[int], each: Labelled, chances: Mapping[str, float] | None) -> None:
        """Add the votes to all examples of a text."""
        known = self._known(places[0])
        label = self._mapping[self.rows[places[0]][LABEL]]
        for who, vote in each.labels.items():
            if who not in known:  # else the label is the annotator's own too
                self._earlier.setdefault(who, []).append((label, self._mapping[vote]))
        self._compare(known, each.labels)
        changed = [self.rows[place] for place in places if self._voted(place, each, chances)]
        self.n_again += 1
        self.n_changed += bool(changed)
        self.n_changed_test += any(self.table.is_test(row) for row in changed)

    def _voted(self, place: int, each: Labelled, chances: Mapping[str, float] | None) -> bool:
        """Add the votes to an example, and say whether it has another label now. Without a new vote its label stays."""
        row, known = self.rows[place], self._known(place)
        name, label = row["id"], row[LABEL]
        true, recorded = self.truth.get(name, set()), self.recorded.get(name, {})
        for who, vote in each.labels.items():
            self._by_annotator.setdefault(who, {})[place] = vote
        new = any((vote, who in each.truth) != (known.get(who), who in true) for who, vote in each.labels.items())
        self.adds = self.adds or new
        weighed = chances if new and ADJUDICATED not in known else None
        fresh = {who: vote for who, vote in known.items() if recorded.get(who) != vote}
        self._record(name, {**fresh, **each.labels}, weighed, each.truth)
        if not new:
            return False
        truth = (true - each.labels.keys()) | each.truth
        row[LABEL] = self._decide(_of(truth, {**known, **each.labels}), label, None if truth else weighed) or label
        return self._mapping[row[LABEL]] != self._mapping[label]

    def _compare(self, known: Votes, given: Votes) -> None:
        """Count votes that replace others of the same person, and those that contradict another unnamed person."""
        self._replaced.update(who for who, vote in given.items() if known.get(who, vote) != vote)
        self.contradicted.update(
            other
            for who, vote in given.items()
            for other, was in known.items()
            if who != other and who.startswith(UNNAMED) and other.startswith(UNNAMED) and was != vote
        )

    def _record(
        self,
        name: str,
        votes: Votes,
        chances: Mapping[str, float] | None,
        truth: Set[str] = frozenset(),
        text: str | None = None,
    ) -> None:
        self.votes += [
            {"example": name, "annotator": who, "label": vote}
            | ({GROUND_TRUTH: True} if who in truth else {})
            | ({} if text is None else {TEXT: text})
            for who, vote in votes.items()
        ]
        self.posteriors += [] if chances is None else [{"example": name, **chances}]

    def _keep_passes_as_votes(self) -> None:
        """Record the passes of examples that were not labelled again, since the table has them no more."""
        told = {vote["example"] for vote in self.votes} | self.recorded.keys()
        for place, row in enumerate(self.table.rows):
            if self.table.passes[place] and row["id"] not in told:
                self._record(row["id"], self._known(place), None)

    def _decide(self, votes: Votes, label: str | None, chances: Mapping[str, float] | None) -> str | None:
        """The label of votes, or by the chances of the task's labels; None if nothing decides."""
        mapping = self._mapping
        own = None if label is None else mapping[label]
        tally = chances or Counter(mapping[vote] for vote in votes.values())
        most = max(tally.values())
        if chances and most < SURE:
            return None
        best = [each for each, count in tally.items() if count == most]
        if len(best) > 1 and own not in best:
            return None
        chosen = own if own in best else best[0]
        finer = Counter(vote for vote in votes.values() if mapping[vote] == chosen)
        if not finer:
            return label if own == chosen else next(raw for raw, coarse in mapping.items() if coarse == chosen)
        return max(finer, key=lambda vote: (finer[vote], vote == label))

    def _weighed(self, given: Mapping[bytes, Labelled]) -> dict[bytes, dict[str, float]]:
        """The probability of each label of the given texts, from their votes and all that were recorded before."""
        labels = self.table.labels.labels
        units: list[Votes] = []
        named: set[str] = set()
        for key, each in given.items():
            places = self._places_of(key, each)
            known = self._known(places[0]) if places else self._waiting_votes(key, each)[0]
            named.update((self.table.rows[place]["id"] for place in places) if places else (_name(key, each),))
            units.append({**known, **each.labels})
        units += [known for name, known in self.recorded.items() if name not in named]
        for place, row in enumerate(self.table.rows):
            if self.table.passes[place] and row["id"] not in named | self.recorded.keys():
                units.append(self._known(place))
        # An adjudication looks at what annotators disagree on, so it cannot be held to what they say.
        units = [{who: vote for who, vote in unit.items() if who != ADJUDICATED} for unit in units]
        annotators = {who: number for number, who in enumerate(sorted({who for unit in units for who in unit}))}
        codes = np.full((len(units), len(annotators)), -1, dtype=np.intp)
        for number, unit in enumerate(units):
            for who, label in unit.items():
                codes[number, annotators[who]] = labels.index(self._mapping[label])
        self._few = _too_few(codes, list(annotators))
        posterior = dawid_skene(codes, len(labels)).posterior[: len(given)].tolist()
        return {key: dict(zip(labels, chances, strict=True)) for key, chances in zip(given, posterior, strict=True)}


def _name(key: bytes, each: Labelled) -> str:
    """The id of a new example."""
    return str(each.fields.get(EXAMPLE_ID) or "") or f"added-{hashlib.sha256(key).hexdigest()[:12]}"


def _too_few(codes: NDArray[np.intp], annotators: Sequence[str]) -> str:
    """Say whose reliability cannot be estimated well; empty if everybody's can."""
    people = [who for who in annotators if who != EARLIER]
    if len(people) < 3:
        return (
            f"Only {listed(people)} gave labels. It takes at least three annotators to tell who is reliable, so where "
            "annotators differ, their weights mean little."
        )
    given = codes >= 0
    shared = given[given.sum(axis=1) > 1].sum(axis=0).tolist()
    few = [f"{who} ({n:,})" for who, n in zip(annotators, shared, strict=True) if who != EARLIER and n < ENOUGH]
    if not few:
        return ""
    return (
        f"These annotators have fewer than {ENOUGH} texts in common with others, so their weights mean little: "
        f"{listed(few)}."
    )


def _of(truth: Set[str], votes: Votes) -> Votes:
    """The votes that decide: those that are marked as the truth, if there are any."""
    return {who: vote for who, vote in votes.items() if who in truth} or votes
