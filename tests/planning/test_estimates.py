"""How long a costly model takes is said before it starts, from what its estimator tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_tasks import text_task

from bench.config import Search, compose
from bench.data.splits import outer_splits
from bench.evaluation.evaluation import Evaluation
from bench.models.model import Model
from bench.models.space import SearchSpace
from bench.planning.estimate import LEFT_BY_PRUNING, fold_seconds, one_fit_seconds, time_notes
from bench.planning.plan import plan
from bench.results.cell import FINAL

PLUGIN = '''
import numpy as np
from sklearn.dummy import DummyClassifier


class Slow(DummyClassifier):
    """Says that a row takes `per_row` seconds; takes none."""

    def __init__(self, per_row=1.0, share=0.5):
        super().__init__(strategy="prior")
        self.per_row = per_row
        self.share = share

    def estimate_seconds(self, X, y):
        assert len(X) == len(y)
        if self.per_row < 0:
            raise ValueError("cannot say")
        return self.per_row * len(X)
'''

MODEL = """
name: slow
estimator: plugins.slow.Slow
params: {per_row: 1.0}
search:
  estimator.share: {low: 0.0, high: 1.0}
"""

ROWS, GROUPS = 117, 5  # of the task denial, whose folds leave one document out


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for path, content in (("plugins/slow.py", PLUGIN), ("configs/model/slow.yaml", MODEL)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slow(prune: bool = False, search: bool = True, per_row: float = 1.0) -> Model:
    space = SearchSpace.parse({"share": {"low": 0.0, "high": 1.0}} if search else None, "slow.yaml")
    return Model("slow", "test_estimates.Slow", params={"per_row": per_row}, search=space, prune=prune)


class Slow:
    """What `one_fit_seconds` needs of an estimator."""

    def __init__(self, per_row: float = 1.0, share: float = 0.5) -> None:
        self.per_row, self.share = per_row, share

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> Slow:
        raise NotImplementedError

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        raise NotImplementedError

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"per_row": self.per_row, "share": self.share}

    def set_params(self, **params: Any) -> Slow:
        vars(self).update(params)
        return self

    def estimate_seconds(self, X: pd.DataFrame, y: np.ndarray) -> float:
        return self.per_row * len(X)


def evaluation(model: Model) -> Evaluation:
    task = text_task(n_groups=5, per_group=10)
    return Evaluation(task, model, outer_splits(task.codes, task.groups, "document", 5, 0, 1), Search("s", 10), 3, 0)


def test_a_fold_takes_its_inner_fits_for_every_setting_and_the_last_fit() -> None:
    each = evaluation(slow())
    one_fit = one_fit_seconds(each)
    assert one_fit == 50.0
    # A fold trains on 40 of the 50 rows, and its four inner folds on 30 each; the final cell on 50 and five times 40.
    assert fold_seconds(each, 0, one_fit, Search("s", 10)) == pytest.approx(10 * 4 * 30 + 40)
    assert fold_seconds(each, FINAL, one_fit, Search("s", 10)) == pytest.approx(10 * 5 * 40 + 50)
    assert fold_seconds(each, 0, one_fit, Search("s", 0)) == pytest.approx(40)
    assert fold_seconds(evaluation(slow(search=False)), 0, one_fit, Search("s", 10)) == pytest.approx(40)
    limited = fold_seconds(each, 0, one_fit, Search("s", 10, timeout=200.0))
    assert limited == pytest.approx(200 + 120 + 40)  # the setting that is being tried at the limit is ended


def test_pruning_leaves_part_of_the_fits() -> None:
    each = evaluation(slow(prune=True))
    fits = 10 * LEFT_BY_PRUNING
    assert fold_seconds(each, 0, 50.0, Search("s", 10)) == pytest.approx(fits * 4 * 30 + 40)
    assert fold_seconds(each, 0, 50.0, Search("s", 2)) == pytest.approx(2 * 4 * 30 + 40)


@pytest.mark.parametrize("per_row", [float("nan"), float("inf"), -1.0])
def test_an_estimate_that_is_no_number_of_seconds_is_refused(per_row: float) -> None:
    with pytest.raises(ValueError, match="expected a number of seconds"):
        one_fit_seconds(evaluation(slow(per_row=per_row)))


def notes(*words: str, workers: int = 1) -> list[str]:
    execution = f"execution.workers={workers}"
    config = compose(["task=denial", "model=slow", "results=r", "tracking=false", execution, *words])
    return [note for note in plan(config).notes if "slow" in note]


def test_a_long_run_is_announced_with_what_smaller_searches_take(folder: Path) -> None:
    told = notes("search=standard", "execution.cell_timeout=null")
    # Rows that train: four times the examples in the outer folds, once in the final fit; of these, three and four times
    # on inner folds. So 5 x 117 s without a search, and 16 x 117 s more for a setting.
    hours = (5 + 16 * 30) * ROWS / 3600
    quick = (5 + 16 * 10) * ROWS / 3600
    assert told == [
        f"denial: slow takes about {hours:.1f} hours on this machine (30 settings a fold); "
        f"search=quick about {quick:.1f} hours, search=none about {5 * ROWS / 60:.0f} minutes"
    ]
    (parallel,) = notes("search=none", "execution.cell_timeout=null", workers=3)
    assert parallel == f"denial: slow takes about {5 * ROWS / 60 / 3:.0f} minutes on this machine"


def test_a_run_of_less_than_a_minute_is_not_announced(folder: Path) -> None:
    assert notes("search=none", "model.params.per_row=0.09") == []
    assert len(notes("search=none", "model.params.per_row=0.11")) == 1


def test_a_fold_that_comes_near_its_limit_is_announced_with_the_value_to_give(folder: Path) -> None:
    words = ("search=none", "model.params.per_row=10")
    assert notes(*words, "execution.cell_timeout=2400") == [
        "denial: slow takes about 98 minutes on this machine"
    ]  # the longest fold is the final fit: 1,170 s
    _, told = notes(*words, "execution.cell_timeout=2000")
    assert told == (
        "denial: slow: a fold takes about 20 minutes, and is stopped after execution.cell_timeout "
        "(33 minutes). Add execution.cell_timeout=3600 (finished folds are kept)"
    )
    assert len(notes(*words, "execution.cell_timeout=3600")) == 1


def test_folds_that_share_a_gpu_wait_for_each_other_and_their_limit_counts_that(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("search=none", "model.params.per_row=10", "execution.cell_timeout=3600", "tracking=false")
    config = compose(["task=denial", "model=slow", "results=r", "execution.workers=4", *words])
    each = next(run for run in plan(config).runs if run.evaluation.model.name == "slow")
    assert len(time_notes([each], config, 4)) == 1  # the longest fold, of 1,170 s, is far from the limit by itself
    each.record = replace(each.record, environment=replace(each.record.environment, device="cuda (a GPU)"))
    whole, told = time_notes([each], config, 4)
    assert "98 minutes" in whole
    assert "a fold takes about 78 minutes" in told


def test_a_search_that_was_not_asked_for_may_be_wrong(folder: Path) -> None:
    path = folder / "configs" / "search" / "mine.yaml"
    path.parent.mkdir(parents=True)
    for content in ("timeout: 600\n", "[", "trials: many\n"):
        path.write_text(content)
        (told,) = notes("search=quick", "execution.cell_timeout=null")
        assert "search=none about" in told


def test_an_estimator_that_cannot_say_does_not_stop_the_run(folder: Path) -> None:
    assert notes("model.params.per_row=-1") == ["denial: slow: its time cannot be estimated: ValueError: cannot say"]


@pytest.mark.slow
def test_the_announcement_is_printed_before_the_run_and_not_for_what_is_stored(folder: Path, bench: Any) -> None:
    words = ("run", "task=denial", "model=slow", "search.trials=1", "results=r", "tracking=false")
    status, _, err = bench(*words)
    lines = [line for line in err.splitlines() if "slow takes about" in line]
    assert status == 0, err
    assert len(lines) == 1
    assert lines[0].startswith("note: denial: slow takes about ")
    assert err.index("takes about") < err.index("folds to do")
    status, _, err = bench(*words)
    assert status == 0
    assert "takes about" not in err
