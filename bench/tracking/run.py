"""Logging a stored run to MLflow: an experiment a task, a run a model, a child run an outer fold."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.engines.sockets import scratch
from bench.errors import BenchError, UserError, one_line
from bench.results.cell import FINAL, CellResult
from bench.results.files import is_stored, read_bytes
from bench.results.layout import SUMMARY, run_folders
from bench.results.protocol import model_name
from bench.results.record import RunRecord
from bench.results.shares import read_shares, shares_paths
from bench.results.store import RunFolder, stored_runs
from bench.results.stress import StressSummary, read_stress_summary, stress_summary_path
from bench.support.json_writing import json_text
from bench.tracking.artifacts import PREDICTIONS, write_artifacts
from bench.tracking.baseline import Judgement, baseline_run, judge_all
from bench.tracking.description import class_tags, describe_model, describe_run, shown_score
from bench.tracking.experiment import dataset_of, experiment_of, tags_of
from bench.tracking.logged import CONTENT, PARENT, delete, own_runs
from bench.tracking.logged_model import log_model
from bench.tracking.metrics import Point, fold_points, run_points, share_points, stress_points
from bench.tracking.names import NOTE, ascii_name, run_name
from bench.tracking.origin import Origin, origin_of
from bench.tracking.views import AGAINST_MAJORITY, LEVEL, SCORE

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Dataset, Run


FORM = 7
"""Counted up when runs are logged in another form, so that those of an older one are logged again."""

LEFT_OUT = "bench.model_left_out"
"""The tag that says why a run's stored model was not handed to MLflow."""

RUN_STATUS = {"complete": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "running": "RUNNING"}
BATCH = {"metrics": 800, "params": 100, "tags": 90}
"""How much MLflow takes at once, of 1,000 values in all."""


def track(folder: RunFolder, client: MlflowClient) -> str:
    """Log a stored run and its outer folds, unless they are logged already.

    Nothing but the folder is read, so a store that was lost can be made again. A run that was
    logged with other content, or not to its end, is deleted there and logged again.

    Parameters
    ----------
    folder : RunFolder
        The stored run.
    client : mlflow.MlflowClient
        The store, as `bench.tracking.store.open_store` gives it.

    Returns
    -------
    str
        The id of the run that stands for the whole; its children are the outer folds.

    Raises
    ------
    bench.errors.UserError
        If the folder holds no readable run.
    mlflow.exceptions.MlflowException
        If the store refuses.
    """
    from filelock import FileLock

    record = folder.read_record()
    results = folder.results
    baseline = baseline_run(results, record)
    origin = origin_of(results, client.tracking_uri)
    content = _content(folder, record, baseline)
    lock = FileLock(folder.path / ".tracking.lock")
    try:
        lock.acquire()
    except OSError:  # A results folder that can only be read.
        known = client.get_experiment_by_name(ascii_name(record.task.name))
        whole = known and _logged(client, str(known.experiment_id), record, content, origin)[0]
        if whole:
            return whole
        raise
    try:
        experiment = experiment_of(client, record.task)
        whole, found = _logged(client, experiment, record, content, origin)
        if whole:
            return whole
        delete(client, experiment, record.key, found)
        judged = judge_all(results, record, baseline) if baseline is not None else {}
        run_id = _log_run(client, experiment, folder, record, baseline, judged, content, origin)
    finally:
        lock.release()
    if baseline is not None:
        _judge_others(client, experiment, folder, baseline, judged, origin)
    return run_id


def _judge_others(
    client: MlflowClient,
    experiment: str,
    folder: RunFolder,
    baseline: RunFolder,
    judged: Mapping[str, Judgement],
    origin: Origin,
) -> None:
    """Update the verdicts of the table's runs that are logged already: one more run may change them."""
    for run in stored_runs(folder.results, folder.task):
        if run.key not in judged or run.key == folder.key:
            continue
        try:
            note = describe_run(run.read_record(), run.read_summary(), baseline.read_summary(), judged[run.key])
        except Exception:  # It is damaged, in one of many ways, which its own logging tells.
            continue
        alike = f"tags.`bench.key` = '{run.key}' and tags.`{LEVEL}` = 'model'"
        for logged in own_runs(client, experiment, alike, origin):
            for tag, value in ((AGAINST_MAJORITY, judged[run.key].verdict), (NOTE, note)):
                if logged.data.tags.get(tag) != value:
                    client.set_tag(logged.info.run_id, tag, value)


