"""``bench completion``."""

from __future__ import annotations

import click

from bench.reporting.output import say


@click.command(
    name="completion",
    epilog="""\b
Examples:
  bench completion bash >> ~/.bashrc
  bench completion zsh >> ~/.zshrc
  bench completion fish > ~/.config/fish/completions/bench.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes commands, keys and names in SHELL."""
    from click.shell_completion import get_completion_class

    from bench.cli import cli

    kind = get_completion_class(shell)
    if kind is not None:
        script = kind(cli, {}, "bench", "_BENCH_COMPLETE").source()
        # After a key comes its value, without a space.
        say(script.replace("COMPREPLY+=($value)", "COMPREPLY+=($value); [[ $value == *= ]] && compopt -o nospace"))
