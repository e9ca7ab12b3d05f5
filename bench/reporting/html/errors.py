"""The error browser's data: every wrong out-of-fold prediction, each text and name once."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np
from markupsafe import Markup

from bench.comparison.compared import ComparedRun, ComparedRuns
from bench.comparison.suspects import Suspect
from bench.data.task import Task
from bench.metrics.confusion import NO_ANSWER, UNANSWERED
from bench.metrics.outcomes import label_indices
from bench.reporting.features import name_feature
from bench.results.cell import Explanation
from bench.support.json_writing import json_text

LONGEST = 2000
"""Characters of a text that are shown."""

MOST_NAMED = 100_000
"""N-grams that are named in the whole page, about 1.2 MB of it."""

_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


class TextColumns(TypedDict, total=False):
    """Columns of examples that only the task holds: places of its inputs' texts, and the labels of each pass."""

    claim: list[int]
    text: list[int]
    passes: list[list[int]]


class ExampleColumns(TextColumns):
    """Columns over the examples that some run got wrong."""

    id: list[str]
    group: list[int]
    gold: list[int]
    suspect: list[int]


class ErrorColumns(TypedDict):
    """A run's name, and columns over its errors, those first that it was surest of.

    ``predicted`` is -1 where there is no answer. ``probabilities``, in thousandths, are of all labels of all errors in
    one list; None where the run gives none. ``explained`` has the n-grams for and against: places of names and
    contributions in turns; None for a run without explanations.
    """

    name: str
    example: list[int]
    fold: list[int]
    predicted: list[int]
    probabilities: list[int] | None
    explained: list[list[list[float]] | None] | None


class BrowserData(TypedDict):
    """What the error browser shows, each text and name once.

    ``directions`` has a letter for each text: ``r`` where it is set right to left. ``kinds`` are what features are
    about, and ``places`` for each of these the input column and what its n-grams are made of, empty for other features.
    ``names`` are pairs of a kind's place and the n-gram or what is measured; ``named`` is how many features an error
    names a side at most.
    """

    labels: list[str]
    by_fold: bool
    groups: list[str]
    passes: list[str]
    examples: ExampleColumns
    runs: list[ErrorColumns]
    texts: list[str]
    directions: str
    kinds: list[str]
    places: list[tuple[str, str]]
    names: list[tuple[int, str]]
    named: int


class SpelledExample(TypedDict):
    """An example, spelt out; as a part of an error also its fold, where there are several."""

    fold: NotRequired[int]
    id: str
    group: str
    gold: str
    suspect: bool
    inputs: list[tuple[str, str]]
    passes: list[tuple[str, str]]


class SpelledError(SpelledExample):
    """An error of a run, spelt out."""

    predicted: str
    probabilities: list[tuple[str, float]]
    explained: list[list[tuple[str, str, float]]]


INPUTS: tuple[Literal["claim", "text"], ...] = ("claim", "text")


def browser_data(runs: ComparedRuns, task: Task | None, suspects: Sequence[Suspect]) -> BrowserData:
    """Gather the wrong predictions of all runs as columns of indices into shared tables.

    Parameters
    ----------
    runs : ComparedRuns
        The runs.
    task : Task or None
        The task with its texts; None where they are not at hand.
    suspects : sequence of Suspect
        Labels that are worth a second look.
    """
    ids = np.array([str(name) for name in runs.ids.tolist()], dtype=object)
    wrong = np.any([run.predicted != runs.true for run in runs.runs], axis=0)
    shown = list(dict.fromkeys(ids[wrong].tolist()))
    place = {name: number for number, name in enumerate(shown)}
    row = {name: number for number, name in enumerate(ids.tolist())}
    rows = np.array([row[name] for name in shown], dtype=np.intp)
    example = {number: place[name] for number, name in enumerate(ids.tolist()) if name in place}
    suspected = {suspect.id for suspect in suspects}
    explained = [_explanations(runs, run) for run in runs.runs]
    named = most_named(explained)
    strings, names = _Strings(), _Names(runs.task.inputs)
    return {
        "labels": list(runs.labels),
        "by_fold": len(set(runs.folds.tolist())) > 1,
        "groups": runs.group_names,
        "passes": [] if task is None or task.passes is None else [str(name) for name in task.passes.columns],
        "examples": {
            "id": shown,
            "group": runs.groups[rows].tolist(),
            "gold": runs.true[rows].tolist(),
            "suspect": [int(name in suspected) for name in shown],
            **_texts(task, shown, strings),
        },
        "runs": [
            _errors(runs, run, example, about, names, named) for run, about in zip(runs.runs, explained, strict=True)
        ],
        "texts": strings.values,
        "directions": "".join("r" if direction(text) == "rtl" else "-" for text in strings.values),
        "kinds": names.kinds.values,
        "places": names.columns,
        "names": names.values,
        "named": named,
    }


def to_script(value: Any) -> Markup:
    r"""Write a value as JSON that cannot end the script element in which it stands.

    Examples
    --------
    >>> print(to_script({"text": "</script>&"}))
    {"text":"\u003c/script\u003e\u0026"}
    """
    text = json_text(value, compact=True)
    return Markup(text.translate(_ESCAPES))


def direction(text: str) -> str:
    """The direction in which a text is set: ``rtl`` where its first letter is an Arabic one, else ``auto``.

    Examples
    --------
    >>> direction("«نفى» Reuters"), direction("Reuters نفى"), direction("12")
    ('rtl', 'auto', 'auto')
    """
    strong = (unicodedata.bidirectional(character) for character in text)
    return "rtl" if next((kind for kind in strong if kind in ("L", "R", "AL")), "L") == "AL" else "auto"


