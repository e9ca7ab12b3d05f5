"""Tasks: by name, or made of a user's own data."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.hints import as_arguments, flags_of, in_python
from bench.api.shown import Shown
from bench.api.words import task_of
from bench.data.task import Task
from bench.errors import BenchError, DataError

if TYPE_CHECKING:
    import datasets
    import pandas as pd

    from bench.checks import Finding
    from bench.data.sources import Further
    from bench.scaffold import TaskRequest


def load_task(name: str, **overrides: Any) -> Task:
    """Load a task by its name.

    Parameters
    ----------
    name : str
        The name of a folder in ``tasks/``, of a task that comes with the package, or of one made by `new_task`.
    **overrides
        Keys of the task's file with other values, with ``__`` for a dot, such as ``metric="mcc"``.

    Raises
    ------
    bench.errors.UserError
        If there is no such task, or its definition or data are wrong.

    Examples
    --------
    >>> import bench
    >>> bench.load_task("denial")
    <Task denial: 117 examples, labels denial, non_confirmation, none, 5 groups (document)>
    """
    from bench.catalogue import load_task as load
    from bench.errors import ConfigError

    if not isinstance(name, str):
        raise ConfigError(f"task: {type(name).__name__} is not a task's name.", "To make a task: bench.new_task(data)")
    return load(name, {key.replace("__", "."): value for key, value in overrides.items()})


@in_python
def new_task(
    data: pd.DataFrame | datasets.Dataset | datasets.DatasetDict | str | Path | Sequence[str | Path],
    *,
    text: str | None = None,
    claim: str | None = None,
    label: str | None = None,
    group: str | None = None,
    split: str | None = None,
    date: str | None = None,
    day_first: bool | None = None,
    name: str = "mine",
    metric: str = "macro_f1",
    description: str | None = None,
    strict: bool = False,
    allow_repeats: bool = False,
    allow_several: bool = False,
    allow_shifted: bool = False,
) -> Task:
    """Make a task of your own data. No file is written; ``bench new task`` writes one.

    Parameters
    ----------
    data : pandas.DataFrame, datasets.Dataset, datasets.DatasetDict, path, or sequence of paths
        The examples: a table in memory; a file or folder; the files of a published split; or ``owner/name`` of the
        Hugging Face Hub. A `DatasetDict` with ``train`` and ``test`` is a published split.
    text, claim, label, group, split, date : str, optional
        Columns. Those that are not named are found by their names and content. ``group="id"``, where there is no such
        column, says that each row is a group of its own.
    day_first : bool, optional
        Whether dates such as 03/05/2024 have the day first, where the column itself does not show it.
    name : str
        How the task is called in tables and in the store.
    metric : str
        What ranks models.
    description : str, optional
        One line on what is asked of a text.
    strict : bool
        Whether a row without a text or a label is an error, rather than left out with a note.
    allow_repeats, allow_several, allow_shifted : bool
        Whether most inputs may repeat; whether several labels in one cell are a label of their own; whether rows whose
        cells are shifted are left out.

    Returns
    -------
    Task
        ``Task.notes`` says what was left out or changed, and what you may have meant otherwise. An example's ``id`` is
        the row's own, from a column ``id``, or the row's number from 1 in the order of the data, whatever their index.
        The task is known by its name from now on.

    Raises
    ------
    bench.errors.UserError
        If no task can be made of the data.

    Warns
    -----
    UserWarning
        For each of these notes.

    Examples
    --------
    >>> import bench, pandas as pd
    >>> frame = pd.DataFrame({"text": ["نفى الوزير الخبر", "أكد الوزير الخبر"], "label": ["denial", "none"]})
    >>> bench.new_task(frame, group="id")
    <Task mine: 2 examples, labels denial, none, 2 groups (id)>
    """
    from bench.data.definition import name_problem
    from bench.errors import ConfigError
    from bench.in_memory import TASKS
    from bench.metrics import find_metric
    from bench.scaffold import Given, TaskRequest
    from bench.scaffold.task import draft_task

    if problem := name_problem(str(name)):
        raise ConfigError(f"name={name!r} {problem}.")
    # Columns of a frame may be numbers.
    named = {"text": text, "claim": claim, "label": label, "group": group, "split": split, "date": date}
    columns = {role: None if column is None else str(column) for role, column in named.items()}
    with _as_files(data) as (files, called, plain):
        request = TaskRequest(
            name,
            files,
            Given(**columns, day_first=day_first),
            strict=strict,
            allow_repeats=allow_repeats,
            allow_several=allow_several,
            allow_shifted=allow_shifted,
        )
        draft = draft_task(request)
        remarks = (*draft.chosen.choices, *draft.remarks)
        said = [plain(as_arguments(each, flags_of(new_task))) for each in remarks]
    what = description or f"What the column {label or 'label'} of {called} says of a text."
    task = replace(
        draft.task,
        description=what,
        metric=find_metric(metric, draft.task.labels, f"metric={metric}").name,
        origin=Path(f"task '{name}' (made in Python)"),
        notes=(*said, *draft.task.notes),
        further=partial(_further, _lasting(data), request, draft.task.digest),
    )
    for note in task.notes:
        warnings.warn(note, stacklevel=3)
    TASKS.add(task)
    return task


def _lasting(data: Any) -> Any:
    """The data as they are now: whatever becomes of a table in memory or of the current folder, they stay."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return data.copy()
    if isinstance(data, str | Path):
        return Path(data).expanduser().absolute() if Path(data).expanduser().exists() else data
    if isinstance(data, list | tuple):
        return [_lasting(each) for each in data]
    return type(data)(data) if isinstance(data, dict) else data


