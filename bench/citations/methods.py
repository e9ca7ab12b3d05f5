"""The protocol of stored runs as a paragraph for a paper, with the references of what was used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.citations.bibliography import SOFTWARE, Entry, by_key, of_task, owned_by
from bench.comparison.request import ROPE
from bench.comparison.selection import Selected
from bench.comparison.verdict import LEVEL
from bench.data.splits import FEW_GROUPS, n_dealt
from bench.errors import UserError
from bench.metrics.averaged import mean_over
from bench.metrics.registry import metric_title
from bench.models.parameter_names import encoders_of
from bench.planning.plan import BASELINE
from bench.results.extent import split_sizes
from bench.results.protocol import model_name, search_name
from bench.results.record import ModelRecord, RunRecord
from bench.results.store import RunFolder
from bench.statistics.interval import FEWEST
from bench.statistics.paired import FEWEST_GROUPS

CITED = re.compile(r"\[@([^\]]+)\]")
"""How a paragraph cites: as Pandoc reads it, ``[@key; @key]``."""

STARTUP = 10
"""Settings that Optuna's sampler draws at random before it proposes any."""

SHARES = ("macro_f1", "accuracy", "balanced_accuracy", "f_avg", "brier")
"""Metrics whose intervals are made of those of shares; the F1 of one label is another."""


@dataclass(frozen=True)
class Methods:
    """What a paper says of the stored runs of one task.

    Parameters
    ----------
    task : str
        The task.
    models : tuple of str
        The models.
    paragraph : str
        The protocol, in Markdown with citations as Pandoc reads them.
    entries : tuple of Entry
        What the paragraph cites, in its order, each once.
    """

    task: str
    models: tuple[str, ...]
    paragraph: str
    entries: tuple[Entry, ...]


def describe_methods(
    selected: Selected, metric: str | None = None, baseline: str | None = None, rope: float = ROPE
) -> Methods:
    """State the protocol of stored runs that compare.

    Parameters
    ----------
    selected : Selected
        Finished runs of one task under one protocol.
    metric : str or None
        What is compared; None is the task's own metric.
    baseline : str or None
        The model that all others are compared with; None compares each with each.
    rope : float
        Differences up to this one are practically none.
    """
    runs = [(folder, record) for folder, record in selected.runs]
    first = runs[0][1]
    records = [record for _, record in runs]
    of_data = list({entry.key: entry for record in records for entry in task_entries(record)}.values())
    models = [(model_name(record), model_entries(record.model)) for record in records]
    sentences = [
        _about_data(records, of_data),
        _about_models(models),
        *_about_folds(runs[0][0], records),
        *_about_search(records),
        *_about_adjustments(records),
        _about_scores(first, metric or first.task.metric),
        *_about_intervals(first, [folder for folder, _ in runs], metric or first.task.metric),
        *_about_tests(records, baseline, rope),
        *_about_seeds(selected),
        _about_software(records, len(selected.further) > 0),
    ]
    paragraph = " ".join(filter(None, sentences))
    known = {entry.key: entry for entry in (*of_data, *(entry for _, entries in models for entry in entries))}
    keys = dict.fromkeys(key.strip().lstrip("@") for found in CITED.findall(paragraph) for key in found.split(";"))
    entries = [known[key] if key in known else by_key([key])[0] for key in keys]
    return Methods(first.task.name, tuple(name for name, _ in models), paragraph, tuple(entries))


def as_text(methods: Methods) -> str:
    """The paragraph with authors and years, and the list of references below it."""
    labels = {entry.key: entry.label for entry in methods.entries}
    paragraph = CITED.sub(
        lambda found: f"({'; '.join(labels[key.strip().lstrip('@')] for key in found[1].split(';'))})",
        methods.paragraph,
    )
    references = "\n".join(f"- {entry.to_text()}" for entry in methods.entries)
    return f"{paragraph.replace('`', '')}\n\nReferences\n\n{references}\n"


def as_latex(methods: Methods) -> str:
    r"""The paragraph for LaTeX with natbib: citations are ``\citep``."""
    parts, place = [], 0
    for found in CITED.finditer(methods.paragraph):
        parts.append(_latex(methods.paragraph[place : found.start()]))
        parts.append(f"\\citep{{{','.join(key.strip().lstrip('@') for key in found[1].split(';'))}}}")
        place = found.end()
    return "".join([*parts, _latex(methods.paragraph[place:])]) + "\n"


