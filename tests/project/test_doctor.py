"""`bench doctor` says what is here and what is missing, and nothing that should not be pasted."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from stored import change_record, write_run

from bench import doctor
from bench.doctor import Fact, examine_installation, private

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*doctor.SETTINGS, *doctor.SECRETS):
        monkeypatch.delenv(name, raising=False)


def facts(results: Path, section: str) -> dict[str, Fact]:
    return {fact.name: fact for fact in examine_installation(results) if fact.section == section}


@pytest.mark.slow
def test_versions_are_those_that_are_installed(tmp_path: Path) -> None:
    found = facts(tmp_path, "packages")
    for name in ("scikit-learn", "optuna", "mlflow", "skops"):
        assert (found[name].value, found[name].missing) == (metadata.version(name), False)
    assert "pytest" not in found
    assert facts(tmp_path, "system")["bench"].value == metadata.version("bench-arabic")


@pytest.mark.slow
def test_a_package_that_is_missing_or_of_another_version_is_told_with_what_to_do(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = metadata.version

    def version(name: str) -> str:
        if name in ("lightgbm", "transformers"):
            raise metadata.PackageNotFoundError(name)
        return "0.1" if name == "optuna" else installed(name)

    monkeypatch.setattr("bench.doctor.metadata.version", version)
    found = facts(tmp_path, "packages")
    assert (found["lightgbm"].missing, found["lightgbm"].needed) == (True, True)
    assert found["lightgbm"].how.startswith("pip install 'lightgbm")
    assert found["optuna"].value.startswith("0.1, but ")
    assert (found["transformers"].missing, found["transformers"].needed) == (True, False)
    assert found["transformers"].how == "pip install 'bench-arabic[transformers]'"
    status, out, _ = bench("doctor", f"results={tmp_path}")
    assert status == 1
    assert "missing or wrong" in out


@pytest.mark.slow
def test_stored_runs_and_what_cannot_be_read_of_them(tmp_path: Path) -> None:
    write_run(tmp_path, folds=2)
    broken = write_run(tmp_path, folds=3)
    change_record(broken, format=1)
    found = facts(tmp_path, "results")
    assert any(fact.value.startswith("1 complete, 1 unreadable") for fact in found.values())
    (fact,) = (fact for name, fact in found.items() if broken.key in name)
    assert fact.missing
    assert broken.key in fact.how


def test_a_damaged_store_of_mlflow_is_told(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 100)
    (fact,) = (fact for name, fact in facts(tmp_path, "results").items() if name.startswith("MLflow"))
    assert fact.missing
    assert "damaged" in fact.value
    assert "bench ui" in fact.how


@pytest.mark.slow
def test_neither_passwords_nor_keys_nor_the_home_folder_are_told(
    tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home" / "somebody"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("BENCH_CACHE", str(home / "cache"))
    (home / "cache" / "encoders").mkdir(parents=True)
    (home / "cache" / "encoders" / "weights").write_bytes(bytes(2_000_000))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://me:pass-word@mlflow.example.org/private?token=tok-en")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    for form in ("table", "json"):
        status, out, said = bench("doctor", f"results={home / 'results'}", "--format", form)
        assert status == 0
        for secret in ("pass-word", "tok-en", "sk-secret", "somebody", "private"):
            assert secret not in out + said
    assert "https://mlflow.example.org" in out
    values = {(fact["name"], fact["value"]) for fact in json.loads(out)}
    assert ("~/cache/encoders", "2.0 MB") in values
    assert ("OPENAI_API_KEY", "set") in values


def test_the_users_name_in_other_paths_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "somebody")
    assert private("/scratch/somebody/runs and /data/somebody") == "/scratch/USER/runs and /data/USER"
    assert private("/scratch/somebodyelse") == "/scratch/somebodyelse"


@pytest.mark.slow
def test_what_is_missing_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CAMELTOOLS_DATA", str(tmp_path / "camel"))
    found = {fact.name: fact for fact in examine_installation(tmp_path)}
    assert found["camelbert-msa"].how == "bench encoders fetch camelbert-msa"
    assert found["arastance"].how == "bench check task=arastance downloads its data"
    camel = found["data of normalization=morphological"]
    assert (camel.missing, camel.how) == (True, "camel_data -i disambig-mle-calima-msa-r13")
    (tmp_path / "camel" / "data" / "disambig_mle" / "calima-msa-r13").mkdir(parents=True)
    assert not {fact.name: fact for fact in examine_installation(tmp_path)}[
        "data of normalization=morphological"
    ].missing
    assert not (tmp_path / "cache").exists()


def test_a_part_that_breaks_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("no driver")

    monkeypatch.setattr("bench.encoders.device.device_name", broken)
    found = examine_installation(tmp_path)
    (fact,) = (fact for fact in found if fact.section == "device")
    assert "RuntimeError: no driver" in fact.value
    assert any(fact.section == "encoders" for fact in found)


def test_broken_files_of_the_user_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs" / "model").mkdir(parents=True)
    (tmp_path / "configs" / "model" / "mine.yaml").write_text("name: mine\nestimator: [")
    assert facts(tmp_path, "models")["mine"].missing
