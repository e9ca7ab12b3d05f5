"""Features of Arabic text, as scikit-learn transformers over a frame of a task's input columns."""

from bench.features.sets import FEATURE_SETS

__all__ = ["FEATURE_SETS"]
