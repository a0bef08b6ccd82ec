"""Evidence as a folder: any changed byte is found and named, and nothing outside is ever touched."""

from __future__ import annotations

import json
import os
import random
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import signing
from results import evidence
from results import handover as making
from results.errors import ResultsError
from results.evidence import MANIFEST, SIGNATURE, Entry, Manifest, Signature
from results.evidence import manifest as manifests
from results.guarantee import Question
from results.guarantee.synthetic import Campaign, Truth
from results.report import write
from tests.bench.signers import make_key
from tests.results.guarantees import make

ANNA = "anna@example.com"
SWEEP = '[objective]\nmaximise = "iops"\nworkload = "random-write"\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed folder E (with a PDF), and allowed_signers beside it."""
    root = tmp_path_factory.mktemp("evidence")
    make(root / "S", Campaign(Truth(), substrate="disk", runs=6))
    (root / "S" / "sweep.toml").write_text(SWEEP)
    for name in ("protocol", "journal.jsonl", ".lock"):
        (root / "S" / name).write_text("0123456789abcdef\n")
    make_key(root, ANNA)
    with making.publishing(root / "E") as folder:
        making.prepare(root / "S", folder, making.Asked("stripelab evidence S -o E", "1.2.3", Question()))
        signing.sign(root / "key", folder / MANIFEST)
    return root


@pytest.fixture
def folder(place: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(place / "E", tmp_path / "E"))


def judge(place: Path):
    """What ssh-keygen says; a signature and a manifest that were judged once are not judged again."""
    return cache(lambda content, armour: signing.judge(content, armour, place / "allowed_signers", None))


def found(place: Path, folder: Path) -> dict[str, str]:
    """Kind of finding by path."""
    verdict = evidence.verify(folder, judge(place))
    assert verdict.holds == (not verdict.findings)
    return {each.path: each.kind for each in verdict.findings}


def test_what_was_signed_holds_and_says_who_made_it_of_what(place, folder):
    verdict = evidence.verify(folder, judge(place))
    assert verdict.holds
    assert verdict.signature.signer == ANNA
    assert verdict.signature.key is not None
    made = verdict.manifest
    assert made is not None
    assert (made.stripelab_version, made.command) == ("1.2.3", "stripelab evidence S -o E")
    roles = {entry.role for entry in made.files}
    assert roles == {"trials", "observations", "intervals", "environments", "store", "sweep", "report", "guarantee"}
    assert {entry.path for entry in made.files if entry.role == "sweep"} == {"store/sweep.toml"}
    assert {entry.path for entry in made.files if entry.role == "store"} == {"store/protocol", "store/stripelab.json"}
    assert {entry.path for entry in made.files if entry.role == "report"} == {
        "report.html",
        "report.pdf",
        "report.pdf.sha256",
    }
    assert made.statement is not None
    assert made.statement.startswith("With 95 % confidence")


def test_a_flipped_byte_at_any_of_a_thousand_random_places_is_found_and_the_file_named(place, folder):
    """Places are drawn over all bytes of the folder; the manifest and the signature get some of their own."""
    rng = random.Random(20261124)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    drawn = rng.choices(files, weights=sizes, k=1000)
    drawn += [folder / name for name in (MANIFEST, SIGNATURE) for _ in range(25)]
    ask = judge(place)
    for path in drawn:
        with path.open("r+b") as file:
            at = rng.randrange(path.stat().st_size)
            file.seek(at)
            whole = file.read(1)[0]
            file.seek(at)
            file.write(bytes([whole ^ rng.randrange(1, 256)]))
            file.flush()
            verdict = evidence.verify(folder, ask)
            file.seek(at)
            file.write(bytes([whole]))
        named = {each.path for each in verdict.findings}
        inside = path.relative_to(folder).as_posix()
        assert not verdict.holds, (inside, at)
        assert inside in named, (inside, at, named)
        if inside != MANIFEST:  # a changed digest in the manifest looks like a changed file, which is named too
            assert named <= ({inside} if inside != SIGNATURE else {MANIFEST, SIGNATURE})
    assert evidence.verify(folder, ask).holds


