"""The files of a new model, written from templates."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING

from bench.discovery import model_names
from bench.errors import ConfigError
from bench.schema.export import FOLDER, editor_line, write_schema
from bench.support.places import already_there, write_whole

if TYPE_CHECKING:
    from pathlib import Path


def scaffold_model(name: str, folder: Path, force: bool = False) -> list[Path]:
    """Write a new model: its definition, a scikit-learn classifier and a test that passes.

    Parameters
    ----------
    name : str
        The model's name: lower-case letters, digits and hyphens, with a letter first.
    folder : pathlib.Path
        The folder of ``configs/model/``, ``plugins/`` and ``tests/``, which are created if missing.
    force : bool
        Whether to overwrite existing files, and to allow the name of an existing model.

    Returns
    -------
    list of pathlib.Path
        The files written: definition, module and test, and the schema by which editors check the definition.

    Raises
    ------
    bench.errors.ConfigError
        If the name is invalid or taken, or a file exists. Nothing is written then.
    """
    module = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(module):
        raise ConfigError(
            f"'{name}' cannot be a model's name: use lower-case letters, digits and single hyphens, with a "
            "letter first, and no Python keyword.",
            "For example: bench new model nearest-class",
        )
    written = {
        folder / "configs" / "model" / f"{name}.yaml": "model.yaml",
        folder / "plugins" / f"{module}.py": "model.py",
        folder / "tests" / f"test_{module}.py": "test_model.py",
    }
    there = [str(path.relative_to(folder)) for path in written if path.exists()]
    if there and not force:
        raise already_there(there)
    if name in model_names() and not force:
        raise ConfigError(
            f"A model '{name}' already exists, and yours would replace it.",
            "Choose another name, or replace it with --force.",
        )
    values = {
        "name": name,
        "module": module,
        "class_name": _class_name(name),
        "editor_line": editor_line("model").rstrip(),
    }
    templates = files("bench.scaffold") / "templates"
    for path, template in written.items():
        text = (templates / f"{template}.template").read_text(encoding="utf-8")
        write_whole(path, Template(text).substitute(values).encode())
    return [*written, write_schema("model", folder / FOLDER)]


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-")) + "Classifier"
