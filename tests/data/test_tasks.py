"""The three tasks that come with the harness, and tasks made of a user's own table."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from small_corpus import SmallCorpus, table_task

from bench.catalogue import load_task
from bench.data.card import BEGIN, END, describe, insert
from bench.data.definition import build_task, read_definition
from bench.data.duplicates import duplicate_keys, input_key
from bench.errors import ConfigError, DataError

if TYPE_CHECKING:
    from bench.data.task import Task

ROOT = Path(__file__).parents[2]
TASKS = {
    "stance": (("agree", "disagree", "discuss", "unrelated"), (73, 6, 54, 1037)),
    "denial": (("denial", "non_confirmation", "none"), (6, 5, 106)),
    "source-type": (
        ("government", "intelligence", "international_organization", "media", "expert", "unattributed"),
        (64, 9, 6, 2, 3, 33),
    ),
}


def load(name: str, **overrides: object) -> Task:
    origin = ROOT / "tasks" / name / "task.yaml"
    return build_task(read_definition(origin) | overrides, origin)


@pytest.fixture(scope="module", params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    return load(request.param)


def test_labels_stand_in_the_guidelines_order_with_the_counts_of_the_corpus(task: Task) -> None:
    labels, counts = TASKS[task.name]
    assert task.labels == labels
    assert tuple(int((task.y == label).sum()) for label in labels) == counts


def test_a_definition_is_short_and_has_a_card(task: Task) -> None:
    assert len(task.origin.read_text(encoding="utf-8").splitlines()) <= 25
    assert task.origin.with_name("README.md").is_file()


def test_no_caption_no_boilerplate_and_no_repeat_is_left(task: Task) -> None:
    assert not {"caption", "boilerplate"} & set(task.examples["kind"])
    assert len(set(duplicate_keys(task.frame))) == len(task)
    gone = {"001-002", "002-007", "003-006", "003-019", "003-041"}
    assert not gone & {name.partition("/")[0] for name in task.ids}
    assert all(f"{name} (as " in task.notes[0] for name in gone)


def test_passes_stand_in_the_rows_of_their_examples(task: Task) -> None:
    field = task.name.replace("-", "_")
    assert task.passes is not None
    assert task.passes.columns.tolist() == ["pass-1", "pass-2", "pass-3"]
    for number in (1, 2, 3):
        lines = (ROOT / f"tasks/corpus/annotations/pass-{number}.jsonl").read_text(encoding="utf-8").splitlines()
        given = {content["segment_id"]: content[field] for content in map(json.loads, lines)}
        for name, label in zip(task.ids, task.passes[f"pass-{number}"], strict=True):
            segment, _, claim = name.partition("/")
            assert label == (given[segment].get(claim, "unrelated") if claim else given[segment])


def test_the_card_says_what_the_code_computes(task: Task) -> None:
    card = task.origin.with_name("README.md")
    text = card.read_text(encoding="utf-8")
    assert insert(text, describe(task), card) == text, f"run python -m bench.data.card {card.parent.relative_to(ROOT)}"


def test_as_a_dataset_it_has_class_labels_and_groups(task: Task) -> None:
    dataset = task.to_dataset()
    assert dataset.features["label"].names == list(task.labels)
    assert dataset.column_names[: len(task.inputs) + 3] == ["id", *task.inputs, "label", "group"]
    assert dataset["id"][:] == task.ids.tolist()
    assert dataset["group"][:] == task.examples["document"].tolist()
    assert [dataset.features["label"].int2str(code) for code in dataset["label"]] == task.y.tolist()


def test_only_one_adjudication_is_needed_and_decides_the_one_tie() -> None:
    task = load("stance")
    assert dict(zip(task.ids, task.y, strict=True))["003-046/security-threat"] == "discuss"
    source = {key: value for key, value in read_definition(task.origin)["source"].items() if key != "adjudications"}
    with pytest.raises(DataError, match="segment '003-046' toward claim 'security-threat': the passes are tied"):
        load("stance", source=source)


def test_stance_can_be_grouped_by_claim() -> None:
    task = load("stance").grouped_by("claim")
    assert len(set(task.groups)) == 10
    assert len(set(task.grouped_by("claim_id").groups)) == 10


def test_the_coarser_labels_of_the_card_work() -> None:
    card = (ROOT / "tasks/source-type/README.md").read_text(encoding="utf-8")
    lines = card.partition("```yaml\n")[2].partition("```")[0]
    task = load("source-type", **yaml.safe_load(lines))
    assert task.labels == ("official", "other", "unattributed")
    assert [int((task.y == label).sum()) for label in task.labels] == [79, 5, 33]


def test_an_override_of_the_metric_is_taken_and_a_wrong_one_named() -> None:
    assert load("denial", metric="mcc").metric == "mcc"
    with pytest.raises(ConfigError, match="unknown metric 'f1_macro'"):
        load("denial", metric="f1_macro")


@pytest.mark.slow
def test_a_task_loads_without_heavy_libraries() -> None:
    code = """
