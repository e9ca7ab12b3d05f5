"""``bench compare``."""

from __future__ import annotations

import click

from bench.cli.words import table_or_json, words
from bench.reporting.output import in_quotes, say


@click.command(
    name="compare",
    epilog="""\b
Examples:
  bench compare task=stance
  bench compare task=stance model=logreg,linear-svm
  bench compare task=stance baseline=majority metric=mcc
  bench compare results/stance/logreg/KEY results/stance/lexicon/KEY
  bench compare task=stance,denial,source-type
  bench compare task=stance --format json > comparison.json

\b
Keys:
  task              one name, a comma list, or all that is stored
  model             which models (all that are stored)
  baseline          the one model that all others are compared with
  metric            what is compared (the task's own metric)
  rope              differences up to this one are practically none (0.01)
  seed, search, validation.group
                    which runs, where several are stored (the last run's)
  results           where runs are stored (results)
""",
)
@words()
@table_or_json("Tables to read, or everything as JSON.")
def command(words: tuple[str, ...], form: str) -> None:
    """Say which stored run is better, and whether that is real.

    Only stored runs are read. Models are compared on the same out-of-fold predictions; the verdict on
    each pair comes from one documented rule.
    """
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.comparison.across import rank_across
        from bench.comparison.board import refresh_leaderboards
        from bench.comparison.compare import Comparison, compare
        from bench.comparison.predictions import read_side_by_side
        from bench.comparison.request import parse_compare_request
        from bench.comparison.selection import Selected, select_each
        from bench.reporting.comparison import print_comparison, print_ranks

        def compared(title: str, selected: Selected) -> Comparison:
            status.doing(f"comparing {title}")
            return compare(read_side_by_side(selected, request.metric), request.rope, request.baseline)

        request = parse_compare_request(words)
        status.doing("reading the stored runs")
        refresh_leaderboards(request)
        comparisons, left_out = select_each(request, compared)
        across = rank_across(comparisons)
    for note in left_out:
        say(f"note: {note}", err=True)
    if form == "json":
        from bench.results.files import to_json
        from bench.support.records import plain

        told = {"tasks": [plain(each) for each in comparisons], "across": None if across is None else plain(across)}
        say(in_quotes(to_json(told)), nl=False)
        return
    for comparison in comparisons:
        print_comparison(comparison)
    if across is not None:
        print_ranks(across)
