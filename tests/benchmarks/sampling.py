"""Processor time and peak memory of drawing from a large archive, whose texts are recombined public sentences.

SENTENCES is a folder with the CheckThat! 2025 files of the task ``ct25-subjectivity``::

    python tests/benchmarks/sampling.py SENTENCES [--rows 1000000] [--by mixed random diverse] [--folder FOLDER]

Each text is the beginning of a sentence and the end of another one; one in a hundred nearly repeats a labelled one, and
one in a hundred repeats an earlier text.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from million import measure

LABELLED = 1_000
CHOSEN = ("task=opinions", "model=logreg")


def write(sentences: list[str], labels: list[str], folder: Path, rows: int) -> None:
    """A task of the first sentences, and an archive of others recombined."""
    table = pd.DataFrame({"text": sentences[:LABELLED], "label": labels[:LABELLED]})
    table.to_csv(folder / "labels.csv", index=False)
    rng = np.random.default_rng(0)
    words = [sentence.split() for sentence in sentences[LABELLED:]]
    earlier = [sentences[0]]
    with (folder / "archive.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "outlet"])
        for number in range(rows):
            one, other = (words[place] for place in rng.integers(len(words), size=2).tolist())
            text = " ".join([*one[: len(one) // 2 + 1], *other[len(other) // 2 :], str(number)])
            if number % 100 == 0:
                text = f"{sentences[int(rng.integers(LABELLED))]}."
            elif number % 100 == 1:
                text = earlier[int(rng.integers(len(earlier)))]
            elif len(earlier) < 10_000:
                earlier.append(text)
            writer.writerow([text, f"outlet{number % 50}"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--by", nargs="+", default=["mixed", "random", "diverse"])
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-sampling-"))
    folder.mkdir(exist_ok=True)
    parts = [pd.read_csv(path, sep="\t", quoting=3) for path in sorted(options.sentences.glob("*.tsv"))]
    known = pd.concat(parts).dropna(subset=["sentence", "label"]).drop_duplicates("sentence")
    known = known.sample(frac=1.0, random_state=0)
    write(known["sentence"].tolist(), known["label"].tolist(), folder, options.rows)
    for command in (
        ("new", "task", "opinions", "--data", "labels.csv", "--text", "text", "--label", "label", "--force"),
        ("run", *CHOSEN, "search=none", "tracking=false"),
    ):
        done = subprocess.run([sys.executable, "-m", "bench", *command], cwd=folder, capture_output=True, text=True)
        print(f"bench {' '.join(command[:2])}: status {done.returncode}", done.stderr[-500:] * bool(done.returncode))
    print(f"{options.rows:,} texts, {(folder / 'archive.csv').stat().st_size / 2**20:,.0f} MiB")
    for by in options.by:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        words = ("sample", *CHOSEN, "--input", "archive.csv", "--n", "500", "--by", by, "--output", f"{by}.json")
        seconds, peak, status = measure((*words, "--force"), folder)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cores = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        print(f"{by}: {seconds:.0f} s, {cores:.0f} s of processor, {peak:.2f} GiB, status {status}", flush=True)


if __name__ == "__main__":
    main()
