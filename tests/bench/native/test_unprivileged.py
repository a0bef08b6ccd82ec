"""The engine works for any user, without locked memory, and where a filter forbids the newer interfaces."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.native.options import IOENGINES
from tests.bench.native import child
from tests.bench.native.ways import Way, every_way

BLOCKS = 64
CALLS = ["io_uring_setup", "io_setup"]
every_refusal = pytest.mark.parametrize("code", [errno.EPERM, errno.ENOSYS], ids=["EPERM", "ENOSYS"])
can_forbid = pytest.mark.skipif(
    not set(CALLS) <= set(child.SYSTEM_CALLS), reason="the numbers of this machine's system calls are not known here"
)


@pytest.fixture
def file() -> Iterator[Path]:
    """A file that everybody may read: the folders of pytest are for their owner alone."""
    with tempfile.TemporaryDirectory(prefix="stripelab-tests-") as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "data"
        path.write_bytes(b"\xa5" * 4096 * BLOCKS)
        path.chmod(0o644)
        yield path


@every_way
def test_a_user_without_privileges_and_without_locked_memory_measures(way: Way, file: Path) -> None:
    words = {"rw": "randread", "iodepth": 1 if way.name == "psync" else 8, "ioengine": IOENGINES[way.ioengine]}
    found = child.ended(child.start(file, way.implementation, unprivileged=True, words=words))
    if way.name == "io_uring" and found["outcome"] == "failed":  # kernels that count the ring itself as locked memory
        assert found["message"] == "opening a queue by io_uring: Cannot allocate memory"
        return
    assert (found["outcome"], found["message"], found["ios"]) == ("done", "", BLOCKS)
    assert found["ioengine"] == ("psync" if way.name == "twin" else way.name)
    assert "registered buffers" not in found["detail"]  # they would count as locked memory


def test_what_locked_memory_does_not_suffice_for_is_replaced_unless_it_was_asked_for_by_name(file: Path) -> None:
    found = child.ended(child.start(file, unprivileged=True, words={"rw": "randread", "iodepth": 8}))
    assert (found["outcome"], found["ios"]) == ("done", BLOCKS)
    assert found["ioengine"] in {"io_uring", "libaio"}


@can_forbid
@every_refusal
def test_where_io_uring_is_refused_libaio_runs_and_the_result_says_so(file: Path, code: int) -> None:
    words = {"rw": "randread", "iodepth": 8}
    found = child.ended(child.start(file, forbidden=CALLS[:1], code=code, words=words))
    assert (found["outcome"], found["ioengine"], found["iodepth"]) == ("done", "libaio", 8)
    assert found["ios"] == BLOCKS


@can_forbid
@every_refusal
def test_where_libaio_is_refused_too_the_plain_calls_run_with_one_io_in_flight(file: Path, code: int) -> None:
    words = {"rw": "randread", "iodepth": 8}
    found = child.ended(child.start(file, forbidden=CALLS, code=code, words=words))
    assert (found["outcome"], found["ioengine"], found["iodepth"]) == ("done", "psync", 1)
    assert found["ios"] == BLOCKS


@can_forbid
@every_refusal
@pytest.mark.parametrize("ioengine", ["io_uring", "libaio"])
def test_what_was_asked_for_by_name_is_not_replaced(file: Path, code: int, ioengine: str) -> None:
    words = {"rw": "randread", "iodepth": 8, "ioengine": ioengine}
    found = child.ended(child.start(file, forbidden=CALLS, code=code, words=words))
    assert found["outcome"] == "failed"
    assert f"opening a queue by {ioengine}" in found["message"]
