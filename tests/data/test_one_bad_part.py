"""One bad part is left out with a note, or fails alone; the rest runs."""

from __future__ import annotations

import dataclasses
import json
import os
import threading
import time
from pathlib import Path

import pytest
import yaml
from quiet import Quiet

from bench.config import compose
from bench.errors import LONGEST, BenchError, UserError
from bench.planning.plan import plan
from bench.results.store import RunFolder, stored_runs
from bench.running.runner import run

OTHER_TOOLS = """
defaults:
  - model: resnet
  - optimizer: adam
  - evaluation: full
  - _self_
hydra:
  run:
    dir: ./outputs/${now:%Y-%m-%d}
"""

CLASSES = """
import os, sys, threading, time, warnings
from sklearn.dummy import DummyClassifier


class Fails(DummyClassifier):
    def fit(self, X, y):
        raise ValueError("cannot read caf\\udce9.txt \\x1b[2J" + "ه" * 3_000_000)


class Warns(DummyClassifier):
    def fit(self, X, y):
        warnings.warn("cannot read caf\\udce9.txt \\x1b[2J \\u202e")
        return super().fit(X, y)


class LeavesAThread(DummyClassifier):
    def fit(self, X, y):
        threading.Thread(target=time.sleep, args=(600,)).start()
        return super().fit(X, y)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs" / "model").mkdir(parents=True)
    return tmp_path


def write_model(here: Path, name: str, module: str, content: str, cls: str = "Own") -> None:
    (here / f"{module}.py").write_text(content)
    (here / "configs" / "model" / f"{name}.yaml").write_text(f"name: {name}\nestimator: {module}.{cls}\n")


def test_all_models_run_but_the_broken_ones_which_are_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = here / "configs" / "model"
    (models / "half.yaml").write_text("name: [\n")
    (models / "deep.yaml").write_text("[" * 3000)
    (models / "other.yaml").write_text("_target_: torch.nn.Linear\n")
    (models / "bytes.yaml").write_bytes(b"\xff\xfe")
    (models / "folder.yaml").mkdir()
    (models / "nowhere.yaml").symlink_to("not-there")
    os.mkfifo(models / "pipe.yaml")
    write_model(here, "kills", "kills_module", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    write_model(here, "exits", "exits_module", "import sys\nsys.exit(3)\n")
    broken = ["bytes", "deep", "exits", "folder", "half", "kills", "nowhere", "other", "pipe"]
    monkeypatch.setattr("bench.config.model_names", lambda: sorted([*broken, "logreg", "majority"]))
    planned = plan(compose(["task=denial", "model=all"]))
    assert {each.evaluation.model.name for each in planned.runs} == {"majority", "logreg"}
    for name in broken:
        assert any(f"{name} is left out: " in note for note in planned.notes), name
    for name in ("half", "kills", "exits"):
        with pytest.raises(UserError, match=f"{name}"):
            plan(compose(["task=denial", f"model={name},majority"]))


def test_all_tasks_run_but_the_broken_ones_which_are_named(here: Path) -> None:
    for name, content in (("half", "a: ["), ("other", "_target_: x")):
        (here / "tasks" / name).mkdir(parents=True)
        (here / "tasks" / name / "task.yaml").write_text(content)
    config = compose(["task=all", "model=majority"])
    few = dataclasses.replace(config, tasks=("denial", "half", "other"))
    planned = plan(few)
    assert {each.evaluation.task.name for each in planned.runs} == {"denial"}
    assert [note.partition(":")[0] for note in planned.notes if "is left out:" in note] == [
        "half is left out",
        "other is left out",
    ]
    with pytest.raises(UserError, match="half"):
        plan(compose(["task=half", "model=majority"]))
    with pytest.raises(UserError, match="half"):
        plan(dataclasses.replace(config, tasks=("half", "other")))


def test_another_tools_configuration_is_left_out_and_a_mistake_in_ones_own_is_none(here: Path) -> None:
    path = here / "configs" / "config.yaml"
    path.write_text(OTHER_TOOLS)
    config = compose(["task=denial"])
    assert config.search.name == "quick"
    assert config.notes == (
        "configs/config.yaml is ignored: it belongs to another tool, since its defaults have none of search, "
        "validation, execution",
    )
    packaged = Path(__file__).parents[2] / "configs" / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(packaged.read_text()) | {"sede": 3}))
    with pytest.raises(UserError, match="sede: unknown key"):
        compose(["task=denial"])
    for mistaken in ("seed: 3\n", "defaults: [\n"):
        path.write_text(mistaken)
        with pytest.raises(UserError):
            compose(["task=denial"])


@pytest.mark.slow
def test_messages_of_models_are_short_and_readable_and_their_threads_are_not_waited_for(here: Path) -> None:
    names = {"fails": "Fails", "warns": "Warns", "leaves-a-thread": "LeavesAThread"}
    for name, cls in names.items():
        write_model(here, name, "classes_module", CLASSES, cls)
    before = threading.active_count()
    outcome = run(compose(["task=denial", f"model={','.join(names)}", "tracking=false"]), Quiet())
    assert all("fails" in failure and len(failure) < 600 for failure in outcome.failures)
    assert "ValueError: cannot read caf\\udce9.txt \\x1b[2Jهه" in outcome.failures[0]
    by_model = {folder.path.parent.name: folder for folder in stored_runs(Path("results"), "denial")}
    failed = by_model["fails"].read_cell(0)
    assert failed.error is not None
    assert max(map(len, failed.error.splitlines())) <= LONGEST + 1
    assert by_model["warns"].read_cell(0).notes == ["UserWarning: cannot read caf\\udce9.txt \\x1b[2J \\u202e"]
    assert by_model["leaves-a-thread"].status() == "complete"
    for _ in range(100):  # An engine's own threads notice within a moment that it is closed.
        if threading.active_count() <= before:
            break
        time.sleep(0.1)
    assert threading.active_count() <= before
    for path in Path("results").rglob("*.json"):
        json.loads(path.read_bytes().decode())
        assert path.stat().st_size < 1_000_000


def test_a_run_that_is_cleared_is_gone_at_once_and_what_a_kill_left_of_it_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "denial" / "mine" / "0123")
    folder.write_record({"status": "complete"})  # type: ignore[arg-type]
    (folder.path / "fold-00").mkdir()

    def killed(*args: object, **settings: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr("bench.results.store.shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt), folder.locked():
            folder.clear()
    assert stored_runs(tmp_path, "denial") == []
    assert folder.folds() == []
    (tmp_path / "denial" / "mine" / "0123" / ".fold-01-half").mkdir(parents=True)
    other = RunFolder(tmp_path / "denial" / "mine" / "4567")
    (tmp_path / "denial" / "mine" / "4567" / ".fold-01-half").mkdir(parents=True)
    with folder.locked():
        assert [path.name for path in folder.path.iterdir()] == [".lock"]
        folder.clear()
        with pytest.raises(BenchError, match="another bench process"), RunFolder(folder.path).locked():
            pass
    assert {path.name for path in (tmp_path / "denial" / "mine").iterdir()} == {"0123", "4567"}
    assert list(other.path.iterdir()) != []


def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "denial" / "mine" / "0123")
    for name in ("run.json", "summary.json", "fold-00/result.json", "fold-00/timing.json"):
        (folder.path / name).mkdir(parents=True)
    reads = (folder.read_record, folder.read_summary, lambda: folder.read_result(0), folder.read_seconds)
    for read in reads:
        with pytest.raises(UserError, match="cannot be read: Is a directory"):
            read()
    with pytest.raises(UserError, match=r"run\.json: this is a folder, not a file"):
        folder.write_record({})  # type: ignore[arg-type]
    assert not folder.summarised
    assert not folder.is_done(0)
