"""The certificate and key with which scheduler, workers and clients of a cluster know each other."""

from __future__ import annotations

import os
from pathlib import Path

CERTIFICATE = "certificate.pem"
"""The file of the certificate, which is its own authority."""

KEY = "key.pem"
"""The file of the key. Who has it can run code on every machine of the cluster."""


def write_certificates(folder: Path) -> tuple[Path, Path]:
    """Write a new certificate and its key, each readable by this user alone.

    Parameters
    ----------
    folder : pathlib.Path
        Where; it is made if it is not there.

    Returns
    -------
    tuple of pathlib.Path
        The certificate and the key.

    Raises
    ------
    FileExistsError
        If one of the files is there.
    """
    from distributed import Security

    security = Security.temporary()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = folder / CERTIFICATE, folder / KEY
    for path in paths:
        if os.path.lexists(path):
            raise FileExistsError(path)
    for path, content in zip(paths, (security.tls_ca_file, security.tls_client_key), strict=True):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(content)
    return paths
