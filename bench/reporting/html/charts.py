"""Small charts as inline SVG, each with the table of what it shows.

They are drawn here, and not by Plotly or Vega, since those put 1 to 4 MB of script into every page and show nothing
without running it. Colours are CSS variables, so that a chart follows the page's scheme and prints; what a colour
tells, a marker's shape or a text tells too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_Scale = Callable[[float], float]

_SHAPES = ("circle", "square", "triangle", "diamond")

_WIDTH, _EDGE, _TOP, _STEP, _BASELINE = 400, 10, 4, 36, 15
"""The measures of a chart of dots: its width, its margins, and the height and the text's baseline of a row."""

_LETTER = 6.9
"""The width of a letter, on the wide side; names that do not fit beside their text are cut, and the table has all."""


@dataclass(frozen=True)
class Chart:
    """A chart and its table.

    Parameters
    ----------
    svg : markupsafe.Markup
        The drawing.
    caption : str
        What it shows.
    columns : tuple of str
        The headings of the table.
    rows : list of tuple of str
        The rows of the table, as text; the first cell names the row.
    """

    svg: Markup
    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True)
class Score:
    """A score with its interval, and what is said of it beside colour."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""
    reference: bool = False


@dataclass(frozen=True)
class Line:
    """A line with points, and a band around it where `low` and `high` are given."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None
    markers: bool = True


@dataclass(frozen=True)
class Dot:
    """A row of a chart of dots: a name and a text, and below them a mark with an interval where there is one.

    Parameters
    ----------
    name, text : str
        What is written at the left and at the right.
    value, low, high : float, float or None, float or None
        The mark and the ends of the interval.
    kind, shape : str
        Its colour's name in the style sheet, and the shape of the mark.
    """

    name: str
    text: str
    value: float
    low: float | None
    high: float | None
    kind: str
    shape: str


def dot_chart(
    dots: Sequence[Dot],
    caption: str,
    axis: str,
    columns: tuple[str, ...],
    rows: list[tuple[str, ...]],
    always: Sequence[float] = (),
    zero: bool = False,
    band: float = 0.0,
) -> Chart:
    """Draw marks with intervals, one below the other, narrow enough for a telephone.

    Parameters
    ----------
    dots : sequence of Dot
        At least one.
    caption, axis : str
        What the chart and its axis show.
    columns, rows : tuple of str, list of tuple of str
        The table of what is drawn.
    always : sequence of float
        Values that the axis holds whatever is drawn.
    zero : bool
        Whether a line marks 0.
    band : float
        How far a band reaches to both sides of 0.
    """
    ends = [end for dot in dots for end in (dot.value, dot.low, dot.high) if end is not None]
    low, high = min(*ends, *always), max(*ends, *always)
    if low == high:
        low, high = low - 0.01, high + 0.01
    ticks = _ticks(low, high)
    bottom = _TOP + _STEP * len(dots)

    def x(value: float) -> float:
        return _EDGE + (value - low) / (high - low) * (_WIDTH - 2 * _EDGE)

    parts = []
    if band:
        left, right = x(max(-band, low)), x(min(band, high))
        parts.append(
            Markup('<path d="M{:.1f} {}H{:.1f}V{}H{:.1f}Z" class="rope"/>').format(left, _TOP, right, bottom, left)
        )
    parts.append(_vertical_grid(ticks, x, _TOP, bottom, _WIDTH))
    if zero:
        parts.append(Markup('<path d="M{:.1f} {}V{}" class="zero"/>').format(x(0.0), _TOP, bottom))
    for number, dot in enumerate(dots):
        top = _TOP + _STEP * number
        y = top + 0.72 * _STEP
        fitting = (_WIDTH - 2 * _EDGE) / _LETTER - len(dot.text) - 1
        name = dot.name if len(dot.name) <= fitting else f"{dot.name[: max(int(fitting) - 1, 1)]}…"
        label = '<text x="{}" y="{:.1f}" class="name">{}</text><text x="{}" y="{:.1f}" class="value">{}</text>'
        parts.append(Markup(label).format(_EDGE, top + _BASELINE, name, _WIDTH - _EDGE, top + _BASELINE, dot.text))
        if dot.low is not None and dot.high is not None:
            parts.append(
                Markup('<path d="M{:.1f} {:.1f}H{:.1f}" class="interval {}"/>').format(
                    x(dot.low), y, x(dot.high), dot.kind
                )
            )
        parts.append(_marker(dot.shape, x(dot.value), y, dot.kind, 4.5))
    parts.append(_label(_WIDTH / 2, bottom + 34, axis))
    said = "; ".join(f"{dot.name} {dot.text}" for dot in dots)
    return Chart(_svg(_WIDTH, bottom + 42, caption, f"{axis}: {said}.", parts), caption, columns, rows)


