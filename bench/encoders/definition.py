"""An encoder's file: the source of its weights, and how it turns a text into a vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.errors import ConfigError, ModelError
from bench.schema.dialect import place_of
from bench.support.plugins import import_plugin

if TYPE_CHECKING:
    from bench.schema.encoder import EncoderHub, FolderSource, PackageSource


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
        How to get it, printed if it is missing.
    maker : str
        The import path of a function that fills the folder, given its path, for ``bench encoders fetch``.
    """

    path: str
    hint: str = ""
    maker: str = ""


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
        The argument of ``pip install``, if it is missing.
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
        The length of its vectors; None reads it from its weights.
    pooling : {"mean", "cls"}
        The mean of the last layer's token vectors, or the first token's.
    prefix : str
        The prefix of every text, such as ``"query: "``.
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
    def parse(cls, content: Mapping[str, object], origin: str, name: str) -> EncoderDefinition:
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
            If a key is missing or unknown, a value is invalid, or a revision is not a commit.
        """
        from bench.schema.check import Place, check
        from bench.schema.encoder import EncoderFile

        read = check(EncoderFile, content, Place(origin))
        if read.name != name:
            raise ConfigError(
                f"{place_of(origin, content, 'name')}: name is {read.name!r}, but the file's name is '{name}'.",
                "Give the file and the encoder the same name.",
            )
        return cls(name, _source(read.source), **read.model_dump(exclude={"name", "source"}), origin=origin)

    def load(self, key: str, path: str) -> Any:
        """Import what an import path in the encoder's file names.

        Parameters
        ----------
        key : str
            The key of the path under ``source``, named in errors.
        path : str
            ``package.module.name``.

        Raises
        ------
        bench.errors.ModelError
            If there is no such thing.
        """
        module, _, name = path.rpartition(".")
        try:
            return getattr(import_plugin(module), name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ModelError(f"{self.origin}: source.{key}: cannot import '{path}': {error}.") from error


def _source(read: EncoderHub | FolderSource | PackageSource) -> Hub | Folder | Package:
    given = read.model_dump()
    if "hub" in given:
        return Hub(given["hub"], given["revision"])
    if "folder" in given:
        return Folder(given["folder"], given["hint"], given["maker"])
    return Package(**given)
