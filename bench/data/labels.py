"""The labels of a task and how the annotators' labels become them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.data.messages import check_name, shortened
from bench.errors import DataError, nearest
from bench.text.identity import name_key, spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def label_key(label: str) -> str:
    """Return what two labels share when they count as the same: their names in the normal form that keeps letter case.

    A label that is nothing but marks, such as a fatha, is compared as it stands.
    """
    return name_key(label, fold_case=False) or label


def respelled(labels: Iterable[str]) -> list[list[str]]:
    """Return the labels that are written in several ways, each as the list of these.

    Examples
    --------
    >>> respelled(["1", "-1", "C", "C++", "1.0"])
    [['1', '1.0']]
    """
    return spellings(labels, label_key)


LONGEST = 200
"""Characters of a label, of which every example's prediction holds one."""


def check_label(label: str, where: str) -> None:
    """Refuse a label that would look like another one, or that is a text rather than a name.

    Raises
    ------
    bench.errors.DataError
        If it holds a hidden character, or more than `LONGEST` characters.
    """
    check_name(label, where, "label")
    if len(label) > LONGEST:
        raise DataError(
            f"{where}: the label '{shortened(label)}' has {len(label):,} characters.",
            f"A label is a name of at most {LONGEST}. Is it the text?",
        )


@dataclass(frozen=True)
class LabelSet:
    """A task's labels, and the map to them where the annotators' labels are finer.

    Parameters
    ----------
    labels : tuple of str
        The task's labels.
    mapping : mapping of str to str
        The task's label for each of the annotators' labels; empty where both are the same.
    """

    labels: tuple[str, ...]
    mapping: Mapping[str, str]

    def read(self, raw: object, where: str) -> str:
        """Return the task's label for one of the annotators'.

        Raises
        ------
        bench.errors.DataError
            If the label is not one that the annotators could give.

        Examples
        --------
        >>> LabelSet(("official", "other"), {"government": "official", "media": "other"}).read("media", "a.csv, line 2")
        'other'
        """
        known = self.mapping or {label: label for label in self.labels}
        if isinstance(raw, str) and raw in known:
            return known[raw]
        kind = "a key of label_map" if self.mapping else "one of the task's labels"
        raise DataError(f"{where}: label {raw!r} is not {kind}.", nearest(str(raw), known))
