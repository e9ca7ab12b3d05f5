"""The ``bench`` command, and ``python -m bench``."""

# Whatever is imported here may be the current folder's; these two are Python's own by now.
import os
import sys


def main() -> None:
    """Run the command line, and end with it."""
    interrupts = None
    try:
        _without_current_folder()
        from bench.interrupts import Interrupts

        interrupts = Interrupts()
        from bench.support.process import own_this_process

        own_this_process()
        from bench.cli import main as run

        interrupts.call(run)
    except KeyboardInterrupt:
        status: object = _stopped()
    except SystemExit as end:
        status = end.code
    except Exception:
        if interrupts is None or not interrupts.raised:
            raise
        # A library has made another error of it.
        status = _stopped()
    if interrupts is not None and interrupts.drop_waiting():
        status = _stopped()
    _end(status if isinstance(status, int) else 0)


def _stopped() -> int:
    sys.stderr.write("Stopped.\n")
    return 130


def _without_current_folder() -> None:
    """Let no file of the current folder take the place of a library's module; a model's own are looked for there.

    ``python -m`` puts that folder first, and so does an empty place in ``PYTHONPATH``, which processes inherit.
    """
    path = os.path
    try:
        # Nothing is to be imported before this.
        here = os.getcwd()  # noqa: PTH109
    except OSError:
        return
    if here == path.dirname(path.dirname(path.abspath(__file__))):
        # A checkout of bench, whose workers may find it nowhere else.
        if sys.path[:1] == [here] and not sys.flags.safe_path:
            sys.path.append(sys.path.pop(0))
        return
    sys.path[:] = [place for place in sys.path if place not in ("", here)]
    if "PYTHONPATH" in os.environ:
        places = os.environ["PYTHONPATH"].split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join(place for place in places if place and path.abspath(place) != here)
    files = [getattr(module, "__file__", None) or "" for module in sys.modules.values()]
    if not sys.flags.safe_path and any(path.dirname(file) == here for file in files):
        # Python itself has imported some of its own modules from there on the way to this file.
        os.execv(sys.executable, [sys.executable, "-P", *sys.orig_argv[1:]])


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