def _further(data: Any, request: TaskRequest, digest: str, column: str) -> Further:
    """Read another column of the data that a task was made of; a DataError if files have changed since."""
    from bench.data.definition import read_further
    from bench.scaffold.task import draft_task

    with _as_files(data) as (files, called, _):
        again = draft_task(replace(request, data=files))
        if again.task.digest != digest:
            raise DataError(
                f"task '{request.name}': {called} has changed since the task was made of it.",
                "Make the task again: bench.new_task(data)",
            )
        return read_further(again.definition, again.task.origin, column)


@contextmanager
def _as_files(data: Any) -> Iterator[tuple[list[str], str, Callable[[str], str]]]:
    """The files of some data, for as long as they are read, what errors call them, and how to write what names them.

    A table in memory is written as Parquet, so that it is read and checked by the same code as a file.
    """
    tables = _tables(data)
    if tables is None:
        several = [data] if isinstance(data, str | Path) else data if isinstance(data, list | tuple) else [data]
        for each in several:
            if not isinstance(each, str | Path):
                raise DataError(
                    f"data: {type(each).__name__} is neither a table nor a path.",
                    "Give a pandas.DataFrame, a datasets.Dataset, or the path of a file.",
                )
        names = list(map(str, several))
        yield names, ", ".join(Path(name).name for name in names), str
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        paths = [Path(folder) / f"{part}.parquet" for part in tables]
        try:
            for path, table in zip(paths, tables.values(), strict=True):
                pq.write_table(_arrow(table), path, compression=None, use_dictionary=False)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"the data cannot be written as columns: {str(error).splitlines()[0]}",
                "Give each column one name, and values of one kind: frame[column].astype(str)",
            ) from error
        try:
            yield list(map(str, paths)), "the data", partial(_without, folder)
        except BenchError as error:
            hint = None if error.hint is None else _without(folder, error.hint)
            raise type(error)(_without(folder, error.message), hint) from None


def _tables(data: Any) -> dict[str, Any] | None:
    """The tables in memory, by the name of their part; None where the data are files."""
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        return {"data": data}
    module = type(data).__module__.partition(".")[0]
    if module == "datasets" and "Iterable" in type(data).__name__:
        raise DataError(f"a {type(data).__name__} cannot be split.", "Load the data set without streaming=True.")
    if module == "datasets" and isinstance(data, dict):
        return dict(data)
    return {"data": data} if module == "datasets" else None


def _arrow(table: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    if isinstance(table, pd.DataFrame):
        # Parquet would have the number of each period instead.
        periods = {name: "string" for name, dtype in table.dtypes.items() if isinstance(dtype, pd.PeriodDtype)}
        return pa.Table.from_pandas(table.astype(periods).rename(columns=str), preserve_index=False)
    # The names of classes stand in the metadata.
    return table.with_format("arrow")[:].replace_schema_metadata(table.features.arrow_schema.metadata)


def _without(folder: str, told: str) -> str:
    """A message about files in memory, without their places."""
    told = told.replace(f"{folder}/data.parquet, row", "row").replace(f"{folder}/data.parquet", "the data")
    return told.replace(f"{folder}/", "")


class Findings(Shown, Sequence["Finding"]):
    """What the checks of a task's data found, from errors to notes."""

    def __init__(self, found: Sequence[Finding]) -> None:
        self._found = tuple(found)

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, place: Any) -> Any:
        return self._found[place]

    def __repr__(self) -> str:
        lines = [f"{each.code}  {each.severity}  {each.title}: {each.message}" for each in self._found]
        return "\n".join(lines) or "nothing found"

    @property
    def errors(self) -> Findings:
        """Those that make every score on the data meaningless."""
        return Findings([finding for finding in self._found if finding.severity == "error"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a finding."""
        import pandas as pd

        columns = ("code", "severity", "title", "message", "examples")
        return pd.DataFrame([[getattr(each, name) for name in columns] for each in self._found], columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the findings as plain values."""
        return {"findings": [each.to_dict() for each in self._found]}


def check(task: str | Task, *, folds: int = 5) -> Findings:
    """Look for faults in a task's data: repeats, leaks, broken text, labels that cannot be learned.

    Parameters
    ----------
    task : str or Task
        The task.
    folds : int
        Outer folds, where there are more than ten groups and no published split.

    Examples
    --------
    >>> import bench
    >>> [finding.code for finding in bench.check("source-type")]
    ['D103', 'D201']
    """
    from bench.checks import check_task

    return Findings(check_task(task_of(task), folds))
