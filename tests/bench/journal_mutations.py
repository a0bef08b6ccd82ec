"""Journals that went wrong or were made to do harm: real ones mutated, and hostile ones written by hand."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from bench import acts
from bench.journal import Journal, boot_id

HOSTILE_TEXTS = (
    "",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    "/dev/sda",
    "sda",
    "/dev/vda",
    "disk1.img/../../x",
    "disk0.img",
    "disk1.img\n",
    "disk1.img\0",
    "disk٣.img",
    "../other/loop-disks/disk1.img",
    "/other/store/loop-disks/disk1.img",
    "/run/stripelab-stacks",
    "/run/stripelab-stacks/",
    "/run/stripelab-stacks/..",
    "/run/stripelab-stacks/../../etc",
    "/run/stripelab-stacks/t/../../..",
    "/run/stripelab-stacks/.hidden",
    "/run/stripelab-stacks/t/mnt0/../../..",
    "/run/stripelab-stacks/t/mnt0\n",
    "/run/stripelab-stacks//mnt0",
    "/run/stripelab-stacksx/t/mnt0",
    "/mnt",
    "/",
    "stripelab-mine",
    "stripelab-ABCDEFGH",
    "stripelab-abcdefgh\n",
    "stripelab-../../md0",
    "md127",
    "queue/../../../../kernel/x",
    "queue/scheduler/../../x",
    "/proc/sys/kernel/core_pattern",
    "device/delete",
    "queue/scheduler\n",
    "md/sync_action",
    "|/bin/sh",
    "none\nmq-deadline",
    "8:0\n",
    "8:0 1",
    "*:*",
    "-1:-1",
    "\ud800",
    "\x1b]0;x\x07",
    "\u202e",
    "x" * 5000,
    "11111111-2222-3333-4444-555555555555\n",
    "AAAAAAAA-2222-3333-4444-555555555555",
)
RAW_VALUES = (
    *(b"null", b"true", b"false", b"0", b"-1", b"1.5", b"1e999", b"-1e999", b"NaN", b"Infinity", b"-Infinity"),
    *(b"9" * 30, b"9" * 6000, b"9007199254740993", b"[]", b"{}", b'[""]', b"[null]", b"[[]]", b'{"a":1}'),
    *(b"[" * 3000 + b"]" * 3000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b"[" * 200_000, b"1e400", b"0x10"),
    *(json.dumps(text).encode() for text in HOSTILE_TEXTS),
)
BYTES = (
    b"\n",
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\xef\xbb\xbf",
    b"\r",
)


def real_acts(dice: random.Random) -> list[acts.Act]:
    """One act of each kind, as a run makes them."""
    tag = f"stripelab-{dice.randrange(36**4):08d}"
    uuid = "-".join(f"{dice.randrange(16**size):0{size}x}" for size in (8, 4, 4, 4, 12))
    folder = f"{acts.RUN_FOLDER}/{dice.randrange(16**8):08x}"
    disks = tuple(f"loop:/store/loop-disks/disk{number}.img" for number in range(1, dice.randint(2, 5)))
    return [
        *(acts.LoopAct(f"disk{number}.img") for number in range(1, 3)),
        *(acts.TakenAct(disk, str(dice.randrange(99))) for disk in disks),
        acts.DestroyAct("mdadm --create", disks),
        acts.ArrayAct(tag, uuid, disks),
        acts.FilesystemAct(dice.choice(("xfs", "ext4", "btrfs")), disks, dice.random() < 0.5, (uuid,)),
        acts.FolderAct(folder),
        acts.QueueAct(dice.choice((*disks, None)), "queue/scheduler", "mq-deadline"),
        acts.QueueAct(None, "md/stripe_cache_size", "256"),
        acts.MountAct(f"{folder}/mnt0"),
        acts.ThrottleAct(("7:0", "7:1")),
    ]


def real_journal(folder: Path, dice: random.Random) -> bytes:
    """What the journal of a run holds that ended at a random moment."""
    path = folder / "real.jsonl"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        for act in real_acts(dice)[: dice.randint(3, 99)]:
            entry = journal.begin(act)
            if dice.random() < 0.7:
                journal.done(entry)
        for entry in journal.pending[: dice.choice((0, 0, 1, 3, 99))]:
            journal.undone(entry, sample="ab" * 32 if isinstance(entry.act, acts.TakenAct) else None)
    return path.read_bytes()


def mutated(dice: random.Random, corpus: list[bytes]) -> bytes:
    """A real journal with one to four things wrong with it."""
    text = dice.choice(corpus)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        text = dice.choice((_bytes, _lines, _values, _values, _values, _structure))(dice, text, corpus)
    return text


def _bytes(dice: random.Random, text: bytes, _: list[bytes]) -> bytes:
    at, length = dice.randrange(len(text) + 1), dice.randrange(1, 9)
    new = dice.choice((b"", bytes([dice.randrange(256)]), dice.choice(BYTES), dice.choice(RAW_VALUES)))
    return text[:at] + new + text[at + dice.choice((0, length)) :]


def _lines(dice: random.Random, text: bytes, corpus: list[bytes]) -> bytes:
    lines = text.splitlines(keepends=True) or [b"\n"]
    at = dice.randrange(len(lines))
    other = dice.choice(dice.choice(corpus).splitlines(keepends=True))
    kept = {"drop": [], "double": [lines[at]] * 2, "cut": [lines[at][: dice.randrange(len(lines[at]))]]}
    kept |= {"insert": [lines[at], other], "replace": [other], "join": [lines[at].rstrip(b"\n")]}
    lines[at : at + 1] = kept[dice.choice(list(kept))]
    if dice.random() < 0.3:
        dice.shuffle(lines)
    return b"".join(lines)


_MARK = "a value that is replaced"


def _values(dice: random.Random, text: bytes, _: list[bytes]) -> bytes:
    """A value somewhere in a line becomes another one; text for text of a hostile kind, most often."""
    lines = text.splitlines(keepends=True) or [b"\n"]
    at = dice.randrange(len(lines))
    try:
        record = json.loads(lines[at])
    except (ValueError, RecursionError):
        return text
    places = list(_places(record))
    if not places:
        return text
    holder, key = dice.choice(places)
    holder[key] = _MARK
    if dice.random() < 0.1 and isinstance(holder, dict):
        del holder[key]
        key = dice.choice(("n", "kind", "facts", "boot", "state", "extra", "__class__"))
        holder[key] = _MARK
    try:
        line = json.dumps(record).encode()
    except RecursionError:
        return text
    lines[at] = line.replace(json.dumps(_MARK).encode(), dice.choice(RAW_VALUES)) + b"\n"
    return b"".join(lines)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a JSON value that holds another value."""
    found, left = [], [value]
    while left:
        current = left.pop()
        keys = list(current) if isinstance(current, dict) else range(len(current)) if isinstance(current, list) else ()
        for key in keys:
            found.append((current, key))
            left.append(current[key])
    return found


