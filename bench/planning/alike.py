"""What must be equal on machines that compute one run together, because scores depend on it."""

from __future__ import annotations

import hashlib
import importlib
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

PACKAGES = ("scikit-learn", "numpy", "scipy", "pandas", "lightgbm", "optuna", "camel-tools", "torch", "transformers")
"""Installed packages that scores depend on."""


def facts(paths: Sequence[str]) -> dict[str, str]:
    """What scores in this process depend on, by name.

    Parameters
    ----------
    paths : sequence of str
        Import paths of models' classes.

    Returns
    -------
    dict of str to str
        Versions of Python, bench and the packages, digests of the models' own code, and how this processor computes:
        its kind, the instructions that NumPy uses, and the kernels that the libraries for linear algebra choose.
    """
    from bench.models.sources import code_sources

    told = {"Python": platform.python_version(), "bench": f"{metadata.version('bench-arabic')}, source {_own_digest()}"}
    told |= {name: _version(name) for name in PACKAGES}
    sources = code_sources(paths)
    told |= {name: sources.get(name, "module not found") for name in paths if not _is_known(name)} | sources
    return told | {"processor": platform.machine(), "instructions": _instructions(), "linear algebra": _kernels()}


def _is_known(path: str) -> bool:
    from bench.models.sources import KNOWN_PACKAGES

    return "." not in path or path.partition(".")[0] in KNOWN_PACKAGES


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _own_digest() -> str:
    """A digest of this package's source."""
    import bench

    root, content = Path(bench.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content.update(f"{path.relative_to(root).as_posix()}\0".encode())
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()[:12]


def _instructions() -> str:
    """The instruction sets beyond the baseline that NumPy uses on this processor."""
    umath = importlib.import_module("numpy._core._multiarray_umath")

    return " ".join(name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)) or "plain"


def _kernels() -> str:
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_info

    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    found = {f"{pool['internal_api']} {pool.get('architecture')}" for pool in pools}
    return ", ".join(sorted(found)) or "none"
