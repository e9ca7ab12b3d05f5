"""The YAML dialect of all user files and of ``key=value`` words.

It is YAML 1.2, with these rules:

- ``1e-3``, ``.5``, ``1_000`` and ``0x1f`` are numbers; digits after a leading zero, such as ``007``, are text.
- ``true``, ``false`` and ``null`` are values; ``yes``, ``no``, ``on``, ``off`` and dates are text.
- Keys are text, exactly as written, and must not be repeated.
- Aliases, merged mappings and tags of Python objects are rejected.
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
"""Characters that are not allowed in text: NUL and halves of surrogate pairs."""

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
"""A text in single quotes, which may be a path that is not UTF-8."""

DEEPEST = 50
"""The deepest nesting of lists and mappings. User files have fewer than ten levels."""

LARGEST = 2**20
"""The largest size of a file in bytes. Reading it takes up to fifteen seconds."""


class Document(dict[str, Any]):
    """The content of a file, with the line of every key and value.

    Attributes
    ----------
    lines : dict of tuple to int
        The lines, from 1, by the keys and places in lists that lead there.
    doubtful : dict of tuple to str
        Unquoted texts that YAML 1.1 reads as something else, such as ``no`` and ``010``, by their path.
    typed : frozenset of tuple
        The paths of values that were overridden on the command line.
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
        """Return the line of a path, or of its longest existing part; None if it was typed on the command line."""
        if any(path[: len(typed)] == typed for typed in self.typed):
            return None
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def forget(self, path: Way) -> None:
        """Forget the lines of a value and all below it, since it is overridden on the command line."""
        self.typed |= {path}
        self.lines = {way: line for way, line in self.lines.items() if way[: len(path)] != path}
        self.doubtful = {way: text for way, text in self.doubtful.items() if way[: len(path)] != path}


def place_of(origin: object, content: object, *way: str | int) -> str:
    """Format a file with the line of a path, if known."""
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
        raise ConfigError(f"{path}: not valid YAML: it is nested too deeply.") from error
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
        If the file is not a mapping in UTF-8. The message names the line.
    """
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: cannot be read: it is not a file.", "Remove it, or move it to another folder.")
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
        f"{path}: it is larger than {LARGEST // 2**10:,} KiB, the limit for configuration files.",
        "Put data into separate files, such as CSV.",
    )


def foreign_keys(path: Path) -> dict[str, list[str]] | None:
    """Return the keys of a mapping in any YAML, maybe of another tool, with the names listed under each.

    A name is a text of the list, or a key of a mapping in it. The file is not loaded, so its aliases are not
    resolved and its tags create no objects.

    Returns
    -------
    dict or None
        Empty if the file is not a mapping; None if it is not YAML, is too large or too deeply nested, or
        is an empty mapping.
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
    """Read a value as typed on the command line.

    A value that starts with a bracket, a brace or a quote is YAML in flow style. Others are numbers, ``true``,
    ``false``, ``null`` or text with any characters. An empty value and ``~``, the home folder, are text.

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
        raise ValueError("it is nested too deeply") from error
    finally:
        if loader is not None:
            loader.dispose()


def split_list(text: str) -> list[str]:
    """Split a typed value at commas outside quotes, brackets and braces.

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
    """Write a value as YAML of this dialect, quoting texts that older YAML reads differently."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=style.pop("allow_unicode", True), sort_keys=False, **style)


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, restricted to the dialect."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()
            raise yaml.composer.ComposerError(
                None, None, f"aliases such as *{event.anchor} are not supported; write out the value", event.start_mark
            )
        if self._depth > DEEPEST:
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, f"nested more than {DEEPEST} levels deep", mark)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, AttributeError) as error:  # an invalid number
            problem = f"{node.value!r} is not of type {node.tag.rpartition(':')[2]}"
            raise ConstructorError(None, None, problem, node.start_mark) from error

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> str:
        text = str(super().construct_scalar(node))
        if unwritable := UNWRITABLE.search(text):
            problem = f"U+{ord(unwritable[0]):04X} is not allowed in text"
            raise ConstructorError(None, None, problem, node.start_mark)
        return text

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        read: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key must be a text", key.start_mark)
            if key.value == "<<" and not key.style:
                raise ConstructorError(None, None, "merge keys are not supported; write the keys out", key.start_mark)
            name = self.construct_scalar(key)
            if name in read:
                raise ConstructorError(None, None, f"the key '{name}' is repeated", key.start_mark)
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
    """PyYAML's safe dumper, which quotes text that this dialect or YAML 1.1 would read as another type."""

    yaml_implicit_resolvers = {key: list(known) for key, known in yaml.SafeDumper.yaml_implicit_resolvers.items()}

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Put text with invisible characters in double quotes, where they can be escaped."""
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
    """A number, boolean, null or text from an unquoted scalar."""
    for name, pattern in _TAGS.items():
        if pattern.match(text):
            return _VALUES[name](text)
    return text


def _note(node: yaml.Node, path: Way, lines: dict[Way, int], doubtful: dict[Way, str]) -> None:
    """Record the lines of everything in a node, and its unquoted texts that YAML 1.1 reads differently."""
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
