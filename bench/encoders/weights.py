"""Find encoders' weights on this machine, and identify them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import metadata, util
from pathlib import Path
from typing import NoReturn

from bench.encoders.definition import EncoderDefinition, Folder, Hub, Package
from bench.errors import ModelError
from bench.support.cache import cache_folder
from bench.support.plugins import found_here

CONFIG = "config.json"
TOKENIZERS = ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model", "spiece.model", "vocab.json")
"""Files of which one must exist."""

EXTRA = "pip install 'bench-arabic[encoders]'"


def encoders_folder() -> Path:
    """The folder of fetched and unpacked encoders."""
    return cache_folder() / "encoders"


def fetched_folder(source: Hub | Folder) -> Path:
    """Where an encoder's files are, or where `bench.encoders.fetch.fetch` puts them.

    Those from the Hub have one folder for each revision. A folder's path is from the current folder or, unless it
    begins with a dot, from that of fetched encoders.
    """
    if isinstance(source, Hub):
        return encoders_folder() / source.repository.replace("/", "--") / source.revision
    path = Path(source.path).expanduser()
    return encoders_folder() / path if not path.is_dir() and not source.path.startswith(".") else path


def weights_folder(encoder: EncoderDefinition) -> Path:
    """Find the folder with an encoder's ``config.json``, safetensors and tokenizer files.

    Parameters
    ----------
    encoder : EncoderDefinition
        An encoder from the hub or from a folder.

    Returns
    -------
    pathlib.Path
        What ``from_pretrained`` of `transformers` takes.

    Raises
    ------
    bench.errors.ModelError
        If files are missing, with how to get them; or the encoder is a package, which has no such folder.
    """
    source = encoder.source
    if isinstance(source, Package):
        raise ModelError(
            f"The encoder '{encoder.name}' is a Python package without a folder of weights.",
            "Use an encoder from the Hub or a folder. `bench encoders` lists them.",
        )
    folder = fetched_folder(source)
    if isinstance(source, Hub):
        hint = (
            f"`bench encoders fetch {encoder.name}` downloads {source.repository} at {source.revision[:12]}. "
            f"Without a network: copy {folder} from a machine that has it, or set a folder in the encoder's file."
        )
    else:
        made = f"`bench encoders fetch {encoder.name}` makes it." if source.maker else ""
        hint = made or source.hint or "Copy the folder there, or fix 'source.folder' in the encoder's file."
    missing = missing_files(folder)
    if missing:
        raise ModelError(f"The weights of the encoder '{encoder.name}' are missing: {folder} {missing}.", hint)
    return folder


def missing_files(folder: Path) -> str:
    """Describe what a folder lacks for an encoder; empty if it is complete."""
    if not folder.is_dir():
        return "does not exist"
    if not (folder / CONFIG).is_file():
        return f"has no {CONFIG}"
    if not any(folder.glob("*.safetensors")):
        pickled = any(folder.glob("*.bin"))
        return "has no *.safetensors" + (", and pickled weights (*.bin) can run code, so they are not read" * pickled)
    if not any((folder / name).is_file() for name in TOKENIZERS):
        return f"has no tokenizer ({', '.join(TOKENIZERS)})"
    return ""


def identity(encoder: EncoderDefinition) -> str:
    """Say exactly which encoder this is: equal for equal weights, pooling and prefix, on any machine.

    Raises
    ------
    bench.errors.ModelError
        If its weights or its package are not here.
    """
    source = encoder.source
    if isinstance(source, Package):
        weights = f"{source.package} {package_version(encoder)} {source.adapter}{_adapter_digest(source)}"
    elif isinstance(source, Hub):
        weights_folder(encoder)
        weights = f"{source.repository}@{source.revision}"
    else:
        folder = weights_folder(encoder)
        files = sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors", ".txt", ".model"))
        weights = f"sha256:{_digest(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in files))}"
    return f"{weights} pooling={encoder.pooling} prefix={encoder.prefix!r}"


def check_identity(name: str, fitted: str, found: str) -> None:
    """Refuse to apply a model that was fitted with another encoder of the same name.

    Parameters
    ----------
    name : str
        The encoder's name.
    fitted, found : str
        Its `identity` when the model was fitted, and now.

    Raises
    ------
    bench.errors.ModelError
        If they differ.
    """
    if found != fitted:
        raise ModelError(
            f"The model was fitted with the encoder '{name}' as {fitted}, but here it is {found}.",
            "Install or download the same version, or fit the model again.",
        )


def package_version(encoder: EncoderDefinition) -> str:
    """The installed version of an encoder's package.

    Raises
    ------
    bench.errors.ModelError
        If it is not installed.
    """
    assert isinstance(encoder.source, Package)
    try:
        return metadata.version(encoder.source.package)
    except metadata.PackageNotFoundError:
        _not_installed(encoder.name, encoder.source)


def _adapter_digest(source: Package) -> str:
    """Of the file of an adapter of the user's own: it may change without a version."""
    module, _, _ = source.adapter.rpartition(".")
    if module.partition(".")[0] == "bench":
        return ""
    try:
        with found_here():
            found = util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None:
        raise ModelError(
            f"source.adapter: '{source.adapter}' is not found.",
            "Write package.module.Class. A module in the current folder works too.",
        )
    path = Path(found.origin)
    return f" {_digest(((path, path.stat().st_size, path.stat().st_mtime_ns),))[:12]}"


def _not_installed(name: str, source: Package) -> NoReturn:
    command = f"pip install {source.install}" if source.install else EXTRA
    raise ModelError(f"The encoder '{name}' needs the package {source.package}, which is not installed.", command)


@lru_cache(maxsize=16)
def _digest(files: tuple[tuple[Path, int, int], ...]) -> str:
    content = hashlib.sha256()
    for path, _, _ in files:
        with path.open("rb") as file:
            content.update(f"{path.name}\0".encode() + hashlib.file_digest(file, "sha256").digest())
    return content.hexdigest()
