"""Flat records of Argilla: each question has columns of answers, of their users and states, and of a suggestion."""

from __future__ import annotations

import re
from collections.abc import Container

from bench.data.messages import free_name, listed
from bench.errors import DataError
from bench.scaffold.found import Found
from bench.scaffold.joining import READ_BY_PANDAS
from bench.scaffold.profile import Profile
from bench.scaffold.summary import ColumnSummary

SUBMITTED = "submitted"
"""The state of an answer that counts."""

_PLAIN = re.compile(r"[\w. -]+")
"""Names that a shell reads as they are, in quotation marks."""

_ABOUT = ("score", "agent", "users", "status")


def is_about(column: str, columns: Container[str]) -> bool:
    """Whether a column describes the answers or the suggestion in another one, or is the suggestion beside answers.

    Examples
    --------
    >>> columns = {"label.responses", "label.suggestion", "label.suggestion.score", "score"}
    >>> [column for column in sorted(columns) if is_about(column, columns)]
    ['label.suggestion', 'label.suggestion.score']
    """
    of, _, what = column.rpartition(".")
    return (what in _ABOUT and of in columns) or (what == "suggestion" and f"{of}.responses" in columns)


def check_answers(found: Found, summary: ColumnSummary, label: str) -> None:
    """Raise a DataError if the labels are answers that were not all submitted."""
    status = f"{label}.status"
    others = sorted(summary.profiles.get(status, Profile()).values - {SUBMITTED})
    if label.endswith(".responses") and others:
        raise DataError(
            f"{found.name}: '{label}' also has answers that were not submitted: '{status}' has "
            f"{listed([repr(each) for each in others], 3)}.",
            _only_submitted(found, summary, label),
        )


def _only_submitted(found: Found, summary: ColumnSummary, answers: str) -> str:
    """The command that writes the submitted answers as Prodigy does, one on each line."""
    suffix = found.files[0].suffix.lower() if len(found.files) == 1 else ""
    if suffix not in (".json", ".jsonl", ".parquet") or not _PLAIN.fullmatch(answers):
        return "Write each text once, with the label of its submitted answers in a column 'label'."
    read = READ_BY_PANDAS[suffix].replace("(name", f"({str(found.files[0])!r}")
    lists = [column for column in (answers, f"{answers}.users", f"{answers}.status") if column in summary.columns]
    users = f", _annotator_id=t['{answers}.users']" if len(lists) == 3 else ""
    of_question, written = answers.removesuffix("responses"), free_name("submitted.jsonl")
    return (
        "Use the submitted answers only. A text that several users answered gets the majority label:\n"
        f"python -c \"import pandas; t = {read}.explode({lists}); t = t[t['{answers}.status'] == '{SUBMITTED}']; "
        f"t.assign(label=t['{answers}'], answer='accept', _input_hash=t.index{users})"
        f".drop(columns=[c for c in t if c.startswith('{of_question}')])"
        f".to_json('{written}', orient='records', lines=True, force_ascii=False)\"\nThen use --data {written}"
    )
