"""Natural language inference: how probable it is that a text entails a hypothesis, kept on disk as embeddings are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from bench.encoders.definition import EncoderDefinition, Package
from bench.encoders.embeddings import embed, precision
from bench.encoders.weights import CONFIG, identity, weights_folder
from bench.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from numpy.typing import NDArray


def entailment(model: EncoderDefinition, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
    """Say how probable it is that texts entail hypotheses; each pair is computed once on this machine.

    Parameters
    ----------
    model : EncoderDefinition
        A sequence classifier from the hub or a folder, trained for inference; its pooling and prefix play no part.
    pairs : sequence of tuple of str
        A text and a hypothesis each.

    Returns
    -------
    ndarray of float32 of shape (n_pairs,)
        Natural logarithms of the probabilities of entailment.

    Raises
    ------
    bench.errors.ModelError
        If the weights are missing, or are not a classifier with a label for entailment.
    """
    entailment_label(weights_folder(model))
    # The cache of embeddings distinguishes encoders by their prefix: here, the identity of the weights.
    answering = EncoderDefinition(
        model.name,
        Package("transformers", f"{__name__}.{EntailmentModel.__name__}"),
        dimensions=1,
        prefix=f"{identity(model)} {precision(model)}",
        origin=model.origin,
    )
    return embed(answering, [json.dumps(pair, ensure_ascii=False) for pair in pairs])[:, 0]


def entailment_label(folder: Path) -> int:
    """Find a classifier's output for entailment.

    Parameters
    ----------
    folder : pathlib.Path
        Its ``config.json`` names its outputs in ``id2label``.

    Returns
    -------
    int
        The place of the only label that begins with ``entail``, in letters of any case.

    Raises
    ------
    bench.errors.ModelError
        If there is not exactly one.
    """
    path = folder / CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        labels = {int(place): str(label) for place, label in content.get("id2label", {}).items()}
    except (ValueError, AttributeError) as error:
        raise ModelError(f"{path}: cannot be read: {error}.") from error
    found = [place for place, label in labels.items() if label.lower().startswith("entail")]
    if len(found) != 1:
        raise ModelError(
            f"{path}: id2label has {', '.join(map(repr, labels.values())) or 'no labels'}, but one label must be "
            "'entailment'.",
            "Use a model that was trained for natural language inference (on XNLI, for example).",
        )
    return found[0]


class EntailmentModel:
    """Entailment by a sequence classifier, in the form of an encoder with one dimension.

    Parameters
    ----------
    encoder : EncoderDefinition
        Made by `entailment`.

    Raises
    ------
    bench.errors.ModelError
        If `transformers` is not installed, cannot read the folder, or the folder lacks the classifier's weights.
    """

    def __init__(self, encoder: EncoderDefinition) -> None:
        from bench.encoders.registry import find_encoder
        from bench.encoders.transformer import load_pretrained

        folder = weights_folder(find_encoder(encoder.name))
        self._label = entailment_label(folder)
        self._tokenizer, (model, report) = load_pretrained(
            folder, kind="AutoModelForSequenceClassification", output_loading_info=True
        )
        if report["missing_keys"]:
            raise ModelError(
                f"{folder}: weights are missing: {', '.join(sorted(report['missing_keys']))}.",
                "An encoder without a trained classifier cannot predict entailment.",
            )
        self._model = model.eval()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return log probabilities of entailment, of shape (n_texts, 1), for JSON lists of a text and a hypothesis.

        Batches have pairs of similar length. If a pair is too long for the model, its longer part is truncated.
        """
        from bench.encoders.transformer import BATCH_TOKENS, MAX_TOKENS, infer

        premises, hypotheses = zip(*map(json.loads, texts), strict=True)
        limit = min(self._tokenizer.model_max_length, MAX_TOKENS)
        made = self._tokenizer(list(premises), list(hypotheses), truncation=True, max_length=limit, padding=False)
        tokens = [{name: values[row] for name, values in made.items()} for row in range(len(texts))]
        return infer(self._model, self._tokenizer, tokens, self._entailed, BATCH_TOKENS)

    def _entailed(self, **tokens: torch.Tensor) -> torch.Tensor:
        import torch

        return torch.log_softmax(self._model(**tokens).logits.float(), dim=1)[:, [self._label]]
