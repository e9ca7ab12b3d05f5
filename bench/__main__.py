"""The ``bench`` command, and ``python -m bench``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line, and end with it."""
    _current_folder_last()
    try:
        from bench.support.process import own_this_process

        own_this_process()
        from bench.cli import main as run

        run()
    except KeyboardInterrupt:
        # Ctrl-C while the command line itself is imported.
        sys.stderr.write("Stopped.\n")
        status: object = 130
    except SystemExit as end:
        status = end.code
    _end(status if isinstance(status, int) else 0)


def _current_folder_last() -> None:
    """Let no file of the current folder, which ``python -m`` puts first, take the place of a library's module."""
    try:
        # Nothing is to be imported before this.
        here = os.getcwd()  # noqa: PTH109
    except OSError:
        return
    if sys.path[:1] in ([""], [here]) and not sys.flags.safe_path:
        sys.path.append(sys.path.pop(0))


def _end(status: int) -> None:
    """End the process, also where a model's class has left a thread running that Python would wait for."""
    threading = sys.modules.get("threading")
    if threading is None or all(thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()):
        sys.exit(status)
    import atexit

    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(status)


if __name__ == "__main__":
    main()
