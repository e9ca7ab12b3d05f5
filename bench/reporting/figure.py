"""The forest plot of a comparison as a figure for a paper, by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.comparison.compare import Comparison
from bench.errors import ConfigError, UserError
from bench.reporting.forest import WORDS, Panel, difference_text, forest_panels
from bench.results.extent import extent
from bench.support.places import make_folder, refuse_existing, replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("svg", "pdf", "png")
"""The kinds of file that a figure is written as, by the ending of its name."""

_LOOKS = {
    "better": ("#14693a", "^"),
    "worse": ("#a3271b", "v"),
    "practically equal": ("#0b5cad", "s"),
    "undecided": ("#56606b", "o"),
}
"""The colour and the marker of each verdict."""

_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "svg.hashsalt": "bench",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "axes.unicode_minus": True,
}


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
        If the ending of the name is no format, or several tasks are compared.
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
    if not force:
        refuse_existing(path, f"--plot {path}")


def write_figure(comparison: Comparison, path: Path) -> None:
    """Write the forest plot of a comparison to a file, whole or not at all."""
    content = figure_bytes(forest_figure(comparison), path.suffix.removeprefix(".").lower())
    make_folder(path.parent)
    with replacing(path) as beside:
        beside.write_bytes(content)


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
    import matplotlib
    from matplotlib.figure import Figure

    panels = forest_panels(comparison)
    if not panels:
        raise UserError(f"{comparison.task.name}: there is one run, and no difference to draw.")
    rows = [len(panel.rows) for panel in panels]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(6.3, 0.55 * len(panels) + 0.9 + 0.24 * sum(rows)), layout="constrained")
        axes = figure.subplots(len(panels), 1, squeeze=False, height_ratios=[count + 1.2 for count in rows])[:, 0]
        for ax, panel in zip(axes, panels, strict=True):
            draw_panel(ax, panel)
        figure.suptitle(f"{comparison.task.name}: {extent(comparison.task)}", fontsize=8, color="#56606b")
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
    with matplotlib.rc_context(_STYLE):
        figure.savefig(content, format=ending, metadata=dates[ending], dpi=200)
    return content.getvalue()
