"""Seeds for every random choice, derived from what the choice is for."""

from __future__ import annotations

import hashlib
import json


def derive_seed(seed: int, *purpose: str | int) -> int:
    """Derive a seed from the run's seed and the purpose of a random choice.

    Neither the order in which cells run nor the number of workers enters, so both leave
    every result as it is.

    Parameters
    ----------
    seed : int
        The run's seed.
    *purpose : str or int
        What the choice is for, such as the task, the model, the fold and ``"search"``.

    Returns
    -------
    int
        A seed in ``[0, 2**31)``, the range that scikit-learn, LightGBM and Optuna accept.

    Examples
    --------
    >>> derive_seed(0, "stance", "logreg", 3, "search") == derive_seed(0, "stance", "logreg", 3, "search")
    True
    >>> derive_seed(0, "a") == derive_seed(1, "a")
    False
    """
    digest = hashlib.sha256(json.dumps([seed, *purpose]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
