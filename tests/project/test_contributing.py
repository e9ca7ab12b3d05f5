"""What contributors are told exists: the files to copy, the targets of make, the hooks, the floor, one version."""

from __future__ import annotations

import re
import tomllib
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

import bench

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text("utf-8"))


def test_the_files_that_the_guide_names_are_there() -> None:
    named = {word for word in re.findall(r"`([\w./-]+)`", GUIDE) if re.match(r"(bench|configs|docs|tests|\.ci)/", word)}
    assert len(named) > 25
    assert [word for word in sorted(named) if not (ROOT / word).exists()] == []


def test_the_rooms_that_the_guide_maps_are_there() -> None:
    rooms = [word for line in re.findall(r"^\| (`.+?) \|", GUIDE, re.M) for word in re.findall(r"`(\w+/)`", line)]
    assert len(rooms) > 20
    assert [room for room in rooms if not (ROOT / "bench" / room).is_dir()] == []


def test_the_guide_names_the_code_that_one_copies() -> None:
    for module, name in (
        ("bench.checks.texts", "short"),
        ("bench.checks.registry", "CHECKS"),
        ("bench.metrics.registry", "METRICS"),
        ("bench.data.sources.plain", "fasttext"),
        ("bench.data.sources.formats", "FORMATS"),
        ("bench.cli.written", "FORMATS"),
        ("bench.data.sources.kinds", "KINDS"),
        ("bench.engines.engine", "Engine"),
        ("bench.planning.workers", "open_cells_engine"),
    ):
        assert hasattr(import_module(module), name), module
        assert f"`{name}`" in GUIDE


def test_make_has_every_target_that_is_named() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    code = re.findall(r"```sh\n(.*?)```", GUIDE, re.S)
    words = "\n".join(
        [*code, *re.findall(r"`(make [a-z-]+)`", GUIDE), (ROOT / ".ci" / "run").read_text(), str(WORKFLOW)]
    )
    named = set(re.findall(r"\bmake (?:PYTHON=\S+ )?([a-z-]+)", words))
    assert {"lint", "test", "slow", "coverage", "hooks"} <= named
    assert named <= targets


def test_hooks_are_checks_of_make_lint() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    tools = {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    assert tools == {"ruff", "mypy", "codespell"}
    assert all(f"$(BIN)/{tool}" in MAKEFILE for tool in tools)


def test_the_workflow_tests_every_promised_python_on_three_systems_and_runs_what_ci_runs() -> None:
    jobs = WORKFLOW["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert [system.partition("-")[0] for system in matrix["os"]] == ["ubuntu", "macos", "windows"]
    assert ".ci/run" in [step.get("run") for step in jobs["all"]["steps"]]
    assert "make coverage" in [step.get("run") for step in jobs["coverage"]["steps"]]
    assert WORKFLOW["permissions"] == {"contents": "read"}


@pytest.mark.parametrize("form", ["bug", "idea"])
def test_issue_forms_ask_for_something(form: str) -> None:
    asked = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml").read_text("utf-8"))
    assert any(part.get("validations", {}).get("required") for part in asked["body"])
    assert len({part["id"] for part in asked["body"]}) == len(asked["body"])


def test_the_version_stands_in_one_place_and_heads_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "bench/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", bench.__version__)
    first = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert first is not None
    assert first[1] == bench.__version__


@pytest.mark.slow
def test_the_pinned_versions_install_on_the_oldest_python_that_is_promised() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    oldest = re.fullmatch(r">=(3\.\d+)", project["requires-python"])
    assert oldest
    refused = []
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text("utf-8"), re.M):
        with suppress(PackageNotFoundError):
            package = distribution(name)
            needed = package.metadata.json.get("requires_python", "")
            if package.version == version and f"{oldest[1]}.0" not in SpecifierSet(needed):
                refused.append(f"{name} {version} needs Python {needed}")
    assert refused == []
