"""Parse a label from a language model's answer, strictly: anything but exactly one label is not an answer."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence

from bench.errors import one_line, without_halves
from bench.llm.completion import Completion

SHOWN = 60
"""Characters of an answer that a reason shows."""

_FENCED = re.compile(r"```[\w-]*\n(.*?)\n?```", re.DOTALL)
_AROUND = " \t\r\n\"'`“”„‘’«»"
_FULL_STOPS = ".。۔"


def read_label(completion: Completion, labels: Sequence[str]) -> tuple[str | None, str]:
    """Read the label that a chat completion names.

    The answer must be a label alone, or a JSON object with the key ``label`` alone. Case, white space, quotation
    marks around it, a final full stop and a code fence around the whole are allowed; nothing else is.

    Parameters
    ----------
    completion : Completion
        The body of a response, with ``choices``.
    labels : sequence of str
        The task's labels.

    Returns
    -------
    (str or None, str)
        The label and an empty text, or None and the reason.

    Examples
    --------
    >>> say = lambda content: {"choices": [{"message": {"content": content}}]}
    >>> labels = ["agree", "disagree"]
    >>> read_label(say(" Agree."), labels), read_label(say('{"label": "disagree"}'), labels)
    (('agree', ''), ('disagree', ''))
    >>> read_label(say("agree or disagree"), labels)
    (None, 'the answer is not one of the labels: agree or disagree')
    """
    choice = completion["choices"][0]
    content = choice["message"].get("content")
    finished = choice.get("finish_reason")
    ended = f" ({one_line(str(finished), SHOWN)})" if finished not in (None, "stop") else ""
    if not isinstance(content, str) or not content.strip():
        return None, f"the answer is empty{ended}"
    answer = without_halves(content.strip())
    if fenced := _FENCED.fullmatch(answer):
        answer = fenced[1].strip()
    named = _label_of_json(answer) if answer.startswith("{") else answer
    label = None if named is None else _match(named, labels)
    if label is not None and finished == "length" and _may_go_on(label, labels):
        return None, f"the answer was cut off{ended}, and may have been a longer label: {label}"
    if label is not None:
        return label, ""
    shown = " ".join(answer.split())
    return None, f"the answer is not one of the labels{ended}: {shown[:SHOWN]}{'…' if len(shown) > SHOWN else ''}"


def _label_of_json(answer: str) -> str | None:
    try:
        pairs = json.loads(answer, object_pairs_hook=list)
    except (json.JSONDecodeError, RecursionError):
        return None
    # Pairs, for an object may name a key twice.
    only = pairs[0] if len(pairs) == 1 else (None, None)
    return only[1] if only[0] == "label" and isinstance(only[1], str) else None


def _match(answer: str, labels: Sequence[str]) -> str | None:
    """The one label that an answer is, exactly or but for case and marks around it."""
    if answer.strip() in labels:
        return answer.strip()
    plain = _plain(answer)
    matching = [label for label in labels if _plain(label) == plain]
    return matching[0] if len(matching) == 1 else None


def _may_go_on(label: str, labels: Sequence[str]) -> bool:
    return any(other != label and _plain(other).startswith(_plain(label)) for other in labels)


def _plain(text: str) -> str:
    bare = text.strip(_AROUND)
    if bare.endswith(tuple(_FULL_STOPS)):
        bare = bare[:-1].strip(_AROUND)
    return unicodedata.normalize("NFC", bare).casefold()
