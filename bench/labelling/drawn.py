"""Texts that are drawn to be labelled, with their probabilities."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench.data.drawn import PROBABILITY, STRATUM
from bench.data.duplicates import duplicate_keys
from bench.prediction.choice import KEYS, PredictRequest
from bench.prediction.reading import NewText
from bench.prediction.writing import json_lines

if TYPE_CHECKING:
    import pandas as pd

    from bench.data.sources.layout import Asked
    from bench.data.task import Task


WAYS = ("mixed", "uncertainty", "random", "diverse")
"""What can decide which texts are drawn; the first is the default."""

NEED_A_MODEL = ("mixed", "uncertainty")
"""Those that need a model's labels."""

SAMPLE_KEYS = (*KEYS, "seed")
"""The keys of ``bench sample``."""

STRATUM_DRAWN = "stratum_drawn"
"""The field with the number of texts that were drawn from the stratum."""

TEXT_DIGEST = "text_digest"
"""The field that tells whether a text is still the one that was drawn."""

EXAMPLE_ID = "example_id"
"""The field with the id that the text gets as an example."""

SEED, ARCHIVE = "seed", "archive"
"""The fields with the seed of a draw and the digest of its archive."""


PREDICTED, PREDICTED_PROBABILITY = "predicted", "predicted_probability"
"""The fields with the model's label and its probability."""

LABEL, ANNOTATOR = "label", "annotator"
"""The fields to fill in a table."""

OWN_FIELDS = (
    *(EXAMPLE_ID, STRATUM, PROBABILITY, STRATUM_DRAWN, TEXT_DIGEST, SEED, ARCHIVE),
    *(PREDICTED, PREDICTED_PROBABILITY, LABEL, ANNOTATOR),
)
"""The fields that a draw adds; an archive's columns of these names are not written."""

NO_ANSWER = "no answer"
"""The stratum of texts that the model gives no label."""


@dataclass(frozen=True)
class SampleRequest:
    """What to draw.

    Parameters
    ----------
    run : PredictRequest
        The task, and the run whose model labels the archive.
    archive : pathlib.Path or pandas.DataFrame
        The archive: its file, or its rows.
    n : int
        How many texts to draw.
    by : str
        One of `WAYS`.
    blind : bool
        Whether to leave out what the model says.
    seed : int
        The seed of the draw.
    columns : mapping of str to str or None
        The archive's column for each input, where it was named.
    asked : Asked or None
        The format of the archive that the user specified.
    """

    run: PredictRequest
    archive: Path | pd.DataFrame
    n: int
    by: str = WAYS[0]
    blind: bool = False
    seed: int = 0
    columns: Mapping[str, str | None] = field(default_factory=dict)
    asked: Asked | None = None


@dataclass(frozen=True)
class DrawnStratum:
    """A stratum of a draw.

    Parameters
    ----------
    name : str
        Its name in the output, unique to the draw.
    what : str
        Its texts in words, such as ``denial/uncertain``.
    size, drawn : int
        How many texts it has, and how many were drawn.
    """

    name: str
    what: str
    size: int
    drawn: int

    @property
    def probability(self) -> float:
        """The probability of each of its texts of being drawn."""
        return self.drawn / self.size


@dataclass(frozen=True)
class DrawnText:
    """A drawn text.

    Parameters
    ----------
    id : str
        Its id as an example: the archive's digest and the number of the text in it.
    inputs : mapping of str to str
        The text of each input column.
    further : mapping of str to object
        The archive's other columns.
    stratum : DrawnStratum
        Where it was drawn from.
    predicted : str or None
        The model's label, None without one.
    probability : float or None
        The model's probability of that label.
    """

    id: str
    inputs: Mapping[str, str]
    further: Mapping[str, object]
    stratum: DrawnStratum
    predicted: str | None = None
    probability: float | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """A draw.

    Parameters
    ----------
    task : Task
        What is labelled.
    texts : tuple of DrawnText
        The drawn texts, in random order.
    strata : tuple of DrawnStratum
        All strata.
    seed : int
        The seed.
    archive : str
        The SHA-256 of the archive's file, or of the rows of the data frame.
    model : str
        The model and its run, empty without one.
    blind : bool
        Whether the model's labels must not be shown.
    notes : tuple of str
        What to know of it, a sentence each.
    """

    task: Task
    texts: tuple[DrawnText, ...]
    strata: tuple[DrawnStratum, ...]
    seed: int
    archive: str
    model: str
    blind: bool
    notes: tuple[str, ...]

    def fields(self, drawn: DrawnText) -> dict[str, object]:
        """What every format writes of a drawn text: its id, inputs, the archive's columns, and how it was drawn."""
        return {
            EXAMPLE_ID: drawn.id,
            **drawn.inputs,
            **drawn.further,
            STRATUM: drawn.stratum.name,
            PROBABILITY: drawn.stratum.probability,
            STRATUM_DRAWN: drawn.stratum.drawn,
            TEXT_DIGEST: text_digest(duplicate_keys(pd.DataFrame([dict(drawn.inputs)]))[0]),
            SEED: self.seed,
            ARCHIVE: self.archive,
        }


def text_digest(key: bytes) -> str:
    """A short digest of a text by its key, which no program for spreadsheets takes for a number."""
    return f"t{key[:6].hex()}"


def rows_digest(new: NewText) -> str:
    """The SHA-256 of rows that are in no file, in hexadecimal."""
    digest = hashlib.sha256()
    for line in json_lines(row for _, row in new.rows):
        digest.update(line.encode(errors="surrogatepass"))
    return digest.hexdigest()
