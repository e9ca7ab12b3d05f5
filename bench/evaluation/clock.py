"""The seconds of a cell by phase, and the warnings of its fits."""

from __future__ import annotations

import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.support.waiting import waited_seconds

MOST_WARNINGS = 100
"""The most distinct warnings in a fold's notes, since a message with a number may differ in each fit."""


@dataclass
class Clock:
    """Seconds by phase, without those spent waiting for another process, and the warnings of the estimators' fits.

    Warnings of features are left out: features are shared, so the cell that computes them is arbitrary.
    """

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    warnings: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Count seconds as those of the phase ``fit``, and keep the warnings."""
        with self.phase("fit"), warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            yield
        self.warnings.update(
            f"{w.category.__name__}: {(str(w.message).splitlines() or [''])[0]}"
            for w in caught
            if issubclass(w.category, UserWarning | RuntimeWarning)
        )

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count seconds as those of a phase."""
        start, waited = time.perf_counter(), waited_seconds()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - start - (waited_seconds() - waited)

    def notes(self) -> list[str]:
        """The different warnings, with how often each came."""
        told = [f"{text} ({n} times)" if n > 1 else text for text, n in sorted(self.warnings.items())]
        rest = len(told) - MOST_WARNINGS
        return told if rest <= 0 else [*told[:MOST_WARNINGS], f"{rest} more kinds of warnings"]
