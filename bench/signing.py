"""Signatures by ``ssh-keygen -Y`` (OpenSSH 8.2 and later; its PROTOCOL.sshsig), with the key an engineer has.

Agents and hardware keys work since ssh-keygen does all of it; a passphrase or a touch is asked for on the
terminal where there is one.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from bench import proc
from bench.errors import SigningError
from results.evidence import Signature
from results.paths import is_file

NAMESPACE = "stripelab-evidence"
"""What a signature is for: one made for git or a mail does not hold for evidence, nor the other way round."""

USUAL_SIGNERS = Path("~/.ssh/allowed_signers")
_PASSED = (
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "SSH_SK_PROVIDER",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_RUNTIME_DIR",
)
_KEY = re.compile(r"\bkey (SHA256:\S+)")
_TIMEOUT_S = 300.0


def sign(key: Path, file: Path) -> Path:
    """Sign a file with a private key (or the public half of one that the agent has); returns the signature's path.

    Raises:
        SigningError: ssh-keygen did not sign.
        MissingToolError: there is no ssh-keygen.
    """
    if not is_file(key):
        raise SigningError(f"{key} is no key", remedy="Name your SSH key, such as --sign ~/.ssh/id_ed25519.")
    words: list[str | Path] = ["ssh-keygen", "-Y", "sign", "-f", key, "-n", NAMESPACE, file]
    signature = file.with_name(f"{file.name}.sig")
    opening = [*_paths(words), signature.parent, *_agent()]
    if sys.stdin.isatty():
        proc.run_attended(words, error=SigningError, passing=_PASSED, opening=opening)
    else:
        proc.run(words, timeout_s=_TIMEOUT_S, error=SigningError, passing=_PASSED, opening=opening)
    if not signature.is_file():
        raise SigningError("ssh-keygen ended well, but left no signature", command=" ".join(map(str, words)))
    return signature


def _agent() -> list[Path]:
    """Socket of the agent, which belongs to the user where stripelab runs through sudo."""
    socket = os.environ.get("SSH_AUTH_SOCK")
    return [Path(socket)] if socket else []


def by_hand(key: str, file: str) -> str:
    """The command that signs a manifest elsewhere."""
    return f"ssh-keygen -Y sign -f {key} -n {NAMESPACE} {file}"


def judge(content: bytes, armour: bytes, signers: Path | None, identity: str | None) -> Signature:
    """Whether a signature over ``content`` holds and who vouches for its key (``signers``, see ssh-keygen(1)).

    Without ``signers`` the signature alone is checked: anybody may have made it.

    Raises:
        MissingToolError: there is no ssh-keygen.
    """
    with tempfile.TemporaryDirectory(prefix="stripelab-") as folder:
        signature = Path(folder, "manifest.json.sig")
        signature.write_bytes(armour)
        if signers is None:
            return _checked(_ask(["check-novalidate", "-n", NAMESPACE, "-s", signature], content), None)
        names = [identity] if identity is not None else _principals(signature, signers)
        if not names:
            anybody = _ask(["check-novalidate", "-n", NAMESPACE, "-s", signature], content)
            if anybody.status:
                return _checked(anybody, None)
            return Signature(False, key=_key(anybody), reason=f"{signers} vouches for nobody with this key")
        tried = []
        for name in names:
            ended = _ask(["verify", "-f", signers, "-I", name, "-n", NAMESPACE, "-s", signature], content)
            tried.append(_checked(ended, name))
        return next((each for each in tried if each.holds), tried[0])


def _principals(signature: Path, signers: Path) -> list[str]:
    """Who the file of allowed signers says has the key; it may be several."""
    ended = _ask(["find-principals", "-s", signature, "-f", signers], b"")
    return [line for line in ended.stdout.splitlines() if line.strip()] if ended.status == 0 else []


def _ask(words: list[str | Path], content: bytes) -> proc.Finished:
    """One question to ssh-keygen; an answer of no is no failure."""
    return proc.run(["ssh-keygen", "-Y", *words], check=False, error=SigningError, given=content, opening=_paths(words))


def _paths(words: list[str | Path]) -> list[Path]:
    """The files that ssh-keygen opens, which may be a user's where stripelab runs as root."""
    return [word for word in words if isinstance(word, Path)]


def _checked(ended: proc.Finished, name: str | None) -> Signature:
    if ended.status == 0:
        return Signature(True, signer=name, key=_key(ended))
    return Signature(False, signer=None, key=_key(ended), reason=f"ssh-keygen {proc.describe(ended)}")


def _key(ended: proc.Finished) -> str | None:
    """Fingerprint of the key, from what ssh-keygen said."""
    found = _KEY.search(ended.stdout + ended.stderr)
    return found.group(1) if found else None
