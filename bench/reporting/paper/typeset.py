"""Tables for papers in LaTeX and in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bench.errors import HIDDEN
from bench.reporting.paper.tables import ABOVE, EQUAL, TIED, PaperCell, PaperTable

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


def to_latex(tables: Sequence[PaperTable]) -> str:
    """Write tables for the LaTeX package booktabs; of a table without rows, its caption as a comment."""
    text = "\n".join(map(_latex_table, tables))
    needed = ["% Needs \\usepackage{booktabs}."]
    if "\\textquotedbl" in text:
        needed.append("% Needs \\usepackage[T1]{fontenc}.")
    if any(ord(character) > _LAST_LATIN for character in text):
        needed.append("% Holds letters beyond Latin: compile it with XeLaTeX or LuaLaTeX and a font that has them.")
    return "\n".join([*needed, text])


def to_markdown(tables: Sequence[PaperTable]) -> str:
    """Write tables as Markdown, their captions below; of a table without rows, its caption."""
    return "\n".join(map(_markdown_table, tables))


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
    if not table.rows:
        return f"% {_plain(table.caption)}\n"
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


def _latex_cell(cell: PaperCell) -> str:
    text = latex(cell.text)
    marks = "".join(_LATEX_MARKS[mark] for mark in cell.marks)
    bold = rf"\textbf{{{text}}}" if cell.bold else text
    return f"{bold}$^{{{marks}}}$" if marks else bold


def _markdown_table(table: PaperTable) -> str:
    meanings = [f"{mark} {meaning}." for mark, meaning in table.marks.items()]
    caption = f"{markdown(' '.join([table.caption, *meanings]))}\n"
    if not table.rows:
        return caption
    rules = ["---:" if place in table.numbers else "---" for place in range(len(table.columns))]
    lines = [map(markdown, table.columns), rules, *(map(_markdown_cell, row) for row in table.rows)]
    rows = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{rows}\n\n{caption}"


def _markdown_cell(cell: PaperCell) -> str:
    text = markdown(cell.text)
    marks = f" {markdown(cell.marks)}" if cell.marks else ""
    return f"{f'**{text}**' if cell.bold else text}{marks}"
