"""`bench ui` serves MLflow's page over the stored runs on the loopback address."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from importing import same_path
from stored import write_run

from bench.cli.ui import command
from bench.errors import UserError
from bench.tracking.page import HOST, listen


@pytest.mark.slow
def test_the_page_is_made_again_from_the_results_answers_and_stops_on_ctrl_c(tmp_path):
    write_run(tmp_path, folds=2)
    env = {**os.environ, "PYTHONPATH": same_path()}
    env.pop("MLFLOW_TRACKING_URI", None)
    server = subprocess.Popen(
        [sys.executable, "-c", "from bench.cli.ui import command; command()", "--results", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    watchdog = threading.Timer(600, server.kill)
    watchdog.start()
    try:
        first = server.stdout.readline()
        address, token = re.search(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)", first).groups()
        assert "Ctrl-C" in server.stdout.readline()
        with urlopen(f"{address}/?token={token}", timeout=120) as page:
            html, policy = page.read(), page.headers["Content-Security-Policy"]
        with pytest.raises(HTTPError, match="403"):
            urlopen(address, timeout=120)
        assert b"<html" in html
        assert b"/experiments/1/runs" in html
        assert b"ExperimentPage" in html
        assert re.search(r"default-src 'none'; script-src 'nonce-[\w-]+'", policy)
        query = Request(f"{address}/api/2.0/mlflow/experiments/search", b'{"max_results": 9}')
        query.add_header("Content-Type", "application/json")
        query.add_header("Authorization", f"Bearer {token}")
        with urlopen(query, timeout=120) as reply:
            names = {experiment["name"] for experiment in json.load(reply)["experiments"]}
        assert names == {"denial"}
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=120)
    finally:
        watchdog.cancel()
        server.kill()
    assert server.returncode == 0
    assert "made again from 1 stored run" in errors
    assert "Traceback" not in errors


def test_without_stored_runs_it_names_the_command_that_makes_some(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    outcome = CliRunner().invoke(command, ["--results", str(tmp_path)])
    assert isinstance(outcome.exception, UserError)
    assert "bench run task=stance" in str(outcome.exception)
    assert not (tmp_path / "mlflow.db").exists()


def test_a_server_of_the_users_own_is_named_and_none_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    outcome = CliRunner().invoke(command, ["--results", str(tmp_path)])
    assert outcome.exit_code == 0
    assert "https://mlflow.example.org" in outcome.output


def test_a_taken_port_is_an_error_when_asked_for_and_avoided_otherwise():
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UserError, match=f"--port {port}"):
            listen(port)
    with listen(None) as first, listen(None) as second:
        assert first.getsockname()[1] != second.getsockname()[1]
