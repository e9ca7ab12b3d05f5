"""The schema of files in ``configs/model/``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from bench.schema.check import Declared, expects, mapping
from bench.schema.run import Flag

_NUMBER = {"type": "number"}
_RANGE = {
    "type": "object",
    "properties": {"low": _NUMBER, "high": _NUMBER, "log": {"type": "boolean"}, "step": _NUMBER},
    "required": ["low", "high"],
    "additionalProperties": False,
}
Dimension = Annotated[Any, WithJsonSchema({"anyOf": [{"type": "array", "minItems": 1}, _RANGE]})]
"""A list of values or a range; `bench.models.space` reads and checks it."""

Text = Annotated[str, expects("text")]


class ModelFile(Declared):
    """A model: an estimator, its features, and its search space."""

    name: Text = Field(description="The name in model=NAME, and of the file.")
    description: Annotated[str | None, expects("text")] = Field(None, description="A one-line description.")
    features: Annotated[str | None, expects("the name of a feature set")] = Field(
        None,
        description="A feature set, or the import path of a transformer class; by default, the estimator takes text.",
    )
    estimator: Text = Field(description="The import path of a scikit-learn compatible classifier class.")
    params: Annotated[dict[str, Any] | None, mapping("a mapping of names to values")] = Field(
        None, description="Fixed parameters: NAME or estimator.NAME of the estimator, features.NAME of the features."
    )
    search: Annotated[
        dict[str, Dimension] | None,
        mapping("a mapping of parameters to values", "For example: estimator.C: {low: 0.01, high: 100.0, log: true}"),
    ] = Field(None, description="The search space: for each parameter, a list of values or {low, high, log, step}.")
    calibrate: Annotated[Literal["temperature"] | None, expects("temperature, or null")] = Field(
        None, description="temperature scales probabilities to the least log loss on inner folds of the training part."
    )
    thresholds: Annotated[Literal["tuned"] | None, expects("tuned, or null")] = Field(
        None, description="tuned chooses, on inner folds, the offset of each label with the best score by the metric."
    )
    prune: Flag = Field(False, description="Whether to stop bad settings after some inner folds.")
