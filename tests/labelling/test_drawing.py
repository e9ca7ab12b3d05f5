"""Texts are drawn with probabilities that are known and true, and never twice."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from denials import folder
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.checks.near import NEAR, KnownTexts, jaccard
from bench.labelling.design import Strata, allocate, by_names, by_uncertainty, draw
from bench.labelling.drawn import SampleRequest
from bench.labelling.sampling import draw_sample, parse_sample_words
from bench.labelling.tools import labelling_config, sheet_of

Bench = Callable[..., tuple[int, str, str]]

__all__ = ["folder"]


def request(by: str = "random", n: int = 30, seed: int = 0) -> SampleRequest:
    run, _ = parse_sample_words(["task=denials"])
    return SampleRequest(run, Path("archive.csv"), n, by, seed=seed)


sizes_and_numbers = st.lists(st.integers(1, 300), min_size=1, max_size=12).flatmap(
    lambda sizes: st.tuples(
        st.just(sizes),
        st.lists(st.floats(1e-3, 1e3), min_size=len(sizes), max_size=len(sizes)),
        st.integers(sum(min(size, 2) for size in sizes), sum(sizes)),
    )
)


@given(sizes_and_numbers)
def test_every_stratum_gives_two_or_all_and_the_numbers_sum_to_n(drawn: tuple[list[int], list[float], int]) -> None:
    sizes, weights, n = drawn
    numbers = allocate(np.array(sizes), np.array(weights), n)
    assert numbers.sum() == n
    assert all(min(2, size) <= number <= size for size, number in zip(sizes, numbers.tolist(), strict=True))


def test_each_text_is_drawn_as_often_as_its_probability_says_in_all_draws_there_are() -> None:
    strata = Strata(("a", "b"), np.array([0, 1, 0, 1, 1, 0, 1]))
    numbers = np.array([2, 1])
    seen = Counter(tuple(sorted(draw(strata, numbers, np.random.default_rng(seed)).tolist())) for seed in range(6000))
    every = {tuple(sorted([*pair, one])) for pair in combinations([0, 2, 5], 2) for one in (1, 3, 4, 6)}
    assert seen.keys() == every
    # Twelve equally likely draws: five standard errors around 500.
    assert all(abs(count - 500) < 5 * np.sqrt(6000 / 12 * 11 / 12) for count in seen.values())


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.integers(24, 80))
def test_the_horvitz_thompson_mean_is_unbiased(seed: int, n: int) -> None:
    """Over seeds, the weighted mean of any value is that of the archive, by every way of drawing with a model."""
    rng = np.random.default_rng(seed)
    uncertainty = rng.beta(1, 4, 400)
    values = (rng.random(400) < 0.1 + 0.6 * uncertainty).astype(float)
    predicted = rng.choice(["denial", "none", "other"], 400, p=[0.1, 0.6, 0.3]).tolist()
    strata, rates = by_uncertainty(predicted, uncertainty, n)
    numbers = allocate(strata.sizes, strata.sizes * rates, n)
    probability = (numbers / strata.sizes)[strata.codes]
    assert (probability > 0).all()
    assert probability.sum() == pytest.approx(n)
    rounds = 400
    drawn = [draw(strata, numbers, np.random.default_rng(seed + number)) for number in range(rounds)]
    weighted = np.array([(values[each] / probability[each]).sum() / 400 for each in drawn])
    plain = np.array([values[each].mean() for each in drawn])
    error = weighted.std() / np.sqrt(rounds)
    assert abs(weighted.mean() - values.mean()) < 4.5 * error + 1e-12
    assert abs(plain.mean() - values.mean()) > 4.5 * plain.std() / np.sqrt(rounds)  # without weights it is biased


def test_uncertain_texts_are_drawn_more_often() -> None:
    uncertainty = np.linspace(0, 1, 1000)
    strata, rates = by_uncertainty(["a"] * 1000, uncertainty, 100)
    numbers = allocate(strata.sizes, strata.sizes * rates, 100)
    by_name = dict(zip(strata.names, (numbers / strata.sizes).tolist(), strict=True))
    assert by_name["a/uncertain"] > 2 * by_name["a/between"] > 4 * by_name["a/sure"] > 0


def test_strata_that_are_too_many_are_merged_under_a_name_of_their_own() -> None:
    strata = by_names(["rest"] * 5 + ["a"] * 4 + ["b", "c"], 12)
    assert strata.names == ("a", "rest", "rest+")
    assert strata.sizes.tolist() == [4, 5, 2]


@given(st.lists(st.text("ابتث ", min_size=8, max_size=40), min_size=1, max_size=8, unique=True))
def test_a_text_that_is_known_but_for_a_letter_is_a_candidate(texts: list[str]) -> None:
    known = KnownTexts(texts)
    for place, found in enumerate(known.candidates(texts)):
        assert any(jaccard(texts[other], texts[place]) >= NEAR for other in found)


def test_a_draw_states_its_probability_and_how_it_was_made(folder: Path) -> None:
    sample = draw_sample(request())
    assert len(sample.texts) == 30
    (stratum,) = sample.strata
    assert (stratum.size, stratum.drawn) == (300, 30)
    assert {text.stratum.probability for text in sample.texts} == {0.1}
    rows = pd.read_csv("archive.csv")
    for text in sample.texts:
        row = int(text.id.split("-")[1]) - 1
        assert text.inputs["text"] == rows["text"][row]
        assert text.further == {"outlet": rows["outlet"][row]}
    assert any("1 text repeats a labelled text" in note for note in sample.notes)
    assert any("1 text repeats an earlier text of the archive" in note for note in sample.notes)
    again, other = draw_sample(request()), draw_sample(request(seed=1))
    assert again.texts == sample.texts
    assert {text.id for text in other.texts} != {text.id for text in sample.texts}
    assert other.strata[0].name != stratum.name


def test_rows_without_a_text_are_never_drawn_and_counted(folder: Path) -> None:
    rows = pd.read_csv("archive.csv")
    blank = pd.DataFrame({"text": ["", "\u200f "], "outlet": ["o8", "o8"]})
    rows = pd.concat([blank[:1], rows[:200], blank[1:], rows[200:]], ignore_index=True)
    rows.to_csv("archive.csv", index=False)
    sample = draw_sample(request(n=300))
    assert {text.stratum.probability for text in sample.texts} == {1.0}
    for text in sample.texts:
        row = int(text.id.split("-")[1]) - 1
        assert (text.inputs["text"], text.further["outlet"]) == (rows["text"][row], rows["outlet"][row])
    assert "2 of 304 rows have an empty text and are left out: line 2, line 203." in sample.notes


def test_a_repeat_of_a_labelled_text_is_never_drawn(folder: Path) -> None:
    sample = draw_sample(request(n=300))
    assert len(sample.texts) == 300
    assert not {text.further["outlet"] for text in sample.texts} & {"o9"}


def test_a_diverse_draw_covers_all_clusters(folder: Path) -> None:
    sample = draw_sample(request("diverse", 40))
    assert len(sample.texts) == 40
    assert len(sample.strata) > 1
    assert sum(stratum.size for stratum in sample.strata) == 300
    assert all(0 < stratum.probability <= 1 for stratum in sample.strata)


def test_more_texts_than_there_are_cannot_be_drawn(folder: Path, bench: Bench) -> None:
    words = ("sample", "task=denials", "--input", "archive.csv", "--by", "random", "--output", "next.json")
    status, _, said = bench(*words, "--n", "301")
    assert status == 2
    assert "only 300 of the 302 texts of archive.csv can be drawn" in " ".join(said.split())
    assert not Path("next.json").exists()


def test_without_a_run_only_a_random_draw_is_possible(folder: Path, bench: Bench) -> None:
    status, _, said = bench("sample", "task=denials", "--input", "archive.csv", "--n", "10", "--output", "next.json")
    assert status == 2
    assert "--by random" in said


@pytest.mark.parametrize("form", ["label-studio", "doccano", "csv"])
def test_each_format_has_the_text_the_stratum_and_the_probability(folder: Path, bench: Bench, form: str) -> None:
    words = ("sample", "task=denials", "--input", "archive.csv", "--by", "random", "--n", "20", "seed=5")
    status, out, said = bench(*words, "--format", form, "--output", "next.out")
    assert status == 0, said
    assert "20 of 300 texts drawn" in out
    text = Path("next.out").read_text(encoding="utf-8")
    if form == "label-studio":
        rows = [task["data"] for task in json.loads(text)]
        assert not any("predictions" in task for task in json.loads(text))
    elif form == "doccano":
        rows = [json.loads(line) for line in text.splitlines()]
        assert {str(row["label"]) for row in rows} == {"[]"}
    else:
        rows = list(csv.DictReader(text.splitlines()))
        assert {(row["label"], row["annotator"]) for row in rows} == {("", "")}
    assert len({row["example_id"] for row in rows}) == 20
    assert {float(row["probability"]) for row in rows} == {20 / 300}
    assert {str(row["seed"]) for row in rows} == {"5"}
    assert len({row["stratum"] for row in rows}) == 1
    assert {len(row["archive"]) for row in rows} == {64}
    refused, _, message = bench(*words, "--format", form, "--output", "next.out")
    assert refused == 2
    assert "--force" in message


def test_the_labelling_configuration_is_made_from_the_task(folder: Path) -> None:
    sample = draw_sample(request())
    assert sheet_of(sample).right_to_left
    view = ElementTree.fromstring(labelling_config(sample.task, right_to_left=True))
    assert [choice.get("value") for choice in view.iter("Choice")] == ["denial", "none"]
    assert next(view.iter("Text")).get("value") == "$text"
    assert next(view.iter("Choices")).attrib["toName"] == "text"
    assert any("rtl" in part.get("style", "") for part in view.iter("View"))
    told = [header.get("value") for header in view.iter("Header")]
    assert told[0] == "Whether somebody denies something."
    assert "denial: Somebody says that something is not true." in told
    assert "rtl" not in labelling_config(sample.task, right_to_left=False)


@pytest.mark.slow
def test_the_model_labels_what_was_drawn_at_random_as_it_does_the_archive(folder: Path, bench: Bench) -> None:
    assert bench("run", "task=denials", "model=logreg", "search=none", "tracking=false")[0] == 0
    sample = draw_sample(request())
    status, _, said = bench("predict", "task=denials", "--input", "archive.csv", "--output", "labels.csv")
    assert status == 0, said
    labels = pd.read_csv("labels.csv")
    for text in sample.texts:
        row = labels.iloc[int(text.id.split("-")[1]) - 1]
        assert text.predicted == row["label"]
        assert text.probability == pytest.approx(row[["p_denial", "p_none"]].max())
    assert {text.predicted for text in sample.texts} == {"denial", "none"}


@pytest.mark.slow
def test_a_draw_with_a_model_without_probabilities_says_that_none_is_by_uncertainty(folder: Path, bench: Bench) -> None:
    assert bench("run", "task=denials", "model=linear-svm", "search=none", "tracking=false")[0] == 0
    words = ("sample", "task=denials", "--input", "archive.csv", "--n", "30", "--output", "next.json")
    status, _, said = bench(*words)
    assert status == 0, said
    assert "gives no probabilities, so no text is drawn because the model is uncertain" in " ".join(said.split())
    status, _, said = bench(*words, "--force", "--by", "uncertainty")
    assert status == 2
    assert "or --by random" in " ".join(said.split())