def interval_chart(scores: Sequence[Score], caption: str, axis: str, always: Sequence[float] = ()) -> Chart:
    """Draw scores as dots with their intervals, one row each.

    Parameters
    ----------
    scores : sequence of Score
        At least one.
    caption : str
        What the chart shows.
    axis : str
        What the scores are.
    always : sequence of float
        Values that the axis shows in any case, such as those of a chart beside this one.
    """
    dots = [
        Dot(
            score.name,
            _values(score),
            score.value,
            score.low,
            score.high,
            "reference" if score.reference else "s0",
            "diamond" if score.reference else "circle",
        )
        for score in scores
    ]
    noted = any(score.note for score in scores)
    rows = [(score.name, f"{score.value:.3f}", *_ends(score), *((score.note,) if noted else ())) for score in scores]
    columns = ("", axis, "low", "high", *(("",) if noted else ()))
    highest = max(*always, *(end for dot in dots for end in (dot.value, dot.high or dot.value)))
    return dot_chart(dots, caption, axis, columns, rows, (0.0, 1.0 if highest > 0.55 else 0.0, *always))


def line_chart(
    lines: Sequence[Line],
    caption: str,
    x_axis: str,
    y_axis: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    diagonal: bool = False,
) -> Chart:
    """Draw lines over two axes.

    Parameters
    ----------
    lines : sequence of Line
        At least one, and one of them with a point.
    caption, x_axis, y_axis : str
        What the chart and its axes show.
    x_range, y_range : tuple of two floats or None
        The ends of the axes; None takes them from the data.
    diagonal : bool
        Whether the line where both are equal is drawn.
    """
    width, left, right, top = 430, 52, 14, 10
    plot = 210
    legend = 20 * len(lines) if len(lines) > 1 else 0
    bottom = top + plot
    height = bottom + 44 + legend
    xs = [value for line in lines for value in line.x]
    ys = [value for line in lines for series in (line.y, line.low, line.high) for value in series or ()]
    x_low, x_high = x_range or (min(xs), max(xs))
    y_low, y_high = y_range or _padded(min(ys), max(ys))
    x_ticks, y_ticks = _ticks(x_low, x_high), _ticks(y_low, y_high)

    def x(value: float) -> float:
        return left + (value - x_low) / ((x_high - x_low) or 1.0) * (width - left - right)

    def y(value: float) -> float:
        return bottom - (value - y_low) / ((y_high - y_low) or 1.0) * plot

    parts = [_vertical_grid(x_ticks, x, top, bottom, width)]
    horizontal = Markup('<path d="M{} {:.1f}H{}" class="grid"/><text x="{}" y="{:.1f}" class="tick end">{}</text>')
    parts += [horizontal.format(left, y(tick), width - right, left - 7, y(tick) + 4, _number(tick)) for tick in y_ticks]
    if diagonal:
        parts.append(
            Markup('<path d="M{:.1f} {:.1f}L{:.1f} {:.1f}" class="diagonal"/>').format(
                x(x_low), y(x_low), x(x_high), y(x_high)
            )
        )
    for number, line in enumerate(lines):
        parts.append(_line(line, f"s{number % len(_SHAPES)}", _SHAPES[number % len(_SHAPES)], x, y))
    parts.append(_label((left + width - right) / 2, bottom + 36, x_axis))
    if len(lines) > 1:
        for number, line in enumerate(lines):
            parts.append(_legend(line, number, left, bottom + 56 + 20 * number))
    banded = any(line.low is not None for line in lines)
    rows = [row for line in lines for row in _rows(line, banded)]
    columns = ("", x_axis, y_axis, *(("low", "high") if banded else ()))
    said = "; ".join(
        f"{line.name} from {line.y[0]:.3f} at {_number(line.x[0])} to {line.y[-1]:.3f} at {_number(line.x[-1])}"
        for line in lines
        if len(line.x)
    )
    description = f"{y_axis} against {x_axis}: {said}."
    return Chart(_svg(width, height, caption, description, parts, y_axis), caption, columns, rows)


