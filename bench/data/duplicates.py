"""Repeated inputs: the one definition of "the same input", and the dropping of repeats."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bench.data.mapped import parts, select_rows
from bench.data.messages import listed
from bench.text.identity import text_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_DIGEST = 16
"""Bytes of a key."""


def input_key(*texts: str) -> str:
    """Return what two inputs share when they count as the same.

    What is ignored is said of texts in `bench.text.identity`: invisible and combining characters, compatibility forms,
    kinds of digits, letter case, punctuation and the amount of white space.

    Parameters
    ----------
    *texts : str
        The texts of one input, one an input column.

    Returns
    -------
    str
        The key, equal for equal inputs; readable, but not meant to be shown.

    Examples
    --------
    >>> input_key("رَفَضَتْ روســيا «المزاعم»!") == input_key("رفضت  روسيا المزاعم")
    True
    >>> input_key("رفضت روسيا") == input_key("قبلت روسيا")
    False
    """
    return "\x1f".join(map(text_key, texts))


def duplicate_keys(frame: pd.DataFrame) -> NDArray[np.bytes_]:
    """Return one key a row; rows with equal keys hold the same input.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_examples, n_inputs)
        The input columns of a task, all of text.

    Returns
    -------
    numpy.ndarray of bytes, shape (n_examples,)
        Digests of 16 bytes of what `input_key` gives, since the texts of many rows would take as much memory again.

    Examples
    --------
    >>> keys = duplicate_keys(pd.DataFrame({"text": ["نفى.", "أكد", "نفى"]}))
    >>> [bool(key == keys[0]) for key in keys]
    [True, False, True]
    """
    keys = np.empty(len(frame), dtype=f"S{_DIGEST}")
    for part in parts(frame):
        encoded = (key.encode("utf-8", "surrogatepass") for key in input_keys(frame.iloc[part]))
        keys[part] = [hashlib.blake2b(key, digest_size=_DIGEST).digest() for key in encoded]
    return keys


def input_keys(frame: pd.DataFrame) -> list[str]:
    """Return what `input_key` gives for each row of a frame of input columns."""
    columns = (_column_keys(frame[name]) for name in frame.columns)
    return ["\x1f".join(row) for row in zip(*columns, strict=True)]


def drop_repeats(
    examples: pd.DataFrame, inputs: tuple[str, ...], passes: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame | None, tuple[str, ...]]:
    """Keep each input once, at its first place, so that no split can have it on both sides.

    Parameters
    ----------
    examples : pandas.DataFrame of shape (n_examples, n_columns)
        Columns ``id``, the inputs, ``label`` and any others.
    inputs : tuple of str
        The input columns.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row an example.

    Returns
    -------
    examples : pandas.DataFrame
        The examples that are kept, in their order, with a range index.
    passes : pandas.DataFrame or None
        Their rows of `passes`.
    notes : tuple of str
        What was left out, and where its label was another than that of the copy that is kept; empty without repeats.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": ["1", "2"], "text": ["نفى", "نفى."], "label": ["denial", "none"]})
    >>> for note in drop_repeats(frame, ("text",), None)[2]:
    ...     print(note)
    1 of 2 examples repeats the input of an earlier one and is left out: 2 (as 1).
    1 of these had another label than the copy that is kept: 2 (none; 1: denial).
    """
    keys = duplicate_keys(examples[list(inputs)])
    _, places, numbers = np.unique(keys, return_index=True, return_inverse=True)
    first = places[numbers]
    kept = first == np.arange(len(keys))
    again = np.flatnonzero(~kept)
    ids, labels = (
        list(zip(examples[name].iloc[again], examples[name].iloc[first[again]], strict=True))
        for name in ("id", "label")
    )
    notes = []
    if ids:
        which = listed(_by_segment(ids) if "claim_id" in examples else [f"{a} (as {b})" for a, b in ids])
        verb = "repeats the input of an earlier one and is" if len(ids) == 1 else "repeat an earlier input and are"
        notes.append(f"{len(ids):,} of {len(examples):,} examples {verb} left out: {which}.")
    conflicts = [
        f"{copy} ({label}; {original}: {kept_label})"
        for (copy, original), (label, kept_label) in zip(ids, labels, strict=True)
        if label != kept_label
    ]
    if conflicts:
        notes.append(f"{len(conflicts):,} of these had another label than the copy that is kept: {listed(conflicts)}.")
    return (
        select_rows(examples, kept),
        None if passes is None else passes[kept].reset_index(drop=True),
        tuple(notes),
    )


def settle_splits(
    examples: pd.DataFrame, inputs: tuple[str, ...], passes: pd.DataFrame | None, splits: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame | None, tuple[str, ...]]:
    """Take copies of test inputs out of training, so that published splits can be scored as they were published.

    In each split the test part stays as it is. A dev example whose input stands in test, and a train example whose
    input stands in test, in dev or in an earlier train example, have no part in it.

    Parameters
    ----------
    examples : pandas.DataFrame of shape (n_examples, n_columns)
        Columns ``id``, the inputs, ``label``, those of `splits` and any others.
    inputs : tuple of str
        The input columns.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row an example.
    splits : sequence of str
        The columns that say which part of a split an example is in: ``train``, ``dev``, ``test`` or none.

    Returns
    -------
    examples : pandas.DataFrame
        The examples that have a part in some split, with a range index.
    passes : pandas.DataFrame or None
        Their rows of `passes`.
    notes : tuple of str
        What was left out.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": ["1", "2", "3"], "text": ["نفى", "أكد", "نفى."]})
    >>> frame["split"] = ["train", "train", "test"]
    >>> for note in settle_splits(frame, ("text",), None, ["split"])[2]:
    ...     print(note)
    1 of 2 train examples repeats an input of test, dev or train and is left out: 1 (as 3).
    """
    keys, ids = duplicate_keys(examples[list(inputs)]), examples["id"].tolist()
    examples, notes = examples.copy(), []
    without = int((examples[list(splits)] == "").all(axis=1).sum())
    if without:
        be = "is" if without == 1 else "are"
        notes.append(f"{without:,} of {len(examples):,} examples {be} in no part of the published split.")
    for column in splits:
        roles = examples[column].to_numpy(dtype=object)
        first: dict[bytes, int] = {}
        for role in ("test", "dev", "train"):
            rows = np.flatnonzero(roles == role)
            repeats = []
            for row in rows.tolist():
                original = first.setdefault(keys[row], row)
                if original != row and role != "test":
                    roles[row] = ""
                    repeats.append(f"{ids[row]} (as {ids[original]})")
            if repeats:
                earlier = "test, dev or train" if role == "train" else "test or dev"
                verb, be = ("repeats", "is") if len(repeats) == 1 else ("repeat", "are")
                where = f" of {column}" if len(splits) > 1 else ""
                counts = f"{len(repeats):,} of {len(rows):,} {role} examples{where}"
                notes.append(f"{counts} {verb} an input of {earlier} and {be} left out: {listed(repeats)}.")
        examples[column] = roles
    kept = (examples[list(splits)] != "").any(axis=1).to_numpy()
    return (
        select_rows(examples, kept),
        None if passes is None else passes[kept].reset_index(drop=True),
        tuple(notes),
    )


def _by_segment(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Name each copied segment once, not once a claim."""
    segments = ((again.partition("/")[0], original.partition("/")[0]) for again, original in pairs)
    return [f"{again} (as {original})" for again, original in dict.fromkeys(segments)]


def _column_keys(column: pd.Series) -> list[str]:
    texts = column.tolist()
    known = {text: text_key(text) for text in set(texts)}
    return [known[text] for text in texts]
