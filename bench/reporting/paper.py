"""Tables of a comparison for papers and other programs: LaTeX, Markdown and CSV."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.comparison.across import Across
from bench.comparison.compare import Comparison
from bench.comparison.contrasts import Contrast, contrasts, to_the_baseline
from bench.comparison.pairs import Pair
from bench.errors import HIDDEN
from bench.metrics.registry import in_table_order, metric_title
from bench.reporting.comparison import p_value, with_published
from bench.reporting.forest import WORDS, difference_text, signed
from bench.reporting.slices import slice_rows, slices_told, worst_sentences
from bench.reporting.wording import protocol_sentence
from bench.results.board import BoardRow, published_rows, published_sources
from bench.statistics.interval import Interval
from bench.support.csv_text import csv_text

TIED, EQUAL, ABOVE = "~", "=", "*"
"""The marks of scores: not distinguishable from the best, practically equal to it, better than the baseline."""

_LATEX_MARKS = {TIED: r"\sim", EQUAL: "=", ABOVE: r"\ast"}
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "\u2212": "$-$",
    "\u00b1": r"$\pm$",
    **{character: f"\\{character}" for character in "&%$#_"},
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$])")
_LAST_LATIN = 0x24F


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, whether it is bold, and its marks."""

    text: str = ""
    bold: bool = False
    marks: str = ""


@dataclass(frozen=True)
class PaperTable:
    """A table with its caption.

    Parameters
    ----------
    name : str
        What it is of, for its label.
    caption : str
        What it shows, and under which protocol.
    marks : dict of str to str
        What the marks mean that are in it.
    columns : tuple of str
        The headings; the first column names the rows.
    rows : list of list of Cell
        The rows.
    rest : int
        The last so many rows are set off by a line: they are of no model that was run here.
    numbers : tuple of int
        The columns that are set flush right.
    """

    name: str
    caption: str
    marks: dict[str, str]
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    rest: int = 0
    numbers: tuple[int, ...] = (1,)


def paper_tables(comparisons: Sequence[Comparison], across: Across | None, pairs: bool) -> list[PaperTable]:
    """The tables of a comparison: one task in full, or models by tasks, and the pairs on demand.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each task.
    across : Across or None
        Their mean ranks.
    pairs : bool
        Whether a table of each task's pairs follows.
    """
    tables = [_of_one(comparisons[0])] if len(comparisons) == 1 else [_of_several(comparisons, across)]
    return [*tables, *(_of_pairs(each) for each in comparisons if pairs and each.pairs)]


def to_latex(comparisons: Sequence[Comparison], across: Across | None = None, pairs: bool = False) -> str:
    """Write the tables of `paper_tables` as LaTeX for the package booktabs."""
    return _latex_document(paper_tables(comparisons, across, pairs))


def slices_to_latex(comparisons: Sequence[Comparison]) -> str:
    """Write the judged slices of each task as a table in LaTeX, and as a comment that a task has none."""
    found = [(each, _of_slices(each)) for each in comparisons]
    text = _latex_document([table for _, table in found if table is not None])
    none = [f"% {each.task.name}: {' '.join(slices_told(each))}\n" for each, table in found if table is None]
    return "".join([text if text.endswith("\n") else f"{text}\n", *none])


def _latex_document(tables: Sequence[PaperTable]) -> str:
    text = "\n".join(map(_latex_table, tables))
    needed = ["% Needs \\usepackage{booktabs}."]
    if "\\textquotedbl" in text:
        needed.append("% Needs \\usepackage[T1]{fontenc}.")
    if any(ord(character) > _LAST_LATIN for character in text):
        needed.append("% Holds letters beyond Latin: compile it with XeLaTeX or LuaLaTeX and a font that has them.")
    return "\n".join([*needed, text])


def to_markdown(comparisons: Sequence[Comparison], across: Across | None = None, pairs: bool = False) -> str:
    """Write the tables of `paper_tables` as Markdown."""
    return "\n".join(map(_markdown_table, paper_tables(comparisons, across, pairs)))


def to_csv(comparisons: Sequence[Comparison], across: Across | None = None, pairs: bool = False) -> str:
    """Write a line for each model, or for each pair, with all digits.

    Parameters
    ----------
    comparisons : sequence of Comparison
        One for each task.
    across : Across or None
        Their mean ranks, which are left out where there are none.
    pairs : bool
        Whether the lines are of pairs.
    """
    rows = [row for each in comparisons for row in (_pair_records(each) if pairs else _records(each, across))]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not pairs:
        scores = {metric for each in comparisons for row in each.rows for metric in row.scores}
        names = [*(name for name in names if name not in scores), *in_table_order(scores)]
    return csv_text(rows, names)


