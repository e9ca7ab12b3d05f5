"""The one YAML dialect, of all files that users write and of what they type as ``key=value``.

It is that of YAML 1.2, with these points fixed:

- ``1e-3``, ``.5``, ``1_000`` and ``0x1f`` are numbers; digits after a leading zero, such as ``007``, are text.
- ``true``, ``false`` and ``null`` are values; ``yes``, ``no``, ``on``, ``off`` and dates are text.
- Keys are text, as they are written, and each stands once.
- Aliases, merged mappings and tags of Python objects are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from bench.errors import HIDDEN, ConfigError

UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""What no text may hold: NUL and halves of surrogate pairs."""

Way = tuple[str | int, ...]
"""Keys and places in lists that lead to a value."""

_WHOLE = r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*|0x[0-9a-fA-F]+)"
_BROKEN = r"[-+]?(?:(?:0|[1-9][0-9]*(?:_[0-9]+)*)(?:\.(?:[0-9]+(?:_[0-9]+)*)?)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_TAGS = {
    "null": re.compile(r"(?:~|null|Null|NULL|)\Z"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"),
    "int": re.compile(_WHOLE + r"\Z"),
    "float": re.compile(rf"(?:{_BROKEN}|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"),
}

_PIECE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|[^\s,\[\]{}:'"][^,\[\]{}:]*|.""", re.DOTALL)
"""A quoted text, a plain one, or a character of another kind."""

_QUOTED = re.compile(r"'((?:[^']|'')*)'")
"""A text in single quotes, which may be a path that is not in UTF-8."""

DEEPEST = 50
"""Lists and mappings within each other, at most; what users write has fewer than ten."""

LARGEST = 2**20
"""Bytes of a file, at most: reading as many takes up to fifteen seconds."""


class Document(dict[str, Any]):
    """The content of a file, with the line of every key and value.

    Attributes
    ----------
    lines : dict of tuple to int
        The lines, from 1, by the keys and places in lists that lead there.
    doubtful : dict of tuple to str
        Unquoted texts that YAML 1.1 reads as something else, such as ``no`` and ``010``, by where they stand.
    typed : frozenset of tuple
        The ways to values that were typed in the place of the file's.
    """

    def __init__(self, content: dict[str, Any], lines: dict[Way, int], doubtful: dict[Way, str]) -> None:
        super().__init__(content)
        self.lines, self.doubtful = lines, doubtful
        self.typed: frozenset[Way] = frozenset()

    def copy(self) -> Document:
        """Return a shallow copy, which can be changed."""
        copied = Document(self, self.lines, self.doubtful)
        copied.typed = self.typed
        return copied

    def line(self, path: Way) -> int | None:
        """Return the line of what a path leads to, or of the last part of it that there is; None if it was typed."""
        if any(path[: len(typed)] == typed for typed in self.typed):
            return None
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def forget(self, path: Way) -> None:
        """Forget where a value and all that it holds stand, since what was typed takes its place."""
        self.typed |= {path}
        self.lines = {way: line for way, line in self.lines.items() if way[: len(path)] != path}
        self.doubtful = {way: text for way, text in self.doubtful.items() if way[: len(path)] != path}


def place_of(origin: object, content: object, *way: str | int) -> str:
    """Name a file with the line of what a way leads to, as far as that is known."""
    line = content.line(way) if isinstance(content, Document) else None
    return str(origin) if line is None else f"{origin}, line {line}"


def parse_file(text: str, path: Path) -> Document | list[Any] | str | float | None:
    """Read the text of a file.

    Raises
    ------
    bench.errors.ConfigError
        If it is not YAML of this dialect; the message names the line.
    """
    if len(text) > LARGEST:
        raise _too_large(path)
    text = text.removeprefix("\ufeff")  # the byte order mark
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        content = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = str(path) if mark is None else f"{path}, line {mark.line + 1}"
        raise ConfigError(f"{where}: not valid YAML: {error.problem}.") from error
    except yaml.reader.ReaderError as error:
        where = f"{path}, line {text.count(chr(10), 0, error.position) + 1}"
        raise ConfigError(f"{where}: not valid YAML: the character U+{ord(text[error.position]):04X}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: not valid YAML: brackets within brackets, too deep to be read.") from error
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(content, dict):
        return content
    lines: dict[Way, int] = {}
    doubtful: dict[Way, str] = {}
    _note(node, (), lines, doubtful)
    return Document(content, lines, doubtful)


def read_file(path: Path) -> Document:
    """Read a file that holds a mapping.

    Raises
    ------
    bench.errors.ConfigError
        If the file is no mapping in UTF-8; the message names the line.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: cannot be read: it is no file.", "Move it away.")
    try:
        if path.stat().st_size > LARGEST:
            raise _too_large(path)
        content = parse_file(path.read_text(encoding="utf-8"), path)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start}).", "Save the file as UTF-8.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
    if content is None:
        return Document({}, {}, {})
    if not isinstance(content, Document):
        raise ConfigError(f"{path}: expected a mapping of keys to values.")
    return content


def _too_large(path: Path) -> ConfigError:
    return ConfigError(
        f"{path}: it has more than {LARGEST // 2**10:,} KiB, which no file of settings needs.",
        "Put data into files of their own, such as CSV, and name those.",
    )


def foreign_keys(path: Path) -> dict[str, list[str]] | None:
    """Return the keys of a mapping in any YAML, which may be another tool's, with the names that are listed under each.

    A name is a text of the list, or a key of a mapping in it. Nothing is made of the file, so that its aliases stand
    for nothing and its tags build nothing.

    Returns
    -------
    dict or None
        Empty where the file holds no mapping; None where it is no YAML, is longer or deeper than files here may be, or
        holds an empty mapping.
    """
    try:
        if path.stat().st_size > LARGEST:
            return None
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    if not isinstance(root, yaml.MappingNode):
        return {}
    keys: dict[str, list[str]] = {}
    for key, value in root.value:
        entries = value.value if isinstance(value, yaml.SequenceNode) else ()
        named = [
            each for entry in entries for each in (_keys(entry) if isinstance(entry, yaml.MappingNode) else [entry])
        ]
        keys[str(key.value) if isinstance(key, yaml.ScalarNode) else ""] = [
            each.value for each in named if isinstance(each, yaml.ScalarNode)
        ]
    return keys or None


def _keys(mapping: yaml.MappingNode) -> list[yaml.Node]:
    return [key for key, _ in mapping.value]


def parse_value(text: str) -> Any:
    """Read a value as it is typed.

    What begins with a bracket, a brace or a quote is YAML in flow style. All else is a number, ``true``, ``false``,
    ``null`` or a text, which may hold any character; nothing and ``~``, the home folder, are texts.

    Raises
    ------
    ValueError
        If it is not YAML; the message says why.

    Examples
    --------
    >>> parse_value("1e-3"), parse_value("my runs #2"), parse_value("{a: [1, '2']}")
    (0.001, 'my runs #2', {'a': [1, '2']})
    """
    text = text.strip(" \t")
    if not text.startswith(("[", "{", "'", '"')):
        return text if text in ("", "~") else _scalar(text)
    if quoted := _QUOTED.fullmatch(text):
        return quoted[1].replace("''", "'")
    loader: _Typed | None = None
    try:
        loader = _Typed(text)
        return loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise ValueError(error.problem) from error
    except yaml.reader.ReaderError as error:
        raise ValueError(f"the character U+{ord(text[error.position]):04X}") from error
    except RecursionError as error:
        raise ValueError("brackets within brackets, too deep to be read") from error
    finally:
        if loader is not None:
            loader.dispose()


def split_list(text: str) -> list[str]:
    """Split a typed value at its commas that are in no quotes, brackets or braces.

    Examples
    --------
    >>> split_list("logreg, 'a,b', [1,2]")
    ['logreg', "'a,b'", '[1,2]']
    """
    parts, depth, start = [], 0, 0
    for piece in _PIECE.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(piece[0], 0)
        if piece[0] == "," and depth <= 0:
            parts.append(text[start : piece.start()].strip(" \t"))
            start = piece.end()
    return [*parts, text[start:].strip(" \t")]


def dump(value: Any, **style: Any) -> str:
    """Write a value as YAML of this dialect, with what older YAML reads otherwise in quotes."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=style.pop("allow_unicode", True), sort_keys=False, **style)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, held to the dialect."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()
            raise yaml.composer.ComposerError(
                None, None, f"the alias *{event.anchor} is not read; write out what it stands for", event.start_mark
            )
        if self._depth > DEEPEST:
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, f"more than {DEEPEST} brackets or blocks within others", mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError) as error:  # of a number that is none
            problem = f"{node.value!r} is no {node.tag.rpartition(':')[2]}"
            raise ConstructorError(None, None, problem, node.start_mark) from error

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        text = str(super().construct_scalar(node))
        if unwritable := UNWRITABLE.search(text):
            problem = f"U+{ord(unwritable[0]):04X} is no character of a text"
            raise ConstructorError(None, None, problem, node.start_mark)
        return text

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        read: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key must be a text", key.start_mark)
            if key.value == "<<" and not key.style:
                raise ConstructorError(None, None, "no mapping is merged in; write it out", key.start_mark)
            name = self.construct_scalar(key)
            if name in read:
                raise ConstructorError(None, None, f"the key '{name}' stands twice", key.start_mark)
            read[name] = self.construct_object(value, deep=True)
        return read