def _svg(
    width: float, height: float, title: str, description: str, parts: Sequence[Markup], y_axis: str = ""
) -> Markup:
    if y_axis:
        turned = Markup('<text transform="translate(13 115) rotate(-90)" class="axis">{}</text>').format(y_axis)
        parts = [turned, *parts]
    return Markup(
        '<svg viewBox="0 0 {:.0f} {:.0f}" role="img" class="chart"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(width, height, title, description, Markup("").join(parts))


def _line(line: Line, kind: str, shape: str, x: _Scale, y: _Scale) -> Markup:
    points = [(x(a), y(b)) for a, b in zip(line.x, line.y, strict=True)]
    parts = []
    if line.low is not None and line.high is not None and points:
        upper = [(x(a), y(b)) for a, b in zip(line.x, line.high, strict=True)]
        lower = [(x(a), y(b)) for a, b in zip(line.x, line.low, strict=True)]
        parts.append(Markup('<path d="{}Z" class="band {}"/>').format(_path([*upper, *reversed(lower)]), kind))
    parts.append(Markup('<path d="{}" class="line {}"/>').format(_path(points), kind))
    if line.markers:
        parts += [_marker(shape, a, b, kind, 3.6) for a, b in points]
    return Markup("").join(parts)


def _rows(line: Line, banded: bool) -> list[tuple[str, ...]]:
    ends: list[tuple[str, ...]] = [()] * len(line.x)
    if line.low is not None and line.high is not None:
        ends = [(f"{low:.3f}", f"{high:.3f}") for low, high in zip(line.low, line.high, strict=True)]
    elif banded:
        ends = [("", "")] * len(line.x)
    return [(line.name, _number(a), f"{b:.3f}", *end) for a, b, end in zip(line.x, line.y, ends, strict=True)]


def _legend(line: Line, number: int, left: float, y: float) -> Markup:
    kind = f"s{number % len(_SHAPES)}"
    marker = _marker(_SHAPES[number % len(_SHAPES)], left + 14, y - 4, kind, 3.6) if line.markers else Markup("")
    return Markup('<path d="M{} {:.1f}h28" class="line {}"/>{}<text x="{}" y="{:.1f}" class="key">{}</text>').format(
        left, y - 4, kind, marker, left + 36, y, line.name
    )


def _marker(shape: str, x: float, y: float, kind: str, size: float) -> Markup:
    if shape in ("circle", "ring"):
        hollow = " hollow" if shape == "ring" else ""
        return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{}" class="dot{} {}"/>').format(x, y, size, hollow, kind)
    corners = {
        "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        "triangle": ((0, -1.25), (1.2, 0.95), (-1.2, 0.95)),
        "down": ((0, 1.25), (1.2, -0.95), (-1.2, -0.95)),
        "diamond": ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
    }[shape]
    path = _path([(x + a * size, y + b * size) for a, b in corners])
    return Markup('<path d="{}Z" class="dot {}"/>').format(path, kind)


def _vertical_grid(ticks: Sequence[float], x: _Scale, top: float, bottom: float, width: float) -> Markup:
    """Lines with their numbers beneath, which stay within the width of the drawing."""
    parts = []
    for tick in ticks:
        number = _number(tick)
        half = _LETTER * len(number) / 2
        middle = min(max(x(tick), half), width - half)
        line = '<path d="M{:.1f} {}V{}" class="grid"/><text x="{:.1f}" y="{}" class="tick">{}</text>'
        parts.append(Markup(line).format(x(tick), top, bottom, middle, bottom + 16, number))
    return Markup("").join(parts)


def _label(x: float, y: float, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" class="axis">{}</text>').format(x, y, text)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in points)


def _values(score: Score) -> str:
    if score.low is None or score.high is None:
        return f"{score.value:.3f}"
    return f"{score.value:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _ends(score: Score) -> tuple[str, str]:
    if score.low is None or score.high is None:
        return "", ""
    return f"{score.low:.3f}", f"{score.high:.3f}"


def _padded(low: float, high: float) -> tuple[float, float]:
    room = max((high - low) * 0.06, 0.01)
    return low - room, high + room


def _ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`, about five of them.

    Examples
    --------
    >>> _ticks(0.0, 1.0), _ticks(58, 936), _ticks(0.41, 0.56)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [200.0, 400.0, 600.0, 800.0], [0.45, 0.5, 0.55])
    """
    span = high - low
    if span <= 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / about))
    step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda each: abs(span / each - about))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(place * step, 10) for place in range(first, last + 1)]


def _number(value: float) -> str:
    """A number without needless digits.

    Examples
    --------
    >>> _number(0.0005), _number(0.25), _number(-1200.0)
    ('0.0005', '0.25', '−1,200')
    """
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:.10f}".rstrip("0")
    return text.replace("-", "\u2212")
