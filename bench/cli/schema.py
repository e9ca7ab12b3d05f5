"""``bench schema``."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from bench.reporting.output import say


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from bench.schema.export import FILES

    return [CompletionItem(name) for name in FILES if name.startswith(incomplete)]


@click.command(
    name="schema",
    epilog="""\b
Examples:
  bench schema task > task.json
  bench schema --to schemas
  bench schema model --to schemas
""",
)
@click.argument("name", required=False, shell_complete=_complete)
@click.option("--to", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to write, a file each.")
def command(name: str | None, to: Path | None) -> None:
    """Print or write the JSON Schema of a kind of file: task, model, encoder, config, search, validation or execution.

    Without a name it is all of them. An editor with a YAML language server completes and checks files by them; those
    that bench new writes name theirs.
    """
    from bench.errors import ConfigError, nearest
    from bench.schema.export import FILES, json_schema, to_text, write_schema

    if name is not None and name not in FILES:
        raise ConfigError(f"bench schema {name}: there is no such kind of file.", nearest(name, FILES))
    names = list(FILES) if name is None else [name]
    if to is not None:
        for each in names:
            say(f"Wrote {write_schema(each, to)}")
    elif name is not None:
        say(to_text(json_schema(name)), nl=False)
    else:
        say(to_text({each: json_schema(each) for each in names}), nl=False)
