"""Add labels that an annotation tool exports to a task, as a new version of it.

The user's own files stay as they are. The examples of the new version are in a file of their own beside the task's
file, and the task's file of the version before is kept.
"""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from bench.data.dates import DAY_FIRST
from bench.data.definition import build_task, read_definition
from bench.data.messages import listed
from bench.data.task import Task
from bench.data.task_definition import TaskDefinition
from bench.data.votes import EXAMPLES, KEPT, POSTERIORS, VOTES, Recorded, history, read_recorded
from bench.discovery import find, task_files
from bench.errors import UserError
from bench.labelling.exports import Export, by_text, n_repeated, read_export, with_keys
from bench.labelling.merging import AnnotatorAgreement, Merged
from bench.labelling.own_table import OwnTable, check_own_table, with_draws
from bench.labelling.rates import less_unlabelled, no_longer_counted, undrawn
from bench.prediction.writing import json_lines
from bench.schema.dialect import dump
from bench.support.cache import cache_folder
from bench.support.places import make_folder, write_whole

if TYPE_CHECKING:
    from bench.data.sources.layout import Asked


@dataclass(frozen=True, eq=False)
class Added:
    """What was added to a task.

    Parameters
    ----------
    task : Task
        The new version; the present one if the export adds nothing.
    new, again, changed : int
        How many examples are new, how many were labelled again, and how many of these have another label now.
    tied : tuple of str
        New texts without a majority, which are not added.
    unlabelled : int
        Texts of the export without a label.
    agreement : tuple of AnnotatorAgreement
        With the labels that the task had.
    files : tuple of pathlib.Path
        The files that were written; none if the export adds nothing.
    notes : tuple of str
        What else to know, a sentence each.
    """

    task: Task
    new: int
    again: int
    changed: int
    tied: tuple[str, ...]
    unlabelled: int
    agreement: tuple[AnnotatorAgreement, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def add_labels(
    export: Path,
    name: str,
    columns: Mapping[str, str | None] | None = None,
    asked: Asked | None = None,
    annotator: str | None = None,
) -> Added:
    """Add the labels of an export to a task of a table.

    New texts become examples, with the label that most annotators gave. An example that is labelled again has the label
    of most votes, of which its earlier label or the labels of its annotation passes are some, and in a tie its label
    stays. Where votes are marked as the ground truth, only these count. Votes are counted by the task's labels, if
    these are coarser than the annotators'.

    An export that adds no example and no vote makes no new version.

    Parameters
    ----------
    export : pathlib.Path
        The export.
    name : str
        The task.
    columns : mapping of str to str or None, optional
        A table's column of each input, where it was named.
    asked : Asked, optional
        The format of the export that the user specifies.
    annotator : str, optional
        Who gave the labels without a name, or all if the export names one annotator.

    Raises
    ------
    bench.errors.UserError
        If the export or the task is not usable, or the task's file was changed meanwhile. Nothing is changed then.
    """
    path = find(name, task_files(), "task", "tasks")
    check_own_table(read_definition(path), path, name)
    # Of two commands at once, the second adds to the version that the first has made.
    with FileLock(_lock_of(path)):
        return _added(export, path, columns, asked, annotator)


def _lock_of(path: Path) -> Path:
    """The file that commands on this machine lock while they change a task, which is none of the task's folder."""
    folder = cache_folder() / "locks"
    make_folder(folder)
    return folder / hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]


def _added(
    export: Path, path: Path, columns: Mapping[str, str | None] | None, asked: Asked | None, annotator: str | None
) -> Added:
    before = path.read_bytes()
    content = dict(read_definition(path))
    task = build_task(content, path)
    table = OwnTable.read(TaskDefinition.check(content, path), task)
    recorded = _recorded(table)
    known = [who for votes in (*recorded.votes.values(), *table.votes) for who in votes]
    read = read_export(export, task.inputs, table.given, columns, asked, table.columns, known, annotator)
    texts = with_keys([*read.labelled, *read.unlabelled], task.inputs)
    made = Merged(table, recorded)
    given = [each for each in texts if each[1].labels]
    made.add(by_text(given))
    if made.contradicted:
        raise _same_person(export, made.contradicted)
    remarks = (*read.remarks, *_repeated(n_repeated(given)))
    if not made.adds:
        return Added(task, 0, made.n_again, 0, tuple(made.tied), len(read.unlabelled), made.agreement(), (), remarks)
    notes = [
        *less_unlabelled(made.rows, made.keys, texts, len(table.rows), made.own_rates),
        *undrawn(made.rows[len(table.rows) :]),
    ]
    files = _Files.after(path, task.version)
    if any(target.exists() for target in (files.examples, files.votes, files.posteriors, files.kept)):
        raise _taken_back(path, task.version)
    rows, source_columns = table.written(with_draws(made.rows), made.passes())
    written = {files.examples: json_lines(rows), files.votes: json_lines(made.votes)}
    written |= {files.posteriors: json_lines(made.posteriors)} if made.posteriors else {}
    changed = {**content, "version": task.version + 1, "source": _source(table, files.examples.name, source_columns)}
    changed |= made.changed_keys()
    if made.n_changed_test:
        changed.pop("published", None)
    new = _write(path, before, changed, written, files.kept)
    notes += no_longer_counted(task, new, files.examples.name)
    return Added(
        task=new,
        new=made.n_new,
        again=made.n_again,
        changed=made.n_changed,
        tied=tuple(made.tied),
        unlabelled=len(read.unlabelled),
        agreement=made.agreement(),
        files=(path, *written, files.kept),
        notes=(*remarks, *made.notes(files.votes.name), *notes, *_names(read), *_uncounted(path, task.version)),
    )


