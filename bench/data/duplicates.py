"""Repeated inputs: the definition of "the same input", and the removal of repeats."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from bench.data.mapped import parts, select_rows
from bench.data.messages import listed
from bench.text.identity import text_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

_DIGEST = 16
"""The size of a key in bytes."""

MANY = 1 / 2
"""The share of repeated examples at which a column is probably missing from the inputs."""

MANY_CONTRADICTING = 1 / 3
"""The same threshold for repeats whose label differs from that of the kept copy."""

_LEAST = 10
"""This many repeats are always accepted."""


class Repeats(NamedTuple):
    """How many examples were left out because their input repeats another's.

    Parameters
    ----------
    n_examples : int
        All examples, in each part of each published split.
    n_left_out : int
        Those that were left out.
    n_contradicting : int
        Those whose label differs from that of the kept copy.
    """

    n_examples: int
    n_left_out: int
    n_contradicting: int

    @property
    def too_many(self) -> bool:
        """Whether the inputs are probably incomplete."""
        return self.n_left_out >= _LEAST and (
            self.n_left_out >= MANY * self.n_examples or self.n_contradicting >= MANY_CONTRADICTING * self.n_examples
        )


class Settled(NamedTuple):
    """Examples without repeated inputs, so that no input can be on both sides of a split.

    Parameters
    ----------
    examples : pandas.DataFrame
        The kept examples, in their order, with a range index.
    passes : pandas.DataFrame or None
        Their labels by annotation pass.
    notes : tuple of str
        Sentences about what was left out, and about labels that differ from the kept copy's.
    repeats : Repeats
        Their counts.
    """

    examples: pd.DataFrame
    passes: pd.DataFrame | None
    notes: tuple[str, ...]
    repeats: Repeats


def input_key(*texts: str) -> str:
    """Return an input's key. Inputs with equal keys count as the same.

    `bench.text.identity` defines what is ignored: invisible and combining characters, compatibility forms, kinds of
    digits, letter case, punctuation and the amount of white space.

    Parameters
    ----------
    *texts : str
        The texts of one input, one for each input column.

    Returns
    -------
    str
        The key, equal for equal inputs; readable, but not for display.

    Examples
    --------
    >>> input_key("رَفَضَتْ روســيا «المزاعم»!") == input_key("رفضت  روسيا المزاعم")
    True
    >>> input_key("رفضت روسيا") == input_key("قبلت روسيا")
    False
    """
    return "\x1f".join(map(text_key, texts))


def duplicate_keys(frame: pd.DataFrame) -> NDArray[np.bytes_]:
    """Return a key for each row. Rows with equal keys have the same input.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_examples, n_inputs)
        The input columns of a task, all of text.

    Returns
    -------
    numpy.ndarray of bytes, shape (n_examples,)
        Digests of 16 bytes of the result of `input_key`, to save memory.

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
    """Return the result of `input_key` for each row of a frame of input columns."""
    columns = (_column_keys(frame[name]) for name in frame.columns)
    return ["\x1f".join(row) for row in zip(*columns, strict=True)]


