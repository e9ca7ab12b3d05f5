"""Shares of labels in an archive: in the terminal, as CSV and as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from bench.checks.finding import counted
from bench.reporting.terminal import console, narrowed, not_shown, wrapped
from bench.results.shares import Estimates, LabelShare, PartDifference, PartShares
from bench.statistics.sampled import Share
from bench.support.csv_text import csv_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ASSUMPTION = "The labelled examples were drawn from this archive, at random or at known rates."
"""What the intervals assume."""

LEFT_OUT = ("labels alone", "adjusted", "counted\n(biased)", "labelled", "texts")
"""Columns, in the order in which a narrow terminal has no room for them."""

COLUMN_OF = {"powered": "share", "labels_alone": "labels_alone", "adjusted": "adjusted"}
"""The columns of the CSV with each method's shares."""


def percent(share: float) -> str:
    """A share in percent, with a decimal.

    Examples
    --------
    >>> percent(0.1834)
    '18.3'
    """
    return f"{100.0 * share:.1f}"


def interval_words(share: Share | None) -> str:
    """A share's interval in percent.

    Examples
    --------
    >>> interval_words(Share(0.2, None))
    '-'
    """
    if share is None or share.interval is None:
        return "-"
    return f"{percent(share.interval.low)} to {percent(share.interval.high)}"


def print_estimates(estimates: Estimates) -> None:
    """Print the shares: of the whole archive, of its parts, and the differences."""
    out, whole = console(), estimates.whole
    out.print()
    sizes = f"{whole.n_texts:,} texts, {whole.n_labelled:,} labelled examples in {counted(whole.n_groups, 'group')}"
    out.print(Text(estimates.task, style="bold"), sizes, sep="  ")
    out.print(Text(shares_answer(estimates), style="bold"))
    out.print()
    tables = [_whole(whole)]
    tables += [_parts(estimates)] if estimates.parts else []
    tables += [_differences(estimates)] if estimates.differences else []
    for each in tables:
        table, left_out = narrowed(each, out.width, LEFT_OUT)
        out.print(table)
        if left_out:
            out.print(not_shown(left_out))
        out.print()
    for line in share_remarks(estimates):
        out.print(Text(wrapped(line)))
    for warning in estimates.warnings:
        out.print(Text.assemble(("warning: ", "yellow"), wrapped(warning, " " * 9).lstrip()))


def shares_answer(estimates: Estimates) -> str:
    """The shares of the most frequent labels in a sentence, the greatest last."""
    shares = sorted(estimates.whole.shares, key=lambda each: each.powered.value)
    told = [f"{percent(each.powered.value)} % {each.label} ({interval_words(each.powered)})" for each in shares[-3:]]
    rarer = f"; the rest is of {counted(len(shares) - 3, 'rarer label')}" if len(shares) > 3 else ""
    return wrapped(f"Of the archive, {', '.join(told)}{rarer}." if told else "No labelled example counts.")


def share_remarks(estimates: Estimates) -> list[str]:
    """What to know to read the shares."""
    lines = [
        "shares in %, with 95 % intervals by prediction-powered inference: the model's predictions for all texts, "
        "corrected by the labelled examples. Counted: labels where they are known, the model's elsewhere; biased.",
        f"assumption: {ASSUMPTION}",
    ]
    return lines + share_findings(estimates)


def share_findings(estimates: Estimates) -> list[str]:
    """Where the labels alone say more, and how many more labels narrow the intervals."""
    lines = []
    alone = [each.label for each in estimates.whole.shares if each.narrowest == "labels_alone"]
    if alone:
        lines.append(f"The labels alone give the narrower interval for {', '.join(alone)}.")
    points = f"± {100.0 * estimates.within:g} points"
    needed = {label: n for label, n in estimates.further.items() if n > 0}
    if needed:
        numbers = ", ".join(f"{label} {n:,}" for label, n in needed.items())
        lines.append(f"For {points}, more labels drawn in the same way: {numbers}.")
    elif estimates.whole.shares and len(estimates.further) == len(estimates.whole.shares):
        lines.append(f"All intervals are within {points}.")
    return lines


