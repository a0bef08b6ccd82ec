"""The commands that apply a point on a host of the reader's, ready to be reviewed and run.

The store keeps what each layer would do for good: the array and the filesystem as commands, mounts and
rules of udev as lines.  Here the lines are put into the files where they belong, and what a service can
hold on to is given as a profile of tuned as well (tuned-main.conf(5), tuned-profiles(7)).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.estimates.settings import DEFAULT, Setting

UDEV_FILE = "/etc/udev/rules.d/60-stripelab.rules"
TUNED_FOLDER = "/etc/tuned/stripelab"
_END = "EOF"


def script(lines: Sequence[str], settings: Mapping[str, Setting]) -> tuple[str, ...]:
    """Shell lines for the lines that a trial recorded; commands first, then fstab, udev and tuned."""
    plain = [line for line in lines if not line.startswith(("fstab: ", "udev: "))]
    fstab = [line.removeprefix("fstab: ") for line in lines if line.startswith("fstab: ")]
    rules = [line.removeprefix("udev: ") for line in lines if line.startswith("udev: ")]
    found = list(plain)
    found += [f"mkdir -p {line.split()[1]} && echo '{line}' >> /etc/fstab && mount {line.split()[1]}" for line in fstab]
    if rules:
        found += [f"cat > {UDEV_FILE} <<'{_END}'", *rules, _END, "udevadm control --reload && udevadm trigger"]
    profile = tuned(settings)
    if profile:
        found += [f"mkdir -p {TUNED_FOLDER} && cat > {TUNED_FOLDER}/tuned.conf <<'{_END}'", *profile, _END]
        found.append("tuned-adm profile stripelab  # instead of the udev rules, where tuned runs")
    return tuple(found)


def tuned(settings: Mapping[str, Setting]) -> tuple[str, ...]:
    """A profile of tuned with the queue settings; empty where all of them are the kernel's own."""
    queue = {
        name: settings.get(name)
        for name in ("scheduler", "read_ahead_kib", "nr_requests", "stripe_cache_pages")
        if settings.get(name) not in {None, DEFAULT}
    }
    if not queue:
        return ()
    jbod = settings.get("level") == "jbod"
    lines = ["[main]", "summary=Queue settings that stripelab recommends", "include=throughput-performance"]
    if "scheduler" in queue:
        lines += ["[disk]", "devices=DISK1,DISK2", f"elevator={queue['scheduler']}"]
    sysfs = []
    if "nr_requests" in queue:
        sysfs.append(f"/sys/block/DISK*/queue/nr_requests={queue['nr_requests']}")
    if "read_ahead_kib" in queue:
        sysfs.append(f"/sys/block/{'DISK' if jbod else 'md'}*/queue/read_ahead_kb={queue['read_ahead_kib']}")
    if "stripe_cache_pages" in queue:
        sysfs.append(f"/sys/block/md*/md/stripe_cache_size={queue['stripe_cache_pages']}")
    return (*lines, *(["[sysfs]", *sysfs] if sysfs else []))
