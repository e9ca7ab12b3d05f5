"""How often the score of a model is said to fall or rise with distance from training, where it does and does not.

Printed is a Markdown table: how often an interval over groups alone, over periods alone, and the wider of both leave
out 0, in percent of the simulated archives::

    PYTHONPATH=tests/helpers python tests/benchmarks/trend_verdicts.py [REPEATS]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from trends import archive

from bench.statistics.trend import slope_within

SETTINGS: dict[str, dict[str, Any]] = {
    "12 groups in each of 5 periods": {},
    "4 groups in each": {"groups_of_part": 4},
    "60 groups in each": {"groups_of_part": 60},
    "large and unlike groups": {"groups_of_part": 6, "per_group": 20, "spread": 0.2},
    "3 periods": {"n_parts": 3},
    "8 periods": {"n_parts": 8},
    "periods of unlike length": {"uneven": True},
    "97 % right": {"right": (0.96, 0.98), "spread": 0.02},
    "97 % right, 60 groups": {"right": (0.96, 0.98), "spread": 0.02, "groups_of_part": 60},
    "events of 10 days": {"events": 0.1},
    "events of 10 days, 60 groups": {"events": 0.1, "groups_of_part": 60},
    "events of 30 days, 60 groups": {"events": 0.1, "groups_of_part": 60, "days_of_event": 30.0},
    "events of 30 days, unlike lengths": {
        "events": 0.1,
        "groups_of_part": 60,
        "days_of_event": 30.0,
        "uneven": True,
    },
    "falls by 0.15 in a period, 60 groups": {"slope": -0.15, "groups_of_part": 60},
    "falls by 0.30": {"slope": -0.3},
    "falls by 0.30, 60 groups": {"slope": -0.3, "groups_of_part": 60},
}


def main() -> None:
    """Print the table."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("| archive | groups | periods | both | no interval |\n| --- | ---: | ---: | ---: | ---: |")
    for name, setting in SETTINGS.items():
        found = np.array([_said(seed, setting) for seed in range(repeats)])
        print(f"| {name} | {' | '.join(f'{100 * share:.1f}' for share in found.mean(axis=0))} |", flush=True)


def _said(seed: int, setting: dict[str, Any]) -> tuple[bool, bool, bool, bool]:
    made = archive(np.random.default_rng([seed, 1]), **setting)
    found = slope_within(made.right, made.days, made.parts, made.groups, 0.95)
    if found is None or found.half is None or found.by_groups is None or found.by_parts is None:
        return False, False, False, True
    size = abs(found.slope)
    return size > found.by_groups, size > found.by_parts, size > found.half, False


if __name__ == "__main__":
    main()
