"""Units in a folder: never over what somebody else wrote."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from bench.errors import UnitError
from bench.nightly.install import install, uninstall, unit_folder
from tests.bench.nightly.test_timer import PLAIN

NAMES = {"stripelab-nightly-four-disks.service", "stripelab-nightly-four-disks.timer"}


def test_both_units_are_written_and_removed_and_nothing_else_is(tmp_path):
    (tmp_path / "other.service").write_text("[Unit]\n")
    done = install(PLAIN, tmp_path)
    assert {path.name for path in done.files} == NAMES
    assert (done.verified, done.started) == (True, False)
    assert done.next_steps == ("systemctl daemon-reload", "systemctl enable --now stripelab-nightly-four-disks.timer")
    assert uninstall("four-disks", tmp_path, user=False).next_steps == ("systemctl daemon-reload",)
    assert [path.name for path in tmp_path.iterdir()] == ["other.service"]


def test_installing_again_replaces_what_was_written_before(tmp_path):
    install(PLAIN, tmp_path)
    install(replace(PLAIN, at="*-*-* 03:00:00"), tmp_path)
    assert "OnCalendar=*-*-* 03:00:00" in (tmp_path / "stripelab-nightly-four-disks.timer").read_text()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_somebody_else_wrote_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("[Unit]\nDescription=mine\n")
    with pytest.raises(UnitError, match="not written by stripelab"):
        install(PLAIN, tmp_path)
    with pytest.raises(UnitError, match="not written by stripelab"):
        uninstall("four-disks", tmp_path, user=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "[Unit]\nDescription=mine\n"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_was_changed_by_hand_is_left_alone(tmp_path, name):
    install(PLAIN, tmp_path)
    changed = (tmp_path / name).read_text() + "# mine\n"
    (tmp_path / name).write_text(changed)
    for again in (lambda: install(PLAIN, tmp_path), lambda: uninstall("four-disks", tmp_path, user=False)):
        with pytest.raises(UnitError, match="was changed since") as refused:
            again()
        assert f"systemctl edit {name}" in refused.value.next_step
    assert (tmp_path / name).read_text() == changed
    assert len(list(tmp_path.iterdir())) == 2


def test_units_that_systemd_does_not_accept_are_not_written(tmp_path):
    with pytest.raises(UnitError):
        install(replace(PLAIN, at="at night"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_removing_what_is_not_there_says_what_is(tmp_path):
    install(PLAIN, tmp_path)
    with pytest.raises(UnitError) as refused:
        uninstall("other", tmp_path, user=False)
    assert refused.value.next_step == "Installed are: four-disks."


@pytest.mark.parametrize("what", ["a FIFO", "a symbolic link"])
@pytest.mark.parametrize("name", sorted(NAMES))
def test_what_is_no_file_under_the_name_of_a_unit_is_said_and_left_alone(tmp_path, name, what):
    if what == "a FIFO":
        os.mkfifo(tmp_path / name)
    else:
        (tmp_path / name).symlink_to("/dev/zero")
    for act in (lambda: install(PLAIN, tmp_path), lambda: uninstall("four-disks", tmp_path, user=False)):
        with pytest.raises(UnitError, match=f"it is {what} and not a regular file"):
            act()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnitError, match="Not a directory"):
        install(PLAIN, tmp_path / "file" / "units")


def test_units_of_a_user_are_where_systemd_looks_for_them(tmp_path):
    assert str(unit_folder(user=False)) == "/etc/systemd/system"
    assert unit_folder(user=True, environment={"XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "systemd" / "user"
    assert unit_folder(user=True, environment={}).parts[-3:] == (".config", "systemd", "user")
