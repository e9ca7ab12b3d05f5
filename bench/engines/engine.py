"""The engine protocol: run functions elsewhere, several at once, and report how each ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Unit:
    """A piece of work: an importable function and its arguments, all of which pickle.

    Parameters
    ----------
    function : callable
        What is called.
    args : tuple
        Its arguments. An engine with a state puts that before them.
    limit : float, optional
        Seconds, from its start, after which it is stopped.
    expected : float, optional
        Seconds that it will take about: a worker that ends before is not given it.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    limit: float | None = None
    expected: float | None = None


@dataclass(frozen=True)
class Value(Generic[T]):
    """A unit returned."""

    value: T


@dataclass(frozen=True)
class Failed:
    """A unit raised an exception, or returned what does not pickle.

    Parameters
    ----------
    error : Exception
        The exception; an `UnreadableError` replaces one that does not pickle.
    traceback : str
        Where, as Python prints it.
    """

    error: Exception
    traceback: str

    @property
    def told(self) -> str:
        """The kind of the error and its message."""
        return error_in_words(self.error)


@dataclass(frozen=True)
class Died:
    """A unit ended its process before it returned.

    Parameters
    ----------
    status : int
        The exit status; that of a process which a signal killed is the signal's negative number.
    """

    status: int

    @property
    def told(self) -> str:
        """How the process ended, in words that follow its name."""
        if self.status < 0:
            return f"was killed by signal {-self.status} (out of memory?)"
        return f"ended with exit status {self.status}"


@dataclass(frozen=True)
class TimedOut:
    """A unit was stopped at its limit.

    Parameters
    ----------
    limit : float
        The seconds that it had.
    """

    limit: float

    @property
    def told(self) -> str:
        """What was done, in words."""
        return f"it took longer than {self.limit:g} s and was stopped"


@dataclass(frozen=True)
class Lost:
    """The worker of a unit is gone, for example its machine. It is unknown whether the unit was the cause.

    Parameters
    ----------
    worker : str
        Its name.
    """

    worker: str

    @property
    def told(self) -> str:
        """What is gone, in words."""
        return f"the worker {self.worker} was lost while it ran"


Outcome = Value[T] | Failed | Died | Lost | TimedOut
"""How a unit ended."""


class UnreadableError(Exception):
    """Replaces an exception or value that does not pickle; its message describes it."""


def error_in_words(error: Exception) -> str:
    """The kind of an error and its message; a replacement has the original in its message."""
    return str(error) if isinstance(error, UnreadableError) else f"{type(error).__name__}: {error}"


class Engine(Protocol):
    """Runs units, a few at a time, each so that its failure touches no other.

    Left as a context manager, it stops what is still running.
    """

    @property
    def at_once(self) -> int:
        """How many units run at the same time."""

    def wanting(self) -> Sequence[str]:
        """The names of the workers that have no work or will soon have none, each as often as it can take a unit."""

    def has_time(self, worker: str, expected: float | None) -> bool:
        """Whether a worker does not end before a unit would; one that no worker has time for takes a new one.

        Parameters
        ----------
        worker : str
            One of those that want work.
        expected : float or None
            The seconds that the unit will take about, see `Unit`; None where that is not known.
        """

    def submit(self, unit: Unit, worker: str | None = None) -> int:
        """Accept a unit, to run after earlier ones, and return its number.

        Parameters
        ----------
        unit : Unit
            What to run.
        worker : str, optional
            The worker to run it, one of those that are `wanting`; None for any.

        Raises
        ------
        Exception
            If the function or an argument does not pickle.
        """

    def outcomes(self, within: float | None = None) -> Iterator[tuple[int, Outcome[Any]]]:
        """The numbers of units with how each ended, as they end, until none is left.

        Units may be submitted meanwhile.

        Parameters
        ----------
        within : float, optional
            Seconds after which what is left is not waited for.
        """

    def cancel(self, number: int) -> None:
        """Drop a unit, or stop it if it is already running. It has no outcome."""

    def close(self) -> None:
        """Stop all that runs, and drop what waits."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def outcome_of(engine: Engine, unit: Unit) -> Outcome[Any]:
    """Run a unit on an engine that has no other, and wait for it."""
    engine.submit(unit)
    ((_, outcome),) = engine.outcomes()
    return outcome


def value_of(outcome: Outcome[T]) -> T:
    """What a unit returned.

    Parameters
    ----------
    outcome : Value, Failed, Died, Lost or TimedOut
        How it ended.

    Raises
    ------
    TimeoutError
        If it was stopped at its limit.
    ChildProcessError
        If its process, or its worker, ended before it.
    Exception
        What it raised.

    Examples
    --------
    >>> value_of(Value(3))
    3
    """
    match outcome:
        case Value(value):
            return value
        case Failed(error):
            raise error
        case Died():
            raise ChildProcessError(f"its process {outcome.told}")
        case Lost():
            raise ChildProcessError(outcome.told)
        case TimedOut():
            raise TimeoutError(outcome.told)