def _of_one(comparison: Comparison) -> PaperTable:
    metric = metric_title(comparison.metric, comparison.task)
    reference = comparison.baseline or comparison.rows[0].name
    against = {each.name: each for each in contrasts(comparison, reference)}
    marks = _marks(comparison)
    rows = []
    for row in with_published(comparison):
        if isinstance(row, BoardRow):
            rows.append([Cell(row.label), Cell(f"{row.scores[comparison.metric]:.3f}"), Cell(), Cell(), Cell()])
            continue
        contrast = against.get(row.name)
        best = row.name == comparison.rows[0].name
        rows.append(
            [
                Cell(row.name, best),
                Cell(f"{row.score:.3f}", best, marks[row.name]),
                Cell(_ends(row.interval)),
                Cell("" if contrast is None else signed(contrast.difference)),
                Cell("" if contrast is None else _signed_ends(contrast)),
            ]
        )
    references = [each for each in comparison.references if comparison.metric in each.scores]
    for each in references:
        score, ends = each.scores[comparison.metric], each.intervals.get(comparison.metric)
        rows.append([Cell(f"{each.name} vs others"), Cell(f"{score:.3f}"), Cell(_ends(ends)), Cell(), Cell()])
    return PaperTable(
        comparison.task.name,
        _caption([comparison], f"Differences are from {reference}." if comparison.pairs else ""),
        _meanings([comparison]),
        ("Model", metric, "95 % interval", "Difference", "Adjusted interval"),
        rows,
        len(references),
        (1, 3),
    )


def _of_several(comparisons: Sequence[Comparison], across: Across | None) -> PaperTable:
    ranks = {} if across is None else {row.name: row.rank for row in across.rows}
    names = list(dict.fromkeys(row.name for each in comparisons for row in each.rows))
    names.sort(key=lambda name: ranks.get(name, len(names)))
    found = [{row.name: row for row in each.rows} for each in comparisons]
    marks = [_marks(each) for each in comparisons]

    def cell(number: int, name: str) -> Cell:
        row = found[number].get(name)
        if row is None:
            return Cell("\u2013")
        return Cell(f"{row.score:.3f}", name == comparisons[number].rows[0].name, marks[number][name])

    n = len(comparisons)
    rows = [
        [
            Cell(name),
            *(cell(number, name) for number in range(n)),
            *([Cell(f"{ranks[name]:.2f}" if name in ranks else "\u2013")] if ranks else []),
        ]
        for name in names
    ]
    metrics = [metric_title(each.metric, each.task) for each in comparisons]
    alike = len(set(metrics)) == 1
    heads = [
        each.task.name if alike else f"{each.task.name} ({metric})"
        for each, metric in zip(comparisons, metrics, strict=True)
    ]
    note = f"Mean rank: {across.note}" if across is not None and ranks else ""
    return PaperTable(
        "-".join(each.task.name for each in comparisons),
        _caption(comparisons, note),
        _meanings(comparisons),
        ("Model", *heads, *(("Mean rank",) if ranks else ())),
        rows,
        numbers=tuple(range(1, n + 1 + bool(ranks))),
    )


def _of_slices(comparison: Comparison) -> PaperTable | None:
    """The table of judged slices, None without any."""
    found = slice_rows(comparison)
    if found is None or comparison.slices is None:
        return None
    said = [
        f"{metric_title(comparison.metric, comparison.task)} on {comparison.task.name} by {comparison.slices.column}.",
        *worst_sentences(comparison),
        *slices_told(comparison),
    ]
    return PaperTable(
        f"{comparison.task.name}-by-{comparison.slices.column}",
        " ".join(said),
        {},
        found.titles,
        [[Cell(cell) for cell in row] for row in found.rows],
        numbers=(1, 2, 4),
    )


