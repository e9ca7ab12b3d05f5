"""The tracker: a process that logs stored runs to MLflow while others are still computed."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from bench.tracking.uri import tracking_uri


class Tracker:
    """A process that logs finished runs, so that nobody waits for MLflow.

    It never raises into a run: what went wrong is told by `close`, and the results stay as they
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
        self._tracked = 0
        self._replies = tempfile.TemporaryFile()  # noqa: SIM115, closed in `close`
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115
        self._errors: list[str] | None = None
        # In a session of its own, so that Ctrl-C stops the run and not what shows it.
        self._process = subprocess.Popen(
            # -P, so that no file of the current folder takes the place of a library's module.
            [sys.executable, "-P", "-m", "bench.tracking", "--uri", tracking_uri(results)],
            stdin=subprocess.PIPE,
            stdout=self._replies,
            stderr=self._messages,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if value is not None:
            self._process.kill()
        self.close()

    def open(self) -> None:
        """Have the store opened, and created where there is none, without waiting for it.

        Until then the process only imports MLflow, so that a command which fails before it has
        anything to log leaves no store behind. `track` does it too.
        """
        self._send(None)

    def track(self, path: Path) -> None:
        """Have a run folder logged, without waiting for it."""
        self._tracked += 1
        self._send(str(path.resolve()))

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

    def _send(self, message: str | None) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        # A process that died is told by `close`.
        with contextlib.suppress(OSError, ValueError):
            stdin.write(f"{json.dumps(message)}\n".encode())
            stdin.flush()

    def _finish(self, timeout: float) -> list[str]:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        overdue = False
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            overdue = True
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
        with self._replies, self._messages:
            self._replies.seek(0)
            self._messages.seek(0)
            replies = [json.loads(line) for line in self._replies if line.endswith(b"\n")]
            messages = self._messages.read().decode(errors="replace").strip().splitlines()
        errors = [f"{reply['path']}: {reply['error']}" for reply in replies if "error" in reply]
        missing = self._tracked - len(replies)
        if overdue:
            errors.append(f"MLflow had not logged {missing} of {self._tracked} runs after {timeout:g} s.")
        elif missing or self._process.returncode:
            said = f": {messages[-1]}" if messages else "."
            errors.append(f"the tracker ended with status {self._process.returncode}, {missing} runs not logged{said}")
        return errors
