"""How long the texts of a stress test take to embed: the run's own times do not say, since embeddings are kept."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from bench.encoders.embeddings import embed, not_embedded
from bench.encoders.registry import find_encoder
from bench.engines.engine import Failed, Unit, Value, error_in_words, outcome_of
from bench.errors import BenchError
from bench.evaluation.evaluation import Evaluation
from bench.features.encoder import EncoderFeatures
from bench.models.space import Setting
from bench.planning.workers import open_engine

TIMED = 16
"""Texts that are embedded to see how long one takes; they are kept, so it is no waste."""


def feature_encoders(evaluation: Evaluation, settings: Iterable[Setting]) -> list[str]:
    """The names of the encoders whose embeddings are features under some settings."""
    names = list[str]()
    for setting in settings:
        transformer: Any = evaluation.features(setting)
        parts = [] if transformer is None else [transformer, *transformer.get_params(deep=True).values()]
        names += [part.encoder for part in parts if isinstance(part, EncoderFeatures)]
    return list(dict.fromkeys(names))


def embedding_seconds(encoder: str, texts: list[str], device: str) -> float:
    """Estimate how long texts take to embed, by the first that are not embedded yet.

    Parameters
    ----------
    encoder : str
        The encoder.
    texts : list of str
        The texts, with repetitions or not.
    device : {"auto", "cpu"}
        What torch computes on.

    Raises
    ------
    bench.errors.BenchError
        If the encoder cannot be used.
    """
    with open_engine(device) as engine:
        match outcome_of(engine, Unit(_measured, (encoder, texts))):
            case Value(seconds):
                return float(seconds)
            case Failed(BenchError() as error):
                raise error
            case Failed(error):
                raise BenchError(f"encoder {encoder}: it failed: {error_in_words(error)}.")
            case other:
                raise BenchError(f"encoder {encoder}: {other.told}.")


def _measured(encoder: str, texts: list[str]) -> float:
    definition = find_encoder(encoder)
    left = not_embedded(definition, texts)
    if not left:
        return 0.0
    # The first one loads the weights.
    embed(definition, left[:1])
    timed, others = left[1 : 1 + TIMED], left[1 + TIMED :]
    start = time.perf_counter()
    embed(definition, timed)
    return (time.perf_counter() - start) / max(len(timed), 1) * len(others)
