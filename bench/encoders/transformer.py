"""A transformer encoder over a folder of weights, by ``torch`` and ``transformers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bench.encoders.device import has_bfloat16, placed
from bench.encoders.weights import weights_folder
from bench.errors import ModelError
from bench.support.process import is_own

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray

    from bench.encoders.definition import EncoderDefinition

BATCH_TOKENS = 2048
"""Tokens of a batch, padding included."""

MAX_TOKENS = 512
"""The token limit of a text, unless the tokenizer has a smaller one."""

TRANSFORMERS_EXTRA = "pip install 'bench-arabic[transformers]'"


class TransformerEncoder:
    """A frozen encoder: its last layer's token vectors, pooled.

    Batches have texts of similar length, padded to the longest of them. Where the processor computes in
    bfloat16, so does the encoder.

    Parameters
    ----------
    encoder : EncoderDefinition
        An encoder from the hub or a folder.

    Raises
    ------
    bench.errors.ModelError
        If `transformers` is not installed, files are missing, or the model needs its own code.
    """

    def __init__(self, encoder: EncoderDefinition) -> None:
        self._encoder = encoder
        self._tokenizer, model = load_pretrained(weights_folder(encoder))
        self._model = model.eval()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts : sequence of str
            Each is cut off at the model's longest input.

        Returns
        -------
        ndarray of float32 of shape (n_texts, dimensions)
            Of length 1.
        """
        limit = min(self._tokenizer.model_max_length, MAX_TOKENS)
        tokens = self._tokenizer(
            [self._encoder.prefix + text for text in texts], truncation=True, max_length=limit, padding=False
        )["input_ids"]
        return infer(self._model, self._tokenizer, [{"input_ids": ids} for ids in tokens], self._embed, BATCH_TOKENS)

    def _embed(self, attention_mask: torch.Tensor, **tokens: torch.Tensor) -> torch.Tensor:
        import torch

        hidden = self._model(attention_mask=attention_mask, **tokens).last_hidden_state
        return torch.nn.functional.normalize(pool(hidden.float(), attention_mask, self._encoder.pooling), dim=1)


def infer(
    model: torch.nn.Module,
    tokenizer: Any,
    tokens: Sequence[Mapping[str, list[int]]],
    compute: Callable[..., torch.Tensor],
    budget: int,
    multiple: int | None = None,
) -> NDArray[np.float32]:
    """Apply a model to texts in batches of similar length, without gradients, in bfloat16 if that is faster.

    Parameters
    ----------
    model : torch.nn.Module
        What is put on the device meanwhile, with its dropout as it is.
    tokenizer : transformers.PreTrainedTokenizerBase
        Pads batches.
    tokens : sequence of mapping
        The tokenizer's output for each text, without padding.
    compute : callable
        From a batch's padded tokens, by name, to a tensor of shape (n_batch, width).
    budget : int
        Tokens of a batch, padding included.
    multiple : int, optional
        Batches are padded to a multiple of this.

    Returns
    -------
    ndarray of float32 of shape (n_texts, width)
    """
    import torch

    made: NDArray[np.float32] | None = None
    with placed(model) as device:
        bf16 = has_bfloat16(device)
        for rows in batches([len(each["input_ids"]) for each in tokens], budget):
            chosen = [tokens[row] for row in rows]
            padded = tokenizer.pad(chosen, pad_to_multiple_of=multiple, return_tensors="pt").to(device)
            with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16):
                values = compute(**padded).float().cpu().numpy()
            if made is None:
                made = np.empty((len(tokens), values.shape[1]), dtype=np.float32)
            made[rows] = values
    assert made is not None, "there is no text to read"
    return made


def load_pretrained(folder: Path, kind: str = "AutoModel", **settings: Any) -> tuple[Any, Any]:
    """Load a tokenizer and a model from a folder: safetensors only, no code of the model's own, no network.

    Parameters
    ----------
    folder : pathlib.Path
        See `bench.encoders.weights.weights_folder`.
    kind : str
        The class of `transformers` that loads the model: ``AutoModel``, an encoder without a head, or another one.
    **settings
        Passed to its ``from_pretrained``.

    Returns
    -------
    tuple of tokenizer and model
        The model from ``from_pretrained``, usually a torch.nn.Module.

    Raises
    ------
    bench.errors.ModelError
        If `transformers` is not installed or cannot read the folder.
    """
    try:
        import transformers
    except ImportError:
        raise ModelError("Transformer encoders need the package transformers.", TRANSFORMERS_EXTRA) from None
    if is_own():
        transformers.logging.disable_progress_bar()
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **safe)
        model = getattr(transformers, kind).from_pretrained(folder, use_safetensors=True, **safe, **settings)
    except Exception as error:  # A folder may contain anything.
        raise ModelError(
            f"{folder}: transformers cannot load it: {type(error).__name__}: {error}",
            "It needs config.json, safetensors and tokenizer files of a model built into transformers.",
        ) from error
    return tokenizer, model


def pool(hidden: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """Make one vector a text of its tokens' vectors.

    Parameters
    ----------
    hidden : torch.Tensor of shape (n_texts, n_tokens, dimensions)
        The last layer.
    mask : torch.Tensor of shape (n_texts, n_tokens)
        1 at tokens, 0 at padding.
    pooling : {"mean", "cls"}
        Over all tokens, or the first alone.

    Returns
    -------
    torch.Tensor of shape (n_texts, dimensions)
    """
    if pooling == "cls":
        return hidden[:, 0]
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Put texts of like length together.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each text.
    budget : int
        Tokens of a batch, padding included; a longer text is a batch by itself.

    Returns
    -------
    list of list of int
        Places of texts, the longest first, so that too little memory shows at once.

    Examples
    --------
    >>> batches([3, 9, 4, 8], budget=18)
    [[1, 3], [2, 0]]
    """
    made: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if made and (len(made[-1]) + 1) * lengths[made[-1][0]] <= budget:
            made[-1].append(row)
        else:
            made.append([row])
    return made
