"""Reading runs that somebody packed, into a store: nothing is believed of the file, and nothing in it is executed.

Everything is checked in a hidden folder of the store before the first run appears in its place.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.archive.findings import KINDS, add_missing, check_findings, finding_files
from bench.archive.listing import EVERY, RunFilter, check_names
from bench.archive.manifest import DECIDED, IMPORTED, Import, Manifest, RunPlace, run_place
from bench.archive.zipped import AGAIN, SAME_VERSION, extract, read_manifest
from bench.checks.finding import counted
from bench.comparison.curves import summarise_curve
from bench.comparison.predictions import read_side_by_side
from bench.comparison.selection import Selected
from bench.errors import BenchError, DataError, UserError
from bench.results.cell import FINAL, Fold
from bench.results.curves import read_curve
from bench.results.files import remove, sha256, to_json, write_atomically
from bench.results.key import curve_has_its_key, has_its_key
from bench.results.layout import RECORD, SUMMARY, unlinked
from bench.results.protocol import names_of, search_name
from bench.results.record import RunRecord
from bench.results.result_format import OtherFormatError
from bench.results.store import RunFolder
from bench.support.places import make_folder
from bench.support.records import plain

STAGING = ".import-"
"""How the hidden folder begins in which everything is checked."""


@dataclass
class Imported:
    """What became of the runs of an archive.

    Parameters
    ----------
    runs : list of RunFolder
        Those that were stored.
    there : list of RunFolder
        Those that were stored already, with the same results.
    extended : list of RunFolder
        Those of them that got stress tests or shares.
    curves, curves_there : list of RunPlace
        Likewise, the learning curves.
    notes : list of str
        What else is to be said.
    """

    runs: list[RunFolder] = field(default_factory=list)
    there: list[RunFolder] = field(default_factory=list)
    extended: list[RunFolder] = field(default_factory=list)
    curves: list[RunPlace] = field(default_factory=list)
    curves_there: list[RunPlace] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def import_runs(archive: Path, results: Path, wanted: RunFilter = EVERY) -> Imported:
    """Store the runs of an archive.

    Every file is held against its digest, and every run against its record. A run that is stored already with the same
    results is left as it is, but for stress tests and shares that it has not.

    Parameters
    ----------
    archive : pathlib.Path
        The file, as `bench.archive.packing.pack_runs` writes it.
    results : pathlib.Path
        The store.
    wanted : RunFilter
        Which runs are meant, by task, model, seed, search or key.

    Raises
    ------
    bench.errors.UserError
        If the file is not such an archive, is damaged, or holds what a store cannot take; or if other results are
        stored under a run's key. Then nothing is stored.
    """
    manifest = read_manifest(archive)
    with _staging(results) as staging:
        _check_room(archive, manifest, results)
        extract(archive, manifest, staging)
        records = _check_runs(archive, staging, manifest)
        chosen = [place for place, record in records.items() if _is_meant(record, wanted)]
        if not chosen:
            raise _nothing_meant(archive, records, wanted)
        imported = Imported()
        new: list[tuple[RunPlace, RunFolder]] = []
        for place in chosen:
            target = RunFolder(unlinked(results, *place.names))
            _check_place(archive, results, place)
            if _holds_run(target):
                _check_same(archive, place, RunFolder(staging / str(place)), target)
                if place.curve:
                    imported.curves_there.append(place)
                else:
                    imported.there.append(target)
            else:
                new.append((place, target))
        for target in imported.there:
            _add_findings(RunFolder(staging / target.path.relative_to(results)), target, imported)
        for place, target in new:
            _mark(staging / str(place), archive)
            _put(staging / str(place), target)
            if place.curve:
                imported.curves.append(place)
            else:
                imported.runs.append(target)
    _bring_up_to_date(results, imported)
    return imported


@contextmanager
def _staging(results: Path) -> Iterator[Path]:
    """Make a hidden folder in a store, for one process at a time; what a process has left that was killed goes."""
    make_folder(results)
    with _alone(results / f"{STAGING}lock"):
        for leftover in results.glob(f"{STAGING}*-"):
            remove(leftover)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, suffix="-", dir=results))
        try:
            yield staging
        finally:
            remove(staging)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process holds a file, and hold it; it is gone afterwards."""
    while True:
        held = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            # Who held it before has deleted it, so that a third process may hold a new one.
            if os.fstat(held).st_nlink == 0:
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(held)


