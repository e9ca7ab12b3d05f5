"""Importing the modules of the current folder, of which none may take the place of a library's."""

from __future__ import annotations

import importlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

_looked_at: set[str] = set()
"""Folders that were the current one before, in programs that change it."""


def look_here_last() -> None:
    """Let modules of the current folder be imported where nothing that is installed has their name."""
    here = str(Path.cwd())
    sys.path[:] = [place for place in sys.path if place == here or place not in _looked_at]
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)
        _looked_at.add(here)


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
    look_here_last()
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
    """The file of a module in the current folder, None where there is none."""
    place = Path.cwd().joinpath(*module.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)
