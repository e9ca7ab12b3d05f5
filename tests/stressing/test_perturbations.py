"""Perturbations are pure, seeded functions of a text, and change no more than they say."""

from __future__ import annotations

import random
import re
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.errors import ConfigError, ModelError
from bench.stressing import registry, slips
from bench.stressing.perturbation import Perturbation
from bench.stressing.registry import OWN, perturbations
from bench.text.identity import text_key
from bench.text.normalization import normalize

NAMES = [each.name for each in OWN]
BY_NAME = {each.name: each for each in OWN}

NEWS = (
    "نفت الوزارةُ في القاهرة، أمس الأحد 12 مايو 2024، ما قاله «محمد» على القناة ٥. "
    "وأكّدت هذه الجهة أن الآن لا صحة لذلك للعراق ولبنان! اجتمع ثلاثة وزراء"
)

LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةأإآؤئءabcXYZ"
words = st.text(st.sampled_from(LETTERS + "\u064e\u0651\u0640"), min_size=1, max_size=9)
between = st.sampled_from([" ", "  ", "\n", "، ", ". ", "؟ ", " «", "» ", '" ', " 2024 ", " ٣٫٥ ", "12", "…", "\u200f"])
arabic = st.lists(st.one_of(words, between), max_size=25).map("".join)
anything = st.one_of(arabic, st.text(max_size=60))

LIGHT = ("diacritics-added", "diacritics-removed", "tatweel", "presentation-forms", "zero-width")
STANDARD = (
    *("hamza-dropped", "hamza-added", "ya-as-maqsura", "maqsura-as-ya", "ta-marbuta-as-ha", "ha-as-ta-marbuta"),
    *("digits-arabic-indic", "digits-latin"),
)
SAME_TEXT = (*LIGHT, "digits-arabic-indic", "digits-latin", "punctuation-spaced", "quotes")
"""Those after which a text still counts as the same in checks for duplicates."""


@given(st.sampled_from(OWN), anything, st.integers(0, 9))
def test_a_perturbation_gives_one_text_for_one_seed(perturbation: Perturbation, text: str, seed: int) -> None:
    made = perturbation.apply(text, seed, "e1")
    assert type(made) is str
    assert made == perturbation.apply(text, seed, "e1")
    assert not text.strip() or made.strip()


@pytest.mark.parametrize("repeated", [".", " ", "\n", '"', "ا", "7", "\u064e"])
@pytest.mark.parametrize("perturbation", OWN, ids=NAMES)
def test_a_long_run_of_one_character_takes_time_in_proportion_to_its_length(
    perturbation: Perturbation, repeated: str
) -> None:
    """In time that grows with the square of the length, this would take an hour."""
    assert perturbation.apply(f"نفى {repeated * 100_000}b", 0, "e1")


@given(st.sampled_from(LIGHT), arabic)
def test_light_normalisation_gives_the_text_back(name: str, text: str) -> None:
    assert normalize(BY_NAME[name].apply(text, 0), "light") == normalize(text, "light")


@given(st.sampled_from(STANDARD), arabic)
def test_standard_normalisation_gives_the_text_back(name: str, text: str) -> None:
    assert normalize(BY_NAME[name].apply(text, 0), "standard") == normalize(text, "standard")


@given(st.sampled_from(SAME_TEXT), arabic)
def test_a_text_that_is_only_written_otherwise_counts_as_the_same(name: str, text: str) -> None:
    assume(any(map(str.isalnum, text)))  # One of punctuation alone is known by it.
    assert text_key(BY_NAME[name].apply(text, 0)) == text_key(text)


@given(arabic)
def test_a_slip_replaces_letters_by_neighbours_and_nothing_else(text: str) -> None:
    made = BY_NAME["keyboard"].apply(text, 0)
    assert len(made) == len(text)
    for old, new in zip(text, made, strict=True):
        assert old == new or new in slips.NEIGHBOURS[old.lower()]


def test_keys_are_neighbours_of_each_other() -> None:
    assert set(slips.NEIGHBOURS["ت"]) >= {"ا", "ن", "ع"}
    assert "ض" not in slips.NEIGHBOURS["ت"]
    for letter, near in slips.NEIGHBOURS.items():
        assert near, letter
        assert letter not in near
        assert all(letter in slips.NEIGHBOURS[other] for other in near)


