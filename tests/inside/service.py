"""The nightly service under systemd itself, in the virtual lab.

systemd runs as the first process of a namespace of its own in the virtual lab.  The drop-in is the tests' own: this
systemd has nothing to bring up first, and it leaves with a status that says what it made of the service.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench import probes
from bench.nightly import visible
from bench.nightly.timer import Schedule, service

SYSTEMD = Path("/lib/systemd/systemd")
FOLDER = Path("/stripelab-nightly")
"""Of the guest's root: folders of the host's belong to nobody where an ordinary user runs the lab."""
SUCCEEDED, FAILED = 42, 43
SWEEP = """
[sweep]
seed = 5
replicates = 1
initial_sync = "assume-clean"
[factors]
level = ["raid5"]
disks = [3]
chunk_kib = [64]
filesystem = ["xfs"]
scheduler = ["mq-deadline"]
read_ahead_kib = [512]
stripe_cache_pages = [512]
[dataset]
files = 1
file_size = "16MiB"
[[workload]]
name = "write"
engine = "fio"
rw = "randwrite"
bs = "4k"
runtime_s = {runtime_s}
[objective]
maximise = "iops"
workload = "write"
"""
DROP_IN = """
[Unit]
DefaultDependencies=no
After=
SuccessAction=exit
SuccessActionExitStatus={succeeded}
FailureAction=exit
FailureActionExitStatus={failed}
[Service]
StandardOutput=append:{folder}/said
StandardError=append:{folder}/said
{more}
"""
BOOT = """
umount /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
mount -t tmpfs -o mode=755 none /run && mkdir -p /run/systemd/system && cp -r "$1"/. /run/systemd/system/
mount --make-rshared /
exec env container=stripelab "$2" --system --unit="$3" --log-target=console --show-status=no
"""


def serve(folder, disks, *, runtime_s=1, more=""):
    """Let systemd run the service once; the status it left with, and what the service said."""
    sweep, store = folder / "sweep.toml", folder / "store"
    sweep.write_text(SWEEP.format(runtime_s=runtime_s))
    store.mkdir(exist_ok=True)
    serials = ",".join(str(disk.id) for disk in disks[:3])
    command = (sys.executable, "-m", "bench", "run", str(sweep), "--store", str(store), "--disks", serials)
    schedule = Schedule(
        name="test",
        command=command,
        at="*-*-* 02:00:00",
        delay_s=0,
        budget_s=600,
        user=False,
        writes=(store,),
        reads=visible.ways([sweep, *visible.program()]),
    )
    text = service(schedule)
    assert "ProtectSystem=strict" in text
    assert ("PrivateTmp=yes" in text) == (not schedule.temporary), "a clone in /tmp would hide itself"
    unit = f"{schedule.unit}.service"
    (folder / "units" / unit).write_text(text)
    (folder / "units" / f"{unit}.d").mkdir(exist_ok=True)
    drop_in = DROP_IN.format(succeeded=SUCCEEDED, failed=FAILED, folder=folder, more=more)
    (folder / "units" / f"{unit}.d" / "test.conf").write_text(drop_in)
    words = ["unshare", "--pid", "--fork", "--mount", "--propagation", "private", "--mount-proc", "--kill-child"]
    words += ["sh", "-ec", BOOT, "sh", str(folder / "units"), str(SYSTEMD), unit]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=280)
    said = (folder / "said").read_text() if (folder / "said").exists() else ""
    return done.returncode, f"{said}\n{done.stdout}{done.stderr}"


def nothing_stands():
    """No array, and no mount of a stack."""
    assert "active" not in Path("/proc/mdstat").read_text()
    assert not [mount for mount in probes.mounts() if "stripelab-stacks" in mount.mount_point]
