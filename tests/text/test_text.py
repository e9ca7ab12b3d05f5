"""Text is normalised as camel-tools does it, and cues are found where a reader finds them."""

from __future__ import annotations

import re
import sys
import types
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bench.errors import ConfigError
from bench.text import normalization
from bench.text.antonyms import count_opposites
from bench.text.identity import is_combining, is_unseen
from bench.text.lexicons import lexicon, lexicon_names
from bench.text.normalization import WORD_PATTERN, normalize
from bench.text.stemming import light_stem

OTHERS = st.sampled_from(" \n.,،؟«»abCİ019\ufdfc\ufdfd\ufefb\u200f")
ARABIC = st.text(st.characters(min_codepoint=0x0600, max_codepoint=0x06FF) | OTHERS)
ANY = st.text() | ARABIC

MODERN = "".join(map(chr, (*range(0x064B, 0x0653), 0x0670, 0x0640)))
"""The marks of modern text, which camel-tools takes away too."""


def camel_light(text: str) -> str:
    from camel_tools.utils.dediac import dediac_ar
    from camel_tools.utils.normalize import normalize_unicode

    return dediac_ar(normalize_unicode(text)).replace("ـ", "")


def camel_standard(text: str) -> str:
    from camel_tools.utils.normalize import normalize_alef_ar, normalize_alef_maksura_ar, normalize_teh_marbuta_ar

    text = normalize_teh_marbuta_ar(normalize_alef_maksura_ar(normalize_alef_ar(camel_light(text))))
    return re.sub(r"[٠-٩۰-۹]", lambda digit: str(int(digit[0])), text).lower()


def seen(text: str) -> str:
    """A text without what camel-tools leaves in: invisible characters, and marks that modern text has not."""
    return "".join(c for c in text if c in MODERN or not (is_unseen(c) or is_combining(c) or 0xFC5E <= ord(c) < 0xFC64))


@settings(deadline=None)
@given(ANY)
@example("\u0e33")  # The compatible form of a Thai letter has a mark that is kept, as it is no Arabic one.
def test_presets_equal_camel_tools_on_any_text(text: str) -> None:
    assert normalize(text, "none") == text
    text = seen(text)
    assert seen(normalize(text, "light")) == seen(camel_light(text))
    assert seen(normalize(text, "standard")) == seen(camel_standard(text))


MARKS = [chr(p) for p in (*range(0x20, 0x3000), *range(0xFB50, 0x10000), *range(0xE0000, 0xE0200))]
MARKS = [c for c in MARKS if is_unseen(c)] + [c for c in MARKS if is_combining(c) and "ARABIC" in unicodedata.name(c)]
MARKS += list("\u0300\u0301\u20e3\ufe76\ufe77\ufc60")


@given(ARABIC, st.integers(0, 99), st.sampled_from(MARKS), st.sampled_from(["light", "standard"]))
def test_a_mark_that_is_not_seen_or_only_adorns_changes_no_normalised_text(
    text: str, place: int, mark: str, preset: str
) -> None:
    place %= len(text) + 1
    composed = unicodedata.normalize("NFC", text[max(place - 1, 0) : place] + mark)
    expected = normalize(text, preset)
    if len(composed) == 1 and place:  # a hamza or madda over a letter makes another one
        return
    assert normalize(text[:place] + mark + text[place:], preset) == expected


@given(st.sampled_from([c for c in map(chr, range(0x300, 0x1F000)) if is_combining(c) or is_unseen(c)]))
def test_no_mark_cuts_a_word_where_the_text_is_left_as_it_is(mark: str) -> None:
    assert re.findall(WORD_PATTERN, f"قال{mark}وا a{mark}") == [f"قال{mark}وا", f"a{mark}"]


@given(st.lists(ANY, max_size=4), st.sampled_from(["none", "light", "standard"]))
def test_several_texts_are_normalised_as_each_alone(texts: list[str], preset: str) -> None:
    assert normalize(texts, preset) == [normalize(text, preset) for text in texts]


def test_an_unknown_preset_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown preset 'standart'(.|\n)*Did you mean 'standard'"):
        normalize("نص", "standart")


def test_a_word_pattern_keeps_diacritised_words_whole() -> None:
    text = "نَفَى الْمُتَحَدِّثُ، و«أَكَّدَ» 12 a"
    assert re.findall(WORD_PATTERN, text) == ["نَفَى", "الْمُتَحَدِّثُ", "و", "أَكَّدَ", "12", "a"]
    assert re.findall(r"(?u)\b\w\w+\b", "الْمُتَحَدِّثُ") == ["ال"], "scikit-learn's own pattern would do"


