"""What an issue needs to know of an installation: versions, devices, stores, caches, and what is missing.

Paths start at the home folder or the current one, and addresses have no passwords, so that all of it can be pasted
where others read it.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from bench.archive.listing import size_of
from bench.archive.table import size
from bench.errors import BenchError, UserError, one_line
from bench.support.cache import CACHE_VARIABLE, cache_folder

PACKAGE = "bench-arabic"

DEVELOPMENT = "dev"
"""The extra whose packages nobody needs who uses bench."""

SETTINGS = (
    *(CACHE_VARIABLE, "MLFLOW_TRACKING_URI", "CAMELTOOLS_DATA", "HF_HOME", "HF_HUB_OFFLINE"),
    *("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTHONPATH", "LANG", "OPENAI_BASE_URL"),
)
"""Environment variables that change what bench does."""

SECRETS = ("OPENAI_API_KEY", "HF_TOKEN")
"""Environment variables of which only whether they are set is reported."""


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A fact about an installation.

    Parameters
    ----------
    section, name, value : str
        What it is about, and what it is.
    missing : bool
        Whether something is not as it may be needed.
    needed : bool
        Whether nothing works without it.
    how : str
        How to get it, or what to do.
    """

    section: str
    name: str
    value: str
    missing: bool = False
    needed: bool = False
    how: str = ""


def examine_installation(results: Path) -> list[Fact]:
    """Look at this installation.

    Parameters
    ----------
    results : pathlib.Path
        The results folder to look at.
    """
    looks: tuple[tuple[str, Callable[[], Iterator[Fact]]], ...] = (
        ("system", _system),
        ("packages", _packages),
        ("device", _device),
        ("settings", _settings),
        ("results", lambda: _results(results)),
        ("caches", _caches),
        ("camel-tools", _camel_data),
        ("encoders", _encoders),
        ("tasks", _tasks),
        ("models", _models),
    )
    facts: list[Fact] = []
    for section, look in looks:
        try:
            facts += look()
        except Exception as error:  # What is broken is what is asked about, and the rest is to be told too.
            said = one_line(f"{type(error).__name__}: {error}", 300)
            facts.append(
                Fact(section=section, name=section, value=private(f"cannot be looked at: {said}"), missing=True)
            )
    return facts


def private(text: str) -> str:
    """A text without the path of the home folder and the name of the user in paths.

    Examples
    --------
    >>> private(f"{Path.home()}/corpus") == f"~{os.sep}corpus"
    True
    """
    for folder in {str(Path.home()), str(Path.home().resolve())} - {"/", ""}:
        text = text.replace(folder, "~")
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        return text
    return re.sub(rf"(?<=[/\\]){re.escape(user)}(?=[/\\\s]|$)", "USER", text)


def _system() -> Iterator[Fact]:
    from bench.engines.processes import available_cores
    from bench.planning.memory import free_memory

    def fact(name: str, value: str) -> Fact:
        return Fact(section="system", name=name, value=value)

    yield fact("bench", metadata.version(PACKAGE))
    yield fact("Python", f"{platform.python_version()} ({platform.python_implementation()})")
    yield fact("platform", platform.platform())
    yield fact("cores", str(available_cores()))
    free = free_memory()
    yield fact("free memory", "not known" if free is None else size(free))
    yield fact("encoding", f"{sys.getfilesystemencoding()}, standard output {getattr(sys.stdout, 'encoding', None)}")


def _packages() -> Iterator[Fact]:
    """The packages that this one requires, and those of its extras, as its own metadata name them."""
    from packaging.requirements import Requirement

    for line in metadata.requires(PACKAGE) or []:
        requirement = Requirement(line)
        if requirement.name == PACKAGE:
            continue
        extra = next((name for name in _extras() if _only_with(requirement, name)), None)
        if extra == DEVELOPMENT or not (extra or requirement.marker is None or requirement.marker.evaluate()):
            continue
        wanted = f"{PACKAGE}[{extra}]" if extra else f"{requirement.name}{requirement.specifier}"
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            value, missing = f"not installed{f', of the extra {extra}' if extra else ''}", True
        else:
            missing = not requirement.specifier.contains(version, prereleases=True)
            value = f"{version}, but {requirement.specifier} is needed" if missing else version
        yield Fact(
            section="packages",
            name=requirement.name,
            value=value,
            missing=missing,
            needed=missing and extra is None,
            how=f"pip install '{wanted}'" if missing else "",
        )


def _extras() -> list[str]:
    return metadata.metadata(PACKAGE).get_all("Provides-Extra") or []


def _only_with(requirement: object, extra: str) -> bool:
    marker = getattr(requirement, "marker", None)
    return marker is not None and not marker.evaluate({"extra": ""}) and bool(marker.evaluate({"extra": extra}))


def _device() -> Iterator[Fact]:
    import torch

    from bench.encoders.device import device_name

    yield Fact(section="device", name="torch computes on", value=device_name())
    yield Fact(section="device", name="built for CUDA", value=str(torch.version.cuda or "no"))
    yield Fact(section="device", name="threads", value=str(torch.get_num_threads()))


