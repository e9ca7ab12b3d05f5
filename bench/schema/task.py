"""The schema of ``task.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from bench.schema.check import Declared, expects, listing, mapping
from bench.schema.run import Flag
from bench.schema.source import Source

INPUTS = (["text"], ["claim", "text"])
QUOTE = "Quote it: YAML reads true, null and 1 as values."
FORM = "A figure looks like {system: BERT, metric: macro_f1, value: 0.767, source: Khouja 2020}."

Told = Annotated[str, Field(pattern=r"\S"), expects("text")]
Sentence = Annotated[str, Field(pattern=r"\S"), expects("a sentence")]


def _known(inputs: list[str]) -> list[str]:
    if inputs not in INPUTS:
        raise ValueError
    return inputs


class Figure(Declared):
    """A result that was published on the task's own split."""

    form = FORM

    system: Annotated[str, Field(pattern=r"\S"), expects("text", "Quote it.")] = Field(description="What was scored.")
    metric: Annotated[str, expects("text")] = Field(description="The metric's name.")
    value: Annotated[float, expects("a number", "Write per cent as a share: 76.7 is 0.767.")] = Field(
        description="The score as a share, not in per cent."
    )
    source: Annotated[str, Field(pattern=r"\S"), expects("text", "Quote it.")] = Field(
        description="Where it was published."
    )


Figures = Annotated[list[Annotated[Figure, mapping("a mapping", FORM)]] | None, listing("a list of figures", FORM)]


class Published(Declared):
    """The published results in a task's file. Other keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    published: Figures = None


class TaskFile(Declared):
    """A task: labelled examples, their inputs, and how to score them."""

    name: Told = Field(description="The name in task=NAME, and of the folder.")
    version: Annotated[int, Field(ge=1), expects("a whole number from 1")] = Field(
        1, description="The version, to raise when labels change."
    )
    description: Told = Field(description="A one-line description of the question about each text.")
    source: Source = Field(description="The source of the examples.")
    inputs: Annotated[list[Literal["text", "claim"]], AfterValidator(_known), expects("[text] or [claim, text]")] = (
        Field(description="The inputs of models: [text] or [claim, text].")
    )
    labels: Annotated[list[Annotated[str, expects("text", QUOTE)]], listing("a list")] = Field(
        description="The labels, in the order of tables.", json_schema_extra={"minItems": 2}
    )
    label_map: Annotated[
        dict[str, Annotated[str, expects("one of labels")]] | None,
        mapping("a mapping of the annotators' labels to the task's"),
    ] = Field(None, description="The task's label for each label of the annotators.")
    descriptions: Annotated[dict[str, Sentence] | None, mapping("a mapping of each label to a sentence")] = Field(
        None, description="A sentence for each label; {claim} is replaced by the claim."
    )
    group: Annotated[str | None, expects("text")] = Field(None, description="The column of groups that stay together.")
    gold: Annotated[Literal["majority", "dawid-skene"] | None, expects("majority or dawid-skene")] = Field(
        None, description="How bench add decides labels of several annotators: majority, or dawid-skene."
    )
    metric: Annotated[str, expects("text")] = Field("macro_f1", description="The metric that ranks models.")
    averaged_over: Annotated[str | None, expects("text")] = Field(
        None, description="The column over whose values the metric is averaged."
    )
    strict: Flag = Field(False, description="Whether a row without a text or a label is an error.")
    allow_repeats: Flag = Field(False, description="Whether many repeated inputs are allowed.")
    homepage: Annotated[str | None, Field(pattern=r"^https?://\S+$"), expects("an http or https address")] = Field(
        None, description="Where the data are published."
    )
    licence: Annotated[Told | None, expects("text")] = Field(None, description="The licence of the data.")
    citation: Annotated[Told | None, expects("text")] = Field(None, description="What to cite.")
    published: Figures = Field(None, description="Published results on the task's own split.")
