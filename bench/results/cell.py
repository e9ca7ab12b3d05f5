"""The result of a cell: one (task, model, outer fold, seed), as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from bench.errors import one_line
from bench.models.space import Setting
from bench.support.records import LEFT_OUT, Count, Number

if TYPE_CHECKING:
    import pandas as pd

FINAL: Final = "final"
"""The fold of the cell that searches and fits on all examples, and scores nothing."""

Fold = int | Literal["final"]


@dataclass(frozen=True)
class Trial:
    """One setting that the search tried.

    Parameters
    ----------
    number : int
        The trial's place in the search, from 0.
    params : dict
        The setting, by dotted name.
    score : float or None
        The metric over the pooled inner out-of-fold predictions; None if it failed or was stopped.
    error : str or None
        Why it failed.
    pruned_after, inner_folds : int or None
        After how many of how many inner folds the search stopped it; None unless it did.
    """

    number: Count
    params: Setting
    score: Number | None
    error: str | None = None
    pruned_after: Annotated[Count | None, LEFT_OUT] = None
    inner_folds: Annotated[Count | None, LEFT_OUT] = None

    @property
    def failed(self) -> bool:
        """Whether it has no score though the search let it run to its end."""
        return self.score is None and self.pruned_after is None

    @property
    def stopped(self) -> str | None:
        """When the search stopped it, in words.

        Examples
        --------
        >>> Trial(3, {"estimator.C": 0.1}, None, pruned_after=1, inner_folds=4).stopped
        'after 1 of 4 inner folds'
        """
        if self.pruned_after is None:
            return None
        return f"after {self.pruned_after} of {self.inner_folds} inner folds"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The features for and against a wrong prediction of a linear model; see `bench.evaluation.explanations`.

    Parameters
    ----------
    id : str
        The example.
    predicted, true : str
        Labels.
    contrast : str or None
        The label whose decision value was subtracted from that of the predicted one; None for none.
    speaks_for, speaks_against : tuple of (str, float)
        Features with their contributions, the strongest first.
    """

    id: str
    predicted: str
    true: str
    contrast: str | None
    speaks_for: Annotated[tuple[tuple[str, Number], ...], Field(alias="for")]
    speaks_against: Annotated[tuple[tuple[str, Number], ...], Field(alias="against")]


@dataclass(frozen=True, kw_only=True)
class CellRecord:
    """The content of a cell's ``result.json``: `CellResult` without predictions, explanations and times.

    Parameters
    ----------
    predictions_sha256 : str or None
        The digest of its predictions; None if it has none.
    """

    fold: Fold
    status: Literal["ok", "failed"]
    params: Setting
    inner_score: Number | None
    trials: tuple[Trial, ...]
    scores: Mapping[str, Number]
    notes: tuple[str, ...]
    predictions_sha256: str | None


@dataclass
class CellResult:
    """What a cell leaves behind.

    Parameters
    ----------
    fold : int or "final"
        The outer fold.
    status : {"ok", "failed"}
        Whether the cell was scored.
    params : dict
        The setting that the search chose, by dotted name.
    inner_score : float or None
        The metric of that setting over the pooled inner out-of-fold predictions.
    trials : list of Trial
        The whole search.
    predictions : pandas.DataFrame or None
        One row for each outer test example: ``id``, ``group``, ``label``, ``predicted`` (empty if the model gave no
        answer, which counts as wrong) and,
        if the model gives probabilities, ``p_<label>`` for each label in the task's order, else
        ``d_<label>`` for decision values, else neither.
    scores : dict of str to float
        Every metric over this fold's test examples.
    notes : list of str
        What was out of the ordinary, such as a class that training lacked.
    seconds : dict of str to float
        Wall time by phase: ``features``, ``search``, ``fit``, ``predict``, ``explain``. Waiting for another process
        (for a GPU, or for embeddings that it computes) is left out.
    processors : dict of str to int
        How many of its fits ran on which processor.
    explanations : list of Explanation
        The features for and against each wrong prediction of a linear model.
    error : str or None
        The traceback of a failed cell.
    estimator : bytes or None
        The fitted model of the final cell, as skops writes it.
    """

    fold: Fold
    status: Literal["ok", "failed"] = "ok"
    params: Setting = field(default_factory=dict)
    inner_score: float | None = None
    trials: list[Trial] = field(default_factory=list)
    predictions: pd.DataFrame | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    processors: dict[str, int] = field(default_factory=dict)
    explanations: list[Explanation] = field(default_factory=list)
    error: str | None = None
    estimator: bytes | None = None

    @property
    def reason(self) -> str:
        """Why a failed cell failed: the last line of its error, short enough for a terminal."""
        return one_line((self.error or "").strip().rpartition("\n")[2], 300) or "no message"
