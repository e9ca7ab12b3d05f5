"""The public tasks: their files, their cards, and what is peculiar to each one's format."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from small_corpus import table_task

from bench.catalogue import is_here, load_task
from bench.checks.near import near_pairs
from bench.data.card import BEGIN, describe, insert
from bench.data.definition import build_task, published_files, read_definition
from bench.data.published import PublishedFiles
from bench.discovery import task_files
from bench.errors import DataError
from bench.text.identity import text_key

PUBLIC = ("ans-claims", "ans-stance", "arastance", "asnd-topics", "austr", "ct25-subjectivity", "mawqif")
PINNED = ("ans-claims", "ans-stance", "asnd-topics", "austr", "ct25-subjectivity", "mawqif")
COUNTED = ("ans-claims", "ans-stance", "ct25-subjectivity")
"""Those whose files were at hand, so that their cards have a computed part."""

CLAIM = "رسميًا:\n\nعصام الشوالي معلقًا على النهائي"
FAVOR, AGAINST, NONE = "أنا مع تمكين المرأة", 'كلمة ""تمكين"" المرأة', "ما هو التحول الرقمي"


def origin(name: str) -> Path:
    return task_files()[name]


def files_of(name: str) -> PublishedFiles:
    files = published_files(read_definition(origin(name)), origin(name))
    assert files is not None
    return files


def any_files(name: str) -> dict[str, Any]:
    """Overrides with which a task takes small files in its format."""
    return {"source.download.sha256": dict.fromkeys(files_of(name).sha256)}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files in a task's format, and a cache of its own."""
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA_MIRROR", raising=False)
    folder = tmp_path / "mirror"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_task_is_short_and_says_whose_it_is(name: str) -> None:
    path, content = origin(name), read_definition(origin(name))
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not re.search(r": [0-9a-f]{64}$", line)]
    assert len(lines) <= 25
    assert content["name"] == name
    assert all(content[key] for key in ("homepage", "licence", "citation"))
    assert content["source"]["download"]["from"].startswith("https://raw.githubusercontent.com/")
    card = path.with_name("README.md").read_text(encoding="utf-8")
    assert content["homepage"] in card
    assert "## Licence" in card
    page = (path.parents[2] / "docs" / "how-to" / "public-tasks.md").read_text(encoding="utf-8")
    assert f"[`{name}`](../../tasks/{name}/README.md)" in page


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_pinned_is_pinned_to_a_commit_and_what_is_not_says_so(name: str) -> None:
    files = files_of(name)
    pinned = [digest is not None for digest in files.sha256.values()]
    card = origin(name).with_name("README.md").read_text(encoding="utf-8")
    if name in PINNED:
        assert all(pinned)
        (commit,) = re.findall(r"/([0-9a-f]{40})/", files.address)
        assert commit in card
    else:
        assert not any(pinned)
        assert "**Not pinned.**" in card


@pytest.mark.parametrize("name", COUNTED)
def test_the_card_and_the_page_say_what_the_data_say(name: str) -> None:
    if not is_here(name):
        pytest.skip(f"the files of {name} are not on this machine")
    task = load_task(name)
    card = origin(name).with_name("README.md")
    text = card.read_text(encoding="utf-8")
    assert BEGIN in text
    assert insert(text, describe(task), card) == text, f"run python -m bench.data.card tasks/{name}"
    sizes = {role: int((task.examples["split"] == role).sum()) for role in ("train", "dev", "test")}
    assert (
        sizes
        == {
            "ans-claims": {"train": 3185, "dev": 906, "test": 456},
            "ans-stance": {"train": 2652, "dev": 755, "test": 379},
            "ct25-subjectivity": {"train": 2440, "dev": 467, "test": 1036},
        }[name]
    )
    page = (origin(name).parents[2] / "docs" / "how-to" / "public-tasks.md").read_text(encoding="utf-8")
    for each in task.published:
        assert f"| {each.value:.3f} |" in page
        assert f"published: {each.system.partition(' ')[0]}" in page


def test_the_shared_claims_and_the_rare_label_of_ans_are_as_the_card_says() -> None:
    if not is_here("ans-stance"):
        pytest.skip("the files of ans-stance are not on this machine")
    examples = load_task("ans-stance").examples
    test, others = examples[examples["split"] == "test"], examples[examples["split"] != "test"]
    assert int(test["claim"].isin(others["claim"]).sum()) == 28
    assert int((test["label"] == "other").sum()) == 7


