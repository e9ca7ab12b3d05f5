"""Detect what a user's data are: files, a folder or a data set of the Hub."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from bench.data.encodings import check_encoding
from bench.data.files import check_file
from bench.data.messages import listed
from bench.data.sources.cells import Rows
from bench.data.sources.dialects import QUOTINGS
from bench.data.sources.formats import FORMATS, SUFFIXES
from bench.data.sources.hub import hub_revision, load_split, split_names
from bench.data.sources.layout import Asked
from bench.data.sources.roles import ROLE_NAMES
from bench.data.sources.saved import rows_of_split
from bench.data.task import ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError, nearest
from bench.scaffold.files import find_data_file, find_files, find_folder
from bench.scaffold.found import Found
from bench.schema.dialect import UNWRITABLE

HUB = re.compile(r"(?P<dataset>[\w.-]+/[\w.-]+)(:(?P<config>[\w.-]+))?(@(?P<revision>[\w./-]+))?", re.ASCII)
"""A data set of the Hub, as in ``owner/name``, ``owner/name:config`` or ``owner/name@revision``."""

ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
"""The start of an address."""


def find_data(data: str | Sequence[str], asked: Asked | None = None) -> Found:
    """Detect the content of files, of a folder or of a data set on the Hub.

    Parameters
    ----------
    data : str or sequence of str
        The user's arguments: one path, the parts of a published split, or texts and labels in two files.
    asked : Asked, optional
        The format that the user specifies.

    Raises
    ------
    bench.errors.UserError
        If the data do not exist, or no format fits.
    """
    asked = _checked(asked or Asked())
    names = [data] if isinstance(data, str) else list(data)
    paths = [_path(name) for name in names]
    if len(paths) > 1:
        return find_files(paths, asked)
    (path,) = paths
    if path.is_dir():
        return find_folder(path, asked)
    named = None if path.suffix in SUFFIXES or os.path.lexists(path) else HUB.fullmatch(names[0])
    if named is not None and not path.parent.is_dir():
        return _hub(named["dataset"], named["config"], named["revision"])
    check_file(path)
    return find_data_file(path, asked)


def _checked(asked: Asked) -> Asked:
    """Raise a ConfigError if the requested value is unknown."""
    for option, given, known in (("--format", asked.format, FORMATS), ("--quote", asked.quote, QUOTINGS)):
        if given is not None and given not in known:
            raise ConfigError(f"{option} {given}: unknown value.", nearest(given, known))
    if asked.encoding is not None:
        check_encoding(asked.encoding, "--encoding")
    if len(set(asked.columns)) < len(asked.columns) or not all(name.strip() for name in asked.columns):
        raise ConfigError(f"--columns {','.join(asked.columns)}: each column needs its own name.")
    return asked


def _path(data: str) -> Path:
    """The path of a file or folder that may exist."""
    if not data.strip():
        raise ConfigError("--data is empty.", "Give a file, a folder of documents, or owner/name on the Hub.")
    if ADDRESS.match(data):
        raise DataError(
            f"{data}: addresses are not supported.",
            "Download the file, and give its path. For a data set on the Hub, give owner/name.",
        )
    if UNWRITABLE.search(data):
        raise DataError(f"{data}: the path is not UTF-8.", "Rename the file or folder.")
    try:
        path = Path(data).expanduser()
        path.is_dir()
    except (OSError, RuntimeError) as error:
        reason = str(getattr(error, "strerror", error)).rstrip(".")
        raise DataError(f"{data}: cannot be read: {reason}.") from error
    return path


def _hub(dataset: str, config: str | None, revision: str | None) -> Found:
    commit = hub_revision(dataset, revision)
    names = split_names(dataset, config, commit)
    there = names
    roles = {ROLE_NAMES[name]: name for name in names if name in ROLE_NAMES}
    if len(names) > 1 and not {TRAIN, TEST} <= roles.keys():
        names = [roles[TRAIN]] if TRAIN in roles else names
    split = {role: roles[role] for role in ROLES if role in roles} if {TRAIN, TEST} <= roles.keys() else names[0]
    source: dict[str, object] = {"kind": "hub", "dataset": dataset}
    if config is not None:
        source["config"] = config
    source |= {"revision": commit, "split": split}
    read = list(split.values()) if isinstance(split, dict) else [split]
    unread = [name for name in there if name not in read]
    remarks = (f"These splits of the data set are not read: {listed(unread)}.",) if unread else ()

    def rows() -> Rows:
        for name in read:
            yield from rows_of_split(load_split(dataset, config, commit, name), f"{dataset}, {name}")

    return Found(dataset, f"a data set on the Hub, at {commit[:12]}", source, rows, remarks=remarks)
