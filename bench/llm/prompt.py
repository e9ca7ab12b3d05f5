"""Prompts: templates with placeholders, and their values."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

from bench.errors import ModelError, nearest

COMMON = ("inputs", "labels", "descriptions", "examples")
"""Placeholders of every prompt; the task's input columns are placeholders too."""


def placeholders(template: str, inputs: Sequence[str]) -> list[str]:
    """Find the placeholders of a template.

    Parameters
    ----------
    template : str
        Text with placeholders in braces; a brace itself is written twice.
    inputs : sequence of str
        The task's input columns.

    Raises
    ------
    bench.errors.ModelError
        If a placeholder is unknown, or a brace is unbalanced.

    Examples
    --------
    >>> placeholders("Is {text} {labels}? Answer {{...}}.", ["text"])
    ['text', 'labels']
    """
    hint = 'Double a brace that is not a placeholder, as in {{"label": ...}}.'
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise ModelError(f"llm: params.prompt: {error}.", hint) from None
    found = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        known = (*inputs, *COMMON)
        if name not in known or form or conversion:
            shown = name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise ModelError(
                f"llm: params.prompt: unknown placeholder '{{{shown}}}'; the task's columns are {', '.join(inputs)}.",
                f"{nearest(name, known)} {hint}",
            )
        found.append(name)
    return found


def render(
    template: str,
    row: Mapping[str, str],
    labels: Sequence[str],
    descriptions: Mapping[str, Sequence[str]],
    shots: Sequence[tuple[Mapping[str, str], str]],
) -> str:
    r"""Put an example into a template.

    Parameters
    ----------
    template : str
        A template that `placeholders` accepts.
    row : mapping of str to str
        The example's input columns: ``{claim}`` and ``{text}`` by themselves, ``{inputs}`` as lines with their names.
    labels : sequence of str
        ``{labels}``, set off by commas.
    descriptions : mapping of str to sequence of str
        Sentences by label, for ``{descriptions}``: a line for each label, which has its name only if it has
        no sentence. In a sentence, ``{claim}`` is replaced by the example's claim.
    shots : sequence of (mapping of str to str, str)
        Labelled examples for ``{examples}``, one after the other as lines of inputs and a line with the label.

    Examples
    --------
    >>> template = "{descriptions}\n\n{examples}\n\n{inputs}\nlabel:"
    >>> shots = [({"text": "وصل الوفد"}, "none")]
    >>> descriptions = {"denial": ["Somebody denies."]}
    >>> print(render(template, {"text": "نفى الوزير"}, ["denial", "none"], descriptions, shots))
    - denial: Somebody denies.
    - none
    <BLANKLINE>
    text: وصل الوفد
    label: none
    <BLANKLINE>
    text: نفى الوزير
    label:
    """
    claim = row.get("claim", "")
    told = [(label, " ".join(descriptions.get(label, ())).replace("{claim}", claim)) for label in labels]
    values = {
        **row,
        "inputs": _lines(row),
        "labels": ", ".join(labels),
        "descriptions": "\n".join(f"- {label}: {sentence}" if sentence else f"- {label}" for label, sentence in told),
        "examples": "\n\n".join(f"{_lines(shown)}\nlabel: {label}" for shown, label in shots),
    }
    return template.format_map(values)


def _lines(row: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in row.items())
