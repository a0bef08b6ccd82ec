"""Evidence that can be checked by others: a folder with the data, the documents and a manifest of every byte.

:mod:`results.handover` makes such a folder of a store, :func:`verify` checks one.  The signature over the
manifest is made and checked outside (``ssh-keygen -Y``, OpenSSH's PROTOCOL.sshsig); see docs/evidence.md.
"""

from results.evidence.check import Finding, Signature, Verdict, verify
from results.evidence.manifest import MANIFEST, SIGNATURE, Entry, Manifest, decode, encode

__all__ = [
    "MANIFEST",
    "SIGNATURE",
    "Entry",
    "Finding",
    "Manifest",
    "Signature",
    "Verdict",
    "decode",
    "encode",
    "verify",
]
