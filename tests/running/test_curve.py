"""Learning curves: growing parts that keep the promises of a split, and verdicts that noise does not make."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from quiet import Quiet
from small_tasks import text_task

from bench.cli import main
from bench.comparison.curves import REGION, curve_verdict
from bench.config import compose
from bench.data.splits import outer_splits
from bench.errors import ConfigError
from bench.metrics.registry import find_metric
from bench.planning.curve_parts import curve_parts, keep_examples, keep_groups
from bench.results.curves import Curve, stored_curves
from bench.results.layout import CURVES
from bench.results.store import RunFolder, stored_runs
from bench.running.curve import run_curves
from bench.running.job import InterruptedRun
from bench.running.runner import run
from bench.statistics.interval import Interval
from bench.statistics.paired import Difference

LABELS = ("economy", "sport")

BAYES = """\
name: bayes
features: words
estimator: sklearn.naive_bayes.ComplementNB
search:
  estimator.alpha: [0.1, 1.0]
"""

PICKY = """\
from sklearn.dummy import DummyClassifier


class Picky(DummyClassifier):
    def fit(self, X, y):
        if len(y) < 50:
            raise ValueError("too few examples")
        return super().fit(X, y)
"""


class Watching(Quiet):
    """An observer that remembers what was to run, and may stop it."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.cells: list[Any] = []
        self.notes: list[str] = []
        self._done, self._stop_after = 0, stop_after

    def planned(self, plan: Any, cells: Sequence[Any]) -> None:
        self.cells, self.notes = list(cells), plan.notes

    def finished(self, run: Any, result: Any) -> None:
        self._done += 1
        if self._done == self._stop_after:
            raise KeyboardInterrupt


