"""Writing stored runs into one file, to be read on another machine."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.archive.findings import sound_findings
from bench.archive.listing import StoredRun
from bench.archive.manifest import CELL_FILES, MANIFEST, VERSION, Manifest, PackedFile, RunPlace
from bench.data.own_files import check_replaced
from bench.errors import BenchError, UserError
from bench.results.cell import FINAL, Fold
from bench.results.curves import CurveRecord
from bench.results.files import is_stored, opened, to_json
from bench.results.layout import RECORD, SUMMARY
from bench.results.result_format import FORMAT
from bench.results.store import RunFolder
from bench.support.places import make_folder, replacing
from bench.support.records import plain

MOMENT = (1980, 1, 1, 0, 0, 0)
"""The time that packed files bear, so that the same runs make the same bytes."""

CHUNK = 2**20


@dataclass
class Packed:
    """What was written.

    Parameters
    ----------
    runs : list of StoredRun
        The runs.
    left_out : list of str
        Which runs, or stress tests and shares of runs, are not there, and why, a sentence each.
    """

    runs: list[StoredRun] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def pack_runs(runs: Sequence[StoredRun], target: Path, force: bool = False) -> Packed:
    """Write complete runs into a ZIP file, which appears whole or not at all.

    Parameters
    ----------
    runs : sequence of StoredRun
        Stored runs; those that are not complete are left out.
    target : pathlib.Path
        The file.
    force : bool
        Whether to write over a file that is there.

    Raises
    ------
    bench.errors.UserError
        If no run is complete, a stored file was changed, or nothing can be written there.
    """
    packed = Packed()
    for run in runs:
        if reason := _incomplete(run):
            packed.left_out.append(f"{run.task}, {run.model}, {run.key} is left out: {reason}")
        else:
            packed.runs.append(run)
    if not packed.runs:
        raise UserError("\n".join(packed.left_out) or "There are no runs to export.", "`bench runs` lists the runs.")
    check_replaced(target, str(target), force)
    make_folder(target.parent)
    with replacing(target) as beside:
        # The manifest comes first for whoever reads the file as a stream, so files are read twice.
        files = [(path, _described(path, name)) for run in packed.runs for path, name in _files(run, packed.left_out)]
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = Manifest(VERSION, FORMAT, tuple(each for _, each in files))
            _add(archive, MANIFEST, iter([to_json(plain(manifest)).encode()]))
            for path, each in files:
                _add(archive, each.name, _unchanged(path, each))
    return packed


def _incomplete(run: StoredRun) -> str | None:
    """Why a run cannot be moved, None where it can."""
    if run.problem:
        return run.problem
    if run.status != "complete":
        return f"its run is not complete ({run.status})"
    for part in _parts(run):
        for fold in range(run.folder.read_record().folds):
            if not part.is_done(fold):
                cell = part.cell_path(fold).relative_to(run.path)
                return f"{cell} is missing or damaged; the command that made the run makes it again"
    return None


def _parts(run: StoredRun) -> list[RunFolder]:
    """The folders with cells: a run's own, or one for each part of a learning curve."""
    if not run.curve:
        return [run.folder]
    return [RunFolder(Path(run.path) / part.name) for part in run.folder.read_record_as(CurveRecord).parts]


def _files(run: StoredRun, left_out: list[str]) -> Iterator[tuple[Path, str]]:
    """The files of a run with their names in an archive; what cannot be moved is reported."""
    folder = run.folder
    place = RunPlace(run.task, folder.model, run.key, run.curve)
    for name in (RECORD, SUMMARY):
        yield folder.path / name, f"{place}/{name}"
    folds: list[Fold] = [*range(folder.read_record().folds), FINAL]
    for part in _parts(run):
        for fold in folds:
            cell = part.cell_path(fold)
            for name in CELL_FILES:
                if is_stored(cell / name):
                    yield cell / name, f"{place}/{(cell / name).relative_to(folder.path).as_posix()}"
    if not run.curve:
        found, told = sound_findings(folder, folder.read_record())
        left_out += told
        for path in found:
            yield path, f"{place}/{path.relative_to(folder.path).as_posix()}"


def _described(path: Path, name: str) -> PackedFile:
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(path):
        digest.update(chunk)
        size += len(chunk)
    return PackedFile(name, size, digest.hexdigest())


def _unchanged(path: Path, described: PackedFile) -> Iterator[bytes]:
    """The content of a file, which must be what was described."""
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != described.sha256:
        raise BenchError(f"{path}: it was changed while it was read.", "Run the same command again.")


def _chunks(path: Path) -> Iterator[bytes]:
    with opened(path) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _add(archive: zipfile.ZipFile, name: str, chunks: Iterator[bytes]) -> None:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o100644 << 16
    with archive.open(entry, "w", force_zip64=True) as file:
        for chunk in chunks:
            file.write(chunk)
