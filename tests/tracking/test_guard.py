"""On a machine with several users, MLflow's page is its owner's, and reaches no files but the stored runs' own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from stored import write_run

from bench.tracking import tracking_uri
from bench.tracking.guard import is_inside, new_token
from bench.tracking.page import application, opening_page, page_environment, ranked_experiments
from bench.tracking.run import track
from bench.tracking.store import open_store

PORT = 5099
PAGE = f"http://127.0.0.1:{PORT}"
TOKEN = new_token()
API = "/api/2.0/mlflow"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a run in MLflow's store, and an experiment whose artifacts lie where a secret is."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "private").mkdir()
    (folder / "private" / "key").write_text("secret")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        client = open_store(tracking_uri(folder / "results"))
        track(write_run(folder / "results", folds=2), client)
        client.create_experiment("planted", artifact_location=(folder / "private").as_uri())
    return folder


@pytest.fixture(scope="module")
def app(store: Path) -> Iterator[Any]:
    import mlflow
    from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry

    registered = _artifact_repository_registry.get_registered_artifact_repositories()
    before, variables = dict(registered), dict(os.environ)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    uri = tracking_uri(store / "results")
    os.environ.update(page_environment(uri))
    try:
        yield application(uri, PORT, open_store(uri), TOKEN)
    finally:
        # The server makes its store and its folder those of the whole process.
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
        mlflow.set_registry_uri(None)  # type: ignore[arg-type]
        registered.update(before)
        os.environ.clear()
        os.environ.update(variables)


@pytest.fixture
def stranger(app: Any) -> TestClient:
    """Another user of the machine."""
    return TestClient(app, base_url=PAGE)


@pytest.fixture
def owner(app: Any) -> TestClient:
    """A browser in which the printed address was opened."""
    browser = TestClient(app, base_url=PAGE)
    assert browser.get("/", params={"token": TOKEN}).status_code == 200
    return browser


def planted_run(owner: TestClient) -> str:
    """A run whose artifacts lie outside of the results folder."""
    found = owner.get(f"{API}/experiments/get-by-name", params={"experiment_name": "planted"}).json()
    body = {"experiment_id": found["experiment"]["experiment_id"]}
    return str(owner.post(f"{API}/runs/create", json=body).json()["run"]["info"]["run_id"])


def stored_run(owner: TestClient) -> str:
    found = owner.get(f"{API}/experiments/get-by-name", params={"experiment_name": "denial"}).json()
    body = {
        "experiment_ids": [found["experiment"]["experiment_id"]],
        "filter": "tags.`bench.level` = 'model'",
    }
    return str(owner.post(f"{API}/runs/search", json=body).json()["runs"][0]["info"]["run_id"])


@pytest.mark.parametrize(
    "path",
    ["/", "/health", "/version", "/static-files/index.html", f"{API}/experiments/search?max_results=9", "/graphql"],
)
def test_nobody_gets_in_without_the_token(stranger: TestClient, path: str) -> None:
    for given in ({}, {"cookie": f"bench-{PORT}=wrong"}, {"authorization": "Bearer wrong"}):
        answer = stranger.get(path, headers=given)
        assert answer.status_code == 403
        assert "Open the address that bench ui printed" in answer.text
        assert "set-cookie" not in answer.headers
    assert stranger.get("/?token=").status_code == 403
    assert stranger.get(f"/?token={TOKEN}x").status_code == 403
    assert stranger.post(f"{API}/experiments/create", json={"name": "mine"}).status_code == 403


def test_a_token_opens_the_page_alone_and_a_cookie_that_scripts_cannot_read_keeps_it(stranger: TestClient) -> None:
    assert stranger.get(f"{API}/experiments/search", params={"max_results": 9, "token": TOKEN}).status_code == 403
    opened = stranger.get("/", params={"token": TOKEN})
    assert opened.status_code == 200
    cookie = opened.headers["set-cookie"]
    assert cookie == f"bench-{PORT}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
    assert opened.headers["referrer-policy"] == "no-referrer"
    assert 'name="start" content="/#/experiments"' in opened.text
    assert TOKEN not in opened.text
    again = stranger.get("/")
    assert again.status_code == 200
    assert TOKEN not in again.text


def test_programs_send_the_token_as_mlflows_client_does(stranger: TestClient) -> None:
    answer = stranger.get(
        f"{API}/experiments/search", params={"max_results": 9}, headers={"authorization": f"Bearer {TOKEN}"}
    )
    assert "denial" in {each["name"] for each in answer.json()["experiments"]}


def test_other_programs_cookies_for_the_address_are_in_nobodys_way(stranger: TestClient) -> None:
    cookies = f'_xsrf=2|a|b; odd={{"a": [1, "é"]}}; alone; bench-{PORT}={TOKEN}; username-8888="2|1:0"'
    assert stranger.get("/", headers={b"cookie": cookies.encode()}).status_code == 200


def test_two_pages_have_two_tokens() -> None:
    assert new_token() != new_token()
    assert len(new_token()) >= 32


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"192.168.0.1:{PORT}", ""]
)
def test_another_name_of_the_address_is_refused(owner: TestClient, host: str) -> None:
    assert owner.get("/", headers={"host": host}).status_code == 403
    assert owner.get("/health", headers={"host": host}).status_code == 403
    assert owner.get("/", params={"token": TOKEN}, headers={"host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:6000", "http://localhost:5099", "null"])
def test_another_page_can_neither_read_nor_write(owner: TestClient, origin: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = owner.request(method, f"{API}/experiments/search", headers={"origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert owner.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert owner.get(f"{API}/experiments/search", headers={"sec-fetch-site": "same-site"}).status_code == 403


def test_the_page_itself_reads_and_writes(owner: TestClient) -> None:
    run = stored_run(owner)
    own = {"origin": PAGE, "sec-fetch-site": "same-origin"}
    body = {"run_id": run, "key": "mlflow.runName", "value": "mine"}
    assert owner.post(f"{API}/runs/set-tag", json=body, headers=own).status_code == 200
    name = owner.get(f"{API}/runs/get", params={"run_id": run}, headers=own).json()["run"]["info"]["run_name"]
    assert name == "mine"
    listed = owner.get(f"{API}/artifacts/list", params={"run_id": run}, headers=own).json()
    assert "summary.json" in {each["path"] for each in listed["files"]}
    read = owner.get("/get-artifact", params={"run_uuid": run, "path": "summary.json"}, headers=own)
    assert read.status_code == 200
    assert "scores" in read.json()


PLACES = {
    "another folder": "{home}/private",
    "another folder as a URI": "file://{home}/private",
    "another folder with a host": "file://localhost{home}/private",
    "a folder that leads out": "{home}/results/mlartifacts/../../private",
    "one that leads out, encoded": "file://{home}/results/mlartifacts/%2e%2e/%2e%2e/private",
    "one that only begins so": "{home}/results/mlartifacts-private",
    "the results themselves": "{home}/results",
    "relative": "private",
    "of the server": "mlflow-artifacts:/private",
    "of another server": "http://203.0.113.9/",
    "a bucket": "s3://bucket/private",
    "in capitals": "FILE://{home}/private",
}


@pytest.mark.parametrize("key", ["artifact_location", "artifactLocation"])
@pytest.mark.parametrize("name", list(PLACES))
def test_no_experiment_is_made_whose_artifacts_lie_elsewhere(
    owner: TestClient, store: Path, name: str, key: str
) -> None:
    body = {"name": f"{name} {key}", key: PLACES[name].format(home=store)}
    for path in (API, "/ajax-api/2.0/mlflow"):
        answer = owner.post(f"{path}/experiments/create", json=body)
        assert answer.status_code == 403
        assert "results folder" in answer.text
    known = owner.get(f"{API}/experiments/search", params={"max_results": 99}).json()["experiments"]
    assert {each["name"] for each in known} >= {"denial", "planted"}
    assert body["name"] not in {each["name"] for each in known}


@pytest.mark.parametrize("content", ['"{\\"name\\": \\"x\\", \\"artifact_location\\": \\"/etc\\"}"', "[1]", "{", ""])
def test_an_experiment_in_another_wrapping_is_no_way_around(owner: TestClient, content: str) -> None:
    answer = owner.post(f"{API}/experiments/create", content=content)
    assert answer.status_code >= 400


def test_an_experiment_without_a_place_is_made_in_the_results_folder(owner: TestClient, store: Path) -> None:
    made = owner.post(f"{API}/experiments/create", json={"name": "own"}).json()["experiment_id"]
    found = owner.get(f"{API}/experiments/get", params={"experiment_id": made}).json()["experiment"]
    assert is_inside(found["artifact_location"], store / "results" / "mlartifacts")


@pytest.mark.parametrize("name", list(PLACES))
def test_no_registered_model_lies_elsewhere(owner: TestClient, store: Path, name: str) -> None:
    owner.post(f"{API}/registered-models/create", json={"name": "m"})
    body = {"name": "m", "source": PLACES[name].format(home=store), "run_id": stored_run(owner)}
    assert owner.post(f"{API}/model-versions/create", json=body).status_code == 403


@pytest.mark.parametrize("path", ["key", "../private/key", "%2e%2e/private/key", ""])
def test_what_a_database_says_of_other_places_is_not_opened(owner: TestClient, store: Path, path: str) -> None:
    run = planted_run(owner)
    for where in ("/get-artifact", "/ajax-api/2.0/mlflow/get-artifact"):
        read = owner.get(where, params={"run_uuid": run, "path": path})
        assert read.status_code >= 400
        assert "secret" not in read.text
    listed = owner.get(f"{API}/artifacts/list", params={"run_id": run, "path": path})
    assert listed.status_code >= 400
    written = owner.post(
        "/ajax-api/2.0/mlflow/upload-artifact", params={"run_uuid": run, "path": "key"}, content=b"overwritten"
    )
    assert written.status_code >= 400
    assert (store / "private" / "key").read_text() == "secret"
    assert [each.name for each in (store / "private").iterdir()] == ["key"]


@pytest.mark.parametrize("path", ["../../../private/key", "..%2f..%2f..%2fprivate%2fkey", "/etc/hostname", "a/../../x"])
def test_no_path_leads_out_of_a_runs_artifacts(owner: TestClient, path: str) -> None:
    run = stored_run(owner)
    read = owner.get("/get-artifact", params={"run_uuid": run, "path": path})
    assert read.status_code >= 400
    assert "secret" not in read.text
    written = owner.post(
        "/ajax-api/2.0/mlflow/upload-artifact", params={"run_uuid": run, "path": path}, content=b"overwritten"
    )
    assert written.status_code >= 400


@pytest.mark.parametrize("prefix", ["/api/2.0", "/ajax-api/2.0"])
def test_the_servers_own_file_routes_are_closed(owner: TestClient, store: Path, prefix: str) -> None:
    for path in ("x", "../../private/key", "%2e%2e/%2e%2e/private/key"):
        where = f"{prefix}/mlflow-artifacts/artifacts/{path}"
        assert owner.put(where, content=b"overwritten").status_code >= 400
        assert owner.delete(where).status_code >= 400
        assert owner.get(where).status_code >= 400
    assert (store / "private" / "key").read_text() == "secret"


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/mlflow/webhooks",
        "/api/3.0/mlflow/gateway/secrets/create",
        "/gateway/x/mlflow/invocations",
        "/ajax-api/3.0/mlflow/assistant/message",
        "/ajax-api/3.0/jobs/",
        "/api/3.0/mlflow/workspaces",
        "/API/2.0/mlflow/WEBHOOKS",
    ],
)
def test_what_reaches_other_machines_or_runs_programs_is_not_offered(owner: TestClient, path: str) -> None:
    answer = owner.post(path, json={})
    assert answer.status_code == 403
    assert "cannot be used here" in answer.text


@pytest.mark.slow
def test_an_experiment_of_another_store_cannot_put_code_into_the_first_page(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = open_store(tracking_uri(tmp_path))
    for number, metric in enumerate(('f1_"></script><script>alert(1)</script>', "nothing known", "macro_f1")):
        client.create_experiment(f"planted-{number}", tags={"bench.metric": metric})
    client.create_experiment("other")
    page, policy = opening_page(client)
    nonce = re.fullmatch(r"default-src 'none'; script-src 'nonce-([\w-]+)'", policy)
    assert nonce is not None
    assert re.findall(r"<script.*?>", page) == [f'<script nonce="{nonce[1]}">']
    assert len(ranked_experiments(client)) == 2
