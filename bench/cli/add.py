"""``bench add``."""

from __future__ import annotations

from pathlib import Path

import click

from bench.cli.written import asked, how_written, named_inputs
from bench.reporting.output import say


@click.command(
    name="add",
    epilog="""\b
Examples:
  bench add export.json --to my-denial
  bench add filled-in.csv --to topics
  bench add doccano.jsonl --to topics --annotator sara
""",
)
@click.argument("export", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--to", "name", metavar="NAME", required=True, help="The task that the labels are added to.")
@click.option("--annotator", metavar="NAME", help="Who gave the labels without a name, or all if one person did.")
@named_inputs
@how_written("--format")
def command(
    export: Path, name: str, annotator: str | None, text: str | None, claim: str | None, **written: str | None
) -> None:
    """Add labels that an annotation tool exported to a task.

    Reads Label Studio's JSON or JSON-MIN, doccano's JSON Lines or CSV, Prodigy's JSON Lines, or a table such as bench
    sample wrote, in any format that bench new task reads. New texts become examples. Examples that are labelled again
    get one more vote from each annotator. The task's version is raised. Your own files stay as they are: the new
    version has its own file of examples, and the old task.yaml is kept.
    """
    from bench.reporting.status import Status

    with Status("loading libraries") as status:
        from bench.labelling.adding import add_labels
        from bench.labelling.shown import print_added, print_files

        status.doing(f"reading {export}")
        added = add_labels(export, name, {"text": text, "claim": claim}, asked(written), annotator)
    print_added(added)
    print_files(added.files)
    say(f"Next: bench run task={name}")
