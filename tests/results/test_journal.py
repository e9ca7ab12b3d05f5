"""A search that is interrupted goes on where it was, and ends in the same bytes."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from living import files_in
from small_project import COMMAND, bench, make_folder, stored_bytes
from thoroughness import scaled

from bench.results.journal import Journal, ScoredSetting

FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FLOATS | st.text(max_size=9)
SCORED = st.builds(
    ScoredSetting,
    number=st.integers(0, 200),
    encoded=st.dictionaries(st.text(max_size=9), VALUES, max_size=4),
    score=st.none() | FLOATS,
    error=st.none() | st.text(max_size=20),
    steps=st.lists(FLOATS, max_size=3).map(tuple),
    warnings=st.dictionaries(st.text(max_size=9), st.integers(1, 9), max_size=2),
    seconds=st.floats(0, 1e6),
)


def types(scored: ScoredSetting) -> list[type]:
    return [type(value) for value in scored.encoded.values()]


@settings(max_examples=60, deadline=None)
@given(st.lists(SCORED, unique_by=lambda each: each.number, max_size=5))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, written: list[ScoredSetting]) -> None:
    path = tmp_path_factory.mktemp("journal") / "fold-00.journal"
    for each in written:
        Journal(path).append(each)
    read = Journal(path).read()
    assert read == sorted(written, key=lambda each: each.number)
    assert [types(each) for each in read] == [types(each) for each in sorted(written, key=lambda each: each.number)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_torn_or_changed_line_is_dropped_and_the_rest_kept(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "final.journal"
    written = [ScoredSetting(number, {"C": number / 3}, number / 7) for number in range(4)]
    journal = Journal(path)
    for each in written:
        journal.append(each)
    content = path.read_bytes()
    end = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:end])
    whole = content[:end].count(b"\n")
    kept = Journal(path).read()
    assert kept in (written[: max(whole - 1, 0)], written[:whole])
    later = ScoredSetting(9, {"C": 1.0}, 0.5)
    Journal(path).append(later)
    assert Journal(path).read() == [*kept, later]

    place = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    read = Journal(path).read()
    assert all(each in written for each in read)
    assert len(read) >= len(written) - 2


def test_a_journal_behind_a_link_is_neither_read_nor_written(tmp_path: Path) -> None:
    other, path = tmp_path / "other", tmp_path / "fold-00.journal"
    Journal(other).append(ScoredSetting(0, {}, 0.5))
    path.symlink_to(other)
    before = other.read_bytes()
    assert Journal(path).read() == []
    with pytest.raises(OSError, match="symbolic links"):
        Journal(path).append(ScoredSetting(1, {}, 0.5))
    assert other.read_bytes() == before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "project", prune=False)


@pytest.mark.slow
@pytest.mark.parametrize("prune", [False, True])
def test_the_bytes_do_not_depend_on_the_workers_nor_on_interruptions(tmp_path: Path, prune: bool) -> None:
    folder = make_folder(tmp_path / "project", prune, seconds=0.05)
    expected = None
    for workers in scaled((1, 4), (1, 2, 4)):
        bench(folder, f"execution.workers={workers}", f"results=with-{workers}")
        got = stored_bytes(folder, f"with-{workers}")
        expected = expected or got
        assert len(got) >= 11
        assert got == expected
    kept = 0
    for attempt in range(scaled(2, 8)):
        running = subprocess.Popen(
            [*COMMAND, "execution.workers=3", "results=killed"], cwd=folder, stderr=subprocess.DEVNULL
        )
        before = _fits_kept(folder / "killed")
        # However slow the machine is, it has done something before it is stopped.
        while running.poll() is None and _fits_kept(folder / "killed") < before + 5:
            time.sleep(0.02)
        time.sleep(attempt / 10)
        running.send_signal((signal.SIGKILL, signal.SIGINT)[attempt % 2])
        running.wait()
        kept = max(kept, sum(len(Journal(path).read()) for path in files_in(folder / "killed", "*.journal")))
    assert kept > 0
    bench(folder, "execution.workers=3", "results=killed")
    assert stored_bytes(folder, "killed") == expected


def _fits_kept(results: Path) -> int:
    """Of folds that are stored and of folds that are not; the baseline beside the model has no search."""
    results = results / "small" / "slow"
    journals = [len(Journal(path).read()) for path in files_in(results, "*.journal")]
    return sum(journals) + 100 * len(files_in(results, "predictions.csv"))


@pytest.mark.slow
def test_a_fold_that_ran_out_of_time_goes_on_with_more(folder: Path) -> None:
    model = folder / "configs/model/slow.yaml"
    model.write_text(model.read_text().replace("seconds: 0.02", "seconds: 0.3"))
    words = [*COMMAND, "execution.workers=4", "results=short"]
    short = subprocess.run(
        [*words, "execution.cell_timeout=4"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert short.returncode == 1
    assert "stopped after 4 s. Raise execution.cell_timeout" in short.stderr
    tried = {path.stem: {each.number for each in Journal(path).read()} for path in folder.rglob("*.journal")}
    assert any(tried.values())
    (folder / "fits.log").unlink()
    (folder / "closed").unlink()
    bench(folder, "results=short", "execution.workers=4")
    fits = len((folder / "fits.log").read_text().splitlines())
    assert fits < 5 * (10 * 3 + 1)
    bench(folder, "results=long", "execution.workers=4")
    assert stored_bytes(folder, "short") == stored_bytes(folder, "long")


@pytest.mark.slow
def test_settings_that_failed_are_tried_again_when_asked_and_no_others(folder: Path) -> None:
    def folds(text: str) -> set[str]:
        return {
            path.parent.name for path in folder.glob("results/small/slow/*/*/result.json") if text in path.read_text()
        }

    bench(folder)
    failed = folds("this way is closed")
    assert failed
    assert {path.stem for path in folder.glob("results/small/slow/*/*.journal")} == failed
    before, log = stored_bytes(folder), folder / "fits.log"

    log.unlink()
    bench(folder)
    assert not log.exists()

    bench(folder, "retry=failed")
    assert stored_bytes(folder) == before
    ways = [line.rpartition(" ")[0] for line in log.read_text().splitlines()]
    assert ways.count("raise") > 0
    assert len(ways) - ways.count("raise") == len(failed)  # The final fits.

    (folder / "closed").unlink()
    bench(folder, "retry=failed")
    assert folds("this way is closed") == set()
    assert list(folder.rglob("*.journal")) == []
    bench(folder, "results=from-nothing")
    assert stored_bytes(folder) == stored_bytes(folder, "from-nothing")