def _of_pairs(comparison: Comparison) -> PaperTable:
    rows = [
        [
            Cell(pair.first),
            Cell(pair.second),
            Cell(signed(pair.groups.difference)),
            Cell("" if pair.interval is None else f"[{signed(pair.interval.low)}, {signed(pair.interval.high)}]"),
            Cell("" if pair.interval is None else p_value(pair.p_groups)),
            Cell(WORDS[pair.verdict]),
        ]
        for pair in comparison.pairs
    ]
    metric = metric_title(comparison.metric, comparison.task)
    return PaperTable(
        f"{comparison.task.name}-pairs",
        f"Pairs of models on {comparison.task.name}, the one with the better {metric} first; intervals and p-values "
        f"are adjusted for {_family(comparison)}.",
        {},
        ("First", "Second", "Difference", "Adjusted interval", "p", "Verdict"),
        rows,
        numbers=(2, 4),
    )


def _marks(comparison: Comparison) -> dict[str, str]:
    """The marks of each model's score."""
    best = comparison.rows[0].name
    to_best = {} if comparison.baseline is not None else {each.name: each for each in contrasts(comparison, best)}
    above = {each.name for each in to_the_baseline(comparison) if each.standing == "better"}
    marks = {}
    for row in comparison.rows:
        standing = to_best[row.name].standing if row.name in to_best else None
        tied = {"undecided": TIED, "practically equal": EQUAL}.get(standing or "", "")
        marks[row.name] = f"{tied}{ABOVE if row.name in above else ''}"
    return marks


def _meanings(comparisons: Sequence[Comparison]) -> dict[str, str]:
    """What the marks mean that are there."""
    marks = "".join(mark for each in comparisons for mark in _marks(each).values())
    baselines = dict.fromkeys(each[0].reference for each in map(to_the_baseline, comparisons) if each)
    meanings = {
        TIED: "not distinguishable from the best",
        EQUAL: f"practically equal to the best (within \u00b1 {comparisons[0].rope:g})",
        ABOVE: f"better than {' or '.join(baselines)}",
    }
    return {mark: meaning for mark, meaning in meanings.items() if mark in marks}


def _caption(comparisons: Sequence[Comparison], note: str) -> str:
    """The protocol, what is bold, and what tests and intervals are adjusted for."""
    said = [protocol_sentence(comparisons), "The best score is bold.", note]
    if any(each.pairs for each in comparisons):
        families = dict.fromkeys(map(_family, comparisons))
        said.append(f"Tests and adjusted intervals: paired bootstrap by group, adjusted for {' or '.join(families)}.")
    if len(comparisons) == 1:
        (only,) = comparisons
        source = published_sources(published_rows(only.task, only.metric))
        said.append(f"Published, not run here: {source}." if source else "")
    return " ".join(sentence for sentence in said if sentence)


def _family(comparison: Comparison) -> str:
    if comparison.baseline is not None:
        return f"all models against {comparison.baseline}"
    families = {pair.family for pair in comparison.pairs}
    pairs = "all pairs of models"
    return f"{pairs}, and apart from these for all models against the majority" if len(families) > 1 else pairs


def _records(comparison: Comparison, across: Across | None) -> Iterable[dict[str, object]]:
    best = comparison.rows[0].name if comparison.rows else ""
    to_best = {} if comparison.baseline is not None else {each.name: each for each in contrasts(comparison, best)}
    to_baseline = {each.name: each for each in to_the_baseline(comparison)}
    ranks = {} if across is None else {row.name: row.rank for row in across.rows}
    for row in comparison.rows:
        yield {
            "task": comparison.task.name,
            "metric": comparison.metric,
            "seed": " ".join(map(str, comparison.seeds)) or comparison.seed,
            "name": row.name,
            "model": row.model,
            "search": row.search or "",
            "key": row.key,
            "score": row.score,
            **_interval_record("", row.interval),
            **dict(zip(("rank_low", "rank_high"), row.ranks or ("", ""), strict=True)),
            **({} if row.seed_deviation is None else {"seed_sd": row.seed_deviation}),
            **_contrast_record("best", to_best.get(row.name)),
            **_contrast_record("baseline", to_baseline.get(row.name)),
            **({"mean_rank": ranks.get(row.name, "")} if ranks else {}),
            **row.scores,
        }


def _contrast_record(reference: str, contrast: Contrast | None) -> dict[str, object]:
    prefix = f"from_{reference}_"
    return {
        reference: "" if contrast is None else contrast.reference,
        f"{prefix}difference": "" if contrast is None else contrast.difference,
        **_interval_record(prefix, None if contrast is None else contrast.interval),
        f"{prefix}verdict": "" if contrast is None else contrast.standing,
    }


