"""`bench new model` writes files that pass as written, and never writes over anything unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench.cli import main
from bench.cli.check import command as check
from bench.cli.new import command as new
from bench.errors import ConfigError, UserError

FILES = ("configs/model/my-first.yaml", "plugins/my_first.py", "tests/test_my_first.py", "schemas/bench-model.json")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def run(*args: str) -> Result:
    return CliRunner().invoke(new, ["model", *args], catch_exceptions=False)


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_it_names_what_it_wrote_and_what_to_type_next(folder: Path) -> None:
    result = run("my-first")
    assert result.exit_code == 0
    assert set(files_in(folder)) == set(FILES)
    for line in (*FILES, "bench check model=my-first", "pytest tests/test_my_first.py"):
        assert line in result.output


@pytest.mark.slow
def test_what_it_wrote_passes_the_checks_its_own_test_and_the_linter(folder: Path) -> None:
    run("my-first")
    checked = CliRunner().invoke(check, ["model=my-first"], catch_exceptions=False)
    assert checked.exit_code == 0, checked.output
    assert "All 14 rules pass." in checked.output
    assert "FAIL" not in checked.output

    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", FILES[2]], env=environment, capture_output=True, text=True, check=False
    )
    assert tested.returncode == 0, tested.stdout
    assert "14 passed" in tested.stdout
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", "."],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.slow
def test_a_failed_rule_is_shown_with_its_reason_within_80_columns(folder: Path) -> None:
    run("my-first")
    definition = folder / FILES[0]
    definition.write_text(definition.read_text().replace("low: 0.0, high: 0.9", "low: 0.0, high: 0.9, setp: 1"))
    with pytest.raises(UserError, match="unknown key 'setp'"):
        CliRunner().invoke(check, ["model=my-first"], catch_exceptions=False)
    definition.write_text(definition.read_text().replace(", setp: 1", "").replace("shrinkage:", "shrinkge:"))
    result = CliRunner().invoke(check, ["model=my-first"], catch_exceptions=False)
    assert result.exit_code == 1
    assert "M04  FAIL  fits with sampled parameters" in result.output
    assert "Did you mean 'estimator.shrinkage'?" in result.output
    assert "1 of 14 rules fail." in result.output
    assert max(len(line) for line in result.output.splitlines()) <= 80


@pytest.mark.slow
def test_the_command_ends_with_status_1_where_a_rule_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "check", "model=majority", "model.estimator=pathlib.Path"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "pathlib.Path is not a scikit-learn classifier" in " ".join(capsys.readouterr().out.split())


def test_a_file_that_is_there_is_kept_unless_forced(folder: Path) -> None:
    run("my-first")
    (folder / FILES[1]).write_text("precious = True\n")
    before = files_in(folder)
    with pytest.raises(ConfigError, match=r"configs/model/my-first\.yaml, plugins/my_first\.py"):
        run("my-first")
    assert files_in(folder) == before
    assert run("my-first", "--force").exit_code == 0
    assert "precious" not in (folder / FILES[1]).read_text()


def test_the_name_of_another_model_is_taken_only_if_forced(folder: Path) -> None:
    with pytest.raises(ConfigError, match="A model 'logreg' already exists"):
        run("logreg")
    assert files_in(folder) == {}
    assert run("logreg", "--force").exit_code == 0


@pytest.mark.parametrize(
    "name", ["", "Mine", "my_model", "9lives", "class", "a/b", "../up", "نموذج", "a--b", "a-", "mine.yaml"]
)
def test_a_bad_name_is_refused_and_nothing_is_written(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a model's name: use lower-case letters"):
        run(name)
    assert files_in(folder) == {}


def test_checking_nothing_says_what_can_be_checked(folder: Path) -> None:
    for words in ([], ["seed=3"]):
        with pytest.raises(ConfigError, match="Nothing to check"):
            CliRunner().invoke(check, words, catch_exceptions=False)
    with pytest.raises(ConfigError, match="Did you mean 'logreg'"):
        CliRunner().invoke(check, ["model=logrge"], catch_exceptions=False)
