"""The file of the defaults of a run: the user's own, or the packaged one."""

from __future__ import annotations

import difflib
from pathlib import Path

from bench.discovery import defaults_folder
from bench.errors import LONGEST_NAME, ConfigError, nearest
from bench.overrides import GROUPS, MULTIPLE, TRAIN_ON
from bench.schema.dialect import Document, foreign_keys, place_of, read_file

MIRROR = "data.mirror"
"""The optional key of a folder to read published data from."""

ALMOST = 0.9
"""The least similarity, of at most 1, at which an unknown name in ``config.yaml`` is a misspelled group."""

MOST_ENTRIES = 100
"""The entries of ``defaults`` to examine to recognise a ``config.yaml`` of another tool."""


def config_path() -> tuple[Path, tuple[str, ...]]:
    """The ``config.yaml`` to use, the current folder's or else the packaged one, with notes on the choice."""
    own, packaged = (folder / "configs" / "config.yaml" for folder in (Path(), defaults_folder()))
    if not own.is_file():
        # What cannot be read is not passed over: the error about it is reported later.
        return (own if own.exists() or own.is_symlink() else packaged), ()
    if _is_of_another_tool(own):
        known = ", ".join(GROUPS)
        return packaged, (f"{own} is ignored: it belongs to another tool, since its defaults have none of {known}",)
    return own, ()


def _is_of_another_tool(path: Path) -> bool:
    """Whether a ``config.yaml`` has unknown keys or groups, and none like those of a run."""
    keys = foreign_keys(path)
    if keys is None:  # The error about it is reported later.
        return False
    if not keys:
        return True
    named = [name for name in keys.get("defaults", []) if len(name) <= LONGEST_NAME][:MOST_ENTRIES]
    ours = {"defaults", MIRROR, TRAIN_ON, *read_file(defaults_folder() / "configs" / "config.yaml")}
    has_ours = any(difflib.get_close_matches(name, GROUPS, cutoff=ALMOST) for name in named)
    return not has_ours and bool(keys.keys() - ours or set(named) - {*MULTIPLE})


def defaults(settings: Document, path: Path) -> dict[str, object]:
    """Read the files to use from ``config.yaml``."""
    entries, chosen = settings.pop("defaults", []), dict[str, object]()
    where = place_of(path, settings, "defaults")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) and len(entry) == 1 for entry in entries):
        raise ConfigError(f"{where}: 'defaults' must be a list of group: name.", "For example: - search: standard")
    for number, entry in enumerate(entries):
        ((group, name),) = entry.items()
        where = place_of(path, settings, "defaults", number)
        if group not in (*GROUPS, *MULTIPLE):
            raise ConfigError(f"{where}: defaults: unknown group '{group}'.", nearest(str(group), (*GROUPS, *MULTIPLE)))
        if group in chosen:
            raise ConfigError(f"{where}: defaults: {group} is repeated.", "Keep one of them.")
        chosen[group] = name
    return chosen
