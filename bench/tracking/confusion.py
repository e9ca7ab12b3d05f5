"""A confusion matrix as an SVG picture, written without a plotting library."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from xml.sax.saxutils import escape

from bench.metrics.confusion import column_names

CELL = 72
"""Width and height of a cell, in pixels."""


def confusion_svg(confusion: Sequence[Sequence[int]], labels: Sequence[str], title: str) -> str:
    """Draw a confusion matrix, each cell shaded by its share of the row.

    Browsers set text in both directions themselves, so Arabic labels are written as they are.

    Parameters
    ----------
    confusion : sequence of sequences of int, shape (n_labels, n_labels) or (n_labels, n_labels + 1)
        Rows are true labels, columns predicted ones, with a last one for unanswered examples where there are any.
    labels : sequence of str
        Label names in the order of the rows.
    title : str
        What stands above.

    Returns
    -------
    str
        An SVG document.

    Examples
    --------
    >>> confusion_svg([[2, 1], [0, 3]], ["نفي", "none"], "denial").count("<rect")
    5
    """
    left = 40 + 8 * max(map(len, labels))
    columns = column_names(labels, len(confusion[0]))
    top, side, across = 96, CELL * len(labels), CELL * len(columns)
    width, height = max(left + across + 24, 24 + 9 * len(title)), top + side + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="16" y="26" font-size="15" font-weight="bold">{escape(title)}</text>',
        f'<text x="{left + across / 2}" y="{top - 40}" text-anchor="middle" fill="#666">'
        "predicted (% of the row)</text>",
        f'<text transform="translate(18 {top + side / 2}) rotate(-90)" text-anchor="middle" fill="#666">true</text>',
    ]
    for place, label in enumerate(columns):
        middle = place * CELL + CELL / 2
        shown = label if len(label) <= 11 else _shortened(label)
        parts.append(
            f'<text x="{left + middle}" y="{top - 12}" font-size="11" text-anchor="middle">{escape(shown)}'
            f"<title>{escape(label)}</title></text>"
        )
    for place, label in enumerate(labels):
        middle = place * CELL + CELL / 2
        parts.append(f'<text x="{left - 10}" y="{top + middle + 4}" text-anchor="end">{escape(label)}</text>')
    for true, row in enumerate(confusion):
        for predicted, count in enumerate(row):
            share = count / max(sum(row), 1)
            x, y = left + predicted * CELL, top + true * CELL
            ink = "#fff" if share > 0.5 else "#222"
            parts.append(
                f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="#08519c" '
                f'fill-opacity="{share:.3f}" stroke="#ccc"/>'
            )
            parts.append(
                f'<text x="{x + CELL / 2}" y="{y + CELL / 2}" text-anchor="middle" fill="{ink}">{count}'
                f'<tspan x="{x + CELL / 2}" dy="16" font-size="11">{share:.0%}</tspan></text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shortened(label: str) -> str:
    # The mark keeps the dots at the end of a label that is read from the right.
    mark = "\u200f" if unicodedata.bidirectional(label[0]) in ("R", "AL") else ""
    return f"{label[:10].rstrip()}…{mark}"
