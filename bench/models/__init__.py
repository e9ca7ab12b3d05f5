"""Models: their parts, their search spaces and their checks."""

from bench.models.model import Model
from bench.models.space import Choice, Range, SearchSpace

__all__ = ["Choice", "Model", "Range", "SearchSpace"]