def test_the_pairs_of_ans_stance_give_labels_of_ans_claims_away_as_the_card_says() -> None:
    if not (is_here("ans-claims") and is_here("ans-stance")):
        pytest.skip("the files of ans-claims and ans-stance are not on this machine")
    headlines, pairs = load_task("ans-claims").examples, load_task("ans-stance").examples
    label, part = (dict(zip(headlines["text"], headlines[name], strict=True)) for name in ("label", "split"))
    known = pairs[pairs["claim"].isin(label) & pairs["text"].isin(label)]
    assert len(known) == 3745
    assert set(known["claim"].map(label)) == {"true"}
    of_disagreeing = known.loc[known["label"] == "disagree", "text"].map(label)
    assert of_disagreeing.value_counts().to_dict() == {"fabricated": 2390, "true": 4}
    apart = known[known["claim"].map(part) != known["text"].map(part)]
    assert len(apart) == 42
    ends = {*apart["claim"], *apart["text"]}
    assert sum(part[headline] == "test" for headline in ends) == 17


def test_near_repeats_of_ans_claims_are_on_one_side_as_the_card_says() -> None:
    if not is_here("ans-claims"):
        pytest.skip("the files of ans-claims are not on this machine")
    examples = load_task("ans-claims").examples
    pairs, _ = near_pairs(list(map(text_key, examples["text"])))
    first, second = (examples.iloc[pairs[:, side]].reset_index(drop=True) for side in (0, 1))
    assert int((first["label"] != second["label"]).sum()) == 83
    assert first["split"].tolist() == second["split"].tolist()


def test_the_articles_of_ct25_are_shared_as_the_card_says() -> None:
    if not is_here("ct25-subjectivity"):
        pytest.skip("the files of ct25-subjectivity are not on this machine")
    files, articles = files_of("ct25-subjectivity"), {}
    for part in ("train_ar", "dev_ar"):
        with files.bring(f"{part}.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        articles[part] = {row["sentence_id"].rpartition("_")[0] for row in rows}
    assert len(articles["dev_ar"]) == 331
    assert len(articles["dev_ar"] & articles["train_ar"]) == 278


ASND_ON_DEV = {"source.path": {"train": "sm_news_ar_trn.csv", "test": "sm_news_ar_dev.csv"}}


def asnd_text(part: str, number: int) -> str:
    return f'قال "{part} {number}"\n\nالتفاصيل\n#الجزيرة'


def write_asnd(folder: Path) -> dict[str, Any]:
    """Twelve posts in each file, and one of dev again in train; return the overrides that accept the files."""
    labels = read_definition(origin("asnd-topics"))["labels"]
    for start, part in ((0, "trn"), (20, "dev"), (40, "tst")):
        rows = []
        for number, label in enumerate(labels):
            tweet = 1076960641804615680 + start + number  # one float stands for all of them
            post = (str(tweet), f"812386155471598_{tweet}", f"-jF4Cht{part}{number}")[number % 3]
            rows.append({"ID": post, "Content": asnd_text(part, number), "Class": label, "Platform": "twitter"})
        if part == "trn":
            rows.append({"ID": "again", "Content": asnd_text("dev", 0), "Class": "health", "Platform": "facebook"})
        columns = sorted(rows[0]) if part == "trn" else list(rows[0])
        pd.DataFrame(rows)[columns].to_csv(folder / f"sm_news_ar_{part}.csv", index=False)
    return any_files("asnd-topics")


def test_asnd_reads_line_breaks_in_quotes_columns_in_any_order_and_ids_as_text(mirror: Path) -> None:
    task = load_task("asnd-topics", write_asnd(mirror), mirror)
    assert task.examples["split"].value_counts().to_dict() == {"train": 12, "dev": 12, "test": 12}
    assert set(task.examples["text"]) == {asnd_text(part, n) for part in ("trn", "dev", "tst") for n in range(12)}
    tweets = {name for name in task.ids if name.isdecimal()}
    assert (len(tweets), len({*map(float, tweets)})) == (12, 1)
    assert task.notes[0].startswith(
        "1 of 13 train examples repeats an input of test, dev or train and is left out: again"
    )


def test_asnd_can_be_scored_on_dev_without_its_test_file_and_then_has_no_published_row(mirror: Path) -> None:
    overrides = write_asnd(mirror)
    (mirror / "sm_news_ar_tst.csv").unlink()
    with pytest.raises(DataError, match=r"it has no sm_news_ar_tst\.csv\.\nDownload it from https://raw"):
        load_task("asnd-topics", overrides, mirror)
    task = load_task("asnd-topics", overrides | ASND_ON_DEV, mirror)
    assert task.examples["split"].value_counts().to_dict() == {"train": 12, "test": 12}
    assert task.published == ()


def test_the_rows_of_asnd_are_as_the_card_says() -> None:
    files, card = files_of("asnd-topics"), origin("asnd-topics").with_name("README.md").read_text(encoding="utf-8")
    try:
        parts = [files.bring(f"sm_news_ar_{part}.csv") for part in ("trn", "dev")]
    except DataError:
        pytest.skip("the files of asnd-topics are not on this machine")
    frames = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in parts]
    for label in read_definition(origin("asnd-topics"))["labels"]:
        counts = [int((frame["Class"] == label).sum()) for frame in frames]
        assert f"| {label} | {counts[0]:,} | {counts[1]:,} |" in card
    assert f"| all | {len(frames[0]):,} | {len(frames[1]):,} |" in card
    notes = load_task("asnd-topics", ASND_ON_DEV).notes
    for count, start in (("1,270", "1,270 of 6,676 train examples repeat"), ("244", "244 of these had another label")):
        assert any(note.startswith(start) for note in notes)
        assert f"{count} " in card


