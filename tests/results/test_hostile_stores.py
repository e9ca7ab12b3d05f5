"""Stores that are damaged, or made to harm whoever opens them, are given to the commands."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from contest import store_contest
from stored import write_run
from thoroughness import scaled

from bench.cli.ui import command as ui
from bench.errors import BenchError
from bench.tracking.run import track_all
from bench.tracking.store import open_store
from bench.tracking.uri import tracking_uri

pytestmark = pytest.mark.slow

CASES = scaled(40, 300)
"""Stores that are damaged, each in one way that is drawn."""

SECONDS, MEBIBYTES = 60, 1024

ODD: list[Any] = [
    *(None, True, False, -1, 0, 7, 2**70, -0.5, 1e308, float("nan"), float("inf"), "", " ", ".", "..", "0", "nan"),
    *("../../outside", "/", "a/b", "\x1b[31mred\x07", "\u202egnp.exe", "\ud800", "x" * 5000, "2024-13-45", "NUL\0"),
    *([], {}, [[]], [None], [1, "a"], {"a": {}}, {"": None}, [["a", 1]] * 50),
]
"""What takes the place of a value of a JSON file."""

HIDDEN = ("\x1b", "\x07", "\u202e", "\ud800")
"""What may never reach a terminal."""


def test_whatever_a_store_holds_commands_end_with_a_table_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, bench, subtests
) -> None:
    sound = tmp_path_factory.mktemp("sound")
    store_contest(sound, {"a": 0.9, "b": 0.8, "c": 0.7}, n_groups=10, per_group=6)
    for number in range(CASES):
        rng = random.Random(number)
        case = tmp_path_factory.mktemp("case")
        results, outside = case / "results", case / "outside"
        shutil.copytree(sound, results)
        outside.mkdir()
        (outside / "kept.txt").write_text("the user's own")
        told = rng.choice(DAMAGES)(rng, results, outside)
        before = _content(outside)
        with subtests.test(f"{number}: {told}"):
            for words in (
                ("compare", "task=denial"),
                ("report", "task=denial"),
                ("compare", "task=denial", "model=a,b"),
            ):
                start = time.monotonic()
                status, out, err = bench(*words, f"results={results}")
                assert time.monotonic() - start < SECONDS
                assert status in (0, 1, 2)
                assert not any(each in out + err for each in HIDDEN)
                if status:
                    assert err.strip()
                elif words[0] == "compare":
                    asked = ("a", "b") if len(words) == 3 else ("a", "b", "c")
                    gone = [name for name in asked if not any(line.startswith(f"{name} ") for line in out.split("\n"))]
                    assert not gone or "left out" in out + err, f"{gone} are missing without a word"
                assert _content(outside) == before
        for pipe in [path for path in results.rglob("*") if path.is_fifo()]:
            pipe.unlink()
        shutil.rmtree(case)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < (MEBIBYTES + 512) * 1024


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _run(rng: random.Random, results: Path) -> Path:
    return rng.choice(sorted(path.parent for path in results.glob("*/*/*/run.json")))


def _file(rng: random.Random, results: Path) -> Path:
    return rng.choice(sorted(path for path in _run(rng, results).rglob("*") if path.is_file()))


def odd_value(rng: random.Random, results: Path, outside: Path) -> str:
    run = _run(rng, results)
    path = rng.choice([run / "run.json", run / "summary.json", *sorted(run.glob("fold-*/result.json"))])
    content = json.loads(path.read_text(encoding="utf-8"))
    holder, place = content, rng.choice(list(content))
    while isinstance(holder[place], dict | list) and holder[place] and rng.random() < 0.75:
        holder = holder[place]
        place = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder)))
    value = rng.choice(ODD)
    if isinstance(holder, dict) and rng.random() < 0.15:
        del holder[place]
        value = "nothing"
    else:
        holder[place] = value
    path.write_text(json.dumps(content), encoding="utf-8")
    return f"{value!r} at {place} of {path.relative_to(results)}"[:200]


def odd_predictions(rng: random.Random, results: Path, outside: Path) -> str:
    run = _run(rng, results)
    path = rng.choice(sorted(run.glob("fold-*/predictions.csv")))
    lines = path.read_text(encoding="utf-8").split("\n")
    row = rng.randrange(len(lines) - 1)
    cells = lines[row].split(",")
    place = rng.randrange(len(cells))
    cells[place] = rng.choice(
        ['""', "nan", "inf", "-1", "1e999", '"\x1b[2J"', '"\u202e"', "", '"', "7", '"none"', "x", '"\0"']
    )
    kind = rng.choice(["cell", "column", "twice", "fewer", "empty", "more"])
    if kind == "cell":
        lines[row] = ",".join(cells)
    elif kind == "column":
        lines = [",".join(line.split(",")[:place] + line.split(",")[place + 1 :]) for line in lines]
    elif kind == "twice":
        lines.insert(row, lines[row])
    elif kind == "fewer":
        del lines[row]
    elif kind == "empty":
        lines = lines[:1] if rng.random() < 0.5 else []
    else:
        lines[row] += "," + rng.choice(ODD[:5].__repr__().split(", "))
    path.write_text("\n".join(lines), encoding="utf-8")
    # As whoever means harm would, the digest is brought up to date.
    result = path.with_name("result.json")
    content = json.loads(result.read_text(encoding="utf-8"))
    content["predictions_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    result.write_text(json.dumps(content), encoding="utf-8")
    return f"{kind}, row {row}, cell {place} of {path.relative_to(results)}"


def odd_bytes(rng: random.Random, results: Path, outside: Path) -> str:
    path = _file(rng, results)
    whole = path.read_bytes()
    content = rng.choice(
        [
            b"",
            whole[: len(whole) // 2],
            b"\0" * 100,
            b"[" * 200_000,
            b'{"a":' * 100_000,
            rng.randbytes(200),
            b"\xff\xfe",
        ]
    )
    path.write_bytes(content)
    return f"{content[:9]!r} in {path.relative_to(results)}"


def something_else(rng: random.Random, results: Path, outside: Path) -> str:
    path = _file(rng, results)
    path.unlink()
    kind = rng.choice(["folder", "pipe", "nothing", "link to nothing", "link to itself"])
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to nothing":
        path.symlink_to(outside / "none")
    elif kind == "link to itself":
        path.symlink_to(path)
    return f"{kind} at {path.relative_to(results)}"


def link_to_file(rng: random.Random, results: Path, outside: Path) -> str:
    path = rng.choice(
        [_file(rng, results), results / "denial" / "report.html", results / "denial" / "leaderboard.json"]
    )
    copy = outside / "copy"
    if path.exists():
        shutil.copy(path, copy)
        path.unlink()
    else:
        copy.write_text('{"rows": [{"key": "gone"}]}')
    path.symlink_to(copy)
    return f"link at {path.relative_to(results)}"


def link_to_folder(rng: random.Random, results: Path, outside: Path) -> str:
    run = _run(rng, results)
    path = rng.choice([run, run.parent, *sorted(run.glob("fold-*"))])
    path.rename(outside / "moved")
    path.symlink_to(outside / "moved")
    return f"link at {path.relative_to(results)}"


DAMAGES: list[Callable[[random.Random, Path, Path], str]] = [
    *(odd_value, odd_value, odd_value, odd_value, odd_predictions, odd_predictions),
    *(odd_bytes, something_else, link_to_file, link_to_folder),
]


MODELS, DATABASES = 40, 12


def test_whatever_a_model_file_holds_predict_ends_with_labels_or_a_message(
    tmp_path: Path, bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path, folds=2)
    path = folder.model_path()
    assert path is not None
    whole = path.read_bytes()
    for number in range(MODELS):
        rng = random.Random(number)
        content = bytearray(whole)
        for _ in range(rng.choice([1, 4, 64])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(rng.choice([bytes(content), whole[: rng.randrange(len(whole))], rng.randbytes(500)]))
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("نفت الوزارة الخبر\n".encode())))
        status, out, err = bench("predict", "task=denial", f"results={tmp_path}")
        assert status in (0, 1, 2), number
        assert err.strip() if status else out.strip(), number
        assert not any(each in out + err for each in HIDDEN), number


def test_whatever_a_database_holds_the_page_opens_or_a_message_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = list[object]()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("bench.tracking.page.application", lambda *given: None)
    monkeypatch.setattr("bench.tracking.page.serve", lambda app, listener, ready: opened.append(app))
    folder = write_run(tmp_path, folds=2)
    assert track_all([folder], open_store(tracking_uri(tmp_path))) == []
    database = tmp_path / "mlflow.db"
    whole = database.read_bytes()
    for number in range(DATABASES):
        rng = random.Random(number)
        content = bytearray(whole)
        for _ in range(rng.choice([4, 64, 2000])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        database.write_bytes(rng.choice([bytes(content), whole[: rng.randrange(len(whole))], b""]))
        opened.clear()
        outcome = CliRunner().invoke(ui, ["--results", str(tmp_path)])
        assert outcome.exception is None or isinstance(outcome.exception, SystemExit | BenchError), (number, outcome)
        assert opened or outcome.exception is not None, number
