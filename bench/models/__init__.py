"""Models: what they are made of, how they are searched, and how they are checked."""

from bench.models.model import Model
from bench.models.space import Choice, Range, SearchSpace

__all__ = ["Choice", "Model", "Range", "SearchSpace"]