def task_entries(record: RunRecord) -> list[Entry]:
    """What to cite for the data of a run: what the tasks' files here say, of the other task that trains too."""
    return [entry for name in _tasks_of(record) for entry in _of_task_here(name)]


def model_entries(model: ModelRecord) -> list[Entry]:
    """What to cite for a model: its class, its features and its encoders."""
    owners = [f"estimator:{model.estimator}", f"features:{model.features}"]
    encoders = encoders_of(model.params, model.search)
    return owned_by(*owners, *(f"encoder:{name}" for name in encoders))


def _tasks_of(record: RunRecord) -> list[str]:
    return [record.task.name, *([record.train_on.task] if record.train_on else [])]


def _of_task_here(name: str) -> list[Entry]:
    from bench.data.definition import read_definition
    from bench.discovery import task_files

    path = task_files().get(name)
    if path is None:
        return of_task(name)
    try:
        content = read_definition(path)
    except UserError:
        return of_task(name)
    return of_task(name, str(content.get("citation") or ""), str(content.get("homepage") or ""))


def _cite(*keys: str) -> str:
    return f" [{'; '.join(f'@{key}' for key in keys)}]" if keys else ""


def _about_data(records: Sequence[RunRecord], entries: Sequence[Entry]) -> str:
    task = records[0].task
    grouped = ", each its own group" if task.group == "id" else f" in {task.n_groups:,} groups by `{task.group}`"
    what = f"{task.n_examples:,} examples{grouped}, {len(task.labels)} labels"
    said = f"Models are compared on the task `{task.name}`{_cite(*(entry.key for entry in entries))} (version "
    said += f"{task.version}; {what}; SHA-256 of the data {task.digest[:12]}…)."
    for record in records:
        if other := record.train_on:
            instead = "in place of the task's own" if other.only else "beside the task's own"
            said += f" {other.n_examples:,} examples of `{other.task}` train `{model_name(record)}` {instead}."
    return said


def _about_models(models: Sequence[tuple[str, Sequence[Entry]]]) -> str:
    named = [f"`{name}`{_cite(*(entry.key for entry in entries))}" for name, entries in models]
    return f"The model{'s are' if len(named) > 1 else ' is'} {_and(named)}."


def _about_folds(folder: RunFolder, records: Sequence[RunRecord]) -> list[str]:
    record = records[0]
    task, validation = record.task, record.validation
    if sizes := split_sizes(task):
        used = f"The {len(sizes)} published folds are used."
        if len(sizes) == 1:
            kinds = {"training": sizes[0].train, "development": sizes[0].dev, "test": sizes[0].test}
            parts = [f"{count:,} {kind}" for kind, count in kinds.items() if count]
            used = f"The published split is used ({_and(parts)} examples)."
        chosen = "the development part" if all(size.dev for size in sizes) else "inner folds of the training part"
        return [used, *([f"Settings are chosen on {chosen}."] if _searches(records) else [])]
    whole = "" if task.group == "id" else ", and no group is on both sides of a split"
    folds = record.folds
    if record.periods:
        return _forward(record, whole, searched=bool(_searches(records)))
    if task.n_groups == n_dealt(task.n_groups, validation.folds):
        dealt = f"{folds} outer folds, each of which leaves one group out"
    else:
        repeats = validation.repeats
        dealt = f"{folds // repeats} stratified outer folds" + (f", dealt {repeats} times" if repeats > 1 else "")
    searched = _searches(records)
    kind = f"nested{_cite('varma2006bias', 'cawley2010over')}" if searched else "a cross-validation"
    tested = "Each model is tested once on each test part" + (
        ", which has no part in the choice of its setting." if searched else "."
    )
    own = next((each for each in searched if each.train_on is None), searched[0] if searched else record)
    return [
        f"Validation is {kind}: there are {dealt}{whole}.",
        tested,
        *(_about_inner_folds(folder, own) if searched else []),
    ]


def _forward(record: RunRecord, whole: str, searched: bool) -> list[str]:
    periods = record.periods
    tested = sum(period.n_test for period in periods)
    last = max(period.tested_to for period in periods)
    return [
        f"Validation is forward in time: training ends at {len(periods)} points in time, and the test part of each has "
        f"what begins between it and the next{whole}. Of {record.task.n_examples:,} examples, {tested:,} are tested, "
        f"from {periods[0].tested_from} to {last}.",
        *(
            ["Settings are chosen on inner folds of the training part that are forward in time too."]
            if searched
            else []
        ),
    ]


