"""Read an archive: which of its texts can be drawn, and what a model says of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.checks.known_inputs import KnownInputs
from bench.data.duplicates import duplicate_keys
from bench.prediction.blanks import Blanks
from bench.prediction.labelling import CHUNK, in_chunks, label_chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.data.task import Task
    from bench.prediction.fitted import FittedModel
    from bench.prediction.reading import NewText


@dataclass(frozen=True, eq=False)
class Survey:
    """The texts of an archive that can be drawn: each input once, without those that are labelled.

    Parameters
    ----------
    rows : ndarray of int, shape (n_drawable,)
        Their numbers among the archive's rows, from 0.
    predicted : ndarray of object, shape (n_drawable,), or None
        Their predicted labels, empty where the model gave no answer; None without a model.
    probabilities : ndarray of float, shape (n_drawable,), or None
        The probability of the predicted label; None if the model gives none.
    uncertainty : ndarray of float, shape (n_drawable,), or None
        1 minus the margin between the two most probable labels; None if the model gives no probabilities.
    n_rows : int
        How many texts the archive has, without its rows that have none.
    n_labelled : int
        How many of them repeat a labelled text, or nearly.
    n_repeats : int
        How many of them repeat an earlier text of the archive.
    """

    rows: NDArray[np.intp]
    predicted: NDArray[np.object_] | None
    probabilities: NDArray[np.float64] | None
    uncertainty: NDArray[np.float64] | None
    n_rows: int
    n_labelled: int
    n_repeats: int


def survey(
    new: NewText, task: Task, model: FittedModel | None, told: Callable[[int], None] = lambda number: None
) -> Survey:
    """Read an archive once, in chunks, so that its texts do not fill memory.

    Parameters
    ----------
    new : NewText
        The archive.
    task : Task
        The task whose labelled texts are left out.
    model : FittedModel or None
        What labels the texts.
    told : callable
        Is called with how many texts were read so far.

    Raises
    ------
    bench.errors.UserError
        If a row is invalid.
    bench.errors.BenchError
        If the model fails.
    """
    frames = [task.frame, *([] if task.left_out is None else [task.left_out[list(task.inputs)]])]
    labelled = KnownInputs(pd.concat(frames, ignore_index=True))
    seen: set[bytes] = set()
    rows: list[int] = []
    predicted: list[str] = []
    chances: list[NDArray[np.float64]] = []
    blanks = Blanks("", new.columns)
    n_labelled = n_repeats = 0
    for chunk in in_chunks(new.rows, CHUNK):
        before = blanks.n_rows
        filled = [place for place, row in enumerate(chunk) if not blanks.lack(*row)]
        frame = pd.DataFrame(
            {name: [chunk[place][1][column] for place in filled] for name, column in new.columns.items()}
        )
        frame = frame[list(task.inputs)]
        near = [bool(alike) for alike in labelled.alike(frame)]
        kept = []
        for place, key in enumerate(duplicate_keys(frame).tolist()):
            if near[place]:
                n_labelled += 1
            elif key in seen:
                n_repeats += 1
            else:
                seen.add(key)
                kept.append(place)
        rows += [before + filled[place] for place in kept]
        if model is not None and kept:
            answers = label_chunk(model, frame.iloc[kept].reset_index(drop=True), chunk[0][0])
            predicted += answers["label"].tolist()
            if len(model.columns) > 1:
                chances.append(np.sort(answers[list(model.columns[1:])].to_numpy(dtype=np.float64))[:, ::-1][:, :2])
        told(blanks.n_rows)
    top = np.concatenate(chances) if chances else None
    return Survey(
        rows=np.array(rows, dtype=np.intp),
        predicted=None if model is None else np.array(predicted, dtype=object),
        probabilities=None if top is None else top[:, 0],
        uncertainty=None if top is None else 1 - (top[:, 0] - top[:, 1]),
        n_rows=blanks.n_rows - len(blanks),
        n_labelled=n_labelled,
        n_repeats=n_repeats,
    )
