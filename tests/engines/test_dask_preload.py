"""A worker that has lost its scheduler ends, also where something in it hangs; one that is connected goes on."""

from __future__ import annotations

import subprocess
import sys

import pytest

STAND_IN = """
import asyncio, sys, threading, time, types
from bench.engines import dask_preload

dask_preload.LOOK = 0.05
state = types.SimpleNamespace(name="running")
stream = types.SimpleNamespace(closed=lambda: gone)
worker = types.SimpleNamespace(status=state, batched_stream=stream)
gone = False

async def main(way):
    global gone
    watch = dask_preload.Watch(worker, 0.5)
    task = asyncio.create_task(watch.see())
    threading.Thread(target=watch.end, daemon=True).start()
    await asyncio.sleep(1.5)
    print("works", flush=True)
    if way == "lost":
        gone = True
    elif way == "closing":
        state.name = "closing"
    elif way == "hangs":
        gone = True
        time.sleep(30)
    await asyncio.sleep(30 if way != "connected" else 1.0)

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize(("way", "status"), [("connected", 0), ("lost", 1), ("closing", 1), ("hangs", 1)])
def test_a_worker_ends_once_it_is_not_connected_for_too_long(way: str, status: int) -> None:
    ended = subprocess.run([sys.executable, "-c", STAND_IN, way], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (status, "works\n"), ended.stderr
