"""An untrained baseline: rules over cue lists, for the built-in tasks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from bench.errors import ModelError
from bench.text.lexicons import lexicon
from bench.text.normalization import WORD_PATTERN, normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

NEAR = 8
"""Words that may be between a source and the verb that attributes something to it."""

OVERLAP = 0.5
"""Share of the claim's stems that a text must have to be about the claim.

Fixed in advance as "half of what the claim says", and not fitted to any labels.
"""

_SOURCES = ("government", "intelligence", "international_organization", "media", "expert")
_SENTENCE_END = re.compile(r"[.!?؟؛\n]")
_WORD = re.compile(WORD_PATTERN)
_PREFIX = re.compile(r"^(?:[وف]?(?:بال|كال|فال|ال|لل)|و)(?=\w{2})")
_SUFFIX = re.compile(r"(?<=\w\w)(?:ها|ان|ات|ون|ين|يه|ه|ي)$")


@dataclass(frozen=True)
class _Span:
    """A cue's place in a text, and the list that it is from."""

    start: int
    end: int
    name: str

    def overlaps(self, other: _Span) -> bool:
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class _RuleSet:
    """Rules for one task: the labels that they can give, the one for what no rule catches last."""

    inputs: tuple[str, ...]
    labels: tuple[str, ...]
    decide: Callable[[Mapping[str, str]], Sequence[str]]


class LexiconClassifier(ClassifierMixin, BaseEstimator):
    """Classify by hand-written rules over the cue lists of `bench.text.lexicons`.

    Nothing is learned. The names of the task's labels decide which rules apply:

    denial
        ``denial`` if a denial cue occurs outside any cue of non-confirmation, else ``non_confirmation``
        if there is such a cue, else ``none``.
    source type
        The type of the first source cue with an attribution (a verb of saying, "according to", a colon)
        in the same sentence, at most `NEAR` words away; ``media`` only if no other type is attributed, since
        it mostly carries another's words; else ``unattributed``.
    stance
        ``unrelated`` if the text has less than `OVERLAP` of the claim's stems (words by the affix
        rules of Light10, Larkey, Ballesteros and Connell 2007); else ``disagree`` where text and claim differ
        in having a denial or negation; else ``discuss`` if the text hedges, asks or does not confirm;
        else ``agree``.

    Parameters
    ----------
    inputs : tuple of str
        The task's input columns.
    labels : tuple of str
        The task's labels: those above, or fewer, with the last of its rules among them.
    label_map : mapping of str to str, optional
        From the labels above to the task's, where those are coarser.

    Attributes
    ----------
    classes_ : ndarray of str of shape (n_labels,)
        The task's labels, sorted.
    rules_ : str
        The name of the rules that apply.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["نفت موسكو إرسال الجنود", "وصل الوفد إلى المدينة"]})
    >>> LexiconClassifier(("text",), ("denial", "none")).fit(frame, ["denial", "none"]).predict(frame).tolist()
    ['denial', 'none']
    """

    def __init__(
        self,
        inputs: tuple[str, ...] = (),
        labels: tuple[str, ...] = (),
        label_map: Mapping[str, str] | None = None,
    ) -> None:
        self.inputs = inputs
        self.labels = labels
        self.label_map = label_map

    def check_task(self) -> None:
        """Check that there are rules for the task's labels.

        Raises
        ------
        bench.errors.ModelError
            If there are none.
        """
        self._suited()

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> LexiconClassifier:
        """Check that there are rules for the task's labels.

        Raises
        ------
        bench.errors.ModelError
            If there are none, or `y` has a label that the task does not have.
        """
        self.rules_ = self._suited()
        self.classes_ = np.array(sorted(self.labels))
        unknown = sorted(set(np.asarray(y).astype(str)) - set(self.labels))
        if unknown:
            raise ModelError(f"lexicon: {', '.join(unknown)} is not among the labels {', '.join(self.labels)}.")
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.str_]:
        """Apply the rules.

        Parameters
        ----------
        X : pandas.DataFrame of shape (n_examples, n_inputs)
            The input columns.

        Returns
        -------
        ndarray of str of shape (n_examples,)
            Labels of the task.
        """
        check_is_fitted(self)
        rules = RULE_SETS[self.rules_]
        columns = [map(normalize, X[name].astype(str)) for name in rules.inputs]
        answers = [
            self._first_known(rules.decide(dict(zip(rules.inputs, row, strict=True))))
            for row in zip(*columns, strict=True)
        ]
        return np.array(answers, dtype=self.classes_.dtype)

    def _suited(self) -> str:
        for name, rules in RULE_SETS.items():
            known = {self._mapped(label) for label in rules.labels}
            fallback = self._mapped(rules.labels[-1])
            if set(rules.inputs) <= set(self.inputs) and fallback in self.labels and set(self.labels) <= known:
                return name
        sets = "; ".join(
            f"{name} ({', '.join(rules.labels)}, from {' and '.join(rules.inputs)})"
            for name, rules in RULE_SETS.items()
        )
        raise ModelError(
            f"lexicon: no rules exist for the labels {', '.join(self.labels) or '(none)'} "
            f"from {' and '.join(self.inputs) or '(nothing)'}.",
            f"Rules exist for {sets}. Use these label names, or exclude the model with model=.",
        )

    def _mapped(self, label: str) -> str:
        return (self.label_map or {}).get(label, label)

    def _first_known(self, candidates: Sequence[str]) -> str:
        return next(label for label in map(self._mapped, candidates) if label in self.labels)