def _whole(whole: PartShares) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("label", overflow="fold")
    for heading in ("share", "95 %\ninterval", "labels alone", "adjusted", "counted\n(biased)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in whole.shares:
        table.add_row(
            each.label,
            percent(each.powered.value),
            interval_words(each.powered),
            interval_words(each.labels_alone),
            interval_words(each.adjusted),
            percent(each.counted),
        )
    return table


def _parts(estimates: Estimates) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column(estimates.by or "", overflow="fold")
    for heading in ("texts", "labelled", "label", "share", "95 %\ninterval", "counted\n(biased)"):
        words = heading == "label"
        table.add_column(heading, justify="left" if words else "right", overflow="fold", no_wrap=not words)
    for part in estimates.parts:
        facts = [part.part or "", f"{part.n_texts:,}", f"{part.n_labelled:,}"]
        if not part.shares:
            table.add_row(*facts, "no labels", "", "", "")
        for each in part.shares:
            table.add_row(
                *facts, each.label, percent(each.powered.value), interval_words(each.powered), percent(each.counted)
            )
            facts = ["", "", ""]
    return table


def _differences(estimates: Estimates) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("difference", overflow="fold")
    table.add_column("label", overflow="fold")
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("95 %\ninterval", justify="right", no_wrap=True)
    for each in estimates.differences:
        table.add_row(
            f"{each.one} - {each.other}",
            each.label,
            f"{100.0 * each.difference.value:+.1f}",
            interval_words(each.difference),
        )
    return table


def shares_csv(estimates: Estimates) -> str:
    """A line for each label of the whole archive, of each part, and of each difference, with all digits."""
    rows = [_row(part, each) for part in (estimates.whole, *estimates.parts) for each in _all(part, estimates)]
    rows += [_of_difference(each) for each in estimates.differences]
    return csv_text(rows)


def _all(part: PartShares, estimates: Estimates) -> list[LabelShare | str]:
    return [*part.shares] or [*estimates.labels]


def _row(part: PartShares, each: LabelShare | str) -> dict[str, object]:
    label = each if isinstance(each, str) else each.label
    row: dict[str, object] = {
        "part": part.part or "",
        "texts": part.n_texts,
        "labelled": part.n_labelled,
        "label": label,
    }
    for name, title in COLUMN_OF.items():
        share: Share | None = None if isinstance(each, str) else getattr(each, name)
        interval = None if share is None else share.interval
        row[title] = "" if share is None else share.value
        row[f"{title}_low"] = "" if interval is None else interval.low
        row[f"{title}_high"] = "" if interval is None else interval.high
    narrowest = "" if isinstance(each, str) else COLUMN_OF[each.narrowest]
    return row | {"counted": part.counted[label], "narrowest": narrowest}


def _of_difference(each: PartDifference) -> dict[str, object]:
    interval = each.difference.interval
    ends = {} if interval is None else {"share_low": interval.low, "share_high": interval.high}
    return {"part": f"{each.one} - {each.other}", "label": each.label, "share": each.difference.value, **ends}


def share_figure(estimates: Estimates) -> Figure:
    """Draw the shares with their intervals, a panel for each label, and what counting gives."""
    import matplotlib
    from matplotlib.figure import Figure

    from bench.reporting.figure import STYLE

    parts = [estimates.whole, *estimates.parts]
    names = ["all", *(part.part or "" for part in estimates.parts)]
    with matplotlib.rc_context(STYLE):
        height = 0.9 + 0.24 * len(parts)
        figure = Figure(figsize=(6.3, height * len(estimates.labels)), layout="constrained")
        axes = figure.subplots(len(estimates.labels), 1, squeeze=False, sharex=True)[:, 0]
        for number, (ax, label) in enumerate(zip(axes, estimates.labels, strict=True)):
            for place, part in enumerate(parts):
                ax.plot(100.0 * part.counted[label], place, "x", color="#a3271b", label="counted (biased)")
                if not part.shares:
                    continue
                share = part.shares[number].powered
                if share.interval is not None:
                    ends = [100.0 * share.interval.low, 100.0 * share.interval.high]
                    ax.plot(ends, [place, place], color="#0b5cad", linewidth=1.6)
                ax.plot(100.0 * share.value, place, "o", color="#0b5cad", markersize=5, label="estimate")
            ax.set_ylim(len(parts) - 0.4, -0.6)
            ax.set_yticks(range(len(parts)), names, parse_math=False)
            ax.set_title(label, loc="left", fontsize=8, parse_math=False)
            ax.spines[["top", "left", "right"]].set_visible(False)
            ax.tick_params(axis="y", length=0)
        axes[-1].set_xlabel("share in %, with 95 % intervals")
        handles, titles = axes[0].get_legend_handles_labels()
        shown = dict(zip(titles, handles, strict=True))
        figure.legend(shown.values(), shown.keys(), frameon=False, fontsize=7, loc="outside upper right", ncols=2)
    return figure
