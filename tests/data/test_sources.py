"""What decides a number is in the run's key: code, files and what a model is told; nothing old is shown for new."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from quiet import Quiet
from stored import a_record

from bench.catalogue import load_task
from bench.comparison.task_now import task_now
from bench.config import compose
from bench.data.splits import Split
from bench.errors import UserError
from bench.models.sources import code_sources, file_sources, installed_versions, is_digest
from bench.planning.plan import plan
from bench.planning.split_task import references
from bench.prediction.choice import choose_run, parse_predict_request
from bench.prediction.fitted import changed_code, load_fitted
from bench.results.result_format import run_key
from bench.results.store import RunFolder
from bench.running.runner import _bring_up_to_date, run
from bench.support.records import plain

FILES = {
    "plugins/mine.py": """
        from plugins import helper
        from .other import B
        import local_top
        import json, numpy, yaml
        def later():
            import importlib
            from .sub.deep import x
            importlib.import_module("by_name")
        def words():
            return open("lists/words.txt").read()
    """,
    "plugins/helper.py": "A = 1",
    "plugins/other.py": "from .twice_removed import *",
    "plugins/twice_removed.py": "B = 1",
    "plugins/sub/deep.py": "x = 1",
    "plugins/weights.json": "{}",
    "local_top.py": "import local_below",
    "local_below.py": "",
    "by_name.py": "",
    "lists/words.txt": "نفى",
}
PATH = "plugins.mine.Own"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder with a plug-in."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix("        ") for line in content.splitlines()), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] in ("plugins", "local_top", "local_below")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


@pytest.mark.parametrize("name", FILES)
def test_an_edit_of_anything_that_a_plugin_rests_on_is_other_code(folder: Path, name: str) -> None:
    before = code_sources([PATH])
    assert before == code_sources([PATH])
    path = folder / name
    path.write_text(path.read_text(encoding="utf-8") + "\n#", encoding="utf-8")
    assert code_sources([PATH])[PATH] != before[PATH]


def test_what_a_plugin_does_not_rest_on_changes_nothing(folder: Path) -> None:
    before = code_sources([PATH])
    for name in ("unrelated.py", "plugins/README.md", "plugins/.hidden", "lists/others.txt", "results.csv"):
        (folder / name).write_text("x", encoding="utf-8")
    assert code_sources([PATH]) == before


def test_installed_packages_are_known_by_version_and_the_harness_s_own_not_at_all(folder: Path) -> None:
    found = code_sources([PATH, "yaml.SafeLoader", "sklearn.dummy.DummyClassifier", "tfidf", None])
    assert found.keys() == {PATH, "yaml.SafeLoader", "package yaml"}
    assert is_digest(found[PATH])
    assert found["yaml.SafeLoader"] == found["package yaml"]
    assert installed_versions(found).keys() == {"PyYAML"}


def test_a_package_in_editable_mode_is_known_by_its_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = folder / "checkout" / "their_models"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from .rules import Own")
    (package / "rules.py").write_text("class Own: ...")
    site = folder / "site-packages"
    (site / "their_models-1.0.dist-info").mkdir(parents=True)
    (site / "their_models-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n"
    )
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(folder / "checkout")
    before = code_sources(["their_models.Own"])["their_models.Own"]
    assert is_digest(before)
    (package / "rules.py").write_text("class Own: x = 1")
    assert code_sources(["their_models.Own"])["their_models.Own"] != before


def test_code_that_is_no_python_and_modules_that_are_not_there_are_no_error(folder: Path) -> None:
    (folder / "plugins" / "other.py").write_text("def (")
    (folder / "plugins" / "helper.py").write_text("import nowhere.at_all\nfrom . import gone\nfrom ....far import x")
    assert is_digest(code_sources([PATH])[PATH])
    assert code_sources(["nowhere.Own"]) == {}


def test_files_that_parameters_name_are_digested(folder: Path) -> None:
    before = file_sources(["lists/words.txt", {"deep": ["lists/words.txt"]}, "lbfgs", 3, "\0", "x" * 9999])
    assert before.keys() == {"file lists/words.txt"}
    (folder / "lists" / "words.txt").write_text("أكد", encoding="utf-8")
    assert file_sources(["lists/words.txt"]) != before


MODEL = "import numpy as np\nfrom sklearn.dummy import DummyClassifier\nclass Own(DummyClassifier):\n"


def key(model: str, *words: str) -> str:
    runs = plan(compose(["task=topics", f"model={model}", "search=none", "tracking=false", *words])).runs
    return {each.evaluation.model.name: each.folder.key for each in runs}[model]


@pytest.fixture
def task(folder: Path) -> Path:
    """A task with label descriptions, of which one model is told and another not."""
    (folder / "configs" / "model").mkdir(parents=True)
    (folder / "tasks" / "topics").mkdir(parents=True)
    rows = "".join(f"نص رقم {i},{'ab'[i % 2]},g{i % 4}\n" for i in range(24))
    (folder / "tasks" / "topics" / "t.csv").write_text("text,label,group\n" + rows, encoding="utf-8")
    (folder / "tasks" / "topics" / "task.yaml").write_text(
        "name: topics\ndescription: d\ninputs: [text]\nlabels: [a, b]\ndescriptions: {a: One., b: Two.}\n"
        "source: {kind: table, path: t.csv, columns: {text: text, label: label, group: group}}\n"
    )
    told = (
        MODEL
        + "    def __init__(self, descriptions=None):\n        super().__init__()\n"
        + "        self.descriptions = descriptions\n"
    )
    (folder / "plugins" / "told.py").write_text(told)
    for name, estimator in (("told", "plugins.told.Own"), ("logreg2", "sklearn.dummy.DummyClassifier")):
        (folder / "configs" / "model" / f"{name}.yaml").write_text(f"name: {name}\nestimator: {estimator}\n")
    return folder / "tasks" / "topics" / "task.yaml"


@pytest.mark.parametrize("change", [("One.", "Another."), ("{a: One., b: Two.}", "{b: Two., a: One.}")])
def test_other_descriptions_are_another_run_of_a_model_that_is_told_them(task: Path, change: tuple[str, str]) -> None:
    before = key("told"), key("logreg2")
    task.write_text(task.read_text().replace(*change))
    assert key("told") != before[0]
    assert key("logreg2") == before[1]


def test_the_order_in_which_parameters_are_searched_is_part_of_the_key(task: Path, folder: Path) -> None:
    keys = []
    for search in ("{strategy: [prior, uniform], constant: [null]}", "{constant: [null], strategy: [prior, uniform]}"):
        (folder / "configs" / "model" / "logreg2.yaml").write_text(
            f"name: logreg2\nestimator: sklearn.dummy.DummyClassifier\nsearch: {search}\n"
        )
        keys.append(key("logreg2"))
    assert keys[0] != keys[1]


def test_a_stored_model_whose_code_was_edited_says_so(task: Path, folder: Path) -> None:
    planned = plan(compose(["task=topics", "model=told", "search=none", "tracking=false"])).runs[-1]
    record = planned.record
    assert changed_code(record) is None
    path = folder / "plugins" / "helper.py"
    (folder / "plugins" / "told.py").write_text((folder / "plugins" / "told.py").read_text() + "    more = 1\n")
    assert "the code of plugins.told.Own" in (changed_code(record) or "")
    assert path.is_file()


CORPUS = {
    "documents/d1.txt": "نفى. أكد. قال.",
    "segments.jsonl": "\n".join(
        json.dumps({"segment_id": f"s{i}", "doc_id": "d1", "start": 5 * i, "end": 5 * i + 3, "kind": "k", "text": t})
        for i, t in enumerate(("نفى", "أكد", "قال"))
    ),
}


def annotate(folder: Path, number: int, labels: str) -> None:
    lines = [json.dumps({"segment_id": f"s{i}", "field": label}) for i, label in enumerate(labels)]
    (folder / f"pass-{number}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def test_passes_that_were_redone_show_their_new_agreement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tasks" / "mine"
    (folder / "documents").mkdir(parents=True)
    for name, content in CORPUS.items():
        (folder / name).write_text(content, encoding="utf-8")
    for number, labels in enumerate(("aba", "aba", "abb"), start=1):
        annotate(folder, number, labels)
    (folder / "task.yaml").write_text(
        "name: mine\ndescription: d\ninputs: [text]\nlabels: [a, b]\ngroup: id\n"
        "source: {kind: segments, documents: documents, segments: segments.jsonl, field: field,\n"
        "  annotations: [pass-1.jsonl, pass-2.jsonl, pass-3.jsonl]}\n"
    )
    task = load_task("mine")
    tested = references(task, [Split(np.array([2]), np.array([0, 1]))])
    assert [row.scores["accuracy"] for row in tested] == [1.0, 1.0, 1.0], "where only these are tested, they agree"
    described = {
        "name": "mine",
        "digest": task.digest,
        "labels": list(task.labels),
        "group": "id",
        "references": [plain(each) for each in references(task)],
    }
    record = a_record(described)
    assert [row.scores["accuracy"] for row in task_now([record]).references] == pytest.approx([5 / 6, 5 / 6, 2 / 3])
    annotate(folder, 3, "aba")
    assert load_task("mine").digest == task.digest, "the labels that models learn stay"
    assert [row.scores["accuracy"] for row in task_now([record]).references] == [1.0, 1.0, 1.0]
    other = replace(a_record({**described, "name": "elsewhere", "references": []}), started="2025-01-01T00:00:00+00:00")
    assert task_now([record, other]).references == (), "of a task that is not here, what was stored last"


def test_a_key_of_the_same_settings_is_the_same() -> None:
    assert run_key({"a": 1, "b": [["x", 1]]}) == run_key({"b": [["x", 1]], "a": 1})
    assert run_key({"b": [["x", 1], ["y", 2]]}) != run_key({"b": [["y", 2], ["x", 1]]})


def test_a_run_that_is_reused_says_of_its_task_what_is_so_now(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "key")
    stored = a_record({"notes": ["old"]})
    folder.write_record(stored)
    now = replace(a_record({"notes": ["new"], "references": []}), command="another")
    _bring_up_to_date(SimpleNamespace(folder=folder, record=now))  # type: ignore[arg-type]
    assert folder.read_record() == replace(stored, task=now.task)


@pytest.mark.slow
def test_new_text_is_not_labelled_by_edited_code_beside_the_old_score(task: Path, folder: Path) -> None:
    code = folder / "plugins" / "told.py"
    code.write_text(
        "from plugins.rule import choose\nimport numpy as np\nfrom sklearn.base import BaseEstimator, ClassifierMixin\n"
        "class Own(ClassifierMixin, BaseEstimator):\n"
        "    def fit(self, X, y):\n        self.classes_ = np.unique(y)\n        return self\n"
        "    def predict(self, X):\n        return np.array([choose(self.classes_)] * len(X))\n"
    )
    rule = folder / "plugins" / "rule.py"
    rule.write_text("def choose(classes):\n    return classes[0]\n")
    config = compose(["task=topics", "model=told", "search=none", "tracking=false", "execution.workers=1"])
    assert run(config, Quiet()).failures == []
    first = choose_run(parse_predict_request(["task=topics", "model=told"])).folder
    load_fitted(first)
    rule.write_text("def choose(classes):\n    return classes[-1]\n")
    with pytest.raises(UserError, match=r"the code of plugins\.told\.Own(.|\n)*Rerun it: bench run task=topics"):
        load_fitted(first)
    assert run(config, Quiet()).failures == []
    chosen = choose_run(parse_predict_request(["task=topics", "model=told"]))
    assert chosen.folder.key != first.key
    load_fitted(chosen.folder)
    assert choose_run(parse_predict_request(["task=topics", f"run={first.key}"])).folder.key == first.key