def test_morphological_without_camel_data_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    normalization._tokenizer.cache_clear()
    monkeypatch.setitem(sys.modules, "camel_tools.disambig.mle", None)
    with pytest.raises(ConfigError, match="camel_data -i disambig-mle-calima-msa-r13"):
        normalize("وبالبيت", "morphological")
    normalization._tokenizer.cache_clear()


def test_morphological_splits_clitics_with_camel_data(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tokenizer:
        def __init__(self, disambiguator: object, scheme: str, split: bool) -> None:
            assert (disambiguator, scheme, split) == ("mle", "d3tok", True)

        def tokenize(self, words: list[str]) -> list[str]:
            return [token for word in words for token in {"وبالبيت": ["و+", "ب+", "ال+", "بيت"]}.get(word, [word])]

    mle = types.SimpleNamespace(MLEDisambiguator=types.SimpleNamespace(pretrained=lambda: "mle"))
    monkeypatch.setitem(sys.modules, "camel_tools.disambig.mle", mle)
    morphological = types.SimpleNamespace(MorphologicalTokenizer=Tokenizer)
    monkeypatch.setitem(sys.modules, "camel_tools.tokenizers.morphological", morphological)
    normalization._tokenizer.cache_clear()
    assert normalize("وبالبيت إلى", "morphological") == "و ب ال بيت الي"
    normalization._tokenizer.cache_clear()


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("denial", "ونفت موسكو صحة هذا الخبر", 1),
        ("denial", "وصفها بأنها أخبار كاذبة", 1),
        ("denial", "وصفتها بالأخبار الكاذبة", 1),
        ("denial", "المنفى", 0),
        ("denial", "نَفَى", 1),
        ("non_confirmation", "ولم تؤكد سيول ذلك", 1),
        ("non_confirmation", "أكدت سيول ذلك", 0),
        ("negation", "ليس هناك شك ولا قيود", 2),
        ("negation", "كلا الطرفين يلتقيان في لندن", 0),
        ("hedge", "قد يكون ذلك ممكنا", 1),
        ("hedge", "لقد كان ذلك", 0),
        ("attribution", "قال المتحدث، وأضاف", 2),
        ("attribution", "المقال طويل", 0),
        ("government", "للوزارة", 1),
        ("intelligence", "بالمخابرات الأوكرانية", 1),
        ("international_organization", "لحلف شمال الأطلسي", 1),
        ("media", "نقلا عن CNN", 1),
        ("expert", "ويرى الخبراء", 1),
    ],
)
def test_cues_are_found_at_word_boundaries_with_their_proclitics(name: str, text: str, found: int) -> None:
    assert lexicon(name).count([text]).tolist() == [found]
    assert len(lexicon(name).matches(text)) == found


def test_every_lexicon_finds_each_of_its_own_cues() -> None:
    expected = {"denial", "non_confirmation", "negation", "hedge", "attribution"}
    expected |= {"government", "intelligence", "international_organization", "media", "expert"}
    assert set(lexicon_names()) == expected
    for name in expected:
        cues = [cue.replace("*", "كون") for cues in lexicon(name).cues.values() for cue in cues]
        assert lexicon(name).count(cues).all()
        assert lexicon(name).description


def test_no_cue_stands_twice_in_a_lexicon() -> None:
    for name in lexicon_names():
        for kind, cues in lexicon(name).cues.items():
            assert len(set(cues)) == len(cues), (name, kind, sorted(c for c in cues if cues.count(c) > 1))


@given(st.lists(ANY, max_size=3))
def test_counts_have_one_value_a_text_and_equal_the_matches(texts: list[str]) -> None:
    counts = lexicon("attribution").count(texts)
    assert counts.tolist() == [len(lexicon("attribution").matches(text)) for text in texts]


def test_an_unknown_lexicon_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Unknown lexicon 'denials'(.|\n)*'denial'"):
        lexicon("denials")


def test_a_very_long_text_is_counted_to_its_end() -> None:
    for name in lexicon_names():
        short, longer, long, one_word = lexicon(name).count(
            ["قال و" * 1_000, "قال و" * 2_000, "قال و" * 20_000, "ا" * 100_000]
        )
        assert (long - longer).tolist() == (18 * (longer - short)).tolist()
        assert not np.any(one_word)


@given(ARABIC)
def test_a_stem_is_a_part_of_its_word(word: str) -> None:
    stem = light_stem(word)
    assert stem in word
    assert len(stem) >= min(len(word), 2)


def test_opposites_are_counted_only_where_each_side_has_its_own() -> None:
    up, down, gold = (light_stem(normalize(word)) for word in ("ارتفاع", "انخفاض", "الذهب"))
    assert count_opposites({up, gold}, {down, gold}) == count_opposites({down}, {up}) == 1
    assert count_opposites({up, down}, {up, down}) == 0
    assert count_opposites({up, gold}, {up}) == 0
