"""A run's configuration: files, then what was typed; every mistake in either is named with the way out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import discovery
from bench.catalogue import load_model, load_task
from bench.config import compose
from bench.discovery import config_files, load_config, model_names, override, task_files
from bench.errors import BenchError, ConfigError, ModelError, nearest
from bench.overrides import parse_overrides
from bench.planning.plan import plan
from bench.support.seeding import derive_seed


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the user's own, away from the packaged files."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_defaults_are_the_packaged_files(here: Path) -> None:
    run = compose(["task=stance"])
    assert run.tasks == ("stance",)
    assert run.models[0] == "majority"
    assert not run.asked_for_models
    assert load_config("search", run.search.name) == {"trials": 10, "timeout": None, "batch": 8}
    assert (run.validation.name, run.validation.group, run.validation.folds) == ("grouped", None, 5)
    assert (run.execution.workers, run.execution.cell_timeout) == (None, 3600.0)
    assert (run.seed, run.force, run.tracking, run.results) == (0, False, True, Path("results"))


def test_what_is_typed_takes_the_place_of_what_the_files_say(here: Path) -> None:
    words = [
        "task=denial",
        "model=logreg,linear-svm",
        "search=quick",
        "search.timeout=2.5",
        "validation.group=claim",
        "validation.folds=3",
        "execution.workers=2",
        "execution.cell_timeout=null",
        "seed=7",
        "force=true",
        "tracking=false",
        "results='my runs'",
        "task.metric=mcc",
        "model.params.max_iter=50",
    ]
    run = compose(words)
    assert (run.tasks, run.models, run.asked_for_models) == (("denial",), ("logreg", "linear-svm"), True)
    assert (run.search.trials, run.search.timeout) == (10, 2.5)
    assert (run.validation.group, run.validation.folds, run.validation.inner_folds) == ("claim", 3, 3)
    assert (run.execution.workers, run.execution.cell_timeout) == (2, None)
    assert (run.seed, run.force, run.tracking, run.results) == (7, True, False, Path("my runs"))
    assert run.task_overrides == {"metric": "mcc"}
    assert run.model_overrides == {"params.max_iter": 50}
    assert run.overrides == tuple(words)


def test_a_folder_whose_name_is_not_utf_8_can_be_named(here: Path) -> None:
    assert compose(["task=denial", "results=caf\udce9"]).results == Path("caf\udce9")
    with pytest.raises(ConfigError, match="unknown key"):
        compose(["task=denial", "search.tri\udce9=3"])


def test_all_stands_for_every_task_and_every_model(here: Path) -> None:
    run = compose(["task=all", "model=all"])
    known = (
        "ans-claims ans-stance arastance asnd-topics austr ct25-subjectivity denial denial-news mawqif "
        "source-type source-type-news stance"
    )
    assert run.tasks == tuple(task_files()) == tuple(known.split())
    assert run.models == tuple(model_names())
    assert not run.asked_for_models


def test_a_name_given_twice_is_run_once(here: Path) -> None:
    assert compose(["task=stance,denial,stance"]).tasks == ("stance", "denial")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("task=stance", {"task": "stance"}),
        ("task='stance'", {"task": "stance"}),
        ("model=a,b", {"model": ["a", "b"]}),
        ("model='a',\"b\"", {"model": ["a", "b"]}),
        ("model=[a,'b']", {"model": ["a", "b"]}),
        ("task=2024,2025", {"task": ["2024", "2025"]}),
        ("results='نتائج 1'", {"results": "نتائج 1"}),
        ("results=نتائج 1", {"results": "نتائج 1"}),
        ("results=a!b: #c", {"results": "a!b: #c"}),
        ("results=~", {"results": "~"}),
        ("results=caf\udce9", {"results": "caf\udce9"}),
        ("results='caf\udce9'", {"results": "caf\udce9"}),
        ("results='it''s'", {"results": "it's"}),
        ("task=007", {"task": "007"}),
        ("results=../runs/a-b_c.d", {"results": "../runs/a-b_c.d"}),
        ('search.trials="5"', {"search.trials": "5"}),
        ("search.timeout=1e2", {"search.timeout": 100.0}),
        ("search.timeout=1_000", {"search.timeout": 1000}),
        ("model.params.tol=1e-3", {"model.params.tol": 0.001}),
        ("model.params.x=yes", {"model.params.x": "yes"}),
        ("model.params.x=2024-01-01", {"model.params.x": "2024-01-01"}),
        ("force=true", {"force": True}),
        ("validation.group=null", {"validation.group": None}),
        ("model.params.weights={a:'x',b:[1,2]}", {"model.params.weights": {"a": "x", "b": [1, 2]}}),
        ("train_on.labels={agree:agree,1:x y,c: d}", {"train_on.labels": {"agree": "agree", "1": "x y", "c": "d"}}),
    ],
)
def test_values_have_the_types_of_the_dialect(word: str, expected: dict[str, object]) -> None:
    assert parse_overrides([word]) == expected


TYPED = {
    "no task": (
        [],
        "No task was named.\nAdd task=NAME. Choose from: ans-claims, ans-stance, arastance, asnd-topics, austr,",
    ),
    "task null": (["task=null"], "No task was named."),
    "an empty list": (["task=[]"], "No task was named."),
    "an empty name": (
        ["task="],
        "task=: unknown task.\nChoose from: ans-claims, ans-stance, arastance, ",
    ),
    "a mistyped task": (
        ["task=stanse"],
        "task=stanse: unknown task.\nDid you mean 'stance'? `bench tasks` lists them.",
    ),
    "one of two mistyped": (["task=stance,denail"], "task=denail: unknown task.\nDid you mean 'den"),
    "a mistyped model": (
        ["task=stance", "model=logreg,linear-smv"],
        "model=linear-smv: unknown model.\nDid you mean 'linear-svm'? `bench models` lists them.",
    ),
    "a mistyped search": (
        ["task=stance", "search=quik"],
        "search=quik: unknown search.\nDid you mean",
    ),
    "a search that is null": (["task=stance", "search=null"], "search: expected a name, not None.\nChoose from: none"),
    "a mistyped key": (["task=stance", "sed=3"], "sed: unknown key.\nDid you mean 'seed'?"),
    "a key of no group": (
        ["task=stance", "hydra.run=3"],
        "hydra.run: unknown key.\nChoose from: data.mirror, execution, force,",
    ),
    "a mistyped key of a group": (["task=stance", "search.trails=3"], "search.trails: unknown key.\nDid you mean 'tri"),
    "no key": (["task=stance", "=3"], "'=3' is not of the form key=value."),
    "all beside a name": (
        ["task=stance", "model=all,logreg"],
        "model=all,logreg: all excludes other names.\nWrite model=all",
    ),
    "no value": (["task=stance", "seed"], "'seed' is not of the form key=value.\nFor example: task=stance"),
    "an option": (["task=stance", "--seed=3"], "'--seed=3' is not of the form key=value."),
    "an open list": (["task=stance", "model=logreg,"], "'model=logreg,' is not of the form key=value."),
    "a list that is open": (["task=stance", "model=[logreg"], "'model=[logreg' cannot be read: expected ',' or ']'"),
    "a quote that is open": (["task=stance", "results='a"], "'results='a' cannot be read"),
    "an alias": (["task=stance", "model=[*a]"], "'model=[*a]' cannot be read: aliases such as *a are not supported"),
    "an added key": (["task=stance", "+seed=3"], "'+seed=3': write keys without + or @."),
    "a text with a comma": (["task=stance", "results=a,b"], 'Quote a text with a comma twice: "results='),
    "a deleted key": (["task=stance", "~seed"], "'~seed': ~key is not supported.\nSet seed to null instead."),
    "several seeds": (["task=stance", "seed=1,2"], "'seed=1,2': seed takes one value.\nOnly task and model take a"),
    "several searches": (["task=stance", "search=quick,standard"], "'search=quick,standard': search takes one value."),
    "a range of seeds": (["task=stance", "seed=range(1,3)"], "'seed=range(1,3)': seed takes one value."),
    "a pattern of models": (["task=stance", "model=glob(*)"], "model=glob(*): unknown model."),
    "a seed that is a word": (["task=stance", "seed=one"], 'seed="one": expected a whole number, at least 0.'),
    "a seed that is text": (["task=stance", "seed='1'"], 'seed="1": expected a whole number, at least 0.'),
    "a negative seed": (["task=stance", "seed=-1"], "seed=-1: expected a whole number, at least 0."),
    "a seed that is true": (["task=stance", "seed=true"], "seed=true: expected a whole number, at least 0."),
    "half a trial": (["task=stance", "search.trials=1.5"], "search.trials=1.5: expected a whole number, at least 0."),
    "fewer than no trials": (["task=stance", "search.trials=-1"], "search.trials=-1: expected a whole number, at le"),
    "trials null": (["task=stance", "search.trials=null"], "search.trials=null: expected a whole number, at least 0."),
    "no time": (
        ["task=stance", "search.timeout=0"],
        "search.timeout=0: expected a number of seconds above 0, or null.",
    ),
    "no number of seconds": (["task=stance", "search.timeout=nan"], "expected a number of seconds above 0, or null."),
    "one fold": (["task=stance", "validation.folds=1"], "validation.folds=1: expected a whole number, at least 2."),
    "one inner fold": (["task=stance", "validation.inner_folds=1"], "validation.inner_folds=1: expected a whole"),
    "no repeats": (
        ["task=stance", "validation.repeats=0"],
        "validation.repeats=0: expected a whole number, at least 1.",
    ),
    "no workers": (["task=stance", "execution.workers=0"], "execution.workers=0: expected a whole number, at least 1."),
    "a device there is none of": (
        ["task=stance", "execution.device=gpu"],
        'execution.device="gpu": expected one of auto, cpu, cuda.',
    ),
    "a timeout in words": (["task=stance", "execution.cell_timeout=1h"], 'execution.cell_timeout="1h": expected a num'),
    "force=1": (["task=stance", "force=1"], "force=1: expected true or false."),
    "tracking=no": (["task=stance", "tracking=no"], 'tracking="no": expected true or false.'),
}


@pytest.mark.parametrize("mistake", TYPED)
def test_a_mistake_in_what_was_typed_is_named(here: Path, mistake: str) -> None:
    words, message = TYPED[mistake]
    with pytest.raises(ConfigError) as error:
        compose(words)
    assert message in str(error.value)
    assert error.value.exit_status == 2


GROUPED = "group: null\nsplits: published\nfolds: 5\ninner_folds: 3\nrepeats: 1\n"
FILES: dict[str, tuple[str, str | bytes, str]] = {
    "an unknown key": (
        "validation/mine.yaml",
        f"{GROUPED}fods: 4\n",
        "validation/mine.yaml, line 6: validation.fods: unknown key.\nDid you mean 'fol",
    ),
    "a missing key": (
        "validation/mine.yaml",
        GROUPED.replace("repeats: 1\n", ""),
        "validation/mine.yaml: validation.repeats is missing.\nCompare your file with `bench show config`.",
    ),
    "a wrong type": (
        "validation/mine.yaml",
        GROUPED.replace("5", "five"),
        'validation/mine.yaml, line 3: validation.folds="five": expected a whole',
    ),
    "no mapping": ("validation/mine.yaml", "- folds\n", "mine.yaml: expected a mapping of keys to values."),
    "an empty file": ("validation/mine.yaml", "", "validation.group is missing."),
    "no YAML": (
        "validation/mine.yaml",
        "group: null\nfolds: [5\nrepeats: 1\n",
        "validation/mine.yaml, line 3: not valid YAML: ",
    ),
    "a tab": (
        "validation/mine.yaml",
        "group:\n\tfolds: 1\n",
        "validation/mine.yaml, line 2: not valid YAML: found char",
    ),
    "a key twice": (
        "validation/mine.yaml",
        f"{GROUPED}folds: 6\n",
        "mine.yaml, line 6: not valid YAML: the key 'folds' is repeated.",
    ),
    "not UTF-8": (
        "validation/mine.yaml",
        "group: مجموعة\n".encode("cp1256"),
        "mine.yaml: not UTF-8 (byte 7).\nSave the",
    ),
    "a dollar, which is a text like any other": (
        "validation/mine.yaml",
        GROUPED.replace("5", "${folds}"),
        'validation.folds="${folds}": expected a whole',
    ),
    "an unknown key at the top": (
        "config.yaml",
        "defaults: [{validation: mine}]\nsede: 3\n",
        "configs/config.yaml: search: expected a name, not None.\nChoose from: none, quick, standard, thorough.",
    ),
    "defaults of no list": (
        "config.yaml",
        "defaults: {validation: mine}\n",
        "configs/config.yaml, line 1: 'defaults' must be a list of group: name.\nFor example: - search: standard",
    ),
    "an unknown group": (
        "config.yaml",
        "defaults: [{valdation: mine}]\n",
        "configs/config.yaml, line 1: defaults: unknown group 'valdation'.\nDid you mean 'validation'?",
    ),
}


@pytest.mark.parametrize("mistake", FILES)
def test_a_mistake_in_a_file_of_the_users_own_is_named(here: Path, mistake: str) -> None:
    name, content, message = FILES[mistake]
    write(here / "configs/validation/mine.yaml", GROUPED)
    write(here / "configs" / name, content)
    with pytest.raises(ConfigError) as error:
        compose(["task=stance", "validation=mine"])
    assert message in str(error.value)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to nothing"])
def test_a_config_of_the_users_own_that_is_no_file_is_not_passed_over(here: Path, kind: str) -> None:
    path = here / "configs" / "config.yaml"
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("nothing")
    with pytest.raises(ConfigError, match=r"configs/config\.yaml: "):
        compose(["task=stance"])


def test_an_unknown_or_missing_key_of_the_users_own_config_is_named(here: Path) -> None:
    defaults = "defaults: [{model: majority}, {search: quick}, {validation: grouped}, {execution: local}]\n"
    settings = "seed: 0\nforce: false\ntracking: true\nresults: results\n"
    write(here / "configs/config.yaml", f"{defaults}{settings}sede: 1\n")
    with pytest.raises(ConfigError, match=r"sede: unknown key\.\nDid you mean 'seed'"):
        compose(["task=stance"])
    write(here / "configs/config.yaml", defaults + settings.replace("force: false\n", ""))
    with pytest.raises(ConfigError, match="force is missing"):
        compose(["task=stance"])
    write(here / "configs/config.yaml", defaults + settings.replace("seed: 0", "seed: 5"))
    assert compose(["task=stance"]).seed == 5
    assert compose(["task=stance", "seed=6"]).seed == 6


def test_the_users_own_files_come_before_the_packaged_ones(here: Path) -> None:
    packaged = config_files("search")
    mine = write(here / "configs/search/thorough.yaml", "trials: 3\ntimeout: 1\n")
    assert config_files("search") == {**packaged, "thorough": mine}
    assert load_config("search", "thorough") == {"trials": 3, "timeout": 1}
    assert compose(["task=stance", "search=thorough"]).search.trials == 3
    assert compose(["task=stance", "search=standard"]).search.trials == 30


def test_a_task_and_a_model_of_the_users_own_are_found_and_come_first(here: Path) -> None:
    task = write(here / "tasks/mine/task.yaml", "name: mine\n")
    write(here / "configs/model/majority.yaml", "name: majority\nestimator: sklearn.dummy.DummyClassifier\n")
    assert task_files()["mine"] == task
    assert load_model("majority").origin == str(here / "configs/model/majority.yaml")
    assert compose(["task=mine"]).tasks == ("mine",)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (
            lambda: load_task("stanse"),
            "task=stanse: unknown task.\nDid you mean 'stance'? Put your own",
        ),
        (
            lambda: load_model("lgreg"),
            "model=lgreg: unknown model.\nDid you mean 'logreg'? Put your own",
        ),
        (lambda: load_config("execution", "loacl"), "Did you mean 'local'? Put your own into configs/execution/"),
        (lambda: load_model("logreg", {"estimator.x": 1}), "model=logreg: 'estimator' is 'sklearn.linear_model.Log"),
        (lambda: load_model("logreg", {"prams.C": 1}), "logreg.yaml: unknown key 'prams'.\nDid you mean 'params'?"),
        (lambda: load_task("denial", {"metirc": "mcc"}), "unknown key 'metirc'"),
        (lambda: load_task("denial", {"metric": "macrof1"}), "unknown metric 'macrof1'.\nDid you mean 'macro_f1'?"),
    ],
)
def test_a_name_or_key_that_is_not_there_is_named_with_the_nearest(
    here: Path, load: Callable[[], object], message: str
) -> None:
    with pytest.raises(BenchError) as error:
        load()
    assert message in str(error.value)
    assert error.value.exit_status == 2


class _Entry:
    """An installed package's entry point that gives, or raises, `value`."""

    name, value, dist = "theirs", "package:model", None

    def __init__(self, loaded: object) -> None:
        self.loaded = loaded

    def load(self) -> object:
        if isinstance(self.loaded, Exception):
            raise self.loaded
        return self.loaded


