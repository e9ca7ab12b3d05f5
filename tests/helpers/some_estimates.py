"""Shares of labels in an archive as they are stored, without an archive or a model."""

from __future__ import annotations

from bench.results.shares import Estimates, LabelShare, PartDifference, PartShares
from bench.statistics.interval import Interval
from bench.statistics.sampled import Share

MONTHS = ("2024-09", "2024-10")


def around(value: float, half: float = 0.1) -> Share:
    return Share(value, Interval(value - half, value + half))


def part_of(labels: tuple[str, ...], name: str | None = None) -> PartShares:
    """The label in place k of n has the share k + 1 of 1 + ... + n, in tens of thousands of texts."""
    total = len(labels) * (len(labels) + 1) / 2
    shares = tuple(
        LabelShare(
            label=label,
            powered=around((place + 1) / total),
            labels_alone=around((place + 1) / total, 0.12345),
            adjusted=None,
            counted=0.4321,
            narrowest="labels_alone" if place else "powered",
        )
        for place, label in enumerate(labels)
    )
    return PartShares(
        part=name,
        n_texts=1_234_567,
        n_labelled=2_345,
        n_groups=2_345,
        shares=shares,
        counted=dict.fromkeys(labels, 0.4321),
    )


def estimates_of(labels: tuple[str, ...] = ("true", "fabricated"), parts: tuple[str, ...] = MONTHS) -> Estimates:
    differences = [
        PartDifference(label=label, one=parts[1], other=parts[0], difference=around(0.1234, 0.0555))
        for label in (labels if parts else ())
    ]
    return Estimates(
        task="mine",
        model="logreg",
        run="0123456789",
        archive="archive.csv",
        labels=labels,
        whole=part_of(labels),
        by="published:month" if parts else None,
        parts=tuple(part_of(labels, name) for name in parts),
        differences=tuple(differences),
        within=0.02,
        further=dict.fromkeys(labels, 1_234),
        n_found=2_345,
        warnings=(),
    )