def test_every_byte_of_the_signature_counts_the_last_newline_too(place, folder):
    """ssh-keygen itself overlooks what follows the end of a signature."""
    armour = (folder / SIGNATURE).read_bytes()
    for changed in (armour + b"\n", armour[:-1], armour[:-1] + b" ", b"\n" + armour, armour.replace(b"\n", b"\r\n")):
        (folder / SIGNATURE).write_bytes(changed)
        assert found(place, folder) == {SIGNATURE: "changed"}


def test_missing_and_extra_files_are_named(place, folder):
    (folder / "report.pdf").unlink()
    (folder / "store" / "trials" / "more.parquet").write_bytes(b"PAR1")
    assert found(place, folder) == {"report.pdf": "missing", "store/trials/more.parquet": "extra"}


def test_links_and_devices_are_named_and_never_followed(place, folder, tmp_path):
    """A link to a copy of the very file does not pass either, and a pipe does not hang the check."""
    shutil.copy(folder / "report.html", tmp_path / "same.html")
    (folder / "report.html").unlink()
    (folder / "report.html").symlink_to(tmp_path / "same.html")
    (folder / "etc").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    kinds = found(place, folder)
    assert kinds == {"report.html": "odd", "etc": "odd", "pipe": "odd"}


def test_a_file_of_another_size_is_named_without_being_read(place, folder):
    """A petabyte of nothing: reading it would take days."""
    with (folder / "report.html").open("r+b") as file:
        file.truncate(1 << 42)
    assert found(place, folder) == {"report.html": "changed"}


def test_a_manifest_that_leaves_the_folder_opens_nothing_outside(place, folder, tmp_path, monkeypatch):
    """Even where it is properly signed; so is one that names a file twice, or has no digest."""
    outside = tmp_path / "secret"
    outside.write_text("secret")
    made = evidence.decode((folder / MANIFEST).read_bytes())
    evil = ["../secret", str(outside), "store/../../secret", "a//b", "./report.html", "a\x1b[31m", ".hidden", "x" * 300]
    entries = [Entry("0" * 64, path, 6, "report") for path in evil]
    entries += [replace(made.files[0], sha256="XYZ"), made.files[1], made.files[1]]
    kept = [entry for entry in made.files if entry.path not in {made.files[0].path, made.files[1].path}]
    content = manifests._encoded(replace(made, files=(*kept, *entries)))
    (folder / MANIFEST).write_bytes(content)
    opened: list[str] = []
    original = os.open
    monkeypatch.setattr(os, "open", lambda path, *a, **k: (opened.append(str(path)), original(path, *a, **k))[1])
    verdict = evidence.verify(folder, lambda _content, _armour: Signature(True, signer=ANNA))
    assert [path for path in opened if "secret" in path] == []
    kinds = [each.kind for each in verdict.findings]
    assert kinds.count("outside") == len(evil)
    assert all("\x1b" not in each.path + each.text for each in verdict.findings)
    texts = " ".join(each.text for each in verdict.findings)
    assert "names a file twice" in texts
    assert "has no SHA-256 for" in texts
    with pytest.raises(ResultsError):
        evidence.encode(replace(made, files=tuple(entries)))


def test_a_file_in_a_folder_of_many_folders_is_not_followed_for_ever(place, folder):
    deep = folder.joinpath(*["d"] * 40)
    deep.mkdir(parents=True)
    (kind,) = set(found(place, folder).values())
    assert kind == "odd"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"[" * 100_000, b'{"format": 1}', b"\xff\xfe", b'{"a": ' * 5000],
    ids=range(7),
)
def test_what_is_no_manifest_is_named_and_nothing_is_raised(place, folder, content):
    (folder / MANIFEST).write_bytes(content)
    assert found(place, folder) == {MANIFEST: "changed"}


def test_a_manifest_of_a_later_version_or_with_other_blanks_does_not_pass(place, folder):
    whole = (folder / MANIFEST).read_bytes()
    for changed in (
        whole.replace(b'"version": 1', b'"version": 9'),
        whole.replace(b": ", b":  ", 1),
        whole.replace(b' "files"', b' "more": 1,\n "files"'),
        json.dumps(json.loads(whole)).encode(),
    ):
        (folder / MANIFEST).write_bytes(changed)
        assert found(place, folder) == {MANIFEST: "changed"}


