"""Data sets of the Hugging Face Hub, by name and revision."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.data.dates import DAY_FIRST
from bench.data.sources.examples import Part
from bench.data.sources.hub_download import prepared
from bench.data.sources.saved import rows_of_split
from bench.data.sources.table import read_parts
from bench.data.task import ROLES, TEST, TRAIN
from bench.errors import ConfigError, DataError, UserError, first_line, nearest, one_line
from bench.support.cache import cache_folder
from bench.support.places import make_folder

if TYPE_CHECKING:
    from bench.data.labels import LabelSet
    from bench.data.section import Section
    from bench.data.sources.cells import Rows
    from bench.data.sources.further import Further
    from bench.data.sources.records import Records

COMMIT = re.compile(r"[0-9a-f]{40}")
"""A revision that always means the same data."""

LONGEST_REASON = 400
"""The most characters of what a library says; it may list all the suffixes that it knows."""

WITHOUT_NETWORK = "Run this once where there is a network. Later runs use the cached copy."


def from_hub(
    source: Section,
    inputs: tuple[str, ...],
    labels: LabelSet,
    mirror: Path | None,
    further: Further | None = None,
) -> Records:
    """Read splits of a data set of the Hub, each row with the columns that the task's file names.

    The data set is read by `datasets`, which runs none of its code. Classes are read as their names.
    """
    source.check_keys(("kind", "dataset", "revision", "split", "columns"), ("config", DAY_FIRST))
    dataset, revision = source.text("dataset"), source.text("revision")
    if not COMMIT.fullmatch(revision):
        raise ConfigError(
            f"{source.where('revision')}: '{revision}' is not a commit of 40 hexadecimal digits.",
            "A branch or tag can move to other data. bench new task writes its current commit.",
        )
    config = source.text("config") if source.content.get("config") is not None else None
    if isinstance(source.content["split"], Mapping):
        splits = source.section("split", "such as {train: train, dev: validation, test: test}")
        splits.check_keys((TRAIN, TEST), tuple(set(ROLES) - {TRAIN, TEST}))
        parts = [Part(splits.text(role), "split", role) for role in ROLES if role in splits.content]
    else:
        parts = [Part(source.text("split"))]

    def rows_of(part: Part) -> tuple[str, Rows]:
        name = f"{dataset}, {part.path}"
        return name, rows_of_split(load_split(dataset, config, revision, part.path), name)

    return read_parts(source, inputs, labels, parts, rows_of, further)


def hub_revision(dataset: str, revision: str | None) -> str:
    """Return the current commit of a branch or tag; for None, of the default branch.

    Raises
    ------
    bench.errors.DataError
        If the Hub is not reachable, or the data set or revision is unknown.
    """
    from huggingface_hub import HfApi

    if revision is not None and COMMIT.fullmatch(revision):
        return revision
    with _told(dataset):
        return str(HfApi().dataset_info(dataset, revision=revision).sha)


def split_names(dataset: str, config: str | None, revision: str) -> list[str]:
    """Return the names of a data set's splits.

    Raises
    ------
    bench.errors.DataError
        If the Hub is not reachable, or the data set has several configurations and `config` is none of them.
    """
    import datasets

    with _told(dataset):
        configs = datasets.get_dataset_config_names(dataset, revision=revision)
    if config is None and len(configs) > 1 and "default" not in configs:
        raise ConfigError(
            f"{dataset} has {len(configs)} configurations: {', '.join(configs)}.",
            f"Name one: --data {dataset}:{configs[0]}",
        )
    if config is not None and config not in configs:
        raise ConfigError(f"{dataset} has no configuration '{config}'.", nearest(config, configs))
    with _told(dataset):
        return [str(name) for name in datasets.get_dataset_split_names(dataset, config, revision=revision)]


def load_split(dataset: str, config: str | None, revision: str, split: str) -> Any:
    """Load a split as a memory-mapped `datasets.Dataset`.

    Raises
    ------
    bench.errors.DataError
        If it is not in the cache and cannot be downloaded, or not within bounds.
    """
    if Path(dataset).exists():
        raise DataError(
            f"{dataset}: a local file or folder has this name and would be read instead of the Hub.",
            "Rename it, or work in another folder.",
        )
    with _told(dataset):
        # Offline, `datasets` uses the latest copy in its cache, so each revision has its own cache.
        cache = cache_folder() / "hub" / revision
        make_folder(cache)
        return prepared(dataset, config, revision, cache).as_dataset(split)


@contextmanager
def _told(dataset: str) -> Iterator[None]:
    """Turn errors of `datasets` and the Hub's client into one message."""
    from datasets.exceptions import DatasetNotFoundError
    from huggingface_hub.errors import HfHubHTTPError

    try:
        yield
    except UserError:
        raise
    except (DatasetNotFoundError, HfHubHTTPError) as error:
        hint = f"Check that the name is right and the data set is public. {WITHOUT_NETWORK}"
        raise DataError(f"{dataset}: the Hub does not provide it: {_reason(error)}.", hint) from error
    except (ValueError, RuntimeError, TypeError) as error:
        raise DataError(f"{dataset}: `datasets` cannot load it: {_reason(error)}.") from error
    except Exception as error:  # many packages raise errors for a broken network
        raise DataError(f"{dataset}: the Hub is not reachable: {_reason(error)}.", WITHOUT_NETWORK) from error


def _reason(error: Exception) -> str:
    return one_line(first_line(error), LONGEST_REASON).rstrip(".")