def _check_room(archive: Path, manifest: Manifest, results: Path) -> None:
    total, free = sum(each.bytes for each in manifest.files), shutil.disk_usage(results).free
    if total > free:
        raise UserError(
            f"{archive}: its files take {total:,} bytes, and {results} has room for {free:,}.", "Make room there."
        )


def _check_runs(archive: Path, staging: Path, manifest: Manifest) -> dict[RunPlace, RunRecord]:
    """Hold every run against its record."""
    places = sorted({found[0] for each in manifest.files if (found := run_place(each.name))})
    _check_spelling(archive, places)
    records = {}
    for place in places:
        folder = RunFolder(staging / str(place))
        try:
            records[place] = _check_curve(folder, place) if place.curve else _check_run(folder, place)
        except OtherFormatError as error:
            raise DataError(_within(archive, staging, error), SAME_VERSION) from None
        except BenchError as error:
            raise DataError(_within(archive, staging, error), AGAIN) from None
    return records


def _within(archive: Path, staging: Path, error: BenchError) -> str:
    return error.message.replace(f"{staging}{os.sep}", f"{archive}: ")


def _check_run(folder: RunFolder, place: RunPlace) -> RunRecord:
    record = folder.read_record()
    _check_record(folder, record, place, has_its_key(record))
    if record.task.metric not in folder.read_summary().scores:
        raise UserError(f"{folder.path / 'summary.json'}: the score {record.task.metric} is missing.")
    final: list[Fold] = [FINAL] if folder.cell_path(FINAL).exists() else []
    _check_cells(folder, record, final)
    read_side_by_side(Selected([(folder, record)], [], named=True))
    for kind in KINDS:
        check_findings(folder, record, kind)
    return record


def _check_curve(folder: RunFolder, place: RunPlace) -> RunRecord:
    curve = read_curve(folder)
    record = curve.record
    _check_record(folder, record, place, curve_has_its_key(record))
    for part in record.parts:
        _check_cells(RunFolder(folder.path / part.name), record, [])
    if summarise_curve(folder, record) != curve.summary:
        raise UserError(f"{folder.path / SUMMARY}: it does not sum up the curve's predictions.")
    return record


def _check_record(folder: RunFolder, record: RunRecord, place: RunPlace, has_key: bool) -> None:
    said = RunPlace(record.task.name, record.model.name, record.key, place.curve)
    if said != place:
        raise UserError(f"{folder.path / RECORD}: it is the record of another run, {said}.")
    if not has_key:
        raise UserError(
            f"{folder.path / RECORD}: its key is not that of its content: the task, the model, the splits, the search "
            f"or the seed was changed after the run."
        )
    if record.status != "complete":
        raise UserError(f"{folder.path / RECORD}: the run is not complete ({record.status}).")
    if record.started > (datetime.now(UTC) + timedelta(days=1)).isoformat():
        raise UserError(f"{folder.path / RECORD}: it was started in the future, at {record.started}.")


def _check_cells(folder: RunFolder, record: RunRecord, final: Sequence[Fold]) -> None:
    stored = folder.folds()
    if len(stored) != record.folds or stored != [*range(len(stored))]:
        raise UserError(f"{folder.path}: of its {record.folds} folds these are there: {stored}.")
    for fold in (*stored, *final):
        cell = folder.read_cell(fold)
        digest = sha256(folder.cell_path(fold) / "predictions.csv")
        if cell.fold != fold or digest != folder.read_result(fold).predictions_sha256:
            raise UserError(f"{folder.cell_path(fold)}: its files are not those of one fold.")
        if fold != FINAL and (cell.status != "ok" or digest is None):
            raise UserError(f"{folder.cell_path(fold)}: the fold failed, so the run is not complete.")
        folder.read_explanations(fold)


def _check_spelling(archive: Path, places: Sequence[RunPlace]) -> None:
    """Refuse names that differ only in case, which some file systems take for the same."""
    for names in ({place.task for place in places}, {f"{place.task}/{place.model}" for place in places}):
        seen: dict[str, str] = {}
        for name in sorted(names):
            if other := seen.get(name.casefold()):
                raise DataError(f"{archive}: {other} and {name}: the names differ only in case.", AGAIN)
            seen[name.casefold()] = name


def _check_place(archive: Path, results: Path, place: RunPlace) -> None:
    """Refuse a run where something else stands in its way."""
    folder = results
    for name in place.names:
        if folder.is_dir():
            for other in folder.iterdir():
                if other.name != name and other.name.casefold() == name.casefold():
                    raise UserError(
                        f"{archive}: {place}: {other} is already there, with a name that differs only in case.",
                        "Import into another store with results=DIR.",
                    )
        folder = folder / name
        if os.path.lexists(folder) and not folder.is_dir():
            raise UserError(f"{archive}: {place}: {folder} is in the way.", "Move it.")


