"""The jobs of Slurm are asked for in times and amounts of memory that are read once, and refused where wrong."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bench.config import compose
from bench.engines.slurm import Jobs, lifetime_in
from bench.errors import ConfigError
from bench.schema.run import LEAST_MEMORY, LONGEST_JOB, SHORTEST_JOB, SlurmFile
from bench.support.quantities import memory_bytes, walltime_seconds, walltime_text

NUMBERS = st.integers(0, 10**6)
FORMS = {
    "minutes": "{minutes}",
    "minutes:seconds": "{minutes}:{seconds}",
    "hours:minutes:seconds": "{hours}:{minutes}:{seconds}",
    "days-hours": "{days}-{hours}",
    "days-hours:minutes": "{days}-{hours}:{minutes}",
    "days-hours:minutes:seconds": "{days}-{hours}:{minutes}:{seconds}",
}
"""The forms in the manual of sbatch."""

SECONDS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}


@pytest.mark.parametrize("form", FORMS)
@given(numbers=st.fixed_dictionaries(dict.fromkeys(SECONDS, NUMBERS)), width=st.integers(1, 7))
def test_each_form_of_slurms_times_is_the_sum_of_its_parts(form: str, numbers: dict[str, int], width: int) -> None:
    text = FORMS[form].format(**{name: f"{number:0{width}}" for name, number in numbers.items()})
    assert walltime_seconds(text) == sum(SECONDS[name] * numbers[name] for name in SECONDS if name in FORMS[form])


@given(st.integers(0, 10**9))
def test_slurm_is_told_the_time_that_was_read(seconds: int) -> None:
    assert walltime_seconds(walltime_text(seconds)) == seconds


@given(st.floats(SHORTEST_JOB, LONGEST_JOB))
def test_a_worker_has_time_and_ends_before_its_job(seconds: float) -> None:
    lifetime, stagger = lifetime_in(seconds)
    assert 0 < lifetime - stagger < lifetime + stagger < seconds


@given(
    st.integers(1, 10**6),
    st.sampled_from(["kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]),
    st.sampled_from(["", " ", "  "]),
)
def test_memory_is_what_dask_reads(number: int, unit: str, between: str) -> None:
    dask_utils = pytest.importorskip("dask.utils")
    assert memory_bytes(f"{number}{between}{unit}") == dask_utils.parse_bytes(f"{number} {unit}")
    assert memory_bytes(f"{number}{between}{unit.lower()}") == memory_bytes(f"{number}{unit}")


@pytest.mark.parametrize("unit", "KMGTP")
def test_memory_with_a_bare_prefix_is_what_slurm_reads(unit: str) -> None:
    assert memory_bytes(f"3{unit}") == memory_bytes(f"3{unit}iB")


def composed(*words: str) -> Jobs:
    run = compose(["task=stance", "execution=slurm", *(f"execution.slurm.{word}" for word in words)])
    assert run.execution.slurm is not None
    return run.execution.slurm


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 5400), ("1:30", 90), ("2:00:00", 7200), ("1-12", 129600), ("UNLIMITED", math.inf), ("infinite", math.inf)],
)
def test_a_walltime_is_read_as_slurm_reads_it(text: str, seconds: float) -> None:
    assert composed(f"walltime={text}").walltime == seconds


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("walltime=2h", 'walltime="2h": expected a time as Slurm writes it'),
        ("walltime=0", "walltime is 0 seconds, and a job takes 60 at least"),
        ("walltime=0:59", "walltime is 59 seconds, and a job takes 60 at least"),
        ("walltime=-1", "expected a time as Slurm writes it"),
        ("walltime=1.5", "expected a time as Slurm writes it"),
        ("walltime=true", "expected a time as Slurm writes it"),
        ("walltime=null", "expected a time as Slurm writes it"),
        ("walltime=1:2:3:4", "expected a time as Slurm writes it"),
        ("walltime=999999999-0", "walltime is longer than Slurm counts"),
        ("memory=8", "expected an amount of memory with its unit"),
        ("memory=lots", 'memory="lots": expected an amount of memory with its unit'),
        ("memory=1 MB", "memory is less than a worker takes"),
        ("memory=null", "expected an amount of memory with its unit"),
    ],
)
def test_a_time_or_an_amount_that_is_wrong_is_refused(word: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        composed(word)
    assert message in str(error.value)
    assert error.value.hint


def test_a_file_that_leaves_jobs_out_has_those_of_the_packaged_one() -> None:
    packaged = Path(__file__).parents[2] / "configs" / "execution" / "slurm.yaml"
    told = SlurmFile.model_validate(yaml.safe_load(packaged.read_text())["slurm"])
    assert told == SlurmFile.model_validate({})
    assert set(told.model_fields_set) == set(SlurmFile.model_fields)
    assert told.memory >= LEAST_MEMORY
