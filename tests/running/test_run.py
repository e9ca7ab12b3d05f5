"""`bench run` end to end, on the real corpus and through the real command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from quiet import Quiet

from bench.catalogue import load_model, load_task
from bench.comparison.board import corrected_leaderboard
from bench.comparison.request import Filter
from bench.comparison.selection import select_runs
from bench.config import Execution, compose
from bench.engines.engine import Died, TimedOut, Unit, Value, outcome_of
from bench.errors import ModelError
from bench.planning.plan import _examined, plan
from bench.planning.workers import open_engine
from bench.results.cell import FINAL
from bench.results.leaderboard import write_leaderboard
from bench.results.store import RunFolder, stored_runs
from bench.running.cells import Cell, run_cells
from bench.running.job import InterruptedRun
from bench.running.runner import run

SMALL = ("task=denial", "model=complement-nb,lexicon", "search.trials=3", "tracking=false")


class Watching(Quiet):
    """An observer that only remembers."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.cells: list[tuple[str, Any]] = []
        self.done: list[tuple[str, Any]] = []
        self.did: list[str] = []
        self._stop_after = stop_after

    def doing(self, what: str) -> None:
        self.did.append(what)

    def planned(self, plan: Any, cells: Sequence[Any]) -> None:
        self.cells = [(each.evaluation.model.name, fold) for each, fold in cells]

    def finished(self, run: Any, result: Any) -> None:
        self.done.append((run.evaluation.model.name, result.fold))
        if len(self.done) == self._stop_after:
            raise KeyboardInterrupt


def bench(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "bench", *words], capture_output=True, text=True, cwd=cwd, timeout=120)


def numbers(results: Path) -> dict[str, bytes]:
    """The stored scores and predictions, by path: all that must not depend on how they were made."""
    kept = ("result.json", "predictions.csv", "summary.json")
    return {str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*") if path.name in kept}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    results = tmp_path_factory.mktemp("reference")
    run(compose([*SMALL, f"results={results}", "execution.workers=1"]), Watching())
    return results


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's own, with a model whose class stands in a module there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs" / "model").mkdir(parents=True)
    return tmp_path


def write_model(folder: Path, name: str, body: str) -> None:
    (folder / f"{name}_module.py").write_text(
        "import os, time\nimport numpy as np\nfrom sklearn.dummy import DummyClassifier\n\n\n"
        f"class Own(DummyClassifier):\n{body}\n"
    )
    (folder / "configs" / "model" / f"{name}.yaml").write_text(f"name: {name}\nestimator: {name}_module.Own\n")


@pytest.mark.slow
def test_two_workers_and_cells_in_any_order_give_the_same_bytes(
    reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backwards(evaluations: Any, cells: Sequence[Cell], *rest: Any) -> Any:
        return run_cells(evaluations, list(reversed(cells)), *rest)

    monkeypatch.setattr("bench.running.job.run_cells", backwards)
    run(compose([*SMALL, f"results={tmp_path}", "execution.workers=2"]), Watching())
    assert numbers(tmp_path) == numbers(reference)


@pytest.mark.slow
def test_a_command_that_is_killed_once_all_folds_are_stored_is_completed(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(reference, results)
    for path in results.glob("*/*/*/run.json"):
        record = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**record, "status": "running"}), "utf-8")
        (path.parent / "summary.json").unlink()
    again = Watching()
    assert run(compose([*SMALL, f"results={results}"]), again).failures == []
    assert again.cells == []
    assert numbers(results) == numbers(reference)
    assert all(json.loads(path.read_text("utf-8"))["status"] == "complete" for path in results.glob("*/*/*/run.json"))


@pytest.mark.slow
def test_the_same_command_after_an_interruption_runs_only_what_is_missing(reference: Path, tmp_path: Path) -> None:
    config = compose([*SMALL, f"results={tmp_path}"])
    with pytest.raises(InterruptedRun) as stopped:
        run(config, Watching(stop_after=7))
    assert (stopped.value.kept, stopped.value.missing) == (7, 11)
    resumed = Watching()
    run(config, resumed)
    assert len(resumed.cells) == 11
    assert numbers(tmp_path) == numbers(reference)


