"""What a model's scores depend on apart from its parameters: its code and the files that it names.

Installed packages are known by their version. All other code, such as a plug-in in the user's folder, what it imports
from there, and packages that are installed in editable mode, is known by a digest of its source.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec, resolve_name
from pathlib import Path, PurePath
from typing import Any

from bench.support.plugins import found_here

KNOWN_PACKAGES = ("bench", "sklearn", "lightgbm")
"""Packages whose versions every run records."""

RECORDED = (*KNOWN_PACKAGES, "numpy", "scipy", "pandas", "optuna", "camel_tools", "mlflow", "skops")
"""The same and their dependencies. A plug-in that imports only these depends on nothing else."""

INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages."""

UNREAD = (".py", ".pyc", ".pyo", ".md", ".rst", ".log")
"""Suffixes of files next to a plug-in's modules that are not its data."""

LONGEST_NAME = 255
"""Characters of a text that can name a file."""


def code_sources(paths: Iterable[str | None]) -> dict[str, str]:
    """Find the code that the classes at some import paths depend on.

    Parameters
    ----------
    paths : iterable of str or None
        Import paths; names without a dot, and classes of `KNOWN_PACKAGES`, are passed over.

    Returns
    -------
    dict of str to str
        By import path the installed package with its version, or a digest of the source: of the module, of all
        modules outside installed packages that it imports, directly or not, and of the data files next to them. By
        ``package NAME`` the versions of the other packages that those modules import.
    """
    sources: dict[str, str] = {}
    for path in filter(None, paths):
        module, _, _ = path.rpartition(".")
        top = module.partition(".")[0]
        if not module or top in KNOWN_PACKAGES:
            continue
        found = _locate(module)
        if found is not None and found.is_installed_as(top):
            sources[path] = _versions(top)
        elif found is not None:
            read, packages = _closure(module)
            sources[path] = _digest(read)
            sources |= {f"package {name}": _versions(name) for name in sorted(packages)}
    return sources


def file_sources(values: Iterable[Any]) -> dict[str, str]:
    """Digest the files that parameters name.

    Parameters
    ----------
    values : iterable of object
        Values of parameters; texts in them, at any depth, may name a file.

    Returns
    -------
    dict of str to str
        A digest by ``file NAME``.
    """
    found = {text: Path(text).expanduser() for value in values for text in _texts(value) if _names_file(text)}
    return {f"file {text}": _digest({text: path}) for text, path in sorted(found.items())}


def is_digest(version: str | None) -> bool:
    """Whether `code_sources` gives a digest of a class's source, not the version of an installed package.

    Examples
    --------
    >>> is_digest("710dac4d5fd3"), is_digest("PyYAML 6.0.4")
    (True, False)
    """
    return version is not None and re.fullmatch("[0-9a-f]{12}", version) is not None


