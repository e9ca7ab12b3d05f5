"""Embeddings on disk: each text is embedded once for an encoder on this machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.encoders.definition import EncoderDefinition, Package
from bench.encoders.weights import identity
from bench.errors import ModelError
from bench.support.cache import cache_folder
from bench.support.kept import Kept
from bench.support.waiting import waiting

CHUNK = 256
"""The number of texts to embed and store at a time. A killed process loses at most these."""

HINT = "Delete the file, or set BENCH_CACHE to another folder. Missing embeddings are computed again."

_UNREADABLE = re.compile("[\0\ud800-\udfff]")


class Encoder(Protocol):
    """What turns texts into vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, of shape (n_texts, dimensions)."""


def embed(encoder: EncoderDefinition, texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts, each of them once for this encoder on this machine.

    If several processes request the same texts at the same time, one embeds them while the others wait.

    Parameters
    ----------
    encoder : EncoderDefinition
        The encoder. Its weights are loaded only for new texts.
    texts : sequence of str
        Any texts, with repetitions or not. A null character or half a surrogate pair, which not every encoder
        can read, is read as a space.

    Returns
    -------
    ndarray of float32 of shape (n_texts, dimensions)

    Raises
    ------
    bench.errors.ModelError
        If the encoder's weights or package are missing, or its vectors have another shape or are not
        finite.
    bench.errors.BenchError
        If the cache cannot be read or written.
    """
    readable, keys = _keys(texts)
    path = embeddings_file(encoder)
    kept = _kept(path)
    found = _read(kept, list(keys.values()))
    if len(found) < len(keys):
        with ExitStack() as stack:
            with waiting():
                stack.enter_context(kept.locked(path.with_suffix(".lock")))
            found |= _read(kept, [key for key in keys.values() if key not in found])
            missing = [text for text, key in keys.items() if key not in found]
            for start in range(0, len(missing), CHUNK):
                chunk = missing[start : start + CHUNK]
                new = dict(zip((keys[text] for text in chunk), _encode(encoder, chunk), strict=True))
                kept.write({key: vector.astype("<f4").tobytes() for key, vector in new.items()})
                found |= new
    if not keys:
        return np.empty((0, encoder.dimensions or 0), dtype=np.float32)
    return np.stack([found[keys[text]] for text in readable])


def not_embedded(encoder: EncoderDefinition, texts: Sequence[str]) -> list[str]:
    """The different ones of some texts whose embeddings are not stored on this machine."""
    _, keys = _keys(texts)
    found = _read(_kept(embeddings_file(encoder)), list(keys.values()))
    return [text for text, key in keys.items() if key not in found]


def _keys(texts: Sequence[str]) -> tuple[list[str], dict[str, bytes]]:
    """Texts as an encoder can read them, and the key of each different one."""
    readable = [_UNREADABLE.sub(" ", text) for text in texts]
    return readable, {text: hashlib.sha256(text.encode()).digest() for text in readable}


def embeddings_file(encoder: EncoderDefinition) -> Path:
    """The file of an encoder's embeddings: one for each identity, so that no other weights' are ever read."""
    digest = hashlib.sha256(f"{identity(encoder)} {precision(encoder)}".encode()).hexdigest()[:16]
    return cache_folder() / "embeddings" / f"{Path(encoder.name).name}-{digest}.sqlite"


def precision(encoder: EncoderDefinition) -> str:
    """What an encoder computes in on this machine."""
    if isinstance(encoder.source, Package):
        return "own"
    from bench.encoders.device import best_device, has_bfloat16

    return "bfloat16" if has_bfloat16(best_device()) else "float32"


def _encode(encoder: EncoderDefinition, texts: list[str]) -> NDArray[np.float32]:
    vectors = np.asarray(_load(encoder).encode(texts), dtype=np.float32)
    width = encoder.dimensions
    if vectors.shape != (len(texts), width or vectors.shape[-1]):
        raise ModelError(
            f"{encoder.origin}: the encoder '{encoder.name}' gave an array of shape {vectors.shape} for {len(texts)} "
            f"texts, expected ({len(texts)}, {width or 'dimensions'}).",
            "Fix 'dimensions' in the encoder's file." if vectors.ndim == 2 else None,
        )
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise ModelError(f"The encoder '{encoder.name}' returned no finite vector for {texts[bad[0]][:80]!r}.")
    return vectors


@lru_cache(maxsize=1)
def _load(encoder: EncoderDefinition) -> Encoder:
    source = encoder.source
    if isinstance(source, Package):
        loaded: Encoder = encoder.load("adapter", source.adapter)(encoder)
        return loaded
    from bench.encoders.transformer import TransformerEncoder

    return TransformerEncoder(encoder)


def _kept(path: Path) -> Kept:
    return Kept(path, table="embeddings", key="text", value="vector", kind="BLOB", hint=HINT)


def _read(kept: Kept, keys: list[bytes]) -> dict[bytes, NDArray[np.float32]]:
    return {key: np.frombuffer(vector, dtype="<f4") for key, vector in kept.read(keys)}