def _denial(row: Mapping[str, str]) -> list[str]:
    text = row["text"]
    declined = _spans(text, "non_confirmation")
    answers = ["denial"] if _outside(_spans(text, "denial"), declined) else []
    return [*answers, *(["non_confirmation"] if declined else []), "none"]


def _source_type(row: Mapping[str, str]) -> list[str]:
    text = row["text"]
    attributions = _spans(text, "attribution") + [_Span(m.start(), m.end(), "colon") for m in re.finditer(":", text)]
    longest = sorted(_spans(text, *_SOURCES), key=lambda span: span.start - span.end)
    sources: list[_Span] = []
    for span in longest:
        if not any(span.overlaps(other) for other in sources):
            sources.append(span)
    attributed = [span.name for span in sorted(sources, key=lambda span: span.start) if _near(text, span, attributions)]
    named = [name for name in attributed if name != "media"]
    return [*named, *attributed, "unattributed"]


def _stance(row: Mapping[str, str]) -> list[str]:
    claim, text = row["claim"], row["text"]
    stems = _stems(claim)
    if len(stems & _stems(text)) < OVERLAP * len(stems) or not stems:
        return ["unrelated", "agree"]
    answers = ["disagree"] if _negates(text) != _negates(claim) else []
    if _spans(text, "hedge", "non_confirmation") or re.search("[?؟]", text):
        answers.append("discuss")
    return [*answers, "agree"]


def _negates(text: str) -> bool:
    doubts = _spans(text, "non_confirmation", "hedge")
    return bool(_outside(_spans(text, "denial", "negation"), doubts))


def _spans(text: str, *names: str) -> list[_Span]:
    return [_Span(m.start(), m.end(), name) for name in names for m in lexicon(name).pattern.finditer(text)]


def _outside(spans: list[_Span], others: list[_Span]) -> list[_Span]:
    return [span for span in spans if not any(span.overlaps(other) for other in others)]


def _near(text: str, source: _Span, attributions: list[_Span]) -> bool:
    for cue in attributions:
        between = text[min(source.end, cue.end) : max(source.start, cue.start)]
        if not _SENTENCE_END.search(between) and len(between.split()) <= NEAR:
            return True
    return False


def _stems(text: str) -> set[str]:
    stems = (_SUFFIX.sub("", _PREFIX.sub("", word)) for word in _WORD.findall(text))
    return {stem for stem in stems if len(stem) > 2}


RULE_SETS = {
    "denial": _RuleSet(("text",), ("denial", "non_confirmation", "none"), _denial),
    "source-type": _RuleSet(("text",), (*_SOURCES, "unattributed"), _source_type),
    "stance": _RuleSet(("claim", "text"), ("unrelated", "disagree", "discuss", "agree"), _stance),
}
"""The rules by the name of the task that they are for."""