class _Typed(_Loader):
    """The loader of typed values, where no space is needed after a key's colon: ``{a:1}``."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.MappingNode):
            node.value = [self._parted(key, value) for key, value in node.value]
        return node

    def _parted(self, key: yaml.Node, value: yaml.Node) -> tuple[yaml.Node, yaml.Node]:
        if not (isinstance(key, yaml.ScalarNode) and not key.style and ":" in key.value and _is_empty(value)):
            return key, value
        name, _, text = key.value.partition(":")
        part = _Typed(text)
        try:
            second = part.get_single_node() if text[:1] in ("'", '"') else None
        finally:
            part.dispose()
        tag = self.resolve(yaml.ScalarNode, text, (True, False))
        plain = yaml.ScalarNode(tag, text, key.start_mark, key.end_mark)
        return yaml.ScalarNode(_TEXT, name, key.start_mark, key.end_mark), second or plain


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, which quotes what is no text in this dialect or in YAML 1.1."""

    yaml_implicit_resolvers = {key: list(known) for key, known in yaml.SafeDumper.yaml_implicit_resolvers.items()}

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Put a text with characters that are not seen in double quotes, within which they can be written out."""
        return self.represent_scalar(_TEXT, data, style='"' if HIDDEN.search(data) else None)


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value == ""


def _constructor(name: str) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    def construct(loader: _Loader, node: yaml.ScalarNode) -> Any:
        text = loader.construct_scalar(node)
        if not _TAGS[name].match(text):  # as in "!!bool maybe"
            raise ValueError(text)
        return _VALUES[name](text)

    return construct


_VALUES: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": lambda text: int(text.replace("_", ""), 16 if "0x" in text else 10),
    "float": lambda text: float(text.replace("_", "").lower().replace(".inf", "inf").replace(".nan", "nan")),
}
for _name, _pattern in _TAGS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", _pattern, None)
    _Loader.add_constructor(f"tag:yaml.org,2002:{_name}", _constructor(_name))


def _scalar(text: str) -> Any:
    """A number, a truth value, nothing or a text, as it stands unquoted."""
    for name, pattern in _TAGS.items():
        if pattern.match(text):
            return _VALUES[name](text)
    return text


def _note(node: yaml.Node, path: Way, lines: dict[Way, int], doubtful: dict[Way, str]) -> None:
    """Note the lines of all that is in a node, and its unquoted texts that YAML 1.1 reads otherwise."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines[*path, key.value] = key.start_mark.line + 1
            _note(value, (*path, key.value), lines, doubtful)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[*path, number] = value.start_mark.line + 1
            _note(value, (*path, number), lines, doubtful)
    elif isinstance(node, yaml.ScalarNode) and not node.style and node.tag == _TEXT and _is_other_in_older(node.value):
        doubtful[path] = node.value


_TEXT = "tag:yaml.org,2002:str"
_Dumper.add_representer(str, _Dumper.represent_str)
_OLDER = yaml.resolver.Resolver()


def _is_other_in_older(text: str) -> bool:
    return _OLDER.resolve(yaml.ScalarNode, text, (True, False)) != _TEXT
