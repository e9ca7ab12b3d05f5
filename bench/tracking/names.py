"""Names that MLflow takes in every place: ASCII, and one for one with what they name."""

from __future__ import annotations

import hashlib
import re

LONGEST = 60
"""Characters of a label that stay in its name; MLflow takes 250 for a metric, and file systems 255 for a folder."""

NOTE = "mlflow.note.content"
"""The tag with the text that MLflow shows as the description of an experiment, a run and a model."""

CLASS_METRICS = ("precision", "recall", "f1")
"""The metrics of a class, as ``class/<label>/<metric>``; a tag of the same name holds the rest."""

SHOWN = 20
"""Characters of a run's name that MLflow's tables and charts show before they cut it."""


def ascii_name(label: str) -> str:
    """Turn a label into a name of ASCII letters, digits, ``_``, ``-`` and ``.``.

    A short label that is such a name stays as it is. Others are written in the Safe Buckwalter
    transliteration of camel-tools, with a hash that keeps them apart.

    Parameters
    ----------
    label : str
        A label in any script.

    Examples
    --------
    >>> ascii_name("non_confirmation")
    'non_confirmation'
    >>> ascii_name("نفي")
    'nfy-ddba803d'
    """
    # Names are parts of paths, in which dots alone lead elsewhere.
    if re.fullmatch(r"[A-Za-z0-9_.-]+", label) and len(label) <= LONGEST and label.strip("."):
        return label
    from camel_tools.utils.charmap import CharMapper

    latin = CharMapper.builtin_mapper("ar2safebw")(label)
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", latin).strip("-")
    digest = hashlib.sha256(label.encode()).hexdigest()[:8]
    return f"{readable[:LONGEST]}-{digest}" if readable else digest


def run_name(model: str, seed: int, search: str | None) -> str:
    """The name of a run: its first characters tell models apart.

    A model's name that is too long for MLflow's tables loses its middle, because related models differ at the end.
    The tag ``bench.model`` has the whole name.

    Parameters
    ----------
    model : str
        The model's name.
    seed : int
        The run's seed.
    search : str or None
        The search, None where nothing is searched.

    Examples
    --------
    >>> run_name("logreg", 0, "quick")
    'logreg s0 quick'
    >>> run_name("finetune-arabic-base-large", 0, None)
    'finetune…base-large s0'
    """
    kept = SHOWN - 1
    short = model if len(model) <= SHOWN else f"{model[: kept // 2 - 1]}…{model[-(kept - kept // 2) :]}"
    return " ".join(filter(None, [short, f"s{seed}", search]))


def class_tag(label: str) -> str:
    """The name of the tag that describes how a model does on a class.

    Examples
    --------
    >>> class_tag("denial")
    'bench.class.denial'
    """
    return f"bench.class.{ascii_name(label)}"


def class_metric(label: str, metric: str) -> str:
    """The name of a metric of one class.

    Examples
    --------
    >>> class_metric("denial", "f1")
    'class/denial/f1'
    """
    return f"class/{ascii_name(label)}/{metric}"
