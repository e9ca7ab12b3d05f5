"""What lies in the current folder: no library's module is taken from there, a model's own are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import types
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from small_tasks import text_task
from thoroughness import scaled

from bench.errors import ModelError
from bench.models.model import Model
from bench.support.plugins import import_plugin

MINE = "from sklearn.dummy import DummyClassifier\n\nclass Mine(DummyClassifier):\n    pass\n"


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
    with pytest.raises(ModelError, match=r"'statistics' is a module of Python .*\nRename the file"):
        Model("mine", "statistics.Mine").build_estimator({}, text_task(), 0)


def test_a_module_that_ends_the_process_is_a_model_that_cannot_be_imported(here: Path) -> None:
    (here / "exits.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(ModelError, match="cannot import 'exits': SystemExit: 3"):
        Model("mine", "exits.Mine").build_estimator({}, text_task(), 0)


EARLY = """
import sys, runpy, importlib.util, pkgutil
print(*sys.modules)
"""


def shadowed(folder: Path, all_names: bool) -> None:
    """Fill a folder with modules called like Python's and every installed one, each of which fails and says so."""
    names = set(sys.stdlib_module_names) | {name for name in packages_distributions() if name.isidentifier()}
    if not all_names:
        # Python itself imports these before bench is found, from a folder that it is told to put first.
        loaded = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=True).stdout
        names -= {name.partition(".")[0] for name in loaded.split()}
    for name in names:
        imported = folder / f"imported-{name}"
        (folder / f"{name}.py").write_text(f"open({str(imported)!r}, 'w')\nraise RuntimeError({name!r})\n")


@pytest.mark.slow
@pytest.mark.parametrize("start", scaled(["script", "module"], ["script", "module", "empty place in PYTHONPATH"]))
def test_files_called_like_libraries_change_nothing(start: str, tmp_path: Path) -> None:
    """Neither the command, nor its workers, nor the process that logs to MLflow, nor its page imports them."""
    shadowed(tmp_path, all_names=start == "script")
    (tmp_path / "configs" / "model").mkdir(parents=True)
    (tmp_path / "my_models.py").write_text(MINE)
    (tmp_path / "configs" / "model" / "mine.yaml").write_text("name: mine\nestimator: my_models.Mine\n")
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "PYTHONPATH": f"{os.pathsep}{paths}" if start.startswith("empty") else paths}
    script = ["-P", "-c", "from bench.__main__ import main; main()"]
    command = [sys.executable, *(["-m", "bench"] if start == "module" else script)]
    done = subprocess.run(
        [*command, "run", "task=denial", "model=majority,complement-nb,mine", "search.trials=2"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "warning" not in done.stderr
    page = subprocess.Popen([*command, "ui"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert page.stdout is not None
    assert "http://127.0.0.1" in page.stdout.readline()
    page.send_signal(signal.SIGTERM)
    page.wait(20)
    assert [path.name for path in tmp_path.glob("imported-*")] == []


@pytest.mark.slow
def test_a_file_that_python_has_loaded_already_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "types.py").write_text(Path(types.__file__).read_text("utf-8") + "\nSimpleNamespace = None\n")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "task=denial", "model=majority", "tracking=false"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
