"""The report's page: stored runs gathered as plain data, and rendered."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from bench.catalogue import load_task
from bench.comparison.compare import Comparison
from bench.comparison.compared import ComparedRuns
from bench.comparison.suspects import Suspect
from bench.data.task import Task
from bench.errors import UserError
from bench.evaluation.explanations import STRONGEST
from bench.metrics.registry import metric_title
from bench.reporting.comparison import with_published
from bench.reporting.html.charts import Chart, Score, interval_chart
from bench.reporting.html.curves import learning_curves, searches
from bench.reporting.html.environment import page_parts, template_environment
from bench.reporting.html.errors import BrowserData, browser_data, spell_error, spell_example, to_script
from bench.reporting.html.forest import forest_charts
from bench.reporting.html.periods import period_charts
from bench.reporting.html.scores import calibration, confusion_tables, group_scores
from bench.reporting.html.shares import archive_shares
from bench.reporting.html.stress import stress_tests
from bench.reporting.periods import CAUTION, absent_sentences
from bench.reporting.shares import ASSUMPTION as SHARE_ASSUMPTION
from bench.reporting.slices import slice_rows, slices_told, worst_sentences
from bench.reporting.wording import ASSUMPTION, answer, needed_sentence
from bench.results.board import RANKS, BoardRow, best_sentence, columns, published_rows, published_sources
from bench.results.extent import chosen_on, extent, predictions, split_sizes, validation
from bench.results.gains import gain_sentences
from bench.results.record import Period, RunRecord, TaskRecord
from bench.statistics.interval import Interval

FIRST_ERRORS = 20
"""Errors that stand in the page before its script runs."""

MOST_SUSPECTS = 40
"""Suspects that are listed; the error browser finds all."""


def render_report(runs: ComparedRuns, comparison: Comparison) -> str:
    """Make the page about runs and their comparison.

    Parameters
    ----------
    runs : ComparedRuns
        The runs.
    comparison : Comparison
        Their comparison.

    Returns
    -------
    str
        The page, the same for the same stored runs. The texts come from the task's own files, and are
        left out, which the page says, where these are gone or no longer those of the runs.
    """
    task, without_texts = _task_of(runs)
    one = runs.first_seed()
    data = browser_data(one, task, comparison.suspects)
    return (
        template_environment()
        .get_template("page.html.jinja")
        .render(
            **page_parts("scroll.js", "errors.js"),
            data=to_script(data),
            without_texts=without_texts,
            comparison=comparison,
            task=runs.task,
            labels=runs.labels,
            metric=runs.metric.title,
            lower_is_better=not runs.metric.greater_is_better,
            title=lambda name: metric_title(name, runs.task),
            metrics=_columns(comparison),
            names=[run.name for run in runs.runs],
            summaries=[run.summary for run in one.runs],
            answer=answer(comparison),
            differences=forest_charts(comparison),
            periods=period_charts(comparison),
            period_caution=CAUTION,
            without_score=absent_sentences(comparison),
            slices=slice_rows(comparison),
            worst=worst_sentences(comparison),
            slices_told=slices_told(comparison),
            flattered=best_sentence(comparison.best),
            bought=gain_sentences(comparison.gains),
            ranks=RANKS[:1].upper() + RANKS[1:],
            needed=_needed(comparison),
            assumption=ASSUMPTION,
            facts=_facts(runs, comparison),
            run_notes=_run_notes(runs),
            ranking=_ranking(runs, comparison),
            verdicts={(pair.first, pair.second): pair for pair in comparison.pairs},
            confusions=confusion_tables(one),
            by_group=group_scores(one),
            calibration=calibration(one),
            searches=searches(runs, comparison),
            learning=learning_curves(runs),
            archives=archive_shares(runs),
            share_assumption=SHARE_ASSUMPTION,
            stress=stress_tests(runs),
            suspects=_suspects(data, comparison.suspects),
            more_suspects=max(0, len(comparison.suspects) - MOST_SUSPECTS),
            counts=[len(run["example"]) for run in data["runs"]],
            errors=[spell_error(data, 0, place) for place in range(min(FIRST_ERRORS, len(data["runs"][0]["example"])))],
            explained=[run["name"] for run in data["runs"] if run["explained"] is not None],
            named=data["named"],
            strongest=STRONGEST,
            runs=[_provenance(run.name, run.folder.key, run.record) for run in runs.runs],
            label_counts=_label_counts(one),
            first_seed=one.runs[0].record.seed if runs.seeds else None,
            published=bool(split_sizes(runs.task)),
            predictions=predictions(runs.task),
            chosen_on=chosen_on(runs.task),
            by_fold=comparison.n_folds > 1,
        )
    )


def _task_of(runs: ComparedRuns) -> tuple[Task | None, str | None]:
    """The task with its texts, or why the page has none."""
    name = runs.task.name
    try:
        task = load_task(name)
    except UserError:
        return None, (
            f"The texts are not shown: task {name} could not be read where this page was made; "
            f"bench show task={name} says why."
        )
    if task.digest != runs.task.digest:
        return None, (
            f"The texts are not shown: the data of task {name} have changed since the runs (digest "
            f"{task.digest[:12]}, then {runs.task.digest[:12]}). bench run task={name} reruns it."
        )
    return task, None


def _facts(runs: ComparedRuns, comparison: Comparison) -> list[tuple[str, str]]:
    task = runs.task
    records = [run.record for run in runs.runs]
    days = sorted({record.started[:10] for record in records})
    repeats = (
        f"; repeated {comparison.validation.repeats} times"
        if comparison.validation.repeats > 1 and not split_sizes(task)
        else ""
    )
    less = "" if runs.metric.greater_is_better else " (less is better)"
    counts = [f"{label} {count:,}" for label, count in _label_counts(runs).items()]
    return [
        ("Task", f"{task.name}, version {task.version}: {task.description}"),
        ("Examples", _examples(task, comparison.periods)),
        ("Labels", f"{'in test: ' if split_sizes(task) or comparison.periods else ''}{', '.join(counts)}"),
        (
            "Metric",
            f"{runs.metric.title}{less}, 95 % intervals by group",
        ),
        (
            "Validation",
            f"{validation(task, comparison.n_folds, comparison.searched, comparison.periods)}{repeats}",
        ),
        ("Seeds", ", ".join(map(str, comparison.seeds))) if comparison.seeds else ("Seed", str(comparison.seed)),
        ("Runs", f"{len(records)}, made {days[0] if len(days) == 1 else f'{days[0]} to {days[-1]}'}"),
        ("Data digest", task.digest[:16]),
        ("Versions", _versions(records)),
    ]


def _examples(task: TaskRecord, periods: Sequence[Period]) -> str:
    if split_sizes(task) or periods:
        return extent(task, periods)
    return f"{task.n_examples:,}, in {task.n_groups:,} groups ({task.group})"


def _label_counts(runs: ComparedRuns) -> dict[str, int]:
    counts = Counter(runs.true[runs.once].tolist())
    return {label: counts[code] for code, label in enumerate(runs.labels)}


def _versions(records: Sequence[RunRecord]) -> str:
    """Python and the libraries; all versions where runs were made with several."""
    found: dict[str, list[str]] = {}
    for record in records:
        environment = record.environment
        for name, version in {"Python": environment.python, **environment.packages}.items():
            if version not in found.setdefault(name, []):
                found[name].append(version)
    return ", ".join(f"{name} {' and '.join(sorted(map(str, versions)))}" for name, versions in found.items())


@dataclass(frozen=True, kw_only=True)
class _RankedRow:
    """A row of the ranking; ``mark`` says in a word how it stands to the best."""

    name: str
    kind: Literal["model", "published"]
    score: float
    scores: Mapping[str, float]
    interval: Interval | None = None
    ranks: tuple[int, int] | None = None
    search: str | None = None
    seed_deviation: float | None = None
    mark: str


def _columns(comparison: Comparison) -> list[str]:
    """The metrics that the ranking shows, the compared one first."""
    return columns(comparison.metric, [row.scores for row in comparison.rows])


def _ranking(runs: ComparedRuns, comparison: Comparison) -> dict[str, object]:
    """The leaderboard's rows, each marked in words, and its chart."""
    best, metric = comparison.rows[0].name, runs.metric.name
    verdicts = {frozenset((pair.first, pair.second)): pair.verdict for pair in comparison.pairs}
    marks = {"better": "worse", "practically equal": "equal", "undecided": "undecided", None: ""}
    rows = []
    for row in with_published(comparison):
        if isinstance(row, BoardRow):
            score = row.scores[metric]
            rows.append(_RankedRow(name=row.label, kind="published", score=score, scores=row.scores, mark="published"))
            continue
        mark = "best" if row.name == best else marks[verdicts.get(frozenset((best, row.name)))]
        rows.append(
            _RankedRow(
                name=row.name,
                kind="model",
                score=row.score,
                scores=row.scores,
                interval=row.interval,
                ranks=row.ranks,
                search=row.search,
                seed_deviation=row.seed_deviation,
                mark=mark,
            )
        )
    references = [row for row in comparison.references if metric in row.scores]
    scores = [_as_score(row.name, row.score, row.interval, row.mark, row.kind == "published") for row in rows]
    scores += [
        _as_score(f"{row.name} vs others", row.scores[metric], row.intervals.get(metric), "reference", True)
        for row in references
    ]
    return {
        "rows": rows,
        "references": references,
        "sources": published_sources(published_rows(comparison.task, metric)),
        "chart": _interval_chart(scores, runs.metric.title),
    }


