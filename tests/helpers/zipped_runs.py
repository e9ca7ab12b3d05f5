"""Archives of stored runs: their files, and refused ones."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from bench.archive.manifest import IMPORTED, MANIFEST
from bench.archive.unpacking import import_runs
from bench.errors import UserError
from bench.results.files import to_json

Files = dict[str, bytes]


def contents(folder: Path) -> Files:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def runs_of(results: Path) -> Files:
    """The files of runs, without locks and without the note that a run was imported."""
    return {
        name: data
        for name, data in contents(results).items()
        if name.count("/") > 1 and ".lock" not in name and not name.endswith(f"/{IMPORTED}")
    }


def unzipped(path: Path) -> Files:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(path: Path, files: Files, honest: bool = True) -> Path:
    """Write an archive; an honest one lists what it holds."""
    files = dict(files)
    if honest:
        manifest = json.loads(files[MANIFEST])
        manifest["files"] = [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
            if name != MANIFEST
        ]
        files[MANIFEST] = to_json(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def refused(archive: Path, results: Path) -> str:
    """Why an archive is refused; nothing of it is stored."""
    before = contents(results)
    with pytest.raises(UserError) as end:
        import_runs(archive, results)
    assert contents(results) == before
    assert end.value.hint
    assert str(archive) in end.value.message
    return end.value.message


def change(files: Files, name: str, **changes: object) -> Files:
    (path,) = (each for each in files if each.endswith(name))
    content = json.loads(files[path])
    for key, value in changes.items():
        content[key] = content[key] | value if isinstance(value, dict) else value
    return {**files, path: to_json(content).encode()}
