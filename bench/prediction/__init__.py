"""Labelling new text with a stored run's fitted model: choose the run, load the model, read, label, write."""

from bench.prediction.choice import choose_run
from bench.prediction.fitted import FittedModel, load_fitted

__all__ = ["FittedModel", "choose_run", "load_fitted"]
