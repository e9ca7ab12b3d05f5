"""What labels that were added to a task bought, as a record and in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from bench.metrics.registry import greater_is_better, metric_title
from bench.results.protocol import seeds_text
from bench.statistics.interval import Interval
from bench.support.records import LEFT_OUT, Count, Number


@dataclass(frozen=True)
class VersionScore:
    """A score of a run, with what it is about.

    Parameters
    ----------
    version : int
        The task's version.
    n_examples : int
        How many examples that version has.
    n_scored : int
        How many of them were tested.
    score : float
        By the task's metric, as stored.
    interval : Interval or None
        Its interval, if there is one.
    """

    version: int
    n_examples: Count
    n_scored: Count
    score: Number
    interval: Interval | None


@dataclass(frozen=True, kw_only=True)
class Gain:
    """What new labels bought a model: its run on an earlier version of a task, and its run on the present one.

    Parameters
    ----------
    model, key, key_before : str
        The model, and the keys of the two runs, which have the same settings and protocol.
    metric : str
        The task's metric.
    before, now : VersionScore
        The stored scores. In general they are of different test examples.
    n_both : int
        How many examples both runs have tested.
    n_changed : int
        How many of these have another label now.
    both_before, both_now : float or None
        The two runs' scores on these examples, with the labels that they have now; None without any.
    difference : Interval or None
        The 95 % interval of the second minus the first, paired by group and corrected for refitting; None with too few
        groups, or if they do not vary.
    seeds : tuple of int
        The seeds that all scores are averaged over, of runs with several; empty for one. The keys are those of the
        first.
    """

    model: str
    key: str
    key_before: str
    metric: str
    before: VersionScore
    now: VersionScore
    n_both: Count
    n_changed: Count
    both_before: Number | None
    both_now: Number | None
    difference: Interval | None
    seeds: Annotated[tuple[int, ...], LEFT_OUT] = ()

    @property
    def same_examples(self) -> bool:
        """Whether both stored scores are of the same test examples, some of which can have another label now."""
        return self.n_both == self.before.n_scored == self.now.n_scored

    @property
    def verdict(self) -> str:
        """Whether the difference on the shared examples can be distinguished from none, in words."""
        if self.difference is None:
            return "no interval, since the groups are too few or do not vary"
        if self.difference.low <= 0 <= self.difference.high:
            return "not distinguishable from no difference"
        return "better" if (self.difference.low > 0) == greater_is_better(self.metric) else "worse"


MOST = 3
"""For how many models texts say what the labels bought."""


def gain_sentences(gains: Iterable[Gain]) -> list[str]:
    """Say what new labels bought, a line or two for each of the first models; nothing without gains."""
    found = list(gains)
    lines = [line for gain in found[:MOST] for line in _sentences(gain)]
    differ = []
    if not all(gain.same_examples for gain in found):
        differ.append("different test examples, which may be harder or easier")
    if any(gain.same_examples and gain.n_changed for gain in found):
        differ.append("the same test examples, some with other labels")
    if differ:
        lines.append(
            f"The scores of the two versions are of {', or of '.join(differ)}, so only the scores on the same examples "
            "with the same labels say what the new labels bought."
        )
    if len(found) > MOST:
        lines.append(f"leaderboard.json has the same of {len(found) - MOST} more.")
    return lines


def _sentences(gain: Gain) -> list[str]:
    before, now = gain.before, gain.now
    seeds = f" ({seeds_text(gain.seeds)})" if gain.seeds else ""
    lines = [
        f"{gain.model}, {metric_title(gain.metric)}{seeds}: version {before.version} {_score(before)}, "
        f"version {now.version} {_score(now)}."
    ]
    if gain.both_before is None or gain.both_now is None:
        lines.append("No example was tested by both runs, so what the new labels bought is not known.")
        return lines
    what = "the same" if gain.same_examples else f"the {gain.n_both:,}"
    changed = f", with today's labels ({gain.n_changed:,} changed)" if gain.n_changed else ""
    ends = "" if gain.difference is None else f" [{gain.difference.low:+.3f}, {gain.difference.high:+.3f}]"
    lines.append(
        f"On {what} examples that both tested{changed}: {gain.both_before:.3f} before, {gain.both_now:.3f} now, "
        f"difference {gain.both_now - gain.both_before:+.3f}{ends}: {gain.verdict}."
    )
    return lines


def _score(scores: VersionScore) -> str:
    ends = "" if scores.interval is None else f" [{scores.interval.low:.3f}, {scores.interval.high:.3f}]"
    tested = "" if scores.n_scored == scores.n_examples else f", {scores.n_scored:,} tested"
    return f"{scores.score:.3f}{ends} ({scores.n_examples:,} examples{tested})"
