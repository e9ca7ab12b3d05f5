"""A fold's model: loaded or fitted again, and asked about its test texts as written and perturbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.prediction.fold_models import Models

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Changed:
    """The test texts of a fold that a perturbation changed.

    Parameters
    ----------
    name : str
        The perturbation.
    rows : tuple of int
        Their places in the fold's test part.
    texts : tuple of str
        The changed texts.
    """

    name: str
    rows: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FoldAnswers:
    """What a fold's model answers, as `bench.prediction.fitted.FittedModel.label` gives it.

    Parameters
    ----------
    as_written : pandas.DataFrame
        To all its test texts.
    perturbed : mapping of str to pandas.DataFrame
        To the changed texts, by perturbation.
    """

    as_written: pd.DataFrame
    perturbed: Mapping[str, pd.DataFrame]


def fold_answers(models: Models, fold: int, frame: pd.DataFrame, column: str, asked: Sequence[Changed]) -> FoldAnswers:
    """Ask a fold's model about its test texts.

    Parameters
    ----------
    models : Refitted or StoredModel
        Gives the model.
    fold : int
        The outer fold.
    frame : pandas.DataFrame of shape (n_test, n_inputs)
        The inputs of its test part.
    column : str
        The input that was perturbed.
    asked : sequence of Changed
        The texts that were changed. The model sees them among the others of its test part, as in the run, since the
        answers of a model that draws at random depend on their number.
    """
    model = models.model(fold)
    perturbed = {}
    for each in asked:
        rows, texts = list(each.rows), frame[column].to_numpy(dtype=object, copy=True)
        texts[rows] = each.texts
        perturbed[each.name] = model.label(frame.assign(**{column: texts})).iloc[rows]
    return FoldAnswers(model.label(frame), perturbed)
