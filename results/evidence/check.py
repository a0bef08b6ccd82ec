"""Does a folder of evidence hold: the signature, and every byte that it stands for?"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.errors import ResultsError
from results.evidence import folder as lying
from results.evidence.manifest import (
    MANIFEST,
    MAX_BYTES,
    SIGNATURE,
    Entry,
    Manifest,
    ManifestError,
    decode,
    is_digest,
    is_safe,
)
from results.paths import is_file

MAX_SIGNATURE_BYTES = 64 << 10
_BEGIN, _END = b"-----BEGIN SSH SIGNATURE-----\n", b"-----END SSH SIGNATURE-----\n"
_ARMOUR_WIDTH = 70


@dataclass(frozen=True)
class Signature:
    """What ``ssh-keygen`` says of a signature: whether it holds, whose it is, by which key.

    ``reason`` is why it does not hold; ``signer`` is None where nobody was asked to vouch for the key.
    """

    holds: bool
    signer: str | None = None
    key: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Finding:
    """A file that is not as it was signed; ``kind`` is one word for programs."""

    path: str
    kind: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """Whether the evidence holds; without a ``manifest`` nothing but the signature could be looked at."""

    signature: Signature
    manifest: Manifest | None
    findings: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """The signature holds, and every file is as it was signed."""
        return self.signature.holds and not self.findings

    def to_json(self) -> dict[str, Any]:
        """As plain values for JSON; of the files only how many there are."""
        made = self.manifest
        about = {} if made is None else {**dataclasses.asdict(made), "files": len(made.files)}
        return {
            "holds": self.holds,
            "signature": dataclasses.asdict(self.signature),
            "manifest": about or None,
            "findings": [dataclasses.asdict(each) for each in self.findings],
        }


def verify(folder: Path, judge: Callable[[bytes, bytes], Signature]) -> Verdict:
    """Check a folder of evidence; ``judge`` says what a signature (second) over a manifest (first) is worth.

    Contents are compared even where the signature does not hold, so that what was changed is named.

    Raises:
        ResultsError: there is no manifest to check.
    """
    root = folder.parent if folder.name == MANIFEST and is_file(folder) else folder
    content = lying.read_small(root / MANIFEST, MAX_BYTES)
    if content is None:
        raise ResultsError(
            f"{root} is no evidence: it has no {MANIFEST}, or one that is no file of at most {MAX_BYTES >> 20} MiB",
            remedy="Name the folder that `stripelab evidence STORE -o FOLDER` made.",
        )
    armour = lying.read_small(root / SIGNATURE, MAX_SIGNATURE_BYTES)
    findings: list[Finding] = []
    try:
        manifest = decode(content)
    except ManifestError as error:
        manifest = None
        findings.append(Finding(MANIFEST, "changed", f"{MANIFEST} {error}"))
    signature, of_signature = _signature(content, armour, judge)
    if not findings:  # where the manifest is at fault for certain, its signature is not blamed too
        findings += of_signature
    if manifest is not None:
        findings += compare(root, manifest)
    return Verdict(signature, manifest, tuple(findings))


def _signature(
    content: bytes, armour: bytes | None, judge: Callable[[bytes, bytes], Signature]
) -> tuple[Signature, list[Finding]]:
    """The verdict on the signature, and the files that are at fault."""
    if armour is None:
        reason = f"there is no {SIGNATURE}, or it is no plain file of at most {MAX_SIGNATURE_BYTES >> 10} KiB"
        return Signature(False, reason=reason), [Finding(SIGNATURE, "missing", f"not signed: {reason}")]
    if not is_armour(armour):
        reason = f"{SIGNATURE} is not byte for byte as ssh-keygen writes a signature"
        return Signature(False, reason=reason), [Finding(SIGNATURE, "changed", reason)]
    signature = judge(content, armour)
    if signature.holds:
        return signature, []
    text = f"{MANIFEST} is not what {SIGNATURE} signs, or nobody vouches for the key: {signature.reason}"
    return signature, [Finding(path, "signature", text) for path in (MANIFEST, SIGNATURE)]


def is_armour(content: bytes) -> bool:
    """Whether these are the only bytes that stand for their signature (OpenSSH's PROTOCOL.sshsig, "Armored").

    ``ssh-keygen`` overlooks what follows the last line, and bits that base64 does not use.
    """
    if not (content.startswith(_BEGIN) and content.endswith(_END)):
        return False
    body = content[len(_BEGIN) : -len(_END)]
    try:
        blob = base64.b64decode(body.replace(b"\n", b""), validate=True)
    except binascii.Error:
        return False
    lines = textwrap.wrap(base64.b64encode(blob).decode("ascii"), _ARMOUR_WIDTH)
    return body == "".join(f"{line}\n" for line in lines).encode("ascii")


def compare(root: Path, manifest: Manifest) -> Iterator[Finding]:
    """Every difference between the manifest and what lies in the folder."""
    named = {entry.path: entry for entry in manifest.files}
    yield from _of_manifest(manifest)
    seen = set()
    for found in lying.walk(root, {path: entry.bytes for path, entry in named.items()}):
        if found.path not in {MANIFEST, SIGNATURE} or found.odd is not None:
            seen.add(found.path)
            difference = _of_file(found, named.get(found.path))
            if difference is not None:
                yield difference
    for path in sorted(named.keys() - seen):
        if is_safe(path):
            yield Finding(path, "missing", f"{path} is missing")


def _of_manifest(manifest: Manifest) -> Iterator[Finding]:
    """What a manifest may not say, whoever signed it."""
    if len({entry.path for entry in manifest.files}) != len(manifest.files):
        yield Finding(MANIFEST, "changed", f"{MANIFEST} names a file twice")
    for entry in manifest.files:
        if not is_safe(entry.path):
            yield Finding(
                repr(entry.path)[1:-1],
                "outside",
                f"{MANIFEST} names {entry.path!r}, which is no path within the folder: it was not opened",
            )
        elif not is_digest(entry.sha256):
            yield Finding(MANIFEST, "changed", f"{MANIFEST} has no SHA-256 for {entry.path}")


def _of_file(found: lying.Lying, signed: Entry | None) -> Finding | None:
    """How one file differs from what was signed of it; None where it does not."""
    shown = repr(found.path)[1:-1]  # a hostile name must not write to a terminal
    if found.odd is not None:
        return Finding(shown, "odd", f"{shown} {found.odd}")
    if signed is None:
        return Finding(shown, "extra", f"{shown} is not in the manifest: nobody signed it")
    if found.bytes != signed.bytes:
        return Finding(shown, "changed", f"{shown} has {found.bytes} bytes, {signed.bytes} were signed")
    if found.sha256 != signed.sha256:
        return Finding(shown, "changed", f"{shown} was changed: its SHA-256 is not the one that was signed")
    return None
