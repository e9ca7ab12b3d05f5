"""The command line: one file a command, imported when that command runs."""

from __future__ import annotations

import importlib
import keyword
import sys

import click

from bench import __version__

COMMANDS = {
    "run": "Train, cross-validate and rank models on a task.",
    "curve": "Show by learning curves whether more labels would help.",
    "compare": "Say which stored run is best, and which really differ.",
    "plan-labels": "Estimate how many labels a comparison needs.",
    "stress": "Show what breaks a model: other spellings, digits, cuts.",
    "report": "Write one HTML page about stored runs, to send to others.",
    "cite": "State the protocol of stored runs, with its references.",
    "predict": "Label new text with a stored run's fitted model.",
    "estimate": "Say how much of an archive has each label, with intervals.",
    "sample": "Draw texts to label next, with known probabilities.",
    "add": "Add labels that an annotation tool exported to a task.",
    "suspects": "List labels that are worth a second look.",
    "runs": "List the stored runs, or remove some.",
    "tasks": "List the tasks.",
    "models": "List the models.",
    "encoders": "List pretrained encoders, or fetch one.",
    "show": "Print a task, a model or the configuration, resolved.",
    "check": "Check a task's data, or that a model follows the rules.",
    "export": "Write a task, or stored runs, for others.",
    "import": "Store runs that were exported on another machine.",
    "new": "Start a task or a model of your own.",
    "schema": "Print the JSON Schema of a file that you write, for editors.",
    "cluster": "Make the certificates of a cluster of several machines.",
    "ui": "Open MLflow on the stored runs.",
    "doctor": "Say what is installed here and what is missing.",
    "completion": "Print the script that completes commands in your shell.",
}

EPILOG = """\b
Examples:
  bench run task=stance
  bench run task=stance model=logreg,linear-svm search=thorough seed=3
  bench models
  bench ui
"""


def _module_of(command: str) -> str:
    """The module of a command, whose name may be a word of Python."""
    name = command.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"bench.cli.{_module_of(cmd_name)}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from bench.errors import ConfigError, nearest

            raise ConfigError(f"bench {args[0]}: unknown command.", nearest(args[0], COMMANDS))
        name, command, words = super().resolve_command(ctx, args)
        if command is not None and not ctx.resilient_parsing:
            from bench.cli.once import refuse_repeats

            refuse_repeats(command, ctx, words)
        return name, command, words

    def invoke(self, ctx: click.Context) -> object:
        # Click would print an empty line for Ctrl-C, and end with status 1 where the reader of a pipe has gone.
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except KeyboardInterrupt:
            raise _Stopped from None
        except OSError as error:
            raise _Refused(error) from error
        except EOFError as error:  # Click would take it for Ctrl-C.
            from bench.errors import BenchError

            raise BenchError(
                f"Data from another process or a file ended early: {error}.", "Run the same command again."
            ) from error
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bench")
def cli() -> None:
    """Benchmark text classifiers on small labelled Arabic corpora.

    Hyper-parameters are chosen on inner folds, groups are never split, scores have intervals, and every run is stored,
    can be resumed and is tracked with MLflow.
    """


class _Stopped(Exception):  # noqa: N818
    """The user, or the system, ends the command."""


class _Refused(Exception):  # noqa: N818
    """The operating system refused something."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


def main() -> None:
    """Run the command line; a user's mistake ends with a message and exit status 2, Ctrl-C and SIGTERM with 130."""
    from bench.cli.streams import prepare_streams, tell_stopped
    from bench.reporting.output import escape_warnings

    prepare_streams()
    escape_warnings()
    try:
        _run()
    except (KeyboardInterrupt, click.Abort, _Stopped):
        tell_stopped("Stopped.")
        sys.exit(130)


def _run() -> None:
    from bench.errors import BenchError, UserError

    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="bench"))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(UserError.exit_status)
    except click.ClickException as error:
        fail("\n".join([error.format_message(), *_usage(error)]), UserError.exit_status)
    except BenchError as error:
        fail(str(error), error.exit_status)
    except _Refused as refusal:
        _explain(refusal.error)
    except OSError as error:
        _explain(error)
    except MemoryError:
        fail("There is not enough memory.\nClose other programs, or raise the limit of this one (ulimit -v).", 1)
    except ImportError as error:
        # A package that is missing or damaged, or for which there is no memory.
        fail(f"A library cannot be loaded: {error}\n`bench doctor` says what is installed.", 1)


def _explain(error: OSError) -> None:
    """Say what the operating system refused; a reader that has gone had enough, which is not a failure."""
    from bench.cli.streams import BROKEN, abandon_output
    from bench.errors import UserError, describe_os_error
    from bench.support.cache import CACHE_VARIABLE, cache_folder
    from bench.support.places import refused

    if error.filename is None:
        abandon_output()
    if error.filename is None and error.errno in BROKEN:
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        fail("Standard output is closed, so nothing can be printed.", UserError.exit_status)
    told = refused(error, {f"{CACHE_VARIABLE}={cache_folder()}": cache_folder()})
    if told is not None:
        fail(str(told), told.exit_status)
    fail(describe_os_error(error), 1)


def _usage(error: click.ClickException) -> list[str]:
    """What the command takes that click refuses words of."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is None:
        return []
    return [*context.get_usage().splitlines(), f"Try '{context.command_path} --help' for help."]


def fail(message: str, status: int) -> None:
    """Print an error and end."""
    from bench.reporting.output import say, styled

    first, *rest = message.rstrip("\n").split("\n")
    say(styled("error: ", fg="red", bold=True, reset=False), styled("", reset=True), first, err=True)
    for line in rest:
        say(f"       {line}", err=True)
    sys.exit(status)