import sys
from pathlib import Path
from bench.overrides import parse_overrides
from bench.data.definition import build_task, read_definition

parse_overrides(["task=stance"])  # as every command does first
origin = Path("tasks/stance/task.yaml")
build_task(read_definition(origin), origin)
print([name for name in ("sklearn", "datasets", "torch", "optuna", "mlflow") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    corpus = SmallCorpus(tmp_path)
    before = corpus.build().digest
    assert corpus.build().digest == before
    for lines in corpus.passes:
        lines[2]["denial"] = "denial"
        lines[0]["denial"] = "none"
    assert corpus.build().digest != before


def test_every_label_is_described_in_a_sentence_and_a_claim_is_named_where_there_is_one(task: Task) -> None:
    assert task.context["descriptions"].keys() == set(task.labels)
    assert len(set(task.descriptions.values())) == len(task.labels)
    assert any("{claim}" in sentence for sentence in task.descriptions.values()) == ("claim" in task.inputs)


def test_descriptions_are_no_part_of_the_data(task: Task) -> None:
    without = load(task.name, descriptions=None)
    assert without.descriptions == {}
    assert without.digest == task.digest


def test_where_labels_are_coarser_the_annotators_labels_are_described_unless_the_label_itself_is() -> None:
    fine = load("denial").descriptions
    coarser: dict[str, Any] = {
        "labels": ["reported", "none"],
        "label_map": {"denial": "reported", "non_confirmation": "reported"},
    }
    coarser["label_map"] |= {"none": "none"}
    assert load("denial", **coarser).descriptions == fine
    own = {**fine, "reported": "فيه نفي أو امتناع عن التأكيد."}
    assert load("denial", **coarser, descriptions=own).descriptions.keys() == {"reported", "none"}


def test_a_card_without_its_markers_is_an_error() -> None:
    with pytest.raises(DataError, match=r"README\.md: the markers"):
        insert(f"# Card\n{END}\n{BEGIN}\n", "block", Path("README.md"))


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=20).map(
    lambda text: f"كلمة{text}"
)


@pytest.mark.slow
@given(st.lists(TEXTS, min_size=2, max_size=6, unique=True))
def test_a_table_is_read_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    folder = tmp_path_factory.mktemp("table")
    rows = [{"text": text, "label": ("yes", "no")[number % 2]} for number, text in enumerate(texts)]
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, ["text", "label"])
    writer.writeheader()
    writer.writerows(rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    keys = list(map(input_key, texts))
    first = [number for number, key in enumerate(keys) if key not in keys[:number]]
    if len({number % 2 for number in first}) < 2:
        return
    for task in (table_task(folder, "a.csv", buffer.getvalue()), table_task(folder, "a.jsonl", lines)):
        assert task.examples["text"].tolist() == [texts[number] for number in first]
        assert task.y.tolist() == [rows[number]["label"] for number in first]


def test_without_an_id_or_a_group_every_example_is_its_own(tmp_path: Path) -> None:
    task = table_task(tmp_path, "a.csv", "text,label\nنعم قال,yes\nلا قال,no\n")
    assert task.ids.tolist() == ["1", "2"]
    assert task.group == "id"
    assert task.passes is None


def test_a_table_of_pairs_with_ids_and_groups(tmp_path: Path) -> None:
    content = 'n\tbody\tabout\tclass\tsite\n7\tقال "نعم\tأرسل\tyes\tx\n8\tقال لا\tأرسل\tno\ty\n'
    columns = {"id": "n", "text": "body", "claim": "about", "label": "class", "group": "site"}
    task = table_task(tmp_path, "a.tsv", content, **columns)
    assert task.inputs == ("claim", "text")
    assert task.group == "group"
    assert task.groups.tolist() == ["x", "y"]
    assert task.ids.tolist() == ["7", "8"]
    assert task.examples["text"][0] == 'قال "نعم'


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_no_part_of_the_data(tmp_path: Path) -> None:
    task = table_task(tmp_path, "a.csv", b"\xef\xbb\xbf" + "text,label\r\nنعم,yes\r\n\r\nلا,no\r\n".encode())
    assert task.examples["text"].tolist() == ["نعم", "لا"]


@pytest.mark.parametrize(("called", "overrides"), [("other", {}), ("small", {"name": "other"})])
def test_a_task_that_is_called_otherwise_than_its_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, called: str, overrides: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "tasks" / "small"
    folder.mkdir(parents=True)
    (folder / "labels.csv").write_text("text,label\nنفى,yes\nقال,no\n", encoding="utf-8")
    source = {"kind": "table", "path": "labels.csv", "columns": {"text": "text", "label": "label"}}
    definition = {
        "name": called,
        "description": "Small.",
        "source": source,
        "inputs": ["text"],
        "labels": ["yes", "no"],
    }
    (folder / "task.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"task\.yaml: its name is 'other', but its folder is 'small'"):
        load_task("small", overrides)
