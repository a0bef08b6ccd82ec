"""A key of one's own, and the file of those who may sign."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_key(folder: Path, identity: str, *, name: str = "key", passphrase: str = "") -> Path:
    """``folder/NAME`` and its public half; the identity joins ``folder/allowed_signers``."""
    key = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", identity, "-f", key],
        check=True,
        capture_output=True,
    )
    public = key.with_name(f"{name}.pub").read_text().split()
    with (folder / "allowed_signers").open("a") as signers:
        signers.write(f'{identity} namespaces="stripelab-evidence" {public[0]} {public[1]}\n')
    return key