@pytest.mark.parametrize("name", [MANIFEST, SIGNATURE])
def test_a_huge_manifest_or_signature_is_refused(place, folder, name):
    with (folder / name).open("r+b") as file:
        file.truncate(1 << 40)
    if name == SIGNATURE:
        assert found(place, folder) == {SIGNATURE: "missing"}
    else:
        with pytest.raises(ResultsError, match="is no evidence"):
            evidence.verify(folder, judge(place))


def test_a_folder_that_is_no_evidence_is_one_clear_error(place, tmp_path):
    for wrong in (tmp_path, tmp_path / "nowhere", place / "S"):
        with pytest.raises(ResultsError, match="is no evidence"):
            evidence.verify(wrong, judge(place))


SAFE = st.from_regex(r"[a-z0-9][A-Za-z0-9._+-]{0,20}(/[a-z0-9][A-Za-z0-9._+-]{0,20}){0,3}", fullmatch=True)
ENTRIES = st.builds(
    Entry, st.text("0123456789abcdef", min_size=64, max_size=64), SAFE, st.integers(0, 1 << 62), st.text(max_size=9)
)
MANIFESTS = st.builds(
    Manifest,
    st.just("stripelab-evidence"),
    st.just(1),
    st.text(max_size=20),
    st.text(max_size=20),
    st.text(max_size=9),
    st.lists(st.text(max_size=9), max_size=3).map(tuple),
    st.text(max_size=80),
    st.none() | st.text(max_size=80),
    st.none() | st.text(max_size=20),
    st.lists(ENTRIES, max_size=5).map(tuple),
)


@given(MANIFESTS)
@settings(max_examples=80)
def test_a_manifest_comes_back_as_it_was_and_has_one_encoding(manifest):
    content = evidence.encode(manifest)
    assert evidence.decode(content) == manifest
    lines = [line for line in content.decode("ascii").split("\n") if line.startswith('  {"sha256": "')]
    assert len(lines) == len(manifest.files)


@given(st.binary(max_size=400))
@settings(max_examples=80)
def test_any_bytes_are_a_manifest_or_a_named_error(content):
    with pytest.raises(manifests.ManifestError):
        evidence.decode(content)


def test_the_same_store_gives_the_same_manifest(place, tmp_path):
    """Made again from another place; the documents in it are compared by their digests."""
    shutil.copytree(place / "S", tmp_path / "elsewhere")
    with making.publishing(tmp_path / "F") as made:
        making.prepare(tmp_path / "elsewhere", made, making.Asked("stripelab evidence S -o E", "1.2.3", Question()))
    assert (tmp_path / "F" / MANIFEST).read_bytes() == (place / "E" / MANIFEST).read_bytes()


def test_the_documents_are_made_again_from_the_data_in_the_folder_byte_for_byte(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    write("store", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_bytes() == (folder / "report.html").read_bytes()


def test_what_fails_leaves_nothing_behind(place, tmp_path):
    def fill(target: Path) -> None:
        with making.publishing(target) as folder:
            (folder / "x").write_text("half")
            raise ResultsError("on purpose")

    with pytest.raises(ResultsError, match="on purpose"):
        fill(tmp_path / "E")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "E").mkdir()
    with pytest.raises(ResultsError, match="is there already"):
        fill(tmp_path / "E")
    with pytest.raises(ResultsError, match="cannot write"):
        fill(tmp_path / "nowhere" / "E")


def test_a_store_with_a_damaged_file_leaves_that_trial_out(place, tmp_path):
    """What is signed is what counts: a trial with a torn file is neither copied nor judged."""
    store = Path(shutil.copytree(place / "S", tmp_path / "S"))
    victim = min((store / "observations").iterdir())
    victim.write_bytes(victim.read_bytes()[:-20])
    with making.publishing(tmp_path / "E") as folder:
        made = making.prepare(store, folder, making.Asked("c", "1", Question(), pdf=False))
    paths = {entry.path for entry in made.manifest.files}
    assert not any(victim.stem in path for path in paths)
    assert "report.pdf" not in paths
