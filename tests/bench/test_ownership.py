"""Root writes to no store that another user could change; anybody reads any."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.cli.main import attempt
from bench.errors import StoreError
from bench.ownership import refuse_foreign
from bench.store_lock import locked
from tests.hostile_stores import sound

__all__ = ["sound"]

OTHER = 12_345
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="what root may do is asked")


@pytest.fixture
def store(sound: Path, tmp_path: Path) -> Path:
    path = tmp_path / "way" / "store"
    shutil.copytree(sound, path)
    return path


def given_away(*parts: str) -> Callable[[Path], None]:
    return lambda store: os.chown(store.joinpath(*parts), OTHER, OTHER, follow_symlinks=False)


def opened(mode: int, *parts: str) -> Callable[[Path], None]:
    def act(store: Path) -> None:
        if mode & 0o020 and not mode & 0o002:
            os.chown(store.joinpath(*parts), 0, OTHER)
        store.joinpath(*parts).chmod(mode)

    return act


def listed(*parts: str) -> Callable[[Path], None]:
    """An access control list as `setfacl -m u:12345:rwx` makes one (linux/posix_acl_xattr.h)."""

    def act(store: Path) -> None:
        none = 0xFFFF_FFFF
        entries = ((1, 7, none), (2, 7, OTHER), (4, 5, none), (16, 7, none), (32, 5, none))  # owner, user, group, mask
        content = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
        os.setxattr(store.joinpath(*parts), "system.posix_acl_access", content)

    return act


def linked(store: Path) -> None:
    """The way leads over a link of another user."""
    moved = store.parent.rename(store.parent.with_name("elsewhere"))
    store.parent.symlink_to(moved)
    os.chown(store.parent, OTHER, OTHER, follow_symlinks=False)


CHANGED: dict[str, Callable[[Path], None]] = {
    "the store is another user's": given_away(),
    "a table is another user's": given_away("trials"),
    "the journal is another user's": lambda store: (
        (store / "journal.jsonl").touch(),
        given_away("journal.jsonl")(store),
    ),
    "a machine is another user's": given_away("environments", "env-disk.parquet"),
    "the folder of the store is another user's": given_away(".."),
    "everybody may write to the store": opened(0o777),
    "everybody may write to the store, sticky": opened(0o1777),
    "a group may write to a table": opened(0o775, "trials"),
    "everybody may write a file": opened(0o666, "stripelab.json"),
    "everybody may rename the store": opened(0o777, ".."),
    "a link of another user leads there": linked,
    "an access control list of the store names a user": listed(),
    "an access control list of a table names a user": listed("trials"),
    "an access control list of a file names a user": listed("stripelab.json"),
    "an access control list lets a user rename the store": listed(".."),
}


@pytest.mark.parametrize("change", CHANGED)
def test_root_refuses_what_others_may_change(change: str, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refuse_foreign(store)
    CHANGED[change](store)
    with pytest.raises(StoreError, match="root does not write") as failure, locked(store):
        pass
    assert not (store / ".lock").exists()
    assert "chown -R root:root" in failure.value.next_step
    for verb in ("compact", "import"):
        more = ["--store", str(store)] if verb == "import" else []
        assert attempt([verb, str(store), *more]) == StoreError.status
    for words in (["status"], ["sql"]):
        assert attempt([*words, str(store), *(["SELECT 1"] if words == ["sql"] else [])]) == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "change", [opened(0o755), opened(0o1777, ".."), opened(0o700)], ids=["ours", "sticky folder", "private"]
)
def test_root_writes_where_nobody_else_may(change: Callable[[Path], None], store: Path) -> None:
    change(store)
    with locked(store):
        assert (store / ".lock").exists()


def test_after_the_remedy_a_list_lets_nobody_write(store: Path) -> None:
    listed("trials")(store)
    with pytest.raises(StoreError) as failure, locked(store):
        pass
    subprocess.run(failure.value.next_step.partition(": ")[2].partition("; ")[0], shell=True, check=True)
    with locked(store):
        pass


def test_a_sticky_store_is_refused_by_another_name_too(store: Path) -> None:
    store.chmod(0o1777)
    with pytest.raises(StoreError, match="may be written by every user"):
        refuse_foreign(store / "trials" / "..")


@pytest.mark.parametrize("below", ["made", "made/deeper", "made/../other"])
def test_nothing_is_made_where_another_users_link_leads(tmp_path: Path, below: str) -> None:
    (tmp_path / "ours").mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "link").symlink_to(tmp_path / "ours")
    os.chown(home, OTHER, OTHER)
    os.chown(home / "link", OTHER, OTHER, follow_symlinks=False)
    with pytest.raises(StoreError), locked(home / "link" / below):
        pass
    sweep = Path(__file__).parents[2] / "examples" / "first-sweep.toml"
    words = ["nightly", "install", sweep, "--store", home / "link" / below, "--lab", "--directory", tmp_path / "units"]
    assert attempt(list(map(str, words))) == StoreError.status
    assert list((tmp_path / "ours").iterdir()) == []


def test_files_of_a_user_that_is_trusted_are_fine(store: Path) -> None:
    given_away("trials")(store)
    with locked(store, trusted_uids=(0, OTHER)):
        pass


def test_a_new_store_is_written_by_root_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with locked(tmp_path / "new"):
            assert (tmp_path / "new").stat().st_mode & 0o777 == 0o755
    finally:
        os.umask(before)