def cut(text: str) -> str:
    """The first `LONGEST` characters of a text, with the number of those left out."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]} … [{len(text) - LONGEST:,} more characters]"


def spell_example(data: BrowserData, place: int) -> SpelledExample:
    """Spell out an example."""
    examples, labels = data["examples"], data["labels"]
    return {
        "id": examples["id"][place],
        "group": data["groups"][examples["group"][place]],
        "gold": labels[examples["gold"][place]],
        "suspect": bool(examples["suspect"][place]),
        "inputs": [(name, data["texts"][examples[name][place]]) for name in INPUTS if name in examples],
        "passes": [
            (name, labels[column[place]])
            for name, column in zip(data["passes"], examples.get("passes", ()), strict=True)
        ],
    }


def spell_error(data: BrowserData, run: int, place: int) -> SpelledError:
    """Spell out an error of a run."""
    columns, labels = data["runs"][run], data["labels"]
    probabilities = columns["probabilities"]
    explained = columns["explained"] and columns["explained"][place]
    error: SpelledError = {
        **spell_example(data, columns["example"][place]),
        "predicted": NO_ANSWER if columns["predicted"][place] == UNANSWERED else labels[columns["predicted"][place]],
        "probabilities": []
        if probabilities is None
        else [(label, probabilities[place * len(labels) + code] / 1000) for code, label in enumerate(labels)],
        "explained": [
            [
                (data["kinds"][kind], term, share)
                for name, share in zip(side[::2], side[1::2], strict=True)
                for kind, term in (data["names"][int(name)],)
            ]
            for side in explained or ()
        ],
    }
    if data["by_fold"]:
        error["fold"] = columns["fold"][place]
    return error


def most_named(explained: Sequence[dict[tuple[int, str], Explanation]]) -> int:
    """How many n-grams each error can name for and against, so that the page stays small."""
    longest = max(
        (len(side) for run in explained for each in run.values() for side in (each.speaks_for, each.speaks_against)),
        default=0,
    )
    for named in range(longest, 1, -1):
        total = sum(
            min(named, len(side))
            for run in explained
            for each in run.values()
            for side in (each.speaks_for, each.speaks_against)
        )
        if total <= MOST_NAMED:
            return named
    return min(longest, 1)


class _Strings:
    """Each string once, by its place."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, value: str) -> int:
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[str]:
        return list(self._places)


class _Names:
    """Features' names in two parts, what they are about being the same in thousands."""

    def __init__(self, inputs: Sequence[str]) -> None:
        self.kinds = _Strings()
        self.columns: list[tuple[str, str]] = []
        self.values: list[tuple[int, str]] = []
        self._inputs = tuple(inputs)
        self._places: dict[str, int] = {}

    def place(self, name: str) -> int:
        if name not in self._places:
            feature = name_feature(name, self._inputs)
            kind = self.kinds.place(feature.kind)
            if kind == len(self.columns):
                self.columns.append((feature.column, feature.by))
            self._places[name] = len(self.values)
            self.values.append((kind, feature.term))
        return self._places[name]


def _texts(task: Task | None, ids: list[str], strings: _Strings) -> TextColumns:
    """The columns of examples that only the task holds."""
    if task is None:
        return {}
    row = {name: number for number, name in enumerate(map(str, task.ids.tolist()))}
    at = [row[name] for name in ids]
    columns: TextColumns = {}
    for name in INPUTS:
        if name in task.inputs:
            columns[name] = [strings.place(cut(text)) for text in task.examples[name].iloc[at].astype(str)]
    if task.passes is not None:
        columns["passes"] = [
            label_indices(given.iloc[at].to_numpy(dtype=str), task.labels).tolist() for _, given in task.passes.items()
        ]
    return columns


def _explanations(runs: ComparedRuns, run: ComparedRun) -> dict[tuple[int, str], Explanation]:
    """What spoke for and against the run's errors, by fold and id."""
    return {
        (fold, each.id): each for fold in np.unique(runs.folds).tolist() for each in run.folder.read_explanations(fold)
    }


def _errors(
    runs: ComparedRuns,
    run: ComparedRun,
    example: dict[int, int],
    explanations: dict[tuple[int, str], Explanation],
    names: _Names,
    named: int,
) -> ErrorColumns:
    """The columns of a run's errors."""
    rows = np.flatnonzero(run.predicted != runs.true)
    if run.probabilities is not None:
        sureness = np.where(run.predicted[rows] == UNANSWERED, 0.0, run.probabilities[rows, run.predicted[rows]])
        rows = rows[np.argsort(-sureness, kind="stable")]
    folds = runs.folds[rows].tolist()

    def side(pairs: Sequence[tuple[str, float]]) -> list[float]:
        return [value for name, share in pairs[:named] for value in (names.place(name), float(f"{share:.3g}"))]

    found = [explanations.get((fold, str(name))) for fold, name in zip(folds, runs.ids[rows], strict=True)]
    return {
        "name": run.name,
        "example": [example[row] for row in rows.tolist()],
        "fold": folds,
        "predicted": run.predicted[rows].tolist(),
        "probabilities": None
        if run.probabilities is None
        else np.rint(run.probabilities[rows] * 1000).astype(int).ravel().tolist(),
        "explained": [None if each is None else [side(each.speaks_for), side(each.speaks_against)] for each in found]
        if explanations
        else None,
    }
