"""The engine that a command's work is given to, and the libraries that its workers have loaded."""

from __future__ import annotations

from bench.engines.engine import Engine, Unit
from bench.engines.processes import start_server

LIBRARIES = (
    "bench.evaluation.evaluate",
    "bench.planning.examine",
    "bench.features.cache",
    "sklearn.dummy",
    "sklearn.linear_model",
    "sklearn.pipeline",
)
"""What nearly every unit imports."""


def warm_up() -> None:
    """Start importing scikit-learn for the workers, beside this process."""
    start_server(LIBRARIES)


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
