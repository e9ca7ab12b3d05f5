"""Results and files that others published: checked, shown for what they are, and never mixed up with what was run."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from contest import compared, store_contest
from small_corpus import table_task

from bench.catalogue import load_task
from bench.comparison.predictions import read_side_by_side
from bench.comparison.request import parse_compare_request
from bench.comparison.selection import select
from bench.data.definition import build_task
from bench.data.published import PublishedFiles
from bench.data.section import Section
from bench.errors import ConfigError, DataError
from bench.reporting.comparison import print_comparison
from bench.reporting.html.page import render_report
from bench.reporting.terminal import print_leaderboard
from bench.reporting.wording import answer
from bench.results.board import published_rows
from bench.results.files import to_json
from bench.results.leaderboard import leaderboard, write_leaderboard
from bench.results.record import RunRecord, SplitSizes
from bench.results.store import RunFolder
from bench.support.records import plain
from bench.tracking.description import describe_run, describe_task

FIGURES = [
    {"system": "BERT", "metric": "macro_f1", "value": 0.7, "source": "Khouja 2020"},
    {"system": "BERT", "metric": "accuracy", "value": 0.8, "source": "Khouja 2020"},
    {"system": "guesser", "metric": "macro_f1", "value": 0.2, "source": "LLMeBench"},
    {"system": "ranker", "metric": "mcc", "value": 0.5, "source": "LLMeBench"},
]
SIZES = {"split": {"train": 700, "dev": 200, "test": 300}}
ADDRESS = "https://example.org/data/"


def definition(folder: Path, **changes: Any) -> dict[str, Any]:
    rows = [("train", "yes"), ("train", "no"), ("test", "yes"), ("test", "no")]
    lines = [f"text {number},{label},{split}" for number, (split, label) in enumerate(rows)]
    (folder / "a.csv").write_text("\n".join(["text,label,split", *lines]), encoding="utf-8")
    return {
        "name": "mine",
        "description": "A table.",
        "source": {
            "kind": "table",
            "path": "a.csv",
            "columns": {"text": "text", "label": "label", "split": "split"},
        },
        "inputs": ["text"],
        "labels": ["yes", "no"],
        **changes,
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models on a published split, between two published results."""
    stored = tmp_path_factory.mktemp("published")
    of_task = {"splits": SIZES, "published": FIGURES, "n_examples": 1200}
    for model, right in {"good": 0.6, "majority": 0.33}.items():
        store_contest(stored, {model: right}, folds=1, of_task=dict(of_task))
    return stored


def run_of(results: Path, model: str = "good") -> RunFolder:
    (path,) = results.glob(f"denial/{model}/*/run.json")
    return RunFolder(path.parent)


def record_of(results: Path) -> RunRecord:
    return run_of(results).read_record()


def test_what_a_task_says_of_its_source_is_kept_and_changes_neither_its_data_nor_its_digest(tmp_path: Path) -> None:
    said = {"homepage": "https://example.org", "licence": "MIT", "citation": "A. B. (2020), C.", "published": FIGURES}
    without = build_task(definition(tmp_path), tmp_path / "task.yaml")
    task = build_task(definition(tmp_path, **said), tmp_path / "task.yaml")
    assert (task.homepage, task.licence, task.citation) == tuple(said[key] for key in list(said)[:3])
    assert [(each.system, each.metric, each.value, each.source) for each in task.published] == [
        tuple(figure.values()) for figure in FIGURES
    ]
    assert task.digest == without.digest
    assert without.published == ()


def figure(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (FIGURES[0] | changes).items() if value is not ...}


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no list": ({"published": 0.7}, r"'published' must be a list of figures, not 0\.7\.\nA figure looks like \{system"),
    "no mapping": ({"published": [0.7]}, r"published, item 1 must be a mapping, not 0\.7\."),
    "an unknown key": (
        {"published": [figure(), figure(sistem="x")]},
        r"item 2: unknown key 'sistem'\.\nDid you mean 'system'\?",
    ),
    "a missing key": ({"published": [figure(source=...)]}, r"item 1: 'source' is missing\."),
    "an unknown metric": (
        {"published": [figure(metric="makro_f1")]},
        r"item 1: unknown metric 'makro_f1'\.\nDid you mean 'macro_f1'\?",
    ),
    "per cent": (
        {"published": [figure(value=76.7)]},
        r"value of macro_f1 must be a number from 0 to 1, not 76\.7\.\nWrite per cent as a share: 76\.7 is 0\.767\.",
    ),
    "text for a number": ({"published": [figure(value="0.7")]}, r"'value' must be a number, not '0\.7'\."),
    "not a number": ({"published": [figure(value=float("nan"))]}, "must be a number from 0 to 1, not nan"),
    "a truth value": ({"published": [figure(value=True)]}, "'value' must be a number, not True"),
    "a number for text": ({"published": [figure(source=2020)]}, r"item 1: 'source' must be text, not 2020\."),
    "a figure that stands twice": (
        {"published": [figure(), figure(value=0.71)]},
        r"item 2: macro_f1 of 'BERT' is repeated, first in item 1\.",
    ),
    "a homepage that is none": (
        {"homepage": "github.com/a/b"},
        r"'homepage' must be an http or https address, not 'github\.com/a/b'\.",
    ),
    "a licence that is no text": ({"licence": 4.0}, r"'licence' must be text, not 4\.0\."),
}