def _about_inner_folds(folder: RunFolder, record: RunRecord) -> list[str]:
    """How settings are chosen within a training part, as the sizes of the training parts decide it."""
    if record.train_on is not None:
        return ["Settings are chosen on inner folds of the training part."]
    tested = [folder.read_predictions(fold)["group"].nunique() for fold in range(record.folds)]
    training = [record.task.n_groups - count for count in tested]
    inner = sorted({n_dealt(count, record.validation.inner_folds) for count in training})
    if inner == [1]:
        return ["A training part holds one group, so nothing is searched."]
    number = f"{inner[0]}" if len(inner) == 1 else f"{inner[0]} to {inner[-1]}"
    each = ", one group each" if max(training) <= FEW_GROUPS else ""
    return [f"Settings are chosen on {number} inner folds of the training part{each}."]


def _searches(records: Sequence[RunRecord]) -> list[RunRecord]:
    return [record for record in records if record.model.search and record.search.trials]


def _about_search(records: Sequence[RunRecord]) -> list[str]:
    searched = _searches(records)
    if not searched:
        return ["No hyper-parameters are searched."]
    budgets = {(record.search.trials, record.search.batch, record.search.timeout): record for record in searched}
    parts = []
    for trials, batch, timeout in sorted(budgets, key=str):
        alike = [
            model_name(record)
            for record in searched
            if (record.search.trials, record.search.batch, record.search.timeout) == (trials, batch, timeout)
        ]
        whose = "" if len(budgets) == 1 else f" for {_and([f'`{name}`' for name in alike])}"
        rounds = f" in rounds of {batch}" if batch > 1 else ""
        limit = f", stopped after {timeout:g} s of fitting" if timeout else ""
        parts.append(f"{trials} settings a fold{rounds}{limit}{whose}")
    if max(record.search.trials for record in searched) <= STARTUP:
        said = f"Optuna{_cite('akiba2019optuna')} draws {_and(parts)} at random"
    else:
        said = "After random settings at the start, the tree-structured Parzen estimator"
        said += f"{_cite('bergstra2011algorithms')} of Optuna{_cite('akiba2019optuna')} proposes them: {_and(parts)}"
    said += "; the setting with the best inner score is taken."
    if pruned := [model_name(record) for record in searched if record.model.prune]:
        names = _and([f"`{name}`" for name in dict.fromkeys(pruned)])
        said += f" The median rule{_cite('golovin2017google')} stops settings of {names} early."
    fixed = [f"`{model_name(each)}`" for each in records if search_name(each) is None and each.model.name != BASELINE]
    return [said, *([f"Nothing is searched for {_and(fixed)}."] if fixed else [])]


def _about_adjustments(records: Sequence[RunRecord]) -> list[str]:
    said = {
        "calibrate": f"are scaled by a temperature{_cite('guo2017calibration')}",
        "thresholds": "are shifted label by label before a label is predicted, so that it scores best",
    }
    sentences = []
    for name, done in said.items():
        parameter = f"estimator.{name}"
        fixed = [each for each in records if each.model.params.get(parameter) and parameter not in each.model.search]
        tried = [each for each in records if parameter in each.model.search]
        for models, how in ((fixed, done), (tried, f"{done} where the search chooses so")):
            if models:
                names = _and([f"`{model_name(each)}`" for each in models])
                sentences.append(
                    f"Probabilities of {names} {how}, which is fitted on inner folds of the training part."
                )
    return sentences


def _about_seeds(selected: Selected) -> list[str]:
    if not selected.further:
        return []
    seeds = [record.seed for _, record in (selected.runs[0], *selected.further[0])]
    return [
        f"Each model is run with the seeds {_and([str(seed) for seed in seeds])}; scores are means over them, and "
        f"intervals and tests are about these means{_cite('bouthillier2021accounting')}."
    ]


def _about_scores(record: RunRecord, metric: str) -> str:
    task = record.task
    title = f"{metric_title(metric)}{mean_over(task.averaged_over) if metric == task.metric else ''}"
    if metric in ("average_precision", "macro_auroc"):
        return f"Models are ranked by {title}, computed within each test part and averaged{_cite('forman2010apples')}."
    pooled = (
        "the predictions of the test part"
        if len(split_sizes(task)) == 1
        else "the pooled predictions of all test parts"
    )
    return f"Models are ranked by {title} over {pooled}{_cite('forman2010apples')}."


