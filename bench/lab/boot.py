"""What a guest needs in order to start: its kernel's command line and the files it reads."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import proc
from bench.lab import images, modules, preload, sandbox
from bench.lab.inside import HERE, INIT, VARIABLE
from permutations.workload import LabSpec


@dataclass(frozen=True)
class Program:
    """What to run in the guest: argument list, folder to run it in, further environment."""

    argv: tuple[str, ...]
    cwd: Path = Path("/")
    env: tuple[tuple[str, str], ...] = ()
    interactive: bool = False

    def script(self) -> str:
        """A shell script that becomes the program."""
        fixed = {
            "PATH": proc.SYSTEM_PATH,
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DM_DISABLE_UDEV": "1",  # there is no udev, for which dmsetup and LVM would wait
            VARIABLE: "1",
        }
        lines = [f"export {name}={shlex.quote(value)}" for name, value in {**fixed, **dict(self.env)}.items()]
        return "\n".join([*lines, f"cd {shlex.quote(str(self.cwd))} || exit", f"exec {shlex.join(self.argv)}", ""])


@dataclass(frozen=True)
class Lines:
    """Descriptors behind the guest's lines: kernel messages, the program's terminal, its exit status."""

    kernel: int
    terminal: tuple[int | None, int]
    status: int


def kernel_command(spec: LabSpec, disks: Sequence[int], lines: Lines) -> list[str]:
    """Command line of User-Mode Linux; ``disks`` are open descriptors, named by their number.

    The flag ``d`` says that an image is plain data: without it the kernel looks for a header that
    names another file to read, and the guest could write one.
    """
    source, sink = lines.terminal
    command = ["env", f"LD_PRELOAD={HERE}/{preload.NAME}"] if preload.library() else []
    command += [proc.require("linux.uml"), f"mem={spec.memory_bytes >> 20}M", "uml_dir=/dev/shm", "umid=lab"]
    command += ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", INIT]
    command += ["quiet", "loglevel=1", "selinux=0", "con=null", f"con0=null,fd:{lines.kernel}"]
    command += [f"con1={'null' if source is None else f'fd:{source}'},fd:{sink}"]
    command += ["ssl=null", f"ssl0=null,fd:{lines.status}"]
    for number, image in enumerate(disks, start=1):
        letter = chr(ord("a") + number - 1)
        command.append(f"ubd{letter}d=/proc/self/fd/{image},,{images.serial(number)}")
    return command


def files(spec: LabSpec, program: Program, shared: Sequence[Path], extra: Sequence[str]) -> sandbox.Files:
    """The files of HERE: name and content; ``extra`` are kernel modules beyond those that every guest loads."""
    kernel = modules.release()
    variables = {
        "MODULES": " ".join(map(str, modules.load_order((*modules.loaded(kernel), *extra), kernel))),
        "OVERLAY_BYTES": str(spec.memory_bytes // 2),
        "INTERACTIVE": "yes" if program.interactive else "",
    }
    library = preload.library()
    return (
        *(() if library is None else ((preload.NAME, library.read_bytes()),)),
        ("init", Path(__file__).with_name("init.sh").read_text(encoding="utf-8")),
        ("settings", "".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())),
        ("fstab", mount_table(shared)),
        ("program", program.script()),
    )


def mount_table(shared: Sequence[Path]) -> str:
    """The guest's fstab(5), in the order of mounting."""
    new = f"{HERE}/root/new"
    overlay = f"nosuid,lowerdir=/,upperdir={HERE}/root/upper,workdir={HERE}/root/work"
    rows = [
        ("overlay", new, "overlay", overlay),
        ("proc", f"{new}/proc", "proc", "defaults"),
        ("sysfs", f"{new}/sys", "sysfs", "defaults"),
        ("cgroup", f"{new}/sys/fs/cgroup", "cgroup", "blkio"),
        ("devtmpfs", f"{new}/dev", "devtmpfs", "defaults"),
        ("devpts", f"{new}/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666,X-mount.mkdir"),
        ("tmpfs", f"{new}/dev/shm", "tmpfs", "X-mount.mkdir"),  # noqa: S108
        ("tmpfs", f"{new}/run", "tmpfs", "mode=755"),
        ("none", f"{new}/run/stripelab.boot", "hostfs", f"ro,{HERE},X-mount.mkdir"),
    ]
    rows += [("none", f"{new}{folder}", "hostfs", f"{HERE}/share/{index}") for index, folder in enumerate(shared)]
    return "".join(" ".join(map(_escaped, row)) + " 0 0\n" for row in rows)


def _escaped(text: str) -> str:
    """A field of fstab(5): white space, backslash and # as octal numbers."""
    return "".join(f"\\{ord(letter):03o}" if letter in " \t\n\\#" else letter for letter in text)
