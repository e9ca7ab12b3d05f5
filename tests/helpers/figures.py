"""What every figure of a page must have, whoever looks at it."""

from __future__ import annotations

import re


def figures_of(page: str) -> list[str]:
    """The figures of a page, of which each has a title, a description and a table under it."""
    figures = re.findall(r"<figure>.*?</figure>", page, re.DOTALL)
    assert len(figures) == page.count("<svg")
    for figure in figures:
        assert re.search(r'<svg[^>]* role="img"[^>]*><title>[^<]+</title><desc>[^<]+</desc>', figure)
        assert figure.index("</svg>") < figure.index("<details>")
        assert len(re.findall(r'<tr><th scope="row">', figure)) >= 1
    return figures


def numbers_within(figure: str) -> bool:
    """Whether the numbers of an axis stay within the drawing, by the width of their letters."""
    width = float(re.search(r'viewBox="0 0 (\d+)', figure)[1])  # type: ignore[index]
    ticks = re.findall(r'<text x="([\d.]+)" y="[\d.]+" class="tick">([^<]+)<', figure)
    return all(3.4 * len(text) <= float(x) <= width - 3.4 * len(text) for x, text in ticks)
