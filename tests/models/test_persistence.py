"""How models are stored: what a process imports for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from importing import same_path

STORED_AND_READ = """
import sys
import sklearn.utils
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import LinearSVC
from bench.models.persistence import dumps, loads
from bench.support.process import own_this_process

own_this_process()
listed = sklearn.utils.all_estimators
X, y = [[0.0], [1.0], [2.0], [3.0]] * 5, ["a", "a", "b", "b"] * 5
fitted = CalibratedClassifierCV(LinearSVC()).fit(X, y)
assert loads(dumps(fitted)).predict_proba(X).tolist() == fitted.predict_proba(X).tolist()
assert sklearn.utils.all_estimators is listed
print([name for name in ("dask", "pytest", "torch") if name in sys.modules])
"""


@pytest.mark.slow
def test_a_command_stores_and_reads_a_model_without_all_that_skops_imports() -> None:
    environment = {**os.environ, "PYTHONPATH": same_path()}
    done = subprocess.run(
        [sys.executable, "-c", STORED_AND_READ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "[]\n"
