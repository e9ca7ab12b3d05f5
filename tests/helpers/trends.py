"""An archive in which it is known how often a model is right, by the distance from its training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Archive:
    """Examples in groups, and these in parts: whether each is right, and its days from training."""

    right: np.ndarray
    days: np.ndarray
    parts: np.ndarray
    groups: np.ndarray


def archive(
    rng: np.random.Generator,
    *,
    n_parts: int = 5,
    groups_of_part: int = 12,
    per_group: int = 5,
    reach: float = 100.0,
    uneven: bool = False,
    right: tuple[float, float] = (0.65, 0.85),
    slope: float = 0.0,
    spread: float = 0.1,
    events: float = 0.0,
    days_of_event: float = 10.0,
) -> Archive:
    """Draw an archive.

    Each part has a share of `right` answers of its own, each group differs from it by a deviation of `spread`, and each
    event of so many days by one of `events`. Over `reach` days, the share changes by `slope`. The parts have as many
    days, or `uneven` ones.
    """
    n = n_parts * groups_of_part
    part = np.repeat(np.arange(n_parts), groups_of_part)
    lasts = reach * (2.0 ** -np.arange(n_parts) * 4.0 if uneven else np.ones(n_parts))
    day = rng.uniform(0.0, lasts[part])
    event = rng.normal(0.0, events, (n_parts, int(lasts.max() // days_of_event) + 1))
    share = rng.uniform(*right, n_parts)[part] + rng.normal(0.0, spread, n)
    share += event[part, (day // days_of_event).astype(int)] + slope * day / reach
    groups = np.repeat(np.arange(n), rng.integers(1, 2 * per_group, n))
    is_right = rng.random(len(groups)) < np.clip(share, 0.0, 1.0)[groups]
    days = day[groups] + rng.uniform(0.0, 1.0, len(groups))
    return Archive(is_right.astype(float), days, part[groups], groups)
