"""Data sets of the Hub are downloaded and prepared within bounds; a server of the tests is the Hub."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import hub_server
import packed
import pytest
from hub_server import COMMIT
from importing import same_path

pytestmark = pytest.mark.slow

ROWS = "text,label\n" + "".join(f"نفى الوزير الخبر {number},{'ab'[number % 2]}\n" for number in range(20))
LOAD = f"""
from bench.data.sources.hub import load_split
from bench.errors import BenchError
from bench.support.process import own_this_process
own_this_process()
try:
    print(len(load_split("owner/name", None, "{COMMIT}", "train")), "rows")
except BenchError as error:
    print(error)
"""


def loaded(folder: Path, url: str, **variables: str) -> str:
    """What a program prints that reads the data set of a Hub."""
    places = {"HF_ENDPOINT": url, "HF_HOME": str(folder / "home"), "BENCH_CACHE": str(folder / "cache")}
    others = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    env = {**others, "PYTHONPATH": same_path(), **places, **variables}
    done = subprocess.run(
        [sys.executable, "-c", LOAD], env=env, cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "%|" not in done.stderr
    return done.stdout


def kept(folder: Path) -> list[Path]:
    """The files that the cache has, without locks."""
    return [path for path in (folder / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_data_set_is_downloaded_once_and_needs_no_network_then(tmp_path: Path) -> None:
    with hub_server.serving("datasets", "owner/name", {"train.csv": ROWS.encode()}) as (_, url):
        assert loaded(tmp_path, url) == "20 rows\n"
    assert loaded(tmp_path, url, HF_HUB_OFFLINE="1") == "20 rows\n"


def test_one_of_more_bytes_than_are_downloaded_is_refused_before(tmp_path: Path) -> None:
    with hub_server.serving("datasets", "owner/name", {"train.csv": ROWS.encode()}) as (hub, url):
        hub.sizes = {"train.csv": 2**34}
        told = loaded(tmp_path, url)
        assert not any(path.endswith("/train.csv") for path in hub.asked)
        hub.sizes = {}
        hub.files = {"train.csv": ROWS.encode() * 2}
        assert "at most 1,024 are" in loaded(tmp_path, url, BENCH_LARGEST_DOWNLOAD="1KiB")
        assert "it is not an amount with a unit" in loaded(tmp_path, url, BENCH_LARGEST_DOWNLOAD="many")
    assert told == (
        "owner/name: it has 17,179,869,184 bytes; at most 8,589,934,592 are downloaded.\n"
        "If you trust it, set BENCH_LARGEST_DOWNLOAD=17GiB\n"
    )
    assert not kept(tmp_path)


@pytest.mark.parametrize("kind", ["csv.gz", "json", "parquet"])
def test_one_that_unpacks_to_far_more_is_refused_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    packed_rows = gzip.compress(ROWS.encode() + b"x,a\n" * 2**24)
    if kind == "parquet":
        packed.write_repeated(tmp_path / "bomb")
    elif kind == "json":
        packed_rows = gzip.compress(b'{"text": "x", "label": "a"}\n' * 2**23)
    content = (tmp_path / "bomb").read_bytes() if kind == "parquet" else packed_rows
    name = "train.json.gz" if kind == "json" else f"train.{kind}"
    with hub_server.serving("datasets", "owner/name", {name: content}) as (_, url):
        told = loaded(tmp_path, url)
    assert "owner/name: its " in told
    assert "unpack to more than " in told
    assert not kept(tmp_path)
