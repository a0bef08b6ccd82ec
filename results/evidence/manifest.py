"""The manifest: what was signed, as a value and as the only bytes that stand for it.

One file a line, in a form that ``sed`` and ``sha256sum --check`` can read, so that nobody needs stripelab
to check it.  A value has exactly one encoding: other bytes with the same meaning are a changed manifest.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass

from results.errors import ResultsError

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
FORMAT = "stripelab-evidence"
VERSION = 1
MAX_BYTES = 64 << 20
"""Largest manifest that is read: 300,000 files.  What is larger was not written by :func:`encode`."""

_SAFE_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,200}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,200}){0,7}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Entry:
    """A file: its SHA-256 (hexadecimal), its path within the folder, its size, and what it is.

    ``role`` is a table of the store, or store, sweep, nights, baseline, report or guarantee.
    """

    sha256: str
    path: str
    bytes: int
    role: str


@dataclass(frozen=True)
class Manifest:
    """What a folder of evidence holds, and how it was made.

    ``date`` is the end of the newest trial (UTC), not the time of writing: the same store gives the same bytes.
    ``statement`` is the guarantee's sentence where there is one, ``watermark`` what marks a demonstration.
    """

    format: str
    version: int
    sweep: str
    date: str
    stripelab_version: str
    made_with: tuple[str, ...]
    command: str
    statement: str | None
    watermark: str | None
    files: tuple[Entry, ...]


class ManifestError(Exception):
    """The bytes are no manifest; the text says why."""


def encode(manifest: Manifest) -> bytes:
    """The bytes that stand for a manifest.

    Raises:
        ResultsError: a path that a verifier would not accept.
    """
    for entry in manifest.files:
        if not is_safe(entry.path):
            raise ResultsError(f"{entry.path!r} is no path for evidence", remedy="Use letters, digits, . _ + and -.")
    return _encoded(manifest)


def _encoded(manifest: Manifest) -> bytes:
    """As :func:`encode`, whatever the paths are."""
    lines = [
        f" {json.dumps(field.name)}: {json.dumps(getattr(manifest, field.name))},"
        for field in dataclasses.fields(manifest)
        if field.name != "files"
    ]
    files = ",\n".join(f"  {json.dumps(dataclasses.asdict(entry))}" for entry in manifest.files)
    return "\n".join(["{", *lines, ' "files": [', files, " ]", "}", ""]).encode("ascii")


def decode(content: bytes) -> Manifest:
    """The manifest that ``content`` stands for; paths may still be unsafe (:func:`is_safe`).

    Raises:
        ManifestError: it is no manifest, one of a newer stripelab, or not byte for byte as one is written.
    """
    import msgspec

    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"is no manifest of evidence: {error}") from None
    if manifest.format != FORMAT:
        raise ManifestError(f"is no manifest of evidence: its format is {manifest.format[:40]!r}")
    if manifest.version > VERSION:
        raise ManifestError(f"has version {manifest.version}; this stripelab knows versions up to {VERSION}")
    if _encoded(manifest) != content:
        raise ManifestError("is not byte for byte as stripelab writes a manifest")
    return manifest


def is_safe(path: str) -> bool:
    """Whether a path stays within the folder and means the same to every program: no dot first, no blank."""
    return _SAFE_PATH.fullmatch(path) is not None


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 in hexadecimal."""
    return _DIGEST.fullmatch(text) is not None
