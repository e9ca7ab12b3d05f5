"""Figures for papers and notebooks, by matplotlib: forest plots, scores with their intervals, learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.comparison.compare import Comparison
from bench.data.own_files import check_replaced
from bench.errors import ConfigError, UserError
from bench.metrics.registry import metric_title
from bench.reporting.forest import WORDS, Panel, difference_text, forest_panels
from bench.results.extent import extent
from bench.support.places import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from bench.results.board import Leaderboard
    from bench.results.curves import Curve

FORMATS = ("svg", "pdf", "png")
"""The kinds of file that a figure is written as, by the ending of its name."""

_LOOKS = {
    "better": ("#14693a", "^"),
    "worse": ("#a3271b", "v"),
    "practically equal": ("#0b5cad", "s"),
    "undecided": ("#56606b", "o"),
}
"""The colour and the marker of each verdict."""

_GROWS = {"groups": "with more groups", "examples": "with more of each group"}
"""What grows along the axis of a learning curve."""

STYLE: dict[Any, Any] = {
    "font.size": 8,
    "svg.hashsalt": "bench",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "axes.unicode_minus": True,
}
"""The settings of matplotlib for every figure."""


def check_figure(path: Path, tasks: int, force: bool) -> None:
    """Raise, before anything is compared, where no figure can be written to a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    tasks : int
        How many comparisons there will be.
    force : bool
        Whether a file that is there may be written over.

    Raises
    ------
    bench.errors.ConfigError
        If the ending of the name is not a format, or several tasks are compared.
    bench.errors.UserError
        If the file is there, or matplotlib is not installed.
    """
    if path.suffix.removeprefix(".").lower() not in FORMATS:
        raise ConfigError(
            f"--plot {path}: the name must end in {', '.join(f'.{each}' for each in FORMATS[:-1])} or .{FORMATS[-1]}.",
            f"For example: --plot {path.with_suffix('.svg').name}",
        )
    if tasks > 1:
        raise ConfigError(
            f"--plot {path}: a picture shows one task, and {tasks} are named.", "Name one task, such as task=NAME."
        )
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise UserError("--plot needs matplotlib, which is not installed.", "Type: pip install matplotlib") from None
    check_replaced(path, f"--plot {path}", force)


def write_figure(comparison: Comparison, path: Path) -> None:
    """Write the forest plot of a comparison to a file, whole or not at all."""
    save_figure(forest_figure(comparison), path)


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure to a file, in the format that its name ends in, whole or not at all."""
    write_whole(path, figure_bytes(figure, path.suffix.removeprefix(".").lower()))


def forest_figure(comparison: Comparison) -> Figure:
    """Draw the differences on which the verdicts of a comparison rest, with their adjusted intervals.

    Parameters
    ----------
    comparison : Comparison
        The comparison.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for the best model, and one for the baseline where there is one. It belongs to no window: show or save
        it.

    Raises
    ------
    bench.errors.UserError
        If there is no pair of models to draw.
    """
    panels = forest_panels(comparison)
    if not panels:
        raise UserError(f"{comparison.task.name}: there is one run, and no difference to draw.")
    return panels_figure(panels, f"{comparison.task.name}: {extent(comparison.task, comparison.periods)}")


def panels_figure(panels: Sequence[Panel], title: str) -> Figure:
    """Draw panels one below the other, under a title."""
    import matplotlib
    from matplotlib.figure import Figure

    rows = [len(panel.rows) for panel in panels]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.3, 0.55 * len(panels) + 0.9 + 0.24 * sum(rows)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[count + 1.2 for count in rows])[:, 0]
        for ax, panel in zip(axes, panels, strict=True):
            draw_panel(ax, panel)
        figure.suptitle(title, fontsize=8, color="#56606b", parse_math=False)
    return figure


