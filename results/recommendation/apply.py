"""The commands that apply a point on a host of the reader's, ready to be reviewed and run.

The store keeps what each layer would do for good: the array and the filesystem as commands, mounts and
rules of udev as lines.  Here the lines are put into the files where they belong.  Where tuned runs, the queue settings
are better kept in a profile of it (tuned-main.conf(5)): that is the other of two ways, never both in one script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stripelab.settings import DEFAULT, JBOD, Setting

UDEV_FILE = "/etc/udev/rules.d/90-stripelab.rules"
"""After the rules that name disks (60-persistent-storage) and arrays (63-md-raid-arrays)."""
TUNED_FOLDER = "/etc/tuned/stripelab"
NO_BITMAP = (
    "# --bitmap=none, as it was measured: after a crash or a power cut md goes over the whole array (a full resync),",
    "# with less redundancy until it ends. --bitmap=internal limits that to what was being written, and makes writes",
    "# slower than what was measured.",
)
_END = "EOF"


def script(lines: Sequence[str]) -> tuple[str, ...]:
    """Shell lines for the lines that a trial recorded: commands, then fstab, then rules of udev."""
    rules = [line.removeprefix("udev: ") for line in lines if line.startswith("udev: ")]
    if rules:
        rules = [f"cat > {UDEV_FILE} <<'{_END}'", *rules, _END, "udevadm control --reload && udevadm trigger"]
    return (*_built(lines), *rules)


def tuned_script(lines: Sequence[str], settings: Mapping[str, Setting]) -> tuple[str, ...]:
    """As :func:`script`, with a profile of tuned in place of rules of udev; empty where there is no queue setting."""
    profile = tuned(settings)
    if not profile:
        return ()
    kept = [f"mkdir -p {TUNED_FOLDER} && cat > {TUNED_FOLDER}/tuned.conf <<'{_END}'", *profile, _END]
    return (*_built(lines), *kept, "tuned-adm profile stripelab")


def _built(lines: Sequence[str]) -> list[str]:
    """What builds the array and the filesystems, and mounts them; first what stands for the reader's disks."""
    disks = sorted({int(number) for line in lines for number in re.findall(r"/by-id/DISK([0-9]+)", line)})
    named = f"DISK{disks[0]} to DISK{disks[-1]}" if len(disks) > 1 else "DISK1"
    found = [f"# {named}: put the names of your disks in /dev/disk/by-id there."] if disks else []
    for line in lines:
        if line.startswith("udev: "):
            continue
        if line.startswith("fstab: "):
            entry = line.removeprefix("fstab: ")
            point = entry.split()[1]
            found.append(f"mkdir -p {point} && echo '{entry}' >> /etc/fstab && mount {point}")
            continue
        if line.startswith("mdadm --create") and "--bitmap=none" in line.split():
            found += NO_BITMAP
        found.append(line)
    return found


def tuned(settings: Mapping[str, Setting]) -> tuple[str, ...]:
    """A profile of tuned with the queue settings of each disk; empty where all of them are the kernel's own.

    tuned knows disks by their names in the kernel: there is a placeholder for each disk, as in the commands.
    """
    queue = {
        name: settings.get(name)
        for name in ("scheduler", "read_ahead_kib", "nr_requests", "stripe_cache_pages")
        if settings.get(name) not in {None, DEFAULT}
    }
    if not queue:
        return ()
    disks = [f"DISK{number}" for number in range(1, int(settings.get("disks") or 1) + 1)]
    tops = disks if settings.get("level") == JBOD else ["MD"]
    lines = ["[main]", "summary=Queue settings that stripelab recommends", "include=throughput-performance"]
    named = f"# {disks[0]} to {disks[-1]}" if len(disks) > 1 else f"# {disks[0]}"
    array = "" if tops == disks else "; MD: that of the array, such as md127"
    lines.append(f"{named}: names of the disks in /sys/block, such as sdb{array}")
    if "scheduler" in queue:
        lines += ["[disk]", f"devices={','.join(disks)}", f"elevator={queue['scheduler']}"]
    sysfs = []
    if "nr_requests" in queue:
        sysfs += [f"/sys/block/{disk}/queue/nr_requests={queue['nr_requests']}" for disk in disks]
    if "read_ahead_kib" in queue:
        sysfs += [f"/sys/block/{top}/queue/read_ahead_kb={queue['read_ahead_kib']}" for top in tops]
    if "stripe_cache_pages" in queue:
        sysfs.append(f"/sys/block/MD/md/stripe_cache_size={queue['stripe_cache_pages']}")
    return (*lines, *(["[sysfs]", *sysfs] if sysfs else []))
