"""A hook of MkDocs that shows the tasks' data cards, the change log and the security policy in the site.

They stay where they are. A link to one of them leads to its page in the site, and links of theirs to ``docs/`` work
there too. What else lies outside ``docs/`` is shown as text without a link.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def pages() -> dict[str, str]:
    """Give the page in the site of each file from outside of ``docs/``, both as paths with slashes.

    Examples
    --------
    >>> pages()["tasks/denial/README.md"]
    'data-cards/denial.md'
    """
    cards = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("tasks/*/*.md"))
    names = {card: card.removeprefix("tasks/").removesuffix("/README.md").removesuffix(".md") for card in cards}
    return {
        "CHANGELOG.md": "changelog.md",
        "SECURITY.md": "security.md",
        **{card: f"data-cards/{name.lower().replace('/', '-')}.md" for card, name in names.items()},
    }


def linked(text: str, origin: str) -> str:
    """Turn the links of a file at a place of the repository into those of its page in the site.

    Examples
    --------
    >>> linked("[card](../../tasks/denial/README.md)", "docs/how-to/predict.md")
    '[card](../data-cards/denial.md)'
    >>> linked("[checks](../../docs/reference/checks.md#d203)", "tasks/denial/README.md")
    '[checks](../reference/checks.md#d203)'
    >>> linked("[the code](../../bench/text/words.py)", "docs/how-to/predict.md")
    'the code'
    """
    outside = pages()
    here = posixpath.dirname(outside.get(origin, origin.removeprefix("docs/")))

    def of_site(link: re.Match[str]) -> str:
        shown, path, anchor = link[1], link[2], link[3] or ""
        if ":" in path:
            return link[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(origin), path))
        if target.startswith("docs/"):
            page = target.removeprefix("docs/")
        elif target in outside:
            page = outside[target]
        else:
            return shown
        return f"[{shown}]({posixpath.relpath(page, here or '.')}{anchor})"

    return LINK.sub(of_site, text)


def on_files(files: Any, config: Any) -> Any:
    """Add the pages."""
    from mkdocs.structure.files import File, InclusionLevel

    for origin, page in pages().items():
        content = linked((ROOT / origin).read_text(encoding="utf-8"), origin)
        file = File.generated(config, page, content=content, inclusion=InclusionLevel.NOT_IN_NAV)
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links from ``docs/`` to files outside of it."""
    return markdown if page.file.generated_by else linked(markdown, f"docs/{page.file.src_uri}")
