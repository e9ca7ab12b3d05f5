"""Features of Arabic text, as scikit-learn transformers over a frame of a task's input columns."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bench.features.sets import FEATURE_SETS

if TYPE_CHECKING:
    from bench.features.cues import CueFeatures
    from bench.features.encoder import EncoderFeatures
    from bench.features.pairs import PairFeatures
    from bench.features.texts import Texts
    from bench.features.tfidf import Tfidf

_HOMES = {
    "CueFeatures": "cues",
    "EncoderFeatures": "encoder",
    "PairFeatures": "pairs",
    "Texts": "texts",
    "Tfidf": "tfidf",
}

__all__ = ["FEATURE_SETS", "CueFeatures", "EncoderFeatures", "PairFeatures", "Texts", "Tfidf"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bench.features' has no attribute '{name}'")
    return getattr(importlib.import_module(f"bench.features.{_HOMES[name]}"), name)