def _as_score(name: str, value: float, interval: Interval | None, note: str, reference: bool) -> Score:
    low, high = (None, None) if interval is None else (interval.low, interval.high)
    return Score(name, value, low, high, note, reference)


def _interval_chart(scores: Sequence[Score], metric: str) -> Chart:
    return interval_chart(scores, f"{metric} with 95 % intervals", metric)


def _needed(comparison: Comparison) -> list[str]:
    """Say what would decide the undecided pairs of the best run, or of the baseline."""
    first = comparison.baseline or comparison.rows[0].name
    said = [needed_sentence(pair, comparison.task) for pair in comparison.pairs if first in (pair.first, pair.second)]
    return [sentence for sentence in said if sentence is not None]


def _run_notes(runs: ComparedRuns) -> list[tuple[str, str]]:
    """The runs' notes, each once with the names of the runs that have it."""
    named: dict[str, list[str]] = {}
    for run in runs.runs:
        for note in run.summary.notes:
            named.setdefault(note, []).append(run.name)
    return [("all" if len(who) == len(runs.runs) else ", ".join(who), note) for note, who in named.items()]


def _suspects(data: BrowserData, suspects: Sequence[Suspect]) -> list[dict[str, object]]:
    place = {name: number for number, name in enumerate(data["examples"]["id"])}
    return [{**asdict(suspect), **spell_example(data, place[suspect.id])} for suspect in suspects[:MOST_SUSPECTS]]


def _provenance(name: str, key: str, record: RunRecord) -> dict[str, str]:
    git = record.environment.git
    return {
        "name": name,
        "description": record.model.description,
        "search": f"{record.search.name}, {record.search.trials} trials" if record.model.search else "none",
        "key": key,
        "started": record.started[:16].replace("T", " "),
        "commit": f"{git.commit[:10]}{', with changes' if git.dirty else ''}" if git and git.commit else "",
        "command": _without_store(record.command),
    }


def _without_store(command: str) -> str:
    """A command without the words that say where the runs are stored, so that the page holds no path of the store.

    Examples
    --------
    >>> _without_store("bench run task=stance results=/home/me/runs seed=3")
    'bench run task=stance seed=3'
    """
    if "results=" not in command:
        return command
    try:
        return shlex.join(word for word in shlex.split(command) if not word.startswith("results="))
    except ValueError:
        return ""
