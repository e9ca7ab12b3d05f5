"""JSON Schemas of user files, for completion and checks in editors."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bench.support.places import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from bench.schema.check import Declared

FILES = {
    "task": ("tasks/NAME/task.yaml", "bench.schema.task", "TaskFile"),
    "model": ("configs/model/NAME.yaml", "bench.schema.model", "ModelFile"),
    "encoder": ("configs/encoder/NAME.yaml", "bench.schema.encoder", "EncoderFile"),
    "config": ("configs/config.yaml", "bench.schema.run", "RunFile"),
    "search": ("configs/search/NAME.yaml", "bench.schema.run", "SearchFile"),
    "validation": ("configs/validation/NAME.yaml", "bench.schema.run", "ValidationFile"),
    "execution": ("configs/execution/NAME.yaml", "bench.schema.run", "ExecutionFile"),
}
"""For each schema, its files, and the module and class that declare it."""

FOLDER = "schemas"
"""The folder where ``bench new`` puts the schemas of its files."""


def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file.

    Examples
    --------
    >>> json_schema("search")["required"]
    ['trials', 'timeout']
    """
    path, module, declared = FILES[name]
    kind: type[Declared] = getattr(import_module(module), declared)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **kind.model_json_schema(),
        "title": f"{path} of bench",
    }


def to_text(schema: dict[str, Any]) -> str:
    """Write a schema as JSON."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_schema(name: str, folder: Path) -> Path:
    """Write the schema of a kind of file into a folder, and return its path.

    Raises
    ------
    bench.errors.UserError
        If the schema cannot be written.
    """
    path = folder / f"bench-{name}.json"
    write_whole(path, to_text(json_schema(name)).encode())
    return path


def editor_line(name: str) -> str:
    r"""Return the comment that tells editors the schema of a file from ``bench new``.

    Examples
    --------
    >>> editor_line("task")
    '# yaml-language-server: $schema=../../schemas/bench-task.json\n'
    """
    up = "../" * FILES[name][0].count("/")
    return f"# yaml-language-server: $schema={up}{FOLDER}/bench-{name}.json\n"
