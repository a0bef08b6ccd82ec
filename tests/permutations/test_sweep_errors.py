"""Errors in sweep files: syntax, files that are none, and what an error consists of."""

from __future__ import annotations

import pytest

from permutations.errors import SweepError, nearest
from permutations.sweep import Sweep
from tests.permutations.sweep_texts import FIVE, HEAD, factors, in_workload


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[factors]\nlevel = \n", 2),
        ("[factors]\nlevel = [1,\n\n", 2),
        ("a = 1\n\na = 2\n", 3),
        ("[factors]\nlevel = raid5\n", 2),
        ("[factors\n", 1),
        ('[factors]\nlevel = "raid5\n', 2),
    ],
)
def test_bad_syntax_has_its_line(sweep_of, text, line):
    with pytest.raises(SweepError) as refused:
        sweep_of(text)
    assert refused.value.line == line
    assert str(refused.value).startswith(f"t.toml:{line}: not valid TOML: ")
    assert "(at line" not in str(refused.value)


def test_an_error_can_be_taken_apart(sweep_of):
    with pytest.raises(SweepError) as refused:
        sweep_of(factors('level = "raid5"\ndisks = 4\nchunk_kb = [64]'))
    error = refused.value
    assert (error.path, error.line, error.key) == ("t.toml", 4, "[factors] chunk_kb")
    assert (error.message, error.suggestion) == ("unknown key", "chunk_kib")


def test_files_that_are_none(tmp_path):
    absent, folder, binary, large = (tmp_path / name for name in ("absent.toml", "folder", "binary", "large"))
    folder.mkdir()
    binary.write_bytes(b"a = 1\n\xff\xfe")
    large.write_bytes(b"#" * (1 << 21))
    for path, said in (
        (absent, f"{absent}: does not exist"),
        (folder, f"{folder}: is not a regular file"),
        (binary, f"{binary}:2: is not UTF-8 text"),
        (large, f"{large}: is larger than 1048576 bytes"),
    ):
        with pytest.raises(SweepError) as refused:
            Sweep.load(path)
        assert str(refused.value) == said


def test_a_profile_by_name_needs_somebody_who_knows_it():
    with pytest.raises(SweepError, match="no profile is known by name here"):
        Sweep.parse(FIVE + '[lab]\nprofile = "hdd"\n', "t.toml")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('ioengine = "external:/x.so"', 'ioengine: "external:/x.so" is no name of an I/O engine of fio'),
        ('options = {"../x" = 1}', "options ../x: is no name of a fio option"),
    ],
)
def test_without_a_vocabulary_words_must_still_be_plain(line, said):
    with pytest.raises(SweepError) as refused:
        Sweep.parse(in_workload(line), "t.toml")
    assert said in str(refused.value)


def test_a_job_file_that_trims_is_refused(tmp_path):
    (tmp_path / "a.fio").write_text("[global]\nrw=read\n[j]\nrw=randtrim\n")
    text = HEAD + '[[workload]]\nname = "w"\njob_file = "a.fio"\n'
    with pytest.raises(SweepError, match=r"a\.fio:4: rw=randtrim is not supported"):
        Sweep.parse(text, tmp_path / "t.toml")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("chunk_kb", "chunk_kib"), ("Chunk_KiB", "chunk_kib"), ("kib", "chunk_kib"), ("zzz", None), ("", None)],
)
def test_the_nearest_name(written, meant):
    assert nearest(written, ("level", "disks", "chunk_kib")) == meant
