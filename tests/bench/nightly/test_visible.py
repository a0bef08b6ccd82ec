"""What a nightly service needs is found, so that PrivateTmp= hides none of it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import bench
from bench.nightly import visible
from bench.nightly.timer import Schedule, service

ROOT = Path(bench.__file__).parents[1]
SWEEP = ROOT / "examples" / "first-sweep.toml"


@pytest.fixture
def of_links(tmp_path):
    """first/sweep -> second/link -> third/real, where ``second`` is itself a link to a folder."""
    for name in ("first", "elsewhere", "third"):
        (tmp_path / name).mkdir()
    (tmp_path / "third" / "real").write_text("")
    (tmp_path / "second").symlink_to("elsewhere")
    (tmp_path / "elsewhere" / "link").symlink_to(tmp_path / "third" / "real")
    (tmp_path / "first" / "sweep").symlink_to("../second/link")
    return tmp_path.resolve()


def test_every_link_on_the_way_to_a_file_is_needed_too(of_links):
    found = visible.ways([of_links / "first" / "sweep"])
    names = ("first/sweep", "second", "elsewhere/link", "third/real")
    assert set(found) >= {of_links / name for name in names}


@pytest.mark.parametrize("target", ["loop", "../{name}/loop", "./loop/further"])
def test_links_that_lead_nowhere_have_an_end(tmp_path, target):
    (tmp_path / "loop").symlink_to(target.format(name=tmp_path.name))
    assert tmp_path / "loop" in visible.ways([tmp_path / "loop" / "file"])


def test_paths_are_found_in_words_and_in_commands_within_words():
    command = ("/bin/stripelab", "nightly", "--guarantee=/a/b", "--restore-tonight", "sh -c '/c/d e/f' x=/g it's")
    assert set(visible.words((*command[:4], "sh /c/d e/f x=/g"))) == {
        Path(name) for name in ("/bin/stripelab", "/a/b", "/c/d", "/g")
    }
    assert Path("/a/b") in visible.words(command), "a quote that is not closed ends nothing"


@pytest.mark.parametrize(
    ("hidden", "kept"),
    [("/tmp/x", False), ("/var/tmp/x", False), ("/tmpx", True), ("/srv/tmp/x", True), ("/var/tmp", False)],
)
def test_private_tmp_is_set_only_where_it_hides_nothing(hidden, kept):
    schedule = Schedule(
        name="n",
        command=("/bin/true",),
        at="daily",
        delay_s=0,
        budget_s=60,
        user=False,
        writes=(Path("/srv"),),
        reads=(Path(hidden),),
    )
    text = service(schedule)
    assert ("PrivateTmp=yes" in text.splitlines()) == kept
    assert (f"# No PrivateTmp=, which would hide {hidden}" in text) != kept


def units_of(python, *, environment=None):
    words = [python, "-m", "bench", "nightly", "install", SWEEP, "--store", "/srv/absent", "--lab", "--dry-run"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd="/", env=environment)
    return done.stdout, done.stderr


def test_a_program_in_the_temporary_folder_is_not_hidden_from_its_own_service(tmp_path):
    """The environment lies in /tmp, and everything else of stripelab where it is."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    (site,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    (site / "stripelab.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    text, said = units_of(tmp_path / "venv" / "bin" / "python")
    assert "PrivateTmp=yes" not in text
    assert "# No PrivateTmp=, which would hide" in text
    assert "is in a folder for temporary files, which may be emptied at boot" in said


def test_a_program_elsewhere_gets_a_temporary_folder_of_its_own():
    text, said = units_of(sys.executable)
    needed = (SWEEP, *visible.program(), *(path.resolve() for path in visible.program()))
    outside = not any(path.is_relative_to(folder) for path in needed for folder in ("/tmp", "/var/tmp"))
    assert ("PrivateTmp=yes" in text) == outside
    assert ("temporary files" not in said) == outside
