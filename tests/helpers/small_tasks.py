"""Small tasks made in memory, for tests of the harness itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bench.data import Task

LABELS = ("denial", "non_confirmation", "none")
CUES = {"denial": "نفى", "non_confirmation": "امتنع", "none": "أعلن"}
WORDS = ("الوزير", "المتحدث", "الخبر", "أمس", "موسكو", "كييف", "تقرير", "مصدر", "بيان", "اليوم")


def text_task(n_groups: int = 4, per_group: int = 6, seed: int = 0, noise: float = 0.1, **changes: Any) -> Task:
    """A task of one text column whose labels a linear model can learn, all but a share of `noise`."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n_groups * per_group):
        label = LABELS[number % len(LABELS)]
        cue = CUES[LABELS[rng.integers(len(LABELS))] if rng.random() < noise else label]
        text = " ".join([cue, *rng.choice(WORDS, size=4), f"رقم{number}"])
        rows.append({"id": f"e{number}", "text": text, "label": label, "document": f"d{number // per_group}"})
    settings: dict[str, Any] = {
        "name": "small",
        "version": 1,
        "description": "Texts with a cue word.",
        "inputs": ("text",),
        "labels": LABELS,
        "metric": "macro_f1",
        "group": "document",
        "examples": pd.DataFrame(rows),
    }
    return Task(**(settings | changes))