def test_a_model_of_an_installed_package_is_found(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = _Entry(lambda: load_model("majority"))
    monkeypatch.setattr(discovery, "entry_points", lambda group: [entry])
    assert "theirs" in model_names()
    found = load_model("theirs")
    assert (found.name, found.estimator) == ("theirs", "sklearn.dummy.DummyClassifier")
    assert found.origin == "entry point theirs of package:model"
    with pytest.raises(ConfigError, match="model=theirs: keys of a model from an installed package"):
        load_model("theirs", {"params.C": 1})
    monkeypatch.setattr("bench.config.model_names", lambda: ["logreg", "majority", "theirs"])
    with pytest.raises(ConfigError, match=r"model\.params\.C=1 does not fit theirs\.\ntheirs: .*cannot be overridden"):
        plan(compose(["task=denial", "model=all", "model.params.C=1"]))


@pytest.mark.parametrize(
    ("loaded", "message"),
    [
        (
            ImportError("no module"),
            "entry point theirs of package:model: package:model cannot be loaded: ImportError: no",
        ),
        (lambda: 3, "package:model gives int, expected bench.models.Model"),
    ],
)
def test_an_installed_model_that_is_broken_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, loaded: object, message: str
) -> None:
    monkeypatch.setattr(discovery, "entry_points", lambda group: [_Entry(loaded)])
    with pytest.raises(ModelError, match=message):
        load_model("theirs")