def _about_intervals(record: RunRecord, folders: Sequence[RunFolder], metric: str) -> list[str]:
    summaries = [folder.read_summary() for folder in folders]
    with_interval = [metric in summary.intervals for summary in summaries]
    few = f"no interval is given where a label is in fewer than {FEWEST:g} groups in effect"
    if not any(with_interval):
        return [f"The scores have no intervals: {few}."]
    averaged = record.task.averaged_over and metric == record.task.metric
    how = None if averaged else _interval_method(metric)
    said = f"Scores have 95 % intervals over groups{f', {how}' if how else ''}"
    return [said + ("." if all(with_interval) else f"; {few}.")]


def _interval_method(metric: str) -> str | None:
    if metric == "mcc":
        return f"from the jackknife on Fisher's scale{_cite('gorodkin2004comparing')}"
    if metric == "log_loss":
        return f"Student's on the logarithmic scale{_cite('welch1947generalization')}"
    if metric == "expected_calibration_error":
        return f"from the jackknife over groups{_cite('kumar2019verified')}"
    if metric not in SHARES and not metric.startswith("f1_"):
        return "from the influence function"
    keys = ["wilson1927probable", "kish1965survey", "satterthwaite1946approximate"]
    said = f"Wilson's with the effective number of groups{_cite(*keys)}"
    if metric in ("macro_f1", "f_avg") or metric.startswith("f1_"):
        said += f", of F1 by the share that it stands for{_cite('hand2021fstar')}"
    if metric in ("macro_f1", "f_avg", "balanced_accuracy"):
        said += f", combined over labels{_cite('zou2008construction')}"
    return said


def _about_tests(records: Sequence[RunRecord], baseline: str | None, rope: float) -> list[str]:
    if len(records) < 2:
        return []
    best = f"The best score is also corrected for its having been picked{_cite('tsamardinos2018bootstrapping')}."
    if records[0].task.n_groups < FEWEST_GROUPS:
        return [f"With fewer than {FEWEST_GROUPS} groups differences between models are not tested.", best]
    families = ""
    if baseline is not None:
        families = f" over the comparisons with `{baseline}`"
    elif any(each.model.name == BASELINE for each in records) and len(records) > 2:
        families = "; the comparisons with the majority baseline are a family of their own"
    tested = "the paired bootstrap by group" + _cite("field2007bootstrapping", "cameron2008bootstrap")
    enlarged = "the variance enlarged for overlapping training parts" + _cite("nadeau2003inference")
    adjusted = "p-values adjusted by the step-down of the largest statistic" + _cite("romano2005exact")
    equal = f"two one-sided tests{_cite('schuirmann1987comparison')} reject a difference of more than {rope:g}"
    return [
        f"Differences between models are tested with {tested}, with {enlarged} and {adjusted}{families}.",
        f"A model is called better where equality is rejected at {LEVEL * 100:g} %; two models are practically equal "
        f"where {equal}{_cite('benavoli2017time')}.",
        best,
    ]


def _about_software(records: Sequence[RunRecord], several_seeds: bool) -> str:
    used = [("scikit-learn", "scikit-learn", "pedregosa2011scikit")]
    if _searches(records):
        used.append(("optuna", "Optuna", ""))
    if any(record.model.features for record in records):
        used.append(("camel-tools", "CAMeL Tools", "obeid2020camel"))
    parts = [f"bench {_versions(records, 'bench')}".strip() + _cite(SOFTWARE)]
    parts += [f"{title} {_versions(records, name)}{_cite(*filter(None, [key]))}" for name, title, key in used]
    python = " or ".join(sorted({record.environment.python for record in records}))
    seed = "" if several_seeds else f"seed {records[0].seed}, "
    return f"All runs use {seed}Python {python}, {_and(parts)}."


def _versions(records: Sequence[RunRecord], package: str) -> str:
    found = {record.environment.packages.get(package) for record in records}
    return " or ".join(sorted(filter(None, found)))


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


def _latex(text: str) -> str:
    escaped = re.sub(r"([%&_#$])", r"\\\1", text.replace("\\", r"\textbackslash "))
    escaped = re.sub(r"`([^`]*)`", r"\\texttt{\1}", escaped)
    return escaped.replace("…", r"\ldots{}").replace(" \\%", r"\,\%")