@given(arabic)
def test_what_is_cut_is_a_part_of_the_text(text: str) -> None:
    assert text.endswith(BY_NAME["lead-removed"].apply(text, 0))
    cut = BY_NAME["truncated"].apply(text, 0)
    assert text.startswith(cut)
    n = len(text.split())
    assert n < 2 or len(cut.split()) == (n + 1) // 2


@given(st.text("0123456789٠١٢٣٤٥٦٧٨٩۰۱۹ ،", max_size=30))
def test_a_number_is_swapped_for_another_of_its_length_and_script(text: str) -> None:
    number = re.compile("[0-9]+|[\u0660-\u0669]+|[\u06f0-\u06f9]+")
    made = BY_NAME["numbers-swapped"].apply(text, 0)
    assert [part.span() for part in number.finditer(made)] == [part.span() for part in number.finditer(text)]
    assert all(made[part.start() : part.end()] != part[0] for part in number.finditer(text))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("diacritics-removed", "نفت الوزارة في"),
        ("hamza-dropped", "امس الاحد"),
        ("hamza-added", "أجتمع ثلاثة"),
        ("ya-as-maqsura", "فى القاهرة"),
        ("maqsura-as-ya", "علي القناة"),
        ("ta-marbuta-as-ha", "القاهره"),
        ("ha-as-ta-marbuta", "وأكّدت هذة"),
        ("digits-arabic-indic", "١٢ مايو ٢٠٢٤"),
        ("digits-latin", "القناة 5"),
        ("punctuation-spaced", "القاهرة ، أمس"),
        ("lead-removed", "وأكّدت هذه"),
    ],
)
def test_news_is_changed_as_the_name_says(name: str, made: str) -> None:
    assert made not in NEWS or name == "lead-removed"
    assert made in BY_NAME[name].apply(NEWS, 0)


@pytest.mark.parametrize("name", NAMES)
def test_each_perturbation_changes_a_news_text(name: str) -> None:
    assert BY_NAME[name].apply(NEWS, 0) != NEWS


def test_a_perturbation_leaves_a_text_without_its_subject_as_it_is() -> None:
    for name in ("diacritics-removed", "quotes", "digits-latin", "numbers-swapped", "places-swapped", "lead-removed"):
        assert BY_NAME[name].apply("قال الوزير ذلك", 0) == "قال الوزير ذلك"


def test_places_keep_their_prefix_and_kind() -> None:
    for seed in range(20):
        made = BY_NAME["places-swapped"].apply("للعراق وبلبنان", seed)
        assert re.fullmatch(r"(لل|ل)\S+ وب\S+", made)
        assert "عراق" not in made
        assert "لبنان" not in made
    assert BY_NAME["places-swapped"].apply("المصريون والعراقيون", 0) == "المصريون والعراقيون"


def test_a_place_is_swapped_for_the_same_one_throughout_a_text() -> None:
    first, second = BY_NAME["places-swapped"].apply("لبنان ولبنان", 3).split()
    assert second == f"و{first}"


@pytest.mark.parametrize(
    "text",
    [
        "قال المتحدث باسم الوزارة",
        "نشرت أسماء الضحايا",
        "عن عمر يناهز السبعين",
        "بشرى سارة",
        "أحاطوا زعيمهم بهالة",
        "ليس وليد الساعة",
        "ناقلة في جبل طارق",
    ],
)
def test_common_words_that_are_written_like_names_are_not_swapped(text: str) -> None:
    assert BY_NAME["names-swapped"].apply(text, 0) == text


def test_a_number_in_words_is_swapped_for_a_number() -> None:
    swap = BY_NAME["numbers-swapped"].apply
    for seed in range(20):
        assert re.fullmatch("(ثلاثة|أربعة|ستة|سبعة|ثمانية|تسعة) عشر شخصا", swap("خمسة عشر شخصا", seed))
        assert re.fullmatch("(ثلاث|أربع|سبع|ثماني|تسع) عشرة دولة", swap("خمس عشرة دولة", seed))
        assert re.fullmatch("[1-9][0-9]{2} (مليون|مليار) جندي", swap("163 ألف جندي", seed))
    assert swap("لست مئة", 0) == "لست مئة"


