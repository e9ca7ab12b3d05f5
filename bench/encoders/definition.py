"""What an encoder's file says: where its weights come from, and how a text goes in and a vector comes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import ConfigError, nearest

KEYS = ("name", "description", "source", "pooling", "prefix", "dimensions", "licence")
"""The keys of an encoder's file."""

POOLINGS = ("mean", "cls")
"""How a text's vector is made of its tokens' vectors."""

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Hub:
    """A repository on the Hugging Face hub at one commit.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    revision : str
        The commit, 40 hexadecimal digits.
    """

    repository: str
    revision: str


@dataclass(frozen=True)
class Folder:
    """A folder with ``config.json``, safetensors and tokenizer files.

    Parameters
    ----------
    path : str
        The folder, from the current one or else from that of fetched weights; ``~`` is the home folder.
    hint : str
        How to get it, printed where it is missing.
    """

    path: str
    hint: str = ""


@dataclass(frozen=True)
class Package:
    """A Python package that carries its weights.

    Parameters
    ----------
    package : str
        Its name as pip knows it.
    adapter : str
        The import path of a class that is made of an `EncoderDefinition` and has ``encode``; see
        `bench.encoders.packages`.
    install : str
        What to give to ``pip install`` where it is missing.
    """

    package: str
    adapter: str
    install: str = ""


@dataclass(frozen=True)
class EncoderDefinition:
    """A sentence encoder, by name.

    Parameters
    ----------
    name : str
        The encoder's name, as in ``features.encoder: NAME``.
    source : Hub, Folder or Package
        Where its weights come from.
    dimensions : int or None
        The length of its vectors; None is what its weights say.
    pooling : {"mean", "cls"}
        The mean of the last layer's token vectors, or the first token's.
    prefix : str
        What stands before every text, such as ``"query: "``.
    description, licence : str
        One line each.
    origin : str
        The file, named in errors.
    """

    name: str
    source: Hub | Folder | Package
    dimensions: int | None = None
    pooling: str = "mean"
    prefix: str = ""
    description: str = ""
    licence: str = ""
    origin: str = ""

    @classmethod
    def parse(cls, content: Mapping[str, Any], origin: str, name: str) -> EncoderDefinition:
        """Read an encoder from the content of its YAML file.

        Parameters
        ----------
        content : mapping
            The file's content.
        origin : str
            The file, named in errors.
        name : str
            The name under which the file is found.

        Raises
        ------
        bench.errors.ConfigError
            If a key is missing or unknown, a value is wrong, or a revision is no commit.
        """
        for key in content:
            if key not in KEYS:
                raise ConfigError(f"{origin}: unknown key '{key}'.", nearest(str(key), KEYS))
        if content.get("name") != name:
            raise ConfigError(
                f"{origin}: name is {content.get('name')!r}, but the file is found as '{name}'.",
                "Give the file and the encoder the same name.",
            )
        pooling, dimensions = content.get("pooling", "mean"), content.get("dimensions")
        if pooling not in POOLINGS:
            raise ConfigError(f"{origin}: pooling must be one of {', '.join(POOLINGS)}, not {pooling!r}.")
        if dimensions is not None and (isinstance(dimensions, bool) or not isinstance(dimensions, int)):
            raise ConfigError(f"{origin}: dimensions must be a whole number, not {dimensions!r}.")
        texts = {key: content.get(key, "") for key in ("prefix", "description", "licence")}
        for key, value in texts.items():
            if not isinstance(value, str):
                raise ConfigError(f"{origin}: {key} must be text, not {value!r}.", f'Write {key}: "...".')
        return cls(
            name, _source(content.get("source"), origin), dimensions=dimensions, pooling=pooling, **texts, origin=origin
        )


def _source(given: object, origin: str) -> Hub | Folder | Package:
    kinds = {
        "hub": (Hub, {"hub": "repository", "revision": "revision"}, ()),
        "folder": (Folder, {"folder": "path"}, ("hint",)),
        "package": (Package, {"package": "package", "adapter": "adapter"}, ("install",)),
    }
    shown = "Write source: {hub: owner/name, revision: COMMIT}, {folder: PATH} or {package: NAME, adapter: pkg.Class}."
    if not isinstance(given, Mapping):
        raise ConfigError(f"{origin}: 'source' must say where the weights come from.", shown)
    kind = next((kind for kind in kinds if kind in given), None)
    if kind is None:
        raise ConfigError(f"{origin}: source has none of the keys {', '.join(kinds)}.", shown)
    make, required, optional = kinds[kind]
    for key in given:
        if key not in (*required, *optional):
            raise ConfigError(f"{origin}: unknown key 'source.{key}'.", nearest(str(key), (*required, *optional)))
    for key in required:
        if not isinstance(given.get(key), str) or not given[key]:
            raise ConfigError(f"{origin}: 'source.{key}' must be given, as text.", shown)
    if kind == "hub" and not _COMMIT.fullmatch(given["revision"]):
        raise ConfigError(
            f"{origin}: source.revision is '{given['revision']}', which is no commit.",
            "Name the commit by its 40 hexadecimal digits: a branch or a tag can change under a stored result.",
        )
    values = {name: given[key] for key, name in required.items()}
    return make(**values, **{key: str(given[key]) for key in optional if key in given})
