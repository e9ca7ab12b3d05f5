"""How often the intervals of shares in an archive cover, and how wide they are.

All labels of the archives are known: all but some are hidden, models are trained on these, and the intervals are held
to the true shares. DATASETS is a folder with ``ans-claims``, ``ct25-subjectivity`` and ``asnd``::

    python tests/benchmarks/share_coverage.py DATASETS FILE.csv [--repeats 500] [--only TEXT]

Settings that FILE.csv has are left out, so that the same command goes on. At the end, a table of all of FILE.csv is
printed: the lowest and highest coverage by archive, way of drawing and number of labels.
"""

from __future__ import annotations

import argparse
import itertools
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from bench.statistics.powered import adjusted_count, labels_alone, powered, without_labelled
from bench.statistics.sampled import Archive, LabelledSample, Share

SIZES = (100, 300, 1000)
MODELS = ("good", "poor", "nearly perfect", "wrong in groups")
SETTING = ["archive", "drawn", "model", "n"]
DRAWN = ("at random", "by groups", "by strata", "in draws")
FOLDS = 5
COMPONENTS = 200
FEW = 60
ENOUGH = 20
"""Labelled texts with a label, expected, from which its intervals are held to 92 %."""


@dataclass(frozen=True, eq=False)
class Known:
    """An archive with all labels; the columns of a good model, and those of a poor one."""

    name: str
    X: Any
    few: Any
    codes: Any
    n_labels: int

    @property
    def shares(self) -> Any:
        return np.bincount(self.codes, minlength=self.n_labels) / len(self.codes)


def archives(folder: Path) -> Iterator[Known]:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    def known(name: str, texts: pd.Series, labels: pd.Series) -> Known:
        kept = texts.notna() & labels.notna() & ~texts.duplicated()
        names, codes = np.unique(labels[kept].astype(str), return_inverse=True)
        made = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=5, max_features=20_000, sublinear_tf=True)
        X = made.fit_transform(texts[kept]).tocsr()
        # With many labels, a model of all n-grams takes ten times as long and is hardly better.
        good = X if len(names) == 2 else TruncatedSVD(COMPONENTS, random_state=0).fit_transform(X)
        return Known(name, good, X[:, :FEW], codes, len(names))

    claims = pd.concat([pd.read_csv(path) for path in sorted((folder / "ans-claims").glob("*.csv"))])
    yield known("ans-claims", claims["claim_s"], claims["fake_flag"])
    parts = [pd.read_csv(path, sep="\t", quoting=3) for path in sorted((folder / "ct25-subjectivity").glob("*.tsv"))]
    sentences = pd.concat(parts)
    yield known("ct25", sentences["sentence"], sentences["label"])
    topics = pd.concat([pd.read_csv(path) for path in sorted((folder / "asnd").glob("*.csv"))])
    yield known("asnd", topics["Content"], topics["Class"])


def grouped(known: Known, draw: np.random.Generator) -> Any:
    """Groups of one to twelve texts, which tend to have one label."""
    order = np.argsort(known.codes + draw.normal(0, 1.0, len(known.codes)), kind="stable")
    ends = np.cumsum(draw.integers(1, 13, len(order)))
    groups = np.empty(len(order), dtype=np.intp)
    groups[order] = np.searchsorted(ends, np.arange(len(order)), side="right")
    return groups


