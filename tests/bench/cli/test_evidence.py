"""`evidence` and `verify` as a user calls them, and the check without stripelab as the documentation says it."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from results.guarantee.synthetic import Campaign, Truth
from tests.bench.cli.test_recommend_and_report import RUN, stripelab
from tests.bench.signers import make_key
from tests.results.guarantees import make

ROOT = Path(__file__).parents[3]
ANNA, BOB = "anna@example.com", "bob@example.com"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store S, Anna's key, and E, which she signed."""
    root = tmp_path_factory.mktemp("evidence")
    make(root / "S", Campaign(Truth(), substrate="disk", runs=6))
    make_key(root, ANNA)
    done = stripelab("evidence", root / "S", "-o", root / "E", "--sign", root / "key", "--no-pdf", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert (made["signed"], made["watermark"], made["refusals"]) == (True, None, [])
    assert made["statement"].startswith("With 95 % confidence")
    return root


@pytest.fixture
def copied(place: Path, tmp_path: Path) -> Path:
    """E and the allowed signers, to change at will."""
    shutil.copytree(place / "E", tmp_path / "E")
    shutil.copy(place / "allowed_signers", tmp_path)
    return tmp_path


def verified(place: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return stripelab("verify", place / "E", "--signers", place / "allowed_signers", *words)


def test_what_anna_signed_holds_and_the_verb_says_what_it_states(place):
    done = verified(place, "--identity", ANNA)
    assert (done.returncode, done.stderr) == (0, "")
    assert "E is valid: " in done.stdout
    assert f"signed by {ANNA} with SHA256:" in done.stdout
    assert "With 95 % confidence" in done.stdout
    assert re.search(r"command: stripelab evidence \S+/S -o \S+/E --sign \S+/key --no-pdf --json", done.stdout)


def test_a_changed_file_is_status_one_and_named(copied):
    report = copied / "E" / "report.html"
    report.write_bytes(report.read_bytes().replace(b"95 %", b"99 %", 1))
    done = verified(copied, "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert (answer["holds"], answer["signature"]["holds"], answer["signature"]["signer"]) == (False, True, ANNA)
    assert [(each["kind"], each["path"]) for each in answer["findings"]] == [("changed", "report.html")]
    said = verified(copied)
    assert "IS NOT VALID" in said.stdout
    assert "report.html was changed" in said.stdout


def test_a_manifest_that_someone_else_signed_does_not_hold(copied, tmp_path):
    """Also where he is somebody whom the file knows, if it must be Anna; and a key made for another purpose."""
    manifest = copied / "E" / "manifest.json"
    key = make_key(tmp_path, BOB, name="other")
    signers = (tmp_path / "allowed_signers").read_text().splitlines()
    (tmp_path / "only-anna").write_text(f"{signers[0]}\n")
    (copied / "E" / "manifest.json.sig").unlink()
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", key]
    subprocess.run([*sign, "-n", "stripelab-evidence", manifest], check=True, capture_output=True)
    assert f"signed by {BOB}" in verified(copied).stdout
    no = stripelab("verify", copied / "E", "--signers", tmp_path / "only-anna")
    assert no.returncode == 1
    assert "vouches for nobody with this key" in no.stdout
    assert verified(copied, "--identity", ANNA).returncode == 1
    (copied / "E" / "manifest.json.sig").unlink()
    subprocess.run([*sign, "-n", "git", manifest], check=True, capture_output=True)
    assert verified(copied).returncode == 1
    assert stripelab("verify", copied / "E", "--any-signer").returncode == 1


def test_the_bytes_alone_can_be_checked_and_the_verb_says_what_that_is_worth(place):
    done = stripelab("verify", place / "E", "--any-signer")
    assert done.returncode == 0
    assert "the key was not checked against allowed signers" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--signers", "nowhere"), "nowhere is not a file"),
        (("--any-signer", "--identity", ANNA), "cannot be combined with --signers"),
    ],
)
def test_a_question_that_cannot_be_answered_is_a_usage_error(place, words, said):
    done = stripelab("verify", place / "E", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_without_a_key_the_command_that_signs_is_printed_and_works(place, tmp_path):
    shutil.copytree(place / "S", tmp_path / "S")
    done = stripelab("evidence", tmp_path / "S", "-o", tmp_path / "E", "--no-pdf")
    assert done.returncode == 0
    (command,) = re.findall(r"not signed; hint: to sign it, run (.*)", done.stderr)
    shutil.copy(place / "allowed_signers", tmp_path)
    no = verified(tmp_path)
    assert no.returncode == 1
    assert "not signed" in no.stdout
    subprocess.run(command.replace("KEY", str(place / "key")), shell=True, check=True, capture_output=True)
    assert verified(tmp_path).returncode == 0


def test_a_key_that_cannot_sign_leaves_nothing_and_says_what_to_do(place, tmp_path):
    """A passphrase cannot be asked for without a terminal; a file may be no key."""
    locked = make_key(tmp_path, ANNA, name="locked", passphrase="correct horse")
    (tmp_path / "none").write_text("no key")
    for key in (locked, tmp_path / "none", tmp_path / "nowhere"):
        done = stripelab("evidence", place / "S", "-o", tmp_path / "E", "--sign", key, "--no-pdf")
        assert done.returncode == 16
        assert "next: " in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "E").exists()
        assert not list(tmp_path.glob(".E*"))


def test_a_passphrase_is_asked_for_on_the_terminal(place, tmp_path):
    key = make_key(tmp_path, ANNA, passphrase="correct horse")
    words = [sys.executable, "-c", RUN, "evidence", place / "S", "-o", tmp_path / "E", "--sign", key, "--no-pdf"]
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [str(word) for word in words])
    said, answered = b"", False
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:
            break
        if b"passphrase" in said and not answered:
            os.write(terminal, b"correct horse\n")
            answered = True
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, said
    assert answered
    assert verified(tmp_path).returncode == 0


