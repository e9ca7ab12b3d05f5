"""The documents' links resolve, and what they tell a user to type and write works."""

from __future__ import annotations

import csv
import dataclasses
import re
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml

from bench.catalogue import is_here, load_model, load_task
from bench.cli import COMMANDS, cli
from bench.config import compose, compose_each
from bench.data.definition import build_task
from bench.discovery import config_files
from bench.models import Model
from bench.models.rules import RULES
from bench.models.synthetic import synthetic_task
from bench.scaffold.model import scaffold_model

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
import coverage_page
import interval_coverage

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


class Block(NamedTuple):
    page: Path
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.text.splitlines()[0][:40]}"


def fenced(page: Path) -> list[Block]:
    """The fenced blocks of a page, without the indentation that a list gives them."""
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [
        Block(page, language, "\n".join(line.removeprefix(indent) for line in text.splitlines()))
        for indent, language, text in found
    ]


BLOCKS = [block for page in PAGES for block in fenced(page)]
YAML = [(block, yaml.safe_load(block.text)) for block in BLOCKS if block.language == "yaml"]
MODELS = [(block, content) for block, content in YAML if "estimator" in content]
TASKS = [(block, content) for block, content in YAML if "source" in content]
COMMAND_LINES = sorted(
    {
        (block.page.name, line)
        for block in BLOCKS
        if block.language == "sh"
        for line in block.text.splitlines()
        if line.startswith("bench ")
    }
)


def anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def write_table(definition: dict[str, Any], path: Path) -> None:
    """Write a table with three groups and each label in all of them, as a task's columns name them."""
    columns = definition["source"]["columns"]
    labels = list(definition.get("label_map") or definition["labels"])
    rows = [
        {"id": f"{group}{label}", "label": label, "group": group}
        | {name: f"{name} {label} {group}" for name in ("text", "claim")}
        for group in "abc"
        for label in labels
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerow(columns.values())
        writer.writerows([[row[name] for name in columns] for row in rows])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder, with what the documents tell the user to write."""
    monkeypatch.chdir(tmp_path)
    scaffold_model("mine", tmp_path)
    for block, content in MODELS:
        (tmp_path / "configs" / "model" / f"{content['name']}.yaml").write_text(block.text, encoding="utf-8")
    for block, content in TASKS:
        target = tmp_path / "tasks" / content["name"]
        target.mkdir(parents=True, exist_ok=True)
        (target / "task.yaml").write_text(block.text, encoding="utf-8")
        if content["source"]["kind"] == "table":
            write_table(content, target / content["source"]["path"])
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    (tmp_path / "tasks" / "corpus").symlink_to(ROOT / "tasks" / "corpus")
    return tmp_path


def test_there_is_something_to_test() -> None:
    assert {block.page.name for block, _ in MODELS} == {"llm.md", "own-model.md"}
    assert {block.page.name for block, _ in TASKS} >= {"own-task.md", "tasks.md"}
    assert {name for name, _ in COMMAND_LINES} >= {"README.md", "own-model.md", "tasks.md", "results.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_resolve(page: Path) -> None:
    prose = re.sub(r"^( *)```.*?^\1```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}, which is not there"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}, a heading that is not there"


@pytest.mark.slow
@pytest.mark.parametrize(("page", "line"), COMMAND_LINES, ids=lambda value: value)
def test_command_lines_are_right(page: str, line: str, folder: Path) -> None:
    _, name, *words = shlex.split(line, comments=True)
    command = cli.get_command(click.Context(cli), name)
    while isinstance(command, click.Group):
        command, words = command.get_command(click.Context(command), words[0]), words[1:]
    assert command is not None, f"there is no command for: {line}"
    command.make_context(name, list(words))
    if name in ("run", "check", "show"):
        words = [word for word in words if word != "config" and not word.startswith("--")]
        config = compose_each(words)[0] if name == "run" else compose(words, needs_task=False)
        assert set(config.overrides) - {f"seed={config.seed}"} == {
            word for word in words if not word.startswith("seed")
        }
        for model in config.models:
            load_model(model, config.model_overrides)
        for task in filter(is_here, config.tasks):
            load_task(task, config.task_overrides).grouped_by(config.validation.group or "id")


def test_the_budgets_in_the_document_are_the_budgets(folder: Path) -> None:
    text = (ROOT / "docs" / "method" / "protocol.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)`( \(the default\))? \| (\d+) \|$", text, re.MULTILINE)
    assert {name: int(trials) for name, _, trials in rows} == {
        name: compose(["task=stance", f"search={name}"]).search.trials for name in config_files("search")
    }
    assert [name for name, default, _ in rows if default] == [compose(["task=stance"]).search.name]


def test_every_command_is_documented() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for name in COMMANDS:
        assert re.search(rf"`(bench )?{name}`|bench {name}\b", text), f"bench {name} is in no document"


@pytest.mark.parametrize(("block", "content"), MODELS, ids=str)
def test_models_in_yaml_build(block: Block, content: dict[str, Any]) -> None:
    model = Model.parse(content, block.page.name, content["name"])
    for inputs in (("text",), ("claim", "text")):
        task = synthetic_task(inputs, ("sport", "economy"))
        for params in ({}, *({name: end} for name, dim in model.search.dimensions.items() for end in dim.ends())):
            model.build(params, task, seed=0)


@pytest.mark.parametrize(("block", "content"), TASKS, ids=str)
def test_tasks_in_yaml_build(block: Block, content: dict[str, Any], folder: Path) -> None:
    task = build_task(content, folder / "tasks" / content["name"] / "task.yaml")
    assert set(task.y) == set(content["labels"])
    assert task.group == ("group" if content["source"]["kind"] == "table" else "document")
    assert len(set(task.groups)) >= 3


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "python"], ids=str)
def test_python_is_valid(block: Block) -> None:
    compile(block.text, block.page.name, "exec")


def test_the_entry_point_gives_a_model() -> None:
    models = {block.language: block.text for block in BLOCKS if "bench.models" in block.text and "ridge" in block.text}
    points = tomllib.loads(models["toml"])["project"]["entry-points"]["bench.models"]
    scope: dict[str, Any] = {}
    exec(models["python"], scope)
    for name, path in points.items():
        model = scope[path.partition(":")[2]]()
        assert isinstance(model, Model)
        assert model.name == name
        model.build({}, synthetic_task(("text",), ("sport", "economy")), seed=0)


def test_the_rules_in_the_document_are_the_rules() -> None:
    page = (ROOT / "docs" / "how-to" / "own-model.md").read_text()
    rows = re.findall(r"^\| (M\d\d) \| (.+?) \| (.+?) \|$", page, re.MULTILINE)
    assert rows == [(rule.code, rule.name, rule.description) for rule in RULES.values()]


def test_the_modules_that_the_architecture_names_are_there() -> None:
    page = (ROOT / "docs" / "development" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)/` \| (.+) \|$", page, re.MULTILINE)
    assert len(rows) > 20
    for package, contents in rows:
        folder = ROOT / "bench" / package
        names = {path.stem for path in folder.rglob("*")}
        named = set(re.findall(r"`([a-z_]+)`", contents))
        assert named <= names, f"bench/{package} has no {', '.join(sorted(named - names))}"


def test_the_coverage_simulation_is_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interval_coverage, "POPULATION", 20_000)
    setting = interval_coverage.Setting(5, 20, "equal", "moderate", "90/10")
    first, again = (interval_coverage.coverage(setting, repeats=10) for _ in range(2))
    assert first == again


def test_the_figures_of_coverage_have_every_setting_of_the_grid() -> None:
    figures = coverage_page.read_figures(ROOT / "docs" / "method" / "coverage.csv")
    heads = [interval_coverage.head(part, setting) for part, setting in interval_coverage.every_row()]
    assert list(dict.fromkeys(dataclasses.astuple(figure)[:7] for figure in figures)) == heads
    names = [*interval_coverage.METRICS, *interval_coverage.OF_THE_RAREST.values()]
    of_part = {"grid": names, "beyond": [*names, "calibration"]}
    assert [figure.metric for figure in figures] == [name for part, *_ in heads for name in of_part[part]]


def test_the_page_of_coverage_is_made_from_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    folder = ROOT / "docs" / "method"
    interval_coverage.main(["--figures", str(folder / "coverage.csv")])
    assert capsys.readouterr().out == (folder / "coverage.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_simulation_writes_the_figures_that_are_read_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interval_coverage, "POPULATION", 20_000)
    interval_coverage.main(["--repeats", "2", "--groups", "3", "--rates", "98/2", "--workers", "1"])
    (tmp_path / "some.csv").write_text(capsys.readouterr().out, encoding="utf-8")
    figures = coverage_page.read_figures(tmp_path / "some.csv")
    assert len(figures) == 6 * 11
    assert {(figure.design, figure.labels, figure.data_sets) for figure in figures} == {("3 x 100", "98/2", 2)}


@pytest.mark.parametrize(
    ("given", "held", "rated"),
    [
        (500, 475, (100, 95, "93-97")),
        (500, 461, (100, 92, "lower")),
        (500, 495, (100, 99, "higher")),
        (40, 36, (8, 90, "93-97")),
        (24, 24, (0, 0, "none")),
    ],
)
def test_a_cell_of_coverage_is_lower_or_higher_if_chance_does_not_explain_it(
    given: int, held: int, rated: tuple[int, int, str]
) -> None:
    assert interval_coverage.rated(interval_coverage.Coverage(given, held, 0.1), 500) == rated
