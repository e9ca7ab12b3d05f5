"""What is cited is what was used, and the numbers in the paragraph are those of the stored runs."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from contest import store_contest
from stored import change_record

from bench.catalogue import load_model
from bench.citations.bibliography import SOFTWARE, Entry, of_task, owned_by, packaged, parse
from bench.citations.methods import CITED, Methods, as_latex, as_text, describe_methods
from bench.comparison.request import Filter
from bench.comparison.selection import select_runs
from bench.data.definition import read_definition
from bench.discovery import config_files, task_files
from bench.features.sets import FEATURE_SETS

ROOT = Path(__file__).parents[2]
Bench = Callable[..., tuple[int, str, str]]


def described(results: Path, **asked: object) -> Methods:
    return describe_methods(select_runs(results, "denial", Filter()), **asked)  # type: ignore[arg-type]


def test_keys_are_told_apart_and_each_entry_says_what_a_reference_needs() -> None:
    keys = [entry.key for entry in packaged()]
    assert len(set(keys)) == len(keys)
    for entry in packaged():
        assert {"title", "year"} <= entry.fields.keys()
        assert all(value.count("{") == value.count("}") for value in entry.fields.values())
        assert parse(entry.to_bibtex()) == [Entry(entry.kind, entry.key, entry.fields)]


def test_whose_an_entry_is_exists() -> None:
    encoders = config_files("encoder")
    for entry in packaged():
        for owner in entry.owners:
            kind, _, name = owner.partition(":")
            if kind == "estimator":
                module, _, attribute = name.rpartition(".")
                assert hasattr(importlib.import_module(module), attribute), owner
            else:
                known = {"task": {*task_files()}, "encoder": {*encoders}, "features": {*FEATURE_SETS}}
                assert name in known[kind], owner


def test_every_packaged_task_with_a_citation_has_the_entry_of_that_paper() -> None:
    cited = {name: content for name, path in task_files().items() if (content := read_definition(path)).get("citation")}
    assert len(cited) == 7
    for name, content in cited.items():
        (entry,) = owned_by(f"task:{name}")
        plain = re.sub("[{}]", "", entry.fields["title"])
        assert plain.casefold() in content["citation"].casefold()
        assert entry.fields["year"] in content["citation"]
        assert entry.fields.get("eprint", "") in content["citation"]


def test_every_encoder_that_names_a_paper_has_its_entry() -> None:
    for name, path in config_files("encoder").items():
        if found := re.search(r"arXiv:([0-9.]+[0-9])", str(yaml.safe_load(path.read_text())["description"])):
            assert [entry.fields["eprint"] for entry in owned_by(f"encoder:{name}")] == [found[1]]


def test_the_file_for_citing_the_software_says_its_version() -> None:
    content = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert content["cff-version"] == "1.2.0"
    assert content["version"] == metadata.version("bench-arabic")
    (entry,) = (each for each in packaged() if each.key == SOFTWARE)
    assert entry.fields["version"] == content["version"]
    assert re.sub("[{}]", "", entry.fields["title"]) == content["title"]


def test_a_users_own_task_is_cited_as_its_file_says() -> None:
    (noted,) = of_task("mine", "A. Author (2024), My Corpus", "https://example.org")
    assert noted.fields == {"title": "{mine}", "note": "A. Author (2024), My Corpus", "url": "https://example.org"}
    (entry,) = of_task("mine", "@article{a2024, author={Author, Ann and Other, Bo}, title={My {X} Corpus}, year=2024}")
    assert (entry.key, entry.label) == ("a2024", "Author and Other 2024")
    assert of_task("mine") == []


@pytest.mark.parametrize("text", ["@", "@a{", "@a{b", "@a{b,", "@a{b, x", "@a{b, x=", "@a{b, x={", '@a{b, x="y', "}{"])
def test_broken_bibtex_is_no_error(text: str) -> None:
    parse(text)


def test_the_numbers_are_those_of_the_runs(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.6, "majority": 0.3}, n_groups=30, per_group=10, folds=5)
    said = described(tmp_path).paragraph
    assert "300 examples in 30 groups by `document`, 3 labels" in said
    assert "5 stratified outer folds" in said
    assert "Settings are chosen on 3 inner folds of the training part." in said
    assert "draws 10 settings a fold" in said
    assert "comparisons with the majority baseline are a family of their own" in said
    assert "difference of more than 0.01" in said
    assert "All runs use seed 0" in said


@pytest.mark.parametrize(
    ("dev", "said"),
    [(100, "1,000 training, 100 development and 300 test examples"), (0, "1,000 training and 300 test examples")],
)
def test_a_published_split_is_said_with_its_sizes(tmp_path: Path, dev: int, said: str) -> None:
    made = store_contest(tmp_path, {"a": 0.9, "b": 0.6})
    for folder in made.values():
        change_record(folder, task={"splits": {"split": {"train": 1000, "dev": dev, "test": 300}}})
    paragraph = described(tmp_path).paragraph
    assert f"The published split is used ({said})." in paragraph
    assert f"chosen on {'the development part' if dev else 'inner folds of the training part'}." in paragraph
    assert "nested" not in paragraph


def test_with_few_groups_each_is_left_out_on_both_levels(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.6}, n_groups=6, folds=6)
    said = described(tmp_path).paragraph
    assert "6 outer folds, each of which leaves one group out" in said
    assert "5 inner folds of the training part, one group each" in said


def test_what_was_not_done_is_not_said(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.9}, n_groups=30)
    assert "tested with" not in described(tmp_path).paragraph
    assert "corrected" not in described(tmp_path).paragraph
    record = json.loads((made["a"].path / "run.json").read_text())
    record["model"]["search"] = {}
    (made["a"].path / "run.json").write_text(json.dumps(record))
    said = described(tmp_path)
    assert "No hyper-parameters are searched." in said.paragraph
    assert "inner folds" not in said.paragraph
    assert "bergstra2011algorithms" not in [entry.key for entry in said.entries]


def test_four_groups_are_too_few_for_tests(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.6}, n_groups=4, folds=4)
    said = described(tmp_path)
    assert "With fewer than 5 groups differences between models are not tested." in said.paragraph
    assert "romano2005exact" not in [entry.key for entry in said.entries]


def test_what_was_asked_of_the_comparison_is_said(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.6, "majority": 0.3})
    said = described(tmp_path, metric="mcc", baseline="b", rope=0.05)
    assert "ranked by MCC" in said.paragraph
    assert "over the comparisons with `b`" in said.paragraph
    assert "difference of more than 0.05" in said.paragraph
    keys = [entry.key for entry in said.entries]
    assert "gorodkin2004comparing" in keys
    assert "wilson1927probable" not in keys


def test_searches_with_other_budgets_are_told_apart(tmp_path: Path) -> None:
    made = store_contest(tmp_path, {"a": 0.9, "b": 0.6})
    change_record(made["b"], search={"name": "thorough", "trials": 100, "batch": 8})
    said = described(tmp_path).paragraph
    assert "10 settings a fold for `a` and 100 settings a fold in rounds of 8 for `b`" in said


@pytest.mark.parametrize("model", ["linear-svm", "gradient-boosting", "complement-nb", "zero-shot", "encoder-logreg"])
def test_models_cite_their_class_features_and_encoder(tmp_path: Path, model: str) -> None:
    made = store_contest(tmp_path, {"a": 0.9})
    loaded = load_model(model)
    record = json.loads((made["a"].path / "run.json").read_text())
    record["model"] |= {"estimator": loaded.estimator, "features": loaded.features, "params": dict(loaded.params)}
    (made["a"].path / "run.json").write_text(json.dumps(record))
    keys = {entry.key for entry in described(tmp_path).entries}
    owned = {owner for entry in packaged() if entry.key in keys for owner in entry.owners}
    encoders = {value for name, value in loaded.params.items() if name.rpartition(".")[2] == "encoder"}
    assert owned >= {f"encoder:{name}" for name in encoders}
    assert f"estimator:{loaded.estimator}" in owned or f"features:{loaded.features}" in owned or encoders


def test_all_that_the_paragraph_cites_is_in_the_references_and_nothing_else(tmp_path: Path) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.6, "majority": 0.3})
    methods = described(tmp_path)
    cited = {key.strip().lstrip("@") for found in CITED.findall(methods.paragraph) for key in found.split(";")}
    assert cited == {entry.key for entry in methods.entries}
    assert as_text(methods).count("\n- ") == len(methods.entries)
    assert "(Forman and Scholz 2010)" in as_text(methods)
    assert f"(The bench authors {2026})" in as_text(methods)
    latex = as_latex(methods)
    assert set(",".join(re.findall(r"\\citep\{([^}]*)\}", latex)).split(",")) == cited
    assert not re.search(r"(?<!\\)[%&_#$]", re.sub(r"\\citep\{[^}]*\}", "", latex))


def test_the_command_prints_each_form(tmp_path: Path, bench: Bench) -> None:
    store_contest(tmp_path, {"a": 0.9, "b": 0.6}, task="denial")
    words = ("cite", "task=denial", f"results={tmp_path}")
    assert "References" in bench(*words)[1]
    assert "[@forman2010apples]" in bench(*words, "--format", "markdown")[1]
    bibtex = bench(*words, "--format", "bibtex")[1]
    assert {entry.key for entry in parse(bibtex)} == {entry.key for entry in described(tmp_path).entries}
    (content,) = json.loads(bench(*words, "--format", "json")[1])
    assert (content["task"], content["models"]) == ("denial", ["a", "b"])
    assert bench("cite", f"results={tmp_path}")[0] == 2
    assert bench("cite", "task=stance", f"results={tmp_path}")[0] == 2


def test_temperature_scaling_and_seeds_are_cited_where_they_are_used(tmp_path: Path) -> None:
    for seed in (0, 1):
        store_contest(tmp_path, {"good": 0.8}, run_seed=seed)
    plain = described(tmp_path)
    assert not {"guo2017calibration", "bouthillier2021accounting"} & {entry.key for entry in plain.entries}
    for folder in (tmp_path / "denial" / "good").iterdir():
        content = json.loads((folder / "run.json").read_text())
        content["model"]["params"]["estimator.calibrate"] = "temperature"
        (folder / "run.json").write_text(json.dumps(content))
    selected = select_runs(tmp_path, "denial", Filter(seeds=(0, 1)))
    made = describe_methods(selected)
    assert {"guo2017calibration", "bouthillier2021accounting"} <= {entry.key for entry in made.entries}
    assert "Probabilities of `good` are scaled by a temperature [@guo2017calibration]" in made.paragraph
    assert "run with the seeds 0 and 1; scores are means over them" in made.paragraph
    assert "use seed" not in made.paragraph
