"""A benchmark harness for Arabic text classification on small labelled corpora."""

# Nothing is imported here: while `python -m bench` starts, modules are still looked for in the current folder first.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.api.archives import Shares, estimate
    from bench.api.arrays import evaluate, splits
    from bench.api.comparing import Board, Compared, compare, leaderboard, report
    from bench.api.estimators import Model
    from bench.api.jobs import Curves, FailedRunWarning, curve, run
    from bench.api.labelling import predict
    from bench.api.more_labels import AddedLabels, Draw, Suspects, add, sample, suspects
    from bench.api.stored import Run, Runs, runs
    from bench.api.stressing import StressTests, stress
    from bench.api.tasks import Findings, check, load_task, new_task
    from bench.data.task import Task
    from bench.stressing.perturbation import Perturbation

__version__ = "0.1.0"

_HOMES = {
    "AddedLabels": "bench.api.more_labels",
    "Board": "bench.api.comparing",
    "Compared": "bench.api.comparing",
    "Curves": "bench.api.jobs",
    "Draw": "bench.api.more_labels",
    "FailedRunWarning": "bench.api.jobs",
    "Findings": "bench.api.tasks",
    "Model": "bench.api.estimators",
    "Perturbation": "bench.stressing.perturbation",
    "Run": "bench.api.stored",
    "Runs": "bench.api.stored",
    "Shares": "bench.api.archives",
    "StressTests": "bench.api.stressing",
    "Suspects": "bench.api.more_labels",
    "Task": "bench.data.task",
    "add": "bench.api.more_labels",
    "check": "bench.api.tasks",
    "compare": "bench.api.comparing",
    "curve": "bench.api.jobs",
    "estimate": "bench.api.archives",
    "evaluate": "bench.api.arrays",
    "leaderboard": "bench.api.comparing",
    "load_task": "bench.api.tasks",
    "new_task": "bench.api.tasks",
    "predict": "bench.api.labelling",
    "report": "bench.api.comparing",
    "run": "bench.api.jobs",
    "runs": "bench.api.stored",
    "sample": "bench.api.more_labels",
    "splits": "bench.api.arrays",
    "stress": "bench.api.stressing",
    "suspects": "bench.api.more_labels",
}
"""The module that each public name is loaded from when it is first used."""

__all__ = [
    "AddedLabels",
    "Board",
    "Compared",
    "Curves",
    "Draw",
    "FailedRunWarning",
    "Findings",
    "Model",
    "Perturbation",
    "Run",
    "Runs",
    "Shares",
    "StressTests",
    "Suspects",
    "Task",
    "add",
    "check",
    "compare",
    "curve",
    "estimate",
    "evaluate",
    "leaderboard",
    "load_task",
    "new_task",
    "predict",
    "report",
    "run",
    "runs",
    "sample",
    "splits",
    "stress",
    "suspects",
]


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'bench' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