@dataclass(frozen=True)
class _Files:
    """The files of a new version: its examples, its votes, the labels' probabilities, and the task's file before it."""

    examples: Path
    votes: Path
    posteriors: Path
    kept: Path

    @classmethod
    def after(cls, path: Path, version: int) -> _Files:
        """Those of the version after the present one, beside the task's file."""
        examples, votes, posteriors = (
            path.with_name(form.format(version + 1)) for form in (EXAMPLES, VOTES, POSTERIORS)
        )
        return cls(examples, votes, posteriors, path.with_name(KEPT.format(version)))


def _source(table: OwnTable, path: str, columns: Mapping[str, str | list[str]]) -> dict[str, object]:
    """The section on the source of a new version."""
    # Dates are written in ISO order, but those of the next export may not be.
    order = {key: value for key, value in table.definition.source.content.items() if key == DAY_FIRST}
    return {"kind": "table", "path": path, "columns": columns, **order}


def _write(
    path: Path, before: bytes, changed: Mapping[str, object], written: Mapping[Path, Iterable[str]], kept: Path
) -> Task:
    """Write the files of a new version and build it. Take them away again where that fails.

    Parameters
    ----------
    path : pathlib.Path
        The task's file, which is written last.
    before : bytes
        What it held when it was read.
    changed : mapping of str to object
        Its new content.
    written : mapping of pathlib.Path to iterable of str
        The lines of the other files.
    kept : pathlib.Path
        Where the old content stays.
    """
    after = dump(changed, default_flow_style=None, allow_unicode=True).encode()
    touched: list[Path] = []
    try:
        for target, lines in written.items():
            touched.append(target)
            write_whole(target, "".join(lines).encode())
        new = build_task(changed, path)
        if path.read_bytes() != before:
            raise UserError(f"{path}: the file was changed meanwhile.", "Run the same command again.")
        touched.append(kept)
        write_whole(kept, before)
        write_whole(path, after)
    except BaseException:
        if path.read_bytes() != after:
            for target in touched:
                target.unlink(missing_ok=True)
        raise
    return new


def _taken_back(path: Path, version: int) -> UserError:
    """Name the files of versions after the present one."""
    left = []
    for form, first in ((EXAMPLES, version + 1), (VOTES, version + 1), (POSTERIORS, version + 1), (KEPT, version)):
        before, after = form.split("{}")
        numbers = sorted(
            int(number)
            for file in path.parent.glob(form.format("*"))
            if (number := file.name.removeprefix(before).removesuffix(after)).isdecimal() and int(number) >= first
        )
        left += [form.format(number) for number in numbers]
    folder = shlex.quote(str(path.parent))
    return UserError(
        f"{path.parent}: there are files of versions after {version}, the task's: {listed(left, len(left))}.",
        "They are of a version that was taken back, or of a command that was killed. Move all of them away: "
        f"cd {folder} && mkdir -p taken-back && mv {' '.join(left)} taken-back",
    )


def _uncounted(path: Path, version: int) -> list[str]:
    """Name the files with votes of versions that the task does not come from."""
    come_from = history(path)
    names = [VOTES.format(number) for number in range(1, version + 1) if number not in come_from]
    return [
        f"The votes in {name} do not count, since the task does not come from that version."
        for name in names
        if path.with_name(name).is_file()
    ]


def _repeated(n_rows: int) -> list[str]:
    rows = "1 row of the export repeats" if n_rows == 1 else f"{n_rows:,} rows of the export repeat"
    return [f"{rows} an earlier label of the same text and annotator, which counts once."] if n_rows else []


def _names(read: Export) -> list[str]:
    if not read.unnamed:
        return []
    return [
        f"The export does not name its annotators. They count as a person of their own, {read.unnamed}. If the same "
        "person's labels were added from another file without names, they count twice: name them with --annotator."
    ]


def _same_person(export: Path, contradicted: Counter[str]) -> UserError:
    """Ask whose labels an export without names has, since it contradicts another one without names."""
    (who, n), *_ = contradicted.most_common(1)
    labels = "1 of its labels differs" if n == 1 else f"{n:,} of its labels differ"
    return UserError(
        f"{export}: it names no annotator, and {labels} from those of {who}, an earlier export without names.",
        f"If they are the same person's, add --annotator {shlex.quote(who)}; if not, add --annotator NAME.",
    )


def _recorded(table: OwnTable) -> Recorded:
    """The votes that earlier versions added, whose labels the task must still know."""
    task = table.task
    recorded = read_recorded(task.origin, task.version)
    for name, votes in recorded.votes.items():
        for who, label in votes.items():
            table.given.read(label, f"{task.origin.with_name(VOTES.format('*'))}: example '{name}', annotator {who}")
    return recorded
