"""Who has a file open, as an ordinary user sees it: root's view is in tests/bench/safety."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import openers

USER = 12321
PROGRAM = """
import json, os, subprocess, sys
sys.path.insert(0, ".")
import openers
HOLD = "import mmap, sys; f = open('image', 'rb'); {}; print('ready', flush=True); sys.stdin.read()"
ways = {"open": "f", "mapped": "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); f.close()"}
found = {}
with open("image", "wb") as file:
    file.write(bytes(4096))
thing = openers.thing_of(os.stat("image"))
for way, code in ways.items():
    words = [sys.executable, "-c", HOLD.format(code)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        told = openers.openers({thing: ()})
        found[way] = [name.replace(str(other.pid), "PID") for name in told.of(thing)]
        other.stdin.close()
print(json.dumps(found))
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of the ordinary user's, with a copy of the module."""
    path = Path("/var/tmp") / f"stripelab-openers-{os.getpid()}"
    path.mkdir()
    shutil.copy(openers.__file__, path / "openers.py")
    if os.geteuid() == 0:
        os.chown(path, USER, USER)
    yield path
    shutil.rmtree(path)


def test_an_ordinary_user_sees_who_of_its_own_has_a_file_open_or_mapped(folder: Path) -> None:
    become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all"]
    words = [*(become if os.geteuid() == 0 else ()), "/usr/bin/python3", "-c", PROGRAM]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    (opened,), (mapped,) = json.loads(done.stdout).values()
    assert opened.startswith("process PID (python3")
    assert mapped.startswith("process PID (python3")