NESTED = st.recursive(st.integers(), lambda v: st.dictionaries(st.sampled_from("abc"), v, max_size=3), max_leaves=8)


@given(st.dictionaries(st.sampled_from("abc"), NESTED, max_size=3), st.lists(st.sampled_from("abc"), min_size=1))
def test_an_override_sets_one_key_and_leaves_all_else_and_the_original_as_it_was(
    content: dict[str, object], path: list[str]
) -> None:
    before = repr(content)
    on_the_way: object = content
    for key in path[:-1]:
        on_the_way = on_the_way.get(key) or {} if isinstance(on_the_way, dict) else on_the_way
    if not isinstance(on_the_way, dict):
        with pytest.raises(ConfigError, match="cannot be set"):
            override(content, {".".join(path): "new"}, "here")
        return
    inner: Any = override(content, {".".join(path): "new"}, "here")
    assert repr(content) == before
    was: object = content
    for key in path:
        known = was if isinstance(was, dict) else {}
        assert {k: v for k, v in inner.items() if k != key} == {k: v for k, v in known.items() if k != key}
        inner, was = inner[key], known.get(key)
    assert inner == "new"


def test_derived_seeds_never_change() -> None:
    """Stored results depend on them."""
    assert derive_seed(0, "stance", "logreg", "3", "search") == PINNED[0]
    assert derive_seed(42, "outer") == PINNED[1]


PINNED = (1125439327, 1368218543)


@given(st.integers(0, 2**40), st.lists(st.text() | st.integers(), max_size=4), st.text() | st.integers())
def test_a_derived_seed_depends_on_the_seed_and_on_each_part_of_the_purpose(
    seed: int, purpose: list[str | int], part: str | int
) -> None:
    found = derive_seed(seed, *purpose)
    assert 0 <= found < 2**31
    assert found == derive_seed(seed, *purpose)
    assert found != derive_seed(seed + 1, *purpose)
    assert found != derive_seed(seed, *purpose, part)


def test_the_nearest_name_is_offered_and_else_all_of_them() -> None:
    assert nearest("logrge", ["logreg", "majority"]) == "Did you mean 'logreg'?"
    assert nearest("svm", ["b", "a"]) == "Choose from: a, b."
    assert nearest("svm", []) == "There are none to choose from."


def test_errors_survive_the_way_from_a_worker_process() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(ConfigError("what", "hint")))
    assert (type(error), str(error)) == (ConfigError, "what\nhint")