@pytest.mark.slow
def test_a_complete_run_is_reused_and_force_runs_it_anew(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "copy"
    shutil.copytree(reference, results)
    again = Watching()
    run(compose([*SMALL, f"results={results}"]), again)
    assert again.cells == []
    forced = Watching()
    run(compose([*SMALL, f"results={results}", "force=true"]), forced)
    assert len(forced.cells) == 12
    assert "majority" not in {name for name, _ in forced.cells}
    assert numbers(results) == numbers(reference)


@pytest.mark.slow
def test_what_a_command_reuses_is_what_others_then_mean(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "copy"
    shutil.copytree(reference, results)
    other = ("task=denial", "model=lexicon", "search=none", "tracking=false", "seed=1")
    run(compose([*other, f"results={results}"]), Watching())
    assert {record.seed for _, record in select_runs(results, "denial", Filter()).runs} == {1}
    again = Watching()
    run(compose([*SMALL, f"results={results}"]), again)
    assert again.cells == []
    assert {record.seed for _, record in select_runs(results, "denial", Filter()).runs} == {0}


@pytest.mark.slow
def test_another_seed_or_budget_or_group_is_another_run(reference: Path) -> None:
    def keys(*more: str) -> set[Path]:
        changed = {word.partition("=")[0] for word in more}
        words = [word for word in SMALL if word.partition("=")[0] not in changed]
        return {each.folder.path for each in plan(compose([*words, f"results={reference}", *more])).runs}

    first = keys()
    for change in ("seed=1", "search.trials=4", "validation.group=id", "task.metric=accuracy"):
        assert not [path for path in keys(change) & first if "complement-nb" in str(path)], change
    assert keys("execution.workers=1", "force=true") == first


def test_a_damaged_fold_is_run_again(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "copy"
    shutil.copytree(reference, results)
    (predictions, *_) = sorted(results.glob("denial/complement-nb/*/fold-02/predictions.csv"))
    predictions.write_bytes(predictions.read_bytes()[:-40])
    again = Watching()
    run(compose([*SMALL, f"results={results}"]), again)
    assert again.cells == [("complement-nb", 2)]
    assert numbers(results) == numbers(reference)


@pytest.mark.slow
def test_folds_of_other_library_versions_are_not_mixed_in(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "copy"
    shutil.copytree(reference, results)
    (path,) = results.glob("denial/complement-nb/*/run.json")
    path.write_text(path.read_text().replace('"scikit-learn": "', '"scikit-learn": "0.'))
    config = compose([*SMALL, f"results={results}"])
    complete = plan(config)
    assert [note for note in complete.notes if "stored with scikit-learn 0." in note]
    assert not complete.runs[1].anew
    shutil.rmtree(path.parent / "fold-01")
    again = Watching()
    run(config, again)
    assert again.cells == [("complement-nb", fold) for fold in (4, FINAL, 3, 2, 1, 0)]


def test_a_lost_run_record_is_made_again(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "copy"
    shutil.copytree(reference, results)
    (path,) = results.glob("denial/lexicon/*/run.json")
    path.unlink()
    run(compose([*SMALL, f"results={results}"]), Watching())
    assert json.loads(path.read_text())["status"] == "complete"


@pytest.mark.slow
def test_a_model_that_cannot_be_stored_keeps_its_scores(plugin: Path) -> None:
    body = "    def fit(self, X, y):\n        self.rows_ = (row for row in X)\n        return super().fit(X, y)"
    write_model(plugin, "unstorable", body)
    outcome = run(compose(["task=denial", "model=unstorable", "tracking=false"]), Watching())
    assert outcome.failures == []
    (folder,) = (plugin / "results" / "denial" / "unstorable").iterdir()
    assert "cannot be stored" in RunFolder(folder).read_cell(FINAL).notes[0]


@pytest.mark.slow
def test_scores_stay_where_only_the_final_fit_fails(plugin: Path) -> None:
    write_model(
        plugin,
        "late",
        "    def fit(self, X, y):\n        if len(y) == 117: raise ValueError('all')\n        return super().fit(X, y)",
    )
    outcome = run(compose(["task=denial", "model=late", "tracking=false"]), Watching())
    assert len(outcome.failures) == 1
    assert {row.model: row.kind for row in outcome.leaderboards[0].rows}["late"] == "model"


@pytest.mark.slow
def test_a_plugin_that_raises_while_it_is_built_is_named_with_its_file(plugin: Path) -> None:
    write_model(plugin, "angry", "    def __init__(self): raise ValueError('never')")
    ended = bench("run", "task=denial", "model=angry", cwd=plugin)
    assert ended.returncode == 2
    assert "angry.yaml" in ended.stderr
    assert "ValueError: never" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_majority_stands_in_every_table(reference: Path) -> None:
    board = json.loads((reference / "denial" / "leaderboard.json").read_text())
    passes = {"pass-1", "pass-2", "pass-3"}
    assert {row["model"] for row in board["rows"]} == {"majority", "complement-nb", "lexicon"} | passes


def test_the_leaderboard_can_be_made_again_from_the_stored_files_alone(reference: Path, tmp_path: Path) -> None:
    results = tmp_path / "copy"
    shutil.copytree(reference, results)
    before = {name: (results / "denial" / name).read_bytes() for name in FILES}
    for name in FILES:
        (results / "denial" / name).unlink()
    record = stored_runs(results, "denial")[0].read_record()
    write_leaderboard(results, corrected_leaderboard(results, record))
    assert {name: (results / "denial" / name).read_bytes() for name in FILES} == before


FILES = ("leaderboard.json", "leaderboard.csv", "leaderboard.md")


def test_every_example_is_predicted_once_by_a_model_that_did_not_see_its_document(reference: Path) -> None:
    for folder in stored_runs(reference, "denial"):
        parts = [folder.read_cell(fold).predictions for fold in folder.folds()]
        predictions = pd.concat([part for part in parts if part is not None])
        assert len(predictions) == len(set(predictions["id"])) == 117
        for part in parts:
            assert part is not None
            assert part["group"].nunique() == 1


def test_the_stored_final_model_predicts(reference: Path) -> None:
    from bench.models.persistence import loads

    folder = next(f for f in stored_runs(reference, "denial") if f.read_record().model.name == "complement-nb")
    model = loads((folder.cell_path(FINAL) / "model.skops").read_bytes())
    assert model.predict(pd.DataFrame({"text": ["نفى الكرملين هذه المزاعم"]}))[0] in {
        "denial",
        "none",
        "non_confirmation",
    }


@pytest.mark.slow
def test_a_model_that_raises_is_stored_as_failed_and_the_others_go_on(plugin: Path) -> None:
    write_model(plugin, "raises", "    def fit(self, X, y):\n        raise ValueError('no such luck')")
    outcome = run(compose(["task=denial", "model=raises,lexicon", "tracking=false"]), Watching())
    assert len(outcome.failures) == 6
    assert "raises, fold 0: ValueError: no such luck" in outcome.failures[-1]
    rows = {row.model: row for row in outcome.leaderboards[0].rows}
    assert rows["raises"].kind == "failed"
    assert rows["raises"].scores == {}
    assert rows["lexicon"].kind == "model"
    (folder,) = (plugin / "results" / "denial" / "raises").iterdir()
    assert "Traceback" in (RunFolder(folder).cell_path(0) / "error.txt").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("    def predict(self, X):\n        return np.array(['none'])", "predict returned shape (1,)"),
        ("    def predict(self, X):\n        return np.full(len(X), 'nome')", "'nome', which is not one of the labels"),
        (
            "    def predict_proba(self, X):\n        return np.full((len(X), len(self.classes_)), np.nan)",
            "predict_proba returned rows that are not probabilities",
        ),
        ("    def fit(self, X, y):\n        os._exit(3)", "ended with exit status 3 before it returned a result"),
        ("    def fit(self, X, y):\n        os._exit(0)", "ended with exit status 0 before it returned a result"),
        ("    def fit(self, X, y):\n        os.kill(os.getpid(), 9)", "was killed by signal 9"),
    ],
)
def test_a_model_that_breaks_the_contract_fails_with_the_reason(plugin: Path, body: str, reason: str) -> None:
    write_model(plugin, "broken", body)
    outcome = run(compose(["task=denial", "model=broken", "tracking=false"]), Watching())
    assert [failure for failure in outcome.failures if reason in failure]


@pytest.mark.slow
def test_a_model_that_hangs_is_stopped_after_the_time_limit(plugin: Path) -> None:
    write_model(plugin, "hangs", "    def fit(self, X, y):\n        time.sleep(600)")
    words = ["task=denial", "model=hangs", "tracking=false", "execution.cell_timeout=6", "execution.workers=6"]
    outcome = run(compose(words), Watching())
    stopped = [failure for failure in outcome.failures if failure.startswith("denial: hangs")]
    assert len(stopped) == 6
    assert all("stopped after 6 s. Raise execution.cell_timeout" in failure for failure in stopped)


def test_a_model_that_hangs_when_it_is_looked_at_is_left_out_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    task, names = load_task("denial"), ("majority", "lexicon", "logreg", "linear-svm")
    pairs = [(replace(load_model("majority"), name=name), task) for name in names]

    def answer(engine: object, unit: Unit) -> object:
        assert unit.limit == 7.0
        name = names[unit.args[0]]
        return {"lexicon": TimedOut(7.0), "logreg": Died(3)}.get(name, Value(name))

    monkeypatch.setattr("bench.planning.plan.outcome_of", answer)
    told: list[str] = []
    first, hung, died, last = _examined(pairs, Execution("local", examine_timeout=7.0), told.append)
    assert (first, last) == ("majority", "linear-svm")  # type: ignore[comparison-overlap]
    assert told[1] == "examining lexicon on denial (2 of 4)"
    assert isinstance(hung, ModelError)
    assert "majority.yaml: examining it hung: it took longer than 7 s and was stopped." in hung.message
    assert "execution.examine_timeout=SECONDS" in str(hung.hint)
    assert isinstance(died, ModelError)
    assert "examining it ended its process, which ended with exit status 3." in died.message


def test_failed_folds_are_tried_again_by_the_same_command(plugin: Path) -> None:
    write_model(
        plugin,
        "mended",
        "    def fit(self, X, y):\n        if not os.path.exists('mended'): raise ValueError\n"
        "        return super().fit(X, y)",
    )
    config = compose(["task=denial", "model=mended", "tracking=false"])
    assert len(run(config, Watching()).failures) == 6
    (plugin / "mended").touch()
    outcome = run(config, Watching())
    assert outcome.failures == []
    assert {row.model: row.kind for row in outcome.leaderboards[0].rows}["mended"] == "model"


def test_an_edited_plugin_is_another_run(plugin: Path) -> None:
    write_model(plugin, "edited", "    pass")
    config = compose(["task=denial", "model=edited", "tracking=false"])
    before = plan(config).runs[-1].folder.key
    write_model(plugin, "edited", "    def extra(self): ...")
    assert plan(config).runs[-1].folder.key != before


@pytest.mark.slow
def test_a_model_that_does_not_fit_the_task_is_an_error_where_it_was_named_and_a_note_elsewhere(plugin: Path) -> None:
    rows = "".join(f"{i},نص رقم {i},{'a' if i % 2 else 'b'},g{i % 4}\n" for i in range(40))
    folder = plugin / "tasks" / "mine"
    folder.mkdir(parents=True)
    (folder / "labels.csv").write_text("id,text,label,group\n" + rows)
    (folder / "task.yaml").write_text(
        "name: mine\nversion: 1\ndescription: d\n"
        "source: {kind: table, path: labels.csv, columns: {id: id, text: text, label: label, group: group}}\n"
        "inputs: [text]\nlabels: [a, b]\ngroup: group\nmetric: macro_f1\n"
    )
    planned = plan(compose(["task=mine"]))
    assert "lexicon" not in {each.evaluation.model.name for each in planned.runs}
    assert [note for note in planned.notes if "lexicon is left out" in note]
    ended = bench("run", "task=mine", "model=lexicon", cwd=plugin)
    assert ended.returncode == 2
    assert "lexicon" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_a_search_space_that_the_model_does_not_take_is_named_before_anything_runs(plugin: Path) -> None:
    path = plugin / "configs" / "model" / "mine.yaml"
    for search, words in {
        "estimator.Cc: [1.0]": ("unknown parameter 'estimator.Cc'", "Did you mean 'estimator.C'?"),
        "estimator.C: {low: 2.0, high: 1.0}": ("the range is empty",),
        "estimator.C: ['a']": ("estimator.C: 'a'",),
        "features.char.ngram_rang: [[2, 4]]": ("features.char.ngram_rang", "Did you mean 'features.char.ngram_range'?"),
    }.items():
        path.write_text(
            f"name: mine\nfeatures: tfidf\nestimator: sklearn.linear_model.LogisticRegression\nsearch:\n  {search}\n"
        )
        ended = bench("run", "task=denial", "model=mine", cwd=plugin)
        assert ended.returncode == 2, ended.stderr
        for word in words:
            assert word in ended.stderr
        assert not (plugin / "results" / "denial").exists()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_a_batch_systems_stop_keep_what_is_finished_and_say_how_to_go_on(
    plugin: Path, sent: signal.Signals
) -> None:
    write_model(plugin, "slow", "    def fit(self, X, y):\n        time.sleep(2)\n        return super().fit(X, y)")
    command = [sys.executable, "-m", "bench", "run", "task=denial", "model=slow", "tracking=false"]
    process = subprocess.Popen(
        [*command, "execution.workers=1"],
        stderr=subprocess.PIPE,
        text=True,
        cwd=plugin,
        # A background job of a script ignores Ctrl-C, and so do its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not list(plugin.glob("results/denial/slow/*/f*")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(sent)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Stopped." in said
    assert "To continue: bench run task=denial model=slow" in said
    assert "Traceback" not in said


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_ends_with_a_message_and_what_was_stored_stays(
    plugin: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", "task=denial", "model=complement-nb", "search=none", "tracking=false", "execution.workers=1"]
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)); import signal; "
    script = limited + "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); import bench.cli; bench.cli.main()"
    ended = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, cwd=plugin, timeout=120
    )
    assert ended.returncode == 1, ended.stderr
    assert "/final: File too large" in ended.stderr
    assert "finished folds are stored" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert bench(*words, cwd=plugin).returncode == 0


def test_blas_is_held_to_one_thread_a_worker() -> None:
    before = dict(os.environ)
    with open_engine() as engine:
        for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            assert outcome_of(engine, Unit(os.getenv, (variable,))) == Value("1")
    assert dict(os.environ) == before


@pytest.mark.slow
def test_piped_output_is_the_table_alone_at_80_columns(plugin: Path) -> None:
    ended = bench("run", "task=denial", "model=lexicon", "tracking=false", cwd=plugin)
    assert ended.returncode == 0
    assert "majority" in ended.stdout
    assert "\x1b" not in ended.stdout + ended.stderr
    assert max(map(len, ended.stdout.splitlines())) <= 80
