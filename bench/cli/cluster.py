"""``bench cluster``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from bench.reporting.output import say


@click.group(
    name="cluster",
    epilog="""\b
Example:
  bench cluster certificates ~/.bench-cluster
""",
)
def command() -> None:
    """Prepare a cluster of several machines, on which execution=dask runs."""


@command.command(
    name="certificates",
    epilog="""\b
Example:
  bench cluster certificates ~/.bench-cluster
""",
)
@click.argument("folder", type=click.Path(path_type=Path))
def certificates(folder: Path) -> None:
    """Write the certificate and the key by which the machines of a cluster know each other.

    Who has the key can run code on all of them: copy it over SSH alone, and leave it readable by you alone.
    """
    from bench.errors import UserError

    try:
        from bench.engines.dask_certificates import write_certificates

        certificate, key = write_certificates(folder)
    except ModuleNotFoundError as error:
        raise UserError("Dask is not installed.", "Install it: pip install 'bench-arabic[dask]'") from error
    except FileExistsError as error:
        raise UserError(f"{error}: is there already.", "Name another folder, or delete the files in it.") from error
    files = " ".join(
        f"--tls-{name} {shlex.quote(str(path))}"
        for name, path in (("ca-file", certificate), ("cert", certificate), ("key", key))
    )
    here = shlex.quote(str(folder))
    say(f"Wrote {certificate} and {key}. They last a year; every machine of the cluster needs both.")
    say("On the machine of the scheduler:")
    say(f"  dask scheduler --protocol tls --port 8786 --dashboard-address 127.0.0.1:8787 {files}")
    say("On each machine that works:")
    say(f"  DASK_DISTRIBUTED__WORKER__DAEMON=False dask worker tls://HOST:8786 --memory-limit 0 --nthreads 4 {files}")
    say("On this machine:")
    say(f"  bench run task=NAME execution=dask execution.scheduler=tls://HOST:8786 execution.certificates={here}")
