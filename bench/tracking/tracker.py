"""The tracker: it logs stored runs to MLflow, in a process beside this one, while others are still computed."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bench.engines.engine import Died, Failed, Outcome, TimedOut, Unit
from bench.errors import BenchError
from bench.tracking.uri import tracking_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient


class Tracker:
    """Logs finished runs, so that nobody waits for MLflow.

    It never raises into a run: what went wrong is returned by `close`, and the results stay as they
    are. Tracking them again is safe, because a run is logged once. Left by an exception, it stops
    at once, and the runs that it had not logged yet are logged when they are tracked again.

    Parameters
    ----------
    results : pathlib.Path
        The results folder, which decides where MLflow's store is; see `tracking_uri`.

    Examples
    --------
    >>> with Tracker(Path("results")) as tracker:  # doctest: +SKIP
    ...     tracker.open()
    ...     tracker.track(Path("results/stance/logreg/0123456789ab"))
    ...     tracker.close(timeout=60)
    []
    """

    def __init__(self, results: Path) -> None:
        self._tracked: dict[int, Path] = {}
        self._errors: list[str] | None = None
        # Pebble is imported while the server of the workers imports their libraries.
        from bench.engines.local import LocalEngine

        self._engine = LocalEngine(state=Unit(Log, (tracking_uri(results),)), fresh=True)
        self._engine.submit(Unit(Log.load))

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if value is not None:
            self._engine.close()
        self.close()

    def open(self) -> None:
        """Have the store opened, and created where there is none, without waiting for it.

        Until then the process only imports MLflow, so that a command which fails before it has
        anything to log leaves no store behind. `track` does it too.
        """
        self._engine.submit(Unit(Log.open))

    def track(self, path: Path) -> None:
        """Have a run folder logged, without waiting for it."""
        path = path.resolve()
        self._tracked[self._engine.submit(Unit(Log.track, (path,)))] = path

    def close(self, timeout: float = 120.0) -> list[str]:
        """Wait until all runs are logged, and stop the process.

        Parameters
        ----------
        timeout : float
            Seconds to wait before the process is stopped.

        Returns
        -------
        list of str
            One message for each run that was not logged, or for the process as a whole.
        """
        if self._errors is None:
            self._errors = self._finish(timeout)
        return self._errors

    def _finish(self, timeout: float) -> list[str]:
        reasons: dict[str, list[Path]] = {}
        missing = dict(self._tracked)
        with self._engine:
            for number, outcome in self._engine.outcomes(timeout):
                path = missing.pop(number, None)
                if path is not None and (reason := _reason(outcome)):
                    reasons.setdefault(reason, []).append(path)
        errors = [
            f"{paths[0] if len(paths) == 1 else f'{len(paths)} runs are not in MLflow'}: {reason}"
            for reason, paths in reasons.items()
        ]
        if missing:
            errors.append(f"MLflow had not logged {len(missing)} of {len(self._tracked)} runs after {timeout:g} s.")
        return errors


class Log:
    """MLflow's store in the process that fills it.

    Parameters
    ----------
    uri : str
        The tracking URI.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: MlflowClient | None = None
        self._failure: BenchError | None = None

    def load(self) -> None:
        """Import MLflow, without touching any store."""
        import bench.tracking.run  # noqa: F401
        from bench.tracking.store import load_mlflow

        load_mlflow()

    def open(self) -> None:
        """Open the store, and create it where there is none."""
        from bench.tracking.store import open_store

        if self._failure is not None:
            raise self._failure
        try:
            self._client = self._client or open_store(self._uri)
        except BenchError as error:
            self._failure = error
            raise

    def track(self, path: Path) -> None:
        """Log a run folder."""
        from bench.results.store import RunFolder
        from bench.tracking.run import track

        self.open()
        assert self._client is not None
        track(RunFolder(path), self._client)


def _reason(outcome: Outcome[Any]) -> str:
    """Why a run was not logged; nothing where it was."""
    match outcome:
        case Failed(BenchError() as error):
            return str(error)
        case Failed() | TimedOut():
            return outcome.told
        case Died():
            return f"the process that logs it {outcome.told}"
    return ""