def test_straight_quotation_marks_open_and_close_within_others() -> None:
    for seed in range(9):
        made = BY_NAME["quotes"].apply('«قال "نعم" اليوم»', seed)
        assert re.fullmatch('"قال "نعم" اليوم"|“قال “نعم” اليوم”', made)


@pytest.mark.parametrize("name", ["keyboard", "zero-width", "tatweel"])
def test_words_with_all_their_vowels_are_changed_as_those_without(name: str) -> None:
    vocalised, bare = "كَتَبَ وَزِيرُ مِصْرَ بَيَانًا", "كتب وزير مصر بيانا"
    for seed in range(20):
        made = BY_NAME[name].apply(vocalised, seed)
        assert made != vocalised
        assert BY_NAME["diacritics-removed"].apply(made, 0) == BY_NAME[name].apply(bare, seed)


def test_an_invisible_character_stands_before_a_letter_and_not_before_its_mark() -> None:
    marks_in_front = re.compile("[\u200b-\u200f\ufeff][\u064b-\u0652]")
    assert not any(marks_in_front.search(BY_NAME["zero-width"].apply("مُحَمَّدٌ يَكْتُبُ", seed)) for seed in range(50))


def test_other_examples_are_changed_in_other_ways() -> None:
    assert len({BY_NAME["keyboard"].apply(NEWS, 0, f"e{n}") for n in range(10)}) > 5


def test_names_are_chosen_in_the_order_of_tables_and_the_nearest_is_proposed() -> None:
    assert [each.name for each in perturbations(["quotes", "tatweel"])] == ["tatweel", "quotes"]
    assert [each.name for each in perturbations()][: len(OWN)] == NAMES
    with pytest.raises(ConfigError, match=r"tatwil: unknown perturbation") as error:
        perturbations(["tatwil"])
    assert "'tatweel'" in str(error.value)


def _without_dots(text: str, rng: random.Random) -> str:
    return text.translate(str.maketrans("بت", "ٮٮ"))


DOTLESS = Perturbation("any", "no dots", _without_dots)
NOTHING = Perturbation("any", "breaks its contract", lambda text, rng: None)  # type: ignore[arg-type, return-value]


def _install(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    point = EntryPoint(name, f"{__name__}:{value}", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints([point]))


def test_a_package_adds_a_perturbation(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "dotless", "DOTLESS")
    added = perturbations()[-1]
    assert (added.name, added.apply("بيت", 0)) == ("dotless", "ٮيٮ")
    assert "dotless" in added.origin


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dotless", "LETTERS", "expected a Perturbation"),
        ("dotless", "GONE", "cannot be loaded"),
        ("../x", "DOTLESS", "not a name"),
    ],
)
def test_a_plug_in_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    _install(monkeypatch, name, value)
    with pytest.raises(ModelError, match=said):
        perturbations()
    assert perturbations(["tatweel"])[0].name == "tatweel"


def test_a_plug_in_that_fails_on_a_text_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, "nothing", "NOTHING")
    with pytest.raises(ModelError, match=r"'nothing' of .* returned NoneType, expected a text"):
        perturbations(["nothing"])[0].apply("نص", 0)


PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "stress.md").read_text(encoding="utf-8")


def test_the_manual_lists_all_perturbations() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \|$", PAGE, re.MULTILINE)
    assert rows == [(each.name, each.description) for each in OWN]
    assert "The last five change content" in PAGE
    assert [each.kind for each in OWN] == ["writing"] * (len(OWN) - 5) + ["content"] * 5


def test_the_perturbation_in_the_manual_works() -> None:
    (code,) = re.findall(r"^```python\n(import bench\n.*?dotless.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    scope: dict[str, Any] = {}
    exec(code, scope)
    made = {scope["dotless"].apply("بيت", seed) for seed in range(20)}
    assert made == {"بيت", "ٮيٮ"}
