"""Shares of labels in archives, as the store has them.

::

    results/<task>/<model>/<key>/shares/<digest>.json  the last for an archive, divided in that way
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import UserError
from bench.results.files import read_record, to_json, write_atomically
from bench.results.layout import shares_folder
from bench.results.store import RunFolder
from bench.statistics.sampled import Share
from bench.support.records import Count, Number, plain


@dataclass(frozen=True, kw_only=True)
class LabelShare:
    """The share of a label in an archive or in a part of it.

    Parameters
    ----------
    label : str
        The label.
    powered : Share
        By the model's predictions, corrected by the labelled examples: prediction-powered inference.
    labels_alone : Share
        By the labelled examples alone.
    adjusted : Share or None
        By counting, corrected by the model's error rates; None if these say nothing of the label.
    counted : float
        By counting: known labels where there are some, the predicted ones elsewhere; biased.
    narrowest : {"powered", "labels_alone"}
        The narrower one of the two that are valid for a random sample.
    """

    label: str
    powered: Share
    labels_alone: Share
    adjusted: Share | None
    counted: Number
    narrowest: Literal["powered", "labels_alone"]


@dataclass(frozen=True, kw_only=True)
class PartShares:
    """The shares in an archive or in a part of it.

    Parameters
    ----------
    part : str or None
        The part; None for the whole archive.
    n_texts : int
        Its texts.
    n_labelled, n_groups : int
        The labelled examples in it, and the groups that they are in.
    shares : tuple of LabelShare
        One for each label, in the task's order; empty if no example in it is labelled.
    counted : dict of str to float
        The share of each label by counting.
    """

    part: str | None
    n_texts: Count
    n_labelled: Count
    n_groups: Count
    shares: tuple[LabelShare, ...]
    counted: Mapping[str, Number]


@dataclass(frozen=True, kw_only=True)
class PartDifference:
    """By how much a label's share in one part exceeds that in another.

    Parameters
    ----------
    label, one, other : str
        The label and the two parts.
    difference : Share
        The difference of the shares, the first minus the second.
    """

    label: str
    one: str
    other: str
    difference: Share


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """What a labelled sample says about an archive.

    Parameters
    ----------
    task, model, run : str
        The task, the model that predicts, and the key of its run.
    archive : str
        The name of the archive's file, without its folder.
    labels : tuple of str
        The labels.
    whole : PartShares
        The whole archive.
    by : str or None
        The column that divides it.
    parts : tuple of PartShares
        Its parts, sorted by name.
    differences : tuple of PartDifference
        Those that were asked for.
    within : float
        The half width that `further` is about.
    further : dict of str to int
        How many more labelled examples would make each label's interval as narrow.
    n_found : int
        How many of the labelled examples are in the archive.
    warnings : tuple of str
        Where the assumption looks broken.
    source : str
        A digest of where the archive is, or of its texts, and of which columns were read; empty in older files.
    """

    task: str
    model: str
    run: str
    archive: str
    labels: tuple[str, ...]
    whole: PartShares
    by: str | None
    parts: tuple[PartShares, ...]
    differences: tuple[PartDifference, ...]
    within: Number
    further: Mapping[str, Count]
    n_found: Count
    warnings: tuple[str, ...]
    source: str = ""

    @property
    def title(self) -> str:
        """The archive, and how it is divided."""
        return f"{self.archive} by {self.by}" if self.by is not None else self.archive


def shares_paths(folder: RunFolder) -> list[Path]:
    """The files with the shares that a run's models found in archives."""
    return sorted(shares_folder(folder.path).glob("*.json"))


def read_shares(folder: RunFolder) -> list[Estimates]:
    """Read the shares that a run's models found in archives, by title; files that cannot be read are passed over."""
    found = []
    for path in shares_paths(folder):
        try:
            found.append(read_record(Estimates, path))
        except UserError:
            continue
    return sorted(found, key=lambda each: each.title)


def told_apart(found: Sequence[Estimates], names: Sequence[str]) -> list[str]:
    """The names of archives, with the number of texts and then the digest where different ones have one name."""
    told = list(names)
    for further in (
        [f"{each.whole.n_texts:,} texts" for each in found],
        [each.source[:6] or "older" for each in found],
    ):
        which: dict[str, set[tuple[str, int]]] = {}
        for each, name in zip(found, told, strict=True):
            which.setdefault(name, set()).add((each.source, each.whole.n_texts))
        told = [f"{name}, {more}" if len(which[name]) > 1 else name for name, more in zip(told, further, strict=True)]
    return told


def shares_name(estimates: Estimates) -> str:
    """The name of the file with the shares of an archive that is divided in some way."""
    what = f"{estimates.source}\n{estimates.title}" if estimates.source else estimates.title
    return f"{hashlib.sha256(what.encode()).hexdigest()[:12]}.json"


def write_shares(folder: RunFolder, estimates: Estimates) -> Path:
    """Store shares beside the run whose models predicted."""
    place = shares_folder(folder.path)
    place.mkdir(exist_ok=True)
    path = place / shares_name(estimates)
    write_atomically(path, to_json(plain(estimates)))
    return path