def track_all(folders: Iterable[RunFolder], client: MlflowClient) -> list[str]:
    """Log stored runs, each whatever becomes of the others.

    Returns
    -------
    list of str
        What was left out, and why.
    """
    left_out = []
    for folder in folders:
        try:
            track(folder, client)
        except BenchError as error:
            left_out.append(error.message)
        except Exception as error:  # A damaged file breaks in many ways.
            left_out.append(one_line(f"{folder.path}: {type(error).__name__}: {error}"))
    return left_out


def track_again(results: Path, client: MlflowClient) -> list[str]:
    """Log again the stored runs whose logging was stopped, as by a kill; MLflow would show them as running forever.

    Returns
    -------
    list of str
        What was left out, and why.
    """
    there, stored = {*run_folders(results)}, []
    origin = origin_of(results, client.tracking_uri)
    for experiment in client.search_experiments():
        for run in own_runs(client, experiment.experiment_id, f"tags.`{LEVEL}` = 'model'", origin):
            if CONTENT in run.data.tags and run.info.status != RUN_STATUS["running"]:
                continue
            task, model, key = (run.data.tags.get(f"bench.{name}", "") for name in ("task", "model", "key"))
            folder = RunFolder(results / task / model / key)
            if folder.path in there:
                stored.append(folder)
    return track_all(stored, client)


def _logged(
    client: MlflowClient, experiment: str, record: RunRecord, content: str, origin: Origin
) -> tuple[str | None, list[Run]]:
    """The id of the run that was logged with this content, and all that were logged of the stored run."""
    found = own_runs(client, experiment, f"tags.`bench.key` = '{record.key}'", origin)
    whole = [run for run in found if run.data.tags.get(CONTENT) == content and _has_ended(run, record)]
    return str(whole[0].info.run_id) if whole else None, found


def _has_ended(run: Run, record: RunRecord) -> bool:
    return bool(run.info.status == RUN_STATUS[record.status])


def _log_run(
    client: MlflowClient,
    experiment: str,
    folder: RunFolder,
    record: RunRecord,
    baseline: RunFolder | None,
    judged: Mapping[str, Judgement],
    content: str,
    origin: Origin,
) -> str:
    from filelock import FileLock
    from mlflow.entities import DatasetInput, InputTag

    summary = folder.summary
    cells = [folder.read_cell(fold) for fold in folder.folds()]
    final = folder.read_cell(FINAL) if folder.cell_path(FINAL).is_dir() else None
    start = int(datetime.fromisoformat(record.started).timestamp() * 1000)
    fixed = {_parameter(name): value for name, value in record.model.params.items()}
    # A single published split has no final cell: the model that it scored is the run's.
    fitted = cells[0] if final is None and record.folds == 1 and cells else final
    chosen = {**fixed, **(fitted.params if fitted is not None else {})}
    space = {f"search.{name}": dimension for name, dimension in record.model.search.items()}
    tags = {**tags_of(record), **origin.tags, LEVEL: "model"}
    if summary is not None:
        tags |= class_tags(summary)
        if record.task.metric in summary.scores:
            tags[SCORE] = shown_score(record.task.metric, summary)
    name = run_name(model_name(record), record.seed, tags["bench.search"] if space else None)
    run_id = str(client.create_run(experiment, start, tags, name).info.run_id)
    dataset = dataset_of(record.task)
    # MLflow looks for a data set and then writes it: two processes that do so at once fail.
    with FileLock(folder.results / ".datasets.lock"):
        client.log_inputs(run_id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "evaluation")])])

    for cell in cells:
        _log_fold(client, experiment, run_id, folder, record, cell, {**fixed, **cell.params}, start, origin)

    texts = _as_text(chosen)
    stored = folder.model_path()
    model_id = None
    if stored is not None:
        try:
            model_id = log_model(client, experiment, run_id, stored, record, texts, describe_model(record, summary))
        except UserError as error:
            tags[LEFT_OUT] = error.message
    with tempfile.TemporaryDirectory(dir=scratch()) as files:
        everything = [*cells, *([final] if final is not None else [])]
        write_artifacts(Path(files), folder, summary, everything, f"{record.task.name}: {record.model.name}")
        if (Path(files) / PREDICTIONS).exists():
            tags["mlflow.loggedArtifacts"] = json.dumps([{"path": PREDICTIONS, "type": "table"}])
        client.log_artifacts(run_id, files)
    inner = [cell.inner_score for cell in cells if cell.inner_score is not None]
    judgement = judged.get(folder.key)
    if judgement is not None:
        tags[AGAINST_MAJORITY] = judgement.verdict
    beside = baseline.read_summary() if baseline is not None else None
    tags[NOTE] = describe_run(record, summary, beside, judgement)
    errors = [f"fold {cell.fold}: {cell.reason}" for cell in everything if cell.error]
    if errors:
        tags["bench.error"] = "; ".join(errors)
    end = start + round(1000 * record.seconds.get("wall", 0.0))
    points = run_points(record, summary, fitted, inner) + stress_points(_stress_of(folder))
    points += share_points(read_shares(folder))
    _log(client, run_id, points, texts | _as_text(space), tags, end, dataset, model_id)
    client.set_terminated(run_id, RUN_STATUS[record.status], end)
    client.set_tag(run_id, CONTENT, content)
    return run_id


