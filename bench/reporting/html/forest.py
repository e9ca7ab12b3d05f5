"""The forest plot of a comparison as SVG."""

from __future__ import annotations

import re

from markupsafe import Markup

from bench.comparison.compare import Comparison
from bench.reporting.forest import WORDS, Drawn, Panel, difference_text, forest_panels, signed
from bench.reporting.html.charts import Chart, Dot, dot_chart

_MARKS = {
    "better": ("better", "triangle"),
    "worse": ("worse", "down"),
    "practically equal": ("s0", "square"),
    "undecided": ("undecided", "ring"),
}
"""The colour and the shape of each verdict."""

_STYLE = """
.bench-forest { --ink: #1c2127; --soft: #56606b; --line: #d5dbe1; --s0: #0b5cad; --better: #14693a; --worse: #a3271b;
  --paper: #ffffff; --tint: #eef1f4; font: 12.5px system-ui, "Segoe UI", "Noto Sans", "Noto Naskh Arabic", sans-serif;
  background: var(--paper); fill: var(--ink); }
.bench-forest .grid { stroke: var(--line); fill: none; } .bench-forest .zero { stroke: var(--ink); fill: none; }
.bench-forest .rope { fill: var(--tint); }
.bench-forest .tick, .bench-forest .axis { fill: var(--soft); text-anchor: middle; }
.bench-forest .value { text-anchor: end; fill: var(--soft); }
.bench-forest .name, .bench-forest .value { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; }
.bench-forest .title { font-weight: 600; }
.bench-forest .interval { stroke: var(--kind); stroke-width: 2.5; } .bench-forest .dot { fill: var(--kind); }
.bench-forest .hollow { fill: var(--paper); stroke: var(--kind); stroke-width: 2; }
.bench-forest .s0 { --kind: var(--s0); } .bench-forest .better { --kind: var(--better); }
.bench-forest .worse { --kind: var(--worse); } .bench-forest .undecided { --kind: var(--soft); }
"""
_ROOM, _WIDTH = 26, 400
_SIZE = re.compile(r'\A<svg viewBox="0 0 (\d+) (\d+)"')


def forest_charts(comparison: Comparison) -> list[Chart]:
    """Draw the forest plot of a comparison, one chart for each panel, in the colours of the page around it."""
    return [_chart(panel) for panel in forest_panels(comparison)]


def forest_svg(comparison: Comparison) -> str:
    """Draw the forest plot of a comparison as one SVG that needs nothing beside itself; empty without pairs.

    Parameters
    ----------
    comparison : Comparison
        The comparison.
    """
    parts, height = list[Markup](), 0
    for chart in forest_charts(comparison):
        title = Markup('<text x="10" y="{}" class="title">{}</text>').format(height + 17, chart.caption)
        drawn = str(chart.svg)
        size = _SIZE.match(drawn)
        assert size is not None
        drawn = drawn.replace("<svg ", f'<svg x="0" y="{height + _ROOM}" width="{size[1]}" height="{size[2]}" ', 1)
        parts += [title, Markup(drawn)]
        height += _ROOM + int(size[2])
    if not parts:
        return ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bench-forest" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}"><style>{_STYLE}</style>{Markup("").join(parts)}</svg>'
    )


def _chart(panel: Panel) -> Chart:
    dots = [_dot(row) for row in panel.rows]
    rows: list[tuple[str, ...]] = [(row.name, signed(row.difference), *_ends(row), row.standing) for row in panel.rows]
    return dot_chart(
        dots,
        panel.title,
        panel.axis,
        ("", "difference", "low", "high", "verdict"),
        rows,
        always=(0.0,),
        zero=True,
        band=panel.rope,
    )


def _dot(row: Drawn) -> Dot:
    kind, shape = _MARKS[row.standing]
    low, high = (None, None) if row.interval is None else (row.interval.low, row.interval.high)
    return Dot(row.name, f"{WORDS[row.standing]} {difference_text(row)}", row.difference, low, high, kind, shape)


def _ends(row: Drawn) -> tuple[str, str]:
    return ("", "") if row.interval is None else (signed(row.interval.low), signed(row.interval.high))
