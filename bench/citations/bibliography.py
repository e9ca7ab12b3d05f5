"""BibTeX entries: those that come with the package, and those of a user's own tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources

OWNER = "bench"
"""The field that says whose an entry is; no paper has it."""

SOFTWARE = "bench_arabic"
"""The key of the entry for this software."""

_START = re.compile(r"@(\w+)\s*\{\s*([^\s,{}]+)\s*,")
_FIELD = re.compile(r"(\w+)\s*=\s*")


@dataclass(frozen=True)
class Entry:
    """A BibTeX entry.

    Parameters
    ----------
    kind, key : str
        Such as ``article``, and what it is cited by.
    fields : mapping of str to str
        Its fields, without `OWNER`.
    owners : tuple of str
        Whose it is, such as ``task:mawqif``.
    """

    kind: str
    key: str
    fields: Mapping[str, str]
    owners: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """How a text names it: the authors' last names and the year."""
        names = [_last_name(name) for name in self._authors()]
        who = names[0] if names else _readable(self.fields.get("title", self.key))
        if len(names) > 2:
            who += " et al."
        elif len(names) == 2:
            who += f" and {names[1]}"
        return " ".join(filter(None, [who, self.fields.get("year", "")]))

    def to_bibtex(self) -> str:
        """The entry as BibTeX, a field a line."""
        lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in self.fields.items())
        return f"@{self.kind}{{{self.key},\n{lines}\n}}\n"

    def to_text(self) -> str:
        """The entry as a line of a list of references."""
        people = [_readable(name) for name in self._authors()]
        who = " and ".join(people) if len(people) < 4 else f"{people[0]} et al."
        year = f" ({self.fields['year']})" if "year" in self.fields else ""
        where = next((self.fields[name] for name in ("journal", "booktitle", "publisher") if name in self.fields), "")
        if where and "volume" in self.fields:
            number = f"({self.fields['number']})" if "number" in self.fields else ""
            where = f"{where} {self.fields['volume']}{number}"
        archive = f"arXiv:{self.fields['eprint']}" if "eprint" in self.fields else ""
        rest = (self.fields.get(name, "") for name in ("note", "howpublished", "version", "url"))
        title = self.fields.get("title", self.key)
        parts = [f"{who}{year}" if who else f"{title}{year}", title if who else "", where, archive, *rest]
        return _readable(". ".join(part.removesuffix(".") for part in parts if part)) + "."

    def _authors(self) -> list[str]:
        return [name.strip() for name in self.fields.get("author", "").split(" and ") if name.strip()]


@cache
def packaged() -> tuple[Entry, ...]:
    """The entries that come with the package, and that of the package itself."""
    text = resources.files(__package__).joinpath("references.bib").read_text(encoding="utf-8")
    return (_software(), *parse(text))


def by_key(keys: Iterable[str]) -> list[Entry]:
    """The packaged entries of these keys, in their order."""
    known = {entry.key: entry for entry in packaged()}
    return [known[key] for key in keys]


def owned_by(*owners: str) -> list[Entry]:
    """The packaged entries of a task, an estimator, features or an encoder."""
    return [entry for entry in packaged() if not set(owners).isdisjoint(entry.owners)]


def of_task(name: str, citation: str = "", homepage: str = "") -> list[Entry]:
    """What to cite for a task; nothing where its file does not say.

    Parameters
    ----------
    name : str
        The task's name.
    citation, homepage : str
        What its file says. A citation may be BibTeX; other text becomes the note of an entry.

    Examples
    --------
    >>> of_task("mine", "A. Author (2024), My Corpus")[0].key
    'task-mine'
    >>> of_task("mine", "@misc{author2024, title = {My Corpus}, year = 2024}")[0].label
    'My Corpus 2024'
    """
    if found := parse(citation):
        return found
    if known := owned_by(f"task:{name}"):
        return known
    fields = {"title": f"{{{name}}}", "note": citation, "url": homepage}
    return [Entry("misc", f"task-{name}", {key: value for key, value in fields.items() if value})] if citation else []


def parse(text: str) -> list[Entry]:
    """Read BibTeX entries; what is not an entry is skipped.

    Examples
    --------
    >>> entry, = parse('@book{a1, title = {On {X}}, year = 1999, author = "Doe, Jane"}')
    >>> entry.fields
    {'title': 'On {X}', 'year': '1999', 'author': 'Doe, Jane'}
    """
    entries, place = [], 0
    while found := _START.search(text, place):
        fields, place = _fields(text, found.end())
        owners = tuple(fields.pop(OWNER, "").split())
        entries.append(Entry(found[1].lower(), found[2], fields, owners))
    return entries


def _fields(text: str, place: int) -> tuple[dict[str, str], int]:
    """The fields of an entry, and where it ends."""
    fields: dict[str, str] = {}
    while found := _FIELD.search(text, place):
        if "}" in text[place : found.start()] or "@" in text[place : found.start()]:
            break
        value, place = _value(text, found.end())
        fields[found[1].lower()] = " ".join(value.split())
    return fields, place


def _value(text: str, place: int) -> tuple[str, int]:
    """A value in braces, in quotes, or bare, and where it ends."""
    opened = text[place : place + 1]
    if opened not in ("{", '"'):
        end = next((at for at in range(place, len(text)) if text[at] in ",}\n"), len(text))
        return text[place:end].strip(), end
    depth = 0
    for at in range(place + 1, len(text)):
        if depth == 0 and text[at] == ("}" if opened == "{" else '"'):
            return text[place + 1 : at], at + 1
        depth += {"{": 1, "}": -1}.get(text[at], 0)
    return text[place + 1 :], len(text)


def _software() -> Entry:
    version = metadata.version("bench-arabic")
    title = "bench: A benchmark harness for {Arabic} news classification"
    return Entry(
        "software", SOFTWARE, {"author": "{The bench authors}", "title": title, "version": version, "year": "2026"}
    )


def _last_name(author: str) -> str:
    """The last name of an author; in braces stands the name of a group.

    Examples
    --------
    >>> _last_name("Demšar, Janez"), _last_name("Janez Demšar"), _last_name("{The bench authors}")
    ('Demšar', 'Demšar', 'The bench authors')
    """
    if author.startswith("{") or not author:
        return _readable(author)
    return _readable(author.partition(",")[0] if "," in author else author.split()[-1])


def _readable(text: str) -> str:
    r"""A text without the braces and escapes of BibTeX.

    Examples
    --------
    >>> _readable(r"{ARBERT} \& {MARBERT}, 5--6")
    'ARBERT & MARBERT, 5–6'
    """
    return re.sub(r"\\([&%_#$])", r"\1", re.sub(r"[{}]", "", text)).replace("--", "–").strip()
