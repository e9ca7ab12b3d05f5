"""Certificates for the connections to a Dask scheduler."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

from distributed import Security

from bench.engines.dask_certificates import CERTIFICATE, KEY
from bench.errors import UserError

LOOPBACK = "127.0.0.1"
"""Where a cluster of this machine listens."""


def secured(address: str, certificates: Path | None, insecure: bool) -> tuple[str, Security]:
    """The whole address of a scheduler, and how it is secured.

    Raises
    ------
    bench.errors.UserError
        If it is beyond this machine and not encrypted, though nobody insists.
    """
    whole = address if "://" in address else f"{'tcp' if certificates is None else 'tls'}://{address}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or port is None or parts.scheme not in ("tcp", "tls"):
        raise UserError(
            f"execution.scheduler={address}: expected an address such as tls://host:8786.",
            "`dask scheduler` prints its own.",
        )
    if certificates is not None:
        if parts.scheme != "tls":
            raise UserError(
                f"execution.scheduler={address}: with execution.certificates it begins with tls://.",
                f"Write execution.scheduler=tls://{host}:{port}",
            )
        security = secured_by(certificates)
    else:
        security = Security()
        if parts.scheme == "tls" and not getattr(security, "tls_client_cert", None):
            raise UserError(
                f"execution.scheduler={address}: there is no certificate for it.",
                "Name the folder of `bench cluster certificates FOLDER` by execution.certificates=FOLDER.",
            )
    if parts.scheme != "tls" and not insecure and not is_loopback(host):
        raise UserError(
            f"execution.scheduler={address}: without encryption, who can reach {host} can run code on all machines of "
            "the cluster and on this one.",
            "Make certificates with `bench cluster certificates FOLDER`, start scheduler and workers with them, and "
            f"write execution.scheduler=tls://{host}:{port} execution.certificates=FOLDER; or insist with "
            "execution.insecure=true.",
        )
    return whole, security


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def secured_by(folder: Path) -> Security:
    """Encrypt with the certificate and the key of a folder."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    for path in (certificate, key):
        if not os.access(path, os.R_OK):
            raise UserError(
                f"execution.certificates={folder}: {path.name} is not there, or cannot be read.",
                f"`bench cluster certificates {folder}` writes it; every machine needs the same one.",
            )
    roles = {f"tls_{role}_{kind}": str(path) for role in ("client", "scheduler", "worker")
             for kind, path in (("cert", certificate), ("key", key))}  # fmt: skip
    return Security(require_encryption=True, tls_ca_file=str(certificate), **roles)


def pems(security: Security) -> dict[str, str]:
    """The certificates and keys, by the names of their settings."""
    return {
        name: getattr(security, name)
        for name in ("tls_ca_file", "tls_worker_cert", "tls_worker_key", "tls_client_cert", "tls_client_key")
    }
