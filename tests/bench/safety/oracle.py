"""The safety decision a second time, to compare with :mod:`bench.safety.checks`.

Written from docs/safety-checks.md and the docstrings of :mod:`bench.safety.description` alone, and built differently: a
description is flattened into plain facts, and one function looks for those that forbid to write.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.safety.description import Description, Role

Fact = tuple[str, str, str]
"""Whose (a role, or "lease" or "target" for the whole), what, and its value as text."""


def facts_of(description: Description) -> Iterator[Fact]:
    """Everything in a description that can speak against it, and what excuses it."""
    for device in description.devices:
        role = device.role.value
        yield role, "present", device.name
        if device.node is not None:
            yield role, "node", device.node
        if device.swap:
            yield role, "swap", ""
        if device.btrfs_member:
            yield role, "btrfs", ""
        if device.claim_error is not None:
            yield role, "claim", device.claim_error
        for kind, values in (
            ("mount", device.mounted_at),
            ("holder", device.holders),
            ("loop", device.loops),
            ("opener", device.openers),
        ):
            yield from ((role, kind, value) for value in values)
        for signature in device.signatures:
            ours = bool(signature.uuid) and signature.uuid in description.known.uuids
            yield role, "our signature" if ours else "foreign signature", signature.type
    yield from (("target", "twin", twin) for twin in description.twins)
    yield from (("target", "needed", need) for need in description.needed_for)
    yield from (("target", "unknown", question) for question in description.unknown)


OF_USE = (
    ("node", "node"),
    ("system", "needed"),
    ("system", "swap"),
    ("mounted", "mount"),
    ("mounted", "btrfs"),
    ("loop", "loop"),
    ("open", "opener"),
    ("claim", "claim"),
    ("answered", "unknown"),
)
"""The check that each kind of fact is for, of whatever device it is a fact."""


def decide(description: Description) -> frozenset[str]:
    """Names of the checks that refuse."""
    facts = frozenset(facts_of(description))
    kinds = {kind for _, kind, _ in facts}
    refused = {check for check, kind in OF_USE if kind in kinds}
    stacked = {fact for fact in facts if fact[1] == "holder" or fact[:2] == (Role.ABOVE, "present")}
    ours = {(Role.DISK.value, "holder", description.array)} if description.array else set()
    if stacked != ours:
        refused.add("held")
    if description.disk is None:
        return frozenset(refused)
    refused.update(_of_the_disk(description))
    if not description.erase and not description.array:
        refused.update(_of_content(description, {(role, kind) for role, kind, _ in facts}))
    return frozenset(refused)


def _of_the_disk(description: Description) -> Iterator[str]:
    now, then = description.disk, description.leased
    assert now is not None
    if not now.id or description.twins:
        yield "identity"
    if now.read_only or now.removable:
        yield "whole"
    if description.in_lease and then is None:
        yield "named"
    elif description.in_lease and then is not None:
        for was, is_now in ((then.id, now.id), (then.size_bytes, now.size_bytes), (then.model, now.model)):
            if was != is_now:
                yield "unchanged"
        if then.diskseq != now.diskseq:
            yield "unchanged"


def _of_content(description: Description, facts: set[tuple[str, str]]) -> Iterator[str]:
    own = {(role, kind) for role, kind in facts if role in (Role.DISK, Role.PARTITION)}
    if (Role.PARTITION, "present") in own:
        yield "partitions"
    if any(kind == "foreign signature" for _, kind in own):
        yield "signature"
    content, known = description.content, description.known
    ours = known.taken or (content is not None and content.digest == known.returned)
    if not ours and (content is None or content.data_at is not None):
        yield "blank"