def drawn(known: Known, how: str, n: int, groups: Any, strata: Any, draw: np.random.Generator) -> tuple[Any, Any]:
    """The rows of a sample and their weights."""
    total = len(known.codes)
    if how == "at random":
        return draw.choice(total, n, replace=False), np.full(n, total / n)
    if how == "by groups":
        rows = [np.flatnonzero(groups == group) for group in draw.permutation(groups.max() + 1)[: n // 4]]
        chosen = np.concatenate(rows)[: 4 * n]
        return chosen, np.full(len(chosen), total / len(chosen))
    rows, weights = [], []
    for stratum in np.unique(strata):
        here = np.flatnonzero(strata == stratum)
        size = min(n // 2, len(here))
        rows.append(draw.choice(here, size, replace=False))
        weights.append(np.full(size, len(here) / size))
    return np.concatenate(rows), np.concatenate(weights)


def predictions(known: Known, model: str, rows: Any, groups: Any, draw: np.random.Generator) -> tuple[Any, Any, Any]:
    """The probabilities of the labelled rows, out of fold, and the mean ones of all rows with the mean choices."""
    from sklearn.linear_model import LogisticRegression

    given = np.eye(known.n_labels)
    if model in ("nearly perfect", "wrong in groups"):
        wrong = draw.random(len(known.codes)) < 0.01
        if model == "wrong in groups":
            wrong = (draw.random(groups.max() + 1) < 0.02)[groups]
        all_of = given[np.where(wrong, draw.integers(0, known.n_labels, len(wrong)), known.codes)]
        return all_of[rows], all_of, all_of
    X = known.X if model == "good" else known.few
    out = np.zeros((len(rows), known.n_labels))
    whole, chosen = np.zeros((2, len(known.codes), known.n_labels))
    names = np.unique(groups[rows])
    fold_of = dict(zip(draw.permutation(names).tolist(), np.arange(len(names)) % FOLDS, strict=True))
    folds = np.array([fold_of[group] for group in groups[rows].tolist()])
    for fold in range(FOLDS):
        train, test = rows[folds != fold], folds == fold
        if len(np.unique(known.codes[train])) == 1:
            probabilities = np.tile(given[known.codes[train][0]], (len(known.codes), 1))
        else:
            strength = 10 if known.n_labels == 2 else 30
            fitted = LogisticRegression(C=strength, max_iter=60, tol=1e-3).fit(X[train], known.codes[train])
            probabilities = np.zeros((len(known.codes), known.n_labels))
            probabilities[:, fitted.classes_] = fitted.predict_proba(X)
        out[test] = probabilities[rows[test]]
        whole += probabilities / FOLDS
        chosen += given[probabilities.argmax(axis=1)] / FOLDS
    return out, whole, chosen


def in_draws(known: Known, model: str, n: int, draw: np.random.Generator) -> dict[str, list[Any]]:
    """Three draws, the later ones by how unsure a model is that trained on the earlier, by the product's own code."""
    from bench.data.drawn import labelled_since
    from bench.shares.estimate import LabelledExamples, LabelledTexts, estimate
    from bench.shares.totals import ReadArchive, Totals

    total, given = len(known.codes), np.eye(known.n_labels)
    rows, rates, strata, draws = (np.zeros(0, dtype=np.intp) for _ in range(4))
    alone = np.arange(total)
    for number in range(3):
        left = np.setdiff1d(alone, rows)
        sure = np.zeros(len(left))
        if number:
            sure = predictions(known, model, rows, alone, draw)[1][left].max(axis=1)
        band = np.searchsorted(np.quantile(sure, [0.3, 0.6]), sure) if number else np.zeros(len(left), dtype=int)
        for each, part in enumerate((0.5, 0.3, 0.2) if number else (1.0,)):
            here = left[band == each]
            size = min(len(here), round(part * n / 3))
            rows = np.append(rows, draw.choice(here, size, replace=False))
            rates = np.append(rates, np.full(size, size / max(len(here), 1)))
            strata, draws = (
                np.append(strata, np.full(size, 10 * number + each)),
                np.append(draws, np.full(size, number)),
            )
    out, whole, chosen = predictions(known, model, rows, alone, draw)
    hidden = np.setdiff1d(alone, rows)
    read = ReadArchive(
        Totals(
            len(hidden),
            whole[hidden].sum(axis=0),
            (whole[hidden] ** 2).sum(axis=0),
            chosen[hidden].sum(axis=0),
            given[known.codes[rows]].sum(axis=0),
            dealt=False,
        ),
        copies=Counter(dict.fromkeys(((number, "") for number in range(len(rows))), 1)),
    )
    examples = pd.DataFrame({"probability": rates.astype(str), "stratum": strata.astype(int).astype(str)})
    task: Any = SimpleNamespace(
        labels=tuple(range(known.n_labels)), codes=known.codes[rows], groups=rows, examples=examples, population=None
    )
    order = np.arange(len(rows))
    said, tested = given[out.argmax(axis=1)], np.ones(len(rows), dtype=bool)
    draws = draws.astype(np.intp)
    texts = LabelledTexts(order, labelled_since(draws), draws, out, said, tested)
    labelled = LabelledExamples(order, order, out, said, 1.0 / rates, draws, texts)
    shares = estimate(task, labelled, read, {}, ())[0]
    return {
        "powered": [each.powered for each in shares.shares],
        "labels alone": [each.labels_alone for each in shares.shares],
        "adjusted count": [each.adjusted or Share(np.nan, None) for each in shares.shares],
        "counted": [each.counted for each in shares.shares],
    }


def once(known: Known, model: str, how: str, n: int, draw: np.random.Generator) -> dict[str, list[Any]]:
    if how == "in draws":
        return in_draws(known, model, n, draw)
    groups = grouped(known, draw) if how == "by groups" else np.arange(len(known.codes))
    found = np.asarray(known.few.sum(axis=1)).ravel()
    strata = (found > np.quantile(found, 0.8)).astype(int)
    rows, weights = drawn(known, how, n, groups, strata, draw)
    out, whole, chosen = predictions(known, model, rows, groups, draw)
    given = np.eye(known.n_labels)
    hidden = np.ones(len(known.codes), dtype=bool)
    hidden[rows] = False
    codes = np.unique(groups[rows], return_inverse=True)[1]
    weights = without_labelled(weights, *np.ones((2, len(rows)), dtype=int))
    own = strata[rows][np.unique(codes, return_index=True)[1]] if how == "by strata" else None
    sample = LabelledSample(given[known.codes[rows]], out, weights, codes, own)
    none = np.zeros(known.n_labels)
    archive = Archive(
        int(hidden.sum()), whole[hidden].mean(axis=0), chosen[hidden].mean(axis=0), sample.given.sum(axis=0), none
    )
    counted = archive.counted()
    adjusted = adjusted_count(sample, archive, given[out.argmax(axis=1)])
    return {
        "powered": powered(sample, archive).shares(),
        "labels alone": labels_alone(sample, archive).shares(),
        "adjusted count": [] if adjusted is None else adjusted.shares(),
        "counted": counted.tolist(),
    }


@dataclass(frozen=True)
class Covered:
    """How a label's intervals did in one setting; None where there was none."""

    archive: str
    drawn: str
    model: str
    n: int
    share: float
    repeats: int
    covers: float | None
    width: float | None
    alone_covers: float | None
    alone_width: float | None
    adjusted_covers: float | None
    counted_off: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", type=Path)
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    there = asked.file.exists()
    done = set(pd.read_csv(asked.file)[SETTING].itertuples(index=False, name=None)) if there else set()
    for known in archives(asked.datasets):
        for how, model, n in itertools.product(DRAWN, MODELS, SIZES):
            if model == "wrong in groups" and how != "by groups":
                continue
            if asked.only in f"{known.name} {how} {model} {n}" and (known.name, how, model, n) not in done:
                new = pd.DataFrame(list(covered(known, how, model, n, asked.repeats)))
                new.to_csv(asked.file, mode="a", header=not asked.file.exists(), index=False, float_format="%.4f")
                print(new.to_string(index=False), flush=True)
    print(summary(pd.read_csv(asked.file)))


def covered(known: Known, how: str, model: str, n: int, repeats: int) -> Iterator[Covered]:
    found = [once(known, model, how, n, np.random.default_rng([repeat, n])) for repeat in range(repeats)]
    for label in sorted(range(known.n_labels), key=lambda code: known.shares[code]):
        share = known.shares[label]
        if n * share < 5:
            continue

        def covers(method: str, share: float = share, label: int = label) -> tuple[float | None, float | None]:
            shares = [each[method][label] for each in found if each[method] and each[method][label].interval]
            if not shares:
                return None, None
            inside = np.mean([each.interval.low <= share <= each.interval.high for each in shares])
            return float(inside), float(np.mean([each.width for each in shares]))

        adjusted = covers("adjusted count")[0]
        off = float(np.mean([abs(each["counted"][label] - share) for each in found]))
        own, alone = covers("powered"), covers("labels alone")
        yield Covered(known.name, how, model, n, float(share), repeats, *own, *alone, adjusted, off)


def summary(found: pd.DataFrame) -> str:
    """The lowest and highest coverage by archive, way of drawing and models, a column for each n."""
    enough = found[found["n"] * found["share"] >= ENOUGH]
    models = enough["model"].where(~enough["model"].isin(["good", "poor"]), "good, poor")
    by = [enough["archive"], enough["drawn"], models, enough["n"]]
    ranges = (100 * enough["covers"]).groupby(by, sort=False).agg(["min", "max"]).round(1)
    told = ranges["min"].map("{:g} to ".format) + ranges["max"].map("{:g}".format)
    return str(told.unstack().fillna("").reset_index().to_markdown(index=False))


if __name__ == "__main__":
    main()
