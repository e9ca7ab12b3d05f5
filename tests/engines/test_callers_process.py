"""A program that calls the package is left as it was: nothing of its process is ours to set."""

from __future__ import annotations

import csv
import importlib
import json
import locale
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MINE = """\
from sklearn.dummy import DummyClassifier


class Mine(DummyClassifier):
    def predict(self, X):
        import beside

        return super().predict(X)
"""
LIBRARIES = ("datasets", "huggingface_hub", "optuna", "pandas", "pooch", "sklearn.linear_model", "transformers")
"""What changes a process by itself when it is imported, such as the filters of warnings."""


def state() -> dict[str, Any]:
    """What of a process everybody in it shares, as far as Python and the libraries tell it."""
    import datasets
    import huggingface_hub.utils
    import numpy as np
    import optuna
    import pandas as pd
    import pooch
    import torch
    import transformers

    importlib.import_module("skops.io")  # It imports Dask where that is installed, which finds modules its own way.
    loggers = {name: logging.getLogger(name) for name in ("mlflow", "alembic", "bench", "datasets", "skops")}
    return {
        "environment": dict(os.environ),
        "path": list(sys.path),
        "finders": [repr(finder) for finder in (*sys.meta_path, *sys.path_hooks)],
        "barred modules": sorted(name for name, module in sys.modules.items() if module is None),
        "script": repr(sys.modules["__main__"]),
        "folder": str(Path.cwd()),
        "mask of new files": oct(_umask()),
        "locale": locale.setlocale(locale.LC_ALL),
        "signals": {number.name: repr(signal.getsignal(number)) for number in signal.valid_signals() if _named(number)},
        "blocked signals": sorted(map(str, signal.pthread_sigmask(signal.SIG_BLOCK, ()))),
        "streams": [repr(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "hooks": [repr(hook) for hook in (sys.excepthook, threading.excepthook, sys.displayhook, sys.unraisablehook)],
        "filters of warnings": list(map(repr, warnings.filters)),
        "how warnings are shown": repr(warnings.showwarning),
        "handlers": repr(logging.getLogger().handlers),
        "levels": {name: logger.level for name, logger in loggers.items()} | {"": logging.getLogger().level},
        "longest cell": csv.field_size_limit(),
        "recursion": sys.getrecursionlimit(),
        "random": repr(random.getstate()),
        "NumPy's random": repr(np.random.get_state()),
        "NumPy's errors": np.geterr(),
        "torch's random": torch.random.get_rng_state().tolist(),
        "torch": [
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            str(torch.get_default_dtype()),
        ],
        "pandas": [pd.get_option("display.max_rows"), pd.get_option("future.infer_string")],
        "optuna": optuna.logging.get_verbosity(),
        "pooch": pooch.get_logger().level,
        "datasets": [datasets.are_progress_bars_disabled(), datasets.logging.get_verbosity()],
        "hub": huggingface_hub.utils.are_progress_bars_disabled(),  # type: ignore[attr-defined]
        "transformers": [transformers.logging.get_verbosity(), transformers.logging.is_progress_bar_enabled()],
    }


def _umask() -> int:
    mask = os.umask(0o22)
    os.umask(mask)
    return mask


def _named(number: int) -> bool:
    return isinstance(number, signal.Signals)


def calls() -> dict[str, Callable[[], object]]:
    """What a program may have the package do, in order, in a folder with a model and a task of its own."""
    from quiet import Quiet

    from bench.catalogue import load_model, load_task
    from bench.comparison.board import refresh_leaderboards
    from bench.comparison.compare import compare
    from bench.comparison.importance import importance
    from bench.comparison.predictions import read_side_by_side
    from bench.comparison.request import parse_compare_request
    from bench.comparison.selection import select_each
    from bench.config import compose
    from bench.data.export import export_task
    from bench.planning.plan import plan
    from bench.prediction.choice import choose_run, parse_predict_request
    from bench.prediction.fitted import load_fitted
    from bench.prediction.labelling import label_rows
    from bench.prediction.reading import read_texts_file
    from bench.reporting.html.page import render_report
    from bench.results.store import stored_runs
    from bench.running.runner import run

    words = ["task=own", "model=mine,complement-nb", "search.trials=3", "tracking=false", "validation.folds=2"]
    compared, results = parse_compare_request(["task=own"]), Path("results")

    def page() -> None:
        def render(title: str, selected: Any) -> None:
            runs = read_side_by_side(selected, compared.metric)
            render_report(runs, compare(runs, compared.rope, compared.baseline))

        refresh_leaderboards(compared)
        select_each(compared, render)

    def predict(model: str) -> None:
        request = parse_predict_request(["task=own", f"model={model}"])
        fitted = load_fitted(choose_run(request).folder, request.overrides)
        new = read_texts_file(Path("own.csv"), {"text": "text"}, fitted.columns, {})
        assert len(list(label_rows(fitted, new.rows, new.columns, new.answers))) == 24

    return {
        "a task": lambda: load_task("own"),
        "a task of the package": lambda: load_task("denial"),
        "a model": lambda: load_model("mine").build_estimator({}, load_task("own"), 0),
        "a plan": lambda: plan(compose(words), lambda what: None),
        "a run": lambda: run(compose(words), Quiet()),
        "a comparison and a page": page,
        "what mattered in a search": lambda: [
            importance(each, each.read_record()) for each in stored_runs(results, "own")
        ],
        "an exported task": lambda: export_task(load_task("own"), Path("own-dataset"), "dataset"),
        "labels by a model": lambda: predict("complement-nb"),
        "labels by a model of the folder": lambda: predict("mine"),
    }


def main() -> None:
    """Make the calls, and print what each of them changed."""
    for library in LIBRARIES:
        __import__(library)
    before = state()
    changed = {}
    made = calls()
    for name, call in {"the imports": lambda: None, **made}.items():
        call()
        after = state()
        changed[name] = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
        before = after
    print(json.dumps({name: what for name, what in changed.items() if what}))


@pytest.mark.slow
def test_nothing_of_the_process_is_changed_by_what_is_called(tmp_path: Path) -> None:
    rows = [f"{'نفى' if n % 2 else 'أكد'} المصدر رقم {n},{'yes' if n % 2 else 'no'},g{n // 4}\n" for n in range(24)]
    (tmp_path / "tasks" / "own").mkdir(parents=True)
    (tmp_path / "configs" / "model").mkdir(parents=True)
    (tmp_path / "tasks" / "own" / "own.csv").write_text("text,label,group\n" + "".join(rows))
    (tmp_path / "own.csv").write_text("text,label,group\n" + "".join(rows))
    (tmp_path / "tasks" / "own" / "task.yaml").write_text(
        "name: own\ndescription: Who denies.\ninputs: [text]\nlabels: ['no', 'yes']\ngroup: group\nmetric: macro_f1\n"
        "source: {kind: table, path: own.csv, columns: {text: text, label: label, group: group}}\n"
    )
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "configs" / "model" / "mine.yaml").write_text("name: mine\nestimator: mine.Mine\n")
    script = "import test_callers_process; test_callers_process.main()"
    here = Path(__file__)
    places = [str(here.parents[2]), str(here.parent), str(here.parents[1] / "helpers")]
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {}, done.stdout
