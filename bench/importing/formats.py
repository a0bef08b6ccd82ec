"""Which format a file has, by what stands in it: names of files say too little."""

from __future__ import annotations

from bench.errors import EngineError
from bench.fio.parser import only_document
from bench.importing import dd, elbencho, fio, gpcheckperf
from bench.importing.fio_logs import Logs
from bench.importing.run import Naming, Run

LARGEST_BYTES = 256 << 20
"""A file is read whole; a larger one is refused, so that memory stays bounded."""

_HEAD = 1 << 16


def read(content: bytes, naming: Naming, logs: Logs) -> list[Run]:
    """Runs in a file.

    Raises:
        EngineError: it is empty, binary, of no format known here, or without a complete result.
        ImportFailedError: a name does not fit its factor.
    """
    if may_be_one_document(content):
        document = only_document(content)
        if document is not None:
            return fio.of_document(document, naming, logs)
    if not content.strip():
        raise EngineError("it is empty")
    if b"\0" in content[:_HEAD]:
        raise EngineError("it is binary")
    text = content.decode("utf-8", errors="backslashreplace").removeprefix("\ufeff")
    if elbencho.recognised(text):
        return elbencho.read(text, naming)
    if '"fio version"' in text[:_HEAD] or '"jobs"' in text[:_HEAD] or text.lstrip()[:1] == "{":
        return fio.read(text, naming, logs)
    if gpcheckperf.recognised(text):
        return gpcheckperf.read(text, naming)
    if dd.recognised(text):
        return dd.read(text, naming)
    raise EngineError(_why_not(text))


def may_be_one_document(content: bytes) -> bool:
    """Whether a file looks like a document of fio and nothing else, as nearly all do, and like no other format."""
    if content[:1] != b"{" or not content.isascii() or content.find(b"\0", 0, _HEAD) >= 0:
        return False
    end = content.find(b"\n")
    return not elbencho.recognised(content[: max(end, 256) if end >= 0 else None].decode())


def _why_not(text: str) -> str:
    """What else the file may be."""
    if "fio-" in text[:_HEAD] and ("IOPS=" in text or "iops=" in text):
        return "it is fio's output for people: only that of --output-format=json or json+ has every figure"
    first = text.lstrip()[:16]
    if first.startswith(("3;fio-", "2;fio-", "4;fio-", "5;fio-")):
        return "it is fio's terse output: only that of --output-format=json or json+ has every figure"
    return "it is nothing that can be imported: fio's JSON, dd's figures, gpcheckperf's output or elbencho's files"
