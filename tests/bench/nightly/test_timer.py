"""Units and cron lines, judged by systemd itself and by a shell."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import UnitError
from bench.nightly import install as units
from bench.nightly import timer
from bench.nightly.timer import Schedule, cron_line, is_ours, is_unchanged, service, unit_name

PLAIN = Schedule(
    name="four-disks",
    command=("/bin/true", "nightly", "/srv/sweep.toml", "--store", "/srv/store"),
    at="*-*-* 02:00:00",
    delay_s=1800,
    budget_s=21600,
    user=False,
    writes=(Path("/srv/store"), Path("/var/lib/node exporter")),
    reads=(Path("/srv/sweep.toml"),),
)
STRANGE = ('a "b"', "%n 100%", "$HOME ${x}", "back\\slash", "semi;colon #x", "ü 日本", "'", "tab\there", "new\nline")


def settings_of(text):
    """Every ``Key=value`` of a unit; a key that comes twice keeps all its values."""
    found = {}
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("user", [False, True])
def test_systemd_accepts_the_units(user):
    assert units.verify(replace(PLAIN, user=user))


def test_systemd_accepts_words_and_paths_of_any_kind():
    command = (*PLAIN.command, *STRANGE)
    writes = tuple(Path("/srv") / word.replace("/", "_") for word in STRANGE)
    assert units.verify(replace(PLAIN, command=command, writes=writes))


@pytest.mark.parametrize("at", ["at night", "*-*-* 25:00:00", ""])
def test_a_time_that_is_none_is_found_by_systemd_and_said(at):
    with pytest.raises(UnitError, match="systemd does not accept") as refused:
        units.verify(replace(PLAIN, at=at))
    assert "four-disks.timer" in refused.value.message
    assert "systemd-analyze verify" in refused.value.command


def test_a_program_that_is_not_there_is_found_by_systemd_and_said():
    with pytest.raises(UnitError, match="not executable"):
        units.verify(replace(PLAIN, command=("/nowhere/stripelab",)))


def unquoted(written):
    """Words of ``ExecStart=`` as systemd.service(5) and systemd.syntax(7) say that they are read."""
    escapes = {"n": "\n", "t": "\t"}
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', written):
        word = re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[1]), quoted)
        assert not re.search(r"(?<!%)(%%)*%(?!%)", word), "a specifier would be expanded"
        assert not re.search(r"(?<!\$)(\$\$)*\$(?!\$)", word), "a variable would be expanded"
        yield word.replace("%%", "%").replace("$$", "$")


@given(st.lists(st.one_of(st.sampled_from(STRANGE), st.text("a%$\\\"'\n\t ü", max_size=6)), max_size=4))
def test_a_word_reaches_the_program_as_it_was(words):
    (line,) = settings_of(service(replace(PLAIN, command=("/bin/true", *words))))["ExecStart"]
    assert list(unquoted(line)) == ["/bin/true", *words]


def test_the_budget_is_in_the_unit_with_time_to_take_the_stack_down():
    said = settings_of(service(PLAIN))
    assert said["Type"] == ["exec"], "RuntimeMaxSec= has no effect on oneshot (systemd.service(5))"
    assert said["RuntimeMaxSec"] == [str(21600 + timer.GRACE_S)]
    assert said["KillMode"] == ["mixed"]
    assert int(said["TimeoutStopSec"][0]) >= 600
    assert said["SuccessExitStatus"] == ["9 20"], "another run holds the store, or all is acknowledged: no failure"


def test_the_sandbox_leaves_disks_arrays_queues_and_the_lab_alone():
    said = settings_of(service(PLAIN))
    for key in ("PrivateDevices", "DeviceAllow", "DevicePolicy", "ProtectClock", "ProtectKernelTunables"):
        assert key not in said
    for key in ("ProtectKernelModules", "RestrictNamespaces", "LockPersonality", "SystemCallFilter", "PrivateNetwork"):
        assert key not in said
    assert said["ProtectSystem"] == ["strict"]
    assert said["ReadWritePaths"] == ["/run", '"/srv/store"', '"/var/lib/node exporter"']
    assert "CAP_SYS_ADMIN" not in said["CapabilityBoundingSet"][0]


def exposure(tmp_path, text):
    """systemd's own measure of a service, 0 (closed) to 10; another systemd weighs otherwise, the order stays."""
    unit = tmp_path / "x.service"
    unit.write_text(text)
    asked = ["systemd-analyze", "security", "--offline=yes", "--json=off", "--no-pager", str(unit)]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    (level,) = re.findall(r"Overall exposure level for x.service: ([\d.]+)", said)
    return float(level)


def test_the_sandbox_closes_something(tmp_path):
    bare = "[Service]\nExecStart=/bin/true\n"
    assert exposure(tmp_path, service(PLAIN)) < exposure(tmp_path, bare) - 1


def test_private_temporary_files_only_where_nothing_of_ours_is_hidden():
    assert "PrivateTmp" in settings_of(service(PLAIN))
    assert "PrivateTmp" not in settings_of(service(replace(PLAIN, reads=(Path("/tmp/sweep.toml"),))))


def test_a_night_that_was_missed_is_made_up_for_and_machines_do_not_start_at_once():
    said = settings_of(timer.timer(PLAIN))
    assert said["OnCalendar"] == ["*-*-* 02:00:00"]
    assert (said["Persistent"], said["RandomizedDelaySec"], said["FixedRandomDelay"]) == (["yes"], ["1800"], ["yes"])
    assert said["WantedBy"] == ["timers.target"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_unit_name_is_one_that_systemd_takes(text):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", unit_name(text))


def test_the_mark_says_whether_the_text_is_as_it_was_written():
    text = service(PLAIN)
    assert is_ours(text)
    assert is_unchanged(text)
    assert not is_unchanged(text.replace("mixed", "process"))
    assert is_ours(text.replace("mixed", "process"))
    assert not is_ours("[Unit]\n")


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.one_of(st.sampled_from([w for w in STRANGE if "\n" not in w]), st.text("a%\\'\" $", max_size=5)), max_size=4
    )
)
def test_a_line_of_cron_runs_the_command_as_it_was(words):
    """What cron does: five fields, then ``\\%`` becomes ``%``, and the rest goes to the shell."""
    line = cron_line(replace(PLAIN, command=("printf", "%s\\0", *words)))
    minute, hour, *days, rest = line.split(" ", 5)
    assert days == ["*"] * 3
    assert 120 <= int(hour) * 60 + int(minute) <= 150
    assert not re.search(r"(?<!\\)%", rest)
    shell = rest.replace("\\%", "%")
    done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{word}\0" for word in words or [""])


def test_cron_ends_a_night_that_does_not_end():
    assert f"timeout --signal=TERM --kill-after={timer.STOP_S} {21600 + timer.GRACE_S} /bin/true" in cron_line(PLAIN)
