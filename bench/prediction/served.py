"""A logged model as MLflow serves it: labels, and probabilities where a request asks for them.

Every logged model names this module, so a store in use breaks if it moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.prediction.fitted import FittedModel

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class ServedModel:
    """What `mlflow.pyfunc.load_model` wraps.

    Parameters
    ----------
    model : FittedModel
        The loaded model.
    """

    def __init__(self, model: FittedModel) -> None:
        self._model = model

    def get_raw_model(self) -> Any:
        """The estimator."""
        return self._model.estimator

    def predict(self, data: pd.DataFrame, params: dict[str, object] | None = None) -> np.ndarray | pd.DataFrame:
        """Label texts.

        Parameters
        ----------
        data : pandas.DataFrame
            The input columns.
        params : dict, optional
            With ``{"probabilities": True}`` the answer is what ``bench predict`` writes: the columns ``label`` and
            ``p_<label>``. A model without probabilities gives the label alone.

        Returns
        -------
        numpy.ndarray or pandas.DataFrame
            The labels, or a row for each text.
        """
        if params and params.get("probabilities"):
            return self._model.label(data)
        return self._model.estimator.predict(data)


def _load_pyfunc(path: str) -> ServedModel:
    """Load a logged model; MLflow calls this by name."""
    from mlflow.models import Model
    from mlflow.sklearn import _load_pyfunc as load

    logged = Model.load(str(Path(path) / "MLmodel"))
    labels = (logged.metadata or {})["labels"]
    return ServedModel(
        FittedModel(tuple(logged.signature.inputs.input_names()), tuple(labels), load(path).get_raw_model())
    )
