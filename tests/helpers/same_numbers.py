"""Run fixed commands with the code of an earlier commit and with the present one, and compare all numbers stored.

    python tests/helpers/same_numbers.py 1a2b3c4          # all commands, some minutes
    python tests/helpers/same_numbers.py 1a2b3c4 denial   # those whose name holds a word

The task of a stratified sample is fetched, or taken from the folder in BENCH_DATA_MIRROR. Every prediction must be the
same bytes; every trial, score and interval that the earlier code stored or printed must be there with the same value.
What the present code stores besides is no difference, nor are keys and notes.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

COMMANDS = {
    "denial": "run task=denial search=quick",
    "stance": "run task=stance search=quick validation.folds=4 validation.repeats=2 seed=3",
    "source-type": "run task=source-type model=linear-svm,complement-nb search=quick",
    "log-loss": "run task=denial model=logreg task.metric=log_loss search.trials=8",
    "average-precision": "run task=denial model=logreg,complement-nb task.metric=average_precision search.trials=8",
    "mcc": "run task=source-type model=logreg task.metric=mcc search.trials=8",
    "f-avg": "run task=stance model=logreg task.metric=f_avg search.trials=8",
    "pairs": "run task=pairs model=logreg,linear-svm search=quick",
    "split": "run task=split model=logreg,gradient-boosting search.trials=6",
    "strata": "run task=denial-news model=complement-nb,logreg search=none",
    "lent": "run task=rows train_on=more model=logreg search=quick",
    "curve": "curve task=rows model=complement-nb search=none",
}
"""By name; each stores its runs in a folder of its own."""

AFTER = {
    "denial": ("compare task=denial", "compare task=denial baseline=majority metric=mcc"),
    "stance": ("compare task=stance",),
    "average-precision": ("compare task=denial metric=average_precision", "compare task=denial metric=log_loss"),
    "split": ("compare task=split",),
}
"""What is asked of the stored runs, as JSON."""

STORED = ("result.json", "explanations.json", "summary.json")

IRRELEVANT = frozenset(
    {"key", "format", "predictions_sha256", "seconds", "command", "error", "path", "origin", "notes"}
)
"""Parts of stored files that are no numbers of the protocol."""

WORDS = {
    "denial": "نفى مصدر رسمي صحة الخبر المتداول تماما",
    "report": "ذكرت وكالة الأنباء أن الاجتماع عقد اليوم",
    "opinion": "أرى أن القرار كان خطأ كبيرا بلا شك",
}


@dataclass(frozen=True)
class Tree:
    """A version of the code and the folder in which its commands run."""

    code: Path
    work: Path

    def bench(self, words: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        environment = {**os.environ, "PYTHONPATH": str(self.code), "XDG_CACHE_HOME": str(self.work / "cache")}
        command = [sys.executable, "-m", "bench", *words.split()]
        return subprocess.run(command, cwd=self.work, env=environment, capture_output=True, text=True, check=False)


def main() -> None:
    """Compare the commit that is named with the files beside this one."""
    commit, *wanted = sys.argv[1:]
    chosen = [name for name in COMMANDS if not wanted or any(word in name for word in wanted)]
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        trees = []
        for name, code in (("before", unpacked(commit, Path(folder) / "code")), ("now", ROOT)):
            tree = Tree(code, Path(folder) / name)
            tree.work.mkdir()
            make_tasks(tree)
            trees.append(tree)
        for name in chosen:
            before, now = (numbers(tree, name) for tree in trees)
            found = [*differences(before, now)]
            different += len(found)
            print(f"{name}: {count(before):,} values, {len(found)} different", flush=True)
            for line in islice(found, 20):
                print(f"  {line}")
    sys.exit(1 if different else 0)


def unpacked(commit: str, folder: Path) -> Path:
    """The files of a commit in a folder of their own."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def make_tasks(tree: Tree) -> None:
    """Make tasks of the kinds that the packaged ones do not show, the same in each tree."""
    chance = random.Random(0)
    rows = [example(chance, number) for number in range(240)]
    write(tree.work / "rows.csv", ("text", "label", "article"), rows)
    parts = [("train", "dev", "test")[min(2, number // 80)] for number in range(240)]
    split = [(*row, part) for row, part in zip(rows, parts, strict=True)]
    write(tree.work / "split.csv", ("text", "label", "article", "split"), split)
    pairs = [(f"{row[0]} {chance.choice(WORDS['report'].split())}", *row) for row in rows]
    write(tree.work / "pairs.csv", ("claim", "text", "label", "article"), pairs)
    more = [(f"{text} كذلك", label, f"other-{article}") for text, label, article in rows]
    write(tree.work / "more.csv", ("text", "label", "article"), more)
    for name, claim in {"rows": "", "more": "", "split": "", "pairs": "--claim claim"}.items():
        command = f"new task {name} --data {name}.csv --text text --label label --group article {claim}"
        ended = tree.bench(command)
        if ended.returncode:
            raise SystemExit(f"{tree.code}: bench {command}\n{ended.stdout}{ended.stderr}")


def example(chance: random.Random, number: int) -> tuple[str, str, str]:
    """A text of random words, mostly of its label's, with its label and its article."""
    label = chance.choices([*WORDS], [1, 4, 2])[0]
    spoken = label if chance.random() < 0.7 else chance.choice([*WORDS])
    words = [chance.choice(WORDS[spoken].split() * 3 + WORDS["report"].split()) for _ in range(chance.randint(5, 14))]
    return f"{' '.join(words)} {number}", label, f"article-{number // 6:02d}"


def write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Write a table whose cells need no quotation marks."""
    path.write_text("\n".join(",".join(row) for row in [header, *rows]) + "\n", encoding="utf-8")


def numbers(tree: Tree, name: str) -> dict[str, Any]:
    """Run a command and read all that it stored, by place, with the keys of runs left out of it."""
    results = f"results/{name}"
    first = tree.bench(f"{COMMANDS[name]} tracking=false results={results}")
    found: dict[str, Any] = {"exit status": first.returncode}
    if first.returncode:
        print(f"{name} ended with {first.returncode}:\n{first.stderr}")
    for path in sorted((tree.work / results).glob("**/*")):
        place = "/".join(part for part in path.relative_to(tree.work / results).parts if not is_key(part))
        if path.name == "predictions.csv":
            found[place] = path.read_text(encoding="utf-8")
        elif path.name in STORED:
            found[place] = json.loads(path.read_text(encoding="utf-8"))
    for question in AFTER.get(name, ()):
        ended = tree.bench(f"{question} results={results} --format json")
        found[question] = json.loads(ended.stdout) if not ended.returncode else ended.returncode
    return found


def is_key(part: str) -> bool:
    """Whether a folder's name is a run's key."""
    return len(part) == 12 and set(part) <= set("0123456789abcdef")


def differences(before: Any, now: Any, place: str = "") -> Any:
    """Say where a value that was there is another one now, or missing."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name in before:
            if name not in IRRELEVANT:
                here = f"{place} > {name}" if place else str(name)
                yield from differences(before[name], now.get(name, "missing"), here)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, pair in enumerate(zip(before, now, strict=True)):
            yield from differences(*pair, f"{place}[{number}]")
    elif before != now:
        yield f"{place}: {str(before)[:80]} -> {str(now)[:80]}"


def count(value: Any) -> int:
    """How many single values a tree of them holds."""
    if isinstance(value, dict):
        return sum(count(each) for each in value.values())
    if isinstance(value, list):
        return sum(count(each) for each in value)
    return value.count("\n") if isinstance(value, str) else 1


if __name__ == "__main__":
    main()