def rows_of(draw: Any) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    pairs = draw(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abcde")), min_size=1, max_size=80))
    codes, groups = zip(*pairs, strict=True)
    return np.array(codes, dtype=np.intp), np.array(groups)


fractions = st.builds(lambda a, b: Fraction(min(a, b), max(a, b)), st.integers(1, 32), st.integers(1, 32))


@given(st.data(), fractions, fractions, st.integers(0, 99))
def test_a_larger_part_holds_the_smaller(data: st.DataObject, one: Fraction, other: Fraction, seed: int) -> None:
    codes, groups = rows_of(data.draw)
    small, large = sorted((one, other))
    for keep in (lambda f: keep_groups(groups, f, seed), lambda f: keep_examples(codes, groups, f, seed)):
        assert not (keep(small) & ~keep(large)).any()
        assert keep(Fraction(1)).all()


@given(st.data(), fractions, st.integers(0, 99))
def test_on_the_axis_of_groups_no_group_is_cut_and_the_number_is_the_share(
    data: st.DataObject, fraction: Fraction, seed: int
) -> None:
    _, groups = rows_of(data.draw)
    kept = keep_groups(groups, fraction, seed)
    inside, outside = set(groups[kept]), set(groups[~kept])
    assert not inside & outside
    share = fraction * len(inside | outside)
    assert len(inside) == 1 or abs(len(inside) - share) <= Fraction(1, 2)
    assert inside


@given(st.data(), fractions, st.integers(0, 99))
def test_on_the_axis_of_examples_every_group_keeps_its_share_of_every_label(
    data: st.DataObject, fraction: Fraction, seed: int
) -> None:
    codes, groups = rows_of(data.draw)
    kept = keep_examples(codes, groups, fraction, seed)
    for name in set(groups):
        of_group = groups == name
        n, count = int(of_group.sum()), int((of_group & kept).sum())
        assert count == max(1, int(fraction * n + Fraction(1, 2)))
        labels = set(codes[of_group].tolist())
        for code in labels:
            of_label = of_group & (codes == code)
            m, got = int(of_label.sum()), int((of_label & kept).sum())
            assert abs(got - count * m / n) <= 1 + len(labels) * m / n


def test_the_only_example_of_a_label_is_kept_as_often_as_any_other() -> None:
    codes, groups = np.array([0] * 15 + [1]), np.array(["a"] * 16)
    kept = np.array([keep_examples(codes, groups, Fraction(1, 4), seed) for seed in range(2000)])
    assert abs(kept[:, -1].mean() - 0.25) < 0.05
    assert abs(kept[:, :-1].mean() - 0.25) < 0.01


@settings(max_examples=10)
@given(st.integers(2, 14), st.integers(1, 12), st.integers(0, 9))
def test_parts_keep_the_outer_test_parts_and_never_leave_the_training_part(n: int, size: int, seed: int) -> None:
    task = text_task(n_groups=n, per_group=size)
    outer = outer_splits(task.codes, task.groups, task.group, 5, seed, 1)
    parts = curve_parts(task, outer, seed)
    assert parts[-1].axis is None
    assert all(mine is theirs for mine, theirs in zip(parts[-1].splits, outer, strict=True))
    sizes: dict[Any, list[int]] = {}
    for part in parts:
        for mine, theirs in zip(part.splits, outer, strict=True):
            assert mine.test.tolist() == theirs.test.tolist()
            assert len(mine.train)
            assert np.isin(mine.train, theirs.train).all()
        sizes.setdefault(part.axis, []).append(sum(len(split.train) for split in part.splits))
    for axis, along in sizes.items():
        assert along == sorted(set(along)), axis
        assert axis is None or along[-1] < sizes[None][0]
    again = [part.digest(task.ids) for part in curve_parts(task, outer, seed)]
    assert [part.digest(task.ids) for part in parts] == again
    assert len(set(again)) == len(parts)


def test_few_groups_are_added_one_at_a_time_and_many_doubled() -> None:
    def groups(n: int) -> list[set[int]]:
        task = text_task(n_groups=n, per_group=3)
        outer = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
        parts = [part for part in curve_parts(task, outer, 0) if part.axis != "examples"]
        return [{len(set(task.groups[split.train])) for split in part.splits} for part in parts]

    assert groups(5) == [{1}, {2}, {3}, {4}]
    assert groups(40) == [{2}, {4}, {8}, {16}, {32}]


def test_where_every_example_is_a_group_there_is_one_axis() -> None:
    task = text_task(n_groups=40, per_group=1)
    outer = outer_splits(task.codes, task.groups, task.group, 5, 0, 1)
    assert {part.axis for part in curve_parts(task, outer, 0)} == {"groups", None}


def found(low: float, high: float) -> Difference:
    return Difference((low + high) / 2, 0.01, Interval(low, high), 0.5)


@pytest.mark.parametrize(
    ("difference", "metric", "kind"),
    [
        (found(0.01, 0.07), "macro_f1", "rising"),
        (found(-0.07, -0.01), "macro_f1", "falling"),
        (found(-0.07, -0.01), "log_loss", "rising"),
        (found(-REGION / 2, REGION / 2), "macro_f1", "flat"),
        (found(-0.01, 0.07), "macro_f1", "undecided"),
        (Difference(0.1, None, None, None), "macro_f1", "undecided"),
        (None, "macro_f1", "undecided"),
    ],
)
def test_the_verdict_follows_the_rule(difference: Difference | None, metric: str, kind: str) -> None:
    assert curve_verdict("groups", "1/2", difference, find_metric(metric), 5).kind == kind


def test_the_verdict_is_said_in_words() -> None:
    told = curve_verdict("groups", "1/2", found(0.01, 0.072), find_metric("macro_f1"), 5)
    assert told.text == "still rising: +0.041 [+0.010, +0.072] from half of the groups to all; more groups should help"
    told = curve_verdict("examples", "1/2", found(-0.1, 0.2), find_metric("macro_f1"), 5)
    assert told.text == "undecided with 5 groups: +0.050 [-0.100, +0.200] from half of the examples to all"


def vocabulary_task(folder: Path, name: str, shuffled: bool, n_groups: int = 12, size: int = 40) -> None:
    """A task on which every label has 120 cue words, one a text: the more labels, the more words are known."""
    rng = np.random.default_rng(1)
    labels = np.resize(LABELS, n_groups * size)
    words = [f"{label}{number}" for label, number in zip(labels, rng.integers(120, size=len(labels)), strict=True)]
    frame = pd.DataFrame(
        {
            "headline": [f"{word} {' '.join(rng.choice(list('abcdefgh'), 4))} n{i}" for i, word in enumerate(words)],
            "topic": rng.permutation(labels) if shuffled else labels,
            "outlet": np.repeat([f"g{number}" for number in range(n_groups)], size),
        }
    )
    (folder / "tasks" / name).mkdir(parents=True)
    frame.to_csv(folder / "tasks" / name / "headlines.csv", index=False)
    (folder / "tasks" / name / "task.yaml").write_text(
        f"name: {name}\ndescription: What a headline is about.\nsource:\n  kind: table\n  path: headlines.csv\n"
        "  columns: {text: headline, label: topic, group: outlet}\ninputs: [text]\nlabels: [economy, sport]\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("curves")
    vocabulary_task(folder, "learnable", shuffled=False)
    vocabulary_task(folder, "shuffled", shuffled=True)
    (folder / "configs" / "model").mkdir(parents=True)
    (folder / "configs" / "model" / "bayes.yaml").write_text(BAYES)
    (folder / "configs" / "model" / "picky.yaml").write_text("name: picky\nestimator: picky_module.Picky\n")
    (folder / "picky_module.py").write_text(PICKY)
    return folder


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def words(task: str, results: Path | str, *more: str) -> list[str]:
    return [
        f"task={task}",
        "model=bayes",
        "search.trials=1",
        "validation.folds=3",
        "tracking=false",
        f"results={results}",
        *more,
    ]


@pytest.fixture(scope="module")
def finished(folder: Path) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run_curves(compose(words("learnable", "once")), Watching()).failures == []
    return folder / "once"


def curve_of(results: Path, task: str = "learnable") -> Curve:
    (curve,) = stored_curves(results, task)
    return curve


def numbers(results: Path) -> dict[str, bytes]:
    kept = ("result.json", "predictions.csv", "summary.json")
    return {str(path.relative_to(results)): path.read_bytes() for path in results.rglob("*") if path.name in kept}


@pytest.mark.slow
def test_more_labels_help_where_there_is_more_to_learn(finished: Path) -> None:
    summary = curve_of(finished).summary
    for axis in ("groups", "examples"):
        scores = [point.scores["macro_f1"] for point in summary.axes[axis]]
        assert scores[-1] > scores[0] + 0.1
        assert summary.verdicts[axis].kind == "rising"
        assert summary.verdicts[axis].part == "1/2"
    assert summary.axes["groups"][-1] == summary.axes["examples"][-1]


@pytest.mark.slow
def test_shuffled_labels_give_no_verdict_that_more_would_help(tmp_path: Path) -> None:
    run_curves(compose(words("shuffled", tmp_path)), Watching())
    summary = curve_of(tmp_path, "shuffled").summary
    kinds = {axis: told.kind for axis, told in summary.verdicts.items()}
    assert set(kinds) == {"groups", "examples"}
    assert set(kinds.values()) <= {"flat", "undecided"}


@pytest.mark.slow
def test_the_whole_training_part_gives_what_bench_run_gives(finished: Path, tmp_path: Path) -> None:
    run(compose(words("learnable", tmp_path)), Watching())
    (stored,) = [each for each in stored_runs(tmp_path, "learnable") if "bayes" in str(each.path)]
    curve = curve_of(finished)
    whole = RunFolder(curve.path / "all")
    assert curve.record.run == stored.key
    assert whole.folds() == stored.folds() == [0, 1, 2]
    for fold in stored.folds():
        for name in ("predictions.csv", "result.json"):
            assert (whole.cell_path(fold) / name).read_bytes() == (stored.cell_path(fold) / name).read_bytes()
    summary, point = stored.read_summary(), curve.summary.axes["groups"][-1]
    assert point.scores == summary.scores
    assert point.intervals["macro_f1"] == summary.intervals["macro_f1"]


@pytest.mark.slow
def test_the_same_command_after_an_interruption_runs_only_what_is_missing(finished: Path, tmp_path: Path) -> None:
    config = compose(words("learnable", tmp_path))
    with pytest.raises(InterruptedRun) as stopped:
        run_curves(config, Watching(stop_after=7))
    assert stopped.value.kept == 7
    resumed, again = Watching(), Watching()
    run_curves(config, resumed)
    assert len(resumed.cells) == stopped.value.missing
    assert numbers(tmp_path) == numbers(finished)
    run_curves(config, again)
    assert again.cells == []

    (record,) = tmp_path.rglob("run.json")
    record.write_text(record.read_text("utf-8").replace('"status": "complete"', '"status": "running"'), "utf-8")
    (record.parent / "summary.json").unlink()
    assert run_curves(config, Watching()).failures == []  # A command was killed as its last fold was stored.
    assert '"status": "complete"' in record.read_text("utf-8")
    assert numbers(tmp_path) == numbers(finished)

    changed = Watching(stop_after=1)
    with pytest.raises(InterruptedRun):
        run_curves(compose(words("learnable", tmp_path, "seed=1")), changed)
    assert len(changed.cells) == stopped.value.kept + stopped.value.missing


def test_curves_are_no_runs(finished: Path) -> None:
    assert stored_runs(finished, "learnable") == []
    assert list(finished.glob("*/*/*/run.json")) == []
    assert [path.parent.parent.parent.name for path in finished.rglob("run.json")] == [CURVES]


@pytest.mark.slow
def test_the_time_is_told_beforehand_where_the_run_is_stored(tmp_path: Path) -> None:
    config = compose(words("learnable", tmp_path))
    run(config, Watching())
    observer = Watching(stop_after=1)
    with pytest.raises(InterruptedRun):
        run_curves(config, observer)
    assert any("estimated from its stored run" in note for note in observer.notes)


def test_a_part_that_fails_is_shown_as_failed_and_the_rest_is_scored(tmp_path: Path) -> None:
    outcome = run_curves(compose(["task=learnable", "model=picky", f"results={tmp_path}"]), Watching())
    assert outcome.failures
    assert all("too few examples" in failure for failure in outcome.failures)
    (curve,) = outcome.curves
    first, *_, last = curve.summary.axes["groups"]
    assert (first.failed, first.scores) == (5, {})
    assert last.failed == 0
    assert last.scores["accuracy"] > 0
    assert curve.record.status == "failed"
    assert curve.summary.verdicts["groups"].difference is not None


def test_the_command_prints_a_table_an_axis_and_verdicts_at_80_columns(
    finished: Path, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", "curve", *words("learnable", "once")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (None, 0)
    out, err = capsys.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert "More groups" in out
    assert "More examples" in out
    assert out.count("still rising: +") == 2
    assert "24 stored already and reused" in err
    summary = json.loads((curve_of(finished).path / "summary.json").read_text())
    for axis in ("groups", "examples"):
        for point in summary["axes"][axis]:
            assert f"{point['scores']['macro_f1']:.3f}" in out


def test_a_curve_without_a_named_model_is_a_mistake_that_says_what_to_add() -> None:
    with pytest.raises(ConfigError, match="No model was named"):
        run_curves(compose(["task=learnable"]), Watching())
