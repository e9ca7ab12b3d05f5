"""Additional duties of the worker server: it ends last, and removes the folder of its sockets."""

from __future__ import annotations

import atexit
import pickle
import sys
from types import TracebackType

from bench.engines.sockets import remove_abandoned


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error, unless it is that the command ended before sending a worker its work."""
    if not issubclass(kind, EOFError | pickle.UnpicklingError):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _tell
# Workers, which are forked from it, end without these.
atexit.register(remove_abandoned)
