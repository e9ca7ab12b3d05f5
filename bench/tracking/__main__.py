"""The tracker's process: run folders in on standard input, one JSON line out for each.

The line ``null`` names no folder: it has the store opened, and created where there is none. The
first folder does so too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from bench.errors import BenchError
from bench.results.store import RunFolder


def main() -> None:
    """Log every run folder named on standard input, a path as a JSON string a line, until it ends."""
    parser = argparse.ArgumentParser(prog="python -m bench.tracking", description=main.__doc__)
    parser.add_argument("--uri", required=True, help="the tracking URI")
    uri = parser.parse_args().uri
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from bench.tracking.run import track
    from bench.tracking.store import load_mlflow, open_store

    load_mlflow()
    client, failure = None, None
    for line in sys.stdin:
        if client is None and failure is None:
            try:
                client = open_store(uri)
            except BenchError as error:
                failure = error
        path = json.loads(line)
        if path is None:
            continue
        try:
            if client is None:
                raise failure or BenchError("no store")
            reply = {"path": path, "run_id": track(RunFolder(Path(path)), client)}
        except Exception as error:
            reply = {"path": path, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)
    # All is written; taking MLflow's modules down one by one would cost the waiting user 0.3 s.
    os._exit(0)


if __name__ == "__main__":
    main()
