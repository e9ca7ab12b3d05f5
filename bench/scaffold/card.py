"""The data card of a new task, with the origin of its data."""

from __future__ import annotations

import hashlib

from bench.scaffold.found import Found, file_names
from bench.support.digests import file_digest

CARD = """# {name}

{description}

## The data

{provenance}

{columns}

bench reads the data in place. To run the task on another machine, copy them to the same path.

## Figures

{begin}
{end}

## To complete

- Who selected the texts, from which sources and which period?
- Who labelled them, with which guidelines and how many annotators, and how were disagreements resolved?
- What are known problems of the labels?
- What is the licence of texts and labels, and which uses are not allowed?
"""


def provenance(found: Found, source: dict[str, object]) -> str:
    """Describe the origin of the data, with digests of files."""
    if found.file is None:
        config = f", configuration `{source['config']}`" if "config" in source else ""
        return f"The data set `{source['dataset']}` of the Hugging Face Hub{config}, revision `{source['revision']}`."
    if found.file.is_dir():
        digest = hashlib.sha256()
        for path in found.files:
            digest.update(f"{path.relative_to(found.file).as_posix()}\0{file_digest(path)}\n".encode())
        named = source["path"]
        folders = ", ".join(f"`{name}`" for name in (named.values() if isinstance(named, dict) else [named]))
        counted = f"{folders}, {len(found.files):,} files"
        return f"{counted}, SHA-256 of their names and digests `{digest.hexdigest()}`."
    names = [name for key in ("path", "labels") if key in source for name in file_names(source[key])]
    named_files = zip(names, found.files, strict=True)
    return ", ".join(f"`{name}`, SHA-256 `{file_digest(path)}`" for name, path in named_files) + "."