def austr_fold(rows: list[tuple[int, int, str, str, str]]) -> str:
    """A fold as pandas wrote it: an unnamed index first, tabs, texts with line ends in quotation marks."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["", "rumor_id", "evidence_id", "rumor_text", "evidence_text", "s1", "s2", "stance", "rumor_label"])
    for number, (rumour, evidence, claim, posted, stance) in enumerate(rows):
        writer.writerow([number, rumour, evidence, claim, posted, "clean", "clean", stance, "False"])
    return text.getvalue()


def write_austr(folder: Path, **changes: str) -> None:
    """Five folds of ten pairs; pair k is tested in fold k // 2 + 1."""
    # The ids are neighbours that one float stands for.
    pairs = [
        (1341109399008456711 + k // 5, 1342929115486285840 + k, f"{CLAIM} {k // 5}", f'قال ""{k}""\nثم نفى', stance)
        for k, stance in enumerate(["agree", "disagree", "other"] * 3 + ["other"])
    ]
    for fold in range(1, 6):
        test = pairs[2 * fold - 2 : 2 * fold]
        rest = [pair for pair in pairs if pair not in test]
        parts = {"test": test, "dev": rest[:2], "train": rest[2:]}
        for role, rows in parts.items():
            (folder / f"{role}_fold{fold}.txt").write_text(austr_fold(rows), encoding="utf-8")
    for name, content in changes.items():
        (folder / f"{name}.txt").write_text(content, encoding="utf-8")


def test_austr_reads_line_breaks_in_quotes_and_keeps_64_bit_ids_apart(mirror: Path) -> None:
    write_austr(mirror)
    task = load_task("austr", any_files("austr"), mirror)
    assert len(task) == 10
    assert float(1342929115486285840) == float(1342929115486285841)
    assert "1341109399008456711/1342929115486285841" in task.ids
    assert set(task.groups) == {"1341109399008456711", "1341109399008456712"}
    assert all("\n" in text for text in (*task.examples["claim"], *task.examples["text"]))
    assert task.examples["claim"].str.startswith(CLAIM).all()


def test_austr_is_split_by_its_five_folds(mirror: Path) -> None:
    write_austr(mirror)
    task = load_task("austr", any_files("austr"), mirror)
    assert task.splits == tuple(f"fold-{fold}" for fold in range(1, 6))
    roles = task.examples[list(task.splits)]
    assert (roles == "test").to_numpy().sum(axis=1).tolist() == [1] * 10
    assert (roles == "dev").to_numpy().sum(axis=0).tolist() == [2] * 5
    assert describe(task).count("| fold-") == 5


def test_a_pair_of_austr_that_two_folds_label_otherwise_is_an_error(mirror: Path) -> None:
    write_austr(mirror)
    path = mirror / "train_fold5.txt"
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace("\tagree\t", "\tdisagree\t", 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"train_fold5\.txt, line \d+: the label of '\d+/\d+' differs from"):
        load_task("austr", any_files("austr"), mirror)


def test_a_quotation_mark_that_austr_never_closes_is_named_with_its_line(mirror: Path) -> None:
    write_austr(
        mirror, train_fold1=austr_fold([(1, 2, CLAIM, "نص", "other")]) + '1\t1\t3\t"open\tx\ty\tz\tother\tFalse\n'
    )
    with pytest.raises(DataError, match=r"train_fold1\.txt, line \d+: not valid CSV: unexpected end of data"):
        load_task("austr", any_files("austr"), mirror)


def write_mawqif(folder: Path, *, mark: str = "\ufeff", neutral: str = "", train: str = "") -> None:
    header = f"{mark}ID,text,target,stance,stance:confidence,sarcasm,sentiment\n"
    rows = [
        f"1,{FAVOR} {{}},Women empowerment,Favor,1,No,Positive",
        f'2,"{AGAINST} {{}}",Women empowerment,Against,1,No,Negative',
        f"3,{NONE} {{}},Digital Transformation,{neutral},0.5,No,Neutral",
    ]
    for part in ("Train", "Test"):
        lines = "\n".join(rows).format(*[part] * 3)
        extra = train if part == "Train" else ""
        (folder / f"Mawqif_AllTargets_{part}.csv").write_text(f"{header}{lines}\n{extra}", encoding="utf-8")


@pytest.mark.parametrize("neutral", ["", "None"])
@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_mawqif_reads_a_byte_order_mark_and_an_empty_cell_as_the_neutral_stance(
    mirror: Path, mark: str, neutral: str
) -> None:
    write_mawqif(mirror, mark=mark, neutral=neutral)
    task = load_task("mawqif", any_files("mawqif"), mirror)
    assert sorted(task.y.tolist()) == ["against", "against", "favor", "favor", "none", "none"]
    assert task.examples["claim"].tolist()[:3] == ["Women empowerment"] * 2 + ["Digital Transformation"]
    assert task.examples["text"].tolist()[1] == 'كلمة "تمكين" المرأة Train'
    assert {role: int((task.examples["split"] == role).sum()) for role in ("train", "dev", "test")} == {
        "train": 3,
        "dev": 0,
        "test": 3,
    }


@pytest.mark.slow
def test_mawqif_is_scored_by_the_mean_f1_of_favor_and_against_within_each_target(
    mirror: Path, bench: Any, tmp_path: Path
) -> None:
    write_mawqif(mirror)
    pins = ", ".join(f"{file}: null" for file in files_of("mawqif").sha256)
    words = (
        "task=mawqif",
        f"task.source.download.sha256={{{pins}}}",
        "tracking=false",
        f"data.mirror={mirror}",
        f"results={tmp_path / 'r'}",
    )
    status, out, _ = bench("run", *words, "model=stratified", "search=none")
    assert status == 0
    assert "F avg. (mean over target)" in out
    (path,) = (tmp_path / "r" / "mawqif" / "stratified").glob("*/summary.json")
    summary = json.loads(path.read_text("utf-8"))
    frame = pd.read_csv(path.parent / "fold-00" / "predictions.csv")
    within = [
        f1_score(own["label"], own["predicted"], labels=["favor", "against"], average="macro", zero_division=0)
        for _, own in frame.groupby("value")
    ]
    assert len(within) == len(summary["by_value"]) > 1
    assert summary["scores"]["f_avg"] == pytest.approx(sum(within) / len(within))
    assert bench("compare", *words[:1], words[-1])[0] == 0


def test_an_empty_text_is_left_out_where_an_empty_label_is_a_label(mirror: Path) -> None:
    write_mawqif(mirror, train="4, ,Covid Vaccine,Favor,1,No,Positive\n")
    notes = load_task("mawqif", any_files("mawqif"), mirror).notes
    assert any("has an empty text and is left out: Mawqif_AllTargets_Train.csv, line 5." in note for note in notes)
    write_mawqif(mirror, train="4,نص,Covid Vaccine,Favour,1,No,Positive\n")
    for path in (mirror.parent / "cache").rglob("Mawqif*"):
        path.unlink()
    with pytest.raises(DataError, match=r"line 5: label 'Favour' is not a key of label_map\.\nDid you mean 'Favor'\?"):
        load_task("mawqif", any_files("mawqif"), mirror)


def write_arastance(folder: Path, *train: dict[str, Any]) -> None:
    stances = ["Agree", "Disagree", "Discuss", "Unrelated"]
    for part in ("train", "dev", "test"):
        claims = [
            {
                "filename": f"{part}-{number}",
                "claim": f"ادعاء {part} {number}",
                "article": [f"مقال {part} {number} {place}" for place in range(4)],
                "stance": stances,
            }
            for number in range(2)
        ]
        lines = [json.dumps(claim, ensure_ascii=False) for claim in [*claims, *(train if part == "train" else ())]]
        (folder / f"{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_arastance_makes_a_pair_of_each_article_and_stance(mirror: Path) -> None:
    write_arastance(mirror)
    task = load_task("arastance", mirror=mirror)
    assert len(task) == 24
    assert len(set(task.groups)) == 6
    second = task.examples[task.examples["id"] == "dev-6"].iloc[0]
    assert (second["claim"], second["text"], second["label"]) == ("ادعاء dev 1", "مقال dev 1 1", "Disagree")


def test_lists_of_arastance_that_do_not_match_are_named_with_their_line(mirror: Path) -> None:
    write_arastance(mirror, {"claim": "ادعاء", "article": ["أ", "ب"], "stance": ["Agree"]})
    with pytest.raises(DataError, match=r"train\.jsonl, line 3: lists of one row must be equally long, but"):
        load_task("arastance", mirror=mirror)


def test_what_was_trusted_is_said_and_recorded(mirror: Path) -> None:
    write_arastance(mirror)
    assert not is_here("arastance")
    task = load_task("arastance", mirror=mirror)
    assert is_here("arastance")
    files = files_of("arastance")
    assert task.notes[-1].startswith("the task's file has no SHA-256 for these files, so the first download is trusted")
    digests = {name: files.digest(name) for name in files.sha256}
    assert all(digest and digest[:12] in task.notes[-1] for digest in digests.values())
    assert load_task("arastance").digest == task.digest  # from the cache, without a mirror


@pytest.mark.parametrize(("name", "first"), [("austr", "train_fold1.txt"), ("mawqif", "Mawqif_AllTargets_Train.csv")])
def test_a_file_other_than_the_pinned_one_is_refused_and_not_kept(mirror: Path, name: str, first: str) -> None:
    write_austr(mirror)
    write_mawqif(mirror)
    with pytest.raises(DataError, match=rf"it has no {first} with SHA-256 [0-9a-f]{{64}} \(.*has another SHA-256\)"):
        load_task(name, mirror=mirror)
    assert not [*(mirror.parent / "cache").rglob(first)]


def test_each_test_part_of_austr_is_the_dev_part_of_another_fold_as_the_card_says() -> None:
    sha256 = files_of("austr").sha256
    for fold in range(1, 6):
        assert sha256[f"test_fold{fold}.txt"] == sha256[f"dev_fold{(fold - 2) % 5 + 1}.txt"]
    assert len({*sha256.values()}) == 10


@given(first=st.integers(2**53, 2**63 - 1), step=st.integers(1, 3))
def test_64_bit_numbers_of_json_never_pass_through_a_float(
    tmp_path_factory: pytest.TempPathFactory, first: int, step: int
) -> None:
    rows = [{"key": first, "text": "نفى", "label": "yes"}, {"key": first + step, "text": "أكد", "label": "no"}]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    task = table_task(tmp_path_factory.mktemp("json"), "a.jsonl", lines, id="key")
    assert task.ids.tolist() == [str(first), str(first + step)]


def test_a_json_number_that_lost_its_last_digits_is_an_error(tmp_path: Path) -> None:
    lines = '{"key": 1342929115486285841.0, "text": "نفى", "label": "yes"}\n'
    with pytest.raises(
        DataError, match=r"a\.jsonl, line 1: column 'key' has 1\.3\d+e\+18, a floating-point number"
    ) as error:
        table_task(tmp_path, "a.jsonl", lines, id="key")
    assert error.value.hint == "Write it as a whole number or as text."


def test_published_results_of_a_public_task_are_of_its_own_labels() -> None:
    for name in PUBLIC:
        content = read_definition(origin(name))
        for figure in content.get("published", []):
            assert figure["metric"] in ("macro_f1", "accuracy", content["metric"])
            assert 0 < figure["value"] < 1


@pytest.mark.parametrize("name", PUBLIC)
def test_the_page_and_the_card_say_what_each_published_figure_is_about(name: str) -> None:
    page = (origin(name).parents[2] / "docs" / "how-to" / "public-tasks.md").read_text(encoding="utf-8")
    card = origin(name).with_name("README.md").read_text(encoding="utf-8")
    for figure in (figures := read_definition(origin(name)).get("published", [])):
        assert f"{figure['value']:.3f}" in page
        assert f"{figure['value']:g}" in card or f"{100 * figure['value']:g}" in card
    assert ("## Published results" in card) == bool(figures)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_task_without_its_files_says_where_they_are_published(mirror: Path, name: str) -> None:
    first = re.escape(next(iter(files_of(name).sha256)))
    message = rf"it has no {first}( with SHA-256 [0-9a-f]{{64}})?\.\nDownload it from https://raw\S+/{first}$"
    with pytest.raises(DataError, match=message) as error:
        build_task(read_definition(origin(name)), origin(name), mirror)
    assert error.value.exit_status == 2
