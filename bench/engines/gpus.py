"""The GPUs of this machine, and which of them a worker process sees: one each, in turn.

Nothing here asks CUDA, since a process that has begun to use it cannot be forked.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""The variable by which CUDA is told which GPUs a process sees."""

STAND_IN = "BENCH_GPUS"
"""The variable that says how many GPUs there are, for tests on machines that have none."""

DRIVER = Path("/proc/driver/nvidia/gpus")
"""Where Linux lists the GPUs of NVIDIA."""


def gpus(environment: Mapping[str, str] = os.environ, driver: Path = DRIVER) -> tuple[str, ...]:
    """The GPUs that this process sees, as CUDA names them.

    Examples
    --------
    >>> gpus({"CUDA_VISIBLE_DEVICES": "2,3"}), gpus({"CUDA_VISIBLE_DEVICES": ""}), gpus({"BENCH_GPUS": "3"})
    (('2', '3'), (), ('0', '1', '2'))
    """
    if (named := environment.get(VISIBLE)) is not None:
        names = [name.strip() for name in named.split(",")]
        # CUDA takes none that stands behind one that there is not.
        return tuple(names[: next((at for at, name in enumerate(names) if name in ("", "-1")), len(names))])
    count = environment.get(STAND_IN, "")
    found = int(count) if count.isdecimal() else len(list(driver.glob("*")))
    return tuple(str(number) for number in range(found))


def seen_by(worker: int, device: str, among: Sequence[str]) -> dict[str, str]:
    """The variable that shows a worker its one GPU, or none where the CPU is asked for.

    Parameters
    ----------
    worker : int
        The worker's number on its machine.
    device : {"auto", "cpu", "cuda"}
        What torch computes on.
    among : sequence of str
        The GPUs of the machine, see `gpus`.

    Examples
    --------
    >>> [seen_by(worker, "auto", ("2", "3"))["CUDA_VISIBLE_DEVICES"] for worker in range(3)]
    ['2', '3', '2']
    >>> seen_by(0, "cpu", ("2", "3")), seen_by(0, "auto", ())
    ({'CUDA_VISIBLE_DEVICES': ''}, {})
    """
    if device == "cpu":
        return {VISIBLE: ""}
    return {VISIBLE: among[worker % len(among)]} if among else {}