def _settings() -> Iterator[Fact]:
    from bench.config_file import config_path

    own, _ = config_path()
    yield Fact(section="settings", name="config.yaml", value=private(_near(own)))
    for name in SETTINGS:
        if (value := os.environ.get(name)) is not None:
            yield Fact(section="settings", name=name, value=private(_without_password(value)))
    for name in SECRETS:
        yield Fact(section="settings", name=name, value="set" if os.environ.get(name) else "not set")


def _results(results: Path) -> Iterator[Fact]:
    from bench.archive.listing import list_runs
    from bench.tracking.store import being_remade, check_database
    from bench.tracking.uri import sqlite_path, tracking_uri

    where = private(_near(results))
    runs = [run for run in list_runs(results) if not run.curve]
    by_status = {status: sum(run.status == status for run in runs) for status in sorted({run.status for run in runs})}
    counts = ", ".join(f"{count} {status}" for status, count in by_status.items()) or "no runs"
    yield Fact(section="results", name=where, value=f"{counts}, {size(sum(run.bytes for run in runs))}")
    for run in runs:
        if run.problem:
            place = f"{run.task}/{run.model}/{run.key}"
            yield Fact(
                section="results",
                name=place,
                value=private(
                    f"{'cannot be read' if run.status == 'unreadable' else run.status}: {one_line(run.problem, 200)}"
                ),
                missing=True,
                how=f"bench runs rm {run.key}, and run it again",
            )
    uri = tracking_uri(results)
    path = sqlite_path(uri)
    if path is None:
        yield Fact(section="results", name="MLflow", value=private(_without_password(uri)))
    elif not path.exists():
        yield Fact(section="results", name="MLflow", value=f"no store at {private(_near(path))} yet")
    else:
        value, missing, how = size(path.stat().st_size), False, ""
        try:
            check_database(path)
        except BenchError as error:
            value, missing, how = error.message, True, error.hint or ""
        if being_remade(path):
            value, missing, how = f"{value}, not complete", True, "bench ui completes it"
        yield Fact(
            section="results",
            name=f"MLflow: {private(_near(path))}",
            value=private(value),
            missing=missing,
            how=private(how),
        )


def _caches() -> Iterator[Fact]:
    folder = cache_folder()
    if not folder.is_dir():
        yield Fact(section="caches", name=private(str(folder)), value="not there yet")
        return
    for each in sorted(folder.iterdir()):
        if each.is_dir() and not each.is_symlink():
            yield Fact(section="caches", name=private(str(each)), value=size(size_of(each)))
    yield Fact(section="caches", name="free on its disk", value=size(shutil.disk_usage(folder).free))


def _camel_data() -> Iterator[Fact]:
    from bench.text.normalization import CAMEL_PACKAGE, camel_folder

    folder = camel_folder()
    there = folder.is_dir()
    yield Fact(
        section="camel-tools",
        name="data of normalization=morphological",
        value=f"{private(str(folder))}, {size(size_of(folder))}" if there else "not here",
        missing=not there,
        how="" if there else f"camel_data -i {CAMEL_PACKAGE}",
    )


def _encoders() -> Iterator[Fact]:
    from bench.encoders.definition import Hub, Package
    from bench.encoders.fetch import state
    from bench.encoders.registry import encoder_names, find_encoder
    from bench.encoders.weights import EXTRA

    for name in encoder_names():
        try:
            encoder = find_encoder(name)
        except UserError as error:
            yield Fact(section="encoders", name=name, value=private(f"broken: {error.message}"), missing=True)
            continue
        here = state(encoder)
        how = ""
        if isinstance(encoder.source, Hub):
            how = f"bench encoders fetch {name}"
        elif isinstance(encoder.source, Package):
            how = EXTRA
        missing = here != "here"
        yield Fact(section="encoders", name=name, value=here, missing=missing, how=how if missing else "")


def _tasks() -> Iterator[Fact]:
    from bench.catalogue import is_here
    from bench.data.definition import read_definition
    from bench.discovery import task_files

    for name, path in task_files().items():
        try:
            read_definition(path)
            here = is_here(name)
        except BenchError as error:
            yield Fact(section="tasks", name=name, value=private(f"broken: {error.message}"), missing=True)
            continue
        how = "" if here else f"bench check task={name} downloads its data"
        yield Fact(section="tasks", name=name, value="here" if here else "to be downloaded", missing=not here, how=how)


def _models() -> Iterator[Fact]:
    from bench.catalogue import load_model
    from bench.discovery import model_names

    broken = 0
    for name in model_names():
        try:
            load_model(name)
        except BenchError as error:
            broken += 1
            yield Fact(section="models", name=name, value=private(f"broken: {error.message}"), missing=True)
    yield Fact(section="models", name="defined", value=f"{len(model_names())}, {broken} broken")


def _near(path: Path) -> str:
    """A path from the current folder, where it is in it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _without_password(value: str) -> str:
    """An address without the user, the password and what else may identify its owner."""
    parts = urlsplit(value)
    if not parts.netloc:
        return value
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}/…" if parts.path.strip("/") or parts.query else f"{parts.scheme}://{host}"
