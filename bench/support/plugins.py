"""Import modules of the current folder, none of which may replace a library's."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.support.process import is_own


class _CurrentFolder:
    """Finds modules of the current folder, but none that is called like one of Python's own, on whatever system."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if path is not None or name in sys.stdlib_module_names:
            return None
        try:
            return PathFinder.find_spec(name, [str(Path.cwd())], target)
        except FileNotFoundError:  # The folder has been deleted.
            return None


@contextmanager
def found_here() -> Iterator[None]:
    """Find modules of the current folder for the block, where nothing that is installed has their name.

    In a process of our own they are found from then on, since a model may import others when it is fitted.
    """
    finders: list[Any] = sys.meta_path
    if is_own():
        if _CurrentFolder not in finders:
            finders.append(_CurrentFolder)
        yield
        return
    finders.append(_CurrentFolder)
    try:
        yield
    finally:
        finders.remove(_CurrentFolder)


def import_plugin(module: str) -> ModuleType:
    """Import a module, which may lie in the current folder.

    A module in a folder with the name of an installed package is loaded from its file.

    Parameters
    ----------
    module : str
        The dotted name.

    Raises
    ------
    ImportError
        If the module does not exist.
    Exception
        What the module's code raises.
    """
    with found_here():
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as error:
            file = own_file(module)
            if file is None or error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            spec = spec_from_file_location(module, file)
            if spec is None or spec.loader is None:
                raise
        loaded = sys.modules[module] = module_from_spec(spec)
        try:
            spec.loader.exec_module(loaded)
        except BaseException:
            del sys.modules[module]
            raise
        return loaded


def own_file(module: str) -> Path | None:
    """The file of a module in the current folder, None if there is none."""
    place = Path.cwd().joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
