"""Hostile sweep files: mutated ones and made-up ones, read, planned and turned into the command lines of programs.

``python -m tests.fuzz.sweeps --inputs 100000`` tries that many; ``make fuzz`` runs it.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.engine import Targets
from bench.errors import StripelabError
from bench.fio.job import render
from bench.stack import filesystems
from bench.stack.allowed import EVERY_FILESYSTEM, Keywords
from bench.stack.filesystem import make_argv
from bench.stack.mount import mount_argv, mount_options
from bench.stack.spec import Geometry, StackSpec, Volume
from bench.vocabulary import vocabulary
from permutations.design import make_plan
from permutations.errors import SweepError
from permutations.sweep import Sweep
from tests.chaos.sweeps import LAB_SWEEP, LOOP_SWEEP
from tests.fuzz import oracle

ROOT = Path(__file__).parents[2]
HANG_S = 10
MEMORY_BYTES = 1 << 30
MOST_PLANNED = 2000
DEVICE, POINT, IDENTITY = Path("/dev/fuzz0"), Path("/run/fuzz/mnt0"), "01234567-89ab-4def-8123-456789abcdef"
TARGETS = Targets(((Path("/run/fuzz/a"), Path("/run/fuzz/b")),), 1 << 26, device=False)
VOCABULARY = vocabulary()

STRAYS = [
    '"', "'", "[", "]", "[[", "]]", "{", "}", "=", ",", "\n", "#", "-1", "0", "true", "nan", "inf", "-inf", "1e400",
    "[]", "{}", '""', '"x"', '"default"', "[factors]", "[lab]", "[[workload]]", "[[objective]]", "1979-05-27",
    "1979-05-27T07:32:00Z", "00:32:00", "0x10", "0x" + "f" * 6000, "9" * 30, "9" * 5000, "1e999", "-0.0", "\0", "\x1b",
    "\u2028", "\u202e", "\ud800", "\\ud800", '"\\u0000"', "level.x = 1", "a." * 60 + "a = 1", "[" * 500, "{a=" * 300,
    '"' + "x" * 5000 + '"', "options = {a = 1}", 'job_file = "/"', 'job_file = "/dev/zero"', 'job_file = "job.fio"',
    'mkfs_options = "loop1"', 'mount_options = "ro"', "options = {rate = inf}", "runtime_s = 1e300",
    "options.rate=1e999",
]  # fmt: skip
HOSTILE_WORDS = [
    "loop1", "/dev/sda", "vm.img", "../x", "--", "-", "-N", "-n", "-f", "-F", "-F -F", "-q", "-V", "--help",
    "--version",
    "-L x", "-U random", "-c opts", "-p proto", "-r file=1,name=x", "-r rtdev=loop1", "-l logdev=vm.img",
    '-l logd"ev"=vm.img', "-l file=1,name=vm.img,size=64m", "-l internal=0", "-d file=1,name=x,size=1g", "-d size=1t",
    "-d name=loop1", "-d su=64k,name=x", "-m uuid=x", "-J device=loop1", "-J size=4,device=LABEL=x", "-O journal_dev",
    "-O list-all", "-R list-all", "-O ^has_journal,journal_dev", "-E offset=1g", "-E root_owner=0:0", "-z undo",
    "-d /etc",
    "-t ext2", "-T hurd", "-e panic", "-S", "-c -c", "-l badblocks", "-M /", "-b 1k 100", "4096", "-b 4096 1000",
    "--rootdir=/etc", "--rootdir x", "-r x", "--shrink", "-b 10g", "--byte-count 1", "-d raid0 loop1", "-d raid1",
    "-K loop1", "-mdup", "-msingle loop1", "--cs xxhash", "--csum=xxhash loop1", "'-n' 16k", "\\-n", "-n\\ 16k",
    "$HOME",
    "`id`", ";id", "@x", "-\u2028", "-n \u0663", "-n16k", "-dsu=64k,sw=4", "-d", "-E", "-b", "''", '""', '"', "-O ''",
]  # fmt: skip
HOSTILE_MOUNT = [
    "ro", "loop", "X-mount.subdir=lost+found", "x-systemd.automount", "X-mount.mkdir", "subvol=x", "subvolid=5", "bind",
    "device=/dev/sda", "remount", "user", "users", "helper=x", "context=x", "logdev=loop1", "rtdev=loop1", "offset=1",
    "journal_dev=1", "journal_path=x", "suid", "dev", "sb=1", "norecovery", "noload", "commit=1e9", "commit=-1", "",
    "logbsize=1", "compress=zstd:99", "data=none", "errors=panic", "=", "noatime=1", "noatime,,ro", 'no"atime"',
    "LABEL=x",
    "usrjquota=aquota.user,jqfmt=vfsv0", "degraded", "uid=0", "noatime\\,ro", "noatime ro", "rw,ro", "thread_pool=0",
]  # fmt: skip
JOB_LINES = [
    "rw=read", "rw=randwrite", "rw=trim", "bs=4k", "bs=1P", "size=1T", "size=1e999", "rate=1e999", "rate=1m",
    "numjobs=4",
    "numjobs=99999", "filename=/etc/passwd", "filename=${TARGET}", "directory=/", "exec_prerun=id", "include x",
    "ioengine=libaio", "ioengine=external:/x.so", "bssplit=4k/50:8k/50", "bssplit=/etc/passwd", "time_based",
    "runtime=5",
    "runtime=nan", "iodepth=" + "9" * 400, "[x]", "[global]", "[", "rw", "=", "\0", "write_iolog=x", "mem=mmap:/x",
    "random_distribution=zoned:50/5:50/95", "random_distribution=zoned:/x", "cpus_allowed=0-3", "verify=md5", "# x",
    "lockmem=1g", "steadystate=iops:0.3%", "unlink=1", "fsync=" + "1" * 30, "rate_iops=100,,", "loops=0", "nice=99",
]  # fmt: skip


def sources() -> list[str]:
    """Sweeps that are good."""
    return [path.read_text() for path in sorted((ROOT / "examples").glob("*.toml"))] + [LAB_SWEEP, LOOP_SWEEP]


def mutated(text: str, rng: random.Random) -> str:
    """A good sweep after one to five things went wrong."""
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice((0, 1, 4, 20, 200)))
        way = rng.randrange(5)
        if way == 0:
            text = text[:at] + rng.choice(STRAYS) + text[end:]
        elif way == 1:
            text = text[:at] + text[end:]
        elif way == 2:
            text = text[:end] + text[at:end] + text[end:]
        elif way == 3:
            lines = text.split("\n")
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(STRAYS))
            text = "\n".join(lines)
        else:
            pieces = text.split(" ")
            pieces[rng.randrange(len(pieces))] = rng.choice(STRAYS)
            text = " ".join(pieces)
    return text


def listed(argument: object, rng: random.Random) -> str:
    """A value of an allowed option, good or not."""
    numbers = [
        "0",
        "1",
        "2",
        "4k",
        "4096",
        "64k",
        "512",
        "1.5",
        "-1",
        "1e9",
        "9" * 30,
        "single",
        "dup",
        "zstd:3",
        "/x",
        "",
    ]
    if not isinstance(argument, Keywords):
        return rng.choice(numbers)
    chosen = rng.choices(sorted(argument.entries), k=rng.choice((1, 1, 2, 3)))
    return ",".join(
        rng.choice(("", "", argument.off)) + name + (f"={rng.choice(numbers)}" if rng.random() < 0.7 else "")
        for name in chosen
    )


def mkfs_line(rng: random.Random) -> str:
    """Options of mkfs: allowed ones, hostile ones, and both."""
    words = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        options = filesystems.by_name(rng.choice(filesystems.names())).mkfs_options.options
        option = rng.choice(sorted(options))
        joint = rng.choice((" ", " ", "", "="))
        good = f"{option}{joint}{listed(options[option], rng)}" if rng.random() < 0.8 else option
        words.append(good if rng.random() < 0.6 else rng.choice(HOSTILE_WORDS))
    return rng.choice((" ", " ", "  ", "\t")).join(words)


def mount_line(rng: random.Random) -> str:
    """Options of mount, likewise."""
    own = filesystems.by_name(rng.choice(filesystems.names())).mount_options.own
    good = listed(Keywords({**own, **EVERY_FILESYSTEM}), rng)
    return ",".join(rng.sample([good, rng.choice(HOSTILE_MOUNT), good], rng.choice((1, 1, 2))))


def made_up(rng: random.Random) -> str:
    """A sweep by the grammar, with options of mkfs and mount, options of fio, and a job file at times."""

    def toml(line: str) -> str:
        return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'

    kinds = rng.sample(["xfs", "ext4", "btrfs", "raw"], rng.choice((1, 1, 2, 3)))
    text = f'[factors]\nlevel = ["{rng.choice(("jbod", "raid5", "raid1"))}"]\ndisks = [4]\nfilesystem = {kinds!r}\n'
    if rng.random() < 0.8:
        text += f"mkfs_options = [{', '.join(toml(mkfs_line(rng)) for _ in range(rng.choice((1, 2))))}]\n"
    if rng.random() < 0.6:
        text += f"mount_options = [{', '.join(toml(mount_line(rng)) for _ in range(rng.choice((1, 2))))}]\n"
    text += '[dataset]\nfiles = 4\nfile_size = "1MiB"\n[[workload]]\nname = "w"\n'
    if rng.random() < 0.3:
        return text + 'job_file = "job.fio"\n'
    text += f'rw = "{rng.choice(("read", "randwrite"))}"\nbs = "4k"\n'
    if rng.random() < 0.4:
        key, _, value = rng.choice(JOB_LINES).partition("=")
        text += (
            f"[workload.options]\n{toml(key)} = {rng.choice((toml(value), 'nan', '0x' + 'f' * 5000, '-1', 'true'))}\n"
        )
    return text


def job_file(rng: random.Random) -> bytes:
    """A job file of fio, good or not."""
    lines = ["[job]"] if rng.random() < 0.9 else []
    lines += rng.choices(JOB_LINES, k=rng.randrange(6))
    content = "\n".join(lines).encode()
    return content + b"\xff\xfe" if rng.random() < 0.03 else content


def faults(sweep: Sweep) -> list[str]:
    """What the oracle has against the command lines that an accepted sweep leads to."""
    found: list[str] = []
    plan = make_plan(sweep) if sweep.space.raw_combinations <= MOST_PLANNED else None
    for point in plan.points[:40] if plan is not None else ():
        if point.filesystem != "raw":
            found += _stack_faults(StackSpec.of(point, sweep.initial_sync))
    for workload in sweep.workloads[:8]:
        if workload.engine == "fio":
            found += oracle.fio_faults(render(workload, TARGETS).arguments, [str(path) for path in TARGETS.paths])
    return found


def _stack_faults(spec: StackSpec) -> list[str]:
    kind = filesystems.by_name(spec.filesystem)
    geometry = Geometry(spec.chunk_kib or 64, 3) if spec.level != "jbod" else None
    (argv,) = make_argv(kind, spec, Volume((DEVICE,), (), geometry), [IDENTITY])
    mount = mount_argv(kind.name, mount_options(spec), DEVICE, POINT)
    return [*oracle.mkfs_faults(argv, str(DEVICE), IDENTITY), *oracle.mount_faults(mount, str(DEVICE), str(POINT))]


def outcome(text: str, folder: Path) -> str:
    """``accepted``, or the words of the refusal; anything else is raised."""
    try:
        path = folder / "sweep.toml"
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        sweep = Sweep.load(path, VOCABULARY)
        wrong = faults(sweep)
    except (SweepError, StripelabError) as refused:
        said = str(refused)
        assert said, "refused without a reason"
        return "refused"
    assert wrong == [], wrong
    return "accepted"


def run(inputs: int, seed: int) -> Counter[str]:
    """Try so many sweeps; returns how often what came of them."""
    good, rng = sources(), random.Random(seed)
    counts: Counter[str] = Counter()
    previous = signal.signal(signal.SIGALRM, _hangs)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(inputs):
                text = mutated(rng.choice(good), rng) if number % 2 else made_up(rng)
                text = mutated(text, rng) if number % 8 == 0 else text
                (folder / "job.fio").write_bytes(job_file(rng))
                signal.alarm(HANG_S)
                _count(counts, lambda text=text: outcome(text, folder), text, f"{seed}-{number}")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    return counts


def _count(counts: Counter[str], attempt: Callable[[], str], text: str, name: str) -> None:
    try:
        counts[attempt()] += 1
    except BaseException:
        path = Path(tempfile.gettempdir()) / f"stripelab-sweep-{name}.toml"
        path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
        sys.stderr.write(f"this sweep did it: {path}\n")
        raise


def _hangs(_signal: int, _frame: object) -> None:
    raise TimeoutError(f"a sweep took more than {HANG_S} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=20261129)
    asked = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    began = time.perf_counter()
    counts = run(asked.inputs, asked.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    sys.stdout.write(
        f"{asked.inputs:,} sweeps in {time.perf_counter() - began:.0f} s, seed {asked.seed}: "
        f"{counts['accepted']:,} accepted, {counts['refused']:,} refused; {peak} MiB at most\n"
    )


if __name__ == "__main__":
    main()
