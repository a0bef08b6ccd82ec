"""The safety decision against a second one, written independently, over random descriptions.

All 10,000 take a few seconds of a CPU; ``STRIPELAB_DESCRIPTIONS=100000`` decides on more.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations

import pytest

from bench.inventory import Disk
from bench.safety.checks import CHECKS, refusals
from bench.safety.description import Content, Description, Device, Role, Signature
from tests.bench.safety.oracle import decide

COUNT = int(os.environ.get("STRIPELAB_DESCRIPTIONS", "10000"))
SEED = 14
OURS = "11111111-2222-3333-4444-555555555555"
FOREIGN = "99999999-8888-7777-6666-555555555555"
CONTENT = frozenset({"partitions", "signature", "blank"})
"""What ``--erase`` answers; docs/safety-checks.md."""

Change = Callable[[random.Random, Description], Description]


def disk(**changes) -> Disk:
    """A disk of which nothing is wrong."""
    return replace(
        Disk(
            name="sdx",
            id="naa.5000",
            serial="S1",
            wwn="naa.5000",
            model="MODEL",
            firmware="1",
            size_bytes=1 << 40,
            logical_block_bytes=512,
            rotational=True,
            removable=False,
            read_only=False,
            diskseq="7",
            device_number="8:16",
            substrate="disk",
        ),
        **changes,
    )


def plain(dice: random.Random) -> Description:
    """A disk or a file that every check accepts but `held` where something is stacked on it.

    Alone, with partitions that are given up, stacked on, on lower layers, or under our array; in a lease or in none.
    """
    if dice.random() < 0.1:
        return Description(None, (Device(Role.FILE, "/data/file"),))
    devices = [Device(Role.DISK, "sdx")]
    devices += [Device(Role.BELOW, name) for name in dice.choice([(), (), ("/images/one.img",), ("sda1", "sda")])]
    leased = disk() if dice.random() < 0.7 else None
    clean = Description(disk(), tuple(devices), leased=leased, in_lease=leased is not None, content=Content(None, "00"))
    shape = dice.choices(("alone", "partitions", "stacked", "array"), weights=(5, 2, 1, 2))[0]
    if shape == "partitions":
        return replace(partition(dice, partition(dice, clean)), erase=True)
    if shape == "stacked":
        return stacked(dice, clean)
    if shape == "alone" or leased is None:
        return clean
    devices[0] = replace(devices[0], holders=("md9",))
    array = [Device(Role.ARRAY, name) for name in ("md9", "md9p1")[: dice.choice((1, 1, 2))]]
    return replace(clean, devices=(*devices, *array), array="md9", content=None)


def on_one_device(**changes) -> Change:
    """A fact about one of the devices, whichever."""

    def change(dice: random.Random, found: Description) -> Description:
        at = dice.randrange(len(found.devices))
        more = {name: extended(found.devices[at], name, value) for name, value in changes.items()}
        devices = list(found.devices)
        devices[at] = replace(devices[at], **more)
        return replace(found, devices=tuple(devices))

    return change


def extended(device: Device, name: str, value: object) -> object:
    """The value, or what the device has of it already with the value behind it."""
    return (*getattr(device, name), *value) if isinstance(value, tuple) else value


def of_the_disk(**changes) -> Change:
    return lambda _, found: found if found.disk is None else replace(found, disk=replace(found.disk, **changes))


def partition(_: random.Random, found: Description) -> Description:
    if found.disk is None:
        return found
    number = len(found.of(Role.PARTITION)) + 1
    return replace(found, devices=(*found.devices, Device(Role.PARTITION, f"sdx{number}")))


def stacked(dice: random.Random, found: Description) -> Description:
    """Something lies on the disk, on a partition or on our array, and is itself described unless that is ours."""
    held = on_one_device(holders=("dm-3",))(dice, found)
    return held if found.array else replace(held, devices=(*held.devices, Device(Role.ABOVE, "dm-3")))


def signed(uuid: str) -> Change:
    """A superblock on some device."""

    def change(dice: random.Random, found: Description) -> Description:
        at = dice.choice(found.devices)
        return on_one_device(signatures=(Signature(at.name, "ext4", "stripelab-1", uuid),))(dice, found)

    return change


def sampled(digest: str) -> Change:
    return lambda dice, found: (
        found if found.content is None else replace(found, content=Content(dice.randrange(1 << 40), digest))
    )


def listed(name: str) -> Change:
    """One more entry in a list of the whole description."""
    return lambda _, found: replace(found, **{name: (*getattr(found, name), "something")})


USES: Mapping[str, Change] = {
    "node": on_one_device(node="is another device"),
    "mounted": on_one_device(mounted_at=("/data",)),
    "swap": on_one_device(swap=True),
    "held": stacked,
    "holder": on_one_device(holders=("md7",)),
    "loop": on_one_device(loops=("loop3",)),
    "opener": on_one_device(openers=("process 12 (cat)",)),
    "btrfs": on_one_device(btrfs_member=True),
    "claim": on_one_device(claim_error="it is in use"),
    "twin": lambda _, found: found if found.disk is None else replace(found, twins=("/dev/sdy",)),
    "needed": listed("needed_for"),
    "unknown": listed("unknown"),
    "partition": partition,
    "foreign signature": signed(FOREIGN),
    "signature without a UUID": signed(""),
    "read-only": of_the_disk(read_only=True),
    "removable": of_the_disk(removable=True),
    "no identity": of_the_disk(id=None, serial=None, wwn=None),
    "data": sampled("ff"),
}
"""Each can only speak against a disk."""

CIRCUMSTANCES: Mapping[str, Change] = {
    "signature of ours": signed(OURS),
    "UUID known": lambda _, found: replace(found, known=replace(found.known, uuids=frozenset({OURS}))),
    "taken, so not read": lambda _, found: replace(found, known=replace(found.known, taken=True), content=None),
    "taken": lambda _, found: replace(found, known=replace(found.known, taken=True)),
    "returned": lambda _, found: replace(found, known=replace(found.known, returned="ff")),
    "returned otherwise": lambda _, found: replace(found, known=replace(found.known, returned="ee")),
    "erase": lambda _, found: found if found.disk is None else replace(found, erase=True),
    "unseen": listed("unseen"),
    "not named": lambda _, found: found if found.disk is None else replace(found, leased=None, in_lease=True),
    "other id": of_the_disk(id="naa.6000"),
    "other size": of_the_disk(size_bytes=1 << 39),
    "other model": of_the_disk(model="MODEL 2"),
    "attached again": of_the_disk(diskseq="8"),
    "other firmware": of_the_disk(firmware="2"),
}
"""What excuses, or counts only where something else does."""

CHANGES = {**USES, **CIRCUMSTANCES}


def described(number: int) -> tuple[Description, list[str]]:
    """The description with this number and the names of what was changed in it: mostly nothing or one thing."""
    dice = random.Random(SEED * 1_000_000 + number)
    names = dice.choices(list(CHANGES), k=dice.choices((0, 1, 2, 3, 6), weights=(1, 5, 3, 2, 1))[0])
    found = plain(dice)
    for name in names:
        found = CHANGES[name](dice, found)
    return found, names


def checks_of(found: Description) -> frozenset[str]:
    return frozenset(each.check for each in refusals(found))


def test_two_independent_decisions_agree():
    alone: Counter[str] = Counter()
    accepted = 0
    for number in range(COUNT):
        found, names = described(number)
        refused = checks_of(found)
        assert refused == decide(found), f"description {number} ({', '.join(names)}): {found}"
        accepted += not refused
        alone.update(refused if len(refused) == 1 else ())
    assert set(alone) == set(CHECKS), "each check has to be the only one that refuses, now and then"
    assert min(alone.values()) * 1000 >= COUNT
    assert 0.1 * COUNT < accepted < 0.6 * COUNT


def test_a_further_use_never_makes_a_disk_acceptable():
    for number in range(COUNT):
        found, names = described(number)
        before = checks_of(found)
        dice = random.Random(number)
        use = dice.choice(list(USES))
        after = checks_of(USES[use](dice, found))
        assert before <= after, f"description {number} ({', '.join(names)}): {use} answers {sorted(before - after)}"


def test_consent_to_erase_answers_nothing_but_what_is_written():
    for number in range(COUNT):
        found, names = described(number)
        if found.disk is not None:
            given = checks_of(replace(found, erase=True))
            assert given == checks_of(found) - CONTENT, f"description {number} ({', '.join(names)})"


def test_what_is_accepted_has_none_of_the_bad_facts():
    for number in range(COUNT):
        found, names = described(number)
        if not refusals(found):
            assert bad_facts(found) == [], f"description {number} ({', '.join(names)})"


def bad_facts(found: Description) -> list[object]:
    """What no disk may have that is written to, whatever excuses there are."""
    facts: list[object] = [found.needed_for, found.twins, found.unknown]
    for device in found.devices:
        ours = (found.array,) if found.array is not None and device.role is Role.DISK else ()
        facts += [device.node, device.mounted_at, device.swap, device.loops, device.openers, device.btrfs_member]
        facts += [device.claim_error, () if device.holders == ours else (device.holders, "holders")]
    if found.disk is not None:
        facts += [found.disk.read_only, found.disk.removable, found.disk.id is None]
        facts += [found.in_lease and (found.leased is None or found.leased.fingerprint != found.disk.fingerprint)]
    return [fact for fact in facts if fact]


@pytest.mark.parametrize("pair", list(combinations(USES, 2)), ids=" and ".join)
def test_each_use_alone_and_each_pair_of_uses_is_decided_alike(pair):
    for number in range(20):
        dice = random.Random(number)
        found = plain(dice)
        for use in pair:
            found = USES[use](dice, found)
            assert checks_of(found) == decide(found), found
