"""Labelling new text with a stored run's fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.api.words import one_task
from bench.data.sources.gaps import is_empty
from bench.errors import DataError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from bench.api.stored import Run
    from bench.data.task import Task


def predict(
    run: Run | Task | str,
    texts: pd.DataFrame | pd.Series[str] | Sequence[str],
    *,
    model: str | None = None,
    results: str | Path = "results",
) -> pd.DataFrame:
    """Label new text with a stored run's fitted model.

    Parameters
    ----------
    run : Run, Task or str
        The run; or a task, whose best stored run labels.
    texts : pandas.DataFrame, or sequence of str
        The new text. A task of claims and texts needs a frame with both columns.
    model : str, optional
        Where a task is given: the model whose run labels.
    results : str or pathlib.Path
        Where a task is given: the store.

    Returns
    -------
    pandas.DataFrame of shape (n_texts, n_columns)
        ``label``, empty where the model gives no answer, and ``p_LABEL`` for each label where it gives probabilities.
        The index is that of `texts`.

    Raises
    ------
    bench.errors.UserError
        If there is no such run, its fitted model is not stored or cannot be loaded safely, a column is missing, there
        is no text, or one is empty.
    """
    from bench.api.stored import Run
    from bench.prediction.choice import PredictRequest, choose_run
    from bench.prediction.fitted import load_fitted
    from bench.results.store import RunFolder

    if isinstance(run, Run):
        folder = RunFolder(run.path)
    else:
        request = PredictRequest(one_task(run), model, results=Path(results).expanduser())
        folder = choose_run(request).folder
    fitted = load_fitted(folder)
    frame = _frame(texts, fitted.inputs)
    return fitted.label(frame.reset_index(drop=True)).set_index(frame.index)


def _frame(texts: Any, inputs: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    if isinstance(texts, str):
        raise DataError("texts: expected several texts, not one.", "Put it into a list: [text]")
    if not pd.api.types.is_list_like(texts, allow_sets=False):
        raise DataError(
            f"texts: expected a data frame or a list of texts, not {texts!r}.", "For example frame['text'], or [text]."
        )
    if isinstance(texts, pd.DataFrame):
        for name in inputs:
            if name not in texts.columns:
                raise DataError(f"texts: there is no column '{name}'.", nearest(name, map(str, texts.columns)))
        frame = texts[list(inputs)]
    elif len(inputs) > 1:
        raise DataError(
            f"texts: the model reads {' and '.join(inputs)}.",
            f"Give a data frame with the columns {', '.join(inputs)}.",
        )
    else:
        frame = pd.Series(texts, dtype=object).to_frame(inputs[0])
    if frame.empty:
        raise DataError("texts: there is none.", "Give at least one.")
    for name in inputs:
        bad = [place for place, text in enumerate(frame[name]) if not isinstance(text, str) or is_empty(text)]
        if bad:
            raise DataError(
                f"texts, row {bad[0] + 1}: {name} is {frame[name].iloc[bad[0]]!r}. {len(bad):,} of {len(frame):,} rows "
                "have no text.",
                "Leave them out. Of a file, bench predict --input FILE keeps such rows, without a label.",
            )
    return frame