def _log_fold(
    client: MlflowClient,
    experiment: str,
    parent: str,
    folder: RunFolder,
    record: RunRecord,
    cell: CellResult,
    params: Mapping[str, object],
    start: int,
    origin: Origin,
) -> None:
    task = record.task
    fold = int(cell.fold)
    tags = {**tags_of(record), **origin.tags, LEVEL: "fold", PARENT: parent, "bench.fold": str(fold)}
    if cell.error:
        tags["bench.error"] = cell.reason
    if task.metric in cell.scores:
        tags[SCORE] = f"{cell.scores[task.metric]:.3f}"
    if cell.notes:
        tags[NOTE] = "\n".join(f"- {note}" for note in cell.notes)
    # The folds run side by side. The page lists the latest first, so a millisecond apart they stand in order.
    begin = start + record.folds - fold
    end = begin + round(1000 * sum(cell.seconds.values()))
    run_id = client.create_run(experiment, begin, tags, f"{record.model.name} fold {fold}").info.run_id
    _log(client, run_id, fold_points(cell, tuple(task.labels), task.metric), _as_text(params), {}, end)
    for path in sorted(folder.cell_path(fold).iterdir()):
        if is_stored(path):
            client.log_artifact(run_id, str(path))
    client.set_terminated(run_id, "FAILED" if cell.status == "failed" else "FINISHED", end)


def _log(
    client: MlflowClient,
    run_id: str,
    points: Sequence[Point],
    params: Mapping[str, str],
    tags: Mapping[str, str],
    time: int,
    dataset: Dataset | None = None,
    model_id: str | None = None,
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    # The model's own page shows the figures that name it.
    source = {"model_id": model_id}
    if dataset is not None:
        source |= {"dataset_name": dataset.name, "dataset_digest": dataset.digest}
    entries: dict[str, list[Any]] = {
        "metrics": [
            Metric(name, value, time, step, **(source if name.startswith(("test/", "class/")) else {}))
            for name, value, step in points
        ],
        "params": [Param(name, value) for name, value in params.items()],
        "tags": [RunTag(name, value) for name, value in tags.items()],
    }
    while any(entries.values()):
        now = {kind: rows[: BATCH[kind]] for kind, rows in entries.items()}
        client.log_batch(run_id, now["metrics"], now["params"], now["tags"])
        entries = {kind: rows[BATCH[kind] :] for kind, rows in entries.items()}


def _content(folder: RunFolder, record: RunRecord, baseline: RunFolder | None) -> str:
    content = hashlib.sha256(f"{FORM} {record.status}".encode())
    for run in [folder] if baseline is None else [folder, baseline]:
        for path in [run.path / SUMMARY, *_results(run), *(_further(run) if run is folder else [])]:
            if is_stored(path):
                content.update(read_bytes(path))
    return content.hexdigest()


def _further(folder: RunFolder) -> list[Path]:
    """The files of what was done with a run's models after it."""
    return [stress_summary_path(folder), *shares_paths(folder)]


def _stress_of(folder: RunFolder) -> StressSummary | None:
    """The stress tests of a run, if there are any that can be read."""
    try:
        return read_stress_summary(folder)
    except UserError:
        return None


def _results(folder: RunFolder) -> Iterable[Path]:
    for cell in (*folder.folds(), FINAL):
        for name in ("result.json", "predictions.csv", "error.txt"):
            yield folder.cell_path(cell) / name  # type: ignore[arg-type]


def _parameter(name: str) -> str:
    return name if "." in name else f"estimator.{name}"


def _as_text(params: Mapping[str, object]) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else json_text(value, any_kind=True) for name, value in params.items()
    }
