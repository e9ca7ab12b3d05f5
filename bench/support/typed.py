"""Names in any script in ``key=value`` words, which Hydra's grammar reads in Latin letters only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bench.errors import ConfigError

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_KEY = re.compile(rf"""\s*(?:(?P<quoted>{_QUOTED})|(?P<bare>(?:[^:,{{}}\[\]()'"\\]|\\.)*?))\s*:""", re.DOTALL)
_TOKEN = re.compile(rf"{_QUOTED}|\\.|\$\{{|.", re.DOTALL)


@dataclass(frozen=True)
class Typed:
    """A word in which every name is written in letters that the grammar knows, and what turns them back.

    Parameters
    ----------
    word : str
        The word, to be parsed.
    mark : str
        What stands around the number of a character that was replaced.
    """

    word: str
    mark: str

    @classmethod
    def of(cls, word: str) -> Typed:
        """Write a word so that it can be parsed.

        Characters outside ASCII are replaced, and so are keys of mappings as a whole, so that each stays the text that
        was typed: ``1.0`` and ``true`` are names there.

        Raises
        ------
        bench.errors.ConfigError
            If a mapping has a key twice.

        Examples
        --------
        >>> typed = Typed.of("labels={تأييد: agree}")
        >>> typed.word.isascii()
        True
        >>> typed.decoded(typed.word)
        'labels={تأييد: agree}'
        """
        mark = "q"
        while mark in word:
            mark += "q"
        key, equals, value = word.partition("=")
        coded = key + equals + _with_coded_keys(word, value, mark)
        return cls("".join(c if c.isascii() else _coded(c, mark) for c in coded), mark)

    def decoded(self, value: Any) -> Any:
        """Put the characters back into a text that was parsed; other values stay as they are."""
        if not isinstance(value, str):
            return value
        return re.sub(rf"{self.mark}([0-9a-f]+){self.mark}", lambda found: chr(int(found[1], 16)), value)


def _coded(text: str, mark: str) -> str:
    return "".join(f"{mark}{ord(c):x}{mark}" for c in text)


def _with_coded_keys(word: str, value: str, mark: str) -> str:
    """Replace the keys of all mappings in a value."""
    written: list[str] = []
    inside: list[str] = []
    keys: list[set[str]] = []
    place = 0
    while place < len(value):
        token = _TOKEN.match(value, place)
        assert token is not None
        place = token.end()
        written.append(token[0])
        if token[0] in ("{", "[", "(", "${"):
            inside.append(token[0])
            if token[0] == "{":
                keys.append(set())
        elif token[0] in ("}", "]", ")") and inside and inside.pop() == "{":
            keys.pop()
        if inside and inside[-1] == "{" and token[0] in ("{", ",") and (found := _KEY.match(value, place)):
            name = found["bare"] if found["quoted"] is None else found["quoted"][1:-1]
            name = re.sub(r"\\(.)", r"\1", name)
            if name in keys[-1]:
                raise ConfigError(f"'{word}': the key '{name}' stands twice.", "Give each key once.")
            keys[-1].add(name)
            written.append(f"{_coded(name, mark)}:")
            place = found.end()
    return "".join(written)
