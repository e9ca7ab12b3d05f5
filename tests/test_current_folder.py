"""What lies in the current folder: no library's module is taken from there, a model's own are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_tasks import text_task

from bench.errors import ModelError
from bench.models.model import Model
from bench.support.plugins import import_plugin

MINE = "from sklearn.dummy import DummyClassifier\n\nclass Mine(DummyClassifier):\n    pass\n"
SHADOWS = ("random", "email", "statistics", "bench", "numpy", "sklearn", "click", "json", "queue", "mlflow", "yaml")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder, of which nothing stays imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_module_of_the_current_folder_is_found_where_nothing_installed_has_its_name(here: Path) -> None:
    (here / "own_models").mkdir()
    (here / "own_models" / "mine.py").write_text(MINE)
    before = list(sys.path)
    assert import_plugin("own_models.mine").Mine.__module__ == "own_models.mine"
    assert sys.path == before


def test_a_module_whose_package_is_installed_too_is_loaded_from_its_file(here: Path) -> None:
    (here / "sklearn").mkdir()
    (here / "sklearn" / "of_this_folder.py").write_text(MINE)
    module = import_plugin("sklearn.of_this_folder")
    assert module.__file__ == str(here / "sklearn" / "of_this_folder.py")
    assert import_plugin("sklearn.of_this_folder") is module
    assert import_plugin("sklearn.dummy").__file__ != str(here / "sklearn" / "dummy.py")


def test_a_module_that_lacks_another_is_not_taken_for_missing(here: Path) -> None:
    (here / "needs.py").write_text("import not_installed_anywhere\n")
    with pytest.raises(ModuleNotFoundError, match="not_installed_anywhere"):
        import_plugin("needs")


def test_a_file_with_the_name_of_a_library_is_named_in_the_error(here: Path) -> None:
    (here / "statistics.py").write_text(MINE)
    with pytest.raises(ModelError, match=r"'statistics' is a module of Python .*\nGive the file another name"):
        Model("mine", "statistics.Mine").build_estimator({}, text_task(), 0)


def test_a_module_that_ends_the_process_is_a_model_that_cannot_be_imported(here: Path) -> None:
    (here / "exits.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(ModelError, match="cannot import 'exits': SystemExit: 3"):
        Model("mine", "exits.Mine").build_estimator({}, text_task(), 0)


@pytest.mark.slow
def test_files_called_like_libraries_change_nothing(tmp_path: Path) -> None:
    """Neither the command, nor its workers, nor the process that logs to MLflow imports them."""
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('{name} of the current folder')\n")
    script = "from bench.__main__ import main; main()"
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, "run", "task=denial", "model=majority"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    assert (tmp_path / "results" / "mlflow.db").is_file()
