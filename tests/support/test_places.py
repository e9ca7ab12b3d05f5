"""What is written to a place that the user named appears whole, as any new file would, or the place is named."""

from __future__ import annotations

import errno
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.data.sources.archive import _folder
from bench.errors import UserError
from bench.support.places import folder_beside, make_folder, refused, replacing

Bench = Callable[..., tuple[int, str, str]]


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.usefixtures("umask")
def test_a_new_file_has_the_permissions_of_any_and_one_that_is_replaced_keeps_its_own(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("before")
    old.chmod(0o600)
    for path in (new, old):
        with replacing(path) as beside:
            beside.write_text("after")
    assert (mode(new), mode(old)) == (0o640, 0o600)
    assert [path.read_text() for path in (new, old)] == ["after", "after"]
    with replacing(tmp_path / "folder") as beside:
        beside.mkdir()
    assert mode(tmp_path / "folder") == 0o750
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new", "old"]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path, is_there: bool) -> None:
    (tmp_path / "far").mkdir()
    link, target = tmp_path / "link", tmp_path / "far" / "target"
    link.symlink_to("far/target")
    if is_there:
        target.write_text("before")
    with replacing(link) as beside:
        assert beside.parent.parent == target.parent
        beside.write_text("after")
    assert link.is_symlink()
    assert target.read_text() == "after"


def test_a_place_that_is_left_in_the_middle_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(KeyError), replacing(path) as beside:
        beside.write_text("half")
        raise KeyError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_named_and_not_what_was_to_be_renamed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path, reason in ((tmp_path / "no" / "a", "No such file"), (tmp_path / "file" / "a", "Not a directory")):
        with pytest.raises(UserError) as error, replacing(path):
            pass
        assert error.value.message.startswith(f"{path}: cannot be written: {reason}")
    with pytest.raises(UserError) as error, replacing(tmp_path / "folder") as beside:
        beside.touch()
    assert error.value.message.startswith(f"{tmp_path / 'folder'}: cannot be written: Is a directory")
    with pytest.raises(UserError, match="file: cannot be written: Not a directory"):
        make_folder(tmp_path / "file")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EPERM])
def test_a_folder_that_takes_no_files_is_the_users_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(prefix: str, dir: Path) -> str:  # noqa: A002
        raise OSError(number, os.strerror(number), f"{dir}/{prefix}x7")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(UserError) as error, replacing(tmp_path / "a"):
        pass
    assert error.value.message == f"{tmp_path / 'a'}: cannot be written: {os.strerror(number)}."


def test_a_full_disk_is_no_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as error, folder_beside(tmp_path / "a") as beside:
        raise OSError(errno.ENOSPC, "No space left on device", str(beside / "a"))
    assert error.value.filename == str(tmp_path / "a")
    assert refused(error.value, {"results=x": tmp_path}) is None


def test_a_full_disk_that_names_no_file_is_told_of_the_place(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as error, replacing(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(tmp_path / "a")


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="pipe: cannot be written: it is not a file"), replacing(pipe):
        pass
    assert pipe.is_fifo()


def test_a_refusal_is_about_a_place_only_on_the_way_to_it_or_in_it() -> None:
    places = {"results=a/b": Path("a/b")}
    for name in ("a", "a/b", "a/b/c/.d-x7"):
        told = refused(PermissionError(errno.EACCES, "Permission denied", name), places)
        assert told is not None
        assert told.message == "results=a/b: cannot be written: Permission denied."
    assert refused(PermissionError(errno.EACCES, "Permission denied", "c"), places) is None
    assert refused(PermissionError(errno.EACCES, "Permission denied"), places) is None


COMMANDS = {
    "results that are a file": ("run task=denial model=majority tracking=false results=file", "results=file: "),
    "an export into a file": ("export task=denial --to file/x.parquet", "file: "),
    "an export where nothing is written": ("export task=denial --to /proc/x.parquet", "/proc/x.parquet: "),
    "a cache that cannot be made": ("check task=public", "BENCH_CACHE=/proc/nope: "),
    "configurations that are a file": ("new model mine", "{folder}/configs/model: "),
    "tasks that are a file": ("new task mine --data labels.csv", "{folder}/tasks: "),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_commands_name_the_place_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCH_CACHE", "/proc/nope")
    Path("file").touch()
    Path("configs").touch()
    Path("labels.csv").write_text("text,label\n" + "".join(f"نص {n},{'ab'[n % 2]}\n" for n in range(4)))
    words, place = COMMANDS[name]
    if "public" in words:
        task = Path("tasks/public/task.yaml")
        task.parent.mkdir(parents=True)
        task.write_text(
            "name: public\ndescription: A table.\ninputs: [text]\nlabels: [a, b]\nsource:\n  kind: table\n"
            "  path: labels.csv\n  columns: {text: text, label: label}\n"
            "  download: {from: 'https://example.org/', sha256: {labels.csv: null}}\n"
        )
    else:
        Path("tasks").symlink_to("nowhere")
    status, out, err = bench(*words.split())
    assert (status, out) == (2, "")
    assert err.splitlines()[0].startswith(f"error: {place.format(folder=tmp_path)}cannot be written: ")
    assert "Finished work is stored" not in err
    assert ".x" not in err.replace(".x.parquet", "")


@pytest.mark.parametrize("words", ["add more.csv --to mine", "new task zipped --data labels.zip"])
@pytest.mark.parametrize("cache", ["/proc/nope", "more.csv"])
def test_a_cache_that_cannot_be_written_is_told_with_what_sets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench, words: str, cache: str
) -> None:
    monkeypatch.chdir(tmp_path)
    labels = "text,label\n" + "".join(f"نص {n},{'ab'[n % 2]}\n" for n in range(4))
    Path("labels.csv").write_text(labels, encoding="utf-8")
    Path("more.csv").write_text("text,label\nنص آخر,a\n", encoding="utf-8")
    with zipfile.ZipFile("labels.zip", "w") as archive:
        archive.writestr("labels.csv", labels)
    assert bench("new", "task", "mine", "--data", "labels.csv")[0] == 0
    monkeypatch.setenv("BENCH_CACHE", cache)
    _folder.cache_clear()
    status, out, err = bench(*words.split())
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {cache}/")
    assert "Set BENCH_CACHE to another folder" in err