def test_a_key_in_the_agent_signs(place, tmp_path, monkeypatch):
    """Its private half is nowhere in a file."""
    key = make_key(tmp_path, ANNA)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "socket"], stdout=subprocess.PIPE, text=True)
    try:
        assert agent.stdout is not None
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "socket"))
        subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True)
        key.unlink()
        words = ("-o", tmp_path / "E", "--sign", tmp_path / "key.pub", "--no-pdf")
        done = stripelab("evidence", place / "S", *words)
        assert done.returncode == 0, done.stderr
    finally:
        agent.terminate()
        agent.communicate()
    assert verified(tmp_path).returncode == 0


def documented() -> list[str]:
    """The commands under "Without stripelab" in docs/evidence.md."""
    text = (ROOT / "docs" / "evidence.md").read_text()
    section = text[text.index("## Without stripelab") : text.index("## What it does not prove")]
    return re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)


def by_hand(folder: Path) -> list[tuple[int, str]]:
    """Status and output of each documented block; the first command that fails gives the status."""
    ended = [
        subprocess.run(
            ["bash", "-ec", f"set -o pipefail\n{block}"], cwd=folder, capture_output=True, text=True, check=False
        )
        for block in documented()
    ]
    return [(each.returncode, each.stdout + each.stderr) for each in ended]


def test_the_commands_of_the_documentation_check_it_without_stripelab(copied):
    signature, files, extra = by_hand(copied / "E")
    assert signature[0] == 0
    assert 'Good "stripelab-evidence" signature for anna@example.com with ED25519 key' in signature[1]
    assert files == (0, "")
    assert extra == (0, "")


@pytest.mark.parametrize("victim", ["report.html", "guarantee.txt", "store/stripelab.json"])
def test_the_commands_of_the_documentation_name_what_was_changed(copied, victim):
    path = copied / "E" / victim
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (copied / "E" / "store" / "more").write_text("unsigned")
    signature, files, extra = by_hand(copied / "E")
    assert signature[0] == 0
    assert files[0] != 0
    assert f"{victim}: FAILED" in files[1]
    assert extra[1] == "store/more\n"


def test_the_commands_of_the_documentation_find_a_changed_manifest(copied):
    path = copied / "E" / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"95 %", b"99 %"))
    signature, _, _ = by_hand(copied / "E")
    assert signature[0] != 0


def test_evidence_states_a_guarantee_limited_to_a_day(tmp_path):
    store = make(tmp_path / "S", Campaign(Truth(), substrate="disk", runs=6, runs_a_day=6))
    refused = json.loads(stripelab("evidence", store, "-o", tmp_path / "R", "--no-pdf", "--json").stdout)
    assert refused["statement"] is None
    assert "all 6 runs were made on one day" in refused["refusals"][0]
    done = stripelab("evidence", store, "-o", tmp_path / "E", "--no-pdf", "--json", "--limit-to-day")
    assert "on 2026-09-21 (UTC) alone" in json.loads(done.stdout)["statement"]
    assert "--limit-to-day" in json.loads((tmp_path / "E" / "manifest.json").read_text())["command"]


def test_a_statement_of_an_earlier_version_still_verifies(copied, tmp_path):
    """Versions that counted runs wrote another sentence; what was signed is what counts."""
    earlier = (
        "With 95 % confidence, in at least a share P = 0.606 of future runs under the conditions below, at least 99 % "
        "of the 1-second intervals of a run deliver at least 79,810 IOPS."
    )
    manifest = copied / "E" / "manifest.json"
    known = json.loads(manifest.read_text())
    manifest.write_bytes(manifest.read_bytes().replace(encoded(known["statement"]), encoded(earlier)))
    (copied / "E" / "manifest.json.sig").unlink()
    key = make_key(tmp_path, BOB, name="earlier")
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", "stripelab-evidence", manifest]
    subprocess.run(sign, check=True, capture_output=True)
    done = verified(copied)
    assert (done.returncode, done.stderr) == (0, "")
    assert earlier in " ".join(done.stdout.split())


def encoded(text: str) -> bytes:
    return json.dumps(text, ensure_ascii=False).encode()
