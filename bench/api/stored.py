"""Stored runs as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, overload

from bench.api.shown import Shown, ends
from bench.errors import ConfigError, UserError
from bench.results.protocol import model_name, search_name
from bench.results.record import RunStatus
from bench.results.store import RunFolder, stored_runs

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.task import Task
    from bench.models.model import Model
    from bench.results.record import RunRecord
    from bench.results.summary import Summary
    from bench.statistics.interval import Interval


STATUSES = (*get_args(RunStatus), "incomplete")
"""How a run can stand."""


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A stored run: one model on one task under one protocol.

    Parameters
    ----------
    path : pathlib.Path
        Its folder, ``results/TASK/MODEL/KEY``.
    """

    path: Path

    def __repr__(self) -> str:
        score = "no score" if self.score is None else f"{self.metric} {self.score:.3f}"
        return f"<Run {self.task}: {self.model}, {score}, {self.status}, key {self.key}>"

    def __post_init__(self) -> None:
        # The current folder may change.
        object.__setattr__(self, "path", Path(self.path).absolute())

    @property
    def _folder(self) -> RunFolder:
        return RunFolder(self.path)

    @property
    def _kept(self) -> RunFolder:
        """The folder; a UserError if it is gone, as that of a run of `bench.evaluate` which another program made."""
        if not self.path.is_dir():
            raise UserError(
                f"{self.path}: the run is not stored any longer.",
                "Run it again; a run of bench.evaluate lasts if results=FOLDER is given.",
            )
        return self._folder

    @cached_property
    def record(self) -> RunRecord:
        """All that ``run.json`` holds: task, model, protocol, versions, command."""
        return self._folder.read_record()

    @cached_property
    def summary(self) -> Summary | None:
        """Scores, intervals and the confusion matrix of the pooled out-of-fold predictions; None until finished."""
        return self._folder.summary

    @property
    def key(self) -> str:
        """The run's key, a hash of all that decides its numbers."""
        return self.path.name

    @property
    def task(self) -> str:
        """The task's name."""
        return self.record.task.name

    @property
    def model(self) -> str:
        """The model's name, as tables have it."""
        return model_name(self.record)

    @property
    def search(self) -> str | None:
        """The search's name; None where the model has nothing to search."""
        return search_name(self.record)

    @property
    def seed(self) -> int:
        """The seed."""
        return self.record.seed

    @property
    def status(self) -> str:
        """``complete``, ``failed``, ``interrupted``, ``running``, or ``incomplete`` where a fold was deleted since."""
        return "incomplete" if self._folder.lost(self.record) else self.record.status

    @property
    def metric(self) -> str:
        """The task's metric, by which models are ranked."""
        return self.record.task.metric

    @property
    def scores(self) -> dict[str, float]:
        """Every metric's score over the pooled out-of-fold predictions; empty until the run is finished."""
        return {} if self.summary is None else dict(self.summary.scores)

    @property
    def intervals(self) -> dict[str, Interval]:
        """The 95 % interval over groups, by metric, where one can be given."""
        return {} if self.summary is None else dict(self.summary.intervals)

    @property
    def score(self) -> float | None:
        """The score by the task's metric."""
        return self.scores.get(self.metric)

    @property
    def interval(self) -> Interval | None:
        """The interval of that score."""
        return self.intervals.get(self.metric)

    @property
    def seconds(self) -> float:
        """Seconds of work in all stored outer folds."""
        return sum(self._folder.read_seconds().values())

    def predictions(self) -> pd.DataFrame:
        """Return the out-of-fold predictions.

        Returns
        -------
        pandas.DataFrame of shape (n_examples, n_columns)
            ``fold``, ``id``, ``group``, ``label``, ``predicted``, and ``p_LABEL`` (or ``d_LABEL``) for each label where
            the model gives probabilities (or decision values).
        """
        import pandas as pd

        frames = []
        for fold in self._kept.folds():
            if self._folder.read_result(fold).status == "failed":
                path = self._folder.cell_path(fold)
                reason = (self._folder.read_cell(fold).error or "").strip().rpartition("\n")[2]
                raise UserError(f"{path}: the fold failed: {reason}", "The same call tries failed folds again.")
            frame = self._folder.read_predictions(fold)
            frame.insert(0, "fold", fold)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()

    def trials(self) -> pd.DataFrame:
        """Return every setting that the search tried.

        Returns
        -------
        pandas.DataFrame of shape (n_trials, n_columns)
            ``fold``, ``number``, ``score``, ``chosen``, and a column for each searched parameter.
        """
        import pandas as pd

        rows = []
        for fold in self._kept.folds():
            cell = self._folder.read_result(fold)
            # A setting that was tried twice is chosen once.
            chosen_as = (cell.params, cell.inner_score)
            first = next((each for each in cell.trials if (each.params, each.score) == chosen_as), None)
            for trial in cell.trials:
                chosen = trial is first
                rows.append(
                    {"fold": fold, "number": trial.number, "score": trial.score, "chosen": chosen, **trial.params}
                )
        return pd.DataFrame(rows)

    def confusion(self) -> pd.DataFrame:
        """Return the confusion matrix: true labels in rows, predicted ones in columns."""
        import pandas as pd

        summary = self._finished()
        columns = list(summary.labels)
        if summary.confusion and len(summary.confusion[0]) > len(columns):
            columns.append("no answer")
        return pd.DataFrame(
            summary.confusion, index=pd.Index(summary.labels, name="true"), columns=pd.Index(columns, name="predicted")
        )

    def per_class(self) -> pd.DataFrame:
        """Return precision, recall, F1 and support of each label."""
        import pandas as pd

        return pd.DataFrame(dict(self._finished().per_class)).T.rename_axis("label")

    def fitted(self) -> Any:
        """Load the fitted classifier, which takes a frame of the task's input columns.

        Nothing is unpickled, and only classes that the model's definition here names are made.

        Raises
        ------
        bench.errors.UserError
            If no fitted model is stored, or it is not what the model's definition here says.
        """
        from bench.prediction.fitted import load_fitted

        return load_fitted(self._kept).estimator

    def _finished(self) -> Summary:
        if self.summary is None:
            raise UserError(f"{self.path}: the run is not finished.", f"Go on with it: {self.record.command}")
        return self.summary


