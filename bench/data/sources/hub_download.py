"""Download a data set of the Hub within bounds: how many bytes, and how far they expand."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from bench.data.sources.bounds import FREE, MOST_TIMES
from bench.data.sources.parquet import check_expansion
from bench.errors import DataError
from bench.support.downloads import most_to_download, too_large
from bench.support.process import is_own, setting

PARQUET = b"PAR1"
"""The first bytes of a Parquet file."""

DOWNLOADS = "downloads"
"""The folder of files as they are downloaded, in that of a commit."""


def prepared(dataset: str, config: str | None, revision: str, cache: Path) -> Any:
    """Download and prepare a data set, unless it is in the cache.

    Parameters
    ----------
    dataset, revision : str
        Its name and commit.
    config : str or None
        Its configuration.
    cache : pathlib.Path
        The folder that `datasets` keeps it in.

    Returns
    -------
    datasets.DatasetBuilder
        What opens its splits.

    Raises
    ------
    bench.errors.DataError
        If it is no table, its files are more than may be downloaded, or they expand to far more than text does.
    """
    import datasets

    builder = datasets.load_dataset_builder(dataset, config, revision=revision, cache_dir=str(cache))
    if not isinstance(builder, datasets.ArrowBasedBuilder):
        kind = type(builder).__name__
        raise DataError(f"{dataset}: its files are read as {kind}, not as a table.", "Download it, and make a table.")
    manager = _manager(dataset, cache)
    # Where all kinds of files come by, whether they were packed or not.
    builder._generate_tables = _bounded(builder._generate_tables, manager, dataset)
    try:
        with _bars():
            builder.download_and_prepare(dl_manager=manager)
    except Exception as error:
        refused = _refused(error)
        if refused is None:
            raise
        shutil.rmtree(cache / DOWNLOADS, ignore_errors=True)
        raise refused from error
    return builder


def _refused(error: BaseException | None) -> DataError | None:
    """The error of this module behind one of `datasets`."""
    while error is not None and not isinstance(error, DataError):
        error = error.__cause__
    return error


def _manager(dataset: str, cache: Path) -> Any:
    """Make what downloads the files of a data set, up to the bytes that may be downloaded."""
    from datasets import DownloadConfig, DownloadManager
    from datasets.utils.py_utils import NestedDataStructure
    from huggingface_hub import HfFileSystem

    class Bounded(DownloadManager):
        size = unpacked = 0

        def download(self, url_or_urls: Any) -> Any:
            files = HfFileSystem()
            for url in NestedDataStructure(url_or_urls).flatten():
                self.size += files.info(str(url))["size"]
            if self.size > most_to_download():
                raise DataError(*too_large(dataset, self.size))
            paths = super().download(url_or_urls)
            for path in NestedDataStructure(paths).flatten():
                _check_parquet(Path(path), dataset)
            return paths

    downloads = DownloadConfig(cache_dir=str(cache / DOWNLOADS), use_etag=False)
    return Bounded(dataset_name=dataset, download_config=downloads, record_checksums=False)


def _check_parquet(path: Path, dataset: str) -> None:
    with path.open("rb") as file:
        if file.read(len(PARQUET)) != PARQUET:
            return
    try:
        check_expansion(path)
    except DataError as error:
        raise DataError(error.message.replace(str(path), dataset), error.hint) from error


def _bounded(tables: Callable[..., Iterator[Any]], manager: Any, dataset: str) -> Callable[..., Iterator[Any]]:
    """Refuse tables that are together far larger than their files."""

    def generate(*args: Any, **kwargs: Any) -> Iterator[Any]:
        most = max(manager.size * MOST_TIMES, FREE)
        for key, table in tables(*args, **kwargs):
            manager.unpacked += table.nbytes
            if manager.unpacked > most:
                raise DataError(
                    f"{dataset}: its {manager.size:,} bytes unpack to more than {most:,}, far more than text does.",
                    "If you trust it, download and unpack it, and use the files.",
                )
            yield key, table

    return generate


def _bars() -> AbstractContextManager[None]:
    """Show how far it is on a terminal only; what the user or another program has set stays."""
    import datasets

    if not is_own() or sys.stderr.isatty() or datasets.config.HF_DATASETS_DISABLE_PROGRESS_BARS is not None:
        return nullcontext()

    def write(hidden: bool) -> None:
        (datasets.disable_progress_bars if hidden else datasets.enable_progress_bars)()

    return setting(datasets.are_progress_bars_disabled, write, True)
