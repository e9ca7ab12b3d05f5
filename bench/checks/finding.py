"""The findings of checks of a task's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from bench.discovery import defaults_folder

Severity = Literal["error", "warning", "note"]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Severities, the most serious first."""

PAGE = "docs/reference/checks.md"
"""The page of the documentation with a section on each check."""

MOST_EXAMPLES = 3
"""The most examples that a finding shows."""


class CheckResult(NamedTuple):
    """One problem that a check found.

    Parameters
    ----------
    severity : {"error", "warning", "note"}
        How serious the problem is.
    message : str
        What was found, in one or two sentences, with counts.
    examples : tuple of str
        A few places: ids, with a short excerpt where it helps.
    """

    severity: Severity
    message: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A problem in a task's data, or a note about them.

    Parameters
    ----------
    code : str
        The check's code, such as ``D103``; it never changes between versions.
    severity : {"error", "warning", "note"}
        ``error``: scores on these data are meaningless; ``warning``: scores may mislead; ``note``: good to know.
    title : str
        What the check looks for, in a few words.
    message : str
        What was found here.
    examples : tuple of str
        A few places where it was found.
    """

    code: str
    severity: Severity
    title: str
    message: str
    examples: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The finding as plain values, with its `page`."""
        return asdict(self) | {"page": self.page}

    @property
    def page(self) -> str:
        """The section of the documentation that explains the finding, as a path relative to the current folder.

        Examples
        --------
        >>> Finding("D103", "warning", "Label in one group only", "").page
        'docs/reference/checks.md#d103-label-in-one-group-only'
        """
        heading = re.sub(r"[^\w\- ]", "", f"{self.code} {self.title}".lower())
        page = defaults_folder() / PAGE
        shown = page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page
        return f"{shown}#{heading.replace(' ', '-')}"


def quoted(text: str, width: int = 60) -> str:
    r"""Show the beginning of a text on one line.

    Examples
    --------
    >>> quoted("نفى  المتحدث\n ذلك أمس", width=12)
    '«نفى المتحدث…»'
    """
    line = _on_one_line(text)
    return f"«{line}»" if len(line) <= width else f"«{line[:width].rstrip()}…»"


def quoted_apart(first: str, second: str, width: int = 60) -> tuple[str, str]:
    """Show two texts, starting shortly before the first difference.

    Examples
    --------
    >>> quoted_apart("نفى المتحدث باسم الوزارة الخبر", "نفى المتحدث باسم الوزارة النبأ", width=20)
    ('«…الوزارة الخبر»', '«…الوزارة النبأ»')
    """
    lines = [_on_one_line(text) for text in (first, second)]
    pairs = enumerate(zip(*lines, strict=False))
    apart = next((place for place, (a, b) in pairs if a != b), min(map(len, lines)))
    start = max(apart - width // 2, 0) if max(map(len, lines)) > width else 0
    a, b = (quoted(line[start:], width) for line in lines)
    return (f"«…{a[1:]}", f"«…{b[1:]}") if start else (a, b)


def _on_one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def first_few(examples: Iterable[str]) -> tuple[str, ...]:
    """The first few examples."""
    return tuple(example for example, _ in zip(examples, range(MOST_EXAMPLES), strict=False))


def counted(number: int, noun: str, total: int | None = None) -> str:
    """Format a number of things, with the noun in singular or plural.

    Examples
    --------
    >>> counted(1, "example"), counted(1200, "text"), counted(3, "text", 1200)
    ('1 example', '1,200 texts', '3 of 1,200 texts')
    """
    of = "" if total is None else f" of {total:,}"
    return f"{number:,}{of} {noun}{'' if (number if total is None else total) == 1 else 's'}"


def by_severity(findings: Sequence[Finding]) -> list[Finding]:
    """Sort findings by severity, errors first, then by code."""
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding.severity), finding.code))