def _structure(dice: random.Random, text: bytes, _: list[bytes]) -> bytes:
    lines = text.splitlines() or [b""]
    at = dice.randrange(len(lines))
    line, raw = lines[at], dice.choice(RAW_VALUES)
    key = dice.choice((b"n", b"kind", b"facts", b"boot", b"state", b"sample"))
    lines[at] = dice.choice(
        (
            b"[" + line + b"]",
            b'{"facts":' + line + b"}",
            b'{"' + key + b'":' + raw + b"," + line[1:],
            line[:-1] + b',"' + key + b'":' + raw + b"}",
            line + line,
            line + b" " * dice.choice((1, 1 << 20)),
            raw,
        )
    )
    return b"\n".join(lines) + b"\n"


def hostile() -> list[bytes]:
    """Every text of :data:`HOSTILE_TEXTS` and every raw value in every field of every kind of act, pending."""
    boot = json.dumps(boot_id()).encode()
    made = []
    for act in {each.kind: each for each in real_acts(random.Random(0))}.values():
        for field in act.facts:
            for raw in (*RAW_VALUES, *(b"[" + value + b"]" for value in RAW_VALUES)):
                marked = json.dumps({**act.facts, field: _MARK}).encode()
                facts = marked.replace(json.dumps(_MARK).encode(), raw)
                kind = json.dumps(act.kind).encode()
                made.append(b'{"boot":%s,"facts":%s,"kind":%s,"n":1,"state":"begun"}\n' % (boot, facts, kind))
    return made
