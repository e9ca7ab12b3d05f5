"""A sequence classifier for torch: an encoder, its tokens pooled, and a linear layer on top."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from bench.encoders.transformer import pool
from bench.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DROPOUT = 0.1
"""Of the pooled vector; the layers keep that of the encoder's own configuration."""


class SequenceClassifier(nn.Module):
    """An encoder whose pooled last layer goes through dropout and a linear layer.

    Pooling is the encoder's own, without another randomly initialised layer: the pooler of the usual BERT head
    was not trained with encoders that are meant to be averaged.

    Parameters
    ----------
    encoder : torch.nn.Module
        A model of `transformers` that gives ``last_hidden_state``.
    pooling : {"mean", "cls"}
        How its tokens become one vector.
    class_weight : sequence of float
        The weight of each class in the loss; as many as there are classes.
    """

    def __init__(self, encoder: nn.Module, pooling: str, class_weight: Sequence[float]) -> None:
        super().__init__()
        if hasattr(encoder, "pooler"):
            del encoder.pooler  # not used, and in many folders not stored
            encoder.register_module("pooler", None)
        self.encoder = encoder
        self.pooling = pooling
        self.dropout = nn.Dropout(DROPOUT)
        self.head = nn.Linear(encoder.config.hidden_size, len(class_weight))  # type: ignore[arg-type, union-attr]
        self.loss = nn.CrossEntropyLoss(weight=torch.tensor(class_weight, dtype=torch.float32))
        self._frozen: list[nn.Module] = []

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Score a batch.

        Parameters
        ----------
        input_ids, attention_mask : torch.Tensor of shape (n_texts, n_tokens)
            Padded tokens, and a mask that is 1 for real tokens.
        token_type_ids : torch.Tensor of shape (n_texts, n_tokens), optional
            Which text of a pair a token is of, for encoders that know it.
        labels : torch.Tensor of shape (n_texts,), optional
            Class indices.

        Returns
        -------
        dict of str to torch.Tensor
            ``logits`` of shape (n_texts, n_classes); preceded by ``loss``, a number, if there are labels.
        """
        logits = self.head(self.dropout(self.pooled(input_ids, attention_mask, token_type_ids))).float()
        return {"logits": logits} if labels is None else {"loss": self.loss(logits, labels), "logits": logits}

    def pooled(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the pooled last layer, of shape (n_texts, dimensions); the arguments are those of `forward`."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask, **types).last_hidden_state
        return pool(hidden, attention_mask, self.pooling)

    def freeze(self, layers: int) -> None:
        """Keep the word embeddings as they are, and with the first `layers` layers all that comes before these.

        A frozen layer has no dropout, so that it computes what it was trained for.

        Raises
        ------
        bench.errors.ModelError
            If layers must be frozen, but the encoder does not have BERT's structure.
        """
        self.encoder.get_input_embeddings().requires_grad_(False)  # type: ignore[operator]
        if layers:
            self._frozen = [self.encoder.embeddings, *_layers(self.encoder)[:layers]]  # type: ignore[list-item]
        for module in self._frozen:
            module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> SequenceClassifier:
        """Switch dropout on or off; it is always off in frozen layers."""
        super().train(mode)
        for module in self._frozen:
            module.eval()
        return self

    def trained(self) -> dict[str, torch.Tensor]:
        """Copy the parameters that training changes, by name."""
        return {name: value.detach().cpu().clone() for name, value in self.named_parameters() if value.requires_grad}

    def restore(self, trained: Mapping[str, object]) -> None:
        """Replace parameters by trained ones of the same names, given as arrays or tensors."""
        own = dict(self.named_parameters())
        with torch.no_grad():
            for name, value in trained.items():
                own[name].copy_(torch.as_tensor(value))


def _layers(encoder: nn.Module) -> nn.ModuleList:
    """The encoder's layers: the longest of its module lists."""
    lists = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    if not lists or not hasattr(encoder, "embeddings"):
        raise ModelError(f"{type(encoder).__name__} does not have the embeddings and list of layers of BERT.")
    return max(lists, key=len)