@pytest.mark.parametrize(("changes", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        build_task(definition(tmp_path, **changes), tmp_path / "task.yaml")
    assert error.value.message.startswith(f"{tmp_path / 'task.yaml'}: ")


def test_with_other_labels_or_data_than_the_tasks_own_published_results_do_not_compare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tasks" / "mine"
    folder.mkdir(parents=True)
    (folder / "task.yaml").write_text(json.dumps(definition(folder, published=FIGURES)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(load_task("mine").published) == 4
    assert len(load_task("mine", {"metric": "mcc", "description": "Else."}).published) == 4
    assert load_task("mine", {"labels": ["no", "yes"]}).published == ()
    assert load_task("mine", {"source.path": "a.csv"}).published == ()


def test_published_results_stand_in_the_leaderboard_by_score_and_marked(
    results: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    board = leaderboard(results, record_of(results))
    rows = [(row.kind, row.model) for row in board.rows]
    assert rows[:4] == [("published", "BERT"), ("model", "good"), ("model", "majority"), ("published", "guesser")]
    assert board.rows[0].scores == {"macro_f1": 0.7, "accuracy": 0.8}
    assert board.rows[0].intervals == {}
    assert "ranker" not in to_json([plain(row) for row in board.rows])  # its metric is another one

    folder = write_leaderboard(results, board)
    assert re.search(
        r"^\| \*published: BERT\* \|  \| 0\.700 \| 0\.800 \|", (folder / "leaderboard.md").read_text(), re.M
    )
    assert "\n\nPublished, not run here: BERT: Khouja 2020; guesser: LLMeBench.\n" in (
        (folder / "leaderboard.md").read_text()
    )
    assert "\nBERT,published,,0.7,,,,,0.8," in (folder / "leaderboard.csv").read_text()
    print_leaderboard(board, folder)
    printed = capsys.readouterr().out
    assert re.search(r"^published: BERT +0\.700 +0\.800 *$", printed, re.M)
    assert "published, not run here: BERT: Khouja 2020; guesser: LLMeBench" in printed
    assert max(map(len, printed.splitlines()[:12])) <= 80


def test_they_stand_only_where_the_task_is_split_as_published(results: Path) -> None:
    record = record_of(results)
    assert [row.model for row in published_rows(record.task, "macro_f1")] == ["BERT", "guesser"]
    assert [row.model for row in published_rows(record.task, "mcc")] == ["ranker"]
    assert published_rows(replace(record.task, published=()), "macro_f1") == []


def test_a_record_lists_published_results_only_of_a_published_split(tmp_path: Path) -> None:
    from bench.data.splits import published_splits
    from bench.planning.split_task import _describe_task

    task = build_task(definition(tmp_path, published=FIGURES), tmp_path / "task.yaml")
    outer = published_splits([task.examples["split"].to_numpy(dtype=object)])
    described = _describe_task(task, outer)
    assert plain(described)["published"] == tuple(FIGURES)
    assert described.splits == {"split": SplitSizes(train=2, dev=0, test=2)}
    assert "published split: 2 train and 2 test examples" in described.notes
    pooled = task.without_splits()
    assert _describe_task(pooled, []).published == ()


def test_where_less_is_better_the_lowest_published_result_stands_first(tmp_path: Path) -> None:
    of_task = {
        "splits": SIZES,
        "metric": "log_loss",
        "published": [figure(metric="log_loss", value=9.0, system="poor"), figure(metric="log_loss", value=0.01)],
    }
    store_contest(tmp_path, {"good": 0.6}, folds=1, of_task=of_task)
    board = leaderboard(tmp_path, record_of(tmp_path))
    assert [row.model for row in board.rows][:3] == ["BERT", "good", "poor"]


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is not here, so what the stored runs say of published results is all there is."""
    monkeypatch.setattr("bench.comparison.task_now.task_files", dict)


@pytest.mark.usefixtures("elsewhere")
def test_a_comparison_says_what_was_split_how_and_what_was_not_run_here(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = compared(results, "task=denial")
    print_comparison(comparison, with_pairs=True)
    printed = capsys.readouterr().out
    told = " ".join(printed.split())
    assert "denial 300 test examples of 1,200 (700 train, 200 dev), published split, seed 0" in told
    assert "published: BERT 0.700 good" in told
    assert "good has the best macro-F1 of those run here" in told
    assert "published, not run here: BERT: Khouja 2020; guesser: LLMeBench" in told
    assert answer(comparison)[0].startswith("good has the best macro-F1 of those run here: 0.")
    assert "One test part has no folds to compare over" in told
    assert "p folds" not in told
    assert "P in %" not in told
    assert "BERT" not in to_json(
        [plain(pair) for pair in comparison.pairs]
    )  # nothing is tested against what was not run
    assert max(map(len, printed.splitlines())) <= 80


def page_of(results: Path) -> str:
    request = parse_compare_request(["task=denial", f"results={results}"])
    (selected,) = select(request)
    return render_report(read_side_by_side(selected), compared(results, "task=denial"))


@pytest.mark.usefixtures("elsewhere")
def test_the_report_says_the_same(results: Path) -> None:
    page = page_of(results)
    text = " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<script.*?</script>", "", page, flags=re.S)).split())
    assert "300 test examples of 1,200 (700 train, 200 dev), published split" in text
    assert "the published split: trained on train, settings chosen on dev, test scored once" in text
    assert re.search(r"published: BERT 0\.700 ◆ not run here 0\.800", text)
    assert "BERT: Khouja 2020; guesser: LLMeBench" in text
    for untrue in ("out-of-fold", "inner folds", "outer fold", "trials a fold", ", fold", "p, folds"):
        assert untrue not in text, untrue


def test_mlflow_is_told_of_the_split_and_of_what_was_not_run(results: Path) -> None:
    record = record_of(results)
    task = describe_task(record.task)
    assert "- 300 test examples of 1,200 (700 train, 200 dev), published split, classes" in task
    assert "- published, not run here: BERT 0.700 (Khouja 2020)" in task
    run = describe_run(record, run_of(results).read_summary(), None, None)
    assert (
        "Scored on 300 test examples of 1,200 (700 train, 200 dev), published split: trained on train, settings chosen "
        "on dev, 10 trials; seed 0."
    ) in run
    assert "Scores over 300 predictions of the test part, with 95 % intervals:" in run
    for untrue in ("fold", "pooled", "groups"):
        assert untrue not in run


def test_several_published_folds_are_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    of_task = {"splits": {f"fold-{k}": {"train": 180, "dev": 60, "test": 60} for k in range(5)}}
    store_contest(tmp_path, {"good": 0.9, "poor": 0.5}, of_task=of_task)
    print_comparison(compared(tmp_path, "task=denial"), with_pairs=True)
    told = " ".join(capsys.readouterr().out.split())
    assert "denial 300 test examples in 5 published folds of 300 examples, seed 0" in told
    assert "p folds" in told
    page = page_of(tmp_path)
    assert "5 published folds: trained on train, settings chosen on dev, test scored once" in page
    assert "predictions of the published test parts" in page
    assert "out-of-fold" not in re.sub(r"<script.*?</script>", "", page, flags=re.S)


def test_where_folds_are_made_here_the_words_are_the_old_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store_contest(tmp_path, {"good": 0.9, "poor": 0.5})
    print_comparison(compared(tmp_path, "task=denial"))
    told = " ".join(capsys.readouterr().out.split())
    assert "denial 300 examples, 30 groups (document), 5 folds, seed 0" in told
    assert "of those run here" not in told
    assert "over all out-of-fold predictions" in page_of(tmp_path)


def files(tmp_path: Path, **digests: str | None) -> PublishedFiles:
    content = {"from": ADDRESS, "sha256": {f"{name}.csv": digest for name, digest in digests.items()}}
    return PublishedFiles.parse(Section(content, "source.download", tmp_path / "task.yaml"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA_MIRROR", raising=False)
    return tmp_path / "cache"


def mirror_with(tmp_path: Path, content: str, folder: str = "mirror") -> Path:
    target = tmp_path / folder
    target.mkdir(parents=True, exist_ok=True)
    (target / "a.csv").write_text(content, encoding="utf-8")
    return target


def test_a_file_whose_digest_nobody_knows_is_trusted_once_and_recorded(tmp_path: Path, cache: Path) -> None:
    published = files(tmp_path, a=None)
    assert not published.here()
    assert published.notes() == [
        "the task's file has no SHA-256 for these files, so the first download is trusted: a.csv"
    ]
    mirror = mirror_with(tmp_path, "first")
    brought = published.bring("a.csv", mirror)
    digest = hashlib.sha256(b"first").hexdigest()
    assert brought.read_text() == "first"
    assert (brought.parent / "a.csv.sha256").read_text() == f"{digest}\n"
    assert published.here()
    assert published.notes()[0].endswith(f": a.csv {digest[:12]}")

    (mirror / "a.csv").unlink()
    assert published.bring("a.csv", mirror).read_text() == "first"  # what is here is not brought again
    (mirror / "a.csv").write_text("second")
    with pytest.raises(DataError, match=r"a\.csv: its SHA-256 is not the one recorded on first use") as no:
        published.bring("a.csv", mirror)
    assert str(brought.parent) in str(no.value.hint)


def test_after_its_first_use_no_other_file_is_taken(tmp_path: Path, cache: Path) -> None:
    published = files(tmp_path, a=None)
    brought = published.bring("a.csv", mirror_with(tmp_path, "first"))
    brought.write_text("damaged")
    other = mirror_with(tmp_path, "second", "other")
    with pytest.raises(DataError, match=r"it has no a\.csv with SHA-256 .*has another SHA-256"):
        published.bring("a.csv", other)
    assert published.bring("a.csv", mirror_with(tmp_path, "first")).read_text() == "first"
    brought.unlink()
    assert not published.here()
    with pytest.raises(DataError, match="has another SHA-256"):
        published.bring("a.csv", other)


def test_a_download_that_differs_from_the_first_use_is_refused(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pooch

    served = {"content": "first"}

    class Server:
        def __init__(self, **_: Any) -> None: ...

        def __call__(self, url: str, target: Any, pooch: Any, check_only: bool = False) -> None:
            assert url == f"{ADDRESS}a.csv"
            target.write(served["content"].encode())

    monkeypatch.setattr(pooch, "HTTPDownloader", Server)
    published = files(tmp_path, a=None)
    brought = published.bring("a.csv")
    assert brought.read_text() == "first"
    served["content"] = "second"
    assert published.bring("a.csv").read_text() == "first"
    brought.write_text("damaged")
    with pytest.raises(DataError, match=r"not [0-9a-f]{64}, the one in its first use, recorded in .*a\.csv\.sha256"):
        published.bring("a.csv")


def test_what_lies_in_the_cache_without_a_record_is_not_trusted(tmp_path: Path, cache: Path) -> None:
    published = files(tmp_path, a=None)
    brought = published.bring("a.csv", mirror_with(tmp_path, "first"))
    (brought.parent / "a.csv.sha256").write_text("no digest")
    assert not published.here()
    assert published.bring("a.csv", mirror_with(tmp_path, "second")).read_text() == "second"


def test_of_several_files_of_one_name_none_is_guessed(tmp_path: Path, cache: Path) -> None:
    mirror_with(tmp_path, "one", "mirror/one")
    mirror_with(tmp_path, "two", "mirror/two")
    with pytest.raises(DataError, match=r"it has several files named a\.csv, and none is known to be") as error:
        files(tmp_path, a=None).bring("a.csv", tmp_path / "mirror")
    assert error.value.hint == "Name a folder with this task's files only."
    known = files(tmp_path, a=hashlib.sha256(b"two").hexdigest())
    assert known.bring("a.csv", tmp_path / "mirror").read_text() == "two"
    with pytest.raises(DataError, match=r"it has no b\.csv\."):
        files(tmp_path, b=None).bring("b.csv", tmp_path / "mirror")
    assert not list(cache.rglob("b.csv*"))


def test_two_addresses_do_not_share_what_was_trusted(tmp_path: Path, cache: Path) -> None:
    content = {"from": "https://example.org/else/", "sha256": {"a.csv": None}}
    other = PublishedFiles.parse(Section(content, "source.download", tmp_path / "task.yaml"))
    files(tmp_path, a=None).bring("a.csv", mirror_with(tmp_path, "first"))
    assert not other.here()
    assert other.bring("a.csv", mirror_with(tmp_path, "second", "other")).read_text() == "second"


def test_a_digest_that_is_none_says_what_null_would_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not 64 hexadecimal digits") as error:
        files(tmp_path, a="abc")
    assert error.value.hint == "Compute it with: sha256sum a.csv. With null, the first file is trusted."


def test_a_task_without_published_files_has_no_note_about_them(tmp_path: Path) -> None:
    assert table_task(tmp_path, "a.csv", "text,label\na,yes\nb,no\n").notes == ()
