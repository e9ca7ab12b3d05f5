"""The command line: help with examples, completion, and one clear message for each mistake."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rich.padding import Padding
from rich.table import Table

from bench.cli import COMMANDS, main
from bench.cli.resumable import resumable
from bench.errors import BenchError
from bench.reporting.progress import Progress
from bench.reporting.terminal import console
from bench.results.store import RunFolder

Ended = tuple[int, str, str]

TASKS = sorted(path.parent.name for path in (Path(__file__).parents[2] / "tasks").glob("*/task.yaml"))
"""The tasks that come with the package."""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command in an empty folder: its exit status, what it printed, and what it said on standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["bench", *words])
        try:
            main()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return status, printed.out, printed.err

    return run


def in_a_process(*words: str, folder: Path, **environment: str) -> Ended:
    done = subprocess.run(
        [sys.executable, "-c", "from bench.cli import main; main()", *words],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1", **environment},
    )
    return done.returncode, done.stdout, done.stderr


def test_help_lists_every_command_with_examples(bench) -> None:
    status, out, _ = bench("--help")
    assert status == 0
    for name, line in COMMANDS.items():
        assert f"  {name} " in out
        assert line in out
    assert "Examples:\n    bench run task=stance\n" in out
    assert bench("-h") == (0, out, "")


@pytest.mark.parametrize("words", [*([name] for name in COMMANDS), ["new", "model"], ["new", "task"]], ids=" ".join)
def test_each_commands_help_has_an_example_of_it(bench, words: list[str]) -> None:
    status, out, _ = bench(*words, "--help")
    assert status == 0
    assert out.startswith(f"Usage: bench {' '.join(words)}")
    examples = out[out.index("Example") :].splitlines()[1:]
    assert any(line.startswith(f"    bench {' '.join(words)}") for line in examples)
    assert max(map(len, out.splitlines())) <= 80


def test_lists_are_wrapped_on_a_terminal(bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = re.sub(r"\x1b\[[0-9;]*m", "", bench("tasks")[1])
    assert max(map(len, out.splitlines())) <= 80
    assert re.sub(r"\s+", " ", out).startswith(
        "ans-claims Whether a news headline is true or fabricated, in the Arabic News"
    )


def test_the_version_is_told(bench) -> None:
    assert bench("--version") == (0, "bench, version 0.1.0\n", "")


def test_without_a_command_the_help_is_shown(bench) -> None:
    status, out, err = bench()
    assert status == 2
    assert "Usage: bench" in out + err


MISTAKES = {
    "an unknown command": (["rnu"], "bench rnu: unknown command.\n       Did you mean 'run'?"),
    "a far command": (["zzz"], "bench zzz: unknown command.\n       Choose from: add, check, cite, "),
    "an unknown option": (["run", "--task=stance"], "error: No such option '--task'"),
    "no task": (["run"], "No task was named.\n       Add task=NAME. Choose from: ans-claims, "),
    "a mistyped task": (
        ["run", "task=stanse"],
        "task=stanse: unknown task.\n       Did you mean 'sta",
    ),
    "a mistyped model": (["run", "task=stance", "model=lgreg"], "unknown model.\n       Did you mean"),
    "a mistyped key": (["run", "task=stance", "sede=1"], "sede: unknown key.\n       Did you mean 'seed'?"),
    "a wrong type": (["run", "task=stance", "seed=one"], 'seed="one": expected a whole number, at least 0.'),
    "no key": (["run", "stance"], "'stance' is not of the form key=value.\n       Did you mean 'task=stance'?"),
    "no key and a mistyped task": (["check", "stanse"], "Did you mean 'task=stance'?"),
    "a model without its key": (["show", "logreg"], "Did you mean 'model=logreg'?"),
    "a search without its key": (["run", "task=stance", "quick"], "Did you mean 'search=quick'?"),
    "a task without its key, to label with": (["predict", "stance"], "Did you mean 'task=stance'?"),
    "a task without its key, to compare": (["compare", "stance"], "Did you mean 'task=stance'?"),
    "no name at all": (["run", "zzz"], "'zzz' is not of the form key=value.\n       For example: task=stance"),
    "an override that fits some models": (
        ["run", "task=denial", "model=complement-nb,linear-svm", "tracking=false", "model.params.C=3"],
        "model.params.C=3 does not fit complement-nb.\n"
        "       complement-nb: unknown parameter 'estimator.C' of ComplementNB. Did you mean 'estimator.norm'?\n"
        "       Name the models that it fits: model=linear-svm",
    ),
    "an override that fits some of all models": (
        ["run", "task=denial", "tracking=false", "model.params.max_iter=3"],
        "       Name the models that it fits: model=logreg,linear-svm",
    ),
    "a mistyped group column": (
        ["run", "task=denial", "model=majority", "tracking=false", "validation.group=documnet"],
        "validation.group=documnet: task 'denial' has no such column.\n       Did you mean 'document'?",
    ),
    "an unknown key of a task": (
        ["run", "task=denial", "model=majority", "tracking=false", "task.metirc=mcc"],
        "unknown key 'metirc'.\n       Did you mean 'metric'?",
    ),
    "a model without probabilities for a metric of them": (
        ["run", "task=denial", "model=linear-svm", "tracking=false", "task.metric=log_loss"],
        "linear-svm gives no probabilities, but the task's metric log_loss needs them.\n       Choose another model",
    ),
    "an unknown parameter of a model": (
        ["run", "task=denial", "model=logreg", "tracking=false", "model.params.maxiter=5"],
        "unknown parameter 'estimator.maxiter' of LogisticRegression.\n       Did you mean 'estimator.max_iter'?",
    ),
    "nothing to show": (["show"], "Nothing to show.\n       Name one: bench show task=NAME, model=NAME or config"),
    "a model to show that is not there": (["show", "model=lgreg"], "Did you mean 'logreg'?"),
    "nothing to check": (["check"], "Nothing to check."),
    "a model to check that is not there": (["check", "model=lgreg"], "Did you mean 'logreg'?"),
    "a word where none is taken": (["tasks", "stance"], "Got unexpected extra argument (stance)"),
    "an unknown shell": (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'"),
    "a new model without a name": (["new", "model"], "Missing argument 'NAME'"),
    "no runs to look at": (["ui", "--results", "nowhere"], "nowhere: no runs are stored there."),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_message_on_standard_error_and_exit_status_2(bench, mistake: str, tmp_path: Path) -> None:
    words, message = MISTAKES[mistake]
    status, out, err = bench(*words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.lower().count("error: ") == 1
    assert not (tmp_path / "results").exists()


OWN_FILES = {
    "YAML that is none": (
        "configs/model/mine.yaml",
        b"name: mine\nestimator: [x\n",
        ["run", "task=denial", "model=mine", "tracking=false"],
        "configs/model/mine.yaml, line 3: not valid YAML: ",
    ),
    "a model that is not UTF-8": (
        "configs/model/mine.yaml",
        "name: mine\ndescription: نموذج\n".encode("cp1256"),
        ["show", "model=mine"],
        "configs/model/mine.yaml: not UTF-8 (byte 24).",
    ),
    "a class that is not there": (
        "configs/model/mine.yaml",
        b"name: mine\nestimator: sklearn.linear_model.LogisticRegresion\n",
        ["run", "task=denial", "model=mine", "tracking=false"],
        "mine.yaml: estimator: 'sklearn.linear_model' has no class 'LogisticRegresion'.\n       Did you mean 'Logistic",
    ),
    "an empty range": (
        "configs/model/mine.yaml",
        b"name: mine\nestimator: sklearn.svm.LinearSVC\nfeatures: tfidf\nsearch: {estimator.C: {low: 2, high: 1}}\n",
        ["run", "task=denial", "model=mine", "tracking=false"],
        "mine.yaml, line 4: search.estimator.C: the range is empty: low 2 is above high 1.\n       Swap low and high.",
    ),
    "a searched parameter that is not there": (
        "configs/model/mine.yaml",
        b"name: mine\nestimator: sklearn.svm.LinearSVC\nfeatures: tfidf\nsearch: {estimator.c: [1]}\n",
        ["run", "task=denial", "model=mine", "tracking=false"],
        "mine.yaml: unknown parameter 'estimator.c' of LinearSVC.\n       ",
    ),
    "an unknown key of a task's file": (
        "tasks/mine/task.yaml",
        b"name: mine\nlabls: [a, b]\n",
        ["run", "task=mine", "model=majority", "tracking=false"],
        "line 2: unknown key 'labls'.\n       Did you mean 'labels'?",
    ),
    "an unknown key of the validation": (
        "configs/validation/mine.yaml",
        b"group: null\nfolds: 5\ninner_folds: 3\nrepeats: 1\nsplits: published\nfods: 2\n",
        ["run", "task=denial", "validation=mine"],
        "validation.fods: unknown key.\n       Did you mean 'folds'?",
    ),
}


@pytest.mark.parametrize("mistake", OWN_FILES)
def test_a_mistake_in_a_file_of_the_users_own_is_named(bench, mistake: str, tmp_path: Path) -> None:
    name, content, words, message = OWN_FILES[mistake]
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(content)
    status, _, err = bench(*words)
    assert status == 2
    assert message in err


def test_tasks_and_models_are_listed_with_where_each_comes_from_and_a_broken_one_is_said_to_be(
    bench, tmp_path: Path
) -> None:
    for name in ("configs/model/mine.yaml", "tasks/mine/task.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("nme: mine\n")
    status, out, err = bench("models")
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == sorted(
        [path.stem for path in (Path(__file__).parents[2] / "configs" / "model").glob("*.yaml")] + ["mine"]
    )
    assert any(line.startswith("mine ") and "broken: " in line and "unknown key 'nme'" in line for line in lines)
    assert any(line.strip().endswith("configs/model/logreg.yaml") for line in lines)
    status, out, err = bench("tasks")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines() if not line.startswith(" ")] == sorted([*TASKS, "mine"])
    assert "  tasks/mine/task.yaml" in out


def test_show_prints_the_configuration_as_a_run_would_see_it(bench) -> None:
    import yaml

    status, out, _ = bench("show", "config", "search=thorough", "seed=3", "model=logreg")
    assert status == 0
    shown = yaml.safe_load(out)
    assert (shown["search"], shown["seed"], shown["models"]) == (
        {"name": "thorough", "trials": 100, "timeout": None, "batch": 8},
        3,
        ["logreg"],
    )


def test_show_prints_a_model_with_what_was_typed_and_a_task_with_its_data(bench) -> None:
    status, out, _ = bench("show", "model=logreg", "model.params.max_iter=7")
    assert status == 0
    assert "max_iter: 7\n" in out
    assert "estimator.C:\n" in out
    status, out, _ = bench("show", "task=denial")
    assert status == 0
    assert "labels      denial, non_confirmation, none\n" in out


COMPLETIONS = {
    "a command": ("bench sho", ["show"]),
    "a key": ("bench run ta", ["task="]),
    "every key": (
        "bench run ",
        [
            *("task=", "model=", "search=", "validation=", "execution="),
            *("seed=", "force=", "retry=", "tracking=", "results=", "train_on=", "data.mirror=", "seeds="),
        ],
    ),
    "another task": ("bench run task=denial train_on=st", ["train_on=stance"]),
    "a task, as zsh splits": ("bench run task=st", ["task=stance"]),
    "tasks, as zsh splits": ("bench run task=", [f"task={name}" for name in (*TASKS, "all")]),
    "a second model, as zsh splits": ("bench run model=logreg,lin", ["model=logreg,linear-svm"]),
    "a task, as bash splits": ("bench run task = st", ["stance"]),
    "tasks, as bash splits": ("bench run task =", [*TASKS, "all"]),
    "a second model, as bash splits": ("bench run model = logreg,lin", ["logreg,linear-svm"]),
    "a key after a value, as bash splits": ("bench run task = stance mod", ["model="]),
    "a new word after a value, as bash splits": (
        "bench compare task = stance ",
        [
            *("task=", "model=", "metric=", "baseline=", "rope="),
            *("seed=", "seeds=", "search=", "validation=", "results="),
        ],
    ),
    "a metric to compare": ("bench compare me", ["metric="]),
    "a metric's name": ("bench compare task=stance metric=m", ["metric=macro_f1", "metric=mcc", "metric=macro_auroc"]),
    "a baseline": ("bench report baseline=maj", ["baseline=majority"]),
    "a search": ("bench run task=stance search=q", ["search=quick"]),
    "nothing for a number": ("bench run seed=", []),
    "a shell": ("bench completion z", ["zsh"]),
}


@pytest.mark.parametrize("case", COMPLETIONS)
def test_the_shell_completes(bench, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    line, expected = COMPLETIONS[case]
    words = line.split(" ")
    monkeypatch.setenv("_BENCH_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "\n".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    status, out, _ = bench()
    assert status == 0
    assert [entry.partition(",")[2] for entry in out.splitlines() if entry] == expected


def test_models_of_the_users_own_are_completed(bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "configs/model").mkdir(parents=True)
    (tmp_path / "configs/model/mine.yaml").write_text("not even looked at")
    monkeypatch.setenv("_BENCH_COMPLETE", "zsh_complete")
    monkeypatch.setenv("COMP_WORDS", "bench run model=mi")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert "model=mine" in bench()[1].splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shells_script(bench, shell: str) -> None:
    status, out, _ = bench("completion", shell)
    assert status == 0
    assert f"_BENCH_COMPLETE={shell}_complete" in out


@pytest.mark.slow
def test_a_run_that_another_process_works_on_is_waited_for_and_then_finished(
    bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["run", "task=denial", "model=majority", "tracking=false", "execution.workers=1"]
    assert bench(*words)[0] == 0
    (run,) = (record.parent for record in (tmp_path / "results/denial/majority").glob("*/run.json"))
    shutil.rmtree(run / "fold-00")
    begun, waited_for = threading.Event(), threading.Event()

    def work() -> None:
        with RunFolder(run).locked():
            begun.set()
            waited_for.wait(60)

    def doing(progress: Progress, what: str) -> None:
        told(progress, what)
        if what.startswith("waiting for another process"):
            waited_for.set()

    told = Progress.doing
    monkeypatch.setattr(Progress, "doing", doing)

    threading.Thread(target=work).start()
    begun.wait()
    status, _, _ = bench(*words)
    assert status == 0
    assert waited_for.is_set()
    assert (run / "fold-00/result.json").is_file()


def test_a_dry_run_tells_what_would_run_and_stores_nothing(bench, tmp_path: Path) -> None:
    words = ["run", "task=denial", "model=majority,complement-nb", "tracking=false"]
    status, out, _ = bench(*words, "--dry-run")
    assert status == 0
    rows = [line.split() for line in out.splitlines()]
    assert ["denial", "majority", "6", "6", "0"] in rows
    # Five outer folds of which each has four inner ones, and the final fit with five.
    assert ["denial", "complement-nb", "6", str(10 * (5 * 4 + 5) + 6), "0"] in rows
    assert f"{10 * 25 + 12} fits, on " in out
    assert "nothing was run" in out
    assert "time: " not in out  # Nothing is stored that it could be estimated from.
    assert not list(tmp_path.rglob("run.json"))


@pytest.mark.slow
def test_a_broken_result_is_made_again(bench, tmp_path: Path) -> None:
    words = ["run", "task=denial", "model=majority", "tracking=false", "execution.workers=1"]
    assert bench(*words)[0] == 0
    (result,) = (tmp_path / "results").glob("denial/majority/*/fold-00/result.json")
    result.write_text('{"fold": 0, "sta')
    status, _, err = bench(*words)
    assert status == 0
    assert "denial: 1 run, 1 of 6 folds to do" in err
    assert json.loads(result.read_text())["status"] == "ok"


@pytest.mark.parametrize("stored", [0, 1])
def test_what_is_stored_is_told_only_once_something_is(stored: int) -> None:
    progress = Progress()
    progress.stored = stored
    with pytest.raises((BenchError, OSError)) as error, resumable("run", [], Path("results"), progress):
        raise OSError(28, "No space left on device", "results/denial")
    assert "No space left on device" in str(error.value)
    assert ("Finished work is stored" in str(error.value)) == bool(stored)
    assert getattr(error.value, "exit_status", 1) == 1


def test_piped_tables_have_no_blanks_at_the_ends_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("name", "score", box=None)
    table.add_row("logreg", "")
    console().print(Padding(table, (1, 0)))
    console().print("after it")
    assert capsys.readouterr().out == "\n name    score\n logreg\n\nafter it\n"


@pytest.mark.slow
def test_in_a_process_of_its_own_a_mistake_is_a_message_and_exit_status_2(tmp_path: Path) -> None:
    status, out, err = in_a_process("run", "task=stanse", folder=tmp_path)
    assert (status, out) == (2, "")
    assert err.endswith("error: task=stanse: unknown task.\n       Did you mean 'stance'? `bench tasks` lists them.\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "error: There is not enough memory.\n"),
        (
            ModuleNotFoundError("No module named 'pandas'"),
            "error: A library cannot be loaded: No module named 'pandas'\n",
        ),
    ],
)
def test_without_memory_or_a_library_a_command_ends_with_a_message(
    error: Exception, said: str, bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object, **settings: object) -> None:
        raise error

    monkeypatch.setattr("bench.cli.cli.main", fails)
    status, out, err = bench("tasks")
    assert (status, out) == (1, "")
    assert err.startswith(said)


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from bench.cli import main\n"
        "sys.argv = ['bench', 'run', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'pandas', 'sklearn', 'scipy', 'torch', 'mlflow', 'optuna', 'datasets', 'rich'}\n"
        "heavy |= {'pydantic', 'yaml'}\n"
        "print('imported:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.splitlines()[-1] == "imported: []", done.stderr
