"""Checks of single texts: empty, short, long, not Arabic, broken characters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING

from bench.checks.encoding import ARABIC, PRIVATE, SUSPECT, fault
from bench.checks.finding import CheckResult, Severity, counted, first_few, quoted

if TYPE_CHECKING:
    import pandas as pd

    from bench.checks.subject import Subject

MOST_BROKEN = 0.1
"""The share of broken texts that makes scores meaningless."""

NOTABLE = 0.01
"""The share of affected texts at which a problem that normalisation fixes is worth a warning."""

_WORD = re.compile(r"[^\W_]")
_LETTER = re.compile(r"[^\W\d_]")
_ARABIC = re.compile(f"[{ARABIC}]")
_NOT_ARABIC = re.compile(rf"[^\W\d_{ARABIC}]")
_MARKUP = re.compile(
    r"""
    (?:https?|ftp)[:：]\S*                                    # a link, whole or cut off
    | \bwww\.\S+
    | (?<![^\s@])[^\s@]+@[\w-]+(?:\.[\w-]+)+                  # an email address
    | [@＠][\w.]+                                            # a mention
    | [#＃][A-Za-z0-9_]+                                      # a hashtag in another script
    | \b(?:[a-z0-9-]{1,63}\.){1,9}[a-z]{2,}/\S*              # a link without https://, such as t.co/x
    | \b(?:[a-z0-9-]{1,63}\.){1,9}(?:com|net|org|info|news|tv|me|co|io|ly)\b
    | <[^<>]{0,100}>                                         # an HTML tag, or a placeholder such as <url>
    | &(?:[a-z]{2,8}|\#x?[0-9a-f]{1,6});
    | :[a-z0-9_+-]+:                                         # an emoji's name, :heart:
    | \b(?:RT|via|cc|amp|nbsp|pic|HTTPURL|http|https|URLs?|links?|USER(?:NAME)?|mentions?|hashtag|num(?:ber)?|emoji)\b
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
"""Parts of web texts that are in Latin letters even in Arabic texts."""

_PRESENTATION = re.compile(r"[\ufb50-\ufbb1\ufbd3-\ufd3d\ufd50-\ufdc7\ufe70-\ufefc]")
_INVISIBLE = re.compile(
    r"[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    r"\u2066-\u2069\ufeff]"
)
_LETTER_ESCAPE = re.compile(r"&\#(?:[0-9]{3,6}|x[0-9a-f]{3,5});|\\u0[0-9a-f]{3}", re.IGNORECASE)
"""A letter escaped as its code point."""

_ESCAPE = re.compile(
    rf"{_LETTER_ESCAPE.pattern}|&\#[0-9]{{1,2}};|&(?:amp|quot|apos|lt|gt|nbsp|laquo|raquo|hellip|[lr]dquo|[lr]squo|[nm]dash);"
    r"|</?(?:br|p|div|span|b|i|a|strong|em)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
"""HTML entities and common tags, and letters escaped by programs."""

_LONG = 1000
"""The fewest characters of an overlong text."""

_FAR = 10
"""The least length of an overlong text, in multiples of the median."""


def empty(subject: Subject) -> Iterator[CheckResult]:
    """Find texts without a letter or digit, and texts of nothing but links and mentions."""
    yield from _each(subject, lambda text: not _WORD.search(text) and not fault(text), "without a letter or digit")

    def is_markup(text: str) -> bool:
        own = _MARKUP.sub(" ", _LETTER_ESCAPE.sub("x", text))
        return bool(_WORD.search(text)) and not _ARABIC.search(text) and not _WORD.search(own)

    yield from _each(subject, is_markup, "with nothing but links, mentions and similar")


def short(subject: Subject) -> Iterator[CheckResult]:
    """Find texts of one word."""

    def is_short(text: str) -> bool:
        return bool(_WORD.search(text)) and sum(1 for word in text.split() if _WORD.search(word)) < 2

    yield from _each(subject, is_short, "of one word", "note")


def overlong(subject: Subject) -> Iterator[CheckResult]:
    """Find texts many times as long as the others, often the result of a missing quotation mark."""
    for column in subject.task.inputs:
        texts = subject.texts(column)
        limit = max(_LONG, _FAR * median(map(len, texts)))
        found = texts[texts.map(len) > limit]
        if len(found):
            yield CheckResult(
                "warning",
                f"{column}: {counted(len(found), 'text', len(texts))} {'has' if len(found) == 1 else 'have'} more than "
                f"{limit:,.0f} characters, the longest {max(map(len, found)):,}; the median is "
                f"{median(map(len, texts)):,.0f}.",
                _places(found),
            )


def not_arabic(subject: Subject) -> Iterator[CheckResult]:
    """Find texts in which most letters are not Arabic, ignoring links, mentions and similar."""

    def is_foreign(text: str) -> bool:
        if 2 * len(_NOT_ARABIC.findall(text)) <= len(_LETTER.findall(text)) or fault(text):
            return False
        own = _MARKUP.sub(" ", text)
        return 2 * len(_NOT_ARABIC.findall(own)) > len(_LETTER.findall(own))

    yield from _each(subject, is_foreign, "mostly not in Arabic script")


def encoding(subject: Subject) -> Iterator[CheckResult]:
    """Find texts that were decoded with the wrong encoding."""
    for column in subject.task.inputs:
        texts = subject.texts(column)
        faults = {place: found for place, text in texts.items() if SUSPECT.search(text) and (found := fault(text))}
        if faults:
            kinds = ", ".join(f"{kind} ({number:,})" for kind, number in Counter(faults.values()).most_common())
            yield CheckResult(
                "error" if len(faults) >= MOST_BROKEN * len(texts) else "warning",
                f"{column}: {counted(len(faults), 'text', len(texts))} with broken characters: {kinds}.",
                _places(texts[texts.index.isin(list(faults))]),
            )


def private_use(subject: Subject) -> Iterator[CheckResult]:
    """Find texts with private-use characters, which have a meaning in one font only."""
    yield from _each(subject, lambda text: bool(PRIVATE.search(text)), "with private-use characters")


def presentation_forms(subject: Subject) -> Iterator[CheckResult]:
    """Find texts with presentation forms (glyphs), as copied from a PDF file."""

    def has_forms(text: str) -> bool:
        return bool(_PRESENTATION.search(text))

    yield from _each(subject, has_forms, "with presentation forms instead of letters", None)


def invisible(subject: Subject) -> Iterator[CheckResult]:
    """Find texts with control or invisible characters."""

    def which(found: pd.Series) -> str:
        characters = Counter(c for text in found for c in set(_INVISIBLE.findall(text)))
        return ", ".join(f"U+{ord(c):04X} in {number:,}" for c, number in characters.most_common(5))

    yield from _each(subject, lambda text: bool(_INVISIBLE.search(text)), "with invisible characters", "note", which)


def quoting(subject: Subject) -> Iterator[CheckResult]:
    """Find texts with a CSV file's enclosing quotation marks and doubled inner ones."""

    def is_quoted(text: str) -> bool:
        inside = text[1:-1]
        return len(text) > 2 and text[0] == text[-1] == '"' and '""' in inside and '"' not in inside.replace('""', "")

    yield from _each(subject, is_quoted, "with leftover CSV quotation marks")


def escapes(subject: Subject) -> Iterator[CheckResult]:
    """Find texts with HTML entities, tags or escaped characters."""

    def which(found: pd.Series) -> str:
        forms = Counter(form for text in found for form in set(_ESCAPE.findall(text)))
        return ", ".join(form for form, _ in forms.most_common(4))

    yield from _each(subject, lambda text: bool(_ESCAPE.search(text)), "with escaped characters or tags", None, which)


def _each(
    subject: Subject,
    is_faulty: Callable[[str], bool],
    what: str,
    severity: Severity | None = "warning",
    which: Callable[[pd.Series], str] | None = None,
) -> Iterator[CheckResult]:
    """Find faulty texts by column. Without a severity: a warning from a share of `NOTABLE`, below it a note."""
    for column in subject.task.inputs:
        texts = subject.texts(column)
        found = texts[texts.map(is_faulty).astype(bool)]
        if len(found):
            named = "" if which is None else f": {which(found)}"
            message = f"{column}: {counted(len(found), 'text', len(texts))} {what}{named}."
            notable: Severity = "warning" if len(found) >= NOTABLE * len(texts) else "note"
            yield CheckResult(severity or notable, message, _places(found))


def _places(texts: pd.Series) -> tuple[str, ...]:
    return first_few(f"{place}: {quoted(text)}" for place, text in texts.items())