def draw_panel(ax: Axes, panel: Panel) -> None:
    """Draw a panel on the axes of a figure of one's own."""
    # A name is text, and a dollar sign in it begins no formula.
    plain: dict[str, Any] = {"parse_math": False}
    ax.axvspan(-panel.rope, panel.rope, color="#eef1f4", zorder=0)
    ax.axvline(0.0, color="#1c2127", linewidth=0.8, zorder=1)
    for place, row in enumerate(panel.rows):
        colour, marker = _LOOKS[row.standing]
        if row.interval is not None:
            ax.plot([row.interval.low, row.interval.high], [place, place], color=colour, linewidth=1.6, zorder=2)
        face = "white" if row.standing == "undecided" else colour
        ax.plot(row.difference, place, marker, color=colour, markerfacecolor=face, markersize=5, zorder=3)
        told = f" {difference_text(row)}  {WORDS[row.standing]}"
        ax.text(1.0, place, told, transform=ax.get_yaxis_transform(), va="center", fontsize=7, **plain)
    ax.set_ylim(len(panel.rows) - 0.4, -0.6)
    ax.set_yticks(range(len(panel.rows)), [row.name for row in panel.rows], **plain)
    ax.tick_params(axis="y", length=0)
    ax.set_title(panel.title, loc="left", fontsize=8, **plain)
    ax.set_xlabel(panel.axis, **plain)
    ax.spines[["top", "left", "right"]].set_visible(False)


def figure_bytes(figure: Figure, ending: str) -> bytes:
    """A figure as the content of a file, the same bytes for the same figure."""
    import io

    import matplotlib

    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
    content = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(content, format=ending, metadata=dates[ending], dpi=200)
    return content.getvalue()


def interval_figure(board: Leaderboard) -> Figure:
    """Draw the scores of a leaderboard with their intervals.

    Parameters
    ----------
    board : Leaderboard
        The leaderboard.

    Raises
    ------
    bench.errors.UserError
        If no row has a score.
    """
    import matplotlib
    from matplotlib.figure import Figure

    rows = [row for row in board.rows if board.metric in row.scores]
    if not rows:
        raise UserError(f"{board.task.name}: no run has a score to draw.")
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.3, 0.7 + 0.26 * len(rows)), layout="constrained")
        ax = figure.subplots()
        for place, row in enumerate(rows):
            colour = _LOOKS["practically equal" if row.kind == "model" else "undecided"][0]
            if (interval := row.intervals.get(board.metric)) is not None:
                ax.plot([interval.low, interval.high], [place, place], color=colour, linewidth=1.6)
            ax.plot(
                row.scores[board.metric], place, "D" if row.kind == "published" else "o", color=colour, markersize=5
            )
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(range(len(rows)), [row.label for row in rows], parse_math=False)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel(metric_title(board.metric, board.task), parse_math=False)
        ax.spines[["top", "left", "right"]].set_visible(False)
    return figure


def curve_figure(curves: Sequence[Curve]) -> Figure:
    """Draw learning curves: scores with their intervals by the number of training examples, one panel for each axis.

    Parameters
    ----------
    curves : sequence of Curve
        Curves of one task.

    Raises
    ------
    bench.errors.UserError
        If there is none, or they are of several tasks.
    """
    import matplotlib
    from matplotlib.figure import Figure

    if len({curve.record.task.name for curve in curves}) != 1:
        raise UserError("A picture shows the curves of one task.", "Draw each task by itself.")
    task, metric = curves[0].record.task, curves[0].summary.metric
    axes = list(dict.fromkeys(axis for curve in curves for axis in curve.summary.axes))
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(6.3, 2.6), layout="constrained")
        for ax, axis in zip(figure.subplots(1, len(axes), sharey=True, squeeze=False)[0], axes, strict=True):
            for curve in curves:
                points = [point for point in curve.summary.axes.get(axis, ()) if metric in point.scores]
                x, y = [point.n_examples for point in points], [point.scores[metric] for point in points]
                (line,) = ax.plot(x, y, "o-", markersize=4, linewidth=1.2, label=curve.record.model.name)
                for place, point in zip(x, points, strict=True):
                    if (interval := point.intervals.get(metric)) is not None:
                        ax.plot([place, place], [interval.low, interval.high], color=line.get_color(), alpha=0.5)
            ax.set_xlabel(f"training examples, {_GROWS[axis]}")
            ax.spines[["top", "right"]].set_visible(False)
        figure.axes[0].set_ylabel(metric_title(metric, task), parse_math=False)
        figure.axes[0].legend(frameon=False, fontsize=7)
    return figure