class Runs(Shown, Sequence[Run]):
    """Several stored runs.

    Parameters
    ----------
    found : sequence of Run
        The runs.
    failures : sequence of str
        What was asked for and is not stored, a line each.
    notes : sequence of str
        What the user should know, a sentence each.
    """

    def __init__(self, found: Sequence[Run], failures: Sequence[str] = (), notes: Sequence[str] = ()) -> None:
        self._found = tuple(found)
        self.failures, self.notes = tuple(failures), tuple(notes)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, place: int | str) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Runs: ...
    def __getitem__(self, place: int | str | slice) -> Run | Runs:
        """A run by its place, by its model's name where one run has it, or by its key; a slice gives several."""
        if isinstance(place, slice):
            return Runs(self._found[place])
        if hasattr(place, "__index__"):
            return self._found[place]
        named = [run for run in self._found if place in (run.model, run.record.model.name, run.key)]
        if len(named) != 1:
            from bench.errors import nearest

            known = [run.model for run in self._found] + [run.key for run in self._found]
            raise UserError(f"'{place}': {len(named)} of these runs have that name or key.", nearest(place, known))
        return named[0]

    def __iter__(self) -> Iterator[Run]:
        return iter(self._found)

    def best(self) -> Run:
        """The run with the best score by its task's metric.

        Raises
        ------
        bench.errors.UserError
            If no run has a score, or they are of several tasks or metrics.
        """
        from bench.metrics.registry import metric_of

        scored = [run for run in self._found if run.score is not None]
        if len({(run.task, run.metric) for run in scored}) != 1:
            raise UserError("Only finished runs of one task have a best one.", "Choose them: bench.runs(task=...)")
        sign = metric_of(scored[0].record.task).sign
        return max(scored, key=lambda run: sign * (run.score or 0.0))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a run: what it is, its score with the interval, and its key."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "task": run.task,
                    "model": run.model,
                    "search": run.search,
                    "seed": run.seed,
                    "status": run.status,
                    "metric": run.metric,
                    "score": run.score,
                    **ends(run.interval),
                    "seconds": run.seconds,
                    "key": run.key,
                }
                for run in self._found
            ]
        )

    def _told(self) -> Sequence[str]:
        return self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the same as plain values, with failures and notes."""
        rows = self.to_frame().astype(object)
        rows = rows.where(rows.notna(), None)
        return {"runs": rows.to_dict("records"), "failures": list(self.failures), "notes": list(self.notes)}


def runs(
    task: str | Task | None = None,
    model: str | Model | None = None,
    *,
    results: str | Path = "results",
    status: str | None = None,
) -> Runs:
    """List stored runs.

    Parameters
    ----------
    task : str or Task, optional
        Of this task; of a `Task`, only those of its data.
    model : str or Model, optional
        Of this model, by its name.
    results : str or pathlib.Path
        The store.
    status : {"complete", "failed", "interrupted", "running", "incomplete"}, optional
        Those that stand so.

    Returns
    -------
    Runs
        In the order of tasks, models and times. Runs of another version of bench are left out, with a note. Where no
        run is of the named task or model, its `failures` say so, with the nearest name.

    Raises
    ------
    bench.errors.UserError
        If the status is none of these.
    """
    folder = Path(results).expanduser()
    from bench.api.words import names_of_models, one_task
    from bench.comparison.made import runs_of
    from bench.errors import nearest
    from bench.results.layout import stored_tasks

    if status is not None and status not in STATUSES:
        raise ConfigError(f"status={status!r}: expected {', '.join(STATUSES)}.", nearest(str(status), STATUSES))
    stored_of = stored_runs if task is None or isinstance(task, str) else runs_of
    task = None if task is None else one_task(task)
    names = names_of_models(model)
    model = names[0] if isinstance(names, list) else names
    found, notes, models = list[Run](), list[str](), set[str]()
    for name in [task] if task is not None else stored_tasks(folder):
        for stored in stored_of(folder, name):
            run = Run(stored.path)
            try:
                models.add(run.model)
                wanted = (model is None or model in (run.model, run.record.model.name)) and status in (None, run.status)
            except UserError as error:
                notes.append(error.message)
                continue
            if wanted:
                found.append(run)
    found.sort(key=lambda run: (run.task, run.model, run.record.started))
    failures = []
    if task is not None and task not in (tasks := stored_tasks(folder)):
        failures.append(f"task={task}: no such run is stored in {folder}. {nearest(task, tasks)}")
    elif model is not None and not found and status is None:
        failures.append(f"model={model}: no such run is stored in {folder}. {nearest(model, models)}")
    return Runs(found, failures, notes)
