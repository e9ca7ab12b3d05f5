"""Names that MLflow takes in every place: ASCII, and one for one with what they name."""

from __future__ import annotations

import hashlib
import re

LONGEST = 60
"""Characters of a label that stay in its name; MLflow takes 250 for a metric, and file systems 255 for a folder."""

CLASS_METRICS = ("precision", "recall", "f1", "support")
"""The metrics of a class, as ``class/<label>/<metric>``."""


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


def class_metric(label: str, metric: str) -> str:
    """The name of a metric of one class.

    Examples
    --------
    >>> class_metric("denial", "f1")
    'class/denial/f1'
    """
    return f"class/{ascii_name(label)}/{metric}"
