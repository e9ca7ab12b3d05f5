"""Importing the modules of the current folder, of which none may take the place of a library's."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


@contextmanager
def found_here() -> Iterator[None]:
    """Find modules of the current folder for the block, where nothing that is installed has their name."""
    here = _current_folder()
    sys.path.append(here)
    try:
        yield
    finally:
        # The last of its kind: the caller's own path may name the folder too, and so may another thread's block.
        places = sys.path[::-1]
        if here in places:
            del sys.path[-1 - places.index(here)]


def look_here() -> None:
    """Find modules of the current folder from now on, after all others: for processes of our own."""
    here = _current_folder()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)


def import_plugin(module: str) -> ModuleType:
    """Import a module, which may lie in the current folder.

    A module of a folder whose name an installed package has too is loaded from its file.

    Parameters
    ----------
    module : str
        The dotted name.

    Raises
    ------
    ImportError
        If there is no such module.
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


def _current_folder() -> str:
    """The current folder, or what stands for it on Python's path where it has been deleted."""
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def own_file(module: str) -> Path | None:
    """The file of a module in the current folder, None where there is none."""
    place = Path.cwd().joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