def installed_versions(sources: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of installed packages that `code_sources` has found, by the packages' names.

    Examples
    --------
    >>> installed_versions({"mine.Own": "710dac4d5fd3", "package yaml": "PyYAML 6.0.4"})
    {'PyYAML': '6.0.4'}
    """
    code = {version for name, version in sources.items() if " " not in name or name.startswith("package ")}
    each = (entry.rpartition(" ") for version in code if not is_digest(version) for entry in version.split(", "))
    return {name: version for name, _, version in sorted(each)}


@dataclass(frozen=True)
class _Located:
    """Where a module is: its file, if it has one, and the folders of its submodules, if it has such."""

    file: Path | None
    folders: tuple[Path, ...]

    def is_installed_as(self, top: str) -> bool:
        """Whether it belongs to an installed package, which has the module `top`, and not to one in editable mode."""
        places = [self.file] if self.file is not None else self.folders
        return all(set(INSTALLED) & set(place.parts) for place in places) and bool(_versions(top))


def _locate(module: str) -> _Located | None:
    """Where a module is, None if there is none or it has no file, such as a built-in module."""
    try:
        with found_here():
            spec = find_spec(module)
        origin, folders = (spec.origin, spec.submodule_search_locations) if spec is not None else (None, None)
    except (ImportError, AttributeError, ValueError):  # a module that was put there by hand has no spec
        origin, folders = getattr(sys.modules.get(module), "__file__", None), None
    except Exception:  # finding a submodule imports its package, which may be a plug-in
        return None
    file = Path(origin).resolve() if origin is not None and Path(origin).is_file() else None
    located = _Located(file, tuple(Path(folder).resolve() for folder in folders or ()))
    return None if file is None and not located.folders else located


def _closure(module: str) -> tuple[dict[str, Path], set[str]]:
    """The files that a module outside installed packages depends on, by name, and the packages that it imports."""
    read: dict[str, Path] = {}
    packages: set[str] = set()
    waiting, seen = list(_prefixes(module)), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names or top in RECORDED:
            continue
        if (whole := _locate(top)) is None:
            continue
        if whole.is_installed_as(top):
            packages.add(top)
            continue
        if (found := _locate(name)) is None or found.file is None:
            continue
        read[name] = found.file
        if "." in name or found.folders:
            read |= {f"{name}/{path.name}": path for path in _beside(found.file)}
        if found.file.suffix == ".py":
            tree = _parsed(found.file)
            waiting += _imported(tree, name, is_package=bool(found.folders))
            read |= {f"{name}:{text}": path for text, path in _named_files(tree, found.file.parent)}
    return read, packages


def _prefixes(name: str) -> Iterator[str]:
    """A module's name and those of the packages that it is in.

    Examples
    --------
    >>> list(_prefixes("a.b.c"))
    ['a', 'a.b', 'a.b.c']
    """
    parts = name.split(".")
    return (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError):  # importing it reports the error
        return ast.Module([], [])


def _imported(tree: ast.Module, name: str, is_package: bool) -> Iterator[str]:
    """The modules that a module's source may import, wherever in it."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _prefixes(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute("." * node.level + (node.module or ""), package)
            if base:
                yield from _prefixes(base)
                yield from (f"{base}.{alias.name}" for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Call) and _is_import_call(node.func):
            named = [each.value for each in node.args[:1] if isinstance(each, ast.Constant)]
            if named and isinstance(named[0], str) and (base := _absolute(named[0], package)):
                yield from _prefixes(base)


def _is_import_call(function: ast.expr) -> bool:
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return called in ("import_module", "__import__")


def _absolute(name: str, package: str) -> str:
    try:
        return resolve_name(name, package or None)
    except ImportError:
        return ""


def _named_files(tree: ast.Module, folder: Path) -> Iterator[tuple[str, Path]]:
    """The files whose names occur as strings in a module's source, next to it or in the current folder."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    for text in sorted(text for text in texts if PurePath(text).suffix not in ("", *UNREAD)):
        for root in (folder, Path.cwd()):
            if _names_file(text, root):
                yield text, root / text
                break


def _beside(file: Path) -> Iterator[Path]:
    """The other modules and the data files in a module's folder."""
    for path in sorted(file.parent.iterdir()):
        if path.is_file() and not path.name.startswith(".") and (path.suffix == ".py" or path.suffix not in UNREAD):
            yield path


def _names_file(text: str, root: Path = Path()) -> bool:
    if not 0 < len(text) <= LONGEST_NAME or "\0" in text or "\n" in text:
        return False
    try:
        return (root / Path(text).expanduser()).is_file()
    except (OSError, RuntimeError, ValueError):
        return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _digest(files: Mapping[str, Path]) -> str:
    """Digest files with their names."""
    content = hashlib.sha256()
    for name, path in sorted(files.items()):
        state = path.stat()
        content.update(f"{name}\0{_file_digest(path, state.st_size, state.st_mtime_ns, state.st_ino)}\0".encode())
    return content.hexdigest()[:12]


@lru_cache(maxsize=4096)
def _file_digest(path: Path, size: int, changed: int, number: int) -> str:
    """Digest a file; cached until it changes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions(top: str) -> str:
    """The installed packages that have a top-level module, with their versions; empty if none has."""
    return ", ".join(f"{name} {metadata.version(name)}" for name in sorted(set(_distributions().get(top, ()))))


@lru_cache(maxsize=1)
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()
