"""Folders for the Hub: other tools read the data and the metadata, and the cards say what the task and the run say."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard, ModelCard
from small_tasks import text_task
from stored import change_record, write_run

from bench.cards.croissant import CONFORMS_TO, CONTEXT
from bench.cards.dataset import write_dataset_folder
from bench.cards.model import write_model_folder
from bench.errors import ConfigError, UserError

Bench = Callable[..., tuple[int, str, str]]


def croissant_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    return content


def test_the_folder_opens_as_a_dataset_with_the_labels_in_order(tmp_path: Path) -> None:
    task = text_task(n_groups=4)
    write_dataset_folder(task, tmp_path / "hub")
    opened = datasets.load_dataset(str(tmp_path / "hub"), cache_dir=str(tmp_path / "cache"))
    assert list(opened) == ["train"]
    rows = opened["train"]
    assert rows.features["label"].names == list(task.labels)
    assert rows["id"][:] == task.ids.tolist()
    assert [task.labels[code] for code in rows["label"]] == task.y.tolist()
    assert rows["text"][:] == task.examples["text"].tolist()


def test_a_published_split_becomes_the_parts(tmp_path: Path) -> None:
    task = text_task(n_groups=4)
    roles = ["train", "dev", "test"] * len(task)
    split = replace(task, examples=task.examples.assign(split=roles[: len(task)]), splits=("split",))
    write_dataset_folder(split, tmp_path / "hub")
    assert {path.name for path in (tmp_path / "hub" / "data").iterdir()} == {
        "train.parquet",
        "validation.parquet",
        "test.parquet",
    }
    metadata = DatasetCard.load(tmp_path / "hub" / "README.md").data.to_dict()
    assert [each["split"] for each in metadata["configs"][0]["data_files"]] == ["train", "validation", "test"]
    assert [each["@id"] for each in croissant_of(tmp_path / "hub")["recordSet"]] == [
        "labels",
        "train",
        "validation",
        "test",
    ]


@pytest.mark.parametrize(
    ("licence", "metadata"),
    [
        ("CC-BY-4.0, by its card", {"license": "cc-by-4.0"}),
        ("", {"license": "unknown"}),
        ("none stated in its readme", {"license": "unknown"}),
        ("Terms of the archive", {"license": "other", "license_name": "Terms of the archive"}),
    ],
)
def test_the_card_has_the_hubs_metadata(tmp_path: Path, licence: str, metadata: dict[str, str]) -> None:
    task = replace(text_task(), licence=licence, homepage="https://example.org/x", citation="A. Author (2024), X")
    write_dataset_folder(task, tmp_path / "hub")
    card = DatasetCard.load(tmp_path / "hub" / "README.md")
    found = card.data.to_dict()
    assert {name: value for name, value in found.items() if name.startswith("license")} == metadata
    assert (found["language"], found["task_categories"]) == (["ar"], ["text-classification"])
    assert found["size_categories"] == ["n<1K"]
    for label in task.labels:
        assert f"`{label}`" in card.text
    assert task.digest[:16] in card.text
    assert "@misc{task-" in card.text
    assert ("names no licence" in card.text) == (licence == "")


def test_croissant_names_each_file_with_its_digest_and_each_column(tmp_path: Path) -> None:
    task = text_task()
    write_dataset_folder(task, tmp_path / "hub")
    described = croissant_of(tmp_path / "hub")
    assert (described["@type"], described["conformsTo"], described["name"]) == ("sc:Dataset", CONFORMS_TO, task.name)
    for file in described["distribution"]:
        content = (tmp_path / "hub" / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
    labels, records = described["recordSet"]
    assert labels["data"] == [{"labels/code": n, "labels/name": label} for n, label in enumerate(task.labels)]
    columns = [field["source"]["extract"]["column"] for field in records["field"]]
    assert columns == pq.read_schema(tmp_path / "hub" / "data" / "train.parquet").names


def test_croissant_uses_no_term_that_its_context_does_not_have(tmp_path: Path) -> None:
    write_dataset_folder(replace(text_task(), homepage="https://example.org"), tmp_path / "hub")
    plain = {"name", "description", "version", "license", "inLanguage", "url", "distribution"}
    plain |= {"contentUrl", "contentSize", "encodingFormat", "sha256"}  # of schema.org
    identifiers: list[str] = []

    def look(node: object) -> None:
        if isinstance(node, list):
            for each in node:
                look(each)
        if isinstance(node, dict):
            if "@type" in node:
                identifiers.append(node.get("@id", ""))
            for term, value in node.items():
                assert term.startswith("@") or term in plain or term in CONTEXT, term
                if term not in ("@context", "data"):
                    look(value)

    described = croissant_of(tmp_path / "hub")
    look(described)
    assert len(set(identifiers)) == len(identifiers)


def test_what_is_there_is_not_written_over_and_a_failure_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hub").mkdir()
    with pytest.raises(ConfigError, match="There is already"):
        write_dataset_folder(text_task(), tmp_path / "hub")

    def fail(*args: object) -> str:
        raise ValueError("no card")

    monkeypatch.setattr("bench.cards.dataset.dataset_card", fail)
    with pytest.raises(ValueError, match="no card"):
        write_dataset_folder(text_task(), tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["hub"]


def test_a_models_card_says_what_its_run_says(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "results", folds=6)
    write_model_folder(folder, tmp_path / "hub")
    assert {path.name for path in (tmp_path / "hub").iterdir()} == {"README.md", "model.skops", "summary.json"}
    stored = folder.model_path()
    assert stored is not None
    assert (tmp_path / "hub" / "model.skops").read_bytes() == stored.read_bytes()
    card = ModelCard.load(tmp_path / "hub" / "README.md")
    metadata = yaml.safe_load(card.content.split("---")[1])
    (result,) = metadata["model-index"][0]["results"]
    summary = folder.read_summary()
    assert result["metrics"][0] == {
        "type": "macro_f1",
        "name": "macro-F1",
        "value": round(summary.scores["macro_f1"], 4),
    }
    assert (card.data.library_name, card.data.pipeline_tag) == ("sklearn", "text-classification")
    assert card.data.eval_results[0].dataset_name == "denial"
    assert f"| macro-F1 | {summary.scores['macro_f1']:.3f} |" in card.text
    assert "`estimator.C`: `1.5`" in card.text
    assert "This model was fitted on all 180 examples" in card.text
    assert "[@" not in card.text


def test_a_run_without_a_model_or_summary_is_refused(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "results", folds=6)
    (folder.cell_path("final") / "model.skops").unlink()
    with pytest.raises(UserError, match="no fitted model is stored"):
        write_model_folder(folder, tmp_path / "hub")
    (folder.path / "summary.json").unlink()
    with pytest.raises(UserError, match=r"summary.json"):
        write_model_folder(folder, tmp_path / "hub")
    assert not (tmp_path / "hub").exists()


@pytest.mark.slow
def test_the_command_writes_both(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, said = bench("export", "task=denial", "--to", "hub-folder")
    assert (status, out.startswith("hub-folder  117 examples of denial")) == (0, True)
    assert "no licence is stated" in said
    assert (tmp_path / "hub-folder" / "croissant.json").exists()
    assert bench("export", "task=denial", "--format", "hub", "--to", "hub-folder")[0] == 2
    assert bench("export", "task=denial", "--format", "hub")[0] == 0
    assert (tmp_path / "denial" / "README.md").exists()
    change_record(write_run(tmp_path / "results", folds=6), model={"sources": {}})
    assert bench("export", "model", "task=denial", "--to", "m")[0] == 0
    assert (tmp_path / "m" / "model.skops").exists()
    assert bench("export", "model", "task=denial", "--format", "jsonl")[0] == 2
    assert bench("export", "model", "--to", "n")[0] == 2
