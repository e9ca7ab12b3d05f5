"""``bench cite``."""

from __future__ import annotations

import click

from bench.cli.words import words
from bench.reporting.output import in_quotes, say

FORMATS = ("text", "markdown", "latex", "bibtex", "json")


@click.command(
    name="cite",
    epilog="""\b
Examples:
  bench cite task=stance
  bench cite task=stance model=logreg,linear-svm --format latex > methods.tex
  bench cite task=stance --format bibtex > references.bib
  bench cite task=stance,denial results=~/study/results

\b
Keys:
  task          one name, a comma list, or all that is stored
  model         which models (all that are stored)
  metric, baseline, rope, seed, search, validation
                as for bench compare
  results       where runs are stored (results)
""",
)
@words()
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="markdown cites as Pandoc reads it, latex with \\citep; bibtex has the entries.",
)
def command(words: tuple[str, ...], form: str) -> None:
    """State the protocol of stored runs in a paragraph, with its references.

    The numbers of folds and groups, the search, the intervals and the tests are those that the runs were made with.
    The references are those of the task's data, the models and the methods.
    """
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.citations.methods import Methods, as_latex, as_text, describe_methods
        from bench.comparison.request import parse_compare_request
        from bench.comparison.selection import Selected, select_each

        request = parse_compare_request(words, several_seeds=True)
        status.doing("reading the stored runs")
        notes = list[str]()

        def described_methods(title: str, selected: Selected) -> Methods:
            notes.extend(f"{title}: {note}" for note in selected.notes)
            return describe_methods(selected, request.metric, request.baseline, request.rope)

        described, left_out = select_each(request, described_methods)
    for note in (*left_out, *notes):
        say(f"note: {note}", err=True)
    if form == "bibtex":
        entries = {entry.key: entry for methods in described for entry in methods.entries}
        say("\n".join(entry.to_bibtex() for entry in entries.values()), nl=False)
    elif form == "json":
        from bench.results.files import to_json
        from bench.support.records import plain

        say(in_quotes(to_json([plain(methods) for methods in described])), nl=False)
    else:
        written = {"text": as_text, "latex": as_latex, "markdown": lambda methods: f"{methods.paragraph}\n"}[form]
        say("\n".join(written(methods) for methods in described), nl=False)
