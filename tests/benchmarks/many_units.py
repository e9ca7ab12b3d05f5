"""Run 10,000 units of 10 ms on four workers, of Dask and of the local engine, and compare with the ideal.

    python tests/benchmarks/many_units.py [--units 10000] [--seconds 0.01] [--workers 4]

The ideal is the units' seconds divided by the workers. A unit sleeps, so that the workers need no core each. The memory
of this process is read as the units end: it should not grow with their number.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable

from bench.engines.dask import DaskEngine
from bench.engines.dask_cluster import ClusterPlace
from bench.engines.engine import Engine, Unit, Value
from bench.engines.local import LocalEngine

PARTS = 4
"""How often the memory is read."""


def run(engine: Engine, units: int, seconds: float) -> tuple[float, list[float]]:
    """Run units that sleep; the seconds until all have ended, and this process's MiB after each part of them.

    Parameters
    ----------
    engine : Engine
        The engine, whose workers are there.
    units : int
        How many to run.
    seconds : float
        How long each sleeps.
    """
    memory = []
    started = time.monotonic()
    numbers = {engine.submit(Unit(time.sleep, (seconds,))) for _ in range(units)}
    while numbers:
        for number, outcome in engine.outcomes(within=1):
            assert outcome == Value(None), outcome
            numbers.remove(number)
            if len(numbers) % (units // PARTS) == 0:
                memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return time.monotonic() - started, memory


def main() -> None:
    """Measure both engines, and print each beside the ideal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--workers", type=int, default=4)
    args = parser.parse_args()
    ideal = args.units * args.seconds / args.workers
    opened: dict[str, Callable[[], Engine]] = {
        "local": lambda: LocalEngine(args.workers),
        "dask": lambda: DaskEngine(ClusterPlace(workers=args.workers)),
    }
    for name, engine_of in opened.items():
        with engine_of() as engine:
            while engine.at_once < args.workers:
                time.sleep(0.1)
            run(engine, args.workers * 10, args.seconds)
            seconds, memory = run(engine, args.units, args.seconds)
        held = ", ".join(f"{size:.0f}" for size in memory)
        print(f"{name}: {seconds:.1f} s, {seconds / ideal:.2f} times the ideal; MiB: {held}", flush=True)


if __name__ == "__main__":
    main()
