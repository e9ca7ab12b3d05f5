"""The processor that torch computes on; a GPU is used by one process at a time."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.support.waiting import waiting

if TYPE_CHECKING:
    import torch


def best_device() -> torch.device:
    """The GPU if there is one, else the CPU."""
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device computes in bfloat16 faster than in float32."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def device_name() -> str:
    """The best device in words.

    Returns
    -------
    str
        ``cpu``, or ``cuda`` with the GPU's name.
    """
    import torch

    device = best_device()
    return device.type if device.type == "cpu" else f"{device.type} ({torch.cuda.get_device_name(device)})"


@contextmanager
def on_device() -> Iterator[torch.device]:
    """Compute on the best device.

    A GPU is locked by a file until the end, so that workers that share it wait for each other and do not run out
    of its memory together. Data on it must be dropped inside, and the memory is released at the end. A
    process that has the lock may enter again. Request embeddings outside, since their cache has its own lock. A CPU
    needs no lock.

    Yields
    ------
    torch.device
    """
    device = best_device()
    if device.type == "cpu":
        yield device
        return
    import torch
    from filelock import FileLock

    lock = FileLock(_lock_file(), is_singleton=True)
    with waiting():
        held = lock.acquire()
    with held:
        try:
            yield device
        finally:
            torch.cuda.empty_cache()


@contextmanager
def placed(model: torch.nn.Module) -> Iterator[torch.device]:
    """Compute with a model on the best device, see `on_device`; at the end it is on the CPU again.

    Yields
    ------
    torch.device
        Where the model is.
    """
    with on_device() as device:
        try:
            model.to(device)
            yield device
        finally:
            model.to("cpu")


def _lock_file() -> Path:
    """One file for a user and a GPU, regardless of the GPU's number in CUDA_VISIBLE_DEVICES."""
    import torch

    user = os.getuid() if hasattr(os, "getuid") else getpass.getuser()
    return Path(tempfile.gettempdir()) / f"bench-{user}-gpu-{torch.cuda.get_device_properties(0).uuid}.lock"