def drop_repeats(examples: pd.DataFrame, inputs: tuple[str, ...], passes: pd.DataFrame | None) -> Settled:
    """Keep the first example of each input, so that no split has it on both sides.

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
    Settled
        The kept examples, and what was left out.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": ["1", "2"], "text": ["نفى", "نفى."], "label": ["denial", "none"]})
    >>> for note in drop_repeats(frame, ("text",), None).notes:
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
    conflicts = _contradicting(ids, labels)
    if conflicts:
        notes.append(_told(conflicts))
    return Settled(
        select_rows(examples, kept),
        None if passes is None else passes[kept].reset_index(drop=True),
        tuple(notes),
        Repeats(len(examples), len(ids), len(conflicts)),
    )


def settle_splits(
    examples: pd.DataFrame, inputs: tuple[str, ...], passes: pd.DataFrame | None, splits: Sequence[str]
) -> Settled:
    """Remove copies of test inputs from training, so that published splits are scored as published.

    In each split the test part stays as it is. A dev example is removed if its input is in test. A train example is
    removed if its input is in test, in dev or in an earlier train example.

    Parameters
    ----------
    examples : pandas.DataFrame of shape (n_examples, n_columns)
        Columns ``id``, the inputs, ``label``, those of `splits` and any others.
    inputs : tuple of str
        The input columns.
    passes : pandas.DataFrame or None
        Labels by annotation pass, one row an example.
    splits : sequence of str
        The columns that say which part of a split an example is in: ``train``, ``dev``, ``test`` or none of them.

    Returns
    -------
    Settled
        The examples that have a part in some split, and what was left out.

    Examples
    --------
    >>> frame = pd.DataFrame({"id": ["1", "2", "3"], "text": ["نفى", "أكد", "نفى."]})
    >>> frame["split"] = ["train", "train", "test"]
    >>> frame["label"] = ["denial", "none", "none"]
    >>> for note in settle_splits(frame, ("text",), None, ["split"]).notes:
    ...     print(note)
    1 of 2 train examples repeats an input of test, dev or train and is left out: 1 (as 3).
    1 of these had another label than the copy that is kept: 1 (denial; 3: none).
    """
    keys, ids = duplicate_keys(examples[list(inputs)]), examples["id"].tolist()
    labels = examples["label"].tolist()
    examples, notes, counts = examples.copy(), [], Repeats(0, 0, 0)
    without = int((examples[list(splits)] == "").all(axis=1).sum())
    if without:
        be = "is" if without == 1 else "are"
        notes.append(f"{without:,} of {len(examples):,} examples {be} in no part of the published split.")
    for column in splits:
        roles = examples[column].to_numpy(dtype=object)
        first: dict[bytes, int] = {}
        for role in ("test", "dev", "train"):
            rows = np.flatnonzero(roles == role)
            repeats: list[tuple[int, int]] = []
            for row in rows.tolist():
                original = first.setdefault(keys[row], row)
                if original != row and role != "test":
                    roles[row] = ""
                    repeats.append((row, original))
            conflicts = _contradicting(
                [(ids[row], ids[original]) for row, original in repeats],
                [(labels[row], labels[original]) for row, original in repeats],
            )
            counts = Repeats(*map(sum, zip(counts, (len(rows), len(repeats), len(conflicts)), strict=True)))
            if repeats:
                earlier = "test, dev or train" if role == "train" else "test or dev"
                verb, be = ("repeats", "is") if len(repeats) == 1 else ("repeat", "are")
                where = f" of {column}" if len(splits) > 1 else ""
                which = listed([f"{ids[row]} (as {ids[original]})" for row, original in repeats])
                share = f"{len(repeats):,} of {len(rows):,} {role} examples{where}"
                notes.append(f"{share} {verb} an input of {earlier} and {be} left out: {which}.")
            if conflicts:
                notes.append(_told(conflicts))
        examples[column] = roles
    kept = (examples[list(splits)] != "").any(axis=1).to_numpy()
    return Settled(
        select_rows(examples, kept),
        None if passes is None else passes[kept].reset_index(drop=True),
        tuple(notes),
        counts,
    )


def lost_labels(
    before: pd.DataFrame, after: pd.DataFrame, inputs: tuple[str, ...], labels: Iterable[str]
) -> dict[str, list[str]]:
    """Find labels that are lost because all their examples repeat another's input.

    Parameters
    ----------
    before : pandas.DataFrame of shape (n_examples, n_columns)
        All examples.
    after : pandas.DataFrame of shape (n_kept, n_columns)
        The kept examples.
    inputs : tuple of str
        The input columns.
    labels : iterable of str
        The labels to look for.

    Returns
    -------
    dict of str to list of str
        Each lost label's examples, each with the example that is kept instead.
    """
    present = set(after["label"])
    absent = [label for label in labels if label not in present and (before["label"] == label).any()]
    if not absent:
        return {}
    gone = before[before["label"].isin(absent)]
    keys = duplicate_keys(gone[list(inputs)]).tolist()
    wanted = set(keys)
    kept: dict[bytes, str] = {}
    for key, name, label in zip(duplicate_keys(after[list(inputs)]).tolist(), after["id"], after["label"], strict=True):
        if key in wanted:
            kept.setdefault(key, f"{name}: {label}")
    found: dict[str, list[str]] = {label: [] for label in absent}
    for key, name, label in zip(keys, gone["id"], gone["label"], strict=True):
        found[label].append(f"{name} ({label}; {kept.get(key, 'in no part')})")
    return found


def _contradicting(ids: Iterable[tuple[str, str]], labels: Iterable[tuple[str, str]]) -> list[str]:
    """List the copies whose label differs from the original's, each with both labels."""
    return [
        f"{copy} ({label}; {original}: {kept_label})"
        for (copy, original), (label, kept_label) in zip(ids, labels, strict=True)
        if label != kept_label
    ]


def _told(conflicts: Sequence[str]) -> str:
    return f"{len(conflicts):,} of these had another label than the copy that is kept: {listed(conflicts)}."


def _by_segment(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Name each copied segment once, not once for each claim."""
    segments = ((again.partition("/")[0], original.partition("/")[0]) for again, original in pairs)
    return [f"{again} (as {original})" for again, original in dict.fromkeys(segments)]


def _column_keys(column: pd.Series) -> list[str]:
    texts = column.tolist()
    known = {text: text_key(text) for text in set(texts)}
    return [known[text] for text in texts]
