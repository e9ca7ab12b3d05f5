"""The engine that a command's work is given to, and the libraries that its workers have loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bench.engines.engine import Engine, Unit
from bench.engines.processes import start_server
from bench.engines.state_folder import remove_abandoned_states
from bench.errors import UserError
from bench.support.cache import cache_folder

if TYPE_CHECKING:
    from bench.config import Execution
    from bench.models.model import Model

LIBRARIES = (
    "bench.evaluation.evaluate",
    "bench.planning.examine",
    "bench.features.cache",
    "bench.models.adjusted",
    "bench.running.cells",
    "sklearn.dummy",
    "sklearn.linear_model",
    "sklearn.pipeline",
    "bench.planning.loaded",
)
"""Modules that nearly every unit imports."""


def warm_up() -> None:
    """Start importing scikit-learn for the workers in parallel."""
    start_server(LIBRARIES)


def remove_leftovers() -> None:
    """Remove the files of engines whose commands were killed, which a command without work would otherwise leave."""
    remove_abandoned_states(_states())


def open_engine(device: str = "auto", at_once: int = 1, state: Unit | None = None) -> Engine:
    """An engine of this machine.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        What torch computes on.
    at_once : int
        Units that run at the same time.
    state : Unit, optional
        What each worker makes once and gives to its units.
    """
    warm_up()
    # Pebble is imported while the libraries are.
    from bench.engines.local import LocalEngine

    return LocalEngine(at_once, device, state)


def open_cells_engine(
    execution: Execution,
    at_once: int,
    state: Unit | None = None,
    models: Iterable[Model] = (),
    note: Callable[[str], object] = lambda told: None,
) -> Engine:
    """The engine that cells run on.

    Parameters
    ----------
    execution : Execution
        Where they run.
    at_once : int
        Units that run at the same time on this machine; a cluster that is there has as many as it has.
    state : Unit, optional
        What each worker makes once and gives to its units.
    models : iterable of Model
        The models of the cells, whose code must be the same on all machines.
    note : callable, optional
        Is called with sentences for the user, possibly in another thread.

    Raises
    ------
    bench.errors.UserError
        If the cluster cannot be used.
    """
    if execution.engine == "local":
        return open_engine(execution.device, at_once, state)
    warm_up()
    try:
        from bench.engines.dask import DaskEngine
        from bench.engines.dask_cluster import ClusterPlace
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("dask", "dask_jobqueue", "distributed", "cryptography"):
            raise
        raise UserError(
            f"execution={execution.name}: {error.name} is not installed.",
            f"Install it: pip install 'bench-arabic[{execution.engine}]'",
        ) from error
    from bench.planning.alike import facts

    place = ClusterPlace(
        execution.scheduler,
        execution.certificates,
        execution.insecure,
        at_once,
        LIBRARIES,
        jobs=execution.slurm,
        scratch=cache_folder() / "jobs",
    )
    paths = sorted({path for model in models for path in (model.estimator, model.features) if path is not None})
    unit = Unit(facts, (tuple(paths),))
    return DaskEngine(place, execution.device, state, unit, _states(), note)


def _states() -> Path:
    return cache_folder() / "states"