def _holds_run(folder: RunFolder) -> bool:
    return os.path.lexists(folder.path / RECORD) or bool(folder.folds())


def _check_same(archive: Path, place: RunPlace, packed: RunFolder, stored: RunFolder) -> None:
    """Refuse a run of which other results are stored."""
    advice = (
        f"Keep one: `bench runs rm {stored.key}` removes the stored run. "
        f"Or import into another store with results=DIR, and compare the two folders."
    )
    if not (_is_summed_up(stored) if place.curve else stored.summarised):
        raise UserError(f"{archive}: {place}: {stored.path} holds an incomplete run.", advice)
    for name in sorted(_decided(packed) | _decided(stored)):
        if sha256(packed.path / name) != sha256(stored.path / name):
            raise UserError(f"{archive}: {place}/{name}: {stored.path / name} has different content.", advice)


def _decided(folder: RunFolder) -> set[str]:
    within = [f"{depth}{name}" for name in DECIDED for depth in ("", "*/", "*/*/")]
    found = (path.relative_to(folder.path) for pattern in within for path in folder.path.glob(pattern))
    return {str(name) for name in found if name.parts[0] not in KINDS}


def _is_summed_up(folder: RunFolder) -> bool:
    try:
        read_curve(folder)
    except UserError:
        return False
    return True


def _mark(packed: Path, archive: Path) -> None:
    """Note in a run's folder that it is somebody else's, so that it never replaces a run that was made here."""
    write_atomically(packed / IMPORTED, to_json(plain(Import(archive.name, datetime.now(UTC).isoformat()))))


def _add_findings(packed: RunFolder, target: RunFolder, imported: Imported) -> None:
    """Store what was found with a run that is stored already."""
    if not any(finding_files(packed, kind) for kind in KINDS):
        return
    with target.locked(wait=True):
        added, other = add_missing(packed, target)
    where = f"{target.task}, {target.model}, {target.key}"
    if added:
        imported.extended.append(target)
        imported.notes.append(f"{where}: {counted(added, 'file')} of its stress tests and shares added.")
    if other:
        imported.notes.append(f"{where}: left as they are here, with other content: {', '.join(other)}.")


def _put(packed: Path, target: RunFolder) -> None:
    """Move a checked run to its place in the store."""
    if target.path.is_dir():
        # What a process has left that was stopped before it stored anything, such as a lock.
        with target.locked():
            target.delete()
    target.path.parent.mkdir(parents=True, exist_ok=True)
    packed.rename(target.path)


def _is_meant(record: RunRecord, wanted: RunFilter) -> bool:
    return (
        (not wanted.tasks or record.task.name in wanted.tasks)
        and (not wanted.models or not names_of(record).isdisjoint(wanted.models))
        and wanted.seed in (None, record.seed)
        and (wanted.search is None or (bool(record.model.search) and record.search.name == wanted.search))
        and (not wanted.keys or any(record.key.startswith(key) for key in wanted.keys))
    )


def _nothing_meant(archive: Path, records: dict[RunPlace, RunRecord], wanted: RunFilter) -> UserError:
    if not records:
        return DataError(f"{archive}: it holds no runs.", AGAIN)
    check_names(
        f"is in {archive}",
        wanted,
        {
            "task": {record.task.name for record in records.values()},
            "model": {name for record in records.values() for name in names_of(record)},
            "seed": {str(record.seed) for record in records.values()},
            "search": {name for record in records.values() if (name := search_name(record)) is not None},
        },
    )
    return UserError(f"{archive}: it holds no run like that.", f"It holds: {', '.join(map(str, sorted(records)))}.")


def _bring_up_to_date(results: Path, imported: Imported) -> None:
    """Write the leaderboards of the tasks again, and log the runs where a store of MLflow is in use."""
    if not imported.runs and not imported.extended:
        return
    from bench.comparison.board import corrected_leaderboard
    from bench.results.leaderboard import write_leaderboard
    from bench.results.store import stored_runs
    from bench.tracking.in_use import track_where_in_use

    for task in sorted({run.task for run in imported.runs}):
        records = []
        for folder in stored_runs(results, task):
            with suppress(UserError):
                records.append(folder.read_record())
        latest = max((each for each in records if each.status == "complete"), key=lambda record: record.started)
        write_leaderboard(results, corrected_leaderboard(results, latest))
    imported.notes += track_where_in_use(results, [*imported.runs, *imported.extended])