def _pair_records(comparison: Comparison) -> Iterable[dict[str, object]]:
    for pair in comparison.pairs:
        yield {
            "task": comparison.task.name,
            "metric": comparison.metric,
            "first": pair.first,
            "second": pair.second,
            "family": pair.family,
            "difference": pair.groups.difference,
            **_interval_record("", pair.interval),
            "p_groups": pair.p_groups,
            "p_equal": pair.p_equal,
            "p_folds": "" if pair.folds is None else pair.p_folds,
            **_fold_record(pair),
            "only_first_right": pair.errors.first_only,
            "only_second_right": pair.errors.second_only,
            "p_mcnemar": pair.errors.p_value,
            "verdict": pair.verdict,
        }


def _fold_record(pair: Pair) -> dict[str, object]:
    names = ("probability_first", "probability_equal", "probability_second")
    values = ("", "", "") if pair.folds is None else (pair.folds.first, pair.folds.equal, pair.folds.second)
    return dict(zip(names, values, strict=True))


def _interval_record(prefix: str, interval: Interval | None) -> dict[str, object]:
    ends = ("", "", "") if interval is None else (interval.low, interval.high, interval.level)
    return dict(zip((f"{prefix}low", f"{prefix}high", f"{prefix}level"), ends, strict=True))


def _ends(interval: Interval | None) -> str:
    return "" if interval is None else f"[{interval.low:.3f}, {interval.high:.3f}]".replace("-", "\u2212")


def _signed_ends(contrast: Contrast) -> str:
    return difference_text(contrast).partition(" ")[2]


def latex(text: str) -> str:
    r"""Escape a text for LaTeX.

    Examples
    --------
    >>> print(latex("a_b & 95 % {x} \\cmd #1"))
    a\_b \& 95 \% \{x\} \textbackslash{}cmd \#1
    """
    return "".join(_LATEX.get(character, character) for character in _plain(text))


def markdown(text: str) -> str:
    r"""Escape a text for a cell or a paragraph of Markdown.

    Examples
    --------
    >>> print(markdown("a|b *c* <d>"))
    a\|b \*c\* \<d\>
    """
    return _MARKDOWN.sub(r"\\\1", _plain(text))


def _plain(text: str) -> str:
    """A text on one line, without characters that nobody sees."""
    return HIDDEN.sub("", " ".join(text.split()))


def _latex_table(table: PaperTable) -> str:
    label = re.sub(r"[^a-z0-9-]+", "-", table.name.lower()).strip("-") or "comparison"
    align = "".join("r" if place in table.numbers else "l" for place in range(len(table.columns)))
    lines = [f"    {_latex_row(map(_latex_cell, row))}" for row in table.rows]
    meanings = [f"$^{{{_LATEX_MARKS[mark]}}}$ {latex(meaning)}." for mark, meaning in table.marks.items()]
    if table.rest:
        lines.insert(len(lines) - table.rest, r"    \midrule")
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            f"  \\caption{{{' '.join([latex(table.caption), *meanings])}}}",
            f"  \\label{{tab:{label}}}",
            f"  \\begin{{tabular}}{{{align}}}",
            r"    \toprule",
            f"    {_latex_row(map(latex, table.columns))}",
            r"    \midrule",
            *lines,
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _latex_row(cells: Iterable[str]) -> str:
    row = " & ".join(cells)
    # After a line's end a bracket or a star would be taken for its argument.
    return f"{'{}' if row[:1] in ('[', '*') else ''}{row} \\\\"


def _latex_cell(cell: Cell) -> str:
    text = latex(cell.text)
    marks = "".join(_LATEX_MARKS[mark] for mark in cell.marks)
    bold = rf"\textbf{{{text}}}" if cell.bold else text
    return f"{bold}$^{{{marks}}}$" if marks else bold


def _markdown_table(table: PaperTable) -> str:
    rules = ["---:" if place in table.numbers else "---" for place in range(len(table.columns))]
    lines = [map(markdown, table.columns), rules, *(map(_markdown_cell, row) for row in table.rows)]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    meanings = [f"{mark} {meaning}." for mark, meaning in table.marks.items()]
    return f"{rows}\n\n{markdown(' '.join([table.caption, *meanings]))}\n"


def _markdown_cell(cell: Cell) -> str:
    text = markdown(cell.text)
    marks = f" {markdown(cell.marks)}" if cell.marks else ""
    return f"{f'**{text}**' if cell.bold else text}{marks}"
